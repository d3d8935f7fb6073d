//! The blob port on SQLite.

use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::queue::timestamp;
use super::table::tag;
use super::writer::Batch;
use super::{Store, cursor, int};
use crate::limits;
use crate::names::Container;
use crate::port::{
    Blob, BlobInfo, BlobPage, Blobs, Continuation, ETag, Metadata, PutMode, Result, StorageError,
};

/// A range reads whole chunks, a large blob many of them.
const CHUNK: usize = 256 << 10;
/// The media type of a blob made by appends: nobody gave one.
const APPENDED: &str = "application/octet-stream";

#[async_trait]
impl Blobs for Store {
    async fn put(
        &self,
        container: Container,
        path: &str,
        data: Bytes,
        content_type: &str,
        metadata: &Metadata,
        mode: PutMode,
    ) -> Result<ETag> {
        limits::path(path)?;
        limits::put(data.len(), content_type, metadata)?;
        let (path, content_type) = (path.to_owned(), content_type.to_owned());
        let metadata = serde_json::to_string(metadata).expect("a map of texts is always JSON");
        self.write(data.len(), move |batch| {
            if mode == PutMode::Overwrite {
                delete(batch.connection, container, &path)?;
            }
            let blob = NewBlob {
                container,
                path: &path,
                content_type: &content_type,
            };
            let id = insert(batch, &blob, &metadata, data.len(), false)?;
            for (chunk, start) in data.chunks(CHUNK).zip((0..).step_by(CHUNK)) {
                add_chunk(batch.connection, id, start, chunk)?;
            }
            Ok(tag(id))
        })
        .await
    }

    async fn get(&self, container: Container, path: &str) -> Result<Blob> {
        self.read_content(container, path, None).await
    }

    async fn get_range(&self, container: Container, path: &str, range: Range<u64>) -> Result<Blob> {
        if range.is_empty() {
            return Err(StorageError::Invalid("the range is empty".to_owned()));
        }
        self.read_content(container, path, Some(range)).await
    }

    async fn append(&self, container: Container, path: &str, data: Bytes) -> Result<()> {
        limits::path(path)?;
        limits::append(data.len())?;
        let path = path.to_owned();
        self.write(data.len(), move |batch| {
            let (id, size) = match find(batch.connection, container, &path)? {
                Some(found) if !found.appends => {
                    return Err(StorageError::Invalid(
                        "the blob was made by a put".to_owned(),
                    ));
                }
                Some(found) => (found.id, int(found.info.size)),
                None => {
                    let blob = NewBlob {
                        container,
                        path: &path,
                        content_type: APPENDED,
                    };
                    (insert(batch, &blob, "{}", 0, true)?, 0)
                }
            };
            if !data.is_empty() {
                add_chunk(batch.connection, id, size, &data)?;
            }
            let etag = batch.version()?;
            batch
                .connection
                .prepare_cached(
                    "UPDATE blob SET etag = ?2, size = ?3, modified = ?4 WHERE id = ?1",
                )?
                .execute(params![id, etag, size + int(data.len()), batch.now()])?;
            Ok(())
        })
        .await
    }

    async fn head(&self, container: Container, path: &str) -> Result<BlobInfo> {
        limits::path(path)?;
        let path = path.to_owned();
        self.read(move |connection| {
            let found = find(connection, container, &path)?;
            found.map(|found| found.info).ok_or(StorageError::NotFound)
        })
        .await
    }

    async fn delete(&self, container: Container, path: &str) -> Result<()> {
        limits::path(path)?;
        let path = path.to_owned();
        self.write(0, move |batch| delete(batch.connection, container, &path))
            .await
    }

    async fn list(
        &self,
        container: Container,
        prefix: &str,
        max: usize,
        from: Option<&Continuation>,
    ) -> Result<BlobPage> {
        limits::max(max, limits::PAGE)?;
        let after = from
            .map(|from| cursor::key(from, |key| key.starts_with(prefix)))
            .transpose()?;
        let prefix = prefix.to_owned();
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT id, appends, etag, size, content_type, metadata, modified, path FROM blob
                 WHERE container = ?1 AND path >= ?2 AND path > ?3 ORDER BY path LIMIT ?4",
            )?;
            // No path is empty, so an empty text is before the first.
            let after = after.unwrap_or_default();
            let mut rows =
                statement.query(params![container.as_str(), prefix, after, int(max + 1)])?;
            let mut blobs = Vec::new();
            while let Some(row) = rows.next()? {
                let path: String = row.get(7)?;
                // Paths with one prefix stand together.
                if !path.starts_with(&prefix) {
                    break;
                }
                blobs.push((path, Found::of(row)?.info));
            }
            let more = blobs.len() > max;
            blobs.truncate(max);
            let next = blobs
                .last()
                .filter(|_| more)
                .map(|(path, _)| cursor::after(path));
            Ok(BlobPage { blobs, next })
        })
        .await
    }

    async fn signed_url(
        &self,
        _container: Container,
        path: &str,
        _file_name: &str,
        _expires: Timestamp,
    ) -> Result<Option<String>> {
        limits::path(path)?;
        Ok(None)
    }
}

