//! Presswork in one process, and its command line.
//!
//! - `cli`: the commands.
//! - `system`: shim, worker and embedded storage together.
//! - `out`: what commands print; `input`: what they take as a CV; `target`: files that they write;
//!   `options`, `key`: arguments that several of them have; `store`: the store that operators'
//!   commands open; `aside`: a queue that waits for an operator; `follow`: waiting for a job.
//! - one file for each command.

// First: its macros hold in all that follow.
#[macro_use]
mod out;

mod aside;
mod backup;
mod check;
mod cli;
mod client;
mod deadletter;
mod demo;
mod doctor;
mod export;
mod export_place;
mod extract;
mod fake_openai;
mod follow;
mod health;
mod held;
mod import;
mod input;
mod key;
mod keys;
mod ledger;
mod listen;
mod options;
mod poison;
mod receivers;
mod render;
mod serve;
mod show_config;
mod smoke;
mod store;
mod submit;
pub mod system;
mod target;
mod themes;

use std::path::PathBuf;
use std::process::ExitCode;

/// Runs the command line. Exit codes: 0 done, 1 failed, 2 wrong arguments.
///
/// Under the names `worker` and `api-shim` it is those programs: a container image holds one file
/// with three names.
pub fn main() -> ExitCode {
    match called().as_deref() {
        Some("worker") => return worker::program(),
        Some("api-shim") => return api_shim::program(),
        _ => {}
    }
    let cli = cli::parse();
    worker::failpoints::arm();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(e) => return telemetry::exit_code("presswork", Err(e)),
    };
    telemetry::exit_code("presswork", out::finish(runtime.block_on(cli::run(cli))))
}

/// The name that this program was started by.
fn called() -> Option<String> {
    let path = PathBuf::from(std::env::args_os().next()?);
    Some(path.file_name()?.to_str()?.to_owned())
}
