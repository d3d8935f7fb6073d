//! What goes wrong between us and Azure Storage, and what it means to a caller of the ports.
//!
//! Texts of the service are not kept: that of a failed authentication repeats the signature, that
//! of a bad request the request.

use std::time::Duration;

use azure_core::error::{Error, ErrorKind};
use azure_core::http::RawResponse;
use azure_core::http::headers::{HeaderName, Headers};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use serde_json::Value;

use crate::port::StorageError;

/// Longest text of another's that an error repeats.
const LONGEST_TEXT: usize = 300;

/// How one try of a request ended, when not well.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// The request never left.
    #[error("no connection to Azure Storage: {0}")]
    Unsent(String),
    /// The request was not sent: too many wait already.
    #[error("too many requests to Azure Storage wait in this process")]
    Busy,
    /// The request went out, and no whole answer came back.
    #[error("no whole answer from Azure Storage: {0}")]
    Lost(String),
    /// The service refused or failed.
    #[error("Azure Storage answered {} {} to request {}", .0.status, .0.code, .0.request_id)]
    Answer(Answer),
    /// No token, so the request never left.
    #[error("no token for Azure Storage: {0}")]
    Token(String),
    /// An answer that should not be.
    #[error("the answer of Azure Storage is not understood: {0}")]
    Misread(String),
}

/// An answer other than success.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// The service's code, such as `PopReceiptMismatch`; empty if it gave none.
    pub(super) code: String,
    /// What Microsoft's support asks for.
    pub(super) request_id: String,
    pub(super) retry_after: Option<Duration>,
    /// The service's clock.
    pub(super) date: Option<Timestamp>,
}

impl Failure {
    pub(super) fn misread(what: impl Into<String>) -> Self {
        Self::Misread(what.into())
    }

    /// Whether the request surely had no effect.
    pub(super) fn is_untouched(&self) -> bool {
        matches!(self, Self::Unsent(_) | Self::Busy | Self::Token(_))
    }

    /// Whether another try may end better.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            Self::Unsent(_) | Self::Lost(_) => true,
            Self::Answer(answer) => matches!(answer.status, 408 | 429 | 500 | 502 | 503 | 504),
            Self::Busy | Self::Token(_) | Self::Misread(_) => false,
        }
    }

    /// Whether the service asks to slow down, and so has not done what was asked.
    pub(super) fn is_throttling(&self) -> bool {
        matches!(
            self,
            Self::Answer(Answer {
                status: 429 | 503,
                ..
            })
        )
    }

    /// Whether what is missing is the queue, table or container itself.
    pub(super) fn is_missing_resource(&self) -> bool {
        matches!(
            self.code(),
            "QueueNotFound" | "TableNotFound" | "ContainerNotFound"
        )
    }

    /// The service's code; empty where there is none.
    pub(super) fn code(&self) -> &str {
        match self {
            Self::Answer(answer) => &answer.code,
            _ => "",
        }
    }

    /// The status of the answer; 0 where there is none.
    pub(super) fn status(&self) -> u16 {
        match self {
            Self::Answer(answer) => answer.status,
            _ => 0,
        }
    }
}

/// From the pipeline.
impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error.kind() {
            ErrorKind::HttpResponse {
                status,
                raw_response,
                ..
            } => {
                let empty = Headers::new();
                let raw = raw_response.as_deref();
                let headers = raw.map_or(&empty, RawResponse::headers);
                let body = raw.map_or(&[][..], |raw| raw.body().as_ref());
                Self::Answer(Answer::new((*status).into(), headers, body))
            }
            ErrorKind::Connection => Self::Unsent(error.to_string()),
            ErrorKind::Io => Self::Lost(error.to_string()),
            ErrorKind::Credential => {
                Self::Token(error.to_string().chars().take(LONGEST_TEXT).collect())
            }
            // Its text may repeat the answer.
            kind => Self::Misread(kind.to_string()),
        }
    }
}

impl Answer {
    /// Of its status, headers and body.
    pub(super) fn new(status: u16, headers: &Headers, body: &[u8]) -> Self {
        let date = header(headers, "date").and_then(parse_date);
        let code = header(headers, "x-ms-error-code").map(str::to_owned);
        Self {
            status,
            code: code.or_else(|| odata_code(body)).unwrap_or_default(),
            request_id: header(headers, "x-ms-request-id")
                .unwrap_or("unknown")
                .to_owned(),
            retry_after: retry_after(headers, date),
            date,
        }
    }
}

/// A header's text.
pub(super) fn header<'a>(headers: &'a Headers, name: &'static str) -> Option<&'a str> {
    headers.get_optional_str(&HeaderName::from_static(name))
}

