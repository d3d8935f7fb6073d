//! The commands and their arguments.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use config::SettingsArgs;
use schemas::job::{Language, OnModelFailure, Options, Pages};

use crate::{demo, fake_openai, poison, render, serve, show_config, submit};

/// Turns a CV into a polished PDF, asynchronously, with at most one model call per job.
///
/// Without a command it serves: everything in one process, on one SQLite file.
#[derive(Debug, Parser)]
#[command(
    name = "presswork",
    version,
    max_term_width = 100,
    args_conflicts_with_subcommands = true
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    settings: SettingsArgs,
    #[command(flatten)]
    serve: ServeArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serves the HTTP API and works on jobs, in one process (the default)
    Serve(ServeArgs),
    /// Makes a sample CV through the real HTTP API and leaves it as cv.pdf
    Demo(DemoArgs),
    /// Renders a CV in JSON to a PDF, without server and without model
    Render(RenderArgs),
    /// Submits a CV in JSON to a running server and fetches the PDF
    Submit(SubmitArgs),
    /// Shows the effective configuration and where each value comes from
    Config(ConfigArgs),
    /// Messages that were set aside because nobody could handle them
    #[command(subcommand)]
    Poison(PoisonCommand),
    /// Serves a fake of the OpenAI Responses API, for trials and tests
    FakeOpenai(FakeArgs),
}

/// `presswork poison`.
#[derive(Debug, Subcommand)]
pub(crate) enum PoisonCommand {
    /// Lists them: id, time, job, reason
    List(PoisonQueueArgs),
    /// Shows one whole
    Show(PoisonMessageArgs),
    /// Puts one back to work: its job goes on from where it stood
    Requeue(PoisonMessageArgs),
    /// Deletes one; its job stays as it is
    Drop(PoisonMessageArgs),
}

/// Which poison queue, and where it is.
#[derive(Debug, Args)]
pub(crate) struct PoisonQueueArgs {
    /// The directory of the embedded store [default: ./presswork-data]
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Notifications instead of jobs
    #[arg(long)]
    pub(crate) notifications: bool,
}

/// Which message.
#[derive(Debug, Args)]
pub(crate) struct PoisonMessageArgs {
    /// The message's id, as `poison list` shows it, or `all`
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) queue: PoisonQueueArgs,
}

/// `presswork serve`.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ServeArgs {
    /// Where data is kept: embedded (one SQLite file) or azure (Azure Storage) [default: embedded]
    #[arg(long, value_name = "WHICH")]
    pub(crate) storage: Option<String>,
    /// The directory of the store; made at need [default: ./presswork-data]
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// The address to listen on; port 0 takes a free one [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) listen: Option<SocketAddr>,
}

/// `presswork demo`.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// The directory for cv.pdf
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) out: PathBuf,
}

/// `presswork render`.
#[derive(Debug, Args)]
pub(crate) struct RenderArgs {
    /// The CV, as JSON; `-` reads standard input
    pub(crate) input: PathBuf,
    /// The PDF to write
    #[arg(long, value_name = "FILE.pdf")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) options: OptionArgs,
    /// The time to stamp into the PDF (RFC 3339), for the same bytes at every run [default: now]
    #[arg(long, value_name = "TIME")]
    pub(crate) created: Option<jiff::Timestamp>,
}

/// `presswork submit`.
#[derive(Debug, Args)]
pub(crate) struct SubmitArgs {
    /// The CV, as JSON; `-` reads standard input
    pub(crate) input: PathBuf,
    /// The server
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080")]
    pub(crate) server: String,
    /// The PDF to write
    #[arg(long, value_name = "FILE.pdf")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) options: OptionArgs,
    /// A text file with the job posting that the CV is for
    #[arg(long, value_name = "FILE")]
    pub(crate) posting: Option<PathBuf>,
    /// Make it anew even if equal content has its PDF already
    #[arg(long)]
    pub(crate) force: bool,
    /// Render your own text if the model gives nothing, instead of failing
    #[arg(long)]
    pub(crate) unpolished_on_failure: bool,
    /// How long to wait for the job, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    pub(crate) wait: u64,
}

/// How a document is made.
#[derive(Clone, Debug, Args)]
pub(crate) struct OptionArgs {
    /// The language of the document: en, de or pl [default: the CV's own, else en]
    #[arg(long, value_name = "LANGUAGE", value_parser = language)]
    pub(crate) language: Option<Language>,
    /// The most pages: 1, 2, 3, 4, or auto for as many as it needs
    #[arg(long, value_name = "N|auto", value_parser = pages, default_value = "2")]
    pub(crate) pages: Pages,
}

/// `presswork config`.
#[derive(Debug, Args)]
pub(crate) struct ConfigArgs {
    /// As JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `presswork fake-openai`.
#[derive(Debug, Args)]
pub(crate) struct FakeArgs {
    /// The address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8099")]
    pub(crate) listen: SocketAddr,
    /// How long each reply takes, such as 200ms or 2s; overrides the script's
    #[arg(long, value_name = "DURATION", value_parser = config::parse_duration)]
    pub(crate) latency: Option<std::time::Duration>,
    /// What to answer, request by request (JSON or TOML)
    #[arg(long, value_name = "FILE")]
    pub(crate) script: Option<PathBuf>,
}

impl OptionArgs {
    /// As the API takes them.
    pub(crate) fn to_options(&self) -> Options {
        Options {
            language: self.language,
            pages: self.pages,
            ..Options::default()
        }
    }
}

impl SubmitArgs {
    /// As the API takes them; the posting comes from its file.
    pub(crate) fn to_options(&self, posting: Option<String>) -> Options {
        let mut options = self.options.to_options();
        options.job_posting = posting;
        options.force = self.force;
        if self.unpolished_on_failure {
            options.on_model_failure = OnModelFailure::RenderUnpolished;
        }
        options
    }
}

/// Runs a command.
pub(crate) async fn run(cli: Cli) -> anyhow::Result<()> {
    let settings = cli.settings;
    match cli.command {
        None => serve::run(settings, cli.serve).await,
        Some(Command::Serve(args)) => serve::run(settings, args).await,
        Some(Command::Demo(args)) => demo::run(settings, args).await,
        Some(Command::Render(args)) => render::run(&args),
        Some(Command::Submit(args)) => submit::run(args).await,
        Some(Command::Config(args)) => show_config::run(settings, &args),
        Some(Command::Poison(command)) => poison::run(settings, command).await,
        Some(Command::FakeOpenai(args)) => fake_openai::run(args).await,
    }
}

fn language(text: &str) -> Result<Language, String> {
    Language::from_tag(text).ok_or_else(|| "expected en, de or pl".to_owned())
}

fn pages(text: &str) -> Result<Pages, String> {
    match (text, text.parse::<u8>()) {
        ("auto", _) => Ok(Pages::Auto),
        (_, Ok(n @ 1..=4)) => Ok(Pages::AtMost(n)),
        _ => Err("expected 1, 2, 3, 4 or auto".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
