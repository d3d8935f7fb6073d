//! Ranges, pages and dates.

use std::time::Duration;

use super::harness::{Harness, number, unique};
use crate::names::TableName;
use crate::port::{Continuation, StorageError, Write};

const JOBS: TableName = TableName::Jobs;

async fn fill(h: &Harness, partition: &str, rows: impl IntoIterator<Item = String>) {
    let writes: Vec<_> = rows
        .into_iter()
        .map(|row| Write::Insert(row, number(1)))
        .collect();
    for writes in writes.chunks(100) {
        h.table()
            .write(JOBS, partition, writes.to_vec())
            .await
            .unwrap();
    }
}

pub(super) async fn ranges_are_half_open_and_ordered(h: &Harness) {
    let p = unique();
    let rows = ["b~2", "a~1", "b~1", "c~1", "b~", "b", "b~2x", "B~1", "b~10"];
    fill(h, &p, rows.map(str::to_owned)).await;
    let cases: [(&str, &str, &[&str]); 8] = [
        ("b~", "b\u{7f}", &["b~", "b~1", "b~10", "b~2", "b~2x"]),
        ("b~1", "b~2", &["b~1", "b~10"]),
        ("", "b", &["B~1", "a~1"]),
        ("b~2x", "zzz", &["b~2x", "c~1"]),
        ("b~3", "b~4", &[]),
        ("b~2", "b~1", &[]),
        ("b~1", "b~1", &[]),
        ("x'; --", "y' or 'a", &[]),
    ];
    for (start, end, expect) in cases {
        let read = h
            .table()
            .query(JOBS, &p, start..end, 1_000, None)
            .await
            .unwrap();
        let found: Vec<_> = read
            .value
            .entities
            .iter()
            .map(|entity| &*entity.row)
            .collect();
        assert_eq!(found, expect, "{start}..{end}");
        assert_eq!(read.value.next, None);
        for entity in &read.value.entities {
            assert_eq!(
                h.row(&p, &entity.row).await.as_ref(),
                Some(entity),
                "as get gives it"
            );
        }
    }
    h.clear_partition(&p).await;
}

/// All rows of a range, asked for in pages of `max`, and how many pages it took.
async fn pages(h: &Harness, partition: &str, max: usize) -> (Vec<String>, usize) {
    let (mut rows, mut count, mut from) = (Vec::new(), 0, None);
    loop {
        let read = h
            .table()
            .query(JOBS, partition, "r".."s", max, from.as_ref())
            .await
            .unwrap();
        assert!(read.value.entities.len() <= max);
        rows.extend(read.value.entities.into_iter().map(|entity| entity.row));
        count += 1;
        from = read.value.next;
        if from.is_none() {
            return (rows, count);
        }
    }
}

pub(super) async fn pages_go_on_to_the_end(h: &Harness) {
    let p = unique();
    let rows: Vec<_> = (0..20).map(|n| format!("r'%~{n:02}")).collect();
    fill(h, &p, rows.clone()).await;
    fill(h, &p, ["a".to_owned(), "s".to_owned()]).await;
    for max in [1, 7, 10, 19, 20, 21] {
        let (found, count) = pages(h, &p, max).await;
        assert_eq!(found, rows, "pages of {max}");
        assert!(count >= 20_usize.div_ceil(max));
    }
    // A page goes on by key, not by number: what is deleted or added meanwhile shifts nothing.
    let first = h
        .table()
        .query(JOBS, &p, "r".."s", 10, None)
        .await
        .unwrap()
        .value;
    h.write_row(&p, Write::Delete(rows[3].clone(), None))
        .await
        .unwrap();
    h.write_row(&p, Write::Insert("r'%~00x".to_owned(), number(1)))
        .await
        .unwrap();
    let from = first.next.expect("more");
    let second = h
        .table()
        .query(JOBS, &p, "r".."s", 1_000, Some(&from))
        .await
        .unwrap()
        .value;
    let found: Vec<_> = second
        .entities
        .into_iter()
        .map(|entity| entity.row)
        .collect();
    assert_eq!(found, rows[10..]);
    h.clear_partition(&p).await;
}

pub(super) async fn large_pages_go_on_to_the_end(h: &Harness) {
    let p = unique();
    let rows: Vec<_> = (0..1_050).map(|n| format!("r{n:04}")).collect();
    fill(h, &p, rows.clone()).await;
    let (found, count) = pages(h, &p, 1_000).await;
    assert_eq!(found, rows);
    assert!(count > 1);
    h.clear_partition(&p).await;
}

pub(super) async fn illegal_queries_are_refused(h: &Harness) {
    let p = unique();
    for max in [0, 1_001] {
        let read = h.table().query(JOBS, &p, "a".."b", max, None).await;
        assert_error!(read, StorageError::Invalid(_));
    }
    for text in [
        "",
        "x",
        "k1.",
        "k1.%%%",
        "k1.eg",
        "1!48!anything",
        "\u{1f600}",
        "../..",
        "'",
    ] {
        let from = Continuation(text.to_owned());
        let read = h.table().query(JOBS, &p, "a".."b", 10, Some(&from)).await;
        assert_error!(read, StorageError::Invalid(_));
    }
}

pub(super) async fn dates_do_not_go_back(h: &Harness) {
    let p = unique();
    let mut last = h.table().get(JOBS, &p, "a").await.unwrap().date;
    // Somewhere near the clock of whoever runs this.
    let here = crate::Clock::now(&crate::ambient::System::new());
    assert!(here.duration_since(last).unsigned_abs() < Duration::from_mins(5));
    for n in 0..10 {
        h.write_row(&p, Write::Upsert("a".to_owned(), number(n)))
            .await
            .unwrap();
        let get = h.table().get(JOBS, &p, "a").await.unwrap().date;
        let query = h
            .table()
            .query(JOBS, &p, "a".."b", 1, None)
            .await
            .unwrap()
            .date;
        assert!(last <= get && get <= query);
        last = query;
    }
    tokio::time::sleep(Duration::from_millis(1_050)).await;
    let later = h.table().get(JOBS, &p, "a").await.unwrap().date;
    assert!(later > last, "the clock goes on");
    h.clear_partition(&p).await;
}
