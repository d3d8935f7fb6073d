//! Photos: foreign JPEG and PNG files in, small upright JPEGs without metadata out.
//!
//! A JPEG that is small and light already is kept as it was encoded, without its metadata and not cropped: the page shows
//! the frame's part of it, but the file holds all.

mod keep;
mod shrink;

use std::io::Cursor;

use image::codecs::png::PngDecoder;
use image::metadata::Orientation;
use image::{ColorType, DynamicImage, ImageDecoder, RgbImage};
use jpeg_encoder::{Encoder, SamplingFactor};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use crate::error::PhotoFault;
use keep::keep;
use shrink::{Part, shrink};

/// Pixels that are decoded at most; checked before any are.
const MAX_PIXELS: u64 = 40_000_000;
/// Bytes that decoding takes at most: 40 megapixels of RGBA, fewer where pixels have to be converted or all
/// coefficients of a JPEG kept.
const MAX_DECODED: u64 = 160_000_000;
/// Bytes of a file at most.
const MAX_FILE: usize = 40 << 20;
/// What the eye resolves at reading distance, on paper and on a dense screen.
const DOTS_PER_INCH: f32 = 240.0;
/// Bytes of a picture that is light whatever its frame, and that make a file heavier than its page is worth.
const LIGHT: usize = 4 << 10;
const HEAVY: usize = 20 << 10;
/// Pixels of the frame for each byte of a picture that is kept as it is.
const PIXELS_PER_BYTE: u32 = 2;
/// The long side of a picture that is not cropped to a frame, in pixels.
const WHOLE_SIDE: u32 = 1600;
/// From the best; the next where a picture is too heavy for its frame.
const JPEG_QUALITIES: [u8; 3] = [85, 70, 55];

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
                ((width * height / PIXELS_PER_BYTE) as usize).clamp(LIGHT, HEAVY)
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

    let mut jpeg = Vec::new();
    for quality in JPEG_QUALITIES {
        jpeg = encode(&picture, quality)?;
        if jpeg.len() <= frame.weight() {
            break;
        }
    }
    Ok((jpeg, picture.dimensions()))
}

/// The middle of a picture of ours in the form of a frame, at most as many pixels wide and high.
pub(crate) fn middle(jpeg: &[u8], (width, height): (u32, u32)) -> Option<RgbImage> {
    let (picture, orientation) = decode_jpeg(jpeg).ok()?;
    let (width, height) = (width.max(1), height.max(1));
    let frame = Frame::Cropped { width, height };
    Some(turn(
        crop_and_scale(&picture, frame, orientation),
        orientation,
    ))
}

fn encode(picture: &RgbImage, quality: u8) -> Result<Vec<u8>, PhotoFault> {
    let side = |pixels: u32| u16::try_from(pixels).map_err(|_| PhotoFault::TooLarge);
    let (width, height) = (side(picture.width())?, side(picture.height())?);
    let mut jpeg = Vec::new();
    let mut encoder = Encoder::new(&mut jpeg, quality);
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    encoder
        .encode(
            picture.as_raw(),
            width,
            height,
            jpeg_encoder::ColorType::Rgb,
        )
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
    let info = reader.info().ok_or(PhotoFault::Broken)?;
    let (width, height) = (u32::from(info.width), u32::from(info.height));
    let coefficients = if info.sof.is_progressive() {
        2 * u64::from(info.components)
    } else {
        0
    };
    check_size(width, height, 3 + coefficients)?;
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
    let color = decoder.color_type();
    let converted = match color {
        ColorType::Rgb8 | ColorType::Rgba8 => 0,
        _ if color.has_alpha() => 4,
        _ => 3,
    };
    check_size(
        width,
        height,
        u64::from(color.bytes_per_pixel()) + converted,
    )?;
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let picture = DynamicImage::from_decoder(decoder).map_err(|_| PhotoFault::Broken)?;
    Ok((on_white(picture), orientation))
}

/// Checked before any pixel is decoded; so many bytes are kept for each.
fn check_size(width: u32, height: u32, bytes_per_pixel: u64) -> Result<(), PhotoFault> {
    let pixels = u64::from(width) * u64::from(height);
    match pixels {
        0 => Err(PhotoFault::Broken),
        _ if pixels > MAX_PIXELS || pixels * bytes_per_pixel > MAX_DECODED => {
            Err(PhotoFault::TooLarge)
        }
        _ => Ok(()),
    }
}

/// Transparent parts show the paper: PDF/A readers and printers treat soft masks less alike than white.
fn on_white(picture: DynamicImage) -> RgbImage {
    if !picture.color().has_alpha() {
        return picture.into_rgb8();
    }
    let (width, height) = (picture.width(), picture.height());
    // In place: a second picture of this size would be more than may be held.
    let mut bytes = picture.into_rgba8().into_raw();
    let (mut from, mut to) = (0, 0);
    while let Some([color @ .., alpha]) = bytes[from..].first_chunk::<4>().copied() {
        let alpha = u16::from(alpha);
        let mix = |channel: u8| (u16::from(channel) * alpha + 255 * (255 - alpha) + 127) / 255;
        bytes[to..to + 3].copy_from_slice(&color.map(|channel| mix(channel) as u8));
        from += 4;
        to += 3;
    }
    bytes.truncate(to);
    RgbImage::from_raw(width, height, bytes).expect("one pixel was written for each that was read")
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
mod tests;
