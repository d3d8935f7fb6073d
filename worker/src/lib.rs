//! The engine: pulls jobs, calls the model at most once, renders the PDF.
//!
//! - `attempt`: what to do next with one message, as a pure function.
//! - `handling`: does what `attempt` asks for.
//! - `budget`: what calls may take, asked for before each.
//! - `runner`, `delivery`: the consume loop, and the lease of one message.
//! - `jobs`: job kinds, one file each.
//! - `reconciler`, `notify`, `poison`: what happens beside the main way.
//! - `retention`: what is stored goes away again.
//! - `reference`: what the provider is told of a job.
//! - `watch`: what monitoring is told.
//! - `program`: the `worker` program.
//! - `failpoints`: where tests make it die.

pub mod attempt;
mod budget;
pub mod delivery;
pub mod editor;
pub mod failpoints;
mod handling;
pub mod jobs;
mod notify;
pub mod poison;
mod program;
pub mod reconciler;
pub mod reference;
mod renderer;
mod retention;
pub mod runner;
mod settings;
mod watch;

use std::sync::Arc;
use std::time::Duration;

use openai::Retrieved;
use schemas::message::{JobMessage, MessageError, QueueMessage, ReplyMessage, forgive_newer};
use storage::ambient::random;
use storage::jobs::JobStore;
use storage::names::QueueName;
use storage::sessions::SessionStore;
use storage::{Clock, Entropy, StorageError, lease};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use budget::Limits;
pub use notify::{DeadLetter, NotifySettings};
pub use program::program;
pub use renderer::{
    Beside, Press, PressFault, RenderedJob, engine, render_job, render_job_with_sheets,
};
pub use settings::{ModelMissing, Settings, editor, model_client};
pub use watch::observed;

use crate::attempt::Disposition;
use crate::budget::Budget;
use crate::delivery::Delivery;
use crate::editor::Editor;
use crate::handling::Handling;
use crate::notify::Notifier;
use crate::renderer::Renderer;
use crate::runner::Consumer;

