//! One attempt at a delivery, its record, and what follows: the next one, or a dead letter; and
//! what it says of the endpoint.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt as _;
use jiff::Timestamp;
use schemas::Tenant;
use schemas::webhook::{
    DeliveryAttempt, DeliveryState, Disabled, DisabledReason, EventId, EventType,
};
use serde::{Deserialize, Serialize};
use storage::ambient::random;
use storage::failpoints;
use storage::names::QueueName;
use storage::port::StorageError;
use storage::webhooks::{Delivery, DeliveryRow, Target, WebhookRow};
use tracing::Instrument as _;
use webhook::{Outcome, Request, schedule};

use super::lanes::{LaneKey, Step};
use super::{Notifier, told, wanted};
use crate::watch;

/// Shorter pauses go over the queue; longer ones are left to the reconciler.
const SHORT: Duration = Duration::from_mins(1);

/// A delivery that a closed lane keeps from being tried is given up after so long: as long as the
/// whole schedule.
const PATIENCE: Duration = Duration::from_hours(80);

/// How often a record is tried.
const TRIES: u32 = 4;

/// Where a delivery goes, as it was a moment ago.
#[derive(Clone)]
pub(super) struct Destination {
    pub(super) url: String,
    pub(super) secrets: Vec<webhook::Secret>,
    /// `None` for a URL that a job brought with it.
    pub(super) webhook: Option<WebhookRow>,
}

/// A delivery in hand.
pub(super) struct Item {
    tenant: Tenant,
    delivery: Delivery,
    to: Destination,
    /// Monotonic: since when.
    since: Duration,
}

/// A message on the queue of dead letters: a delivery that was given up. Its record has the rest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// Whose.
    pub tenant: Tenant,
    /// Where to.
    pub target: Target,
    /// Which event.
    pub event: EventId,
    /// What happened.
    #[serde(rename = "type")]
    pub kind: EventType,
    /// Attempts made.
    pub tries: u32,
    /// Why it was given up.
    pub reason: String,
}

impl Notifier {
    /// Takes a delivery in hand. It is tried when its lane has room.
    pub(super) fn set_out(self: &Arc<Self>, tenant: Tenant, delivery: Delivery, to: Destination) {
        let key = lane(&tenant, &delivery.row, &to);
        let now = self.clock.monotonic();
        let item = Item {
            tenant,
            delivery,
            to,
            since: now,
        };
        let steps = self.lanes.offer(&key, item, now);
        self.take(&key, steps);
    }

    fn take(self: &Arc<Self>, key: &LaneKey, steps: Vec<Step<Item>>) {
        for step in steps {
            let (this, key) = (self.clone(), key.clone());
            match step {
                Step::Attempt(item, is_good) => {
                    self.tasks.spawn(this.attempt_in_turn(key, item, is_good));
                }
                Step::Defer(item, pause) => {
                    self.tasks
                        .spawn(async move { this.defer(item, pause).await });
                }
                Step::Leave(item) => {
                    let (event, target) = (&item.delivery.row.event, &item.delivery.row.target);
                    tracing::debug!(%event, %target, "too much waits for {target}: event {event} comes later");
                }
            }
        }
    }

