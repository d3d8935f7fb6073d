//! A light check that an answer has the shape that was asked for.
//!
//! A provider that honours strict output needs no check; a compatible server may not honour it.
//! The check knows types, required keys, `enum`, `const`, `anyOf`, `items` and local `$ref`s, and
//! passes over whatever else a schema says. A key that the schema does not know does no harm and
//! is let through: the answer has been paid for.

use serde_json::Value;

/// Deeper schemas and answers than this are not followed.
const DEPTH: usize = 64;

/// Checks `value`; the error is the JSON pointer of the first part that does not fit.
pub(crate) fn conform(schema: &Value, value: &Value) -> Result<(), String> {
    Check { root: schema }.at(schema, value, &mut String::new(), DEPTH)
}

/// Finds what a local reference such as `#/$defs/Entry` points at.
pub(crate) fn resolve<'s>(root: &'s Value, schema: &'s Value) -> &'s Value {
    let mut found = schema;
    for _ in 0..8 {
        let target = found
            .get("$ref")
            .and_then(Value::as_str)
            .and_then(|r| r.strip_prefix('#'));
        match target.and_then(|pointer| root.pointer(pointer)) {
            Some(next) => found = next,
            None => break,
        }
    }
    found
}

/// True if `value` is of the JSON Schema type `name`.
pub(crate) fn is_type(name: &str, value: &Value) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "number" => value.is_number(),
        "integer" => {
            value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|n| n.fract() == 0.0)
        }
        _ => true,
    }
}

struct Check<'s> {
    root: &'s Value,
}

impl Check<'_> {
    fn at(
        &self,
        schema: &Value,
        value: &Value,
        path: &mut String,
        depth: usize,
    ) -> Result<(), String> {
        let schema = resolve(self.root, schema);
        let misfit = || {
            Err(if path.is_empty() {
                "/".to_owned()
            } else {
                path.clone()
            })
        };
        let Some(depth) = depth.checked_sub(1) else {
            return misfit();
        };
        let typed = match schema.get("type") {
            Some(Value::String(name)) => is_type(name, value),
            Some(Value::Array(names)) => names
                .iter()
                .filter_map(Value::as_str)
                .any(|name| is_type(name, value)),
            _ => true,
        };
        let listed = match schema.get("enum") {
            Some(Value::Array(values)) => values.contains(value),
            _ => true,
        };
        let fixed = schema.get("const").is_none_or(|constant| constant == value);
        if !(typed && listed && fixed) {
            return misfit();
        }
        if let Some(Value::Array(branches)) = schema.get("anyOf")
            && !branches
                .iter()
                .any(|branch| self.at(branch, value, &mut path.clone(), depth).is_ok())
        {
            return misfit();
        }
        match value {
            Value::Object(fields) => {
                for key in schema
                    .get("required")
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten()
                {
                    if let Some(key) = key.as_str()
                        && !fields.contains_key(key)
                    {
                        return Err(format!("{path}/{key}"));
                    }
                }
                for (key, field) in schema
                    .get("properties")
                    .and_then(Value::as_object)
                    .into_iter()
                    .flatten()
                {
                    if let Some(value) = fields.get(key) {
                        self.below(field, value, key, path, depth)?;
                    }
                }
            }
            Value::Array(items) => {
                if let Some(item) = schema.get("items") {
                    for (index, value) in items.iter().enumerate() {
                        self.below(item, value, &index.to_string(), path, depth)?;
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn below(
        &self,
        schema: &Value,
        value: &Value,
        step: &str,
        path: &mut String,
        depth: usize,
    ) -> Result<(), String> {
        let length = path.len();
        path.push('/');
        path.push_str(step);
        self.at(schema, value, path, depth)?;
        path.truncate(length);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn shapes() {
        let schema = json!({
            "type": "object",
            "properties": {
                "name": {"type": "string"},
                "kind": {"enum": ["a", "b"]},
                "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
                "count": {"type": ["integer", "null"]},
                "items": {"type": "array", "items": {"$ref": "#/$defs/item"}},
            },
            "required": ["name", "items"],
            "additionalProperties": false,
            "$defs": {"item": {"type": "object", "properties": {
                "x": {"type": "number"}, "more": {"type": "array", "items": {"$ref": "#/$defs/item"}},
            }, "required": ["x"]}},
        });
        let check = |value: Value, expect: Option<&str>| {
            assert_eq!(conform(&schema, &value).err().as_deref(), expect, "{value}");
        };
        check(json!({"name": "n", "items": []}), None);
        check(
            json!({"name": "n", "items": [{"x": 1.5}], "kind": "b", "note": null, "count": 3.0}),
            None,
        );
        check(json!({"name": "n", "items": [], "unknown": 1}), None);
        check(json!({"name": "n"}), Some("/items"));
        check(json!({"name": 1, "items": []}), Some("/name"));
        check(json!({"name": "n", "items": {}}), Some("/items"));
        check(
            json!({"name": "n", "items": [], "kind": "c"}),
            Some("/kind"),
        );
        check(json!({"name": "n", "items": [], "note": 5}), Some("/note"));
        check(
            json!({"name": "n", "items": [], "count": 1.5}),
            Some("/count"),
        );
        check(
            json!({"name": "n", "items": [{"x": 1}, {"x": "1"}]}),
            Some("/items/1/x"),
        );
        check(
            json!({"name": "n", "items": [{"x": 1, "more": [{}]}]}),
            Some("/items/0/more/0/x"),
        );
        check(json!([]), Some("/"));
    }

    #[test]
    fn references_that_lead_nowhere_end() {
        let cyclic = json!({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}});
        assert_eq!(conform(&cyclic, &json!(1)), Ok(()));
        assert_eq!(conform(&json!({"$ref": "#/nowhere"}), &json!(1)), Ok(()));
        let nested = json!({"anyOf": [{"$ref": "#"}]});
        assert_eq!(conform(&nested, &json!(1)), Err("/".into()));
    }
}
