//! A job that is cancelled while its call is out: row and ledger say what became of the call all the
//! same.

use storage::Operation;
use storage::fault::Fault;
use storage::names::TableName;

use super::faults::alone;
use super::*;

/// Cancels a job in the middle of its call; `calls` is how many of its owner's count.
async fn check(world: World, expect: CallOutcome, calls: u32, is_paid: bool) {
    let worker = world.worker();
    let (tenant, id) = (Tenant::anonymous(), world.submit(1).await);
    world
        .until(id, "latched", |row| row.state == RowState::Calling)
        .await;
    let cancelled = world.store.cancel(&tenant, id).await.unwrap();
    assert!(matches!(cancelled, Some(Cancelled::Requested(_))));
    let row = world.ended(id).await;
    worker.stop().await;
    assert_eq!(
        (row.state, row.model_calls, row.usage.is_some()),
        (RowState::Cancelled, calls, is_paid),
        "{expect:?}: {row:?}"
    );
    let always = (jiff::Timestamp::UNIX_EPOCH, jiff::Timestamp::MAX);
    let page = world.store.ledger(&tenant, always.0, always.1, None).await;
    let ledger = page.unwrap().0;
    assert_eq!((ledger.len(), ledger[0].outcome), (1, expect));
    let cost = ledger[0].cost_micro_usd;
    let has_tokens = ledger[0].input_tokens > 0;
    assert!(cost.is_some(), "{ledger:?}");
    assert_eq!(
        (has_tokens, cost > Some(0)),
        (is_paid, is_paid),
        "{ledger:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_knows_what_became_of_a_cancelled_call() {
    let answered = |behaviour: Behaviour| {
        let script = Script::always(behaviour).with_latency(Duration::from_millis(700));
        World::new(script, alone)
    };
    // The latch's answer comes so late that no call is made.
    let late = World::new(Script::always(Behaviour::reply()), |config| {
        alone(config);
        config.worker.latch_freshness = Duration::from_millis(300);
    });
    let write = Operation::Write(TableName::Jobs);
    let longer = Duration::from_millis(900);
    late.faults.script(write, 1, Fault::DelayAnswer(longer));
    tokio::join!(
        check(answered(Behaviour::reply()), CallOutcome::Replied, 1, true),
        check(answered(Behaviour::Refusal), CallOutcome::Failed, 1, true),
        check(
            answered(Behaviour::error(400)),
            CallOutcome::Rejected,
            0,
            false
        ),
        check(
            answered(Behaviour::error(429)),
            CallOutcome::NotProcessed,
            0,
            false
        ),
        check(late, CallOutcome::NotProcessed, 0, false),
    );
}
