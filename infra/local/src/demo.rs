//! `presswork demo`: the whole way of one job, through the real HTTP API, step by step.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use clap::Args;
use config::SettingsArgs;
use schemas::job::{Input, JobKind, JobRequest, Options};
use storage::Clock as _;
use storage::ambient::System as Ambient;
use telemetry::Shutdown;
use tokio_util::sync::CancellationToken;

use crate::client::{Client, ended_without};
use crate::follow::{News, Patience, follow};
use crate::submit::{outcome, place};
use crate::system::System;
use crate::target;

/// A call that is out may take minutes; that none can be made is known sooner.
const PATIENCE: Patience = Patience {
    queued: Duration::from_mins(1),
    whole: Duration::from_mins(5),
};

/// Nothing is kept of a demo that broke off, so that what it began need not end.
const GRACE: Duration = Duration::from_secs(2);

/// `presswork demo`.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// The directory for cv.pdf
    #[arg(long, value_name = "DIR", default_value = ".")]
    out: PathBuf,
}

/// Starts a system of its own, sends the sample CV, and leaves `cv.pdf`.
pub(crate) async fn run(settings: SettingsArgs, args: DemoArgs) -> anyhow::Result<()> {
    let clock = Ambient::new();
    let step = |text: &str| println!("{:>7.3} s  {text}", clock.monotonic().as_secs_f64());
    std::fs::create_dir_all(&args.out)
        .with_context(|| format!("cannot make the directory {}", args.out.display()))?;
    let out = args.out.join("cv.pdf");
    target::check(&[&out], &[])?;
    // Before there is a store that would be left behind.
    let shutdown = Shutdown::install()?.token();
    let store = tempfile::tempdir().context("cannot make a temporary directory")?;
    let loaded = settings.load(own_settings(store.path()))?;
    let _log = telemetry::start(&loaded, "presswork")?;

    let system = System::start(&loaded.config, CancellationToken::new()).await?;
    step(&format!(
        "system up at http://{}, with a store of its own",
        system.address()
    ));
    let server = format!("http://{}", system.address());
    let made = tokio::select! {
        made = make(&server, &out, &step) => made,
        () = shutdown.cancelled() => Err(anyhow!("stopped before the PDF was there")),
    };
    if made.is_ok() {
        system.stop().await?;
    } else if let Ok(stopped) = tokio::time::timeout(GRACE, system.stop()).await {
        stopped?;
    }
    made
}

async fn make(server: &str, out: &Path, step: &impl Fn(&str)) -> anyhow::Result<()> {
    let client = Client::new(server, None)?;
    let cv = serde_json::from_str(schemas::cv::SAMPLE).context("the sample CV is broken")?;
    let request = JobRequest {
        kind: JobKind::Cv,
        input: Input::Cv(cv),
        options: Options::default(),
        metadata: std::collections::BTreeMap::new(),
        not_before: None,
        callback_url: None,
    };
    let accepted = client.submit(&request, "demo").await?;
    step(&format!(
        "job {} accepted (POST /v1/jobs answered 202)",
        accepted.id
    ));
    let id = accepted.id;
    let followed = follow(&client, accepted, PATIENCE, |_, news| {
        if let Some(News::Step(text) | News::Hint(text)) = news {
            step(&text);
        }
    });
    let ended = followed.await?;
    if ended.result.is_none() {
        return Err(ended_without(&ended));
    }
    let pdf = client.document(&ended.links.result).await;
    let written = pdf.and_then(|pdf| target::write(out, &pdf));
    written.with_context(|| format!("job {id} has ended well"))?;
    step(&outcome(&ended));
    for warning in &ended.warnings {
        println!(
            "           note: {}{}",
            place(&warning.path),
            warning.message
        );
    }
    step(&format!("the PDF is {}", out.display()));
    Ok(())
}

/// A store that is gone afterwards, on a free port; log lines only if something is wrong.
fn own_settings(store: &Path) -> Vec<(String, String)> {
    let own = [
        ("storage.backend", "embedded".to_owned()),
        ("storage.data_dir", store.display().to_string()),
        ("server.listen", "127.0.0.1:0".to_owned()),
        ("auth.anonymous", "auto".to_owned()),
        ("limits.enabled", "off".to_owned()),
        ("limits.proxy_hops", "0".to_owned()),
        // That a call is turned away is said once, by what is said of the job.
        ("log.level", "warn,worker::editor=error".to_owned()),
    ];
    own.into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect()
}
