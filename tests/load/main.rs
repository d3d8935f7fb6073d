//! Load: what the whole system does under work, printed as a table.
//!
//! The system, the model and this program are processes of their own; the processor time of each
//! is told apart. Build everything in release first: `cargo build --release --workspace`.

mod deployment;
mod endurance;
mod front;
mod line;
mod measure;
mod profiles;
mod scenarios;
mod sessions;
mod soak;
mod webhooks;

use clap::{Parser as _, Subcommand, ValueEnum};
use e2e::backing::Backing;

/// Measures a running Presswork, or wears it out.
#[derive(Debug, clap::Parser)]
#[command(max_term_width = 100)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start-up, latency beyond the model, throughput, memory; nothing is asserted
    Figures {
        /// The storage beneath
        #[arg(long, value_enum, default_value_t = Which::Embedded)]
        storage: Which,
        /// Jobs for the latency figures
        #[arg(long, default_value_t = 300)]
        latency_jobs: u64,
        /// Jobs for the throughput figures
        #[arg(long, default_value_t = 3_000)]
        throughput_jobs: u64,
        /// Jobs in flight for the memory figure
        #[arg(long, default_value_t = 1_000)]
        in_flight: u64,
    },
    /// Reads and updates of editing sessions, and PDFs that were made before
    Sessions {
        /// The storage beneath
        #[arg(long, value_enum, default_value_t = Which::Embedded)]
        storage: Which,
    },
    /// Webhooks: from the written blob to the endpoint, deliveries a second, and dead endpoints among
    /// live ones
    Webhooks {
        /// The storage beneath
        #[arg(long, value_enum, default_value_t = Which::Embedded)]
        storage: Which,
        /// Endpoints
        #[arg(long, default_value_t = 1_000)]
        endpoints: u64,
        /// How many of them hang
        #[arg(long, default_value_t = 100)]
        dead: u64,
        /// Deliveries for the throughput figure
        #[arg(long, default_value_t = 20_000)]
        deliveries: u64,
    },
    /// People who each submit, wait, fetch and think; exit status 1 if anything fails
    Users {
        /// The storage beneath
        #[arg(long, value_enum, default_value_t = Which::Embedded)]
        storage: Which,
        /// How many
        #[arg(long, default_value_t = 10)]
        users: u64,
        /// For how long
        #[arg(long, value_name = "DURATION", default_value = "1m", value_parser = config::parse_duration)]
        duration: std::time::Duration,
    },
    /// Few users, suddenly many, few again; exit status 1 if anything fails
    Spike {
        /// The storage beneath
        #[arg(long, value_enum, default_value_t = Which::Embedded)]
        storage: Which,
        /// Before and after
        #[arg(long, default_value_t = 5)]
        few: u64,
        /// In between
        #[arg(long, default_value_t = 200)]
        many: u64,
        /// For how long each
        #[arg(long, value_name = "DURATION", default_value = "20s", value_parser = config::parse_duration)]
        duration: std::time::Duration,
    },
    /// Reads of a job's status at the front, no worker running
    Status(front::Load),
    /// Submissions at the front, no worker running
    Submit(front::Load),
    /// Open event streams: memory, and how soon a change has reached all
    Streams {
        /// Streams
        #[arg(long, default_value_t = 10_000)]
        streams: usize,
        /// Jobs that they follow, in turn
        #[arg(long, default_value_t = 1)]
        jobs: u64,
    },
    /// One shim and two workers; on the way one worker is killed and the other is stopped
    Split {
        /// The storage beneath
        #[arg(long, value_enum, default_value_t = Which::Azurite)]
        storage: Which,
        /// Jobs
        #[arg(long, default_value_t = 500)]
        jobs: u64,
    },
    /// One shim and some workers at steady work for long, one worker killed again and again; exit
    /// status 1 if a job is lost, paid twice or left open, or if memory rises
    Soak(soak::Options),
    /// One shim and two workers; on the way the storage account is away for a time
    Outage {
        /// How long it is away
        #[arg(long, default_value_t = 20)]
        seconds: u64,
        /// Jobs
        #[arg(long, default_value_t = 500)]
        jobs: u64,
    },
}

/// The storage beneath the system.
#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
enum Which {
    Embedded,
    Azurite,
}

impl Which {
    fn backing(self) -> Backing {
        match self {
            Self::Embedded => Backing::embedded(),
            Self::Azurite => Backing::azurite(),
        }
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match Args::parse().command {
        Command::Figures {
            storage,
            latency_jobs,
            throughput_jobs,
            in_flight,
        } => {
            println!("| what, storage {storage:?} | figure |\n|---|---|");
            scenarios::start_up(storage).await?;
            scenarios::latency(storage, latency_jobs).await?;
            scenarios::throughput(storage, throughput_jobs).await?;
            scenarios::memory(storage, in_flight).await
        }
        Command::Sessions { storage } => {
            println!("| what, storage {storage:?} | figure |\n|---|---|");
            sessions::sessions(storage).await
        }
        Command::Webhooks {
            storage,
            endpoints,
            dead,
            deliveries,
        } => {
            println!("| what, storage {storage:?} | figure |\n|---|---|");
            webhooks::latency(storage, 200).await?;
            webhooks::throughput(storage, deliveries).await?;
            webhooks::dead(storage, endpoints, dead).await
        }
        Command::Users {
            storage,
            users,
            duration,
        } => profiles::users(storage, users, duration).await,
        Command::Spike {
            storage,
            few,
            many,
            duration,
        } => profiles::spike(storage, few, many, duration).await,
        Command::Status(load) => front::status(load).await,
        Command::Submit(load) => front::submit(load).await,
        Command::Streams { streams, jobs } => front::streams(streams, jobs).await,
        Command::Split { storage, jobs } => endurance::split(storage.backing(), jobs).await,
        Command::Soak(options) => soak::soak(&options).await,
        Command::Outage { seconds, jobs } => endurance::outage(jobs, seconds).await,
    }
}
