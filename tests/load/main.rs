//! Load: what the whole system does under work, printed as a table. Nothing is asserted.
//!
//! The system, the model and this program are processes of their own; the processor time of each
//! is told apart. Build everything in release first: `cargo build --release --workspace`.

mod measure;
mod scenarios;

use clap::Parser as _;

/// Measures a running Presswork: latency beyond the model, throughput, memory, start-up.
#[derive(Debug, clap::Parser)]
#[command(max_term_width = 100)]
struct Args {
    /// Jobs for the latency figures
    #[arg(long, default_value_t = 300)]
    latency_jobs: u64,
    /// Jobs for the throughput figures
    #[arg(long, default_value_t = 3_000)]
    throughput_jobs: u64,
    /// Jobs in flight for the memory figure
    #[arg(long, default_value_t = 1_000)]
    in_flight: u64,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    println!("| what | figure |\n|---|---|");
    scenarios::start_up().await?;
    scenarios::latency(args.latency_jobs).await?;
    scenarios::throughput(args.throughput_jobs).await?;
    scenarios::memory(args.in_flight).await
}
