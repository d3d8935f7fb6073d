//! Storage: three small ports, the adapters behind them, and the typed stores on top.
//!
//! - [`port`]: what a queue, a table and a blob container must do, each with its contract.
//! - [`embedded`]: all three in one SQLite file.
//! - [`azure`]: all three on Azure Storage.
//! - [`names`]: every queue, table, container and path, in one place.
//! - [`pages`]: walks over all pages of a query or a listing.
//! - [`jobs`]: the typed store of jobs; the rows of one job move in one transaction.
//! - [`sessions`]: the typed store of editing sessions.
//! - [`webhooks`]: the typed store of webhooks and their deliveries.
//! - [`erase`]: erasing a tenant.
//! - [`keys`]: the typed store of API keys.
//! - [`quota`]: what callers have used of their limits, counted over all replicas.
//! - [`events`]: a decorator that tells of written blobs.
//! - [`observe`]: a decorator that tells what each call took and came to.
//! - [`failpoints`]: where tests make a program die.
//! - `fault` (a feature): a decorator that injects faults.
//! - `conformance` (a feature): one suite that every adapter passes.

mod ahead;
pub mod ambient;
mod around;
pub mod azure;
#[cfg(feature = "azurite")]
pub mod azurite;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod embedded;
pub mod erase;
pub mod events;
pub mod failpoints;
#[cfg(feature = "fault")]
pub mod fault;
pub mod jobs;
pub mod keys;
pub mod lease;
mod limits;
pub mod names;
pub mod observe;
mod open;
mod operation;
pub mod pages;
pub mod port;
pub mod quota;
pub mod schedule;
pub mod sessions;
pub mod spend;
mod troubles;
pub mod webhooks;

pub use ahead::ahead;
pub use ambient::{Clock, Entropy};
pub use open::{OpenError, open};
pub use operation::Operation;
pub use port::{Blobs, Queue, StorageError, Table};
pub use troubles::{
    PASSED_OVER, ROW_PASSED_OVER, Troubles, concerns_one_row, is_damaged, is_newer,
};

use std::sync::Arc;

/// One storage account: the three ports together, as they are handed to a shim or a worker.
#[derive(Clone, Debug)]
pub struct Storage {
    /// Queues.
    pub queue: Arc<dyn Queue>,
    /// Tables.
    pub table: Arc<dyn Table>,
    /// Blobs.
    pub blobs: Arc<dyn Blobs>,
}
