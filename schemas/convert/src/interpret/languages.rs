//! Languages and how well they are known: in lines, in tables, level by level.

use schemas::cv::Language;

use super::draft::{Draft, MOST};
use super::entries::trim;
use super::lists::{self, Item};
use crate::lexicon::{self, Kind};

/// A level on the line under its language goes with it.
fn with_levels(rows: &[Item]) -> Vec<Item> {
    let mut out: Vec<Item> = Vec::new();
    for row in rows {
        let text = row.text.trim();
        // Languages side by side in a row, their levels in the row below.
        let cells = |text: &str| -> Vec<String> {
            text.split('\t')
                .map(|cell| cell.trim().to_owned())
                .collect()
        };
        if let Some(last) = out.last() {
            let (names, levels) = (cells(&last.text), cells(text));
            if names.len() > 1
                && names.len() == levels.len()
                && names
                    .iter()
                    .filter(|name| lexicon::language_at_start(name).is_some())
                    .count()
                    * 2
                    > names.len()
                && names.iter().all(|name| is_bare(name))
                && levels
                    .iter()
                    .all(|level| lexicon::language_at_start(level).is_none())
            {
                let line = last.line.clone();
                out.pop();
                out.extend(names.iter().zip(&levels).map(|(name, level)| Item {
                    text: format!("{name}\t{level}"),
                    line: line.clone(),
                }));
                continue;
            }
        }
        let is_level = lexicon::language_at_start(text).is_none()
            && text.split(' ').count() <= 6
            && !text.contains([':', ';', '|', '\t']);
        if is_level
            && let Some(last) = out.last_mut()
            && is_bare(&last.text)
            && (lexicon::level_words(text)
                || lexicon::language_at_start(last.text.trim()).is_some())
        {
            last.text.push('\t');
            last.text.push_str(text);
            continue;
        }
        out.push(Item {
            text: row.text.clone(),
            line: row.line.clone(),
        });
    }
    out
}

/// A language's name and nothing else; of a language that is not known, one word.
fn is_bare(text: &str) -> bool {
    let text = text.trim();
    match lexicon::language_at_start(text) {
        Some(end) => end == text.len(),
        None => !text.contains([' ', '\t', ':', '(', ',']) && !lexicon::level_words(text),
    }
}

/// Reads rows of languages.
pub(super) fn languages(rows: &[Item], second: Option<Kind>, confidence: f32, draft: &mut Draft) {
    let mut columns: Vec<String> = Vec::new();
    for row in &with_levels(rows) {
        let cells: Vec<String> = row.text.split('\t').map(trim).collect();
        let named = lexicon::language_at_start(&cells[0]);
        if cells.len() >= 3 && cells[1..].iter().all(|cell| lexicon::level_words(cell)) {
            if named.is_some() {
                let level = of_grid(&cells[1..], &columns);
                push_language(&cells[0], Some(level), row, confidence, draft);
                continue;
            }
        } else if cells.len() >= 3 && named.is_none() {
            // "Listening", "Reading", ...: what the columns of levels are about.
            for cell in &cells {
                draft.label(cell);
            }
            columns = cells;
            continue;
        }
        let text = lists::without_rating(&row.text);
        if row.text.ends_with(':') && lexicon::section(&row.text).is_some() {
            draft.label(&row.text);
            continue;
        }
        let starts = lexicon::language_at_start(text.trim()).is_some();
        if !starts && second == Some(Kind::Skills) {
            lists::skills(std::slice::from_ref(row), None, confidence, draft);
            continue;
        }
        // "Native: Polish", "Fluent: English, German"
        if !starts
            && let Some((level, names)) = text.split_once([':', '\t'])
            && lexicon::level_words(level)
            && lexicon::language_at_start(names.trim()).is_some()
        {
            for name in lists::pieces(names) {
                push_language(&name, Some(without_plural(level)), row, confidence, draft);
            }
            continue;
        }
        for piece in language_pieces(&text) {
            if let Some(end) = lexicon::language_at_start(&piece) {
                let end = with_adjective(&piece, end);
                push_language(&piece[..end], level(&piece[end..]), row, confidence, draft);
                continue;
            }
            let (name, level) = unknown_language(&piece);
            if name.split(' ').count() <= 3 && (level.is_some() || piece.chars().count() < 25) {
                push_language(&name, level, row, confidence * 0.7, draft);
            } else {
                draft.unplaced(&piece, &row.line);
            }
        }
    }
}

/// A language's levels by skill: one where all are the same, else each with its column's name.
fn of_grid(levels: &[String], columns: &[String]) -> String {
    if levels.iter().all(|level| level == &levels[0]) {
        return levels[0].clone();
    }
    let offset = columns.len().checked_sub(levels.len());
    let told: Vec<String> = levels
        .iter()
        .enumerate()
        .map(
            |(i, level)| match offset.and_then(|from| columns.get(from + i)) {
                Some(name) => format!("{name} {level}"),
                None => level.clone(),
            },
        )
        .collect();
    told.join(", ")
}

