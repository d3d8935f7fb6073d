//! Storage: three small ports, the adapters behind them, and the typed stores on top.
//!
//! - [`port`]: what a queue, a table and a blob container must do, each with its contract.
//! - [`embedded`]: all three in one SQLite file.
//! - [`azure`]: all three on Azure Storage.
//! - [`names`]: every queue, table, container and path, in one place.
//! - [`jobs`]: the typed store of jobs; the rows of one job move in one transaction.
//! - [`sessions`]: the typed store of editing sessions.
//! - [`events`]: a decorator that tells of written blobs.
//! - [`failpoints`]: where tests make a program die.
//! - `fault` (a feature): a decorator that injects faults.
//! - `conformance` (a feature): one suite that every adapter passes.

pub mod ambient;
pub mod azure;
#[cfg(feature = "azurite")]
pub mod azurite;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod embedded;
pub mod events;
pub mod failpoints;
#[cfg(feature = "fault")]
pub mod fault;
pub mod jobs;
pub mod lease;
mod limits;
pub mod names;
mod open;
pub mod port;
pub mod sessions;
pub mod spend;

pub use ambient::{Clock, Entropy};
pub use open::{OpenError, open};
pub use port::{Blobs, Queue, StorageError, Table};

use std::sync::Arc;

/// One storage account: the three ports together, as they are handed to a shim or a worker.
#[derive(Clone)]
pub struct Storage {
    /// Queues.
    pub queue: Arc<dyn Queue>,
    /// Tables.
    pub table: Arc<dyn Table>,
    /// Blobs.
    pub blobs: Arc<dyn Blobs>,
}
