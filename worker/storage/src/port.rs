//! The three ports. Small and object-safe; every adapter passes the suite in `conformance`.

use std::fmt;
use std::ops::Range;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;

use crate::names::{Container, QueueName, TableName};

/// What a caller can act on when storage does not do as asked.
///
/// A write that ends in [`Unavailable`](Self::Unavailable) or [`Throttled`](Self::Throttled) may
/// have happened or not: read again before deciding.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// No such message, entity or blob.
    #[error("not found")]
    NotFound,
    /// Create-only, and something is there.
    #[error("already exists")]
    AlreadyExists,
    /// If-Match did not hold: somebody else wrote, or the entity is gone.
    #[error("precondition failed")]
    Precondition,
    /// The pop receipt is of an earlier lease: somebody else holds the message now.
    #[error("stale pop receipt")]
    StaleReceipt,
    /// The request breaks a rule of the port, such as a size limit. It had no effect.
    #[error("invalid request: {0}")]
    Invalid(String),
    /// The service asks to slow down.
    #[error("throttled")]
    Throttled {
        /// When to try again, where the service says so.
        retry_after: Option<Duration>,
    },
    /// No clear answer: the effect is unknown.
    #[error("storage unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl StorageError {
    /// An [`Unavailable`](Self::Unavailable) of any error or text.
    pub fn unavailable(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Unavailable(source.into())
    }

    /// Storage has said no: a write had no effect, and will have none. After any other error it may
    /// even take effect later, when a read has shown that it had not.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::NotFound
            | Self::AlreadyExists
            | Self::Precondition
            | Self::StaleReceipt
            | Self::Invalid(_) => true,
            Self::Throttled { .. } | Self::Unavailable(_) => false,
        }
    }
}

/// The result of a port's call.
pub type Result<T> = std::result::Result<T, StorageError>;

/// Queues of small text messages.
///
/// # Contract
/// - At least once: a message is delivered until it is deleted; it may come twice, in any order.
/// - A received message is invisible for `visibility`; then it is delivered again, its dequeue
///   count one higher.
/// - Every receive and every extend gives a new receipt; only the newest works. An older one, or
///   one whose lease has run out and whose message was received again, is
///   [`StorageError::StaleReceipt`]; a deleted message is [`StorageError::NotFound`]. An expired
///   lease whose message nobody has received yet may still be extended or deleted.
/// - Messages never expire. Bodies are UTF-8 without control characters other than tab, line
///   feed and carriage return, and without U+FFFE and U+FFFF, at most 48 KiB; others are
///   [`StorageError::Invalid`].
/// - Delays and visibilities are at most 7 days; that of a receive is above zero.
/// - Queues need no creation.
#[async_trait]
pub trait Queue: Send + Sync + fmt::Debug {
    /// Puts a message; it becomes visible after `delay` (at most 7 days).
    async fn send(&self, queue: QueueName, body: &str, delay: Duration) -> Result<()>;

    /// Takes up to `max` (1 to 32) visible messages and hides them for `visibility` (at least one
    /// second where the store counts in seconds).
    async fn receive(
        &self,
        queue: QueueName,
        max: usize,
        visibility: Duration,
    ) -> Result<Vec<Received>>;

    /// Looks at up to `max` (1 to 32) visible messages without taking them.
    async fn peek(&self, queue: QueueName, max: usize) -> Result<Vec<Peeked>>;

    /// Hides a received message for `visibility` from now (zero: visible at once), and replaces
    /// its body if one is given. The old receipt is void.
    async fn extend(
        &self,
        queue: QueueName,
        lease: &Lease,
        visibility: Duration,
        body: Option<&str>,
    ) -> Result<Lease>;

    /// Deletes a received message.
    async fn delete(&self, queue: QueueName, lease: &Lease) -> Result<()>;

    /// About how many messages there are, visible or not.
    async fn count(&self, queue: QueueName) -> Result<u64>;

    /// Waits until this process has put a visible message, or `at_most` is over; returns at once
    /// where it knows of a visible message. An adapter that cannot know of sends just waits; it
    /// is only a hint.
    async fn wait(&self, queue: QueueName, at_most: Duration);
}

