//! Decides from a status or a broken connection whether the model may have worked.

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde_json::Value;

use crate::headers::retry_after;
use crate::outcome::{
    Ambiguity, AmbiguityKind, Failure, FailureKind, NotProcessed, NotProcessedReason, Outcome,
};

/// What a whole answer with a status other than 2xx means.
pub(crate) fn refused(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Outcome {
    let not_processed = |reason| {
        Outcome::NotProcessed(NotProcessed {
            reason,
            retry_after: retry_after(headers),
        })
    };
    let error = ErrorBody::read(body);
    match status.as_u16() {
        429 => not_processed(NotProcessedReason::Throttled),
        503 if error.says_overloaded() => not_processed(NotProcessedReason::Overloaded),
        408 | 500.. => lost(
            AmbiguityKind::ServerError {
                status: status.as_u16(),
            },
            None,
        ),
        status => Outcome::Final(Failure {
            message: rejection(status, error.code.as_deref()),
            kind: FailureKind::Rejected {
                status,
                code: error.code,
            },
            usage: None,
            reply_id: None,
            model: None,
        }),
    }
}

/// What an error before the first byte of an answer means.
pub(crate) fn unanswered(error: &reqwest::Error) -> Outcome {
    // `is_connect` covers name resolution, TCP, TLS and their time limit, and nothing after them:
    // it is the only sign that no byte of the request went out.
    if error.is_connect() {
        Outcome::NotProcessed(NotProcessed {
            reason: NotProcessedReason::Unreachable,
            retry_after: None,
        })
    } else {
        lost(broken(error, AmbiguityKind::Reset), None)
    }
}

/// A time-out, or `otherwise`.
pub(crate) fn broken(error: &reqwest::Error, otherwise: AmbiguityKind) -> AmbiguityKind {
    if error.is_timeout() {
        AmbiguityKind::Timeout
    } else {
        otherwise
    }
}

pub(crate) fn lost(kind: AmbiguityKind, reply_id: Option<String>) -> Outcome {
    Outcome::Ambiguous(Ambiguity { kind, reply_id })
}

/// A code if it has the form of one. Other text may hold anything, the caller's words included,
/// and goes nowhere.
pub(crate) fn identifier(text: &str) -> Option<String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    (!text.is_empty() && text.len() <= 64 && text.chars().all(fits)).then(|| text.to_owned())
}

/// The parts of an error's body that say what to do. Compatible servers vary the shape.
#[derive(Default)]
struct ErrorBody {
    code: Option<String>,
    kind: Option<String>,
    label: Option<String>,
}

impl ErrorBody {
    fn read(body: &[u8]) -> Self {
        let Ok(body) = serde_json::from_slice::<Value>(body) else {
            return Self::default();
        };
        let error = match body.get("error") {
            Some(error @ Value::Object(_)) => error,
            _ => &body,
        };
        let part = |name: &str| match error.get(name) {
            Some(Value::String(text)) => identifier(text),
            Some(Value::Number(number)) => Some(number.to_string()),
            _ => None,
        };
        // Some gateways fold the code into the message: "slow_down: ...".
        let label = error
            .get("message")
            .and_then(Value::as_str)
            .and_then(|message| {
                identifier(
                    message
                        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                        .next()?,
                )
            });
        Self {
            code: part("code"),
            kind: part("type"),
            label,
        }
    }

    fn says_overloaded(&self) -> bool {
        [&self.code, &self.kind, &self.label]
            .into_iter()
            .flatten()
            .any(|text| matches!(text.as_str(), "slow_down" | "server_is_overloaded"))
    }
}

