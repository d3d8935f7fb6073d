//! What a caller reads back: a job's state, and what it made.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::JobKind;
use crate::cv::Warning;
use crate::{JobId, Problem, Usd};

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
    /// Why it is not begun yet, where something other than its turn holds it up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<Waiting>,
    /// Before this it is not begun, where its request said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
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
    /// The name as JSON has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
            Self::OutcomeUnknown => "outcome_unknown",
        }
    }

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

/// What holds up a job that is `queued`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Waiting {
    /// What it waits for.
    pub reason: WaitReason,
    /// When that ends by itself; it may end earlier.
    pub until: Timestamp,
}

/// Why a job waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WaitReason {
    /// The service has spent what it may spend on model calls this day (UTC).
    DailyBudget,
    /// The tenant has spent what it may spend on model calls this day (UTC).
    TenantDailyBudget,
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
    /// What they cost by the configured price of the model, in US dollars; absent where its price
    /// is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<Usd>,
}

/// What a job made: its main PDF, and all that stands beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct JobResult {
    /// Number of pages of the main PDF.
    pub pages: u32,
    /// Size of the main PDF.
    pub size_bytes: u64,
    /// SHA-256 of the main PDF, 64 hexadecimal digits.
    pub sha256: String,
    /// The name to save the main PDF under.
    pub file_name: String,
    /// Every document, the main PDF first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub documents: Vec<JobDocument>,
}

/// One document of a result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct JobDocument {
    /// What it is.
    pub name: DocumentName,
    /// Where to fetch it; relative to the server.
    pub link: String,
    /// Its media type.
    pub media_type: String,
    /// The name to save it under.
    pub file_name: String,
    /// Its size.
    pub size_bytes: u64,
    /// SHA-256, 64 hexadecimal digits.
    pub sha256: String,
    /// Number of pages of a PDF.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pages: Option<u32>,
}

/// The documents of a result, by what they are.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    JsonSchema,
)]
pub enum DocumentName {
    /// The CV as a PDF.
    #[default]
    #[serde(rename = "cv")]
    Cv,
    /// The cover letter as a PDF.
    #[serde(rename = "cover-letter")]
    CoverLetter,
    /// The canonical CV as it was set, without photo.
    #[serde(rename = "cv.json")]
    CvJson,
    /// The same as JSON Resume.
    #[serde(rename = "resume.json")]
    ResumeJson,
    /// What was done to the text and the layout.
    #[serde(rename = "report")]
    Report,
    /// A picture of the first page.
    #[serde(rename = "page-1.png")]
    FirstPage,
}

impl DocumentName {
    /// All names.
    pub const ALL: [Self; 6] = [
        Self::Cv,
        Self::CoverLetter,
        Self::CvJson,
        Self::ResumeJson,
        Self::Report,
        Self::FirstPage,
    ];

    /// The name as paths and JSON have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cv => "cv",
            Self::CoverLetter => "cover-letter",
            Self::CvJson => "cv.json",
            Self::ResumeJson => "resume.json",
            Self::Report => "report",
            Self::FirstPage => "page-1.png",
        }
    }

    /// The document of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|document| document.as_str() == name)
    }

    /// Its media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Cv | Self::CoverLetter => "application/pdf",
            Self::CvJson | Self::ResumeJson | Self::Report => "application/json",
            Self::FirstPage => "image/png",
        }
    }
}

/// Where to go from a job; paths relative to the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Links {
    /// The job itself.
    #[serde(rename = "self")]
    pub this: String,
    /// The document; answers 409 until the job has one.
    pub result: String,
    /// The job's changes as they happen (server-sent events).
    pub events: String,
}

impl Links {
    /// The links of a job.
    pub fn of(id: JobId) -> Self {
        Self {
            this: format!("/v1/jobs/{id}"),
            result: format!("/v1/jobs/{id}/result"),
            events: format!("/v1/jobs/{id}/events"),
        }
    }

    /// Where one document of a job is fetched.
    pub fn document(id: JobId, name: DocumentName) -> String {
        format!("/v1/jobs/{id}/result/{}", name.as_str())
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
