//! Words that CVs are made of, in many languages: headings, labels, jobs, organisations, languages.
//!
//! All matching is on folded text: lower case, without accents, so that `FORMACION` and
//! `Formación` are one word.

mod clauses;
mod labels;
mod languages;
mod roles;
mod sections;
mod tongue;

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

pub(crate) use clauses::is_privacy_clause;
pub(crate) use labels::{Label, is_licence, label, label_prefix};
pub(crate) use languages::{language_at_start, level_words};
pub(crate) use roles::{
    degree_score, is_company_form, is_known_place, is_region_code, job_score, organisation_score,
    school_score,
};
pub(crate) use sections::{Kind, fuzzy_section, is_document_title, section, task_label};
pub(crate) use tongue::guess_language;

/// Lower case without accents; letters that do not decompose get their usual spelling.
pub(crate) fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.nfd().filter(|c| !is_combining_mark(*c)) {
        match c {
            'ł' | 'Ł' => out.push('l'),
            'ß' | 'ẞ' => out.push_str("ss"),
            'ø' | 'Ø' => out.push('o'),
            'æ' | 'Æ' => out.push_str("ae"),
            'œ' | 'Œ' => out.push_str("oe"),
            'đ' | 'Đ' => out.push('d'),
            'ı' => out.push('i'),
            '’' | '‘' | 'ʼ' | '`' => out.push('\''),
            '‐' | '‑' | '–' | '—' => out.push('-'),
            '\u{a0}' => out.push(' '),
            '\u{ad}' => {}
            c => out.extend(c.to_lowercase()),
        }
    }
    out
}

/// The words of a folded text.
pub(crate) fn words(folded: &str) -> impl Iterator<Item = &str> {
    folded
        .split(|c: char| !(c.is_alphanumeric() || matches!(c, '\'' | '-' | '.' | '&' | '+')))
        .map(|word| word.trim_matches(['.', '-', '\'']))
        .filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding_takes_case_and_accents_away() {
        let check = |text: &str, want: &str| assert_eq!(fold(text), want);
        check("FORMACIÓN", "formacion");
        check("Wykształcenie", "wyksztalcenie");
        check("Straße", "strasse");
        check("Освіта й навчання", "освіта и навчання");
    }
}
