//! The readers of foreign bytes, each with what it takes in its right mind.

#![expect(
    clippy::unwrap_used,
    reason = "what a sound input comes to is unwrapped; a panic is what these tests look for"
)]

use std::io::{Cursor, Read as _, Write as _};
use std::path::Path;

use render::blocks::{Block, Image, Masthead, Section};
use render::{Document, Engine, Options, Theme};
use schemas::cv;
use schemas::job::JobRequest;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::fuzz;

const CV_KEYS: &[&str] = &[
    "\"full_name\":",
    "\"work_experience\":",
    "\"bullets\":[",
    "\"education\":",
    "\"languages\":",
    "\"photo_url\":\"data:image/png;base64,",
    "\"date_range\":\"2020-01 – Present\"",
    "\"cv_data\":{",
];

#[test]
fn a_cv_as_json() {
    fuzz(
        "CV",
        &[cv::SAMPLE.into(), b"{}".to_vec()],
        CV_KEYS,
        |input| {
            let Ok(value) = serde_json::from_slice(input) else {
                return;
            };
            if let Ok(normalised) = cv::accept(&value, &cv::CheckOptions::default()) {
                let again = serde_json::to_value(&normalised.cv).unwrap();
                assert_eq!(cv::normalise(&again).unwrap().cv, normalised.cv);
            }
        },
    );
}

#[test]
fn a_job_request() {
    let request = br#"{"kind":"cv","input":{"cv":{}},"options":{"language":"de","pages":"auto","theme":"zurich"},"metadata":{"a":"b"}}"#;
    let words = [
        "\"options\":{",
        "\"outputs\":[",
        "\"job_posting\":\"",
        "\"force\":true",
    ];
    fuzz("job request", &[request.to_vec()], &words, |input| {
        if let Ok(request) = serde_json::from_slice::<JobRequest>(input) {
            let _ = request.faults();
        }
    });
}

#[test]
fn a_json_resume() {
    let sample = serde_json::from_str(cv::SAMPLE).unwrap();
    let resume = convert::json_resume::write(&cv::normalise(&sample).unwrap().cv);
    let words = [
        "\"basics\":{",
        "\"work\":[{",
        "\"startDate\":\"2020-01\"",
        "\"highlights\":[",
    ];
    let seed = serde_json::to_vec(&resume).unwrap();
    fuzz("JSON Resume", &[seed], &words, |input| {
        let Ok(value) = serde_json::from_slice(input) else {
            return;
        };
        if let Ok(read) = convert::json_resume::read(&value) {
            let written = convert::json_resume::write(&read.cv);
            let _ = convert::json_resume::read(&written);
            let _ = convert::html::write(&read.cv);
            let _ = convert::markdown::write(&read.cv);
        }
    });
}

#[test]
fn a_pdf_of_ours() {
    let engine = Engine::new().unwrap();
    let options = Options {
        attachments: vec![render::Attachment {
            name: "cv.json".to_owned(),
            mime: "application/json".to_owned(),
            description: "CV".to_owned(),
            data: br#"{"full_name":"Ida Morrow","email":"i@example.com"}"#.to_vec(),
        }],
        ..Options::default()
    };
    let pdf = engine.render(&document("Ida"), &options).unwrap().pdf;
    let words = [
        "/AF",
        "/EF<</F 1 0 R>>",
        "obj",
        "endobj",
        "stream",
        "/Length 9",
        "/Kids[1 0 R]",
    ];
    fuzz("PDF", &[pdf], &words, |input| {
        let _ = convert::pdf::read(input);
    });
}

/// The package itself, as it comes over the wire.
#[test]
fn a_word_package() {
    fuzz(
        "DOCX package",
        &docx(),
        &["PK\u{3}\u{4}", "word/document.xml"],
        |input| {
            let _ = convert::docx::read(input, &convert::Limits::default());
        },
    );
}

/// The XML in a sound package: what a check of the package's sums would hide.
#[test]
fn a_word_document() {
    let parts: Vec<_> = docx().iter().map(|package| part(package)).collect();
    let words = [
        "<w:p>",
        "</w:p>",
        "<w:tbl><w:tr><w:tc>",
        "<w:t>2019 – 2021</w:t>",
        "<w:tab/>",
        "<w:br/>",
        "<mc:AlternateContent>",
        "<w:sdt><w:sdtContent>",
        "<w:gridSpan w:val=\"9\"/>",
        "<!DOCTYPE x>",
        "&#x0;",
        "<w:numPr><w:numId w:val=\"1\"/></w:numPr>",
        "<w:sym w:char=\"F0B7\"/>",
        "<w:fldChar w:fldCharType=\"begin\"/>",
    ];
    fuzz("DOCX document", &parts, &words, |input| {
        let _ = convert::docx::read(&package(input), &convert::Limits::default());
    });
}

