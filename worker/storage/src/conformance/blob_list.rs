//! Listing.

use bytes::Bytes;

use super::harness::{Harness, unique};
use crate::names::Container;
use crate::port::{Continuation, Metadata, PutMode, StorageError};

const INPUTS: Container = Container::JobInputs;

async fn put(h: &Harness, path: &str) {
    let data = Bytes::from(path.to_owned());
    let mode = PutMode::CreateOnly;
    h.blobs()
        .put(INPUTS, path, data, "text/plain", &Metadata::new(), mode)
        .await
        .unwrap_or_else(|e| panic!("{path:?}: {e}"));
}

pub(super) async fn listings_follow_the_prefix(h: &Harness) {
    let f = unique();
    for path in ["b/2", "a/1", "b/1", "b", "ba", "b%", "b_", "c/x/y", "B/1"] {
        put(h, &format!("{f}/{path}")).await;
    }
    let cases: [(&str, &[&str]); 9] = [
        (
            "",
            &["B/1", "a/1", "b", "b%", "b/1", "b/2", "b_", "ba", "c/x/y"],
        ),
        ("b", &["b", "b%", "b/1", "b/2", "b_", "ba"]),
        ("b/", &["b/1", "b/2"]),
        ("b/2", &["b/2"]),
        ("b%", &["b%"]),
        ("b_", &["b_"]),
        ("c/", &["c/x/y"]),
        ("b'", &[]),
        ("zz", &[]),
    ];
    for (prefix, expect) in cases {
        let prefix = format!("{f}/{prefix}");
        let page = h.blobs().list(INPUTS, &prefix, 1_000, None).await.unwrap();
        let found: Vec<_> = page
            .blobs
            .iter()
            .map(|(path, _)| &path[f.len() + 1..])
            .collect();
        assert_eq!(found, expect, "prefix {prefix}");
        assert_eq!(page.next, None);
        for (path, info) in page.blobs {
            let mut head = h.blobs().head(INPUTS, &path).await.unwrap();
            // A listing may leave the labels out.
            head.metadata = info.metadata.clone();
            assert_eq!(info, head);
            assert_eq!(info.size, path.len() as u64);
        }
    }
    assert_eq!(
        h.paths(Container::ModelReplies, &f).await,
        Vec::<String>::new()
    );
    h.clear_blobs(INPUTS, &f).await;
}

pub(super) async fn pages_go_on_to_the_end(h: &Harness) {
    let f = unique();
    let paths: Vec<_> = (0..13).map(|n| format!("{f}/'%{n:02}")).collect();
    for path in &paths {
        put(h, path).await;
    }
    for max in [1, 5, 12, 13, 14] {
        let (mut found, mut from) = (Vec::new(), None);
        loop {
            let page = h
                .blobs()
                .list(INPUTS, &f, max, from.as_ref())
                .await
                .unwrap();
            assert!(page.blobs.len() <= max);
            found.extend(page.blobs.into_iter().map(|(path, _)| path));
            from = page.next;
            if from.is_none() {
                break;
            }
        }
        assert_eq!(found, paths, "pages of {max}");
    }
    h.clear_blobs(INPUTS, &f).await;
}

pub(super) async fn illegal_listings_are_refused(h: &Harness) {
    let f = unique();
    for max in [0, 1_001] {
        assert_error!(
            h.blobs().list(INPUTS, &f, max, None).await,
            StorageError::Invalid(_)
        );
    }
    for text in [
        "",
        "x",
        "k1.%%%",
        "k1.eg",
        "2!80!anything",
        "\u{1f600}",
        "'",
    ] {
        let from = Continuation(text.to_owned());
        let page = h.blobs().list(INPUTS, &f, 10, Some(&from)).await;
        assert_error!(page, StorageError::Invalid(_));
    }
}

pub(super) async fn odd_paths_are_only_data(h: &Harness) {
    let f = unique();
    let mut paths: Vec<_> = [
        "a",
        "A",
        "a'b",
        "a''b",
        "a b",
        "a+b",
        "100%",
        "%27",
        "%2F",
        "a%2Fb",
        "a/b",
        "a&b=c",
        "a?b",
        "a#b",
        "$x",
        "@",
        "~",
        "a:b",
        "a;b",
        "a,b",
        "(a)",
        "[a]",
        "a*",
        "\"a\"",
        "<a>",
        "\u{e9}",
        "e\u{301}",
        "\u{5d0}",
        "\u{1f600}",
        "...a",
        "a..b",
        ".hidden",
        "x/y/z/1/2/3",
    ]
    .map(|name| format!("{f}/{name}"))
    .to_vec();
    paths.push(format!("{f}/{}", "p".repeat(1_023 - f.len())));
    for path in &paths {
        put(h, path).await;
    }
    for path in &paths {
        let blob = h
            .blobs()
            .get(INPUTS, path)
            .await
            .unwrap_or_else(|e| panic!("{path:?}: {e}"));
        assert_eq!(&blob.data[..], path.as_bytes());
        assert_eq!(
            h.blobs().list(INPUTS, path, 1, None).await.unwrap().blobs[0].0,
            *path
        );
    }
    paths.sort();
    assert_eq!(h.paths(INPUTS, &f).await, paths);
    h.clear_blobs(INPUTS, &f).await;
    assert_eq!(h.paths(INPUTS, &f).await, Vec::<String>::new());
}
