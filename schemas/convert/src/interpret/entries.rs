//! Entries of a section: jobs, schools, engagements. Where each begins, and which of its lines are
//! its head (dates, title, organisation, place) and which its text.

use super::head_dates::{head_date, is_alone, is_barred, is_edge};
use super::labelled::{self, Field};
use super::lines::Line;
use crate::document::Look;
use crate::lexicon;

/// An entry before its parts have roles.
#[derive(Debug, Default)]
pub(super) struct Raw {
    /// The dates as they are written, and their line.
    pub(super) dates: Option<(String, usize)>,
    pub(super) atoms: Vec<Atom>,
    /// Text under the head, and its line.
    pub(super) text: Vec<(String, usize)>,
}

/// A piece of an entry's head.
#[derive(Clone, Debug)]
pub(super) struct Atom {
    pub(super) text: String,
    /// Index of the line in the section.
    pub(super) line: usize,
    /// Which line of the head it stands on, and which piece of that line it is; lines that hold
    /// the dates alone do not count.
    pub(super) place: (usize, usize),
    pub(super) look: Look,
    /// In the same cell as the dates, while the rest is in another.
    pub(super) beside_dates: bool,
    /// The only piece on the line of the dates, after them.
    pub(super) after_dates: bool,
    /// What the label before it says that it is: "Position: welder".
    pub(super) field: Option<Field>,
}

/// The most pieces of a head that are looked at.
const HEAD_LINES: usize = 4;

/// Cuts a section's lines into entries. Lines before the first are given back by index.
pub(super) fn entries(lines: &[Line]) -> (Vec<Raw>, Vec<usize>) {
    let starts = starts(lines);
    let before = (0..starts.first().copied().unwrap_or(lines.len())).collect();
    let mut all = Vec::new();
    for (i, start) in starts.iter().enumerate() {
        let end = starts.get(i + 1).copied().unwrap_or(lines.len());
        all.push(entry(lines, *start, end));
    }
    (all, before)
}

/// How many lines have the dates of an entry.
pub(super) fn count_dated(lines: &[Line]) -> usize {
    match anchors(lines, false).len() {
        0 => anchors(lines, true).len(),
        some => some,
    }
}

/// Lines that hold the dates of an entry.
fn anchors(lines: &[Line], bullets: bool) -> Vec<usize> {
    let dated = |line: &Line| head_date(&line.text);
    let usable = |line: &&Line| bullets || !line.bullet;
    let ranges = lines
        .iter()
        .filter(usable)
        .filter(|line| dated(line).is_some_and(|d| d.is_range))
        .count();
    let mut found: Vec<usize> = Vec::new();
    for (i, line) in lines.iter().enumerate() {
        if !usable(&line) {
            continue;
        }
        let Some(date) = dated(line) else { continue };
        let alone = is_alone(&line.text, &date);
        if date.is_range
            || alone
            || ranges == 0
            || is_edge(&line.text, &date)
            || is_barred(&line.text, &date)
        {
            // Two dates on one head ("issued 2019", "03/2019 – 04/2020") are one entry.
            if let Some(last) = found.last().copied()
                && same_row(&lines[last], line)
            {
                continue;
            }
            found.push(i);
        }
    }
    found
}

fn starts(lines: &[Line]) -> Vec<usize> {
    let mut anchors = anchors(lines, false);
    if anchors.is_empty() {
        let bullets = self::anchors(lines, true);
        if bullets.is_empty() {
            return undated_starts(lines);
        }
        anchors = bullets;
        return anchors;
    }
    let mut starts: Vec<usize> = Vec::new();
    let mut usual: Option<usize> = None;
    let mut first_look: Option<Look> = None;
    for (i, anchor) in anchors.iter().copied().enumerate() {
        let floor = if i == 0 { 0 } else { anchors[i - 1] + 1 };
        let start = start_of(lines, floor, anchor, i == 0, usual, first_look);
        if i == 0 || usual.is_none() {
            usual = Some(anchor - start);
            first_look = Some(lines[start].look_at(0));
        }
        starts.push(start);
    }
    starts
}

