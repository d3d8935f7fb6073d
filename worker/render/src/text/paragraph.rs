//! A shaped paragraph: glyphs in em, independent of the size and width they are set at.

use std::ops::Range;

use super::bidi::{Direction, counts_as_number, strong, visual_order};
use super::cluster::{is_joiner, is_mark};
use crate::fonts::FaceId;

/// The uses of text that a theme sizes apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Name,
    Headline,
    SectionTitle,
    /// Titles of entries, and headings within sections.
    EntryTitle,
    Text,
    Date,
    Footer,
}

/// A colour by its use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ink {
    Text,
    Accent,
    Muted,
}

/// Text shaped once, to be broken into lines as often as fitting takes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Paragraph {
    pub(crate) role: Role,
    /// The direction that its lines run in; which side they start from is the document's affair.
    pub(crate) direction: Direction,
    /// The cleaned text, with a space for each line break.
    pub(crate) text: String,
    /// In the order of the text, whichever way it runs.
    pub(crate) glyphs: Vec<Glyph>,
    pub(crate) spans: Vec<Span>,
    pub(crate) links: Vec<String>,
    /// Languages of runs that are not in the document's, by their tags.
    pub(crate) languages: Vec<String>,
    /// The hyphen of each span, where words may be parted.
    pub(crate) hyphens: Vec<Hyphen>,
    /// Where a line may or must end, in order. The last is the end of the text, and forced.
    pub(crate) breaks: Vec<Break>,
    /// `offsets[i]` is the width before glyph `i`, in em; one more than there are glyphs. Doubles, because
    /// singles run out of digits in a paragraph of a hundred thousand characters.
    pub(crate) offsets: Vec<f64>,
}

/// One glyph, in em.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Glyph {
    pub(crate) id: u16,
    pub(crate) span: u32,
    pub(crate) advance: f32,
    pub(crate) dx: f32,
    pub(crate) dy: f32,
    /// The bytes of the text that its cluster stands for.
    pub(crate) start: u32,
    pub(crate) end: u32,
}

/// What a stretch of glyphs has in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) face: FaceId,
    pub(crate) ink: Ink,
    /// An index into the paragraph's links.
    pub(crate) link: Option<u32>,
    /// An index into the paragraph's languages.
    pub(crate) language: Option<u32>,
    /// No font has these characters: their glyphs are replacements.
    pub(crate) replaced: bool,
    /// Its level in the bidirectional algorithm: odd ones run from right to left.
    pub(crate) level: u8,
}

impl Span {
    pub(crate) fn right_to_left(&self) -> bool {
        self.level % 2 == 1
    }
}

/// How readers of the text take a character: numbers and the signs of ASCII go with Latin letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    LeftToRight,
    RightToLeft,
    Neutral,
}

/// Glyphs of one span, in their place on a line.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct VisualRun {
    /// In the order of the text: a run from right to left is drawn from its last glyph to its first.
    pub(crate) glyphs: Range<usize>,
    pub(crate) span: u32,
    pub(crate) right_to_left: bool,
    /// From the left end of what is visible on the line, in em. Negative for the space at the end of a line
    /// that runs from right to left.
    pub(crate) x: f64,
    /// In em.
    pub(crate) width: f64,
    /// Whether a mark of the paragraph's direction is to stand at its end, the left one in a paragraph from
    /// right to left and else the right one. It is for the readers of the text: they turn around what a page
    /// shows, but take a sign after a number, or between text of two directions, for a part of the wrong one.
    pub(crate) marked: bool,
}

/// The glyph of a hyphen, in em.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Hyphen {
    pub(crate) id: u16,
    pub(crate) advance: f32,
}

/// An opportunity to end a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Break {
    /// The next line's first glyph.
    pub(crate) glyph: usize,
    pub(crate) kind: BreakKind,
}

/// How welcome the end of a line is somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BreakKind {
    Forced,
    Allowed,
    /// Allowed but poor style: after a word of one letter, within an address.
    Poor,
    /// After a hyphen of the text: readers of the PDF take it for one of hyphenation and drop it.
    AfterHyphen,
    /// Within a word, with a hyphen that the text does not have.
    Hyphenated,
}

/// One line of a paragraph.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Line {
    /// Its glyphs, the space at its end included.
    pub(crate) glyphs: Range<usize>,
    /// Its width without the space at its end, in em.
    pub(crate) width: f64,
    /// What justification adds to each of its spaces, in em.
    pub(crate) stretch: f64,
    /// The width of the hyphen that it ends with, in em; 0 for none.
    pub(crate) hyphen: f64,
}

