//! Texts made plain: NFC, single spaces, no control characters.

use unicode_normalization::UnicodeNormalization as _;

/// The text made plain, and whether characters were removed that a reader might miss.
///
/// Runs of white space and all line breaks become one space. A single no-break or ideographic
/// space stays: it was set on purpose (`10 %`, `山田　太郎`).
pub(super) fn clean(text: &str) -> (String, bool) {
    let mut removed = false;
    let kept = text.chars().filter(|&c| {
        removed |= is_fault(c);
        // Soft hyphens only mark where an earlier program was allowed to break a line.
        c != '\u{ad}' && !is_fault(c)
    });
    let composed: String = kept.nfc().collect();
    let mut plain = String::with_capacity(composed.len());
    let mut run = Run::None;
    for c in composed.trim().chars() {
        if c.is_whitespace() {
            run = match run {
                Run::None if is_deliberate(c) => Run::Keep(c),
                _ => Run::Space,
            };
            continue;
        }
        match std::mem::replace(&mut run, Run::None) {
            Run::None => {}
            Run::Keep(space) => plain.push(space),
            Run::Space => plain.push(' '),
        }
        plain.push(c);
    }
    (plain, removed)
}

enum Run {
    None,
    Keep(char),
    Space,
}

fn is_deliberate(space: char) -> bool {
    matches!(space, '\u{a0}' | '\u{202f}' | '\u{3000}')
}

/// Characters that no CV means: controls that are not white space, byte order marks,
/// noncharacters, and the overrides that make text read otherwise than it is stored.
fn is_fault(c: char) -> bool {
    let noncharacter = matches!(c, '\u{fdd0}'..='\u{fdef}') || (c as u32 & 0xfffe) == 0xfffe;
    (c.is_control() && !c.is_whitespace())
        || noncharacter
        || matches!(c, '\u{feff}' | '\u{202d}' | '\u{202e}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_made_plain() {
        let check = |text: &str, want: &str, removed: bool| {
            assert_eq!(clean(text), (want.to_owned(), removed), "{text:?}");
        };
        check("", "", false);
        check(" \t\r\n\u{a0}\u{3000}", "", false);
        check("  Ida \n\t Morrow ", "Ida Morrow", false);
        check("a\u{2028}b\u{b}c\u{85}d", "a b c d", false);
        check("10\u{a0}%", "10\u{a0}%", false);
        check("10\u{a0} %", "10 %", false);
        check("山田\u{3000}太郎", "山田\u{3000}太郎", false);
        check("Zo\u{65}\u{308}", "Zo\u{eb}", false);
        check("soft\u{ad}hyphen", "softhyphen", false);
        check("a\u{0}b\u{1b}[31mc\u{7f}", "ab[31mc", true);
        check("\u{feff}abc\u{202e}d\u{ffff}", "abcd", true);
        // Composition sees what is left after the removal.
        check("e\u{0}\u{301}", "\u{e9}", true);
        check("emoji 👩‍🔬 stay", "emoji 👩‍🔬 stay", false);
    }
}
