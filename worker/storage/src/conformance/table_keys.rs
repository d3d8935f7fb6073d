//! Keys: everything that is legal is only data.

use super::harness::{Harness, number, unique};
use crate::names::TableName;
use crate::port::{StorageError, Write};

/// Each is one key of its own, and none means anything to a query language or a URL.
fn odd_keys() -> Vec<String> {
    let mut keys: Vec<String> = [
        "a",
        "A",
        "a'b",
        "a''b",
        "'",
        "' or '1'='1",
        "\"",
        "a b",
        "100%",
        "%27",
        "%2F",
        "a+b",
        "a&b=c",
        "$filter",
        "@me",
        "a(b)",
        "a,b",
        "a;b",
        "a:b",
        "[x]",
        "{x}",
        "<x>",
        "a|b",
        "`",
        "^",
        "~",
        "o~",
        "o~x",
        "j~!",
        "*",
        "_",
        "-",
        "--",
        ".",
        "..",
        "\u{e9}",
        "e\u{301}",
        "\u{df}",
        "\u{5d0}\u{5d1}",
        "\u{1f600}",
        "\u{65e5}\u{672c}",
        "0",
        "007",
        "null",
        "true",
    ]
    .map(str::to_owned)
    .to_vec();
    keys.push("k".repeat(512));
    keys.push("\u{20ac}".repeat(512));
    keys
}

pub(super) async fn odd_keys_are_only_data(h: &Harness) {
    let p = unique();
    let keys = odd_keys();
    for (n, key) in keys.iter().enumerate() {
        let write = Write::Insert(key.clone(), number(n));
        h.write_row(&p, write)
            .await
            .unwrap_or_else(|e| panic!("{key:?}: {e}"));
    }
    for (n, key) in keys.iter().enumerate() {
        let entity = h
            .row(&p, key)
            .await
            .unwrap_or_else(|| panic!("{key:?} is missing"));
        assert_eq!((&entity.row, entity.properties), (key, number(n)));
        // A range of this key alone.
        let end = format!("{key}\u{1}");
        let read = h
            .table()
            .query(TableName::Jobs, &p, key..&end, 10, None)
            .await
            .unwrap();
        let found: Vec<_> = read
            .value
            .entities
            .into_iter()
            .map(|entity| entity.row)
            .collect();
        assert_eq!(found, std::slice::from_ref(key), "range of {key:?}");
    }
    let mut sorted = keys.clone();
    sorted.sort();
    let found: Vec<_> = h
        .rows(&p)
        .await
        .into_iter()
        .map(|entity| entity.row)
        .collect();
    assert_eq!(found, sorted, "ordered by code unit");
    // Page by page the continuation carries each key.
    let (mut paged, mut from) = (Vec::new(), None);
    loop {
        let all = "".."\u{10ffff}";
        let read = h
            .table()
            .query(TableName::Jobs, &p, all, 1, from.as_ref())
            .await
            .unwrap();
        paged.extend(read.value.entities.into_iter().map(|entity| entity.row));
        from = read.value.next;
        if from.is_none() {
            break;
        }
    }
    assert_eq!(paged, sorted);
    for key in &keys {
        h.write_row(&p, Write::Delete(key.clone(), None))
            .await
            .unwrap();
    }
    assert_eq!(h.rows(&p).await, []);

    // The same as partitions. They are shared by all cases, hence the prefix.
    for key in keys.iter().filter(|key| key.encode_utf16().count() < 400) {
        let partition = format!("{p}{key}");
        h.write_row(&partition, Write::Insert("a".to_owned(), number(1)))
            .await
            .unwrap();
        assert_eq!(h.rows(&partition).await.len(), 1, "partition {partition:?}");
        h.clear_partition(&partition).await;
    }
}

pub(super) async fn illegal_keys_are_refused(h: &Harness) {
    let p = unique();
    let mut keys: Vec<String> = [
        "", "a/b", "a\\b", "a#b", "a?b", "a\nb", "\t", "\0", "\u{7f}", "\u{85}",
    ]
    .map(str::to_owned)
    .to_vec();
    keys.push("k".repeat(513));
    keys.push("\u{1f600}".repeat(257));
    for key in &keys {
        let insert = |row: &str| Write::Insert(row.to_owned(), number(1));
        let jobs = TableName::Jobs;
        assert_error!(h.write_row(&p, insert(key)).await, StorageError::Invalid(_));
        assert_error!(
            h.write_row(key, insert("a")).await,
            StorageError::Invalid(_)
        );
        let delete = Write::Delete(key.clone(), None);
        assert_error!(h.write_row(&p, delete).await, StorageError::Invalid(_));
        assert_error!(h.table().get(jobs, &p, key).await, StorageError::Invalid(_));
        assert_error!(
            h.table().get(jobs, key, "a").await,
            StorageError::Invalid(_)
        );
        let query = h.table().query(jobs, key, "a".."b", 1, None).await;
        assert_error!(query, StorageError::Invalid(_));
    }
    assert_eq!(h.rows(&p).await, []);
}

pub(super) async fn tables_and_partitions_are_apart(h: &Harness) {
    let (p, q) = (unique(), unique());
    let write = Write::Insert("a".to_owned(), number(1));
    h.write_row(&p, write.clone()).await.unwrap();
    assert_eq!(h.row(&q, "a").await, None);
    assert_eq!(h.rows(&q).await, []);
    let tenants = TableName::Tenants;
    assert_eq!(h.table().get(tenants, &p, "a").await.unwrap().value, None);
    h.table().write(tenants, &p, vec![write]).await.unwrap();
    h.write_row(&p, Write::Delete("a".to_owned(), None))
        .await
        .unwrap();
    assert!(
        h.table()
            .get(tenants, &p, "a")
            .await
            .unwrap()
            .value
            .is_some()
    );
    h.table()
        .write(tenants, &p, vec![Write::Delete("a".to_owned(), None)])
        .await
        .unwrap();
}
