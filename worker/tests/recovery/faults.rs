//! Storage that is slow, or whose answers are lost, at the moment when it matters.

use storage::Operation;
use storage::fault::{Fault, Rates};
use storage::names::{Container, TableName};

use super::*;

const READ: Operation = Operation::GetEntity(TableName::Jobs);
const WRITE: Operation = Operation::Write(TableName::Jobs);
const EXTEND: Operation = Operation::Extend(QueueName::Jobs);

/// Every answer comes late, so that those who ask at the same time all act on what they saw first.
const RACE: Rates = Rates {
    refuse: 0.0,
    throttle: 0.0,
    lose_answer: 0.0,
    delay: 0.0,
    delay_answer: 1.0,
    longest_delay: Duration::from_millis(60),
};

/// Nothing comes between but what a test wants, however busy the machine is.
pub(super) fn alone(config: &mut Config) {
    let seconds = Duration::from_secs;
    config.model.background = config::Background::Off;
    config.model.timeout = seconds(20);
    config.worker.reconcile_every = seconds(60);
    config.worker.concurrency = 64;
    config.worker.latch_freshness = seconds(5);
    config.worker.visibility = seconds(20);
    config.worker.heartbeat = seconds(5);
}

/// The latch has one winner, however many read the row before it.
#[tokio::test(flavor = "multi_thread")]
async fn many_messages_of_one_job_make_one_call() {
    let script = Script::always(Behaviour::reply()).with_latency(Duration::from_millis(20));
    let world = World::new(script, alone);
    let mut ids = Vec::new();
    for number in 0..6 {
        let id = world.submit(number).await;
        let message = JobMessage::new(Tenant::anonymous(), id);
        for _ in 0..7 {
            let sent = world.store.enqueue(&message, Duration::ZERO).await;
            sent.unwrap();
        }
        ids.push(id);
    }
    world.faults.set(READ, RACE);
    let worker = world.worker();
    for id in &ids {
        let row = world.ended(*id).await;
        assert_eq!(
            (row.state, row.attempt),
            (RowState::Succeeded, 1),
            "{row:?}"
        );
    }
    world.queue_is_empty().await;
    assert_eq!(world.model.counters().received, ids.len() as u64);
    worker.stop().await;
}

/// The content latch too.
#[tokio::test(flavor = "multi_thread")]
async fn many_jobs_of_equal_content_make_one_call() {
    const CONTENTS: u64 = 4;
    let script = Script::always(Behaviour::reply()).with_latency(Duration::from_millis(20));
    let world = World::new(script, alone);
    let mut ids = Vec::new();
    for number in 0..CONTENTS * 8 {
        ids.push(world.submit(number % CONTENTS).await);
    }
    world.faults.set(READ, RACE);
    let worker = world.worker();
    for id in ids {
        let row = world.ended(id).await;
        assert_eq!(row.state, RowState::Succeeded, "{row:?}");
    }
    assert_eq!(world.model.counters().received, CONTENTS);
    worker.stop().await;
}

/// Between the read before the latch and the call a worker stood still, or its lease ran out: it
/// makes no call, and says so in the ledger.
#[tokio::test(flavor = "multi_thread")]
async fn a_latch_that_is_not_fresh_makes_no_call() {
    let check = async |slow: Operation| {
        let world = World::new(Script::always(Behaviour::reply()), |config| {
            alone(config);
            // The second attempt has to be in time.
            if slow == EXTEND {
                config.worker.visibility = Duration::from_secs(5);
                config.worker.heartbeat = Duration::from_millis(500);
            } else {
                config.worker.latch_freshness = Duration::from_secs(4);
            }
        });
        let id = world.submit(1).await;
        if slow == EXTEND {
            let refused = Rates {
                refuse: 1.0,
                ..Rates::default()
            };
            world.faults.set(EXTEND, refused);
            let longer = world.config.worker.visibility + Duration::from_millis(100);
            world.faults.script(WRITE, 1, Fault::DelayAnswer(longer));
        } else {
            let longer = world.config.worker.latch_freshness + Duration::from_millis(50);
            world.faults.script(slow, 1, Fault::DelayAnswer(longer));
        }
        let worker = world.worker();
        let row = world.ended(id).await;
        assert_eq!(
            (row.state, row.attempt, row.model_calls),
            (RowState::Succeeded, 2, 1),
            "{slow:?}: {row:?}"
        );
        assert_eq!(world.model.counters().received, 1, "{slow:?}");
        let tenant = Tenant::anonymous();
        let always = (jiff::Timestamp::UNIX_EPOCH, jiff::Timestamp::MAX);
        let page = world.store.ledger(&tenant, always.0, always.1, None).await;
        let outcomes: Vec<_> = page.unwrap().0.iter().map(|row| row.outcome).collect();
        let expect = [CallOutcome::NotProcessed, CallOutcome::Replied];
        assert_eq!(outcomes, expect, "{slow:?}");
        worker.stop().await;
    };
    tokio::join!(check(READ), check(WRITE), check(EXTEND));
}

/// The provider keeps its copy until ours is safe.
#[tokio::test(flavor = "multi_thread")]
async fn the_copy_is_deleted_once_the_reply_is_stored_and_not_before() {
    let put = Operation::PutBlob(Container::ModelReplies);
    let world = World::new(takes(20, Behaviour::reply()), |_| {});
    for nth in 1..=3 {
        world.faults.script(put, nth, Fault::Refuse);
    }
    let id = world.submit(1).await;
    let worker = world.worker();
    loop {
        // Looked at before: while three were refused and none has begun since, nothing is stored.
        let deleted = world.model.counters().deleted;
        if world.faults.calls(put) > 3 {
            break;
        }
        assert_eq!(deleted, 0);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(world.ended(id).await.state, RowState::Succeeded);
    worker.stop().await;
    let counters = world.model.counters();
    assert_eq!((counters.accepted, counters.deleted), (1, 1));
}

/// The first reply counts, for whoever stores another and for whoever reads.
#[tokio::test(flavor = "multi_thread")]
async fn a_stored_reply_stays() {
    let world = World::new(Script::default(), |_| {});
    let (tenant, id) = (Tenant::anonymous(), world.submit(1).await);
    let store = &world.store;
    let first = store.put_reply(&tenant, id, "first".into()).await.unwrap();
    let counts = store.put_reply(&tenant, id, "second".into()).await.unwrap();
    let read = store.reply(&tenant, id).await.unwrap().unwrap();
    assert_eq!([&first[..], &counts[..], &read[..]], [b"first"; 3]);
}

/// A consent whose write is not acknowledged is one consent.
#[tokio::test(flavor = "multi_thread")]
async fn one_request_is_one_consent() {
    let (world, worker, id) = World::with_held_job().await;
    worker.stop().await;
    world.faults.script(WRITE, 1, Fault::LoseAnswer);
    let given = world.faulty.consent(&Tenant::anonymous(), id).await;
    assert!(matches!(given, Ok(Some(Consent::Given(_)))), "{given:?}");
    let row = world.row(id).await;
    assert_eq!((row.state, row.consents), (RowState::Queued, 1), "{row:?}");
}
