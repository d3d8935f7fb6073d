//! Reading JSON that strangers send, and saying where it is wrong without quoting it.
//!
//! Two steps: any JSON as a value, with no key twice and no nesting beyond what a reader's stack
//! holds; then the shape that the operation takes. Messages name fields and what is expected,
//! never a value: it may be text of a CV.

use std::fmt;

use schemas::{FieldError, ProblemKind};
use serde::de::{DeserializeOwned, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;
use serde_json::{Map, Number, Value};

use crate::problem::Failure;

/// Most characters of a path or name in a message: callers choose how long theirs are.
const LONGEST_SHOWN: usize = 120;

/// Reads a body as `T`, which is a struct, as are its members `objects`: Serde alone would also
/// take an array for them, with the fields in their order.
pub(crate) fn parse<T: DeserializeOwned>(body: &[u8], objects: &[&str]) -> Result<T, Failure> {
    let value = value(body)?;
    let is_object = |value: Option<&Value>| value.is_none_or(Value::is_object);
    let members = objects.iter().map(|name| (*name, value.get(name)));
    let all = std::iter::once(("", Some(&value))).chain(members);
    if let Some((path, _)) = all.into_iter().find(|(_, value)| !is_object(*value)) {
        return Err(malformed(misshapen(
            path,
            "invalid type, expected an object",
        )));
    }
    shape(value)
}

/// A value as `T`.
pub(crate) fn shape<T: DeserializeOwned>(value: Value) -> Result<T, Failure> {
    serde_path_to_error::deserialize(value)
        .map_err(|e| malformed(misshapen(&shown_path(e.path()), &e.inner().to_string())))
}

/// Reads a body as any JSON, within a reader's limits.
pub(crate) fn value(body: &[u8]) -> Result<Value, Failure> {
    // Some systems put a byte order mark in front; RFC 8259, section 8.1, lets a reader pass it.
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(malformed(fault(
            "",
            "missing",
            "The body is empty. Send a JSON object.",
        )));
    }
    let mut reader = serde_json::Deserializer::from_slice(body);
    let Strict(value) = serde_path_to_error::deserialize(&mut reader)
        .map_err(|e| malformed(unreadable(&shown_path(e.path()), e.inner())))?;
    reader.end().map_err(|e| malformed(unreadable("", &e)))?;
    Ok(value)
}

fn malformed(fault: FieldError) -> Failure {
    Failure::new(ProblemKind::MalformedBody, fault.message.clone()).with_errors(vec![fault])
}

/// Not JSON, or JSON that two readers would read in two ways.
fn unreadable(path: &str, error: &serde_json::Error) -> FieldError {
    let place = format!("line {} column {}", error.line(), error.column());
    let text = error.to_string();
    let (code, message) = match error.classify() {
        Category::Eof => (
            "syntax",
            format!(
                "The JSON ends too early, at {place}: it was cut off, or a bracket or quote is \
                 not closed."
            ),
        ),
        _ if text.starts_with("recursion limit") => (
            "too_deep",
            format!("The JSON is nested deeper than 128 levels, at {place}. No request needs it."),
        ),
        Category::Data => ("duplicate_key", format!("The JSON cannot be used: {text}.")),
        Category::Syntax | Category::Io => ("syntax", format!("The body is not JSON: {text}.")),
    };
    fault(path, code, &message)
}

/// JSON, but not what the operation takes. `text` is the reader's own message, which may quote a
/// value before it comes to what it expected.
fn misshapen(path: &str, text: &str) -> FieldError {
    let name = if path.is_empty() { "The body" } else { path };
    let quoted = |prefix: &str| {
        let rest = text.strip_prefix(prefix)?.strip_prefix('`')?;
        Some(shorten(rest.split_once('`')?.0))
    };
    if let Some(field) = quoted("missing field ") {
        let path = if path.is_empty() {
            field
        } else {
            format!("{path}.{field}")
        };
        return fault(&path, "missing", &format!("{path} is required."));
    }
    let expected = text
        .rsplit_once(", expected ")
        .map(|(_, expected)| expected);
    if text.starts_with("unknown field ") {
        let taken = expected.unwrap_or("no field at all");
        let message = format!("{name} is not a known field; expected {taken}.");
        return fault(path, "unknown_field", &message);
    }
    if text.starts_with("unknown variant ") {
        let message = format!(
            "{name} is not one that is known here; expected {}.",
            expected.unwrap_or("none")
        );
        return fault(path, "unknown_value", &message);
    }
    let code = if text.starts_with("invalid type") {
        "wrong_type"
    } else {
        "invalid_value"
    };
    let message = match expected {
        Some(expected) => format!("{name} has the wrong form; expected {}.", plain(expected)),
        // The reader's own words: they name a Rust type.
        None if text.starts_with("data did not match") => {
            format!("{name} has a form that is not taken here.")
        }
        None => format!("{name}: {text}."),
    };
    fault(path, code, &message)
}

/// What the reader expected, in the words of JSON.
fn plain(expected: &str) -> &str {
    match expected {
        // The name came as a text where it should be a key.
        "newtype variant" => "a key with a value",
        "map with a single key" => "an object with a single key",
        "string or map" => "a string, or an object with a single key",
        "a map" => "an object",
        _ if expected.starts_with("struct ") => "an object",
        other => other,
    }
}

fn fault(path: &str, code: &str, message: &str) -> FieldError {
    FieldError {
        path: path.to_owned(),
        code: code.to_owned(),
        message: message.to_owned(),
        ..FieldError::default()
    }
}

