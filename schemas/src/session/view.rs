//! The public shape of a session under `/v1`: what a caller sends, and what a caller reads back.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::wire::Confirm;
use super::{Edit, Readiness, SessionId};
use crate::cv::Cv;

/// `POST /v1/sessions`: from what, and for what. Exactly one of `cv` and `docx_base64`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("oneOf" = json!([
    { "required": ["cv"], "properties": { "cv": { "type": "object" } } },
    { "required": ["docx_base64"], "properties": { "docx_base64": { "type": "string" } } },
])))]
pub struct NewSession {
    /// A CV, complete or not; in the form of `Cv`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Map<String, Value>>")]
    pub cv: Option<Value>,
    /// A DOCX file in base64: the CV that it holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub docx_base64: Option<String>,
    /// The language that documents are to be made in, as a tag such as `de`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The job posting that the CV is for, as plain text.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 20_000))]
    pub job_posting: Option<String>,
}

/// `PATCH /v1/sessions/{id}`: what to change; all of it or nothing.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SessionPatch {
    /// Single fields by their paths, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    pub edits: Vec<Edit>,
    /// Whole top-level fields of the CV by name.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub cv: Map<String, Value>,
    /// What the person has confirmed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirm: Option<Confirm>,
}

/// A session as its owner sees it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct SessionView {
    /// The session's id.
    pub id: SessionId,
    /// Counts the changes; the entity tag is this number in quotes.
    pub version: u64,
    /// The CV as far as it is, in the form of `Cv`. Fields may be empty or absent.
    #[schemars(with = "Map<String, Value>")]
    pub cv: Cv,
    /// What was read from an uploaded document and is not confirmed yet; in the same form.
    #[schemars(with = "Option<Map<String, Value>>")]
    pub unconfirmed: Option<Box<Cv>>,
    /// Texts of the document that fit no field.
    pub unplaced: Vec<String>,
    /// The language that documents are made in; by default the CV's own.
    pub language: Option<String>,
    /// The job posting.
    pub job_posting: Option<String>,
    /// Whether there is a photo. It is stored apart, and set into every document.
    pub has_photo: bool,
    /// Whether a document can be made, and what is missing.
    pub readiness: Readiness,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// When it is removed, unless it is changed before.
    pub expires_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_refuse_the_unknown() {
        assert!(serde_json::from_value::<NewSession>(json!({ "cvs": {} })).is_err());
        assert!(serde_json::from_value::<SessionPatch>(json!({ "edit": [] })).is_err());
        let patch: SessionPatch = serde_json::from_value(json!({})).unwrap();
        assert!(patch.edits.is_empty() && patch.cv.is_empty() && patch.confirm.is_none());
    }
}
