//! One worker: what it runs beside each other, until it is asked to stop.

use std::sync::Arc;

use storage::ambient::random;
use storage::jobs::JobStore;
use storage::names::QueueName;
use storage::sessions::SessionStore;
use storage::{Clock, Entropy, StorageError, lease};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::budget::Budget;
use crate::editor::Editor;
use crate::notify::Notifier;
use crate::renderer::{Press, Renderer};
use crate::runner::Consumer;
use crate::{Settings, messages, reconciler, retention, watch};

/// A worker, ready to run.
#[derive(Clone)]
pub struct Worker(pub(crate) Arc<Engine>);

/// Parts of the retention that failed; the log says why.
#[derive(Debug, thiserror::Error)]
#[error("not all that was due is removed: {}", .0.join(", "))]
pub struct Unfinished(Vec<&'static str>);

/// What all handlings share.
pub(crate) struct Engine {
    pub(crate) store: JobStore,
    pub(crate) editor: Arc<Editor>,
    pub(crate) renderer: Renderer,
    pub(crate) budget: Budget,
    pub(crate) notifier: Arc<Notifier>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) settings: Settings,
    /// No further job is begun.
    pub(crate) shutdown: CancellationToken,
    /// Room for inputs of jobs that wait for the model, in bytes.
    pub(crate) inputs: Arc<Semaphore>,
    /// What no job waits for.
    chores: TaskTracker,
}

/// Bytes of inputs that are kept while their jobs wait for the model. Those of more are fetched again.
const INPUTS: usize = 8 << 20;

impl Engine {
    /// Deletes the provider's copy of a reply that is stored here or of no use. Nothing waits for
    /// it, and a failure is no loss: the provider deletes its copies by itself after a time.
    pub(crate) fn forget(&self, reply_id: String) {
        let editor = self.editor.clone();
        self.chores.spawn(async move {
            if !editor.forget(&reply_id).await {
                tracing::warn!(
                    reply_id,
                    "the provider's copy of reply {reply_id} may still be there"
                );
            }
        });
    }
}

