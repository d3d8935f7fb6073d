//! The response object, read with as few demands as possible, and what it means.
//!
//! The library's own types refuse a response that holds an output item of a kind they do not know.
//! By then it has been paid for; so only the parts that matter are read, and the rest may be
//! anything.

use serde::Deserialize;
use serde_json::Value;

use crate::classify::{identifier, lost};
use crate::conform::conform;
use crate::outcome::{AmbiguityKind, Failure, FailureKind, Outcome, Reply, Usage};
use crate::request::REFERENCE_KEY;

/// The longest id or model name that is kept.
const LONGEST_NAME: usize = 256;

/// A response object. Without `id` and `output` it is none.
#[derive(Deserialize)]
pub(crate) struct Envelope {
    id: String,
    output: Vec<Value>,
    #[serde(default)]
    model: Value,
    #[serde(default)]
    status: Value,
    #[serde(default)]
    error: Value,
    #[serde(default)]
    incomplete_details: Value,
    #[serde(default)]
    usage: Value,
    #[serde(default)]
    metadata: Value,
}

impl Envelope {
    /// The provider has not finished it.
    pub(crate) fn is_pending(&self) -> bool {
        matches!(self.status.as_str(), Some("queued" | "in_progress"))
    }

    /// What the request said of its job.
    pub(crate) fn reference(&self) -> Option<&str> {
        self.metadata.get(REFERENCE_KEY)?.as_str()
    }

    /// What the response means to a caller who asked for an object of `schema`.
    pub(crate) fn outcome(self, schema: &Value) -> Outcome {
        // Compatible servers leave the status out when all is well.
        match self.status.as_str().unwrap_or("completed") {
            "completed" if self.error.is_null() => self.answer(schema),
            "incomplete" => {
                let reason = self
                    .incomplete_details
                    .get("reason")
                    .and_then(Value::as_str);
                let reason = reason
                    .and_then(identifier)
                    .unwrap_or_else(|| "unknown".to_owned());
                let message = match reason.as_str() {
                    "max_output_tokens" => "The model's answer was cut off: it is longer than the limit for one answer.".to_owned(),
                    "content_filter" => "The model's answer was cut off by the provider's content rules.".to_owned(),
                    other => format!("The model's answer is incomplete ({other})."),
                };
                self.failure(FailureKind::Incomplete { reason }, message)
            }
            "completed" | "failed" | "cancelled" => {
                let code = self
                    .error
                    .get("code")
                    .and_then(Value::as_str)
                    .and_then(identifier);
                let code = code.or_else(|| {
                    self.status
                        .as_str()
                        .filter(|s| *s == "cancelled")
                        .map(str::to_owned)
                });
                let message = match &code {
                    Some(code) => {
                        format!("The model's provider could not finish the answer ({code}).")
                    }
                    None => "The model's provider could not finish the answer.".to_owned(),
                };
                self.failure(FailureKind::Failed { code }, message)
            }
            "queued" | "in_progress" => lost(AmbiguityKind::Pending, Some(bounded(&self.id))),
            _ => lost(AmbiguityKind::Unreadable, Some(bounded(&self.id))),
        }
    }

    fn answer(self, schema: &Value) -> Outcome {
        let text = match text(&self.output) {
            Said::Text(text) => text,
            Said::Refusal => {
                return self.failure(
                    FailureKind::Refused,
                    "The model declined to work on this text.".to_owned(),
                );
            }
        };
        // A parser's error may quote what it read, so only the place of a misfit is passed on; its
        // keys come from the schema.
        let bad = |what: &str| format!("The model's answer cannot be used: {what}.");
        let json = match serde_json::from_str::<Value>(&text) {
            Ok(json @ Value::Object(_)) => json,
            Ok(_) => return self.failure(FailureKind::BadReply, bad("it is not a JSON object")),
            Err(_) if text.is_empty() => {
                return self.failure(FailureKind::BadReply, bad("it is empty"));
            }
            Err(_) => return self.failure(FailureKind::BadReply, bad("it is not JSON")),
        };
        if let Err(place) = conform(schema, &json) {
            return self.failure(
                FailureKind::BadReply,
                bad(&format!("it does not fit the schema at {place}")),
            );
        }
        Outcome::Reply(Reply {
            id: bounded(&self.id),
            model: self.model().unwrap_or_default(),
            usage: self.usage(),
            json,
        })
    }

