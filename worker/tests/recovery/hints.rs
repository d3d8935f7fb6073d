//! The provider's hints that come for another job than the one at work: of an earlier call, or of
//! another installation on the same account.

use openai::fake::Behaviour;
use schemas::Tenant;
use storage::jobs::RowState;

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
