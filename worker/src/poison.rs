//! Poison queues: messages set aside, each with its reason and its original body.

use std::time::Duration;

use serde::{Deserialize, Serialize};
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
    tracing::error!(
        queue = name,
        reason,
        "a message was set aside on queue {name}"
    );
    queue.send(to, &body, Duration::ZERO).await
}
