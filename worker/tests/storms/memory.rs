//! The three ports in memory: no thread and no file, so that paused time decides everything.
//!
//! It keeps the contracts that the engine relies on; what callers may not send is checked by the
//! other adapters.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use storage::names::{Container, QueueName, TableName};
use storage::port::{
    Blob, BlobInfo, BlobPage, Blobs, Continuation, ETag, Entity, EntityPage, Lease, Metadata,
    Peeked, Properties, PutMode, Queue, Read, Received, Result, StorageError, Table, Write,
};
use storage::{Clock, Storage};
use tokio::sync::Notify;

/// A storage account in memory.
#[derive(Debug)]
pub(crate) struct Memory {
    clock: Arc<dyn Clock>,
    inner: Mutex<Inner>,
    sent: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    /// Ids, receipts and versions: none comes twice.
    serial: u64,
    queues: BTreeMap<QueueName, Vec<Message>>,
    rows: BTreeMap<(TableName, String, String), (ETag, Properties)>,
    blobs: BTreeMap<(Container, String), (Bytes, BlobInfo)>,
}

#[derive(Debug)]
struct Message {
    id: String,
    receipt: String,
    body: String,
    visible_at: Duration,
    dequeues: u32,
    inserted_at: Timestamp,
}

impl Inner {
    fn next(&mut self) -> String {
        self.serial += 1;
        self.serial.to_string()
    }
}

