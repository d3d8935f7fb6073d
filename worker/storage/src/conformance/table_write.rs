//! Inserts, updates, upserts, deletes, and several of them in one transaction.

use std::collections::BTreeSet;

use serde_json::json;

use super::harness::{Harness, columns, number, unique};
use crate::names::TableName;
use crate::port::{ETag, StorageError, Write};

fn insert(row: &str, n: i64) -> Write {
    Write::Insert(row.to_owned(), number(n))
}

fn update(row: &str, n: i64, etag: &ETag) -> Write {
    Write::Update(row.to_owned(), number(n), etag.clone())
}

fn upsert(row: &str, n: i64) -> Write {
    Write::Upsert(row.to_owned(), number(n))
}

fn delete(row: &str, etag: Option<&ETag>) -> Write {
    Write::Delete(row.to_owned(), etag.cloned())
}

pub(super) async fn insert_creates_only(h: &Harness) {
    let p = unique();
    assert_eq!(h.row(&p, "a").await, None);
    let etag = h
        .write_row(&p, insert("a", 1))
        .await
        .unwrap()
        .expect("a version");
    let entity = h.row(&p, "a").await.expect("inserted");
    assert_eq!((entity.row.as_str(), &entity.etag), ("a", &etag));
    assert_eq!(entity.properties, number(1));
    assert_error!(
        h.write_row(&p, insert("a", 2)).await,
        StorageError::AlreadyExists
    );
    assert_eq!(h.row(&p, "a").await, Some(entity), "unchanged");
    h.clear_partition(&p).await;
}

pub(super) async fn update_needs_the_version(h: &Harness) {
    let p = unique();
    let first = h.write_row(&p, insert("a", 1)).await.unwrap().unwrap();
    let other = h.write_row(&p, insert("b", 1)).await.unwrap().unwrap();
    let second = h
        .write_row(&p, update("a", 2, &first))
        .await
        .unwrap()
        .unwrap();
    assert_ne!(first, second);
    assert_eq!(h.row(&p, "a").await.unwrap().etag, second);
    for stale in [&first, &other] {
        assert_error!(
            h.write_row(&p, update("a", 3, stale)).await,
            StorageError::Precondition
        );
    }
    assert_eq!(h.row(&p, "a").await.unwrap().properties, number(2));
    let wider = Write::Update("a".to_owned(), columns(json!({"m": "x"})), second);
    let third = h.write_row(&p, wider).await.unwrap().unwrap();
    assert_eq!(
        h.row(&p, "a").await.unwrap().properties,
        columns(json!({"m": "x"}))
    );
    h.write_row(&p, delete("a", None)).await.unwrap();
    assert_error!(
        h.write_row(&p, update("a", 4, &third)).await,
        StorageError::Precondition
    );
    assert_eq!(h.row(&p, "a").await, None, "an update creates nothing");
    h.clear_partition(&p).await;
}

pub(super) async fn upsert_replaces_the_whole_row(h: &Harness) {
    let p = unique();
    let first = h.write_row(&p, upsert("a", 1)).await.unwrap().unwrap();
    let other = Write::Upsert("a".to_owned(), columns(json!({"m": true})));
    let second = h.write_row(&p, other).await.unwrap().unwrap();
    assert_ne!(first, second);
    let entity = h.row(&p, "a").await.unwrap();
    assert_eq!(entity.etag, second);
    assert_eq!(
        entity.properties,
        columns(json!({"m": true})),
        "column n is gone"
    );
    let none = Write::Upsert("a".to_owned(), columns(json!({})));
    h.write_row(&p, none).await.unwrap();
    assert_eq!(h.row(&p, "a").await.unwrap().properties, columns(json!({})));
    h.clear_partition(&p).await;
}

pub(super) async fn delete_with_and_without_version(h: &Harness) {
    let p = unique();
    assert_eq!(
        h.write_row(&p, delete("a", None)).await.unwrap(),
        None,
        "nothing there is fine"
    );
    let first = h.write_row(&p, insert("a", 1)).await.unwrap().unwrap();
    let second = h.write_row(&p, upsert("a", 2)).await.unwrap().unwrap();
    let stale = h.write_row(&p, delete("a", Some(&first))).await;
    assert_error!(stale, StorageError::Precondition);
    assert!(h.row(&p, "a").await.is_some());
    assert_eq!(
        h.write_row(&p, delete("a", Some(&second))).await.unwrap(),
        None
    );
    assert_eq!(h.row(&p, "a").await, None);
    let gone = h.write_row(&p, delete("a", Some(&second))).await;
    assert_error!(gone, StorageError::Precondition);
    h.write_row(&p, insert("a", 3)).await.unwrap();
    assert_eq!(h.write_row(&p, delete("a", None)).await.unwrap(), None);
    assert_eq!(h.row(&p, "a").await, None);
}

