//! Tells the notifications queue of new PDFs, where no Event Grid does.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use schemas::event::Event;
use serde_json::json;

use crate::names::{Container, QueueName};
use crate::port::{
    Blob, BlobInfo, BlobPage, Blobs, Continuation, ETag, Metadata, PutMode, Queue, Result,
};
use crate::{Clock, Entropy, ambient};

/// Where the events come from (CloudEvents 1.0, `source`).
pub const SOURCE: &str = "/presswork/storage";

/// Blobs that put a BlobCreated event on the queue `notifications` after each put of `*.pdf` in
/// the container `cv-pdfs`, as Event Grid does for a real storage account.
///
/// Like Event Grid's, an event may be lost: if the process ends between the put and the event,
/// or the queue fails. The put is then `Ok` all the same: repeating it could not help, since
/// it would find the blob there. The job's row says what has been notified, and the reconciler
/// puts what is missing.
#[derive(Debug)]
pub struct Emitting {
    blobs: Arc<dyn Blobs>,
    queue: Arc<dyn Queue>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

impl Emitting {
    /// Decorates `blobs`. Times of events come from `clock`, ids from `entropy`.
    pub fn new(
        blobs: Arc<dyn Blobs>,
        queue: Arc<dyn Queue>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        Self {
            blobs,
            queue,
            clock,
            entropy,
        }
    }

    async fn emit(&self, container: Container, path: &str, created: Created<'_>) {
        let container = container.as_str();
        let id = uuid::Builder::from_random_bytes(ambient::random(&*self.entropy)).into_uuid();
        let event = Event {
            specversion: "1.0".to_owned(),
            id: id.to_string(),
            source: SOURCE.to_owned(),
            kind: Event::BLOB_CREATED.to_owned(),
            subject: format!("/blobServices/default/containers/{container}/blobs/{path}"),
            time: self.clock.now(),
            data: json!({
                "api": "PutBlob",
                "eTag": created.etag.0,
                "contentType": created.content_type,
                "contentLength": created.size,
                "blobType": "BlockBlob",
                // Relative: the store has no web address of its own.
                "url": format!("/{container}/{path}"),
            }),
        };
        let body = serde_json::to_string(&event).expect("an event is always JSON");
        if let Err(error) = self
            .queue
            .send(QueueName::Notifications, &body, Duration::ZERO)
            .await
        {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                container,
                path,
                "event of a written blob was lost"
            );
        }
    }
}

/// What an event tells of its blob.
struct Created<'a> {
    etag: &'a ETag,
    content_type: &'a str,
    size: usize,
}

#[async_trait]
impl Blobs for Emitting {
    async fn put(
        &self,
        container: Container,
        path: &str,
        data: Bytes,
        content_type: &str,
        metadata: &Metadata,
        mode: PutMode,
    ) -> Result<ETag> {
        let size = data.len();
        let etag = self
            .blobs
            .put(container, path, data, content_type, metadata, mode)
            .await?;
        if container == Container::CvPdfs && path.strip_suffix(".pdf").is_some() {
            self.emit(
                container,
                path,
                Created {
                    etag: &etag,
                    content_type,
                    size,
                },
            )
            .await;
        }
        Ok(etag)
    }

    async fn get(&self, container: Container, path: &str) -> Result<Blob> {
        self.blobs.get(container, path).await
    }

    async fn get_range(&self, container: Container, path: &str, range: Range<u64>) -> Result<Blob> {
        self.blobs.get_range(container, path, range).await
    }

    async fn append(&self, container: Container, path: &str, data: Bytes) -> Result<()> {
        self.blobs.append(container, path, data).await
    }

    async fn head(&self, container: Container, path: &str) -> Result<BlobInfo> {
        self.blobs.head(container, path).await
    }

    async fn delete(&self, container: Container, path: &str) -> Result<()> {
        self.blobs.delete(container, path).await
    }

    async fn list(
        &self,
        container: Container,
        prefix: &str,
        max: usize,
        from: Option<&Continuation>,
    ) -> Result<BlobPage> {
        self.blobs.list(container, prefix, max, from).await
    }

    async fn signed_url(
        &self,
        container: Container,
        path: &str,
        file_name: &str,
        expires: Timestamp,
    ) -> Result<Option<String>> {
        self.blobs
            .signed_url(container, path, file_name, expires)
            .await
    }
}

#[cfg(test)]
mod tests;
