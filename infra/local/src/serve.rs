//! `presswork serve`: everything in one process.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use config::{Backend, SettingsArgs};
use schemas::job::Editor;
use telemetry::Shutdown;

use crate::system::System;

/// `presswork serve`.
#[derive(Clone, Debug, Default, PartialEq, Args)]
pub(crate) struct ServeArgs {
    /// Where data is kept: embedded (one SQLite file) or azure (Azure Storage) [default: embedded]
    #[arg(long, value_name = "WHICH")]
    storage: Option<String>,
    /// The directory of the store; made at need [default: ./presswork-data]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The address to listen on; port 0 takes a free one [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
}

/// Who is served, in words.
fn who_may_call(config: &config::Config) -> &'static str {
    match (config.serves_anonymous(), config.auth.anonymous) {
        (false, _) => "Callers need an API key (`presswork keys create`) or a token.",
        (true, config::Anonymous::On) => {
            "ANYBODY who reaches this address may use it without a key: auth.anonymous is on."
        }
        (true, _) => {
            "Anonymous use is on: everybody on this machine may call without a key, as the tenant \
             \"anonymous\". At other addresses keys are needed (`presswork keys create`)."
        }
    }
}

/// Serves until SIGTERM or Ctrl-C.
pub(crate) async fn run(settings: SettingsArgs, args: ServeArgs) -> anyhow::Result<()> {
    let mut own = Vec::new();
    if let Some(storage) = args.storage {
        own.push(("storage.backend".to_owned(), storage));
    }
    if let Some(data) = args.data {
        own.push(("storage.data_dir".to_owned(), data.display().to_string()));
    }
    if let Some(listen) = args.listen {
        own.push(("server.listen".to_owned(), listen.to_string()));
    }
    let loaded = settings.load(own)?;
    let _log = telemetry::start(&loaded, "presswork")?;
    let shutdown = Shutdown::install()?;
    let system = System::start(&loaded.config, shutdown.token()).await?;
    let place = match loaded.config.storage.backend {
        Backend::Embedded => loaded.config.storage.data_dir.display().to_string(),
        Backend::Azure => "Azure Storage".to_owned(),
    };
    println!(
        "Presswork listens on http://{} and keeps its data in {place}.",
        system.address()
    );
    match system.editor() {
        Editor::Model => println!("A model edits: at most one call per job."),
        Editor::Offline => println!(
            "No model is configured: the offline editor tidies the caller's own text and calls \
             nobody.\nSet OPENAI_API_KEY for a model."
        ),
    }
    println!("{} Ctrl-C stops it.", who_may_call(&loaded.config));
    system.finished().await
}
