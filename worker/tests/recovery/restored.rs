//! Tables of a backup beside the blobs of today: what is stored counts, not what the rows say.

use openai::fake::Script;
use storage::jobs::Suspects;

use super::*;

/// The row was restored from before the call: no attempt is counted, and the reply is there.
#[tokio::test(flavor = "multi_thread")]
async fn a_reply_that_is_stored_is_not_paid_for_again_when_its_job_is_released() {
    let world = World::new(Script::default(), |_| {});
    let (tenant, store) = (Tenant::anonymous(), &world.store);
    let id = world.submit(1).await;
    let held = store.hold_restored(&tenant, id, Suspects::All).await;
    assert!(held.unwrap());
    let input = store.input(&tenant, id).await.unwrap();
    let reply = serde_json::to_vec(&worker::jobs::edit_offline(&input)).unwrap();
    store.put_reply(&tenant, id, reply.into()).await.unwrap();
    let released = store.release_restored(&tenant, id).await.unwrap();
    assert!(matches!(released, Some(Consent::Given(_))), "{released:?}");
    assert_eq!(world.row(id).await.attempt, 0);

    let worker = world.worker();
    let row = world.ended(id).await;
    assert_eq!(row.state, RowState::Succeeded, "{row:?}");
    assert_eq!(world.model.counters().received, 0);
    worker.stop().await;
}
