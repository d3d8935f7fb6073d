use proptest::prelude::*;

use super::*;
use crate::blocks::Text;
use crate::fonts::Fonts;
use crate::text::paragraph::{Ink, Role};
use crate::text::shape::{Look, Shaper};

fn shape_in(language: &str, hyphenate: bool, text: &str) -> Option<Paragraph> {
    let fonts = Fonts::embedded().unwrap();
    let look = Look {
        hyphenate,
        ..Look::plain(Role::Text, Ink::Text)
    };
    Shaper::new(&fonts, language).shape(&Text::from(text), look)
}

fn shape(text: &str) -> Option<Paragraph> {
    shape_in("en", false, text)
}

fn broken(paragraph: &Paragraph, measure: impl Into<Measure>) -> Vec<String> {
    break_lines(paragraph, measure)
        .iter()
        .map(|line| {
            let hyphen = if line.hyphen > 0.0 { "-" } else { "" };
            paragraph.slice(&line.glyphs).to_owned() + hyphen
        })
        .collect()
}

fn lines(text: &str, width: f64) -> Vec<String> {
    broken(&shape(text).unwrap(), width)
}

#[test]
fn lines_are_even_rather_than_full() {
    // First fit would leave the second `nn` alone on a line.
    assert_eq!(
        lines("nnn nn nn nnnnn nnnnnn", 3.8),
        ["nnn ", "nn nn ", "nnnnn ", "nnnnnn"]
    );
}

#[test]
fn words_wider_than_a_line_are_broken() {
    let word = "x".repeat(50);
    let broken = lines(&word, 10.0);
    assert!(broken.len() > 2, "{broken:?}");
    assert_eq!(broken.concat(), word);
}

#[test]
fn broken_words_fill_their_lines_and_prefer_to_break_after_signs() {
    let broken = lines(&format!("{}.{}", "n".repeat(9), "n".repeat(20)), 7.0);
    assert_eq!(broken[0], "nnnnnnnnn.");
    let broken = lines(&"n".repeat(30), 7.0);
    assert_eq!(
        broken.iter().map(String::len).collect::<Vec<_>>(),
        [11, 11, 8]
    );
}

#[test]
fn lines_end_after_spaces_rather_than_hyphens_or_slashes() {
    let words = "nnn ".repeat(8);
    for sign in ["-", "/"] {
        let broken = lines(&format!("{words}nnn{sign}nnn {words}nnn"), 20.0);
        assert_eq!(broken[0], words, "{sign}");
    }
}

#[test]
fn addresses_are_broken_last() {
    let broken = lines(
        "see https://example.com/some/where/else and more text here",
        22.0,
    );
    assert!(
        broken
            .iter()
            .any(|line| line.contains("https://example.com/some/where/else")),
        "{broken:?}"
    );
    let long = format!("https://example.com/{}", "path/".repeat(20));
    let broken = lines(&long, 12.0);
    assert!(
        broken[..broken.len() - 1]
            .iter()
            .all(|line| line.ends_with('/')),
        "{broken:?}"
    );
    assert_eq!(broken.concat(), long);
}

#[test]
fn line_feeds_end_lines() {
    assert_eq!(lines("a\nb c", 100.0), ["a ", "b c"]);
}

#[test]
fn a_character_wider_than_the_line_stands_alone() {
    assert_eq!(lines("WW W", 0.5), ["W", "W ", "W"]);
}

#[test]
fn long_paragraphs_are_filled() {
    let text = "word ".repeat(EVEN_LIMIT / 4);
    let paragraph = shape(&text).unwrap();
    let lines = break_lines(&paragraph, 30.0);
    assert!(lines.iter().all(|line| line.width <= 30.0));
    assert_eq!(lines.last().unwrap().glyphs.end, paragraph.glyphs.len());
}

#[test]
fn uris_and_ranges_stay_together() {
    let check = |language: &str, text: &str, expect: &[usize]| {
        let breaks = shape_in(language, false, text).unwrap().breaks;
        assert_eq!(
            breaks.iter().map(|at| at.glyph).collect::<Vec<_>>(),
            expect,
            "{text}"
        );
    };
    check("en", "see http://a/b", &[4, 13, 14]);
    check("en", "p. 118\u{2013}155", &[3, 10]);
    check("en", "one\u{2013}two", &[4, 7]);
    check("fr", "dit « oui » ?", &[4, 13]);
}

