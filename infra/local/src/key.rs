//! The key that commands call a server with, given in the same three ways to each.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use reqwest::header::HeaderValue;

use crate::client::base_url;

/// What to do where the server answers 401.
pub(crate) const HOW: &str = "Give a valid key with --key, --key-file or PRESSWORK_API_KEY; `presswork keys create` makes one";

/// The key to call with.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct KeyArgs {
    /// The API key or token, where the server asks for one (`presswork keys create`)
    #[arg(
        long,
        value_name = "KEY",
        env = config::API_KEY_VARIABLE,
        hide_env_values = true
    )]
    key: Option<String>,
    /// A file with the key, in place of --key: other users of the machine see arguments
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
}

/// The server to call.
#[derive(Clone, Debug, Args)]
pub(crate) struct ServerArgs {
    /// The server
    #[arg(
        long,
        alias = "endpoint",
        value_name = "URL",
        default_value = "http://127.0.0.1:8080",
        value_parser = base_url
    )]
    pub(crate) server: String,
    #[command(flatten)]
    pub(crate) key: KeyArgs,
}

impl KeyArgs {
    /// The value of `Authorization`, if there is a key; an empty one is none. This header rather than
    /// `X-API-Key`, since a client that is sent on to another host leaves it behind.
    pub(crate) fn authorization(&self) -> anyhow::Result<Option<HeaderValue>> {
        let key = match &self.key_file {
            Some(path) => {
                let shown = path.display();
                let read = std::fs::read_to_string(path);
                Some(read.with_context(|| format!("cannot read the key in {shown}"))?)
            }
            None => self.key.clone(),
        };
        let Some(key) = key.filter(|key| !key.trim().is_empty()) else {
            return Ok(None);
        };
        let value = HeaderValue::try_from(format!("Bearer {}", key.trim()));
        let mut value = value.context("that is no API key: it has characters that no key has")?;
        value.set_sensitive(true);
        Ok(Some(value))
    }
}
