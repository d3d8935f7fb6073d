//! Whole documents through the public interface, read back by another library.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::sync::OnceLock;
use std::thread;

use proptest::prelude::*;
use render::blocks::{Block, Document, Entry, Footer, Image, Masthead, Run, Section, Text};
use render::{
    Attachment, Created, Engine, Error, Options, Pages, Paper, PhotoFault, Rendered, Theme, Warning,
};
use serde_json::Value;

mod support;

use support::reader::{Element, Reader};

const CREATED: Created = Created {
    year: 2026,
    month: 11,
    day: 20,
    hour: 12,
    minute: 30,
    second: 5,
};
const SAMPLE: &str = include_str!("data/sample_cv.json");

fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| Engine::new().unwrap())
}

fn options() -> Options {
    Options {
        created: Some(CREATED),
        producer: Some("Test".into()),
        ..Options::default()
    }
}

fn render(document: &Document, options: &Options) -> Rendered {
    engine().render(document, options).unwrap()
}

fn document(body: Vec<Block>) -> Document {
    Document {
        title: "Test".into(),
        language: "en".into(),
        body,
        ..Document::default()
    }
}

fn paragraph(text: impl Into<Text>) -> Document {
    document(vec![Block::Paragraph(text.into())])
}

fn with_photo(data: &[u8]) -> Document {
    let photo = Some(Image {
        data: data.into(),
        alt: "A portrait".into(),
    });
    document(vec![Block::Masthead(Masthead {
        title: "Name".into(),
        photo,
        ..Masthead::default()
    })])
}

/// The sample CV, two pages with a photo.
fn sample() -> Document {
    let mut document = support::cv::document(&serde_json::from_str(SAMPLE).unwrap());
    if let Some(Block::Masthead(masthead)) = document.body.first_mut() {
        let data = support::portrait::jpeg(600, 800).into();
        masthead.photo = Some(Image {
            data,
            alt: "A portrait of nobody".into(),
        });
    }
    document
}

fn sample_options() -> Options {
    let attachments = vec![
        Attachment {
            name: "cv.json".into(),
            mime: "application/json".into(),
            description: "The CV as data".into(),
            data: SAMPLE.into(),
        },
        Attachment {
            name: "empty.txt".into(),
            mime: "text/plain".into(),
            description: "Nothing".into(),
            data: Vec::new(),
        },
    ];
    Options {
        attachments,
        page_target: Pages::Fixed(2),
        ..options()
    }
}

/// All strings of a JSON document that are shown, in order.
fn strings(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::String(text) => out.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| strings(item, out)),
        Value::Object(fields) => fields.values().for_each(|field| strings(field, out)),
        _ => {}
    }
}

#[test]
fn the_sample_takes_two_pages_and_all_its_text_is_there() {
    let rendered = render(&sample(), &sample_options());
    assert_eq!((rendered.pages, rendered.warnings), (2, vec![]));
    let reader = Reader::new(&rendered.pdf);
    assert_eq!(reader.pages(), 2);
    let text = reader.text();
    let mut cv: Value = serde_json::from_str(SAMPLE).unwrap();
    let fields = cv.as_object_mut().unwrap();
    // What is shown in another form.
    for field in [
        "portrait",
        "language",
        "links",
        "address_lines",
        "languages",
    ] {
        fields.remove(field);
    }
    let mut expected = Vec::new();
    strings(&cv, &mut expected);
    for string in expected {
        let string = string.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(&string), "`{string}` is missing in: {text}");
    }
    let order = [
        "Helena",
        "Profile",
        "Work experience",
        "Head of Network",
        "2020-04",
        "Seeblick",
        "Lead 18",
        "Education",
    ];
    let places: Vec<_> = order.iter().map(|part| text.find(part).unwrap()).collect();
    assert!(places.is_sorted(), "{places:?}");
}

