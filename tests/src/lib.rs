//! Whole-system tests: end to end, crashes, golden documents, load. This is their harness: the
//! real programs, started as processes and spoken to over HTTP.

pub mod api;
pub mod backing;
pub mod matrix;
pub mod process;
pub mod sink;
pub mod system;
mod wait;

pub use wait::{PATIENCE, eventually};

use std::path::PathBuf;

use serde_json::Value;

/// The sample CV of the repository.
pub fn sample_cv() -> Value {
    serde_json::from_str(schemas::cv::SAMPLE).expect("the sample CV is JSON")
}

/// The sample CV with another profile, so that its content is shared with no other job.
pub fn unique_cv(number: u64) -> Value {
    let mut cv = sample_cv();
    cv["profile"] = format!("Candidate number {number} plans and runs things.").into();
    cv
}

/// A file of the repository, by its path from the root.
pub fn repository(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .join(path)
}
