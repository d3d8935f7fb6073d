//! How long extraction takes: `cargo run --release -p convert --example extract_bench -- FOLDER`. For each
//! `.docx` of the folder it prints the median and the 99th percentile of 200 runs.
#![allow(
    clippy::disallowed_methods,
    reason = "a benchmark reads the clock; the crate never does"
)]

use std::path::PathBuf;
use std::time::Instant;

use convert::{Limits, docx};

const RUNS: usize = 200;

fn main() -> std::io::Result<()> {
    let folder = std::env::args()
        .nth(1)
        .unwrap_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/corpus").to_owned());
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path()))
        .collect::<std::io::Result<_>>()?;
    files.retain(|path| path.extension().is_some_and(|e| e == "docx"));
    files.sort();
    for path in files {
        let bytes = std::fs::read(&path)?;
        let mut times: Vec<f64> = (0..RUNS)
            .map(|_| {
                let start = Instant::now();
                let read = docx::read(&bytes, &Limits::default());
                let took = start.elapsed().as_secs_f64() * 1_000.0;
                drop(read);
                took
            })
            .collect();
        times.sort_by(f64::total_cmp);
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        println!(
            "{name:36} median {:6.2} ms   p99 {:6.2} ms   {:7} bytes",
            times[RUNS / 2],
            times[RUNS * 99 / 100],
            bytes.len()
        );
    }
    Ok(())
}
