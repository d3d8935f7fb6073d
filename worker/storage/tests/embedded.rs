//! The embedded store's own promises: files, several stores on one file, closing.
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rusqlite::Connection;
use storage::ambient::System;
use storage::embedded::{FILE_NAME, OpenError, Store};
use storage::names::{Container, QueueName, TableName};
use storage::port::{Metadata, Properties, PutMode, Write};
use storage::{Storage, StorageError};
use tokio::task::JoinSet;

const LEASE: Duration = Duration::from_mins(1);

fn open(dir: &Path) -> Result<Arc<Store>, OpenError> {
    let system = Arc::new(System::new());
    Store::open(dir, system.clone(), system)
}

fn insert(row: impl Into<String>) -> Vec<Write> {
    vec![Write::Insert(row.into(), Properties::new())]
}

fn number(n: i64) -> Properties {
    [("n".to_owned(), n.into())].into_iter().collect()
}

/// The chain of an error, as it is logged.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

#[tokio::test]
async fn all_is_there_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let deep = dir.path().join("made/at/need");
    let store = open(&deep).unwrap();
    let Storage {
        queue,
        table,
        blobs,
    } = store.storage();
    let etags = table
        .write(TableName::Jobs, "p", insert("a"))
        .await
        .unwrap();
    queue
        .send(QueueName::Jobs, "hello", Duration::ZERO)
        .await
        .unwrap();
    let (data, mode) = (Bytes::from_static(b"x"), PutMode::CreateOnly);
    let none = Metadata::new();
    let put = blobs.put(Container::CvPdfs, "p/x", data, "a/b", &none, mode);
    let blob_etag = put.await.unwrap();
    let lease = queue
        .receive(QueueName::Jobs, 1, LEASE)
        .await
        .unwrap()
        .remove(0)
        .lease;
    store.close().await;
    assert!(
        !deep.join(format!("{FILE_NAME}-wal")).exists(),
        "closed means tidied up"
    );

    let Storage {
        queue,
        table,
        blobs,
    } = open(&deep).unwrap().storage();
    let entity = table
        .get(TableName::Jobs, "p", "a")
        .await
        .unwrap()
        .value
        .unwrap();
    assert_eq!(Some(entity.etag), etags[0]);
    assert_eq!(
        blobs.head(Container::CvPdfs, "p/x").await.unwrap().etag,
        blob_etag
    );
    // A lease outlives the process that took it.
    assert_eq!(queue.receive(QueueName::Jobs, 1, LEASE).await.unwrap(), []);
    queue.delete(QueueName::Jobs, &lease).await.unwrap();
    // Versions go on where they were, even if what had the last is gone.
    blobs.delete(Container::CvPdfs, "p/x").await.unwrap();
    let next = table
        .write(TableName::Jobs, "p", insert("b"))
        .await
        .unwrap();
    let number = |etag: &storage::port::ETag| etag.0.parse::<i64>().unwrap();
    assert!(number(next[0].as_ref().unwrap()) > number(&blob_etag));
}

