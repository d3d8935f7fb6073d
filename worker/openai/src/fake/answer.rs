//! Makes the answer that a well-behaved model might give: of the schema, and from the input.

use serde_json::{Map, Value};

use crate::conform::{conform, is_type, resolve};

/// Answers are not nested deeper than this.
const DEPTH: usize = 24;

/// An instance of `schema`, with what the input offers where it fits.
pub(super) fn instance(schema: &Value, input: &Value) -> Value {
    let builder = Builder { root: schema };
    let cv = input.get("cv");
    let source = match (cv, input) {
        // The fields of the CV come first; the input's own fields fill what it lacks.
        (Some(Value::Object(cv)), Value::Object(input)) => {
            let mut fields = input.clone();
            fields.extend(cv.clone());
            Value::Object(fields)
        }
        _ => Value::Null,
    };
    builder.build(schema, &source, DEPTH)
}

/// The JSON that a request's input holds, or null.
pub(super) fn input(request: &Value) -> Value {
    let text = match request.get("input") {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(items)) => items.iter().filter_map(item_text).collect(),
        _ => return Value::Null,
    };
    serde_json::from_str(&text).unwrap_or_default()
}

fn item_text(item: &Value) -> Option<String> {
    match item.get("content")? {
        Value::String(text) => Some(text.clone()),
        Value::Array(parts) => Some(
            parts
                .iter()
                .filter_map(|part| part.get("text")?.as_str())
                .collect(),
        ),
        _ => None,
    }
}

struct Builder<'s> {
    root: &'s Value,
}

impl Builder<'_> {
    fn build(&self, schema: &Value, source: &Value, depth: usize) -> Value {
        let schema = resolve(self.root, schema);
        let Some(depth) = depth.checked_sub(1) else {
            return Value::Null;
        };
        if let Some(constant) = schema.get("const") {
            return constant.clone();
        }
        if let Some(Value::Array(values)) = schema.get("enum") {
            let known = values.iter().find(|value| *value == source);
            return known.or(values.first()).cloned().unwrap_or_default();
        }
        if let Some(Value::Array(branches)) = schema.get("anyOf") {
            return self.branch(branches, source, depth);
        }
        match Self::type_of(schema, source) {
            "object" => self.object(schema, source, depth),
            "array" => self.array(schema, source, depth),
            "null" => Value::Null,
            scalar if is_type(scalar, source) && self.fits(schema, source) => source.clone(),
            "string" => "x".repeat(size(schema, "minLength")).into(),
            "boolean" => false.into(),
            _ => schema.get("minimum").cloned().unwrap_or_else(|| 0.into()),
        }
    }

    /// The branch that the source fits, or null, or the first.
    fn branch(&self, branches: &[Value], source: &Value, depth: usize) -> Value {
        let allows = |name: &str| {
            branches.iter().find(|branch| {
                resolve(self.root, branch)
                    .get("type")
                    .and_then(Value::as_str)
                    == Some(name)
            })
        };
        let fitting = branches
            .iter()
            .filter(|_| !source.is_null())
            .find(|branch| self.fits(branch, source));
        let alike = || {
            branches
                .iter()
                .filter(|_| !source.is_null())
                .find(|branch| {
                    let name = resolve(self.root, branch)
                        .get("type")
                        .and_then(Value::as_str);
                    name.is_some_and(|name| is_type(name, source))
                })
        };
        match fitting
            .or_else(alike)
            .or_else(|| allows("null"))
            .or(branches.first())
        {
            Some(branch) => self.build(branch, source, depth),
            None => Value::Null,
        }
    }

    fn type_of<'v>(schema: &'v Value, source: &Value) -> &'v str {
        match schema.get("type") {
            Some(Value::String(name)) => name,
            Some(Value::Array(names)) => {
                let mut names = names.iter().filter_map(Value::as_str);
                let first = names.clone().next().unwrap_or("null");
                let null = names.clone().find(|name| *name == "null");
                names
                    .find(|name| *name != "null" && is_type(name, source))
                    .or(null)
                    .unwrap_or(first)
            }
            _ if schema.get("properties").is_some() => "object",
            _ => "null",
        }
    }

    fn object(&self, schema: &Value, source: &Value, depth: usize) -> Value {
        let properties = schema.get("properties").and_then(Value::as_object);
        let fields = properties.into_iter().flatten().map(|(key, field)| {
            (
                key.clone(),
                self.build(field, source.get(key).unwrap_or(&Value::Null), depth),
            )
        });
        Value::Object(fields.collect::<Map<_, _>>())
    }

    fn array(&self, schema: &Value, source: &Value, depth: usize) -> Value {
        let item = schema.get("items").unwrap_or(&Value::Null);
        let most = schema
            .get("maxItems")
            .and_then(Value::as_u64)
            .unwrap_or(u64::MAX);
        let given = source
            .as_array()
            .into_iter()
            .flatten()
            .take(usize::try_from(most).unwrap_or(usize::MAX));
        let mut items: Vec<Value> = given.map(|value| self.build(item, value, depth)).collect();
        while items.len() < size(schema, "minItems") {
            items.push(self.build(item, &Value::Null, depth));
        }
        Value::Array(items)
    }

    fn fits(&self, schema: &Value, source: &Value) -> bool {
        let mut rooted = resolve(self.root, schema).clone();
        if let (Value::Object(schema), Some(definitions)) = (&mut rooted, self.root.get("$defs")) {
            schema.insert("$defs".to_owned(), definitions.clone());
        }
        conform(&rooted, source).is_ok()
    }
}

