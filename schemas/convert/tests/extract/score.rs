//! The comparison of a CV with its truth: values found, missed and made up, over all fields.

use serde_json::Value;
use unicode_normalization::UnicodeNormalization as _;

const SCALARS: &[&str] = &[
    "full_name",
    "email",
    "phone",
    "birth_date",
    "nationality",
    "profile",
    "interests",
    "data_privacy",
];
const LISTS: &[&str] = &[
    "address_lines",
    "it_ai_skills",
    "certifications",
    "trainings",
    "publications",
    "references",
    "links",
];
const ENTRIES: &[(&str, &[&str])] = &[
    (
        "work_experience",
        &["date_range", "employer", "location", "title", "bullets"],
    ),
    (
        "education",
        &["date_range", "institution", "title", "details"],
    ),
    (
        "further_experience",
        &["date_range", "organization", "title", "bullets"],
    ),
    ("languages", &["language", "level"]),
];

/// How many values were found, missed and made up.
#[derive(Clone, Debug, Default)]
pub(crate) struct Score {
    pub(crate) hits: usize,
    pub(crate) missed: Vec<String>,
    pub(crate) extra: Vec<String>,
}

impl Score {
    pub(crate) fn f1(&self) -> f64 {
        let (hits, all) = (
            self.hits as f64,
            (self.missed.len() + self.extra.len()) as f64,
        );
        2.0 * hits / (2.0 * hits + all).max(1.0)
    }

    fn pair(&mut self, field: &str, truth: &[String], got: &[String]) {
        let mut left: Vec<&String> = got.iter().collect();
        for value in truth {
            match left.iter().position(|other| norm(other) == norm(value)) {
                Some(at) => {
                    left.remove(at);
                    self.hits += 1;
                }
                None => self.missed.push(format!("{field}: {value}")),
            }
        }
        self.extra
            .extend(left.into_iter().map(|value| format!("{field}: {value}")));
    }
}

/// Compares; `got` is a canonical CV as JSON.
pub(crate) fn compare(truth: &Value, got: &Value) -> Score {
    let mut score = Score::default();
    for field in SCALARS.iter().chain(LISTS) {
        score.pair(field, &texts(&truth[*field]), &texts(&got[*field]));
    }
    for (field, keys) in ENTRIES {
        let (truths, gots) = (entries(&truth[*field]), entries(&got[*field]));
        let mut pairs: Vec<(usize, usize, usize, usize)> = Vec::new();
        for (i, a) in truths.iter().enumerate() {
            for (j, b) in gots.iter().enumerate() {
                let mut one = Score::default();
                keys.iter()
                    .for_each(|key| one.pair(key, &texts(&a[*key]), &texts(&b[*key])));
                pairs.push((one.hits, usize::MAX - i.abs_diff(j), i, j));
            }
        }
        pairs.sort_unstable_by(|a, b| b.cmp(a));
        let mut used: Vec<(usize, usize)> = Vec::new();
        for (hits, _, i, j) in pairs {
            if hits > 0 && used.iter().all(|(a, b)| *a != i && *b != j) {
                used.push((i, j));
            }
        }
        let none = Value::Null;
        for (i, entry) in truths.iter().enumerate() {
            let other = used
                .iter()
                .find(|(a, _)| *a == i)
                .map_or(&none, |(_, j)| &gots[*j]);
            keys.iter().for_each(|key| {
                score.pair(
                    &format!("{field}.{key}"),
                    &texts(&entry[*key]),
                    &texts(&other[*key]),
                );
            });
        }
        for (j, entry) in gots.iter().enumerate() {
            if used.iter().all(|(_, b)| *b != j) {
                keys.iter().for_each(|key| {
                    score.pair(&format!("{field}.{key}"), &[], &texts(&entry[*key]));
                });
            }
        }
    }
    score
}

/// Lower case, NFC, one kind of dash and quote, no punctuation at the ends.
fn norm(text: &str) -> String {
    let plain: String = text
        .nfc()
        .filter(|c| *c != '\u{ad}')
        .map(|c| match c {
            '\u{2010}'..='\u{2014}' | '\u{2212}' => '-',
            '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{201b}' | '\u{b4}' | '`' => '\'',
            '\u{201c}' | '\u{201d}' | '\u{201e}' | '«' | '»' => '"',
            c => c,
        })
        .collect();
    let plain = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    plain
        .trim_matches([' ', '.', ';', ',', '\t'])
        .to_lowercase()
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) if !text.is_empty() => vec![text.clone()],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(link) => link.get("url").map(texts).unwrap_or_default(),
        _ => Vec::new(),
    }
}

fn entries(value: &Value) -> Vec<Value> {
    let items = value.as_array().cloned().unwrap_or_default();
    let entry = |item: Value| match item {
        Value::String(language) => serde_json::json!({ "language": language }),
        entry => entry,
    };
    items.into_iter().map(entry).collect()
}
