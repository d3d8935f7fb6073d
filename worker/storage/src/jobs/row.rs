//! The row of a job, and the small rows that stand beside it in its tenant's partition.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use schemas::cv::Warning;
use schemas::job::{
    Editor, JobKind, JobResult, JobStatus, Links, OnModelFailure, Phase, State, Usage, Waiting,
};
use schemas::{JobId, Problem, Tenant};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::NewerRow;
use super::ledger::CallBegun;
use crate::port::{Properties, StorageError};

/// The version of [`JobRow`]. A worker leaves rows of a later version alone.
pub const SCHEMA: u32 = 1;

/// Where a job stands, as the engine sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowState {
    /// Not begun, or rolled back because the model did not process the request.
    Queued,
    /// Latched: a call may be out until the deadline.
    Calling,
    /// A reply is stored.
    Rendering,
    /// The PDF is stored.
    Succeeded,
    /// Ended without a PDF.
    Failed,
    /// Stopped by its owner.
    Cancelled,
    /// Not begun in time.
    Expired,
    /// A call went out, and what became of it is unknown. Held: no further call without consent.
    OutcomeUnknown,
}

impl RowState {
    /// Nothing more happens by itself, but for a late reply to a held job.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Queued | Self::Calling | Self::Rendering)
    }
}

/// Ownership of one call: 128 random bits, drawn anew for each try to latch.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Token(pub [u8; 16]);

impl From<Token> for String {
    fn from(token: Token) -> Self {
        format!("{:032x}", u128::from_be_bytes(token.0))
    }
}

impl TryFrom<String> for Token {
    type Error = std::num::ParseIntError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        u128::from_str_radix(&text, 16).map(|n| Self(n.to_be_bytes()))
    }
}

impl fmt::Debug for Token {
    /// The first 32 bits are enough to tell two attempts apart in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({}..)", &String::from(*self)[..8])
    }
}

/// A job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JobRow {
    /// See [`SCHEMA`].
    pub schema: u32,
    /// The job's id.
    pub id: JobId,
    /// Its owner.
    pub tenant: Tenant,
    /// What it makes.
    pub kind: JobKind,
    /// Where it stands.
    pub state: RowState,
    /// Counts the changes of state; the client's view changes with it.
    pub version: u32,
    /// The version that notifications have been sent for.
    pub notified_version: u32,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// When its state last changed.
    pub updated_at: Timestamp,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Timestamp>,
    /// Calls begun, whatever became of them.
    pub attempt: u32,
    /// Who owns the call; set while `calling`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Token>,
    /// By the table's clock: after this no call of the present token can still be out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call_deadline: Option<Timestamp>,
    /// Calls whose outcome could not be known.
    pub ambiguous_attempts: u32,
    /// The provider's id of the reply, where it gave one before the reply was there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_id: Option<String>,
    /// Hash of all that decides the PDF; set at the latch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_hash: Option<String>,
    /// The owner wants it made anew, whatever is there.
    pub force: bool,
    /// What to do when the model gives no usable reply.
    pub on_model_failure: OnModelFailure,
    /// The owner asked to stop while the call was out.
    pub cancel_requested: bool,
    /// Who edits the text; set at the latch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub editor: Option<Editor>,
    /// Calls that were paid for, or may have been.
    pub model_calls: u32,
    /// A call was repeated after one of unknown outcome.
    pub possible_duplicate_call: bool,
    /// How often the owner agreed to pay again after a call of unknown outcome.
    #[serde(default)]
    pub consents: u32,
    /// When its owner's consent or an operator's requeue last opened it again, by the table's clock.
    // The column keeps the name that workers of before read.
    #[serde(
        default,
        rename = "consented_at",
        skip_serializing_if = "Option::is_none"
    )]
    pub reopened_at: Option<Timestamp>,
    /// What is known of the last call that was begun.
    #[serde(default, with = "json_text", skip_serializing_if = "Option::is_none")]
    pub call: Option<CallBegun>,
    /// What holds up a job that is `queued`.
    #[serde(default, with = "json_text", skip_serializing_if = "Option::is_none")]
    pub waiting: Option<Waiting>,
    /// Held after a restore, until an operator decides.
    #[serde(default)]
    pub restored: bool,
    /// The job whose PDF was copied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cached_from: Option<JobId>,
    /// Tokens of the call.
    #[serde(default, with = "json_text", skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// What the owner should know about the result.
    #[serde(default, with = "json_text", skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
    /// Why it failed or is held.
    #[serde(default, with = "json_text", skip_serializing_if = "Option::is_none")]
    pub error: Option<Problem>,
    /// The finished document.
    #[serde(default, with = "json_text", skip_serializing_if = "Option::is_none")]
    pub result: Option<JobResult>,
    /// Where the document is, in container `cv-pdfs`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result_path: Option<String>,
    /// The owner's labels.
    #[serde(
        default,
        with = "json_text",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub metadata: BTreeMap<String, String>,
    /// W3C trace context of the request that submitted it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// Before this it is not begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// Hash of the idempotency key that it was submitted with; goes with the job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_hash: Option<String>,
    /// Under what it is remembered among the sessions: a session's id, or a hash of content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Where the owner wants to hear of this job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callback_url: Option<String>,
}

