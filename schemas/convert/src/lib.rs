//! Other forms of a CV, in (DOCX, plain text, JSON Resume, our own PDFs) and out (JSON Resume, HTML, Markdown).
//!
//! Pure functions over bytes and text: no I/O, no clock, no network. Every reader has limits on
//! size, depth, count and time, and says which one was passed.

mod document;
pub mod docx;
mod error;
mod extracted;
pub mod html;
mod interpret;
pub mod json_resume;
mod lexicon;
mod limits;
pub mod markdown;
pub mod pdf;
pub mod text;
mod view;

pub use error::{Error, What};
pub use extracted::{Extracted, Photo, PhotoOmitted, Source, Unplaced};
pub use limits::Limits;
