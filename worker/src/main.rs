//! The `worker` program: jobs from the queue to PDFs.

use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser as _;
use storage::jobs::JobStore;
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
}

#[tokio::main]
async fn main() -> ExitCode {
    telemetry::exit_code("worker", run(Args::parse()).await)
}

async fn run(args: Args) -> anyhow::Result<()> {
    worker::failpoints::arm();
    let loaded = args.settings.load(Vec::new())?;
    let config = &loaded.config;
    let _log = telemetry::start(&loaded)?;
    let ambient = Arc::new(storage::ambient::System::new());
    let (clock, entropy): (Arc<dyn Clock>, Arc<dyn Entropy>) = (ambient.clone(), ambient);
    let storage = storage::open(&config.storage, &clock, &entropy).await?;
    let store = JobStore::new(storage, clock.clone(), entropy.clone(), &config.worker);
    if args.reconcile_once {
        let round = worker::reconciler::reconcile(&store).await?;
        println!(
            "{} open, {} put back, {} closed",
            round.open, round.requeued, round.closed
        );
        return Ok(());
    }
    let editor = worker::editor(config, false)?;
    let renderer = Arc::new(worker::Press::configured(&config.render)?);
    let shutdown = Shutdown::install()?;
    let settings = worker::Settings::new(config);
    let parts = (clock, entropy);
    tracing::info!(editor = ?editor.name(), "the worker starts");
    worker::Worker::new(store, editor, renderer, settings, parts, shutdown.token())
        .run()
        .await;
    tracing::info!("the worker has stopped");
    Ok(())
}
