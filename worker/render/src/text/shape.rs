//! Shaping: which glyphs draw a text, from which fonts, and where its lines may end.

use std::collections::BTreeSet;

use harfrust::{Buffer, BufferFlags, Direction, ShapeOptions, ShaperFont};
use unicode_linebreak::{BreakOpportunity, linebreaks};

use super::clean::{Cleaner, is_mark};
use super::paragraph::{Break, Glyph, Ink, Paragraph, Role, Span};
use crate::blocks::Text;
use crate::fonts::{Alphabet, FaceId, Fonts, REPLACEMENT};

/// Shapes one document's text and notes what could not be shown. One per rendering.
pub(crate) struct Shaper<'f> {
    fonts: &'f Fonts,
    shapers: Vec<ShaperFont<'f, 'static>>,
    buffer: Buffer,
    missing: BTreeSet<char>,
    removed: usize,
    links_dropped: usize,
}

/// How a paragraph looks where its runs do not say otherwise.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look {
    pub(crate) role: Role,
    pub(crate) bold: bool,
    pub(crate) ink: Ink,
    pub(crate) small_caps: bool,
}

impl Look {
    pub(crate) fn plain(role: Role, ink: Ink) -> Self {
        Self {
            role,
            bold: false,
            ink,
            small_caps: false,
        }
    }

    pub(crate) fn bold(role: Role, ink: Ink) -> Self {
        Self {
            bold: true,
            ..Self::plain(role, ink)
        }
    }
}

/// Bytes of the text in one font, style and alphabet.
struct Segment {
    start: usize,
    end: usize,
    span: u32,
    alphabet: Alphabet,
}

impl<'f> Shaper<'f> {
    pub(crate) fn new(fonts: &'f Fonts) -> Self {
        Self {
            fonts,
            shapers: fonts.shapers(),
            buffer: Buffer::new(),
            missing: BTreeSet::new(),
            removed: 0,
            links_dropped: 0,
        }
    }

    /// Shapes a text, or returns nothing if nothing of it is visible.
    pub(crate) fn shape(&mut self, source: &Text, look: Look) -> Option<Paragraph> {
        let mut paragraph = Paragraph {
            role: look.role,
            text: String::new(),
            glyphs: Vec::new(),
            spans: Vec::new(),
            links: Vec::new(),
            breaks: Vec::new(),
            offsets: Vec::new(),
        };
        let segments = self.segments(source, look, &mut paragraph);
        if segments.is_empty() {
            return None;
        }
        let breaks: Vec<_> = linebreaks(&paragraph.text).collect();
        if paragraph.text.contains('\n') {
            paragraph.text = paragraph.text.replace('\n', " ");
        }
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

        let starts = |at: usize| {
            paragraph
                .glyphs
                .partition_point(|glyph| (glyph.start as usize) < at)
        };
        for (at, kind) in breaks {
            let glyph = starts(at);
            let in_cluster = paragraph
                .glyphs
                .get(glyph)
                .is_some_and(|g| g.start as usize != at);
            if !in_cluster && !is_glued(&paragraph.text, at) {
                paragraph.breaks.push(Break {
                    glyph,
                    forced: kind == BreakOpportunity::Mandatory,
                });
            }
        }
        Some(paragraph)
    }

    /// Different characters that no font had, in order.
    pub(crate) fn missing(&self) -> &BTreeSet<char> {
        &self.missing
    }

    /// How many characters were left out.
    pub(crate) fn removed(&self) -> usize {
        self.removed
    }

    /// How many links were set as text.
    pub(crate) fn links_dropped(&self) -> usize {
        self.links_dropped
    }

