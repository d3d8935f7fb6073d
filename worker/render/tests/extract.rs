//! What readers of the text find that tell its order from where it stands on the page, as applicant tracking
//! systems do: `pdftotext` (package poppler-utils) must be installed.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::io::Write as _;
use std::process::{Command, Stdio};

use render::{Document, Engine, Options, Theme};
use serde_json::Value;

mod support;

const SAMPLE: &str = include_str!("data/sample_cv.json");

/// The text of a PDF with single spaces.
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
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn render(engine: &Engine, document: &Document, theme: Theme) -> Vec<u8> {
    let options = Options {
        theme,
        ..Options::default()
    };
    engine.render(document, &options).unwrap().pdf
}

/// The strings of a part of a CV, in the order that they are shown.
fn strings(value: &Value, out: &mut Vec<String>) {
    const ORDER: [&str; 6] = [
        "title",
        "employer",
        "institution",
        "organization",
        "location",
        "bullets",
    ];
    match value {
        Value::String(text) => out.push(text.split_whitespace().collect::<Vec<_>>().join(" ")),
        Value::Array(items) => items.iter().for_each(|item| strings(item, out)),
        Value::Object(fields) if fields.contains_key("title") => {
            ORDER
                .iter()
                .filter_map(|key| fields.get(*key))
                .for_each(|field| strings(field, out));
            fields
                .get("details")
                .into_iter()
                .for_each(|field| strings(field, out));
        }
        Value::Object(fields) => fields.values().for_each(|field| strings(field, out)),
        _ => {}
    }
}

#[test]
fn every_field_is_found_in_order_in_every_theme() {
    const COLUMNS: [&[&str]; 2] = [
        &[
            "full_name",
            "profile",
            "work_experience",
            "education",
            "further_experience",
            "references",
        ],
        &[
            "it_ai_skills",
            "languages",
            "certifications",
            "trainings",
            "interests",
        ],
    ];
    let engine = Engine::new().unwrap();
    let cv: Value = serde_json::from_str(SAMPLE).unwrap();
    let document = support::cv::document(&cv);
    for theme in Theme::all() {
        let name = theme.name().to_owned();
        let text = extract(&render(&engine, &document, theme));
        // The order of sections is the theme's: within each, the fields follow each other.
        for section in COLUMNS.concat() {
            let mut fields = Vec::new();
            strings(&cv[section], &mut fields);
            let mut at = 0;
            for field in fields {
                let found = text[at..].find(&field);
                assert!(
                    found.is_some(),
                    "{name}: `{field}` of {section} is missing after byte {at} of\n{text}"
                );
                at += found.unwrap() + field.len();
            }
        }
    }
}

#[test]
fn columns_are_never_mixed() {
    let engine = Engine::new().unwrap();
    let cv: Value = serde_json::from_str(SAMPLE).unwrap();
    let document = support::cv::document(&cv);
    for place in ["start", "end"] {
        let theme = format!("extends = \"modern\"\n[sidebar]\nplace = \"{place}\"");
        let text = extract(&render(
            &engine,
            &document,
            Theme::from_toml(&theme).unwrap(),
        ));
        // From the first to the last of what stands beside, nothing of the main column.
        let first = text.find("Python (pandas").unwrap();
        let last = text.find("timetables of the nineteenth").unwrap();
        for section in ["profile", "work_experience", "education"] {
            let mut fields = Vec::new();
            strings(&cv[section], &mut fields);
            for field in fields {
                let at = text.find(&field).unwrap();
                assert!(
                    !(first..last).contains(&at),
                    "{place}: `{field}` stands within the sidebar in\n{text}"
                );
            }
        }
    }
}
