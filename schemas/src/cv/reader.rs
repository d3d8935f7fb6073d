//! Reading JSON values member by member: types are checked, texts cleaned, and everything odd is noted with its path.

use serde_json::{Map, Value};

use super::error::{Told, excess, fault};
use super::types::Warning;
use super::{code, keys, limits, text};
use crate::FieldError;

#[derive(Default)]
pub(super) struct Reader {
    pub(super) warnings: Told<Warning>,
    pub(super) types: Told<FieldError>,
    pub(super) large: Told<FieldError>,
}

/// An item that may be a text or an object.
pub(super) enum Form<'f, 'v> {
    Text(String),
    Object(&'f mut Fields<'v>),
}

/// A key as it may be shown: short, and without controls.
pub(super) fn shown(key: &str) -> String {
    let plain: String = key.chars().filter(|c| !c.is_control()).take(41).collect();
    if plain.chars().count() > 40 {
        plain.chars().take(40).chain(['…']).collect()
    } else {
        plain
    }
}

pub(super) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// The members of one object, with those that were asked for.
pub(super) struct Fields<'v> {
    pub(super) map: &'v Map<String, Value>,
    path: String,
    asked: Vec<&'static str>,
}

impl<'v> Fields<'v> {
    pub(super) fn new(map: &'v Map<String, Value>, path: String) -> Self {
        Self {
            map,
            path,
            asked: Vec::new(),
        }
    }

    pub(super) fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    /// The member's path and value; `None` where it is absent or `null`.
    pub(super) fn take(&mut self, key: &'static str) -> Option<(String, &'v Value)> {
        self.asked.push(key);
        let value = self.map.get(key).filter(|value| !value.is_null())?;
        Some((self.path_of(key), value))
    }
}

impl Reader {
    /// Items that are texts or objects; blank ones are dropped.
    pub(super) fn forms<T: Default + PartialEq>(
        &mut self,
        fields: &mut Fields<'_>,
        key: &'static str,
        mut build: impl FnMut(&mut Self, Form<'_, '_>) -> T,
    ) -> Vec<T> {
        let Some((path, value)) = fields.take(key) else {
            return Vec::new();
        };
        let mut kept = Vec::new();
        for (index, item) in self.list(&path, value).iter().enumerate() {
            let path = format!("{path}[{index}]");
            let entry = match item {
                Value::Null => T::default(),
                Value::String(text) => {
                    let text = self.clean(&path, text);
                    build(self, Form::Text(text))
                }
                Value::Object(map) => {
                    build(self, Form::Object(&mut Fields::new(map, path.clone())))
                }
                other => {
                    self.wrong_type(&path, "string or object", other);
                    continue;
                }
            };
            if entry == T::default() {
                self.blank(&path);
            } else {
                kept.push(entry);
            }
        }
        kept
    }

