//! One received message: its lease is kept by a heartbeat, and it ends in exactly one way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use storage::Clock;
use storage::names::QueueName;
use storage::port::{Lease, Queue, Received, StorageError};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A message in hand. [`ack`](Self::ack) and [`release`](Self::release) take it, so that nothing
/// can be done twice; dropping it leaves the message to come back when its lease runs out.
#[derive(Debug)]
pub struct Delivery {
    queue: Arc<dyn Queue>,
    name: QueueName,
    clock: Arc<dyn Clock>,
    /// The body as received.
    pub body: String,
    /// How often the message was received, this time included.
    pub dequeue_count: u32,
    lease: Arc<LeaseState>,
    stop: CancellationToken,
    heartbeat: JoinHandle<Lease>,
}

/// What the handling may know of its lease.
#[derive(Debug)]
struct LeaseState {
    lost: AtomicBool,
    /// On the monotonic clock, in milliseconds.
    held_until: AtomicU64,
}

/// How a lease is kept.
#[derive(Clone, Copy, Debug)]
pub struct LeaseTimes {
    /// How long a receive or extend hides the message.
    pub visibility: Duration,
    /// Time between extends.
    pub heartbeat: Duration,
}

impl Delivery {
    /// Takes a received message and begins to keep its lease. `received_at` is the monotonic time
    /// from before the receive: the lease is counted from there.
    pub fn begin(
        queue: Arc<dyn Queue>,
        name: QueueName,
        message: Received,
        times: LeaseTimes,
        clock: Arc<dyn Clock>,
        received_at: Duration,
    ) -> Self {
        let lease = Arc::new(LeaseState {
            lost: AtomicBool::new(false),
            held_until: AtomicU64::new(millis(received_at + times.visibility)),
        });
        let stop = CancellationToken::new();
        let heartbeat = tokio::spawn(beat(
            queue.clone(),
            name,
            message.lease,
            times,
            clock.clone(),
            lease.clone(),
            stop.clone(),
        ));
        let Received {
            body,
            dequeue_count,
            ..
        } = message;
        Self {
            queue,
            name,
            clock,
            body,
            dequeue_count,
            lease,
            stop,
            heartbeat,
        }
    }

    /// Nobody else can have received the message.
    pub fn is_leased(&self) -> bool {
        let now = millis(self.clock.monotonic());
        !self.lease.lost.load(Ordering::Relaxed)
            && now < self.lease.held_until.load(Ordering::Relaxed)
    }

    /// The message is done with: deletes it.
    pub async fn ack(self) {
        let (queue, name) = (self.queue.clone(), self.name);
        let lease = self.end_heartbeat().await;
        report("delete", queue.delete(name, &lease).await);
    }

    /// The message is to come back after a time, perhaps with another body.
    pub async fn release(self, after: Duration, body: Option<&str>) {
        let (queue, name) = (self.queue.clone(), self.name);
        let lease = self.end_heartbeat().await;
        report(
            "release",
            queue.extend(name, &lease, after, body).await.map(drop),
        );
    }

    /// Ends the heartbeat, letting an extend that is under way finish: its receipt is the newest.
    async fn end_heartbeat(self) -> Lease {
        self.stop.cancel();
        self.heartbeat
            .await
            .expect("the heartbeat neither panics nor is aborted")
    }
}

/// A message that cannot be deleted or released comes back by itself, which is harmless.
fn report(what: &str, result: Result<(), StorageError>) {
    match result {
        Ok(()) => {}
        Err(StorageError::StaleReceipt | StorageError::NotFound) => {
            tracing::debug!("{what}: the message has another holder by now");
        }
        Err(e) => {
            tracing::warn!(
                error = &e as &dyn std::error::Error,
                "{what} failed; the message will come back"
            );
        }
    }
}

async fn beat(
    queue: Arc<dyn Queue>,
    name: QueueName,
    mut lease: Lease,
    times: LeaseTimes,
    clock: Arc<dyn Clock>,
    state: Arc<LeaseState>,
    stop: CancellationToken,
) -> Lease {
    let mut pause = times.heartbeat;
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return lease,
            () = tokio::time::sleep(pause) => {}
        }
        let asked_at = clock.monotonic();
        match queue.extend(name, &lease, times.visibility, None).await {
            Ok(newer) => {
                lease = newer;
                let until = millis(asked_at + times.visibility);
                state.held_until.store(until, Ordering::Relaxed);
                pause = times.heartbeat;
            }
            Err(StorageError::StaleReceipt | StorageError::NotFound) => {
                state.lost.store(true, Ordering::Relaxed);
                tracing::warn!(
                    event = telemetry::event::LEASE_LOST,
                    "lease lost: another worker may have the message"
                );
                stop.cancelled().await;
                return lease;
            }
            Err(e) => {
                tracing::warn!(
                    error = &e as &dyn std::error::Error,
                    "heartbeat failed; trying again"
                );
                pause = times.heartbeat / 4;
            }
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
