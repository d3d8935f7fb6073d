//! A job as it goes over the wire: the JSON, and the entity tag that stands for it.

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{HeaderMap, StatusCode};
use schemas::job::State;
use sha2::{Digest as _, Sha256};
use storage::jobs::JobRow;

use crate::headers::none_match_holds;

/// One state of one job. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct View {
    /// Counts the job's changes: a later state has a higher one.
    pub(crate) version: u32,
    /// Where the job stands.
    pub(crate) state: State,
    /// Nothing more happens by itself.
    pub(crate) is_final: bool,
    /// Strong (RFC 9110, section 8.8.3): made from the very bytes of the body.
    etag: HeaderValue,
    body: Bytes,
}

impl View {
    pub(crate) fn of(row: &JobRow) -> Self {
        let status = row.status();
        let body = serde_json::to_vec(&status).expect("strings and numbers always serialise");
        let etag = format!("\"{}\"", &sha256_hex(&body)[..32]);
        Self {
            version: row.version,
            state: status.state,
            is_final: status.state.is_final(),
            etag: HeaderValue::try_from(etag).expect("hexadecimal digits are a legal value"),
            body: body.into(),
        }
    }

    /// The job as JSON on one line.
    pub(crate) fn body(&self) -> &[u8] {
        &self.body
    }

    /// Whether the caller says that it has this state already.
    pub(crate) fn is_known_to(&self, headers: &HeaderMap) -> bool {
        none_match_holds(headers, self.etag.to_str().unwrap_or_default())
    }

    /// The job as an answer; `Retry-After` while there is something to come back for.
    pub(crate) fn answer(&self, status: StatusCode) -> Response {
        let mut response = self.head(status);
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
        *response.body_mut() = Body::from(self.body.clone());
        response
    }

    /// `304`: the caller has it.
    pub(crate) fn not_modified(&self) -> Response {
        self.head(StatusCode::NOT_MODIFIED)
    }

    fn head(&self, status: StatusCode) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::ETAG, self.etag.clone());
        if !self.is_final {
            headers.insert(header::RETRY_AFTER, 1.into());
        }
        response
    }
}

/// SHA-256 in hexadecimal.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    schemas::hex(&Sha256::digest(bytes))
}
