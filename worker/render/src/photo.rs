//! Photos: foreign JPEG and PNG files in, small upright JPEGs without metadata out.
//!
//! A JPEG that is small and light already is kept as it was encoded, without its metadata and not cropped: the page shows
//! the frame's part of it, but the file holds all.

mod keep;
mod shrink;

use std::io::Cursor;

use image::codecs::png::PngDecoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, RgbImage};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use crate::error::PhotoFault;
use keep::keep;
use shrink::{Part, shrink};

/// Pixels that are decoded at most; checked before any are.
const MAX_PIXELS: u64 = 40_000_000;
/// Bytes of decoded pixels at most: 40 megapixels of RGB, less where there are more channels.
const MAX_DECODED: u64 = 128 << 20;
/// Bytes of a file at most.
const MAX_FILE: usize = 40 << 20;
/// What the eye resolves at reading distance, on paper and on a dense screen.
const DOTS_PER_INCH: f32 = 240.0;
/// Bytes of a picture that is light whatever its frame.
const LIGHT: usize = 4096;
/// Pixels of the frame for each byte of a picture that is kept as it is: a heavier one makes the file heavier
/// than its page is worth.
const PIXELS_PER_BYTE: u32 = 4;
/// The long side of a picture that is not cropped to a frame, in pixels.
const WHOLE_SIDE: u32 = 1600;
const JPEG_QUALITY: u8 = 85;

/// A picture ready to be placed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Photo {
    /// A colour or grey JPEG without metadata, in which the frame shows the middle.
    pub(crate) jpeg: Vec<u8>,
    /// Width and height in pixels.
    pub(crate) size: (u32, u32),
    /// What it shows; may be empty.
    pub(crate) alt: String,
}

/// What part of a picture is wanted, and how large.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Frame {
    /// The middle, cropped to this form, at most this many pixels wide and high.
    Cropped { width: u32, height: u32 },
    /// All of it.
    Whole,
}

impl Frame {
    /// A frame of so many millimetres.
    pub(crate) fn of(width: f32, height: f32) -> Self {
        let pixels = |mm: f32| ((mm / 25.4 * DOTS_PER_INCH).round() as u32).max(1);
        Self::Cropped {
            width: pixels(width),
            height: pixels(height),
        }
    }

    /// The width and height up to which a picture is not worth scaling.
    fn limits(self) -> (u32, u32) {
        match self {
            Self::Cropped { width, height } => (scale(width, 5, 2), scale(height, 5, 2)),
            Self::Whole => (WHOLE_SIDE, WHOLE_SIDE),
        }
    }

    /// The bytes up to which a picture is not worth encoding again.
    fn weight(self) -> usize {
        match self {
            Self::Cropped { width, height } => {
                ((width * height / PIXELS_PER_BYTE) as usize).max(LIGHT)
            }
            Self::Whole => MAX_FILE,
        }
    }
}

/// Makes a file fit to be placed; gives the JPEG and its size in pixels. What is not kept is decoded, cropped
/// and scaled to the frame, turned upright and encoded again; it is not enlarged.
pub(crate) fn develop(file: &[u8], frame: Frame) -> Result<(Vec<u8>, (u32, u32)), PhotoFault> {
    if file.len() > MAX_FILE {
        return Err(PhotoFault::TooLarge);
    }
    if file.len() <= frame.weight()
        && let Some(kept) = keep(file, frame.limits())
    {
        return Ok(kept);
    }
    let (picture, orientation) = if file.starts_with(&[0xFF, 0xD8, 0xFF]) {
        decode_jpeg(file)?
    } else if file.starts_with(b"\x89PNG\r\n\x1A\n") {
        decode_png(file)?
    } else {
        return Err(PhotoFault::Unsupported);
    };
    let picture = turn(crop_and_scale(&picture, frame, orientation), orientation);

    Ok((encode(&picture)?, picture.dimensions()))
}

fn encode(picture: &RgbImage) -> Result<Vec<u8>, PhotoFault> {
    let side = |pixels: u32| u16::try_from(pixels).map_err(|_| PhotoFault::TooLarge);
    let (width, height) = (side(picture.width())?, side(picture.height())?);
    let mut jpeg = Vec::new();
    let mut encoder = Encoder::new(&mut jpeg, JPEG_QUALITY);
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    encoder
        .encode(picture.as_raw(), width, height, ColorType::Rgb)
        .map_err(|_| PhotoFault::Broken)?;
    Ok(jpeg)
}

