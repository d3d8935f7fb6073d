//! The `worker` program: jobs from the queue to PDFs. Its `main` is in the library, so that one file
//! of a container image can be all programs.

use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser as _;
use storage::jobs::JobStore;
use storage::webhooks::WebhookStore;
use storage::{Clock, Entropy};
use telemetry::Shutdown;

/// Pulls jobs from the queue, calls the model at most once for each, and renders the PDFs.
#[derive(Debug, clap::Parser)]
#[command(version, max_term_width = 100)]
struct Args {
    #[command(flatten)]
    settings: config::SettingsArgs,
    /// Put stranded jobs back on the queue once, then exit: for a scheduled task
    #[arg(long)]
    reconcile_once: bool,
    /// Remove once what has been kept long enough, then exit: for a scheduled task
    #[arg(long, conflicts_with = "reconcile_once")]
    retention_once: bool,
}

/// Runs the program with the arguments of this process. Exit codes: 0 done, 1 failed, 2 wrong
/// arguments.
#[tokio::main]
pub async fn program() -> ExitCode {
    telemetry::exit_code("worker", run(Args::parse()).await)
}

async fn run(args: Args) -> anyhow::Result<()> {
    crate::failpoints::arm();
    let loaded = args.settings.load(Vec::new())?;
    let config = &loaded.config;
    let _log = telemetry::start(&loaded, "presswork-worker")?;
    let ambient = Arc::new(storage::ambient::System::new());
    let (clock, entropy): (Arc<dyn Clock>, Arc<dyn Entropy>) = (ambient.clone(), ambient);
    let storage = storage::open(&config.storage, &clock, &entropy).await?;
    let storage = crate::observed(storage, &clock);
    let store = JobStore::new(storage, clock.clone(), entropy.clone(), &config.worker);
    if args.reconcile_once {
        // Before the round: what it puts back is new on its queue.
        crate::watch::work_queues(store.storage(), &*clock).await;
        let webhooks = WebhookStore::new(store.clone(), clock, entropy, &config.webhooks);
        let round = crate::reconciler::reconcile(&store, &webhooks).await?;
        println!(
            "{} open, {} put back, {} closed, {} notifications put back",
            round.open, round.requeued, round.closed, round.notices
        );
        return Ok(());
    }
    // What is removed needs no editor; the provider is asked to delete its copies where it is known.
    let editor = crate::editor(config, args.retention_once)?;
    let name = format!("{:?}", editor.name());
    let renderer = Arc::new(crate::Press::configured(&config.render)?);
    let shutdown = Shutdown::install()?;
    let settings = crate::Settings::new(config);
    let parts = (clock, entropy);
    let worker = crate::Worker::new(store, editor, renderer, settings, parts, shutdown.token());
    if args.retention_once {
        return Ok(worker.retain_once().await?);
    }
    tracing::info!(editor = name, "the worker starts");
    worker.run().await;
    tracing::info!("the worker has stopped");
    Ok(())
}
