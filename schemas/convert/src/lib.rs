//! Other forms of a CV, in (DOCX, plain text, JSON Resume, our own PDFs) and out (JSON Resume, HTML, Markdown).
//!
//! Pure functions over bytes and text: no I/O, no clock, no network. Every reader has limits on
//! size, depth, count and time, and says which one was passed.

pub mod html;
pub mod json_resume;
pub mod markdown;
pub mod pdf;
mod view;
