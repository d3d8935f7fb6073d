//! Keeps a small JPEG as it was encoded, less its metadata, where decoding and encoding it again would take
//! longer than all other work on a document.

use image::metadata::Orientation;
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

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
        let [8, height @ .., components] = content.first_chunk::<6>()? else {
            return None;
        };
        let [high, low, wide_high, wide_low] = *height;
        let ids = content[6..].iter().step_by(3);
        let known = match components {
            1 => true,
            // Three letters are how RGB is told without the segment of Adobe; not all readers ask.
            3 => !ids.eq(b"RGB"),
            _ => false,
        };
        let side = |high, low| u32::from(u16::from_be_bytes([high, low]));
        known.then_some(Self {
            size: (side(wide_high, wide_low), side(high, low)),
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

/// Whether all of it can be decoded; grey, because the colours are read all the same but not worked out.
fn decodes(jpeg: &[u8]) -> bool {
    let options = DecoderOptions::default()
        .set_strict_mode(true)
        .jpeg_set_out_colorspace(ColorSpace::Luma);
    JpegDecoder::new_with_options(ZCursor::new(jpeg), options)
        .decode()
        .is_ok()
}
