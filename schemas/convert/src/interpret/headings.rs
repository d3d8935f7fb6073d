//! Sections: which lines are headings, by their words and by how they look beside the others.

use std::collections::HashMap;

use super::dates;
use super::head_dates;
use super::layout::Flow;
use super::lines::{Line, Part};
use crate::document::Look;
use crate::lexicon::{self, Kind};

/// A part of the document under one heading, or before the first.
#[derive(Debug, Default)]
pub(super) struct Section {
    /// `None` before the first heading, and under a heading that says nothing known.
    pub(super) kind: Option<Kind>,
    /// A second subject of the same section: "Languages and IT".
    pub(super) second: Option<Kind>,
    pub(super) heading: Option<String>,
    pub(super) part: Part,
    pub(super) lines: Vec<Line>,
    /// How sure the kind is.
    pub(super) confidence: f32,
}

/// How a heading looks; two lines of equal form have equal rank.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Shape {
    style: String,
    outline: Option<u8>,
    look: Look,
    bordered: bool,
    shaded: bool,
    capitals: bool,
    /// In a table.
    celled: bool,
}

#[derive(Clone, Copy, Default)]
struct Votes {
    known: usize,
    others: usize,
    /// Lines that can be no heading.
    unfit: usize,
}

/// Cuts flows into sections.
pub(super) fn sections(flows: Vec<Flow>) -> Vec<Section> {
    let body = body_look(&flows);
    let mut votes: HashMap<Shape, Votes> = HashMap::new();
    let lines = || flows.iter().flat_map(|flow| &flow.lines);
    for line in lines() {
        let vote = votes.entry(shape(line)).or_default();
        if may_be_heading(line) && lexicon::section(&line.text).is_some() {
            vote.known += 1;
        } else {
            vote.others += 1;
            vote.unfit += usize::from(!may_be_heading(line));
        }
    }
    let dressed = lines()
        .filter(|line| may_be_heading(line) && lexicon::section(&line.text).is_some())
        .filter(|line| stands_out(line, body))
        .count();
    let mut labels: HashMap<String, usize> = HashMap::new();
    for line in lines() {
        if let Some((label, _)) = line.text.split_once(':') {
            *labels.entry(lexicon::fold(label)).or_default() += 1;
        }
    }
    let judge = Judge {
        votes,
        labels,
        dressed,
        body,
    };
    let mut all = Vec::new();
    let mut after_box = false;
    for flow in flows {
        // A heading in a box of its own is that of the next box.
        let is_box = flow.is_box();
        let open = |last: &Section| last.heading.is_some() && last.lines.is_empty();
        let carried = if is_box && after_box {
            all.pop_if(|last| open(last))
        } else {
            None
        };
        after_box = is_box;
        cut(flow, carried, &judge, &mut all);
    }
    all
}

/// Where a line stands.
#[derive(Clone, Copy)]
struct Around {
    /// Nothing but the document's title stands above it.
    top: bool,
    /// The heading of the open section looks like text.
    plain: bool,
    /// The years of an entry stand on one of the next two lines.
    dates: bool,
}

struct Judge {
    votes: HashMap<Shape, Votes>,
    /// How often each label before a colon occurs.
    labels: HashMap<String, usize>,
    /// Known headings that stand out from the text.
    dressed: usize,
    body: Look,
}