/// Where the entry of an anchor begins, at `floor` or after.
fn start_of(
    lines: &[Line],
    floor: usize,
    anchor: usize,
    is_first: bool,
    usual: Option<usize>,
    look: Option<Look>,
) -> usize {
    let line = &lines[anchor];
    // A row of a table is one entry.
    if line.cell.is_some_and(|cell| cell.cells > 1) {
        let mut start = anchor;
        while start > floor && same_row(&lines[start - 1], line) {
            start -= 1;
        }
        return start;
    }
    // So is a paragraph whose lines are broken by hand.
    if line.row_of_para > 0 {
        let mut start = anchor;
        while start > floor && lines[start - 1].para == line.para {
            start -= 1;
        }
        if start < anchor && !lines[start].bullet {
            return start;
        }
    }
    let mut reach = 0;
    while reach < 3 && anchor - reach > floor {
        let before = &lines[anchor - reach - 1];
        if before.bullet
            || is_text(&before.text)
            || is_label(&before.text)
            || before.cell != line.cell
        {
            break;
        }
        reach += 1;
        // Space between paragraphs sets entries apart.
        if before.gap && reach >= usual.unwrap_or(1) {
            break;
        }
    }
    let bounded = is_first || anchor - reach > floor && lines[anchor - reach - 1].bullet;
    let Some(usual) = usual else {
        return anchor - reach;
    };
    if line.gap && reach >= 1 && usual == 0 {
        return anchor;
    }
    if bounded && reach > usual && usual > 0 {
        // A line of text after the bullets of the entry before.
        return anchor - usual;
    }
    let mut take = reach.min(usual);
    // The first line of an entry looks like the first line of the first entry.
    if let Some(look) = look
        && lines[anchor - take].look_at(0) != look
    {
        for other in (0..=reach).rev() {
            if lines[anchor - other].look_at(0) == look {
                take = other;
                break;
            }
        }
    }
    anchor - take
}

/// Entries without dates begin at rows of a table, at lines that stand out, or at gaps; failing
/// all of these each line is one.
fn undated_starts(lines: &[Line]) -> Vec<usize> {
    if lines.is_empty() {
        return Vec::new();
    }
    let mut starts = vec![0];
    let first = lines[0].look();
    let bold = first.bold || first.caps || lines[0].form.outline.is_some();
    let has_bullets = lines.iter().any(|line| line.bullet) && lines.iter().any(|line| !line.bullet);
    let has_gaps = lines.iter().skip(1).any(|line| line.gap);
    for i in 1..lines.len() {
        let (line, before) = (&lines[i], &lines[i - 1]);
        let begins = if line.cell.is_some_and(|c| c.cells > 1) {
            !same_row(before, line)
        } else if has_bullets {
            !line.bullet && before.bullet
        } else if bold {
            line.look() == first
                && (before.look() != first || line.form == lines[0].form && line.gap)
        } else if has_gaps {
            line.gap
        } else {
            line.row_of_para == 0
        };
        if begins {
            starts.push(i);
        }
    }
    starts
}

fn entry(lines: &[Line], start: usize, end: usize) -> Raw {
    let mut raw = Raw::default();
    let mut date_cell = None;
    let mut head_lines = 0;
    let mut in_text = false;
    for (i, line) in lines.iter().enumerate().take(end).skip(start) {
        let date = raw.dates.is_none().then(|| head_date(&line.text)).flatten();
        let is_first = i == start;
        // Another cell of the same row: the head goes on beside the text.
        if in_text
            && !line.bullet
            && i > start
            && same_row(&lines[i - 1], line)
            && lines[i - 1].cell != line.cell
        {
            in_text = false;
        }
        in_text |= line.bullet && !is_first;
        if let Some(date) = date.filter(|_| !in_text || !line.bullet) {
            let dates = tidy_date(&line.text[date.at.clone()]);
            raw.dates = Some((dates, i));
            date_cell = line.cell;
            if is_alone(&line.text, &date) {
                continue;
            }
            let mut pieces = 0;
            let first_atom = raw.atoms.len();
            for range in [0..date.at.start, date.at.end..line.text.len()] {
                pieces = split(line, range, i, head_lines, pieces, &mut raw.atoms);
            }
            if date.at.start == 0 && raw.atoms.len() == first_atom + 1 {
                raw.atoms[first_atom].after_dates = true;
            }
            head_lines += 1;
            continue;
        }
        let told = raw.dates.is_some()
            && raw.atoms.first().is_some_and(|first| {
                let look = line.look();
                let titled = raw.atoms.iter().any(|a| lexicon::job_score(&a.text) >= 1.0);
                !look.bold
                    && !look.italic
                    && (raw.atoms.len() > 1 || first.look.bold)
                    && is_phrase(&line.text)
                    && (titled || first.look.bold || lexicon::job_score(&line.text) < 1.0)
            });
        let long = is_text(&line.text) || told;
        if in_text
            || line.bullet && !is_first
            || (long && !is_first)
            || head_lines >= HEAD_LINES
            || is_label(&line.text)
        {
            in_text = in_text || line.bullet || long || is_label(&line.text);
            push_text(&mut raw, line, i);
            continue;
        }
        let first_atom = raw.atoms.len();
        split(line, 0..line.text.len(), i, head_lines, 0, &mut raw.atoms);
        head_lines += 1;
        let beside =
            date_cell.is_some() && line.cell == date_cell && date_cell.is_some_and(|c| c.cells > 1);
        for atom in &mut raw.atoms[first_atom..] {
            atom.beside_dates = beside;
        }
    }
    raw
}

