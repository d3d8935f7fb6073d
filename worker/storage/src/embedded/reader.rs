//! A few connections for reading, each used by one blocking thread at a time.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::schema;
use crate::port::{Result, StorageError};

/// Reads take microseconds; more at once would only wait for the processor.
const CONNECTIONS: usize = 4;

pub(super) struct Readers {
    file: PathBuf,
    idle: Mutex<Vec<Connection>>,
    permits: Arc<Semaphore>,
}

impl Readers {
    /// Opens no connection yet.
    pub(super) fn new(file: PathBuf) -> Self {
        let permits = Arc::new(Semaphore::new(CONNECTIONS));
        Self {
            file,
            idle: Mutex::default(),
            permits,
        }
    }

    pub(super) async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let permit = self.permits.clone().acquire_owned().await.map_err(closed)?;
        let readers = self.clone();
        let read = move || {
            // Given back after the connection, whatever becomes of the caller.
            let _permit = permit;
            let connection = readers.take()?;
            let result = work(&connection);
            readers.give_back(connection);
            result
        };
        tokio::task::spawn_blocking(read)
            .await
            .map_err(StorageError::unavailable)?
    }

    pub(super) fn close(&self) {
        self.permits.close();
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    fn take(&self) -> Result<Connection> {
        let idle = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        Ok(match idle {
            Some(connection) => connection,
            None => schema::open_reader(&self.file)?,
        })
    }

    fn give_back(&self, connection: Connection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        // A closed store must not hold the file open.
        if !self.permits.is_closed() {
            idle.push(connection);
        }
    }
}

fn closed(_: tokio::sync::AcquireError) -> StorageError {
    StorageError::unavailable("the store is closed")
}