impl Worker {
    /// A worker over a store. It stops when `shutdown` is cancelled.
    pub fn new(
        store: JobStore,
        editor: Editor,
        press: Arc<Press>,
        settings: Settings,
        (clock, entropy): (Arc<dyn Clock>, Arc<dyn Entropy>),
        shutdown: CancellationToken,
    ) -> Self {
        let table = store.storage().table.clone();
        let budget = Budget::new(&settings.limits, table, clock.clone(), entropy.clone());
        let editor = match editor {
            Editor::Model(mut model) => {
                model.api = budget.metered(model.api);
                Editor::Model(model)
            }
            Editor::Offline => Editor::Offline,
        };
        let renderer = Renderer::new(press, settings.render_threads);
        let notifier = Notifier::new(
            store.clone(),
            settings.notify.clone(),
            (clock.clone(), entropy.clone()),
            shutdown.clone(),
        );
        Self(Arc::new(Engine {
            store,
            editor: Arc::new(editor),
            renderer,
            budget,
            notifier,
            clock,
            entropy,
            settings,
            shutdown,
            inputs: Arc::new(Semaphore::new(INPUTS)),
            chores: TaskTracker::new(),
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
                self.reconcile(),
                retention::run(&self.0),
                self.watch_queues()
            );
            self.0.chores.close();
            self.0.chores.wait().await;
            self.0.notifier.finished().await;
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
        let handle = move |leased| messages::handle(engine.clone(), leased);
        consumer.run(self.0.shutdown.clone(), handle).await;
    }

    async fn consume_notifications(&self) {
        let consumer = self.consumer(QueueName::Notifications, 32);
        let notifier = self.0.notifier.clone();
        let handle = move |leased| {
            let notifier = notifier.clone();
            async move { notifier.handle(leased).await }
        };
        consumer.run(self.0.shutdown.clone(), handle).await;
    }

    async fn watch_queues(&self) {
        let Engine {
            store,
            clock,
            settings,
            shutdown,
            ..
        } = &*self.0;
        watch::queues(store.storage(), &**clock, settings.metrics_every, shutdown).await;
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

    /// Removes once what has been kept long enough: erased tenants, purged and old jobs, expired
    /// sessions, records of deliveries. What is due once a day is left out if it was done today, and
    /// jobs and tenants if another worker is at them. A part that fails is logged, and the others are
    /// done all the same.
    pub async fn retain_once(&self) -> Result<(), Unfinished> {
        let failed = failed([
            ("records of deliveries", self.sweep_deliveries().await),
            ("expired sessions", self.sweep_sessions().await),
            ("jobs and tenants", retention::round(&self.0).await),
        ]);
        if failed.is_empty() {
            Ok(())
        } else {
            Err(Unfinished(failed))
        }
    }

    async fn sweep_deliveries(&self) -> Result<(), StorageError> {
        let settings = &self.0.settings;
        let webhooks = self.0.notifier.store();
        webhooks
            .sweep_if_due(settings.sweep_at, settings.notify.keep)
            .await
    }

    async fn sweep_sessions(&self) -> Result<(), StorageError> {
        let settings = &self.0.settings;
        let swept = self.sessions().sweep_if_due(settings.sweep_at).await?;
        if let Some(swept) = swept {
            let removed = swept.sessions;
            watch::sessions_expired(swept);
            tracing::info!(removed, "{removed} expired sessions were removed");
        }
        Ok(())
    }

    fn sessions(&self) -> SessionStore {
        let (clock, entropy) = (self.0.clock.clone(), self.0.entropy.clone());
        let lives = self.0.settings.session_lives;
        SessionStore::new(self.0.store.clone(), clock, entropy, lives)
    }

    async fn reconcile(&self) {
        let Engine {
            settings, shutdown, ..
        } = &*self.0;
        let holder = schemas::hex(&random::<8>(&*self.0.entropy));
        // Nothing is to be put back yet; but that a worker runs, whoever asks can see at once.
        tokio::select! {
            biased;
            () = shutdown.cancelled() => return,
            _ = self.may_reconcile(&holder) => {}
        }
        loop {
            let pause = tokio::time::sleep(settings.reconcile_every);
            tokio::select! {
                biased;
                () = shutdown.cancelled() => return,
                () = pause => {}
            }
            self.reconcile_once(&holder).await;
        }
    }

    /// One round at a time, by whichever worker has the lease.
    async fn may_reconcile(&self, holder: &str) -> Result<bool, StorageError> {
        let Engine {
            settings, store, ..
        } = &*self.0;
        let lasts = settings.reconcile_every * 2;
        lease::acquire(&*store.storage().table, lease::RECONCILER, holder, lasts).await
    }

    /// One round, unless another worker is at it; gives what of it failed. The next one tries again.
    async fn reconcile_once(&self, holder: &str) -> Vec<&'static str> {
        match self.may_reconcile(holder).await {
            Ok(true) => {}
            Ok(false) => return Vec::new(),
            Err(e) => return failed([("the reconciler's lease", Err(e))]),
        }
        let Engine {
            store, notifier, ..
        } = &*self.0;
        // A row of one tenant that cannot be read is an error of each round.
        let reconciled = reconciler::reconcile(store, notifier.store()).await;
        failed([
            ("open jobs", reconciled.map(drop)),
            ("records of deliveries", self.sweep_deliveries().await),
            ("expired sessions", self.sweep_sessions().await),
            (
                "figures of sessions",
                watch::sessions(&self.sessions()).await,
            ),
        ])
    }
}

/// The parts of a round that failed; the log says why each of them did.
fn failed<const N: usize>(
    parts: [(&'static str, Result<(), StorageError>); N],
) -> Vec<&'static str> {
    let mut failed = Vec::new();
    for (part, done) in parts {
        if let Err(e) = done {
            let error = &e as &dyn std::error::Error;
            tracing::warn!(error, "{part}: this round failed");
            failed.push(part);
        }
    }
    failed
}

#[cfg(test)]
mod tests {
    use storage::Operation;
    use storage::fault::{Bench, Rates};
    use storage::names::TableName;

    use super::*;

    #[tokio::test]
    async fn all_parts_of_a_round_that_fail_are_named() {
        let bench = Bench::new();
        let (clock, entropy) = bench.ambient();
        let (faults, storage) = (&bench.faults, bench.storage.clone());
        let config = config::Config::for_tests();
        let worker = Worker::new(
            JobStore::new(storage, clock.clone(), entropy.clone(), &config.worker),
            Editor::Offline,
            Arc::new(Press::built_in().unwrap()),
            Settings::new(&config),
            (clock, entropy),
            CancellationToken::new(),
        );
        let refused = Rates {
            refuse: 1.0,
            ..Rates::default()
        };
        // The lease is had with a reading and a write.
        let tenants = TableName::Tenants;
        faults.set_all(refused);
        faults.set(Operation::GetEntity(tenants), Rates::default());
        faults.set(Operation::Write(tenants), Rates::default());
        let failed = worker.reconcile_once("a").await;
        assert_eq!(
            failed,
            ["open jobs", "records of deliveries", "expired sessions"]
        );
        faults.off();
        assert!(worker.reconcile_once("a").await.is_empty());
        faults.set(Operation::GetEntity(tenants), refused);
        assert_eq!(worker.reconcile_once("a").await, ["the reconciler's lease"]);
    }
}