fn push_text(raw: &mut Raw, line: &Line, index: usize) {
    let text = line.plain();
    if !is_label(&text) {
        raw.text.push((text, index));
    }
}

/// A label such as "Responsibilities:" alone on its line.
pub(super) fn is_label(text: &str) -> bool {
    lexicon::task_label(text)
}

/// Sentences rather than a title or a name.
fn is_text(text: &str) -> bool {
    let count = text.chars().count();
    count > 130
        || (count > 50 && text.ends_with(['.', ';', '!']) && !ends_in_form(text))
        || (text.ends_with('.') && text.split(' ').count() >= 3 && !ends_in_form(text))
        || text.split_once(':').is_some_and(|(label, rest)| {
            !rest.trim().is_empty()
                && (lexicon::task_label(label) || lexicon::section(label).is_some())
        })
}

/// Five words and more, most of them in small letters, that name no job, school or organisation.
fn is_phrase(text: &str) -> bool {
    let words = text
        .split(' ')
        .filter(|w| w.chars().any(char::is_alphabetic));
    let (mut all, mut small) = (0, 0);
    for word in words {
        all += 1;
        small += usize::from(
            word.chars()
                .find(|c| c.is_alphabetic())
                .is_some_and(char::is_lowercase),
        );
    }
    // A row of things is no name, whatever its words.
    let listed = text.matches(", ").count() >= 2 && small * 10 >= all * 7;
    all >= 5
        && small * 10 >= all * 6
        && !text.contains('\t')
        && lexicon::organisation_score(text) < 2.0
        && (listed || lexicon::school_score(text).max(lexicon::degree_score(text)) < 1.0)
}

/// The last full stop is that of an abbreviation.
fn ends_in_form(text: &str) -> bool {
    text.split(' ').next_back().is_some_and(|word| {
        word.chars().count() <= 4 && word.chars().next().is_some_and(char::is_alphabetic)
            || lexicon::is_company_form(word)
    })
}

