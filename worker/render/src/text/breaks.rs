//! Line breaking: as few lines as the width allows, and among those the most even ones, ragged right.

use super::paragraph::{Break, Line, Paragraph};

/// Longer paragraphs are filled line by line: even lines are not worth their time there.
const EVEN_LIMIT: usize = 20_000;

/// Breaks a paragraph into lines no wider than `width` em. A word that is wider than that is broken between
/// two of its characters.
pub(crate) fn break_lines(paragraph: &Paragraph, width: f64) -> Vec<Line> {
    let points = points(paragraph, width);
    let ends = if paragraph.glyphs.len() > EVEN_LIMIT {
        fill(paragraph, &points, width)
    } else {
        even(paragraph, &points, width)
    };
    let mut start = 0;
    ends.into_iter()
        .map(|end| {
            let point = &points[end];
            let line = Line {
                glyphs: start..point.next,
                width: paragraph.offsets[point.end] - paragraph.offsets[start],
            };
            start = point.next;
            line
        })
        .collect()
}

/// A place where a line can end at this width.
struct Point {
    /// The line's end, without the white space there.
    end: usize,
    /// The next line's first glyph.
    next: usize,
    kind: PointKind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum PointKind {
    Forced,
    /// Where the rules of line breaking allow it.
    Allowed,
    /// So too, but readers of the text take the hyphen for one of hyphenation and drop it.
    AfterHyphen,
    /// Within a word that is wider than a line, after a sign such as a dot.
    AfterSign,
    /// Within a word that is wider than a line, between any two characters.
    WithinWord,
}

fn points(paragraph: &Paragraph, width: f64) -> Vec<Point> {
    let mut points = Vec::with_capacity(paragraph.breaks.len());
    let mut start = 0;
    for &Break { glyph, forced } in &paragraph.breaks {
        if glyph <= start {
            continue;
        }
        let end = paragraph.trimmed(start, glyph);
        if paragraph.offsets[end] - paragraph.offsets[start] > width {
            let boundaries = (start + 1..end)
                .filter(|&at| paragraph.glyphs[at].start != paragraph.glyphs[at - 1].start)
                .map(|at| {
                    let sign = paragraph
                        .slice(&(at - 1..at))
                        .ends_with(|c: char| !c.is_alphanumeric());
                    let kind = if sign {
                        PointKind::AfterSign
                    } else {
                        PointKind::WithinWord
                    };
                    Point {
                        end: at,
                        next: at,
                        kind,
                    }
                });
            points.extend(boundaries);
        }
        let hyphen = end == glyph && paragraph.slice(&(start..end)).ends_with('-');
        let kind = match (forced, hyphen) {
            (true, _) => PointKind::Forced,
            (false, true) => PointKind::AfterHyphen,
            (false, false) => PointKind::Allowed,
        };
        points.push(Point {
            end,
            next: glyph,
            kind,
        });
        start = glyph;
    }
    points
}

/// The part of a paragraph's last line that may be empty without a loss.
const SHORT_LINE: f64 = 0.7;

/// First fit: each line takes as much as it holds.
fn fill(paragraph: &Paragraph, points: &[Point], width: f64) -> Vec<usize> {
    let (mut ends, mut start) = (Vec::new(), 0);
    let mut last_fit: Option<usize> = None;
    let mut at = 0;
    while let Some(point) = points.get(at) {
        let fits = paragraph.offsets[point.end] - paragraph.offsets[start] <= width;
        match last_fit {
            Some(fit) if !fits => {
                ends.push(fit);
                start = points[fit].next;
                last_fit = None;
            }
            _ => {
                last_fit = Some(at);
                if point.kind == PointKind::Forced {
                    ends.push(at);
                    start = point.next;
                    last_fit = None;
                }
                at += 1;
            }
        }
    }
    ends
}

/// The best way to end a line at some point.
#[derive(Clone, Copy)]
struct Best {
    lines: u32,
    badness: f64,
    previous: usize,
}

/// Total fit: of all ways with the fewest lines, the one whose lines are the most even.
fn even(paragraph: &Paragraph, points: &[Point], width: f64) -> Vec<usize> {
    // `best[0]` stands for the start of the paragraph, `best[i]` for a line that ends at `points[i - 1]`.
    let mut best: Vec<Best> = vec![Best {
        lines: 0,
        badness: 0.0,
        previous: 0,
    }];
    for (index, point) in points.iter().enumerate() {
        let mut found: Option<Best> = None;
        for from in (0..=index).rev() {
            let start = if from == 0 { 0 } else { points[from - 1].next };
            let natural = paragraph.offsets[point.end] - paragraph.offsets[start];
            // A single character wider than the line has to stay as it is.
            if natural > width && found.is_some() {
                break;
            }
            let lines = best[from].lines + 1;
            let badness = best[from].badness + badness(point, natural, width);
            if found.is_none_or(|f| lines < f.lines || lines == f.lines && badness < f.badness) {
                found = Some(Best {
                    lines,
                    badness,
                    previous: from,
                });
            }
            if natural > width || from > 0 && points[from - 1].kind == PointKind::Forced {
                break;
            }
        }
        best.push(found.expect("each point can end the line that starts at the point before it"));
    }
    let mut ends = Vec::new();
    let mut at = points.len();
    while at > 0 {
        ends.push(at - 1);
        at = best[at].previous;
    }
    ends.reverse();
    ends
}

fn badness(point: &Point, natural: f64, width: f64) -> f64 {
    let slack = ((width - natural) / width).max(0.0);
    match point.kind {
        // A paragraph's last line may be short, but a lone word looks lost.
        PointKind::Forced => 3.0 * (slack - SHORT_LINE).max(0.0).powi(2),
        PointKind::Allowed => slack * slack,
        PointKind::AfterHyphen => 0.15 + slack * slack,
        // A broken word fills its line: that shows that the break is not its own.
        PointKind::AfterSign => 0.1 + 4.0 * slack,
        PointKind::WithinWord => 0.5 + 4.0 * slack,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::blocks::Text;
    use crate::fonts::Fonts;
    use crate::text::paragraph::{Ink, Role};
    use crate::text::shape::{Look, Shaper};

    fn shape(text: &str) -> Option<Paragraph> {
        let fonts = Fonts::embedded().unwrap();
        Shaper::new(&fonts).shape(&Text::from(text), Look::plain(Role::Text, Ink::Text))
    }

    fn lines(text: &str, width: f64) -> Vec<String> {
        let paragraph = shape(text).unwrap();
        break_lines(&paragraph, width)
            .iter()
            .map(|line| paragraph.slice(&line.glyphs).to_owned())
            .collect()
    }

    #[test]
    fn lines_are_even_rather_than_full() {
        // First fit would leave the second `nn` alone on a line.
        assert_eq!(
            lines("nnn nn nn nnnnn nnnnnn", 3.8),
            ["nnn ", "nn nn ", "nnnnn ", "nnnnnn"]
        );
    }

    #[test]
    fn words_wider_than_a_line_are_broken() {
        let word = "x".repeat(50);
        let broken = lines(&word, 10.0);
        assert!(broken.len() > 2, "{broken:?}");
        assert_eq!(broken.concat(), word);
    }

    #[test]
    fn broken_words_fill_their_lines_and_prefer_to_break_after_signs() {
        let broken = lines(&format!("{}.{}", "n".repeat(9), "n".repeat(20)), 7.0);
        assert_eq!(broken[0], "nnnnnnnnn.");
        let broken = lines(&"n".repeat(30), 7.0);
        assert_eq!(
            broken.iter().map(String::len).collect::<Vec<_>>(),
            [11, 11, 8]
        );
    }

    #[test]
    fn lines_end_after_spaces_rather_than_hyphens() {
        let words = "nnn ".repeat(8);
        let broken = lines(&format!("{words}nnn-nnn {words}nnn"), 20.0);
        assert_eq!(broken[0], words);
    }

    #[test]
    fn line_feeds_end_lines() {
        assert_eq!(lines("a\nb c", 100.0), ["a ", "b c"]);
    }

    #[test]
    fn a_character_wider_than_the_line_stands_alone() {
        assert_eq!(lines("WW W", 0.5), ["W", "W ", "W"]);
    }

    #[test]
    fn long_paragraphs_are_filled() {
        let text = "word ".repeat(EVEN_LIMIT / 4);
        let paragraph = shape(&text).unwrap();
        let lines = break_lines(&paragraph, 30.0);
        assert!(lines.iter().all(|line| line.width <= 30.0));
        assert_eq!(lines.last().unwrap().glyphs.end, paragraph.glyphs.len());
    }

    proptest! {
        #[test]
        fn lines_hold_all_glyphs_within_the_width(text in "\\PC{0,80}", width in 3.0f64..30.0) {
            if let Some(paragraph) = shape(&text) {
                let mut at = 0;
                for line in break_lines(&paragraph, width) {
                    prop_assert_eq!(line.glyphs.start, at);
                    at = line.glyphs.end;
                    let clusters: std::collections::BTreeSet<_> =
                        paragraph.glyphs[line.glyphs].iter().map(|glyph| glyph.start).collect();
                    prop_assert!(line.width <= width || clusters.len() == 1);
                }
                prop_assert_eq!(at, paragraph.glyphs.len());
            }
        }
    }
}
