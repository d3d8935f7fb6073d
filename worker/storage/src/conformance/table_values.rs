//! What a column can hold, and that it comes back as it was.

use serde_json::{Value, json};

use super::harness::{Harness, columns, unique};
use crate::port::{Properties, StorageError, Write};

fn upsert(properties: Properties) -> Write {
    Write::Upsert("row".to_owned(), properties)
}

pub(super) async fn values_come_back_unchanged(h: &Harness) {
    let p = unique();
    let properties = columns(json!({
        "zero": 0, "negative": -1, "beyond_double": 9_007_199_254_740_993_i64,
        "beyond_int32": 2_147_483_648_i64, "min32": i32::MIN,
        "max": i64::MAX, "min": i64::MIN,
        "tenth": 0.1, "third": 1.0 / 3.0, "whole": 2.0, "small": 5e-324, "large": 1.797e308,
        "negative_double": -2.5, "yes": true, "no": false,
        "empty": "", "space": "  both ends  ", "lines": "a\r\nb\tc\n",
        "quotes": "'; -- \" ` \\", "json": "{\"a\":[1,{\"b\":null}]}",
        "unicode": "Zo\u{eb} \u{5d0} \u{1f468}\u{200d}\u{1f469} \u{fffd} \u{e000}",
        "number_text": "007", "date_text": "2026-02-03T04:05:06Z", "true_text": "true",
        "guid_text": "a0a0a0a0-0000-4000-8000-000000000000",
        "_underscore9": "name", "CamelCase": "name", "camelcase": "another",
    }));
    h.write_row(&p, upsert(properties.clone())).await.unwrap();
    let read = h.row(&p, "row").await.unwrap().properties;
    for (name, value) in &properties {
        assert_eq!(read.get(name), Some(value), "column {name}");
    }
    assert_eq!(
        read.len(),
        properties.len(),
        "no columns but ours: {read:?}"
    );
    assert_eq!(
        h.rows(&p).await[0].properties,
        read,
        "a query reads the same"
    );
    h.clear_partition(&p).await;
}

pub(super) async fn null_means_absent(h: &Harness) {
    let p = unique();
    h.write_row(&p, upsert(columns(json!({"a": 1, "b": 2}))))
        .await
        .unwrap();
    h.write_row(&p, upsert(columns(json!({"a": null, "c": 3}))))
        .await
        .unwrap();
    assert_eq!(
        h.row(&p, "row").await.unwrap().properties,
        columns(json!({"c": 3}))
    );
    h.clear_partition(&p).await;
}

pub(super) async fn illegal_values_are_refused(h: &Harness) {
    let p = unique();
    let many = |count: usize, value: Value| -> Properties {
        (0..count)
            .map(|n| (format!("c{n}"), value.clone()))
            .collect()
    };
    let name = |name: &str| columns(json!({ name: 1 }));
    for (why, properties) in [
        ("an object", columns(json!({"a": {"b": 1}}))),
        ("a list", columns(json!({"a": [1]}))),
        ("an empty list", columns(json!({"a": []}))),
        (
            "an integer of 65 bits",
            columns(json!({"a": 9_223_372_036_854_775_808_u64})),
        ),
        ("a long text", columns(json!({"a": "x".repeat(32_769)}))),
        (
            "a long text outside the BMP",
            columns(json!({"a": "\u{1f600}".repeat(16_385)})),
        ),
        ("253 columns", many(253, json!(1))),
        ("over 1 MiB", many(20, json!("x".repeat(30_000)))),
        ("an empty name", name("")),
        ("a name with a minus", name("a-b")),
        ("a name with a dot", name("odata.etag")),
        ("a name that starts with a digit", name("1a")),
        ("a name outside ASCII", name("\u{e9}")),
        ("a long name", name(&"n".repeat(256))),
        ("a reserved name", name("PartitionKey")),
        ("a reserved name", name("RowKey")),
        ("a reserved name", name("Timestamp")),
    ] {
        let result = h.write_row(&p, upsert(properties)).await;
        assert!(
            matches!(result, Err(StorageError::Invalid(_))),
            "{why}: {result:?}"
        );
    }
    assert_eq!(h.rows(&p).await, [], "nothing was written");
}

pub(super) async fn values_at_the_limit_are_taken(h: &Harness) {
    let p = unique();
    let text = |text: &str, times: usize| json!(text.repeat(times));
    let many = |count: usize, value: Value| -> Properties {
        (0..count)
            .map(|n| (format!("c{n}"), value.clone()))
            .collect()
    };
    for properties in [
        columns(json!({"a": text("x", 32_768)})),
        columns(json!({"a": text("\u{1f600}", 16_384)})),
        columns(json!({"a": text("\u{20ac}", 32_768)})),
        columns(json!({"n".repeat(255): 1})),
        many(252, json!("v")),
        many(15, text("x", 32_768)),
    ] {
        h.write_row(&p, upsert(properties.clone())).await.unwrap();
        assert_eq!(h.row(&p, "row").await.unwrap().properties, properties);
    }
    h.clear_partition(&p).await;
}
