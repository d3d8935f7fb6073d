//! Characters that belong together: a letter with its marks, the parts of an emoji.

use unicode_normalization::char::is_combining_mark;

/// Whether a character combines with the letter before it.
pub(super) fn is_mark(c: char) -> bool {
    // None does below this one; it spares most texts the search in the table.
    c >= '\u{300}' && is_combining_mark(c)
}

/// Joins or parts the letters around it: ZWNJ and ZWJ.
pub(super) fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200C}' | '\u{200D}')
}

/// A mark of direction: without appearance, but the bidirectional algorithm minds it.
pub(super) fn is_direction_mark(c: char) -> bool {
    matches!(c, '\u{200E}' | '\u{200F}' | '\u{61C}')
}

/// A skin tone after an emoji.
pub(super) fn is_skin_tone(c: char) -> bool {
    matches!(c, '\u{1F3FB}'..='\u{1F3FF}')
}

/// A variant of a Chinese character (Unicode Technical Standard 37).
pub(super) fn is_ideographic_variant(c: char) -> bool {
    matches!(c, '\u{E0100}'..='\u{E01EF}')
}

/// Pictures that emoji are made of (a little more than the property `Extended_Pictographic`).
pub(super) fn is_pictograph(c: char) -> bool {
    matches!(c, '\u{2190}'..='\u{2BFF}' | '\u{3030}' | '\u{303D}' | '\u{1F000}'..='\u{1FAFF}')
        && !is_flag_letter(c)
        && !is_skin_tone(c)
}

fn is_flag_letter(c: char) -> bool {
    matches!(c, '\u{1F1E6}'..='\u{1F1FF}')
}

/// The length of the cluster that a text starts with. Coarser than a font's own clusters: what is one here is
/// drawn from one font.
pub(super) fn cluster_length(text: &str) -> usize {
    let mut chars = text.char_indices().peekable();
    let Some((_, first)) = chars.next() else {
        return 0;
    };
    let mut end = first.len_utf8();
    if first.is_ascii() && text.as_bytes().get(end).is_none_or(u8::is_ascii) {
        return end;
    }
    let pictograph = is_pictograph(first);
    let mut joined = false;
    if is_flag_letter(first)
        && let Some((_, second)) = chars.next_if(|&(_, c)| is_flag_letter(c))
    {
        end += second.len_utf8();
    }
    for (at, c) in chars {
        let belongs = is_mark(c)
            || is_joiner(c)
            || is_direction_mark(c)
            || is_skin_tone(c) && pictograph
            || is_ideographic_variant(c)
            || joined && pictograph && is_pictograph(c);
        if !belongs {
            break;
        }
        joined = c == '\u{200D}';
        end = at + c.len_utf8();
    }
    end
}

/// Whether a character of a cluster needs no glyph of its own. `base` is the cluster's first.
pub(super) fn is_silent(c: char, base: char) -> bool {
    is_joiner(c)
        || is_direction_mark(c)
        || is_ideographic_variant(c) && base != c
        || is_skin_tone(c) && is_pictograph(base)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clusters_hold_what_belongs_together() {
        let check = |text: &str, expect: usize| {
            let chars: String = text.chars().take(expect).collect();
            assert_eq!(cluster_length(text), chars.len(), "{text:?}");
        };
        check("", 0);
        check("ab", 1);
        check("e\u{301}\u{335}x", 3);
        check("👩\u{200D}💻x", 3);
        check("👍🏽👍", 2);
        check("🇵🇱🇩🇪", 2);
        check("بِت", 2);
        check("葛\u{E0100}城", 2);
        check("고a", 1);
        check("💻💻", 1);
        check("a\u{200D}b", 2);
    }
}
