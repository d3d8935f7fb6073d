//! `presswork check`: does a rewritten CV claim only what its source says?

use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::Args;
use schemas::cv::{CheckOptions, Cv};
use schemas::job::Language;
use truth::{Finding, Languages};

use crate::input::{Document, posting};
use crate::options::language;
use crate::submit::place;

/// `presswork check`.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// The CV that is the evidence: JSON, .docx, text, or a PDF made by Presswork; `-` reads standard
    /// input
    source: PathBuf,
    /// The CV that was made from it, in any of these forms
    reply: PathBuf,
    /// The source's language: en, de, pl, fr, es, it, pt, nl, cs, uk, el, sv, ar, he, ja or zh
    #[arg(long, value_name = "LANGUAGE", value_parser = language)]
    from: Language,
    /// The reply's language
    #[arg(long, value_name = "LANGUAGE", value_parser = language)]
    to: Language,
    /// A text file with the job posting that the reply is for
    #[arg(long, value_name = "FILE")]
    posting: Option<PathBuf>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// Compares two CVs and prints what the source does not support, and what cannot be decided. Fails
/// for the former.
pub(crate) fn run(args: &CheckArgs) -> anyhow::Result<()> {
    let source = read(&args.source)?;
    let reply = read(&args.reply)?;
    let posting = args.posting.as_deref().map(posting).transpose()?;
    let languages = Languages {
        from: args.from.tag(),
        to: args.to.tag(),
    };
    let report = truth::check(&source, &reply, languages, posting.as_deref());
    let (wrong, unsure) = (report.unsupported.len(), report.undecided.len());
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        for finding in &report.unsupported {
            print("unsupported", finding);
        }
        for finding in &report.undecided {
            print("undecided", finding);
        }
        println!("{wrong} unsupported, {unsure} undecided");
    }
    match wrong {
        0 => Ok(()),
        1 => bail!("the source does not support 1 value of the reply"),
        _ => bail!("the source does not support {wrong} values of the reply"),
    }
}

fn print(kind: &str, finding: &Finding) {
    println!("{kind} {}: {}", finding.path, finding.reason);
    println!("  reply:  {}", finding.reply);
    if !finding.source.is_empty() {
        println!("  source: {}", finding.source);
    }
}

/// A CV; what was not read of it and what it lacks is told, since it was not compared either.
fn read(path: &Path) -> anyhow::Result<Cv> {
    let read = Document::read(path)?.cv()?;
    let lacks = schemas::cv::check(&read.cv, &CheckOptions::default()).errors;
    let lacks = lacks.iter().map(|fault| (&fault.path, &fault.message));
    let read_notes = read.warnings.iter().map(|note| (&note.path, &note.message));
    for (field, message) in read_notes.chain(lacks) {
        eprintln!("note: {}: {}{message}", path.display(), place(field));
    }
    Ok(read.cv)
}
