//! `presswork health`: one request, and an exit code. An image without a shell has nothing else to
//! check itself with.

use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;

use crate::client::url;

/// `presswork health`.
#[derive(Debug, Args)]
pub(crate) struct HealthArgs {
    /// What to ask: any answer but a 2xx is a failure
    #[arg(
        long,
        value_name = "URL",
        default_value = "http://127.0.0.1:8080/readyz",
        value_parser = url
    )]
    endpoint: String,
    /// Longest time for the answer, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..=60))]
    timeout: u64,
}

/// Asks once.
pub(crate) async fn run(args: &HealthArgs) -> anyhow::Result<()> {
    let http = reqwest::Client::builder()
        .timeout(Duration::from_secs(args.timeout))
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()?;
    let sent = http.get(&args.endpoint).send().await;
    let status = sent
        .with_context(|| format!("no answer from {}", args.endpoint))?
        .status();
    if !status.is_success() {
        bail!("{} answers {status}", args.endpoint);
    }
    Ok(())
}