impl JobRow {
    /// The job as its owner sees it.
    pub fn status(&self) -> JobStatus {
        let (state, phase, progress) = match self.state {
            RowState::Queued => (State::Queued, None, 0),
            RowState::Calling => (State::Running, Some(Phase::Calling), 20),
            RowState::Rendering => (State::Running, Some(Phase::Rendering), 80),
            RowState::Succeeded => (State::Succeeded, None, 100),
            RowState::Failed => (State::Failed, None, 100),
            RowState::Cancelled => (State::Cancelled, None, 100),
            RowState::Expired => (State::Expired, None, 100),
            RowState::OutcomeUnknown => (State::OutcomeUnknown, None, 100),
        };
        JobStatus {
            id: self.id,
            kind: self.kind,
            state,
            phase,
            progress,
            waiting: self.waiting.clone(),
            not_before: self.not_before,
            created_at: self.created_at,
            updated_at: self.updated_at,
            finished_at: self.finished_at,
            editor: self.editor,
            model_calls: self.model_calls,
            usage: self.usage.clone(),
            cached: self.cached_from.is_some(),
            warnings: self.warnings.clone(),
            error: self.error.clone(),
            result: self.result.clone(),
            metadata: self.metadata.clone(),
            links: Links::of(self.id),
        }
    }

    /// Since when it could have begun: its submission, or when it was opened again, or what its
    /// request said.
    pub fn waits_since(&self) -> Timestamp {
        let asked = self.reopened_at.unwrap_or(self.created_at);
        self.not_before.map_or(asked, |time| time.max(asked))
    }

    /// A change of state at a time: counts the version.
    pub(super) fn move_to(&mut self, state: RowState, at: Timestamp) {
        self.state = state;
        self.version += 1;
        self.updated_at = at;
        self.finished_at = state.is_final().then_some(at);
        self.waiting = None;
        self.restored = false;
    }
}

/// Remembers which job an idempotency key made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct KeyRow {
    pub job_id: JobId,
    pub body_hash: String,
    pub expires_at: Timestamp,
}

/// The open marker: there while the job is not final, and while a held job may still get a reply.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Marker {
    /// When the reconciler should look at the job.
    pub due: Timestamp,
    /// How often it has put the job back.
    pub tries: u32,
}

/// Who made, or is making, the PDF of some content.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ContentLatch {
    /// The job.
    pub job_id: JobId,
    /// The token that the job latched with.
    pub token: Token,
}

/// A row as columns.
pub(crate) fn encode<T: Serialize>(row: &T) -> Result<Properties, StorageError> {
    match serde_json::to_value(row) {
        Ok(serde_json::Value::Object(properties)) => Ok(properties),
        Ok(_) => Err(StorageError::Invalid("a row must be a struct".to_owned())),
        Err(e) => Err(StorageError::Invalid(e.to_string())),
    }
}

/// Columns as a row. Unknown columns are left for the newer program that wrote them.
pub(crate) fn decode<T: DeserializeOwned>(properties: Properties) -> Result<T, StorageError> {
    serde_json::from_value(serde_json::Value::Object(properties)).map_err(|e| unreadable(&e))
}

/// Columns as the row of a job, unless it was written by a newer version.
pub(super) fn decode_job(id: JobId, properties: Properties) -> Result<JobRow, StorageError> {
    let schema = properties.get("schema").and_then(serde_json::Value::as_u64);
    if schema.is_some_and(|schema| schema > u64::from(SCHEMA)) {
        return Err(StorageError::unavailable(NewerRow(id)));
    }
    decode(properties)
}

/// Why a stored row, or its content, cannot be read. Another row may well be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnreadableRow {
    /// It was written by a newer version.
    #[error("a stored row was written by a newer version")]
    Newer,
    /// It is not what any version writes; this is why, without what stands in it.
    #[error("what is stored cannot be read: {0}")]
    Damaged(String),
}

impl UnreadableRow {
    /// The reason of a failed read, if it is this one.
    pub fn of(error: &StorageError) -> Option<&Self> {
        match error {
            StorageError::Unavailable(source) => source.downcast_ref(),
            _ => None,
        }
    }
}

/// What a parser says of stored text, without the values that it quotes: they may be of a CV.
pub(crate) fn unreadable(error: &serde_json::Error) -> StorageError {
    // These name a field of ours and nothing that was read.
    const OWN: [&str; 2] = ["missing field `", "duplicate field `"];
    const QUOTES: [char; 2] = ['"', '`'];
    let text = error.to_string();
    let quoted = text.find(QUOTES).zip(text.rfind(QUOTES));
    let why = match quoted {
        Some((first, last)) if !OWN.iter().any(|own| text.starts_with(own)) => {
            format!("{}...{}", &text[..=first], &text[last..])
        }
        _ => text,
    };
    StorageError::unavailable(UnreadableRow::Damaged(why))
}

/// Nested values as JSON text in one column: tables hold flat columns only.
pub(crate) mod json_text {
    use serde::de::{DeserializeOwned, Error as _};
    use serde::ser::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<T: Serialize, S: Serializer>(
        value: &T,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        serde_json::to_string(value)
            .map_err(S::Error::custom)?
            .serialize(to)
    }

    pub(crate) fn deserialize<'de, T: DeserializeOwned, D: Deserializer<'de>>(
        from: D,
    ) -> Result<T, D::Error> {
        serde_json::from_str(&String::deserialize(from)?).map_err(D::Error::custom)
    }
}
