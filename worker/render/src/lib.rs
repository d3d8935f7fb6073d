//! Block model to PDF bytes: a pure function of its inputs.
//!
//! [`blocks`] say what a document holds, a [`theme`] how it looks; [`Engine::render`] prepares the blocks
//! (bounds, cleaning, shaping, photos), lays them out on pages and writes a tagged PDF. No I/O, no clock, no
//! randomness: the same input gives the same bytes, on any thread.
//!
//! ```
//! use render::{Created, Engine, Options, blocks::*};
//!
//! let engine = Engine::new()?;
//! let document = Document {
//!     title: "Report".to_owned(),
//!     language: "en".to_owned(),
//!     body: vec![Block::Section(Section {
//!         title: "Findings".into(),
//!         blocks: vec![Block::Paragraph("All is well.".into())],
//!     })],
//!     ..Document::default()
//! };
//! let created = Created { year: 2026, month: 1, day: 31, hour: 12, minute: 0, second: 0 };
//! let rendered = engine.render(&document, &Options { created: Some(created), ..Options::default() })?;
//! assert!(rendered.pdf.starts_with(b"%PDF-") && rendered.pages == 1 && rendered.warnings.is_empty());
//! # Ok::<(), render::Error>(())
//! ```

pub mod blocks;
mod error;
mod fonts;
mod layout;
mod options;
mod pdf;
mod photo;
mod prepare;
mod text;
pub mod theme;

// Named for its feature alone: see Cargo.toml.
use flate2 as _;

pub use blocks::Document;
pub use error::{Error, PhotoFault, Warning};
pub use options::{Attachment, Created, Fit, Options, Pages, Rendered};
pub use prepare::is_language_tag;
pub use theme::Theme;

use fonts::Fonts;

/// The embedded fonts, parsed once. Make one and share it between threads.
pub struct Engine {
    fonts: Fonts,
}

impl Engine {
    /// Parses the embedded fonts.
    pub fn new() -> Result<Self, Error> {
        Ok(Self {
            fonts: Fonts::embedded()?,
        })
    }

    /// Renders a document. Text is never cut: what is wrong with the input is an error, what could not be
    /// done as asked a warning.
    ///
    /// Bounded: at most 1,000,000 bytes of text, 20,000 blocks, 8 levels, 200 pages.
    pub fn render(&self, document: &Document, options: &Options) -> Result<Rendered, Error> {
        options.validate()?;
        let theme = &options.theme;
        let mut prepared = prepare::prepare(document, theme, &self.fonts)?;
        let fitted = layout::fit(&prepared, theme, options.page_target)?;
        let mut warnings = std::mem::take(&mut prepared.warnings);
        warnings.extend(fitted.warning);

        let pages = fitted.layout.pages.len();
        let footers = layout::footers(
            prepared.footer.as_ref(),
            pages,
            &fitted.metrics,
            &self.fonts,
        );
        let pdf = pdf::write(&pdf::Source {
            prepared: &prepared,
            layout: &fitted.layout,
            footers: &footers,
            metrics: &fitted.metrics,
            fonts: &self.fonts,
            options,
        })?;
        Ok(Rendered {
            pdf,
            pages: pages as u32,
            fit: fitted.shrink.report(),
            warnings,
        })
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn an_engine_is_shared_by_threads() {
        fn shared<T: Send + Sync>() {}
        shared::<super::Engine>();
    }
}
