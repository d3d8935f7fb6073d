//! One received message: its lease is kept by a heartbeat, and it ends in exactly one way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use storage::Clock;
use storage::names::QueueName;
use storage::port::{Lease, Queue, Received, StorageError};
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

/// A message in hand. [`ack`](Self::ack) and [`release`](Self::release) take it, so that nothing
/// can be done twice; dropping it leaves the message to come back when its lease runs out.
#[derive(Debug)]
pub struct Leased {
    queue: Arc<dyn Queue>,
    name: QueueName,
    clock: Arc<dyn Clock>,
    /// The body as received.
    pub body: String,
    /// How often the message was received, this time included.
    pub dequeue_count: u32,
    lease: Arc<LeaseState>,
    /// Ends the heartbeat, by being dropped too.
    stop: DropGuard,
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

impl Leased {
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
        let heartbeat = tokio::spawn(storage::ahead(beat(
            queue.clone(),
            name,
            message.lease,
            times,
            clock.clone(),
            lease.clone(),
            stop.clone(),
        )));
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
            stop: stop.drop_guard(),
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
        drop(self.stop);
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

#[cfg(test)]
mod tests {
    use storage::Storage;
    use storage::ambient::System;
    use storage::embedded::Store;

    use super::*;

    const JOBS: QueueName = QueueName::Jobs;

    struct Bench {
        storage: Storage,
        clock: Arc<System>,
        _dir: tempfile::TempDir,
    }

    impl Bench {
        fn new() -> Self {
            let (dir, clock) = (tempfile::tempdir().unwrap(), Arc::new(System::new()));
            let store = Store::open(dir.path(), clock.clone(), clock.clone()).unwrap();
            Self {
                storage: store.storage(),
                clock,
                _dir: dir,
            }
        }

        /// A message in hand.
        async fn leased(&self, visibility: u64, heartbeat: u64) -> Leased {
            let at = self.clock.monotonic();
            let message = self.message(visibility).await;
            self.hold(message, visibility, heartbeat, at)
        }

        async fn message(&self, visibility: u64) -> Received {
            let queue = &self.storage.queue;
            queue.send(JOBS, "body", Duration::ZERO).await.unwrap();
            let visibility = Duration::from_millis(visibility);
            let message = queue.receive(JOBS, 1, visibility).await.unwrap();
            message.into_iter().next().unwrap()
        }

        fn hold(&self, message: Received, visibility: u64, heartbeat: u64, at: Duration) -> Leased {
            let times = LeaseTimes {
                visibility: Duration::from_millis(visibility),
                heartbeat: Duration::from_millis(heartbeat),
            };
            let (queue, clock) = (self.storage.queue.clone(), self.clock.clone());
            Leased::begin(queue, JOBS, message, times, clock, at)
        }

        async fn visible(&self) -> bool {
            let moment = Duration::from_millis(1);
            let got = self.storage.queue.receive(JOBS, 1, moment).await;
            !got.unwrap().is_empty()
        }
    }

    async fn pass(millis: u64) {
        tokio::time::sleep(Duration::from_millis(millis)).await;
    }

    #[tokio::test]
    async fn the_heartbeat_keeps_the_message_and_its_newest_receipt() {
        let bench = Bench::new();
        let leased = bench.leased(5_000, 150).await;
        for _ in 0..37 {
            pass(150).await;
            assert!(leased.is_leased());
            assert!(!bench.visible().await, "somebody else got it");
        }
        leased.ack().await;
        assert_eq!(bench.storage.queue.count(JOBS).await.unwrap(), 0);
        let leased = bench.leased(10_000, 50).await;
        pass(150).await;
        leased.release(Duration::ZERO, Some("other")).await;
        let back = bench.storage.queue.peek(JOBS, 1).await.unwrap();
        assert_eq!(back[0].body, "other");
    }

    #[tokio::test]
    async fn a_lease_that_another_has_is_lost() {
        let bench = Bench::new();
        let queue = &bench.storage.queue;
        let (hour, at) = (Duration::from_hours(1), bench.clock.monotonic());
        let message = bench.message(3_600_000).await;
        let theirs = queue.extend(JOBS, &message.lease, hour, None).await;
        let leased = bench.hold(message, 3_600_000, 20, at);
        assert!(leased.is_leased(), "nothing is known of it yet");
        while leased.is_leased() {
            assert!(bench.clock.monotonic() < at + Duration::from_secs(30));
            pass(5).await;
        }
        leased.ack().await;
        assert_eq!(
            queue.count(JOBS).await.unwrap(),
            1,
            "it is not ours to delete"
        );
        queue.delete(JOBS, &theirs.unwrap()).await.unwrap();
    }

    #[tokio::test]
    async fn a_lease_that_ran_out_is_not_held() {
        let bench = Bench::new();
        let leased = bench.leased(40, 10_000).await;
        pass(60).await;
        assert!(!leased.is_leased());
    }

    #[tokio::test]
    async fn what_is_dropped_comes_back() {
        let bench = Bench::new();
        let leased = bench.leased(1_000, 100).await;
        drop(leased);
        for _ in 0..300 {
            if bench.visible().await {
                return;
            }
            pass(100).await;
        }
        panic!("its lease is kept, and nobody has it");
    }
}
