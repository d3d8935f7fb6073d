//! What a theme does to texts before they are shaped: joins, capitals, emphasis, the space between letters.

use unicode_normalization::UnicodeNormalization as _;

use crate::blocks::{Run, Style, Text};
use crate::text::clean_line;
use crate::text::paragraph::Paragraph;
use crate::theme::SubtitleStyle;

/// Whether anything of a text can be seen.
fn is_visible(text: &Text) -> bool {
    // A short look is enough for almost every text.
    text.0.iter().any(|run| {
        run.text.starts_with(|c: char| c.is_ascii_graphic()) || !clean_line(&run.text, 1).is_empty()
    })
}

/// Items one after the other on a line, which may end after a separator, never before it.
pub(super) fn join<'a>(items: impl IntoIterator<Item = &'a Text>, separator: &str) -> Text {
    let mut line = Text::default();
    let separator = match separator.trim() {
        "" => "  ".to_owned(),
        // What belongs to the word before it.
        sign @ ("," | ";" | "،" | "؛") => format!("{sign} "),
        sign => format!("\u{A0}{sign} "),
    };
    for item in items.into_iter().filter(|item| is_visible(item)) {
        if !line.0.is_empty() {
            line.0.push(Run::new(separator.as_str()).muted());
        }
        line.0.extend(item.0.iter().cloned());
    }
    line
}

/// A text in which every run is set in a style as well.
pub(super) fn styled(text: &Text, change: impl Fn(&mut Style)) -> Text {
    let runs = text.0.iter().cloned().map(|mut run| {
        change(&mut run.style);
        run
    });
    Text(runs.collect())
}

pub(super) fn subtitle(text: &Text, style: SubtitleStyle) -> Text {
    styled(text, |run| match style {
        SubtitleStyle::Plain => {}
        SubtitleStyle::Italic => run.italic = true,
        SubtitleStyle::Muted => run.muted = true,
        SubtitleStyle::Bold => run.bold = true,
    })
}

/// A text in capitals, by the rules of its language (Unicode, SpecialCasing): Greek capitals have no accents,
/// the Turkish i keeps its dot.
pub(super) fn upper(text: &Text, language: &str) -> Text {
    const ACUTE: char = '\u{301}';
    let runs = text.0.iter().cloned().map(|mut run| {
        run.text = match primary(language) {
            "el" => run
                .text
                .nfd()
                .filter(|c| *c != ACUTE)
                .nfc()
                .collect::<String>()
                .to_uppercase(),
            "tr" | "az" => run.text.replace('i', "İ").to_uppercase(),
            _ => run.text.to_uppercase(),
        };
        run
    });
    Text(runs.collect())
}

/// Adds space between letters, in em. Scripts whose letters join are left alone.
pub(super) fn track(paragraph: &mut Paragraph, em: f32) {
    let joins = |c: char| matches!(c, '\u{600}'..='\u{8FF}' | '\u{FB50}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFF}');
    if em <= 0.0 || paragraph.text.contains(joins) {
        return;
    }
    let mut moved = 0.0;
    for (index, offset) in paragraph.offsets.iter_mut().enumerate() {
        *offset += moved;
        if let Some(glyph) = paragraph.glyphs.get_mut(index) {
            // A mark is part of the letter before it.
            if glyph.advance > 0.0 {
                glyph.advance += em;
                moved += f64::from(em);
            }
        }
    }
}

/// The language of a tag, without script and region.
pub(super) fn primary(tag: &str) -> &str {
    tag.split('-').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &Text) -> String {
        text.0.iter().map(|run| run.text.as_str()).collect()
    }

    #[test]
    fn only_what_is_visible_is_joined() {
        let items = ["a", "", " \u{200B}", "b"].map(Text::from);
        assert_eq!(plain(&join(&items, "·")), "a\u{A0}· b");
        assert_eq!(plain(&join(&items, ",")), "a, b");
        assert_eq!(plain(&join([], "·")), "");
    }

    #[test]
    fn capitals_follow_the_language() {
        let check = |text: &str, language, expect: &str| {
            assert_eq!(plain(&upper(&text.into(), language)), expect);
        };
        check("Straße", "de", "STRASSE");
        check("Εκπαίδευση", "el", "ΕΚΠΑΙΔΕΥΣΗ");
        check("dil bilgisi", "tr", "DİL BİLGİSİ");
        check("اللغات", "ar", "اللغات");
    }
}
