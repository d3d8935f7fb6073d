//! Text that runs from right to left: the levels of the bidirectional algorithm (Unicode Standard Annex 9), and
//! the order of the pieces of a line.

use std::ops::Range;

use unicode_bidi::{BidiClass, BidiInfo, Level, bidi_class};

use super::cluster::is_mark;

/// Which way a script runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Direction {
    /// Latin, Greek, Cyrillic, Chinese.
    #[default]
    LeftToRight,
    /// Arabic, Hebrew.
    RightToLeft,
}

/// The levels of a text: odd ones run from right to left.
pub(crate) struct Levels {
    /// Of the paragraph itself.
    pub(crate) direction: Direction,
    /// One for each byte; none if all are 0.
    levels: Vec<Level>,
}

impl Direction {
    /// The direction of a language's script, by its tag (BCP 47).
    pub(crate) fn of_language(tag: &str) -> Self {
        const LANGUAGES: [&str; 14] = [
            "ar", "arc", "ckb", "dv", "fa", "he", "iw", "ku", "ps", "sd", "syr", "ug", "ur", "yi",
        ];
        const SCRIPTS: [&str; 8] = [
            "arab", "hebr", "syrc", "thaa", "nkoo", "adlm", "rohg", "mand",
        ];
        let mut parts = tag.split('-');
        let language = parts.next().unwrap_or_default();
        // A script says more than the language: Kurdish is written in two.
        let script =
            parts.find(|part| part.len() == 4 && part.bytes().all(|b| b.is_ascii_alphabetic()));
        let rtl = match script {
            Some(script) => SCRIPTS.iter().any(|rtl| rtl.eq_ignore_ascii_case(script)),
            // Northern Kurdish, the plain `ku`, is mostly written in Latin letters.
            None => LANGUAGES
                .iter()
                .any(|rtl| *rtl != "ku" && rtl.eq_ignore_ascii_case(language)),
        };
        if rtl {
            Self::RightToLeft
        } else {
            Self::LeftToRight
        }
    }

    /// The level of a paragraph of this direction.
    pub(crate) fn level(self) -> u8 {
        match self {
            Self::LeftToRight => 0,
            Self::RightToLeft => 1,
        }
    }
}

impl Levels {
    /// The levels of a paragraph in a document of some direction. The paragraph takes the document's direction
    /// if it has a letter of that direction or none at all, else the other one.
    pub(crate) fn of(text: &str, document: Direction) -> Self {
        let (mut ltr, mut rtl, mut arabic_digits) = (false, false, false);
        for c in text.chars() {
            match strong(c) {
                Some(Direction::LeftToRight) => ltr = true,
                Some(Direction::RightToLeft) => rtl = true,
                None => arabic_digits |= c > '\u{500}' && bidi_class(c) == BidiClass::AN,
            }
            if ltr && rtl {
                break;
            }
        }
        let direction = match (document, ltr, rtl) {
            (Direction::RightToLeft, true, false) => Direction::LeftToRight,
            (Direction::LeftToRight, false, true) => Direction::RightToLeft,
            _ => document,
        };
        if direction == Direction::LeftToRight && !rtl && !arabic_digits {
            return Self {
                direction,
                levels: Vec::new(),
            };
        }
        let base = Level::from(direction.level());
        let text = with_solid_tokens(text);
        Self {
            direction,
            levels: BidiInfo::new(&text, Some(base)).levels,
        }
    }

    /// The level of the character that starts at some byte.
    pub(crate) fn at(&self, byte: usize) -> u8 {
        self.levels.get(byte).map_or(0, Level::number)
    }
}

impl From<bool> for Direction {
    fn from(right_to_left: bool) -> Self {
        if right_to_left {
            Self::RightToLeft
        } else {
            Self::LeftToRight
        }
    }
}

/// Whether a text has letters that run from right to left.
pub(crate) fn has_right_to_left(text: &str) -> bool {
    !text.is_ascii()
        && text
            .chars()
            .any(|c| strong(c) == Some(Direction::RightToLeft))
}

/// The direction of a letter.
pub(super) fn strong(c: char) -> Option<Direction> {
    if c < '\u{590}' {
        // Below Hebrew all letters run one way.
        return c.is_alphabetic().then_some(Direction::LeftToRight);
    }
    match bidi_class(c) {
        BidiClass::L => Some(Direction::LeftToRight),
        BidiClass::R | BidiClass::AL => Some(Direction::RightToLeft),
        _ => None,
    }
}

