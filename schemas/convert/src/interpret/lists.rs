//! Sections that are lists: skills, certificates, courses, publications, referees.

use super::draft::Draft;
use super::entries::Raw;
use super::labelled;
use super::languages::languages;
use super::lines::Line;
use super::roles::{Part, Parts};
use crate::lexicon::{self, Kind};

/// An item and its line.
pub(super) struct Item {
    pub(super) text: String,
    pub(super) line: Line,
}

/// Reads a list into its field.
pub(super) fn read(
    kind: Kind,
    second: Option<Kind>,
    lines: &[Line],
    confidence: f32,
    draft: &mut Draft,
) {
    if matches!(kind, Kind::Trainings | Kind::Certifications)
        && let Some(items) = labelled_items(lines, draft)
    {
        for item in items {
            if kind == Kind::Trainings {
                add(draft, "trainings", &item, confidence, |cv| {
                    &mut cv.trainings
                });
            } else {
                draft.certification(&item.text, &item.line, confidence);
            }
        }
        return;
    }
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

/// A table of courses whose columns have names, each row as one item: what, where, when.
fn labelled_items(lines: &[Line], draft: &mut Draft) -> Option<Vec<Item>> {
    let found = labelled::entries(lines)?;
    for label in &found.labels {
        draft.label(label);
    }
    let item = |(raw, parts): (Raw, Parts)| -> Option<Item> {
        let dates = raw.dates.map(|(text, line)| Part { text, line });
        let all = [parts.title, parts.organisation, parts.place, dates];
        let mut all: Vec<Part> = all.into_iter().flatten().collect();
        all.extend(raw.text.into_iter().map(|(text, line)| Part { text, line }));
        let texts: Vec<&str> = all.iter().map(|part| part.text.as_str()).collect();
        Some(Item {
            text: texts.join(", "),
            line: lines.get(all.first()?.line)?.clone(),
        })
    };
    Some(found.entries.into_iter().filter_map(item).collect())
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
    let is_note = |item: &Item| {
        !item.line.bullet && (item.line.look().italic || item.text.ends_with(['.', ':']))
    };
    if items.len() > 1 && items[1..].iter().all(|item| item.line.bullet) && is_note(&items[0]) {
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
pub(super) fn pieces(text: &str) -> Vec<String> {
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

pub(super) fn skills(rows: &[Item], second: Option<Kind>, confidence: f32, draft: &mut Draft) {
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
        if let Some((level, names)) = text.split_once(['\t', ':'])
            && lexicon::level_words(level)
            && lexicon::language_at_start(names.trim()).is_some()
        {
            languages(std::slice::from_ref(row), None, confidence, draft);
            continue;
        }
        // "AutoCAD<tab>advanced": how well is no skill.
        let rated = text.rsplit_once('\t').filter(|(skill, level)| {
            !skill.contains('\t')
                && lexicon::level_words(level)
                && level.split(' ').count() <= 3
                && !level.contains([',', ';'])
        });
        if let Some((_, level)) = rated {
            draft.unplaced(level, &row.line);
        }
        let text = rated.map_or(text, |(skill, _)| skill.trim());
        if lexicon::is_licence(text) && text.chars().count() <= 40 && !text.contains([',', ';']) {
            draft.certification(text, &row.line, confidence * 0.8);
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
        && (line.cell.is_some() | line.look_at(0).bold || lexicon::section(label).is_some())
    {
        return (Some(label.trim()), rest.trim());
    }
    (None, text)
}

/// Without dots, stars and bars that rate, and without per cents.
pub(super) fn without_rating(text: &str) -> String {
    let mut plain = without_dots(text);
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

/// Without rows of three dots and more; a dot between words separates them.
fn without_dots(text: &str) -> String {
    let is_dot = |c: char| "●○◯★☆■□▪▫⬤⚫⚪▮▯█░▓◉◆◇•◦✦✧⭐".contains(c);
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(is_dot) {
        plain.push_str(&rest[..at]);
        let row = &rest[at..];
        let end = row
            .find(|c: char| !(is_dot(c) || c == ' '))
            .unwrap_or(row.len());
        if row[..end].chars().filter(|c| is_dot(*c)).count() < 3 {
            plain.push_str(&row[..end]);
        } else {
            plain.push(' ');
        }
        rest = &row[end..];
    }
    plain.push_str(rest);
    plain
}