/// A reader of JPEGs that takes a picture that ends too early for broken, not for grey at its foot.
fn jpeg_reader(file: &[u8], colors: ColorSpace) -> JpegDecoder<ZCursor<&[u8]>> {
    let options = DecoderOptions::default()
        .set_strict_mode(true)
        .set_max_width(usize::from(u16::MAX))
        .set_max_height(usize::from(u16::MAX))
        .jpeg_set_out_colorspace(colors);
    JpegDecoder::new_with_options(ZCursor::new(file), options)
}

fn decode_jpeg(file: &[u8]) -> Result<(RgbImage, Orientation), PhotoFault> {
    let mut reader = jpeg_reader(file, ColorSpace::RGB);
    reader.decode_headers().map_err(|_| PhotoFault::Broken)?;
    let (width, height) = reader.dimensions().ok_or(PhotoFault::Broken)?;
    let (width, height) = (width as u32, height as u32);
    check_size(width, height, u64::from(width) * u64::from(height) * 3)?;
    let orientation = reader
        .exif()
        .and_then(|exif| Orientation::from_exif_chunk(exif))
        .unwrap_or(Orientation::NoTransforms);
    let pixels = reader.decode().map_err(|_| PhotoFault::Broken)?;
    let picture = RgbImage::from_raw(width, height, pixels).ok_or(PhotoFault::Broken)?;
    Ok((picture, orientation))
}

fn decode_png(file: &[u8]) -> Result<(RgbImage, Orientation), PhotoFault> {
    let mut decoder = PngDecoder::new(Cursor::new(file)).map_err(|_| PhotoFault::Broken)?;
    let (width, height) = decoder.dimensions();
    check_size(width, height, decoder.total_bytes())?;
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let picture = DynamicImage::from_decoder(decoder).map_err(|_| PhotoFault::Broken)?;
    Ok((on_white(picture), orientation))
}

/// Checked before any pixel is decoded.
fn check_size(width: u32, height: u32, bytes: u64) -> Result<(), PhotoFault> {
    if width == 0 || height == 0 {
        return Err(PhotoFault::Broken);
    }
    if u64::from(width) * u64::from(height) > MAX_PIXELS || bytes > MAX_DECODED {
        return Err(PhotoFault::TooLarge);
    }
    Ok(())
}

/// Transparent parts show the paper: PDF/A readers and printers treat soft masks less alike than white.
fn on_white(picture: DynamicImage) -> RgbImage {
    if !picture.color().has_alpha() {
        return picture.into_rgb8();
    }
    let picture = picture.into_rgba8();
    let (pixels, _) = picture.as_raw().as_chunks::<4>();
    let mut opaque = Vec::with_capacity(pixels.len() * 3);
    for [color @ .., alpha] in pixels {
        let alpha = u16::from(*alpha);
        let mix = |channel: u8| (u16::from(channel) * alpha + 255 * (255 - alpha) + 127) / 255;
        opaque.extend(color.map(|channel| mix(channel) as u8));
    }
    RgbImage::from_raw(picture.width(), picture.height(), opaque)
        .expect("one pixel was written for each that was read")
}

/// Works on the picture as it lies, because turning a small one takes less time and memory.
fn crop_and_scale(picture: &RgbImage, frame: Frame, orientation: Orientation) -> RgbImage {
    let (width, height) = picture.dimensions();
    let (crop_width, crop_height, target_width, target_height) = match frame {
        Frame::Cropped {
            width: fw,
            height: fh,
        } => {
            let (fw, fh) = if lies_on_its_side(orientation) {
                (fh, fw)
            } else {
                (fw, fh)
            };
            // The largest part of the picture that has the frame's form.
            let crop_width = scale(height, fw, fh).clamp(1, width);
            let crop_height = scale(width, fh, fw).clamp(1, height);
            (
                crop_width,
                crop_height,
                fw.min(crop_width),
                fh.min(crop_height),
            )
        }
        Frame::Whole => {
            let side = width.max(height).max(WHOLE_SIDE);
            (
                width,
                height,
                scale(width, WHOLE_SIDE, side).max(1),
                scale(height, WHOLE_SIDE, side).max(1),
            )
        }
    };
    let part = Part {
        x: (width - crop_width) / 2,
        y: (height - crop_height) / 2,
        width: crop_width,
        height: crop_height,
    };
    shrink(picture, part, target_width, target_height)
}

