//! `presswork extract`: the CV out of a document, as JSON or in another form.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::path::Path;

use anyhow::{Context as _, bail};
use convert::{Extracted, Limits, html, json_resume, markdown, pdf};
use schemas::cv::Normalised;
use serde_json::Value;

use crate::cli::{ExtractArgs, ExtractFormat};
use crate::render::explain;

/// A little more than any reader takes, so that the reader's own limit speaks.
const MAX_INPUT: u64 = 32 * 1024 * 1024;

/// Reads the document and prints what was found.
pub(crate) fn run(args: &ExtractArgs) -> anyhow::Result<()> {
    let bytes = read_bytes(&args.input)?;
    let mut extracted = extract(&args.input, &bytes)?;
    extracted.cv = extracted.with_photo();
    if args.no_photo {
        extracted.cv.photo_url = None;
    }
    let format = if args.report {
        ExtractFormat::Report
    } else {
        args.format
    };
    let mut text = match format {
        ExtractFormat::Json => serde_json::to_string_pretty(&extracted)?,
        ExtractFormat::Report => report(&extracted),
        ExtractFormat::Html => html::write(&extracted.cv),
        ExtractFormat::Markdown => markdown::write(&extracted.cv),
        ExtractFormat::JsonResume => {
            serde_json::to_string_pretty(&json_resume::write(&extracted.cv))?
        }
    };
    if !text.ends_with('\n') {
        text.push('\n');
    }
    std::io::stdout()
        .write_all(text.as_bytes())
        .context("the result was not written")
}

/// Which reader a file gets: by its first bytes, since names lie.
fn extract(path: &Path, bytes: &[u8]) -> anyhow::Result<Extracted> {
    let limits = Limits::default();
    let is_package = bytes.starts_with(b"PK") || bytes.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]);
    if is_package {
        return Ok(convert::docx::read(bytes, &limits)?);
    }
    if bytes.starts_with(b"%PDF-") {
        return Ok(as_it_says(pdf::read(bytes)?));
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        bail!(
            "{} is neither a Word document (.docx), nor a PDF, nor text or JSON in UTF-8",
            path.display()
        );
    };
    let text = text.trim_start_matches('\u{feff}');
    if text.trim_start().starts_with('{') {
        let value = serde_json::from_str(text)
            .with_context(|| format!("{} is no sound JSON", path.display()))?;
        return from_json(&value);
    }
    Ok(convert::text::read(text, &limits)?)
}

fn from_json(value: &Value) -> anyhow::Result<Extracted> {
    let normalised = if json_resume::is_json_resume(value) {
        json_resume::read(value)?
    } else {
        schemas::cv::normalise(value).map_err(|e| explain(&e))?
    };
    Ok(as_it_says(normalised))
}

/// A CV that was data already: every value is certain and none has a place in a document.
fn as_it_says(normalised: Normalised) -> Extracted {
    Extracted {
        language: normalised.cv.language.clone(),
        cv: normalised.cv,
        warnings: normalised.warnings,
        ..Extracted::default()
    }
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
