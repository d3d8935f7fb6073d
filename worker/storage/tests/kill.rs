//! `kill -9` at any moment: what was acknowledged is there.
//!
//! The test starts its own binary again as the process to kill.
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use storage::Storage;
use storage::ambient::System;
use storage::embedded::Store;
use storage::names::{Container, QueueName, TableName};
use storage::port::{Metadata, Properties, PutMode, Write};
use tokio::task::JoinSet;

const ROUNDS: usize = 4;
/// Acknowledgements of one round before the kill.
const WRITES: usize = 150;

fn open(dir: &Path) -> Storage {
    let system = Arc::new(System::new());
    Store::open(dir, system.clone(), system).unwrap().storage()
}

/// The process to kill: writes without end, and prints each write that was acknowledged.
#[ignore = "started by the other test"]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child() {
    let mut dir = String::new();
    std::io::stdin().read_line(&mut dir).unwrap();
    if dir.is_empty() {
        return;
    }
    let storage = open(Path::new(dir.trim_end()));
    let mut writers = JoinSet::new();
    for writer in 0..6 {
        let storage = storage.clone();
        writers.spawn(async move {
            for n in 0.. {
                let key = format!("{}-{writer}-{n}", std::process::id());
                let done = write(&storage, writer % 3, &key).await;
                // One call: a line is whole or not there.
                std::io::stdout().write_all(done.as_bytes()).unwrap();
            }
        });
    }
    writers.join_all().await;
}

async fn write(storage: &Storage, kind: i32, key: &str) -> String {
    match kind {
        0 => {
            // Two rows of one transaction.
            let row = |row: String| Write::Insert(row, Properties::new());
            let writes = vec![row(key.to_owned()), row(format!("{key} too"))];
            storage
                .table
                .write(TableName::Jobs, "p", writes)
                .await
                .unwrap();
            format!("@row {key}\n")
        }
        1 => {
            storage
                .queue
                .send(QueueName::Jobs, key, Duration::ZERO)
                .await
                .unwrap();
            format!("@message {key}\n")
        }
        _ => {
            let data = Bytes::from(key.repeat(5_000));
            let mode = PutMode::CreateOnly;
            let labels = Metadata::new();
            storage
                .blobs
                .put(Container::CvPdfs, key, data, "a/b", &labels, mode)
                .await
                .unwrap();
            format!("@blob {key}\n")
        }
    }
}

fn start(dir: &Path) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--ignored", "--nocapture"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    writeln!(stdin, "{}", dir.display()).unwrap();
    child
}

/// Starts processes on one store, kills all while they write, and gives what was acknowledged.
fn kill_while_writing(dir: &Path, processes: usize) -> Vec<String> {
    let mut children: Vec<_> = (0..processes).map(|_| start(dir)).collect();
    let mut lines = Vec::new();
    let mut outputs: Vec<_> = children
        .iter_mut()
        .map(|child| BufReader::new(child.stdout.take().unwrap()))
        .collect();
    for _ in 0..WRITES {
        for output in &mut outputs {
            let mut line = String::new();
            assert_ne!(
                output.read_line(&mut line).unwrap(),
                0,
                "the child ended by itself"
            );
            lines.push(line);
        }
    }
    for child in &mut children {
        child.kill().unwrap();
    }
    for (child, mut output) in children.iter_mut().zip(outputs) {
        assert!(!child.wait().unwrap().success());
        // What it said before it died counts too.
        let mut line = String::new();
        while output.read_line(&mut line).unwrap() > 0 {
            lines.push(std::mem::take(&mut line));
        }
    }
    lines.retain(|line| line.starts_with('@') && line.ends_with('\n'));
    lines
        .iter()
        .map(|line| line[1..].trim_end().to_owned())
        .collect()
}

#[tokio::test]
async fn acknowledged_writes_survive_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let mut acknowledged = Vec::new();
    for round in 0..ROUNDS {
        acknowledged.extend(kill_while_writing(dir.path(), 1 + round % 2));
    }
    assert!(
        acknowledged.len() > ROUNDS * WRITES / 2,
        "{}",
        acknowledged.len()
    );

    let storage = open(dir.path());
    let mut messages = std::collections::BTreeSet::new();
    let lease = Duration::from_hours(1);
    loop {
        let taken = storage
            .queue
            .receive(QueueName::Jobs, 32, lease)
            .await
            .unwrap();
        if taken.is_empty() {
            break;
        }
        messages.extend(taken.into_iter().map(|message| message.body));
    }
    let row = async |row: String| {
        storage
            .table
            .get(TableName::Jobs, "p", &row)
            .await
            .unwrap()
            .value
            .is_some()
    };
    for line in &acknowledged {
        let (kind, key) = line.split_once(' ').unwrap();
        match kind {
            "row" => {
                assert!(row(key.to_owned()).await, "row {key} is lost");
                assert!(
                    row(format!("{key} too")).await,
                    "half of transaction {key} is lost"
                );
            }
            "message" => assert!(messages.contains(key), "message {key} is lost"),
            "blob" => {
                let blob = storage.blobs.get(Container::CvPdfs, key).await.unwrap();
                assert!(blob.data == key.repeat(5_000), "blob {key} is not whole");
            }
            other => panic!("{other}"),
        }
    }
}
