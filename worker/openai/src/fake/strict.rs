//! Refuses what the real API refuses, so that a mistake shows before it costs a failed deployment.
//!
//! The rules are those of the API's guide to structured outputs and of its metadata; what the
//! guide leaves open is let through.

use serde_json::{Map, Value};

/// A refusal, status 400.
#[derive(Debug, PartialEq)]
pub(super) struct Fault {
    pub(super) message: String,
    pub(super) param: Option<&'static str>,
    pub(super) code: Option<&'static str>,
}

const FORBIDDEN: [&str; 22] = [
    "allOf",
    "oneOf",
    "not",
    "if",
    "then",
    "else",
    "dependentRequired",
    "dependentSchemas",
    "patternProperties",
    "propertyNames",
    "minProperties",
    "maxProperties",
    "unevaluatedProperties",
    "unevaluatedItems",
    "prefixItems",
    "contains",
    "minContains",
    "maxContains",
    "uniqueItems",
    "default",
    "definitions",
    "discriminator",
];
const FORMATS: [&str; 9] = [
    "date-time",
    "time",
    "date",
    "duration",
    "email",
    "hostname",
    "ipv4",
    "ipv6",
    "uuid",
];
const DEEPEST: usize = 10;
const MOST_PROPERTIES: usize = 5000;

/// Finds the first thing in a request that the API would refuse.
pub(super) fn fault(request: &Value) -> Option<Fault> {
    let plain = |param, message: &str| {
        Some(Fault {
            message: message.to_owned(),
            param,
            code: None,
        })
    };
    let Some(request) = request.as_object() else {
        return plain(None, "The body is not a JSON object.");
    };
    if request.get("stream").and_then(Value::as_bool) == Some(true) {
        return plain(Some("stream"), "This fake does not stream.");
    }
    if !request.get("model").is_some_and(Value::is_string) && !request.contains_key("prompt") {
        return Some(Fault {
            message: "A model or a prompt is required.".to_owned(),
            param: Some("model"),
            code: Some("missing_required_parameter"),
        });
    }
    if request.get("background").and_then(Value::as_bool) == Some(true)
        && request.get("store").and_then(Value::as_bool) == Some(false)
    {
        return plain(
            Some("background"),
            "A response in the background must be stored.",
        );
    }
    if let Some(Value::Object(metadata)) = request.get("metadata") {
        let fits = |(key, value): (&String, &Value)| {
            key.chars().count() <= 64
                && value
                    .as_str()
                    .is_some_and(|value| value.chars().count() <= 512)
        };
        if metadata.len() > 16 || !metadata.iter().all(fits) {
            return plain(
                Some("metadata"),
                "At most 16 keys of 64 characters, with texts of 512.",
            );
        }
    }
    let format = request.get("text")?.get("format")?;
    if format.get("type")? != "json_schema" {
        return None;
    }
    let schema_fault = |message: String| {
        Some(Fault {
            message,
            param: Some("text.format.schema"),
            code: Some("invalid_json_schema"),
        })
    };
    let name = format
        .get("name")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if name.is_empty() || name.len() > 64 || !name.chars().all(letters) {
        return plain(
            Some("text.format.name"),
            "1 to 64 letters, digits, underscores and dashes.",
        );
    }
    let Some(schema) = format.get("schema").filter(|schema| schema.is_object()) else {
        return schema_fault("The schema is not an object.".to_owned());
    };
    if format.get("strict").and_then(Value::as_bool) != Some(true) {
        return None;
    }
    if schema.get("type").and_then(Value::as_str) != Some("object") {
        return schema_fault("At the root: the type must be object.".to_owned());
    }
    let mut properties = 0;
    let definitions = schema
        .get("$defs")
        .and_then(Value::as_object)
        .into_iter()
        .flatten();
    walk(schema, "", 0, &mut properties)
        .and_then(|()| {
            definitions.into_iter().try_for_each(|(key, definition)| {
                walk(definition, &format!("/$defs/{key}"), 0, &mut properties)
            })
        })
        .err()
        .and_then(schema_fault)
}

fn walk(schema: &Value, path: &str, depth: usize, properties: &mut usize) -> Result<(), String> {
    let at = if path.is_empty() { "the root" } else { path };
    let Some(keys) = schema.as_object() else {
        return Err(format!("At {at}: not a schema object."));
    };
    if depth > DEEPEST {
        return Err(format!("At {at}: nested deeper than {DEEPEST} levels."));
    }
    if let Some(key) = keys.keys().find(|key| FORBIDDEN.contains(&key.as_str())) {
        return Err(format!("At {at}: {key} is not permitted."));
    }
    if keys.contains_key("$ref") {
        return match keys.len() {
            1 => Ok(()),
            _ => Err(format!("At {at}: $ref cannot stand beside other keywords.")),
        };
    }
    if !["type", "anyOf", "enum", "const"]
        .iter()
        .any(|key| keys.contains_key(*key))
    {
        return Err(format!("At {at}: a type is required."));
    }
    if let Some(format) = keys.get("format").and_then(Value::as_str)
        && !FORMATS.contains(&format)
    {
        return Err(format!("At {at}: the format {format} is not supported."));
    }
    if is_object(keys) {
        object(keys, path, at, depth, properties)?;
    }
    if let Some(items) = keys.get("items") {
        walk(items, &format!("{path}/items"), depth + 1, properties)?;
    } else if keys.get("type").and_then(Value::as_str) == Some("array") {
        return Err(format!("At {at}: an array needs items."));
    }
    for (index, branch) in keys
        .get("anyOf")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .enumerate()
    {
        if depth == 0 && path.is_empty() {
            return Err("At the root: anyOf is not permitted.".to_owned());
        }
        walk(branch, &format!("{path}/anyOf/{index}"), depth, properties)?;
    }
    Ok(())
}