    fn failure(&self, kind: FailureKind, message: String) -> Outcome {
        Outcome::Final(Failure {
            kind,
            message,
            usage: Some(self.usage()).filter(|usage| !usage.is_empty()),
            reply_id: Some(bounded(&self.id)),
            model: self.model(),
        })
    }

    fn model(&self) -> Option<String> {
        self.model.as_str().map(bounded)
    }

    fn usage(&self) -> Usage {
        let count = |pointer: &str| {
            self.usage
                .pointer(pointer)
                .and_then(Value::as_u64)
                .unwrap_or(0)
        };
        let (input_tokens, output_tokens) = (count("/input_tokens"), count("/output_tokens"));
        Usage {
            input_tokens,
            cached_input_tokens: count("/input_tokens_details/cached_tokens"),
            output_tokens,
            reasoning_tokens: count("/output_tokens_details/reasoning_tokens"),
            total: match count("/total_tokens") {
                0 => input_tokens.saturating_add(output_tokens),
                total => total,
            },
        }
    }
}

enum Said {
    Text(String),
    Refusal,
}

/// Joins the text of the messages, without the running commentary that some models give first.
fn text(output: &[Value]) -> Said {
    let is = |value: &Value, key: &str, expect: &str| {
        value.get(key).and_then(Value::as_str) == Some(expect)
    };
    let messages = output
        .iter()
        .filter(|item| is(item, "type", "message") && !is(item, "phase", "commentary"));
    let mut text = String::new();
    for part in messages
        .filter_map(|message| message.get("content")?.as_array())
        .flatten()
    {
        if is(part, "type", "refusal") {
            return Said::Refusal;
        }
        if is(part, "type", "output_text") {
            text.push_str(part.get("text").and_then(Value::as_str).unwrap_or_default());
        }
    }
    Said::Text(text)
}

fn bounded(text: &str) -> String {
    text.chars().take(LONGEST_NAME).collect()
}

/// Finds the id at the beginning of a response that did not arrive whole.
pub(crate) fn id_in_prefix(prefix: &[u8]) -> Option<String> {
    let mut found = None;
    let mut reader = serde_json::Deserializer::from_slice(prefix);
    // The prefix ends in the middle, so reading fails; what was found until then is what counts.
    let _ = serde::de::DeserializeSeed::deserialize(FindId(&mut found), &mut reader);
    found
}

struct FindId<'f>(&'f mut Option<String>);

