//! Reading order: which lines follow one another, across tables, text boxes, headers and footers.
//!
//! A flow is read from top to bottom by itself: the body, each text box, each column of a table
//! that is used to lay the page out, headers and footers.

use super::dates;
use super::labelled;
use super::lines::{self, CellAt, Line, Part};
use crate::document::{Block, Cell, Document, Table};
use crate::lexicon;

/// A flow's lines.
#[derive(Debug, Default)]
pub(super) struct Flow {
    key: Key,
    pub(super) lines: Vec<Line>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Key {
    Header,
    #[default]
    Main,
    TextBox(u32),
    Column(u32, usize),
    Footer,
    Note,
}

/// The flows of a document in the order in which they begin: headers first, footers last.
pub(super) fn flows(document: &Document) -> Vec<Flow> {
    let mut layout = Layout::default();
    for (blocks, part, key) in [
        (&document.headers, Part::Header, Key::Header),
        (&document.body, Part::Body, Key::Main),
        (&document.footers, Part::Footer, Key::Footer),
        (&document.notes, Part::Note, Key::Note),
    ] {
        layout.part = part;
        layout.blocks(blocks, key, None);
    }
    layout.flows.retain(|flow| !flow.lines.is_empty());
    for flow in &mut layout.flows {
        numbers_to_marks(&mut flow.lines);
    }
    layout.flows
}

/// Typed numbers that count up from line to line are marks of a list: "1. ...", "2. ...".
fn numbers_to_marks(lines: &mut [Line]) {
    let number = |line: &Line| -> Option<(u32, usize)> {
        let digits = line.text.bytes().take_while(u8::is_ascii_digit).count();
        let rest = line.text[digits..].strip_prefix('.')?;
        let value = rest.trim_start_matches([' ', '\t']);
        let sound = (1..=2).contains(&digits)
            && value.len() < rest.len()
            && value.starts_with(char::is_alphabetic)
            && lexicon::section(value).is_none()
            && dates::find(&line.text)
                .first()
                .is_none_or(|date| date.at.start > digits);
        let number = line.text[..digits].parse().ok().filter(|_| sound)?;
        Some((number, line.text.len() - value.len()))
    };
    let mut at = 0;
    while at < lines.len() {
        let count = (0..lines.len() - at)
            .take_while(|i| number(&lines[at + i]).is_some_and(|n| n.0 as usize == i + 1))
            .count();
        for line in &mut lines[at..at + if count > 1 { count } else { 0 }] {
            if let Some((_, start)) = number(line) {
                line.drop_front(start);
                line.bullet = true;
            }
        }
        at += count.max(1);
    }
}

#[derive(Default)]
struct Layout {
    flows: Vec<Flow>,
    part: Part,
    paras: usize,
    tables: u32,
    gap: bool,
}

impl Flow {
    /// Whether it is a text box.
    pub(super) fn is_box(&self) -> bool {
        matches!(self.key, Key::TextBox(_))
    }
}

impl Layout {
    fn blocks(&mut self, blocks: &[Block], key: Key, cell: Option<CellAt>) {
        for block in blocks {
            match block {
                Block::Para(para) => {
                    self.paras += 1;
                    let key = match para.form.text_box {
                        0 => key,
                        number => Key::TextBox(number),
                    };
                    let mut lines = lines::of_para(para, self.part, self.paras, cell);
                    if lines.is_empty() {
                        self.gap = true;
                        continue;
                    }
                    lines[0].gap = std::mem::take(&mut self.gap);
                    self.push(key, lines);
                }
                Block::Table(table) => self.table(table, key, cell),
            }
        }
    }

    fn push(&mut self, key: Key, mut lines: Vec<Line>) {
        match self.flows.iter_mut().find(|flow| flow.key == key) {
            Some(flow) => flow.lines.append(&mut lines),
            None => self.flows.push(Flow { key, lines }),
        }
    }

    /// Gives each cell the label of its column, as if each row were a form.
    fn labelled_rows(&mut self, table: &Table, number: u32, labels: &[(usize, String)], key: Key) {
        for (row_index, row) in table.rows.iter().enumerate().skip(1) {
            for cell in row {
                let at = CellAt {
                    table: number,
                    row: row_index as u32,
                    column: cell.column as u32,
                    cells: 1,
                };
                let label = labels
                    .iter()
                    .rev()
                    .find(|(column, _)| *column <= cell.column);
                let from = self.flows.iter().find(|flow| flow.key == key);
                let from = from.map_or(0, |flow| flow.lines.len());
                self.blocks(&cell.blocks, key, Some(at));
                let flow = self.flows.iter_mut().find(|flow| flow.key == key);
                if let Some((_, label)) = label
                    && let Some(line) = flow.and_then(|flow| flow.lines.get_mut(from))
                {
                    line.label(label);
                }
            }
        }
        self.gap = true;
    }

