//! Calls in the background, against the fake provider: whatever happens, one call, and its reply
//! is found.

#![allow(
    clippy::unwrap_used,
    reason = "a test may fail at once, in its helpers too"
)]

mod cancelled;
mod content;
mod faults;
mod hints;
mod restored;
mod unreadable;

use std::sync::Arc;
use std::time::Duration;

use config::Config;
use openai::fake::{Background, Behaviour, Moment, Script, Server, Step};
use schemas::job::{JobInput, Options};
use schemas::message::{JobMessage, ReplyMessage};
use schemas::{JobId, Tenant};
use storage::Storage;
use storage::ambient::System;
use storage::embedded::Store;
use storage::fault::Faults;
use storage::jobs::{CallOutcome, Cancelled, Consent, JobRow, JobStore, RowState, Submission};
use storage::names::QueueName;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use worker::Worker;

struct World {
    model: Server,
    store: JobStore,
    /// The same, as workers have it.
    faulty: JobStore,
    faults: Arc<Faults>,
    config: Config,
    ambient: Arc<System>,
    _dir: tempfile::TempDir,
}

struct Running {
    shutdown: CancellationToken,
    task: JoinHandle<()>,
}

impl Running {
    async fn stop(self) {
        self.shutdown.cancel();
        self.task.await.unwrap();
    }
}

/// A provider that takes this long over each call.
fn takes(millis: u64, step: impl Into<Step>) -> Script {
    let time = |ms| Duration::from_millis(ms).into();
    Script {
        background: Background {
            queued: time(5),
            in_progress: time(millis),
        },
        ..Script::always(step)
    }
}

impl World {
    fn new(script: Script, change: impl FnOnce(&mut Config)) -> Self {
        let model = Server::start(([127, 0, 0, 1], 0).into(), script).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let ambient = Arc::new(System::new());
        let embedded = Store::open(dir.path(), ambient.clone(), ambient.clone()).unwrap();
        let mut config = Config::for_tests();
        dir.path().clone_into(&mut config.storage.data_dir);
        config.model.editor = config::EditorChoice::OpenAi;
        config.model.base_url = Some(model.base_url());
        config.model.api_key = Some(config::Secret::new("sk-test"));
        config.model.background = config::Background::On;
        // A machine that is busy elsewhere stands still for shorter.
        let seconds = Duration::from_secs;
        config.model.timeout = seconds(20);
        config.worker.deadline_margin = seconds(6);
        config.worker.latch_freshness = seconds(5);
        (config.worker.visibility, config.worker.heartbeat) = (seconds(10), seconds(2));
        change(&mut config);
        let faults = Faults::new(0x5eed);
        let store = |storage: Storage| {
            let (clock, entropy) = (ambient.clone(), ambient.clone());
            JobStore::new(storage, clock, entropy, &config.worker)
        };
        Self {
            model,
            store: store(embedded.storage()),
            faulty: store(faults.over(embedded.storage())),
            faults,
            config,
            ambient,
            _dir: dir,
        }
    }

    /// One whose job is held, since the submission of its call arrived and the answer did not; and
    /// its worker.
    async fn with_held_job() -> (Self, Running, JobId) {
        let lost = Behaviour::Reset {
            at: Moment::BeforeHeaders,
        };
        let world = Self::new(takes(5, lost), |_| {});
        let worker = world.worker();
        let id = world.submit(1).await;
        assert_eq!(world.ended(id).await.state, RowState::OutcomeUnknown);
        (world, worker, id)
    }

    fn worker(&self) -> Running {
        let shutdown = CancellationToken::new();
        let worker = Worker::new(
            self.faulty.clone(),
            worker::editor(&self.config, false).unwrap(),
            Arc::new(worker::Press::built_in().unwrap()),
            worker::Settings::new(&self.config),
            (self.ambient.clone(), self.ambient.clone()),
            shutdown.clone(),
        );
        let task = tokio::spawn(worker.run());
        Running { shutdown, task }
    }

    async fn submit(&self, number: u64) -> JobId {
        self.ask(&format!("Candidate {number}."), Options::default())
            .await
    }

    async fn ask(&self, profile: &str, options: Options) -> JobId {
        let mut cv: serde_json::Value = serde_json::from_str(schemas::cv::SAMPLE).unwrap();
        cv["profile"] = profile.into();
        cv.as_object_mut().unwrap().remove("photo_url");
        let submission = Submission::new(
            Tenant::anonymous(),
            JobInput {
                options,
                ..JobInput::of(schemas::cv::normalise(&cv).unwrap().cv)
            },
        );
        self.store.submit(submission).await.unwrap().row().id
    }

