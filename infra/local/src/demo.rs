//! `presswork demo`: the whole way of one job, through the real HTTP API, step by step.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use config::SettingsArgs;
use schemas::job::{Input, JobKind, JobRequest, Options};
use storage::Clock as _;
use storage::ambient::System as Ambient;
use tokio_util::sync::CancellationToken;

use crate::client::{Client, ended_without};
use crate::submit::{outcome, place, say};
use crate::system::System;

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
    let store = tempfile::tempdir().context("cannot make a temporary directory")?;
    let loaded = settings.load(own_settings(store.path()))?;
    let _log = telemetry::start(&loaded, "presswork")?;

    let system = System::start(&loaded.config, CancellationToken::new()).await?;
    step(&format!(
        "system up at http://{}, with a store of its own",
        system.address()
    ));
    let made = make(&format!("http://{}", system.address()), &out, &step).await;
    system.stop().await?;
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
    let wait = Duration::from_mins(5);
    let follow = client.follow(accepted, |status| step(&say(status)));
    let ended = tokio::time::timeout(wait, follow)
        .await
        .context("the job did not end in 300 s")??;
    if ended.result.is_none() {
        return Err(ended_without(&ended));
    }
    let pdf = client.document(&ended.links.result).await?;
    std::fs::write(out, &pdf).with_context(|| format!("cannot write {}", out.display()))?;
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
        ("log.level", "warn".to_owned()),
    ];
    own.into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect()
}
