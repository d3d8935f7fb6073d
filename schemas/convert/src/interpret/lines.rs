//! Lines: a document's paragraphs broken at line breaks, in reading order, with what they look like.

use crate::document::{Form, List, Look, Para};
use crate::lexicon;

/// Which part of the document a line stands in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Header,
    #[default]
    Body,
    Footer,
    /// Footnotes and endnotes.
    Note,
}

/// A cell of a row of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CellAt {
    pub(super) table: u32,
    pub(super) row: u32,
    pub(super) column: u32,
    /// How many cells of the row hold anything.
    pub(super) cells: u32,
}

/// One line.
#[derive(Clone, Debug, Default)]
pub(super) struct Line {
    /// Plain text: single spaces, tabs kept, marks of lists taken off.
    pub(super) text: String,
    /// Where each look begins in `text`, in order.
    pub(super) looks: Vec<(usize, Look)>,
    /// Link targets and the text that shows them, in order.
    pub(super) links: Vec<(String, String)>,
    pub(super) form: Form,
    /// Whether a mark of a list stood before it.
    pub(super) bullet: bool,
    pub(super) cell: Option<CellAt>,
    /// Its paragraph: counts through the whole document.
    pub(super) para: usize,
    /// 0 for the first line of its paragraph.
    pub(super) row_of_para: usize,
    /// An empty line stands before it.
    pub(super) gap: bool,
    pub(super) part: Part,
    /// The paragraph's number in its part.
    pub(super) number: u32,
}

const MARKS: &[char] = &[
    '•', '▪', '◦', '‣', '·', '●', '○', '■', '□', '◆', '◇', '►', '▶', '▸', '➤', '➢', '✓', '✔', '★',
    '☆', '»', '›', '§', '∙', '⁃', '–', '—', '-', '+', '*', '→', '⇒', '✦', '❖', '◾', '▫', '>', '~',
    '➔', '■',
];

impl Line {
    /// Where it stands, for people.
    pub(super) fn origin(&self) -> String {
        let part = match self.part {
            Part::Header => "header",
            Part::Body if self.form.text_box > 0 => "text box",
            Part::Body => "body",
            Part::Footer => "footer",
            Part::Note => "note",
        };
        match self.cell {
            Some(cell) => format!(
                "{part}, table {} row {} column {}, paragraph {}",
                cell.table,
                cell.row + 1,
                cell.column + 1,
                self.number
            ),
            None => format!("{part}, paragraph {}", self.number),
        }
    }

    /// The look that most of its letters have.
    pub(super) fn look(&self) -> Look {
        let mut best = (0, Look::default());
        for (i, (start, look)) in self.looks.iter().enumerate() {
            let end = self.looks.get(i + 1).map_or(self.text.len(), |next| next.0);
            let letters = self.text.get(*start..end).map_or(0, |t| t.trim().len());
            if letters > best.0 {
                best = (letters, *look);
            }
        }
        best.1
    }

    /// The look of the letter at a byte of the text.
    pub(super) fn look_at(&self, at: usize) -> Look {
        let before = self.looks.iter().take_while(|(start, _)| *start <= at);
        before.last().map(|(_, look)| *look).unwrap_or_default()
    }

    /// Takes off what stands before a byte of the text, and the white space after it.
    pub(super) fn drop_front(&mut self, start: usize) {
        let rest = &self.text[start..];
        let start = start + (rest.len() - rest.trim_start().len());
        let look = self.look_at(start);
        self.text.drain(..start);
        self.looks.retain(|(at, _)| *at > start);
        for (at, _) in &mut self.looks {
            *at -= start;
        }
        self.looks.insert(0, (0, look));
    }

    /// Puts the label of its column before the text.
    pub(super) fn label(&mut self, label: &str) {
        let length = label.len() + 1;
        self.text = format!("{label}\t{}", self.text);
        for (at, _) in &mut self.looks {
            *at += length;
        }
        self.looks.insert(0, (0, Look::default()));
        self.bullet = false;
    }