    /// Cleans the runs into the paragraph's text and cuts it where font, style or alphabet change.
    fn segments(&mut self, source: &Text, look: Look, paragraph: &mut Paragraph) -> Vec<Segment> {
        let mut segments: Vec<Segment> = Vec::new();
        let mut cleaner = Cleaner::default();
        for run in &source.0 {
            let start = paragraph.text.len();
            cleaner.push(&run.text, &mut paragraph.text);
            if paragraph.text.len() == start {
                continue;
            }
            let link = run.link.as_deref().and_then(|uri| {
                let uri = safe_uri(uri);
                self.links_dropped += usize::from(uri.is_none());
                paragraph.links.push(uri?);
                Some(paragraph.links.len() as u32 - 1)
            });
            let plain = Span {
                face: FaceId::of_style(look.bold || run.style.bold, run.style.italic),
                ink: match (link, run.style.muted) {
                    (Some(_), _) => Ink::Accent,
                    (None, true) => Ink::Muted,
                    (None, false) => look.ink,
                },
                link,
                replaced: false,
            };

            let mut current: Option<Span> = None;
            for (at, c) in paragraph.text[start..].char_indices() {
                let at = start + at;
                let c = if c == '\n' { ' ' } else { c };
                let span = self.span_of(c, plain, current);
                let alphabet = Alphabet::of(c);
                let length = c.len_utf8();
                let joins = current == Some(span)
                    && segments
                        .last()
                        .is_some_and(|last| alphabet.is_none_or(|own| own == last.alphabet));
                current = Some(span);
                match segments.last_mut() {
                    Some(last) if joins => last.end = at + length,
                    last => {
                        let alphabet = alphabet
                            .or(last.map(|last| last.alphabet))
                            .unwrap_or(Alphabet::Latin);
                        if paragraph.spans.last() != Some(&span) {
                            paragraph.spans.push(span);
                        }
                        let index = paragraph.spans.len() as u32 - 1;
                        segments.push(Segment {
                            start: at,
                            end: at + length,
                            span: index,
                            alphabet,
                        });
                    }
                }
            }
        }
        self.removed += cleaner.removed();
        segments
    }

    /// The font for a character. Marks and white space stay in the font of what they follow.
    fn span_of(&mut self, c: char, plain: Span, current: Option<Span>) -> Span {
        let glued = c == ' ' || is_mark(c);
        if let Some(current) = current
            && glued
            && !current.replaced
            && self.shapers[current.face.index()]
                .nominal_glyph(c.into())
                .is_some()
        {
            return current;
        }
        let Some(face) = FaceId::for_char(c, plain.face, &self.shapers) else {
            self.missing.insert(c);
            return Span {
                replaced: true,
                ..plain
            };
        };
        Span { face, ..plain }
    }

    fn shape_segment(&mut self, segment: &Segment, small_caps: bool, paragraph: &mut Paragraph) {
        let span = paragraph.spans[segment.span as usize];
        let text = &paragraph.text[segment.start..segment.end];
        let face = self.fonts.face(span.face);
        if span.replaced {
            for (at, c) in text.char_indices() {
                let start = segment.start + at;
                let glyph = self.replacement(span.face, segment.span, start, start + c.len_utf8());
                paragraph.glyphs.push(glyph);
            }
            return;
        }

        self.buffer.clear();
        self.buffer.push_str(text);
        self.buffer.set_direction(Direction::LeftToRight);
        self.buffer.set_script(Some(segment.alphabet.script()));
        self.buffer
            .set_flags(BufferFlags::BEGINNING_OF_TEXT | BufferFlags::END_OF_TEXT);
        let plan = face.plan(segment.alphabet, small_caps);
        harfrust::shape(
            &self.shapers[span.face.index()],
            &mut self.buffer,
            ShapeOptions::new().plan(Some(plan)),
        )
        .expect("the buffer has the direction and the script of its plan");

        let first = paragraph.glyphs.len();
        let em = face.units_per_em();
        for (info, position) in self
            .buffer
            .glyph_infos()
            .iter()
            .zip(self.buffer.glyph_positions())
        {
            paragraph.glyphs.push(Glyph {
                id: info.glyph_id as u16,
                span: segment.span,
                advance: position.x_advance as f32 / em,
                dx: position.x_offset as f32 / em,
                dy: position.y_offset as f32 / em,
                start: segment.start as u32 + info.cluster,
                end: segment.end as u32,
            });
        }
        // A cluster ends where the next one starts.
        let mut end = segment.end as u32;
        let mut next = end;
        for glyph in paragraph.glyphs[first..].iter_mut().rev() {
            if glyph.start < next {
                end = next;
                next = glyph.start;
            }
            glyph.end = end;
        }
    }

    fn replacement(&self, face: FaceId, span: u32, start: usize, end: usize) -> Glyph {
        let shaper = &self.shapers[face.index()];
        let id = shaper.nominal_glyph(REPLACEMENT.into()).unwrap_or_default();
        Glyph {
            id: id.to_u32() as u16,
            span,
            advance: shaper.glyph_h_advance(id) as f32 / self.fonts.face(face).units_per_em(),
            dx: 0.0,
            dy: 0.0,
            start: start as u32,
            end: end as u32,
        }
    }
}

/// Where the rules of UAX 14 would break what readers take as one: after the `//` of a URI, and within a range
/// of numbers.
fn is_glued(text: &str, at: usize) -> bool {
    let (before, after) = text.split_at(at);
    let digit = |c: Option<char>| c.is_some_and(char::is_numeric);
    let range = before
        .strip_suffix(['-', '\u{2013}'])
        .is_some_and(|number| digit(number.chars().next_back()));
    !after.is_empty() && (before.ends_with("://") || range && digit(after.chars().next()))
}

