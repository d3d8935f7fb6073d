//! The person's name: behind its label, or the text that looks most like one.

use super::draft::Draft;
use super::headings::Section;
use super::lines::{Line, Part};
use crate::lexicon::{self, Label};

/// Finds the person's name and notes it.
pub(super) fn find(sections: &[Section], draft: &mut Draft) -> String {
    if let Some(found) = labelled_name(sections, draft) {
        return found;
    }
    let emails: String = sections
        .iter()
        .flat_map(|section| &section.lines)
        .flat_map(|line| {
            let targets = line.links.iter().map(|(target, _)| target.clone());
            targets.chain([line.text.clone()])
        })
        .filter(|text| text.contains('@'))
        .map(|text| lexicon::fold(&text))
        .collect::<Vec<_>>()
        .join(" ");
    let mut best: Option<(f32, String, Line)> = None;
    let mut seen = 0;
    for section in sections {
        for (i, line) in section.lines.iter().enumerate() {
            if line.part == Part::Footer || line.bullet {
                continue;
            }
            seen += 1;
            let look = line.look();
            let mut options: Vec<String> = line
                .text
                .split(['\t', '|', '•', '·', ':'])
                .flat_map(|piece| {
                    piece
                        .split(" – ")
                        .flat_map(|p| p.split(" — "))
                        .map(str::to_owned)
                        .collect::<Vec<_>>()
                })
                .collect();
            // First name and surname on lines of their own.
            if let Some(next) = section.lines.get(i + 1)
                && (next.look().size, next.look().color) == (look.size, look.color)
                && look.size > 24
                && !line.text.contains(' ')
                && !next.text.contains(' ')
                && !next.text.contains('@')
            {
                options.insert(0, format!("{} {}", line.text, next.text));
            }
            for option in options {
                let option = without_title(&option);
                let Some(mut score) = name_score(&option) else {
                    continue;
                };
                score += (f32::from(look.size) - 22.0).clamp(0.0, 40.0) / 10.0;
                score += if line.form.is_title { 2.0 } else { 0.0 };
                score += if line.form.outline == Some(0) {
                    0.5
                } else {
                    0.0
                };
                score += if look.bold || look.caps { 0.4 } else { 0.0 };
                score += if section.kind.is_none() { 0.5 } else { 0.0 };
                score += 1.5 / (seen as f32);
                let matches = lexicon::fold(&option)
                    .split([' ', '-', ','])
                    .filter(|word| word.len() >= 3 && emails.contains(word))
                    .count();
                score += matches as f32 * 1.2;
                if best.as_ref().is_none_or(|(top, ..)| score > *top) {
                    best = Some((score, option, line.clone()));
                }
            }
        }
    }
    match best {
        Some((score, name, line)) if score >= 1.6 => {
            draft.name(&name, &line, (0.5 + score / 12.0).min(0.95));
            name
        }
        _ => String::new(),
    }
}

fn labelled_name(sections: &[Section], draft: &mut Draft) -> Option<String> {
    let mut whole: Option<(String, Line)> = None;
    let (mut first, mut last) = (whole.clone(), whole.clone());
    for section in sections {
        let mut pending = None;
        for line in &section.lines {
            let mut note = |label: Label, value: &str| {
                let kept = Some((value.to_owned(), line.clone()));
                match label {
                    Label::Name if whole.is_none() => whole = kept,
                    Label::FirstName if first.is_none() => first = kept,
                    Label::LastName if last.is_none() => last = kept,
                    _ => {}
                }
            };
            if let Some(label) = pending.take() {
                note(label, &line.plain());
                continue;
            }
            let joined = line.text.replacen('\t', ": ", 1);
            let is_cell =
                line.cell.is_some_and(|c| c.cells > 1 && c.column == 0) || line.text.ends_with(':');
            if is_cell && !line.text.contains('\t') {
                pending = lexicon::label(&line.text)
                    .filter(|l| matches!(l, Label::Name | Label::FirstName | Label::LastName));
                continue;
            }
            if joined.contains(':') {
                for piece in joined.split(['|', '•', '·', ';', '\t']) {
                    if let Some((label, value)) = lexicon::label_prefix(piece.trim())
                        && name_score(value).is_some() | !value.contains(' ')
                    {
                        note(label, value);
                    }
                }
            }
        }
    }
    let (text, line) = match (whole, first, last) {
        (Some((text, line)), _, last) if text.contains(' ') || last.is_none() => (text, line),
        (_, Some((first, line)), Some((last, _))) => (format!("{first} {last}"), line),
        (Some((first, line)), None, Some((last, _))) => (format!("{first} {last}"), line),
        _ => return None,
    };
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    name_score(&text)?;
    draft.name(&text, &line, 0.97);
    Some(text)
}

