//! The glyphs of a run as a PDF shows them, and as readers of its text are to understand them.
//!
//! Readers collect characters by their place on the page and turn around what runs from right to left, one
//! character at a time. Three things follow. Glyphs stand in the order of the page. A letter with marks reads as
//! one, in the order of the page too, because a mark off the line would make a line of its own. And where the
//! direction turns, a mark of direction says to which side a sign belongs.

use std::borrow::Cow;
use std::ops::Range;

use krilla::text::{GlyphId, KrillaGlyph};

use crate::fonts::{NoInk, REPLACEMENT};
use crate::text::Direction;
use crate::text::paragraph::{Glyph, Line, Paragraph, VisualRun};

const LEFT_TO_RIGHT_MARK: char = '\u{200E}';
const RIGHT_TO_LEFT_MARK: char = '\u{200F}';

/// The glyphs of a run, left to right.
pub(crate) struct Drawn<'p> {
    /// What their ranges refer to.
    pub(super) text: Cow<'p, str>,
    pub(crate) glyphs: Vec<KrillaGlyph>,
    /// Glyphs with what each reads as on its own, for readers that do not know `ActualText`.
    pub(super) alone: Vec<(u16, String)>,
}

/// Orders a run's glyphs. `no_ink` is a glyph of its font that shows nothing.
pub(crate) fn drawn<'p>(
    paragraph: &'p Paragraph,
    line: &Line,
    run: &VisualRun,
    no_ink: Option<NoInk>,
) -> Drawn<'p> {
    let glyphs = &paragraph.glyphs[run.glyphs.clone()];
    let (Some(first), Some(last)) = (glyphs.first(), glyphs.last()) else {
        return Drawn {
            text: Cow::Borrowed(""),
            glyphs: Vec::new(),
            alone: Vec::new(),
        };
    };
    let source = &paragraph.text[first.start as usize..last.end as usize];
    let mut drawn = if paragraph.spans[run.span as usize].replaced {
        replaced(source, glyphs)
    } else {
        let mut drawn = Drawn {
            text: Cow::Borrowed(source),
            glyphs: Vec::with_capacity(glyphs.len() + 1),
            alone: Vec::new(),
        };
        let offset = first.start;
        let mut at = run.glyphs.end;
        // From the end to the start, and turned around below if the page is read the other way.
        while at > run.glyphs.start {
            let end = at;
            at -= 1;
            while at > run.glyphs.start && !paragraph.is_boundary(at) {
                at -= 1;
            }
            drawn.cluster(paragraph, line, at..end, offset, run.right_to_left, no_ink);
        }
        drawn
    };
    if !run.right_to_left {
        drawn.glyphs.reverse();
    }
    if run.marked
        && let Some(no_ink) = no_ink
    {
        let (sign, at) = match paragraph.direction {
            Direction::LeftToRight => (LEFT_TO_RIGHT_MARK, drawn.glyphs.len()),
            Direction::RightToLeft => (RIGHT_TO_LEFT_MARK, 0),
        };
        let length = drawn.text.len();
        let text = drawn.text.to_mut();
        text.push(sign);
        let range = length..text.len();
        drawn
            .glyphs
            .insert(at, glyph(no_ink.id, 0.0, -no_ink.width, 0.0, range));
        drawn.keep_space(no_ink);
    }
    drawn
}

impl Drawn<'_> {
    /// A space that shows nothing is still to read as a space elsewhere.
    fn keep_space(&mut self, no_ink: NoInk) {
        if no_ink.width > 0.0 {
            self.alone.push((no_ink.id, " ".to_owned()));
        }
    }

    /// Adds a letter with its marks.
    fn cluster(
        &mut self,
        paragraph: &Paragraph,
        line: &Line,
        glyphs: Range<usize>,
        offset: u32,
        right_to_left: bool,
        no_ink: Option<NoInk>,
    ) {
        let all = &paragraph.glyphs[glyphs.clone()];
        let range = |glyph: &Glyph| (glyph.start - offset) as usize..(glyph.end - offset) as usize;
        let lifted = all[1..].iter().any(|mark| mark.dy != 0.0 || mark.dx != 0.0);
        let (true, Some(no_ink), [base, marks @ ..]) = (lifted, no_ink, all) else {
            // The order of the page, from right to left: what comes last is drawn first.
            for index in glyphs.rev() {
                let own = &paragraph.glyphs[index];
                let advance = paragraph.advance(line, index) as f32;
                self.glyphs
                    .push(glyph(own.id, advance, own.dx, own.dy, range(own)));
            }
            return;
        };
        let whole = range(base).start
            ..marks
                .iter()
                .map(|mark| range(mark).end)
                .fold(range(base).end, usize::max);
        for own in all {
            self.alone.push((own.id, self.text[range(own)].to_owned()));
        }
        if right_to_left {
            let turned: String = self.text[whole.clone()].chars().rev().collect();
            self.text.to_mut().replace_range(whole.clone(), &turned);
        }
        // The letter, its marks back over it, and nothing at its right end, so that it keeps its width.
        let advance = base.advance;
        let mut cluster = vec![glyph(base.id, advance, base.dx, base.dy, whole.clone())];
        // Where the pen of the shaper stood for a mark, from the right end of the letter.
        let mut pen = if right_to_left { -advance } else { 0.0 };
        let ordered: Vec<&Glyph> = if right_to_left {
            marks.iter().rev().collect()
        } else {
            marks.iter().collect()
        };
        for mark in ordered {
            cluster.push(glyph(mark.id, 0.0, pen + mark.dx, mark.dy, whole.clone()));
            pen += mark.advance;
        }
        let rest = pen + if right_to_left { advance } else { 0.0 };
        cluster.push(glyph(no_ink.id, rest, -no_ink.width, 0.0, whole));
        self.keep_space(no_ink);
        if right_to_left {
            self.glyphs.append(&mut cluster);
        } else {
            self.glyphs.extend(cluster.into_iter().rev());
        }
    }
}

/// Replacements: they read as the characters that they stand for.
fn replaced<'p>(source: &str, glyphs: &[Glyph]) -> Drawn<'p> {
    let public = |c| if is_private(c) { REPLACEMENT } else { c };
    let text: String = source.chars().map(public).collect();
    let range = 0..text.len();
    let alone = vec![(glyphs[0].id, REPLACEMENT.to_string())];
    let glyphs = glyphs
        .iter()
        .map(|own| glyph(own.id, own.advance, 0.0, 0.0, range.clone()));
    Drawn {
        glyphs: glyphs.collect(),
        text: Cow::Owned(text),
        alone,
    }
}

fn glyph(id: u16, advance: f32, dx: f32, dy: f32, range: Range<usize>) -> KrillaGlyph {
    KrillaGlyph::new(
        GlyphId::new(u32::from(id)),
        advance,
        dx,
        dy,
        0.0,
        range,
        None,
    )
}

/// PDF/A does not let the text of a document be private characters.
fn is_private(c: char) -> bool {
    matches!(u32::from(c), 0xE000..=0xF8FF | 0xF_0000..=0x10_FFFF)
}
