//! Error bodies of the `/api` routes, in the shapes that their clients already read.

use serde_json::{Value, json};

use super::check::Report;
use super::error::{CvError, advice};
use super::{code, keys};
use crate::FieldError;

/// Pages that a CV may take before the validation route warns.
const USUAL_PAGES: u32 = 2;

const MISSING_GUIDANCE: &str = "Fill in every field that is named, then send the whole CV again.";

impl CvError {
    /// The body for status 400, for every route but `generate-cv-action`.
    pub fn legacy_body(&self) -> Value {
        self.body("CV data validation failed", "validation_errors")
    }

    /// The body for status 400 of `generate-cv-action`, which has its own words for missing fields.
    pub fn legacy_action_body(&self) -> Value {
        self.body("CV data incomplete", "issues")
    }

    fn body(&self, error: &str, list: &str) -> Value {
        let listed = |faults: &[FieldError], guidance: &str| {
            let messages: Vec<_> = faults.iter().map(|fault| fault.message.as_str()).collect();
            json!({ "error": error, list: messages, "guidance": guidance })
        };
        match self {
            Self::Empty => json!({
                "error": "cv_data is required",
                "required_fields": keys::required_names(keys::CV),
                "example_structure": keys::example(),
            }),
            Self::WrongKeys { found, present } => {
                let guidance: Vec<_> = found
                    .iter()
                    .filter_map(|key| Some(format!("{key}: {}", advice(key)?)))
                    .collect();
                json!({
                    "error": "Schema validation failed",
                    "wrong_keys_detected": found,
                    "guidance": guidance.join("; "),
                    "canonical_schema": keys::canonical_schema(),
                    "example": keys::example(),
                    "your_data_keys": present,
                    "action_required": "Move the content of the wrong keys to canonical ones, \
                        remove the wrong keys, then send the whole CV again.",
                })
            }
            Self::WrongTypes(faults) => listed(
                faults,
                "Give every value that is named the JSON type that is expected, then send the \
                    whole CV again.",
            ),
            Self::Missing(report) => {
                let missing: Vec<_> = report
                    .errors
                    .iter()
                    .filter(|e| e.code == code::MISSING)
                    .cloned()
                    .collect();
                listed(&missing, MISSING_GUIDANCE)
            }
            Self::TooLarge(faults) => {
                let report = Report {
                    errors: faults.clone(),
                    ..Report::default()
                };
                json!({ "error": "Validation failed", "validation": report.validation() })
            }
            Self::OverLimits(report) => {
                json!({ "error": "Validation failed", "validation": report.validation() })
            }
        }
    }
}

impl Report {
    /// The `validation` object: `is_valid`, `errors`, `warnings`, estimated pages and height, and
    /// the size of each limited field. The pseudo-field `_total_pages` stands for the layout.
    pub fn validation(&self) -> Value {
        let errors: Vec<_> = self
            .errors
            .iter()
            .map(|e| {
                json!({
                    "field": e.path,
                    "current_value": e.current_value,
                    "limit": e.limit,
                    "excess": e.excess,
                    "message": e.message,
                    "suggestion": e.suggestion,
                })
            })
            .collect();
        let mut warnings: Vec<_> = self
            .warnings
            .iter()
            .map(|w| json!({ "field": w.path, "code": w.code, "message": w.message }))
            .collect();
        let pages = self.estimate.pages;
        if pages > USUAL_PAGES {
            warnings.push(json!({
                "field": "_total_pages",
                "code": code::TOTAL_PAGES,
                "message": format!(
                    "the CV is estimated at {pages} pages; the page count is measured when it is made"
                ),
            }));
        }
        json!({
            "is_valid": self.is_ok(),
            "errors": errors,
            "warnings": warnings,
            "estimated_pages": pages,
            "estimated_height_mm": self.estimate.height_mm,
            "details": self.details,
        })
    }
}