#[tokio::test]
async fn a_closed_store_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    let Storage {
        queue,
        table,
        blobs,
    } = store.storage();
    store.close().await;
    store.close().await;
    let errors = [
        queue
            .send(QueueName::Jobs, "x", Duration::ZERO)
            .await
            .unwrap_err(),
        queue.receive(QueueName::Jobs, 1, LEASE).await.unwrap_err(),
        table.get(TableName::Jobs, "p", "a").await.unwrap_err(),
        table
            .write(TableName::Jobs, "p", insert("a"))
            .await
            .unwrap_err(),
        blobs.get(Container::CvPdfs, "x").await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(chain(&error), "storage unavailable: the store is closed");
    }
    let at_most = Duration::from_millis(30);
    tokio::time::timeout(LEASE, queue.wait(QueueName::Jobs, at_most))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_stores_on_one_file_agree() {
    let dir = tempfile::tempdir().unwrap();
    let stores = [open(dir.path()).unwrap(), open(dir.path()).unwrap()];
    let first = stores[0].storage();
    let count = vec![Write::Insert("count".to_owned(), number(0))];
    first
        .table
        .write(TableName::Jobs, "p", count)
        .await
        .unwrap();
    let mut tasks = JoinSet::new();
    for task in 0..8_usize {
        let storage = stores[task % 2].storage();
        tasks.spawn(async move {
            let mut etags = Vec::new();
            for n in 0..15 {
                let body = format!("{task} {n}");
                storage
                    .queue
                    .send(QueueName::Jobs, &body, Duration::ZERO)
                    .await
                    .unwrap();
                loop {
                    let read = storage
                        .table
                        .get(TableName::Jobs, "p", "count")
                        .await
                        .unwrap();
                    let entity = read.value.unwrap();
                    let next = number(entity.properties["n"].as_i64().unwrap() + 1);
                    let write = vec![Write::Update("count".to_owned(), next, entity.etag)];
                    match storage.table.write(TableName::Jobs, "p", write).await {
                        Ok(written) => break etags.extend(written),
                        Err(StorageError::Precondition) => {}
                        Err(e) => panic!("{}", chain(&e)),
                    }
                }
            }
            etags
        });
    }
    let mut etags: Vec<_> = tasks
        .join_all()
        .await
        .concat()
        .into_iter()
        .map(|etag| etag.unwrap().0)
        .collect();
    etags.sort();
    etags.dedup();
    assert_eq!(etags.len(), 120, "no version came twice");

    let mut tasks = JoinSet::new();
    for task in 0..8_usize {
        let storage = stores[task % 2].storage();
        tasks.spawn(async move {
            let mut bodies = Vec::new();
            loop {
                let messages = storage
                    .queue
                    .receive(QueueName::Jobs, 7, LEASE)
                    .await
                    .unwrap();
                if messages.is_empty() {
                    return bodies;
                }
                for message in messages {
                    storage
                        .queue
                        .delete(QueueName::Jobs, &message.lease)
                        .await
                        .unwrap();
                    bodies.push(message.body);
                }
            }
        });
    }
    let mut bodies = tasks.join_all().await.concat();
    bodies.sort();
    let mut sent: Vec<_> = (0..120).map(|i| format!("{} {}", i / 15, i % 15)).collect();
    sent.sort();
    assert_eq!(bodies, sent, "each message went to one of them");
    for store in &stores {
        let storage = store.storage();
        let read = storage
            .table
            .get(TableName::Jobs, "p", "count")
            .await
            .unwrap();
        assert_eq!(read.value.unwrap().properties, number(120));
        assert_eq!(storage.queue.count(QueueName::Jobs).await.unwrap(), 0);
    }
}

#[test]
fn many_may_make_the_file_at_once() {
    for _ in 0..3 {
        let dir = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            let opening: Vec<_> = (0..8).map(|_| scope.spawn(|| open(dir.path()))).collect();
            for store in opening {
                if let Err(e) = store.join().unwrap() {
                    panic!("{}", chain(&e));
                }
            }
        });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_stays_short_under_load() {
    let dir = tempfile::tempdir().unwrap();
    let storage = open(dir.path()).unwrap().storage();
    let mut readers = JoinSet::new();
    for _ in 0..3 {
        let blobs = storage.blobs.clone();
        readers.spawn(async move {
            loop {
                // Not there at first.
                let _ = blobs.get(Container::CvPdfs, "blob 0").await;
            }
        });
    }
    for n in 0..100 {
        let (data, path) = (Bytes::from(vec![n; 1 << 20]), format!("blob {}", n % 4));
        let mode = PutMode::Overwrite;
        let none = Metadata::new();
        storage
            .blobs
            .put(Container::CvPdfs, &path, data, "a/b", &none, mode)
            .await
            .unwrap();
    }
    readers.abort_all();
    let size = |name: &str| std::fs::metadata(dir.path().join(name)).unwrap().len() >> 20;
    let (file, log) = (size(FILE_NAME), size(&format!("{FILE_NAME}-wal")));
    assert!(log < 50, "{log} MiB of log after 100 MiB of writes");
    assert!(file < 30, "{file} MiB for 4 MiB of blobs");
}

