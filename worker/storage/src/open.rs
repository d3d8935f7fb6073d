//! Opens the storage that the configuration names.

use std::sync::Arc;

use config::{Backend, EmitEvents};

use crate::events::Emitting;
use crate::{Clock, Entropy, Storage, azure, embedded};

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
    /// The settings of Azure Storage cannot be used.
    #[error("the settings of Azure Storage cannot be used")]
    Azure(#[from] azure::ConnectError),
    /// Azure Storage does not let us in.
    #[error("Azure Storage cannot be used")]
    AzureCheck(#[from] azure::CheckError),
}

/// Opens the configured storage, and asks Azure whether it is really there, which takes 15 seconds
/// at most.
///
/// New PDFs tell of themselves on the notifications queue; in Azure itself that is left to Event
/// Grid, unless the settings say otherwise.
pub async fn open(
    settings: &config::Storage,
    clock: &Arc<dyn Clock>,
    entropy: &Arc<dyn Entropy>,
) -> Result<Storage, OpenError> {
    let (storage, emits) = match settings.backend {
        Backend::Azure => {
            let account = azure::Account::connect(&settings.azure, clock.clone())?;
            account.check().await?;
            let emits = match settings.azure.emit_events {
                EmitEvents::Auto => account.is_emulator(),
                EmitEvents::On => true,
                EmitEvents::Off => false,
            };
            (account.storage(), emits)
        }
        Backend::Embedded => {
            let dir = &settings.data_dir;
            let store = embedded::Store::open(dir, clock.clone(), entropy.clone());
            let store = store.map_err(|source| {
                let dir = dir.display().to_string();
                OpenError::Embedded { dir, source }
            })?;
            (store.storage(), true)
        }
    };
    if !emits {
        return Ok(storage);
    }
    let Storage {
        queue,
        table,
        blobs,
    } = storage;
    let blobs = Emitting::new(blobs, queue.clone(), clock.clone(), entropy.clone());
    Ok(Storage {
        queue,
        table,
        blobs: Arc::new(blobs),
    })
}
