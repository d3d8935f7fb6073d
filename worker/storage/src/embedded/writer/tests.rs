//! The writer under what a disk, another process or a fault of ours can do to it.

use std::time::Duration;

use tokio::time::timeout;

use super::*;
use crate::ambient::System;
use crate::embedded::schema;

/// Enough to send a write to the thread, if not for the thread to take it.
const MOMENT: Duration = Duration::from_millis(1);

struct Fixture {
    writer: Writer,
    /// Another process, as far as SQLite can tell.
    other: Connection,
    _dir: tempfile::TempDir,
}

/// A writer that waits `patience` milliseconds for locks.
fn fixture(patience: i32) -> Fixture {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("x.db");
    let mut connection = schema::open(&file).unwrap();
    schema::be_patient(&mut connection, patience).unwrap();
    let clock = Arc::new(System::new());
    let writer = Writer::start(connection, clock, Arc::default()).unwrap();
    Fixture {
        writer,
        other: Connection::open(file).unwrap(),
        _dir: dir,
    }
}

fn add(batch: &mut Batch<'_>, row: usize) -> Result<usize> {
    let sql = "INSERT INTO entity VALUES ('t', 'p', ?1, ?2, '{}')";
    let etag = batch.version()?;
    batch
        .connection
        .prepare_cached(sql)?
        .execute((row.to_string(), etag))?;
    Ok(row)
}

/// Rows and distinct versions, as another process sees them.
fn rows(other: &Connection) -> (i64, i64) {
    let sql = "SELECT count(*), count(DISTINCT etag) FROM entity";
    other
        .query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
}

#[test]
fn acknowledged_means_on_the_disk() {
    let dir = tempfile::tempdir().unwrap();
    let connection = schema::open(&dir.path().join("x.db")).unwrap();
    let pragma = |name: &str| {
        connection
            .pragma_query_value(None, name, |row| row.get::<_, i64>(0))
            .unwrap()
    };
    assert_eq!(pragma("synchronous"), 2, "FULL");
    assert_eq!(pragma("auto_vacuum"), 2, "INCREMENTAL");
}

#[tokio::test]
async fn one_failure_in_a_group_undoes_only_itself() {
    let f = fixture(10_000);
    f.other.execute_batch("BEGIN IMMEDIATE").unwrap();
    // While the other holds the lock, all of these gather into one group.
    let writes = (0..40).map(|n| {
        f.writer.run(0, move |batch| {
            add(batch, n)?;
            match n % 4 {
                0 => Ok(n),
                1 => Err(StorageError::Precondition),
                // A second row of the same key: SQLite itself fails the statement.
                2 => add(batch, n),
                _ => Err(StorageError::unavailable("own fault")),
            }
        })
    });
    let mut writes: Vec<_> = writes.map(Box::pin).collect();
    for write in &mut writes {
        let begun = timeout(MOMENT, write).await;
        assert!(begun.is_err(), "nothing is acknowledged before the commit");
    }
    assert_eq!(rows(&f.other), (0, 0));
    f.other.execute_batch("COMMIT").unwrap();
    for (n, write) in writes.into_iter().enumerate() {
        match (n % 4, write.await) {
            (0, Ok(m)) => assert_eq!(n, m),
            (1, Err(StorageError::Precondition)) | (2 | 3, Err(StorageError::Unavailable(_))) => {}
            (_, other) => panic!("{n}: {other:?}"),
        }
    }
    assert_eq!(rows(&f.other), (10, 10));
}

#[tokio::test]
async fn a_lock_that_stays_is_unavailable_and_passes() {
    let f = fixture(5);
    f.other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let refused = f.writer.run(0, |batch| add(batch, 1)).await;
    assert!(
        matches!(refused, Err(StorageError::Unavailable(_))),
        "{refused:?}"
    );
    f.other.execute_batch("COMMIT").unwrap();
    assert_eq!(rows(&f.other), (0, 0));
    f.writer.run(0, |batch| add(batch, 1)).await.unwrap();
    assert_eq!(rows(&f.other), (1, 1));
}

