//! Makes foreign text fit to be set: composed, on one kind of space, without what has no appearance.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

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
}

impl Cleaner {
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
            match Kind::of(c) {
                Kind::Space => {
                    self.pending.get_or_insert(' ');
                }
                Kind::LineBreak => self.pending = Some('\n'),
                Kind::Invisible => {}
                Kind::Forbidden => self.removed += 1,
                Kind::Visible => {
                    self.marks = if is_mark(c) { self.marks + 1 } else { 0 };
                    if self.marks > MARKS_PER_LETTER {
                        self.removed += 1;
                        continue;
                    }
                    if let Some(space) = self.pending.take().filter(|_| self.started) {
                        out.push(space);
                    }
                    self.started = true;
                    out.push(c);
                }
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

/// Whether a character combines with the letter before it.
pub(super) fn is_mark(c: char) -> bool {
    // None does below this one; it spares most texts the search in the table.
    c >= '\u{300}' && is_combining_mark(c)
}

enum Kind {
    Visible,
    Space,
    LineBreak,
    /// Without appearance by itself: joiners, selectors, soft hyphens. Lines are never hyphenated here.
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
            '\n' | '\r' | '\u{B}' | '\u{C}' | '\u{85}' | '\u{2028}' | '\u{2029}' => Self::LineBreak,
            '\u{AD}'
            | '\u{34F}'
            | '\u{115F}'..='\u{1160}'
            | '\u{17B4}'..='\u{17B5}'
            | '\u{180B}'..='\u{180F}'
            | '\u{200B}'..='\u{200D}'
            | '\u{2060}'..='\u{2064}'
            | '\u{3164}'
            | '\u{FE00}'..='\u{FE0F}'
            | '\u{FEFF}'
            | '\u{FFA0}'
            | '\u{E0000}'..='\u{E0FFF}' => Self::Invisible,
            // Bidirectional orders, deprecated format characters, interlinear annotation.
            '\u{61C}'
            | '\u{200E}'..='\u{200F}'
            | '\u{202A}'..='\u{202E}'
            | '\u{2065}'..='\u{206F}' => Self::Forbidden,
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
    }

    #[test]
    fn lines_of_metadata_are_short() {
        assert_eq!(clean_line(" a\nb\u{7} ", 10), "a b");
        assert_eq!(clean_line("abcdef", 3), "abc…");
    }
}
