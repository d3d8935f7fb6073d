//! Where lines may end: the rules of Unicode Standard Annex 14, what languages add to them, and hyphenation.

use unicode_linebreak::{BreakOpportunity, linebreaks};

use crate::text::itemize::{Library, Segment};
use crate::text::paragraph::{Break, BreakKind, Paragraph};

/// Letters of the shortest word that is parted.
const SHORTEST_WORD: usize = 6;
/// Bytes of the longest; what is longer is no word.
const LONGEST_WORD: usize = 80;

/// A place in a text, by its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::text) struct Opportunity {
    pub(in crate::text) at: usize,
    pub(in crate::text) kind: BreakKind,
}

/// All places where a line of a text may end, in order.
pub(in crate::text) fn find(
    text: &str,
    segments: &[Segment],
    library: &Library<'_>,
    hyphenate: bool,
) -> Vec<Opportunity> {
    let main = primary(&library.tongue(Library::MAIN).tag);
    let short_words = SHORT_WORDS.contains(&main);
    let mut found: Vec<Opportunity> = Vec::new();
    let mut token = Token::default();
    for (at, rule) in linebreaks(text) {
        let kind = if rule == BreakOpportunity::Mandatory {
            BreakKind::Forced
        } else if is_glued(text, at, main) {
            continue;
        } else {
            kind_of(text, at, short_words, &mut token)
        };
        found.push(Opportunity { at, kind });
    }
    if hyphenate {
        let mut hyphens = Vec::new();
        for segment in segments {
            let tag = &library.tongue(segment.language).tag;
            hyphens_in(text, segment, primary(tag), &mut hyphens);
        }
        found.extend(hyphens);
        found.sort_by_key(|found| found.at);
        // A place of both kinds needs no hyphen, and the rules' own comes first.
        found.dedup_by_key(|found| found.at);
    }
    found
}

/// Ties places in a text to its glyphs. A place within a cluster is none.
pub(in crate::text) fn place(found: &[Opportunity], paragraph: &mut Paragraph) {
    let mut glyph = 0;
    for &Opportunity { at, kind } in found {
        while paragraph
            .glyphs
            .get(glyph)
            .is_some_and(|glyph| (glyph.start as usize) < at)
        {
            glyph += 1;
        }
        let within = glyph > 0 && paragraph.glyphs[glyph - 1].end as usize > at;
        if !within || kind == BreakKind::Forced {
            paragraph.breaks.push(Break { glyph, kind });
        }
    }
}

/// Languages whose words of one letter do not end a line.
const SHORT_WORDS: [&str; 7] = ["pl", "cs", "sk", "uk", "ru", "be", "bg"];

fn kind_of(text: &str, at: usize, short_words: bool, token: &mut Token) -> BreakKind {
    let (before, after) = text.split_at(at);
    let mut back = before.chars().rev();
    match (back.next(), back.next(), back.next()) {
        (Some(' '), Some(letter), None | Some(' ' | '\u{A0}' | '('))
            if short_words && letter.is_alphabetic() =>
        {
            BreakKind::Poor
        }
        (Some(' ' | '\n'), ..) => BreakKind::Allowed,
        // Within an address.
        _ if token.is_address(text, at) => BreakKind::Poor,
        (Some('-'), Some(_), _) => BreakKind::AfterHyphen,
        (Some('/'), ..) => BreakKind::Poor,
        // Korean may be broken anywhere, but words are better left whole.
        (Some(last), ..) if is_hangul(last) && after.chars().next().is_some_and(is_hangul) => {
            BreakKind::Poor
        }
        _ => BreakKind::Allowed,
    }
}

fn is_hangul(c: char) -> bool {
    matches!(c, '\u{AC00}'..='\u{D7AF}')
}

/// The word around the last place asked for, so that a long one is read once.
#[derive(Default)]
struct Token {
    end: usize,
    address: bool,
}

impl Token {
    /// Whether a place is within an address: of the web, or of mail.
    fn is_address(&mut self, text: &str, at: usize) -> bool {
        if at >= self.end {
            let before = text[..at].char_indices().rev();
            let start = before
                .take_while(|(_, c)| !c.is_whitespace())
                .last()
                .map_or(at, |(start, _)| start);
            let length = text[at..].find(char::is_whitespace);
            self.end = length.map_or(text.len(), |length| at + length);
            let token = &text[start..self.end];
            self.address =
                token.contains("://") || token.contains('@') || token.starts_with("www.");
        }
        self.address
    }
}

/// Where the rules would break what readers take as one: after the `//` of a URI, within a range of numbers,
/// and inside French quotation marks.
fn is_glued(text: &str, at: usize, language: &str) -> bool {
    let (before, after) = text.split_at(at);
    if after.is_empty() {
        return false;
    }
    if language == "fr"
        && (before.ends_with("« ")
            || after.starts_with('»')
            || after.starts_with(['?', '!', ';', ':']))
    {
        return true;
    }
    let digit = |c: Option<char>| c.is_some_and(char::is_numeric);
    let range = before
        .strip_suffix(['-', '\u{2013}'])
        .is_some_and(|number| digit(number.chars().next_back()));
    before.ends_with("://") || range && digit(after.chars().next())
}

fn hyphens_in(text: &str, segment: &Segment, language: &str, found: &mut Vec<Opportunity>) {
    let Some(patterns) = patterns(language) else {
        return;
    };
    let mut at = segment.start;
    for token in text[segment.start..segment.end].split_inclusive([' ', '\n']) {
        let start = at;
        at += token.len();
        // Addresses and names of files are not words.
        if token.contains(['@', '/', '_']) {
            continue;
        }
        let mut word_start = None;
        for (offset, c) in token.char_indices().chain([(token.len(), ' ')]) {
            match (c.is_alphabetic(), word_start) {
                (true, None) => word_start = Some(offset),
                (false, Some(from)) => {
                    word_start = None;
                    part(
                        &token[from..offset],
                        start + from,
                        language,
                        patterns,
                        found,
                    );
                }
                _ => {}
            }
        }
    }
}

fn part(
    word: &str,
    start: usize,
    language: &str,
    patterns: hypher::Lang,
    found: &mut Vec<Opportunity>,
) {
    let letters = word.chars().count();
    let lower = word.chars().skip(1).all(char::is_lowercase);
    // Names are not parted, but German writes all nouns like names.
    let name = language != "de" && word.starts_with(char::is_uppercase);
    if letters < SHORTEST_WORD || word.len() > LONGEST_WORD || !lower || name {
        return;
    }
    let mut at = start;
    for syllable in hypher::hyphenate_bounded(word, patterns, 2, 3) {
        at += syllable.len();
        if at < start + word.len() {
            found.push(Opportunity {
                at,
                kind: BreakKind::Hyphenated,
            });
        }
    }
}

fn patterns(language: &str) -> Option<hypher::Lang> {
    use hypher::Lang;
    Some(match language {
        "en" => Lang::English,
        "de" => Lang::German,
        "pl" => Lang::Polish,
        "fr" => Lang::French,
        "es" => Lang::Spanish,
        "it" => Lang::Italian,
        "pt" => Lang::Portuguese,
        "nl" => Lang::Dutch,
        "cs" => Lang::Czech,
        "uk" => Lang::Ukrainian,
        "el" => Lang::Greek,
        "sv" => Lang::Swedish,
        _ => return None,
    })
}

/// The language of a tag, without its script and region.
fn primary(tag: &str) -> &str {
    tag.split('-').next().unwrap_or(tag)
}