fn rejection(status: u16, code: Option<&str>) -> String {
    let reason = match (status, code) {
        (_, Some("content_filter" | "content_policy_violation" | "invalid_prompt")) => {
            "the text was declined by the provider's content rules"
        }
        (_, Some("context_length_exceeded" | "string_above_max_length")) | (413, _) => {
            "the text is too long for the model"
        }
        (300..=399, _) => "the model's address leads elsewhere; the operator must correct it",
        (401 | 403, _) => "the model's provider did not accept this system's credentials",
        (404, _) => "the model's provider does not know this address, model or prompt",
        _ => "the model's provider rejected the request",
    };
    match code {
        Some(code) => format!("The model was not run: {reason} (status {status}, {code})."),
        None => format!("The model was not run: {reason} (status {status})."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(status: u16, body: &str) -> String {
        match refused(
            StatusCode::from_u16(status).unwrap(),
            &HeaderMap::new(),
            body.as_bytes(),
        ) {
            Outcome::NotProcessed(n) => format!("not processed {:?}", n.reason),
            Outcome::Final(Failure {
                kind: FailureKind::Rejected { status, code },
                ..
            }) => {
                format!("final {status} {}", code.unwrap_or_default())
            }
            Outcome::Ambiguous(a) => format!("ambiguous {:?}", a.kind),
            other => panic!("{other:?}"),
        }
    }

    fn coded(code: &str) -> String {
        format!(r#"{{"error":{{"message":"m","type":"t","param":null,"code":"{code}"}}}}"#)
    }

    #[test]
    fn statuses() {
        for status in [400, 401, 403, 404, 405, 409, 413, 415, 422, 425, 451, 499] {
            assert_eq!(
                check(status, &coded("some_code")),
                format!("final {status} some_code")
            );
        }
        for status in [301, 302, 307, 308] {
            assert_eq!(check(status, ""), format!("final {status} "));
        }
        for status in [408, 500, 501, 502, 503, 504, 507, 520, 522, 524, 529, 599] {
            assert_eq!(
                check(status, &coded("server_error")),
                format!("ambiguous ServerError {{ status: {status} }}")
            );
        }
        for body in [&coded("insufficient_quota"), "", "<html>"] {
            assert_eq!(check(429, body), "not processed Throttled");
        }
    }

    #[test]
    fn labelled_503() {
        for body in [
            &*coded("slow_down"),
            &*coded("server_is_overloaded"),
            r#"{"error":{"type":"slow_down","message":""}}"#,
            r#"{"error":{"type":"server_error","code":null,"message":"slow_down: please wait"}}"#,
            r#"{"code":"server_is_overloaded"}"#,
        ] {
            assert_eq!(check(503, body), "not processed Overloaded", "{body}");
            assert_eq!(
                check(500, body),
                "ambiguous ServerError { status: 500 }",
                "{body}"
            );
        }
        for body in [
            &*coded("overloaded"),
            "slow_down",
            "<html>slow_down</html>",
            "",
            r#"{"error":"slow_down"}"#,
            r#"{"error":{"message":"do not slow_down"}}"#,
            r#"{"error":{"message":"slow_downs"}}"#,
            r#"{"error":{"code":["slow_down"]}}"#,
            &coded("slow_down")[..40],
        ] {
            assert_eq!(
                check(503, body),
                "ambiguous ServerError { status: 503 }",
                "{body}"
            );
        }
    }

    #[test]
    fn text_that_is_not_a_code_is_dropped() {
        for (code, expect) in [
            ("invalid_json_schema", "final 400 invalid_json_schema"),
            ("Jane Doe, born 1990", "final 400 "),
            (&"x".repeat(65), "final 400 "),
        ] {
            assert_eq!(check(400, &coded(code)), expect);
        }
        assert_eq!(check(400, r#"{"error":{"code":40013}}"#), "final 400 40013");
    }

    #[test]
    fn messages_say_what_happened() {
        for (status, code, expect) in [
            (401, Some("invalid_api_key"), "credentials"),
            (400, Some("content_filter"), "content rules"),
            (400, Some("context_length_exceeded"), "too long"),
            (413, None, "too long"),
            (404, Some("model_not_found"), "does not know"),
            (308, None, "leads elsewhere"),
            (422, None, "rejected the request (status 422)."),
        ] {
            let message = rejection(status, code);
            assert!(message.contains(expect), "{message}");
        }
    }
}
