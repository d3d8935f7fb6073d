//! Keeps a small JPEG as it was encoded, less its metadata, where decoding and encoding it again would take
//! longer than all other work on a document.

use image::metadata::Orientation;
use zune_jpeg::zune_core::colorspace::ColorSpace;

use super::jpeg_reader;

/// Bytes of a picture that is kept, more than a frame's pixels take at the quality used here.
const MAX_BYTES: usize = 40 << 10;

/// Markers (ITU-T T.81, table B.1).
const SOF0: u8 = 0xC0;
const SOF2: u8 = 0xC2;
const DHT: u8 = 0xC4;
const RST0: u8 = 0xD0;
const RST7: u8 = 0xD7;
const SOI: u8 = 0xD8;
const EOI: u8 = 0xD9;
const SOS: u8 = 0xDA;
const DQT: u8 = 0xDB;
const DRI: u8 = 0xDD;
const APP0: u8 = 0xE0;
const APP1: u8 = 0xE1;
const APP14: u8 = 0xEE;
const APP15: u8 = 0xEF;
const COM: u8 = 0xFE;

/// The file without its application segments and comments, and its size in pixels. `None` where it has to be
/// encoded again: larger than `most` pixels in a direction, too many bytes, not upright, in colours that are
/// not YCbCr or grey, damaged in any way, or with anything behind its end.
pub(super) fn keep(file: &[u8], most: (u32, u32)) -> Option<(Vec<u8>, (u32, u32))> {
    let (jpeg, frame) = strip(file, most)?;
    decodes(&jpeg).then_some((jpeg, frame.size))
}

/// What the header of a picture says of it.
struct FrameHeader {
    size: (u32, u32),
    components: u8,
    progressive: bool,
}

impl FrameHeader {
    /// Reads the segment's content (T.81, B.2.2).
    fn read(marker: u8, content: &[u8]) -> Option<Self> {
        let side = |bytes| u32::from(u16::from_be_bytes(bytes));
        let [8, h0, h1, w0, w1, components] = content.first_chunk()? else {
            return None;
        };
        let known = match (components, &content[6..]) {
            (1, [_, _, _]) => true,
            // Three letters are how RGB is told without the segment of Adobe; not all readers ask.
            (3, [r, _, _, g, _, _, b, _, _]) => [*r, *g, *b] != *b"RGB",
            _ => false,
        };
        known.then_some(Self {
            size: (side([*w0, *w1]), side([*h0, *h1])),
            components: *components,
            progressive: marker == SOF2,
        })
    }

    fn fits(&self, most: (u32, u32)) -> bool {
        (1..=most.0).contains(&self.size.0) && (1..=most.1).contains(&self.size.1)
    }
}

/// Copies what the pixels need, and nothing else: tables, headers, scans.
fn strip(file: &[u8], most: (u32, u32)) -> Option<(Vec<u8>, FrameHeader)> {
    let mut out = vec![0xFF, SOI];
    let mut rest = file.strip_prefix(out.as_slice())?;
    let mut frame: Option<FrameHeader> = None;
    let mut scans = 0;
    loop {
        let [0xFF, marker, behind @ ..] = rest else {
            return None;
        };
        if *marker == EOI {
            out.extend([0xFF, EOI]);
            let frame = frame.filter(|_| scans > 0 && behind.is_empty())?;
            return Some((out, frame));
        }
        let length = usize::from(u16::from_be_bytes(*behind.first_chunk()?));
        let content = behind.get(2..length)?;
        let mut end = 2 + length;
        match *marker {
            APP0..=APP15 | COM => {
                if !may_go(*marker, content) {
                    return None;
                }
                rest = &rest[end..];
                continue;
            }
            SOF0..=SOF2 => {
                let header = FrameHeader::read(*marker, content)?;
                if !header.fits(most) || frame.replace(header).is_some() {
                    return None;
                }
            }
            SOS => {
                let frame = frame.as_ref()?;
                scans += 1;
                let whole = scans == 1 && content.first() == Some(&frame.components);
                if !frame.progressive && !whole {
                    return None;
                }
                end += scan_length(&rest[end..])?;
            }
            DHT | DQT | DRI => {}
            _ => return None,
        }
        let (segment, following) = rest.split_at(end);
        out.extend_from_slice(segment);
        rest = following;
        if out.len() > MAX_BYTES {
            return None;
        }
    }
}