    /// The first of `names` that holds text. Another one that says something else is warned of.
    pub(super) fn text(
        &mut self,
        fields: &mut Fields<'_>,
        names: &[&'static str],
    ) -> Option<String> {
        let mut found: Option<(&'static str, String)> = None;
        for &name in names {
            let Some((path, value)) = fields.take(name) else {
                continue;
            };
            let Value::String(text) = value else {
                self.wrong_type(&path, "string", value);
                continue;
            };
            let text = self.clean(&path, text);
            match &found {
                _ if text.is_empty() => {}
                None => found = Some((name, text)),
                Some((first, kept)) if *kept != text => self.ignored(fields, name, first),
                Some(_) => {}
            }
        }
        found.map(|(_, text)| text)
    }

    /// A list of texts without blank ones.
    pub(super) fn texts(&mut self, fields: &mut Fields<'_>, key: &'static str) -> Vec<String> {
        let Some((path, value)) = fields.take(key) else {
            return Vec::new();
        };
        let mut kept = Vec::new();
        for (index, item) in self.list(&path, value).iter().enumerate() {
            let path = format!("{path}[{index}]");
            let text = match item {
                Value::String(text) => self.clean(&path, text),
                Value::Null => String::new(),
                other => {
                    self.wrong_type(&path, "string", other);
                    continue;
                }
            };
            if text.is_empty() {
                self.blank(&path);
            } else {
                kept.push(text);
            }
        }
        kept
    }

    /// A list of texts, or one text that is cut into its lines.
    pub(super) fn lines(&mut self, fields: &mut Fields<'_>, key: &'static str) -> Vec<String> {
        let Some((path, Value::String(text))) = fields.take(key) else {
            return self.texts(fields, key);
        };
        let lines: Vec<String> = text
            .split(['\n', '\r'])
            .map(|line| self.clean(&path, line))
            .filter(|line| !line.is_empty())
            .collect();
        if lines.len() > limits::LIST {
            self.large.push(excess(
                path,
                code::TOO_LARGE,
                lines.len(),
                limits::LIST,
                "lines",
            ));
        }
        lines
    }

    /// The entries of the first of `names` that is there.
    pub(super) fn entries<T>(
        &mut self,
        fields: &mut Fields<'_>,
        names: &[&'static str],
        build: impl Fn(&mut Self, &mut Fields<'_>) -> T,
    ) -> Vec<T> {
        let mut found: Option<(&'static str, Vec<T>)> = None;
        for &name in names {
            let Some((path, value)) = fields.take(name) else {
                continue;
            };
            let mut entries = Vec::new();
            for (index, item) in self.list(&path, value).iter().enumerate() {
                let path = format!("{path}[{index}]");
                match item {
                    Value::Object(map) => {
                        entries.push(build(self, &mut Fields::new(map, path)));
                    }
                    other => self.wrong_type(&path, "object", other),
                }
            }
            match &found {
                _ if entries.is_empty() => {}
                None => found = Some((name, entries)),
                Some((first, _)) => self.ignored(fields, name, first),
            }
        }
        found.map(|(_, entries)| entries).unwrap_or_default()
    }

    fn list<'v>(&mut self, path: &str, value: &'v Value) -> &'v [Value] {
        let Value::Array(items) = value else {
            self.wrong_type(path, "array", value);
            return &[];
        };
        if items.len() > limits::LIST {
            self.large.push(excess(
                path,
                code::TOO_LARGE,
                items.len(),
                limits::LIST,
                "items",
            ));
            return &[];
        }
        items
    }

    fn clean(&mut self, path: &str, text: &str) -> String {
        let (text, removed) = text::clean(text);
        if removed {
            let message = "control characters were removed from this text";
            self.warn(path, code::CHARACTERS_REMOVED, message);
        }
        text
    }

    /// Warns of every member that nobody asked for.
    pub(super) fn rest(&mut self, fields: &Fields<'_>, known: &[keys::Field]) {
        for key in fields
            .map
            .keys()
            .filter(|key| !fields.asked.contains(&key.as_str()))
        {
            let path = fields.path_of(&shown(key));
            let message = match keys::spelling_of(key, known) {
                Some(name) => {
                    format!("{path} is not a known field and was left out; is it {name}?")
                }
                None => format!("{path} is not a known field and was left out"),
            };
            self.warn(path, code::UNKNOWN_KEY, message);
        }
    }

    pub(super) fn ignored(&mut self, fields: &Fields<'_>, key: &str, kept: &str) {
        let path = fields.path_of(key);
        let message = format!("{path} was left out, because {kept} is given too");
        self.warn(path, code::IGNORED_KEY, message);
    }

    fn blank(&mut self, path: &str) {
        self.warn(
            path,
            code::BLANK_ITEM,
            "a blank item was left out; those after it move up",
        );
    }

    pub(super) fn wrong_type(&mut self, path: &str, expected: &str, value: &Value) {
        let message = format!("{path}: {expected} expected, {} given", type_name(value));
        self.types.push(fault(path, code::WRONG_TYPE, message));
    }

    pub(super) fn warn(&mut self, path: impl Into<String>, code: &str, message: impl Into<String>) {
        self.warnings.push(Warning::new(path, code, message));
    }
}
