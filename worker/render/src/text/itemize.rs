//! Cuts a text where font, style, script, language or direction change.

use std::collections::BTreeSet;

use harfrust::{Language, ShaperFont};
use unicode_script::{Script, UnicodeScript};

use super::bidi::Levels;
use super::cluster::{cluster_length, is_direction_mark, is_mark, is_pictograph, is_silent};
use super::paragraph::Span;
use crate::fonts::{FaceId, FamilyId, Fonts, Region, has};

/// Bytes of a text that are shaped alike.
#[derive(Debug, Clone, Copy)]
pub(super) struct Segment {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) span: u32,
    pub(super) script: Script,
    pub(super) language: LanguageId,
}

/// What the faces of a stretch of text are chosen by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Design {
    pub(super) family: FamilyId,
    pub(super) bold: bool,
    pub(super) italic: bool,
    pub(super) language: LanguageId,
}

/// An index into [`Library::languages`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LanguageId(u8);

/// A language as shaping, fonts and line breaking see it.
pub(super) struct Tongue {
    pub(super) tag: String,
    /// For the font's own variants.
    pub(super) shaping: Option<Language>,
    region: Option<Region>,
}

/// Languages in one document; further ones are taken for the first.
const MAX_LANGUAGES: usize = 32;

/// The fonts and languages of one rendering.
pub(super) struct Library<'f> {
    pub(super) fonts: &'f Fonts,
    views: Vec<Option<ShaperFont<'f, 'static>>>,
    languages: Vec<Tongue>,
    /// The faces to ask, by design and region.
    candidates: Vec<(Design, Region, Vec<FaceId>)>,
    /// Different characters that no font has.
    pub(super) missing: BTreeSet<char>,
}

impl<'f> Library<'f> {
    pub(super) fn new(fonts: &'f Fonts, language: &str) -> Self {
        let mut library = Self {
            fonts,
            views: (0..fonts.faces()).map(|_| None).collect(),
            languages: Vec::new(),
            candidates: Vec::new(),
            missing: BTreeSet::new(),
        };
        library.language(language);
        library
    }

    /// The document's own language.
    pub(super) const MAIN: LanguageId = LanguageId(0);

    /// Finds a language by its tag.
    pub(super) fn language(&mut self, tag: &str) -> LanguageId {
        let known = |tongue: &Tongue| tongue.tag == tag;
        if let Some(index) = self.languages.iter().position(known) {
            return LanguageId(index as u8);
        }
        if self.languages.len() >= MAX_LANGUAGES {
            return Self::MAIN;
        }
        self.languages.push(Tongue {
            tag: tag.to_owned(),
            shaping: Language::new(tag),
            region: Region::of_language(tag),
        });
        LanguageId((self.languages.len() - 1) as u8)
    }

    pub(super) fn tongue(&self, id: LanguageId) -> &Tongue {
        &self.languages[usize::from(id.0)]
    }

    pub(super) fn view(&mut self, face: FaceId) -> &ShaperFont<'f, 'static> {
        let fonts = self.fonts;
        self.views[face.index()].get_or_insert_with(|| ShaperFont::new(fonts.face(face).font()))
    }

    fn has(&mut self, face: FaceId, c: char) -> bool {
        has(self.view(face), c)
    }

    /// The index of the faces for a design.
    fn candidates(&mut self, design: Design, region: Region) -> usize {
        let known = |(own, at, _): &(Design, Region, Vec<FaceId>)| *own == design && *at == region;
        if let Some(index) = self.candidates.iter().position(known) {
            return index;
        }
        let Design {
            family,
            bold,
            italic,
            ..
        } = design;
        let faces = self.fonts.candidates(family, bold, italic, region);
        self.candidates.push((design, region, faces));
        self.candidates.len() - 1
    }

    /// The first of the candidates that passes.
    fn find(
        &mut self,
        candidates: usize,
        pass: impl Fn(&mut Self, FaceId) -> bool,
    ) -> Option<FaceId> {
        let mut at = 0;
        while let Some(&face) = self.candidates[candidates].2.get(at) {
            if pass(self, face) {
                return Some(face);
            }
            at += 1;
        }
        None
    }
}

