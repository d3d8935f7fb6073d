//! From styled runs to shaped paragraphs, and from those to lines.

pub(crate) mod breaks;
mod clean;
pub(crate) mod paragraph;
pub(crate) mod shape;

pub(crate) use clean::clean_line;