impl Memory {
    /// An empty account.
    pub(crate) fn open(clock: Arc<dyn Clock>) -> Storage {
        let memory = Arc::new(Self {
            clock,
            inner: Mutex::default(),
            sent: Notify::new(),
        });
        Storage {
            queue: memory.clone(),
            table: memory.clone(),
            blobs: memory,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Queue for Memory {
    async fn send(&self, queue: QueueName, body: &str, delay: Duration) -> Result<()> {
        let (now, inserted_at) = (self.clock.monotonic(), self.clock.now());
        let mut inner = self.lock();
        let id = inner.next();
        inner.queues.entry(queue).or_default().push(Message {
            receipt: id.clone(),
            id,
            body: body.to_owned(),
            visible_at: now + delay,
            dequeues: 0,
            inserted_at,
        });
        drop(inner);
        self.sent.notify_waiters();
        Ok(())
    }

    async fn receive(
        &self,
        queue: QueueName,
        max: usize,
        visibility: Duration,
    ) -> Result<Vec<Received>> {
        let now = self.clock.monotonic();
        let mut inner = self.lock();
        let mut serial = inner.serial;
        let messages = inner.queues.entry(queue).or_default();
        let visible = messages.iter_mut().filter(|m| m.visible_at <= now);
        let received = visible.take(max).map(|message| {
            serial += 1;
            message.receipt = serial.to_string();
            message.visible_at = now + visibility;
            message.dequeues += 1;
            Received {
                lease: Lease {
                    message_id: message.id.clone(),
                    receipt: message.receipt.clone(),
                },
                body: message.body.clone(),
                dequeue_count: message.dequeues,
                inserted_at: message.inserted_at,
            }
        });
        let received = received.collect();
        inner.serial = serial;
        Ok(received)
    }

    async fn peek(&self, queue: QueueName, max: usize) -> Result<Vec<Peeked>> {
        let now = self.clock.monotonic();
        let mut inner = self.lock();
        let messages = inner.queues.entry(queue).or_default();
        let visible = messages.iter().filter(|m| m.visible_at <= now).take(max);
        Ok(visible
            .map(|message| Peeked {
                message_id: message.id.clone(),
                body: message.body.clone(),
                dequeue_count: message.dequeues,
                inserted_at: message.inserted_at,
            })
            .collect())
    }

    async fn extend(
        &self,
        queue: QueueName,
        lease: &Lease,
        visibility: Duration,
        body: Option<&str>,
    ) -> Result<Lease> {
        let now = self.clock.monotonic();
        let mut inner = self.lock();
        let receipt = inner.next();
        let messages = inner.queues.entry(queue).or_default();
        let message = messages.iter_mut().find(|m| m.id == lease.message_id);
        let message = message.ok_or(StorageError::NotFound)?;
        if message.receipt != lease.receipt {
            return Err(StorageError::StaleReceipt);
        }
        message.receipt.clone_from(&receipt);
        message.visible_at = now + visibility;
        if let Some(body) = body {
            body.clone_into(&mut message.body);
        }
        drop(inner);
        self.sent.notify_waiters();
        Ok(Lease {
            message_id: lease.message_id.clone(),
            receipt,
        })
    }

    async fn delete(&self, queue: QueueName, lease: &Lease) -> Result<()> {
        let mut inner = self.lock();
        let messages = inner.queues.entry(queue).or_default();
        let at = messages.iter().position(|m| m.id == lease.message_id);
        let at = at.ok_or(StorageError::NotFound)?;
        if messages[at].receipt != lease.receipt {
            return Err(StorageError::StaleReceipt);
        }
        messages.remove(at);
        Ok(())
    }

    async fn count(&self, queue: QueueName) -> Result<u64> {
        Ok(self.lock().queues.entry(queue).or_default().len() as u64)
    }

    async fn wait(&self, queue: QueueName, at_most: Duration) {
        let sent = self.sent.notified();
        let now = self.clock.monotonic();
        let due = |m: &Message| m.visible_at <= now;
        if self.lock().queues.entry(queue).or_default().iter().any(due) {
            return;
        }
        tokio::select! {
            () = sent => {}
            () = tokio::time::sleep(at_most) => {}
        }
    }
}

#[async_trait]
impl Table for Memory {
    async fn get(
        &self,
        table: TableName,
        partition: &str,
        row: &str,
    ) -> Result<Read<Option<Entity>>> {
        let inner = self.lock();
        let key = (table, partition.to_owned(), row.to_owned());
        let value = inner.rows.get(&key).map(|(etag, properties)| Entity {
            row: row.to_owned(),
            etag: etag.clone(),
            properties: properties.clone(),
        });
        Ok(Read {
            value,
            date: self.clock.now(),
        })
    }

    async fn query(
        &self,
        table: TableName,
        partition: &str,
        rows: Range<&str>,
        max: usize,
        from: Option<&Continuation>,
    ) -> Result<Read<EntityPage>> {
        let inner = self.lock();
        let start = from.map_or(rows.start, |from| from.0.as_str());
        let key = |row: &str| (table, partition.to_owned(), row.to_owned());
        let mut entities = Vec::new();
        let mut next = None;
        if start < rows.end {
            for ((_, _, row), (etag, properties)) in inner.rows.range(key(start)..key(rows.end)) {
                if entities.len() == max {
                    next = Some(Continuation(row.clone()));
                    break;
                }
                entities.push(Entity {
                    row: row.clone(),
                    etag: etag.clone(),
                    properties: properties.clone(),
                });
            }
        }
        Ok(Read {
            value: EntityPage { entities, next },
            date: self.clock.now(),
        })
    }

    async fn write(
        &self,
        table: TableName,
        partition: &str,
        writes: Vec<Write>,
    ) -> Result<Vec<Option<ETag>>> {
        let mut inner = self.lock();
        let key = |row: &str| (table, partition.to_owned(), row.to_owned());
        for write in &writes {
            let etag_of = |row: &str| inner.rows.get(&key(row)).map(|(etag, _)| etag);
            match write {
                Write::Insert(row, _) if etag_of(row).is_some() => {
                    return Err(StorageError::AlreadyExists);
                }
                Write::Update(row, _, etag) | Write::Delete(row, Some(etag))
                    if etag_of(row) != Some(etag) =>
                {
                    return Err(StorageError::Precondition);
                }
                _ => {}
            }
        }
        let mut etags = Vec::new();
        for write in writes {
            etags.push(match write {
                Write::Insert(row, mut properties)
                | Write::Update(row, mut properties, _)
                | Write::Upsert(row, mut properties) => {
                    properties.retain(|_, value| !value.is_null());
                    let etag = ETag(inner.next());
                    inner.rows.insert(key(&row), (etag.clone(), properties));
                    Some(etag)
                }
                Write::Delete(row, _) => {
                    inner.rows.remove(&key(&row));
                    None
                }
            });
        }
        Ok(etags)
    }
}

#[async_trait]
impl Blobs for Memory {
    async fn put(
        &self,
        container: Container,
        path: &str,
        data: Bytes,
        content_type: &str,
        metadata: &Metadata,
        mode: PutMode,
    ) -> Result<ETag> {
        let modified = self.clock.now();
        let mut inner = self.lock();
        let key = (container, path.to_owned());
        if mode == PutMode::CreateOnly && inner.blobs.contains_key(&key) {
            return Err(StorageError::AlreadyExists);
        }
        let etag = ETag(inner.next());
        let info = BlobInfo {
            size: data.len() as u64,
            content_type: content_type.to_owned(),
            etag: etag.clone(),
            modified,
            metadata: metadata.clone(),
        };
        inner.blobs.insert(key, (data, info));
        Ok(etag)
    }

    async fn get(&self, container: Container, path: &str) -> Result<Blob> {
        let inner = self.lock();
        let found = inner.blobs.get(&(container, path.to_owned()));
        let (data, info) = found.cloned().ok_or(StorageError::NotFound)?;
        Ok(Blob { data, info })
    }

    async fn get_range(&self, container: Container, path: &str, range: Range<u64>) -> Result<Blob> {
        let mut blob = Blobs::get(self, container, path).await?;
        let end = range.end.min(blob.info.size);
        if range.start >= end {
            return Err(StorageError::Invalid("an empty range".to_owned()));
        }
        blob.data = blob.data.slice(range.start as usize..end as usize);
        Ok(blob)
    }

    async fn append(&self, _: Container, _: &str, _: Bytes) -> Result<()> {
        Err(StorageError::Invalid("no job appends".to_owned()))
    }

    async fn head(&self, container: Container, path: &str) -> Result<BlobInfo> {
        Ok(Blobs::get(self, container, path).await?.info)
    }

    async fn delete(&self, container: Container, path: &str) -> Result<()> {
        self.lock().blobs.remove(&(container, path.to_owned()));
        Ok(())
    }

    async fn list(
        &self,
        container: Container,
        prefix: &str,
        max: usize,
        from: Option<&Continuation>,
    ) -> Result<BlobPage> {
        let inner = self.lock();
        let start = from.map_or(prefix, |from| from.0.as_str()).to_owned();
        let all = inner.blobs.range((container, start)..);
        let mut found =
            all.take_while(|((c, path), _)| *c == container && path.starts_with(prefix));
        let blobs = found.by_ref().take(max);
        let blobs = blobs.map(|((_, path), (_, info))| (path.clone(), info.clone()));
        let blobs = blobs.collect();
        let next = found
            .next()
            .map(|((_, path), _)| Continuation(path.clone()));
        Ok(BlobPage { blobs, next })
    }

    async fn signed_url(
        &self,
        _: Container,
        _: &str,
        _: &str,
        _: Timestamp,
    ) -> Result<Option<String>> {
        Ok(None)
    }
}
