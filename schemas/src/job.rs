//! The public shape of a job: what a caller sends, and what a caller reads back.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cv::{Cv, Warning};
use crate::{FieldError, JobId, Problem};

/// `POST /v1/jobs`: what to make, from what, and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JobRequest {
    /// What to make.
    pub kind: JobKind,
    /// From what.
    pub input: Input,
    /// How.
    #[serde(default)]
    pub options: Options,
    /// The caller's own labels, returned with the job: at most 16 entries, names of at most 64
    /// characters, values of at most 256.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
}

/// The kinds of jobs. Each has one file in `worker/src/jobs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum JobKind {
    /// A CV as a PDF.
    Cv,
}

/// What a job is made from: exactly one of these.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// A CV as JSON: canonical, or in one of the forms that normalisation takes.
    #[schemars(with = "Cv")]
    Cv(serde_json::Value),
}

/// How a job is done. Every field has a default.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// The language of the document; by default the CV's own, else English.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// The look of the document.
    pub theme: ThemeName,
    /// How many pages the document may take.
    pub pages: Pages,
    /// The job posting that the CV is for, as plain text of at most 20,000 characters. It steers
    /// order and emphasis; it never adds a fact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_posting: Option<String>,
    /// What to do when the model gives no usable reply.
    pub on_model_failure: OnModelFailure,
    /// Make it anew even where a job of equal content has its PDF already.
    pub force: bool,
}

/// Languages that documents can be set in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// English.
    En,
    /// German.
    De,
    /// Polish.
    Pl,
}

impl Language {
    /// The BCP 47 tag.
    pub fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::De => "de",
            Self::Pl => "pl",
        }
    }

    /// The language of a tag such as `de` or `de-CH`; `None` where it is not set here.
    pub fn from_tag(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_']).next().unwrap_or(tag);
        [Self::En, Self::De, Self::Pl]
            .into_iter()
            .find(|language| primary.eq_ignore_ascii_case(language.tag()))
    }
}

/// Themes by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ThemeName {
    /// A4, dates in a column of their own, blue section titles.
    #[default]
    Zurich,
}

/// How many pages a document may take: 1 to 4, or `"auto"` for as many as it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "PagesForm", into = "PagesForm")]
#[schemars(with = "PagesForm")]
pub enum Pages {
    /// At most this many, reached by tightening space and size; text is never cut.
    AtMost(u8),
    /// As many as the content needs.
    Auto,
}

impl Default for Pages {
    fn default() -> Self {
        Self::AtMost(2)
    }
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected 1, 2, 3, 4 or \"auto\"")]
enum PagesForm {
    /// A number of pages.
    Number(#[schemars(range(min = 1, max = 4))] u8),
    /// As many as needed.
    Word(PagesWord),
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum PagesWord {
    Auto,
}

impl TryFrom<PagesForm> for Pages {
    type Error = &'static str;

    fn try_from(form: PagesForm) -> Result<Self, Self::Error> {
        match form {
            PagesForm::Word(PagesWord::Auto) => Ok(Self::Auto),
            PagesForm::Number(n @ 1..=4) => Ok(Self::AtMost(n)),
            PagesForm::Number(_) => Err("pages must be 1, 2, 3, 4 or \"auto\""),
        }
    }
}

impl From<Pages> for PagesForm {
    fn from(pages: Pages) -> Self {
        match pages {
            Pages::Auto => Self::Word(PagesWord::Auto),
            Pages::AtMost(n) => Self::Number(n),
        }
    }
}

/// What to do when the model refuses, breaks off or replies out of shape.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnModelFailure {
    /// The job fails and says why.
    #[default]
    Fail,
    /// The caller's own text is rendered, with a warning.
    RenderUnpolished,
}

/// What is stored of a request until its job is done: canonical, checked, complete.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct JobInput {
    /// What to make.
    pub kind: JobKind,
    /// The canonical CV.
    pub cv: Cv,
    /// How.
    pub options: Options,
}

/// A job as its owner sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct JobStatus {
    /// The job's id.
    pub id: JobId,
    /// What it makes.
    pub kind: JobKind,
    /// Where it stands.
    pub state: State,
    /// What it is at, while it is running.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// How far it is, in per cent: an estimate by phase, never going back.
    pub progress: u8,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Timestamp>,
    /// Who edits the text: a model, or the offline editor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub editor: Option<Editor>,
    /// Model calls that this job has paid for, or may have paid for.
    pub model_calls: u32,
    /// Tokens of the model call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// The PDF was made by an earlier job of equal content.
    pub cached: bool,
    /// What the caller should know about the result.
    pub warnings: Vec<Warning>,
    /// Why the job failed, or why it is held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Problem>,
    /// The document, once there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<JobResult>,
    /// The caller's own labels.
    pub metadata: BTreeMap<String, String>,
    /// Where to go from here; relative to the server.
    pub links: Links,
}

