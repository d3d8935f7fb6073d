//! Line breaking: of all ways to cut a paragraph the one that looks best as a whole, ragged or justified.

pub(super) mod opportunities;
mod total;

use super::paragraph::{BreakKind, Line, Paragraph};

/// Longer paragraphs are filled line by line: even lines are not worth their time there.
const EVEN_LIMIT: usize = 20_000;
/// How much narrower or wider justification may make a space, in em, before a line is better left ragged.
const SHRINK: f64 = 0.08;
const STRETCH: f64 = 0.5;

/// What lines are to be like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Measure {
    /// The width of lines, in em of the text.
    pub(crate) width: f64,
    /// The width of the first line.
    pub(crate) first: f64,
    /// Whether lines are stretched or shrunk to the width.
    pub(crate) justify: bool,
}

impl From<f64> for Measure {
    /// Ragged lines of one width.
    fn from(width: f64) -> Self {
        Self {
            width,
            first: width,
            justify: false,
        }
    }
}

impl Measure {
    fn width_after(&self, start: usize) -> f64 {
        if start == 0 { self.first } else { self.width }
    }

    fn shrink(&self) -> f64 {
        if self.justify { SHRINK } else { 0.0 }
    }
}

/// Breaks a paragraph into lines no wider than the measure. A word that is wider than that is broken between
/// two of its characters.
pub(crate) fn break_lines(paragraph: &Paragraph, measure: impl Into<Measure>) -> Vec<Line> {
    let measure = measure.into();
    let widest = measure.width.max(measure.first);
    let total = paragraph.offsets.last().copied().unwrap_or(0.0);
    let one_line = total <= measure.first
        && paragraph
            .breaks
            .iter()
            .filter(|at| at.kind == BreakKind::Forced)
            .count()
            == 1;
    if one_line {
        // Most paragraphs of a CV.
        return vec![line(paragraph, 0, &Point::end_of(paragraph), &measure)];
    }
    let points = points(paragraph, measure.width.min(measure.first));
    let ends = if paragraph.glyphs.len() > EVEN_LIMIT || widest <= 0.0 {
        fill(paragraph, &points, &measure)
    } else {
        total::fit(paragraph, &points, &measure)
    };
    let mut start = 0;
    ends.into_iter()
        .map(|end| {
            let point = &points[end];
            let line = line(paragraph, start, point, &measure);
            start = point.next as usize;
            line
        })
        .collect()
}

fn line(paragraph: &Paragraph, start: usize, point: &Point, measure: &Measure) -> Line {
    let end = point.end as usize;
    let hyphen = point.hyphen(paragraph);
    let natural = paragraph.offsets[end] - paragraph.offsets[start] + hyphen;
    let mut stretch = 0.0;
    if measure.justify {
        let spaces = (start..end).filter(|&at| paragraph.is_space(at)).count();
        let slack = measure.width_after(start) - natural;
        if spaces > 0 && (slack < 0.0 || point.kind != PointKind::Forced) {
            let each = slack / spaces as f64;
            if (-SHRINK..=STRETCH).contains(&each) {
                stretch = each;
            }
        }
        return Line {
            glyphs: start..point.next as usize,
            width: natural + stretch * spaces as f64,
            stretch,
            hyphen,
        };
    }
    Line {
        glyphs: start..point.next as usize,
        width: natural,
        stretch,
        hyphen,
    }
}

/// A place where a line can end at this width.
#[derive(Debug, Clone, Copy)]
struct Point {
    /// The line's end, without the white space there.
    end: u32,
    /// The next line's first glyph.
    next: u32,
    kind: PointKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PointKind {
    Forced,
    /// Where the rules of line breaking allow it.
    Allowed,
    /// So too, but against good style.
    Poor,
    /// So too, but readers of the text take the hyphen for one of hyphenation and drop it.
    AfterHyphen,
    /// Within a word, with a hyphen.
    Hyphenated,
    /// Within a word that is wider than a line, after a sign such as a dot.
    AfterSign,
    /// Within a word that is wider than a line, between any two characters.
    WithinWord,
}

impl Point {
    fn end_of(paragraph: &Paragraph) -> Self {
        let next = paragraph.glyphs.len();
        Self {
            end: paragraph.trimmed(0, next) as u32,
            next: next as u32,
            kind: PointKind::Forced,
        }
    }

    /// The width of the hyphen that a line gets here.
    fn hyphen(&self, paragraph: &Paragraph) -> f64 {
        match self.kind {
            PointKind::Hyphenated => paragraph
                .hyphen_before(self.end as usize)
                .map_or(0.0, |hyphen| f64::from(hyphen.advance)),
            _ => 0.0,
        }
    }
}

fn points(paragraph: &Paragraph, width: f64) -> Vec<Point> {
    let mut points = Vec::with_capacity(paragraph.breaks.len());
    let mut start = 0;
    for at in &paragraph.breaks {
        if at.glyph <= start {
            continue;
        }
        let end = paragraph.trimmed(start, at.glyph);
        if paragraph.offsets[end] - paragraph.offsets[start] > width {
            emergency(paragraph, start, end, &mut points);
        }
        let kind = match at.kind {
            BreakKind::Forced => PointKind::Forced,
            BreakKind::Allowed => PointKind::Allowed,
            BreakKind::Poor => PointKind::Poor,
            BreakKind::AfterHyphen => PointKind::AfterHyphen,
            BreakKind::Hyphenated => PointKind::Hyphenated,
        };
        points.push(Point {
            end: end as u32,
            next: at.glyph as u32,
            kind,
        });
        start = at.glyph;
    }
    points
}

/// The places within a word that is wider than a line: between any two of its clusters.
fn emergency(paragraph: &Paragraph, start: usize, end: usize, points: &mut Vec<Point>) {
    let boundaries = (start + 1..end)
        .filter(|&at| paragraph.is_boundary(at))
        .map(|at| {
            let before = paragraph.slice(&(at - 1..at));
            let sign = before.ends_with([
                '/', '.', '-', '_', '?', '&', '=', ',', ';', ':', '#', '+', '%', '~', '@', '|',
                '\\',
            ]);
            Point {
                end: at as u32,
                next: at as u32,
                kind: if sign {
                    PointKind::AfterSign
                } else {
                    PointKind::WithinWord
                },
            }
        });
    points.extend(boundaries);
}

/// First fit: each line takes as much as it holds.
fn fill(paragraph: &Paragraph, points: &[Point], measure: &Measure) -> Vec<usize> {
    let (mut ends, mut start) = (Vec::new(), 0);
    let mut last_fit: Option<usize> = None;
    let mut at = 0;
    while let Some(point) = points.get(at) {
        let natural = paragraph.offsets[point.end as usize] - paragraph.offsets[start];
        let fits = natural + point.hyphen(paragraph) <= measure.width_after(start);
        match last_fit {
            Some(fit) if !fits => {
                ends.push(fit);
                start = points[fit].next as usize;
                last_fit = None;
            }
            _ => {
                last_fit = Some(at);
                if point.kind == PointKind::Forced {
                    ends.push(at);
                    start = point.next as usize;
                    last_fit = None;
                }
                at += 1;
            }
        }
    }
    ends
}

#[cfg(test)]
mod tests;
