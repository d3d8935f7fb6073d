//! Notifications: an event says that something may have happened; the row says what.
//!
//! - [`handle`]: one message of the `notifications` queue.
//! - `subject`: what an event is about.
//! - `told`: which events the row of a job comes to, and what is posted of them.
//! - `lanes`: which deliveries are under way, so that one endpoint does not delay another.
//! - `attempt`: one attempt, its record, and what follows from it.
//!
//! An event is a hint: it may come twice, late, early or never. Its deliveries are made create-only
//! under keys that follow from what happened, each with a due marker; `notified_version` on the
//! job's row says that this was done, and until then the job keeps its own marker. So whoever dies
//! on the way is made up for, and a delivery that is made twice has the same `webhook-id`.

mod attempt;
mod lanes;
mod subject;
mod told;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use schemas::event;
use schemas::session::SessionId;
use schemas::webhook::{EventId, EventType};
use schemas::{JobId, Tenant};
use storage::failpoints;
use storage::jobs::{JobRow, JobStore};
use storage::names::QueueName;
use storage::port::StorageError;
use storage::sessions::SessionStore;
use storage::webhooks::{Interest, Target, Told, Wanted, WebhookRow, WebhookStore};
use storage::{Clock, Entropy};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use attempt::DeadLetter;

use crate::leased::Leased;
use crate::notify::attempt::{Destination, Item};
use crate::notify::lanes::Lanes;
use crate::notify::subject::Subject;

/// A blob is written a moment before its job's row says so: reading again soon is cheaper than
/// going through the queue once more.
const SOON: [Duration; 5] = [
    Duration::from_millis(3),
    Duration::from_millis(6),
    Duration::from_millis(12),
    Duration::from_millis(24),
    Duration::from_millis(48),
];

/// After so many dequeues a job that is not final is left to its own end, which tells anew, and
/// what cannot be read is set aside.
const MAX_DEQUEUES: u32 = 10;

/// How long a message waits after trouble.
const TROUBLE: Duration = Duration::from_secs(5);

/// The clock of a table may count whole seconds, and those of two machines differ a little.
const SECONDS: Duration = Duration::from_secs(2);

/// What is configured of notifications.
#[derive(Clone, Debug)]
pub struct NotifySettings {
    /// Which endpoints may be reached, and for how long each is waited for.
    pub policy: webhook::Policy,
    /// Deliveries at once to endpoints that answer; as many again to others.
    pub concurrency: usize,
    /// Deliveries at once to one endpoint.
    pub per_endpoint: usize,
    /// An endpoint that has failed for so long is disabled.
    pub disable_after: Duration,
    /// How long records are kept.
    pub keep: Duration,
    /// Divides the pauses between attempts.
    pub hurry: u32,
    /// For the store.
    pub store: config::Webhooks,
}

impl NotifySettings {
    /// The configuration's part.
    pub fn new(webhooks: &config::Webhooks) -> Self {
        Self {
            policy: webhook::Policy {
                allow_http: webhooks.allow_http,
                allow_private: webhooks.allow_private,
                timeout: webhooks.timeout,
                connect_timeout: webhooks.connect_timeout,
                ..webhook::Policy::default()
            },
            concurrency: webhooks.concurrency,
            per_endpoint: webhooks.per_endpoint,
            disable_after: webhooks.disable_after,
            keep: webhooks.keep,
            hurry: webhooks.hurry,
            store: webhooks.clone(),
        }
    }
}

/// Tells of events and delivers them.
pub(crate) struct Notifier {
    jobs: JobStore,
    sessions: SessionStore,
    store: WebhookStore,
    interest: Interest,
    settings: NotifySettings,
    /// `None` where it cannot be made: then deliveries are left to other workers.
    client: Option<webhook::Client>,
    lanes: Lanes<Item>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    shutdown: CancellationToken,
    tasks: TaskTracker,
}

/// What came of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    Done,
    NotYet,
    Unreadable,
    Later(Duration),
}

