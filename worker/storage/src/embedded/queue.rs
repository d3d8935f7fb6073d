//! The queue port on SQLite.

use std::pin::pin;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::writer::Batch;
use super::{Store, int};
use crate::limits;
use crate::names::QueueName;
use crate::port::{Lease, Peeked, Queue, Received, Result, StorageError};

#[async_trait]
impl Queue for Store {
    async fn send(&self, queue: QueueName, body: &str, delay: Duration) -> Result<()> {
        limits::body(body)?;
        limits::delay(delay)?;
        let (id, body) = (self.random_id(), body.to_owned());
        self.write(body.len(), move |batch| {
            let now = batch.now();
            batch
                .connection
                .prepare_cached(
                    "INSERT INTO message (id, queue, visible_at, inserted_at, dequeue_count, body)
                     VALUES (?1, ?2, ?3, ?4, 0, ?5)",
                )?
                .execute(params![id, queue.as_str(), now + millis(delay), now, body])?;
            batch.wake(queue);
            Ok(())
        })
        .await
    }

    async fn receive(
        &self,
        queue: QueueName,
        max: usize,
        visibility: Duration,
    ) -> Result<Vec<Received>> {
        limits::max(max, limits::MESSAGES)?;
        limits::visibility(visibility)?;
        // Idle polling of several processes must not take turns at the lock for writing.
        let clock = self.clock.clone();
        let due = self
            .read(move |connection| next_due(connection, queue))
            .await?;
        if due.is_none_or(|due| due > clock.now().as_millisecond()) {
            return Ok(Vec::new());
        }
        let receipt = self.random_id();
        self.write(0, move |batch| {
            receive(batch, queue, max, visibility, &receipt)
        })
        .await
    }

    async fn peek(&self, queue: QueueName, max: usize) -> Result<Vec<Peeked>> {
        limits::max(max, limits::MESSAGES)?;
        let now = self.clock.now().as_millisecond();
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT id, body, dequeue_count, inserted_at FROM message
                 WHERE queue = ?1 AND visible_at <= ?2 ORDER BY visible_at LIMIT ?3",
            )?;
            let mut rows = statement.query(params![queue.as_str(), now, int(max)])?;
            let mut peeked = Vec::new();
            while let Some(row) = rows.next()? {
                peeked.push(Peeked {
                    message_id: row.get(0)?,
                    body: row.get(1)?,
                    dequeue_count: row.get(2)?,
                    inserted_at: timestamp(row.get(3)?)?,
                });
            }
            Ok(peeked)
        })
        .await
    }

    async fn extend(
        &self,
        queue: QueueName,
        lease: &Lease,
        visibility: Duration,
        body: Option<&str>,
    ) -> Result<Lease> {
        limits::delay(visibility)?;
        if let Some(body) = body {
            limits::body(body)?;
        }
        let (lease, body) = (lease.clone(), body.map(str::to_owned));
        let receipt = self.random_id();
        self.write(body.as_ref().map_or(0, String::len), move |batch| {
            check_lease(batch.connection, queue, &lease)?;
            let visible_at = batch.now() + millis(visibility);
            batch
                .connection
                .prepare_cached(
                    "UPDATE message SET visible_at = ?2, receipt = ?3, body = ifnull(?4, body)
                     WHERE id = ?1",
                )?
                .execute(params![lease.message_id, visible_at, receipt, body])?;
            // It may be visible sooner than those who wait have reckoned.
            batch.wake(queue);
            Ok(Lease {
                message_id: lease.message_id,
                receipt,
            })
        })
        .await
    }

    async fn delete(&self, queue: QueueName, lease: &Lease) -> Result<()> {
        let lease = lease.clone();
        self.write(0, move |batch| {
            check_lease(batch.connection, queue, &lease)?;
            batch
                .connection
                .prepare_cached("DELETE FROM message WHERE id = ?1")?
                .execute([&lease.message_id])?;
            Ok(())
        })
        .await
    }

    async fn count(&self, queue: QueueName) -> Result<u64> {
        self.read(move |connection| {
            let count: i64 = connection
                .prepare_cached("SELECT count(*) FROM message WHERE queue = ?1")?
                .query_row([queue.as_str()], |row| row.get(0))?;
            Ok(count.unsigned_abs())
        })
        .await
    }

    /// Also returns when a hidden or delayed message falls due, or another process has put one
    /// before the wait began.
    async fn wait(&self, queue: QueueName, at_most: Duration) {
        let mut over = pin!(tokio::time::sleep(at_most));
        loop {
            // Listening before looking: a send between the two is not missed.
            let mut woken = pin!(self.wakes.of(queue).notified());
            woken.as_mut().enable();
            // A store that cannot be read tells the caller so at its next receive.
            let due = self
                .read(move |connection| next_due(connection, queue))
                .await;
            let now = self.clock.now().as_millisecond();
            let until_due = match due {
                Ok(Some(due)) if due <= now => return,
                Ok(Some(due)) => Duration::from_millis((due - now).unsigned_abs()),
                Ok(None) | Err(_) => at_most,
            };
            tokio::select! {
                () = &mut over => return,
                () = woken => {}
                () = tokio::time::sleep(until_due.min(at_most)) => return,
            }
        }
    }
}