#[test]
fn the_sample_is_tagged_titled_and_carries_its_source() {
    let rendered = render(&sample(), &sample_options());
    let reader = Reader::new(&rendered.pdf);
    assert_eq!(
        reader.catalog().get(b"Lang").unwrap().as_str().unwrap(),
        b"en"
    );
    assert_eq!(
        reader.info("Title").as_deref(),
        Some("Helena Brandt-Kowalska – CV")
    );
    assert_eq!(
        reader.info("Author").as_deref(),
        Some("Helena Brandt-Kowalska")
    );
    assert_eq!(
        reader.info("CreationDate").as_deref(),
        Some("D:20261120123005Z")
    );
    let xmp = reader.xmp();
    for claim in [
        "<pdfaid:part>3<",
        "<pdfaid:conformance>A<",
        "<pdfuaid:part>1<",
    ] {
        assert!(xmp.contains(claim), "{claim} is missing in {xmp}");
    }
    let attachments = reader.attachments();
    assert_eq!(
        attachments,
        [
            ("cv.json".into(), SAMPLE.into()),
            ("empty.txt".into(), vec![])
        ]
    );
    assert_eq!(
        reader.outline()[..3],
        ["Profile", "Work experience", "Education"]
    );
    assert_eq!(
        reader.links()[..3],
        [
            "tel:+41445550142",
            "mailto:helena.brandt@example.com",
            "https://www.example.com/in/helena-brandt"
        ]
    );
}

#[test]
fn the_structure_of_the_sample_is_sound() {
    let rendered = render(&sample(), &sample_options());
    let structure = Reader::new(&rendered.pdf).structure();
    let elements: Vec<&Element> = structure.iter().flat_map(Element::all).collect();
    let count = |role: &str| {
        elements
            .iter()
            .filter(|element| element.role == role)
            .count()
    };
    assert_eq!(count("H1"), 1);
    assert_eq!(count("H2"), 10);
    assert_eq!(count("H3"), 8);
    assert_eq!(count("L"), 9);
    assert_eq!(count("LI"), count("Lbl"));
    assert_eq!(count("LI"), count("LBody"));
    assert_eq!(count("Link"), 4);
    let mut level = 0;
    for heading in elements
        .iter()
        .filter(|element| element.role.starts_with('H'))
    {
        let next: usize = heading.role[1..].parse().unwrap();
        assert!(
            next <= level + 1,
            "a level is skipped before {}",
            heading.role
        );
        level = next;
    }
    let figures: Vec<_> = elements
        .iter()
        .filter(|element| element.role == "Figure")
        .collect();
    assert_eq!(figures.len(), 1);
    assert_eq!(figures[0].alt.as_deref(), Some("A portrait of nobody"));
    for element in &elements {
        assert!(
            element.content + element.children.len() > 0,
            "{} is empty",
            element.role
        );
    }
}

#[test]
fn the_same_input_gives_the_same_bytes_on_every_thread() {
    let first = Engine::new()
        .unwrap()
        .render(&sample(), &sample_options())
        .unwrap();
    let others: Vec<_> = (0..2)
        .map(|_| thread::spawn(|| render(&sample(), &sample_options())))
        .collect();
    for other in others {
        assert!(other.join().unwrap() == first);
    }
    let later = Options {
        created: Some(Created {
            second: 6,
            ..CREATED
        }),
        ..sample_options()
    };
    assert!(render(&sample(), &later).pdf != first.pdf);
}

#[test]
fn without_a_time_the_document_claims_accessibility_alone() {
    let rendered = render(
        &paragraph("x"),
        &Options {
            created: None,
            ..sample_options()
        },
    );
    let reader = Reader::new(&rendered.pdf);
    let xmp = reader.xmp();
    assert!(
        xmp.contains("pdfuaid:part") && !xmp.contains("pdfaid:part"),
        "{xmp}"
    );
    assert_eq!(reader.info("CreationDate"), None);
}

#[test]
fn missing_glyphs_are_drawn_and_reported() {
    let rendered = render(&paragraph("a高b\u{E000}"), &options());
    assert_eq!(
        rendered.warnings,
        [
            Warning::MissingGlyph { char: '高' },
            Warning::MissingGlyph { char: '\u{E000}' }
        ]
    );
    assert_eq!(rendered.warnings[0].to_string(), "no font has U+9AD8");
    let text: String = ('一'..).take(100).collect();
    let rendered = render(&paragraph(text), &options());
    assert_eq!(rendered.warnings.len(), 21);
    assert_eq!(
        rendered.warnings[20],
        Warning::MoreMissingGlyphs { count: 80 }
    );
}

#[test]
fn oddities_in_the_text_are_left_out_and_reported() {
    let rendered = render(&paragraph("safe\u{202E}txt.exe\u{0}\u{7}"), &options());
    assert_eq!(rendered.warnings, [Warning::CharactersRemoved { count: 3 }]);
    assert_eq!(Reader::new(&rendered.pdf).text(), "safetxt.exe");
    let rendered = render(
        &paragraph(Run::new("click").link("javascript:alert(1)")),
        &options(),
    );
    assert_eq!(rendered.warnings, [Warning::LinkDropped]);
    assert!(Reader::new(&rendered.pdf).links().is_empty());
}

