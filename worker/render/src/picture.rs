//! Pictures of pages as PNG, drawn from [`Sheets`] that have just been laid out.
//!
//! That takes a fifth of the time of drawing the PDF, and nothing that could read PDFs of others.

mod canvas;
mod masks;
mod sheets;

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder as _};

pub(crate) use masks::Masks;
pub use sheets::Sheets;

/// The narrowest picture, in pixels.
pub const MIN_WIDTH: u32 = 16;
/// The widest picture, in pixels: A4 at 300 dots per inch is 2,480.
pub const MAX_WIDTH: u32 = 4_000;
/// The highest picture, in pixels.
const MAX_HEIGHT: f32 = 12_000.0;

/// Why there is no picture.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A width outside of [`MIN_WIDTH`] to [`MAX_WIDTH`].
    #[error("a width of {0} pixels; use {MIN_WIDTH} to {MAX_WIDTH}")]
    Width(u32),
    /// The document has no such page.
    #[error("there is no page {page}; the document has {pages}")]
    NoSuchPage {
        /// The page asked for, from 1.
        page: u32,
        /// How many there are.
        pages: u32,
    },
    /// The page is too long for its width.
    #[error("the page would be more than {MAX_HEIGHT} pixels high")]
    TooHigh,
    /// The PNG cannot be written.
    #[error("the picture cannot be written")]
    Png,
}

/// By what a page of points is scaled to be so many pixels wide, and how many pixels high it is then.
fn pixels_high(width: u32, across: f32, down: f32) -> Result<(f32, u32), Error> {
    // The least bit more than the width, so that rounding down gives the width itself.
    let scale = (width as f32 + 0.01) / across;
    let height = down * scale;
    if !(1.0..MAX_HEIGHT).contains(&height) {
        return Err(Error::TooHigh);
    }
    Ok((scale, height as u32))
}

/// Packs pixels of red, green and blue as PNG.
fn encode(rgb: &[u8], width: u32, height: u32) -> Result<Vec<u8>, Error> {
    let mut png = Vec::new();
    // Fast: packing a page more tightly takes longer than setting the whole document.
    PngEncoder::new_with_quality(&mut png, CompressionType::Fast, FilterType::Up)
        .write_image(rgb, width, height, ExtendedColorType::Rgb8)
        .map_err(|_| Error::Png)?;
    Ok(png)
}
