//! Presswork in one process, and its command line.
//!
//! - `cli`: the commands and their arguments.
//! - `system`: shim, worker and embedded storage together.
//! - one file for each command.

mod cli;
mod client;
mod demo;
mod fake_openai;
mod render;
mod serve;
mod settings;
mod show_config;
mod submit;
pub mod system;

use std::process::ExitCode;

use clap::Parser as _;

/// Runs the command line. Exit codes: 0 done, 1 failed, 2 wrong arguments.
pub fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(e) => return fail(&anyhow::Error::from(e).context("the async runtime cannot start")),
    };
    match runtime.block_on(cli::run(cli)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => fail(&e),
    }
}

/// One line for what failed, one for each cause.
fn fail(error: &anyhow::Error) -> ExitCode {
    eprintln!("presswork: {error}");
    for cause in error.chain().skip(1) {
        eprintln!("  because: {cause}");
    }
    ExitCode::FAILURE
}
