//! The typed store of editing sessions: versions, expiry, photos, and what was made of a session.
//!
//! A session is one row, replaced by If-Match. Content that is too large for a row stands in a blob
//! of its own name, and the row says which blob counts; so does the photo. A session is gone for
//! every caller the moment it expires, by the table's clock; [`SessionStore::sweep`] then takes
//! away what it left.

mod generations;
mod kept;
mod row;
mod sweep;
#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use schemas::Tenant;
use schemas::cv::photo::{Photo, PhotoFormat};
use schemas::session::{Session, SessionId, StoredPhoto};

pub use generations::Generation;
pub use sweep::Swept;

use crate::ambient::random;
use crate::jobs::row::{decode, encode, unreadable};
use crate::jobs::{JobStore, UnreadableRow};
use crate::names::{Container, TableName, session_blob, session_prefix, session_row as key};
use crate::pages::Rows;
use crate::port::{ETag, Metadata, PutMode, Result, StorageError, Write};
use crate::{Clock, Entropy};
use row::SessionRow;

/// Reads and changes sessions. Cheap to clone.
#[derive(Clone)]
pub struct SessionStore {
    jobs: JobStore,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    lives: Duration,
}

/// A session as read or written.
#[derive(Clone, Debug)]
pub struct Opened {
    /// Its id.
    pub id: SessionId,
    /// What it holds.
    pub session: Session,
    /// Counts its changes, from 1.
    pub version: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When it will be gone, unless it changes before.
    pub expires_at: Timestamp,
    etag: ETag,
    blob: Option<String>,
    expiry_row: String,
    writer: String,
}

/// Why a session was not changed.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError<E> {
    /// There is no such session, or it has expired.
    #[error("there is no such session")]
    Gone,
    /// It has another version than the caller expects.
    #[error("the session has version {current}")]
    Conflict {
        /// The version that it has.
        current: u64,
    },
    /// The change itself was refused.
    #[error("the change was refused")]
    Refused(E),
    /// Storage failed; the change may have happened or not.
    #[error("the session could not be stored")]
    Storage(#[from] StorageError),
}

/// How often a change is tried again when others write the same session at the same time.
const TRIES: u32 = 64;

impl SessionStore {
    /// A store beside that of jobs. Sessions live for `lives` after their last change.
    pub fn new(
        jobs: JobStore,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        lives: Duration,
    ) -> Self {
        Self {
            jobs,
            clock,
            entropy,
            lives,
        }
    }

    /// The store of jobs beside it.
    pub fn jobs(&self) -> &JobStore {
        &self.jobs
    }

    /// Keeps a new session with its photo, if it has one.
    pub async fn create(
        &self,
        tenant: &Tenant,
        mut session: Session,
        photo: Option<&Photo>,
    ) -> Result<Opened> {
        self.jobs.know_tenant(tenant).await?;
        let id = SessionId::new(random(&*self.entropy));
        if let Some(photo) = photo {
            session.photo = Some(self.put_photo(tenant, id, photo).await?);
        }
        let now = self.clock.now();
        let opened = Opened {
            id,
            session,
            version: 1,
            created_at: now,
            updated_at: now,
            expires_at: now + self.lives,
            etag: ETag(String::new()),
            blob: None,
            expiry_row: key::expiry(now + self.lives, id),
            writer: self.draw(),
        };
        let expiry = Write::Insert(opened.expiry_row.clone(), crate::port::Properties::new());
        self.store(tenant, opened, None, vec![expiry]).await
    }

    /// Reads a session. Expired ones are not there.
    pub async fn read(&self, tenant: &Tenant, id: SessionId) -> Result<Option<Opened>> {
        // A blob that is gone was replaced by another writer: then the row is newer too.
        for _ in 0..8 {
            let read = self.table(tenant, id).await?;
            let Some(entity) = read.value else {
                return Ok(None);
            };
            let row: SessionRow = decode(entity.properties)?;
            if row.schema > schemas::session::SCHEMA {
                return Err(StorageError::unavailable(UnreadableRow::Newer));
            }
            if row.expires_at <= read.date {
                return Ok(None);
            }
            let content = match &row.blob {
                None => Bytes::from(row.inline()),
                Some(path) => match self.blobs().get(Container::CvSessions, path).await {
                    Ok(blob) => blob.data,
                    Err(StorageError::NotFound) => continue,
                    Err(e) => return Err(e),
                },
            };
            let session = serde_json::from_slice(&content).map_err(|e| unreadable(&e))?;
            return Ok(Some(row.opened(id, session, entity.etag)));
        }
        Err(StorageError::unavailable(
            "the content of a session is not where its row says",
        ))
    }