/// "technical English – good" with the adjective behind the name, as Slavic and Romance languages
/// have it: a word that speaks of no level, before a dash or a colon.
fn with_adjective(piece: &str, end: usize) -> usize {
    let Some(rest) = piece[end..].strip_prefix(' ') else {
        return end;
    };
    let length = rest
        .find(|c: char| !c.is_alphabetic())
        .unwrap_or(rest.len());
    let after = rest[length..].trim_start();
    let apart = after.starts_with(['–', '—', '-', ':']);
    if length > 2 && apart && !lexicon::level_words(&rest[..length]) {
        end + 1 + length
    } else {
        end
    }
}

/// A language that is not in the lexicon: cut where a level begins.
fn unknown_language(piece: &str) -> (String, Option<String>) {
    let cut = piece.find(['\t', '(', ':']).or_else(|| {
        [" – ", " - ", " — "]
            .iter()
            .find_map(|dash| piece.find(dash))
    });
    match cut {
        Some(at) => (trim(&piece[..at]), level(&piece[at..])),
        None => match piece.rsplit_once(' ') {
            Some((name, last)) if lexicon::level_words(last) => (trim(name), level(last)),
            _ => (trim(piece), None),
        },
    }
}

/// Cuts where the next language begins.
fn language_pieces(text: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let mut depth = 0;
    let mut start = 0;
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            '.' if depth <= 0
                && text[at + 1..].starts_with(' ')
                && lexicon::language_at_start(text[at + 1..].trim_start()).is_some() =>
            {
                all.push(text[start..at].to_owned());
                start = at + 1;
            }
            ';' | '|' | '•' | '·' | ',' | '/' | '\t' | '–' | '—' if depth <= 0 => {
                let next = text[at + c.len_utf8()..].trim_start();
                let begins = lexicon::language_at_start(next).is_some();
                // "English: B1 – Spanish: basic"
                let dash = matches!(c, '–' | '—');
                let said = dash && !lexicon::level_words(&text[start..at]);
                if matches!(c, '\t' | '–' | '—') && (!begins || said) {
                    continue;
                }
                if begins
                    || (c != ',' && c != '/')
                    || (c == ','
                        && !is_level(next.split([',', ';', '(']).next().unwrap_or_default()))
                {
                    all.push(text[start..at].to_owned());
                    start = at + c.len_utf8();
                }
            }
            _ => {}
        }
    }
    all.push(text[start..].to_owned());
    // "English | Native": the level has a piece of its own.
    let mut joined: Vec<String> = Vec::new();
    for piece in all {
        let next = piece.trim();
        match joined.last_mut() {
            Some(last)
                if is_bare(last)
                    && lexicon::language_at_start(next).is_none()
                    && lexicon::level_words(next) =>
            {
                last.push('\t');
                last.push_str(next);
            }
            _ => joined.push(piece),
        }
    }
    let mut cut: Vec<String> = Vec::new();
    for piece in joined {
        let piece = piece.trim().trim_end_matches('.').to_owned();
        // "English and German": two, where nothing else is said.
        let joint = [" and ", " und ", " i ", " y ", " et ", " e ", " та ", " і "]
            .iter()
            .find_map(|joint| piece.split_once(joint))
            .filter(|(a, b)| {
                lexicon::language_at_start(a.trim()) == Some(a.trim().len())
                    && lexicon::language_at_start(b.trim()).is_some()
            });
        match joint {
            // "Catalan and Spanish: native" says it of both.
            Some((a, b)) => {
                let level = b
                    .split_once(':')
                    .map(|(_, level)| format!(": {}", level.trim()));
                cut.extend([
                    format!("{}{}", a.trim(), level.unwrap_or_default()),
                    b.trim().to_owned(),
                ]);
            }
            None => cut.push(piece),
        }
    }
    cut.retain(|piece| piece.chars().any(char::is_alphanumeric));
    cut
}

/// "Mother tongue(s)" without its ending in brackets.
fn without_plural(label: &str) -> String {
    let label = trim(label);
    match label.strip_suffix(')').and_then(|l| l.rsplit_once('(')) {
        Some((word, ending)) if ending.len() <= 2 => word.trim_end().to_owned(),
        _ => label,
    }
}

/// Whether a piece only says how well: "fluent", and not "Asturian native", whose first word does
/// not speak of a level while its last does.
fn is_level(piece: &str) -> bool {
    let named = piece.trim().rsplit_once(' ').is_some_and(|(name, last)| {
        !name.contains(' ') && !lexicon::level_words(name) && lexicon::level_words(last)
    });
    lexicon::level_words(piece) && !named
}

/// What follows a language's name, without what sets it apart.
fn level(text: &str) -> Option<String> {
    let text = text.replace('\t', " ");
    let text = trim(text.trim().trim_start_matches(['=', '.']));
    let text = text.trim_end_matches('.').trim();
    (!text.is_empty()).then(|| text.to_owned())
}

fn push_language(
    name: &str,
    level: Option<String>,
    row: &Item,
    confidence: f32,
    draft: &mut Draft,
) {
    let index = draft.cv.languages.len();
    if index >= MOST {
        draft.unplaced(name, &row.line);
        return;
    }
    let same = |known: &Language| lexicon::fold(&known.name) == lexicon::fold(name);
    if draft.cv.languages.iter().any(same) {
        return;
    }
    draft.source(format!("languages[{index}]"), &row.line, confidence);
    draft.cv.languages.push(Language {
        name: trim(name),
        level,
    });
}