    /// Tabs and all white space as single spaces.
    pub(super) fn plain(&self) -> String {
        self.text.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// A paragraph's lines; blank ones are left out. `para` counts through the document.
pub(super) fn of_para(source: &Para, part: Part, index: usize, cell: Option<CellAt>) -> Vec<Line> {
    let blank = || Line {
        form: source.form.clone(),
        cell,
        para: index,
        part,
        number: source.number,
        ..Line::default()
    };
    let mut lines = vec![blank()];
    for run in &source.runs {
        for (i, piece) in run.text.split('\n').enumerate() {
            if i > 0 {
                lines.push(blank());
            }
            let last = lines.len() - 1;
            let line = &mut lines[last];
            let start = line.text.len();
            push_plain(&mut line.text, piece);
            if line.text.len() > start {
                line.looks.push((start, run.look));
                if let Some(link) = &run.link {
                    let shown = line.text[start..].trim();
                    match line.links.last_mut() {
                        Some((target, text)) if target == link => text.push_str(shown),
                        _ => line.links.push((link.clone(), shown.to_owned())),
                    }
                }
            }
        }
    }
    let listed = source.form.list != List::None && source.form.outline.is_none();
    let mut kept: Vec<Line> = Vec::with_capacity(lines.len());
    for mut line in lines.into_iter().flat_map(cut_long) {
        undecorate(&mut line);
        tidy(&mut line);
        // Rules typed of dashes and rows of stars separate; they say nothing.
        if !line.text.chars().any(char::is_alphanumeric) {
            continue;
        }
        line.bullet |= listed && kept.is_empty();
        line.row_of_para = kept.len();
        kept.push(line);
    }
    kept
}

/// Single spaces, tabs kept; soft hyphens and what cannot be seen left out.
fn push_plain(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '\t' => {
                while out.ends_with(' ') {
                    out.pop();
                }
                if !out.ends_with('\t') {
                    out.push('\t');
                }
            }
            '\u{ad}'
            | '\u{200b}'
            | '\u{200c}'
            | '\u{200d}'
            | '\u{2060}'
            | '\u{feff}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{202a}'..='\u{202e}' => {}
            c if c.is_whitespace() || c.is_control() => {
                if !out.ends_with([' ', '\t']) {
                    out.push(' ');
                }
            }
            '\u{2011}' => out.push('-'),
            c => out.push(c),
        }
    }
}

/// The most bytes of a line; much of what looks at lines takes the square of their length.
const MAX_LINE: usize = 2_000;

/// A line that no page could hold as several, cut at spaces where there are any.
fn cut_long(mut line: Line) -> Vec<Line> {
    let mut out = Vec::new();
    while line.text.len() > MAX_LINE {
        let end = line.text.floor_char_boundary(MAX_LINE);
        let at = line.text[..end].rfind([' ', '\t']).filter(|at| *at > 0);
        let at = at.unwrap_or(end);
        let look = line.look_at(at);
        let (kept, later): (Vec<_>, Vec<_>) = line.looks.iter().partition(|(start, _)| *start < at);
        let rest = line.text.split_off(at);
        let mut next = Line {
            text: rest,
            looks: vec![(0, look)],
            ..line.clone()
        };
        next.looks
            .extend(later.into_iter().map(|(start, look)| (start - at, look)));
        next.links.clear();
        line.looks = kept;
        next.text.shrink_to_fit();
        out.push(std::mem::replace(&mut line, next));
    }
    out.push(line);
    out
}

/// "== Skills ==": the signs at both ends are a heading's dress and no text.
fn undecorate(line: &mut Line) {
    const SIGNS: &[char] = &[
        '=', '-', '–', '—', '~', '*', '_', '#', ':', '/', '\\', '<', '>', '|', '+', '.', '•', '·',
        '«', '»', '[', ']',
    ];
    let text = line.text.trim();
    let bare = text.trim_matches(|c: char| SIGNS.contains(&c) || c == ' ');
    if bare.is_empty() || bare.len() == text.len() || text.chars().count() > 90 {
        return;
    }
    let start = bare.as_ptr() as usize - line.text.as_ptr() as usize;
    let end = start + bare.len();
    let signs = |part: &str| part.chars().filter(|c| *c != ' ').count();
    let (before, after) = (signs(&line.text[..start]), signs(&line.text[end..]));
    let even = before.abs_diff(after) <= 1 && before.min(after) >= 1;
    let brackets = text.starts_with(['[', '«', '<']) != text.ends_with([']', '»', '>']);
    if !even
        || brackets
        || before.max(after) < 2
            && !text.starts_with([
                '=', '~', '*', '_', '–', '—', '-', '[', '«', ':', '/', '•', '·', '|',
            ])
    {
        return;
    }
    if before == 1 && text.ends_with('.') {
        return;
    }
    line.text.truncate(end);
    line.text.drain(..start);
    for (at, _) in &mut line.looks {
        *at = at.saturating_sub(start);
    }
    line.looks.retain(|(at, _)| *at < end - start);
    while line.looks.len() > 1 && line.looks[1].0 == 0 {
        line.looks.remove(0);
    }
    line.form.bordered = true;
}

/// Takes the mark of a list off the front, and white space off both ends.
fn tidy(line: &mut Line) {
    let whole = line.text.trim_end_matches([' ', '\t']).len();
    line.text.truncate(whole);
    let mut cut = line.text.len() - line.text.trim_start_matches([' ', '\t']).len();
    loop {
        let rest = &line.text[cut..];
        let Some(mark) = mark(rest) else { break };
        line.bullet |= mark.1;
        cut += mark.0;
    }
    if cut > 0 {
        line.text.drain(..cut);
        for (start, _) in &mut line.looks {
            *start = start.saturating_sub(cut);
        }
        // Of several looks that now begin at 0 the last is the one that counts.
        while line.looks.len() > 1 && line.looks[1].0 == 0 {
            line.looks.remove(0);
        }
    }
}

