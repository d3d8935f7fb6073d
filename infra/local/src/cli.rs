//! The commands and their arguments.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use config::SettingsArgs;
use schemas::job::{Language, Letter, OnModelFailure, Options, Output, PageSize, Pages, ThemeName};

use crate::backup::{BackupArgs, RestoreArgs};
use crate::deadletter::DeadLetterCommand;
use crate::export::ExportArgs;
use crate::health::HealthArgs;
use crate::import::ImportArgs;
use crate::listen::ListenArgs;
use crate::smoke::SmokeArgs;
use crate::store::StoreArgs;
use crate::{
    backup, check, deadletter, demo, doctor, export, extract, fake_openai, health, held, import,
    keys, ledger, listen, poison, render, serve, show_config, smoke, submit, themes,
};

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
    /// Reads the CV out of a Word document, a text, one of our PDFs or JSON, without a model
    Extract(ExtractArgs),
    /// Checks that a rewritten CV claims only what its source says
    Check(CheckArgs),
    /// Lists the themes, and draws a sample of each
    Themes(ThemesArgs),
    /// Submits a CV in JSON to a running server and fetches the PDF
    Submit(SubmitArgs),
    /// Shows the effective configuration and where each value comes from
    Config(ConfigArgs),
    /// Messages that were set aside because nobody could handle them
    #[command(subcommand)]
    Poison(PoisonCommand),
    /// Deliveries to webhooks that were given up
    #[command(subcommand)]
    Deadletter(DeadLetterCommand),
    /// Shows a tenant's events, and forwards them to a local address, while developing
    Listen(ListenArgs),
    /// API keys: make, list, rotate, revoke
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    /// What model calls took and cost, by tenant and day; exit code 1 if a job had too many
    Ledger(LedgerArgs),
    /// Checks settings, storage and model, and says what to mend; exit code 1 if a check fails
    Doctor(DoctorArgs),
    /// Tries a deployment: health, cleanup, a real PDF, the latch, deletion; exit code 1 at a failure
    Smoke(SmokeArgs),
    /// Asks a server whether it is ready; exit code 1 if not: for a container's health check
    Health(HealthArgs),
    /// Copies the embedded store into one file, while it is in use
    Backup(BackupArgs),
    /// Puts a backup in place of the embedded store, which nothing may use meanwhile
    Restore(RestoreArgs),
    /// Writes all rows and blobs of the store, whichever it is, as JSON lines
    Export(ExportArgs),
    /// Reads an export into an empty store, whichever it is
    Import(ImportArgs),
    /// Jobs that are held after a restore (`doctor --after-restore`)
    #[command(subcommand)]
    Held(HeldCommand),
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
    Requeue(RequeueArgs),
    /// Deletes one; its job stays as it is
    Drop(PoisonMessageArgs),
}

/// Which poison queue, and where it is.
#[derive(Debug, Args)]
pub(crate) struct PoisonQueueArgs {
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    /// Notifications instead of jobs
    #[arg(long)]
    pub(crate) notifications: bool,
}

/// `presswork poison requeue`.
#[derive(Debug, Args)]
pub(crate) struct RequeueArgs {
    #[command(flatten)]
    pub(crate) message: PoisonMessageArgs,
    /// Agrees to pay for another call where the outcome of the last one is unknown
    #[arg(long)]
    pub(crate) consent: bool,
}

/// Which message.
#[derive(Debug, Args)]
pub(crate) struct PoisonMessageArgs {
    /// The message's id, as `poison list` shows it, or `all`
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) queue: PoisonQueueArgs,
}

