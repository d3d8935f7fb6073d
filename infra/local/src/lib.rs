//! Presswork in one process, and its command line.
//!
//! - `cli`: the commands and their arguments.
//! - `system`: shim, worker and embedded storage together.
//! - one file for each command.

mod check;
mod cli;
mod client;
mod demo;
mod doctor;
mod extract;
mod fake_openai;
mod held;
mod ledger;
mod poison;
mod render;
mod serve;
mod show_config;
mod store;
mod submit;
pub mod system;
mod themes;

use std::process::ExitCode;

use clap::Parser as _;

/// Runs the command line. Exit codes: 0 done, 1 failed, 2 wrong arguments.
pub fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    worker::failpoints::arm();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(e) => return telemetry::exit_code("presswork", Err(e)),
    };
    telemetry::exit_code("presswork", runtime.block_on(cli::run(cli)))
}