    /// Boxed by its spawn: it leads to the next of its lane, which is the same again.
    fn attempt_in_turn(
        self: Arc<Self>,
        key: LaneKey,
        item: Item,
        is_good: bool,
    ) -> futures::future::BoxFuture<'static, ()> {
        Box::pin(async move {
            let room = self.lanes.room(is_good);
            let permit = tokio::select! {
                biased;
                () = self.shutdown.cancelled() => return,
                permit = room.acquire_owned() => permit,
            };
            // The room is never closed; and after a stop nothing is begun.
            if permit.is_err() || self.shutdown.is_cancelled() {
                return;
            }
            let waited = self.clock.monotonic().saturating_sub(item.since);
            // The attempt and its record have to end within the time in hand.
            let needs = self.settings.policy.timeout + Duration::from_millis(500);
            let in_hand = self.store.claim().saturating_sub(needs);
            let went_well = if waited < in_hand {
                // A panic must not take a place of the lane with it.
                let attempt = AssertUnwindSafe(self.attempt(&key, item));
                attempt.catch_unwind().await.unwrap_or_default()
            } else {
                // By now somebody else may have it in hand.
                None
            };
            drop(permit);
            let steps = self.lanes.done(&key, went_well, self.clock.monotonic());
            self.take(&key, steps);
        })
    }

    /// Tries a delivery and records it. Whether the endpoint took it; `None` if it was not tried.
    async fn attempt(self: &Arc<Self>, key: &LaneKey, item: Item) -> Option<bool> {
        let Item {
            tenant,
            delivery,
            to,
            ..
        } = item;
        let client = self.client.as_ref()?;
        let at = self.clock.now();
        let request = Request {
            url: to.url.clone(),
            id: delivery.row.event.to_string(),
            at,
            body: Bytes::from(delivery.row.body.clone()),
            secrets: to.secrets.clone(),
            content_type: "application/json",
        };
        failpoints::hit("notify:deliver", "before");
        let span = watch::webhook_span(delivery.row.traceparent.as_deref());
        let answer = client.deliver(&request).instrument(span.clone()).await;
        watch::delivered(&span, &answer);
        failpoints::hit("notify:deliver", "after");
        let went_well = answer.outcome == Outcome::Delivered;
        let attempt = DeliveryAttempt {
            at,
            duration_ms: u64::try_from(answer.took.as_millis()).unwrap_or(u64::MAX),
            status: answer.status,
            error: (!went_well).then(|| reason(&answer)),
            response: answer.answer.clone(),
        };
        let (event, target) = (delivery.row.event.clone(), delivery.row.target.clone());
        let duration_ms = attempt.duration_ms;
        let outcome = answer.outcome.name();
        tracing::info!(%event, %target, %tenant, outcome, status = answer.status, duration_ms, "event {event} to {target}: {outcome}");
        let recorded = self.record(&tenant, delivery, &attempt, &answer).await;
        if let Err(e) = recorded {
            tracing::warn!(%event, error = &e as &dyn std::error::Error, "an attempt could not be recorded; it is made again");
        }
        if let Some(webhook) = &to.webhook
            && let Err(e) = self.judge(&tenant, key, webhook, &answer, at).await
        {
            tracing::warn!(%target, error = &e as &dyn std::error::Error, "the health of webhook {target} could not be noted");
        }
        Some(went_well)
    }

    async fn record(
        &self,
        tenant: &Tenant,
        delivery: Delivery,
        attempt: &DeliveryAttempt,
        answer: &webhook::Attempt,
    ) -> Result<(), StorageError> {
        let went_well = answer.outcome == Outcome::Delivered;
        let draw = u64::from_be_bytes(random(&*self.entropy));
        let pause = |tries: u32| -> Option<Duration> {
            if answer.outcome == Outcome::Gone {
                return None;
            }
            let pause = schedule::next(tries, None, draw)? / self.settings.hurry.max(1);
            Some(pause.max(answer.retry_after.unwrap_or_default()))
        };
        let tries = delivery.row.tries + 1;
        if !went_well && pause(tries).is_none() {
            // Before the record says that it is over, so that none is over without one.
            let reason = attempt.error.clone().unwrap_or_default();
            self.bury(tenant, &delivery.row, tries, reason).await?;
        }
        let claim = self.store.claim();
        let at = self.clock.now();
        let change = |row: &mut DeliveryRow| {
            if !row.attempted(attempt.clone()) {
                return false;
            }
            match pause(row.tries) {
                _ if went_well => row.state = DeliveryState::Succeeded,
                // Another attempt was faster, and went well.
                _ if row.state != DeliveryState::Pending => {}
                Some(pause) => {
                    row.next_at = Some(at + pause);
                    row.due = Some(
                        at + pause
                            + if pause <= SHORT {
                                claim
                            } else {
                                Duration::ZERO
                            },
                    );
                }
                None => row.state = DeliveryState::Failed,
            }
            true
        };
        failpoints::hit("notify:record", "before");
        let recorded = self.update(tenant, delivery, change).await?;
        failpoints::hit("notify:record", "after");
        if let Some(row) = recorded {
            self.come_back(tenant, &row).await?;
        }
        Ok(())
    }

    /// Tries to write a few times: an attempt that is not recorded is made again.
    async fn update(
        &self,
        tenant: &Tenant,
        delivery: Delivery,
        change: impl Fn(&mut DeliveryRow) -> bool,
    ) -> Result<Option<DeliveryRow>, StorageError> {
        let (target, event) = (delivery.row.target.clone(), delivery.row.event.clone());
        let mut next = Some(delivery);
        let mut tried = 0;
        loop {
            let Some(delivery) = next else {
                return Ok(None);
            };
            match self.store.update(tenant, delivery, &change).await {
                Ok(updated) => return Ok(updated.map(|delivery| delivery.row)),
                Err(e) if tried == TRIES => return Err(e),
                Err(_) => tried += 1,
            }
            tokio::time::sleep(Duration::from_millis(50 << tried)).await;
            next = self.store.delivery(tenant, &target, &event).await?;
        }
    }

    /// A short pause goes over the queue, whose message comes in time; its marker comes later.
    async fn come_back(&self, tenant: &Tenant, row: &DeliveryRow) -> Result<(), StorageError> {
        let (Some(next), Some(due)) = (row.next_at, row.due) else {
            return Ok(());
        };
        if due > next {
            let pause = next.duration_since(self.clock.now());
            let pause = Duration::try_from(pause).unwrap_or_default();
            let (target, event) = (&row.target, &row.event);
            self.store.enqueue(tenant, target, event, pause).await?;
        }
        Ok(())
    }

    /// The endpoint's lane is closed: the delivery waits until it opens. No attempt is counted.
    async fn defer(&self, item: Item, pause: Duration) {
        let Item {
            tenant, delivery, ..
        } = item;
        let event = delivery.row.event.clone();
        let now = self.clock.now();
        let over = delivery.row.begun_at + PATIENCE / self.settings.hurry.max(1) <= now;
        let done = if over {
            let note = "the endpoint failed again and again";
            self.give_up(&tenant, delivery, note).await
        } else {
            // Not all at once when it opens.
            let [byte] = random(&*self.entropy);
            let at = now + pause + pause.mul_f64(f64::from(byte) / 512.0);
            let change = |row: &mut DeliveryRow| {
                if row.state != DeliveryState::Pending {
                    return false;
                }
                row.next_at = Some(at);
                row.due = Some(at);
                true
            };
            self.update(&tenant, delivery, change).await.map(drop)
        };
        if let Err(e) = done {
            tracing::debug!(%event, error = &e as &dyn std::error::Error, "event {event} is left to its marker");
        }
    }

    /// Ends a delivery without another attempt.
    pub(super) async fn give_up(
        &self,
        tenant: &Tenant,
        delivery: Delivery,
        note: &str,
    ) -> Result<(), StorageError> {
        let tries = delivery.row.tries;
        self.bury(tenant, &delivery.row, tries, note.to_owned())
            .await?;
        let change = |row: &mut DeliveryRow| {
            let pending = row.state == DeliveryState::Pending;
            if pending {
                row.state = DeliveryState::Failed;
                row.note = Some(note.to_owned());
            }
            pending
        };
        self.update(tenant, delivery, change).await?;
        Ok(())
    }

    async fn bury(
        &self,
        tenant: &Tenant,
        row: &DeliveryRow,
        tries: u32,
        reason: String,
    ) -> Result<(), StorageError> {
        let letter = DeadLetter {
            tenant: tenant.clone(),
            target: row.target.clone(),
            event: row.event.clone(),
            kind: row.kind,
            tries,
            reason,
        };
        let body = serde_json::to_string(&letter).map_err(StorageError::unavailable)?;
        tracing::warn!(event = %letter.event, target = %letter.target, %tenant, reason = letter.reason, "event {} to {} was given up", letter.event, letter.target);
        failpoints::hit("notify:bury", "before");
        let queue = &self.jobs.storage().queue;
        queue
            .send(QueueName::DeadLetters, &body, Duration::ZERO)
            .await?;
        watch::given_up();
        failpoints::hit("notify:bury", "after");
        Ok(())
    }

    /// What an attempt says of its endpoint. Costs nothing while it answers well.
    async fn judge(
        self: &Arc<Self>,
        tenant: &Tenant,
        key: &LaneKey,
        webhook: &WebhookRow,
        answer: &webhook::Attempt,
        at: Timestamp,
    ) -> Result<(), StorageError> {
        match (answer.outcome, webhook.failing_since) {
            (Outcome::Delivered, None) => Ok(()),
            (Outcome::Delivered, Some(_)) => {
                let clear = |row: &mut WebhookRow, _| row.failing_since.take().is_some();
                self.store.change(tenant, &webhook.id, clear).await?;
                Ok(())
            }
            (Outcome::Gone, _) => {
                let note = "The endpoint answered 410 Gone.";
                self.disable(tenant, key, webhook, DisabledReason::Gone, note)
                    .await
            }
            (_, Some(since)) if since + self.settings.disable_after <= at => {
                let last = reason(answer);
                let note = format!("Every delivery since {since} has failed; the last one: {last}");
                self.disable(tenant, key, webhook, DisabledReason::Failing, &note)
                    .await
            }
            (_, Some(_)) => Ok(()),
            (_, None) => {
                let note = |row: &mut WebhookRow, _| {
                    let first = row.failing_since.is_none();
                    row.failing_since.get_or_insert(at);
                    first
                };
                self.store.change(tenant, &webhook.id, note).await?;
                Ok(())
            }
        }
    }

    async fn disable(
        self: &Arc<Self>,
        tenant: &Tenant,
        key: &LaneKey,
        webhook: &WebhookRow,
        reason: DisabledReason,
        note: &str,
    ) -> Result<(), StorageError> {
        let at = self.clock.now();
        let disabled = Disabled {
            at,
            reason,
            note: note.to_owned(),
        };
        let all = self.store.all(tenant).await?;
        let others: Vec<_> = all
            .into_iter()
            .filter(|other| other.id != webhook.id)
            .collect();
        let no_labels = std::collections::BTreeMap::new();
        let told = |row: &WebhookRow| {
            let event = told::disabled(row, at);
            let wanted = wanted(&others, event.kind, &no_labels);
            Some((event, wanted))
        };
        // By now another worker may have reached it, or its owner may have enabled it again.
        let stands = |row: &WebhookRow| {
            reason != DisabledReason::Failing || row.failing_since == webhook.failing_since
        };
        let made = self
            .store
            .disable(tenant, &webhook.id, &disabled, stands, told);
        let Some(made) = made.await? else {
            return Ok(());
        };
        // Their markers lead to their end.
        let left = self.lanes.clear(key).len();
        let id = &webhook.id;
        tracing::warn!(%id, %tenant, ?reason, left, "webhook {id} is disabled");
        for delivery in made {
            let of = others
                .iter()
                .find(|other| other.id.as_str() == delivery.row.target.as_str());
            if let Some(to) = self.destination(tenant, &delivery.row, of).await? {
                self.set_out(tenant.clone(), delivery, to);
            }
        }
        Ok(())
    }
}

/// Why an attempt came to nothing, in a few words.
fn reason(answer: &webhook::Attempt) -> String {
    let name = answer.outcome.name();
    match answer.status {
        Some(status) => format!("{name}: HTTP {status}"),
        None if answer.reason.is_empty() => name.to_owned(),
        None => format!("{name}: {}", answer.reason),
    }
}

fn lane(tenant: &Tenant, row: &DeliveryRow, to: &Destination) -> LaneKey {
    let lane = match &row.target {
        Target::Webhook(id) => id.to_string(),
        // A host is what is slow or away.
        Target::Callback => {
            let url = webhook::Url::parse(&to.url).ok();
            let host = url.and_then(|url| url.host_str().map(str::to_owned));
            format!("callback {}", host.unwrap_or_default())
        }
    };
    (tenant.clone(), lane)
}