    async fn row(&self, id: JobId) -> JobRow {
        let loaded = self.store.read(&Tenant::anonymous(), id).await.unwrap();
        loaded.unwrap().row
    }

    async fn until(&self, id: JobId, what: &str, holds: impl Fn(&JobRow) -> bool) -> JobRow {
        for _ in 0..12_000 {
            let row = self.row(id).await;
            if holds(&row) {
                return row;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("not {what} after a minute: {:?}", self.row(id).await);
    }

    async fn ended(&self, id: JobId) -> JobRow {
        self.until(id, "ended", |row| row.state.is_final()).await
    }

    async fn queue_is_empty(&self) {
        for _ in 0..12_000 {
            if self
                .store
                .storage()
                .queue
                .count(QueueName::Jobs)
                .await
                .unwrap()
                == 0
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("messages are left");
    }

    async fn webhook(&self, response_id: &str) {
        let body = ReplyMessage::new(response_id.to_owned()).to_body();
        let queue = &self.store.storage().queue;
        queue
            .send(QueueName::Jobs, &body, Duration::ZERO)
            .await
            .unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_is_fetched_by_its_id_and_the_copy_deleted() {
    let world = World::new(takes(60, Behaviour::reply()), |_| {});
    let worker = world.worker();
    let id = world.submit(1).await;
    let row = world.ended(id).await;
    assert_eq!(
        (row.state, row.model_calls),
        (RowState::Succeeded, 1),
        "{row:?}"
    );
    let request = world.model.requests().remove(0);
    assert_eq!(
        (&request["background"], &request["store"]),
        (&true.into(), &true.into())
    );
    let reference = request["metadata"]["reference"].as_str().unwrap();
    let expect = Some((Tenant::anonymous(), id));
    assert_eq!(worker::reference::read(reference), expect);
    worker.stop().await;
    let counters = world.model.counters();
    assert_eq!(
        (counters.accepted, counters.deleted),
        (1, 1),
        "{counters:?}"
    );
}

/// A worker that is asked to stop lets go of a call whose id is stored; another one goes on.
#[tokio::test(flavor = "multi_thread")]
async fn any_worker_goes_on_with_a_call_in_the_background() {
    let world = World::new(takes(7_000, Behaviour::reply()), |config| {
        // Only a message that is given back comes in time.
        config.worker.visibility = Duration::from_secs(30);
    });
    let first = world.worker();
    let id = world.submit(1).await;
    world
        .until(id, "pending", |row| row.reply_id.is_some())
        .await;
    first.stop().await;
    assert_eq!(world.row(id).await.state, RowState::Calling);
    let second = world.worker();
    assert_eq!(world.ended(id).await.state, RowState::Succeeded);
    second.stop().await;
    assert_eq!(world.model.counters().accepted, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_while_asking_makes_nothing_ambiguous() {
    let mut script = takes(20, Behaviour::reply());
    script.retrievals = vec![
        Step::from(Behaviour::error(500)).times(2),
        Behaviour::Reset {
            at: Moment::BeforeHeaders,
        }
        .into(),
        Behaviour::error(429).into(),
        Behaviour::error(401).into(),
    ];
    let world = World::new(script, |_| {});
    let worker = world.worker();
    let id = world.submit(1).await;
    let row = world.ended(id).await;
    assert_eq!(row.state, RowState::Succeeded, "{row:?}");
    assert_eq!(world.model.counters().accepted, 1);
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_takes_too_long_is_cancelled_and_the_job_held() {
    let mut world = World::new(takes(60_000, Behaviour::reply()), |config| {
        config.model.pending_max = Duration::from_secs(1);
    });
    let worker = world.worker();
    let id = world.submit(1).await;
    let row = world.ended(id).await;
    assert_eq!(row.state, RowState::OutcomeUnknown, "{row:?}");
    let counters = world.model.counters();
    assert_eq!(
        (counters.accepted, counters.cancelled),
        (1, 1),
        "{counters:?}"
    );

    worker.stop().await;

    // The owner agrees to pay again, and now it may take its time.
    world.config.model.pending_max = Duration::from_mins(1);
    let worker = world.worker();
    world.model.set_script(takes(5, Behaviour::reply()));
    let consent = world.store.consent(&Tenant::anonymous(), id).await.unwrap();
    assert!(matches!(consent, Some(Consent::Given(_))), "{consent:?}");
    let row = world
        .until(id, "done", |row| row.state == RowState::Succeeded)
        .await;
    assert_eq!((row.consents, world.model.counters().accepted), (1, 2));
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_s_cancel_reaches_the_provider() {
    let world = World::new(takes(60_000, Behaviour::reply()), |_| {});
    let worker = world.worker();
    let id = world.submit(1).await;
    world
        .until(id, "pending", |row| row.reply_id.is_some())
        .await;
    let cancelled = world.store.cancel(&Tenant::anonymous(), id).await.unwrap();
    assert!(
        matches!(cancelled, Some(Cancelled::Requested(_))),
        "{cancelled:?}"
    );
    assert_eq!(world.ended(id).await.state, RowState::Cancelled);
    worker.stop().await;
    let counters = world.model.counters();
    assert_eq!(
        (counters.cancelled, counters.deleted),
        (1, 1),
        "{counters:?}"
    );
}

/// The one window: the submission arrived, its answer did not. The webhook closes it.
#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_brings_back_a_call_whose_id_was_lost() {
    let (world, worker, id) = World::with_held_job().await;
    // Ids of nobody's responses, or of other programs, are passed over.
    world.webhook("resp_unknown").await;
    world.webhook("../files").await;
    let response = world.model.stored()[0]["id"].as_str().unwrap().to_owned();
    world.webhook(&response).await;
    let row = world
        .until(id, "adopted", |row| row.state == RowState::Succeeded)
        .await;
    assert_eq!(row.reply_id, Some(response));
    world.queue_is_empty().await;
    assert_eq!(world.model.counters().accepted, 1);
    worker.stop().await;
}

/// How often the provider's hint came back says nothing of its job.
#[tokio::test(flavor = "multi_thread")]
async fn a_hint_that_comes_back_too_often_poisons_no_job() {
    let (world, worker, id) = World::with_held_job().await;
    worker.stop().await;

    // The reply came another way, and its document is being set.
    let (tenant, store) = (Tenant::anonymous(), &world.store);
    let input = store.input(&tenant, id).await.unwrap();
    let reply = serde_json::to_vec(&worker::jobs::edit_offline(&input)).unwrap();
    store.put_reply(&tenant, id, reply.into()).await.unwrap();
    // So late that nobody waited for it any more.
    let (open, ..) = store.open_jobs(&tenant, None).await.unwrap();
    store.close(&tenant, &open[0]).await.unwrap();
    let held = store.read(&tenant, id).await.unwrap().unwrap();
    let moved = store.to_rendering(&held, None, CallOutcome::Replied).await;
    moved.unwrap();
    let response = world.model.stored()[0]["id"].as_str().unwrap().to_owned();
    world.webhook(&response).await;
    let queue = &store.storage().queue;
    for _ in 0..=world.config.worker.max_dequeues {
        let lease = Duration::from_mins(1);
        let got = queue.receive(QueueName::Jobs, 1, lease).await.unwrap();
        let back = queue.extend(QueueName::Jobs, &got[0].lease, Duration::ZERO, None);
        back.await.unwrap();
    }
    let worker = world.worker();
    let row = world.ended(id).await;
    assert_eq!(row.state, RowState::Succeeded, "{row:?}");
    world.queue_is_empty().await;
    worker.stop().await;
}

/// Messages and rows of a later version are left for a newer worker, and count as no failure.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_newer_version_wrote_is_left_alone() {
    let world = World::new(takes(5, Behaviour::reply()), |_| {});
    let storage = world.store.storage().clone();
    let newer_row = world.submit(1).await;
    let row = storage::names::row::job(newer_row);
    let tenant = Tenant::anonymous();
    let table = storage::names::TableName::Jobs;
    let read = storage
        .table
        .get(table, tenant.as_str(), &row)
        .await
        .unwrap();
    let mut properties = read.value.unwrap().properties;
    properties.insert("schema".to_owned(), 99.into());
    let write = storage::port::Write::Upsert(row.clone(), properties.clone());
    storage
        .table
        .write(table, tenant.as_str(), vec![write])
        .await
        .unwrap();
    let newer_message = r#"{"schema":99,"what":"nobody knows"}"#;
    let queue = &storage.queue;
    queue
        .send(QueueName::Jobs, newer_message, Duration::ZERO)
        .await
        .unwrap();

    let worker = world.worker();
    // Others are not held up, by the reconciler either.
    let other = world.submit(2).await;
    assert_eq!(world.ended(other).await.state, RowState::Succeeded);
    tokio::time::sleep(Duration::from_millis(500)).await;
    worker.stop().await;
    let after = storage
        .table
        .get(table, tenant.as_str(), &row)
        .await
        .unwrap();
    assert_eq!(after.value.unwrap().properties, properties);
    assert_eq!(queue.count(QueueName::JobsPoison).await.unwrap(), 0);
    assert_eq!(
        queue.count(QueueName::Jobs).await.unwrap(),
        2,
        "both wait for a newer worker"
    );
    assert!(JobMessage::from_body(newer_message).is_err());
}
