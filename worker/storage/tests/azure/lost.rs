//! Lost acknowledgements: each write of each port with its answer lost, refused, or refused though
//! it was done. What a caller is told must be true.

use std::time::Duration;

use bytes::Bytes;
use serde_json::json;
use storage::Storage;
use storage::azurite::Azurite;
use storage::names::{Container, QueueName, TableName};
use storage::port::{
    Blobs, ETag, Lease, Metadata, Properties, PutMode, Queue, StorageError, Table, Write,
};

use crate::proxy::{Fault, Proxy};
use crate::{by_key, connect, unique};

const QUEUE: QueueName = QueueName::Jobs;
const JOBS: TableName = TableName::Jobs;
const PDFS: Container = Container::CvPdfs;
const ZERO: Duration = Duration::ZERO;
const SHORT: Duration = Duration::from_secs(1);
const LONG: Duration = Duration::from_mins(2);

/// Azurite, and two ways to it: one through the proxy, one sure.
struct Bench {
    proxy: Proxy,
    through: Storage,
    sure: Storage,
    _azurite: Azurite,
}

impl Bench {
    /// With all queues, tables and containers made, so that no request does it on its way.
    async fn new(timeout: Duration) -> Self {
        let azurite = Azurite::start();
        let proxy = Proxy::to(azurite.ports()).await;
        let (through, sure) = (
            connect(&by_key(proxy.ports, timeout)),
            connect(&azurite.settings()),
        );
        sure.queue.count(QUEUE).await.unwrap();
        sure.table.get(JOBS, "p", "r").await.unwrap();
        let _ = sure.blobs.head(PDFS, "x").await;
        Self {
            proxy,
            through,
            sure,
            _azurite: azurite,
        }
    }

    fn queue(&self) -> &dyn Queue {
        &*self.through.queue
    }

    fn table(&self) -> &dyn Table {
        &*self.through.table
    }

    fn blobs(&self) -> &dyn Blobs {
        &*self.through.blobs
    }

    async fn write(&self, writes: Vec<Write>) -> storage::port::Result<Vec<Option<ETag>>> {
        self.table().write(JOBS, "p", writes).await
    }

    /// Writes past the proxy; gives the first version.
    async fn surely(&self, write: Write) -> ETag {
        self.sure
            .table
            .write(JOBS, "p", vec![write])
            .await
            .unwrap()
            .remove(0)
            .unwrap()
    }

    /// The column `n` of a row, past the proxy.
    async fn column(&self, row: &str) -> Option<i64> {
        let entity = self.sure.table.get(JOBS, "p", row).await.unwrap().value?;
        entity.properties["n"].as_i64()
    }

    async fn message(&self, body: &str) -> Lease {
        self.sure.queue.send(QUEUE, body, ZERO).await.unwrap();
        self.sure
            .queue
            .receive(QUEUE, 1, LONG)
            .await
            .unwrap()
            .remove(0)
            .lease
    }

    async fn content(&self, path: &str) -> Option<Bytes> {
        self.sure
            .blobs
            .get(PDFS, path)
            .await
            .ok()
            .map(|blob| blob.data)
    }
}

fn number(n: i64) -> Properties {
    [("n".to_owned(), json!(n))].into_iter().collect()
}

fn is_unknown<T>(result: &storage::port::Result<T>) -> bool {
    matches!(result, Err(StorageError::Unavailable(_)))
}

#[tokio::test]
async fn sent_messages() {
    let bench = Bench::new(LONG).await;
    let send = "POST /jobs/messages";
    for (fault, expect) in [
        (Fault::LoseAnswer, 2),
        (Fault::DoneButFailed, 2),
        (Fault::DoneButBusy, 2),
        (Fault::Drop, 1),
        (Fault::Busy, 1),
    ] {
        bench.proxy.next(send, fault);
        bench.queue().send(QUEUE, "a", ZERO).await.unwrap();
        bench.proxy.all_met();
        let messages = bench.sure.queue.receive(QUEUE, 32, LONG).await.unwrap();
        assert_eq!(messages.len(), expect, "{fault:?}");
        for message in messages {
            bench
                .sure
                .queue
                .delete(QUEUE, &message.lease)
                .await
                .unwrap();
        }
    }
}

