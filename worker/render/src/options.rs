//! What a caller chooses for one rendering, and what they get back.

use crate::error::{Error, Warning};
use crate::theme::Theme;

/// Choices for one rendering.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Options {
    /// The look.
    pub theme: Theme,
    /// The caller's time, stamped into the document. PDF/A asks for one: without it the file is PDF/UA-1
    /// alone, with it PDF/A-3a too.
    pub created: Option<Created>,
    /// The program that the document says it was made with.
    pub producer: Option<String>,
    /// Files to carry along.
    pub attachments: Vec<Attachment>,
    /// How many pages the document may take.
    pub page_target: Pages,
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

impl Options {
    pub(crate) fn validate(&self) -> Result<(), Error> {
        self.theme.validate()?;
        if let Pages::Fixed(target) = self.page_target
            && !(1..=4).contains(&target)
        {
            return Err(Error::PageTarget(target));
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
