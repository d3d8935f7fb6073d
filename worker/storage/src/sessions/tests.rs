//! Sessions on the embedded store, with a clock that the tests move.

use std::convert::Infallible;

use schemas::JobId;
use serde_json::json;

use super::*;
use crate::fault::Bench;
use crate::port::BlobPage;

struct Fixture {
    store: SessionStore,
    bench: Bench,
}

const LIVES: Duration = Duration::from_hours(24);
const ALMOST: Duration = Duration::from_secs(24 * 60 * 60 - 1);

fn fixture() -> Fixture {
    let bench = Bench::new();
    let (clock, entropy) = bench.ambient();
    let storage = bench.plain.clone();
    let worker = config::Config::default().worker;
    let jobs = JobStore::new(storage, clock.clone(), entropy.clone(), &worker);
    let store = SessionStore::new(jobs, clock, entropy, LIVES);
    Fixture { store, bench }
}

impl Fixture {
    /// Rows of the tenant's partition, and blobs.
    async fn left(&self) -> (Vec<String>, usize) {
        let storage = self.store.jobs.storage();
        let all = "!".."\u{7f}";
        let read = storage
            .table
            .query(TableName::Sessions, "acme", all, 1_000, None);
        let rows = read
            .await
            .unwrap()
            .value
            .entities
            .into_iter()
            .map(|e| e.row)
            .collect();
        let mut blobs = 0;
        for container in [Container::CvSessions, Container::CvPhotos] {
            let page: BlobPage = storage
                .blobs
                .list(container, "acme/", 1_000, None)
                .await
                .unwrap();
            blobs += page.blobs.len();
        }
        (rows, blobs)
    }

    async fn blobs(&self) -> usize {
        self.left().await.1
    }
}

fn tenant() -> Tenant {
    Tenant::from_claim("acme")
}

fn photo(byte: u8) -> Photo {
    Photo {
        format: PhotoFormat::Jpeg,
        bytes: vec![0xff, 0xd8, 0xff, byte],
    }
}

