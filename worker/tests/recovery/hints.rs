//! The provider's hints that come for another job than the one at work: of an earlier call, or of
//! another installation on the same account.

use std::time::Duration;

use openai::fake::Behaviour;
use schemas::Tenant;
use storage::jobs::RowState;
use storage::names::{QueueName, TableName, row as key};
use storage::port::Write;

use crate::{World, takes};

fn first_stored(world: &World) -> String {
    let stored = world.model.stored();
    stored[0]["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hint_for_another_installation_takes_nothing_from_it() {
    let (ours, worker, id) = World::with_held_job().await;
    let theirs = World::new(takes(5, Behaviour::reply()), |config| {
        config.model.base_url = Some(ours.model.base_url());
    });
    let their_worker = theirs.worker();
    let response = first_stored(&ours);
    theirs.webhook(&response).await;
    theirs.queue_is_empty().await;
    their_worker.stop().await;
    assert_eq!(ours.model.counters().deleted, 0);

    ours.webhook(&response).await;
    ours.until(id, "adopted", |row| row.state == RowState::Succeeded)
        .await;
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reply_of_an_earlier_call_is_not_left_at_the_provider() {
    let (world, worker, id) = World::with_held_job().await;
    let first = first_stored(&world);
    world.model.set_script(takes(5, Behaviour::reply()));
    let consent = world.store.consent(&Tenant::anonymous(), id).await;
    consent.unwrap();
    let row = world
        .until(id, "done", |row| row.state == RowState::Succeeded)
        .await;
    assert_ne!(row.reply_id.as_ref(), Some(&first));
    world.webhook(&first).await;
    world.queue_is_empty().await;
    // It waits for what it has begun at the provider.
    worker.stop().await;
    assert_eq!(world.model.stored().len(), 0, "{:?}", world.model.stored());
    assert_eq!(world.model.counters().accepted, 2);
}

/// Only a provider that gives no clear answer makes a hint be given up: not what its job waits for.
#[tokio::test(flavor = "multi_thread")]
async fn a_hint_waits_as_long_as_its_job_has_to() {
    let (mut world, worker, id) = World::with_held_job().await;
    worker.stop().await;
    world.config.worker.visibility = Duration::from_millis(100);
    world.config.worker.heartbeat = Duration::from_millis(30);
    let (table, jobs) = (world.store.storage().table.clone(), TableName::Jobs);
    let (tenant, row) = (Tenant::anonymous(), key::job(id));
    let read = table.get(jobs, tenant.as_str(), &row).await.unwrap();
    let ours = read.value.unwrap().properties;
    let mut newer = ours.clone();
    newer.insert("schema".to_owned(), 99.into());
    let put = async |columns| {
        let write = Write::Upsert(row.clone(), columns);
        table
            .write(jobs, tenant.as_str(), vec![write])
            .await
            .unwrap();
    };
    put(newer).await;
    world.webhook(&first_stored(&world)).await;
    let worker = world.worker();
    let queue = world.store.storage().queue.clone();
    let often = world.config.worker.max_dequeues + 3;
    for _ in 0..6_000 {
        let seen = queue.peek(QueueName::Jobs, 1).await.unwrap();
        if seen.first().is_some_and(|it| it.dequeue_count > often) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    put(ours).await;
    let adopted = |row: &storage::jobs::JobRow| row.state == RowState::Succeeded;
    world.until(id, "adopted", adopted).await;
    worker.stop().await;
}