fn is_object(keys: &Map<String, Value>) -> bool {
    match keys.get("type") {
        Some(Value::Array(names)) => names.iter().any(|name| name == "object"),
        Some(name) => name == "object",
        None => keys.contains_key("properties"),
    }
}

fn object(
    keys: &Map<String, Value>,
    path: &str,
    at: &str,
    depth: usize,
    properties: &mut usize,
) -> Result<(), String> {
    if keys.get("additionalProperties") != Some(&Value::Bool(false)) {
        return Err(format!(
            "At {at}: additionalProperties must be there and false."
        ));
    }
    let required: Vec<_> = keys
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .collect();
    for (key, field) in keys
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        *properties += 1;
        if *properties > MOST_PROPERTIES {
            return Err(format!("More than {MOST_PROPERTIES} properties."));
        }
        if !required.iter().any(|name| *name == key) {
            return Err(format!(
                "At {at}: required must list every property, and {key} is missing."
            ));
        }
        walk(
            field,
            &format!("{path}/properties/{key}"),
            depth + 1,
            properties,
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn request(schema: &Value) -> Value {
        json!({"model": "m", "input": "i", "text": {"format":
            {"type": "json_schema", "name": "n", "strict": true, "schema": schema}}})
    }

    #[expect(
        clippy::needless_pass_by_value,
        reason = "so that tables read `json!(...)`"
    )]
    fn check(schema: Value, expect: &str) {
        let found = fault(&request(&schema)).map(|fault| {
            assert_eq!(fault.code, Some("invalid_json_schema"));
            fault.message
        });
        match found {
            None => assert_eq!(expect, "", "{schema}"),
            Some(message) => assert!(
                !expect.is_empty() && message.contains(expect),
                "{schema}: {message}"
            ),
        }
    }

    #[expect(
        clippy::needless_pass_by_value,
        reason = "so that tables read `json!(...)`"
    )]
    fn object(field: Value) -> Value {
        json!({"type": "object", "properties": {"a": field}, "required": ["a"], "additionalProperties": false})
    }

    #[test]
    fn schemas() {
        check(object(json!({"type": "string"})), "");
        check(
            object(json!({"type": ["string", "null"], "description": "d", "pattern": "^a"})),
            "",
        );
        check(
            object(json!({"anyOf": [object(json!({"type": "null"})), {"type": "null"}]})),
            "",
        );
        check(
            object(json!({"type": "array", "items": object(json!({"enum": [1]}))})),
            "",
        );
        check(object(json!({})), "/properties/a: a type is required");
        check(object(json!({"type": "object"})), "additionalProperties");
        check(object(json!({"type": "array"})), "needs items");
        check(object(json!({"oneOf": []})), "oneOf is not permitted");
        check(
            object(json!({"type": "string", "default": ""})),
            "default is not permitted",
        );
        check(
            object(json!({"type": "integer", "format": "uint32"})),
            "uint32",
        );
        check(
            object(json!({"$ref": "#/$defs/x", "description": "d"})),
            "beside other keywords",
        );
        check(object(json!(true)), "not a schema object");
        check(
            json!({"type": "array", "items": {"type": "string"}}),
            "must be object",
        );
        check(
            json!({"type": "object", "properties": {"a": {"type": "string"}}, "required": [], "additionalProperties": false}),
            "a is missing",
        );
        let mut defined = object(json!({"$ref": "#/$defs/x"}));
        defined["$defs"] = json!({"x": {"type": "object", "properties": {}, "required": []}});
        check(defined, "/$defs/x: additionalProperties");
        let deep = (0..12).fold(json!({"type": "string"}), |inner, _| object(inner));
        check(deep, "deeper than 10");
    }

    #[test]
    fn requests() {
        let ok = request(&object(json!({"type": "string"})));
        for (key, value, expect) in [
            ("model", Value::Null, Some("model")),
            ("stream", json!(true), Some("stream")),
            ("metadata", json!({"k": "x".repeat(513)}), Some("metadata")),
            ("metadata", json!({"k": 1}), Some("metadata")),
            ("metadata", json!({"k": "x".repeat(512)}), None),
            ("text", json!({"format": {"type": "text"}}), None),
            (
                "text",
                json!({"format": {"type": "json_schema", "name": "a b", "schema": {}}}),
                Some("text.format.name"),
            ),
        ] {
            let mut request = ok.clone();
            request[key] = value;
            assert_eq!(
                fault(&request).and_then(|fault| fault.param),
                expect,
                "{key}"
            );
        }
        let mut request = ok.clone();
        request["background"] = true.into();
        request["store"] = false.into();
        assert_eq!(
            fault(&request).and_then(|fault| fault.param),
            Some("background")
        );
        assert_eq!(fault(&json!({"prompt": {"id": "p"}, "input": "i"})), None);
        assert!(fault(&json!([])).is_some());
    }
}
