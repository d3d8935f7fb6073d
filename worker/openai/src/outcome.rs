//! What a call can come to. The kinds are what the job's state machine acts on.

use std::fmt;
use std::time::Duration;

use serde_json::Value;

use crate::headers::RateLimits;

/// One call, done: what came of it, and what the provider said beside it.
#[derive(Debug, Clone, PartialEq)]
pub struct Called {
    /// What came of it.
    pub outcome: Outcome,
    /// What is left of the provider's limits, if it said so.
    pub rate_limits: Option<RateLimits>,
    /// The provider's own id of this request (`x-request-id`, or `apim-request-id` of Azure), for
    /// a support case. Nothing can be fetched by it.
    pub request_id: Option<String>,
}

/// The four things that a call can come to. Only the second permits another call.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The model answered, and the answer has the shape that was asked for.
    Reply(Reply),
    /// The model did not get to work: nothing was paid, and the job may be tried again later.
    NotProcessed(NotProcessed),
    /// The model answered, and the answer is of no use; asking again would cost again.
    Final(Failure),
    /// Nobody knows whether the model worked: the call may have been paid.
    Ambiguous(Ambiguity),
}

/// An answer of the right shape.
#[derive(Clone, PartialEq)]
pub struct Reply {
    /// The provider's id of the response, such as `resp_...`.
    pub id: String,
    /// The model that answered, which may be more precise than the one that was asked for.
    pub model: String,
    /// The answer: always a JSON object, with the types and the required keys of the schema.
    pub json: Value,
    /// What it cost.
    pub usage: Usage,
}

/// Tokens, as the provider counted them; zero where it does not say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens read, the cached ones included.
    pub input_tokens: u64,
    /// Of the tokens read, those that came from the provider's cache at a lower price.
    pub cached_input_tokens: u64,
    /// Tokens written, the reasoning included.
    pub output_tokens: u64,
    /// Of the tokens written, those spent on reasoning.
    pub reasoning_tokens: u64,
    /// Read and written together.
    pub total: u64,
}

/// The model did not get to work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotProcessed {
    /// Why not.
    pub reason: NotProcessedReason,
    /// How long the provider asks us to wait; at most one hour.
    pub retry_after: Option<Duration>,
}

/// Why the model did not get to work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotProcessedReason {
    /// Name resolution, TCP or TLS failed before a byte of the request went out.
    Unreachable,
    /// Any 429. It concerns every call of this key, not one job.
    Throttled,
    /// A 503 that says `slow_down` or `server_is_overloaded`.
    Overloaded,
}

/// The model's last word on this request.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// What kind of failure.
    pub kind: FailureKind,
    /// One sentence for the job's owner. It never holds text of the prompt, the reply or a key.
    pub message: String,
    /// What it cost, if the provider said so.
    pub usage: Option<Usage>,
    /// The provider's id of the response, if there is one.
    pub reply_id: Option<String>,
    /// The model that answered, if one did.
    pub model: Option<String>,
}

/// Kinds of final failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FailureKind {
    /// Any 4xx but 408 and 429, or a redirect: the request as such is not wanted.
    Rejected {
        /// The HTTP status.
        status: u16,
        /// The provider's code, such as `invalid_json_schema`.
        code: Option<String>,
    },
    /// The model declined to answer.
    Refused,
    /// The answer was cut off.
    Incomplete {
        /// `max_output_tokens` or `content_filter`, or whatever the provider says.
        reason: String,
    },
    /// The model's side broke down while it worked, and says so in a proper answer.
    Failed {
        /// The provider's code, such as `server_error`.
        code: Option<String>,
    },
    /// The answer is not a JSON object of the schema that was asked for.
    BadReply,
}

/// Nobody knows whether the model worked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ambiguity {
    /// How the answer was lost.
    pub kind: AmbiguityKind,
    /// The provider's id of the response, if it was seen before the answer was lost.
    pub reply_id: Option<String>,
}

/// How an answer was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AmbiguityKind {
    /// The time limit passed after the request went out.
    Timeout,
    /// The connection broke after the request went out and before the answer began.
    Reset,
    /// 408, or any 5xx but a labelled 503.
    ServerError {
        /// The HTTP status.
        status: u16,
    },
    /// The answer began and did not end.
    Truncated,
    /// A whole 200 that is not a response object, or larger than the limit of 8 MiB.
    Unreadable,
    /// The provider has the request in hand: what [`submit`](crate::Client::submit) asks for, and
    /// nothing that a plain call should be told.
    Pending,
}

impl Outcome {
    /// Its name for logs and metrics.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Reply(_) => "reply",
            Self::NotProcessed(_) => "not_processed",
            Self::Final(_) => "final",
            Self::Ambiguous(_) => "ambiguous",
        }
    }
}

impl fmt::Debug for Reply {
    /// Leaves the answer out: it is somebody's CV.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply")
            .field("id", &self.id)
            .field("model", &self.model)
            .field("usage", &self.usage)
            .finish_non_exhaustive()
    }
}

impl Usage {
    /// True if the provider gave no figures.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
