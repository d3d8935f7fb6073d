//! The command-line arguments about settings, the same for every program.

use std::path::PathBuf;
use std::time::Duration;

use crate::error::ConfigError;
use crate::{Config, Loaded, Sources, humane};

/// Where settings come from, besides the defaults and the environment.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct SettingsArgs {
    /// A configuration file (TOML) [default: $PRESSWORK_CONFIG, else ./presswork.toml if it exists]
    #[arg(long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
    /// Sets one setting, such as `--set worker.concurrency=8`; `presswork config` lists them
    #[arg(long, value_name = "KEY=VALUE", global = true, value_parser = key_value)]
    pub set: Vec<(String, String)>,
}

impl SettingsArgs {
    /// Loads the configuration. `own` are the command's own arguments as settings: they win.
    pub fn load(self, own: Vec<(String, String)>) -> Result<Loaded, ConfigError> {
        let mut overrides = self.set;
        overrides.extend(own);
        Config::load(&Sources::from_process(self.config, overrides)?)
    }
}

/// A duration as the configuration takes it: `300ms`, `90s`, `1m30s`; a bare number is seconds.
/// The error says what is expected.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    humane::duration(text.trim())
}

fn key_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("expected KEY=VALUE")?;
    Ok((key.trim().to_owned(), value.to_owned()))
}
