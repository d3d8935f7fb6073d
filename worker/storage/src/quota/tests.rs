//! Shared counters on the embedded store.

use super::*;
use crate::fault::Bench;

fn quotas() -> (Quotas, Bench) {
    let bench = Bench::new();
    (Quotas::new(bench.plain.table.clone()), bench)
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + seconds).unwrap()
}

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn what_all_used_adds_up_and_runs_off() {
    let (quotas, _bench) = quotas();
    let add = async |bucket: &str, used: u64, now: i64| {
        let taken = quotas.add(bucket, SECOND * used as u32, at(now)).await;
        taken.unwrap().as_secs()
    };
    assert_eq!(add("a", 3, 0).await, 3);
    assert_eq!(add("a", 2, 1).await, 4);
    assert_eq!(add("b", 1, 1).await, 1);
    assert_eq!(add("a", 1, 3).await, 3);
    assert_eq!(add("a", 1, 100).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_where_two_add_at_once() {
    let (quotas, _bench) = quotas();
    let adds = (0..4).map(|_| {
        let quotas = quotas.clone();
        tokio::spawn(async move {
            let mut done = 0u32;
            while done < 20 {
                done += u32::from(quotas.add("a", SECOND, at(0)).await.is_ok());
            }
        })
    });
    futures::future::join_all(adds).await;
    let taken = quotas.add("a", SECOND, at(0)).await.unwrap();
    assert_eq!(taken.as_secs(), 81);
}

#[tokio::test]
async fn only_what_is_long_free_is_swept() {
    let (quotas, _bench) = quotas();
    for n in 0..150 {
        let bucket = format!("old-{n}");
        quotas.add(&bucket, SECOND, at(0)).await.unwrap();
    }
    quotas.add("new", SECOND, at(100)).await.unwrap();
    assert_eq!(quotas.sweep(at(50)).await.unwrap(), 150);
    assert_eq!(quotas.sweep(at(50)).await.unwrap(), 0);
    assert_eq!(quotas.sweep(at(102)).await.unwrap(), 1);
}
