//! The engine: pulls jobs, calls the model at most once, renders the PDF.
//!
//! - `attempt`: what to do next with one message, as a pure function.
//! - `handling`: does what `attempt` asks for.
//! - `runner`, `delivery`: the consume loop, and the lease of one message.
//! - `jobs`: job kinds, one file each.
//! - `reconciler`, `notify`, `poison`: what happens beside the main way.

pub mod attempt;
pub mod delivery;
pub mod editor;
mod handling;
pub mod jobs;
mod notify;
pub mod poison;
pub mod reconciler;
mod renderer;
pub mod runner;
mod settings;
mod throttle;

use std::sync::Arc;
use std::time::Duration;

use schemas::message::{JobMessage, MessageError};
use storage::ambient::random;
use storage::jobs::JobStore;
use storage::names::QueueName;
use storage::{Clock, Entropy, lease};
use tokio_util::sync::CancellationToken;

pub use renderer::{RenderedJob, render_job};
pub use settings::{ModelMissing, Settings, editor};

use crate::attempt::Disposition;
use crate::delivery::Delivery;
use crate::editor::Editor;
use crate::handling::Handling;
use crate::renderer::Renderer;
use crate::runner::Consumer;
use crate::throttle::Throttle;

/// A worker, ready to run.
#[derive(Clone)]
pub struct Worker(Arc<Engine>);

/// What all handlings share.
pub(crate) struct Engine {
    pub(crate) store: JobStore,
    pub(crate) editor: Editor,
    pub(crate) renderer: Renderer,
    pub(crate) throttle: Throttle,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) settings: Settings,
    /// No further job is begun.
    pub(crate) shutdown: CancellationToken,
}

impl Worker {
    /// A worker over a store. It stops when `shutdown` is cancelled.
    pub fn new(
        store: JobStore,
        editor: Editor,
        renderer: Arc<render::Engine>,
        settings: Settings,
        (clock, entropy): (Arc<dyn Clock>, Arc<dyn Entropy>),
        shutdown: CancellationToken,
    ) -> Self {
        let throttle = Throttle::new(settings.requests_per_minute, clock.clone());
        let renderer = Renderer::new(renderer, settings.render_threads);
        Self(Arc::new(Engine {
            store,
            editor,
            renderer,
            throttle,
            clock,
            entropy,
            settings,
            shutdown,
        }))
    }

    /// Works until shutdown; then finishes what is in hand, within the grace period. What is not
    /// finished then is left to other workers, as after a crash.
    pub async fn run(self) {
        let shutdown = self.0.shutdown.clone();
        let all = async {
            tokio::join!(
                self.consume_jobs(),
                self.consume_notifications(),
                self.reconcile()
            );
        };
        let grace = self.0.settings.shutdown_grace;
        let too_late = async {
            shutdown.cancelled().await;
            tokio::time::sleep(grace).await;
        };
        tokio::select! {
            biased;
            () = all => {}
            () = too_late => tracing::warn!("the grace period is over; open jobs are left"),
        }
    }

    async fn consume_jobs(&self) {
        let consumer = self.consumer(QueueName::Jobs, self.0.settings.concurrency);
        let engine = self.0.clone();
        let handle = move |delivery| handle_job(engine.clone(), delivery);
        consumer.run(self.0.shutdown.clone(), handle).await;
    }

    async fn consume_notifications(&self) {
        let consumer = self.consumer(QueueName::Notifications, 16);
        let engine = self.0.clone();
        let handle = move |delivery| {
            let engine = engine.clone();
            async move { notify::handle(&engine, delivery).await }
        };
        consumer.run(self.0.shutdown.clone(), handle).await;
    }

    fn consumer(&self, name: QueueName, concurrency: usize) -> Consumer {
        Consumer {
            queue: self.0.store.storage().queue.clone(),
            name,
            concurrency,
            lease: self.0.settings.lease,
            poll_min: self.0.settings.poll_min,
            poll_max: self.0.settings.poll_max,
            clock: self.0.clock.clone(),
            entropy: self.0.entropy.clone(),
        }
    }

    /// One round at a time, by whichever worker has the lease.
    async fn reconcile(&self) {
        let Engine {
            settings,
            store,
            entropy,
            shutdown,
            ..
        } = &*self.0;
        let holder = jobs::hex(&random::<8>(&**entropy));
        loop {
            let pause = tokio::time::sleep(settings.reconcile_every);
            tokio::select! {
                biased;
                () = shutdown.cancelled() => return,
                () = pause => {}
            }
            let lasts = settings.reconcile_every * 2;
            let table = &*store.storage().table;
            let round = async {
                if !lease::acquire(table, "reconciler", &holder, lasts).await? {
                    return Ok(reconciler::Round::default());
                }
                reconciler::reconcile(store).await
            };
            if let Err(e) = round.await {
                tracing::warn!(
                    error = &e as &dyn std::error::Error,
                    "a round of the reconciler failed; the next one tries again"
                );
            }
        }
    }
}

async fn handle_job(engine: Arc<Engine>, delivery: Delivery) {
    let message = match JobMessage::from_body(&delivery.body) {
        Ok(message) => message,
        Err(MessageError::Newer(schema)) => {
            tracing::info!(
                schema,
                "a message of a newer schema is left for a newer worker"
            );
            return delivery.release(Duration::from_mins(1), None).await;
        }
        Err(e @ MessageError::Foreign) => {
            let (queue, to) = (&*engine.store.storage().queue, QueueName::JobsPoison);
            if poison::set_aside(queue, to, &delivery, &e.to_string())
                .await
                .is_ok()
            {
                delivery.ack().await;
            }
            return;
        }
    };
    match Handling::run(&engine, &message, &delivery).await {
        Disposition::Delete => delivery.ack().await,
        Disposition::Release { after, forgiven } => {
            let mut message = message;
            let body = forgiven.then(|| {
                message.forgiven += 1;
                message.to_body()
            });
            delivery.release(after, body.as_deref()).await;
        }
    }
}
