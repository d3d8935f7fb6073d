//! Makes foreign text fit to be set: composed, on one kind of space, without what has no appearance.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::decompose_compatible;
use unicode_script::{Script, UnicodeScript};

use super::cluster::{is_ideographic_variant, is_joiner, is_mark, is_pictograph, is_skin_tone};

/// More marks than any language piles on one letter (Unicode Standard Annex 15, section 13, allows 30).
const MARKS_PER_LETTER: usize = 8;

/// Joins runs into the text of a paragraph: NFC, single spaces, none at the ends, line feeds for line breaks.
#[derive(Default)]
pub(crate) struct Cleaner {
    /// White space seen since the last visible character; a line break wins over a space.
    pending: Option<char>,
    /// Whether anything visible has come yet: leading white space is dropped.
    started: bool,
    marks: usize,
    removed: usize,
    /// Whether marks of direction are kept: they mean something beside letters that run from right to left.
    keeps_direction: bool,
}

impl Cleaner {
    pub(crate) fn new(keeps_direction: bool) -> Self {
        Self {
            keeps_direction,
            ..Self::default()
        }
    }

    /// Appends what is visible of `run`. White space at its end waits for the next visible character, so that
    /// it comes to belong to the run that follows.
    pub(crate) fn push(&mut self, run: &str, out: &mut String) {
        // ASCII is composed as it stands, and most runs are nothing else.
        if run.is_ascii() {
            self.push_composed(run.chars(), out);
        } else {
            self.push_composed(run.nfc(), out);
        }
    }

    fn push_composed(&mut self, run: impl Iterator<Item = char>, out: &mut String) {
        for c in run {
            if is_presentation_form(c) {
                // The shape that shaping gives anyway; readers of the text want the letter.
                decompose_compatible(c, |part| self.push_char(part, out));
            } else {
                self.push_char(c, out);
            }
        }
    }

    fn push_char(&mut self, c: char, out: &mut String) {
        match Kind::of(c) {
            Kind::Space => {
                self.pending.get_or_insert(' ');
            }
            Kind::LineBreak => self.pending = Some('\n'),
            Kind::Invisible => {}
            Kind::Forbidden => self.removed += 1,
            Kind::Joiner => {
                let joins = out.chars().next_back().is_some_and(|last| joins(last, c));
                if self.pending.is_none() && joins {
                    out.push(c);
                }
            }
            Kind::Direction => {
                if self.keeps_direction && self.pending.is_none() && self.started {
                    out.push(c);
                }
            }
            Kind::Visible => {
                self.marks = if is_mark(c) { self.marks + 1 } else { 0 };
                if self.marks > MARKS_PER_LETTER {
                    self.removed += 1;
                    return;
                }
                if let Some(space) = self.pending.take().filter(|_| self.started) {
                    out.push(space);
                }
                self.started = true;
                out.push(c);
            }
        }
    }

    /// How many characters were left out that a reader might miss.
    pub(crate) fn removed(&self) -> usize {
        self.removed
    }
}

/// A text for metadata, outline and alternative text: cleaned, on one line, at most `limit` characters.
pub(crate) fn clean_line(text: &str, limit: usize) -> String {
    let mut out = String::new();
    // Cleaning shortens: four times the limit is plenty to read, and bounds the work.
    let head: String = text.chars().take(limit.saturating_mul(4)).collect();
    Cleaner::default().push(&head, &mut out);
    let mut line: String = out.replace('\n', " ");
    if let Some((end, _)) = line.char_indices().nth(limit) {
        line.truncate(end);
        line.push('…');
    }
    line
}

/// Arabic letters in one of their shapes (Unicode Standard, 9.2: for old character sets alone).
fn is_presentation_form(c: char) -> bool {
    matches!(c, '\u{FB50}'..='\u{FD3D}' | '\u{FD50}'..='\u{FDFB}' | '\u{FE70}'..='\u{FEFC}')
}

/// Whether a joiner or a variant's selector means something after a character: where letters join, within
/// emoji, after Chinese characters.
fn joins(last: char, joiner: char) -> bool {
    if is_ideographic_variant(joiner) {
        return last.script() == Script::Han;
    }
    if is_pictograph(last) || is_skin_tone(last) {
        return joiner == '\u{200D}';
    }
    // Before Armenian no script joins or stacks its letters; nor do the Chinese ones.
    last >= '\u{600}'
        && !is_joiner(last)
        && !matches!(
            last.script(),
            Script::Common
                | Script::Latin
                | Script::Greek
                | Script::Han
                | Script::Hiragana
                | Script::Katakana
                | Script::Hangul
        )
}

