//! What a job costs in storage operations, and what the worker's rounds cost while nothing is to do.
//!
//! The totals are exact: whoever changes them sees it here.

#![allow(
    clippy::unwrap_used,
    reason = "a test may fail at once, in its helpers too"
)]

mod counted;

use std::sync::Arc;
use std::time::Duration;

use api_shim::App;
use config::Config;
use counted::{Clockwork, Counter, PARTS, counted};
use e2e::{eventually, unique_cv};
use openai::fake::{Script, Server as Fake};
use schemas::job::JobInput;
use schemas::{JobId, Tenant};
use serde_json::json;
use storage::ambient::System;
use storage::embedded::Store;
use storage::jobs::{JobStore, Submission};
use storage::names::{QueueName, TableName, row};
use storage::port::Write;
use storage::webhooks::WebhookStore;
use storage::{Clock, Entropy, Storage};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use worker::{Press, Worker};

/// Calls in each part of the way of a job that is alone: nobody has webhooks, and nothing that was
/// remembered of its tenant is fresh. A table of these columns is what [`Counter::table`] makes.
const ORDINARY: &str = "
     0      1      0      0      1 delete message jobs
     0      0      1      0      1 delete message notifications
     0      0      0      1      1 get blob cv-pdfs
     0      1      0      0      1 get blob job-inputs
     0      2      1      2      5 get entity jobs
     0      1      0      0      1 put blob cv-pdfs
     0      3      0      0      3 put blob job-documents
     1      0      0      0      1 put blob job-inputs
     0      1      0      0      1 put blob model-replies
     1      1      1      0      3 query webhooks
     0      1      0      0      1 receive jobs
     0      0      1      0      1 receive notifications
     1      0      0      0      1 send jobs
     0      1      0      0      1 send notifications
     1      3      1      0      5 write jobs (transaction)
     4     15      5      3     27 all
";

/// A front and a worker over one store, as in a split deployment, with all calls counted.
struct Split {
    url: String,
    counter: Arc<Counter>,
    clock: Arc<Clockwork>,
    /// The store itself, uncounted.
    sees: JobStore,
    shutdown: CancellationToken,
    worker: tokio::task::JoinHandle<()>,
    _model: Fake,
    _dir: tempfile::TempDir,
}

fn config(dir: &tempfile::TempDir, model: &Fake) -> Config {
    let mut config = Config::for_tests();
    config.storage.data_dir = dir.path().into();
    config.model.editor = config::EditorChoice::OpenAi;
    config.model.base_url = Some(model.base_url());
    config.model.background = config::Background::Off;
    config.model.api_key = Some(config::Secret::new("sk-test"));
    // A slow machine must not make a heartbeat or a round of the reconciler.
    config.model.timeout = Duration::from_secs(30);
    config.worker.latch_freshness = Duration::from_secs(30);
    config.worker.visibility = Duration::from_mins(5);
    config.worker.heartbeat = Duration::from_mins(2);
    config.worker.reconcile_every = Duration::from_hours(1);
    config
}

impl Split {
    async fn start() -> Self {
        let model = Fake::start(([127, 0, 0, 1], 0).into(), Script::default()).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let config = config(&dir, &model);
        let system = Arc::new(System::new());
        let store = Store::open(dir.path(), system.clone(), system.clone()).unwrap();
        let counter = Arc::new(Counter::default());
        let storage = counted(store.storage(), &counter);
        let clock = Arc::new(Clockwork::new());
        let ambient: (Arc<dyn Clock>, Arc<dyn Entropy>) = (clock.clone(), system);
        let jobs = |storage| {
            let (clock, entropy) = ambient.clone();
            JobStore::new(storage, clock, entropy, &config.worker)
        };
        let shutdown = CancellationToken::new();
        let worker = Worker::new(
            jobs(storage.clone()),
            worker::editor(&config, false).unwrap(),
            Arc::new(Press::built_in().unwrap()),
            worker::Settings::new(&config),
            ambient.clone(),
            shutdown.clone(),
        );
        let worker = tokio::spawn(worker.run());
        let settings = api_shim::Settings::new(&config).unwrap();
        let app = App::new(
            jobs(storage),
            ambient.0.clone(),
            ambient.1.clone(),
            settings,
        );
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(api_shim::serve(
            listener,
            app,
            shutdown.clone(),
            Duration::from_secs(2),
        ));
        Self {
            url,
            counter,
            clock,
            sees: jobs(store.storage()),
            shutdown,
            worker,
            _model: model,
            _dir: dir,
        }
    }