    /// Changes a session: reads it, lets `change` work on it, writes it if nobody else wrote in
    /// between, and else begins anew. With `expected`, another version is a conflict.
    ///
    /// `change` may run several times; it gets the time of the change. The session lives anew from
    /// there. A photo or content that is no longer named is removed.
    pub async fn update<T, E>(
        &self,
        tenant: &Tenant,
        id: SessionId,
        expected: Option<u64>,
        mut change: impl FnMut(&mut Session, Timestamp) -> std::result::Result<T, E>,
    ) -> std::result::Result<(Opened, T), UpdateError<E>> {
        for attempt in 0..TRIES {
            let Some(before) = self.read(tenant, id).await? else {
                return Err(UpdateError::Gone);
            };
            if expected.is_some_and(|expected| expected != before.version) {
                return Err(UpdateError::Conflict {
                    current: before.version,
                });
            }
            let now = self.clock.now();
            let mut after = before.clone();
            let answer = change(&mut after.session, now).map_err(UpdateError::Refused)?;
            after.version += 1;
            after.updated_at = now;
            after.expires_at = now + self.lives;
            after.writer = self.draw();
            match self.store(tenant, after, Some(&before), Vec::new()).await {
                Ok(stored) => {
                    self.drop_old(&before, &stored).await;
                    return Ok((stored, answer));
                }
                Err(StorageError::Precondition) => self.pause(attempt).await,
                Err(e) => return Err(e.into()),
            }
        }
        Err(StorageError::unavailable("the session changes too often to be changed").into())
    }

    /// Removes a session, expired or not, with all that belongs to it. Whether there was one.
    pub async fn delete(&self, tenant: &Tenant, id: SessionId) -> Result<bool> {
        let read = self.table(tenant, id).await?;
        let there = read.value.is_some();
        if let Some(entity) = read.value {
            let mut writes = vec![Write::Delete(id.to_string(), None)];
            // What cannot be read goes too; the sweep then takes away the row that leads to it.
            let row = decode::<SessionRow>(entity.properties).ok();
            writes.extend(row.map(|row| Write::Delete(row.expiry_row, None)));
            self.write(tenant, writes).await?;
        }
        self.drop_rest(tenant, id).await?;
        Ok(there)
    }

    /// Removes a session as [`Self::delete`] does, if it has this version.
    pub async fn delete_version(
        &self,
        tenant: &Tenant,
        id: SessionId,
        expected: u64,
    ) -> std::result::Result<(), UpdateError<Infallible>> {
        let opened = self.read(tenant, id).await?.ok_or(UpdateError::Gone)?;
        if opened.version != expected {
            let current = opened.version;
            return Err(UpdateError::Conflict { current });
        }
        let writes = vec![
            Write::Delete(id.to_string(), Some(opened.etag)),
            Write::Delete(opened.expiry_row, None),
        ];
        match self.write(tenant, writes).await {
            Ok(_) => {}
            // Changed or removed meanwhile; a repeat beneath us also meets its own first try.
            Err(StorageError::Precondition) => {
                if let Some(now) = self.read(tenant, id).await? {
                    let current = now.version;
                    return Err(UpdateError::Conflict { current });
                }
            }
            Err(e) => return Err(e.into()),
        }
        Ok(self.drop_rest(tenant, id).await?)
    }

    /// Stores a photo for a session. It counts once a change of the session names it.
    pub async fn put_photo(
        &self,
        tenant: &Tenant,
        id: SessionId,
        photo: &Photo,
    ) -> Result<StoredPhoto> {
        let content_type = match photo.format {
            PhotoFormat::Jpeg => "image/jpeg",
            PhotoFormat::Png => "image/png",
        };
        let blob = session_blob(tenant, id, &self.draw());
        self.put(
            Container::CvPhotos,
            &blob,
            Bytes::from(photo.bytes.clone()),
            content_type,
        )
        .await?;
        Ok(StoredPhoto {
            blob,
            content_type: content_type.to_owned(),
            size_bytes: photo.bytes.len() as u64,
        })
    }

