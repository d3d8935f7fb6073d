//! `presswork extract`: the CV out of a document, as JSON or in another form.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use convert::{Extracted, html, json_resume, markdown};
use serde_json::Value;

use crate::input::Document;

/// `presswork extract`.
#[derive(Debug, Args)]
pub(crate) struct ExtractArgs {
    /// The document (.docx, text, a PDF made by Presswork, a CV or JSON Resume in JSON); `-` reads
    /// standard input
    input: PathBuf,
    /// What to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Short for --format json
    #[arg(long, conflicts_with_all = ["report", "format"])]
    json: bool,
    /// Short for --format report
    #[arg(long, conflicts_with = "format")]
    report: bool,
    /// Leave the photo out
    #[arg(long)]
    no_photo: bool,
}

/// What `presswork extract` prints.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Format {
    /// The CV, sources and what was not placed
    #[default]
    Json,
    /// One line a value: field, value, place in the document, certainty
    Report,
    /// A page of its own
    Html,
    /// Plain text with marks
    Markdown,
    /// The CV as JSON Resume (jsonresume.org)
    JsonResume,
}

/// Reads the document and prints what was found.
pub(crate) fn run(args: &ExtractArgs) -> anyhow::Result<()> {
    let mut extracted = Document::read(&args.input)?.extract()?;
    extracted.cv = extracted.with_photo();
    if args.no_photo {
        extracted.cv.photo_url = None;
        extracted.photo = None;
    }
    let format = if args.report {
        Format::Report
    } else {
        args.format
    };
    let mut text = match format {
        Format::Json => serde_json::to_string_pretty(&extracted)?,
        Format::Report => report(&extracted),
        Format::Html => html::write(&extracted.cv),
        Format::Markdown => markdown::write(&extracted.cv),
        Format::JsonResume => serde_json::to_string_pretty(&json_resume::write(&extracted.cv))?,
    };
    if !text.ends_with('\n') {
        text.push('\n');
    }
    print!("{text}");
    Ok(())
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
        (None, None) => {
            if let Some(uri) = &extracted.cv.photo_url {
                line(format!("{:44}data URI of {} bytes", "photo", uri.len()));
            }
        }
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
