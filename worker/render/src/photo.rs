//! Photos: foreign JPEG and PNG files in, small upright JPEGs without metadata out.

use std::io::Cursor;

use image::codecs::jpeg::{JpegDecoder, JpegEncoder};
use image::codecs::png::PngDecoder;
use image::imageops::{self, FilterType};
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageResult, Rgb, RgbImage};

use crate::error::PhotoFault;

/// Pixels that are decoded at most; checked before any are.
const MAX_PIXELS: u64 = 40_000_000;
/// Bytes of decoded pixels at most: 40 megapixels of RGB, less where there are more channels.
const MAX_DECODED: u64 = 128 << 20;
/// Bytes of a file at most.
const MAX_FILE: usize = 40 << 20;
/// What printers resolve.
const DOTS_PER_INCH: f32 = 300.0;
/// The long side of a picture that is not cropped to a frame, in pixels.
const WHOLE_SIDE: u32 = 1600;
const JPEG_QUALITY: u8 = 85;

/// A picture ready to be placed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Photo {
    /// A baseline RGB JPEG without metadata.
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
        Self::Cropped { width: pixels(width), height: pixels(height) }
    }
}

/// Decodes a file, crops and scales it to the frame, turns it upright and encodes it again; gives the JPEG
/// and its size in pixels. A picture that is smaller than the frame is not enlarged.
pub(crate) fn develop(file: &[u8], frame: Frame) -> Result<(Vec<u8>, (u32, u32)), PhotoFault> {
    if file.len() > MAX_FILE {
        return Err(PhotoFault::TooLarge);
    }
    let (picture, orientation) = if file.starts_with(&[0xFF, 0xD8, 0xFF]) {
        decode(JpegDecoder::new(Cursor::new(file)))?
    } else if file.starts_with(b"\x89PNG\r\n\x1A\n") {
        decode(PngDecoder::new(Cursor::new(file)))?
    } else {
        return Err(PhotoFault::Unsupported);
    };
    let picture = turn(crop_and_scale(&picture, frame, orientation), orientation);

    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, JPEG_QUALITY)
        .encode_image(&picture)
        .map_err(|_| PhotoFault::Broken)?;
    Ok((jpeg, picture.dimensions()))
}

fn decode(decoder: ImageResult<impl ImageDecoder>) -> Result<(RgbImage, Orientation), PhotoFault> {
    let mut decoder = decoder.map_err(|_| PhotoFault::Broken)?;
    let (width, height) = decoder.dimensions();
    if width == 0 || height == 0 {
        return Err(PhotoFault::Broken);
    }
    if u64::from(width) * u64::from(height) > MAX_PIXELS || decoder.total_bytes() > MAX_DECODED {
        return Err(PhotoFault::TooLarge);
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let picture = DynamicImage::from_decoder(decoder).map_err(|_| PhotoFault::Broken)?;
    Ok((on_white(picture), orientation))
}

/// Transparent parts show the paper: PDF/A readers and printers treat soft masks less alike than white.
fn on_white(picture: DynamicImage) -> RgbImage {
    if !picture.color().has_alpha() {
        return picture.into_rgb8();
    }
    let picture = picture.into_rgba8();
    RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
        let [r, g, b, alpha] = picture.get_pixel(x, y).0;
        let mix = |channel: u8| {
            let (channel, alpha) = (u16::from(channel), u16::from(alpha));
            ((channel * alpha + 255 * (255 - alpha) + 127) / 255) as u8
        };
        Rgb([r, g, b].map(mix))
    })
}

/// Works on the picture as it lies, because turning a small one takes less time and memory.
fn crop_and_scale(picture: &RgbImage, frame: Frame, orientation: Orientation) -> RgbImage {
    let (width, height) = picture.dimensions();
    let (crop_width, crop_height, target_width, target_height) = match frame {
        Frame::Cropped { width: fw, height: fh } => {
            let (fw, fh) = if lies_on_its_side(orientation) { (fh, fw) } else { (fw, fh) };
            let (w, h, fw64, fh64) = (u64::from(width), u64::from(height), u64::from(fw), u64::from(fh));
            // The largest part of the picture that has the frame's form.
            let crop_width = (h * fw64 / fh64).clamp(1, w) as u32;
            let crop_height = (w * fh64 / fw64).clamp(1, h) as u32;
            (crop_width, crop_height, fw.min(crop_width), fh.min(crop_height))
        }
        Frame::Whole => {
            let side = width.max(height).max(WHOLE_SIDE);
            let scaled = |length: u32| {
                (u64::from(length) * u64::from(WHOLE_SIDE) / u64::from(side)).max(1) as u32
            };
            (width, height, scaled(width), scaled(height))
        }
    };
    let (x, y) = ((width - crop_width) / 2, (height - crop_height) / 2);
    let part = imageops::crop_imm(picture, x, y, crop_width, crop_height);
    if (crop_width, crop_height) == (target_width, target_height) {
        return part.to_image();
    }
    imageops::resize(&*part, target_width, target_height, FilterType::CatmullRom)
}

fn lies_on_its_side(orientation: Orientation) -> bool {
    matches!(
        orientation,
        Orientation::Rotate90 | Orientation::Rotate270 | Orientation::Rotate90FlipH | Orientation::Rotate270FlipH
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
