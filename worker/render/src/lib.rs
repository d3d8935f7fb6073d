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
//!         ..Section::default()
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
mod idle;
mod layout;
mod options;
mod pdf;
mod photo;
pub mod picture;
mod prepare;
mod text;
pub mod theme;

pub use blocks::Document;
pub use error::{Error, PhotoFault, Warning};
pub use options::{
    Attachment, Created, Fit, FitStep, Options, Over, PageBreak, Pages, Paper, Rendered, Report,
};
pub use prepare::is_language_tag;
pub use theme::Theme;

pub use fonts::FontFault;

use fonts::Fonts;
use picture::Sheets;

/// A part of a rendering, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Checked, cleaned and shaped; photos are developed.
    Shaped,
    /// Broken into lines and pages, as often as fitting took.
    LaidOut,
    /// Drawn and tagged.
    Drawn,
    /// Fonts cut down to what is used, everything deflated and written.
    Written,
}

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

    /// With fonts beside the embedded ones, as pairs of a name, which errors call it by, and the bytes of a
    /// TrueType or OpenType file or of a collection of such. They draw what the embedded fonts have no glyphs
    /// for, those of the document's region first (`Noto Sans CJK JP` for Japanese), and themes may ask for
    /// their families by name.
    ///
    /// Bounded: at most 512 files of 160 MB and 512 MB together. Any file that cannot be used is an error.
    pub fn with_fonts(files: impl IntoIterator<Item = (String, Vec<u8>)>) -> Result<Self, Error> {
        Ok(Self {
            fonts: Fonts::with_files(files)?,
        })
    }

    /// The families that themes may ask for, the default first.
    pub fn font_families(&self) -> impl Iterator<Item = &str> {
        self.fonts.family_names()
    }

    /// Renders a document. Text is never cut: what is wrong with the input is an error, what could not be
    /// done as asked a warning.
    ///
    /// Bounded: at most 1,000,000 bytes of text, 20,000 blocks, 8 levels, 200 pages.
    pub fn render(&self, document: &Document, options: &Options) -> Result<Rendered, Error> {
        let (rendered, _) = self.render_observed(document, options, &mut |_| {})?;
        Ok(rendered)
    }

    /// The same, with the pages as they were laid out, to make pictures of.
    pub fn render_with_sheets(
        &self,
        document: &Document,
        options: &Options,
    ) -> Result<(Rendered, Sheets<'_>), Error> {
        self.render_observed(document, options, &mut |_| {})
    }

    /// The same, telling of each stage when it is done: for those who want to know where the time goes.
    pub fn render_observed(
        &self,
        document: &Document,
        options: &Options,
        done: &mut dyn FnMut(Stage),
    ) -> Result<(Rendered, Sheets<'_>), Error> {
        options.validate()?;
        let mut prepared = prepare::prepare(document, options, &self.fonts)?;
        done(Stage::Shaped);
        let fitted = layout::fit(&prepared, options)?;
        let mut warnings = std::mem::take(&mut prepared.warnings);
        warnings.extend(fitted.warning);

        let pages = fitted.layout.pages.len();
        let footers = layout::footers(
            &prepared,
            options.theme.spec(),
            pages,
            &fitted.metrics,
            &self.fonts,
        );
        done(Stage::LaidOut);
        let sheets = Sheets {
            fonts: &self.fonts,
            prepared,
            layout: fitted.layout,
            footers,
            metrics: fitted.metrics,
            theme: options.theme.clone(),
        };
        let source = pdf::Source {
            prepared: &sheets.prepared,
            layout: &sheets.layout,
            footers: &sheets.footers,
            metrics: &sheets.metrics,
            fonts: &self.fonts,
            options,
        };
        let pdf = pdf::write(&source, done)?;
        done(Stage::Written);
        let rendered = Rendered {
            pdf,
            pages: pages as u32,
            fit: fitted.shrink.report(),
            report: fitted.report,
            warnings,
        };
        Ok((rendered, sheets))
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
