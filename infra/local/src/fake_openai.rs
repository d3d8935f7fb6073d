//! `presswork fake-openai`: a fake of the Responses API, for trials and tests.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use openai::fake::{Script, Server};
use telemetry::Shutdown;

/// `presswork fake-openai`.
#[derive(Debug, Args)]
pub(crate) struct FakeArgs {
    /// The address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8099")]
    listen: SocketAddr,
    /// How long each reply takes, such as 200ms or 2s; overrides the script's
    #[arg(long, value_name = "DURATION", value_parser = config::parse_duration)]
    latency: Option<Duration>,
    /// What to answer, request by request (JSON or TOML)
    #[arg(long, value_name = "FILE")]
    script: Option<PathBuf>,
}

/// Serves until SIGTERM or Ctrl-C.
pub(crate) async fn run(args: FakeArgs) -> anyhow::Result<()> {
    let mut script = match &args.script {
        None => Script::default(),
        Some(path) => {
            let shown = path.display();
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("cannot read the script {shown}"))?;
            Script::parse(&text).with_context(|| format!("{shown} is not a script"))?
        }
    };
    if let Some(latency) = args.latency {
        script.latency = latency.into();
    }
    let shutdown = Shutdown::install()?;
    let server = Server::start(args.listen, script)
        .with_context(|| format!("cannot listen on {}", args.listen))?;
    println!(
        "A fake model answers at {}; what it counted is at /_calls.",
        server.base_url()
    );
    println!(
        "OPENAI_API_KEY=fake OPENAI_BASE_URL={} presswork serve",
        server.base_url()
    );
    shutdown.requested().await;
    server.stop().await;
    Ok(())
}
