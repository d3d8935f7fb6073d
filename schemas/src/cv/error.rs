//! Why a CV is not taken, fault by fault.

use super::check::Report;
use super::{code, keys};
use crate::FieldError;

/// Why a CV is refused. The variants stand in the order in which they are looked for.
///
/// `Display` says how many faults there are; [`CvError::problems`] names each.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CvError {
    /// `null` or an empty object.
    #[error("there is no CV: cv_data is required")]
    Empty,
    /// More nesting, values, text or items than any CV has.
    #[error("the CV is larger than is read")]
    TooLarge(Vec<FieldError>),
    /// Keys of another system at the top level.
    #[error("{} of the CV's keys are not canonical: {}", found.len(), found.join(", "))]
    WrongKeys {
        /// The wrong keys.
        found: Vec<&'static str>,
        /// All keys that the caller sent, sorted, cut to a size that can be shown.
        present: Vec<String>,
    },
    /// Values of another JSON type than the field has.
    #[error("{} of the CV's values have the wrong type", .0.len())]
    WrongTypes(Vec<FieldError>),
    /// Required fields are missing or blank. The report also holds the faults of the other kind.
    #[error("required fields of the CV are missing")]
    Missing(Box<Report>),
    /// Texts over 200 % of their limits, and values that cannot be used (photo, language).
    #[error("the CV passes its limits, or holds values that cannot be used")]
    OverLimits(Box<Report>),
}

impl CvError {
    /// Each fault with its path within the CV. Holds names and sizes, never text of the CV.
    pub fn problems(&self) -> Vec<FieldError> {
        match self {
            Self::Empty => keys::required_names(keys::CV)
                .into_iter()
                .map(|name| missing(name, ""))
                .collect(),
            Self::TooLarge(faults) | Self::WrongTypes(faults) => faults.clone(),
            Self::WrongKeys { found, .. } => found
                .iter()
                .map(|key| FieldError {
                    suggestion: advice(key).map(str::to_owned),
                    ..fault(
                        *key,
                        code::WRONG_KEY,
                        format!("{key} is not a key of the canonical CV"),
                    )
                })
                .collect(),
            Self::Missing(report) | Self::OverLimits(report) => report.errors.clone(),
        }
    }
}

/// Where the content of a wrong key belongs.
pub(super) fn advice(key: &str) -> Option<&'static str> {
    keys::WRONG
        .iter()
        .find(|(wrong, _)| *wrong == key)
        .map(|(_, advice)| *advice)
}

/// A fault without sizes.
pub(super) fn fault(path: impl Into<String>, code: &str, message: impl Into<String>) -> FieldError {
    FieldError {
        path: path.into(),
        code: code.to_owned(),
        message: message.into(),
        ..FieldError::default()
    }
}

/// A required field that is not there; `more` is what else to say of it.
pub(super) fn missing(path: impl Into<String>, more: &str) -> FieldError {
    let path = path.into();
    let message = format!("{path} is required{more}");
    fault(path, code::MISSING, message)
}

/// A size beyond its limit, counted in `unit`.
pub(super) fn excess(
    path: impl Into<String>,
    code: &str,
    size: usize,
    limit: usize,
    unit: &str,
) -> FieldError {
    let path = path.into();
    let name = if path.is_empty() { "the CV" } else { &path };
    let message = format!("{name} has {size} {unit}, the limit is {limit}");
    FieldError {
        current_value: Some(size as u64),
        limit: Some(limit as u64),
        excess: Some(size.saturating_sub(limit) as u64),
        ..fault(path, code, message)
    }
}

/// A list that tells its first items and counts the rest, so that no input makes an answer long.
#[derive(Clone, Debug)]
pub(super) struct Told<T> {
    items: Vec<T>,
    more: usize,
}

impl<T> Default for Told<T> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            more: 0,
        }
    }
}

impl<T> Told<T> {
    pub(super) fn push(&mut self, item: T) {
        if self.items.len() < super::limits::TOLD {
            self.items.push(item);
        } else {
            self.more += 1;
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The items, and `last(n)` where `n` more were only counted.
    pub(super) fn finish(mut self, last: impl FnOnce(usize) -> T) -> Vec<T> {
        if self.more > 0 {
            self.items.push(last(self.more));
        }
        self.items
    }
}

/// The last item of a list of faults that goes on.
pub(super) fn more_faults(count: usize) -> FieldError {
    fault("", code::MORE, format!("and {count} more"))
}
