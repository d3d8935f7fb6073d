//! Shaping: which glyphs draw a text, from which fonts, and where its lines may end.

use std::collections::BTreeSet;

use super::bidi::{Direction, Levels, has_right_to_left};
use super::breaks::opportunities;
use super::cache::{Rules, ShapeCache};
use super::clean::Cleaner;
use super::cluster::cluster_length;
use super::itemize::{Design, Itemizer, LanguageId, Library, Segment, shaping_script};
use super::links::safe_uri;
use super::paragraph::{Glyph, Hyphen, Ink, Paragraph, Role, Span};
use crate::blocks::Text;
use crate::fonts::{FaceId, FamilyId, Fonts, REPLACEMENT, has};
use crate::prepare::is_language_tag;

/// Shapes one document's text and notes what could not be shown. One per rendering.
pub(crate) struct Shaper<'f> {
    library: Library<'f>,
    cache: ShapeCache,
    direction: Direction,
    removed: usize,
    links_dropped: usize,
}

/// How a paragraph looks where its runs do not say otherwise.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look {
    pub(crate) role: Role,
    pub(crate) family: FamilyId,
    pub(crate) bold: bool,
    pub(crate) italic: bool,
    pub(crate) ink: Ink,
    pub(crate) small_caps: bool,
    /// Whether words may be parted at the ends of lines.
    pub(crate) hyphenate: bool,
}

impl Look {
    pub(crate) fn plain(role: Role, ink: Ink) -> Self {
        Self {
            role,
            family: FamilyId::default(),
            bold: false,
            italic: false,
            ink,
            small_caps: false,
            hyphenate: false,
        }
    }

    pub(crate) fn bold(role: Role, ink: Ink) -> Self {
        Self {
            bold: true,
            ..Self::plain(role, ink)
        }
    }
}

/// Bytes of the text of one style and language.
struct Stretch {
    start: usize,
    end: usize,
    plain: Span,
    design: Design,
}

impl<'f> Shaper<'f> {
    /// For a document in a language, given by its tag (BCP 47).
    pub(crate) fn new(fonts: &'f Fonts, language: &str) -> Self {
        Self {
            library: Library::new(fonts, language),
            cache: fonts.shapes.take(),
            direction: Direction::of_language(language),
            removed: 0,
            links_dropped: 0,
        }
    }

    /// Shapes a text, or returns nothing if nothing of it is visible.
    pub(crate) fn shape(&mut self, source: &Text, look: Look) -> Option<Paragraph> {
        let mut text = String::new();
        let (mut links, mut languages) = (Vec::new(), Vec::new());
        let stretches = self.clean(source, look, &mut text, &mut links, &mut languages);
        if text.is_empty() {
            return None;
        }
        let levels = Levels::of(&text, self.direction);
        let mut itemizer = Itemizer::new(&mut self.library, &levels, &text);
        for stretch in &stretches {
            itemizer.run(stretch.start, stretch.end, stretch.plain, stretch.design);
        }
        let (spans, segments) = (itemizer.spans, itemizer.segments);
        if segments.is_empty() {
            return None;
        }
        let breaks = opportunities::find(&text, &segments, &self.library, look.hyphenate);
        if text.contains('\n') {
            text = text.replace('\n', " ");
        }
        let mut paragraph = Paragraph {
            role: look.role,
            direction: levels.direction,
            glyphs: Vec::with_capacity(text.len()),
            text,
            hyphens: if look.hyphenate {
                self.hyphens(&spans)
            } else {
                Vec::new()
            },
            spans,
            links,
            languages,
            breaks: Vec::with_capacity(breaks.len()),
            offsets: Vec::new(),
        };
        for segment in &segments {
            self.shape_segment(segment, look.small_caps, &mut paragraph);
        }

        paragraph.offsets.reserve_exact(paragraph.glyphs.len() + 1);
        let mut offset = 0.0;
        paragraph.offsets.push(offset);
        for glyph in &paragraph.glyphs {
            offset += f64::from(glyph.advance);
            paragraph.offsets.push(offset);
        }
        opportunities::place(&breaks, &mut paragraph);
        Some(paragraph)
    }

    /// Different characters that no font had, in order.
    pub(crate) fn missing(&self) -> &BTreeSet<char> {
        &self.library.missing
    }

    /// How many characters were left out.
    pub(crate) fn removed(&self) -> usize {
        self.removed
    }

    /// How many links were set as text.
    pub(crate) fn links_dropped(&self) -> usize {
        self.links_dropped
    }

