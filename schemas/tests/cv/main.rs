//! The CV contract, through the crate's public functions.

#![allow(clippy::unwrap_used, reason = "helpers of tests are not seen as tests")]

mod corpus;
mod forms;
mod hostile;
mod limits;
mod properties;

use schemas::cv::{Cv, CvError, Normalised, normalise};
use serde_json::{Value, json};

/// A complete CV with `patch` put over its top level.
fn complete(patch: Value) -> Value {
    let mut value = json!({
        "full_name": "Ida Morrow",
        "email": "ida.morrow@example.com",
        "phone": "+44 1632 960 001",
        "work_experience": [
            { "date_range": "2020-01 – 2024-06", "employer": "Norden Freight Ltd", "title": "Dispatcher" },
        ],
        "education": [
            { "date_range": "2015 – 2018", "institution": "Harbour College", "title": "Diploma" },
        ],
    });
    merge(&mut value, patch);
    value
}

fn merge(value: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else { return };
    for (key, inner) in patch {
        value[key] = inner;
    }
}

/// A complete CV with `patch` put over its only job.
fn job(patch: Value) -> Value {
    let mut value = complete(json!({}));
    merge(&mut value["work_experience"][0], patch);
    value
}

/// A complete CV with `patch` put over its only school.
fn school(patch: Value) -> Value {
    let mut value = complete(json!({}));
    merge(&mut value["education"][0], patch);
    value
}

fn cv(value: &Value) -> Cv {
    normalise(value)
        .unwrap_or_else(|e| panic!("{e}: {:?}", e.problems()))
        .cv
}

fn codes(normalised: &Normalised) -> Vec<(&str, &str)> {
    normalised
        .warnings
        .iter()
        .map(|w| (w.path.as_str(), w.code.as_str()))
        .collect()
}

fn faults(error: &CvError) -> Vec<(String, String)> {
    error
        .problems()
        .into_iter()
        .map(|fault| (fault.path, fault.code))
        .collect()
}