/// Cuts a paragraph, run by run.
pub(super) struct Itemizer<'a, 'f> {
    pub(super) library: &'a mut Library<'f>,
    pub(super) levels: &'a Levels,
    pub(super) text: &'a str,
    pub(super) spans: Vec<Span>,
    pub(super) segments: Vec<Segment>,
    /// The script of the last letter.
    script: Option<Script>,
    region: Region,
}

impl<'a, 'f> Itemizer<'a, 'f> {
    pub(super) fn new(library: &'a mut Library<'f>, levels: &'a Levels, text: &'a str) -> Self {
        Self {
            region: region_of(text),
            library,
            levels,
            text,
            spans: Vec::new(),
            segments: Vec::new(),
            script: None,
        }
    }

    /// Cuts one run. `plain` is its style; the face is chosen here.
    pub(super) fn run(&mut self, start: usize, end: usize, plain: Span, design: Design) {
        let region = self.library.tongue(design.language).region;
        let candidates = self
            .library
            .candidates(design, region.unwrap_or(self.region));
        let own = self.library.candidates[candidates].2[0];
        let plain = Span { face: own, ..plain };
        // A run starts anew, but a mark at its start stays with its letter.
        let mut current: Option<Span> = None;
        let mut at = start;
        while at < end {
            let length = cluster_length(&self.text[at..end]);
            let cluster = &self.text[at..at + length];
            let base = match cluster.chars().next() {
                Some('\n') | None => ' ',
                Some(base) => base,
            };
            let plain = Span {
                level: self.levels.at(at),
                ..plain
            };
            let script = own_script(base);
            if is_direction_mark(base) && length == base.len_utf8() {
                // Has been minded already, and has nothing to show.
                at += length;
                continue;
            }
            let (span, split) = self.span_of(cluster, base, plain, current, candidates);
            match split {
                // The base has a font, some of its marks have not.
                Some(split) => {
                    self.push(at, at + split, span, script, design.language);
                    let rest = Span {
                        replaced: true,
                        ..plain
                    };
                    self.push(at + split, at + length, rest, script, design.language);
                }
                None => self.push(at, at + length, span, script, design.language),
            }
            current = Some(span);
            if script.is_some() {
                self.script = script;
            }
            at += length;
        }
    }

    fn push(
        &mut self,
        start: usize,
        end: usize,
        span: Span,
        script: Option<Script>,
        language: LanguageId,
    ) {
        let same_span = self.spans.last() == Some(&span);
        if let Some(last) = self.segments.last_mut()
            && same_span
            && last.end == start
            && last.language == language
            && script.is_none_or(|script| script == last.script)
        {
            last.end = end;
            return;
        }
        if !same_span {
            self.spans.push(span);
        }
        self.segments.push(Segment {
            start,
            end,
            span: self.spans.len() as u32 - 1,
            script: script.or(self.script).unwrap_or(Script::Latin),
            language,
        });
    }

