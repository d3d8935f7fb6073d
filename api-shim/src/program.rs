//! The `api-shim` program: the HTTP front by itself, for a deployment with separate workers. Its
//! `main` is in the library, so that one file of a container image can be all programs.

use std::process::ExitCode;
use std::sync::Arc;

use crate::{App, Settings};
use anyhow::Context as _;
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

/// Runs the program with the arguments of this process. Exit codes: 0 done, 1 failed, 2 wrong
/// arguments.
#[tokio::main]
pub async fn program() -> ExitCode {
    telemetry::exit_code("api-shim", run(Args::parse()).await)
}

async fn run(args: Args) -> anyhow::Result<()> {
    storage::failpoints::arm();
    let loaded = args.settings.load(Vec::new())?;
    let config = &loaded.config;
    let _log = telemetry::start(&loaded, "presswork-api-shim")?;
    let ambient = Arc::new(storage::ambient::System::new());
    let (clock, entropy): (Arc<dyn Clock>, Arc<dyn Entropy>) = (ambient.clone(), ambient);
    let storage = storage::open(&config.storage, &clock, &entropy).await?;
    let storage = crate::observed(storage, &clock);
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
    crate::serve(listener, app, shutdown.token(), grace).await?;
    tracing::info!("the server has stopped");
    Ok(())
}
