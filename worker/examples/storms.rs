//! Many seeded storms at once: `cargo run --release -p worker --example storms -- --lifecycles 20000`.
//!
//! Prints what came of them. A double call, a lost job or anything left behind ends it with the
//! seed and the command that runs that seed again.

#![allow(
    clippy::unwrap_used,
    reason = "shared with the tests, whose helpers may fail at once"
)]

#[path = "../tests/storms/mod.rs"]
mod storms;

use std::process::ExitCode;

use clap::Parser as _;
use storage::Clock as _;
use storage::ambient::System;

use storms::{JOBS, Report, lives};

/// Runs seeded storms of jobs.
#[derive(Debug, clap::Parser)]
struct Args {
    /// How many lives of jobs
    #[arg(long, default_value_t = 20_000)]
    lifecycles: usize,
    /// The first seed
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let clock = System::new();
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let share = args.lifecycles.div_ceil(threads * JOBS) * JOBS;
    let runs = (0..threads).map(|thread| {
        let first = args.seed + (thread * share / JOBS) as u64;
        std::thread::spawn(move || lives(first, share))
    });
    let mut total = Report::default();
    let mut whole = true;
    for run in runs.collect::<Vec<_>>() {
        match run.join() {
            Ok(Ok(report)) => total += report,
            Ok(Err(fault)) => {
                eprintln!("{fault}");
                whole = false;
            }
            Err(_) => whole = false,
        }
    }
    println!("{total:#?}");
    let seconds = clock.monotonic().as_secs_f64();
    if whole {
        let lives = total.jobs;
        println!("{lives} lives: 0 double calls, 0 lost, in {seconds:.0} s");
        ExitCode::SUCCESS
    } else {
        println!("stopped by a fault after {seconds:.0} s");
        ExitCode::FAILURE
    }
}