/// `presswork ledger`.
#[derive(Debug, Args)]
pub(crate) struct LedgerArgs {
    /// The first day to count (UTC), such as 2026-11-01
    #[arg(long, value_name = "DATE")]
    pub(crate) since: jiff::civil::Date,
    /// The last day to count (UTC) [default: all that follow]
    #[arg(long, value_name = "DATE")]
    pub(crate) until: Option<jiff::civil::Date>,
    /// One tenant alone
    #[arg(long, value_name = "TENANT")]
    pub(crate) tenant: Option<String>,
    /// As JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

/// `presswork doctor`.
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// For a store that was restored from a backup or failed over, before any worker is started:
    /// holds every job that may have been called, until `presswork held release`
    #[arg(long)]
    pub(crate) after_restore: bool,
    /// Holds queued jobs too that had no call yet when the backup was made: for a store that was
    /// worked on after that
    #[arg(long, requires = "after_restore")]
    pub(crate) queued_too: bool,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

/// `presswork held`.
#[derive(Debug, Subcommand)]
pub(crate) enum HeldCommand {
    /// Lists them: job, time of submission, last call
    List(StoreArgs),
    /// Lets jobs go on; those without a stored reply are called again, and perhaps paid for again
    Release(HeldJobArgs),
    /// Gives jobs up: their outcome stays unknown
    Drop(HeldJobArgs),
}

/// Which held job.
#[derive(Debug, Args)]
pub(crate) struct HeldJobArgs {
    /// The job's id, or `all`
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
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

/// `presswork extract`.
#[derive(Debug, Args)]
pub(crate) struct ExtractArgs {
    /// The document (.docx, text, a PDF made by Presswork, a CV or JSON Resume in JSON); `-` reads
    /// standard input
    pub(crate) input: PathBuf,
    /// What to print
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: ExtractFormat,
    /// Short for --format json
    #[arg(long, conflicts_with_all = ["report", "format"])]
    pub(crate) json: bool,
    /// Short for --format report
    #[arg(long, conflicts_with = "format")]
    pub(crate) report: bool,
    /// Leave the photo out
    #[arg(long)]
    pub(crate) no_photo: bool,
}

/// What `presswork extract` prints.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum ExtractFormat {
    /// The CV, sources and what was not placed
    #[default]
    Json,
    /// One line a value: field, value, place in the document, certainty
    Report,
    /// A page of its own
    Html,
    /// Plain text with marks
    Markdown,
    /// The CV as JSON Resume (jsonresume.org)
    JsonResume,
}

/// `presswork render`.
#[derive(Debug, Args)]
pub(crate) struct RenderArgs {
    /// The CV, as JSON; `-` reads standard input
    pub(crate) input: PathBuf,
    /// The PDF to write
    #[arg(long, value_name = "FILE.pdf", required_unless_present = "png")]
    pub(crate) out: Option<PathBuf>,
    /// Draw the pages too, as FILE-1.png and so on: beside the PDF, or, without --out, alone and
    /// named for the input
    #[arg(long)]
    pub(crate) png: bool,
    /// The one page to draw
    #[arg(long, value_name = "N", requires = "png", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) page: Option<u32>,
    /// How wide to draw, in pixels
    #[arg(long, value_name = "PX", requires = "png", default_value_t = 800)]
    pub(crate) width: u32,
    #[command(flatten)]
    pub(crate) options: OptionArgs,
    /// A theme of your own, as a TOML file, in place of --theme
    #[arg(long, value_name = "FILE.toml", conflicts_with = "theme")]
    pub(crate) theme_file: Option<PathBuf>,
    /// A directory of further fonts, for scripts that the built-in ones do not have
    #[arg(long, value_name = "DIR")]
    pub(crate) fonts: Option<PathBuf>,
    /// A JPEG or PNG file to take as the photo, in place of the CV's own
    #[arg(long, value_name = "FILE")]
    pub(crate) photo: Option<PathBuf>,
    /// The time to stamp into the PDF (RFC 3339), for the same bytes at every run [default: now]
    #[arg(long, value_name = "TIME")]
    pub(crate) created: Option<jiff::Timestamp>,
}

/// `presswork themes`.
#[derive(Debug, Args)]
pub(crate) struct ThemesArgs {
    /// A directory for a sample of each theme, as PDF and as pictures of its pages; made at need
    #[arg(long, value_name = "DIR")]
    pub(crate) preview: Option<PathBuf>,
    /// A directory of themes of your own, to list too
    #[arg(long, value_name = "DIR")]
    pub(crate) themes: Option<PathBuf>,
    /// A directory of further fonts, for themes that name them
    #[arg(long, value_name = "DIR")]
    pub(crate) fonts: Option<PathBuf>,
}

/// `presswork check`.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// The CV that is the evidence, as JSON
    pub(crate) source: PathBuf,
    /// The CV that was made from it, as JSON
    pub(crate) reply: PathBuf,
    /// The source's language: en, de, pl, fr, es, ...
    #[arg(long, value_name = "LANGUAGE")]
    pub(crate) from: String,
    /// The reply's language
    #[arg(long, value_name = "LANGUAGE")]
    pub(crate) to: String,
    /// A text file with the job posting that the reply is for
    #[arg(long, value_name = "FILE")]
    pub(crate) posting: Option<PathBuf>,
    /// As JSON
    #[arg(long)]
    pub(crate) json: bool,
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
    /// Make a cover letter too, and write it to this file
    #[arg(long, value_name = "FILE.pdf")]
    pub(crate) cover_letter: Option<PathBuf>,
    /// The position that the letter is for
    #[arg(long, value_name = "TEXT", requires = "cover_letter")]
    pub(crate) position: Option<String>,
    /// The organisation that the letter goes to
    #[arg(long, value_name = "TEXT", requires = "cover_letter")]
    pub(crate) organization: Option<String>,
    /// Make it anew even if equal content has its PDF already
    #[arg(long)]
    pub(crate) force: bool,
    /// Render your own text if the model gives nothing, instead of failing
    #[arg(long)]
    pub(crate) unpolished_on_failure: bool,
    /// A file with your API key, where the server asks for one (`presswork keys create`)
    #[arg(long, value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,
    /// How long to wait for the job, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    pub(crate) wait: u64,
}

