//! How much the embedded store does in a second: `cargo run --release -p storage --example
//! throughput [DIRECTORY]`. The directory (the system's temporary one by default) should lie on
//! the disk that matters: most of a lone write is the disk's answer.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use storage::ambient::{self, System};
use storage::embedded::{FILE_NAME, Store};
use storage::names::{Container, QueueName, TableName};
use storage::port::{Metadata, Properties, PutMode, Write};
use storage::{Clock, Storage, StorageError};
use tokio::task::JoinSet;

const SECONDS: u64 = 3;
const LEASE: Duration = Duration::from_mins(1);

type Outcome = Result<(), StorageError>;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let parent = std::env::args_os()
        .nth(1)
        .map_or_else(std::env::temp_dir, PathBuf::from);
    let dir = tempfile::tempdir_in(parent)?;
    let clock = Arc::new(System::new());
    let store = Store::open(dir.path(), clock.clone(), clock.clone())?;
    let bench = Bench {
        storage: store.storage(),
        clock,
    };
    println!(
        "{:<34} {:>8} {:>10} {:>10} {:>10}",
        "", "callers", "per s", "p50 ms", "p99 ms"
    );
    for callers in [1, 8, 64] {
        bench
            .run("queue: send, receive, delete", callers, cycle)
            .await?;
        bench
            .run("table: read, then update one row", callers, update)
            .await?;
        bench.run("table: read one row", callers, read).await?;
        bench.run("blob: put 50 KB", callers, put).await?;
        bench.run("blob: get 50 KB", callers, get).await?;
        bench.run("a job's twelve writes", callers, job).await?;
    }
    for end in ["", "-wal"] {
        let size = std::fs::metadata(dir.path().join(format!("{FILE_NAME}{end}")))?.len();
        println!("{FILE_NAME}{end}: {} MB", size / 1_000_000);
    }
    store.close().await;
    Ok(())
}

struct Bench {
    storage: Storage,
    clock: Arc<System>,
}

impl Bench {
    /// Lets so many callers repeat an operation, each on keys of its own.
    async fn run<F: Future<Output = Outcome> + Send + 'static>(
        &self,
        name: &str,
        callers: usize,
        operation: fn(Storage, usize, u64) -> F,
    ) -> Outcome {
        let start = self.clock.monotonic();
        let end = start + Duration::from_secs(SECONDS);
        let mut tasks = JoinSet::new();
        for caller in 0..callers {
            let (storage, clock) = (self.storage.clone(), self.clock.clone());
            tasks.spawn(async move {
                let mut times = Vec::new();
                for n in 0.. {
                    let begun = clock.monotonic();
                    if begun > end {
                        break;
                    }
                    operation(storage.clone(), caller, n).await?;
                    times.push(clock.monotonic().saturating_sub(begun));
                }
                Ok::<_, StorageError>(times)
            });
        }
        let mut times = Vec::new();
        for each in tasks.join_all().await {
            times.extend(each?);
        }
        let took = self.clock.monotonic().saturating_sub(start).as_secs_f64();
        times.sort();
        let quantile = |q: usize| times[(times.len() - 1) * q / 100].as_secs_f64() * 1e3;
        let rate = times.len() as f64 / took;
        let (p50, p99) = (quantile(50), quantile(99));
        println!("{name:<34} {callers:>8} {rate:>10.0} {p50:>10.2} {p99:>10.2}");
        Ok(())
    }
}

async fn cycle(storage: Storage, _: usize, _: u64) -> Outcome {
    let (queue, body) = (QueueName::Jobs, "x".repeat(300));
    storage.queue.send(queue, &body, Duration::ZERO).await?;
    for message in storage.queue.receive(queue, 1, LEASE).await? {
        storage.queue.delete(queue, &message.lease).await?;
    }
    Ok(())
}

