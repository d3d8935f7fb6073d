//! Answers of the `/api` routes, in the shapes that their clients read.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::StatusCode;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use schemas::session::EditError;
use serde_json::{Map, Value, json};
use storage::StorageError;
use storage::sessions::UpdateError;

use crate::headers::attachment;
use crate::problem::Failure;

/// What a route or tool answers.
#[derive(Debug)]
pub(crate) struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    body: Content,
}

#[derive(Debug)]
enum Content {
    Json(Value),
    Pdf(Bytes),
}

impl Reply {
    /// JSON, `200`.
    pub(crate) fn json(body: Value) -> Self {
        Self {
            status: StatusCode::OK,
            headers: HeaderMap::new(),
            body: Content::Json(body),
        }
    }

    /// A PDF for saving.
    pub(crate) fn pdf(pdf: Bytes, file_name: &str) -> Self {
        let mut reply = Self {
            status: StatusCode::OK,
            headers: HeaderMap::new(),
            body: Content::Pdf(pdf),
        };
        reply
            .headers
            .insert(header::CONTENT_DISPOSITION, attachment(file_name));
        reply
    }

    pub(crate) fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    pub(crate) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// The version of a session, for `If-Match`.
    pub(crate) fn with_version(self, version: u64) -> Self {
        self.with_header(header::ETAG, etag(version))
    }

    /// The members of a JSON answer.
    pub(crate) fn object(&mut self) -> Option<&mut Map<String, Value>> {
        match &mut self.body {
            Content::Json(body) => body.as_object_mut(),
            Content::Pdf(_) => None,
        }
    }

    /// The JSON of an answer.
    pub(crate) fn value(&self) -> Option<&Value> {
        match &self.body {
            Content::Json(body) => Some(body),
            Content::Pdf(_) => None,
        }
    }
}

/// A session's version as an entity tag.
pub(crate) fn etag(version: u64) -> HeaderValue {
    HeaderValue::try_from(format!("\"{version}\"")).expect("digits and quotes are a legal value")
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let (kind, body) = match self.body {
            Content::Json(body) => ("application/json", Body::from(body.to_string())),
            Content::Pdf(pdf) => ("application/pdf", Body::from(pdf)),
        };
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        let kind = HeaderValue::from_static(kind);
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response
    }
}

/// Why a route does not do it.
#[derive(Debug)]
pub(crate) enum ApiError {
    /// In a shape of the contract.
    Told(Box<Reply>),
    /// A problem of the service itself; `observe` adds the member `error` that clients look for.
    Failed(Failure),
}

impl ApiError {
    /// A status and a body with at least `error`.
    pub(crate) fn new(status: u16, body: Value) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self::Told(Box::new(Reply::json(body).with_status(status)))
    }

    /// `400` with a message alone.
    pub(crate) fn bad(message: impl Into<String>) -> Self {
        Self::new(400, json!({ "error": message.into() }))
    }

    /// A session that is not there, has expired, or is another tenant's.
    pub(crate) fn no_session() -> Self {
        Self::new(404, json!({ "error": NO_SESSION }))
    }

    /// More members for the body.
    pub(crate) fn with(mut self, name: &str, value: Value) -> Self {
        if let Self::Told(reply) = &mut self
            && let Some(body) = reply.object()
        {
            body.insert(name.to_owned(), value);
        }
        self
    }

    /// Whether it is that of [`ApiError::no_session`].
    pub(crate) fn is_no_session(&self) -> bool {
        matches!(self, Self::Told(reply) if reply.value().is_some_and(|body| body["error"] == NO_SESSION))
    }

    /// Another version of a session than its caller expects: `412` where a header said which,
    /// else `409`.
    pub(crate) fn conflict(expected: u64, current: u64, by_header: bool) -> Self {
        let body = json!({
            "error": "version_conflict",
            "message": "The session was changed since it was read. Read it again, and repeat the change.",
            "expected_version": expected,
            "current_version": current,
        });
        let status = if by_header {
            StatusCode::PRECONDITION_FAILED
        } else {
            StatusCode::CONFLICT
        };
        let reply = Reply::json(body).with_status(status).with_version(current);
        Self::Told(Box::new(reply))
    }
}

const NO_SESSION: &str = "Session not found or expired";

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        match self {
            Self::Told(reply) => reply.into_response(),
            Self::Failed(failure) => failure.into_response(),
        }
    }
}

impl From<Failure> for ApiError {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<StorageError> for ApiError {
    fn from(error: StorageError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<EditError> for ApiError {
    fn from(error: EditError) -> Self {
        let told = Self::bad(error.to_string());
        match error {
            EditError::Path { field_path, .. } => told.with("field_path", json!(field_path)),
            EditError::Value { field_path, source } => {
                let faults: Vec<_> = source
                    .problems()
                    .into_iter()
                    .map(|fault| fault.message)
                    .collect();
                told.with("field_path", json!(field_path))
                    .with("validation_errors", json!(faults))
            }
            _ => told,
        }
    }
}

impl<E: Into<ApiError>> From<UpdateError<E>> for ApiError {
    fn from(error: UpdateError<E>) -> Self {
        match error {
            UpdateError::Gone => Self::no_session(),
            UpdateError::Conflict { current } => Self::conflict(current, current, false),
            UpdateError::Refused(error) => error.into(),
            UpdateError::Storage(error) => error.into(),
        }
    }
}