    async fn submit(&self, number: u64) -> JobId {
        let body = json!({ "kind": "cv", "input": { "cv": unique_cv(number) } });
        let http = reqwest::Client::new();
        let answer = http
            .post(format!("{}/v1/jobs", self.url))
            .json(&body)
            .send();
        let answer = answer.await.unwrap();
        assert_eq!(answer.status(), 202);
        let job: serde_json::Value = answer.json().await.unwrap();
        job["id"].as_str().unwrap().parse().unwrap()
    }

    async fn get(&self, path: &str) {
        let answer = reqwest::get(format!("{}{path}", self.url)).await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
    }

    /// Until no message is left on a queue, and nothing happens any more.
    async fn settled(&self, queue: QueueName) {
        let queues = &self.sees.storage().queue;
        let left = async || queues.count(queue).await.unwrap();
        eventually("no message is left", left, |left| *left == 0).await;
        self.quiet().await;
    }

    async fn quiet(&self) {
        let counted = async || {
            let before = self.counter.total();
            tokio::time::sleep(Duration::from_millis(750)).await;
            (before, self.counter.total())
        };
        eventually("all is quiet", counted, |(before, now)| before == now).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operations_of_one_job() {
    let system = Split::start().await;
    let counter = &system.counter;
    counter.open_all();
    system.submit(0).await;
    system.settled(QueueName::Jobs).await;
    system.settled(QueueName::Notifications).await;

    system.clock.set_on(60);
    counter.begin();
    let id = system.submit(1).await;
    system.quiet().await;
    counter.next(Some(QueueName::Jobs));
    system.settled(QueueName::Jobs).await;
    counter.next(Some(QueueName::Notifications));
    system.settled(QueueName::Notifications).await;
    counter.next(None);
    system.get(&format!("/v1/jobs/{id}")).await;
    system.get(&format!("/v1/jobs/{id}/result")).await;

    let found = format!("\n{}", counter.table());
    println!("{PARTS:?}, all:{found}");
    assert_eq!(found, ORDINARY);
    let (open, ..) = system
        .sees
        .open_jobs(&Tenant::anonymous(), None)
        .await
        .unwrap();
    assert_eq!(open.len(), 0, "its end was told");
    system.shutdown.cancel();
    system.worker.await.unwrap();
}

/// Tenants of the rounds.
const TENANTS: usize = 20;
const FINISHED: usize = 10_000;
const OPEN: usize = 50;

struct Rounds {
    counter: Arc<Counter>,
    jobs: JobStore,
    raw: Storage,
    worker: Worker,
    _model: Fake,
    _dir: tempfile::TempDir,
}

impl Rounds {
    /// `OPEN` jobs, all of which are due, over all tenants.
    async fn start() -> Self {
        let model = Fake::start(([127, 0, 0, 1], 0).into(), Script::default()).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let mut config = config(&dir, &model);
        config.worker.idle_before_requeue = Duration::ZERO;
        // A lease of one round must not keep the next one out.
        config.worker.reconcile_every = Duration::from_millis(1);
        let system = Arc::new(System::new());
        let store = Store::open(dir.path(), system.clone(), system.clone()).unwrap();
        let raw = store.storage();
        let counter = Arc::new(Counter::default());
        let storage = counted(raw.clone(), &counter);
        let jobs = JobStore::new(storage, system.clone(), system.clone(), &config.worker);
        let worker = Worker::new(
            jobs.clone(),
            worker::editor(&config, false).unwrap(),
            Arc::new(Press::built_in().unwrap()),
            worker::Settings::new(&config),
            (Arc::new(Clockwork::new()), system),
            CancellationToken::new(),
        );
        for number in 0..OPEN {
            jobs.submit(submission(number)).await.unwrap();
        }
        Self {
            counter,
            jobs,
            raw,
            worker,
            _model: model,
            _dir: dir,
        }
    }

    /// Rows of jobs that have ended: like those of the first one, but older.
    async fn add_finished(&self) {
        let (open, ..) = self.jobs.open_jobs(&tenant(0), None).await.unwrap();
        let (table, name) = (&self.raw.table, TableName::Jobs);
        let at = row::job(open[0].id);
        let read = table.get(name, tenant(0).as_str(), &at).await.unwrap();
        let mut like = read.value.unwrap().properties;
        like.insert("state".to_owned(), json!("succeeded"));
        like.insert("notified_version".to_owned(), like["version"].clone());
        for number in 0..TENANTS {
            let tenant = tenant(number);
            like.insert("tenant".to_owned(), json!(tenant));
            for hundred in 0..FINISHED / TENANTS / 100 {
                let writes = (0..100).map(|n| {
                    let millis = i64::try_from(1_000 * hundred + n).unwrap();
                    let time = jiff::Timestamp::from_millisecond(1_700_000_000_000 + millis);
                    let id = JobId::new(time.unwrap(), [7; 10]);
                    let mut columns = like.clone();
                    columns.insert("id".to_owned(), json!(id));
                    Write::Insert(row::job(id), columns)
                });
                table
                    .write(name, tenant.as_str(), writes.collect())
                    .await
                    .unwrap();
            }
        }
    }

    /// Calls and entities read of one round of the reconciler.
    async fn reconcile(&self) -> (u64, usize) {
        let system = Arc::new(System::new());
        let settings = Config::for_tests().webhooks;
        let webhooks = WebhookStore::new(self.jobs.clone(), system.clone(), system, &settings);
        self.counter.begin();
        let round = worker::reconciler::reconcile(&self.jobs, &webhooks)
            .await
            .unwrap();
        println!("reconcile: {round:?}\n{}", self.counter.table());
        (self.counter.total(), self.counter.entities())
    }

    /// The same of one round of the retention.
    async fn retain(&self) -> (u64, usize) {
        tokio::time::sleep(Duration::from_millis(20)).await;
        self.counter.begin();
        self.worker.retain_once().await.unwrap();
        println!("retention:\n{}", self.counter.table());
        (self.counter.total(), self.counter.entities())
    }
}

fn tenant(number: usize) -> Tenant {
    Tenant::from_claim(&format!("t{}", number % TENANTS))
}

fn submission(number: usize) -> Submission {
    let cv = schemas::cv::normalise(&unique_cv(number as u64))
        .unwrap()
        .cv;
    Submission::new(tenant(number), JobInput::of(cv))
}

#[tokio::test]
async fn rounds_cost_what_is_open_and_not_what_has_ended() {
    let rounds = Rounds::start().await;
    // One query for the tenants, two for each, and for each job that is due a look, a message and
    // a new due time. Read are the tenants and the markers.
    let due = (1 + 2 * TENANTS + 3 * OPEN) as u64;
    let with_due = (due, TENANTS + OPEN);
    assert_eq!(rounds.reconcile().await, with_due);
    // Lease, open erasures, tenants, tombstones of each, and what is due once a day: all of it
    // is done the first time.
    rounds.retain().await;
    let idle = ((2 + 1 + 1 + TENANTS + 3) as u64, TENANTS);
    assert_eq!(rounds.retain().await, idle);
    rounds.add_finished().await;
    assert_eq!(rounds.reconcile().await, with_due);
    assert_eq!(rounds.retain().await, idle);
}
