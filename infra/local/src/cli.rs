//! The commands. The arguments of each stand in its own file.

use clap::error::ErrorKind;
use clap::{Arg, ArgMatches, Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use config::SettingsArgs;

use crate::backup::{BackupArgs, RestoreArgs};
use crate::check::CheckArgs;
use crate::deadletter::DeadLetterCommand;
use crate::demo::DemoArgs;
use crate::doctor::DoctorArgs;
use crate::export::ExportArgs;
use crate::extract::ExtractArgs;
use crate::fake_openai::FakeArgs;
use crate::health::HealthArgs;
use crate::held::HeldCommand;
use crate::import::ImportArgs;
use crate::ledger::LedgerArgs;
use crate::listen::ListenArgs;
use crate::poison::PoisonCommand;
use crate::render::RenderArgs;
use crate::serve::ServeArgs;
use crate::show_config::ConfigArgs;
use crate::smoke::SmokeArgs;
use crate::submit::SubmitArgs;
use crate::themes::ThemesArgs;
use crate::{
    backup, check, deadletter, demo, doctor, export, extract, fake_openai, health, held, import,
    keys, ledger, listen, poison, render, serve, show_config, smoke, submit, themes,
};

/// Turns a CV into a polished PDF, asynchronously, with at most one model call per job.
///
/// Without a command it serves: everything in one process, on one SQLite file.
#[derive(Debug, Parser)]
#[command(name = "presswork", version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    // At every level, see `settings`.
    #[arg(skip)]
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
    /// Renders a CV to a PDF, without server and without model
    Render(RenderArgs),
    /// Reads the CV out of a Word document, a text, one of our PDFs or JSON, without a model
    Extract(ExtractArgs),
    /// Checks that a rewritten CV claims only what its source says; exit code 1 if it claims more
    Check(CheckArgs),
    /// Lists the themes, and draws a sample of each
    Themes(ThemesArgs),
    /// Submits a CV to a running server and fetches the PDF
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

/// The command line of this process. Ends the process where it is wrong or asks for help.
pub(crate) fn parse() -> Cli {
    let mut command = command();
    let matches = command.get_matches_mut();
    read(&matches).unwrap_or_else(|fault| fault.format(&mut command).exit())
}

/// The commands, each with the arguments for settings. They are no global arguments of clap's, which
/// keep those of the last level alone: of `--set a=1 config --set b=2` the first would be lost.
fn command() -> clap::Command {
    fn with(command: clap::Command, settings: &[Arg]) -> clap::Command {
        command
            .args(settings)
            .mut_subcommands(|inner| with(inner, settings))
    }
    let settings = SettingsArgs::augment_args(clap::Command::new("settings"));
    let settings = settings.get_arguments();
    let settings: Vec<Arg> = settings.map(|arg| arg.clone().global(false)).collect();
    with(Cli::command(), &settings)
}

fn read(matches: &ArgMatches) -> Result<Cli, clap::Error> {
    let mut cli = Cli::from_arg_matches(matches)?;
    if cli.command.is_some() && cli.serve != ServeArgs::default() {
        return Err(clap::Error::raw(
            ErrorKind::ArgumentConflict,
            "--storage, --data and --listen belong to one command: write them after its name",
        ));
    }
    cli.settings = settings(matches);
    Ok(cli)
}

/// Those of all levels, from the outermost.
fn settings(matches: &ArgMatches) -> SettingsArgs {
    let mut all = SettingsArgs::default();
    let mut level = Some(matches);
    while let Some(matches) = level {
        if let Ok(own) = SettingsArgs::from_arg_matches(matches) {
            all.config = own.config.or(all.config);
            all.set.extend(own.set);
        }
        level = matches.subcommand().map(|(_, inner)| inner);
    }
    all
}

/// Runs a command.
pub(crate) async fn run(cli: Cli) -> anyhow::Result<()> {
    let settings = cli.settings;
    // What is wrong with settings is said by the commands too that have no use for them.
    let sound = |settings: SettingsArgs| settings.load(Vec::new());
    match cli.command {
        None => serve::run(settings, cli.serve).await,
        Some(Command::Serve(args)) => serve::run(settings, args).await,
        Some(Command::Demo(args)) => demo::run(settings, args).await,
        Some(Command::Render(args)) => render::run(settings, &args),
        Some(Command::Extract(args)) => sound(settings).map(|_| extract::run(&args))?,
        Some(Command::Check(args)) => sound(settings).map(|_| check::run(&args))?,
        Some(Command::Themes(args)) => themes::run(settings, &args),
        Some(Command::Submit(args)) => sound(settings).map(|_| submit::run(args))?.await,
        Some(Command::Config(args)) => show_config::run(settings, &args),
        Some(Command::Poison(command)) => poison::run(settings, command).await,
        Some(Command::Deadletter(command)) => deadletter::run(settings, command).await,
        Some(Command::Listen(args)) => sound(settings).map(|_| listen::run(args))?.await,
        Some(Command::Keys(command)) => keys::run(settings, command).await,
        Some(Command::Ledger(args)) => ledger::run(settings, args).await,
        Some(Command::Doctor(args)) => doctor::run(settings, args).await,
        Some(Command::Smoke(args)) => sound(settings).map(|_| smoke::run(args))?.await,
        Some(Command::Health(args)) => sound(settings).map(|_| health::run(&args))?.await,
        Some(Command::Backup(args)) => backup::save(settings, &args),
        Some(Command::Restore(args)) => backup::restore(settings, &args),
        Some(Command::Export(args)) => export::save(settings, &args).await,
        Some(Command::Import(args)) => import::load(settings, &args).await,
        Some(Command::Held(command)) => held::run(settings, command).await,
        Some(Command::FakeOpenai(args)) => sound(settings).map(|_| fake_openai::run(args))?.await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(arguments: &[&str]) -> Result<Cli, clap::Error> {
        let all = std::iter::once(&"presswork").chain(arguments);
        read(&command().try_get_matches_from(all)?)
    }

    #[test]
    fn the_command_line_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn settings_stand_before_and_after_a_command() {
        let check = |arguments: &[&str], expect: &[(&str, &str)]| {
            let set = parsed(arguments).unwrap().settings.set;
            let set: Vec<_> = set.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
            assert_eq!(set, expect, "{arguments:?}");
        };
        check(&["--set", "a=1"], &[("a", "1")]);
        check(&["--set", "a=1", "config"], &[("a", "1")]);
        check(&["config", "--set", "a=1"], &[("a", "1")]);
        let (one, two) = (["--set", "a=1"], ["--set", "a=2"]);
        let nested = [&one[..], &["keys"], &["--set=b=1"], &["list"], &two].concat();
        check(&nested, &[("a", "1"), ("b", "1"), ("a", "2")]);
        let files = ["--config", "a.toml", "config", "--config", "b.toml"];
        let config = parsed(&files).unwrap().settings.config.unwrap();
        assert_eq!(config.display().to_string(), "b.toml");
    }

    #[test]
    fn arguments_of_serving_are_not_taken_for_another_command() {
        assert!(parsed(&["--data", "x"]).is_ok());
        assert!(parsed(&["serve", "--data", "x"]).is_ok());
        let fault = parsed(&["--data", "x", "doctor"]).unwrap_err();
        assert!(fault.to_string().contains("after its name"), "{fault}");
    }
}
