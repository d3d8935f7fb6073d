//! Pieces of the page: schemas and prose as HTML.

use std::fmt::Write as _;

use serde_json::{Map, Value};

/// A schema in a few words.
pub(super) fn kind(schema: &Value) -> String {
    if let Some(target) = schema["$ref"].as_str() {
        let name = escape(target.rsplit('/').next().unwrap_or_default());
        return format!("<a href=\"#form-{name}\">{name}</a>");
    }
    if let Some(value) = schema.get("const") {
        return format!("<code>{}</code>", escape(&value.to_string()));
    }
    if let Some(values) = schema["enum"].as_array() {
        let values: Vec<_> = values
            .iter()
            .map(|value| format!("<code>{}</code>", escape(&value.to_string())))
            .collect();
        return values.join(" | ");
    }
    for choice in ["oneOf", "anyOf"] {
        if let (Some(choices), true) = (schema[choice].as_array(), schema["properties"].is_null()) {
            let kinds: Vec<_> = choices.iter().map(kind).collect();
            return kinds.join(" | ");
        }
    }
    if let Some(first) = schema["allOf"].get(0) {
        return kind(first);
    }
    let types: Vec<_> = match &schema["type"] {
        Value::String(one) => vec![one.as_str()],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let mut kinds: Vec<_> = types
        .into_iter()
        .map(|name| match name {
            "array" => format!("list of {}", kind(&schema["items"])),
            "object" => object(schema),
            name => escape(name),
        })
        .collect();
    if let Some(format) = schema["format"].as_str()
        && let Some(first) = kinds.first_mut()
    {
        let _ = write!(first, " ({})", escape(format));
    }
    let mut words = kinds.join(" | ");
    let bounds = [
        ("minimum", "at least"),
        ("maximum", "at most"),
        ("maxLength", "at most"),
        ("maxItems", "at most"),
    ];
    for (bound, says) in bounds {
        if let Some(limit) = schema[bound].as_u64().filter(|limit| *limit > 0) {
            let unit = match bound {
                "maxLength" => " characters",
                "maxItems" => " items",
                _ => "",
            };
            let _ = write!(words, ", {says} {limit}{unit}");
        }
    }
    words
}

fn object(schema: &Value) -> String {
    let named: Vec<_> = members(&schema["properties"])
        .map(|(name, property)| format!("<code>{}</code>: {}", escape(name), kind(property)))
        .collect();
    if !named.is_empty() {
        return format!("object with {}", named.join(", "));
    }
    match schema.get("additionalProperties") {
        Some(values @ Value::Object(_)) => format!("object of {}", kind(values)),
        _ => "object".to_owned(),
    }
}

/// Paragraphs, lists, `code` and **stress**, which is all that our texts have of CommonMark.
pub(super) fn prose(text: &str) -> String {
    let mut html = String::new();
    for block in text.split("\n\n").filter(|block| !block.trim().is_empty()) {
        if block.lines().all(|line| line.starts_with("- ")) {
            html.push_str("<ul>");
            for line in block.lines() {
                let _ = write!(html, "<li>{}</li>", inline(line.trim_start_matches("- ")));
            }
            html.push_str("</ul>\n");
        } else {
            let _ = writeln!(html, "<p>{}</p>", inline(block.trim()));
        }
    }
    html
}

fn inline(text: &str) -> String {
    let mut html = String::new();
    for (number, part) in text.split('`').enumerate() {
        if number % 2 == 1 {
            let _ = write!(html, "<code>{}</code>", escape(part));
            continue;
        }
        for (number, part) in part.split("**").enumerate() {
            let part = escape(part);
            let stressed = number % 2 == 1;
            let _ = if stressed {
                write!(html, "<strong>{part}</strong>")
            } else {
                write!(html, "{part}")
            };
        }
    }
    html
}

pub(super) fn escape(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            c => html.push(c),
        }
    }
    html
}

pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

pub(super) fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

pub(super) fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_become_markup() {
        let check = |text: &str, want: &str| assert_eq!(prose(text), want);
        check("<b> & \"x\"", "<p>&lt;b&gt; &amp; &quot;x&quot;</p>\n");
        check("a `<i>` b", "<p>a <code>&lt;i&gt;</code> b</p>\n");
        check(
            "**bold** and\n\n- one\n- `two`",
            "<p><strong>bold</strong> and</p>\n<ul><li>one</li><li><code>two</code></li></ul>\n",
        );
    }
}