/// Whether a picture looks the same without this segment.
fn may_go(marker: u8, content: &[u8]) -> bool {
    match marker {
        APP1 => content.strip_prefix(b"Exif\0\0").is_none_or(|exif| {
            let orientation = Orientation::from_exif_chunk(exif);
            orientation.is_none_or(|turn| turn == Orientation::NoTransforms)
        }),
        // The transform that it names: 1 is YCbCr, which readers take for granted without the segment.
        APP14 if content.starts_with(b"Adobe") => content.get(11) == Some(&1),
        _ => true,
    }
}

/// How many bytes of entropy-coded data come before the next marker, other than those for restarts.
fn scan_length(data: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += data.get(at..)?.iter().position(|&byte| byte == 0xFF)?;
        match data.get(at + 1)? {
            0 | RST0..=RST7 => at += 2,
            _ => return Some(at),
        }
    }
}

/// Whether all of it can be decoded; to grey, because then colours are read all the same but not worked out.
fn decodes(jpeg: &[u8]) -> bool {
    jpeg_reader(jpeg, ColorSpace::Luma).decode().is_ok()
}

#[cfg(test)]
mod tests {
    use image::{Rgb, RgbImage};
    use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

    use super::*;

    const SIZE: (u32, u32) = (60, 75);

    fn picture() -> RgbImage {
        RgbImage::from_fn(SIZE.0, SIZE.1, |x, y| {
            Rgb([x as u8 * 4, y as u8 * 3, (x * y) as u8])
        })
    }

    fn encoded(colors: ColorType, set: impl FnOnce(&mut Encoder<&mut Vec<u8>>)) -> Vec<u8> {
        let mut file = Vec::new();
        let mut encoder = Encoder::new(&mut file, 85);
        set(&mut encoder);
        let pixels = picture().into_raw();
        let (width, height) = (SIZE.0 as u16, SIZE.1 as u16);
        encoder.encode(&pixels, width, height, colors).unwrap();
        file
    }

    fn plain() -> Vec<u8> {
        encoded(ColorType::Rgb, |_| {})
    }

    /// Puts a segment right behind the start.
    fn with(file: &[u8], marker: u8, content: &[u8]) -> Vec<u8> {
        let length = (content.len() as u16 + 2).to_be_bytes();
        [&file[..2], &[0xFF, marker], &length, content, &file[2..]].concat()
    }

    fn exif(orientation: u8) -> Vec<u8> {
        let entry = b"Exif\0\0II\x2A\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0";
        [entry, &[orientation, 0, 0, 0, 0, 0, 0, 0][..], b"SECRET"].concat()
    }

    fn pixels(file: &[u8]) -> Vec<u8> {
        image::load_from_memory(file)
            .unwrap()
            .into_rgb8()
            .into_raw()
    }

    #[test]
    fn small_pictures_are_kept_pixel_by_pixel() {
        let check = |colors, sampling, progressive, restarts| {
            let file = encoded(colors, |encoder| {
                encoder.set_sampling_factor(sampling);
                encoder.set_progressive(progressive);
                if restarts {
                    encoder.set_restart_interval(3);
                }
            });
            let (kept, size) = keep(&file, SIZE).unwrap();
            assert_eq!(size, SIZE);
            assert!(kept.len() < file.len(), "without the header of JFIF");
            assert_eq!(pixels(&kept), pixels(&file), "{sampling:?}");
        };
        for progressive in [false, true] {
            for restarts in [false, true] {
                check(
                    ColorType::Luma,
                    SamplingFactor::F_1_1,
                    progressive,
                    restarts,
                );
                check(ColorType::Rgb, SamplingFactor::F_1_1, progressive, restarts);
                check(ColorType::Rgb, SamplingFactor::F_2_1, progressive, restarts);
                check(ColorType::Rgb, SamplingFactor::F_1_2, progressive, restarts);
                check(ColorType::Rgb, SamplingFactor::F_2_2, progressive, restarts);
            }
        }
    }

