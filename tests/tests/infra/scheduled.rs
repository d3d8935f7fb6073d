//! What the scheduled jobs may do, by the roles that `storage.bicep` grants them, is what they need;
//! and what they cannot do, for want of a key of a model, they leave to others.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use config::Config;
use e2e::unique_cv;
use openai::fake::{Script, Server as Fake};
use schemas::job::JobInput;
use schemas::session::Session;
use schemas::{JobId, Tenant};
use serde_json::json;
use storage::fault::{self, Faults, Rates};
use storage::jobs::{JobStore, Submission};
use storage::names::{Container, QueueName, TableName, row};
use storage::port::Write;
use storage::sessions::SessionStore;
use storage::webhooks::WebhookStore;
use storage::{Clock, Operation, Storage};
use tokio_util::sync::CancellationToken;
use worker::{Press, Worker};

use crate::text::{list, read};

const DAY: Duration = Duration::from_hours(24);
/// The provider's id of a reply.
const COPY: &str = "resp_1";

/// A store, and what others left there for scheduled jobs to do.
struct Bench {
    store: fault::Bench,
    config: Config,
}

impl Bench {
    fn new() -> Self {
        Self {
            store: fault::Bench::new(),
            config: Config::for_tests(),
        }
    }

    fn jobs(&self, storage: Storage) -> JobStore {
        let (clock, entropy) = self.store.ambient();
        JobStore::new(storage, clock, entropy, &self.config.worker)
    }

    fn worker(&self, storage: Storage) -> Worker {
        Worker::new(
            self.jobs(storage),
            worker::editor(&self.config, false).unwrap(),
            Arc::new(Press::built_in().unwrap()),
            worker::Settings::new(&self.config),
            self.store.ambient(),
            CancellationToken::new(),
        )
    }

    async fn submit(&self) -> JobId {
        let cv = schemas::cv::normalise(&unique_cv(1)).unwrap().cv;
        let submission = Submission::new(Tenant::anonymous(), JobInput::of(cv));
        let submitted = self.jobs(self.store.plain.clone()).submit(submission).await;
        submitted.unwrap().row().id
    }

    async fn session(&self) {
        let (clock, entropy) = self.store.ambient();
        let lives = Duration::from_hours(self.config.cv.session_ttl_hours.into());
        let sessions =
            SessionStore::new(self.jobs(self.store.plain.clone()), clock, entropy, lives);
        let tenant = Tenant::anonymous();
        let created = sessions.create(&tenant, Session::new(), None);
        created.await.unwrap();
    }

    /// A job that is gone but for its tombstone.
    async fn purged(&self) -> JobId {
        let id = self.submit().await;
        let jobs = self.jobs(self.store.plain.clone());
        assert!(jobs.purge(&Tenant::anonymous(), id).await.unwrap());
        assert_eq!(self.tombstones().await, [None]);
        id
    }

    /// One whose reply the provider has a copy of.
    async fn purged_with_a_copy(&self) {
        let now = self.store.clock.now();
        let tombstone = json!({"due": now, "purged_at": now, "reply_id": COPY});
        let columns = tombstone.as_object().unwrap().clone();
        let write = Write::Upsert(row::tombstone(self.purged().await), columns);
        let (table, tenant) = (&self.store.plain.table, Tenant::anonymous());
        let written = table.write(TableName::Jobs, tenant.as_str(), vec![write]);
        written.await.unwrap();
    }

    /// The provider's copies that tombstones still name, `None` where they name none.
    async fn tombstones(&self) -> Vec<Option<String>> {
        let jobs = self.jobs(self.store.plain.clone());
        let (buried, ..) = jobs.tombstones(&Tenant::anonymous(), None).await.unwrap();
        let copies = buried.into_iter().map(|buried| buried.tombstone.reply_id);
        copies.collect()
    }
}

/// What a principal may do, as `(operation, whether)` of all operations there are.
fn permissions(principal: &str) -> Vec<(Operation, bool)> {
    let bicep = read("infra/bicep/modules/storage.bicep");
    let mut roles = BTreeSet::new();
    for line in bicep.lines().filter(|line| line.contains("role: '")) {
        if line.contains(&format!("principalId: {principal}PrincipalId")) {
            let text = |key: &str| {
                let (_, rest) = line.split_once(&format!("{key}: '"))?;
                rest.split('\'').next().map(str::to_owned)
            };
            let on = text("queue").or_else(|| text("container"));
            roles.insert((text("role").unwrap(), on));
        }
    }
    // The three that are granted the same in each container of tenants.
    if bicep.contains(&format!("resource {principal}Blobs ")) {
        for container in list(&bicep, "tenantContainers") {
            roles.insert(("Storage Blob Data Contributor".to_owned(), Some(container)));
        }
    }
    assert!(roles.len() > 2, "{principal}: {roles:?}");
    let has = |role: &str, on: &str| {
        let role = role.to_owned();
        roles.contains(&(role.clone(), None)) || roles.contains(&(role, Some(on.to_owned())))
    };
    let queues = QueueName::ALL.into_iter().flat_map(|queue| {
        let takes = has("Storage Queue Data Contributor", queue.as_str());
        let sends = takes || has("Storage Queue Data Message Sender", queue.as_str());
        let looks = takes || has("Storage Queue Data Reader", queue.as_str());
        [
            (Operation::Send(queue), sends),
            (Operation::Receive(queue), takes),
            (Operation::Peek(queue), looks),
            (Operation::Extend(queue), takes),
            (Operation::DeleteMessage(queue), takes),
            (Operation::Count(queue), looks),
        ]
    });
    let tables = TableName::ALL.into_iter().flat_map(|table| {
        let writes = has("Storage Table Data Contributor", table.as_str());
        let reads = writes || has("Storage Table Data Reader", table.as_str());
        [
            (Operation::GetEntity(table), reads),
            (Operation::Query(table), reads),
            (Operation::Write(table), writes),
        ]
    });
    let blobs = Container::ALL.into_iter().flat_map(|container| {
        let writes = has("Storage Blob Data Contributor", container.as_str());
        let reads = writes || has("Storage Blob Data Reader", container.as_str());
        [
            (Operation::PutBlob(container), writes),
            (Operation::GetBlob(container), reads),
            (Operation::GetRange(container), reads),
            (Operation::Append(container), writes),
            (Operation::Head(container), reads),
            (Operation::DeleteBlob(container), writes),
            (Operation::List(container), reads),
            (Operation::SignedUrl(container), false),
        ]
    });
    queues.chain(tables).chain(blobs).collect()
}

