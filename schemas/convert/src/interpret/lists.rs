//! Sections that are lists: skills, languages, certificates, courses, publications, referees.

use schemas::cv::Language;

use super::draft::{Draft, MOST};
use super::entries::trim;
use super::lines::Line;
use crate::lexicon::{self, Kind};

/// An item and its line.
struct Item {
    text: String,
    line: Line,
}

/// Reads a list into its field.
pub(super) fn read(
    kind: Kind,
    second: Option<Kind>,
    lines: &[Line],
    confidence: f32,
    draft: &mut Draft,
) {
    let rows = rows(lines);
    match kind {
        Kind::Languages => languages(&rows, second, confidence, draft),
        Kind::Skills => skills(&rows, second, confidence, draft),
        Kind::Interests => {
            let separator = if rows
                .iter()
                .filter(|row| row.line.text.ends_with(['.', '!', ',']))
                .count()
                * 2
                > rows.len()
            {
                " "
            } else {
                ", "
            };
            for row in rows {
                let text = row.text.replace('\t', " ");
                draft.interests(&text, separator, &row.line, confidence);
            }
        }
        Kind::References => {
            for item in referees(&rows) {
                add(draft, "references", &item, confidence, |cv| {
                    &mut cv.references
                });
            }
        }
        Kind::Publications => {
            for item in whole_items(&rows, false, draft) {
                add(draft, "publications", &item, confidence, |cv| {
                    &mut cv.publications
                });
            }
        }
        Kind::Trainings => {
            for item in whole_items(&rows, true, draft) {
                add(draft, "trainings", &item, confidence, |cv| {
                    &mut cv.trainings
                });
            }
        }
        _ => {
            for item in whole_items(&rows, true, draft) {
                add(draft, "certifications", &item, confidence, |cv| {
                    &mut cv.certifications
                });
            }
        }
    }
}

fn add(
    draft: &mut Draft,
    field: &str,
    item: &Item,
    confidence: f32,
    list: impl Fn(&mut schemas::cv::Cv) -> &mut Vec<String>,
) {
    let index = list(&mut draft.cv).len();
    list(&mut draft.cv).push(item.text.clone());
    draft.source(format!("{field}[{index}]"), &item.line, confidence);
}

/// The cells of a table's row as one line, with tabs between.
fn rows(lines: &[Line]) -> Vec<Item> {
    let mut rows: Vec<Item> = Vec::new();
    for line in lines {
        if let Some(last) = rows.last_mut()
            && let (Some(a), Some(b)) = (last.line.cell, line.cell)
            && b.cells > 1
            && (a.table, a.row) == (b.table, b.row)
            && a.column != b.column
            && !line.bullet
        {
            last.text.push('\t');
            last.text.push_str(&line.text);
            last.line.cell = line.cell;
            continue;
        }
        rows.push(Item {
            text: line.text.clone(),
            line: line.clone(),
        });
    }
    rows
}

/// One item a line; a line with semicolons or bars holds several.
fn whole_items(rows: &[Item], cut: bool, draft: &mut Draft) -> Vec<Item> {
    let mut items = Vec::new();
    for row in rows {
        let text = row.text.replace('\t', " ");
        let separators: &[char] = if cut { &[';', '|', '•', '·'] } else { &[] };
        for piece in text.split(separators) {
            let piece = numbered(piece.trim());
            if piece.chars().any(char::is_alphanumeric) {
                items.push(Item {
                    text: piece.to_owned(),
                    line: row.line.clone(),
                });
            }
        }
    }
    // A note over the list speaks of the list: sentences in italics before items that are marked.
    if items.len() > 1 && items[1..].iter().all(|item| item.line.bullet) && !items[0].line.bullet {
        let note = items.remove(0);
        draft.unplaced(&note.text, &note.line);
    }
    items
}

/// Without a typed number: `1.`, `[2]`, `(3)`.
fn numbered(text: &str) -> &str {
    let rest = text.trim_start_matches(['[', '(']);
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let after = &rest[digits..];
    let opened = rest.len() < text.len();
    let closed = after.strip_prefix(if opened { [']', ')'] } else { ['.', ')'] });
    match closed {
        Some(tail) if (1..=3).contains(&digits) && tail.starts_with([' ', '\t']) => {
            tail.trim_start()
        }
        _ => text,
    }
}

fn referees(rows: &[Item]) -> Vec<Item> {
    let many = rows.len();
    let bold = rows.iter().filter(|row| row.line.look().bold).count();
    let by_bold = bold > 0 && bold < many;
    let gaps = rows.iter().skip(1).filter(|row| row.line.gap).count();
    let mut items: Vec<Item> = Vec::new();
    for (i, row) in rows.iter().enumerate() {
        let text = row.text.replace('\t', ", ");
        let begins = i == 0
            || row.line.bullet
            || if by_bold {
                row.line.look().bold
            } else if gaps > 0 {
                row.line.gap
            } else {
                row.line.row_of_para == 0
            };
        match items.last_mut() {
            Some(last) if !begins => {
                let comma = if last.text.ends_with([',', '.', ':']) {
                    " "
                } else {
                    ", "
                };
                last.text = format!("{}{comma}{text}", last.text);
            }
            _ => items.push(Item {
                text,
                line: row.line.clone(),
            }),
        }
    }
    items
}

