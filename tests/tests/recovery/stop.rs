//! SIGTERM in every phase: the worker ends within its grace period, begins no call any more,
//! finishes what it has paid for, and leaves the rest to the next one at once.

use std::time::Duration;

use e2e::backing::{Backing, DEADLINE};
use e2e::process::{Server, with_model};
use e2e::system::fake;
use e2e::{eventually, unique_cv};
use futures::StreamExt as _;
use schemas::Tenant;
use schemas::job::JobInput;
use serde_json::{Value, json};
use storage::azurite::Azurite;
use storage::jobs::{JobStore, RowState, Submission};

use super::{BACKGROUND, System, row};

e2e::on_both_storages!(
    an_idle_worker_stops_at_once,
    one_whose_jobs_wait_stops_at_once_and_the_next_goes_on,
    one_that_cannot_finish_in_time_leaves_its_job_to_be_held,
);

/// Ends of a worker that has nothing to finish come within this, on a busy machine. The grace period
/// is longer.
const SOON: Duration = Duration::from_secs(20);
/// Runs at once.
const AT_ONCE: usize = 6;

/// What a stopped worker has done by its end.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Left {
    /// Nothing that costs.
    NotBegun,
    /// Everything.
    Finished,
    /// A call whose id is on the row, or everything if the reply was faster.
    InBackground,
}

use Left::{Finished, InBackground, NotBegun};

/// A job's way: each effect, what is left by a stop right before it, and what right after.
const PLAIN: [(&str, Left, Left); 11] = [
    ("read", NotBegun, NotBegun),
    ("read_content", NotBegun, NotBegun),
    ("take_budget", NotBegun, NotBegun),
    // Asked to stop during the latch: it may be ours, so the call is made.
    ("latch", Finished, Finished),
    ("check_fresh", Finished, Finished),
    ("call", Finished, Finished),
    ("store_reply", Finished, Finished),
    ("to_rendering", Finished, Finished),
    ("render", Finished, Finished),
    ("finish", Finished, Finished),
    ("delete_message", Finished, Finished),
];

/// The same where the provider works in the background, as far as it differs.
const IN_BACKGROUND: [(&str, Left, Left); 6] = [
    ("latch", InBackground, InBackground),
    ("call", InBackground, InBackground),
    ("store_reply_id", InBackground, InBackground),
    ("poll", InBackground, InBackground),
    ("store_reply", Finished, Finished),
    ("render", Finished, Finished),
];

struct Case {
    background: bool,
    point: String,
    left: Left,
}

fn cases() -> Vec<Case> {
    let ways = [(false, &PLAIN[..]), (true, &IN_BACKGROUND[..])];
    let mut cases = Vec::new();
    for (background, effects) in ways {
        for (effect, before, after) in effects {
            for (when, left) in [("before", *before), ("after", *after)] {
                let point = format!("effect:{effect}:{when}");
                cases.push(Case {
                    background,
                    point,
                    left,
                });
            }
        }
    }
    cases
}

async fn submit(store: &JobStore) -> String {
    let submission = Submission::new(
        Tenant::anonymous(),
        JobInput::of(schemas::cv::normalise(&unique_cv(1)).unwrap().cv),
    );
    store.submit(submission).await.unwrap().row().id.to_string()
}