    /// The file of a photo; `None` where it is gone.
    pub async fn photo(&self, photo: &StoredPhoto) -> Result<Option<Bytes>> {
        match self.blobs().get(Container::CvPhotos, &photo.blob).await {
            Ok(blob) => Ok(Some(blob.data)),
            Err(StorageError::NotFound) => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// Takes away a photo that no change came to name.
    pub async fn drop_photo(&self, photo: &StoredPhoto) {
        self.drop_blob(Container::CvPhotos, &photo.blob).await;
    }

    /// Writes a session, content first. `before` is what it replaces.
    async fn store(
        &self,
        tenant: &Tenant,
        mut opened: Opened,
        before: Option<&Opened>,
        mut writes: Vec<Write>,
    ) -> Result<Opened> {
        let content = serde_json::to_string(&opened.session)
            .map_err(|e| StorageError::Invalid(e.to_string()))?;
        let mut row = SessionRow::of(&opened);
        if !row.take_inline(&content) {
            let path = session_blob(tenant, opened.id, &opened.writer);
            let data = Bytes::from(content);
            self.put(Container::CvSessions, &path, data, "application/json")
                .await?;
            row.blob = Some(path);
        }
        opened.blob.clone_from(&row.blob);
        let at = opened.id.to_string();
        let properties = encode(&row)?;
        let write = match before {
            None => Write::Insert(at, properties),
            Some(before) => Write::Update(at, properties, before.etag.clone()),
        };
        writes.insert(0, write);
        match self.write(tenant, writes).await {
            Ok(etags) => {
                let etag = etags.into_iter().next().flatten();
                opened.etag =
                    etag.ok_or_else(|| StorageError::unavailable("a write gave no version"))?;
                Ok(opened)
            }
            // The write may have happened, also when it is answered by a failed condition: a
            // repeat beneath us met the first try's effect. The row names its writer.
            Err(e) => match self.read(tenant, opened.id).await {
                Ok(Some(now)) if now.writer == opened.writer => Ok(now),
                Ok(_) => {
                    // Without a clear answer it may happen yet, and then needs its content: the
                    // sweep drops what no row names an hour later.
                    if e.is_refusal() {
                        self.drop_unused(&opened).await;
                    }
                    Err(e)
                }
                Err(_) => Err(e),
            },
        }
    }

    /// What a write that did not happen has left.
    async fn drop_unused(&self, opened: &Opened) {
        if let Some(path) = &opened.blob {
            self.drop_blob(Container::CvSessions, path).await;
        }
    }

    /// What a change has made of no use.
    async fn drop_old(&self, before: &Opened, after: &Opened) {
        if let Some(path) = before.blob.as_ref().filter(|_| before.blob != after.blob) {
            self.drop_blob(Container::CvSessions, path).await;
        }
        let photo = |opened: &Opened| {
            opened
                .session
                .photo
                .as_ref()
                .map(|photo| photo.blob.clone())
        };
        if let Some(path) = photo(before).filter(|path| photo(after).as_ref() != Some(path)) {
            self.drop_blob(Container::CvPhotos, &path).await;
        }
    }

    /// Generations and blobs of a session whose row is gone.
    async fn drop_rest(&self, tenant: &Tenant, id: SessionId) -> Result<()> {
        self.drop_generations(tenant, &id.to_string()).await?;
        let prefix = session_prefix(tenant, id);
        for container in [Container::CvSessions, Container::CvPhotos] {
            self.jobs.drop_prefix(container, &prefix).await?;
        }
        Ok(())
    }

    /// A blob that stays behind is harmless: the sweep finds it.
    async fn drop_blob(&self, container: Container, path: &str) {
        if let Err(e) = self.blobs().delete(container, path).await {
            tracing::warn!(
                error = &e as &dyn std::error::Error,
                container = container.as_str(),
                "a blob of a session stays behind until the next sweep"
            );
        }
    }

    async fn put(&self, container: Container, path: &str, data: Bytes, kind: &str) -> Result<()> {
        let (labels, mode) = (Metadata::new(), PutMode::CreateOnly);
        self.blobs()
            .put(container, path, data, kind, &labels, mode)
            .await?;
        Ok(())
    }

    async fn table(
        &self,
        tenant: &Tenant,
        id: SessionId,
    ) -> Result<crate::port::Read<Option<crate::port::Entity>>> {
        let (table, row) = (&self.jobs.storage().table, id.to_string());
        table.get(TableName::Sessions, tenant.as_str(), &row).await
    }

    fn rows<'a>(&'a self, tenant: &'a Tenant, rows: Range<&'a str>) -> Rows<'a> {
        let table = &*self.jobs.storage().table;
        Rows::of(table, TableName::Sessions, tenant.as_str(), rows)
    }

    async fn write(&self, tenant: &Tenant, writes: Vec<Write>) -> Result<Vec<Option<ETag>>> {
        let table = &self.jobs.storage().table;
        table
            .write(TableName::Sessions, tenant.as_str(), writes)
            .await
    }

    fn blobs(&self) -> &dyn crate::Blobs {
        &*self.jobs.storage().blobs
    }

    fn draw(&self) -> String {
        format!("{:032x}", u128::from_be_bytes(random(&*self.entropy)))
    }

    /// A random time that grows, so that writers of one session do not meet again and again.
    async fn pause(&self, attempt: u32) {
        let [byte] = random::<1>(&*self.entropy);
        let most = 1u64 << attempt.min(6);
        let millis = most * u64::from(byte) / 256;
        tokio::time::sleep(Duration::from_millis(millis)).await;
    }
}

impl fmt::Debug for SessionStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionStore")
            .field("lives", &self.lives)
            .finish_non_exhaustive()
    }
}