impl Judge {
    /// Whether a line is a heading; its kind where that is known, and how sure.
    fn heading(
        &self,
        line: &Line,
        current: Option<Kind>,
        around: Around,
    ) -> Option<(Option<Kind>, Option<Kind>, f32)> {
        if !may_be_heading(line) {
            return None;
        }
        let votes = self.votes.get(&shape(line)).copied().unwrap_or_default();
        let stands_out = stands_out(line, self.body);
        if let Some((kind, second)) = lexicon::section(&line.text) {
            // The form of titles within a section: a job called "Internship" is no heading.
            let is_inner = votes.others > votes.known * 2 && self.dressed >= 3;
            let plain_among_dressed =
                !stands_out && self.dressed >= 3 && line.cell.is_none_or(|c| c.cells < 2);
            let entries = current.is_some_and(Kind::has_entries);
            // A form's label: the first cell of a row, with what it is about beside it.
            let is_label = line.cell.is_some_and(|c| c.cells > 1 && c.column == 0)
                && !entries
                && current != Some(kind)
                && (current.is_some_and(|k| k != Kind::Contact)
                    || lexicon::label(&line.text).is_none());
            // A plain heading above all dressed ones, or among others of its kind.
            let beside = plain_among_dressed
                && !entries
                && (around.plain || current.is_none_or(|k| k == Kind::Contact))
                && lexicon::label(&line.text).is_none();
            if (is_inner || plain_among_dressed) && (entries || !stands_out) && !is_label && !beside
            {
                return None;
            }
            if line.bullet && !(stands_out && votes.known >= 2) {
                return None;
            }
            let confidence = if stands_out { 0.95 } else { 0.85 };
            return Some((Some(kind), second, confidence));
        }
        // Above all headings a name may look like one of them.
        if around.top && super::name::is_name(&line.text) || lexicon::is_document_title(&line.text)
        {
            return None;
        }
        // No known words, but the form that the known headings have.
        let entries = current.is_some_and(Kind::has_entries);
        let others = votes.others * if entries { 2 } else { 1 };
        let few = votes.known == 1 && votes.others <= 2 && !entries && current.is_some();
        // A form that nothing but headings has.
        let own = votes.known >= 2
            && votes.unfit == 0
            && votes.others <= votes.known * 2
            && (!entries || lexicon::fuzzy_section(&line.text).is_some());
        let formed =
            (votes.known >= 2 && others <= votes.known || few || own) && stands_out && !line.bullet;
        let short = line.text.chars().count() <= 45
            && (lexicon::job_score(&line.text) < 1.0
                || !entries && lexicon::fuzzy_section(&line.text).is_some());
        // Employers, schools and degrees often look like headings, too.
        let named = lexicon::organisation_score(&line.text)
            .max(lexicon::school_score(&line.text))
            .max(lexicon::degree_score(&line.text));
        let entry = entries
            && named >= 1.0
            && (around.dates || lexicon::fuzzy_section(&line.text).is_none());
        if formed && short && !entry && lexicon::label(&line.text).is_none() {
            let kind = lexicon::fuzzy_section(&line.text);
            return Some((kind, None, if kind.is_some() { 0.7 } else { 0.5 }));
        }
        // A document without any dress: words that come close, alone after an empty line.
        let bare = self.dressed == 0
            && line.gap
            && !line.bullet
            && line.text.split(' ').count() <= 3
            && !line.text.contains([',', ':', '(', ';'])
            && lexicon::job_score(&line.text) < 1.0
            && lexicon::label(&line.text).is_none();
        if bare && current.is_some_and(|k| !k.has_entries() && k != Kind::Contact) {
            let kind = lexicon::fuzzy_section(&line.text)?;
            return Some((Some(kind), None, 0.65));
        }
        // A heading by style whose words come close.
        let styled =
            line.form.outline.is_some_and(|level| level <= 1) && votes.others <= votes.known + 2;
        if styled && current.is_some_and(|k| !k.has_entries()) {
            let kind = lexicon::fuzzy_section(&line.text)?;
            return Some((Some(kind), None, 0.7));
        }
        None
    }
}

fn cut(flow: Flow, carried: Option<Section>, judge: &Judge, all: &mut Vec<Section>) {
    let mut open = carried.unwrap_or_else(|| Section {
        confidence: 0.8,
        ..Section::default()
    });
    // Whether the open section's heading looks like text.
    let mut plain = false;
    let mut outer: Option<(Option<Kind>, Option<Kind>, f32)> = None;
    let dated: Vec<bool> = flow.lines.iter().map(has_years).collect();
    for (index, mut line) in flow.lines.into_iter().enumerate() {
        if open.lines.is_empty() && open.heading.is_none() {
            open.part = line.part;
        }
        if line.part == Part::Body || line.part == Part::Header {
            let around = Around {
                top: is_top(&open),
                plain,
                dates: dated.iter().skip(index + 1).take(2).any(|dated| *dated),
            };
            if let Some((kind, second, confidence)) = judge.heading(&line, open.kind, around) {
                plain = !stands_out(&line, judge.body);
                push(all, &mut open);
                outer = None;
                open = Section {
                    kind,
                    second,
                    heading: Some(line.plain()),
                    part: line.part,
                    lines: Vec::new(),
                    confidence,
                };
                continue;
            }
            if let Some((kind, start)) = inline_heading(&line, &open, judge) {
                let before = (open.kind, open.second, open.confidence);
                let heading = line.text[..start].trim().trim_end_matches(':').to_owned();
                push(all, &mut open);
                if line.bullet {
                    outer.get_or_insert(before);
                } else {
                    outer = None;
                }
                // "Licence: B" says little without its label.
                if !lexicon::is_licence(&heading) {
                    line.drop_front(start);
                }
                open = Section {
                    kind: Some(kind),
                    second: None,
                    heading: Some(heading),
                    part: line.part,
                    lines: vec![line],
                    confidence: 0.85,
                };
                continue;
            }
            // A labelled item among others: the section goes on after it.
            if let Some((kind, second, confidence)) = outer.take() {
                let part = line.part;
                push(all, &mut open);
                open = Section {
                    kind,
                    second,
                    heading: None,
                    part,
                    lines: Vec::new(),
                    confidence,
                };
            }
        }
        open.lines.push(line);
    }
    push(all, &mut open);
}

