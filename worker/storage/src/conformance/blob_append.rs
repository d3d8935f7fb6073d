//! Appending.

use std::collections::BTreeMap;

use bytes::Bytes;
use tokio::task::JoinSet;

use super::harness::{Harness, unique};
use crate::names::Container;
use crate::port::{Metadata, PutMode, StorageError};

const REPLIES: Container = Container::ModelReplies;

pub(super) async fn appends_add_to_the_end(h: &Harness) {
    let path = unique();
    let append = async |data: &'static [u8]| {
        h.blobs()
            .append(REPLIES, &path, Bytes::from_static(data))
            .await
            .unwrap();
        h.blobs().head(REPLIES, &path).await.unwrap()
    };
    let first = append(b"one\n").await;
    let second = append(b"two, longer\n").await;
    assert_ne!(first.etag, second.etag);
    assert_eq!(second.size, 16);
    append(b"3").await;
    let blob = h.blobs().get(REPLIES, &path).await.unwrap();
    assert_eq!(&blob.data[..], b"one\ntwo, longer\n3");
    assert_eq!(blob.info.size, 17);
    // Across the seams.
    for (range, expect) in [
        (0..4, &b"one\n"[..]),
        (2..6, b"e\ntw"),
        (4..16, b"two, longer\n"),
        (15..100, b"\n3"),
        (1..17, b"ne\ntwo, longer\n3"),
    ] {
        let blob = h
            .blobs()
            .get_range(REPLIES, &path, range.clone())
            .await
            .unwrap();
        assert_eq!(&blob.data[..], expect, "range {range:?}");
    }
    let listed = h
        .blobs()
        .list(REPLIES, &path, 10, None)
        .await
        .unwrap()
        .blobs;
    assert_eq!((listed.len(), listed[0].1.size), (1, 17));
    h.blobs().delete(REPLIES, &path).await.unwrap();
    assert_error!(h.blobs().get(REPLIES, &path).await, StorageError::NotFound);
    assert_eq!(append(b"anew").await.size, 4);
    h.blobs().delete(REPLIES, &path).await.unwrap();
}

pub(super) async fn concurrent_appends_do_not_interleave(h: &Harness) {
    let path = unique();
    let mut writers = JoinSet::new();
    for n in 0..8_u8 {
        let (blobs, path) = (h.storage.blobs.clone(), path.clone());
        writers.spawn(async move {
            for _ in 0..3 {
                let line = Bytes::from([vec![b'a' + n; 5_000], b"\n".to_vec()].concat());
                blobs.append(REPLIES, &path, line).await.unwrap();
            }
        });
    }
    writers.join_all().await;
    let data = h.blobs().get(REPLIES, &path).await.unwrap().data;
    let mut lines = BTreeMap::<u8, usize>::new();
    for line in data
        .strip_suffix(b"\n")
        .unwrap()
        .split(|byte| *byte == b'\n')
    {
        assert_eq!(line.len(), 5_000);
        assert!(
            line.iter().all(|byte| *byte == line[0]),
            "two appends in one line"
        );
        *lines.entry(line[0]).or_default() += 1;
    }
    assert_eq!(lines, (b'a'..b'i').map(|byte| (byte, 3)).collect());
    h.blobs().delete(REPLIES, &path).await.unwrap();
}

pub(super) async fn appends_and_puts_do_not_mix(h: &Harness) {
    let path = unique();
    let data = || Bytes::from_static(b"data");
    let put = async |mode| {
        h.blobs()
            .put(REPLIES, &path, data(), "a/b", &Metadata::new(), mode)
            .await
    };
    put(PutMode::CreateOnly).await.unwrap();
    let append = h.blobs().append(REPLIES, &path, data()).await;
    assert_error!(append, StorageError::Invalid(_));
    assert_eq!(h.blobs().get(REPLIES, &path).await.unwrap().data, data());
    h.blobs().delete(REPLIES, &path).await.unwrap();
    h.blobs().append(REPLIES, &path, data()).await.unwrap();
    assert_error!(put(PutMode::CreateOnly).await, StorageError::AlreadyExists);
    put(PutMode::Overwrite).await.unwrap();
    let append = h.blobs().append(REPLIES, &path, data()).await;
    assert_error!(append, StorageError::Invalid(_));
    h.blobs().delete(REPLIES, &path).await.unwrap();
}

pub(super) async fn large_appends_are_refused(h: &Harness) {
    let path = unique();
    let most = Bytes::from(vec![7; 4 << 20]);
    let over = Bytes::from(vec![7; (4 << 20) + 1]);
    let refused = h.blobs().append(REPLIES, &path, over.clone()).await;
    assert_error!(refused, StorageError::Invalid(_));
    assert_error!(h.blobs().head(REPLIES, &path).await, StorageError::NotFound);
    h.blobs()
        .append(REPLIES, &path, most.clone())
        .await
        .unwrap();
    assert_error!(
        h.blobs().append(REPLIES, &path, over).await,
        StorageError::Invalid(_)
    );
    assert!(h.blobs().get(REPLIES, &path).await.unwrap().data == most);
    h.blobs().delete(REPLIES, &path).await.unwrap();
}