pub(super) async fn transactions_are_all_or_none(h: &Harness) {
    let p = unique();
    let stale = h.write_row(&p, insert("there", 1)).await.unwrap().unwrap();
    h.write_row(&p, upsert("there", 2)).await.unwrap();
    let before = h.rows(&p).await;
    let write = async |writes| h.table().write(TableName::Jobs, &p, writes).await;

    let exists = write(vec![
        insert("new", 1),
        insert("there", 3),
        delete("gone", None),
    ])
    .await;
    assert_error!(exists, StorageError::AlreadyExists);
    for last in [
        update("there", 3, &stale),
        delete("there", Some(&stale)),
        update("gone", 3, &stale),
        delete("gone", Some(&stale)),
    ] {
        let refused = write(vec![insert("new", 1), upsert("new too", 1), last.clone()]).await;
        assert_error!(refused, StorageError::Precondition);
        let refused = write(vec![last, insert("new", 1), upsert("new too", 1)]).await;
        assert_error!(refused, StorageError::Precondition);
    }
    let two = write(vec![
        insert("there", 3),
        update("gone", 3, &stale),
        upsert("new", 1),
    ])
    .await;
    assert_error!(
        two,
        StorageError::AlreadyExists | StorageError::Precondition
    );
    assert_eq!(h.rows(&p).await, before, "none of them");

    let newest = before[0].etag.clone();
    let done = write(vec![
        insert("a", 1),
        delete("gone", None),
        update("there", 3, &newest),
        upsert("b", 2),
    ])
    .await
    .unwrap();
    assert_eq!(done.len(), 4, "one for each write, in their order");
    assert_eq!(done[1], None);
    let rows = h.rows(&p).await;
    let found: Vec<_> = rows
        .iter()
        .map(|e| (e.row.as_str(), Some(e.etag.clone())))
        .collect();
    assert_eq!(
        found,
        [
            ("a", done[0].clone()),
            ("b", done[3].clone()),
            ("there", done[2].clone())
        ]
    );
    h.clear_partition(&p).await;
}

pub(super) async fn transactions_have_bounds(h: &Harness) {
    let p = unique();
    let write = async |writes| h.table().write(TableName::Jobs, &p, writes).await;
    let rows = |n: i64| {
        (0..n)
            .map(|n| insert(&format!("{n:03}"), n))
            .collect::<Vec<_>>()
    };
    assert_error!(write(rows(0)).await, StorageError::Invalid(_));
    assert_error!(write(rows(101)).await, StorageError::Invalid(_));
    let twice = vec![insert("a", 1), insert("b", 1), delete("a", None)];
    assert_error!(write(twice).await, StorageError::Invalid(_));
    let large: Vec<_> = (0..6)
        .map(|n| {
            let column = |c: usize| (format!("c{c}"), json!("x".repeat(30_000)));
            Write::Insert(format!("{n}"), (0..14).map(column).collect())
        })
        .collect();
    assert_error!(write(large).await, StorageError::Invalid(_));
    assert_eq!(h.rows(&p).await, [], "none had an effect");

    let etags = write(rows(100)).await.unwrap();
    // A version never repeats for its key; two keys may have the same one.
    assert_eq!(etags.iter().flatten().count(), 100);
    let found = h.rows(&p).await;
    assert_eq!(found.len(), 100);
    for (n, (entity, etag)) in found.iter().zip(etags).enumerate() {
        assert_eq!(entity.properties, number(n));
        assert_eq!(Some(&entity.etag), etag.as_ref());
    }
    h.clear_partition(&p).await;
}

pub(super) async fn versions_never_repeat(h: &Harness) {
    let p = unique();
    let mut seen = BTreeSet::new();
    let mut old = None;
    for _ in 0..15 {
        // The same content each time: the version is not a hash of it.
        let inserted = h.write_row(&p, insert("a", 1)).await.unwrap().unwrap();
        if let Some(old) = &old {
            let stale = h.write_row(&p, update("a", 2, old)).await;
            assert_error!(stale, StorageError::Precondition);
        }
        let updated = h
            .write_row(&p, update("a", 1, &inserted))
            .await
            .unwrap()
            .unwrap();
        let upserted = h.write_row(&p, upsert("a", 1)).await.unwrap().unwrap();
        h.write_row(&p, delete("a", Some(&upserted))).await.unwrap();
        for etag in [inserted, updated, upserted.clone()] {
            assert!(seen.insert(etag.0.clone()), "{etag:?} came twice");
        }
        old = Some(upserted);
    }
}

pub(super) async fn writes_are_seen_by_later_reads(h: &Harness) {
    let p = unique();
    for n in 0..30 {
        h.write_row(&p, upsert("a", n)).await.unwrap();
        assert_eq!(h.row(&p, "a").await.unwrap().properties, number(n));
        h.write_row(&p, upsert("b", n)).await.unwrap();
        let rows = h.rows(&p).await;
        assert!(
            rows.iter().all(|entity| entity.properties == number(n)),
            "{rows:?}"
        );
    }
    h.clear_partition(&p).await;
}