impl<'de> serde::de::DeserializeSeed<'de> for FindId<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> serde::de::Visitor<'de> for FindId<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a response object")
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            if key == "id" {
                *self.0 = Some(bounded(&map.next_value::<String>()?));
            } else {
                map.next_value::<serde::de::IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn outcome(body: Value) -> Outcome {
        let schema =
            json!({"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]});
        serde_json::from_value::<Envelope>(body)
            .unwrap()
            .outcome(&schema)
    }

    #[expect(
        clippy::needless_pass_by_value,
        reason = "so that tables read `json!(...)`"
    )]
    fn said(content: Value) -> Value {
        json!({"id": "resp_1", "model": "m-1", "status": "completed", "output": [
            {"type": "reasoning", "id": "rs_1", "summary": []},
            {"type": "telepathy_call", "waves": [1, 2]},
            {"type": "message", "role": "assistant", "phase": "commentary",
             "content": [{"type": "output_text", "text": "Let me think."}]},
            {"type": "message", "role": "assistant", "content": content},
        ], "usage": {"input_tokens": 10, "input_tokens_details": {"cached_tokens": 4},
                     "output_tokens": 6, "output_tokens_details": {"reasoning_tokens": 2}, "total_tokens": 16}})
    }

    fn output_text(text: &str) -> Value {
        said(json!([{"type": "output_text", "text": text}]))
    }

    #[test]
    fn replies() {
        let expect = Reply {
            id: "resp_1".into(),
            model: "m-1".into(),
            json: json!({"a": 1}),
            usage: Usage {
                input_tokens: 10,
                cached_input_tokens: 4,
                output_tokens: 6,
                reasoning_tokens: 2,
                total: 16,
            },
        };
        for body in [
            output_text(r#"{"a": 1}"#),
            said(json!([
                {"type": "output_text", "text": "{\"a\":"},
                {"type": "smell"},
                {"type": "output_text", "text": "1}"},
            ])),
        ] {
            assert_eq!(outcome(body), Outcome::Reply(expect.clone()));
        }
    }

    #[test]
    fn what_may_be_missing_or_odd() {
        let bare = json!({"id": "r", "usage": "free", "model": null, "error": null,
            "output": [{"type": "message", "content": [{"type": "output_text", "text": "{\"a\":1}"}]}, 7, null]});
        let Outcome::Reply(reply) = outcome(bare) else {
            panic!()
        };
        assert_eq!((reply.model.as_str(), reply.usage), ("", Usage::default()));
        for missing in [
            json!({"output": []}),
            json!({"id": 5, "output": []}),
            json!({"id": "r"}),
            json!([]),
        ] {
            assert!(serde_json::from_value::<Envelope>(missing).is_err());
        }
    }

    #[test]
    fn final_failures() {
        let kind = |body: Value| match outcome(body) {
            Outcome::Final(failure) => {
                assert_eq!(failure.reply_id.as_deref(), Some("resp_1"));
                assert!(!failure.message.contains("Jane"), "{}", failure.message);
                (failure.kind, failure.message)
            }
            other => panic!("{other:?}"),
        };
        let bad = |body: Value, expect: &str| {
            let (kind, message) = kind(body);
            assert_eq!(kind, FailureKind::BadReply);
            assert!(message.contains(expect), "{message}");
        };
        bad(output_text("Sure, Jane! {"), "not JSON");
        bad(output_text("[1]"), "not a JSON object");
        bad(output_text(""), "empty");
        bad(said(json!([])), "empty");
        bad(output_text(r#"{"a": "Jane"}"#), "at /a");
        bad(output_text(r#"{"Jane": 1}"#), "at /a");
        bad(output_text(&"[".repeat(100_000)), "not JSON");
        assert_eq!(
            kind(said(json!([{"type": "refusal", "refusal": "No, Jane."}]))).0,
            FailureKind::Refused
        );

        let with = |key: &str, value: Value, status: &str| {
            let mut body = output_text(r#"{"a": 1}"#);
            body["status"] = status.into();
            body[key] = value;
            kind(body).0
        };
        for (reason, expect) in [
            ("max_output_tokens", "max_output_tokens"),
            ("Jane Doe", "unknown"),
        ] {
            assert_eq!(
                with(
                    "incomplete_details",
                    json!({"reason": reason}),
                    "incomplete"
                ),
                FailureKind::Incomplete {
                    reason: expect.into()
                }
            );
        }
        let failed = |code: Option<&str>| FailureKind::Failed {
            code: code.map(Into::into),
        };
        let error = json!({"code": "server_error", "message": "Jane"});
        assert_eq!(
            with("error", error.clone(), "failed"),
            failed(Some("server_error"))
        );
        assert_eq!(
            with("error", error, "completed"),
            failed(Some("server_error"))
        );
        assert_eq!(with("error", Value::Null, "failed"), failed(None));
        assert_eq!(
            with("error", Value::Null, "cancelled"),
            failed(Some("cancelled"))
        );
    }

    #[test]
    fn unsettled_responses_are_ambiguous() {
        for (status, kind) in [
            ("queued", AmbiguityKind::Pending),
            ("in_progress", AmbiguityKind::Pending),
            ("levitating", AmbiguityKind::Unreadable),
        ] {
            let body = json!({"id": "resp_1", "status": status, "output": []});
            assert_eq!(outcome(body), lost(kind, Some("resp_1".into())));
        }
    }

    #[test]
    fn ids_of_truncated_responses() {
        for (prefix, expect) in [
            (r#"{"id":"resp_1","object":"resp"#, Some("resp_1")),
            (
                r#"{"object":"response","x":{"id":"no"},"id":"resp_2","out"#,
                Some("resp_2"),
            ),
            (r#"{"x":{"id":"no"},"ou"#, None),
            (r#"{"id":"resp_"#, None),
            (r#"{"id":7,"#, None),
            ("[{\"id\":\"no\"}", None),
            ("<html>", None),
            ("", None),
        ] {
            assert_eq!(
                id_in_prefix(prefix.as_bytes()).as_deref(),
                expect,
                "{prefix}"
            );
        }
    }
}