    /// The span of a cluster, and how many of its bytes the span's face has if that is not all.
    fn span_of(
        &mut self,
        cluster: &str,
        base: char,
        plain: Span,
        current: Option<Span>,
        candidates: usize,
    ) -> (Span, Option<usize>) {
        let with = |face| Span { face, ..plain };
        if base.is_ascii() && cluster.len() == 1 {
            if let Some(current) = current
                && self.stays(base, plain, current)
            {
                return (with(current.face), None);
            }
            if self.library.has(plain.face, base) {
                return (plain, None);
            }
        } else if let Some(current) = current
            && self.stays(base, plain, current)
        {
            return (with(current.face), None);
        }
        let complete = |library: &mut Library<'_>, face: FaceId| {
            cluster
                .chars()
                .all(|c| is_silent(c, base) || library.has(face, if c == '\n' { ' ' } else { c }))
        };
        if is_wide_quote(base)
            && self.beside_chinese(cluster)
            && let Some(face) = self
                .library
                .find(candidates, |library, face| library.has(face, '\u{3002}'))
            && complete(self.library, face)
        {
            return (with(face), None);
        }
        if let Some(face) = self.library.find(candidates, complete) {
            return (with(face), None);
        }
        // No face has all of it: the base from the first that has it, and as many marks as that one has.
        let base_face = self
            .library
            .find(candidates, |library, face| library.has(face, base));
        if let Some(face) = base_face
            && !is_pictograph(base)
        {
            let mut held = None;
            for (at, c) in cluster.char_indices() {
                let c = if c == '\n' { ' ' } else { c };
                if !is_silent(c, base) && !self.library.has(face, c) {
                    self.library.missing.insert(c);
                    held = held.or(Some(at));
                }
            }
            return (with(face), held);
        }
        for c in cluster.chars().filter(|&c| !is_silent(c, base)) {
            let found = self
                .library
                .find(candidates, |library, face| library.has(face, c));
            if found.is_none() {
                self.library.missing.insert(c);
            }
        }
        let replaced = Span {
            replaced: true,
            ..plain
        };
        if base_face.is_some() && cluster.chars().count() > 1 {
            // Each part of an emoji may have a font, but no one font has them all.
            self.library.missing.insert(base);
        }
        (replaced, None)
    }

    /// Whether a character stays in the font of what it follows, which is not its style's own.
    fn stays(&mut self, c: char, plain: Span, current: Span) -> bool {
        if current.replaced || current.level != plain.level || current.face == plain.face {
            return false;
        }
        let chinese = self.script.is_some_and(is_chinese);
        let glued = c == ' '
            || is_mark(c)
            || matches!(c, '.' | ',' | ':' | '!' | '-' | '\u{AB}' | '\u{BB}') && !chinese
            || chinese && is_wide_quote(c);
        glued && self.library.has(current.face, c)
    }

    fn beside_chinese(&self, cluster: &str) -> bool {
        let after = cluster.as_ptr() as usize - self.text.as_ptr() as usize + cluster.len();
        let next = self.text[after..].chars().next();
        self.script.is_some_and(is_chinese) && !self.korean()
            || next.and_then(own_script).is_some_and(is_chinese) && !self.korean()
    }

    /// Korean sets its quotation marks in Latin width.
    fn korean(&self) -> bool {
        self.script == Some(Script::Hangul)
    }
}

/// Signs that Latin text sets narrow and Chinese text wide.
fn is_wide_quote(c: char) -> bool {
    matches!(
        c,
        '\u{2018}' | '\u{2019}' | '\u{201C}' | '\u{201D}' | '\u{2026}' | '\u{2014}' | '\u{B7}'
    )
}

/// The script of a letter; `None` for what scripts share.
fn own_script(c: char) -> Option<Script> {
    if c < '\u{2B0}' {
        return c.is_alphabetic().then_some(Script::Latin);
    }
    match c.script() {
        Script::Common | Script::Inherited | Script::Unknown => None,
        script => Some(script),
    }
}

fn is_chinese(script: Script) -> bool {
    matches!(
        script,
        Script::Han | Script::Hiragana | Script::Katakana | Script::Bopomofo | Script::Hangul
    )
}

/// The region of Chinese characters in a text whose language tells of none: Japanese and Korean have letters of
/// their own beside them.
fn region_of(text: &str) -> Region {
    if text.is_ascii() {
        return Region::China;
    }
    let mut region = Region::China;
    for c in text.chars() {
        match c {
            '\u{3040}'..='\u{30FF}' => return Region::Japan,
            '\u{1100}'..='\u{11FF}' | '\u{3130}'..='\u{318F}' | '\u{AC00}'..='\u{D7AF}' => {
                region = Region::Korea;
            }
            _ => {}
        }
    }
    region
}

/// A script as harfrust knows it.
pub(super) fn shaping_script(script: Script) -> harfrust::Script {
    match script {
        Script::Latin => harfrust::Script::LATIN,
        Script::Greek => harfrust::Script::GREEK,
        Script::Cyrillic => harfrust::Script::CYRILLIC,
        other => other
            .short_name()
            .parse()
            .unwrap_or(harfrust::Script::LATIN),
    }
}
