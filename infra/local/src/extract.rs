//! `presswork extract`: the CV out of a document, as JSON or as a report of how it was read.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::path::Path;

use anyhow::{Context as _, bail};
use convert::{Extracted, Limits};
use serde_json::{Value, json};

use crate::cli::ExtractArgs;

/// A little more than any reader takes, so that the reader's own limit speaks.
const MAX_INPUT: u64 = 32 * 1024 * 1024;

/// Reads the document and prints what was found.
pub(crate) fn run(args: &ExtractArgs) -> anyhow::Result<()> {
    let bytes = read_bytes(&args.input)?;
    let extracted = extract(&args.input, &bytes)?;
    let text = if args.report {
        report(&extracted)
    } else {
        let mut text = serde_json::to_string_pretty(&as_json(&extracted, !args.no_photo)?)?;
        text.push('\n');
        text
    };
    std::io::stdout()
        .write_all(text.as_bytes())
        .context("the result was not written")
}

/// Which reader a file gets: by its first bytes, since names lie.
fn extract(path: &Path, bytes: &[u8]) -> anyhow::Result<Extracted> {
    let limits = Limits::default();
    let is_package = bytes.starts_with(b"PK") || bytes.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]);
    if is_package
        || path
            .extension()
            .is_some_and(|e| e.eq_ignore_ascii_case("docx"))
    {
        return Ok(convert::docx::read(bytes, &limits)?);
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        bail!(
            "{} is neither a Word document (.docx) nor text in UTF-8",
            path.display()
        );
    };
    Ok(convert::text::read(
        text.trim_start_matches('\u{feff}'),
        &limits,
    )?)
}

fn as_json(extracted: &Extracted, photo: bool) -> anyhow::Result<Value> {
    let mut all = serde_json::to_value(extracted)?;
    if photo {
        all["cv"] = json!(extracted.with_photo());
    }
    Ok(all)
}

/// One line a value: field, value, place in the document, certainty.
fn report(extracted: &Extracted) -> String {
    let cv = serde_json::to_value(&extracted.cv).unwrap_or_default();
    let mut out = String::new();
    let mut line = |text: String| {
        let _ = writeln!(out, "{text}");
    };
    for source in &extracted.sources {
        let value = at(&cv, &source.path).map(shown).unwrap_or_default();
        line(format!(
            "{:36} {:>4.0} %  {value}\n{:44}from {}",
            source.path,
            source.confidence * 100.0,
            "",
            source.origin
        ));
    }
    match (&extracted.photo, extracted.photo_omitted) {
        (Some(photo), _) => line(format!(
            "{:44}{} of {} bytes",
            "photo",
            photo.mime,
            photo.data.len()
        )),
        (None, Some(reason)) => line(format!("{:44}left out: {reason:?}", "photo")),
        (None, None) => {}
    }
    if let Some(language) = &extracted.language {
        line(format!("{:44}{language}", "language"));
    }
    if !extracted.unplaced.is_empty() {
        line(format!("\nUnplaced ({}):", extracted.unplaced.len()));
    }
    for unplaced in &extracted.unplaced {
        line(format!("  {}  ({})", unplaced.text, unplaced.origin));
    }
    if !extracted.warnings.is_empty() {
        line("\nWarnings:".to_owned());
    }
    for warning in &extracted.warnings {
        line(format!("  {}: {}", warning.path, warning.message));
    }
    out
}

/// The value at a path such as `work_experience[0].employer`.
fn at<'a>(cv: &'a Value, path: &str) -> Option<&'a Value> {
    let mut value = cv;
    for step in path.split('.') {
        let (key, index) = step.split_once('[').map_or((step, None), |(key, rest)| {
            (key, rest.trim_end_matches(']').parse::<usize>().ok())
        });
        value = value.get(key)?;
        if let Some(index) = index {
            value = value.get(index)?;
        }
    }
    Some(value)
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(members) => members
            .values()
            .filter_map(Value::as_str)
            .collect::<Vec<_>>()
            .join(", "),
        other => other.to_string(),
    }
}

fn read_bytes(path: &Path) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        std::io::stdin()
            .take(MAX_INPUT)
            .read_to_end(&mut bytes)
            .context("standard input cannot be read")?;
    } else {
        std::fs::File::open(path)
            .and_then(|file| file.take(MAX_INPUT).read_to_end(&mut bytes))
            .with_context(|| format!("{} cannot be read", path.display()))?;
    }
    Ok(bytes)
}