/// How a document is made.
#[derive(Clone, Debug, Args)]
pub(crate) struct OptionArgs {
    /// The language of the document: en, de, pl, fr, es, it, pt, nl, cs, uk, el, sv, ar, he, ja or
    /// zh [default: the CV's own, else en]
    #[arg(long, value_name = "LANGUAGE", value_parser = language)]
    pub(crate) language: Option<Language>,
    /// The most pages: 1, 2, 3, 4, or auto for as many as it needs
    #[arg(long, value_name = "N|auto", value_parser = pages, default_value = "2")]
    pub(crate) pages: Pages,
    /// The look: see `presswork themes` [default: zurich]
    #[arg(long, value_name = "NAME", value_parser = theme)]
    pub(crate) theme: Option<ThemeName>,
    /// The paper: a4 or letter [default: the theme's own]
    #[arg(long, value_name = "SIZE", value_parser = page_size)]
    pub(crate) page_size: Option<PageSize>,
    /// If nothing else makes it fit, leave out bullets of the oldest jobs
    #[arg(long)]
    pub(crate) allow_cuts: bool,
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
            theme: self.theme.clone().unwrap_or_default(),
            page_size: self.page_size,
            allow_cuts: self.allow_cuts,
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
        if self.cover_letter.is_some() {
            options.outputs = vec![Output::Cv, Output::CoverLetter];
            options.letter = Some(Letter {
                position: self.position.clone(),
                organization: self.organization.clone(),
                ..Letter::default()
            });
        }
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
        Some(Command::Extract(args)) => extract::run(&args),
        Some(Command::Check(args)) => check::run(&args),
        Some(Command::Themes(args)) => themes::run(&args),
        Some(Command::Submit(args)) => submit::run(args).await,
        Some(Command::Config(args)) => show_config::run(settings, &args),
        Some(Command::Poison(command)) => poison::run(settings, command).await,
        Some(Command::Deadletter(command)) => deadletter::run(settings, command).await,
        Some(Command::Listen(args)) => listen::run(args).await,
        Some(Command::Keys(command)) => keys::run(settings, command).await,
        Some(Command::Ledger(args)) => ledger::run(settings, args).await,
        Some(Command::Doctor(args)) => doctor::run(settings, args).await,
        Some(Command::Smoke(args)) => smoke::run(args).await,
        Some(Command::Health(args)) => health::run(&args).await,
        Some(Command::Backup(args)) => backup::save(settings, &args),
        Some(Command::Restore(args)) => backup::restore(settings, &args),
        Some(Command::Export(args)) => export::save(settings, &args).await,
        Some(Command::Import(args)) => import::load(settings, &args).await,
        Some(Command::Held(command)) => held::run(settings, command).await,
        Some(Command::FakeOpenai(args)) => fake_openai::run(args).await,
    }
}

fn language(text: &str) -> Result<Language, String> {
    Language::from_tag(text).ok_or_else(|| {
        let tags = Language::ALL.map(Language::tag).join(", ");
        format!("expected one of {tags}")
    })
}

fn theme(text: &str) -> Result<ThemeName, String> {
    ThemeName::try_from(text.to_owned()).map_err(str::to_owned)
}

fn page_size(text: &str) -> Result<PageSize, String> {
    match text.to_ascii_lowercase().as_str() {
        "a4" => Ok(PageSize::A4),
        "letter" => Ok(PageSize::Letter),
        _ => Err("expected a4 or letter".to_owned()),
    }
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