/// A worker, ready to run.
#[derive(Clone)]
pub struct Worker(Arc<Engine>);

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
    inputs: Arc<Semaphore>,
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
        let handle = move |delivery| handle_job(engine.clone(), delivery);
        consumer.run(self.0.shutdown.clone(), handle).await;
    }

    async fn consume_notifications(&self) {
        let consumer = self.consumer(QueueName::Notifications, 32);
        let notifier = self.0.notifier.clone();
        let handle = move |delivery| {
            let notifier = notifier.clone();
            async move { notifier.handle(delivery).await }
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
        let Engine {
            settings,
            store,
            clock,
            entropy,
            ..
        } = &*self.0;
        let lives = settings.session_lives;
        let sessions = SessionStore::new(store.clone(), clock.clone(), entropy.clone(), lives);
        let parts = [
            ("records of deliveries", self.sweep_deliveries().await),
            ("expired sessions", self.sweep_sessions(&sessions).await),
            ("jobs and tenants", retention::round(&self.0).await),
        ];
        let mut failed = Vec::new();
        for (part, done) in parts {
            if let Err(e) = done {
                let error = &e as &dyn std::error::Error;
                tracing::error!(error, "the retention of {part} failed");
                failed.push(part);
            }
        }
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

    async fn sweep_sessions(&self, sessions: &SessionStore) -> Result<(), StorageError> {
        let settings = &self.0.settings;
        if let Some(swept) = sessions.sweep_if_due(settings.sweep_at).await? {
            let removed = swept.sessions;
            watch::sessions_expired(swept);
            tracing::info!(removed, "{removed} expired sessions were removed");
        }
        Ok(())
    }

    /// One round at a time, by whichever worker has the lease.
    async fn reconcile(&self) {
        let Engine {
            settings,
            store,
            clock,
            entropy,
            shutdown,
            ..
        } = &*self.0;
        let holder = schemas::hex(&random::<8>(&**entropy));
        let lives = settings.session_lives;
        let sessions = SessionStore::new(store.clone(), clock.clone(), entropy.clone(), lives);
        // Nothing is to be put back yet; but that a worker runs, whoever asks can see at once.
        let lasts = settings.reconcile_every * 2;
        let shown = lease::acquire(&*store.storage().table, lease::RECONCILER, &holder, lasts);
        tokio::select! {
            biased;
            () = shutdown.cancelled() => return,
            _ = shown => {}
        }
        loop {
            let pause = tokio::time::sleep(settings.reconcile_every);
            tokio::select! {
                biased;
                () = shutdown.cancelled() => return,
                () = pause => {}
            }
            let table = &*store.storage().table;
            let round = async {
                if !lease::acquire(table, lease::RECONCILER, &holder, lasts).await? {
                    return Ok::<_, StorageError>(());
                }
                // A row of one tenant that cannot be read is an error of each round.
                let reconciled = reconciler::reconcile(store, self.0.notifier.store()).await;
                let deliveries = self.sweep_deliveries().await;
                let expired = self.sweep_sessions(&sessions).await;
                let watched = watch::sessions(&sessions).await;
                reconciled
                    .map(drop)
                    .and(deliveries)
                    .and(expired)
                    .and(watched)
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
    match QueueMessage::from_body(&delivery.body) {
        Ok(QueueMessage::Job(message)) => {
            let handling = Handling::run(&engine, &message, &delivery, None);
            let disposition = watch::job(&*engine.clock, &message, handling).await;
            dispose(delivery, disposition, QueueMessage::Job(message)).await;
        }
        Ok(QueueMessage::Reply(hint)) => handle_reply(&engine, hint, delivery).await,
        Err(MessageError::Newer(schema)) => {
            tracing::info!(
                schema,
                "a message of a newer schema is left for a newer worker"
            );
            let body = forgive_newer(&delivery.body, delivery.dequeue_count);
            let after = engine.settings.lease.visibility;
            delivery.release(after, body.as_deref()).await;
        }
        Err(e @ MessageError::Foreign) => {
            let (queue, to) = (&*engine.store.storage().queue, QueueName::JobsPoison);
            if poison::set_aside(queue, to, &delivery, &e.to_string())
                .await
                .is_ok()
            {
                delivery.ack().await;
            }
        }
    }
}

/// First pause before a hint of the provider is looked at again; each further one is twice as long.
const HINT_PAUSE: Duration = Duration::from_secs(5);

/// A response is done, the provider's webhook says: it is fetched, and the job that it names goes
/// on. Ids of nobody's jobs are passed over.
async fn handle_reply(engine: &Engine, hint: ReplyMessage, delivery: Delivery) {
    let id = &hint.response_id;
    let counted = delivery.dequeue_count.saturating_sub(hint.forgiven);
    // How often a hint came back says nothing of its job: it must not make the job poison.
    if counted > engine.settings.rules.max_dequeues {
        tracing::warn!(
            reply_id = id,
            "the provider's hint at response {id} is given up"
        );
        return delivery.ack().await;
    }
    let found = match engine.editor.retrieve(id).await {
        Retrieved::Settled(settled) => settled.reference().and_then(reference::read),
        Retrieved::Gone => None,
        // A hint that comes too early, or an API that is away. Where the reply's id was lost this
        // hint is the only one, so it is given some minutes.
        Retrieved::Pending | Retrieved::Unclear(_) => {
            let doubled = 1 << counted.saturating_sub(1).min(10);
            return delivery.release(HINT_PAUSE * doubled, None).await;
        }
    };
    let Some((tenant, job_id)) = found else {
        tracing::debug!("a webhook named a response that is none of ours");
        return delivery.ack().await;
    };
    let mut message = JobMessage::new(tenant, job_id);
    message.forgiven = hint.forgiven;
    let handling = Handling::run(engine, &message, &delivery, Some(id.clone()));
    let disposition = watch::job(&*engine.clock, &message, handling).await;
    dispose(delivery, disposition, QueueMessage::Reply(hint)).await;
}

/// Ends a handling. A deliberate wait is written into the message.
async fn dispose(delivery: Delivery, disposition: Disposition, message: QueueMessage) {
    match disposition {
        Disposition::Delete => {
            failpoints::before(failpoints::DELETE_MESSAGE);
            delivery.ack().await;
            failpoints::after(failpoints::DELETE_MESSAGE);
        }
        Disposition::Release { after, forgiven } => {
            let body = forgiven.then(|| message.forgive(delivery.dequeue_count));
            failpoints::before(failpoints::RELEASE_MESSAGE);
            delivery.release(after, body.as_deref()).await;
            failpoints::after(failpoints::RELEASE_MESSAGE);
        }
    }
}
