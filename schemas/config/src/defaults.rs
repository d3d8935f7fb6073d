//! The embedded default file: its text, its values, and the comment above each key.

use figment::Figment;

use crate::layers::{self, Layer};

/// The default file, comments included: the documentation of every setting.
pub const DEFAULT_FILE: &str = include_str!("../default.toml");

/// What a key's comment says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Dotted path.
    pub(crate) key: String,
    /// The comment's lines without their marks; the first stands alone as a summary.
    pub(crate) comment: Vec<&'static str>,
}

/// The layer under all others.
pub(crate) fn figment() -> Figment {
    layer().into_iter().fold(Figment::new(), Figment::merge)
}

/// The default values; they come without faults, as a test proves.
fn layer() -> Vec<Layer> {
    let (layers, _no_faults) = layers::from_file("default.toml", DEFAULT_FILE);
    layers
        .into_iter()
        .map(|layer| Layer {
            source: "default".to_owned(),
            ..layer
        })
        .collect()
}

/// Every key of the default file with its comment, in order.
///
/// A reader of our own file only: a line is a comment, a `[section]`, a `key = value`, or empty.
pub(crate) fn entries() -> Vec<Entry> {
    let mut section = "";
    let mut comment = Vec::new();
    let mut entries = Vec::new();
    for line in DEFAULT_FILE.lines() {
        if let Some(text) = line.strip_prefix('#') {
            comment.push(text.trim());
        } else if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']');
            comment.clear();
        } else if let Some((key, _)) = line.split_once(" = ") {
            let comment = std::mem::take(&mut comment);
            entries.push(Entry {
                key: format!("{section}.{key}"),
                comment,
            });
        } else {
            comment.clear();
        }
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Config, KEYS};

    #[test]
    fn the_table_and_the_default_file_name_the_same_keys_in_one_order() {
        let file: Vec<String> = entries().into_iter().map(|entry| entry.key).collect();
        let table: Vec<&str> = KEYS.iter().map(|key| key.name).collect();
        assert_eq!(file, table);
    }

    #[test]
    fn the_types_and_the_default_file_name_the_same_keys() {
        // The types refuse unknown fields, so this fails for a key without a field ...
        let (_, faults) = layers::from_file("default.toml", DEFAULT_FILE);
        assert_eq!(faults, []);
        figment().extract::<Config>().unwrap();
        // ... and for each field left out there must be a key that is missed by name.
        for key in KEYS {
            let (_, last) = key.name.rsplit_once('.').unwrap();
            let (layers, _) = layers::from_file("default.toml", DEFAULT_FILE);
            let error = layers
                .into_iter()
                .filter(|layer| layer.key != key.name)
                .fold(Figment::new(), Figment::merge)
                .extract::<Config>()
                .unwrap_err();
            assert!(error.to_string().contains(last), "{}: {error}", key.name);
        }
    }

    #[test]
    fn every_key_has_a_summary_and_lists_its_other_names() {
        for (key, entry) in KEYS.iter().zip(entries()) {
            let summary = entry.comment.first().copied().unwrap_or_default();
            assert!(
                summary.ends_with('.') && summary.len() <= 110,
                "{}: {summary:?}",
                key.name
            );
            let names: Vec<&str> = entry
                .comment
                .iter()
                .filter_map(|line| line.strip_prefix("Env: "))
                .flat_map(|names| names.split(", "))
                .collect();
            assert_eq!(names, key.aliases, "{}", key.name);
        }
    }

    #[test]
    fn optional_keys_come_with_an_example() {
        let figment = figment();
        for key in KEYS {
            let default: String = figment.extract_inner(key.name).unwrap();
            assert!(!key.example(&default).is_empty(), "{}", key.name);
        }
    }
}