#[test]
fn words_of_one_letter_do_not_end_polish_lines() {
    let text = "nnn nnn w nnnn nn";
    let check = |language: &str, expect: &[&str]| {
        assert_eq!(
            broken(&shape_in(language, false, text).unwrap(), 5.9),
            expect
        );
    };
    check("en", &["nnn nnn w ", "nnnn nn"]);
    check("pl", &["nnn nnn ", "w nnnn nn"]);
}

#[test]
fn the_first_line_may_have_its_own_width() {
    let paragraph = shape("nnn nnn nnn nnn").unwrap();
    let measure = Measure {
        first: 2.5,
        ..Measure::from(5.0)
    };
    assert_eq!(broken(&paragraph, measure), ["nnn ", "nnn nnn ", "nnn"]);
}

#[test]
fn justified_lines_reach_the_measure_but_for_the_last() {
    let text = "The quick brown fox jumps over the lazy dog while all the other animals of the wood look on, \
                amused and a little worried about what is to become of them.";
    let paragraph = shape(text).unwrap();
    let measure = Measure {
        justify: true,
        ..Measure::from(18.0)
    };
    let lines = break_lines(&paragraph, measure);
    let (last, others) = lines.split_last().unwrap();
    for line in others {
        assert!((line.width - 18.0).abs() < 1e-6, "{line:?}");
        let end = paragraph.trimmed(line.glyphs.start, line.glyphs.end);
        let runs = paragraph.runs(line);
        let visible: f64 = (line.glyphs.start..end)
            .map(|at| paragraph.advance(line, at))
            .sum();
        assert!((visible - 18.0).abs() < 1e-3 && runs[0].x == 0.0);
    }
    assert!(last.stretch <= 0.0 && last.width <= 18.0);
}

#[test]
fn words_are_parted_on_demand() {
    let check = |language: &str, text: &str, expect: &str| {
        let paragraph = shape_in(language, true, text).unwrap();
        let mut parted = paragraph.text.clone();
        for at in paragraph
            .breaks
            .iter()
            .rev()
            .filter(|at| at.kind == BreakKind::Hyphenated)
        {
            parted.insert(paragraph.glyphs[at.glyph].start as usize, '-');
        }
        assert_eq!(parted, expect);
    };
    check("en", "a responsibility", "a re-spon-si-bil-ity");
    check("de-CH", "Verantwortung", "Ver-ant-wor-tung");
    check("pl", "odpowiedzialność", "od-po-wie-dzial-ność");
    check("uk", "відповідальність", "від-по-від-аль-ність");
    check("el", "υπευθυνότητα", "υπευ-θυ-νό-τητα");
    // Names and addresses are left alone, and languages without patterns.
    check("en", "Responsibility", "Responsibility");
    check(
        "en",
        "responsibility@example.com",
        "responsibility@example.com",
    );
    check("sw", "responsibility", "responsibility");

    let paragraph = shape_in("en", true, "nnn responsibility").unwrap();
    assert_eq!(broken(&paragraph, 7.4), ["nnn responsi-", "bility"]);
    let hyphen = break_lines(&paragraph, 7.4)[0].hyphen;
    assert!(hyphen > 0.2 && hyphen < 0.5);
    let paragraph = shape_in("en", false, "nnn responsibility").unwrap();
    assert_eq!(broken(&paragraph, 7.4), ["nnn ", "responsibility"]);
}

#[test]
fn chinese_and_japanese_keep_their_punctuation() {
    // No font has these letters here: where lines break does not depend on it.
    let broken = lines("実装を担当、設計。「改善」を", 5.0);
    for line in &broken {
        assert!(
            !line.starts_with(['、', '。', '」']) && !line.ends_with('「'),
            "{broken:?}"
        );
    }
}

proptest! {
    #[test]
    fn lines_hold_all_glyphs_within_the_width(
        text in "\\PC{0,80}",
        width in 3.0f64..30.0,
        hyphenate: bool,
        justify: bool,
    ) {
        if let Some(paragraph) = shape_in("en", hyphenate, &text) {
            let mut at = 0;
            let measure = Measure { justify, ..Measure::from(width) };
            for line in break_lines(&paragraph, measure) {
                prop_assert_eq!(line.glyphs.start, at);
                at = line.glyphs.end;
                let clusters: std::collections::BTreeSet<_> =
                    paragraph.glyphs[line.glyphs.clone()].iter().map(|glyph| glyph.start).collect();
                prop_assert!(line.width <= width + 1e-9 || clusters.len() == 1);
            }
            prop_assert_eq!(at, paragraph.glyphs.len());
        }
    }
}