/// A date of HTTP (RFC 9110, section 5.6.7).
pub(super) fn parse_date(text: &str) -> Option<Timestamp> {
    DateTimeParser::new().parse_timestamp(text).ok()
}

/// The code in an error's body as the Table service writes it.
fn odata_code(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    Some(body.get("odata.error")?.get("code")?.as_str()?.to_owned())
}

/// `Retry-After` (RFC 9110, section 10.2.3), a date against the answer's own; or Microsoft's form.
fn retry_after(headers: &Headers, date: Option<Timestamp>) -> Option<Duration> {
    if let Some(millis) = header(headers, "x-ms-retry-after-ms") {
        return millis.parse().ok().map(Duration::from_millis);
    }
    let text = header(headers, "retry-after")?;
    match text.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => Duration::try_from(parse_date(text)?.duration_since(date?)).ok(),
    }
}

/// What a caller learns; the adapters look at the codes that mean more before they come here.
impl From<Failure> for StorageError {
    fn from(failure: Failure) -> Self {
        match &failure {
            Failure::Answer(answer) if failure.is_throttling() => Self::Throttled {
                retry_after: answer.retry_after,
            },
            Failure::Answer(Answer { status: 404, .. }) if !failure.is_missing_resource() => {
                Self::NotFound
            }
            Failure::Answer(Answer {
                status: 400 | 413 | 414 | 416,
                code,
                ..
            }) => Self::Invalid(format!("Azure Storage refuses it: {code}")),
            _ => Self::unavailable(failure),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> Headers {
        let mut headers = Headers::new();
        for (name, value) in pairs {
            headers.insert(*name, *value);
        }
        headers
    }

    #[test]
    fn codes_stand_in_a_header_or_in_the_body() {
        let check = |pairs: &[_], body: &str, expect: &str| {
            assert_eq!(
                Answer::new(404, &headers(pairs), body.as_bytes()).code,
                expect,
                "{body}"
            );
        };
        let odata = r#"{"odata.error":{"code":"ResourceNotFound","message":{"value":"x"}}}"#;
        check(&[], odata, "ResourceNotFound");
        check(
            &[("x-ms-error-code", "QueueNotFound")],
            odata,
            "QueueNotFound",
        );
        check(&[("x-ms-error-code", "BlobNotFound")], "", "BlobNotFound");
        check(&[], "<html>", "");
    }

    #[test]
    fn when_to_try_again() {
        let date = ("date", "Tue, 03 Feb 2026 04:05:06 GMT");
        let check = |pair: (&'static str, &'static str), expect: Option<u64>| {
            let answer = Answer::new(503, &headers(&[date, pair]), b"");
            assert_eq!(
                answer.retry_after,
                expect.map(Duration::from_millis),
                "{pair:?}"
            );
        };
        check(("retry-after", "3"), Some(3_000));
        check(
            ("retry-after", "Tue, 03 Feb 2026 04:05:10 GMT"),
            Some(4_000),
        );
        check(("retry-after", "Tue, 03 Feb 2026 04:05:00 GMT"), None);
        check(("retry-after", "soon"), None);
        check(("x-ms-retry-after-ms", "250"), Some(250));
        check(("other", "3"), None);
    }

    #[test]
    fn what_a_caller_learns() {
        let answer = |status, code: &'static str| {
            let pairs = [("x-ms-error-code", code)];
            Failure::Answer(Answer::new(status, &headers(&pairs), b""))
        };
        let check = |failure: Failure, expect: &str| {
            assert_eq!(StorageError::from(failure).to_string(), expect);
        };
        check(answer(404, "BlobNotFound"), "not found");
        check(answer(404, "QueueNotFound"), "storage unavailable");
        check(answer(429, "x"), "throttled");
        check(answer(503, "ServerBusy"), "throttled");
        check(answer(500, "OperationTimedOut"), "storage unavailable");
        check(answer(403, "AuthenticationFailed"), "storage unavailable");
        let refused = "invalid request: Azure Storage refuses it: InvalidInput";
        check(answer(400, "InvalidInput"), refused);
        check(Failure::Lost("reset".to_owned()), "storage unavailable");
    }

    #[test]
    fn texts_of_the_service_are_not_kept() {
        let body = b"<Error><Message>The MAC signature 'c2VjcmV0' is wrong</Message></Error>";
        let failure = Failure::Answer(Answer::new(403, &headers(&[]), body));
        assert!(!format!("{failure} {failure:?}").contains("c2VjcmV0"));
    }
}
