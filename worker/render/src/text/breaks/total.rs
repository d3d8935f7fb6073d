//! Total fit: the cut of a paragraph whose lines together look best (after Knuth and Plass, "Breaking
//! paragraphs into lines", 1981; ragged lines by the square of what they leave empty).

use super::{Measure, Paragraph, Point, PointKind};

/// The part of a ragged paragraph's last line that may be empty without a loss.
const SHORT_LINE: f64 = 0.7;
/// Points that one line may span: with glyphs of no width nothing else would end the search.
const LONGEST_LINE: usize = 4_000;
/// How far a space stretches at the price of one, in em.
const EASY_STRETCH: f64 = 0.13;

/// What a paragraph costs up to some point: lines, then badness. Ragged text takes as few lines as it can;
/// justified text looks for even spaces alone.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub(super) struct Cost {
    lines: u32,
    badness: f64,
}

/// The best way to end a line at some point.
#[derive(Clone, Copy)]
struct Best {
    cost: Cost,
    previous: u32,
}

/// Of all cuts the best: the indices of the points that end its lines.
pub(super) fn fit(paragraph: &Paragraph, points: &[Point], measure: &Measure) -> Vec<usize> {
    let spaces = if measure.justify {
        spaces_before(paragraph)
    } else {
        Vec::new()
    };
    // `best[0]` stands for the start of the paragraph, `best[i]` for a line that ends at `points[i - 1]`.
    let mut best: Vec<Best> = Vec::with_capacity(points.len() + 1);
    best.push(Best {
        cost: Cost {
            lines: 0,
            badness: 0.0,
        },
        previous: 0,
    });
    for (index, point) in points.iter().enumerate() {
        let mut found: Option<Best> = None;
        let reach = paragraph.offsets[point.end as usize] + point.hyphen(paragraph);
        for from in (0..=index).rev().take(LONGEST_LINE) {
            let before = from.checked_sub(1).map(|at| points[at]);
            let start = before.map_or(0, |before| before.next as usize);
            let width = measure.width_after(start);
            let natural = reach - paragraph.offsets[start];
            let gaps = if measure.justify {
                f64::from(spaces[point.end as usize].saturating_sub(spaces[start]))
            } else {
                0.0
            };
            let too_wide = natural - gaps * measure.shrink() > width;
            // A single character wider than the line has to stay as it is.
            if too_wide && found.is_some() {
                break;
            }
            let twice = point.kind == PointKind::Hyphenated
                && before.is_some_and(|before| before.kind == PointKind::Hyphenated);
            let own = if measure.justify {
                justified(point.kind, width - natural, gaps)
            } else {
                ragged(point.kind, width - natural, width)
            };
            let cost = Cost {
                lines: best[from].cost.lines + u32::from(!measure.justify),
                badness: best[from].cost.badness + own + if twice { 0.3 } else { 0.0 },
            };
            if found.is_none_or(|found| cost < found.cost) {
                found = Some(Best {
                    cost,
                    previous: from as u32,
                });
            }
            if too_wide || before.is_some_and(|before| before.kind == PointKind::Forced) {
                break;
            }
        }
        best.push(found.expect("each point can end the line that starts at the point before it"));
    }
    let mut ends = Vec::new();
    let mut at = points.len();
    while at > 0 {
        ends.push(at - 1);
        at = best[at].previous as usize;
    }
    ends.reverse();
    ends
}

/// How many spaces stand before each glyph.
fn spaces_before(paragraph: &Paragraph) -> Vec<u32> {
    let mut count = 0;
    let mut spaces = Vec::with_capacity(paragraph.glyphs.len() + 1);
    spaces.push(0);
    for glyph in 0..paragraph.glyphs.len() {
        count += u32::from(paragraph.is_space(glyph));
        spaces.push(count);
    }
    spaces
}

fn ragged(kind: PointKind, slack: f64, width: f64) -> f64 {
    let slack = (slack / width).max(0.0);
    match kind {
        // A paragraph's last line may be short, but a lone word looks lost.
        PointKind::Forced => 3.0 * (slack - SHORT_LINE).max(0.0).powi(2),
        PointKind::Allowed => slack * slack,
        PointKind::Poor | PointKind::AfterHyphen => 0.15 + slack * slack,
        PointKind::Hyphenated => 0.04 + slack * slack,
        // A broken word fills its line: that shows that the break is not its own.
        PointKind::AfterSign => 0.1 + 4.0 * slack,
        PointKind::WithinWord => 0.5 + 4.0 * slack,
    }
}

fn justified(kind: PointKind, slack: f64, gaps: f64) -> f64 {
    let loose = if kind == PointKind::Forced && slack >= 0.0 {
        0.0
    } else if gaps > 0.0 {
        let each = slack / gaps;
        (each
            / if each < 0.0 {
                super::SHRINK
            } else {
                EASY_STRETCH
            })
        .abs()
    } else {
        8.0 * slack.abs().min(1.0)
    };
    let own = (0.1 + loose.min(20.0).powi(3)).powi(2);
    own + match kind {
        PointKind::Forced | PointKind::Allowed => 0.0,
        PointKind::Poor | PointKind::AfterHyphen => 1.0,
        PointKind::Hyphenated => 0.5,
        PointKind::AfterSign => 100.0,
        PointKind::WithinWord => 1_000.0,
    }
}
