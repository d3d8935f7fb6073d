//! Lost acknowledgements: each write of each port with its answer lost, refused, or refused though
//! it was done. What a caller is told must be true.

mod blobs;
mod queue;
mod table;
mod times;

use std::time::Duration;

use bytes::Bytes;
use serde_json::json;
use storage::Storage;
use storage::azurite::Azurite;
use storage::names::{Container, QueueName, TableName};
use storage::port::{
    Blobs, ETag, Lease, Metadata, Properties, PutMode, Queue, StorageError, Table, Write,
};

use crate::{by_key, connect, unique};
use storage::azurite::proxy::{Fault, Proxy};

const QUEUE: QueueName = QueueName::Jobs;
const JOBS: TableName = TableName::Jobs;
const PDFS: Container = Container::CvPdfs;
const ZERO: Duration = Duration::ZERO;
const SHORT: Duration = Duration::from_secs(1);
const LONG: Duration = Duration::from_mins(2);

/// Azurite, and two ways to it: one through the proxy, one sure.
struct Bench {
    proxy: Proxy,
    through: Storage,
    sure: Storage,
    _azurite: Azurite,
}

impl Bench {
    /// With all queues, tables and containers made, so that no request does it on its way.
    async fn new(timeout: Duration) -> Self {
        let azurite = Azurite::start();
        let proxy = Proxy::to(azurite.ports()).await;
        let (through, sure) = (
            connect(&by_key(proxy.ports, timeout)),
            connect(&azurite.settings()),
        );
        sure.queue.count(QUEUE).await.unwrap();
        sure.table.get(JOBS, "p", "r").await.unwrap();
        let _ = sure.blobs.head(PDFS, "x").await;
        Self {
            proxy,
            through,
            sure,
            _azurite: azurite,
        }
    }

    fn queue(&self) -> &dyn Queue {
        &*self.through.queue
    }

    fn table(&self) -> &dyn Table {
        &*self.through.table
    }

    fn blobs(&self) -> &dyn Blobs {
        &*self.through.blobs
    }

    async fn write(&self, writes: Vec<Write>) -> storage::port::Result<Vec<Option<ETag>>> {
        self.table().write(JOBS, "p", writes).await
    }

    /// Writes past the proxy; gives the first version.
    async fn surely(&self, write: Write) -> ETag {
        self.sure
            .table
            .write(JOBS, "p", vec![write])
            .await
            .unwrap()
            .remove(0)
            .unwrap()
    }

    /// The column `n` of a row, past the proxy.
    async fn column(&self, row: &str) -> Option<i64> {
        let entity = self.sure.table.get(JOBS, "p", row).await.unwrap().value?;
        entity.properties["n"].as_i64()
    }

    async fn message(&self, body: &str) -> Lease {
        self.sure.queue.send(QUEUE, body, ZERO).await.unwrap();
        self.sure
            .queue
            .receive(QUEUE, 1, LONG)
            .await
            .unwrap()
            .remove(0)
            .lease
    }

    async fn content(&self, path: &str) -> Option<Bytes> {
        self.sure
            .blobs
            .get(PDFS, path)
            .await
            .ok()
            .map(|blob| blob.data)
    }
}

fn number(n: i64) -> Properties {
    [("n".to_owned(), json!(n))].into_iter().collect()
}

fn is_unknown<T>(result: &storage::port::Result<T>) -> bool {
    matches!(result, Err(StorageError::Unavailable(_)))
}

/// What each fault does to a write that is not repeated blindly: whether the caller knows the
/// outcome, and whether the write took place.
const WRITES: [(Fault, bool, bool); 5] = [
    (Fault::LoseAnswer, false, true),
    (Fault::DoneButFailed, false, true),
    (Fault::DoneButBusy, false, true),
    (Fault::Drop, false, false),
    (Fault::Busy, true, true),
];