async fn check(case: &Case, backing: Backing) {
    let mut slow = json!({"latency": "150ms"});
    let mut settings = Vec::new();
    if case.background {
        slow = json!({"background": {"queued": "10ms", "in_progress": "300ms"}});
        settings.extend(BACKGROUND);
    }
    let model = fake(slow);
    let store = backing.jobs().await;
    let id = submit(&store).await;
    let worker = |failpoints: &str| {
        let mut command = backing.part("worker", &settings);
        with_model(&mut command, &model.base_url());
        Server::spawn(command.env("FAILPOINTS", failpoints))
    };
    let what = format!("{}, background: {}", case.point, case.background);
    let first = worker(&format!("{}=1*return(term)", case.point));
    first.gone().await;
    let (status, log) = first.terminate();
    assert!(status.success(), "{what}: {status}\n{log}");
    assert!(!log.contains("grace period is over"), "{what}:\n{log}");

    let found = row(&store, &id).await;
    let calls = model.counters().received;
    let state = found.state;
    let fine = match case.left {
        NotBegun => calls == 0 && state == RowState::Queued,
        Finished => calls == 1 && state == RowState::Succeeded,
        InBackground => {
            let known = state == RowState::Calling && found.reply_id.is_some();
            calls == 1 && (known || state == RowState::Succeeded)
        }
    };
    assert!(fine, "{what}: {calls} calls, {found:?}\n{log}");

    if found.state != RowState::Succeeded {
        let _second = worker("");
        // Had the first one kept it until the call's deadline, it would be held now.
        let row = async || row(&store, &id).await;
        eventually(&what, row, |row| row.state.is_final()).await;
    }
    let end = row(&store, &id).await;
    assert_eq!(
        (end.state, end.model_calls, model.counters().received),
        (RowState::Succeeded, 1, 1),
        "{what}: {end:?}"
    );
}

async fn in_every_phase(backing: impl Fn(usize) -> Backing) {
    futures::stream::iter(cases().iter().enumerate())
        .map(|(number, case)| check(case, backing(number)))
        .buffer_unordered(AT_ONCE)
        .collect::<()>()
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_every_phase_embedded() {
    in_every_phase(|_| Backing::embedded()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_every_phase_azurite() {
    let azurite = Azurite::start_with_accounts(cases().len());
    in_every_phase(|number| Backing::in_account(azurite.account(number))).await;
}

/// Asks a worker to stop, and gives what it logged.
async fn stop(worker: Server, within: Duration) -> String {
    worker.terminate_now();
    let gone = tokio::time::timeout(within, worker.gone()).await;
    assert!(gone.is_ok(), "it still runs after {within:?}");
    let (status, log) = worker.terminate();
    assert!(status.success(), "{status}\n{log}");
    log
}

async fn an_idle_worker_stops_at_once(backing: Backing) {
    let system = System::start(backing, json!({})).await;
    let worker = system.worker(&[], "");
    // Long enough for its longest pause between two receives to have begun.
    tokio::time::sleep(Duration::from_millis(800)).await;
    stop(worker, SOON).await;
}

/// One job waits for the provider, and one for the other's content.
async fn one_whose_jobs_wait_stops_at_once_and_the_next_goes_on(backing: Backing) {
    let refused = json!({"do": "error", "status": 429, "headers": {"retry-after": "2"}});
    let system = System::start(backing, json!({"steps": [refused]})).await;
    let worker = system.worker(&[], "");
    let mut ids = Vec::new();
    for _ in 0..2 {
        ids.push(system.api.submit(&unique_cv(1), json!({})).await.unwrap());
        system
            .counted("it is refused", |c| c.not_processed == 1)
            .await;
    }
    stop(worker, SOON).await;
    let _next = system.worker(&[], "");
    for id in &ids {
        let job = system.api.ended(id).await.unwrap();
        assert_eq!(job["state"], "succeeded", "{job:#}");
    }
    assert_eq!(system.model.counters().accepted, 1);
    system.settled().await;
}

async fn one_that_cannot_finish_in_time_leaves_its_job_to_be_held(backing: Backing) {
    let system = System::start(backing, json!({"default": {"do": "hang"}})).await;
    let hasty = [("worker.shutdown_grace", "500ms"), ("model.timeout", "8s")];
    let worker = system.worker(&[&DEADLINE[..], &hasty].concat(), "");
    let id = system.api.submit(&unique_cv(1), json!({})).await.unwrap();
    system.counted("it is called", |c| c.received == 1).await;
    let log = stop(worker, SOON).await;
    assert!(log.contains("grace period is over"), "{log}");
    let _next = system.worker(&[], "");
    let job = system.api.ended(&id).await.unwrap();
    assert_eq!(
        (&job["state"], &job["result"]),
        (&json!("outcome_unknown"), &Value::Null),
        "{job:#}"
    );
    assert_eq!(system.model.counters().received, 1);
}
