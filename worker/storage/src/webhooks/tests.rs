//! Webhooks and deliveries on the embedded store, with a clock that the tests move.

use std::collections::BTreeMap;

use schemas::webhook::{DeliveryAttempt, DeliveryState, Disabled, DisabledReason, EventId};

use super::*;
use crate::fault::Bench;
use crate::names::QueueName;
use crate::port::Properties;

struct Fixture {
    store: WebhookStore,
    bench: Bench,
    tenant: Tenant,
}

fn fixture() -> Fixture {
    let bench = Bench::new();
    let (clock, entropy) = bench.ambient();
    let storage = bench.plain.clone();
    let mut config = config::Config::default();
    config.webhooks.max_per_tenant = 60;
    let jobs = JobStore::new(storage, clock.clone(), entropy.clone(), &config.worker);
    Fixture {
        store: WebhookStore::new(jobs, clock, entropy, &config.webhooks),
        bench,
        tenant: Tenant::from_claim("acme"),
    }
}

impl Fixture {
    async fn webhook(&self, url: Option<&str>) -> WebhookRow {
        let new = NewWebhook {
            url: url.map(str::to_owned),
            events: vec![EventType::JobSucceeded],
            metadata: BTreeMap::new(),
            description: None,
            secret: "whsec_one".to_owned(),
        };
        self.store.create(&self.tenant, new).await.unwrap()
    }

    fn told(&self, what: &str) -> Told {
        let at = self.bench.clock.now();
        Told {
            id: EventId::new(at, what),
            kind: EventType::JobSucceeded,
            at,
            body: format!("{{\"what\":\"{what}\"}}"),
            traceparent: None,
        }
    }

    async fn due(&self) -> Vec<Due> {
        self.store.due(&self.tenant, None).await.unwrap().0
    }

    async fn messages(&self) -> u64 {
        let queue = &self.store.jobs.storage().queue;
        queue.count(QueueName::Notifications).await.unwrap()
    }

    /// Rows of the partition.
    async fn rows(&self) -> usize {
        let table = &self.store.jobs.storage().table;
        let all = "!".."\u{7f}";
        let tenant = self.tenant.as_str();
        let read = table.query(TableName::Webhooks, tenant, all, 1_000, None);
        read.await.unwrap().value.entities.len()
    }
}

fn to(row: &WebhookRow) -> Wanted {
    Wanted {
        target: Target::Webhook(row.id.clone()),
        url: None,
        kept: row.url.is_none(),
    }
}

fn attempt(at: Timestamp) -> DeliveryAttempt {
    DeliveryAttempt {
        at,
        duration_ms: 3,
        status: Some(500),
        error: Some("refused: HTTP 500".to_owned()),
        response: "no".to_owned(),
    }
}

#[tokio::test]
async fn an_event_makes_one_delivery_for_each_target_however_often_it_is_told() {
    let f = fixture();
    let mut wanted = Vec::new();
    for _ in 0..55 {
        wanted.push(to(&f.webhook(Some("https://example.com/")).await));
    }
    let event = f.told("a");
    // Somebody died after the first three.
    let first = f.store.put(&f.tenant, &event, &wanted[..3]).await.unwrap();
    assert_eq!(first.len(), 3);
    let rest = f.store.put(&f.tenant, &event, &wanted).await.unwrap();
    assert_eq!(rest.len(), 52);
    let again = f.store.put(&f.tenant, &event, &wanted).await.unwrap();
    assert_eq!(again.len(), 0);
    // Webhooks, deliveries, markers.
    assert_eq!(f.rows().await, 55 * 3);
    let other = Tenant::from_claim("beta");
    let found = f.store.delivery(&other, &wanted[0].target, &event.id).await;
    assert!(found.unwrap().is_none());
}

#[tokio::test]
async fn a_delivery_that_nobody_has_in_hand_comes_back_once() {
    let f = fixture();
    let row = f.webhook(Some("https://example.com/")).await;
    let event = f.told("a");
    f.store.put(&f.tenant, &event, &[to(&row)]).await.unwrap();
    assert_eq!(f.due().await.len(), 0, "it is in hand");
    f.bench.clock.pass(f.store.claim());
    let due = f.due().await;
    assert_eq!(due.len(), 1);
    assert!(f.store.enqueue_due(&f.tenant, &due[0]).await.unwrap());
    assert_eq!(f.messages().await, 1);
    assert_eq!(f.due().await.len(), 0, "it is in hand again");
    // Another reconciler saw the same marker.
    assert!(!f.store.enqueue_due(&f.tenant, &due[0]).await.unwrap());
    assert_eq!(f.messages().await, 1);

    let target = Target::Webhook(row.id.clone());
    let delivery = f.store.delivery(&f.tenant, &target, &event.id).await;
    let delivery = delivery.unwrap().unwrap();
    let now = f.bench.clock.now();
    let done = f.store.update(&f.tenant, delivery.clone(), |row| {
        row.attempted(attempt(now));
        row.state = DeliveryState::Succeeded;
        true
    });
    done.await.unwrap();
    f.bench.clock.pass(f.store.claim());
    assert_eq!(f.due().await.len(), 0, "its marker went with its end");
    // A version from before: the change meets what is there.
    let late = f.store.update(&f.tenant, delivery, |row| {
        assert_eq!(row.state == DeliveryState::Pending, row.tries == 0);
        row.attempted(attempt(now))
    });
    let late = late.await.unwrap().unwrap();
    assert_eq!((late.row.tries, late.row.attempts.len()), (1, 1));
}

