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
    /// No credential came, or none that counts (RFC 9110, section 15.5.2).
    Unauthorized = "/problems/unauthorized", 401, "A valid credential is needed";
    /// The credential does not allow the operation.
    Forbidden = "/problems/forbidden", 403, "The credential does not allow this";
    /// Too many requests, or too many jobs at once (RFC 6585, section 4).
    TooManyRequests = "/problems/too-many-requests", 429, "Too many requests";
    /// No such thing, or not the caller's.
    NotFound = "/problems/not-found", 404, "Not found";
    /// The path exists, with other methods.
    MethodNotAllowed = "/problems/method-not-allowed", 405, "Method not allowed";
    /// The answer is not ready yet: the job has not ended.
    NotReady = "/problems/not-ready", 409, "The result is not ready";
    /// The state of a job or of a webhook does not allow the operation.
    Conflict = "/problems/conflict", 409, "The present state does not allow this";
    /// A precondition of the request (RFC 9110, section 13) does not hold.
    PreconditionFailed = "/problems/precondition-failed", 412, "Precondition failed";
    /// The asked range lies outside of the document (RFC 9110, section 15.5.17).
    RangeNotSatisfiable = "/problems/range-not-satisfiable", 416, "The range lies outside of the document";
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

impl ProblemKind {
    /// What it means and what to do, for a person.
    pub fn explanation(self) -> &'static str {
        match self {
            Self::MalformedBody => {
                "The body is not JSON, or has fields or types that the operation does not take. \
                 `errors` names the place. Nothing was stored. Mend the body and send it again."
            }
            Self::InvalidRequest => {
                "The request was read, and a header, a parameter or a field is out of bounds. \
                 `errors` names each with its limit. Nothing was stored."
            }
            Self::InvalidCv => {
                "The CV lacks required fields, has keys of another system, values of the wrong type, \
                 or texts far over their limits. `errors` names each fault with its path. Nothing was \
                 stored."
            }
            Self::InvalidDocument => {
                "The uploaded document is of a form that is not read, is damaged or protected, or holds no \
                 CV: `errors` says which. Nothing was stored."
            }
            Self::Unauthorized => {
                "The request came without a credential, or with one that is unknown, expired or revoked: \
                 all look the same. `WWW-Authenticate` says which kinds are taken. Nothing was stored."
            }
            Self::Forbidden => {
                "The credential is valid, and lacks the scope that the operation needs; `detail` names it. \
                 Nothing was stored."
            }
            Self::TooManyRequests => {
                "A limit of requests or of jobs at once is reached. `Retry-After` says when to come back. \
                 Nothing was stored."
            }
            Self::NotFound => {
                "There is no such thing, or it is not yours: both look the same. Jobs are also removed \
                 some time after they have ended."
            }
            Self::MethodNotAllowed => {
                "The path exists and does not take this method. The Allow header lists those it takes."
            }
            Self::NotReady => {
                "The job has not ended, so there is no document yet. Come back after Retry-After, or \
                 ask for the job with `Prefer: wait=30`."
            }
            Self::Conflict => {
                "It is in a state in which this cannot be done: a job that it is too late to cancel, \
                 or that was cancelled and has no document; a webhook that is disabled."
            }
            Self::PreconditionFailed => {
                "The thing was changed since you read it. Read it again, and repeat the change."
            }
            Self::RangeNotSatisfiable => {
                "The Range header asks for bytes that the document does not have. Content-Range says how \
                 many it has."
            }
            Self::TooLarge => "The body has more bytes than the server takes. Send less.",
            Self::UnsupportedMediaType => {
                "The body has a media type or content coding that the operation does not take. The \
                 Accept-Post header says which it takes."
            }
            Self::IdempotencyKeyReused => {
                "The Idempotency-Key was used for a request with another body. Each new request needs \
                 a new key; a repeat needs the very same body."
            }
            Self::Timeout => "The request's body arrived too slowly. Send it again, faster.",
            Self::Internal => {
                "Something is wrong on the server's side. Quote the request id to the operator, who \
                 finds the reason in the log."
            }
            Self::Unavailable => {
                "The server cannot do it at the moment. Repeat it after Retry-After; with the same \
                 Idempotency-Key no job is made twice."
            }
            Self::ModelFailed => {
                "The language model refused the request, or its reply could not be used. The call is \
                 not repeated by itself. With `on_model_failure: render_unpolished` you get your own \
                 text as a PDF instead."
            }
            Self::OutcomeUnknown => {
                "The call to the language model went out, and no clear answer came back: it may have \
                 been paid for. The job is held, and not repeated without your consent, which is \
                 POST /v1/jobs/{id}/retry. A late reply is still taken."
            }
            Self::Poison => {
                "The job failed on each of several tries and was set aside for the operator."
            }
            Self::Expired => {
                "The job waited too long before anybody began it, and was given up. No model was \
                 called. Submit it again."
            }
            Self::RenderFailed => {
                "The document could not be set. The job's `error` says why, as far as it is known."
            }
        }
    }
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
