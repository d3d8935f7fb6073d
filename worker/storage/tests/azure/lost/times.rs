//! Reads, late answers, and a service that stays away.

use super::*;

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

/// Far below what a late answer takes.
const SOON: Duration = Duration::from_secs(15);

#[tokio::test]
async fn late_answers() {
    let bench = Bench::new(Duration::from_secs(3)).await;
    let late = Fault::DelayAnswer(Duration::from_secs(20));
    bench.proxy.next("POST /jobs", late);
    let inserted = bench
        .write(vec![Write::Insert("a".to_owned(), number(1))])
        .await;
    assert!(is_unknown(&inserted), "{inserted:?}");
    // It was done all the same; a slow machine does it after the time.
    let done = async {
        while bench.column("a").await != Some(1) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(SOON, done).await.unwrap();

    bench.proxy.next("GET /jobs(PartitionKey", late);
    let read = bench.table().get(JOBS, "p", "a").await;
    assert!(
        is_unknown(&read),
        "the time is that of all tries together: {read:?}"
    );
    assert_eq!(bench.proxy.requests(), 2);

    // A little late is fine.
    let bench = Bench::new(LONG).await;
    bench.surely(Write::Upsert("a".to_owned(), number(1))).await;
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
