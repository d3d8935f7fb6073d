//! The shapes that go over the wire: responses, errors, headers.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

use super::answer;
use super::script::{Behaviour, ErrorReply};
use super::strict::Fault;

/// A page as a gateway sends it.
pub(super) const PAGE: &str =
    "<html><head><title>Gateway</title></head><body><h1>Gateway</h1></body></html>";

/// A response in its final state.
pub(super) fn response(request: &Value, behaviour: &Behaviour, id: &str, created_at: u64) -> Value {
    let (status, output) = match behaviour {
        Behaviour::Failed { .. } => ("failed", vec![]),
        Behaviour::Incomplete { .. } => {
            let text = text(request);
            let mut half = text.len() / 2;
            while !text.is_char_boundary(half) {
                half -= 1;
            }
            (
                "incomplete",
                vec![message(id, "incomplete", &output_text(&text[..half]))],
            )
        }
        Behaviour::Refusal => {
            let part = json!({"type": "refusal", "refusal": "I cannot help with that."});
            ("completed", vec![message(id, "completed", &part)])
        }
        Behaviour::NotJson => (
            "completed",
            vec![message(
                id,
                "completed",
                &output_text("Certainly! Here is the text you asked for."),
            )],
        ),
        Behaviour::BreaksSchema => (
            "completed",
            vec![message(
                id,
                "completed",
                &output_text(r#"{"unexpected":true}"#),
            )],
        ),
        Behaviour::UnknownItems => (
            "completed",
            vec![
                json!({"type": "telepathy_call", "id": "tp_1", "status": "completed", "waves": [1, 2.5, null]}),
                json!({"type": "message", "id": "msg_0", "role": "assistant", "status": "completed", "phase": "musing",
                   "content": [{"type": "output_hologram", "depth": 3}]}),
                message(id, "completed", &output_text(&text(request))),
            ],
        ),
        Behaviour::Reply { text: Some(text) } => (
            "completed",
            vec![message(id, "completed", &output_text(text))],
        ),
        _ => (
            "completed",
            vec![message(id, "completed", &output_text(&text(request)))],
        ),
    };
    let mut response = outline(request, id, created_at);
    response["status"] = status.into();
    response["usage"] = usage(request, &output);
    response["output"] = output.into();
    match behaviour {
        Behaviour::Failed { code } => {
            response["error"] = json!({"code": code, "message": "The script asked for a failure."});
        }
        Behaviour::Incomplete { reason } => {
            response["incomplete_details"] = json!({"reason": reason});
        }
        Behaviour::UnknownItems => response["mood"] = json!({"shade": "blue"}),
        _ => {}
    }
    if status == "completed" {
        response["completed_at"] = (created_at + 1).into();
    }
    response
}

/// The same response before it is done, in state `queued`, `in_progress` or `cancelled`.
pub(super) fn unfinished(response: &Value, status: &str) -> Value {
    let mut response = response.clone();
    for key in ["completed_at", "error", "incomplete_details", "usage"] {
        response[key] = Value::Null;
    }
    // The description has no null for it: it is there when there is something to count.
    if let Some(fields) = response.as_object_mut() {
        fields.remove("usage");
    }
    response["output"] = json!([]);
    response["status"] = status.into();
    response
}

/// Everything of a response that does not depend on what the model did.
fn outline(request: &Value, id: &str, created_at: u64) -> Value {
    let given = |key: &str, otherwise: Value| match request.get(key) {
        None | Some(Value::Null) => otherwise,
        Some(value) => value.clone(),
    };
    json!({
        "id": id,
        "object": "response",
        "created_at": created_at,
        "status": "in_progress",
        "background": given("background", false.into()),
        "completed_at": null,
        "error": null,
        "incomplete_details": null,
        "instructions": given("instructions", Value::Null),
        "max_output_tokens": given("max_output_tokens", Value::Null),
        "metadata": given("metadata", json!({})),
        "model": given("model", "model-of-the-prompt".into()),
        "output": [],
        "parallel_tool_calls": true,
        "previous_response_id": null,
        "prompt": given("prompt", Value::Null),
        "reasoning": {"effort": null, "summary": null},
        "service_tier": "default",
        "store": given("store", true.into()),
        "temperature": 1.0,
        "text": given("text", json!({"format": {"type": "text"}})),
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "truncation": "disabled",
    })
}

/// The text that a well-behaved model would give.
fn text(request: &Value) -> String {
    let input = answer::input(request);
    match request.pointer("/text/format/type").and_then(Value::as_str) {
        Some("json_schema") => {
            let schema = request
                .pointer("/text/format/schema")
                .unwrap_or(&Value::Null);
            answer::instance(schema, &input).to_string()
        }
        Some("json_object") => input
            .get("cv")
            .cloned()
            .unwrap_or_else(|| json!({}))
            .to_string(),
        _ => "A plain answer.".to_owned(),
    }
}

fn message(id: &str, status: &str, part: &Value) -> Value {
    let id = id.replacen("resp_", "msg_", 1);
    json!({"type": "message", "id": id, "role": "assistant", "status": status, "content": [part]})
}

fn output_text(text: &str) -> Value {
    json!({"type": "output_text", "text": text, "annotations": [], "logprobs": []})
}

/// Four bytes to a token, which is near enough for a budget.
fn usage(request: &Value, output: &[Value]) -> Value {
    let tokens = |value: &Value| {
        value
            .as_str()
            .map_or_else(|| value.to_string().len(), str::len)
            .div_ceil(4)
    };
    let parts = ["instructions", "input", "prompt"];
    let read: usize = parts
        .iter()
        .filter_map(|key| request.get(*key))
        .map(tokens)
        .sum();
    let texts = output
        .iter()
        .filter_map(|item| item.pointer("/content/0/text"));
    let written: usize = texts.map(tokens).sum();
    json!({
        "input_tokens": read,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": written,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": read + written,
    })
}

/// An error of the script.
pub(super) fn error(error: &ErrorReply) -> Response {
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let kind = match error.status {
        429 => "requests",
        500.. => "server_error",
        _ => "invalid_request_error",
    };
    let mut response = if error.html {
        html(status)
    } else {
        let message = error
            .message
            .as_deref()
            .unwrap_or("The script asked for this error.");
        error_body(status, kind, message, None, error.code())
    };
    set_headers(response.headers_mut(), &error.headers);
    response
}

/// A refusal of a request that is at fault.
pub(super) fn fault(fault: &Fault) -> Response {
    error_body(
        StatusCode::BAD_REQUEST,
        "invalid_request_error",
        &fault.message,
        fault.param,
        fault.code,
    )
}

/// An error of the routes.
pub(super) fn refusal(status: StatusCode, message: &str) -> Response {
    error_body(status, "invalid_request_error", message, None, None)
}

fn error_body(
    status: StatusCode,
    kind: &str,
    message: &str,
    param: Option<&str>,
    code: Option<&str>,
) -> Response {
    let error = json!({"error": {"message": message, "type": kind, "param": param, "code": code}});
    (status, axum::Json(error)).into_response()
}

/// A page of HTML.
pub(super) fn html(status: StatusCode) -> Response {
    (status, [(CONTENT_TYPE, "text/html")], Body::from(PAGE)).into_response()
}

/// The headers that the API sends with everything.
pub(super) fn usual_headers(headers: &mut HeaderMap, n: u64, script: &BTreeMap<String, String>) {
    if let Ok(id) = HeaderValue::from_str(&format!("req_{n:032x}")) {
        headers.insert("x-request-id", id);
    }
    for (name, value) in [
        ("openai-version", "2020-10-01"),
        ("x-ratelimit-limit-requests", "10000"),
        ("x-ratelimit-remaining-requests", "9999"),
        ("x-ratelimit-reset-requests", "6ms"),
        ("x-ratelimit-limit-tokens", "2000000"),
        ("x-ratelimit-remaining-tokens", "1999000"),
        ("x-ratelimit-reset-tokens", "30ms"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    set_headers(headers, script);
}

fn set_headers(headers: &mut HeaderMap, given: &BTreeMap<String, String>) {
    for (name, value) in given {
        let parsed = (
            HeaderName::from_bytes(name.as_bytes()),
            HeaderValue::from_str(value),
        );
        if let (Ok(name), Ok(value)) = parsed {
            headers.insert(name, value);
        } else {
            tracing::warn!(header = name, "the script's header cannot be sent");
        }
    }
}
