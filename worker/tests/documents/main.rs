//! What a machine reads in the finished documents: every field of the CV, in reading order, in
//! every theme and language. The PDFs are read by poppler's `pdftotext`, as many applicant tracking
//! systems do.

#![allow(
    clippy::unwrap_used,
    reason = "a test may fail at once, in its helpers too"
)]

mod attached;
mod corpus;
mod fit;
mod languages;
mod truth;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use bytes::Bytes;
use schemas::job::{DocumentName, JobInput, JobKind, Language, Options};
use serde_json::Value;
use worker::jobs::{StoredReply, Themes};
use worker::{Beside, Press, RenderedJob};

/// Where Debian's package fonts-noto-cjk puts its fonts.
const CJK: &str = "/usr/share/fonts/opentype/noto";

/// The built-in fonts, with those for Chinese, Japanese and Korean that `infra/test.sh` installs.
static PRESS: LazyLock<Press> = LazyLock::new(|| {
    let fonts =
        ["NotoSansCJK-Regular.ttc", "NotoSansCJK-Bold.ttc"].map(|name| Path::new(CJK).join(name));
    Press {
        engine: worker::engine(&fonts).expect("fonts-noto-cjk is installed"),
        themes: Themes::built_in(),
        picture_width: 0,
    }
});

/// The documents of a CV, in its own words.
fn set(cv: &Value, options: Options) -> RenderedJob {
    let mut own_text = StoredReply::own_text("");
    own_text.warnings.clear();
    set_as(JobKind::Cv, cv, options, &own_text)
}

/// The documents of a job and its reply.
fn set_as(kind: JobKind, cv: &Value, options: Options, reply: &StoredReply) -> RenderedJob {
    let input = JobInput {
        kind,
        cv: schemas::cv::normalise(cv).unwrap().cv,
        options,
        earlier: None,
    };
    let accepted = "2026-11-21T08:00:00Z".parse().unwrap();
    worker::render_job(&PRESS, &input, reply, accepted).unwrap()
}

fn sample() -> Value {
    serde_json::from_str(schemas::cv::SAMPLE).unwrap()
}

/// What stands beside a PDF.
fn beside(made: &RenderedJob, name: DocumentName) -> Option<&Beside> {
    made.beside.iter().find(|beside| beside.facts.name == name)
}

/// The report of a job.
fn report(made: &RenderedJob) -> Value {
    let report = beside(made, DocumentName::Report).unwrap();
    serde_json::from_slice(&report.data).unwrap()
}