/// `length * to / from`, without overflow.
fn scale(length: u32, to: u32, from: u32) -> u32 {
    let scaled = u64::from(length) * u64::from(to) / u64::from(from);
    u32::try_from(scaled).unwrap_or(u32::MAX)
}

fn lies_on_its_side(orientation: Orientation) -> bool {
    matches!(
        orientation,
        Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH
    )
}

fn turn(picture: RgbImage, orientation: Orientation) -> RgbImage {
    if orientation == Orientation::NoTransforms {
        return picture;
    }
    let mut picture = DynamicImage::ImageRgb8(picture);
    picture.apply_orientation(orientation);
    picture.into_rgb8()
}

#[cfg(test)]
mod tests {
    use image::codecs::jpeg::JpegEncoder;
    use image::codecs::png::PngEncoder;
    use image::{ExtendedColorType, GrayImage, ImageEncoder, Luma, Rgb, Rgba, RgbaImage};

    use super::*;

    const RED: Rgb<u8> = Rgb([220, 20, 20]);
    const BLUE: Rgb<u8> = Rgb([20, 20, 220]);
    const FRAME: Frame = Frame::Cropped {
        width: 30,
        height: 40,
    };

    /// Red on the left, blue on the right.
    fn halves(width: u32, height: u32) -> RgbImage {
        RgbImage::from_fn(width, height, |x, _| if x < width / 2 { RED } else { BLUE })
    }

    fn jpeg(picture: &RgbImage) -> Vec<u8> {
        let mut file = Vec::new();
        JpegEncoder::new_with_quality(&mut file, 95)
            .encode_image(picture)
            .unwrap();
        file
    }

    fn png(picture: &[u8], width: u32, height: u32, color: ExtendedColorType) -> Vec<u8> {
        let mut file = Vec::new();
        PngEncoder::new(&mut file)
            .write_image(picture, width, height, color)
            .unwrap();
        file
    }

    /// Puts an EXIF segment with an orientation (TIFF 6.0, tag 0x0112) behind the start of a JPEG.
    fn with_orientation(jpeg: &[u8], orientation: u8) -> Vec<u8> {
        let tiff = [
            b"II\x2A\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0",
            &[orientation, 0, 0, 0, 0, 0, 0, 0][..],
        ]
        .concat();
        let length = (2 + 6 + tiff.len()) as u16;
        [
            &jpeg[..2],
            &[0xFF, 0xE1],
            &length.to_be_bytes(),
            b"Exif\0\0",
            &tiff,
            &jpeg[2..],
        ]
        .concat()
    }

    fn decoded(file: &[u8]) -> RgbImage {
        image::load_from_memory(file).unwrap().into_rgb8()
    }

    fn is_near(pixel: Rgb<u8>, expected: Rgb<u8>) -> bool {
        pixel
            .0
            .iter()
            .zip(expected.0)
            .all(|(a, b)| a.abs_diff(b) < 40)
    }

    #[test]
    fn pictures_are_cropped_to_the_frame_and_never_enlarged() {
        let check = |size: (u32, u32), expect: (u32, u32)| {
            let (file, size) = develop(&jpeg(&halves(size.0, size.1)), FRAME).unwrap();
            assert_eq!((size, decoded(&file).dimensions()), (expect, expect));
            let picture = decoded(&file);
            let (first, last) = (
                *picture.get_pixel(0, 0),
                *picture.get_pixel(expect.0 - 1, expect.1 - 1),
            );
            assert!(
                is_near(first, RED) && is_near(last, BLUE),
                "the middle is kept"
            );
        };
        check((300, 400), (30, 40));
        check((900, 400), (30, 40));
        check((300, 1400), (30, 40));
        check((60, 20), (15, 20));
        check((1000, 41), (30, 40));
    }

    #[test]
    fn whole_pictures_keep_their_form() {
        let (_, size) = develop(&jpeg(&halves(3200, 400)), Frame::Whole).unwrap();
        assert_eq!(size, (1600, 200));
        let (_, size) = develop(&jpeg(&halves(32, 4)), Frame::Whole).unwrap();
        assert_eq!(size, (32, 4));
    }