/// The error of opening a directory after `spoil` has been at it.
fn spoiled(spoil: impl FnOnce(&Path)) -> String {
    let dir = tempfile::tempdir().unwrap();
    spoil(dir.path());
    let error = open(&dir.path().join("data"))
        .map(drop)
        .expect_err("must not open");
    chain(&error).replace(&dir.path().display().to_string(), "DIR")
}

fn with_file(content: &'static [u8]) -> impl FnOnce(&Path) {
    move |dir| {
        std::fs::create_dir(dir.join("data")).unwrap();
        std::fs::write(dir.join("data").join(FILE_NAME), content).unwrap();
    }
}

/// A store that was closed, with a few hundred rows, and then changed.
fn with_store(change: impl FnOnce(&Path)) -> impl FnOnce(&Path) {
    move |dir| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let store = open(&dir.join("data")).unwrap();
            let table = store.storage().table;
            for n in 0..20 {
                let rows = (0..20).flat_map(|m| insert(format!("{n} {m}"))).collect();
                table.write(TableName::Jobs, "p", rows).await.unwrap();
            }
            store.close().await;
        });
        change(&dir.join("data").join(FILE_NAME));
    }
}

fn with_sql(sql: &'static str) -> impl FnOnce(&Path) {
    move |file| Connection::open(file).unwrap().execute_batch(sql).unwrap()
}

#[test]
fn what_does_not_open_says_what_to_do() {
    let damaged = "DIR/data/presswork.db is damaged or is no database: \
                   restore a backup, or move it away to start empty: ";
    let foreign = "DIR/data/presswork.db belongs to another program: choose another data directory";
    let newer = "DIR/data/presswork.db has schema version 99, this program knows 1: \
                 run a newer version";
    let no_dir = "cannot make the data directory DIR/data: ";
    let no_file = "DIR/data/presswork.db cannot be written: \
                   give this user the right to write there: ";
    let garbage = b"this is a text and not a database, and it is longer than a header of one, \
                    which is a hundred bytes long";
    let cases: [(&str, String, &str); 9] = [
        ("text", spoiled(with_file(garbage)), damaged),
        ("zeros", spoiled(with_file(&[0; 8192])), damaged),
        (
            "truncated",
            spoiled(with_store(|file| {
                std::fs::OpenOptions::new()
                    .write(true)
                    .open(file)
                    .unwrap()
                    .set_len(8192)
                    .unwrap();
            })),
            damaged,
        ),
        (
            "overwritten",
            spoiled(with_store(|file| {
                let mut bytes = std::fs::read(file).unwrap();
                bytes[4096..].fill(0xa5);
                std::fs::write(file, bytes).unwrap();
            })),
            damaged,
        ),
        (
            "newer",
            spoiled(with_store(with_sql("PRAGMA user_version = 99"))),
            newer,
        ),
        (
            "of another program",
            spoiled(|dir| {
                std::fs::create_dir(dir.join("data")).unwrap();
                with_sql("CREATE TABLE notes (x)")(&dir.join("data").join(FILE_NAME));
            }),
            foreign,
        ),
        (
            "changed by another",
            spoiled(with_store(with_sql("PRAGMA application_id = 7"))),
            foreign,
        ),
        (
            "a file",
            spoiled(|dir| std::fs::write(dir.join("data"), "").unwrap()),
            no_dir,
        ),
        (
            "a directory",
            spoiled(|dir| std::fs::create_dir_all(dir.join("data").join(FILE_NAME)).unwrap()),
            no_file,
        ),
    ];
    for (what, error, expect) in cases {
        assert!(error.starts_with(expect), "{what}: {error}");
    }
}

#[test]
fn an_empty_file_is_a_new_store() {
    let dir = tempfile::tempdir().unwrap();
    with_file(b"")(dir.path());
    open(&dir.path().join("data")).unwrap();
}
