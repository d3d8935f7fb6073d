//! Pictures of pages as PNG: of a PDF of ours, or, much cheaper, of [`Sheets`] that have just been laid out.

mod canvas;
mod masks;
mod sheets;

use hayro::hayro_interpret::InterpreterSettings;
use hayro::hayro_syntax::Pdf;
use hayro::vello_cpu::color::palette::css::WHITE;
use hayro::{PixmapSettings, RenderCache, RenderSettings};
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
    /// The PDF has no such page.
    #[error("there is no page {page}; the document has {pages}")]
    NoSuchPage {
        /// The page asked for, from 1.
        page: u32,
        /// How many there are.
        pages: u32,
    },
    /// The PDF cannot be read.
    #[error("the PDF cannot be read")]
    NotAPdf,
    /// The page is too long for its width.
    #[error("the page would be more than {MAX_HEIGHT} pixels high")]
    TooHigh,
    /// The PNG cannot be written.
    #[error("the picture cannot be written")]
    Png,
}

/// Draws one page of a PDF, `width` pixels wide, on white, as PNG. Pages count from 1.
///
/// For PDFs of this crate: what others may hold (foreign fonts, encodings of Asian text) is not
/// built in, and nothing bounds what a hostile file asks for. One build draws the same bytes each
/// time on one processor; another processor's vector instructions may round a pixel's shade
/// differently.
pub fn picture(pdf: &[u8], page: u32, width: u32) -> Result<Vec<u8>, Error> {
    if !(MIN_WIDTH..=MAX_WIDTH).contains(&width) {
        return Err(Error::Width(width));
    }
    let pdf = Pdf::new(pdf.to_vec()).map_err(|_| Error::NotAPdf)?;
    let pages = pdf.pages();
    let missing = || Error::NoSuchPage {
        page,
        pages: pages.len() as u32,
    };
    let index = page.checked_sub(1).ok_or_else(missing)? as usize;
    let drawn = pages.get(index).ok_or_else(missing)?;
    let (across, down) = drawn.render_dimensions();
    let (scale, _) = pixels_high(width, across, down)?;
    let pixmap = hayro::render(
        drawn,
        &RenderCache::new(),
        &InterpreterSettings::default(),
        &RenderSettings::default(),
        &PixmapSettings {
            x_scale: scale,
            y_scale: scale,
            bg_color: WHITE,
        },
    );
    // On white, every pixel is opaque: the premultiplied colours are the colours.
    let rgb: Vec<u8> = pixmap.data().iter().flat_map(|p| [p.r, p.g, p.b]).collect();
    encode(&rgb, pixmap.width().into(), pixmap.height().into())
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
