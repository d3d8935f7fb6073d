//! Search in a session: every text with its path.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use unicode_normalization::UnicodeNormalization as _;

use super::Session;

/// Most hits of one search.
pub const MAX_HITS: usize = 50;

/// Characters of a preview.
const PREVIEW: usize = 160;

/// One place where the words were found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hit {
    /// `cv_data`, `docx_prefill_unconfirmed`, `unplaced` or `job_posting`.
    pub source: String,
    /// The path within the source, such as `work_experience[0].bullets[2]`.
    pub field_path: String,
    /// The text around the first word, at most 160 characters.
    pub preview: String,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hits {
    /// The first hits, in the order of the CV.
    pub hits: Vec<Hit>,
    /// There are more.
    pub truncated: bool,
}

/// Finds texts that hold all words of `q`, whatever their case and accents. A word also counts as
/// found when it stands in the field's path, so that `employer` lists the employers.
pub fn search(session: &Session, q: &str, limit: usize) -> Hits {
    let limit = limit.clamp(1, MAX_HITS);
    let folded = fold(q);
    let words: Vec<&str> = folded.split_whitespace().take(16).collect();
    let mut found = Hits::default();
    if words.is_empty() {
        return found;
    }
    let mut look = |source: &str, path: &str, text: &str| {
        let (place, content) = (fold(path), fold(text));
        if !words
            .iter()
            .all(|word| content.contains(word) || place.contains(word))
        {
            return;
        }
        if found.hits.len() == limit {
            found.truncated = true;
            return;
        }
        found.hits.push(Hit {
            source: source.to_owned(),
            field_path: path.to_owned(),
            preview: preview(text, &words),
        });
    };
    walk(
        &serde_json::to_value(&session.cv).unwrap_or_default(),
        "",
        &mut |path, text| look("cv_data", path, text),
    );
    if let Some(prefill) = &session.prefill {
        let value = serde_json::to_value(prefill).unwrap_or_default();
        walk(&value, "", &mut |path, text| {
            look("docx_prefill_unconfirmed", path, text);
        });
    }
    for (index, text) in session.unplaced.iter().enumerate() {
        look("unplaced", &format!("unplaced[{index}]"), text);
    }
    if let Some(posting) = &session.job_posting_text {
        look("job_posting", "job_posting_text", posting);
    }
    found
}

/// Every text of a value with its path, keys in the value's order.
fn walk(value: &Value, path: &str, seen: &mut dyn FnMut(&str, &str)) {
    match value {
        Value::String(text) if !text.is_empty() => seen(path, text),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                walk(item, &format!("{path}[{index}]"), seen);
            }
        }
        Value::Object(map) => {
            for (key, item) in map {
                let at = if path.is_empty() {
                    key.clone()
                } else {
                    format!("{path}.{key}")
                };
                walk(item, &at, seen);
            }
        }
        _ => {}
    }
}

/// Lower case, without accents: `Zażółć` as `zazołc`, which matches both ways of typing it.
fn fold(text: &str) -> String {
    let is_mark = |c: char| matches!(c, '\u{300}'..='\u{36f}');
    text.nfkd()
        .filter(|c| !is_mark(*c))
        .flat_map(char::to_lowercase)
        .map(|c| match c {
            'ł' => 'l',
            'ø' => 'o',
            c => c,
        })
        .collect()
}

fn preview(text: &str, words: &[&str]) -> String {
    let chars: Vec<char> = text.chars().collect();
    if chars.len() <= PREVIEW {
        return text.to_owned();
    }
    let at = first(&chars, words).unwrap_or(0);
    let start = at
        .saturating_sub(PREVIEW / 4)
        .min(chars.len() - (PREVIEW - 2));
    let end = (start + PREVIEW - 2).min(chars.len());
    let middle: String = chars[start..end].iter().collect();
    let (before, after) = (
        if start > 0 { "…" } else { "" },
        if end < chars.len() { "…" } else { "" },
    );
    format!("{before}{middle}{after}")
}

/// The character at which the first of the words begins.
fn first(chars: &[char], words: &[&str]) -> Option<usize> {
    let mut folded = String::new();
    let mut starts = Vec::with_capacity(chars.len());
    for c in chars {
        starts.push(folded.len());
        folded.push_str(&fold(c.encode_utf8(&mut [0; 4])));
    }
    let byte = words.iter().filter_map(|word| folded.find(word)).min()?;
    Some(
        starts
            .partition_point(|start| *start <= byte)
            .saturating_sub(1),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cv::{Cv, Work};

    fn session() -> Session {
        let mut session = Session::new();
        session.cv = Cv {
            full_name: "Łucja Żółć".to_owned(),
            work_experience: vec![Work {
                employer: "Zażółć Sp. z o.o.".to_owned(),
                title: "Analyst".to_owned(),
                bullets: vec![
                    "Wrote reports.".to_owned(),
                    "Led reports and audits.".to_owned(),
                ],
                ..Work::default()
            }],
            ..Cv::default()
        };
        session.job_posting_text =
            Some(format!("{} audits {}", "x ".repeat(200), "y ".repeat(200)));
        session
    }

    #[test]
    fn words_are_found_whatever_their_case_and_accents() {
        let check = |q: &str, want: &[&str]| {
            let found = search(&session(), q, 20);
            let paths: Vec<_> = found
                .hits
                .iter()
                .map(|hit| hit.field_path.as_str())
                .collect();
            assert_eq!(paths, want, "{q}");
        };
        check("zolc", &["full_name", "work_experience[0].employer"]);
        check("ŻÓŁĆ", &["full_name", "work_experience[0].employer"]);
        check("reports audits", &["work_experience[0].bullets[1]"]);
        check("employer", &["work_experience[0].employer"]);
        check("  ", &[]);
        check("nowhere", &[]);
    }

    #[test]
    fn hits_are_cut_and_long_texts_shown_around_the_word() {
        let found = search(&session(), "audits", 1);
        assert_eq!((found.hits.len(), found.truncated), (1, true));
        let posting = search(&session(), "audits x", 9).hits.pop().unwrap();
        assert_eq!(posting.source, "job_posting");
        assert!(posting.preview.chars().count() <= PREVIEW);
    }
}
