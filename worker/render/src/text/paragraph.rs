//! A shaped paragraph: glyphs in em, independent of the size and width they are set at.

use std::ops::Range;

use crate::fonts::FaceId;

/// The uses of text that a theme sizes apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Name,
    SectionTitle,
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
    /// The cleaned text, with a space for each line break.
    pub(crate) text: String,
    pub(crate) glyphs: Vec<Glyph>,
    pub(crate) spans: Vec<Span>,
    pub(crate) links: Vec<String>,
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
    /// No font has these characters: their glyphs are replacements.
    pub(crate) replaced: bool,
}

/// An opportunity to end a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Break {
    /// The next line's first glyph.
    pub(crate) glyph: usize,
    pub(crate) forced: bool,
}

/// One line of a paragraph.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Line {
    /// Its glyphs, the space at its end included.
    pub(crate) glyphs: Range<usize>,
    /// Its width without the space at its end, in em.
    pub(crate) width: f64,
}

impl Paragraph {
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
