//! Blobs: put, deleted and appended to.

use super::*;

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
