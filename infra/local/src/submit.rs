//! `presswork submit`: a job on a running server, with a progress bar.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use schemas::job::{
    DocumentName, JobKind, JobRequest, JobStatus, Letter, OnModelFailure, Options, Output, Phase,
    State,
};
use storage::ambient::{System, random};

use crate::client::{Client, ended_without};
use crate::input::{Document, posting};
use crate::key::ServerArgs;
use crate::options::OptionArgs;

/// `presswork submit`.
#[derive(Debug, Args)]
pub(crate) struct SubmitArgs {
    /// The CV: JSON, .docx, text, or a PDF made by Presswork; `-` reads standard input
    input: PathBuf,
    #[command(flatten)]
    to: ServerArgs,
    /// The PDF to write
    #[arg(long, value_name = "FILE.pdf")]
    out: PathBuf,
    #[command(flatten)]
    options: OptionArgs,
    /// A text file with the job posting that the CV is for
    #[arg(long, value_name = "FILE")]
    posting: Option<PathBuf>,
    /// Make a cover letter too, and write it to this file
    #[arg(long, value_name = "FILE.pdf")]
    cover_letter: Option<PathBuf>,
    /// The position that the letter is for
    #[arg(long, value_name = "TEXT", requires = "cover_letter")]
    position: Option<String>,
    /// The organisation that the letter goes to
    #[arg(long, value_name = "TEXT", requires = "cover_letter")]
    organization: Option<String>,
    /// Make it anew even if equal content has its PDF already
    #[arg(long)]
    force: bool,
    /// Render your own text if the model gives nothing, instead of failing
    #[arg(long)]
    unpolished_on_failure: bool,
    /// How long to wait for the job, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    wait: u64,
}

impl SubmitArgs {
    /// As the API takes them; the posting comes from its file.
    fn to_options(&self, posting: Option<String>) -> Options {
        let mut options = self.options.to_options();
        options.job_posting = posting;
        options.force = self.force;
        if self.cover_letter.is_some() {
            options.outputs = vec![Output::Cv, Output::CoverLetter];
            options.letter = Some(Letter {
                position: self.position.clone(),
                organization: self.organization.clone(),
                ..Letter::default()
            });
        }
        if self.unpolished_on_failure {
            options.on_model_failure = OnModelFailure::RenderUnpolished;
        }
        options
    }
}

/// Submits, follows and fetches.
pub(crate) async fn run(args: SubmitArgs) -> anyhow::Result<()> {
    let (input, notes) = Document::read(&args.input)?.to_input()?;
    for note in &notes {
        eprintln!("note: {}{}", place(&note.path), note.message);
    }
    let posting = args.posting.as_deref().map(posting).transpose()?;
    let options = args.to_options(posting);
    let metadata = std::collections::BTreeMap::new();
    let request = JobRequest {
        kind: JobKind::Cv,
        input,
        options,
        metadata,
        not_before: None,
        callback_url: None,
    };
    let client = Client::new(&args.to.server, args.to.key.authorization()?)?;
    let key = schemas::hex(&random::<16>(&System::new()));
    let accepted = client.submit(&request, &key).await?;

    let bar = ProgressBar::new(100);
    let style = ProgressStyle::with_template("{elapsed:>5} [{bar:30}] {msg}")?;
    bar.set_style(style.progress_chars("=> "));
    bar.enable_steady_tick(Duration::from_millis(200));
    let id = accepted.id;
    let follow = client.follow(accepted, |status| {
        bar.set_position(status.progress.into());
        bar.set_message(say(status));
    });
    let Ok(ended) = tokio::time::timeout(Duration::from_secs(args.wait), follow).await else {
        bail!(
            "job {id} has not ended after {} s; it goes on: GET {}/v1/jobs/{id}",
            args.wait,
            args.to.server
        );
    };
    let ended = ended?;
    bar.finish_and_clear();
    if ended.result.is_none() {
        return Err(ended_without(&ended));
    }
    let fetch = async |link: &str, out: &Path| {
        let document = client.document(link).await?;
        std::fs::write(out, &document).with_context(|| format!("cannot write {}", out.display()))
    };
    fetch(&ended.links.result, &args.out).await?;
    let letter = ended.result.iter().flat_map(|result| &result.documents);
    let letter = letter.filter(|document| document.name == DocumentName::CoverLetter);
    for (letter, out) in letter.zip(&args.cover_letter) {
        fetch(&letter.link, out).await?;
    }
    println!("{}", outcome(&ended));
    for warning in &ended.warnings {
        println!("  note: {}{}", place(&warning.path), warning.message);
    }
    for out in [Some(&args.out), args.cover_letter.as_ref()]
        .into_iter()
        .flatten()
    {
        println!("{}", out.display());
    }
    if ended.state == State::Succeeded {
        Ok(())
    } else {
        Err(ended_without(&ended))
    }
}

/// A job's state in words.
pub(crate) fn say(status: &JobStatus) -> String {
    if let Some(waiting) = &status.waiting {
        let until = waiting.until;
        return format!("waiting until {until} at the latest: the budget of the day is spent");
    }
    match (status.state, status.phase) {
        (State::Queued, _) => "waiting for a worker".to_owned(),
        (State::Running, Some(Phase::Rendering)) => "setting the pages".to_owned(),
        (State::Running, _) => "editing the text".to_owned(),
        (state, _) => format!("{state:?}").to_lowercase(),
    }
}

/// What was made, by whom, at what cost.
pub(crate) fn outcome(job: &JobStatus) -> String {
    let result = job.result.as_ref();
    let pages = result.map_or(0, |r| r.pages);
    let kilobytes = result.map_or(0, |r| r.size_bytes.div_ceil(1000));
    let editor = match job.editor {
        None if job.cached => "copied from an earlier job of equal content",
        Some(schemas::job::Editor::Model) => "edited by the model",
        Some(schemas::job::Editor::Offline) | None => {
            "tidied by the offline editor: no model was asked"
        }
    };
    let s = if pages == 1 { "" } else { "s" };
    format!(
        "{pages} page{s}, {kilobytes} kB, {editor}; model calls: {}",
        job.model_calls
    )
}

/// A field's path as the head of a sentence.
pub(crate) fn place(path: &str) -> String {
    if path.is_empty() {
        String::new()
    } else {
        format!("{path}: ")
    }
}
