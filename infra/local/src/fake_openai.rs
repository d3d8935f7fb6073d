//! `presswork fake-openai`: a fake of the Responses API, for trials and tests.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use openai::fake::{Script, Server};
use telemetry::Shutdown;

/// What `--help` says of scripts.
const SCRIPTS: &str = r#"Scripts, in TOML or JSON: every key is optional, and unknown keys are refused.
  latency         time before an answer, such as "200ms", or a range, such as "150ms..250ms"
  [[steps]]       used up in order, one for each well-formed POST /v1/responses
  [default]       what happens when the steps are used up; without it, a reply
  [[retrievals]]  the same for stored responses that are asked for, cancelled or deleted
  background      { queued = "50ms", in_progress = "100ms" }: how long a stored response takes
  [headers]       sent with every answer
  keep_requests   how many requests GET /_requests remembers
A step names by `do` what happens; with any of them go `times` (1) and `latency`:
  reply (text), unknown_items, not_json, breaks_schema, refusal, incomplete (reason), failed (code),
  error (status, code, message, headers, html, accepted), hang, reset (at), close (at), truncated,
  not_a_response, oversized (bytes); at = "before_headers", "after_headers" or "mid_body"

Two calls that are turned away, then replies that take a second:
  latency = "1s"
  [[steps]]
  do = "error"
  status = 429
  headers = { retry-after = "1" }
  times = 2

A running fake takes another one: curl URL/_script --data-binary @script.toml"#;

/// `presswork fake-openai`.
#[derive(Debug, Args)]
#[command(after_help = SCRIPTS)]
pub(crate) struct FakeArgs {
    /// The address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8099")]
    listen: SocketAddr,
    /// How long each reply takes, such as 200ms or 2s; overrides the script's
    #[arg(long, value_name = "DURATION", value_parser = config::parse_duration)]
    latency: Option<Duration>,
    /// What to answer, request by request (JSON or TOML, see below)
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

#[cfg(test)]
mod tests {
    use super::*;
    use openai::fake::Behaviour;

    #[test]
    fn the_example_of_the_help_is_a_script() {
        let (_, example) = SCRIPTS.split_once("take a second:").unwrap();
        let (example, _) = example.split_once("A running fake").unwrap();
        let script = Script::parse(example).unwrap();
        let step = &script.steps[0];
        assert_eq!(step.times, 2);
        assert!(matches!(&step.behaviour, Behaviour::Error(error) if error.status == 429));
    }

    #[test]
    fn the_help_names_every_behaviour_and_key() {
        let (_, names) = SCRIPTS.split_once("and `latency`:").unwrap();
        let (names, _) = names.split_once("; at =").unwrap();
        let mut steps = 0;
        // Commas between names, and within brackets too.
        let mut rest = names.trim();
        while !rest.is_empty() {
            let end = rest.find([',', '(']).unwrap_or(rest.len());
            let name = rest[..end].trim();
            let behaviour = match name {
                "error" => format!("do = '{name}'\nstatus = 500"),
                _ => format!("do = '{name}'"),
            };
            let script = Script::parse(&format!("[[steps]]\n{behaviour}"));
            assert!(script.is_ok(), "{name}: {script:?}");
            steps += 1;
            rest = &rest[end..];
            if rest.starts_with('(') {
                rest = &rest[rest.find(')').unwrap() + 1..];
            }
            rest = rest.trim_start_matches(',').trim_start();
        }
        assert_eq!(steps, 14);
        let keys = serde_json::to_value(Script::default()).unwrap();
        for key in keys.as_object().unwrap().keys() {
            assert!(SCRIPTS.contains(key.as_str()), "{key}");
        }
    }
}
