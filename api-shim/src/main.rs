//! The `api-shim` program: the HTTP front by itself, for a deployment with separate workers.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use api_shim::{App, Settings};
use clap::Parser as _;
use storage::jobs::JobStore;
use storage::{Clock, Entropy};
use telemetry::Shutdown;
use tokio::net::TcpListener;

/// Takes jobs over HTTP, checks them and puts them on the queue.
#[derive(Debug, clap::Parser)]
#[command(version, max_term_width = 100)]
struct Args {
    #[command(flatten)]
    settings: config::SettingsArgs,
}

#[tokio::main]
async fn main() -> ExitCode {
    telemetry::exit_code("api-shim", run(Args::parse()).await)
}

async fn run(args: Args) -> anyhow::Result<()> {
    storage::failpoints::arm();
    let loaded = args.settings.load(Vec::new())?;
    let config = &loaded.config;
    let _log = telemetry::start(&loaded)?;
    let ambient = Arc::new(storage::ambient::System::new());
    let (clock, entropy): (Arc<dyn Clock>, Arc<dyn Entropy>) = (ambient.clone(), ambient);
    let storage = storage::open(&config.storage, &clock, &entropy).await?;
    let jobs = JobStore::new(storage, clock.clone(), entropy.clone(), &config.worker);
    let shutdown = Shutdown::install()?;
    let listen = config.server.listen;
    let listener = TcpListener::bind(listen)
        .await
        .with_context(|| format!("cannot listen on {listen}"))?;
    // On standard output, so that whoever asked for port 0 can read which one it is.
    println!("api-shim listens on http://{}", listener.local_addr()?);
    let app = App::new(jobs, clock, entropy, Settings::new(config)?);
    let grace = config.server.shutdown_grace;
    api_shim::serve(listener, app, shutdown.token(), grace).await?;
    tracing::info!("the server has stopped");
    Ok(())
}
