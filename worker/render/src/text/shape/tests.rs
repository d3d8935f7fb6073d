use super::*;
use crate::blocks::Run;
use crate::text::paragraph::BreakKind;

fn shape_in(language: &str, text: impl Into<Text>) -> (Option<Paragraph>, Vec<char>) {
    let fonts = Fonts::embedded().unwrap();
    let mut shaper = Shaper::new(&fonts, language);
    let paragraph = shaper.shape(&text.into(), Look::plain(Role::Text, Ink::Text));
    (paragraph, shaper.missing().iter().copied().collect())
}

fn shape(text: impl Into<Text>) -> (Option<Paragraph>, Vec<char>) {
    shape_in("en", text)
}

#[test]
fn every_character_belongs_to_a_glyph_and_none_is_lost() {
    for text in [
        "office AV Zażółć gęślą jaźń",
        "Ελλάδα και Україна 3 − 2 → ✓",
        "e\u{335}\u{301}a 高橋 x",
        "☎ 📞 ① ☂",
        "مهندسة برمجيات أولى في شركة Przesyłka منذ عام 2022، وأعمل بلغة Rust.",
        "מהנדסת תוכנה בכירה בחברת Przesyłka משנת 2022, כותבת ב-Rust",
        "בְּרֵאשִׁית بِسْمِ 👩\u{200D}💻 👍🏽 می\u{200C}خواهم",
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
    assert_eq!(shape("− ≥ × ✓ ● → ★ ☎ ⚙ ① Ω ẞ ₴ ‑ … ₪ ﷼ ؟").1, []);
}

#[test]
fn an_emoji_is_drawn_whole_or_replaced_whole() {
    let check = |text: &str, glyphs: usize, missing: &[char]| {
        let (paragraph, found) = shape(text);
        let paragraph = paragraph.unwrap();
        assert_eq!(
            (paragraph.glyphs.len(), found.as_slice()),
            (glyphs, missing),
            "{text}"
        );
    };
    check("👩\u{200D}💻", 2, &[]);
    // The genie is in no font, the computer is.
    check("🧞\u{200D}💻", 1, &['🧞']);
    check("👍🏽", 1, &[]);
    check("☎\u{FE0F}", 1, &[]);
    check("🇵🇱", 1, &['🇱', '🇵']);
    check("1\u{FE0F}\u{20E3}", 2, &['\u{20E3}']);
}

#[test]
fn arabic_letters_join() {
    let (paragraph, missing) = shape("بب ب");
    let paragraph = paragraph.unwrap();
    let ids: Vec<u16> = paragraph.glyphs.iter().map(|glyph| glyph.id).collect();
    // An initial, a final, the space and an isolated form.
    assert!(
        ids[0] != ids[1] && ids[0] != ids[3] && ids[1] != ids[3],
        "{ids:?}"
    );
    assert_eq!(missing, []);
    // Lam and alef are one glyph, and one without ink for the readers of the text.
    let ligature = shape("لا").0.unwrap().glyphs;
    assert!(matches!(ligature[..], [lam, alef] if lam.advance == 0.0 && alef.advance > 0.5));
    // Without the joiner between them letters stand alone.
    let parted = shape("ب\u{200C}ب").0.unwrap();
    assert_eq!(
        parted.glyphs[0].id,
        parted.glyphs[parted.glyphs.len() - 1].id
    );
}

#[test]
fn marks_stay_on_their_letters() {
    for (language, text) in [("he", "שָׁלוֹם"), ("ar", "مُحَمَّد"), ("en", "x\u{336}\u{30A}")]
    {
        let paragraph = shape_in(language, text).0.unwrap();
        let marks: Vec<usize> = (0..paragraph.glyphs.len())
            .filter(|&at| paragraph.glyphs[at].advance == 0.0)
            .collect();
        assert!(!marks.is_empty(), "{text}");
        for at in marks {
            // In the order of the text, and no line ends between them.
            assert!(
                paragraph.glyphs[at].start > paragraph.glyphs[0].start,
                "{text}"
            );
            assert!(
                !paragraph.is_boundary(at),
                "{text}: a mark without its letter"
            );
        }
    }
}

#[test]
fn pieces_of_a_line_stand_where_they_are_read() {
    let paragraph = shape_in("ar", "أعمل بلغة Rust منذ 2022").0.unwrap();
    let line = crate::text::breaks::break_lines(&paragraph, 100.0).remove(0);
    let runs = paragraph.runs(&line);
    let texts: Vec<&str> = runs
        .iter()
        .map(|run| paragraph.slice(&run.glyphs).trim())
        .collect();
    assert_eq!(texts, ["أعمل", "بلغة", "Rust", "", "منذ", "2022"]);
    assert!(
        runs.windows(2).all(|pair| pair[0].x > pair[1].x),
        "{runs:?}"
    );
    let right = runs[0].x + runs[0].width;
    assert!((right - line.width).abs() < 1e-6);
    assert!(runs[5].x.abs() < 1e-6);
    // Readers of the text would take the space for a part of the name before it.
    let marked: Vec<bool> = runs.iter().map(|run| run.marked).collect();
    assert_eq!(marked, [false, false, true, false, false, false]);
}

#[test]
fn lines_may_end_after_spaces_and_must_at_line_feeds() {
    let (paragraph, _) = shape("one two\nthree");
    let breaks: Vec<_> = paragraph
        .unwrap()
        .breaks
        .iter()
        .map(|at| (at.glyph, at.kind == BreakKind::Forced))
        .collect();
    assert_eq!(breaks, [(4, false), (8, true), (13, true)]);
}

#[test]
fn nothing_visible_is_no_paragraph() {
    assert_eq!(shape(" \n\u{200B}\u{0}").0, None);
    assert_eq!(shape_in("ar", "\u{200F}").0, None);
}

#[test]
fn kerning_is_on() {
    let width = |text| shape(text).0.unwrap().offsets.last().copied().unwrap();
    assert!(width("AV") < width("A") + width("V"));
}

#[test]
fn unsafe_links_are_text() {
    let (paragraph, _) = shape(Run::new("x").link("javascript:1"));
    assert!(paragraph.unwrap().links.is_empty());
}

#[test]
fn a_warm_cache_changes_nothing() {
    let fonts = Fonts::embedded().unwrap();
    let text = Text::from("Zażółć gęślą jaźń, مرحبا بكم, office 2022");
    let shaped = || Shaper::new(&fonts, "pl").shape(&text, Look::plain(Role::Text, Ink::Text));
    let cold = shaped();
    assert_eq!(cold, shaped());
    assert_eq!(cold, shape_in("pl", text.clone()).0);
}