    /// Cleans the runs into one text.
    fn clean(
        &mut self,
        source: &Text,
        look: Look,
        text: &mut String,
        links: &mut Vec<String>,
        languages: &mut Vec<String>,
    ) -> Vec<Stretch> {
        let mut stretches = Vec::with_capacity(source.0.len());
        let directed = source.0.iter().any(|run| has_right_to_left(&run.text));
        let mut cleaner = Cleaner::new(directed || self.direction == Direction::RightToLeft);
        for run in &source.0 {
            let start = text.len();
            cleaner.push(&run.text, text);
            if text.len() == start {
                continue;
            }
            let link = run.link.as_deref().and_then(|uri| {
                let uri = safe_uri(uri);
                self.links_dropped += usize::from(uri.is_none());
                links.push(uri?);
                Some(links.len() as u32 - 1)
            });
            let tag = run.lang.as_ref().filter(|tag| is_language_tag(tag));
            let own_language = tag.map(|tag| {
                languages.push(tag.clone());
                languages.len() as u32 - 1
            });
            let language = match run.lang.as_deref() {
                Some(tag) => self.library.language(tag),
                None => Library::MAIN,
            };
            stretches.push(Stretch {
                start,
                end: text.len(),
                plain: Span {
                    // Chosen when the text is cut.
                    face: FaceId::default(),
                    ink: match (link, run.style.muted) {
                        (Some(_), _) => Ink::Accent,
                        (None, true) => Ink::Muted,
                        (None, false) => look.ink,
                    },
                    link,
                    language: own_language,
                    replaced: false,
                    level: 0,
                },
                design: Design {
                    family: look.family,
                    bold: look.bold || run.style.bold,
                    italic: look.italic || run.style.italic,
                    language,
                },
            });
        }
        self.removed += cleaner.removed();
        stretches
    }

    fn shape_segment(&mut self, segment: &Segment, small_caps: bool, paragraph: &mut Paragraph) {
        let span = paragraph.spans[segment.span as usize];
        if span.replaced {
            self.replace(segment, span.face, paragraph);
            return;
        }
        let face = self.library.fonts.face(span.face);
        let rules = Rules {
            face: span.face,
            script: shaping_script(segment.script),
            right_to_left: span.right_to_left(),
            small_caps,
            language: self.language(segment.language),
        };
        let plan = self.cache.plan(&rules, face);
        let mut at = segment.start;
        while at < segment.end {
            let word = next_word(&paragraph.text[at..segment.end]);
            let view = self.library.view(span.face);
            let glyphs = self.cache.shape(plan, view, face.units_per_em(), word);
            if glyphs.iter().any(|glyph| glyph.id == 0) {
                // A font that lacks what its tables ask for. Nothing is drawn as that font's own box.
                let end = at + word.len();
                let unshown: Vec<char> = word.chars().filter(|&c| !has(view, c)).collect();
                self.library.missing.extend(unshown);
                let part = Segment {
                    start: at,
                    end,
                    span: paragraph.spans.len() as u32,
                    ..*segment
                };
                paragraph.spans.push(Span {
                    face: FaceId::default(),
                    replaced: true,
                    ..span
                });
                self.replace(&part, FaceId::default(), paragraph);
                at = end;
                continue;
            }
            let first = paragraph.glyphs.len();
            let word_end = (at + word.len()) as u32;
            paragraph.glyphs.extend(glyphs.iter().map(|glyph| Glyph {
                id: glyph.id,
                span: segment.span,
                advance: glyph.advance,
                dx: glyph.dx,
                dy: glyph.dy,
                start: at as u32 + glyph.start,
                end: word_end,
            }));
            // A cluster ends where the next one starts.
            let (mut end, mut next) = (word_end, word_end);
            for glyph in paragraph.glyphs[first..].iter_mut().rev() {
                if glyph.start < next {
                    end = next;
                    next = glyph.start;
                }
                glyph.end = end;
            }
            at += word.len();
        }
    }

    fn hyphens(&mut self, spans: &[Span]) -> Vec<Hyphen> {
        let hyphen = |span: &Span| {
            let em = self.library.fonts.face(span.face).units_per_em();
            let view = self.library.view(span.face);
            let id = view.nominal_glyph('-'.into()).unwrap_or_default();
            Hyphen {
                id: id.to_u32() as u16,
                advance: view.glyph_h_advance(id) as f32 / em,
            }
        };
        spans.iter().map(hyphen).collect()
    }

    fn language(&self, id: LanguageId) -> Option<harfrust::Language> {
        self.library.tongue(id).shaping.clone()
    }

    /// One replacement for each cluster, in the font of the style.
    fn replace(&mut self, segment: &Segment, face: FaceId, paragraph: &mut Paragraph) {
        let em = self.library.fonts.face(face).units_per_em();
        let view = self.library.view(face);
        let id = view.nominal_glyph(REPLACEMENT.into()).unwrap_or_default();
        let advance = view.glyph_h_advance(id) as f32 / em;
        let mut at = segment.start;
        while at < segment.end {
            let length = cluster_length(&paragraph.text[at..segment.end]);
            paragraph.glyphs.push(Glyph {
                id: id.to_u32() as u16,
                span: segment.span,
                advance,
                dx: 0.0,
                dy: 0.0,
                start: at as u32,
                end: (at + length) as u32,
            });
            at += length;
        }
    }
}

impl Drop for Shaper<'_> {
    fn drop(&mut self) {
        self.library
            .fonts
            .shapes
            .give_back(std::mem::take(&mut self.cache));
    }
}

/// Bytes that are shaped at a time, where a text has no spaces.
const LONGEST_PIECE: usize = 4096;

/// The first word of a text, or the first of its spaces.
fn next_word(text: &str) -> &str {
    let word = match text.find(' ') {
        Some(0) => &text[..1],
        Some(end) => &text[..end],
        None => text,
    };
    if word.len() <= LONGEST_PIECE {
        return word;
    }
    let mut end = 0;
    while end < LONGEST_PIECE {
        end += cluster_length(&word[end..]);
    }
    &word[..end]
}

#[cfg(test)]
mod tests;
