//! Rows: single writes and transactions.

use super::*;

#[tokio::test]
async fn single_table_writes() {
    let bench = Bench::new(LONG).await;
    for (fault, known, done) in WRITES {
        bench.proxy.next("POST /jobs", fault);
        let inserted = bench
            .write(vec![Write::Insert("a".to_owned(), number(1))])
            .await;
        assert_eq!(inserted.is_ok(), known, "insert, {fault:?}: {inserted:?}");
        assert!(
            known || is_unknown(&inserted),
            "insert, {fault:?}: {inserted:?}"
        );
        assert_eq!(
            bench.column("a").await,
            done.then_some(1),
            "insert, {fault:?}"
        );

        let etag = bench.surely(Write::Upsert("a".to_owned(), number(2))).await;
        bench.proxy.next("PUT /jobs(", fault);
        let update = Write::Update("a".to_owned(), number(3), etag);
        let updated = bench.write(vec![update]).await;
        assert!(
            updated.is_ok() == known && (known || is_unknown(&updated)),
            "update, {fault:?}: {updated:?}"
        );
        assert_eq!(
            bench.column("a").await,
            Some(if done { 3 } else { 2 }),
            "update, {fault:?}"
        );

        bench.proxy.next("PUT /jobs(", fault);
        let upserted = bench
            .write(vec![Write::Upsert("a".to_owned(), number(4))])
            .await;
        // Refused after it was done, and done again: that is as good.
        let known_upsert = known || fault == Fault::DoneButBusy;
        assert_eq!(
            upserted.is_ok(),
            known_upsert,
            "upsert, {fault:?}: {upserted:?}"
        );
        let before = if done { 3 } else { 2 };
        assert_eq!(
            bench.column("a").await,
            Some(if done { 4 } else { before }),
            "upsert, {fault:?}"
        );

        let etag = bench.surely(Write::Upsert("a".to_owned(), number(5))).await;
        bench.proxy.next("DELETE /jobs(", fault);
        let deleted = bench
            .write(vec![Write::Delete("a".to_owned(), Some(etag))])
            .await;
        assert!(
            deleted.is_ok() == known && (known || is_unknown(&deleted)),
            "delete, {fault:?}: {deleted:?}"
        );
        assert_eq!(
            bench.column("a").await,
            (!done).then_some(5),
            "delete, {fault:?}"
        );

        bench.surely(Write::Upsert("a".to_owned(), number(6))).await;
        bench.proxy.next("DELETE /jobs(", fault);
        let deleted = bench.write(vec![Write::Delete("a".to_owned(), None)]).await;
        let known_delete = known || fault == Fault::DoneButBusy;
        assert_eq!(
            deleted.is_ok(),
            known_delete,
            "delete any, {fault:?}: {deleted:?}"
        );
        assert_eq!(
            bench.column("a").await,
            (!done).then_some(6),
            "delete any, {fault:?}"
        );
        bench.proxy.all_met();
        bench
            .sure
            .table
            .write(JOBS, "p", vec![Write::Delete("a".to_owned(), None)])
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn transactions() {
    let bench = Bench::new(LONG).await;
    for (fault, known, done) in WRITES {
        let etag = bench
            .surely(Write::Upsert("there".to_owned(), number(1)))
            .await;
        bench
            .surely(Write::Upsert("marker".to_owned(), number(1)))
            .await;
        bench.proxy.next("POST /$batch", fault);
        let written = bench
            .write(vec![
                Write::Update("there".to_owned(), number(2), etag),
                Write::Insert("new".to_owned(), number(2)),
                Write::Delete("marker".to_owned(), None),
            ])
            .await;
        bench.proxy.all_met();
        assert!(
            written.is_ok() == known && (known || is_unknown(&written)),
            "{fault:?}: {written:?}"
        );
        let rows = [
            bench.column("there").await,
            bench.column("new").await,
            bench.column("marker").await,
        ];
        let expect = if done {
            [Some(2), Some(2), None]
        } else {
            [Some(1), None, Some(1)]
        };
        assert_eq!(rows, expect, "{fault:?}");
        for row in ["there", "new", "marker"] {
            let delete = Write::Delete(row.to_owned(), None);
            bench
                .sure
                .table
                .write(JOBS, "p", vec![delete])
                .await
                .unwrap();
        }
    }
}

#[tokio::test]
async fn transactions_that_are_put_together_anew() {
    let bench = Bench::new(LONG).await;
    for (fault, known, done) in WRITES {
        // The first is refused whole, since a row is missing; the second leaves it out.
        bench.proxy.next("POST /$batch", Fault::Pass);
        bench.proxy.next("POST /$batch", fault);
        let written = bench
            .write(vec![
                Write::Insert("a".to_owned(), number(1)),
                Write::Upsert("b".to_owned(), number(1)),
                Write::Delete("never there".to_owned(), None),
            ])
            .await;
        bench.proxy.all_met();
        assert!(
            known == written.is_ok() && (known || is_unknown(&written)),
            "{written:?}"
        );
        for row in ["a", "b"] {
            assert_eq!(bench.column(row).await, done.then_some(1), "{fault:?}");
            let delete = Write::Delete(row.to_owned(), None);
            bench
                .sure
                .table
                .write(JOBS, "p", vec![delete])
                .await
                .unwrap();
        }
    }
}
