//! What a case needs of an adapter, and helpers that the cases share.

use std::any::Any;
use std::fmt;
use std::time::Duration;

use serde_json::Value;

use crate::ambient::{self, Clock, System};
use crate::names::{Container, QueueName, TableName};
use crate::port::{Entity, Properties, Received, Write};
use crate::{Blobs, Queue, Storage, Table};

/// A lease that does not run out within a case.
pub(super) const LONG: Duration = Duration::from_mins(2);
/// After this a case fails rather than waits.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// A storage under test, and what it can do.
pub struct Harness {
    /// The ports.
    pub storage: Storage,
    /// The shortest visibility that it keeps: 1 s where it counts in seconds.
    pub short: Duration,
    /// Whether [`Queue::wait`] knows of this process's sends.
    pub wakes: bool,
    /// Whether it gives signed URLs.
    pub signs_urls: bool,
    /// Lives as long as the case, such as a directory or a server.
    pub guard: Box<dyn Any + Send + Sync>,
}

impl fmt::Debug for Harness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Harness")
            .field("short", &self.short)
            .finish_non_exhaustive()
    }
}

impl Harness {
    pub(super) fn queue(&self) -> &dyn Queue {
        &*self.storage.queue
    }

    pub(super) fn table(&self) -> &dyn Table {
        &*self.storage.table
    }

    pub(super) fn blobs(&self) -> &dyn Blobs {
        &*self.storage.blobs
    }

    /// Receives until so many messages of this case have come, each with its newest lease. What
    /// other runs left is deleted.
    pub(super) async fn take(
        &self,
        queue: QueueName,
        tag: &str,
        wanted: usize,
        visibility: Duration,
    ) -> Vec<Received> {
        let taking = async {
            let mut taken: Vec<Received> = Vec::new();
            while taken.len() < wanted {
                for message in self.queue().receive(queue, 32, visibility).await.unwrap() {
                    if message.body.starts_with(tag) {
                        taken.retain(|m| m.lease.message_id != message.lease.message_id);
                        taken.push(message);
                    } else {
                        self.queue().delete(queue, &message.lease).await.unwrap();
                    }
                }
                if taken.len() < wanted {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            }
            taken
        };
        tokio::time::timeout(PATIENCE, taking)
            .await
            .expect("messages should have come")
    }

    pub(super) async fn take_one(
        &self,
        queue: QueueName,
        tag: &str,
        visibility: Duration,
    ) -> Received {
        self.take(queue, tag, 1, visibility).await.remove(0)
    }

    /// Whether a message of this case can be seen.
    pub(super) async fn sees(&self, queue: QueueName, tag: &str) -> bool {
        let peeked = self.queue().peek(queue, 32).await.unwrap();
        peeked.iter().any(|message| message.body.starts_with(tag))
    }

    pub(super) async fn delete_all(&self, queue: QueueName, messages: &[Received]) {
        for message in messages {
            self.queue().delete(queue, &message.lease).await.unwrap();
        }
    }

    /// One write; gives its version.
    pub(super) async fn write_row(
        &self,
        partition: &str,
        write: Write,
    ) -> crate::port::Result<Option<crate::port::ETag>> {
        let mut etags = self
            .table()
            .write(TableName::Jobs, partition, vec![write])
            .await?;
        assert_eq!(etags.len(), 1);
        Ok(etags.remove(0))
    }

    pub(super) async fn row(&self, partition: &str, row: &str) -> Option<Entity> {
        self.table()
            .get(TableName::Jobs, partition, row)
            .await
            .unwrap()
            .value
    }

    /// All rows of a partition.
    pub(super) async fn rows(&self, partition: &str) -> Vec<Entity> {
        let (mut rows, mut from) = (Vec::new(), None);
        loop {
            let read = self
                .table()
                .query(
                    TableName::Jobs,
                    partition,
                    "".."\u{10ffff}",
                    1_000,
                    from.as_ref(),
                )
                .await
                .unwrap();
            rows.extend(read.value.entities);
            from = read.value.next;
            if from.is_none() {
                return rows;
            }
        }
    }

    pub(super) async fn clear_partition(&self, partition: &str) {
        let rows = self.rows(partition).await;
        for rows in rows.chunks(100) {
            let deletes = rows
                .iter()
                .map(|row| Write::Delete(row.row.clone(), None))
                .collect();
            self.table()
                .write(TableName::Jobs, partition, deletes)
                .await
                .unwrap();
        }
    }

    pub(super) async fn paths(&self, container: Container, prefix: &str) -> Vec<String> {
        let (mut paths, mut from) = (Vec::new(), None);
        loop {
            let page = self
                .blobs()
                .list(container, prefix, 1_000, from.as_ref())
                .await
                .unwrap();
            paths.extend(page.blobs.into_iter().map(|(path, _)| path));
            from = page.next;
            if from.is_none() {
                return paths;
            }
        }
    }

    pub(super) async fn clear_blobs(&self, container: Container, prefix: &str) {
        for path in self.paths(container, prefix).await {
            self.blobs().delete(container, &path).await.unwrap();
        }
    }
}

/// A name that nothing else uses.
pub(super) fn unique() -> String {
    format!(
        "c{:016x}",
        u64::from_be_bytes(ambient::random(&System::new()))
    )
}

/// Measures time.
#[derive(Debug)]
pub(super) struct Stopwatch(System);

impl Stopwatch {
    pub(super) fn start() -> Self {
        Self(System::new())
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.0.monotonic()
    }
}

/// The columns of a JSON object.
pub(super) fn columns(value: Value) -> Properties {
    match value {
        Value::Object(columns) => columns,
        other => panic!("not an object: {other}"),
    }
}

/// One column `n`.
pub(super) fn number(n: impl Into<Value>) -> Properties {
    [("n".to_owned(), n.into())].into_iter().collect()
}
