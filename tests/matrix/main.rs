//! The whole crash matrix: `cargo build --workspace --all-targets && target/debug/matrix`.
//!
//! Prints a table of points and what became of the jobs; exit status 1 if any run broke the promise.

use std::process::ExitCode;

use clap::Parser;
use e2e::matrix::{Extent, SCENARIOS, run};
use indicatif::{ProgressBar, ProgressStyle};

/// Kills a worker, or loses an answer, at every point of a job's way, and looks what is left.
///
/// Needs the dev build of `worker` beside it (cargo build --workspace) and Azurite (infra/azurite).
#[derive(Debug, Parser)]
#[command(name = "matrix", max_term_width = 100)]
struct Arguments {
    /// Only the set that the tests run: each point once
    #[arg(long)]
    bounded: bool,
    /// Only this kind of job, such as "success"; may be repeated
    #[arg(long, value_name = "NAME", value_parser = SCENARIOS.map(|scenario| scenario.name))]
    only: Vec<String>,
    /// Runs at once; each is mostly waiting for deadlines of seconds
    #[arg(long, default_value_t = 16)]
    at_once: usize,
    /// How often the whole set is run
    #[arg(long, default_value_t = 1)]
    repeat: u32,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let extent = if arguments.bounded {
        Extent::Bounded
    } else {
        Extent::Full
    };
    let mut good = true;
    for _ in 0..arguments.repeat {
        let style =
            ProgressStyle::with_template("{bar:40} {pos}/{len} runs, {elapsed}, {eta} to go");
        let bar = ProgressBar::new(0).with_style(style.expect("the template is well-formed"));
        let table = run(extent, &arguments.only, arguments.at_once, |runs, total| {
            bar.set_length(total as u64);
            bar.set_position(runs as u64);
            if bar.is_hidden() && runs % 250 == 0 {
                eprintln!("{runs} of {total} runs, {:.0?}", bar.elapsed());
            }
        })
        .await;
        bar.finish_and_clear();
        println!("{table}");
        println!("{} runs in {:.0?}", table.runs(), bar.elapsed());
        for story in table.stories.iter().take(20) {
            println!("\n{story}");
        }
        good &= table.is_good();
    }
    if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
