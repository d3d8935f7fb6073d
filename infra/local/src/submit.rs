//! `presswork submit`: a job on a running server, with a progress bar.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};
use indicatif::{ProgressBar, ProgressStyle};
use schemas::job::{DocumentName, Input, JobKind, JobRequest, JobStatus, Phase, State};
use storage::ambient::{System, random};

use crate::cli::SubmitArgs;
use crate::client::{Client, ended_without};
use crate::render::read_json;

/// Submits, follows and fetches.
pub(crate) async fn run(args: SubmitArgs) -> anyhow::Result<()> {
    let cv = read_json(&args.input)?;
    let posting = args.posting.as_ref().map(|path| {
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
    });
    let options = args.to_options(posting.transpose()?);
    let metadata = std::collections::BTreeMap::new();
    let request = JobRequest {
        kind: JobKind::Cv,
        input: Input::Cv(cv),
        options,
        metadata,
        not_before: None,
        callback_url: None,
    };
    let credential = args.key_file.as_ref().map(|path| {
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
    });
    let client = Client::new(&args.server, credential.transpose()?.as_deref())?;
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
            args.server
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
