//! The `api-shim` program: the HTTP front by itself, for a deployment with separate workers.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use api_shim::{App, Settings};
use clap::Parser as _;
use config::{Config, Sources};
use storage::jobs::JobStore;
use storage::{Clock, Entropy};
use telemetry::Shutdown;
use tokio::net::TcpListener;

/// Takes jobs over HTTP and puts them on the queue.
#[derive(Debug, clap::Parser)]
#[command(version, max_term_width = 100)]
struct Args {
    /// A configuration file (TOML); by default ./presswork.toml if it is there
    #[arg(long, value_name = "FILE", env = "PRESSWORK_CONFIG")]
    config: Option<PathBuf>,
    /// Sets one setting, such as `--set server.listen=0.0.0.0:8080`
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    set: Vec<(String, String)>,
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
            eprintln!("api-shim: {e}");
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
    let format = match config.log.format {
        config::LogFormat::Text => telemetry::LogFormat::Text,
        config::LogFormat::Json => telemetry::LogFormat::Json,
    };
    let log = telemetry::LogSettings { filter: config.log.level.clone(), format };
    let _log = telemetry::init(&log).context("logging cannot start")?;
    for note in &loaded.notes {
        tracing::warn!("{note}");
    }
    let ambient = Arc::new(storage::ambient::System::new());
    let (clock, entropy): (Arc<dyn Clock>, Arc<dyn Entropy>) = (ambient.clone(), ambient);
    let storage = storage::open(&config.storage, &clock, &entropy)?;
    let jobs = JobStore::new(storage, clock.clone(), entropy.clone(), &config.worker);
    let shutdown = Shutdown::install()?;
    let listen = config.server.listen;
    let listener =
        TcpListener::bind(listen).await.with_context(|| format!("cannot listen on {listen}"))?;
    tracing::info!("listening on http://{}", listener.local_addr()?);
    let app = App::new(jobs, clock, entropy, Settings::new(config));
    api_shim::serve(listener, app, shutdown.token(), config.server.shutdown_grace).await?;
    tracing::info!("the server has stopped");
    Ok(())
}
