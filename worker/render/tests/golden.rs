//! What documents are, in text that can be read and compared: every theme in English and Arabic, a letter and
//! a report. `BLESS=1 cargo test -p render --test golden` writes the files anew.
//!
//! `tests/golden/NAME.txt` holds pages, report and structure with the text of each element;
//! `tests/golden/bytes.txt` the length and hash of each file.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;

use render::blocks::{Block, Image};
use render::{Attachment, Created, Document, Engine, Options, Pages, Rendered, Theme};

mod support;

use support::reader::Reader;

const SAMPLE: &str = include_str!("data/sample_cv.json");
const ARABIC: &str = include_str!("data/sample_cv_ar.json");

fn cv(json: &str) -> Document {
    let mut document = support::cv::document(&serde_json::from_str(json).unwrap());
    if let Some(Block::Masthead(masthead)) = document.body.first_mut() {
        masthead.photo = Some(Image {
            data: support::portrait::jpeg(420, 525).into(),
            alt: "A portrait of nobody".into(),
        });
    }
    document
}

fn documents() -> Vec<(String, Document, Theme)> {
    let mut all = Vec::new();
    for theme in Theme::all() {
        all.push((format!("{}-en", theme.name()), cv(SAMPLE), theme.clone()));
        all.push((format!("{}-ar", theme.name()), cv(ARABIC), theme));
    }
    let report = support::papers::report(support::portrait::jpeg(320, 200));
    all.push(("letter".into(), support::papers::letter(), Theme::zurich()));
    all.push(("report".into(), report, Theme::named("academic").unwrap()));
    all
}

fn render(engine: &Engine, document: &Document, theme: Theme) -> Rendered {
    let options = Options {
        theme,
        page_target: Pages::Fixed(2),
        created: Some(Created {
            year: 2026,
            month: 1,
            day: 31,
            hour: 12,
            minute: 0,
            second: 0,
        }),
        attachments: vec![Attachment {
            name: "source.txt".into(),
            mime: "text/plain".into(),
            description: "The source".into(),
            data: b"source".to_vec(),
        }],
        ..Options::default()
    };
    engine.render(document, &options).unwrap()
}

fn describe(rendered: &Rendered) -> String {
    let reader = Reader::new(&rendered.pdf);
    let report = &rendered.report;
    let mut out = String::new();
    writeln!(out, "pages: {}", rendered.pages).unwrap();
    writeln!(out, "free: {:.0} mm", report.free_mm).unwrap();
    for step in &report.steps {
        writeln!(out, "step: {step:?}").unwrap();
    }
    for found in &report.breaks {
        writeln!(out, "break: {found:?}").unwrap();
    }
    for warning in &rendered.warnings {
        writeln!(out, "warning: {warning}").unwrap();
    }
    writeln!(out, "outline: {}", reader.outline().join(" | ")).unwrap();
    for element in reader.structure() {
        element.print(0, &mut out);
    }
    out
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// Whether the files are to be written.
fn blessing() -> bool {
    // The one switch of these tests.
    let bless = std::env::var_os("BLESS");
    bless.is_some()
}

fn check(name: &str, text: &str) -> Result<(), String> {
    let path = folder().join(name);
    if blessing() {
        std::fs::create_dir_all(folder()).unwrap();
        std::fs::write(path, text).unwrap();
        return Ok(());
    }
    let expect = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = |(own, other): (&str, &str)| own != other;
    let mut lines = text.lines().zip(expect.lines()).enumerate();
    match lines.find(|(_, pair)| differs(*pair)) {
        Some((line, (own, other))) => {
            Err(format!("{name}:{}\n  is  {own}\n  was {other}", line + 1))
        }
        None if text.len() == expect.len() => Ok(()),
        None => Err(format!(
            "{name} has {} bytes, and had {}",
            text.len(),
            expect.len()
        )),
    }
}

#[test]
fn documents_are_what_they_were() {
    let engine = Engine::new().unwrap();
    let mut faults = Vec::new();
    let mut bytes = String::new();
    let mut names = BTreeSet::from(["bytes.txt".to_owned()]);
    for (name, document, theme) in documents() {
        let rendered = render(&engine, &document, theme);
        writeln!(
            bytes,
            "{name} {} {:016x}",
            rendered.pdf.len(),
            hash(&rendered.pdf)
        )
        .unwrap();
        let file = format!("{name}.txt");
        faults.extend(check(&file, &describe(&rendered)).err());
        names.insert(file);
    }
    faults.extend(check("bytes.txt", &bytes).err());
    let files = std::fs::read_dir(folder()).unwrap();
    let files: BTreeSet<_> = files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(
        files, names,
        "files that nothing refers to, or missing ones"
    );
    assert!(
        faults.is_empty(),
        "{}\nIf this is meant, run it once with BLESS=1 and read the difference.",
        faults.join("\n")
    );
}

/// FNV-1a with 64 bits: enough to tell a file from itself.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[test]
fn structures_are_sound() {
    let engine = Engine::new().unwrap();
    for (name, document, theme) in documents() {
        let rendered = render(&engine, &document, theme);
        let reader = Reader::new(&rendered.pdf);
        let language = reader.catalog().get(b"Lang").unwrap().as_str().unwrap();
        assert_eq!(language, document.language.as_bytes(), "{name}");
        assert!(
            reader.marked().values().all(|marked| !marked.loose),
            "{name}: text without a mark"
        );
        let structure = reader.structure();
        let elements: Vec<_> = structure.iter().flat_map(|element| element.all()).collect();
        let count = |role: &str| {
            elements
                .iter()
                .filter(|element| element.role == role)
                .count()
        };
        assert_eq!(count("H1"), 1, "{name}");
        let mut level = 0;
        for heading in elements
            .iter()
            .filter(|element| element.role.starts_with('H'))
        {
            let next: usize = heading.role[1..].parse().unwrap();
            assert!(
                next <= level + 1,
                "{name}: a level is skipped before {}",
                heading.role
            );
            level = next;
        }
        for element in &elements {
            let empty = element.content == 0 && element.children.is_empty();
            assert!(
                !empty || ["TD", "TH"].contains(&element.role.as_str()),
                "{name}: {}",
                element.role
            );
            let below = |allowed: &[&str]| {
                let stray = element
                    .children
                    .iter()
                    .find(|child| !allowed.contains(&child.role.as_str()));
                assert!(stray.is_none(), "{name}: {stray:?} in {}", element.role);
            };
            match element.role.as_str() {
                "L" => below(&["LI"]),
                "LI" => below(&["Lbl", "LBody"]),
                "Table" => below(&["THead", "TBody"]),
                "THead" | "TBody" => below(&["TR"]),
                "TR" => below(&["TH", "TD"]),
                "Figure" => assert!(element.alt.is_some(), "{name}"),
                // Its text, and its annotation.
                "Link" => assert!(element.content > 1 && !element.text.is_empty(), "{name}"),
                _ => {}
            }
        }
        assert_eq!(
            reader.attachments(),
            [("source.txt".into(), b"source".to_vec())]
        );
    }
}
