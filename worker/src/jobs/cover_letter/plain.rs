//! The plain letter: sentences of ours around the CV's own words. No model, and nothing that the CV
//! does not say.

use schemas::cv::{Cv, End, Work};
use schemas::job::JobInput;
use schemas::locale::{Locale, WrittenRange, show_dates};

use super::locale;

/// Bullets and skills that a letter names at most.
const BULLETS: usize = 3;
const SKILLS: usize = 6;

/// The paragraphs of a plain letter.
pub(in crate::jobs) fn plain(input: &JobInput, cv: &Cv) -> Vec<String> {
    let locale = locale(input);
    let words = &locale.letter;
    let letter = input.options.letter.as_ref();
    let position = letter.and_then(|letter| letter.position.as_deref());
    let opening = match position
        .map(str::trim)
        .filter(|position| !position.is_empty())
    {
        Some(position) => fill(words.apply_for, &[("position", position)]),
        None => words.apply.to_owned(),
    };
    let languages = cv.languages.iter().map(|language| match &language.level {
        Some(level) => format!("{} ({level})", language.name),
        None => language.name.clone(),
    });
    let languages = languages.collect::<Vec<_>>();
    let skills = cv
        .it_ai_skills
        .iter()
        .take(SKILLS)
        .cloned()
        .collect::<Vec<_>>();
    let mut about = Vec::new();
    if let Some(first) = cv.education.first() {
        let parts = [
            ("title", first.title.as_str()),
            ("institution", &first.institution),
        ];
        about.push(fill(words.education, &parts));
    }
    for (form, items) in [(words.skills, skills), (words.languages, languages)] {
        if !items.is_empty() {
            about.push(fill(form, &[("items", &items.join(separator(locale)))]));
        }
    }
    let work = cv.work_experience.first();
    let work = work.map(|work| job(work, locale, input.is_translation()));
    let paragraphs = [
        Some(opening),
        work,
        Some(join(&about, locale)),
        Some(words.closing.to_owned()),
    ];
    let paragraphs = paragraphs.into_iter().flatten();
    paragraphs
        .filter(|paragraph| !paragraph.is_empty())
        .collect()
}

fn job(work: &Work, locale: &Locale, translated: bool) -> String {
    let words = &locale.letter;
    let range = WrittenRange::read(&work.date_range).map(|written| written.range());
    let form = match range.and_then(|range| range.end) {
        Some(End::Present) => words.current,
        _ => words.latest,
    };
    let dates = show_dates(&work.date_range, locale, translated);
    let parts = [
        ("title", work.title.as_str()),
        ("employer", &work.employer),
        ("dates", &dates),
    ];
    let mut sentences = vec![fill(form, &parts)];
    let bullets: Vec<_> = work
        .bullets
        .iter()
        .take(BULLETS)
        .map(|bullet| bullet.trim().trim_end_matches(['.', '。', ';', '；']))
        .filter(|bullet| !bullet.is_empty())
        .collect();
    if !bullets.is_empty() {
        let (between, stop) = if is_ideographic(locale) {
            ("；", "。")
        } else {
            ("; ", ".")
        };
        let items = bullets.join(between) + stop;
        sentences.push(fill(words.tasks, &[("items", &items)]));
    }
    join(&sentences, locale)
}

fn is_ideographic(locale: &Locale) -> bool {
    locale.dates.year.contains('年')
}

fn separator(locale: &Locale) -> &'static str {
    match locale.tag {
        _ if is_ideographic(locale) => "、",
        "ar" => "، ",
        _ => ", ",
    }
}

fn join(sentences: &[String], locale: &Locale) -> String {
    // Chinese and Japanese set no space between sentences.
    sentences.join(if is_ideographic(locale) { "" } else { " " })
}

/// A form with its places filled in, each once: what is filled in is not looked at again.
pub(super) fn fill(form: &str, parts: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(form.len() + 64);
    let mut rest = form;
    while let Some(open) = rest.find('{') {
        let close = rest[open..]
            .find('}')
            .map_or(rest.len(), |close| open + close);
        let name = &rest[open + 1..close];
        filled.push_str(&rest[..open]);
        let part = parts.iter().find(|(part, _)| *part == name);
        filled.push_str(part.map_or("", |(_, text)| text.trim()));
        rest = rest.get(close + 1..).unwrap_or_default();
    }
    filled + rest
}