/// Whether a character is a digit or one of the signs that go with digits.
pub(super) fn counts_as_number(c: char) -> bool {
    use BidiClass::{AN, CS, EN, ES, ET};
    matches!(bidi_class(c), AN | CS | EN | ES | ET)
}

/// The order from left to right of pieces with these levels (rule L2).
pub(crate) fn visual_order(levels: &[u8]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..levels.len()).collect();
    let highest = levels.iter().copied().max().unwrap_or(0);
    for level in (1..=highest).rev() {
        let mut start = 0;
        while start < order.len() {
            if levels[order[start]] < level {
                start += 1;
                continue;
            }
            let length = order[start..]
                .iter()
                .take_while(|&&piece| levels[piece] >= level)
                .count();
            order[start..start + length].reverse();
            start += length;
        }
    }
    order
}

/// The text as the algorithm is to see it: tokens such as `C++`, `.NET`, an address or a telephone number count
/// as letters throughout, because their signs and groups would change places between Arabic words. Every
/// character keeps its length.
fn with_solid_tokens(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for range in solid_tokens(text) {
        out.push_str(&text[at..range.start]);
        for c in text[range.clone()].chars() {
            out.push(match c {
                _ if strong(c).is_some() => c,
                _ => match c.len_utf8() {
                    1 => 'a',
                    2 => 'é',
                    3 => 'ḁ',
                    _ => '\u{10000}',
                },
            });
        }
        at = range.end;
    }
    out.push_str(&text[at..]);
    out
}

fn solid_tokens(text: &str) -> Vec<Range<usize>> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(start) = text[at..].find(|c: char| !c.is_whitespace()) {
        let start = at + start;
        if let Some(end) = telephone(text, start) {
            tokens.push(start..end);
            at = end;
            continue;
        }
        let length = text[start..].find(char::is_whitespace);
        let end = length.map_or(text.len(), |length| start + length);
        at = end;
        // A name may follow an article or a preposition without a space: each stands for itself.
        let mut from = start;
        while from < end {
            let rtl = |c: char| strong(c) == Some(Direction::RightToLeft) || is_mark(c);
            let part = &text[from..end];
            let length = part.find(|c: char| !rtl(c)).unwrap_or(part.len());
            let (attached, part) = (length > 0 || from > start, &part[length..]);
            from += length;
            let length = part.find(rtl).unwrap_or(part.len());
            let part = &part[..length];
            let token = trimmed(part, attached);
            if token
                .chars()
                .any(|c| strong(c) == Some(Direction::LeftToRight))
            {
                let offset = from + (token.as_ptr() as usize - part.as_ptr() as usize);
                tokens.push(offset..offset + token.len());
            }
            from += length;
        }
    }
    tokens
}

/// A word without the punctuation of the sentence around it, nor the hyphen that ties it to a letter before.
fn trimmed(token: &str, attached: bool) -> &str {
    let token = token.trim_start_matches([
        '(', '[', '{', '"', '\'', '«', '»', '“', '„', '‘', '‹', '¿', '¡',
    ]);
    let token = if attached {
        token.trim_start_matches(['-', '\u{2010}', '\u{2011}', '\u{2013}', '"', '\''])
    } else {
        token
    };
    let mut rest = token;
    while let Some(last) = rest.chars().next_back() {
        let drop = match last {
            '.' => !is_abbreviation(rest),
            ',' | ';' | ':' | '!' | '?' | '…' | '"' | '\'' | '”' | '’' | '»' | '«' | '›' => {
                true
            }
            '،' | '؛' | '؟' => true,
            ')' => !rest.contains('('),
            ']' => !rest.contains('['),
            '}' => !rest.contains('{'),
            _ => false,
        };
        if !drop {
            break;
        }
        rest = &rest[..rest.len() - last.len_utf8()];
    }
    rest
}

/// Whether the dot at the end belongs to the word, as in `o.o.` and `Ph.D.`
fn is_abbreviation(token: &str) -> bool {
    let parts = token.trim_end_matches('.').split('.');
    let short = |part: &str| {
        (1..=3).contains(&part.chars().count()) && part.chars().all(char::is_alphabetic)
    };
    token.trim_end_matches('.').contains('.')
        && parts.clone().count() <= 5
        && parts.clone().all(short)
}

