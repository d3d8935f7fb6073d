//! Putting and reading blobs.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use tokio::task::JoinSet;

use super::harness::{Harness, PATIENCE, unique};
use crate::names::Container;
use crate::port::{ETag, Metadata, PutMode, Result, StorageError};

const PDFS: Container = Container::CvPdfs;

async fn put(h: &Harness, path: &str, data: impl Into<Bytes>, mode: PutMode) -> Result<ETag> {
    let data = data.into();
    h.blobs()
        .put(PDFS, path, data, "application/pdf", &Metadata::new(), mode)
        .await
}

fn labels(labels: &[(&str, &str)]) -> Metadata {
    labels
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

pub(super) async fn content_and_labels_come_back(h: &Harness) {
    let folder = unique();
    let bytes: Vec<u8> = (0..=255).cycle().take(1 << 20).collect();
    let value = "a b; c=\"d\", e: 'f' <g> %41 ~!@#$^&*()";
    let long = "x".repeat(4_000);
    let cases = [
        ("none", Bytes::new(), "application/pdf", labels(&[])),
        (
            "one byte",
            Bytes::from_static(&[0]),
            "text/plain; charset=utf-8",
            labels(&[("a", "b")]),
        ),
        (
            "many",
            Bytes::from(bytes),
            "application/octet-stream",
            labels(&[("sha256", value), ("_p2", "2"), ("long", &long)]),
        ),
    ];
    let mut modified = Timestamp::UNIX_EPOCH;
    for (name, data, content_type, metadata) in cases {
        let path = format!("{folder}/{name}");
        let mode = PutMode::CreateOnly;
        let etag = h
            .blobs()
            .put(PDFS, &path, data.clone(), content_type, &metadata, mode)
            .await
            .unwrap();
        let blob = h.blobs().get(PDFS, &path).await.unwrap();
        assert!(blob.data == data, "content of {name}");
        assert_eq!(blob.info.size, data.len() as u64);
        assert_eq!(blob.info.content_type, content_type);
        assert_eq!(blob.info.metadata, metadata);
        assert_eq!(blob.info.etag, etag);
        assert_eq!(h.blobs().head(PDFS, &path).await.unwrap(), blob.info);
        assert!(blob.info.modified >= modified);
        modified = blob.info.modified;
        let elsewhere = h.blobs().head(Container::JobInputs, &path).await;
        assert_error!(elsewhere, StorageError::NotFound);
    }
    let here = crate::Clock::now(&crate::ambient::System::new());
    assert!(here.duration_since(modified).unsigned_abs() < Duration::from_mins(5));
    h.clear_blobs(PDFS, &folder).await;
}

pub(super) async fn create_only_keeps_what_is_there(h: &Harness) {
    let path = unique();
    let etag = put(h, &path, "first", PutMode::CreateOnly).await.unwrap();
    let again = put(h, &path, "second, longer", PutMode::CreateOnly).await;
    assert_error!(again, StorageError::AlreadyExists);
    let blob = h.blobs().get(PDFS, &path).await.unwrap();
    assert_eq!((&blob.data[..], blob.info.etag), (&b"first"[..], etag));
    h.blobs().delete(PDFS, &path).await.unwrap();
}

pub(super) async fn one_of_many_creates_wins(h: &Harness) {
    let path = unique();
    let mut writers = JoinSet::new();
    for n in 0..16_u8 {
        let (blobs, path) = (h.storage.blobs.clone(), path.clone());
        writers.spawn(async move {
            let data = Bytes::from(vec![n; 20_000 + usize::from(n)]);
            let mode = PutMode::CreateOnly;
            (
                n,
                blobs
                    .put(PDFS, &path, data, "a/b", &Metadata::new(), mode)
                    .await,
            )
        });
    }
    let mut winner = None;
    for (n, result) in writers.join_all().await {
        match result {
            Ok(_) => assert_eq!(winner.replace(n), None, "two creates went through"),
            Err(e) => assert!(matches!(e, StorageError::AlreadyExists), "{e:?}"),
        }
    }
    let winner = winner.expect("one create goes through");
    let data = h.blobs().get(PDFS, &path).await.unwrap().data;
    assert!(data == vec![winner; 20_000 + usize::from(winner)]);
    h.blobs().delete(PDFS, &path).await.unwrap();
}

pub(super) async fn overwriting_replaces_all(h: &Harness) {
    let path = unique();
    let put = async |data: Vec<u8>, content_type: &str, metadata: &Metadata| {
        let mode = PutMode::Overwrite;
        h.blobs()
            .put(PDFS, &path, data.into(), content_type, metadata, mode)
            .await
            .unwrap()
    };
    let first = put(vec![1; 600_000], "a/b", &labels(&[("old", "1")])).await;
    let second = put(vec![2; 10], "c/d", &labels(&[("new", "2")])).await;
    assert_ne!(first, second);
    let blob = h.blobs().get(PDFS, &path).await.unwrap();
    assert_eq!(blob.data, vec![2; 10]);
    assert_eq!((blob.info.size, blob.info.etag), (10, second));
    assert_eq!(blob.info.content_type, "c/d");
    assert_eq!(blob.info.metadata, labels(&[("new", "2")]));
    h.blobs().delete(PDFS, &path).await.unwrap();
}

pub(super) async fn readers_see_whole_blobs(h: &Harness) {
    let path = unique();
    let content = |n: u8| Bytes::from(vec![n; 1 + usize::from(n) * 40_000]);
    put(h, &path, content(0), PutMode::Overwrite).await.unwrap();
    let (blobs, target) = (h.storage.blobs.clone(), path.clone());
    let writer = tokio::spawn(async move {
        for n in 1..20 {
            let data = Bytes::from(vec![n; 1 + usize::from(n) * 40_000]);
            let mode = PutMode::Overwrite;
            blobs
                .put(PDFS, &target, data, "a/b", &Metadata::new(), mode)
                .await
                .unwrap();
        }
    });
    let mut last = 0;
    while !writer.is_finished() {
        let blob = h.blobs().get(PDFS, &path).await.unwrap();
        let n = blob.data[0];
        assert!(blob.data == content(n), "half of one, half of another");
        assert_eq!(blob.info.size, blob.data.len() as u64);
        assert!(n >= last, "an older blob came back");
        last = n;
    }
    writer.await.unwrap();
    h.blobs().delete(PDFS, &path).await.unwrap();
}

pub(super) async fn ranges_are_cut_at_the_end(h: &Harness) {
    let path = unique();
    // Longer than any chunk that an adapter may cut it into.
    let data: Vec<u8> = (0..700_000_u32).map(|n| (n % 251) as u8).collect();
    put(h, &path, data.clone(), PutMode::CreateOnly)
        .await
        .unwrap();
    let end = data.len() as u64;
    for (range, expect) in [
        (0..1, 0..1),
        (0..end, 0..end),
        (0..u64::MAX, 0..end),
        (10..20, 10..20),
        (262_143..262_145, 262_143..262_145),
        (262_144..262_145, 262_144..262_145),
        (200_000..600_000, 200_000..600_000),
        (end - 1..end, end - 1..end),
        (end - 1..end + 100, end - 1..end),
    ] {
        let blob = h
            .blobs()
            .get_range(PDFS, &path, range.clone())
            .await
            .unwrap();
        let expect = &data[expect.start as usize..expect.end as usize];
        assert!(blob.data == expect, "range {range:?}");
        assert_eq!(blob.info.size, end, "the size is that of the whole");
    }
    #[expect(clippy::reversed_empty_ranges, reason = "that is what is tested")]
    for range in [end..end + 1, end + 1..u64::MAX, 5..5, 7..6] {
        let result = h.blobs().get_range(PDFS, &path, range.clone()).await;
        assert!(
            matches!(result, Err(StorageError::Invalid(_))),
            "range {range:?}"
        );
    }
    put(h, &path, "", PutMode::Overwrite).await.unwrap();
    assert_error!(
        h.blobs().get_range(PDFS, &path, 0..1).await,
        StorageError::Invalid(_)
    );
    h.blobs().delete(PDFS, &path).await.unwrap();
    assert_error!(
        h.blobs().get_range(PDFS, &path, 0..1).await,
        StorageError::NotFound
    );
}

pub(super) async fn deleting_is_idempotent(h: &Harness) {
    let path = unique();
    h.blobs().delete(PDFS, &path).await.unwrap();
    put(h, &path, "x", PutMode::CreateOnly).await.unwrap();
    for _ in 0..2 {
        h.blobs().delete(PDFS, &path).await.unwrap();
        assert_error!(h.blobs().get(PDFS, &path).await, StorageError::NotFound);
        assert_error!(h.blobs().head(PDFS, &path).await, StorageError::NotFound);
    }
    put(h, &path, "y", PutMode::CreateOnly).await.unwrap();
    assert_eq!(&h.blobs().get(PDFS, &path).await.unwrap().data[..], b"y");
    h.blobs().delete(PDFS, &path).await.unwrap();
}

pub(super) async fn large_blobs_are_taken(h: &Harness) {
    let path = unique();
    let size = 64 << 20;
    let mut data = vec![0; size];
    data[size - 3..].copy_from_slice(b"end");
    put(h, &path, data, PutMode::CreateOnly).await.unwrap();
    let blob = h
        .blobs()
        .get_range(PDFS, &path, size as u64 - 4..u64::MAX)
        .await
        .unwrap();
    assert_eq!(&blob.data[..], b"\0end");
    assert_eq!(blob.info.size, size as u64);
    assert_eq!(h.blobs().get(PDFS, &path).await.unwrap().data.len(), size);
    h.blobs().delete(PDFS, &path).await.unwrap();
}

pub(super) async fn illegal_puts_are_refused(h: &Harness) {
    let folder = unique();
    let put = async |path: &str, data: Bytes, content_type: &str, metadata: &Metadata| {
        let mode = PutMode::Overwrite;
        let result = h
            .blobs()
            .put(PDFS, path, data, content_type, metadata, mode)
            .await;
        assert!(
            matches!(result, Err(StorageError::Invalid(_))),
            "{path:.80} {metadata:?}"
        );
    };
    let path = format!("{folder}/x");
    let none = Metadata::new();
    put(&path, Bytes::from(vec![0; (64 << 20) + 1]), "a/b", &none).await;
    for content_type in ["", "a/b\r\nx: y", "\u{e9}", " a/b"] {
        put(&path, Bytes::new(), content_type, &none).await;
    }
    for metadata in [
        labels(&[("", "x")]),
        labels(&[("Upper", "x")]),
        labels(&[("with-minus", "x")]),
        labels(&[("9lives", "x")]),
        labels(&[("\u{e9}", "x")]),
        labels(&[("a", "\u{e9}")]),
        labels(&[("a", "line\nfeed")]),
        labels(&[("a", " space")]),
        labels(&[("a", "space ")]),
        labels(&[("a", "")]),
        labels(&[("a", &"x".repeat(4_096)), ("b", &"x".repeat(4_096))]),
    ] {
        put(&path, Bytes::new(), "a/b", &metadata).await;
    }
    assert_eq!(h.paths(PDFS, &folder).await, Vec::<String>::new());
    let mut paths: Vec<String> = [
        "", "/", "/a", "a/", "a//b", ".", "..", "a/./b", "a/../b", "../a", "a\\b", "a\0", "a\nb",
    ]
    .map(str::to_owned)
    .to_vec();
    paths.push("\u{7f}".to_owned());
    paths.push("p".repeat(1_025));
    for path in &paths {
        put(path, Bytes::new(), "a/b", &none).await;
        assert_error!(h.blobs().get(PDFS, path).await, StorageError::Invalid(_));
        assert_error!(h.blobs().head(PDFS, path).await, StorageError::Invalid(_));
        assert_error!(
            h.blobs().get_range(PDFS, path, 0..1).await,
            StorageError::Invalid(_)
        );
        assert_error!(h.blobs().delete(PDFS, path).await, StorageError::Invalid(_));
        let append = h.blobs().append(PDFS, path, Bytes::from_static(b"x")).await;
        assert_error!(append, StorageError::Invalid(_));
        let signed = h
            .blobs()
            .signed_url(PDFS, path, "x.pdf", Timestamp::MAX)
            .await;
        assert_error!(signed, StorageError::Invalid(_));
    }
}

pub(super) async fn versions_never_repeat(h: &Harness) {
    let path = unique();
    let mut seen = BTreeSet::new();
    for _ in 0..10 {
        for mode in [PutMode::CreateOnly, PutMode::Overwrite] {
            let etag = put(h, &path, "the same", mode).await.unwrap();
            assert!(seen.insert(etag.0.clone()), "{etag:?} came twice");
        }
        h.blobs().delete(PDFS, &path).await.unwrap();
    }
}

pub(super) async fn signed_urls(h: &Harness) {
    let path = format!("{}/a b'\u{e9}.pdf", unique());
    put(h, &path, "x", PutMode::CreateOnly).await.unwrap();
    let expires = crate::Clock::now(&crate::ambient::System::new()) + PATIENCE;
    let url = h
        .blobs()
        .signed_url(PDFS, &path, "Zo\u{eb} \"CV\".pdf", expires)
        .await
        .unwrap();
    assert_eq!(url.is_some(), h.signs_urls);
    if let Some(url) = url {
        assert!(url.starts_with("http"), "{url}");
        assert!(url.is_ascii() && !url.contains([' ', '"']), "{url}");
    }
    h.blobs().delete(PDFS, &path).await.unwrap();
}
