//! A decorator of the three ports: something happens around each call of them.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;

use crate::Storage;
use crate::names::{Container, QueueName, TableName};
use crate::operation::Operation;
use crate::port::{
    Blob, BlobInfo, BlobPage, Blobs, Continuation, ETag, Entity, EntityPage, Lease, Metadata,
    Peeked, PutMode, Queue, Read, Received, Result, Table, Write,
};

/// What happens around a call.
pub(crate) trait Hook: Send + Sync + fmt::Debug + 'static {
    /// Makes the call, or does not.
    fn around<T: Send>(
        &self,
        operation: Operation,
        call: impl Future<Output = Result<T>> + Send,
    ) -> impl Future<Output = Result<T>> + Send;
}

/// Decorates the three ports. [`Queue::wait`] is left alone: it promises nothing that could fail.
pub(crate) fn around<H: Hook>(inner: Storage, hook: Arc<H>) -> Storage {
    let port = Arc::new(Port { inner, hook });
    Storage {
        queue: port.clone(),
        table: port.clone(),
        blobs: port,
    }
}

struct Port<H> {
    inner: Storage,
    hook: Arc<H>,
}

impl<H: fmt::Debug> fmt::Debug for Port<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Port")
            .field("hook", &self.hook)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl<H: Hook> Queue for Port<H> {
    async fn send(&self, queue: QueueName, body: &str, delay: Duration) -> Result<()> {
        let call = self.inner.queue.send(queue, body, delay);
        self.hook.around(Operation::Send(queue), call).await
    }

    async fn receive(
        &self,
        queue: QueueName,
        max: usize,
        visibility: Duration,
    ) -> Result<Vec<Received>> {
        let call = self.inner.queue.receive(queue, max, visibility);
        self.hook.around(Operation::Receive(queue), call).await
    }

    async fn peek(&self, queue: QueueName, max: usize) -> Result<Vec<Peeked>> {
        self.hook
            .around(Operation::Peek(queue), self.inner.queue.peek(queue, max))
            .await
    }

    async fn extend(
        &self,
        queue: QueueName,
        lease: &Lease,
        visibility: Duration,
        body: Option<&str>,
    ) -> Result<Lease> {
        let call = self.inner.queue.extend(queue, lease, visibility, body);
        self.hook.around(Operation::Extend(queue), call).await
    }

    async fn delete(&self, queue: QueueName, lease: &Lease) -> Result<()> {
        let call = self.inner.queue.delete(queue, lease);
        self.hook
            .around(Operation::DeleteMessage(queue), call)
            .await
    }

    async fn count(&self, queue: QueueName) -> Result<u64> {
        self.hook
            .around(Operation::Count(queue), self.inner.queue.count(queue))
            .await
    }

    async fn wait(&self, queue: QueueName, at_most: Duration) {
        self.inner.queue.wait(queue, at_most).await;
    }
}

#[async_trait]
impl<H: Hook> Table for Port<H> {
    async fn get(
        &self,
        table: TableName,
        partition: &str,
        row: &str,
    ) -> Result<Read<Option<Entity>>> {
        let call = self.inner.table.get(table, partition, row);
        self.hook.around(Operation::GetEntity(table), call).await
    }

    async fn query(
        &self,
        table: TableName,
        partition: &str,
        rows: Range<&str>,
        max: usize,
        from: Option<&Continuation>,
    ) -> Result<Read<EntityPage>> {
        let call = self.inner.table.query(table, partition, rows, max, from);
        self.hook.around(Operation::Query(table), call).await
    }

    async fn write(
        &self,
        table: TableName,
        partition: &str,
        writes: Vec<Write>,
    ) -> Result<Vec<Option<ETag>>> {
        let call = self.inner.table.write(table, partition, writes);
        self.hook.around(Operation::Write(table), call).await
    }
}

#[async_trait]
impl<H: Hook> Blobs for Port<H> {
    async fn put(
        &self,
        container: Container,
        path: &str,
        data: Bytes,
        content_type: &str,
        metadata: &Metadata,
        mode: PutMode,
    ) -> Result<ETag> {
        let call = self
            .inner
            .blobs
            .put(container, path, data, content_type, metadata, mode);
        self.hook.around(Operation::PutBlob(container), call).await
    }

    async fn get(&self, container: Container, path: &str) -> Result<Blob> {
        let call = self.inner.blobs.get(container, path);
        self.hook.around(Operation::GetBlob(container), call).await
    }

    async fn get_range(&self, container: Container, path: &str, range: Range<u64>) -> Result<Blob> {
        let call = self.inner.blobs.get_range(container, path, range);
        self.hook.around(Operation::GetRange(container), call).await
    }

    async fn append(&self, container: Container, path: &str, data: Bytes) -> Result<()> {
        let call = self.inner.blobs.append(container, path, data);
        self.hook.around(Operation::Append(container), call).await
    }

    async fn head(&self, container: Container, path: &str) -> Result<BlobInfo> {
        let call = self.inner.blobs.head(container, path);
        self.hook.around(Operation::Head(container), call).await
    }

    async fn delete(&self, container: Container, path: &str) -> Result<()> {
        let call = self.inner.blobs.delete(container, path);
        self.hook
            .around(Operation::DeleteBlob(container), call)
            .await
    }

    async fn list(
        &self,
        container: Container,
        prefix: &str,
        max: usize,
        from: Option<&Continuation>,
    ) -> Result<BlobPage> {
        let call = self.inner.blobs.list(container, prefix, max, from);
        self.hook.around(Operation::List(container), call).await
    }

    async fn signed_url(
        &self,
        container: Container,
        path: &str,
        file_name: &str,
        expires: Timestamp,
    ) -> Result<Option<String>> {
        let call = self
            .inner
            .blobs
            .signed_url(container, path, file_name, expires);
        self.hook
            .around(Operation::SignedUrl(container), call)
            .await
    }
}
