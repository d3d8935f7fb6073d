//! Rows and inputs that cannot be read: each keeps nothing else from its way, and says nothing of
//! what stands in it.

use std::error::Error;

use schemas::job::JobInput;
use serde_json::{Value, json};

use super::*;
use crate::ambient::System;
use crate::embedded::Store;

struct World {
    store: JobStore,
    tenant: Tenant,
    _dir: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let system = Arc::new(System::new());
        let embedded = Store::open(dir.path(), system.clone(), system.clone()).unwrap();
        let settings = config::Config::for_tests().worker;
        Self {
            store: JobStore::new(embedded.storage(), system.clone(), system, &settings),
            tenant: Tenant::from_claim("acme"),
            _dir: dir,
        }
    }

    async fn submit(&self, key: Option<&str>) -> JobId {
        let idempotency = key.map(|key| IdempotencyKey {
            key_hash: key.to_owned(),
            body_hash: "b".to_owned(),
        });
        let submission = Submission {
            idempotency,
            ..Submission::new(self.tenant.clone(), input())
        };
        self.store.submit(submission).await.unwrap().row().id
    }

    async fn overwrite(&self, row: String, columns: Value) {
        let columns = columns.as_object().unwrap().clone();
        let (table, tenant) = (&self.store.storage.table, self.tenant.as_str());
        let write = vec![Write::Upsert(row, columns)];
        table.write(TableName::Jobs, tenant, write).await.unwrap();
    }
}

fn input() -> JobInput {
    let cv = serde_json::from_str(schemas::cv::SAMPLE).unwrap();
    JobInput::of(schemas::cv::normalise(&cv).unwrap().cv)
}

fn chain(error: &StorageError) -> String {
    let causes = std::iter::successors(Some(error as &dyn Error), |&error| error.source());
    let said = causes.map(|error| format!("{error} {error:?}"));
    said.collect::<Vec<_>>().join(" ")
}

#[test]
fn an_input_that_cannot_be_read_is_not_quoted() {
    // A value of every kind that a parser names.
    const VALUES: [&str; 3] = ["Jane", "4711", "true"];
    let check = |path: &str, value: Value| {
        let mut json = serde_json::to_value(input()).unwrap();
        *json.pointer_mut(path).unwrap() = value;
        let bytes = serde_json::to_vec(&json).unwrap();
        let error = JobStore::read_input(&bytes).unwrap_err();
        assert!(UnreadableRow::of(&error).is_some(), "{path}: {error:?}");
        let said = chain(&error);
        for value in VALUES {
            assert!(!said.contains(value), "{path}: {said}");
        }
    };
    check("/kind", json!("Jane"));
    check("/kind", json!("a ` b \" Jane ` \" c"));
    check("/kind", json!({ "Jane": 1 }));
    check("/cv/full_name", json!(4711));
    check("/cv/full_name", json!(true));
    check("/cv/work_experience", json!("Jane \"J\" Doe"));
    check("/options", json!("Jane"));
    // What is ours is said.
    let error = JobStore::read_input(b"{}").unwrap_err();
    assert!(chain(&error).contains("missing field `kind`"), "{error:?}");
    let error = JobStore::read_input(br#"{"kind": "cv", "cv": {"full_name": "Jane"#).unwrap_err();
    assert!(!chain(&error).contains("Jane"), "{error:?}");
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_list_leaves_out_what_cannot_be_read() {
    let world = World::new();
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(world.submit(None).await);
    }
    let damaged = json!({ "schema": 1, "state": "Jane" });
    world.overwrite(key::job(ids[4]), damaged).await;
    // As a row of this version it would be read, and be wrong.
    let read = world.store.read(&world.tenant, ids[2]).await;
    let mut newer = row::encode(&read.unwrap().unwrap().row).unwrap();
    newer.insert("schema".to_owned(), json!(ROW_SCHEMA + 1));
    world.overwrite(key::job(ids[2]), newer.into()).await;

    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(move || writer.clone())
        .finish();
    // For this thread, which runs all of this test.
    let logging = tracing::subscriber::set_default(subscriber);
    let (mut listed, mut after) = (Vec::new(), None);
    loop {
        let filter = JobFilter::default();
        let page = world
            .store
            .list(&world.tenant, &filter, 1, after.as_deref());
        let page = page.await.unwrap().unwrap();
        listed.extend(page.jobs.iter().map(|job| job.id));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    drop(logging);
    assert_eq!(listed, [ids[3], ids[1], ids[0]]);
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert_eq!(log.matches("row.passed_over").count(), 2, "{log}");
    for id in [ids[4], ids[2]] {
        assert!(log.contains(&key::job(id)), "{log}");
    }
    assert!(log.contains("acme") && !log.contains("Jane"), "{log}");

    // Its owner can delete it.
    assert!(world.store.purge(&world.tenant, ids[4]).await.unwrap());
    let gone = world.store.read(&world.tenant, ids[4]).await.unwrap();
    assert!(gone.is_none());
}

#[tokio::test]
async fn a_key_or_latch_that_cannot_be_read_keeps_no_job_from_going() {
    let world = World::new();
    let id = world.submit(Some("k")).await;
    let loaded = world.store.read(&world.tenant, id).await.unwrap().unwrap();
    let latch = Latch {
        token: Token([7; 16]),
        deadline: loaded.date,
        editor: Editor::Model,
        model: None,
        background: false,
        content: Some(("c".to_owned(), None)),
        after_ambiguous: false,
    };
    world.store.latch(&loaded, latch).await.unwrap();
    let damaged = json!({ "job_id": 7 });
    for row in [key::idempotency("k"), key::content_latch("c")] {
        world.overwrite(row, damaged.clone()).await;
    }
    assert!(world.store.purge(&world.tenant, id).await.unwrap());
    let gone = world.store.read(&world.tenant, id).await.unwrap();
    assert!(gone.is_none());
}