/// Nothing but the document's title so far.
fn is_top(open: &Section) -> bool {
    let mut lines = open.lines.iter();
    open.heading.is_none()
        && open.kind.is_none()
        && lines.all(|line| lexicon::is_document_title(&line.text))
}

/// Whether the years of an entry stand on a line.
fn has_years(line: &Line) -> bool {
    let date = (!line.bullet)
        .then(|| head_dates::head_date(&line.text))
        .flatten();
    date.is_some_and(|date| date.is_range) || dates::whole(&line.text).is_some()
}

fn push(all: &mut Vec<Section>, open: &mut Section) {
    let section = std::mem::take(open);
    if !section.lines.is_empty() || section.heading.is_some() {
        all.push(section);
    }
}

/// "Languages: English (native), German": a heading and its text on one line.
fn inline_heading(line: &Line, open: &Section, judge: &Judge) -> Option<(Kind, usize)> {
    let colon = line.text.find([':', '\t'])?;
    let (label, value) = (&line.text[..colon], line.text[colon + 1..].trim());
    if value.is_empty() || value.starts_with("//") || label.chars().count() > 45 {
        return None;
    }
    let is_tab = line.text[colon..].starts_with('\t');
    let (kind, _) = lexicon::section(label)?;
    if kind == Kind::Other || kind == Kind::Contact {
        return None;
    }
    if lexicon::label(label).is_some()
        && open.kind.is_none_or(|k| k == Kind::Contact)
        && kind != Kind::Languages
    {
        return None;
    }
    if is_tab && dates::whole(value).is_some() {
        return None;
    }
    if kind == Kind::Languages && lexicon::language_at_start(value).is_none() {
        return None;
    }
    let first = line.text.len() - line.text[colon + 1..].trim_start().len();
    let bold = line.look_at(0).bold && !line.look_at(first).bold;
    let inside = open.kind.is_some_and(Kind::has_entries);
    // Within an entry a label belongs to the entry, unless the whole CV is set so.
    if inside
        && (line.bullet
            || lexicon::task_label(label)
            || matches!(
                kind,
                Kind::Skills | Kind::Work | Kind::Education | Kind::Further | Kind::Trainings
            ))
    {
        // What an entry says of itself ("Technologies: ...") the others say too.
        let once = judge.labels.get(&lexicon::fold(label)) == Some(&1);
        let top =
            bold && once && !line.bullet && line.row_of_para == 0 && !lexicon::task_label(label);
        if !top {
            return None;
        }
    }
    if kind.has_entries() && !bold {
        return None;
    }
    if open.kind == Some(kind) && kind == Kind::Skills {
        return None;
    }
    Some((kind, colon + 1))
}

fn may_be_heading(line: &Line) -> bool {
    let text = line.text.trim_end_matches(':');
    let count = text.chars().count();
    (2..=60).contains(&count)
        && line.row_of_para == 0
        && !line
            .cell
            .is_some_and(|cell| cell.cells >= 3 && cell.column > 0)
        && !text.contains(['\t', '@', '|'])
        && !text.ends_with(['.', ',', ';'])
        && text.chars().any(char::is_alphabetic)
        && text.split(' ').count() <= 14
        && dates::find(text).is_empty()
}

fn shape(line: &Line) -> Shape {
    Shape {
        style: line.form.style.clone(),
        outline: line.form.outline,
        look: line.look(),
        bordered: line.form.bordered,
        shaded: line.form.shaded,
        capitals: is_capitals(&line.text),
        celled: line.cell.is_some(),
    }
}

fn stands_out(line: &Line, body: Look) -> bool {
    let look = line.look();
    line.form.outline.is_some()
        || line.form.is_title
        || line.form.bordered
        || line.form.shaded
        || look.caps
        || (look.bold && !body.bold)
        || look.size > body.size
        || (look.color != body.color && look.color.is_some())
        || (is_capitals(&line.text) && line.text.chars().count() > 3)
        || line.text.starts_with('#')
}

/// All letters are capitals, in scripts that have them.
pub(super) fn is_capitals(text: &str) -> bool {
    let mut letters = text.chars().filter(|c| c.is_alphabetic()).peekable();
    letters.peek().is_some()
        && letters.all(|c| !c.is_lowercase())
        && text.chars().any(char::is_uppercase)
}

/// The look that most of the text has.
fn body_look(flows: &[Flow]) -> Look {
    let mut count: HashMap<Look, usize> = HashMap::new();
    let mut order: Vec<Look> = Vec::new();
    for line in flows.iter().flat_map(|flow| &flow.lines) {
        let look = line.look();
        let letters = count.entry(look).or_insert_with(|| {
            order.push(look);
            0
        });
        *letters += line.text.len();
    }
    let best = order.into_iter().rev().max_by_key(|look| count[look]);
    best.unwrap_or_default()
}
