//! JSON Resume (schema 1.0.0), in and out.
//!
//! What the schema has no place for goes into further members, which it permits: `dateRange` of an
//! entry (the range as the person wrote it), `basics.birthDate`, `basics.nationality`, `trainings`,
//! `meta.language` and `meta.dataPrivacy`. So what [`write()`] writes, [`read()`] reads back unchanged.

mod dates;
mod read;
mod write;

use schemas::FieldError;
use schemas::cv::CvError;
use serde_json::Value;

pub use read::read;
pub use write::write;

/// Whether a JSON document is a JSON Resume: an object with `basics`, and without the canonical
/// `full_name`.
pub fn is_json_resume(value: &Value) -> bool {
    value.get("basics").is_some_and(Value::is_object) && value.get("full_name").is_none()
}

/// Why a JSON Resume is not taken.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// Not an object with `basics`.
    #[error("this is no JSON Resume: it has no object `basics`")]
    NotAResume,
    /// Values of another JSON type than the schema gives them.
    #[error("{} of the resume's values have the wrong type", .0.len())]
    WrongTypes(Vec<FieldError>),
    /// What it holds is no CV; paths are those of the canonical CV.
    #[error(transparent)]
    Cv(#[from] CvError),
}

#[cfg(test)]
mod tests;
