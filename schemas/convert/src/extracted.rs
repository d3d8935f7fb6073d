//! What comes out of a document: the CV, and an account of how it was read.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use schemas::cv::{Cv, Warning};
use serde::Serialize;

/// A CV read from a document.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Extracted {
    /// The CV. Fields that the document does not have are empty; the photo is not in it yet, see
    /// [`with_photo`](Self::with_photo).
    pub cv: Cv,
    /// The portrait.
    #[serde(skip)]
    pub photo: Option<Photo>,
    /// Why there is no photo although the document holds a picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub photo_omitted: Option<PhotoOmitted>,
    /// The language that the CV is written in (BCP 47).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Where each value comes from, in the order of the document.
    pub sources: Vec<Source>,
    /// Text that has no place in the CV, in the order of the document. Nothing is dropped.
    pub unplaced: Vec<Unplaced>,
    /// What the caller should look at. Never holds text of the CV.
    pub warnings: Vec<Warning>,
}

impl Extracted {
    /// The CV with the photo in it, as a data URI.
    pub fn with_photo(&self) -> Cv {
        let mut cv = self.cv.clone();
        if let Some(photo) = &self.photo {
            cv.photo_url = Some(photo.data_uri());
        }
        cv
    }
}

/// A picture file.
#[derive(Clone, PartialEq, Eq)]
pub struct Photo {
    /// `image/jpeg` or `image/png`, by the file's first bytes.
    pub mime: String,
    /// The file as it is in the document.
    pub data: Vec<u8>,
}

impl fmt::Debug for Photo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Photo({}, {} bytes)", self.mime, self.data.len())
    }
}

impl Photo {
    /// As a data URI (RFC 2397).
    pub fn data_uri(&self) -> String {
        format!("data:{};base64,{}", self.mime, STANDARD.encode(&self.data))
    }
}

/// Why a picture was not taken as the photo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PhotoOmitted {
    /// It is only linked to; nothing is ever fetched.
    External,
    /// Its file has too many bytes.
    TooManyBytes,
    /// It has too many pixels.
    TooManyPixels,
    /// Neither JPEG nor PNG.
    Format,
    /// Its size or shape is that of a logo or an icon.
    NotAPortrait,
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Source {
    /// The field, such as `work_experience[0].employer`.
    pub path: String,
    /// The place in the document, such as `body, paragraph 12`.
    pub origin: String,
    /// How sure the reader is, from 0 to 1: 0.9 and above where the document says it in so many
    /// words, below 0.6 where it is a guess.
    pub confidence: f32,
}

/// Text that has no place in the CV.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Unplaced {
    /// The text.
    pub text: String,
    /// The place in the document, such as `header, paragraph 1`.
    pub origin: String,
}

impl fmt::Debug for Unplaced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unplaced({}, {} bytes)", self.origin, self.text.len())
    }
}