    #[test]
    fn exif_rotation_is_honoured_and_the_segment_dropped() {
        // Orientation 6: the camera was turned; the picture has to be turned clockwise.
        let file = with_orientation(&jpeg(&halves(400, 300)), 6);
        assert!(file.windows(4).any(|bytes| bytes == b"Exif"));
        let (file, size) = develop(&file, FRAME).unwrap();
        assert_eq!(size, (30, 40));
        let picture = decoded(&file);
        assert!(
            is_near(*picture.get_pixel(15, 2), RED) && is_near(*picture.get_pixel(15, 37), BLUE)
        );
        assert!(!file.windows(4).any(|bytes| bytes == b"Exif"));
    }

    #[test]
    fn cmyk_becomes_rgb() {
        let (file, _) = develop(include_bytes!("../tests/data/cmyk.jpg"), FRAME).unwrap();
        let picture = decoded(&file);
        assert!(
            is_near(*picture.get_pixel(15, 5), Rgb([255, 0, 0])),
            "{:?}",
            picture.get_pixel(15, 5)
        );
        assert!(
            is_near(*picture.get_pixel(15, 35), Rgb([0, 255, 255])),
            "{:?}",
            picture.get_pixel(15, 35)
        );
    }

    #[test]
    fn grey_jpegs_are_taken_in_any_size() {
        for (width, height) in [(30, 40), (300, 400)] {
            let mut file = Vec::new();
            JpegEncoder::new_with_quality(&mut file, 95)
                .encode_image(&GrayImage::from_pixel(width, height, Luma([90])))
                .unwrap();
            let (file, size) = develop(&file, FRAME).unwrap();
            assert_eq!(size, (30, 40));
            assert!(is_near(*decoded(&file).get_pixel(15, 20), Rgb([90; 3])));
        }
    }

    #[test]
    fn a_picture_that_ends_too_early_is_broken() {
        for size in [(45, 60), (300, 400)] {
            let file = jpeg(&halves(size.0, size.1));
            let cut = &file[..file.len() * 9 / 10];
            assert_eq!(develop(cut, FRAME), Err(PhotoFault::Broken), "{size:?}");
        }
    }

    #[test]
    fn transparency_becomes_white() {
        let clear = RgbaImage::from_pixel(30, 40, Rgba([0, 0, 0, 0]));
        let (file, _) = develop(&png(&clear, 30, 40, ExtendedColorType::Rgba8), FRAME).unwrap();
        assert!(is_near(
            *decoded(&file).get_pixel(5, 5),
            Rgb([255, 255, 255])
        ));
    }

    #[test]
    fn grey_and_deep_pngs_are_taken() {
        for (bytes, color) in [
            (1, ExtendedColorType::L8),
            (2, ExtendedColorType::L16),
            (6, ExtendedColorType::Rgb16),
        ] {
            let file = png(&vec![200; 30 * 40 * bytes], 30, 40, color);
            assert_eq!(develop(&file, FRAME).unwrap().1, (30, 40), "{color:?}");
        }
    }

    #[test]
    fn what_cannot_be_used_says_why() {
        let check = |file: &[u8], expect| assert_eq!(develop(file, FRAME), Err(expect));
        let good = jpeg(&halves(300, 400));
        check(b"", PhotoFault::Unsupported);
        check(b"GIF89a", PhotoFault::Unsupported);
        check(&good[..20], PhotoFault::Broken);
        check(&[0xFF, 0xD8, 0xFF, 0xE0], PhotoFault::Broken);
        let mut huge = png(&[0; 3], 1, 1, ExtendedColorType::Rgb8);
        // The header says 60,000 by 60,000; nothing is decoded to find out.
        huge[16..24].copy_from_slice(&[0, 0, 0xEA, 0x60, 0, 0, 0xEA, 0x60]);
        let crc = crc(&huge[12..29]).to_be_bytes();
        huge[29..33].copy_from_slice(&crc);
        check(&huge, PhotoFault::TooLarge);
        check(
            &[good.as_slice(), &vec![0; MAX_FILE]].concat(),
            PhotoFault::TooLarge,
        );
    }

    #[test]
    fn damaged_pictures_never_panic() {
        let good = jpeg(&halves(60, 80));
        for at in (2..good.len()).step_by(7) {
            let mut bad = good.clone();
            bad[at] ^= 0x55;
            let _ = develop(&bad, FRAME);
            let _ = develop(&good[..at], FRAME);
        }
    }

    /// The checksum of a PNG chunk (PNG, annex D).
    fn crc(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(u32::MAX, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
                (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg())
            })
        })
    }
}