/// The right to extend or delete a received message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The message's id.
    pub message_id: String,
    /// The pop receipt; changes with every receive and extend.
    pub receipt: String,
}

/// A message taken from a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// For [`Queue::extend`] and [`Queue::delete`].
    pub lease: Lease,
    /// The body as sent, or as last replaced.
    pub body: String,
    /// How often it was received, this time included.
    pub dequeue_count: u32,
    /// When it was put.
    pub inserted_at: Timestamp,
}

/// A message looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peeked {
    /// The message's id.
    pub message_id: String,
    /// The body.
    pub body: String,
    /// How often it was received.
    pub dequeue_count: u32,
    /// When it was put.
    pub inserted_at: Timestamp,
}

/// The version of an entity or blob. Never repeats for a key, not even after delete and insert.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ETag(pub String);

/// Columns of an entity. Values are strings, booleans and numbers; a nested value is
/// [`StorageError::Invalid`]: store it as JSON text. `null` means absent.
pub type Properties = serde_json::Map<String, serde_json::Value>;

/// An entity as read.
#[derive(Clone, Debug, PartialEq)]
pub struct Entity {
    /// The row key.
    pub row: String,
    /// The version that was read.
    pub etag: ETag,
    /// The columns.
    pub properties: Properties,
}

/// What was read, and when by the store's clock.
#[derive(Clone, Debug)]
pub struct Read<T> {
    /// The value.
    pub value: T,
    /// The store's clock (`Date` of the answer, second precision in Azure). Deadlines are
    /// compared with this clock only.
    pub date: Timestamp,
}

/// One page of a range query.
#[derive(Clone, Debug)]
pub struct EntityPage {
    /// Entities, by ascending row key.
    pub entities: Vec<Entity>,
    /// Pass this to go on; `None` at the end. A page may be empty and still go on.
    pub next: Option<Continuation>,
}

/// Where a query goes on. Opaque; may be handed to a client, so adapters check it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Continuation(pub String);

/// One write of a transaction.
#[derive(Clone, Debug, PartialEq)]
pub enum Write {
    /// Creates; [`StorageError::AlreadyExists`] if the row is there.
    Insert(String, Properties),
    /// Replaces the whole row if its version is this; else [`StorageError::Precondition`].
    Update(String, Properties, ETag),
    /// Creates or replaces.
    Upsert(String, Properties),
    /// Deletes. With a version: [`StorageError::Precondition`] unless it matches. Without: a row
    /// that is not there is fine.
    Delete(String, Option<ETag>),
}

/// Tables of entities, keyed by partition and row.
///
/// # Contract
/// - Reads see every write that was acknowledged before they began.
/// - Keys are 1 to 512 characters (UTF-16 units) without `/ \ # ?` and control characters;
///   everything else, quotes too, is data. Others are [`StorageError::Invalid`].
/// - Column names are ASCII letters, digits and `_`, not first a digit, at most 255, and not
///   `PartitionKey`, `RowKey` or `Timestamp`: else `Invalid`.
/// - Limits as in Azure: 252 properties, a string of at most 32 Ki UTF-16 units (64 KiB), 1 MiB an
///   entity, 100 writes and 4 MiB a transaction, each row at most once: else `Invalid`.
/// - Integers keep 64 bits, with sign; a larger one is `Invalid`. Doubles keep every bit.
/// - Row keys order by code unit, of UTF-8 or UTF-16: these differ only for characters above
///   U+FFFF against those from U+E000.
/// - Tables need no creation.
#[async_trait]
pub trait Table: Send + Sync + fmt::Debug {
    /// Reads one entity.
    async fn get(
        &self,
        table: TableName,
        partition: &str,
        row: &str,
    ) -> Result<Read<Option<Entity>>>;

    /// Reads entities with `rows.start <= row < rows.end` by ascending row key, at most `max`
    /// (1 to 1,000) a page. The bounds need not be legal keys; a range that ends before it starts
    /// is empty.
    async fn query(
        &self,
        table: TableName,
        partition: &str,
        rows: Range<&str>,
        max: usize,
        from: Option<&Continuation>,
    ) -> Result<Read<EntityPage>>;

