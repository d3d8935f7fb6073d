//! All three ports in one SQLite file, safe for several processes at once.
//!
//! Writes of one process go through one thread, which commits whatever has gathered as one
//! transaction: one `fsync` for many callers. Nothing is acknowledged before that. Reads run on a
//! few connections of their own and see every commit, of other processes too.

pub mod backup;
mod blobs;
mod cursor;
mod error;
pub mod part;
mod queue;
mod reader;
mod schema;
mod table;
mod upkeep;
mod wakes;
mod writer;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;

pub use error::OpenError;

use crate::port::{Result, StorageError};
use crate::{Clock, Entropy, Storage, ambient};
use reader::Readers;
use wakes::Wakes;
use writer::{Batch, Writer};

/// The file in the store's directory.
pub const FILE_NAME: &str = "presswork.db";

/// Whether there is a store in a directory. An error where nobody can say, as without the right to
/// look into it.
pub fn is_in(dir: &Path) -> std::io::Result<bool> {
    is_file(&dir.join(FILE_NAME))
}

fn is_file(file: &Path) -> std::io::Result<bool> {
    match std::fs::metadata(file) {
        Ok(found) => Ok(found.is_file()),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(e) => Err(e),
    }
}

/// Queues, tables and blobs in one file.
pub struct Store {
    writer: Writer,
    readers: Arc<Readers>,
    wakes: Arc<Wakes>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

impl Store {
    /// Opens the store in a directory, making both at need, for this user alone: they hold what is in
    /// CVs. Takes milliseconds.
    ///
    /// The clock is the store's own: the date of reads and the visibility of messages. Processes
    /// that share a store must agree on the time. Message ids and receipts come from `entropy`.
    pub fn open(
        dir: &Path,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> std::result::Result<Arc<Self>, OpenError> {
        part::make_dir(dir).map_err(|source| OpenError::Directory {
            dir: dir.to_owned(),
            source,
        })?;
        let file = dir.join(FILE_NAME);
        // The files beside it get its rights. Where this fails, opening says why.
        let _ = part::make_file(&file);
        let connection = schema::open(&file)?;
        let wakes = Arc::new(Wakes::default());
        let writer =
            Writer::start(connection, clock.clone(), wakes.clone()).map_err(OpenError::Thread)?;
        let readers = Arc::new(Readers::new(file));
        Ok(Arc::new(Self {
            writer,
            readers,
            wakes,
            clock,
            entropy,
        }))
    }

    /// The three ports of this store.
    pub fn storage(self: &Arc<Self>) -> Storage {
        Storage {
            queue: self.clone(),
            table: self.clone(),
            blobs: self.clone(),
        }
    }

    /// Finishes what was asked before, then closes the file. Later calls are
    /// [`StorageError::Unavailable`].
    pub async fn close(&self) {
        self.readers.close();
        self.writer.close().await;
    }

    /// Runs a read away from the async threads.
    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.readers.run(work).await
    }

    /// Runs a write in the next group; `bytes` is about how much it writes.
    async fn write<T: Send + 'static>(
        &self,
        bytes: usize,
        work: impl FnOnce(&mut Batch<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.writer.run(bytes, work).await
    }

    fn random_id(&self) -> String {
        format!(
            "{:032x}",
            u128::from_be_bytes(ambient::random(&*self.entropy))
        )
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("embedded::Store").finish_non_exhaustive()
    }
}

/// A count or a size as SQLite keeps it. Larger ones than it can keep do not come up.
fn int(n: impl TryInto<i64>) -> i64 {
    n.try_into().unwrap_or(i64::MAX)
}

/// Any failure of SQLite leaves the effect unknown to the caller.
impl From<rusqlite::Error> for StorageError {
    fn from(error: rusqlite::Error) -> Self {
        Self::unavailable(error)
    }
}