/// Without "Curriculum Vitae" and the like on either side, and without a job behind a comma.
fn without_title(text: &str) -> String {
    let mut text = text.trim().trim_matches([',', '–', '—', '-']).trim();
    loop {
        let words: Vec<&str> = text.split(' ').collect();
        let mut next = None;
        for count in (1..=2.min(words.len().saturating_sub(1))).rev() {
            if lexicon::is_document_title(&words[..count].join(" ")) {
                next = Some(words[count..].join(" ").len());
                break;
            }
        }
        match next {
            Some(length) => {
                text =
                    text[text.len() - length..].trim_start_matches(['-', '–', '—', ':', ',', ' ']);
            }
            None => break,
        }
    }
    for small in ["von ", "of ", "de ", "for "] {
        if let Some(rest) = text.strip_prefix(small)
            && rest.split(' ').count() >= 2
        {
            text = rest;
        }
    }
    if let Some((name, suffix)) = text.split_once(", ")
        && (lexicon::job_score(suffix) >= 1.0 || suffix.split(' ').count() > 3)
    {
        text = name;
    }
    text.to_owned()
}

/// Whether a text could be a person's name.
pub(super) fn is_name(text: &str) -> bool {
    name_score(text).is_some()
}

/// How much a text could be a person's name; `None` if it is none.
fn name_score(text: &str) -> Option<f32> {
    let count = text.chars().count();
    if !(4..=60).contains(&count)
        || text
            .chars()
            .any(|c| c.is_ascii_digit() || "@/:;!?%&+=_*#\"".contains(c))
    {
        return None;
    }
    let (main, suffix) = text.split_once(',').map_or((text, ""), |(a, b)| (a, b));
    let particles = [
        "von",
        "van",
        "de",
        "del",
        "della",
        "der",
        "den",
        "la",
        "le",
        "y",
        "e",
        "da",
        "dos",
        "zu",
        "zur",
        "di",
        "al",
        "el",
        "bin",
        "ibn",
        "ten",
        "ter",
        "of",
        "mgr",
        "inż.",
        "dr",
        "prof.",
        "dr.",
        "mgr.",
        "lek.",
        "med.",
        "hab.",
        "rer.",
        "nat.",
        "dipl.-ing.",
        "inz.",
        "ing.",
        "mag.",
        "ks.",
        "d'",
        "i",
        "phil.",
        "pol.",
        "h.c.",
        "adw.",
        "к.т.н.",
        "und",
        "zum",
    ];
    let words: Vec<&str> = main.split(' ').filter(|w| !w.is_empty()).collect();
    let named = words
        .iter()
        .filter(|word| !particles.contains(&word.to_lowercase().as_str()))
        .collect::<Vec<_>>();
    if named.len() < 2 || words.len() > 7 || named.len() > 5 {
        return None;
    }
    let proper = named.iter().all(|word| {
        let first = word.chars().next();
        first.is_some_and(|c| c.is_uppercase() || (c.is_alphabetic() && !c.is_lowercase()))
            && word
                .chars()
                .all(|c| c.is_alphabetic() || "-'’.ʼ()".contains(c))
    });
    if !proper
        || lexicon::section(main).is_some()
        || lexicon::label(main).is_some()
        || lexicon::is_document_title(main)
        || (!suffix.is_empty() && suffix.split_whitespace().count() > 3)
    {
        return None;
    }
    let mut score = 1.0;
    if lexicon::job_score(main) >= 1.0 {
        score -= 2.5;
    }
    if lexicon::organisation_score(main) >= 1.0 || lexicon::school_score(main) >= 1.0 {
        score -= 1.5;
    }
    if lexicon::is_known_place(main) {
        score -= 2.0;
    }
    Some(score)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_from_other_short_texts() {
        let check = |text: &str, want: bool| {
            assert_eq!(
                name_score(text).is_some_and(|score| score > 0.0),
                want,
                "{text}"
            );
        };
        check("Dr. Annegret Lüdersheim", true);
        check("mgr inż. Dobromir Kęsik", true);
        check("Ingrid Halvorsen, PhD", true);
        check("Íñigo Bermúdez Larrañaga", true);
        check("ANNA DE LA CRUZ", true);
        check("Соломія Верхогляд", true);
        check("Software Engineer", false);
        check("Work Experience", false);
        check("New York", false);
        check("room 101", false);
        check("a short text", false);
    }

    #[test]
    fn the_title_of_the_document_is_no_part_of_the_name() {
        let check = |text: &str, want: &str| assert_eq!(without_title(text), want);
        check("Curriculum Vitae Anna Nowak", "Anna Nowak");
        check("CV – Jan Kowalski", "Jan Kowalski");
        check("Lebenslauf von Eva Braun-Kiel", "Eva Braun-Kiel");
        check("Jane Doe, Software Engineer", "Jane Doe");
        check("Jane Doe, PhD", "Jane Doe, PhD");
    }
}
