//! Opens the storage that the configuration names.

use std::sync::Arc;

use config::Backend;

use crate::events::Emitting;
use crate::{Clock, Entropy, Storage, embedded};

/// Why there is no storage.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The embedded store cannot be opened.
    #[error("the embedded store in {dir} cannot be opened")]
    Embedded {
        /// The configured directory.
        dir: String,
        /// Why.
        source: embedded::OpenError,
    },
    /// The adapter for Azure Storage is not in this version.
    #[error(
        "storage.backend is azure, and this version has the embedded store only; set \
         PRESSWORK_STORAGE__BACKEND=embedded"
    )]
    Azure,
}

/// Opens the configured storage. New PDFs tell of themselves on the notifications queue.
pub fn open(
    settings: &config::Storage,
    clock: &Arc<dyn Clock>,
    entropy: &Arc<dyn Entropy>,
) -> Result<Storage, OpenError> {
    match settings.backend {
        Backend::Azure => Err(OpenError::Azure),
        Backend::Embedded => {
            let dir = &settings.data_dir;
            let store = embedded::Store::open(dir, clock.clone(), entropy.clone());
            let store = store.map_err(|source| {
                let dir = dir.display().to_string();
                OpenError::Embedded { dir, source }
            })?;
            let Storage {
                queue,
                table,
                blobs,
            } = store.storage();
            let blobs = Emitting::new(blobs, queue.clone(), clock.clone(), entropy.clone());
            Ok(Storage {
                queue,
                table,
                blobs: Arc::new(blobs),
            })
        }
    }
}
