//! Problem details (RFC 9457): the one shape of every error body of `/v1`, and of a failed job.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What went wrong, in a form that a program can act on. Media type `application/problem+json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// A stable relative URI, `/problems/{kind}`; it answers with an explanation.
    #[serde(rename = "type")]
    pub kind: ProblemKind,
    /// The kind in a few words; the same for every occurrence.
    pub title: String,
    /// The HTTP status. For a failed job: the status that a synchronous call would have had.
    pub status: u16,
    /// This occurrence: what to change. Never holds text of a CV, a prompt, a reply or a key.
    pub detail: String,
    /// Each fault by itself, where there can be several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// The request's id, to quote to an operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

/// One fault in one place of a request.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FieldError {
    /// The field's path, such as `input.cv.work_experience[0].title`; empty for the whole body.
    pub path: String,
    /// A stable word for the fault, such as `missing`, `wrong_type`, `too_long`.
    pub code: String,
    /// What to change.
    pub message: String,
    /// The value's size now, where a limit was passed (characters or items).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_value: Option<u64>,
    /// The limit, in the same unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// By how much the limit was passed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excess: Option<u64>,
    /// How to mend it, where there is more to say than the message does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<String>,
}

impl Problem {
    /// A problem of `kind` with what to change.
    pub fn new(kind: ProblemKind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            title: kind.title().to_owned(),
            status: kind.status(),
            detail: detail.into(),
            errors: Vec::new(),
            request_id: None,
        }
    }

    /// The same problem with its single faults.
    #[must_use]
    pub fn with_errors(mut self, errors: Vec<FieldError>) -> Self {
        self.errors = errors;
        self
    }
}

macro_rules! problem_kinds {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $status:literal, $title:literal;)*) => {
        /// Every kind of problem: its stable URI, its status and its title, in one list.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        pub enum ProblemKind {
            $($(#[$doc])* #[serde(rename = $name)] $variant,)*
        }

        impl ProblemKind {
            /// All kinds, in the order of this file.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The relative URI that identifies the kind.
            pub fn uri(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The HTTP status.
            pub fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)* }
            }

            /// The title.
            pub fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }
        }
    };
}

problem_kinds! {
    /// The body is not JSON, or not the shape that the operation takes.
    MalformedBody = "/problems/malformed-body", 400, "The body cannot be read";
    /// The body was read, and its content is refused.
    InvalidRequest = "/problems/invalid-request", 400, "The request is not valid";
    /// The CV breaks the contract: wrong keys, wrong types, missing fields or limits passed.
    InvalidCv = "/problems/invalid-cv", 400, "The CV is not valid";
    /// The uploaded document cannot be read, or holds no CV.
    InvalidDocument = "/problems/invalid-document", 422, "The document cannot be used";
    /// No such thing, or not the caller's.
    NotFound = "/problems/not-found", 404, "Not found";
    /// The path exists, with other methods.
    MethodNotAllowed = "/problems/method-not-allowed", 405, "Method not allowed";
    /// The answer is not ready yet: the job has not ended.
    NotReady = "/problems/not-ready", 409, "The result is not ready";
    /// The job's state does not allow the operation.
    Conflict = "/problems/conflict", 409, "The job's state does not allow this";
    /// A precondition of the request (RFC 9110, section 13) does not hold.
    PreconditionFailed = "/problems/precondition-failed", 412, "Precondition failed";
    /// The body is over the limit.
    TooLarge = "/problems/too-large", 413, "The body is too large";
    /// The media type is not one that the operation takes.
    UnsupportedMediaType = "/problems/unsupported-media-type", 415, "Unsupported media type";
    /// The same idempotency key came with another body.
    IdempotencyKeyReused = "/problems/idempotency-key-reused", 422, "The idempotency key was used for another request";
    /// The request took too long to arrive or to be handled.
    Timeout = "/problems/timeout", 408, "The request took too long";
    /// Something is wrong on the server's side; the log has the detail.
    Internal = "/problems/internal", 500, "Internal error";
    /// The storage behind the service does not answer; try again later.
    Unavailable = "/problems/unavailable", 503, "Service unavailable";
    /// The model refused the request or gave no usable reply.
    ModelFailed = "/problems/model-failed", 502, "The model gave no usable reply";
    /// The call to the model went out and its outcome cannot be known; it may have been paid for.
    OutcomeUnknown = "/problems/outcome-unknown", 409, "The outcome of the model call is unknown";
    /// The job failed on each of several workers and was set aside.
    Poison = "/problems/poison", 500, "The job was set aside after repeated failures";
    /// The job was not started in time.
    Expired = "/problems/expired", 410, "The job expired before it was started";
    /// The document could not be rendered.
    RenderFailed = "/problems/render-failed", 500, "The document could not be rendered";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_stable_relative_uris() {
        for kind in ProblemKind::ALL {
            assert!(kind.uri().starts_with("/problems/"), "{kind:?}");
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.uri());
            assert!((400..600).contains(&kind.status()), "{kind:?}");
        }
    }

    #[test]
    fn a_problem_has_the_members_of_rfc_9457() {
        let problem = Problem::new(ProblemKind::NotFound, "No job has this id.");
        let json = serde_json::to_value(&problem).unwrap();
        assert_eq!(json["type"], "/problems/not-found");
        assert_eq!(json["title"], "Not found");
        assert_eq!(json["status"], 404);
        assert_eq!(serde_json::from_value::<Problem>(json).unwrap(), problem);
    }
}