/// A URI that may stand in a PDF (ASCII, RFC 3986) and that a reader may follow, or nothing.
fn safe_uri(uri: &str) -> Option<String> {
    const SCHEMES: [&str; 4] = ["https", "http", "mailto", "tel"];
    const LIMIT: usize = 2000;
    let (scheme, rest) = uri.split_once(':')?;
    let known = SCHEMES
        .iter()
        .any(|known| known.eq_ignore_ascii_case(scheme));
    if !known || rest.is_empty() || uri.len() > LIMIT || uri.contains(char::is_control) {
        return None;
    }
    let mut out = String::with_capacity(uri.len());
    for byte in uri.bytes() {
        match byte {
            b' ' | b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' | 0x80.. => {
                use std::fmt::Write as _;
                write!(out, "%{byte:02X}").expect("a string takes what is written to it");
            }
            _ => out.push(char::from(byte)),
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blocks::Run;

    fn shape(text: impl Into<Text>) -> (Option<Paragraph>, Vec<char>) {
        let fonts = Fonts::embedded().unwrap();
        let mut shaper = Shaper::new(&fonts);
        let paragraph = shaper.shape(&text.into(), Look::plain(Role::Text, Ink::Text));
        (paragraph, shaper.missing().iter().copied().collect())
    }

    #[test]
    fn every_character_belongs_to_a_glyph_and_none_is_lost() {
        for text in [
            "office AV Zażółć gęślą jaźń",
            "Ελλάδα και Україна 3 − 2 → ✓",
            "e\u{335}\u{301}a 高橋 x",
            "☎ 📞 ① ☂",
        ] {
            let (paragraph, _) = shape(text);
            let paragraph = paragraph.unwrap();
            let mut covered = 0;
            for glyph in &paragraph.glyphs {
                assert!(glyph.start as usize <= covered && glyph.id != 0, "{text}");
                covered = covered.max(glyph.end as usize);
            }
            assert_eq!(covered, paragraph.text.len(), "{text}");
        }
    }

    #[test]
    fn missing_characters_are_reported_and_replaced() {
        let (paragraph, missing) = shape("a高橋b");
        let paragraph = paragraph.unwrap();
        assert_eq!(missing, ['橋', '高']);
        assert_eq!(
            paragraph
                .spans
                .iter()
                .map(|span| span.replaced)
                .collect::<Vec<_>>(),
            [false, true, false]
        );
        assert_eq!(shape("− ≥ × ✓ ● → ★ ☎ ⚙ ① Ω ẞ ₴ ‑ …").1, []);
    }

    #[test]
    fn lines_may_end_after_spaces_and_must_at_line_feeds() {
        let (paragraph, _) = shape("one two\nthree");
        let breaks = paragraph.unwrap().breaks;
        assert_eq!(
            breaks,
            [(4, false), (8, true), (13, true)].map(|(glyph, forced)| Break { glyph, forced })
        );
    }

    #[test]
    fn uris_and_ranges_stay_together() {
        let check = |text: &str, expect: &[usize]| {
            let breaks = shape(text).0.unwrap().breaks;
            assert_eq!(
                breaks.iter().map(|at| at.glyph).collect::<Vec<_>>(),
                expect,
                "{text}"
            );
        };
        check("see http://a/b", &[4, 13, 14]);
        check("p. 118\u{2013}155", &[3, 10]);
        check("one\u{2013}two", &[4, 7]);
    }

    #[test]
    fn nothing_visible_is_no_paragraph() {
        assert_eq!(shape(" \n\u{200B}\u{0}").0, None);
    }

    #[test]
    fn kerning_is_on() {
        let width = |text| shape(text).0.unwrap().offsets.last().copied().unwrap();
        assert!(width("AV") < width("A") + width("V"));
    }

    #[test]
    fn only_uris_that_may_be_followed_are_links() {
        let check =
            |uri: &str, expect: Option<&str>| assert_eq!(safe_uri(uri).as_deref(), expect, "{uri}");
        check(
            "https://example.com/a b?q=ż",
            Some("https://example.com/a%20b?q=%C5%BC"),
        );
        check("mailto:a@example.com", Some("mailto:a@example.com"));
        check("javascript:alert(1)", None);
        check("file:///etc/passwd", None);
        check("example.com", None);
        check("https:", None);
        check("https://example.com/\n", None);
        check(&format!("https://{}", "a".repeat(3000)), None);
        let (paragraph, _) = shape(Run::new("x").link("javascript:1"));
        assert!(paragraph.unwrap().links.is_empty());
    }
}
