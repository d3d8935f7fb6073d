//! A write that takes effect after its answer was given up: what it needs is still there.
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use schemas::job::JobInput;
use schemas::session::Session;
use schemas::{JobId, Problem, ProblemKind, Tenant};
use storage::fault::Bench;
use storage::jobs::{Ending, IdempotencyKey, JobStore, Submission, SubmitError, Submitted};
use storage::names::{Container, TableName};
use storage::port::{Continuation, ETag, Entity, EntityPage, Read, Result, Write};
use storage::sessions::{SessionStore, UpdateError};
use storage::{Storage, StorageError, Table};

/// A table that can keep a write under way.
#[derive(Debug)]
struct Late {
    table: Arc<dyn Table>,
    /// The next write to this table is given no answer.
    next: Mutex<Option<TableName>>,
    under_way: Mutex<Option<(TableName, String, Vec<Write>)>>,
}

impl Late {
    fn hold_up(&self, table: TableName) {
        *self.next.lock().unwrap() = Some(table);
    }

    async fn land(&self) {
        let (table, partition, writes) = self.under_way.lock().unwrap().take().unwrap();
        self.table.write(table, &partition, writes).await.unwrap();
    }
}

#[async_trait]
impl Table for Late {
    async fn get(&self, table: TableName, part: &str, row: &str) -> Result<Read<Option<Entity>>> {
        self.table.get(table, part, row).await
    }

    async fn query(
        &self,
        table: TableName,
        partition: &str,
        rows: Range<&str>,
        max: usize,
        from: Option<&Continuation>,
    ) -> Result<Read<EntityPage>> {
        self.table.query(table, partition, rows, max, from).await
    }

    async fn write(
        &self,
        table: TableName,
        partition: &str,
        writes: Vec<Write>,
    ) -> Result<Vec<Option<ETag>>> {
        if self
            .next
            .lock()
            .unwrap()
            .take_if(|it| *it == table)
            .is_some()
        {
            *self.under_way.lock().unwrap() = Some((table, partition.to_owned(), writes));
            return Err(StorageError::unavailable("no answer in time"));
        }
        self.table.write(table, partition, writes).await
    }
}

struct World {
    late: Arc<Late>,
    bench: Bench,
    jobs: JobStore,
    sessions: SessionStore,
    tenant: Tenant,
}

impl World {
    fn new() -> Self {
        let bench = Bench::new();
        let (clock, entropy) = bench.ambient();
        let plain = bench.plain.clone();
        let late = Arc::new(Late {
            table: plain.table.clone(),
            next: Mutex::default(),
            under_way: Mutex::default(),
        });
        let storage = Storage {
            table: late.clone(),
            ..plain
        };
        let config = config::Config::default().worker;
        let jobs = JobStore::new(storage, clock.clone(), entropy.clone(), &config);
        let lives = Duration::from_hours(24);
        Self {
            sessions: SessionStore::new(jobs.clone(), clock, entropy, lives),
            late,
            bench,
            jobs,
            tenant: Tenant::from_claim("acme"),
        }
    }

    async fn submit(&self, key: &str) -> std::result::Result<Submitted, SubmitError> {
        let cv = serde_json::from_str(schemas::cv::SAMPLE).unwrap();
        let submission = Submission {
            idempotency: Some(IdempotencyKey {
                key_hash: key.to_owned(),
                body_hash: "body".to_owned(),
            }),
            ..Submission::new(
                self.tenant.clone(),
                JobInput::of(schemas::cv::normalise(&cv).unwrap().cv),
            )
        };
        self.jobs.submit(submission).await
    }

    async fn inputs(&self) -> usize {
        let blobs = &self.jobs.storage().blobs;
        let listed = blobs.list(Container::JobInputs, "", 1_000, None).await;
        listed.unwrap().blobs.len()
    }

    async fn read(&self, id: JobId) -> storage::jobs::Loaded {
        self.jobs.read(&self.tenant, id).await.unwrap().unwrap()
    }
}

#[tokio::test]
async fn a_job_that_comes_to_be_after_its_request_failed_has_its_input() {
    let world = World::new();
    world.late.hold_up(TableName::Jobs);
    assert!(world.submit("first").await.is_err());
    world.late.land().await;
    let again = world.submit("first").await.unwrap();
    assert!(matches!(again, Submitted::Replayed(_)), "{again:?}");
    let id = again.row().id;
    world.jobs.input(&world.tenant, id).await.unwrap();

    // The repeat was faster: the first request comes to nothing, and only then its input is nobody's.
    world.late.hold_up(TableName::Jobs);
    assert!(world.submit("second").await.is_err());
    assert_eq!(world.inputs().await, 2);
    let made = world.submit("second").await.unwrap();
    assert!(matches!(made, Submitted::Created(_)), "{made:?}");
    assert_eq!(world.inputs().await, 3);
    let hour = Duration::from_hours(1);
    world.bench.clock.pass(2 * hour);
    let before = storage::Clock::now(&*world.bench.clock) - hour;
    assert_eq!(world.jobs.drop_orphans(before).await.unwrap(), 1);
    for row in [again.row(), made.row()] {
        world.jobs.input(&world.tenant, row.id).await.unwrap();
    }
}

#[tokio::test]
async fn a_session_that_changes_after_its_request_failed_has_its_content() {
    let world = World::new();
    let large = |mut session: Session| {
        session.unplaced = vec!["Lorem ipsum. ".repeat(8_000)];
        session
    };
    let session = large(Session::new());
    let made = world.sessions.create(&world.tenant, session, None).await;
    let id = made.unwrap().id;
    world.late.hold_up(TableName::Sessions);
    let changed = world
        .sessions
        .update(&world.tenant, id, None, |session, _| {
            session.unplaced.push("more".to_owned());
            Ok::<_, ()>(())
        });
    let failed = changed.await.unwrap_err();
    assert!(matches!(failed, UpdateError::Storage(_)), "{failed:?}");
    world.late.land().await;
    let read = world.sessions.read(&world.tenant, id).await.unwrap();
    let read = read.unwrap();
    assert_eq!((read.version, read.session.unplaced.len()), (2, 2));
}

#[tokio::test]
async fn a_job_that_is_opened_again_has_its_time_anew() {
    let world = World::new();
    let id = world.submit("first").await.unwrap().row().id;
    let since = |world: &World| storage::Clock::now(&*world.bench.clock);
    let submitted = since(&world);
    assert_eq!(world.read(id).await.row.waits_since(), submitted);
    world.bench.clock.pass(Duration::from_hours(30));

    let failed = Ending::Failed(Problem::new(ProblemKind::Poison, "x".repeat(100_000)));
    let failed = world.jobs.finish(&world.read(id).await, failed, None).await;
    assert!(failed.unwrap().row.error.unwrap().detail.len() < 5_000);
    world
        .jobs
        .reopen(&world.read(id).await, false)
        .await
        .unwrap();
    assert_eq!(world.read(id).await.row.waits_since(), since(&world));

    world.bench.clock.pass(Duration::from_hours(30));
    let held = Problem::new(ProblemKind::OutcomeUnknown, "held");
    let held = Ending::OutcomeUnknown(held, None);
    let held = world.jobs.finish(&world.read(id).await, held, None).await;
    assert_eq!(
        held.unwrap().row.waits_since(),
        since(&world) - Duration::from_hours(30)
    );
    world.jobs.consent(&world.tenant, id).await.unwrap();
    assert_eq!(world.read(id).await.row.waits_since(), since(&world));
}