/// The length of a mark at the start with its white space, and whether it is a list's.
fn mark(text: &str) -> Option<(usize, bool)> {
    let first = text.chars().next()?;
    let after = &text[first.len_utf8()..];
    let spaced = after.starts_with([' ', '\t']);
    let space = after.len() - after.trim_start_matches([' ', '\t']).len();
    let whole = first.len_utf8() + space;
    if is_private(first) {
        // Symbol fonts: square, round and arrow bullets; the rest are icons before a detail.
        let bullet = matches!(
            u32::from(first) & 0xff,
            0xa7 | 0xb7 | 0xa8 | 0x6e | 0xd8 | 0xfc | 0x76 | 0x6f | 0xe0 | 0x71 | 0x9f | 0x77
        );
        return Some((whole, bullet));
    }
    if is_mark_icon(first) {
        let joined = after.trim_start_matches('\u{fe0f}');
        let space = joined.len() - joined.trim_start_matches([' ', '\t']).len();
        return Some((text.len() - joined.len() + space, true));
    }
    if is_icon(first) {
        return Some((whole, false));
    }
    if MARKS.contains(&first) && spaced && !after.trim().is_empty() {
        return Some((whole, true));
    }
    if let Some(length) = bracketed_number(text) {
        return Some((length, true));
    }
    // Courier's hollow bullet is typed as the letter.
    if first == 'o' && after.starts_with('\t') {
        return Some((whole, true));
    }
    if !spaced
        && matches!(first, '•' | '▪' | '●' | '►' | '■' | '◦' | '➢' | '✓' | '✔')
        && !after.is_empty()
        && !after.starts_with(MARKS)
    {
        return Some((whole, true));
    }
    None
}

/// "1) ", "(2) ", "a) " before text that is no heading.
fn bracketed_number(text: &str) -> Option<usize> {
    let open = usize::from(text.starts_with('('));
    let rest = &text[open..];
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let letter = digits == 0 && open == 0 && rest.starts_with(|c: char| c.is_ascii_lowercase());
    let width = if letter { 1 } else { digits };
    let after = rest.get(width..)?.strip_prefix(')')?;
    let value = after.trim_start_matches([' ', '\t']);
    ((1..=2).contains(&width)
        && value.len() < after.len()
        && !value.is_empty()
        && lexicon::section(value).is_none())
    .then(|| text.len() - value.len())
}

fn is_private(c: char) -> bool {
    matches!(c, '\u{e000}'..='\u{f8ff}')
}

/// Coloured squares, dots, ticks and hands, which stand before items rather than details.
fn is_mark_icon(c: char) -> bool {
    matches!(c, '\u{1f534}'..='\u{1f53d}' | '\u{1f7e0}'..='\u{1f7eb}' | '\u{2b1b}' | '\u{2b1c}' | '\u{25fb}'..='\u{25fe}' | '\u{26aa}' | '\u{26ab}' | '\u{1f449}' | '\u{2705}' | '\u{2714}' | '\u{27a1}' | '\u{25aa}' | '\u{1f4cc}' | '\u{2b50}' | '\u{1f518}' | '\u{1f4a1}' | '\u{1f680}')
}

/// Pictures of telephones, envelopes and the like.
fn is_icon(c: char) -> bool {
    matches!(c, '☎' | '✆' | '✉' | '⌂' | '☏' | '📞' | '📧' | '📱' | '🏠' | '📍' | '🌐' | '🔗' | '✎' | '\u{1f300}'..='\u{1faff}' | '\u{fe0f}' | '\u{2700}'..='\u{2712}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Run;

    #[test]
    fn marks_are_taken_off_and_text_is_made_plain() {
        let check = |text: &str, want: &str, bullet: bool| {
            let para = Para {
                runs: vec![Run {
                    text: text.to_owned(),
                    ..Run::default()
                }],
                ..Para::default()
            };
            let lines = of_para(&para, Part::Body, 0, None);
            assert_eq!(
                (lines[0].text.as_str(), lines[0].bullet),
                (want, bullet),
                "{text:?}"
            );
        };
        check("•\tLed a team", "Led a team", true);
        check("– Führung", "Führung", true);
        check("o\tone", "one", true);
        check("\u{f0b7} one", "one", true);
        check("🔹 one", "one", true);
        check("▪️ one", "one", true);
        check("☎ +44 1", "+44 1", false);
        check("-22 °C", "-22 °C", false);
        check("a\u{a0}b\u{ad}c  d", "a bc d", false);
        check("title \t  date", "title\tdate", false);
        check("1) one", "one", true);
        check("(2) two", "two", true);
        check("1) Experience", "1) Experience", false);
        check("030) 555", "030) 555", false);
    }
}