#[tokio::test]
async fn a_full_disk_is_unavailable_and_passes() {
    let f = fixture(5);
    let limit = |pages: i64| {
        move |batch: &mut Batch<'_>| -> Result<()> {
            let pragma = format!("PRAGMA max_page_count = {pages}");
            Ok(batch.connection.query_row(&pragma, [], |_| Ok(()))?)
        }
    };
    f.writer.run(0, |batch| add(batch, 1)).await.unwrap();
    // SQLite never goes below what the file has: no page more.
    f.writer.run(0, limit(1)).await.unwrap();
    let chunk = |batch: &mut Batch<'_>| -> Result<()> {
        let sql = "INSERT INTO chunk VALUES (1, 0, zeroblob(1000000))";
        Ok(batch.connection.execute(sql, []).map(drop)?)
    };
    let refused = f.writer.run(0, chunk).await;
    let Err(StorageError::Unavailable(source)) = refused else {
        panic!("{refused:?}")
    };
    assert!(source.to_string().contains("full"), "{source}");
    f.writer.run(0, limit(100_000)).await.unwrap();
    f.writer.run(0, chunk).await.unwrap();
    f.writer.run(0, |batch| add(batch, 2)).await.unwrap();
    assert_eq!(rows(&f.other), (2, 2));
}

#[tokio::test]
async fn a_commit_that_fails_fails_its_whole_group() {
    let f = fixture(10_000);
    let broken = |batch: &mut Batch<'_>| -> Result<()> {
        // What this asks for is checked at the commit only, where a disk may fail too.
        batch.connection.execute_batch(
            "CREATE TABLE a (id INTEGER PRIMARY KEY);
             CREATE TABLE b (a INTEGER REFERENCES a (id) DEFERRABLE INITIALLY DEFERRED);
             INSERT INTO b VALUES (7);",
        )?;
        Ok(())
    };
    // This setting cannot change within a transaction; ending it is a fault that must not last.
    let enforce = |batch: &mut Batch<'_>| -> Result<()> {
        batch
            .connection
            .execute_batch("ROLLBACK; PRAGMA foreign_keys = 1; BEGIN IMMEDIATE")?;
        Ok(())
    };
    assert!(f.writer.run(0, enforce).await.is_err());

    f.other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut good = Box::pin(f.writer.run(0, |batch| add(batch, 1)));
    let mut bad = Box::pin(f.writer.run(0, broken));
    let refuse = |_: &mut Batch<'_>| Err::<(), _>(StorageError::AlreadyExists);
    let mut refused = Box::pin(f.writer.run(0, refuse));
    assert!(timeout(MOMENT, &mut good).await.is_err());
    assert!(timeout(MOMENT, &mut bad).await.is_err());
    assert!(timeout(MOMENT, &mut refused).await.is_err());
    f.other.execute_batch("COMMIT").unwrap();
    let unknown = |result: Result<()>| matches!(result, Err(StorageError::Unavailable(_)));
    assert!(unknown(good.await.map(drop)));
    assert!(unknown(bad.await));
    assert!(unknown(refused.await), "what it saw was never written");
    assert_eq!(rows(&f.other), (0, 0));
    f.writer.run(0, |batch| add(batch, 2)).await.unwrap();
    assert_eq!(rows(&f.other), (1, 1));
}

#[tokio::test]
async fn a_dead_writer_is_unavailable() {
    let f = fixture(5);
    let died = f
        .writer
        .run(0, |_| -> Result<()> { panic!("on purpose") })
        .await;
    assert!(
        matches!(died, Err(StorageError::Unavailable(_))),
        "{died:?}"
    );
    let later = f.writer.run(0, |batch| add(batch, 1)).await;
    assert!(
        matches!(later, Err(StorageError::Unavailable(_))),
        "{later:?}"
    );
    f.writer.close().await;
    f.other
        .execute_batch("BEGIN IMMEDIATE; COMMIT")
        .expect("the lock is free");
}

#[tokio::test]
async fn a_caller_that_goes_away_stops_nothing() {
    let f = fixture(10_000);
    f.other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let left = f.writer.run(0, |batch| add(batch, 1));
    assert!(timeout(MOMENT, left).await.is_err());
    f.other.execute_batch("COMMIT").unwrap();
    f.writer.run(0, |batch| add(batch, 2)).await.unwrap();
    assert_eq!(rows(&f.other), (2, 2), "what was asked is done");
}

#[tokio::test]
async fn close_finishes_what_was_asked() {
    let f = fixture(10_000);
    f.other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut writes: Vec<_> = (0..300)
        .map(|n| Box::pin(f.writer.run(0, move |batch| add(batch, n))))
        .collect();
    for write in &mut writes {
        // Sent, not answered.
        assert!(timeout(Duration::ZERO, write).await.is_err());
    }
    let release = async { f.other.execute_batch("COMMIT").unwrap() };
    tokio::join!(f.writer.close(), release);
    for write in writes {
        write.await.unwrap();
    }
    assert_eq!(rows(&f.other), (300, 300));
    let later = f.writer.run(0, |batch| add(batch, 301)).await;
    assert!(
        matches!(later, Err(StorageError::Unavailable(_))),
        "{later:?}"
    );
    f.writer.close().await;
}