/// A lower bound of the schema, within reason.
fn size(schema: &Value, key: &str) -> usize {
    schema
        .get(key)
        .and_then(Value::as_u64)
        .map_or(0, |size| size.min(1000) as usize)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schema() -> Value {
        json!({
            "type": "object",
            "properties": {
                "profile": {"type": ["string", "null"]},
                "language": {"type": "string", "enum": ["en", "de"]},
                "work": {"type": "array", "items": {"$ref": "#/$defs/entry"}},
                "link": {"anyOf": [{"$ref": "#/$defs/entry"}, {"type": "null"}]},
                "score": {"type": "integer", "minimum": 3},
                "kind": {"const": "cv"},
                "tags": {"type": "array", "items": {"type": "string", "minLength": 2}, "minItems": 2},
                "done": {"type": "boolean"},
            },
            "required": ["profile", "language", "work", "link", "score", "kind", "tags", "done"],
            "additionalProperties": false,
            "$defs": {"entry": {
                "type": "object",
                "properties": {"title": {"type": "string"}, "bullets": {"type": "array", "items": {"type": "string"}}},
                "required": ["title", "bullets"],
                "additionalProperties": false,
            }},
        })
    }

    #[test]
    fn the_least_that_a_schema_permits() {
        for input in [json!(null), json!({}), json!({"cv": 5}), json!("text")] {
            let answer = instance(&schema(), &input);
            assert_eq!(
                answer,
                json!({"profile": null, "language": "en", "work": [], "link": null, "score": 3,
                       "kind": "cv", "tags": ["xx", "xx"], "done": false})
            );
            assert_eq!(conform(&schema(), &answer), Ok(()));
        }
    }

    #[test]
    fn what_the_input_offers() {
        let input = json!({"language": "de", "profile": "not this one", "cv": {
            "profile": "Nurse",
            "work": [{"title": "A", "bullets": ["b", 5], "secret": 1}, "odd"],
            "link": {"title": "L", "bullets": [], "more": true},
            "score": "high",
            "kind": "other",
            "tags": ["one", "two", "three"],
            "done": true,
            "unasked": 1,
        }});
        let answer = instance(&schema(), &input);
        assert_eq!(
            answer,
            json!({"profile": "Nurse", "language": "de",
                   "work": [{"title": "A", "bullets": ["b", ""]}, {"title": "", "bullets": []}],
                   "link": {"title": "L", "bullets": []}, "score": 3, "kind": "cv",
                   "tags": ["one", "two", "three"], "done": true})
        );
        assert_eq!(conform(&schema(), &answer), Ok(()));
    }

    #[test]
    fn a_schema_that_asks_for_the_cv_as_a_whole() {
        let schema = json!({"type": "object", "properties": {"cv": schema()}, "required": ["cv"]});
        let answer = instance(&schema, &json!({"cv": {"profile": "Nurse"}}));
        assert_eq!(answer["cv"]["profile"], "Nurse");
    }

    #[test]
    fn endless_schemas_end() {
        let tree = json!({"$ref": "#/$defs/n", "$defs": {"n": {"type": "object", "properties": {
            "next": {"$ref": "#/$defs/n"}}, "required": ["next"]}}});
        assert!(instance(&tree, &Value::Null).is_object());
    }

    #[test]
    fn inputs() {
        for (request, expect) in [
            (json!({"input": "{\"cv\":1}"}), json!({"cv": 1})),
            (
                json!({"input": [{"role": "user", "content": "{\"cv\":1}"}]}),
                json!({"cv": 1}),
            ),
            (
                json!({"input": [{"content": [{"type": "input_text", "text": "{\"cv\":1}"}]}]}),
                json!({"cv": 1}),
            ),
            (json!({"input": "hello"}), Value::Null),
            (json!({}), Value::Null),
        ] {
            assert_eq!(input(&request), expect, "{request}");
        }
    }
}
