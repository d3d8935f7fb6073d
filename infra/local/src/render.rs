//! `presswork render`: a CV in JSON to a PDF, without server and without model.

use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, bail};
use schemas::cv::{CheckOptions, CvError};
use schemas::job::{JobInput, JobKind};
use serde_json::Value;
use storage::Clock as _;
use worker::jobs::StoredReply;

use crate::cli::RenderArgs;
use crate::submit::place;

/// The most that is read of an input.
const MAX_INPUT: u64 = 64 * 1024 * 1024;

/// Renders the caller's own text. Lenient: what a job would refuse for its length or for missing
/// fields is a warning here.
pub(crate) fn run(args: &RenderArgs) -> anyhow::Result<()> {
    let normalised = schemas::cv::normalise(&read_json(&args.input)?).map_err(|e| explain(&e))?;
    let report = schemas::cv::check(&normalised.cv, &CheckOptions::default());
    let mut warnings = normalised.warnings;
    warnings.extend(report.into_warnings());
    let options = args.options.to_options();
    let input = JobInput {
        kind: JobKind::Cv,
        cv: normalised.cv,
        options,
        earlier: None,
    };
    let mut own_text = StoredReply::own_text("");
    own_text.warnings.clear();
    let created = args
        .created
        .unwrap_or_else(|| storage::ambient::System::new().now());
    let engine = render::Engine::new()?;
    let made = worker::render_job(&engine, &input, &own_text, created)
        .context("the document cannot be set")?;
    std::fs::write(&args.out, &made.pdf)
        .with_context(|| format!("cannot write {}", args.out.display()))?;
    for warning in warnings.iter().chain(&made.warnings) {
        eprintln!("note: {}{}", place(&warning.path), warning.message);
    }
    let s = if made.facts.pages == 1 { "" } else { "s" };
    let kilobytes = made.pdf.len().div_ceil(1000);
    println!(
        "{} page{s}, {kilobytes} kB: {}",
        made.facts.pages,
        args.out.display()
    );
    Ok(())
}

/// Reads a JSON file, or standard input for `-`.
pub(crate) fn read_json(path: &Path) -> anyhow::Result<Value> {
    let shown = path.display();
    let mut text = Vec::new();
    let read = if path.as_os_str() == "-" {
        std::io::stdin()
            .lock()
            .take(MAX_INPUT + 1)
            .read_to_end(&mut text)
    } else {
        let file = std::fs::File::open(path).with_context(|| format!("cannot open {shown}"))?;
        file.take(MAX_INPUT + 1).read_to_end(&mut text)
    };
    read.with_context(|| format!("cannot read {shown}"))?;
    if text.len() as u64 > MAX_INPUT {
        bail!("{shown} is larger than {} MiB", MAX_INPUT >> 20);
    }
    serde_json::from_slice(&text).with_context(|| format!("{shown} is not JSON"))
}

fn explain(error: &CvError) -> anyhow::Error {
    let faults = error.problems();
    let faults = faults
        .iter()
        .map(|fault| format!("\n  {}: {}", fault.path, fault.message));
    anyhow::anyhow!("{error}{}", faults.collect::<String>())
}