    /// Does 1 to 100 writes, all or none. Gives the new versions, `None` for a delete. If several
    /// conditions fail, the error is one of theirs.
    async fn write(
        &self,
        table: TableName,
        partition: &str,
        writes: Vec<Write>,
    ) -> Result<Vec<Option<ETag>>>;
}

/// A blob's content and what is known of it.
#[derive(Clone, Debug)]
pub struct Blob {
    /// The content, or the asked range of it.
    pub data: Bytes,
    /// What is known of it.
    pub info: BlobInfo,
}

/// What is known of a blob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlobInfo {
    /// The size of the whole content in bytes.
    pub size: u64,
    /// The media type given at the put.
    pub content_type: String,
    /// The version.
    pub etag: ETag,
    /// When it was written.
    pub modified: Timestamp,
    /// The labels given at the put.
    pub metadata: Metadata,
}

/// Labels of a blob: names are C identifiers in lower case (Azure sends them as headers), values
/// printable ASCII, not empty, without spaces at the ends; at most 8 KiB together. Sorted, so that
/// order never depends on a hash.
pub type Metadata = std::collections::BTreeMap<String, String>;

/// How a blob is put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PutMode {
    /// Only where there is none: else [`StorageError::AlreadyExists`].
    CreateOnly,
    /// Replaces what is there.
    Overwrite,
}

/// One page of a listing.
#[derive(Clone, Debug)]
pub struct BlobPage {
    /// Paths and what is known of them, by ascending path. Metadata may be left out.
    pub blobs: Vec<(String, BlobInfo)>,
    /// Pass this to go on; `None` at the end.
    pub next: Option<Continuation>,
}

/// Blobs in containers, by path.
///
/// # Contract
/// - A put is seen whole or not at all; reads after its acknowledgement see it.
/// - Paths are 1 to 1,024 characters (UTF-16 units), segments parted by `/`, no empty, `.` or `..`
///   segment, no backslash and no control character; others are [`StorageError::Invalid`].
/// - A put is at most 64 MiB; an append at most 4 MiB. Content types are printable ASCII.
/// - Containers need no creation.
#[async_trait]
pub trait Blobs: Send + Sync + fmt::Debug {
    /// Writes a blob.
    async fn put(
        &self,
        container: Container,
        path: &str,
        data: Bytes,
        content_type: &str,
        metadata: &Metadata,
        mode: PutMode,
    ) -> Result<ETag>;

    /// Reads a blob, or [`StorageError::NotFound`].
    async fn get(&self, container: Container, path: &str) -> Result<Blob>;

    /// Reads a range of bytes, cut at the end; a range that begins at or after the end of a
    /// blob, or is empty, is [`StorageError::Invalid`].
    async fn get_range(&self, container: Container, path: &str, range: Range<u64>) -> Result<Blob>;

    /// Adds to the end of a blob that only appends have made, creating it at need. Appends never
    /// interleave. A blob made by a put is [`StorageError::Invalid`].
    async fn append(&self, container: Container, path: &str, data: Bytes) -> Result<()>;

    /// What is known of a blob, or [`StorageError::NotFound`].
    async fn head(&self, container: Container, path: &str) -> Result<BlobInfo>;

    /// Deletes a blob; one that is not there is fine.
    async fn delete(&self, container: Container, path: &str) -> Result<()>;

    /// Lists blobs whose path begins with `prefix`, at most `max` (1 to 1,000) a page.
    async fn list(
        &self,
        container: Container,
        prefix: &str,
        max: usize,
        from: Option<&Continuation>,
    ) -> Result<BlobPage>;

    /// A URL by which anybody can read this one blob until `expires`, offered for saving as
    /// `file_name`; `None` where the store has no web address of its own.
    async fn signed_url(
        &self,
        container: Container,
        path: &str,
        file_name: &str,
        expires: Timestamp,
    ) -> Result<Option<String>>;
}