enum Kind {
    Visible,
    Space,
    LineBreak,
    /// Joins or parts letters, or chooses the variant of one: kept where it means something.
    Joiner,
    /// A mark of direction.
    Direction,
    /// Without appearance by itself: selectors, soft hyphens. Where words may be parted is known here.
    Invisible,
    /// Never right in a document, or an order that is not obeyed.
    Forbidden,
}

impl Kind {
    fn of(c: char) -> Self {
        match c {
            // The white space of UAX 14 that is not glue; no-break spaces are visible.
            ' '
            | '\t'
            | '\u{1680}'
            | '\u{2000}'..='\u{2006}'
            | '\u{2008}'..='\u{200A}'
            | '\u{205F}'
            | '\u{3000}' => Self::Space,
            '\u{200C}' | '\u{200D}' | '\u{E0100}'..='\u{E01EF}' => Self::Joiner,
            '\u{61C}' | '\u{200E}' | '\u{200F}' => Self::Direction,
            '\n' | '\r' | '\u{B}' | '\u{C}' | '\u{85}' | '\u{2028}' | '\u{2029}' => Self::LineBreak,
            '\u{AD}'
            | '\u{34F}'
            | '\u{115F}'..='\u{1160}'
            | '\u{17B4}'..='\u{17B5}'
            | '\u{180B}'..='\u{180F}'
            | '\u{200B}'
            | '\u{2060}'..='\u{2064}'
            | '\u{3164}'
            | '\u{FE00}'..='\u{FE0F}'
            | '\u{FEFF}'
            | '\u{FFA0}'
            | '\u{E0000}'..='\u{E0FFF}' => Self::Invisible,
            // Bidirectional orders, deprecated format characters, interlinear annotation.
            '\u{202A}'..='\u{202E}' | '\u{2065}'..='\u{206F}' => Self::Forbidden,
            '\u{FFF0}'..='\u{FFFB}' | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}' => {
                Self::Forbidden
            }
            _ if c.is_control() || is_noncharacter(c) => Self::Forbidden,
            _ => Self::Visible,
        }
    }
}

fn is_noncharacter(c: char) -> bool {
    ('\u{FDD0}'..='\u{FDEF}').contains(&c) || (u32::from(c) & 0xFFFE) == 0xFFFE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_made_fit_to_be_set() {
        let check = |runs: &[&str], expect: &str, removed: usize| {
            let (mut cleaner, mut out) = (Cleaner::default(), String::new());
            for run in runs {
                cleaner.push(run, &mut out);
            }
            assert_eq!(
                (out.as_str(), cleaner.removed()),
                (expect, removed),
                "{runs:?}"
            );
        };
        check(&["  a \t b  "], "a b", 0);
        check(&["a ", " b"], "a b", 0);
        check(&["a\r\n\n b\u{2028}"], "a\nb", 0);
        check(&["e\u{301}", "\u{AD}x\u{200B}y\u{FE0F}"], "éxy", 0);
        check(&["a\u{0}\u{8}b\u{202E}c\u{FFFE}"], "abc", 4);
        check(&["a\u{A0}b"], "a\u{A0}b", 0);
        check(
            &[&format!("x{}", "\u{335}".repeat(20))],
            &format!("x{}", "\u{335}".repeat(8)),
            12,
        );
        check(&["", " \n "], "", 0);
        // Joiners stay where letters join, and within emoji.
        check(&["می\u{200C}خواهم a\u{200C}b"], "می\u{200C}خواهم ab", 0);
        check(&["👩\u{200D}💻 ❤\u{FE0F}"], "👩\u{200D}💻 ❤", 0);
        check(&["葛\u{E0100}a\u{E0100}"], "葛\u{E0100}a", 0);
        check(&["a\u{200F}b"], "ab", 0);
        // Letters in their shapes become letters: a lam-alef and a final beh.
        check(&["\u{FEFB}\u{FE90}"], "لاب", 0);
    }

    #[test]
    fn marks_of_direction_are_kept_on_demand() {
        let (mut cleaner, mut out) = (Cleaner::new(true), String::new());
        cleaner.push("\u{200F}C++\u{200E} \u{200F}ב\u{202E}", &mut out);
        assert_eq!((out.as_str(), cleaner.removed()), ("C++\u{200E} ב", 1));
    }

    #[test]
    fn lines_of_metadata_are_short() {
        assert_eq!(clean_line(" a\nb\u{7} ", 10), "a b");
        assert_eq!(clean_line("abcdef", 3), "abc…");
    }
}