    fn table(&mut self, table: &Table, key: Key, outer: Option<CellAt>) {
        self.tables += 1;
        let number = self.tables;
        let is_layout = !is_grid(table) && table.rows.iter().any(|row| lays_out(row));
        if let Some(labels) = head_row(table) {
            self.labelled_rows(table, number, &labels, key);
            return;
        }
        for (row_index, row) in table.rows.iter().enumerate() {
            let filled: Vec<&Cell> = row.iter().filter(|cell| !is_empty(&cell.blocks)).collect();
            let count = filled.len() as u32;
            // "Experience" beside all of it: the row is a section and not an entry.
            let headed = filled.first().is_some_and(|cell| {
                let texts = texts(&cell.blocks);
                texts.len() == 1 && is_heading(&texts[0])
            }) && filled
                .iter()
                .skip(1)
                .any(|cell| texts(&cell.blocks).len() > 1);
            let first = filled.first().map_or(0, |cell| cell.column);
            let at = |cell: &Cell| {
                if headed && cell.column != first {
                    return outer;
                }
                // A nested table that only sets one thing below another stands in its outer cell.
                let own = CellAt {
                    table: number,
                    row: row_index as u32,
                    column: cell.column as u32,
                    cells: count,
                };
                if count > 1 {
                    Some(own)
                } else {
                    outer.or(Some(own))
                }
            };
            if is_layout && count > 1 {
                for cell in filled {
                    self.gap = true;
                    self.blocks(&cell.blocks, Key::Column(number, cell.column), None);
                }
                continue;
            }
            // The date goes first, wherever its column stands.
            let labelled = filled.iter().any(|cell| {
                let texts = texts(&cell.blocks);
                texts.iter().any(|text| {
                    let text = text.trim_start_matches(|c: char| !c.is_alphanumeric());
                    lexicon::label(text).is_some() || labelled::is_label(text)
                })
            });
            let (dates, others): (Vec<&Cell>, Vec<&Cell>) = filled
                .into_iter()
                .partition(|cell| !labelled && !headed && is_date_cell(&cell.blocks));
            for cell in dates.into_iter().chain(others) {
                self.blocks(&cell.blocks, key, at(cell));
            }
        }
        self.gap = true;
    }
}

/// The labels of a table whose first row names what stands below: "Period", "Post", "Employer".
fn head_row(table: &Table) -> Option<Vec<(usize, String)>> {
    let (first, rest) = table.rows.split_first()?;
    let mut labels = Vec::new();
    for cell in first {
        let mut texts = texts(&cell.blocks);
        let text = texts.pop()?;
        if !texts.is_empty() || !labelled::is_label(&text) {
            return None;
        }
        labels.push((cell.column, text));
    }
    let under = |row: &Vec<Cell>| {
        let head = row
            .first()
            .and_then(|cell| texts(&cell.blocks).into_iter().next());
        row.len() >= 2 && !head.is_some_and(|text| labelled::is_label(&text))
    };
    (labels.len() >= 3 && !rest.is_empty() && rest.iter().all(under)).then_some(labels)
}

/// Whether each cell holds one text, over three rows and columns and more: figures under headings,
/// such as languages by skill, and not columns of the page.
fn is_grid(table: &Table) -> bool {
    let full =
        |row: &&Vec<Cell>| row.len() >= 3 && row.iter().all(|cell| texts(&cell.blocks).len() == 1);
    table.rows.iter().filter(full).count() >= 3
}

/// Whether a row sets columns of the page side by side: one holds a heading and what is under it,
/// or two hold headings.
fn lays_out(row: &[Cell]) -> bool {
    if row.iter().filter(|cell| !is_empty(&cell.blocks)).count() < 2 {
        return false;
    }
    let mut headings = 0;
    for cell in row {
        let texts = texts(&cell.blocks);
        let found = texts.iter().position(|text| is_heading(text));
        let Some(first) = found else { continue };
        headings += 1;
        if first + 1 < texts.len() && (first > 0 || texts.len() > 3) {
            return true;
        }
        let second = texts[first + 1..].iter().any(|text| is_heading(text));
        if second || headings > 1 {
            return true;
        }
    }
    false
}

fn is_heading(text: &str) -> bool {
    lexicon::section(text).is_some_and(|(kind, _)| kind != lexicon::Kind::Other)
}

fn is_empty(blocks: &[Block]) -> bool {
    blocks.iter().all(|block| match block {
        Block::Para(para) => para.is_blank(),
        Block::Table(table) => table
            .rows
            .iter()
            .flatten()
            .all(|cell| is_empty(&cell.blocks)),
    })
}

fn is_date_cell(blocks: &[Block]) -> bool {
    let texts = texts(blocks);
    texts.len() <= 4
        && texts
            .first()
            .is_some_and(|text| dates::whole(text).is_some())
}

/// The texts of a cell's paragraphs, those of nested tables included.
fn texts(blocks: &[Block]) -> Vec<String> {
    let mut all = Vec::new();
    for block in blocks {
        match block {
            Block::Para(para) => {
                let text: String = para.runs.iter().map(|run| run.text.as_str()).collect();
                all.extend(
                    text.split('\n')
                        .map(|line| line.trim().to_owned())
                        .filter(|line| !line.is_empty()),
                );
            }
            Block::Table(table) => {
                for cell in table.rows.iter().flatten() {
                    all.extend(self::texts(&cell.blocks));
                }
            }
        }
    }
    all
}