fn columns(n: u64) -> Properties {
    let text = |c: usize| {
        (
            format!("column{c}"),
            format!("some text of a row, version {n}").into(),
        )
    };
    (0..15).map(text).collect()
}

async fn update(storage: Storage, caller: usize, n: u64) -> Outcome {
    let (partition, row) = ("tenant", format!("row {caller}"));
    let found = storage
        .table
        .get(TableName::Jobs, partition, &row)
        .await?
        .value;
    let write = match found {
        None => Write::Insert(row, columns(n)),
        Some(entity) => Write::Update(row, columns(n), entity.etag),
    };
    storage
        .table
        .write(TableName::Jobs, partition, vec![write])
        .await
        .map(drop)
}

async fn read(storage: Storage, caller: usize, _: u64) -> Outcome {
    let row = format!("row {caller}");
    storage
        .table
        .get(TableName::Jobs, "tenant", &row)
        .await
        .map(drop)
}

async fn put(storage: Storage, caller: usize, n: u64) -> Outcome {
    let data = Bytes::from(vec![7; 50_000]);
    // A hundred for each caller, over and over: the file shall not outgrow the disk.
    let (path, mode) = (
        format!("tenant/{caller}/{}.pdf", n % 100),
        PutMode::Overwrite,
    );
    let labels = Metadata::from([("sha256".to_owned(), "0".repeat(64))]);
    storage
        .blobs
        .put(
            Container::CvPdfs,
            &path,
            data,
            "application/pdf",
            &labels,
            mode,
        )
        .await
        .map(drop)
}

async fn get(storage: Storage, caller: usize, _: u64) -> Outcome {
    storage
        .blobs
        .get(Container::CvPdfs, &format!("tenant/{caller}/0.pdf"))
        .await
        .map(drop)
}

/// What one job costs: see `one-call.md`.
async fn job(storage: Storage, _: usize, n: u64) -> Outcome {
    let (tenant, random) = ("tenant", ambient::random(&System::new()));
    let id = format!("{n:08}-{:016x}", u64::from_be_bytes(random));
    let insert = |row: &str| Write::Insert(format!("{row}~{id}"), columns(n));
    let blob = async |container, size: usize| {
        let path = format!("{tenant}/{id}");
        let (data, mode) = (Bytes::from(vec![7; size]), PutMode::CreateOnly);
        storage
            .blobs
            .put(container, &path, data, "a/b", &Metadata::new(), mode)
            .await
    };
    let move_on = async |with: Vec<Write>| {
        let row = format!("j~{id}");
        let read = storage.table.get(TableName::Jobs, tenant, &row).await?;
        let etag = read.value.ok_or(StorageError::NotFound)?.etag;
        let mut writes = vec![Write::Update(row, columns(n), etag)];
        writes.extend(with);
        storage
            .table
            .write(TableName::Jobs, tenant, writes)
            .await
            .map(drop)
    };
    let (jobs, notifications) = (QueueName::Jobs, QueueName::Notifications);
    let accepted = vec![insert("j"), insert("k"), insert("o")];

    blob(Container::JobInputs, 20_000).await?;
    storage
        .table
        .write(TableName::Jobs, tenant, accepted)
        .await?;
    storage.queue.send(jobs, &id, Duration::ZERO).await?;
    let message = storage.queue.receive(jobs, 1, LEASE).await?;
    move_on(vec![insert("l")]).await?;
    blob(Container::ModelReplies, 15_000).await?;
    move_on(vec![]).await?;
    blob(Container::CvPdfs, 50_000).await?;
    storage
        .queue
        .send(notifications, &id, Duration::ZERO)
        .await?;
    move_on(vec![Write::Delete(format!("o~{id}"), None), insert("c")]).await?;
    for message in message {
        storage.queue.delete(jobs, &message.lease).await?;
    }
    for message in storage.queue.receive(notifications, 1, LEASE).await? {
        storage.queue.delete(notifications, &message.lease).await?;
    }
    Ok(())
}
