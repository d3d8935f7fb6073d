//! Does a text claim only what its source says? Compares CVs value by value, across languages.
//!
//! The CV is the only evidence: [`check`] finds what a rewritten or translated CV claims beyond
//! it, [`restore`] puts the source's wording back, [`check_letter`] does the same for a cover
//! letter, and [`tailoring`] tells which terms of a job posting the CV supports.
//!
//! Pure and deterministic: no clock, no I/O; the lexicons are data files of this crate.

mod align;
mod analysis;
mod check;
mod claims;
mod counts;
mod dates;
mod evidence;
mod fields;
mod letter;
mod lexicon;
mod lists;
mod number;
mod numeral;
mod prose;
mod report;
mod restore;
mod tailoring;
mod text;
mod titles;
mod years;

pub use check::check;
pub use letter::check_letter;
pub use report::{Finding, Languages, Report};
pub use restore::restore;
pub use tailoring::{Tailoring, Term, tailoring};