/// A path as problems have it: empty for the whole body, and up to what could still be read.
fn shown_path(path: &serde_path_to_error::Path) -> String {
    let path = path.to_string();
    let known = path.strip_suffix('?').unwrap_or(&path);
    shorten(known.strip_suffix('.').unwrap_or(known))
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(LONGEST_SHOWN) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

/// Any JSON, no key twice. `serde_json` keeps the last of two values, others the first: what one
/// checks another may not use.
struct Strict(Value);

impl<'de> serde::Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(StrictVisitor).map(Self)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(Strict(value)) = items.next_element()? {
            array.push(value);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if object.contains_key(&key) {
                let key = shorten(&key);
                return Err(A::Error::custom(format!(
                    "the key {key:?} stands twice in one object"
                )));
            }
            let Strict(value) = entries.next_value()?;
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse as _;
    use schemas::Problem;
    use schemas::job::JobRequest;

    use super::*;

    fn problem(body: &[u8]) -> Problem {
        let failure = parse::<JobRequest>(body, &["options"]).unwrap_err();
        failure
            .into_response()
            .extensions()
            .get::<Problem>()
            .unwrap()
            .clone()
    }

    #[test]
    fn faults_say_where_and_what_and_quote_nothing() {
        let check = |body: &str, path: &str, code: &str, says: &str| {
            let problem = problem(body.as_bytes());
            assert_eq!(problem.kind, ProblemKind::MalformedBody);
            let error = &problem.errors[0];
            assert_eq!(
                (error.path.as_str(), error.code.as_str()),
                (path, code),
                "{body}: {error:?}"
            );
            assert!(problem.detail.contains(says), "{body}: {}", problem.detail);
            assert!(!problem.detail.contains("Morrow"), "{}", problem.detail);
        };
        check("", "", "missing", "empty");
        check(" \r\n", "", "missing", "empty");
        check("hello", "", "syntax", "line 1 column 1");
        check(
            r#"{"kind":"cv","input":{"cv":{"#,
            "input.cv",
            "syntax",
            "ends too early",
        );
        check(r#"{"kind":"cv"} x"#, "", "syntax", "trailing characters");
        check(
            r#"{"kind":"cv","kind":"cv"}"#,
            "",
            "duplicate_key",
            "\"kind\" stands twice",
        );
        check(
            r#"{"input":{"cv":{"a":[{"b":1,"b":2}]}}}"#,
            "input.cv.a[0]",
            "duplicate_key",
            "\"b\"",
        );
        check(r#"{"a":1e999}"#, "a", "syntax", "out of range");
        check(r#"{"a":"\ud800"}"#, "a", "syntax", "not JSON");
        check("[]", "", "wrong_type", "expected an object");
        check(
            r#"["cv",{"cv":{}}]"#,
            "",
            "wrong_type",
            "expected an object",
        );
        check(
            "\"Ida Morrow\"",
            "",
            "wrong_type",
            "The body has the wrong form",
        );
        check("{}", "kind", "missing", "kind is required");
        check(r#"{"kind":"cv"}"#, "input", "missing", "input is required");
        check(
            r#"{"kind":"Ida Morrow","input":{"cv":{}}}"#,
            "kind",
            "unknown_value",
            "expected `cv`",
        );
        check(
            r#"{"kind":"cv","input":"Ida Morrow"}"#,
            "input",
            "unknown_value",
            "`session_id`",
        );
        check(
            r#"{"kind":"cv","input":{"pdf":{}}}"#,
            "input",
            "unknown_value",
            "`session_id`",
        );
        check(
            r#"{"kind":"cv","input":{"cv":{},"b":1}}"#,
            "input",
            "invalid_value",
            "single key",
        );
        check(
            r#"{"kind":"cv","input":{"cv":1},"x":1}"#,
            "x",
            "unknown_field",
            "`options`",
        );
        let options =
            |options: &str| format!(r#"{{"kind":"cv","input":{{"cv":1}},"options":{options}}}"#);
        check(
            &options(r#"{"page":1}"#),
            "options.page",
            "unknown_field",
            "`pages`",
        );
        check(
            &options(r#"{"theme":"Morrow"}"#),
            "options.theme",
            "invalid_value",
            "1 to 32",
        );
        check(
            &options(r#"{"force":"Morrow"}"#),
            "options.force",
            "wrong_type",
            "a boolean",
        );
        check(
            &options(r#"{"pages":9}"#),
            "options.pages",
            "invalid_value",
            "1, 2, 3, 4",
        );
        check(
            &options("[]"),
            "options",
            "wrong_type",
            "expected an object",
        );
        check(
            &options("null"),
            "options",
            "wrong_type",
            "expected an object",
        );
        let input = |input: &str| format!(r#"{{"kind":"cv","input":{input}}}"#);
        check(
            &input("5"),
            "input",
            "wrong_type",
            "an object with a single key",
        );
        check(
            &input("[]"),
            "input",
            "wrong_type",
            "an object with a single key",
        );
        check(
            &input(r#""cv""#),
            "input.cv",
            "wrong_type",
            "a key with a value",
        );
    }

    #[test]
    fn depth_and_foreign_bytes_are_refused_without_harm() {
        for deep in ["[".repeat(10_000), r#"{"a":"#.repeat(10_000)] {
            let problem = problem(deep.as_bytes());
            assert_eq!(problem.errors[0].code, "too_deep");
            assert!(problem.errors[0].path.len() < 200);
        }
        assert_eq!(problem(b"{\"a\":\"\xff\"}").errors[0].code, "syntax");
        assert_eq!(problem(b"\x00\x01\x02").errors[0].code, "syntax");
    }

    #[test]
    fn a_byte_order_mark_is_passed_over() {
        let body = b"\xef\xbb\xbf{\"kind\":\"cv\",\"input\":{\"cv\":{}}}";
        assert!(parse::<JobRequest>(body, &["options"]).is_ok());
    }
}
