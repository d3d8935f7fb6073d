//! Poison queues: messages set aside, each with its reason and its original body.

use std::time::Duration;

use schemas::ProblemKind;
use schemas::message::JobMessage;
use serde::{Deserialize, Serialize};
use storage::jobs::{JobStore, RowState};
use storage::names::QueueName;
use storage::port::{Queue, Result, StorageError};

use crate::delivery::Delivery;

/// The body of a message on a poison queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetAside {
    /// Why it was set aside.
    pub reason: String,
    /// How often it had been received.
    pub dequeue_count: u32,
    /// The body as it came, cut to its first 16 KiB.
    pub body: String,
}

/// Why a job cannot be requeued.
#[derive(Debug, thiserror::Error)]
pub enum RequeueError {
    /// It was purged.
    #[error("its job is gone")]
    Gone,
    /// The outcome of its call is unknown: a requeue would pay again without its owner's consent.
    #[error(
        "its job is held: the outcome of its call is unknown, and going on may pay again. Its \
         owner may agree to that (POST /v1/jobs/{{id}}/retry), or you with --consent"
    )]
    Held,
    /// Storage failed.
    #[error("storage failed")]
    Storage(#[from] StorageError),
}

/// Opens a poisoned job again: to `rendering` where a reply is stored, else to `queued`. One whose
/// call has an unknown outcome needs `consent` to pay again, unless its reply is stored. A job
/// that is open, or ended in another way, stays as it is: its message is harmless.
pub async fn requeue(
    store: &JobStore,
    message: &JobMessage,
    consent: bool,
) -> std::result::Result<(), RequeueError> {
    let JobMessage { tenant, job_id, .. } = message;
    let loaded = store
        .read(tenant, *job_id)
        .await?
        .ok_or(RequeueError::Gone)?;
    let reply_stored = store.reply(tenant, *job_id).await?.is_some();
    let row = &loaded.row;
    let poisoned = row
        .error
        .as_ref()
        .is_some_and(|p| p.kind == ProblemKind::Poison);
    match row.state {
        RowState::OutcomeUnknown if reply_stored => Ok(()),
        RowState::OutcomeUnknown if consent => {
            store.consent(tenant, *job_id).await?;
            Ok(())
        }
        RowState::OutcomeUnknown => Err(RequeueError::Held),
        RowState::Failed if poisoned => {
            store.reopen(&loaded, reply_stored).await?;
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Puts a copy of a message on a poison queue. The message itself is still to be deleted.
pub(crate) async fn set_aside(
    queue: &dyn Queue,
    to: QueueName,
    delivery: &Delivery,
    reason: &str,
) -> Result<()> {
    // JSON may double the size of a body, and queues take 48 KiB.
    let end = delivery.body.floor_char_boundary(16 * 1024);
    let aside = SetAside {
        reason: reason.to_owned(),
        dequeue_count: delivery.dequeue_count,
        body: delivery.body[..end].to_owned(),
    };
    let body = serde_json::to_string(&aside).map_err(StorageError::unavailable)?;
    let (name, reason) = (to.as_str(), &aside.reason);
    telemetry::Metric::Poison.count(&[("messaging.destination.name", name)]);
    tracing::error!(
        event = telemetry::event::MESSAGE_SET_ASIDE,
        queue = name,
        reason,
        "a message was set aside on queue {name}"
    );
    queue.send(to, &body, Duration::ZERO).await
}