#[test]
fn small_capitals_read_as_they_were_written() {
    let section = Section {
        title: "Doświadczenie ß".into(),
        blocks: vec![Block::Paragraph("x".into())],
        ..Section::default()
    };
    let rendered = render(&document(vec![Block::Section(section)]), &options());
    assert_eq!(Reader::new(&rendered.pdf).text(), "Doświadczenie ß x");
}

#[test]
fn unusable_photos_are_a_warning() {
    let good = support::portrait::jpeg(300, 400);
    assert_eq!(render(&with_photo(&good), &options()).warnings, []);
    let check = |data: &[u8], reason| {
        let rendered = render(&with_photo(data), &options());
        assert_eq!(rendered.warnings, [Warning::PhotoDropped { reason }]);
        assert_eq!(rendered.pages, 1);
    };
    check(b"", PhotoFault::Unsupported);
    check(b"<svg/>", PhotoFault::Unsupported);
    check(&good[..100], PhotoFault::Broken);
    check(&good[..good.len() / 2], PhotoFault::Broken);
    let large = support::portrait::jpeg(900, 1200);
    check(&large[..large.len() * 9 / 10], PhotoFault::Broken);
    check(b"\x89PNG\r\n\x1A\n\0\0\0\rIHDR", PhotoFault::Broken);
}

#[test]
fn photos_bring_nothing_but_their_pixels() {
    let contains = |bytes: &[u8], secret: &[u8]| bytes.windows(secret.len()).any(|b| b == secret);
    let check = |width, height, kept| {
        let good = support::portrait::jpeg(width, height);
        // A comment, EXIF with a place, and something behind the end.
        let (start, pixels) = good.split_at(2);
        let exif = b"\xFF\xE1\0\x17Exif\0\0II\x2A\0SECRET-GPS-";
        let marked = [start, exif, b"\xFF\xFE\0\x10SECRET-COMMENT", pixels].concat();
        let trailed = [marked.as_slice(), b"SECRET-TRAILER"].concat();
        // The last bytes of the scan are in the PDF just if the picture was not encoded again.
        let scan = &good[good.len() - 40..];
        for (file, kept) in [(&good, kept), (&marked, kept), (&trailed, false)] {
            let rendered = render(&with_photo(file), &options());
            assert_eq!(rendered.warnings, []);
            assert!(!contains(&rendered.pdf, b"SECRET"));
            assert_eq!(contains(&rendered.pdf, scan), kept, "{width} by {height}");
        }
    };
    check(240, 320, true);
    check(100, 20, true);
    // Too heavy, too large.
    check(420, 525, false);
    check(600, 800, false);
    check(700, 525, false);
}

#[test]
fn long_words_leave_no_text_behind() {
    let url = format!("https://example.com/{}", "path/".repeat(200));
    let rendered = render(
        &paragraph(Run::new(url.as_str()).link(url.as_str())),
        &options(),
    );
    let reader = Reader::new(&rendered.pdf);
    assert_eq!(reader.text().replace(' ', ""), url);
    // One area for each line, one element for the link.
    assert!(reader.links().len() > 5);
    let structure = reader.structure();
    assert_eq!(
        structure
            .iter()
            .flat_map(Element::all)
            .filter(|element| element.role == "Link")
            .count(),
        1
    );
}

#[test]
fn the_footer_counts_pages_and_spares_single_ones() {
    let mut long = document((0..60).map(|_| Block::Paragraph("line".into())).collect());
    long.footer = Some(Footer {
        running: "Running Name".into(),
        page: "Page {page} of {pages}".into(),
    });
    let text = Reader::new(&render(&long, &options()).pdf).text();
    assert!(
        text.contains("Page 1 of 2") && text.contains("Page 2 of 2"),
        "{text}"
    );
    assert_eq!(text.matches("Running Name").count(), 1);
    long.body.truncate(3);
    assert_eq!(
        Reader::new(&render(&long, &options()).pdf).text(),
        "line line line"
    );
}

#[test]
fn documents_without_title_or_language_are_refused() {
    let check = |change: fn(&mut Document), expect: Error| {
        let mut document = paragraph("x");
        change(&mut document);
        assert_eq!(engine().render(&document, &options()), Err(expect));
    };
    check(|document| document.title = " \u{0}".into(), Error::NoTitle);
    check(
        |document| document.language = "e n".into(),
        Error::Language("e n".into()),
    );
}

