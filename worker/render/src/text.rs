//! From styled runs to shaped paragraphs, and from those to lines.

pub(crate) mod bidi;
pub(crate) mod breaks;
pub(crate) mod cache;
mod clean;
mod cluster;
mod itemize;
mod links;
pub(crate) mod paragraph;
pub(crate) mod shape;

pub(crate) use bidi::Direction;
pub(crate) use clean::clean_line;