impl Store {
    async fn read_content(
        &self,
        container: Container,
        path: &str,
        range: Option<Range<u64>>,
    ) -> Result<Blob> {
        limits::path(path)?;
        let path = path.to_owned();
        self.read(move |connection| {
            // One snapshot for the row and its content.
            let snapshot = connection.unchecked_transaction()?;
            let found = find(&snapshot, container, &path)?.ok_or(StorageError::NotFound)?;
            let size = found.info.size;
            let range = match range {
                None => 0..size,
                Some(range) if range.start < size => range.start..range.end.min(size),
                Some(_) => {
                    return Err(StorageError::Invalid(
                        "the range begins after the end".to_owned(),
                    ));
                }
            };
            let data = content(&snapshot, found.id, range)?;
            Ok(Blob {
                data,
                info: found.info,
            })
        })
        .await
    }
}

/// A row of `blob`, without its path.
struct Found {
    id: i64,
    appends: bool,
    info: BlobInfo,
}

impl Found {
    fn of(row: &Row<'_>) -> Result<Self> {
        let metadata = row
            .get_ref(5)?
            .as_str()
            .map_err(StorageError::unavailable)?;
        Ok(Self {
            id: row.get(0)?,
            appends: row.get(1)?,
            info: BlobInfo {
                etag: tag(row.get(2)?),
                size: row.get::<_, i64>(3)?.unsigned_abs(),
                content_type: row.get(4)?,
                metadata: serde_json::from_str(metadata).map_err(StorageError::unavailable)?,
                modified: timestamp(row.get(6)?)?,
            },
        })
    }
}

fn find(connection: &Connection, container: Container, path: &str) -> Result<Option<Found>> {
    let mut statement = connection.prepare_cached(
        "SELECT id, appends, etag, size, content_type, metadata, modified FROM blob
         WHERE container = ?1 AND path = ?2",
    )?;
    let mut rows = statement.query([container.as_str(), path])?;
    rows.next()?.map(Found::of).transpose()
}

fn content(connection: &Connection, id: i64, range: Range<u64>) -> Result<Bytes> {
    if range.is_empty() {
        return Ok(Bytes::new());
    }
    let (start, end) = (int(range.start), int(range.end));
    let first: Option<i64> = connection
        .prepare_cached("SELECT max(start) FROM chunk WHERE blob = ?1 AND start <= ?2")?
        .query_row([id, start], |row| row.get(0))
        .optional()?
        .flatten();
    let missing = || StorageError::unavailable("content of a blob is missing");
    let first = first.ok_or_else(missing)?;
    let mut statement = connection.prepare_cached(
        "SELECT data FROM chunk WHERE blob = ?1 AND start >= ?2 AND start < ?3 ORDER BY start",
    )?;
    let mut rows = statement.query([id, first, end])?;
    let mut data = Vec::new();
    while let Some(row) = rows.next()? {
        let chunk = row
            .get_ref(0)?
            .as_blob()
            .map_err(StorageError::unavailable)?;
        data.extend_from_slice(chunk);
    }
    let (from, to) = ((start - first) as usize, (end - first) as usize);
    if data.len() < to {
        return Err(missing());
    }
    Ok(Bytes::from(data).slice(from..to))
}

struct NewBlob<'a> {
    container: Container,
    path: &'a str,
    content_type: &'a str,
}

/// Gives the new blob's id, which is also its first version.
fn insert(
    batch: &mut Batch<'_>,
    blob: &NewBlob<'_>,
    metadata: &str,
    size: usize,
    appends: bool,
) -> Result<i64> {
    let id = batch.version()?;
    let inserted = batch
        .connection
        .prepare_cached(
            "INSERT INTO blob
                 (id, container, path, etag, size, content_type, metadata, modified, appends)
             VALUES (?1, ?2, ?3, ?1, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            id,
            blob.container.as_str(),
            blob.path,
            int(size),
            blob.content_type,
            metadata,
            batch.now(),
            appends
        ])?;
    if inserted == 0 {
        Err(StorageError::AlreadyExists)
    } else {
        Ok(id)
    }
}

fn add_chunk(connection: &Connection, id: i64, start: i64, data: &[u8]) -> Result<()> {
    connection
        .prepare_cached("INSERT INTO chunk (blob, start, data) VALUES (?1, ?2, ?3)")?
        .execute(params![id, start, data])?;
    Ok(())
}

fn delete(connection: &Connection, container: Container, path: &str) -> Result<()> {
    let key = [container.as_str(), path];
    connection
        .prepare_cached(
            "DELETE FROM chunk
             WHERE blob = (SELECT id FROM blob WHERE container = ?1 AND path = ?2)",
        )?
        .execute(key)?;
    connection
        .prepare_cached("DELETE FROM blob WHERE container = ?1 AND path = ?2")?
        .execute(key)?;
    Ok(())
}