/// The end of a telephone number in international form or of one in at least two groups of together seven or
/// more digits, if there is one at `start`.
fn telephone(text: &str, start: usize) -> Option<usize> {
    const LONGEST: usize = 32;
    let (mut digits, mut groups, mut end) = (0, 0, start);
    let mut in_group = false;
    let mut separators = 0;
    let international = text[start..].starts_with(['+', '＋']);
    for (at, c) in text[start..].char_indices().take(LONGEST) {
        if c.is_numeric() {
            digits += 1;
            groups += usize::from(!in_group);
            in_group = true;
            separators = 0;
            end = start + at + c.len_utf8();
            continue;
        }
        in_group = false;
        match c {
            '+' | '＋' if at == 0 => {}
            '(' | ')' => {}
            // One between groups: more of them tell of a range.
            ' ' | '\u{A0}' | '\u{202F}' | '-' | '\u{2011}' if separators == 0 && digits > 0 => {
                separators += 1;
            }
            '/' | '.' if separators == 0 && digits > 0 && international => separators += 1,
            _ => break,
        }
    }
    let enough = digits >= 7 && (international || groups >= 2 && digits <= 15);
    // Two years are a range, not a number.
    let years = groups == 2 && digits == 8 && !international;
    (enough && !years).then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_have_directions() {
        let check =
            |tag: &str, rtl: bool| assert_eq!(Direction::of_language(tag), rtl.into(), "{tag}");
        for tag in ["ar", "ar-EG", "he", "iw", "fa-IR", "ur", "ku-Arab", "AR"] {
            check(tag, true);
        }
        for tag in ["en", "de-CH", "ku", "az-Latn", "ar-Latn", "ja", ""] {
            check(tag, false);
        }
    }

    #[test]
    fn paragraphs_take_the_documents_direction_if_they_can() {
        let check = |text: &str, document: bool, expect: bool| {
            let levels = Levels::of(text, document.into());
            assert_eq!(levels.direction, expect.into(), "{text}");
        };
        check("English", false, false);
        check("مهندسة", false, true);
        check("Google هي", false, false);
        check("Google هي", true, true);
        check("Senior Engineer", true, false);
        check("2020 – 2024", true, true);
        check("2020 – 2024", false, false);
    }

    /// What a reader sees from left to right, without the mirrored brackets.
    fn seen(text: &str, document: Direction) -> String {
        let levels = Levels::of(text, document);
        let chars: Vec<(usize, char)> = text.char_indices().collect();
        let of_chars: Vec<u8> = chars.iter().map(|&(at, _)| levels.at(at)).collect();
        visual_order(&of_chars)
            .into_iter()
            .map(|at| chars[at].1)
            .collect()
    }

    #[test]
    fn numbers_addresses_and_names_keep_their_order() {
        let check = |text: &str, expect: &str| {
            assert_eq!(seen(text, Direction::RightToLeft), expect, "{text}");
        };
        check("אבג C++ דה", "הד C++ גבא");
        check("אבג (C++), דה", "הד ,)C++( גבא");
        check("אבג .NET", ".NET גבא");
        check("ב-Rust וC++ וב-.NET", ".NET-בו C++ו Rust-ב");
        check("חברת Sp. z o.o. משנת", "תנשמ Sp. z o.o. תרבח");
        check("טל: +48 600 100 200", "+48 600 100 200 :לט");
        check("+48 600 100 200", "+48 600 100 200");
        check("(022) 555-01-73 א", "א (022) 555-01-73");
        check("אתר https://example.com/ א", "א https://example.com/ רתא");
        check("דוא a.b@example.com, א", "א ,a.b@example.com אוד");
        // A range of years reads from right to left.
        check("2020 – 2024", "2024 – 2020");
        check("א 1,250.50 ב", "ב 1,250.50 א");
        check("א 24/7 ב 50% ג", "ג 50% ב 24/7 א");
        check("סוף.", ".ףוס");
    }

    #[test]
    fn telephone_numbers_are_known_from_ranges() {
        let check =
            |text: &str, expect: Option<usize>| assert_eq!(telephone(text, 0), expect, "{text}");
        check("+49 30 1234567", Some(14));
        check("+49 (30) 123-45-67, x", Some(18));
        check("022 555 01 73", Some(13));
        check("2019 2024", None);
        check("2019 - 2024", None);
        check("12 345", None);
        check("1234567", None);
    }
}
