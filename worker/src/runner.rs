//! The consume loop: takes messages while there is room, and hands each to a task of its own.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use storage::names::QueueName;
use storage::port::Queue;
use storage::{Clock, Entropy, ambient};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::leased::{LeaseTimes, Leased};

/// How a queue is consumed.
#[derive(Clone, Debug)]
pub struct Consumer {
    /// The queue.
    pub queue: Arc<dyn Queue>,
    /// Which.
    pub name: QueueName,
    /// Messages in hand at once.
    pub concurrency: usize,
    /// How their leases are kept.
    pub lease: LeaseTimes,
    /// First pause after an empty receive; each further one is twice as long.
    pub poll_min: Duration,
    /// Longest pause.
    pub poll_max: Duration,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness, so that many workers do not poll in step.
    pub entropy: Arc<dyn Entropy>,
}

impl Consumer {
    /// Consumes until `shutdown`, then waits for what is in hand.
    ///
    /// There is no prefetch: a message is received only when there is room to handle it. A panic
    /// in a handler is caught: its message comes back when the lease runs out, one dequeue older.
    pub async fn run<H, F>(self, shutdown: CancellationToken, handle: H)
    where
        H: Fn(Leased) -> F,
        F: Future<Output = ()> + Send + 'static,
    {
        let room = Arc::new(Semaphore::new(self.concurrency));
        let tasks = TaskTracker::new();
        let mut pause = self.poll_min;
        while !shutdown.is_cancelled() {
            let Some(first) = until(&shutdown, room.clone().acquire_owned()).await else {
                break;
            };
            let mut permits = vec![first.expect("the semaphore is owned here and never closed")];
            while permits.len() < 32
                && let Ok(permit) = room.clone().try_acquire_owned()
            {
                permits.push(permit);
            }
            let asked_at = self.clock.monotonic();
            let received = self
                .queue
                .receive(self.name, permits.len(), self.lease.visibility)
                .await;
            let messages = received.unwrap_or_else(|e| {
                let queue = self.name.as_str();
                tracing::warn!(
                    event = telemetry::event::QUEUE_FAILED,
                    queue,
                    error = &e as &dyn std::error::Error,
                    "receive from queue {queue} failed; trying again"
                );
                Vec::new()
            });
            if messages.is_empty() {
                drop(permits);
                let idle = self.queue.wait(self.name, self.jitter(pause));
                until(&shutdown, idle).await;
                pause = (pause * 2).min(self.poll_max);
                continue;
            }
            pause = self.poll_min;
            for (message, permit) in messages.into_iter().zip(permits) {
                let (queue, clock) = (self.queue.clone(), self.clock.clone());
                let leased = Leased::begin(queue, self.name, message, self.lease, clock, asked_at);
                // It was accepted: new requests, where they share the process, come after it.
                let work = AssertUnwindSafe(storage::ahead(handle(leased))).catch_unwind();
                let queue = self.name.as_str();
                tasks.spawn(async move {
                    if work.await.is_err() {
                        tracing::error!(
                            event = telemetry::event::MESSAGE_PANIC,
                            queue,
                            "a handler panicked; its message will come back"
                        );
                    }
                    drop(permit);
                });
            }
        }
        tasks.close();
        tasks.wait().await;
    }

    /// Between half and all of a pause.
    fn jitter(&self, pause: Duration) -> Duration {
        let [byte] = ambient::random(&*self.entropy);
        pause.mul_f64(0.5 + f64::from(byte) / 510.0)
    }
}

/// The future's output, unless shutdown comes first.
async fn until<T>(shutdown: &CancellationToken, what: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        () = shutdown.cancelled() => None,
        output = what => Some(output),
    }
}