#[tokio::test]
async fn what_is_begun_anew_is_pending_and_what_is_kept_is_not_sent() {
    let f = fixture();
    let (posted, pulled) = (
        f.webhook(Some("https://example.com/")).await,
        f.webhook(None).await,
    );
    let event = f.told("a");
    let wanted = [to(&posted), to(&pulled)];
    let made = f.store.put(&f.tenant, &event, &wanted).await.unwrap();
    let states: Vec<_> = made.iter().map(|made| made.row.state).collect();
    assert_eq!(states, [DeliveryState::Pending, DeliveryState::Kept]);
    let now = f.bench.clock.now();
    let failed = f.store.update(&f.tenant, made[0].clone(), |row| {
        row.attempted(attempt(now));
        row.state = DeliveryState::Failed;
        true
    });
    let failed = failed.await.unwrap().unwrap();
    assert_eq!((failed.row.due, failed.row.next_at), (None, None));
    let anew = f
        .store
        .begin_anew(&f.tenant, failed)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (anew.row.state, anew.row.tries),
        (DeliveryState::Pending, 0)
    );
    assert_eq!(anew.row.attempts.len(), 1, "what was tried is still told");
    let kept = f.store.begin_anew(&f.tenant, made[1].clone()).await;
    assert_eq!(kept.unwrap().unwrap().row.state, DeliveryState::Kept);
}

#[tokio::test]
async fn disabling_tells_the_others_in_the_same_moment() {
    let f = fixture();
    let (gone, other) = (
        f.webhook(Some("https://example.com/a")).await,
        f.webhook(Some("https://example.com/b")).await,
    );
    let disabled = Disabled {
        at: f.bench.clock.now(),
        reason: DisabledReason::Gone,
        note: "The endpoint answered 410 Gone.".to_owned(),
    };
    let told = |row: &WebhookRow| {
        assert_eq!(row.disabled_count, 1);
        Some((f.told("disabled"), vec![to(&other)]))
    };
    let disable = async |stands: bool| {
        let stands = |_: &WebhookRow| stands;
        let store = &f.store;
        let made = store.disable(&f.tenant, &gone.id, &disabled, stands, told);
        made.await.unwrap().map(|made| made.len())
    };
    // Its endpoint was well again by then.
    assert_eq!(disable(false).await, None);
    let row = f.store.read(&f.tenant, &gone.id).await.unwrap().unwrap();
    assert_eq!(row.disabled, None);

    assert_eq!(disable(true).await, Some(1));
    let row = f.store.read(&f.tenant, &gone.id).await.unwrap().unwrap();
    assert_eq!(row.disabled, Some(disabled.clone()));
    assert!(!row.wants(EventType::JobSucceeded, &BTreeMap::new()));
    assert_eq!(disable(true).await, None);
}

#[tokio::test]
async fn secrets_overlap_and_limits_hold() {
    let f = fixture();
    let row = f.webhook(Some("https://example.com/")).await;
    let rotated = f.store.rotate(&f.tenant, &row.id, "whsec_two").await;
    let rotated = rotated.unwrap().unwrap();
    assert_eq!(
        rotated.secrets(f.bench.clock.now()),
        ["whsec_two", "whsec_one"]
    );
    f.bench.clock.pass(Duration::from_hours(24));
    assert_eq!(rotated.secrets(f.bench.clock.now()), ["whsec_two"]);

    let first = f.store.callback_secret(&f.tenant, "whsec_a").await.unwrap();
    let second = f.store.callback_secret(&f.tenant, "whsec_b").await.unwrap();
    assert_eq!((first.secret.as_str(), &second), ("whsec_a", &first));
    let rotated = f.store.rotate_callback_secret(&f.tenant, "whsec_c").await;
    assert_eq!(
        rotated.unwrap().secrets(f.bench.clock.now()),
        ["whsec_c", "whsec_a"]
    );

    for _ in 1..60 {
        f.webhook(Some("https://example.com/")).await;
    }
    let new = NewWebhook {
        url: None,
        events: Vec::new(),
        metadata: BTreeMap::new(),
        description: None,
        secret: String::new(),
    };
    let refused = f.store.create(&f.tenant, new).await;
    assert!(matches!(refused, Err(CreateError::TooMany(60))));
}

