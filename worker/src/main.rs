//! The `worker` program: jobs from the queue to PDFs.

use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser as _;
use config::{Config, Sources};
use storage::jobs::JobStore;
use storage::{Clock, Entropy};
use telemetry::Shutdown;

/// Pulls jobs from the queue, calls the model at most once for each, and renders the PDFs.
#[derive(Debug, clap::Parser)]
#[command(version, max_term_width = 100)]
struct Args {
    /// A configuration file (TOML); by default ./presswork.toml if it is there
    #[arg(long, value_name = "FILE", env = "PRESSWORK_CONFIG")]
    config: Option<std::path::PathBuf>,
    /// Sets one setting, such as `--set worker.concurrency=8`
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    set: Vec<(String, String)>,
    /// Put stranded jobs back on the queue once, then exit: for a scheduled task
    #[arg(long)]
    reconcile_once: bool,
}

fn key_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("expected KEY=VALUE")?;
    Ok((key.trim().to_owned(), value.to_owned()))
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("worker: {e}");
            for cause in e.chain().skip(1) {
                eprintln!("  because: {cause}");
            }
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> anyhow::Result<()> {
    let loaded = Config::load(&Sources::from_process(args.config, args.set)?)?;
    let config = &loaded.config;
    let _log = telemetry::init(&worker::log_settings(config))?;
    for note in &loaded.notes {
        tracing::warn!("{note}");
    }
    let ambient = Arc::new(storage::ambient::System::new());
    let (clock, entropy): (Arc<dyn Clock>, Arc<dyn Entropy>) = (ambient.clone(), ambient);
    let storage = storage::open(&config.storage, &clock, &entropy)?;
    let settings = worker::store_settings(config);
    let store = JobStore::new(storage, clock.clone(), entropy.clone(), settings);
    if args.reconcile_once {
        let round = worker::reconciler::reconcile(&store).await?;
        println!("{} open, {} put back, {} closed", round.open, round.requeued, round.closed);
        return Ok(());
    }
    let editor = worker::editor(config, false)?;
    let renderer = Arc::new(render::Engine::new()?);
    let shutdown = Shutdown::install()?;
    let settings = worker::Settings::new(config);
    let parts = (clock, entropy);
    tracing::info!(editor = ?editor.name(), "the worker starts");
    worker::Worker::new(store, editor, renderer, settings, parts, shutdown.token()).run().await;
    tracing::info!("the worker has stopped");
    Ok(())
}
