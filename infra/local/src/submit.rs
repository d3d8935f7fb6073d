//! `presswork submit`: a job on a running server, with a progress bar.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use schemas::job::{
    DocumentName, JobKind, JobRequest, JobStatus, Letter, OnModelFailure, Options, Output, State,
};
use storage::ambient::{System, random};

use crate::client::{Client, ended_without};
use crate::follow::{News, Patience, follow, say};
use crate::input::{Document, posting};
use crate::key::ServerArgs;
use crate::options::OptionArgs;
use crate::{out, target};

/// `presswork submit`.
#[derive(Debug, Args)]
pub(crate) struct SubmitArgs {
    /// The CV: JSON, .docx, text, or a PDF made by Presswork; `-` reads standard input
    input: PathBuf,
    #[command(flatten)]
    to: ServerArgs,
    /// The PDF to write; `-` writes to standard output
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

    /// Where documents go.
    fn targets(&self) -> Vec<&Path> {
        let all = [Some(&self.out), self.cover_letter.as_ref()];
        all.into_iter().flatten().map(PathBuf::as_path).collect()
    }

    fn inputs(&self) -> Vec<&Path> {
        let all = [Some(&self.input), self.posting.as_ref()];
        all.into_iter().flatten().map(PathBuf::as_path).collect()
    }

    fn writes_to_stdout(&self) -> bool {
        self.targets().into_iter().any(target::is_dash)
    }
}

/// Submits, follows and fetches.
pub(crate) async fn run(args: SubmitArgs) -> anyhow::Result<()> {
    target::check(&args.targets(), &args.inputs())?;
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
    let whole = Duration::from_secs(args.wait);
    let patience = Patience {
        queued: whole,
        whole,
    };
    let followed = follow(&client, accepted, patience, |job, news| {
        bar.set_position(job.progress.into());
        bar.set_message(say(job));
        if let Some(News::Hint(hint)) = news {
            bar.suspend(|| eprintln!("{hint}"));
        }
    });
    let followed = followed.await;
    bar.finish_and_clear();
    let server = &args.to.server;
    let ended = followed.with_context(|| format!("job {id} goes on: GET {server}/v1/jobs/{id}"))?;
    if ended.result.is_none() {
        return Err(ended_without(&ended));
    }
    let fetched = fetch(&client, &ended, &args).await;
    fetched.with_context(|| {
        format!(
            "job {id} has ended well, and its PDF is kept: GET {server}{}",
            ended.links.result
        )
    })?;
    let takes_document = args.writes_to_stdout();
    out::tell(takes_document, &outcome(&ended));
    for warning in &ended.warnings {
        let place = place(&warning.path);
        out::tell(
            takes_document,
            &format!("  note: {place}{}", warning.message),
        );
    }
    for out in args.targets() {
        if !target::is_dash(out) {
            out::tell(takes_document, &out.display().to_string());
        }
    }
    if ended.state == State::Succeeded {
        Ok(())
    } else {
        Err(ended_without(&ended))
    }
}

/// Writes the documents of a job to where they were asked for.
async fn fetch(client: &Client, ended: &JobStatus, args: &SubmitArgs) -> anyhow::Result<()> {
    target::write(&args.out, &client.document(&ended.links.result).await?)?;
    let letter = ended.result.iter().flat_map(|result| &result.documents);
    let letter = letter.filter(|document| document.name == DocumentName::CoverLetter);
    for (letter, out) in letter.zip(&args.cover_letter) {
        target::write(out, &client.document(&letter.link).await?)?;
    }
    Ok(())
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
