//! A whole worker over storage that fails: every call of every port may be refused, throttled,
//! delayed, or lose its answer. No job is lost, and none is paid for twice.

#![allow(
    clippy::unwrap_used,
    reason = "a test may fail at once, in its helpers too"
)]

mod storms;

use std::sync::Arc;
use std::time::Duration;

use config::Config;
use openai::fake::{Script, Server};
use schemas::job::JobInput;
use schemas::{JobId, Tenant};
use storage::ambient::System;
use storage::embedded::Store;
use storage::fault::{Faults, Rates};
use storage::jobs::{JobStore, RowState, Submission};
use storage::names::QueueName;
use tokio_util::sync::CancellationToken;
use worker::Worker;

const JOBS: u64 = 120;

/// Five per cent of all calls go wrong.
const STORM: Rates = Rates {
    refuse: 0.015,
    throttle: 0.005,
    lose_answer: 0.02,
    delay: 0.005,
    delay_answer: 0.005,
    longest_delay: Duration::from_millis(40),
};

fn input(number: u64) -> JobInput {
    let mut cv: serde_json::Value = serde_json::from_str(schemas::cv::SAMPLE).unwrap();
    cv["profile"] = format!("Candidate {number}.").into();
    cv.as_object_mut().unwrap().remove("photo_url");
    let cv = schemas::cv::normalise(&cv).unwrap().cv;
    JobInput::of(cv)
}

async fn submit(store: &JobStore, number: u64) -> JobId {
    let submission = Submission::new(Tenant::anonymous(), input(number));
    // A client repeats what was not accepted; without a key that may make two jobs of one
    // request, which is as it should be: both count.
    loop {
        if let Ok(submitted) = store.submit(submission.clone()).await {
            return submitted.row().id;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_job_is_lost_or_paid_twice_while_storage_fails() {
    let model = Server::start(([127, 0, 0, 1], 0).into(), Script::default()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let ambient = Arc::new(System::new());
    let calm = Store::open(dir.path(), ambient.clone(), ambient.clone()).unwrap();
    let faults = Faults::new(0x5eed);
    let stormy = faults.over(calm.storage());

    let mut config = Config::for_tests();
    config.storage.data_dir = dir.path().to_owned();
    config.model.editor = config::EditorChoice::OpenAi;
    config.model.base_url = Some(model.base_url());
    config.model.api_key = Some(config::Secret::new("sk-test"));
    // So short that leases and deadlines pass while it storms. A machine that stands still for longer
    // holds a job, which is counted.
    let ms = Duration::from_millis;
    (config.model.timeout, config.model.connect_timeout) = (ms(1_000), ms(500));
    (config.worker.visibility, config.worker.heartbeat) = (ms(800), ms(100));
    config.worker.deadline_margin = ms(600);
    config.worker.latch_freshness = ms(400);
    let store = |storage| JobStore::new(storage, ambient.clone(), ambient.clone(), &config.worker);
    let (sees, acts) = (store(calm.storage()), store(stormy));

    let shutdown = CancellationToken::new();
    let worker = Worker::new(
        acts.clone(),
        worker::editor(&config, false).unwrap(),
        Arc::new(worker::Press::built_in().unwrap()),
        worker::Settings::new(&config),
        (ambient.clone(), ambient.clone()),
        shutdown.clone(),
    );
    let worker = tokio::spawn(worker.run());

    faults.set_all(STORM);
    let mut ids = Vec::new();
    for number in 0..JOBS {
        ids.push(submit(&acts, number).await);
    }
    let mut held = 0;
    for id in ids {
        let row = ended(&sees, id).await;
        match row {
            RowState::Succeeded => {}
            RowState::OutcomeUnknown => held += 1,
            other => panic!("job {id} ended {other:?}"),
        }
    }
    let injected = faults.history().len();
    assert!(injected > 50, "the storm was a breeze: {injected} faults");
    faults.off();
    let counters = model.counters();
    assert_eq!(counters.repeated, 0, "a job was paid twice: {counters:?}");
    settled(&sees, held).await;
    println!("{JOBS} jobs, {injected} faults: {held} held, {counters:?}");
    shutdown.cancel();
    worker.await.unwrap();
}

async fn ended(store: &JobStore, id: JobId) -> RowState {
    for _ in 0..6_000 {
        let row = store
            .read(&Tenant::anonymous(), id)
            .await
            .unwrap()
            .unwrap()
            .row;
        if row.state.is_final() {
            return row.state;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("job {id} has not ended after a minute");
}

/// No message and no marker is left, but the markers of held jobs.
async fn settled(store: &JobStore, held: usize) {
    let mut left = (0, 0);
    for _ in 0..6_000 {
        let queue = &store.storage().queue;
        let (open, _, _) = store.open_jobs(&Tenant::anonymous(), None).await.unwrap();
        left = (queue.count(QueueName::Jobs).await.unwrap(), open.len());
        if left == (0, held) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!(
        "after a minute {} messages and {} markers are left, {held} jobs are held",
        left.0, left.1
    );
}

/// Lives of jobs on paused time, from seed 1 on; `PRESSWORK_SEED` runs the round of one seed.
#[test]
fn storm_of_seeded_lives() {
    #[expect(
        clippy::disallowed_methods,
        reason = "the seed of a test is no setting"
    )]
    let seed = std::env::var("PRESSWORK_SEED").ok();
    let (first, lives) = match seed.map(|seed| seed.parse().expect("a number")) {
        Some(seed) => (seed, storms::JOBS),
        None => (1, 320),
    };
    let report = storms::lives(first, lives).unwrap_or_else(|fault| panic!("{fault}"));
    println!("{report:#?}");
    assert!(
        report.faults > report.jobs,
        "the storm was a breeze: {report:?}"
    );
}

/// The storage in memory keeps the contracts that the storms rely on.
#[tokio::test]
async fn storm_storage_keeps_the_contracts() {
    use storage::conformance::{Harness, run};
    let harness = || {
        let clock = storms::random::Skewed::by_minutes(&Arc::new(System::new()), 0);
        Harness {
            storage: storms::memory::Memory::open(clock),
            short: Duration::from_millis(20),
            wakes: true,
            signs_urls: false,
            guard: Box::new(()),
        }
    };
    run::queue::delayed_messages_come_later(harness()).await;
    run::queue::receive_gives_at_most_max(harness()).await;
    run::queue::leased_messages_are_hidden(harness()).await;
    run::queue::expired_leases_end_with_the_next_receive(harness()).await;
    run::queue::extending_gives_a_new_receipt(harness()).await;
    run::queue::extending_to_zero_shows_the_message(harness()).await;
    run::queue::extending_can_replace_the_body(harness()).await;
    run::queue::deleted_messages_are_gone(harness()).await;
    run::table::insert_creates_only(harness()).await;
    run::table::update_needs_the_version(harness()).await;
    run::table::upsert_replaces_the_whole_row(harness()).await;
    run::table::delete_with_and_without_version(harness()).await;
    run::table::transactions_are_all_or_none(harness()).await;
    run::table::versions_never_repeat(harness()).await;
    run::table::ranges_are_half_open_and_ordered(harness()).await;
    run::table::pages_go_on_to_the_end(harness()).await;
    run::table::one_of_many_updates_wins(harness()).await;
    run::blobs::create_only_keeps_what_is_there(harness()).await;
    run::blobs::overwriting_replaces_all(harness()).await;
    run::blobs::deleting_is_idempotent(harness()).await;
}
