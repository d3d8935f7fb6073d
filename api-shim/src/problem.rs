//! Failures of a request, as problem details (RFC 9457).

use std::error::Error;
use std::time::Duration;

use crate::caller::Scope;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, StatusCode};
use schemas::{FieldError, Problem, ProblemKind};
use storage::StorageError;
use storage::jobs::SubmitError;

/// When to come back if storage does not say it.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// The media type of a problem (RFC 9457, section 3).
pub(crate) const MEDIA_TYPE: &str = "application/problem+json";

/// Why a request is not done. Its detail says what to change, and never holds what was sent.
#[derive(Debug)]
pub(crate) struct Failure(Box<Inner>);

#[derive(Debug)]
struct Inner {
    problem: Problem,
    headers: HeaderMap,
}

/// What a handler gives.
pub(crate) type Answer = Result<Response, Failure>;

impl Failure {
    pub(crate) fn new(kind: ProblemKind, detail: impl Into<String>) -> Self {
        let problem = Problem::new(kind, detail);
        Self(Box::new(Inner {
            problem,
            headers: HeaderMap::new(),
        }))
    }

    /// A ready problem.
    pub(crate) fn of(problem: Problem) -> Self {
        Self(Box::new(Inner {
            problem,
            headers: HeaderMap::new(),
        }))
    }

    /// One fault in one place.
    pub(crate) fn field(kind: ProblemKind, path: &str, code: &str, message: &str) -> Self {
        let error = FieldError {
            path: path.to_owned(),
            code: code.to_owned(),
            message: message.to_owned(),
            ..FieldError::default()
        };
        Self::new(kind, message).with_errors(vec![error])
    }

    /// The credential lacks a scope.
    pub(crate) fn forbidden(scope: Scope) -> Self {
        let detail = format!("This needs a credential with the scope {scope}.");
        Self::new(ProblemKind::Forbidden, detail)
    }

    /// A missing job and another tenant's job, and an id that cannot be one: all look the same.
    pub(crate) fn no_such_job() -> Self {
        Self::new(ProblemKind::NotFound, "You have no job with this id.")
    }

    /// The service cannot do it now. The reason belongs to the log.
    pub(crate) fn unavailable(detail: &str, retry_after: Duration) -> Self {
        Self::new(ProblemKind::Unavailable, detail).retry_after(retry_after)
    }

    pub(crate) fn with_errors(mut self, errors: Vec<FieldError>) -> Self {
        self.0.problem.errors = errors;
        self
    }

    pub(crate) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.insert(name, value);
        self
    }

    pub(crate) fn retry_after(self, pause: Duration) -> Self {
        self.with_header(header::RETRY_AFTER, whole_seconds(pause).into())
    }

    /// What is told.
    pub(crate) fn problem(&self) -> &Problem {
        &self.0.problem
    }

    fn internal(cause: &(dyn Error + 'static)) -> Self {
        tracing::error!(error = cause, "the request failed: {}", chain(cause));
        Self::new(
            ProblemKind::Internal,
            "Something went wrong here. Quote the request id to the operator.",
        )
    }
}

impl From<StorageError> for Failure {
    /// The caller learns whether to come back; the log gets the reason.
    fn from(error: StorageError) -> Self {
        let retry_after = match &error {
            StorageError::Unavailable(_) => RETRY_AFTER,
            StorageError::Throttled { retry_after } => retry_after.unwrap_or(RETRY_AFTER),
            _ => return Self::internal(&error),
        };
        tracing::warn!(error = &error as &dyn Error, "storage: {}", chain(&error));
        Self::unavailable(
            "Storage does not answer at the moment. Try again later.",
            retry_after,
        )
    }
}

impl From<SubmitError> for Failure {
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::Storage(error) => error.into(),
            SubmitError::KeyReused => Self::new(
                ProblemKind::IdempotencyKeyReused,
                "This Idempotency-Key came with another body before. Send a new key with a new \
                 request, or the very same body to repeat the old one.",
            ),
        }
    }
}

impl IntoResponse for Failure {
    /// The body is written by [`crate::observe`], which knows the request's id.
    fn into_response(self) -> Response {
        let Inner { problem, headers } = *self.0;
        let mut response = Response::new(Body::empty());
        *response.status_mut() =
            StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        *response.headers_mut() = headers;
        response.extensions_mut().insert(problem);
        response
    }
}

/// Gives a response its problem as the body. Clients of the older contract look for `error`, which
/// is a member that extends the problem (RFC 9457, section 3.2).
pub(crate) fn write(problem: &Problem, with_error: bool, response: &mut Response) {
    #[derive(serde::Serialize)]
    struct WithError<'a> {
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<&'a str>,
        #[serde(flatten)]
        problem: &'a Problem,
    }
    let error = with_error.then(|| problem.detail.trim_end_matches('.'));
    let json = serde_json::to_vec(&WithError { error, problem })
        .expect("strings and numbers always serialise");
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    *response.body_mut() = Body::from(json);
}

/// A pause as `Retry-After` has it (RFC 9110, section 10.2.3): whole seconds, at least one.
pub(crate) fn whole_seconds(pause: Duration) -> u64 {
    let up = u64::from(pause.subsec_nanos() > 0);
    pause.as_secs().saturating_add(up).max(1)
}

/// An error with its causes on one line.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    causes
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_are_whole_seconds_rounded_up() {
        let check = |millis: u64, want: u64| {
            assert_eq!(
                whole_seconds(Duration::from_millis(millis)),
                want,
                "{millis}"
            );
        };
        check(0, 1);
        check(300, 1);
        check(1_000, 1);
        check(1_001, 2);
        check(2_000, 2);
    }

    #[test]
    fn storage_errors_tell_no_detail() {
        let check = |error: StorageError, status: u16, retry_after: Option<&str>| {
            let failure = Failure::from(error);
            assert_eq!(failure.0.problem.status, status);
            assert!(!failure.0.problem.detail.contains("secret"));
            let header = failure.0.headers.get(header::RETRY_AFTER);
            assert_eq!(header.map(|h| h.to_str().unwrap()), retry_after);
        };
        check(StorageError::unavailable("secret host"), 503, Some("2"));
        let throttled = |retry_after| StorageError::Throttled { retry_after };
        check(throttled(None), 503, Some("2"));
        check(
            throttled(Some(Duration::from_millis(6_500))),
            503,
            Some("7"),
        );
        check(StorageError::Invalid("secret key".into()), 500, None);
        check(StorageError::Precondition, 500, None);
    }
}