impl Notifier {
    pub(crate) fn new(
        jobs: JobStore,
        settings: NotifySettings,
        (clock, entropy): (Arc<dyn Clock>, Arc<dyn Entropy>),
        shutdown: CancellationToken,
    ) -> Arc<Self> {
        let client = webhook::Client::new(settings.policy.clone());
        let client = client.inspect_err(|e| {
            tracing::error!(
                error = e as &dyn std::error::Error,
                "no webhook can be delivered by this worker"
            );
        });
        let store = WebhookStore::new(
            jobs.clone(),
            clock.clone(),
            entropy.clone(),
            &settings.store,
        );
        Arc::new(Self {
            interest: Interest::new(store.clone(), clock.clone()),
            lanes: Lanes::new(settings.concurrency, settings.per_endpoint, settings.hurry),
            client: client.ok(),
            sessions: SessionStore::new(
                jobs.clone(),
                clock.clone(),
                entropy.clone(),
                // It makes none.
                Duration::ZERO,
            ),
            jobs,
            store,
            settings,
            clock,
            entropy,
            shutdown,
            tasks: TaskTracker::new(),
        })
    }

    pub(crate) fn store(&self) -> &WebhookStore {
        &self.store
    }

    /// Waits for the attempts that are under way. What waits for its turn is left to its markers.
    pub(crate) async fn finished(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// A job was begun: whoever wants to know hears of it. Costs nothing where nobody does, and
    /// what is lost here is made up for when the job's end is told.
    pub(crate) fn began(self: &Arc<Self>, row: &JobRow) {
        let (this, tenant, id) = (self.clone(), row.tenant.clone(), row.id);
        self.tasks.spawn(async move {
            let told = this.interest.hint(&tenant, id, EventType::JobRunning).await;
            if let Err(e) = told {
                tracing::debug!(%id, error = &e as &dyn std::error::Error, "the beginning of job {id} is told at its end");
            }
        });
    }

    /// Handles one message of the `notifications` queue.
    pub(crate) async fn handle(self: &Arc<Self>, leased: Leased) {
        let subjects: Vec<Subject> = match event::read(&leased.body) {
            Ok(events) => events.iter().filter_map(Subject::of).collect(),
            Err(e) => return self.set_aside(leased, &e.to_string()).await,
        };
        if subjects.is_empty() {
            let reason = "not an event about a job, a PDF or a delivery";
            return self.set_aside(leased, reason).await;
        }
        let mut end = End::Done;
        for subject in subjects {
            end = end.max(self.see_to(subject).await);
        }
        match end {
            End::Done => {
                failpoints::hit("notify:ack", "before");
                leased.ack().await;
                failpoints::hit("notify:ack", "after");
            }
            End::NotYet if leased.dequeue_count >= MAX_DEQUEUES => leased.ack().await,
            End::NotYet => leased.release(Duration::from_secs(1), None).await,
            End::Unreadable if leased.dequeue_count >= MAX_DEQUEUES => {
                let reason = "a record of what it is about cannot be read";
                self.set_aside(leased, reason).await;
            }
            End::Unreadable => leased.release(TROUBLE, None).await,
            End::Later(pause) => leased.release(pause, None).await,
        }
    }

    async fn set_aside(&self, leased: Leased, reason: &str) {
        let queue = &*self.jobs.storage().queue;
        let to = QueueName::NotificationsPoison;
        if crate::poison::set_aside(queue, to, &leased, reason)
            .await
            .is_ok()
        {
            leased.ack().await;
        }
    }

    async fn see_to(self: &Arc<Self>, subject: Subject) -> End {
        let done = match &subject {
            Subject::Ended(tenant, id) => self.tell(tenant, *id, true).await,
            Subject::Changed(tenant, id) => self.tell(tenant, *id, false).await,
            Subject::Expired(tenant, id, at) => self.tell_expired(tenant, *id, *at).await,
            Subject::Due(tenant, target, event) => self.begin(tenant, target, event).await,
        };
        match done {
            Ok(true) => End::Done,
            Ok(false) => End::NotYet,
            // It may become readable to this worker never, and to others at once.
            Err(e) if storage::is_newer(&e) => End::Later(Duration::from_mins(1)),
            Err(e) => {
                tracing::warn!(
                    ?subject,
                    error = &e as &dyn std::error::Error,
                    "a notification has to wait"
                );
                if storage::is_damaged(&e) {
                    End::Unreadable
                } else {
                    End::Later(TROUBLE)
                }
            }
        }
    }

    /// Tells of a job what its row says. `false`: it was to have ended, and has not yet.
    async fn tell(
        self: &Arc<Self>,
        tenant: &Tenant,
        id: JobId,
        ended: bool,
    ) -> Result<bool, StorageError> {
        for pause in SOON {
            let Some(loaded) = self.jobs.read(tenant, id).await? else {
                return Ok(true);
            };
            let row = &loaded.row;
            if !row.state.is_final() {
                if !ended {
                    self.tell_beginnings(row, &self.store.all(tenant).await?)
                        .await?;
                    return Ok(true);
                }
                tokio::time::sleep(pause).await;
                continue;
            }
            if row.notified_version >= row.version {
                return Ok(true);
            }
            self.tell_end(row).await?;
            failpoints::hit("notify:notified", "before");
            let (state, version) = (row.status().state.as_str(), row.version);
            match self.jobs.notified(&loaded, version).await {
                Ok(_) => {
                    failpoints::hit("notify:notified", "after");
                    tracing::info!(job_id = %id, %tenant, state, version, "job {id} is told to be {state}");
                    return Ok(true);
                }
                // Somebody else wrote the row: what it says now decides.
                Err(StorageError::Precondition) => {}
                Err(e) => return Err(e),
            }
        }
        Ok(false)
    }

    async fn tell_end(self: &Arc<Self>, row: &JobRow) -> Result<(), StorageError> {
        let webhooks = self.store.all(&row.tenant).await?;
        if webhooks.is_empty() && row.callback_url.is_none() {
            return Ok(());
        }
        self.tell_beginnings(row, &webhooks).await?;
        for event in told::ends(row) {
            let callback = row.callback_url.as_ref();
            let callback = callback.filter(|_| event.kind != EventType::DocumentCreated);
            let callback = callback.map(|url| Wanted {
                target: Target::Callback,
                url: Some(url.clone()),
                kept: false,
            });
            let mut wanted = wanted(&webhooks, event.kind, &row.metadata);
            wanted.extend(callback);
            self.put(&row.tenant, &event, &wanted, &webhooks).await?;
        }
        Ok(())
    }

    /// Tells that a session has expired. It stands in no row any more: but it must not be there.
    async fn tell_expired(
        self: &Arc<Self>,
        tenant: &Tenant,
        id: SessionId,
        at: Timestamp,
    ) -> Result<bool, StorageError> {
        if self.sessions.read(tenant, id).await?.is_some() {
            return Ok(true);
        }
        let webhooks = self.store.all(tenant).await?;
        let event = told::session_expired(id, at);
        let wanted = wanted(&webhooks, event.kind, &BTreeMap::new());
        self.put(tenant, &event, &wanted, &webhooks).await?;
        Ok(true)
    }

    /// That a job was accepted, and that it was begun, if that is so and somebody wants to know.
    async fn tell_beginnings(
        self: &Arc<Self>,
        row: &JobRow,
        webhooks: &[WebhookRow],
    ) -> Result<(), StorageError> {
        for event in told::beginnings(row) {
            // Who came after it happened is not told: he has not asked for the past.
            let there = |webhook: &&WebhookRow| webhook.created_at <= event.at + SECONDS;
            let there: Vec<_> = webhooks.iter().filter(there).cloned().collect();
            let wanted = wanted(&there, event.kind, &row.metadata);
            let Some(first) = wanted.first() else {
                continue;
            };
            let known = self.store.delivery(&row.tenant, &first.target, &event.id);
            if known.await?.is_none() {
                self.put(&row.tenant, &event, &wanted, webhooks).await?;
            }
        }
        Ok(())
    }

    /// Makes deliveries and sets out with those that were not there.
    async fn put(
        self: &Arc<Self>,
        tenant: &Tenant,
        event: &Told,
        wanted: &[Wanted],
        webhooks: &[WebhookRow],
    ) -> Result<(), StorageError> {
        if wanted.is_empty() {
            return Ok(());
        }
        failpoints::hit("notify:put", "before");
        let made = self.store.put(tenant, event, wanted).await?;
        failpoints::hit("notify:put", "after");
        let mut known = BTreeMap::new();
        for webhook in webhooks {
            known.insert(webhook.id.as_str(), webhook);
        }
        for delivery in made {
            let webhook = known.get(delivery.row.target.as_str()).copied();
            if let Some(to) = self.destination(tenant, &delivery.row, webhook).await? {
                self.set_out(tenant.clone(), delivery, to);
            }
        }
        Ok(())
    }

    /// Sets out with a delivery that is due. Nobody waits for its end: its marker does.
    async fn begin(
        self: &Arc<Self>,
        tenant: &Tenant,
        target: &Target,
        event: &EventId,
    ) -> Result<bool, StorageError> {
        let Some(delivery) = self.store.delivery(tenant, target, event).await? else {
            return Ok(true);
        };
        if delivery.row.state != schemas::webhook::DeliveryState::Pending {
            return Ok(true);
        }
        let webhook = match target {
            Target::Webhook(id) => self.store.read(tenant, id).await?,
            Target::Callback => None,
        };
        let to = self.destination(tenant, &delivery.row, webhook.as_ref());
        if let Some(to) = to.await? {
            self.set_out(tenant.clone(), delivery, to);
        } else {
            let note = match webhook {
                Some(_) => "the webhook is disabled",
                None => "the webhook is gone",
            };
            self.give_up(tenant, delivery, note).await?;
        }
        Ok(true)
    }

    /// Where a delivery goes; `None` where it goes nowhere.
    async fn destination(
        &self,
        tenant: &Tenant,
        row: &storage::webhooks::DeliveryRow,
        webhook: Option<&WebhookRow>,
    ) -> Result<Option<Destination>, StorageError> {
        let now = self.clock.now();
        if row.target != Target::Callback {
            let webhook = webhook.filter(|webhook| webhook.disabled.is_none());
            return Ok(webhook.and_then(|webhook| {
                Some(Destination {
                    url: webhook.url.clone()?,
                    secrets: parsed(&webhook.secrets(now)),
                    webhook: Some(webhook.clone()),
                })
            }));
        }
        let Some(url) = row.url.clone() else {
            return Ok(None);
        };
        let fresh = webhook::Secret::generate(storage::ambient::random(&*self.entropy));
        let fresh = fresh.to_text();
        let signing = self.store.callback_secret(tenant, &fresh).await?;
        Ok(Some(Destination {
            url,
            secrets: parsed(&signing.secrets(now)),
            webhook: None,
        }))
    }
}

fn parsed(secrets: &[&str]) -> Vec<webhook::Secret> {
    let parsed = secrets
        .iter()
        .filter_map(|secret| webhook::Secret::parse(secret).ok());
    parsed.collect()
}

/// Which webhooks are to hear of an event.
fn wanted(
    webhooks: &[WebhookRow],
    kind: EventType,
    metadata: &BTreeMap<String, String>,
) -> Vec<Wanted> {
    let wanting = webhooks
        .iter()
        .filter(|webhook| webhook.wants(kind, metadata));
    wanting
        .map(|webhook| Wanted {
            target: Target::Webhook(webhook.id.clone()),
            url: None,
            kept: webhook.url.is_none(),
        })
        .collect()
}