fn large() -> Session {
    let mut session = Session::new();
    session.job_posting_text = Some("ż".repeat(40_000));
    session
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of a change")]
fn keep(session: &mut Session, _: Timestamp) -> std::result::Result<(), Infallible> {
    session.unplaced.push("x".to_owned());
    Ok(())
}

#[tokio::test]
async fn what_was_stored_is_read_back_small_or_large() {
    let f = fixture();
    let mut near = Session::new();
    // Two columns, cut within a character.
    near.job_posting_text = Some(format!("a{}", "ż".repeat(20_000)));
    for (session, blobs) in [(Session::new(), 0), (near, 0), (large(), 1)] {
        let made = f
            .store
            .create(&tenant(), session.clone(), None)
            .await
            .unwrap();
        let read = f.store.read(&tenant(), made.id).await.unwrap().unwrap();
        assert_eq!((read.session, read.version), (session, 1));
        assert_eq!(f.blobs().await, blobs);
    }
    let other = Tenant::from_claim("other");
    let made = f
        .store
        .create(&tenant(), Session::new(), None)
        .await
        .unwrap();
    assert!(f.store.read(&other, made.id).await.unwrap().is_none());
}

#[tokio::test]
async fn two_writers_at_once_lose_no_edit() {
    let f = fixture();
    let made = f
        .store
        .create(&tenant(), large(), Some(&photo(1)))
        .await
        .unwrap();
    let mut writers = tokio::task::JoinSet::new();
    for number in 0..24 {
        let (store, id) = (f.store.clone(), made.id);
        writers.spawn(async move {
            let change = |session: &mut Session, _| {
                session.unplaced.push(number.to_string());
                Ok::<_, Infallible>(())
            };
            store.update(&tenant(), id, None, change).await.unwrap();
        });
    }
    writers.join_all().await;
    let read = f.store.read(&tenant(), made.id).await.unwrap().unwrap();
    let mut written = read.session.unplaced.clone();
    written.sort();
    written.dedup();
    assert_eq!((written.len(), read.version), (24, 25));
    assert_eq!(f.blobs().await, 2, "the photo, and the content that counts");
}

#[tokio::test]
async fn an_expected_version_is_held_or_named() {
    let f = fixture();
    let made = f
        .store
        .create(&tenant(), Session::new(), None)
        .await
        .unwrap();
    let (now, ()) = f
        .store
        .update(&tenant(), made.id, Some(1), keep)
        .await
        .unwrap();
    assert_eq!(now.version, 2);
    let late = f.store.update(&tenant(), made.id, Some(1), keep).await;
    assert!(
        matches!(late, Err(UpdateError::Conflict { current: 2 })),
        "{late:?}"
    );
    let refused = f
        .store
        .update(&tenant(), made.id, None, |_, _| Err::<(), _>("no"))
        .await;
    assert!(
        matches!(refused, Err(UpdateError::Refused("no"))),
        "{refused:?}"
    );
    let read = f.store.read(&tenant(), made.id).await.unwrap().unwrap();
    assert_eq!((read.version, read.session.unplaced.len()), (2, 1));
}

#[tokio::test]
async fn only_the_version_that_is_named_is_deleted() {
    let f = fixture();
    let made = f.store.create(&tenant(), Session::new(), None).await;
    let id = made.unwrap().id;
    f.store.update(&tenant(), id, None, keep).await.unwrap();
    let late = f.store.delete_version(&tenant(), id, 1).await;
    let conflict = UpdateError::<()>::Conflict { current: 2 };
    assert_eq!(late.unwrap_err().to_string(), conflict.to_string());
    f.store.delete_version(&tenant(), id, 2).await.unwrap();
    assert!(f.store.read(&tenant(), id).await.unwrap().is_none());
    let again = f.store.delete_version(&tenant(), id, 2).await;
    assert!(matches!(again, Err(UpdateError::Gone)), "{again:?}");
}

#[tokio::test]
async fn a_session_is_gone_the_moment_it_expires_and_each_change_gives_it_time() {
    let f = fixture();
    let made = f
        .store
        .create(&tenant(), Session::new(), None)
        .await
        .unwrap();
    f.bench.clock.pass(ALMOST);
    let (changed, ()) = f
        .store
        .update(&tenant(), made.id, None, keep)
        .await
        .unwrap();
    assert_eq!(changed.expires_at, f.bench.clock.now() + LIVES);
    f.bench.clock.pass(ALMOST);
    assert!(f.store.read(&tenant(), made.id).await.unwrap().is_some());
    f.bench.clock.pass(Duration::from_secs(1));
    assert!(f.store.read(&tenant(), made.id).await.unwrap().is_none());
    let late = f.store.update(&tenant(), made.id, None, keep).await;
    assert!(matches!(late, Err(UpdateError::Gone)), "{late:?}");
}

#[tokio::test]
async fn a_new_photo_takes_the_place_of_the_old_one() {
    let f = fixture();
    let made = f
        .store
        .create(&tenant(), Session::new(), Some(&photo(1)))
        .await
        .unwrap();
    let new = f
        .store
        .put_photo(&tenant(), made.id, &photo(2))
        .await
        .unwrap();
    let change = |session: &mut Session, _| {
        session.photo = Some(new.clone());
        Ok::<_, Infallible>(())
    };
    let (changed, ()) = f
        .store
        .update(&tenant(), made.id, None, change)
        .await
        .unwrap();
    let stored = changed.session.photo.unwrap();
    assert_eq!(f.store.photo(&stored).await.unwrap().unwrap()[3], 2);
    assert_eq!(
        f.store.photo(&made.session.photo.unwrap()).await.unwrap(),
        None
    );
    assert_eq!(f.blobs().await, 1);
}

fn generation(f: &Fixture, byte: u8) -> Generation {
    Generation {
        job_id: JobId::new(f.bench.clock.now(), [byte; 10]),
        at: f.bench.clock.now(),
        request: "r".to_owned(),
        wording: "w".to_owned(),
        sources: [(schemas::cv::Section::Rest, "0".to_owned())].into(),
    }
}

#[tokio::test]
async fn generations_are_read_newest_first() {
    let f = fixture();
    for byte in 1..=3 {
        f.store
            .remember(&tenant(), "group", &generation(&f, byte))
            .await
            .unwrap();
        f.bench.clock.pass(Duration::from_secs(1));
    }
    let found = f.store.generations(&tenant(), "group", 2).await.unwrap();
    assert_eq!(found.len(), 2);
    assert!(found[0].at > found[1].at);
    assert_eq!(f.store.generations(&tenant(), "grou", 9).await.unwrap(), []);

    // One that cannot be read keeps no other from being found.
    let at = key::generation("group", found[0].job_id);
    let write = Write::Upsert(at, crate::port::Properties::new());
    f.store.write(&tenant(), vec![write]).await.unwrap();
    let readable = f.store.generations(&tenant(), "group", 9).await.unwrap();
    assert_eq!(readable.len(), 2);
    assert_eq!(readable[0], found[1]);
}

#[tokio::test]
async fn deleting_leaves_nothing() {
    let f = fixture();
    let made = f
        .store
        .create(&tenant(), large(), Some(&photo(1)))
        .await
        .unwrap();
    let group = made.id.to_string();
    f.store
        .remember(&tenant(), &group, &generation(&f, 1))
        .await
        .unwrap();
    assert!(f.store.delete(&tenant(), made.id).await.unwrap());
    assert_eq!(f.left().await, (Vec::new(), 0));
    assert!(!f.store.delete(&tenant(), made.id).await.unwrap());
}

#[tokio::test]
async fn a_sweep_removes_what_has_expired_and_nothing_else() {
    let f = fixture();
    let old = f
        .store
        .create(&tenant(), large(), Some(&photo(1)))
        .await
        .unwrap();
    let live = f
        .store
        .create(&tenant(), large(), Some(&photo(2)))
        .await
        .unwrap();
    for group in [
        old.id.to_string(),
        live.id.to_string(),
        "content".to_owned(),
    ] {
        f.store
            .remember(&tenant(), &group, &generation(&f, 1))
            .await
            .unwrap();
    }
    let stray = session_blob(&tenant(), old.id, "stray");
    f.store
        .put(Container::CvSessions, &stray, Bytes::new(), "a/b")
        .await
        .unwrap();
    f.bench.clock.pass(LIVES / 2);
    f.store
        .update(&tenant(), live.id, None, keep)
        .await
        .unwrap();
    assert_eq!(
        f.store.sweep(&tenant()).await.unwrap(),
        Swept {
            blobs: 1,
            ..Swept::default()
        }
    );
    f.bench.clock.pass(LIVES / 2);
    let swept = f.store.sweep(&tenant()).await.unwrap();
    assert_eq!(
        swept,
        Swept {
            sessions: 1,
            lived: LIVES,
            blobs: 0
        }
    );
    let (rows, blobs) = f.left().await;
    assert_eq!((rows.len(), blobs), (3, 2), "{rows:?}");
    assert!(f.store.read(&tenant(), live.id).await.unwrap().is_some());
    f.bench.clock.pass(LIVES);
    assert_eq!(
        f.store.sweep(&tenant()).await.unwrap().sessions,
        1,
        "the row that leads there was moved on"
    );
    assert_eq!(f.left().await, (Vec::new(), 0));
}

#[tokio::test]
async fn the_daily_sweep_is_done_once_a_day() {
    let f = fixture();
    let at = Duration::from_hours(3);
    assert!(f.store.sweep_if_due(at).await.unwrap().is_some());
    assert!(f.store.sweep_if_due(at).await.unwrap().is_none());
    f.bench.clock.pass(Duration::from_hours(16));
    assert!(f.store.sweep_if_due(at).await.unwrap().is_none());
    f.bench.clock.pass(Duration::from_hours(2));
    assert!(f.store.sweep_if_due(at).await.unwrap().is_some());
    let schedule =
        f.store
            .jobs
            .storage()
            .table
            .get(TableName::Tenants, "schedules", "session-sweep");
    assert!(schedule.await.unwrap().value.unwrap().properties["done"] != json!(null));
}
