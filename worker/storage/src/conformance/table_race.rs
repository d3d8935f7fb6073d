//! Many writers on one row.

use tokio::task::JoinSet;

use super::harness::{Harness, number, unique};
use crate::names::TableName;
use crate::port::{Result, StorageError, Write};

const WRITERS: i64 = 16;

/// All write to one row at once; gives the number of the one that was let through.
async fn race(
    h: &Harness,
    partition: &str,
    write: impl Fn(i64) -> Write,
) -> Vec<(i64, Result<()>)> {
    let mut writers = JoinSet::new();
    for n in 0..WRITERS {
        let (table, partition) = (h.storage.table.clone(), partition.to_owned());
        // A second row shows whether a loser left half of its transaction.
        let both = vec![write(n), Write::Insert(format!("of {n}"), number(n))];
        writers.spawn(async move {
            (
                n,
                table
                    .write(TableName::Jobs, &partition, both)
                    .await
                    .map(drop),
            )
        });
    }
    writers.join_all().await
}

async fn check_winner(h: &Harness, partition: &str, results: &[(i64, Result<()>)]) {
    let winners: Vec<_> = results
        .iter()
        .filter(|(_, r)| r.is_ok())
        .map(|(n, _)| *n)
        .collect();
    assert_eq!(winners.len(), 1, "{results:?}");
    let rows = h.rows(partition).await;
    assert_eq!(rows.len(), 2, "the row and the winner's second: {rows:?}");
    assert!(
        rows.iter()
            .all(|entity| entity.properties == number(winners[0]))
    );
}

pub(super) async fn one_of_many_updates_wins(h: &Harness) {
    for _ in 0..5 {
        let p = unique();
        let insert = Write::Insert("a".to_owned(), number(-1));
        let etag = h.write_row(&p, insert).await.unwrap().unwrap();
        let results = race(h, &p, |n| {
            Write::Update("a".to_owned(), number(n), etag.clone())
        })
        .await;
        for (_, result) in &results {
            assert!(
                matches!(result, Ok(()) | Err(StorageError::Precondition)),
                "{result:?}"
            );
        }
        check_winner(h, &p, &results).await;
        h.clear_partition(&p).await;
    }
}

pub(super) async fn one_of_many_inserts_wins(h: &Harness) {
    for _ in 0..5 {
        let p = unique();
        let results = race(h, &p, |n| Write::Insert("a".to_owned(), number(n))).await;
        for (_, result) in &results {
            assert!(
                matches!(result, Ok(()) | Err(StorageError::AlreadyExists)),
                "{result:?}"
            );
        }
        check_winner(h, &p, &results).await;
        h.clear_partition(&p).await;
    }
}

pub(super) async fn counting_together_loses_nothing(h: &Harness) {
    let p = unique();
    h.write_row(&p, Write::Insert("a".to_owned(), number(0)))
        .await
        .unwrap();
    let mut writers = JoinSet::new();
    for _ in 0..4 {
        let (table, p) = (h.storage.table.clone(), p.clone());
        writers.spawn(async move {
            let mut done = 0;
            while done < 10 {
                let entity = table
                    .get(TableName::Jobs, &p, "a")
                    .await
                    .unwrap()
                    .value
                    .unwrap();
                let n = entity.properties["n"].as_i64().unwrap();
                let write = Write::Update("a".to_owned(), number(n + 1), entity.etag);
                match table.write(TableName::Jobs, &p, vec![write]).await {
                    Ok(_) => done += 1,
                    Err(StorageError::Precondition) => {}
                    Err(e) => panic!("{e}"),
                }
            }
        });
    }
    writers.join_all().await;
    assert_eq!(h.row(&p, "a").await.unwrap().properties, number(40));
    h.clear_partition(&p).await;
}