fn data(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(path)
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// The text of a PDF as poppler reads it, without the footers, which stand in the midst of texts
/// that go on on the next page.
fn text(cv: &Value, made: &RenderedJob, arguments: &[&str]) -> String {
    let text = poppler(&made.pdf, arguments);
    let name = compact(cv["full_name"].as_str().unwrap());
    let pages = text.split('\u{c}').enumerate().map(|(i, page)| {
        let footers = Language::ALL.map(|language| {
            let (page, pages) = ((i + 1).to_string(), made.facts.pages.to_string());
            compact(
                &language
                    .locale()
                    .page
                    .replace("{page}", &page)
                    .replace("{pages}", &pages),
            )
        });
        let is_footer = |line: &&str| {
            let line = compact(line);
            let line = line.strip_prefix(&name).unwrap_or(&line);
            !line.is_empty() && footers.iter().any(|footer| footer == line)
        };
        let lines = page.lines().filter(|line| !is_footer(line));
        let mut lines: Vec<_> = lines.filter(|line| !compact(line).is_empty()).collect();
        if i > 0 {
            lines.pop_if(|line| compact(line) == name);
        }
        lines.join("\n")
    });
    pages.collect::<Vec<_>>().join("\n")
}

/// The text of a PDF as poppler reads it.
fn poppler(pdf: &Bytes, arguments: &[&str]) -> String {
    let mut reader = Command::new("pdftotext")
        .args(arguments)
        .args(["-", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("poppler-utils is installed");
    let mut input = reader.stdin.take().unwrap();
    let pdf = pdf.clone();
    let feeding = std::thread::spawn(move || input.write_all(&pdf));
    let output = reader.wait_with_output().unwrap();
    feeding.join().unwrap().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

/// A text without white space, marks of direction, and hyphens: line breaks are the layout's own,
/// and poppler takes a hyphen at the end of a line for one.
fn compact(text: &str) -> String {
    let marks = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{ad}');
    text.chars()
        .filter(|c| !c.is_whitespace() && *c != '-' && !marks(*c))
        .collect()
}

/// All texts of a CV that a document shows, with their paths.
fn shown(cv: &Value) -> Vec<(String, String)> {
    fn walk(path: &str, value: &Value, into: &mut Vec<(String, String)>) {
        match value {
            Value::String(text) => into.push((path.to_owned(), text.clone())),
            Value::Array(items) => {
                for (i, item) in items.iter().enumerate() {
                    walk(&format!("{path}[{i}]"), item, into);
                }
            }
            Value::Object(members) => {
                for (key, member) in members {
                    if !(path.is_empty() && matches!(key.as_str(), "photo_url" | "language")) {
                        walk(&format!("{path}.{key}"), member, into);
                    }
                }
            }
            _ => {}
        }
    }
    let mut texts = Vec::new();
    walk("", cv, &mut texts);
    texts
}

/// Panics unless all fields of the CV are read back in the order of the CV: by their place on the
/// page, and by their place in the file. The latter says nothing of lines from right to left, whose
/// letters poppler leaves as they are drawn.
fn reads_back(cv: &Value, made: &RenderedJob, what: &str) {
    let tag = cv["language"].as_str().unwrap_or("en");
    let rtl = Language::from_tag(tag).is_some_and(Language::is_rtl);
    let modes: &[&[&str]] = if rtl { &[&[]] } else { &[&[], &["-raw"]] };
    for arguments in modes {
        let text = compact(&text(cv, made, arguments));
        holds_every_field(cv, &text, what);
        in_reading_order(cv, &text, what);
    }
}

/// Where a field ends in a text. What is longer than any text of a few lines may go on on the next
/// page, after what else the first one holds: a sidebar is read after the text beside it.
fn end_of(field: &str, text: &str) -> Option<usize> {
    let field = compact(field);
    if let Some(begin) = text.find(&field) {
        return Some(begin + field.len());
    }
    if field.chars().count() <= PARTED {
        return None;
    }
    let cuts: Vec<_> = field.char_indices().map(|(at, _)| at).skip(LEAST).collect();
    let fits = cuts.partition_point(|cut| text.contains(&field[..*cut]));
    let cut = cuts[..fits].last()?;
    let (head, tail) = field.split_at(*cut);
    let after = text.find(head)? + head.len();
    let tail_at = text[after..]
        .find(tail)
        .filter(|_| tail.chars().count() >= LEAST)?;
    Some(after + tail_at + tail.len())
}

/// Characters of a line at least: fewer would be found by chance.
const LEAST: usize = 8;
/// Characters of six lines in a narrow column: what has no more is on one page.
const PARTED: usize = 240;

/// Panics unless the text holds every field of the CV.
fn holds_every_field(cv: &Value, text: &str, what: &str) {
    let missing: Vec<_> = shown(cv)
        .into_iter()
        .filter(|(_, field)| end_of(field, text).is_none())
        .collect();
    assert!(missing.is_empty(), "{what}: {missing:#?}\n{text}");
}

/// Panics unless the entries of each section, and what belongs to each entry, stand in the order of
/// the CV. The order of sections is the theme's.
fn in_reading_order(cv: &Value, text: &str, what: &str) {
    let follow = |at: &mut usize, field: &str, place: &str| {
        let rest = &text[*at..];
        let Some(end) = end_of(field, rest) else {
            panic!("{what}: {place} `{field}` does not follow\n{rest}");
        };
        *at += end;
    };
    let string = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
    let list = |value: &Value, key: &str| value[key].as_array().cloned().unwrap_or_default();
    for (section, keys) in [
        ("work_experience", ["title", "employer", "bullets"]),
        ("education", ["title", "institution", "details"]),
        ("further_experience", ["title", "organization", "bullets"]),
    ] {
        let mut at = 0;
        for (i, entry) in list(cv, section).iter().enumerate() {
            let [title, place, texts] = keys;
            follow(
                &mut at,
                &string(entry, title),
                &format!("{section}[{i}].{title}"),
            );
            follow(
                &mut at,
                &string(entry, place),
                &format!("{section}[{i}].{place}"),
            );
            for text in list(entry, texts) {
                follow(
                    &mut at,
                    text.as_str().unwrap(),
                    &format!("{section}[{i}].{texts}"),
                );
            }
        }
    }
}