#[tokio::test]
async fn sweeping_removes_what_is_old_or_belongs_to_nobody() {
    let f = fixture();
    let (kept, gone, pulled) = (
        f.webhook(Some("https://example.com/a")).await,
        f.webhook(Some("https://example.com/b")).await,
        f.webhook(None).await,
    );
    let old = f.told("old");
    let wanted = [to(&kept), to(&gone), to(&pulled)];
    let made = f.store.put(&f.tenant, &old, &wanted).await.unwrap();
    let done = f.store.update(&f.tenant, made[0].clone(), |row| {
        row.state = DeliveryState::Succeeded;
        true
    });
    done.await.unwrap();
    f.bench.clock.pass(Duration::from_hours(20));
    f.store.fetched(&f.tenant, &pulled).await.unwrap();
    f.bench.clock.pass(Duration::from_hours(10));
    assert!(f.store.read(&f.tenant, &pulled.id).await.unwrap().is_some());
    let new = f.told("new");
    f.store.put(&f.tenant, &new, &wanted[..1]).await.unwrap();
    assert!(f.store.delete(&f.tenant, &gone.id).await.unwrap());
    f.bench.clock.pass(Duration::from_hours(24));
    assert!(f.store.read(&f.tenant, &pulled.id).await.unwrap().is_none());
    let removed = f.store.sweep(&f.tenant, Duration::from_hours(30)).await;
    // The old one of `kept`, and that of the webhook that nobody fetched from.
    assert_eq!(removed.unwrap(), 2);
    // The webhook, its pending delivery, and the marker of that.
    assert_eq!(f.rows().await, 3);
    let times = (Some(new.at), None);
    let target = Target::Webhook(kept.id);
    let list = f
        .store
        .deliveries(&f.tenant, &target, times, 10, None)
        .await;
    assert_eq!(list.unwrap().0.len(), 1);
    let times = (None, Some(old.at));
    let list = f
        .store
        .deliveries(&f.tenant, &target, times, 10, None)
        .await;
    assert_eq!(list.unwrap().0.len(), 0);
}

#[tokio::test]
async fn a_delivery_that_cannot_be_read_keeps_no_other_from_being_listed() {
    let f = fixture();
    let wanted = [to(&f.webhook(Some("https://example.com/")).await)];
    let events = [f.told("a"), f.told("b")];
    for event in &events {
        f.store.put(&f.tenant, event, &wanted).await.unwrap();
    }
    let target = &wanted[0].target;
    let at = key::delivery(target.as_str(), &events[0].id);
    let write = Write::Upsert(at, Properties::new());
    f.store.write(&f.tenant, vec![write]).await.unwrap();
    let list = f
        .store
        .deliveries(&f.tenant, target, (None, None), 10, None);
    let listed: Vec<_> = list.await.unwrap().0;
    let listed: Vec<_> = listed.iter().map(|row| &row.event).collect();
    assert_eq!(listed, [&events[1].id]);
}

#[tokio::test]
async fn a_webhook_that_cannot_be_read_keeps_no_other_from_being_told() {
    let f = fixture();
    let (damaged, newer, other) = (
        f.webhook(Some("https://example.com/a")).await,
        f.webhook(Some("https://example.com/b")).await,
        f.webhook(Some("https://example.com/c")).await,
    );
    let event = f.told("a");
    let wanted = [to(&damaged)];
    f.store.put(&f.tenant, &event, &wanted).await.unwrap();
    let overwrite = async |row: &WebhookRow, column: &str, value: serde_json::Value| {
        let mut columns = encode(row).unwrap();
        columns.insert(column.to_owned(), value);
        let write = Write::Upsert(key::webhook(row.id.as_str()), columns);
        f.store.write(&f.tenant, vec![write]).await.unwrap();
    };
    overwrite(&damaged, "events", "no list".into()).await;
    let all = f.store.all(&f.tenant).await.unwrap();
    assert_eq!(all.len(), 2, "{all:?}");
    let list = async || f.store.list(&f.tenant, 10, None).await.unwrap().0;
    assert_eq!(list().await.len(), 2);

    // What is told now would pass by a webhook that a newer worker can tell.
    overwrite(&newer, "schema", (row::SCHEMA + 1).into()).await;
    let error = f.store.all(&f.tenant).await.unwrap_err();
    assert_eq!(UnreadableRow::of(&error), Some(&UnreadableRow::Newer));
    assert_eq!(list().await, [other]);

    // Its owner can delete it, with its deliveries.
    assert!(f.store.delete(&f.tenant, &damaged.id).await.unwrap());
    assert!(!f.store.delete(&f.tenant, &damaged.id).await.unwrap());
    assert_eq!(f.rows().await, 2);
}
