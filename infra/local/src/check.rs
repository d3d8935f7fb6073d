//! `presswork check`: does a rewritten CV claim only what its source says?

use std::path::Path;

use anyhow::Context as _;
use schemas::cv::Cv;
use truth::{Finding, Languages};

use crate::cli::CheckArgs;
use crate::render::{explain, read_json};

/// The most that is read of a posting.
const MAX_POSTING: u64 = 1 << 20;

/// Compares two CVs and prints what the source does not support. Findings are no error.
pub(crate) fn run(args: &CheckArgs) -> anyhow::Result<()> {
    let source = read_cv(&args.source)?;
    let reply = read_cv(&args.reply)?;
    let posting = args.posting.as_deref().map(read_posting).transpose()?;
    let languages = Languages {
        from: &args.from,
        to: &args.to,
    };
    let report = truth::check(&source, &reply, languages, posting.as_deref());
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
        return Ok(());
    }
    for finding in &report.unsupported {
        print("unsupported", finding);
    }
    for finding in &report.undecided {
        print("undecided", finding);
    }
    let (wrong, unsure) = (report.unsupported.len(), report.undecided.len());
    println!("{wrong} unsupported, {unsure} undecided");
    Ok(())
}

fn print(kind: &str, finding: &Finding) {
    println!("{kind} {}: {}", finding.path, finding.reason);
    println!("  reply:  {}", finding.reply);
    if !finding.source.is_empty() {
        println!("  source: {}", finding.source);
    }
}

fn read_cv(path: &Path) -> anyhow::Result<Cv> {
    let normalised = schemas::cv::normalise(&read_json(path)?)
        .map_err(|e| explain(&e))
        .with_context(|| format!("{} is not a CV", path.display()))?;
    Ok(normalised.cv)
}

fn read_posting(path: &Path) -> anyhow::Result<String> {
    use std::io::Read as _;

    let shown = path.display();
    let file = std::fs::File::open(path).with_context(|| format!("cannot open {shown}"))?;
    let mut text = String::new();
    file.take(MAX_POSTING)
        .read_to_string(&mut text)
        .with_context(|| format!("cannot read {shown} as text"))?;
    Ok(text)
}