#[test]
fn options_that_make_no_sense_are_refused() {
    let check = |change: fn(&mut Options), expect: &str| {
        let mut options = sample_options();
        change(&mut options);
        assert_eq!(
            engine()
                .render(&paragraph("x"), &options)
                .unwrap_err()
                .to_string(),
            expect
        );
    };
    check(
        |o| o.page_target = Pages::Fixed(0),
        "a page target of 0; use 1 to 4, or no target",
    );
    check(
        |o| o.page_target = Pages::Fixed(5),
        "a page target of 5; use 1 to 4, or no target",
    );
    check(
        |o| o.attachments[1].name = "cv.json".into(),
        "attachment 1: its name is taken by another attachment",
    );
    check(
        |o| o.attachments[0].name = "../x".into(),
        "attachment 0: its name must have 1 to 200 characters, without slashes",
    );
    check(
        |o| o.attachments[0].mime = "json".into(),
        "attachment 0: its media type is not of the form `type/subtype`",
    );
    check(
        |o| {
            o.theme = Theme::from_toml(
                "[page]\nsize = [400, 400]\nmargins = { top = 10, end = 100, bottom = 10, start = 100 }",
            )
            .unwrap();
            o.paper = Some(Paper::A4);
        },
        "the theme's `page.margins`: 10.0 mm are left of width for text; it must be at least 60.0 mm",
    );
}

#[test]
fn unknown_fonts_are_refused_with_those_that_there_are() {
    let theme = Theme::from_toml("fonts.name = \"Comic\"").unwrap();
    let options = Options { theme, ..options() };
    let error = engine()
        .render(&paragraph("x"), &options)
        .unwrap_err()
        .to_string();
    let expect = "the theme's `fonts.name`: there is no font family `Comic`; there are Noto Sans, ";
    assert!(error.starts_with(expect), "{error}");
}

#[test]
fn papers_change_the_page_and_nothing_else() {
    for (paper, width, height) in [(Paper::A4, 595, 842), (Paper::Letter, 612, 792)] {
        for theme in Theme::all() {
            let options = Options {
                paper: Some(paper),
                theme,
                ..options()
            };
            let rendered = render(&sample(), &options);
            assert_eq!(rendered.warnings, []);
            assert_eq!(Reader::new(&rendered.pdf).page_size(), (width, height));
        }
    }
}

#[test]
fn what_is_too_large_is_refused_at_once() {
    let check = |document: &Document, expect| {
        assert_eq!(engine().render(document, &options()), Err(expect));
    };
    let bytes = 5 << 20;
    check(
        &paragraph("x".repeat(bytes)),
        Error::TooMuchText {
            bytes,
            limit: 1_000_000,
        },
    );
    check(
        &paragraph("word ".repeat(190_000)),
        Error::TooManyPages { limit: 200 },
    );
    check(
        &document(vec![Block::List(vec!["x".into(); 20_001].into())]),
        Error::TooManyBlocks { limit: 20_000 },
    );
    let nested = (0..9).fold(Block::Paragraph("x".into()), |block, _| {
        Block::Entry(Entry {
            body: vec![block],
            ..Entry::default()
        })
    });
    check(&document(vec![nested]), Error::TooDeep { limit: 8 });
}

#[test]
fn an_empty_document_is_a_page() {
    let rendered = render(&document(vec![]), &options());
    assert_eq!((rendered.pages, rendered.warnings), (1, vec![]));
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "\\PC{0,200}",
        "[ -~\u{300}-\u{310}\u{200B}-\u{202E}\n]{0,80}"
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_text_is_too_strange(
        texts in prop::collection::vec(any_text(), 6),
        link in any_text(),
        photo in prop::collection::vec(any::<u8>(), 0..64),
        target in 1u8..=4,
    ) {
        let [name, title, date, place, item, footer] = &texts[..] else { unreachable!() };
        let mut document = with_photo(&photo);
        document.title = format!("T{name}");
        document.author = Some(name.clone());
        document.footer = Some(Footer { running: footer.clone(), page: footer.clone() });
        document.body.push(Block::Section(Section {
            title: title.as_str().into(),
            blocks: vec![
                Block::Entry(Entry {
                    date: date.as_str().into(),
                    title: Run::new(title.as_str()).italic().link(link).into(),
                    subtitle: place.as_str().into(),
                    body: vec![Block::List(vec![item.as_str().into(); 30].into())],
                    ..Entry::default()
                }),
            ],
            ..Section::default()
        }));
        let options = Options { page_target: Pages::Fixed(target), ..sample_options() };
        let rendered = engine().render(&document, &options);
        prop_assert!(rendered.is_ok(), "{:?}", rendered.err());
    }
}