#[test]
fn plain_text() {
    let text = "Ida Morrow\nida@example.com, +44 1632 960001\n\nWork experience\n2019 – 2021 Setter, Press Ltd\n• Set 40 books\n\n\
                Education\n2018 Diploma, Trade School\n\nLanguages\nEnglish (native), German B2\n";
    let words = [
        "Education\n",
        "seit 03/2019 ",
        "heute",
        "• ",
        "\t",
        " | ",
        "Języki: ",
        "@",
        "+48 ",
    ];
    fuzz("plain text", &[text.into()], &words, |input| {
        let text = String::from_utf8_lossy(input);
        let _ = convert::text::read(&text, &convert::Limits::default());
    });
}

#[test]
fn a_theme() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../worker/render/themes");
    let themes = files(&folder, "toml");
    let words = [
        "[sizes]\n",
        "text = 1e30\n",
        "nan",
        "-1",
        "extends = \"zurich\"\n",
        "\"#fff\"",
    ];
    let engine = Engine::new().unwrap();
    fuzz("theme", &themes, &words, |input| {
        let Ok(text) = std::str::from_utf8(input) else {
            return;
        };
        if let Ok(theme) = Theme::from_toml(text) {
            let options = Options {
                theme,
                ..Options::default()
            };
            // A theme that is taken makes a page, unless it names a font that this engine lacks.
            match engine.render(&document("Ida"), &options) {
                Ok(_) => {}
                Err(render::Error::Theme { key, .. }) if key.starts_with("fonts.") => {}
                Err(error) => panic!("{error}"),
            }
        }
    });
}

#[test]
fn text_on_a_page() {
    let texts = [
        "Ida Morrow prints books in Łódź, Ελλάδα and Київ.",
        "خبرة في الطباعة 2019 مع Press Ltd",
        "ניסיון בדפוס 2019, print@example.com",
        "印刷の経験 한국어 简体 繁體",
        "e\u{301}\u{302}\u{303} 👩‍🏭 ﷽ \u{202e}abc\u{2066}",
    ];
    let seeds = texts.map(|text| text.as_bytes().to_vec());
    let words = [
        "\u{202e}", "\u{200d}", "\u{feff}", "\n", "\u{ad}", "ـ", "\u{301}", "🇬🇧", "ﷺ",
    ];
    let engine = Engine::new().unwrap();
    fuzz("text on a page", &seeds, &words, |input| {
        let text = String::from_utf8_lossy(input);
        let _ = engine.render(&document(&text), &Options::default());
    });
}

#[test]
fn a_photo() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../worker/render/tests/data");
    let sample: serde_json::Value = serde_json::from_str(cv::SAMPLE).unwrap();
    let uri = sample["photo_url"].as_str().unwrap();
    let mut seeds = files(&data, "jpg");
    seeds.push(cv::photo::decode(uri).unwrap().bytes);
    seeds.push(png());
    let engine = Engine::new().unwrap();
    fuzz("photo", &seeds, &["Exif\0\0", "IHDR", "IDAT"], |input| {
        let photo = Image {
            data: input.into(),
            alt: "Ida".to_owned(),
        };
        let mut document = document("Ida");
        document.body.insert(
            0,
            Block::Masthead(Masthead {
                title: "Ida".into(),
                photo: Some(photo),
                ..Masthead::default()
            }),
        );
        // A photo is never a reason to have no document.
        engine.render(&document, &Options::default()).unwrap();
    });
}

fn document(text: &str) -> Document {
    Document {
        title: "Title".to_owned(),
        language: "en".to_owned(),
        body: vec![Block::Section(Section {
            title: text.into(),
            blocks: vec![
                Block::Paragraph(text.into()),
                Block::List(vec![text.into()].into()),
            ],
            ..Section::default()
        })],
        ..Document::default()
    }
}

fn docx() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas/convert/tests/data/corpus");
    files(&folder, "docx")
}

/// The files of a folder with an extension, in the order of their names.
fn files(folder: &Path, extension: &str) -> Vec<Vec<u8>> {
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == extension))
        .collect();
    paths.sort();
    paths
        .iter()
        .map(|path| std::fs::read(path).unwrap())
        .collect()
}

/// The main part of a package.
fn part(package: &[u8]) -> Vec<u8> {
    let mut archive = zip::ZipArchive::new(Cursor::new(package)).unwrap();
    let mut xml = Vec::new();
    let mut entry = archive.by_name("word/document.xml").unwrap();
    entry.read_to_end(&mut xml).unwrap();
    xml
}

/// A package with this main part and nothing else of weight.
fn package(xml: &[u8]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let types = br#"<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>"#;
    let relationships = br#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>"#;
    let parts: [(&str, &[u8]); 3] = [
        ("[Content_Types].xml", types),
        ("_rels/.rels", relationships),
        ("word/document.xml", xml),
    ];
    for (name, bytes) in parts {
        writer.start_file(name, stored).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// Four pixels.
fn png() -> Vec<u8> {
    use base64::Engine as _;
    let text = "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAFklEQVR4nGP8z8DAwMDAxMDAwMDAAAANHQEDasKb6QAAAABJRU5ErkJggg==";
    base64::engine::general_purpose::STANDARD
        .decode(text)
        .unwrap()
}
