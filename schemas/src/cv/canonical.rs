//! One way to write a CV as bytes, and a hash for each of its sections.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::types::Cv;

/// The parts of a CV that change apart from each other. Every field belongs to exactly one.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Section {
    /// Name, e-mail, phone, address, photo, birth date, nationality, links.
    Contact,
    /// `work_experience`.
    WorkExperience,
    /// `education`.
    Education,
    /// `languages`.
    Languages,
    /// `it_ai_skills`.
    ItAiSkills,
    /// `interests`.
    Interests,
    /// `further_experience`.
    FurtherExperience,
    /// All other fields.
    Rest,
}

impl Section {
    /// All sections.
    pub const ALL: [Self; 8] = [
        Self::Contact,
        Self::WorkExperience,
        Self::Education,
        Self::Languages,
        Self::ItAiSkills,
        Self::Interests,
        Self::FurtherExperience,
        Self::Rest,
    ];

    /// The section of a top-level key.
    pub fn of(key: &str) -> Self {
        match key {
            "full_name" | "email" | "phone" | "address_lines" | "photo_url" | "birth_date"
            | "nationality" | "links" => Self::Contact,
            "work_experience" => Self::WorkExperience,
            "education" => Self::Education,
            "languages" => Self::Languages,
            "it_ai_skills" => Self::ItAiSkills,
            "interests" => Self::Interests,
            "further_experience" => Self::FurtherExperience,
            _ => Self::Rest,
        }
    }
}

/// The CV as JSON without white space and with sorted keys: equal CVs, equal bytes.
pub fn canonical_json(cv: &Cv) -> String {
    sorted_json(&to_value(cv))
}

/// For every section the first 16 hexadecimal digits of the SHA-256 of its key-sorted JSON: an
/// object of the section's fields, those absent left out.
pub fn section_hashes(cv: &Cv) -> BTreeMap<Section, String> {
    let mut sections = Section::ALL.map(|section| (section, Map::new()));
    if let Value::Object(fields) = to_value(cv) {
        for (key, value) in fields {
            // `ALL` stands in the order of the variants.
            sections[Section::of(&key) as usize].1.insert(key, value);
        }
    }
    sections
        .into_iter()
        .map(|(section, fields)| {
            let digest = Sha256::digest(sorted_json(&Value::Object(fields)));
            let head = digest[..8]
                .iter()
                .fold(0, |head, byte| head << 8 | u64::from(*byte));
            (section, format!("{head:016x}"))
        })
        .collect()
}

/// The CV as a JSON value.
pub(super) fn to_value(cv: &Cv) -> Value {
    serde_json::to_value(cv).expect("texts and lists always serialise")
}

/// `serde_json`'s own maps are sorted or not, depending on a feature that any crate can switch on.
fn sorted_json(value: &Value) -> String {
    fn write(value: &Value, out: &mut String) {
        match value {
            Value::Object(map) => {
                let mut members: Vec<_> = map.iter().collect();
                members.sort_unstable_by_key(|(key, _)| *key);
                out.push('{');
                for (index, (key, value)) in members.into_iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    out.push_str(&Value::from(key.as_str()).to_string());
                    out.push(':');
                    write(value, out);
                }
                out.push('}');
            }
            Value::Array(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    write(item, out);
                }
                out.push(']');
            }
            scalar => out.push_str(&scalar.to_string()),
        }
    }
    let mut out = String::new();
    write(value, &mut out);
    out
}

#[cfg(test)]
#[allow(clippy::format_collect, reason = "eight bytes, in a test")]
mod tests {
    use super::*;
    use crate::cv::{Language, Work};

    fn cv() -> Cv {
        Cv {
            full_name: "Ida \"Q\" Morrow".into(),
            work_experience: vec![Work {
                title: "Dispatcher".into(),
                ..Work::default()
            }],
            languages: vec![Language {
                name: "English".into(),
                level: Some("C1".into()),
            }],
            ..Cv::default()
        }
    }

    #[test]
    fn keys_are_sorted_at_every_level() {
        assert_eq!(
            canonical_json(&cv()),
            concat!(
                r#"{"education":[],"email":"","full_name":"Ida \"Q\" Morrow","#,
                r#""languages":[{"language":"English","level":"C1"}],"phone":"","#,
                r#""work_experience":[{"bullets":[],"date_range":"","employer":"","title":"Dispatcher"}]}"#
            )
        );
    }

    #[test]
    fn a_section_hash_is_that_of_its_json_and_changes_alone() {
        let before = section_hashes(&cv());
        assert_eq!(before.len(), Section::ALL.len());
        let json = r#"{"languages":[{"language":"English","level":"C1"}]}"#;
        let digest = Sha256::digest(json);
        let first = crate::hex(&digest[..8]);
        assert_eq!(before[&Section::Languages], first);

        let mut changed = cv();
        changed.languages[0].level = Some("C2".into());
        let after = section_hashes(&changed);
        let differ: Vec<_> = Section::ALL
            .into_iter()
            .filter(|section| before[section] != after[section])
            .collect();
        assert_eq!(differ, [Section::Languages]);
    }

    #[test]
    fn sections_stand_in_the_order_of_their_variants() {
        for (index, section) in Section::ALL.into_iter().enumerate() {
            assert_eq!(section as usize, index);
        }
    }
}
