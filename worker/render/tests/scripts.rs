//! Text of all scripts, and hostile text: what is on the page is in its text, in the order that people read it.
//!
//! `pdftotext` (package poppler-utils) must be installed, and for Chinese, Japanese and Korean the fonts of the
//! package fonts-noto-cjk; `infra/test.sh` installs both.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};

use proptest::prelude::*;
use render::blocks::{Block, Document, Entry, Run, Text};
use render::{Engine, Error, Options, Rendered, Theme, Warning};
use unicode_normalization::UnicodeNormalization as _;

mod support;

use support::reader::Reader;

fn document(language: &str, paragraphs: &[&str]) -> Document {
    Document {
        title: "Test".to_owned(),
        language: language.to_owned(),
        body: paragraphs
            .iter()
            .map(|&text| Block::Paragraph(text.into()))
            .collect(),
        ..Document::default()
    }
}

fn render(engine: &Engine, language: &str, paragraphs: &[&str]) -> Rendered {
    engine
        .render(&document(language, paragraphs), &Options::default())
        .unwrap()
}

/// The text of a PDF, without the marks of direction that its reader adds.
fn extract(pdf: &[u8]) -> String {
    let mut program = Command::new("pdftotext")
        .args(["-", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("pdftotext is installed (package poppler-utils)");
    program.stdin.take().unwrap().write_all(pdf).unwrap();
    let output = program.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let is_mark = |c: char| matches!(c, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}');
    let text: String = text.chars().filter(|&c| !is_mark(c)).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn text_from_right_to_left_reads_in_its_own_order() {
    let engine = Engine::new().unwrap();
    let check = |language: &str, paragraphs: &[&str]| {
        let rendered = render(&engine, language, paragraphs);
        assert_eq!(rendered.warnings, []);
        let text = extract(&rendered.pdf);
        for paragraph in paragraphs {
            assert!(text.contains(paragraph), "{paragraph:?} is not in {text:?}");
        }
    };
    check(
        "ar",
        &[
            "مهندسة برمجيات أولى في شركة Przesyłka Sp. z o.o. منذ عام 2022، وأعمل بلغة Rust وGo وC++",
            "راجعوا https://example.com/leila/ أو البريد leila@example.com للتواصل.",
            "هاتف: +48 600 100 200 أو (022) 555-01-73",
            "محمد (\"القائد\") قال: نعم! 50% من المشاريع [مكتملة].",
            "لا إله إلا الله — السلام عليكم ورحمة الله وبركاته، الإتاحة ليلى",
            "عملت سابقًا وحاليًّا مُدرِّسًا",
            "مارس 2019 – يونيو 2022",
            "2019 – 2022",
            "٢٠١٩ – ٢٠٢٢",
            "Senior Software Engineer, Example Inc.",
        ],
    );
    check(
        "he",
        &[
            "מהנדסת תוכנה בכירה בחברת Przesyłka משנת 2022, כותבת ב-Rust וב-Go; ראו",
            "טלפון: +972 3 555 0173",
            "שָׁלוֹם עֲלֵיכֶם",
            "בנתה מערכת תורים (Kafka, RabbitMQ) שמטפלת ב-2,500 הודעות בשנייה.",
            "C++ (10 שנים), .NET, C#",
            "2019 – 2022",
        ],
    );
    check("fa", &["می\u{200C}خواهم در تهران کار کنم", "۱۳۹۸ تا ۱۴۰۱"]);
    check("ur", &["میں ایک سافٹ ویئر انجینئر ہوں"]);
    // Right to left within left to right.
    check(
        "en",
        &[
            "In the office they know that her name is נועה לוי and his is محمد علي.",
            "שלום",
        ],
    );
}

#[test]
fn marks_and_ligatures_read_as_letters() {
    let engine = Engine::new().unwrap();
    let text = "office offline fjord Ångström x\u{336}\u{30A} Việt Nam Ὁ Σωκράτης ἔφη їжак ґанок Größe STRAẞE";
    let rendered = render(&engine, "en", &[text]);
    assert_eq!(rendered.warnings, []);
    assert_eq!(extract(&rendered.pdf), text);
}

#[test]
fn parted_words_and_stretched_lines_read_whole() {
    let engine = Engine::new().unwrap();
    // So narrow that words have to be parted.
    let zurich = include_str!("../themes/zurich.toml").replace("\"a4\"", "[135, 280]");
    let zurich = zurich.as_str();
    let parting = zurich.replace("hyphenate = false", "hyphenate = true");
    let both = parting.replace("justify = false", "justify = true");
    let text = "Responsible for the reimplementation of internationally distributed infrastructure, including \
                the interdisciplinary coordination of approximately seventeen extraordinarily heterogeneous \
                organisations throughout the transformation of their telecommunications departments.";
    let mut pages = Vec::new();
    for theme in [zurich, &parting, &both] {
        let options = Options {
            theme: Theme::from_toml(theme).unwrap(),
            ..Options::default()
        };
        let entry = Entry {
            title: "Engineer".into(),
            date: "2020".into(),
            body: vec![Block::Paragraph(text.into())],
            ..Entry::default()
        };
        let mut document = document("en", &[]);
        document.body = vec![Block::Entry(entry)];
        let rendered = engine.render(&document, &options).unwrap();
        // A soft hyphen tells where a word was parted (ISO 32000-1, 14.8.2.2.3).
        let found = extract(&rendered.pdf).replace("\u{AD} ", "");
        assert!(found.contains(text), "{found}");
        pages.push(rendered.pdf);
    }
    assert!(pages[0] != pages[1] && pages[1] != pages[2]);
}

#[test]
fn tricks_with_direction_are_undone() {
    let engine = Engine::new().unwrap();
    let rendered = render(
        &engine,
        "en",
        &["invoice\u{202E}fdp.exe \u{2066}a\u{2069} b\u{0}\u{7F}c"],
    );
    assert_eq!(rendered.warnings, [Warning::CharactersRemoved { count: 5 }]);
    assert_eq!(extract(&rendered.pdf), "invoicefdp.exe a bc");
}

#[test]
fn what_no_font_has_is_shown_and_told() {
    let engine = Engine::new().unwrap();
    let rendered = render(&engine, "en", &["before 高 between 🧞 after"]);
    let missing = ['高', '🧞'].map(|char| Warning::MissingGlyph { char });
    assert_eq!(rendered.warnings, missing);
    assert_eq!(extract(&rendered.pdf), "before 高 between 🧞 after");
}

/// With the fonts of the Debian package.
fn chinese() -> Engine {
    let files = ["NotoSansCJK-Regular.ttc", "NotoSansCJK-Bold.ttc"].map(|name| {
        let path = format!("/usr/share/fonts/opentype/noto/{name}");
        let data = std::fs::read(&path);
        let data = data.unwrap_or_else(|error| {
            panic!("{path}: {error}; run `apt-get install fonts-noto-cjk`, or infra/test.sh, which does")
        });
        (name.to_owned(), data)
    });
    Engine::with_fonts(files).unwrap()
}

#[test]
fn added_fonts_draw_chinese_japanese_and_korean() {
    let engine = chinese();
    for (language, text) in [
        (
            "ja",
            "直骨令 車載カメラ用ファームウェアの設計・実装「小さく作って」",
        ),
        ("zh-Hans", "直骨令 高级后端工程师，负责“分布式”系统。"),
        ("zh-Hant", "直骨令 高級後端工程師，負責「分散式」系統。"),
        ("ko", "直骨令 수석 백엔드 엔지니어입니다."),
        (
            "en",
            "直骨令 架空電子工業株式会社 见本科技 예시소프트 주식회사",
        ),
    ] {
        let rendered = render(&engine, language, &[text]);
        assert_eq!(rendered.warnings, [], "{language}");
        assert_eq!(extract(&rendered.pdf), text, "{language}");
    }
    // Each region has its own form of the first three characters.
    for (language, family) in [
        ("ja", "JP"),
        ("zh-Hans", "SC"),
        ("zh-TW", "TC"),
        ("ko", "KR"),
    ] {
        let pdf = render(&engine, language, &["直"]).pdf;
        let fonts = Reader::new(&pdf).fonts();
        let name = format!("NotoSansCJK{family}-Regular").to_lowercase();
        let found = fonts.iter().any(|font| font.to_lowercase().contains(&name));
        assert!(found, "{language}: {fonts:?}");
    }
}

#[test]
fn families_are_known_by_name() {
    let engine = Engine::new().unwrap();
    let names: Vec<&str> = engine.font_families().collect();
    assert_eq!(names[..2], ["Noto Sans", "Noto Serif"]);
}

#[test]
fn bad_font_files_are_named() {
    let error = Engine::with_fonts([("web.woff2".to_owned(), b"wOF2".to_vec())])
        .err()
        .unwrap();
    assert!(matches!(error, Error::FontFile { .. }));
    assert_eq!(
        error.to_string(),
        "the font file web.woff2: it is a web font; convert it to .ttf or .otf"
    );
}

#[test]
fn long_texts_without_a_space_are_set() {
    let engine = Engine::new().unwrap();
    for unit in [
        "x",
        "漢",
        "ا",
        "\u{301}a",
        "a-",
        "/",
        "👍🏽",
        "\u{5D0}\u{5B8}",
    ] {
        let text = unit.repeat(60_000 / unit.len());
        let rendered = engine.render(&document("en", &[&text]), &Options::default());
        assert!(rendered.is_ok(), "{unit:?}: {:?}", rendered.err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 48,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Any text gives a page, the same each time, and each of its characters is drawn, told of, or was never
    /// to be seen.
    #[test]
    fn any_text_gives_a_page(
        runs in prop::collection::vec((hostile(), any::<bool>(), any::<bool>()), 1..5),
        language in prop::sample::select(vec!["en", "ar", "he", "ja", "pl"]),
    ) {
        let engine = Engine::new().unwrap();
        let text = Text(runs.iter().map(|(text, bold, italic)| {
            let mut run = Run::new(text.clone());
            run.style.bold = *bold;
            run.style.italic = *italic;
            run
        }).collect());
        let mut document = document(language, &[]);
        document.body.push(Block::Paragraph(text));
        let options = Options::default();
        let first = engine.render(&document, &options).unwrap();
        prop_assert_eq!(&first, &engine.render(&document, &options).unwrap());

        let given: String = runs.iter().map(|(text, ..)| text.as_str()).collect();
        let (mut lost, removed) = (characters(&given), removed(&first.warnings));
        for (char, count) in characters(&Reader::new(&first.pdf).content()) {
            lost.entry(char).and_modify(|left| *left = left.saturating_sub(count));
        }
        lost.retain(|_, left| *left > 0);
        prop_assert!(lost.values().sum::<usize>() <= removed, "{:?}, {removed} told of", lost);
    }
}

/// How often a text has each character that has an appearance, however it is composed. What nobody may read
/// out of an archived document stands as a replacement.
fn characters(text: &str) -> BTreeMap<char, usize> {
    let mut counts = BTreeMap::new();
    for char in text.nfkd().filter(|char| !has_no_appearance(*char)) {
        let private = matches!(u32::from(char), 0xE000..=0xF8FF | 0xF_0000..=0x10_FFFF);
        let char = if private {
            char::REPLACEMENT_CHARACTER
        } else {
            char
        };
        *counts.entry(char).or_default() += 1;
    }
    counts
}

/// White space, joiners, selectors and marks of direction: left out where they do nothing
/// (`Default_Ignorable_Code_Point` of Unicode, less what orders text).
fn has_no_appearance(char: char) -> bool {
    char.is_whitespace()
        || matches!(char, '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}'..='\u{1160}' | '\u{17B4}'..='\u{17B5}')
        || matches!(char, '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{2060}'..='\u{2064}')
        || matches!(
            char,
            '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}'
        )
        || matches!(char, '\u{E0000}'..='\u{E0FFF}')
}

fn removed(warnings: &[Warning]) -> usize {
    let counts = warnings.iter().map(|warning| match warning {
        Warning::CharactersRemoved { count } => *count,
        _ => 0,
    });
    counts.sum()
}

fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "\\PC{0,40}",
        "[\u{590}-\u{6FF}a-z0-9 .,:()+\u{200B}-\u{200F}\u{202A}-\u{202E}\u{2066}-\u{2069}]{0,60}",
        "[\u{300}-\u{36F}\u{610}-\u{61A}ab\u{5D0}\u{628}]{0,60}",
        "[\u{1F3FB}-\u{1F3FF}\u{1F466}-\u{1F469}\u{1F1E6}-\u{1F1FF}\u{200D}\u{FE0F}👍💻]{0,30}",
        "[\u{FB50}-\u{FDFF}\u{FE70}-\u{FEFF}]{0,30}",
    ]
}