/// The store as this principal meets it.
fn as_principal(storage: Storage, principal: &str) -> (Storage, Arc<Faults>) {
    let faults = Faults::new(1);
    let always = Rates {
        refuse: 1.0,
        ..Rates::default()
    };
    for (operation, may) in permissions(principal) {
        if !may {
            faults.set(operation, always);
        }
    }
    (faults.over(storage), faults)
}

#[tokio::test]
async fn the_retention_may_do_all_that_it_has_to() {
    let bench = Bench::new();
    bench.session().await;
    bench.purged().await;
    bench.store.clock.pass(2 * DAY);
    let (storage, faults) = as_principal(bench.store.plain.clone(), "retention");
    let retained = bench.worker(storage).retain_once().await;
    assert_eq!(faults.history(), []);
    retained.unwrap();
    assert_eq!(bench.tombstones().await, []);
    // That a session has expired is told.
    let told = bench
        .store
        .plain
        .queue
        .count(QueueName::Notifications)
        .await;
    assert_eq!(told.unwrap(), 1);
}

#[tokio::test]
async fn a_part_of_the_retention_that_fails_leaves_the_others_alone() {
    let bench = Bench::new();
    bench.session().await;
    bench.purged().await;
    bench.store.clock.pass(2 * DAY);
    let faults = Faults::new(1);
    let always = Rates {
        refuse: 1.0,
        ..Rates::default()
    };
    faults.set(Operation::Send(QueueName::Notifications), always);
    let worker = bench.worker(faults.over(bench.store.plain.clone()));
    let failed = worker.retain_once().await.unwrap_err();
    let said = "not all that was due is removed: expired sessions";
    assert_eq!(failed.to_string(), said);
    assert_eq!(bench.tombstones().await, [], "jobs come after sessions");
}

#[tokio::test]
async fn the_reconciler_may_do_all_that_it_has_to() {
    let mut bench = Bench::new();
    bench.config.worker.idle_before_requeue = Duration::ZERO;
    bench.submit().await;
    bench.store.clock.pass(Duration::from_mins(10));
    let (storage, faults) = as_principal(bench.store.plain.clone(), "reconcile");
    let jobs = bench.jobs(storage.clone());
    let (clock, entropy) = bench.store.ambient();
    let webhooks = WebhookStore::new(jobs.clone(), clock, entropy, &bench.config.webhooks);
    let round = worker::reconciler::reconcile(&jobs, &webhooks).await;
    assert_eq!(faults.history(), []);
    assert_eq!(round.unwrap().requeued, 1);
    // It tells how long both queues are, and how old; see the alerts.
    for queue in [QueueName::Jobs, QueueName::Notifications] {
        storage.queue.count(queue).await.unwrap();
        storage.queue.peek(queue, 32).await.unwrap();
    }
}

#[tokio::test]
async fn what_needs_the_key_of_the_provider_waits_for_it_for_a_day() {
    let bench = Bench::new();
    bench.purged_with_a_copy().await;
    bench.store.clock.pass(Duration::from_mins(10));
    // Without a key nobody can delete that copy, and nobody says that it is gone.
    let offline = bench.worker(bench.store.plain.clone());
    offline.retain_once().await.unwrap();
    assert_eq!(bench.tombstones().await, [Some(COPY.to_owned())]);

    let model = Fake::start(([127, 0, 0, 1], 0).into(), Script::default()).unwrap();
    let mut with_key = Bench::new();
    with_key.config.model.editor = config::EditorChoice::OpenAi;
    with_key.config.model.base_url = Some(model.base_url());
    with_key.config.model.api_key = Some(config::Secret::new("sk-test"));
    with_key.purged_with_a_copy().await;
    with_key.store.clock.pass(Duration::from_mins(10));
    let worker = with_key.worker(with_key.store.plain.clone());
    worker.retain_once().await.unwrap();
    assert_eq!(with_key.tombstones().await, [None], "first the copy goes");

    bench.store.clock.pass(DAY);
    offline.retain_once().await.unwrap();
    assert_eq!(
        bench.tombstones().await,
        [],
        "the provider deletes it itself"
    );
}