    #[test]
    fn metadata_is_left_out() {
        let clean = keep(&plain(), SIZE).unwrap();
        let check = |marker, content: &[u8]| {
            assert_eq!(
                keep(&with(&plain(), marker, content), SIZE).as_ref(),
                Some(&clean)
            );
        };
        check(COM, b"SECRET");
        check(APP1, &exif(1));
        check(APP1, b"http://ns.adobe.com/xap/1.0/\0SECRET");
        check(0xE2, b"ICC_PROFILE\0\x01\x01SECRET");
        check(0xED, b"Photoshop 3.0\0SECRET");
        check(APP0, b"JFXX\0\x10SECRET");
        check(APP14, b"Adobe\0\x64\0\0\0\0\x01");
        check(APP15, b"SECRET");
        check(COM, &b"x".repeat(60_000));

        // Between the scans, too.
        let scans = encoded(ColorType::Rgb, |encoder| encoder.set_progressive(true));
        let last = scans
            .windows(2)
            .rposition(|two| two == [0xFF, DHT])
            .unwrap();
        let (head, tail) = scans.split_at(last);
        let comment = [head, b"\xFF\xFE\0\x08SECRET", tail].concat();
        assert_eq!(keep(&comment, SIZE), keep(&scans, SIZE));
        assert!(keep(&scans, SIZE).is_some());
    }

    #[test]
    fn what_needs_work_or_is_damaged_is_not_kept() {
        let check = |what: &str, file: &[u8]| assert_eq!(keep(file, SIZE), None, "{what}");
        let good = plain();
        assert_eq!(keep(&good, (SIZE.0 - 1, SIZE.1)), None, "too wide");
        assert_eq!(keep(&good, (SIZE.0, SIZE.1 - 1)), None, "too high");
        check("on its side", &with(&good, APP1, &exif(6)));
        check("mirrored", &with(&good, APP1, &exif(2)));
        check(
            "RGB by Adobe's word",
            &with(&good, APP14, b"Adobe\0\x64\0\0\0\0\0"),
        );
        check("CMYK", include_bytes!("../../tests/data/cmyk.jpg"));
        check("something behind", &[&good[..], b"\0"].concat());
        check("two pictures", &[&good[..], &good].concat());
        check("too short a segment", &with(&good, 0xFF, b""));

        let header = good.windows(2).position(|two| two == [0xFF, SOF0]).unwrap();
        let changed = |at: usize, bytes: &[u8]| {
            let mut file = good.clone();
            file[header + at..header + at + bytes.len()].copy_from_slice(bytes);
            file
        };
        check("arithmetic coding", &changed(1, &[0xC9]));
        check("12 bits", &changed(4, &[12]));
        check("no height", &changed(5, &[0, 0]));
        let mut letters = good.clone();
        let scan = good.windows(2).position(|two| two == [0xFF, SOS]).unwrap();
        for (component, letter) in b"RGB".iter().enumerate() {
            letters[header + 10 + 3 * component] = *letter;
            letters[scan + 5 + 2 * component] = *letter;
        }
        check("RGB by letters", &letters);

        let noise = RgbImage::from_fn(400, 400, |x, y| {
            Rgb([
                (x * x * 7 + y * y * 13) as u8,
                (x * y * 31) as u8,
                (x ^ y) as u8,
            ])
        });
        let mut heavy = Vec::new();
        let encoder = Encoder::new(&mut heavy, 95);
        encoder
            .encode(noise.as_raw(), 400, 400, ColorType::Rgb)
            .unwrap();
        assert!(heavy.len() > MAX_BYTES);
        assert_eq!(keep(&heavy, (400, 400)), None, "too many bytes");
    }

    #[test]
    fn what_ends_too_early_is_not_kept() {
        for progressive in [false, true] {
            let good = encoded(ColorType::Rgb, |encoder| {
                encoder.set_progressive(progressive);
            });
            for end in 0..good.len() {
                assert_eq!(keep(&good[..end], SIZE), None, "{end} of {}", good.len());
            }
        }
    }
}
