//! Loads the configuration for a command.

use anyhow::Context as _;
use config::{Config, Loaded, Sources};

use crate::cli::SettingsArgs;

/// The configuration from all sources. `own` are the command's own arguments: they win.
pub fn load(args: SettingsArgs, own: Vec<(String, String)>) -> anyhow::Result<Loaded> {
    let mut overrides = args.set;
    overrides.extend(own);
    let sources = Sources::from_process(args.config, overrides)?;
    Ok(Config::load(&sources)?)
}

/// Log lines as configured, to standard error, with what is odd about the configuration first.
pub fn start_log(loaded: &Loaded) -> anyhow::Result<telemetry::Guard> {
    let log = &loaded.config.log;
    let format = match log.format {
        config::LogFormat::Text => telemetry::LogFormat::Text,
        config::LogFormat::Json => telemetry::LogFormat::Json,
    };
    let settings = telemetry::LogSettings { filter: log.level.clone(), format };
    let guard = telemetry::init(&settings).context("logging cannot start")?;
    for note in &loaded.notes {
        tracing::warn!("{note}");
    }
    Ok(guard)
}
