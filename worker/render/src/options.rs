//! What a caller chooses for one rendering, and what they get back.

use crate::error::{Error, Warning};
use crate::theme::Theme;

/// Ids in [`Options::cut_order`] at most, as there are blocks.
const MAX_CUTS: usize = 20_000;

/// Choices for one rendering.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Options {
    /// The look.
    pub theme: Theme,
    /// The paper, if not the theme's own.
    pub paper: Option<Paper>,
    /// The caller's time, stamped into the document. PDF/A asks for one: without it the file is PDF/UA-1
    /// alone, with it PDF/A-3a too.
    pub created: Option<Created>,
    /// The program that the document says it was made with.
    pub producer: Option<String>,
    /// Files to carry along.
    pub attachments: Vec<Attachment>,
    /// How many pages the document may take.
    pub page_target: Pages,
    /// Ids of list items and entries that may be left out, in this order, if nothing else makes the document
    /// fit its page target. As few as possible are; if even all of them are not enough, none is.
    pub cut_order: Vec<String>,
}

/// A usual sheet of paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paper {
    /// 210 by 297 mm.
    A4,
    /// 8.5 by 11 inches.
    Letter,
}

impl Paper {
    /// Width and height in mm.
    pub(crate) fn millimetres(self) -> (f32, f32) {
        match self {
            Self::A4 => (210.0, 297.0),
            Self::Letter => (215.9, 279.4),
        }
    }
}

/// A time in UTC, to the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Created {
    /// The year, as in 2026.
    pub year: u16,
    /// From 1 to 12.
    pub month: u8,
    /// From 1 to 31.
    pub day: u8,
    /// From 0 to 23.
    pub hour: u8,
    /// From 0 to 59.
    pub minute: u8,
    /// From 0 to 59.
    pub second: u8,
}

/// A file within the PDF (PDF/A-3, ISO 19005-3, 6.8), as the source that the document was made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Its name, unique within the document, such as `cv.json`.
    pub name: String,
    /// Its media type, such as `application/json`.
    pub mime: String,
    /// What it is, for people.
    pub description: String,
    /// Its bytes.
    pub data: Vec<u8>,
}

/// A limit on the number of pages. With or without one, a last page with next to nothing on it is taken in if
/// smaller gaps are enough for that.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Pages {
    /// At most this many, from 1 to 4: gaps shrink first, then the text, within the theme's bounds. What
    /// still does not fit stands at its natural size, with a warning.
    Fixed(u8),
    /// As many as the text takes.
    #[default]
    Auto,
}

/// A finished document.
#[derive(Debug, Clone, PartialEq)]
pub struct Rendered {
    /// The PDF file.
    pub pdf: Vec<u8>,
    /// How many pages it has.
    pub pages: u32,
    /// How far it was shrunk to meet the page target.
    pub fit: Fit,
    /// How it came to its pages.
    pub report: Report,
    /// What is not as asked.
    pub warnings: Vec<Warning>,
}

/// How far a document was shrunk to meet its page target.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fit {
    /// The factor on all vertical gaps; 1 is the theme's own.
    pub spacing: f32,
    /// The size of running text, in pt.
    pub text: f32,
}

/// How a document came to its pages.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Report {
    /// What is free at the foot of the last page, in mm.
    pub free_mm: f32,
    /// Where pages end.
    pub breaks: Vec<PageBreak>,
    /// What was done to meet the page target, in order; nothing if it was met as it came.
    pub steps: Vec<FitStep>,
    /// What is too much for the page target, if it was not met.
    pub over: Option<Over>,
}

/// A place where the text goes on on the next page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageBreak {
    /// The page that begins there, from 2.
    pub page: u32,
    /// The role of the section that the page begins with, empty outside of sections.
    pub role: String,
    /// The id of the entry or list item that it begins with, if it has one.
    pub id: Option<String>,
    /// Whether that section began on an earlier page.
    pub within: bool,
    /// Whether the text is that of the sidebar.
    pub sidebar: bool,
}

/// Something done to meet a page target.
#[derive(Debug, Clone, PartialEq)]
pub enum FitStep {
    /// All vertical gaps were multiplied.
    Spacing(f32),
    /// The line height was reduced to this multiple of the text size.
    LineHeight(f32),
    /// Running text was reduced to this size in pt, and all else with it.
    Text(f32),
    /// The item or entry of this id was left out, as the caller allows.
    Cut(String),
}

/// What is too much for a page target at the theme's tightest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Over {
    /// Of the column that is too long, in mm.
    pub millimetres: f32,
    /// About so many characters, at the mean number of them in that column.
    pub characters: u32,
}

impl Options {
    pub(crate) fn validate(&self) -> Result<(), Error> {
        if let Pages::Fixed(target) = self.page_target
            && !(1..=4).contains(&target)
        {
            return Err(Error::PageTarget(target));
        }
        if let Some(paper) = self.paper {
            self.theme.check_paper(paper)?;
        }
        if self.cut_order.len() > MAX_CUTS {
            return Err(Error::TooManyBlocks { limit: MAX_CUTS });
        }
        for (index, attachment) in self.attachments.iter().enumerate() {
            let fault = |fault| Err(Error::Attachment { index, fault });
            let name = attachment.name.as_str();
            if name.is_empty()
                || name.len() > 200
                || name.contains(['/', '\\'])
                || name.contains(char::is_control)
            {
                return fault("its name must have 1 to 200 characters, without slashes");
            }
            if self.attachments[..index]
                .iter()
                .any(|other| other.name == name)
            {
                return fault("its name is taken by another attachment");
            }
            if attachment.description.is_empty() || attachment.description.len() > 1000 {
                return fault("its description must have 1 to 1000 characters");
            }
            if attachment.mime.len() > 100
                || krilla::embed::MimeType::new(&attachment.mime).is_none()
            {
                return fault("its media type is not of the form `type/subtype`");
            }
        }
        Ok(())
    }
}
