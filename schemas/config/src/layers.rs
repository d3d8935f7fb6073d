//! The layers above the defaults: each value with its key, its source, and the name its author
//! gave it.

use std::collections::BTreeMap;

use figment::value::{Dict, Map, Value};
use figment::{Metadata, Profile, Provider};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::error::Fault;
use crate::keys::{self, KEYS, Key};
use crate::load::{Note, NoteKind};

/// A file with more faults than this is not a file of ours.
const MOST_FAULTS: usize = 50;

/// Characters of one part of a key that are read; ours are far shorter.
const LONGEST_KEY: usize = 60;

/// One value of one source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layer {
    /// Dotted path of the key.
    pub(crate) key: &'static str,
    /// The value as text.
    pub(crate) value: String,
    /// Where it comes from: `file presswork.toml`, `env LOG_LEVEL`, `command line`.
    pub(crate) source: String,
    /// What its author has to look for: `presswork.toml:12: log.level`, `LOG_LEVEL`.
    pub(crate) written: String,
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        Metadata::from(
            self.source.clone(),
            figment::Source::Custom(self.written.clone()),
        )
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        let nested = figment::util::nest(self.key, Value::from(self.value.clone()));
        Ok(Profile::Default.collect(nested.into_dict().unwrap_or_default()))
    }
}

/// The values of a file, and what is wrong with the file as such.
pub(crate) fn from_file(name: &str, text: &str) -> (Vec<Layer>, Vec<Fault>) {
    let mut reader = FileReader {
        name,
        text,
        layers: Vec::new(),
        faults: Vec::new(),
    };
    match DeTable::parse(text) {
        Ok(table) => reader.table("", table.get_ref()),
        Err(error) => {
            let place = error
                .span()
                .map(|span| format!(":{}", reader.line(span.start)));
            let problem = format!("is not TOML: {}", error.message());
            let name = format!("{name}{}", place.unwrap_or_default());
            reader.faults.push(Fault::new(name, problem));
        }
    }
    (reader.layers, reader.faults)
}

struct FileReader<'a> {
    name: &'a str,
    text: &'a str,
    layers: Vec<Layer>,
    faults: Vec<Fault>,
}

impl FileReader<'_> {
    fn table(&mut self, path: &str, table: &DeTable<'_>) {
        // By position, so that faults come in the order of the file.
        let mut items: Vec<_> = table.iter().collect();
        items.sort_by_key(|(name, _)| name.span().start);
        for (name, value) in items {
            if self.faults.len() >= MOST_FAULTS {
                return;
            }
            let own: String = name.get_ref().chars().take(LONGEST_KEY).collect();
            let key = match path {
                "" => own.escape_debug().to_string(),
                _ => format!("{path}.{}", own.escape_debug()),
            };
            self.item(&key, name.span().start, value);
        }
    }

    fn item(&mut self, path: &str, position: usize, value: &Spanned<DeValue<'_>>) {
        let written = format!("{}:{}: {path}", self.name, self.line(position));
        let inside = format!("{path}.");
        let is_section = KEYS.iter().any(|key| key.name.starts_with(&inside));
        match (value.get_ref(), keys::find(path)) {
            (DeValue::Table(table), _) if is_section => self.table(path, table),
            (_, None) if is_section => {
                self.faults
                    .push(Fault::new(written, "is a section, not a value"));
            }
            (_, None) => {
                let problem = unknown("key", keys::nearest_key(path));
                self.faults.push(Fault::new(written, problem));
            }
            (value, Some(key)) => match scalar(value) {
                Some(value) => self.layers.push(Layer {
                    key: key.name,
                    value,
                    source: format!("file {}", self.name),
                    written,
                }),
                None => self.faults.push(Fault::new(
                    written,
                    "must be a single value: text in quotes, a number, true or false",
                )),
            },
        }
    }

    fn line(&self, position: usize) -> usize {
        1 + self
            .text
            .bytes()
            .take(position)
            .filter(|byte| *byte == b'\n')
            .count()
    }
}

fn scalar(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.trim().to_owned()),
        DeValue::Boolean(value) => Some(value.to_string()),
        DeValue::Integer(value) if value.radix() == 10 => Some(value.as_str().to_owned()),
        DeValue::Float(value) => Some(value.as_str().to_owned()),
        _ => None,
    }
}

/// The values of the environment, and what deserves to be said about its names.
pub(crate) fn from_env(env: &BTreeMap<String, String>) -> (Vec<Layer>, Vec<Note>) {
    let mut notes = Vec::new();
    let layers = KEYS
        .iter()
        .filter_map(|key| variable(key, env, &mut notes))
        .collect();
    for name in env.keys() {
        if let Some((_, reason)) = keys::LATER_NAMES.iter().find(|(later, _)| later == name) {
            notes.push(Note::new(
                name,
                NoteKind::Ignored,
                format!("not used yet: {reason}"),
            ));
        } else if !keys::is_known(name) && keys::concerns_us(name) {
            let text = unknown("name", keys::nearest_variable(name));
            notes.push(Note::new(name, NoteKind::Unknown, text));
        }
    }
    (layers, notes)
}

/// The value of one key: its own name first, then its aliases in the order of the table.
fn variable(key: &Key, env: &BTreeMap<String, String>, notes: &mut Vec<Note>) -> Option<Layer> {
    let mut chosen: Option<(String, &str)> = None;
    let aliases = key.aliases.iter().map(|alias| (*alias).to_owned());
    for name in std::iter::once(key.env_name()).chain(aliases) {
        let Some(value) = env.get(&name).map(|value| value.trim()) else {
            continue;
        };
        if value.is_empty() {
            let text = format!("is set but empty, and counts as not set ({})", key.name);
            notes.push(Note::new(&name, NoteKind::Empty, text));
            continue;
        }
        match &chosen {
            None => chosen = Some((name, value)),
            Some((winner, used)) if *used != value => {
                let text = format!("differs from {winner}, which is used for {}", key.name);
                notes.push(Note::new(&name, NoteKind::Conflict, text));
            }
            Some(_) => {}
        }
    }
    chosen.map(|(name, value)| Layer {
        key: key.name,
        value: value.to_owned(),
        source: format!("env {name}"),
        written: name,
    })
}

/// The values of the command line; of two for one key the later wins.
pub(crate) fn from_overrides(overrides: &[(String, String)]) -> (Vec<Layer>, Vec<Fault>) {
    let mut layers = Vec::new();
    let mut faults = Vec::new();
    for (name, value) in overrides {
        let written = format!("{name} (command line)");
        match keys::find(name) {
            Some(key) => layers.push(Layer {
                key: key.name,
                value: value.trim().to_owned(),
                source: "command line".to_owned(),
                written,
            }),
            None => faults.push(Fault::new(written, unknown("key", keys::nearest_key(name)))),
        }
    }
    (layers, faults)
}

fn unknown(what: &str, nearest: Option<String>) -> String {
    match nearest {
        Some(nearest) => format!("unknown {what}; did you mean {nearest}?"),
        None => format!("unknown {what}"),
    }
}
