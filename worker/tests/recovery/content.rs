//! Jobs of equal content share one call, and what came of it.

use schemas::job::OnModelFailure;
use storage::Operation;
use storage::fault::Fault;
use storage::names::Container;

use super::*;

/// Jobs of equal content: one of them calls, and each gets a document of its own.
#[tokio::test(flavor = "multi_thread")]
async fn jobs_of_equal_content_share_one_call() {
    let world = World::new(takes(100, Behaviour::reply()), |_| {});
    let workers = [world.worker(), world.worker()];
    let mut ids = Vec::new();
    for _ in 0..6 {
        ids.push(world.submit(7).await);
    }
    let mut paths = std::collections::BTreeSet::new();
    for id in &ids {
        let row = world.ended(*id).await;
        assert_eq!(row.state, RowState::Succeeded, "{row:?}");
        paths.extend(row.result_path);
    }
    assert_eq!(paths.len(), ids.len());
    assert_eq!(world.model.counters().accepted, 1);
    for worker in workers {
        worker.stop().await;
    }
}

/// A holder that came to nothing does not keep others from the content.
#[tokio::test(flavor = "multi_thread")]
async fn a_held_holder_of_content_is_replaced() {
    let lost = Behaviour::Reset {
        at: Moment::BeforeHeaders,
    };
    let script = takes(5, Behaviour::reply()).then(lost);
    let world = World::new(script, |_| {});
    let worker = world.worker();
    let held = world.submit(7).await;
    assert_eq!(world.ended(held).await.state, RowState::OutcomeUnknown);
    let next = world.submit(7).await;
    assert_eq!(world.ended(next).await.state, RowState::Succeeded);
    assert_eq!(world.model.counters().accepted, 2);
    worker.stop().await;
}

/// Who takes the own text where the model gives nothing does so for himself.
#[tokio::test(flavor = "multi_thread")]
async fn the_own_text_of_one_job_is_not_passed_on_to_another() {
    let world = World::new(
        takes(5, Behaviour::reply()).then(Behaviour::Refusal),
        |_| {},
    );
    let worker = world.worker();
    let own_text = Options {
        on_model_failure: OnModelFailure::RenderUnpolished,
        ..Options::default()
    };
    let codes =
        |row: &JobRow| -> Vec<String> { row.warnings.iter().map(|w| w.code.clone()).collect() };
    let unpolished = "unpolished".to_owned();
    let first = world.ask("Candidate 7.", own_text).await;
    let first = world.ended(first).await;
    assert_eq!(first.state, RowState::Succeeded, "{first:?}");
    assert!(codes(&first).contains(&unpolished), "{first:?}");
    let second = world.submit(7).await;
    let second = world.ended(second).await;
    assert_eq!(
        (second.state, second.cached_from, second.model_calls),
        (RowState::Succeeded, None, 1),
        "{second:?}"
    );
    assert!(!codes(&second).contains(&unpolished), "{second:?}");
    assert_eq!(world.model.counters().accepted, 2);
    worker.stop().await;
}

/// What is wrong with a document is told to everybody who gets a copy of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_copied_document_comes_with_its_warnings() {
    let world = World::new(takes(5, Behaviour::reply()), |_| {});
    let worker = world.worker();
    let mut told = Vec::new();
    for _ in 0..2 {
        // No font has an Egyptian owl.
        let id = world.ask("Candidate \u{13153}.", Options::default()).await;
        let row = world.ended(id).await;
        assert_eq!(row.state, RowState::Succeeded, "{row:?}");
        told.push((row.cached_from.is_some(), row.warnings));
    }
    assert_eq!((told[0].0, told[1].0), (false, true));
    assert!(
        told[0].1.iter().any(|w| w.message.contains("U+13153")),
        "{told:?}"
    );
    assert_eq!(told[0].1, told[1].1);
    worker.stop().await;
}

/// The holder is purged while storage does not say whether its document was copied.
#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_was_paid_for_is_not_said_to_be_a_copy() {
    let world = World::new(takes(5, Behaviour::reply()), |_| {});
    let worker = world.worker();
    let holder = world.submit(7).await;
    assert_eq!(world.ended(holder).await.state, RowState::Succeeded);
    let copying = Operation::GetBlob(Container::CvPdfs);
    let before = world.faults.calls(copying);
    // A second and a half of tries.
    for nth in 1..=4 {
        world.faults.script(copying, nth, Fault::Refuse);
    }
    let next = world.submit(7).await;
    while world.faults.calls(copying) == before {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let purged = world.store.purge(&Tenant::anonymous(), holder).await;
    assert!(purged.unwrap());
    let row = world.ended(next).await;
    assert_eq!(
        (row.state, row.cached_from, row.model_calls),
        (RowState::Succeeded, None, 1),
        "{row:?}"
    );
    worker.stop().await;
}