/// Cuts at commas and other separators outside of brackets.
fn pieces(text: &str) -> Vec<String> {
    let mut depth = 0;
    let mut start = 0;
    let mut all = Vec::new();
    let strong =
        text.contains(';') || text.contains('|') || text.contains('·') || text.contains('•');
    for (at, c) in text.char_indices() {
        match c {
            '(' | '[' | '„' | '“' => depth += 1,
            ')' | ']' | '”' => depth -= 1,
            _ if depth > 0 => {}
            ';' | '|' | '·' | '•' | '\t' | '●' | '▪' => {
                all.push(&text[start..at]);
                start = at + c.len_utf8();
            }
            // "0,75" is a figure.
            ',' if !strong
                && (text[at + 1..].starts_with(|c: char| !c.is_ascii_digit())
                    || text[..at].ends_with(|c: char| !c.is_ascii_digit())) =>
            {
                all.push(&text[start..at]);
                start = at + 1;
            }
            '/' if !strong
                && text[..at].ends_with(' ')
                && text[at + 1..].starts_with(' ')
                && !text.contains(',') =>
            {
                all.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    all.push(&text[start..]);
    all.into_iter()
        .map(|piece| piece.trim().trim_end_matches('.').trim().to_owned())
        .filter(|piece| piece.chars().any(char::is_alphanumeric))
        .collect()
}

fn skills(rows: &[Item], second: Option<Kind>, confidence: f32, draft: &mut Draft) {
    for row in rows {
        let text = without_rating(&row.text);
        let text = text.trim();
        if text.is_empty() {
            continue;
        }
        if second == Some(Kind::Languages) && lexicon::language_at_start(text).is_some() {
            languages(std::slice::from_ref(row), None, confidence, draft);
            continue;
        }
        let (label, rest) = category(text, &row.line);
        if let Some(label) = label {
            draft.unplaced(label, &row.line);
        }
        // A bullet of its own is one skill, whatever commas it has.
        let whole = row.line.bullet && label.is_none() && !is_list(rest);
        let sentence = rest.ends_with('.') && rest.split(' ').count() > 12;
        let found = if whole || sentence {
            vec![rest.replace('\t', " ")]
        } else {
            pieces(rest)
        };
        for piece in found {
            let piece = without_rating(&piece).trim().to_owned();
            if piece.chars().any(char::is_alphanumeric) {
                let item = Item {
                    text: piece,
                    line: row.line.clone(),
                };
                add(draft, "it_ai_skills", &item, confidence, |cv| {
                    &mut cv.it_ai_skills
                });
            }
        }
    }
}

/// Short things side by side rather than a phrase with a comma in it.
fn is_list(text: &str) -> bool {
    let pieces = pieces(text);
    pieces.len() >= 3
        && pieces.iter().all(|piece| piece.split(' ').count() <= 3)
        && !text.contains(" and ")
        && !text.contains(" und ")
}

/// "Databases: PostgreSQL, Redis" as its label and the rest.
fn category<'a>(text: &'a str, line: &Line) -> (Option<&'a str>, &'a str) {
    if let Some((label, rest)) = text.split_once(':')
        && !rest.trim().is_empty()
        && label.split(' ').count() <= 5
        && !label.contains(['(', ','])
    {
        return (Some(label.trim()), rest.trim());
    }
    if let Some((label, rest)) = text.split_once('\t')
        && (rest.contains(',') || rest.contains(';'))
        && line.cell.is_some() | line.look_at(0).bold
    {
        return (Some(label.trim()), rest.trim());
    }
    (None, text)
}

/// Without dots, stars and bars that rate, and without per cents.
fn without_rating(text: &str) -> String {
    let is_dot = |c: char| "●○◯★☆■□▪▫⬤⚫⚪▮▯█░▓◉◆◇•◦✦✧⭐".contains(c);
    let dots = text.chars().filter(|c| is_dot(*c)).count();
    let mut plain: String = if dots >= 3 {
        text.chars().filter(|c| !is_dot(*c)).collect()
    } else {
        text.to_owned()
    };
    let trimmed = plain.trim_end();
    for (i, _) in trimmed.match_indices([' ', '\t']) {
        let tail = trimmed[i..].trim();
        let percent = tail.strip_suffix('%').map(str::trim_end);
        let rated = percent.is_some_and(|p| p.parse::<u8>().is_ok())
            || tail.split_once('/').is_some_and(|(a, b)| {
                a.parse::<u8>().is_ok() && matches!(b, "5" | "10" | "6" | "4")
            });
        if rated {
            plain = trimmed[..i].to_owned();
            break;
        }
    }
    plain.trim_matches([' ', '\t', '–', '-', ':']).to_owned()
}

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

fn languages(rows: &[Item], second: Option<Kind>, confidence: f32, draft: &mut Draft) {
    for row in &with_levels(rows) {
        let text = without_rating(&row.text);
        let starts = lexicon::language_at_start(text.trim()).is_some();
        if !starts && second == Some(Kind::Skills) {
            skills(std::slice::from_ref(row), None, confidence, draft);
            continue;
        }
        // "Native: Polish", "Fluent: English, German"
        if !starts
            && let Some((level, names)) = text.split_once(':')
            && lexicon::level_words(level)
            && lexicon::language_at_start(names.trim()).is_some()
        {
            for name in pieces(names) {
                push_language(&name, Some(trim(level)), row, confidence, draft);
            }
            continue;
        }
        for piece in language_pieces(&text) {
            if let Some(end) = lexicon::language_at_start(&piece) {
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
            ';' | '|' | '•' | '·' | ',' | '/' if depth <= 0 => {
                let next = text[at + c.len_utf8()..].trim_start();
                let begins = lexicon::language_at_start(next).is_some();
                if begins
                    || (c != ',' && c != '/')
                    || (c == ','
                        && !lexicon::level_words(
                            next.split([',', ';', '(']).next().unwrap_or_default(),
                        ))
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
            Some((a, b)) => cut.extend([a.trim().to_owned(), b.trim().to_owned()]),
            None => cut.push(piece),
        }
    }
    cut.retain(|piece| piece.chars().any(char::is_alphanumeric));
    cut
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