fn receive(
    batch: &Batch<'_>,
    queue: QueueName,
    max: usize,
    visibility: Duration,
    receipt: &str,
) -> Result<Vec<Received>> {
    let now = batch.now();
    let mut select = batch.connection.prepare_cached(
        "SELECT id, body, dequeue_count, inserted_at FROM message
         WHERE queue = ?1 AND visible_at <= ?2 ORDER BY visible_at LIMIT ?3",
    )?;
    let mut rows = select.query(params![queue.as_str(), now, int(max)])?;
    let mut received = Vec::new();
    while let Some(row) = rows.next()? {
        received.push(Received {
            // One receipt for all of a receive: it is only ever compared within one message.
            lease: Lease {
                message_id: row.get(0)?,
                receipt: receipt.to_owned(),
            },
            body: row.get(1)?,
            dequeue_count: row.get::<_, u32>(2)?.saturating_add(1),
            inserted_at: timestamp(row.get(3)?)?,
        });
    }
    let mut update = batch.connection.prepare_cached(
        "UPDATE message SET visible_at = ?2, receipt = ?3, dequeue_count = ?4 WHERE id = ?1",
    )?;
    let visible_at = now + millis(visibility);
    for message in &received {
        let id = &message.lease.message_id;
        update.execute(params![id, visible_at, receipt, message.dequeue_count])?;
    }
    Ok(received)
}

fn check_lease(connection: &Connection, queue: QueueName, lease: &Lease) -> Result<()> {
    let receipt: Option<Option<String>> = connection
        .prepare_cached("SELECT receipt FROM message WHERE id = ?1 AND queue = ?2")?
        .query_row([&lease.message_id, queue.as_str()], |row| row.get(0))
        .optional()?;
    match receipt {
        None => Err(StorageError::NotFound),
        Some(receipt) if receipt.as_ref() == Some(&lease.receipt) => Ok(()),
        Some(_) => Err(StorageError::StaleReceipt),
    }
}

/// When the first message of a queue is or becomes visible.
fn next_due(connection: &Connection, queue: QueueName) -> Result<Option<i64>> {
    Ok(connection
        .prepare_cached("SELECT min(visible_at) FROM message WHERE queue = ?1")?
        .query_row([queue.as_str()], |row| row.get(0))?)
}

/// Rounded up: a message is never visible too early. At most 7 days by [`limits`].
fn millis(duration: Duration) -> i64 {
    int(duration.as_nanos().div_ceil(1_000_000))
}

/// A time that a damaged file may have made impossible.
pub(super) fn timestamp(millis: i64) -> Result<Timestamp> {
    Timestamp::from_millisecond(millis).map_err(StorageError::unavailable)
}