/// A job's public state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Accepted, not begun.
    Queued,
    /// Begun; `phase` says what it is at.
    Running,
    /// The document is there.
    Succeeded,
    /// It ended without a document; `error` says why.
    Failed,
    /// The caller stopped it.
    Cancelled,
    /// It was not begun in time.
    Expired,
    /// The model call went out and its outcome is unknown; it is not repeated without consent.
    OutcomeUnknown,
}

impl State {
    /// Nothing more happens by itself.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Queued | Self::Running)
    }
}

/// What a running job is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// The model is at work.
    Calling,
    /// The document is being set.
    Rendering,
}

/// Who edits the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Editor {
    /// A language model.
    Model,
    /// Deterministic tidying of the caller's own text; no model.
    Offline,
}

/// Tokens of a model call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Usage {
    /// The model that replied, as it named itself.
    pub model: String,
    /// Tokens sent.
    pub input_tokens: u64,
    /// Tokens sent that the provider had cached.
    pub cached_input_tokens: u64,
    /// Tokens received.
    pub output_tokens: u64,
}

/// A finished document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct JobResult {
    /// Number of pages.
    pub pages: u32,
    /// Size of the PDF.
    pub size_bytes: u64,
    /// SHA-256 of the PDF, 64 hexadecimal digits.
    pub sha256: String,
    /// The name to save it under.
    pub file_name: String,
}

/// Where to go from a job; paths relative to the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Links {
    /// The job itself.
    #[serde(rename = "self")]
    pub this: String,
    /// The document; answers 409 until the job has one.
    pub result: String,
}

impl Links {
    /// The links of a job.
    pub fn of(id: JobId) -> Self {
        Self {
            this: format!("/v1/jobs/{id}"),
            result: format!("/v1/jobs/{id}/result"),
        }
    }
}

/// `GET /v1/jobs`: newest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct JobPage {
    /// The jobs of this page.
    pub jobs: Vec<JobStatus>,
    /// Give this as `cursor` for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

impl JobRequest {
    /// Limits that the types cannot say. The CV itself is checked by [`crate::cv`].
    pub fn faults(&self) -> Vec<FieldError> {
        let mut faults = Vec::new();
        let mut over = |path: String, size: usize, limit: usize, unit: &str| {
            if size > limit {
                faults.push(FieldError {
                    message: format!("{path} has {size} {unit}, at most {limit} are taken"),
                    path,
                    code: "too_long".to_owned(),
                    current_value: Some(size as u64),
                    limit: Some(limit as u64),
                    excess: Some((size - limit) as u64),
                    suggestion: None,
                });
            }
        };
        let chars = |text: &str| text.chars().count();
        if let Some(posting) = &self.options.job_posting {
            over(
                "options.job_posting".to_owned(),
                chars(posting),
                20_000,
                "characters",
            );
        }
        over("metadata".to_owned(), self.metadata.len(), 16, "entries");
        for (name, value) in self.metadata.iter().take(16) {
            over("metadata names".to_owned(), chars(name), 64, "characters");
            over(format!("metadata.{name}"), chars(value), 256, "characters");
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(json: &str) -> Result<Options, String> {
        serde_json::from_str(json).map_err(|e| e.to_string())
    }

    #[test]
    fn options_have_defaults_and_refuse_the_unknown() {
        assert_eq!(options("{}"), Ok(Options::default()));
        assert_eq!(options(r#"{"pages":"auto"}"#).unwrap().pages, Pages::Auto);
        assert_eq!(options(r#"{"pages":1}"#).unwrap().pages, Pages::AtMost(1));
        for wrong in [
            r#"{"pages":0}"#,
            r#"{"pages":5}"#,
            r#"{"page":1}"#,
            r#"{"theme":"comic"}"#,
        ] {
            assert!(options(wrong).is_err(), "{wrong}");
        }
        let both = serde_json::to_string(&Options::default()).unwrap();
        assert_eq!(options(&both), Ok(Options::default()));
    }

    #[test]
    fn limits_name_the_field_and_the_excess() {
        let mut request: JobRequest =
            serde_json::from_str(r#"{"kind":"cv","input":{"cv":{}}}"#).unwrap();
        assert_eq!(request.faults(), vec![]);
        request.options.job_posting = Some("ü".repeat(20_001));
        request
            .metadata
            .insert("ticket".to_owned(), "x".repeat(257));
        let faults = request.faults();
        assert_eq!(faults[0].path, "options.job_posting");
        assert_eq!(faults[0].excess, Some(1));
        assert_eq!(faults[1].path, "metadata.ticket");
    }

    #[test]
    fn languages_are_found_by_their_primary_tag() {
        assert_eq!(Language::from_tag("de-CH"), Some(Language::De));
        assert_eq!(Language::from_tag("PL"), Some(Language::Pl));
        assert_eq!(Language::from_tag("xx"), None);
    }
}