#[tokio::test]
async fn received_messages() {
    let bench = Bench::new(LONG).await;
    bench.sure.queue.send(QUEUE, "a", ZERO).await.unwrap();
    bench
        .proxy
        .next("GET /jobs/messages?numofmessages=32", Fault::LoseAnswer);
    let taken = bench.queue().receive(QUEUE, 32, SHORT).await.unwrap();
    bench.proxy.all_met();
    assert_eq!(taken, [], "the lost answer has it");
    tokio::time::sleep(SHORT * 2).await;
    let again = bench.queue().receive(QUEUE, 32, LONG).await.unwrap();
    assert_eq!(
        (again.len(), again[0].dequeue_count),
        (1, 2),
        "it comes back"
    );
}

#[tokio::test]
async fn deleted_messages() {
    let bench = Bench::new(LONG).await;
    for fault in [
        Fault::LoseAnswer,
        Fault::DoneButFailed,
        Fault::DoneButBusy,
        Fault::Drop,
        Fault::Busy,
    ] {
        let lease = bench.message("a").await;
        bench.proxy.next("DELETE /jobs/messages/", fault);
        bench.queue().delete(QUEUE, &lease).await.unwrap();
        bench.proxy.all_met();
        let gone = bench.sure.queue.delete(QUEUE, &lease).await;
        assert!(
            matches!(gone, Err(StorageError::NotFound)),
            "{fault:?}: {gone:?}"
        );
        // Nothing has failed before: then it was somebody else.
        let again = bench.queue().delete(QUEUE, &lease).await;
        assert!(matches!(again, Err(StorageError::NotFound)));
    }
    assert_eq!(bench.sure.queue.count(QUEUE).await.unwrap(), 0);
}

#[tokio::test]
async fn extended_messages() {
    let bench = Bench::new(LONG).await;
    let extend = "PUT /jobs/messages/";
    for (fault, unknown, done) in [
        (Fault::LoseAnswer, true, true),
        (Fault::DoneButFailed, true, true),
        (Fault::DoneButBusy, true, true),
        (Fault::Drop, true, false),
        (Fault::Busy, false, true),
    ] {
        let lease = bench.message("a").await;
        bench.proxy.next(extend, fault);
        let extended = bench.queue().extend(QUEUE, &lease, ZERO, None).await;
        bench.proxy.all_met();
        assert_eq!(is_unknown(&extended), unknown, "{fault:?}: {extended:?}");
        // Whatever became of it, the message is not lost.
        let stale = bench.sure.queue.extend(QUEUE, &lease, ZERO, None).await;
        assert_eq!(
            matches!(stale, Err(StorageError::StaleReceipt)),
            done,
            "{fault:?}: {stale:?}"
        );
        let again = bench.sure.queue.receive(QUEUE, 32, LONG).await.unwrap();
        assert_eq!(again.len(), 1, "{fault:?}");
        bench
            .sure
            .queue
            .delete(QUEUE, &again[0].lease)
            .await
            .unwrap();
    }
}

/// What each fault does to a write that is not repeated blindly: whether the caller knows the
/// outcome, and whether the write took place.
const WRITES: [(Fault, bool, bool); 5] = [
    (Fault::LoseAnswer, false, true),
    (Fault::DoneButFailed, false, true),
    (Fault::DoneButBusy, false, true),
    (Fault::Drop, false, false),
    (Fault::Busy, true, true),
];

