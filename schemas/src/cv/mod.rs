//! The canonical CV: its shape, how what callers send becomes it, its limits, and what is said when it does not fit.
//!
//! [`accept`] is the way in: [`normalise`] (aliases, types, text), then [`check`] (required
//! fields, limits). Jobs refuse on errors; a caller who only wants to see a page calls
//! `normalise` and turns the [`Report`] into warnings with [`Report::into_warnings`].
//!
//! Nothing here reads a picture's pixels or fetches an address.

mod canonical;
mod check;
mod code;
mod dates;
mod error;
mod estimate;
mod keys;
mod legacy;
mod limits;
mod normalise;
pub mod path;
pub mod photo;
mod reader;
mod text;
mod types;

pub use canonical::{Section, canonical_json, section_hashes};
pub use check::{CheckOptions, Report, Size, check};
pub use dates::{DateRange, End, Point};
pub use error::CvError;
pub use estimate::{Estimate, estimate};
pub use normalise::{Normalised, normalise, normalise_for_validation};
pub use types::{Cv, Education, Further, Language, Link, Warning, Work};

use serde_json::Value;

/// An invented person's CV with a drawn portrait, within all limits. Deliberately a little untidy
/// (double spaces, typed bullet marks), so that an editor has something to do.
pub const SAMPLE: &str = include_str!("../../samples/cv.json");

/// Normalises and checks, in the contract's order: wrong keys, wrong types, missing fields, limits.
/// The warnings of both steps come with the CV.
pub fn accept(value: &Value, options: &CheckOptions) -> Result<Normalised, CvError> {
    let mut normalised = normalise(value)?;
    let report = check(&normalised.cv, options);
    if report
        .errors
        .iter()
        .any(|error| error.code == code::MISSING)
    {
        return Err(CvError::Missing(Box::new(report)));
    }
    if !report.errors.is_empty() {
        return Err(CvError::OverLimits(Box::new(report)));
    }
    normalised.warnings.extend(report.warnings);
    Ok(normalised)
}