impl Paragraph {
    /// The pieces of a line in the order of the text, each with its place. What runs from right to left comes
    /// word by word.
    pub(crate) fn runs(&self, line: &Line) -> Vec<VisualRun> {
        let ink_end = self.trimmed(line.glyphs.start, line.glyphs.end);
        let mut runs: Vec<VisualRun> = Vec::new();
        let mut levels: Vec<u8> = Vec::new();
        // Whether readers of the text would take a sign for a part of what runs from left to right.
        let mut sticky = false;
        for at in line.glyphs.clone() {
            let index = self.glyphs[at].span;
            let span = self.spans[index as usize];
            let trailing = at >= ink_end;
            let mut marked = false;
            if self.direction == Direction::RightToLeft {
                let reading = self.reading(at);
                // A sign of Arabic itself is not to be taken for a part of what follows it either.
                let before = runs.last().is_some_and(|run| run.right_to_left);
                let apart =
                    before != span.right_to_left() || before && reading != Reading::RightToLeft;
                marked = sticky && apart && reading != Reading::RightToLeft && !trailing;
                sticky = match reading {
                    Reading::LeftToRight => true,
                    Reading::RightToLeft => false,
                    Reading::Neutral => sticky && !marked,
                };
            }
            let width = self.advance(line, at);
            match runs.last_mut() {
                Some(last)
                    if last.span == index
                        && at != ink_end
                        && !marked
                        && !(span.right_to_left() && self.is_space(at - 1)) =>
                {
                    last.glyphs.end = at + 1;
                    last.width += width;
                }
                last => {
                    let turns = last.is_some_and(|last| {
                        last.marked = marked;
                        self.direction == Direction::LeftToRight
                            && last.right_to_left
                            && !span.right_to_left()
                            && self.reading(at) == Reading::Neutral
                    });
                    if turns {
                        let turned = levels.iter().rev().take_while(|&&level| level > 0).count();
                        let first = runs.len() - turned;
                        runs[first].marked = true;
                    }
                    runs.push(VisualRun {
                        glyphs: at..at + 1,
                        span: index,
                        right_to_left: span.right_to_left(),
                        x: 0.0,
                        width,
                        marked: false,
                    });
                    // White space at the end of a line stands at the paragraph's end of it (rule L1).
                    levels.push(if trailing {
                        self.direction.level()
                    } else {
                        span.level
                    });
                }
            }
        }
        let mut x = 0.0;
        if self.direction == Direction::RightToLeft {
            let trailing = runs.iter().filter(|run| run.glyphs.start >= ink_end);
            x -= trailing.map(|run| run.width).sum::<f64>();
        }
        for index in visual_order(&levels) {
            runs[index].x = x;
            x += runs[index].width;
        }
        runs
    }

    /// How readers of the text take a glyph's first character.
    fn reading(&self, glyph: usize) -> Reading {
        let glyph = &self.glyphs[glyph];
        let Some(c) = self.text[glyph.start as usize..].chars().next() else {
            return Reading::Neutral;
        };
        match strong(c) {
            Some(Direction::RightToLeft) => Reading::RightToLeft,
            Some(Direction::LeftToRight) => Reading::LeftToRight,
            None if counts_as_number(c) => Reading::LeftToRight,
            None => Reading::Neutral,
        }
    }

    /// The advance of a glyph on a line, in em.
    pub(crate) fn advance(&self, line: &Line, glyph: usize) -> f64 {
        let own = f64::from(self.glyphs[glyph].advance);
        if line.stretch != 0.0 && self.is_space(glyph) {
            own + line.stretch
        } else {
            own
        }
    }

    /// Whether a cluster of characters starts with a glyph: a letter, not a mark of the one before.
    pub(crate) fn is_boundary(&self, glyph: usize) -> bool {
        let start = self.glyphs[glyph].start;
        let first = self.text[start as usize..].chars().next();
        self.glyphs[glyph - 1].start != start
            && self.glyphs[glyph - 1].end <= start
            && first.is_none_or(|c| !is_mark(c) && !is_joiner(c))
    }

    /// The hyphen that fits the glyph before some glyph.
    pub(crate) fn hyphen_before(&self, glyph: usize) -> Option<Hyphen> {
        let last = self.glyphs.get(glyph.checked_sub(1)?)?;
        self.hyphens.get(last.span as usize).copied()
    }

    /// Whether a glyph is a space that justification may stretch.
    pub(crate) fn is_space(&self, glyph: usize) -> bool {
        self.text.as_bytes()[self.glyphs[glyph].start as usize] == b' '
    }

    /// The glyphs' end without the white space before `end`.
    pub(crate) fn trimmed(&self, start: usize, end: usize) -> usize {
        let is_space = |glyph: &Glyph| self.text.as_bytes()[glyph.start as usize] == b' ';
        let spaces = self.glyphs[start..end]
            .iter()
            .rev()
            .take_while(|glyph| is_space(glyph))
            .count();
        end - spaces
    }

    /// The text of some glyphs.
    pub(crate) fn slice(&self, glyphs: &Range<usize>) -> &str {
        match (
            self.glyphs.get(glyphs.start),
            glyphs
                .end
                .checked_sub(1)
                .and_then(|last| self.glyphs.get(last)),
        ) {
            (Some(first), Some(last)) if !glyphs.is_empty() => {
                &self.text[first.start as usize..last.end as usize]
            }
            _ => "",
        }
    }
}