#[tokio::test]
async fn single_table_writes() {
    let bench = Bench::new(LONG).await;
    for (fault, known, done) in WRITES {
        bench.proxy.next("POST /jobs", fault);
        let inserted = bench
            .write(vec![Write::Insert("a".to_owned(), number(1))])
            .await;
        assert_eq!(inserted.is_ok(), known, "insert, {fault:?}: {inserted:?}");
        assert!(
            known || is_unknown(&inserted),
            "insert, {fault:?}: {inserted:?}"
        );
        assert_eq!(
            bench.column("a").await,
            done.then_some(1),
            "insert, {fault:?}"
        );

        let etag = bench.surely(Write::Upsert("a".to_owned(), number(2))).await;
        bench.proxy.next("PUT /jobs(", fault);
        let update = Write::Update("a".to_owned(), number(3), etag);
        let updated = bench.write(vec![update]).await;
        assert!(
            updated.is_ok() == known && (known || is_unknown(&updated)),
            "update, {fault:?}: {updated:?}"
        );
        assert_eq!(
            bench.column("a").await,
            Some(if done { 3 } else { 2 }),
            "update, {fault:?}"
        );

        bench.proxy.next("PUT /jobs(", fault);
        let upserted = bench
            .write(vec![Write::Upsert("a".to_owned(), number(4))])
            .await;
        // Refused after it was done, and done again: that is as good.
        let known_upsert = known || fault == Fault::DoneButBusy;
        assert_eq!(
            upserted.is_ok(),
            known_upsert,
            "upsert, {fault:?}: {upserted:?}"
        );
        let before = if done { 3 } else { 2 };
        assert_eq!(
            bench.column("a").await,
            Some(if done { 4 } else { before }),
            "upsert, {fault:?}"
        );

        let etag = bench.surely(Write::Upsert("a".to_owned(), number(5))).await;
        bench.proxy.next("DELETE /jobs(", fault);
        let deleted = bench
            .write(vec![Write::Delete("a".to_owned(), Some(etag))])
            .await;
        assert!(
            deleted.is_ok() == known && (known || is_unknown(&deleted)),
            "delete, {fault:?}: {deleted:?}"
        );
        assert_eq!(
            bench.column("a").await,
            (!done).then_some(5),
            "delete, {fault:?}"
        );

        bench.surely(Write::Upsert("a".to_owned(), number(6))).await;
        bench.proxy.next("DELETE /jobs(", fault);
        let deleted = bench.write(vec![Write::Delete("a".to_owned(), None)]).await;
        let known_delete = known || fault == Fault::DoneButBusy;
        assert_eq!(
            deleted.is_ok(),
            known_delete,
            "delete any, {fault:?}: {deleted:?}"
        );
        assert_eq!(
            bench.column("a").await,
            (!done).then_some(6),
            "delete any, {fault:?}"
        );
        bench.proxy.all_met();
        bench
            .sure
            .table
            .write(JOBS, "p", vec![Write::Delete("a".to_owned(), None)])
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn transactions() {
    let bench = Bench::new(LONG).await;
    for (fault, known, done) in WRITES {
        let etag = bench
            .surely(Write::Upsert("there".to_owned(), number(1)))
            .await;
        bench
            .surely(Write::Upsert("marker".to_owned(), number(1)))
            .await;
        bench.proxy.next("POST /$batch", fault);
        let written = bench
            .write(vec![
                Write::Update("there".to_owned(), number(2), etag),
                Write::Insert("new".to_owned(), number(2)),
                Write::Delete("marker".to_owned(), None),
            ])
            .await;
        bench.proxy.all_met();
        assert!(
            written.is_ok() == known && (known || is_unknown(&written)),
            "{fault:?}: {written:?}"
        );
        let rows = [
            bench.column("there").await,
            bench.column("new").await,
            bench.column("marker").await,
        ];
        let expect = if done {
            [Some(2), Some(2), None]
        } else {
            [Some(1), None, Some(1)]
        };
        assert_eq!(rows, expect, "{fault:?}");
        for row in ["there", "new", "marker"] {
            let delete = Write::Delete(row.to_owned(), None);
            bench
                .sure
                .table
                .write(JOBS, "p", vec![delete])
                .await
                .unwrap();
        }
    }
}

#[tokio::test]
async fn transactions_that_are_put_together_anew() {
    let bench = Bench::new(LONG).await;
    for (fault, known, done) in WRITES {
        // The first is refused whole, since a row is missing; the second leaves it out.
        bench.proxy.next("POST /$batch", Fault::Pass);
        bench.proxy.next("POST /$batch", fault);
        let written = bench
            .write(vec![
                Write::Insert("a".to_owned(), number(1)),
                Write::Upsert("b".to_owned(), number(1)),
                Write::Delete("never there".to_owned(), None),
            ])
            .await;
        bench.proxy.all_met();
        assert!(
            known == written.is_ok() && (known || is_unknown(&written)),
            "{written:?}"
        );
        for row in ["a", "b"] {
            assert_eq!(bench.column(row).await, done.then_some(1), "{fault:?}");
            let delete = Write::Delete(row.to_owned(), None);
            bench
                .sure
                .table
                .write(JOBS, "p", vec![delete])
                .await
                .unwrap();
        }
    }
}

#[tokio::test]
async fn put_blobs() {
    let bench = Bench::new(LONG).await;
    let put = async |path: &str, data: &'static str, mode| {
        let data = Bytes::from_static(data.as_bytes());
        bench
            .blobs()
            .put(PDFS, path, data, "a/b", &Metadata::new(), mode)
            .await
    };
    for (fault, known, done) in WRITES {
        let path = unique();
        bench.proxy.next("PUT /cv-pdfs/", fault);
        let created = put(&path, "one", PutMode::CreateOnly).await;
        assert!(
            created.is_ok() == known && (known || is_unknown(&created)),
            "{fault:?}: {created:?}"
        );
        assert_eq!(
            bench.content(&path).await,
            done.then(|| Bytes::from_static(b"one"))
        );

        bench.proxy.next("PUT /cv-pdfs/", fault);
        put(&path, "two", PutMode::Overwrite).await.unwrap();
        assert_eq!(bench.content(&path).await.unwrap(), "two");

        bench.proxy.next("DELETE /cv-pdfs/", fault);
        let deleted = bench.blobs().delete(PDFS, &path).await;
        let known_delete = known || fault == Fault::DoneButBusy;
        assert_eq!(deleted.is_ok(), known_delete, "{fault:?}: {deleted:?}");
        assert_eq!(bench.content(&path).await.is_none(), done, "{fault:?}");
        bench.blobs().delete(PDFS, &path).await.unwrap();
        bench.proxy.all_met();
    }
}

#[tokio::test]
async fn appended_blobs() {
    let bench = Bench::new(LONG).await;
    let line = "PUT /cv-pdfs/";
    for (fault, known, done) in WRITES {
        let path = unique();
        let append = async || {
            bench
                .blobs()
                .append(PDFS, &path, Bytes::from_static(b"ab"))
                .await
        };
        // The first request finds no blob; the second creates it, and may do so twice.
        bench.proxy.next(line, Fault::Pass);
        bench.proxy.next(line, fault);
        append().await.unwrap();
        bench.proxy.all_met();
        assert_eq!(bench.content(&path).await.unwrap(), "ab", "{fault:?}");

        bench.proxy.next(line, fault);
        let appended = append().await;
        bench.proxy.all_met();
        // Nothing would show that a repeat does it twice, so there is none: Busy is told as such.
        match &appended {
            Err(StorageError::Throttled { .. }) => {
                assert!(
                    matches!(fault, Fault::Busy | Fault::DoneButBusy),
                    "{fault:?}"
                );
            }
            other => assert!(!known && is_unknown(other), "{fault:?}: {other:?}"),
        }
        let done = done && fault != Fault::Busy;
        let expect = if done { "abab" } else { "ab" };
        assert_eq!(bench.content(&path).await.unwrap(), expect, "{fault:?}");
    }
}

#[tokio::test]
async fn reads_are_repeated() {
    let bench = Bench::new(LONG).await;
    let path = unique();
    let data = Bytes::from_static(b"data");
    bench
        .sure
        .blobs
        .put(
            PDFS,
            &path,
            data.clone(),
            "a/b",
            &Metadata::new(),
            PutMode::CreateOnly,
        )
        .await
        .unwrap();
    bench.surely(Write::Upsert("a".to_owned(), number(1))).await;
    bench.sure.queue.send(QUEUE, "a", ZERO).await.unwrap();
    for fault in [
        Fault::LoseAnswer,
        Fault::Drop,
        Fault::Busy,
        Fault::DoneButFailed,
    ] {
        let expect = |line| bench.proxy.next(line, fault);
        expect("GET /jobs/messages");
        assert_eq!(bench.queue().peek(QUEUE, 32).await.unwrap().len(), 1);
        expect("GET /jobs?comp=metadata");
        assert_eq!(bench.queue().count(QUEUE).await.unwrap(), 1);
        expect("GET /jobs(PartitionKey");
        assert!(
            bench
                .table()
                .get(JOBS, "p", "a")
                .await
                .unwrap()
                .value
                .is_some()
        );
        expect("GET /jobs()?$filter");
        let page = bench
            .table()
            .query(JOBS, "p", "a".."b", 10, None)
            .await
            .unwrap()
            .value;
        assert_eq!(page.entities.len(), 1);
        expect("GET /cv-pdfs/");
        assert_eq!(bench.blobs().get(PDFS, &path).await.unwrap().data, data);
        expect("GET /cv-pdfs/");
        assert_eq!(
            bench
                .blobs()
                .get_range(PDFS, &path, 1..3)
                .await
                .unwrap()
                .data,
            "at"
        );
        expect("HEAD /cv-pdfs/");
        assert_eq!(bench.blobs().head(PDFS, &path).await.unwrap().size, 4);
        expect("GET /cv-pdfs?comp=list");
        assert_eq!(
            bench
                .blobs()
                .list(PDFS, &path, 10, None)
                .await
                .unwrap()
                .blobs
                .len(),
            1
        );
        bench.proxy.all_met();
    }
}

#[tokio::test]
async fn late_answers() {
    let bench = Bench::new(Duration::from_millis(300)).await;
    let late = Fault::DelayAnswer(Duration::from_secs(20));
    bench.proxy.next("POST /jobs", late);
    let inserted = bench
        .write(vec![Write::Insert("a".to_owned(), number(1))])
        .await;
    assert!(is_unknown(&inserted), "{inserted:?}");
    assert_eq!(bench.column("a").await, Some(1), "it was done all the same");

    bench.proxy.next("GET /jobs(PartitionKey", late);
    let read = bench.table().get(JOBS, "p", "a").await;
    assert!(
        is_unknown(&read),
        "the time is that of all tries together: {read:?}"
    );
    assert_eq!(bench.proxy.requests(), 2);

    // A little late is fine.
    bench.proxy.next(
        "GET /jobs(PartitionKey",
        Fault::DelayAnswer(Duration::from_millis(50)),
    );
    assert!(
        bench
            .table()
            .get(JOBS, "p", "a")
            .await
            .unwrap()
            .value
            .is_some()
    );
}

#[tokio::test]
async fn a_service_that_stays_away_is_given_up_soon() {
    let bench = Bench::new(LONG).await;
    for _ in 0..8 {
        bench.proxy.next("", Fault::Busy);
    }
    let read = bench.table().get(JOBS, "p", "a").await;
    assert!(
        matches!(read, Err(StorageError::Throttled { .. })),
        "{read:?}"
    );
    let written = bench
        .write(vec![Write::Insert("a".to_owned(), number(1))])
        .await;
    assert!(
        matches!(written, Err(StorageError::Throttled { .. })),
        "{written:?}"
    );
    assert_eq!(bench.proxy.requests(), 8, "four tries each");
}