/// Cuts a part of a line where tabs, bars and dots separate, and where the look changes at a
/// separator. Gives the number of pieces so far.
fn split(
    line: &Line,
    range: std::ops::Range<usize>,
    index: usize,
    head_line: usize,
    mut pieces: usize,
    out: &mut Vec<Atom>,
) -> usize {
    let text = &line.text[range.clone()];
    let mut cuts = vec![0];
    for (at, c) in text.char_indices() {
        if matches!(c, '\t' | '|' | '•' | '·' | '●' | '¦' | '▪' | '∙')
            || text[at..].starts_with(" // ")
        {
            cuts.push(at);
            cuts.push(at + c.len_utf8());
        }
    }
    for (start, look) in &line.looks {
        let Some(at) = start
            .checked_sub(range.start)
            .filter(|at| *at > 0 && *at < text.len())
        else {
            continue;
        };
        let before = line.look_at(*start - 1);
        let (left, right) = (text[..at].trim_end(), text[at..].trim_start());
        let at_separator = left.ends_with([',', '–', '—', '-', ':', ';', '/', '@', '('])
            || right.starts_with([',', '–', '—', '-', ':', ';', '/', '@', '|', '('])
            || left.len() < at
            || right.len() < text.len() - at;
        let differs = before.bold != look.bold
            || before.italic != look.italic
            || before.caps != look.caps
            || before.color != look.color;
        if differs && at_separator && depth(&text[..at]) == 0 {
            cuts.push(at);
        }
    }
    cuts.push(text.len());
    cuts.sort_unstable();
    cuts.dedup();
    let mut waiting = None;
    for pair in cuts.windows(2) {
        let source = &text[pair[0]..pair[1]];
        let mut piece = trim(source);
        if !piece.chars().any(char::is_alphanumeric) {
            continue;
        }
        let mut field = waiting.take();
        if let Some((label, value)) = source.split_once(':')
            && let Some(found) = labelled::field(label)
        {
            piece = trim(value);
            field = Some(found);
            if piece.is_empty() {
                // Its value has another look, and so is the next piece.
                waiting = field;
                continue;
            }
        }
        if pieces > 0 {
            piece.drain(..piece.len() - without_joint(&piece).len());
        }
        // "City: Graz | Country: Austria"
        if field == Some(Field::Place)
            && let Some(last) = out.last_mut()
            && last.field == field
            && last.line == index
        {
            last.text = format!("{}, {piece}", last.text);
            continue;
        }
        let start = range.start + pair[0] + source.find(&piece).unwrap_or(0);
        out.push(Atom {
            text: piece,
            line: index,
            place: (head_line, pieces),
            look: line.look_at(start),
            beside_dates: false,
            after_dates: false,
            field,
        });
        pieces += 1;
    }
    pieces
}

/// "at Acme" without the word that joins it to what stands before.
pub(super) fn without_joint(piece: &str) -> &str {
    const JOINTS: &[&str] = &[
        "at the ",
        "bei der ",
        "bei dem ",
        "bei den ",
        "an der ",
        "am ",
        "in der ",
        "im ",
        "der ",
        "dem ",
        "den ",
        "chez ",
        "à la ",
        "à l’",
        "à l'",
        "au ",
        "presso la ",
        "presso il ",
        "presso l’",
        "alla ",
        "all’",
        "w firmie ",
        "en la ",
        "en el ",
        "at ",
        "bei ",
        "beim ",
        "presso ",
        "en ",
        "w ",
        "we ",
        "in ",
        "у ",
        "в ",
        "bij ",
        "na ",
        "à ",
        "for ",
    ];
    let rest = JOINTS.iter().find_map(|joint| piece.strip_prefix(joint));
    rest.filter(|rest| rest.starts_with(|c: char| c.is_uppercase() || "„“\"«".contains(c)))
        .unwrap_or(piece)
}

fn depth(text: &str) -> i32 {
    text.chars().fold(0, |depth, c| match c {
        '(' => depth + 1,
        ')' => depth - 1,
        _ => depth,
    })
}

/// Without separators and white space at both ends, and without brackets that lost their other half.
pub(super) fn trim(text: &str) -> String {
    let plain = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut plain = plain.as_str();
    loop {
        let before = plain;
        plain = plain.trim_matches(|c: char| " ,;|–—-·•:/@\u{2022}".contains(c));
        if depth(plain) < 0 {
            plain = plain.strip_suffix(')').unwrap_or(plain);
            plain = plain.strip_prefix(')').unwrap_or(plain);
        }
        if depth(plain) > 0 {
            plain = plain.strip_prefix('(').unwrap_or(plain);
            plain = plain.strip_suffix('(').unwrap_or(plain);
        }
        if plain.starts_with('(') && plain.ends_with(')') && plain.matches('(').count() == 1 {
            plain = &plain[1..plain.len() - 1];
        }
        if plain == before {
            return plain.to_owned();
        }
    }
}

fn tidy_date(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn same_row(a: &Line, b: &Line) -> bool {
    match (a.cell, b.cell) {
        (Some(a), Some(b)) => a.table == b.table && a.row == b.row && b.cells > 1,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_trimmed() {
        let check = |text: &str, want: &str| assert_eq!(trim(text), want);
        check(", Kraków — ", "Kraków");
        check("(Berlin)", "Berlin");
        check("Leiterin (Prokura)", "Leiterin (Prokura)");
        check("Acme (", "Acme");
    }
}
