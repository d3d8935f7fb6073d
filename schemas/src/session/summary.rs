//! What a session comes to in a few words: which fields have content, and how much there is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Session;
use crate::cv::Cv;

/// The top-level fields of a CV that a summary names, in the order of the contract.
const FIELDS: [&str; 19] = [
    "full_name",
    "email",
    "phone",
    "address_lines",
    "birth_date",
    "nationality",
    "profile",
    "work_experience",
    "education",
    "further_experience",
    "languages",
    "it_ai_skills",
    "certifications",
    "trainings",
    "publications",
    "interests",
    "references",
    "data_privacy",
    "links",
];

/// Which fields have content; what was read and is not confirmed counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CvSummary {
    /// Whether there is a photo.
    pub has_photo: bool,
    /// Fields with content.
    pub fields_populated: Vec<String>,
    /// Fields without.
    pub fields_empty: Vec<String>,
}

/// A few counts by which a client sees whether it has the newest content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ContentSignature {
    /// Jobs.
    pub work_exp_count: usize,
    /// Schools and degrees.
    pub education_count: usize,
    /// Characters of the profile.
    pub profile_length: usize,
    /// Skills.
    pub skills_count: usize,
}

/// The summary of a session.
pub fn cv_summary(session: &Session) -> CvSummary {
    let value = serde_json::to_value(session.effective()).unwrap_or_default();
    let has_content = |name: &&str| match &value[*name] {
        Value::Null => false,
        Value::String(text) => !text.trim().is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => true,
    };
    let (populated, empty): (Vec<_>, Vec<_>) = FIELDS.iter().partition(|name| has_content(name));
    let owned = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect();
    CvSummary {
        has_photo: session.photo.is_some(),
        fields_populated: owned(populated),
        fields_empty: owned(empty),
    }
}

/// The counts of a CV.
pub fn content_signature(cv: &Cv) -> ContentSignature {
    ContentSignature {
        work_exp_count: cv.work_experience.len(),
        education_count: cv.education.len(),
        profile_length: cv.profile.as_deref().map_or(0, |text| text.chars().count()),
        skills_count: cv.it_ai_skills.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_either_populated_or_empty() {
        let mut session = Session::new();
        session.cv.full_name = "Ida Morrow".to_owned();
        session.prefill = Some(Box::new(Cv {
            it_ai_skills: vec!["Rust".to_owned()],
            ..Cv::default()
        }));
        let summary = cv_summary(&session);
        assert_eq!(summary.fields_populated, ["full_name", "it_ai_skills"]);
        assert_eq!(summary.fields_empty.len(), FIELDS.len() - 2);
        assert!(!summary.has_photo);
    }
}
