//! A slow account: what waits is bounded, what is too much is turned away at once, and work that was
//! accepted goes on.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use storage::ambient::System;
use storage::azurite::slow::{QUICK, Slow};
use storage::names::{QueueName, TableName};
use storage::port::{Lease, Result, StorageError};
use storage::{Clock as _, Storage, ahead};
use tokio::task::JoinHandle;

use crate::{by_key, connect};

/// As in `azure/gate.rs`.
const OUT: usize = 128;
const WAITING: usize = 512;
const KEPT: usize = 16;

const JOBS: TableName = TableName::Jobs;

async fn exists(storage: &Storage, row: &str) -> Result<bool> {
    let read = storage.table.get(JOBS, "p", row).await?;
    Ok(read.value.is_some())
}

/// As many operations as may be under way, none of which is answered yet.
async fn fill(slow: &Slow, storage: &Storage) -> Vec<JoinHandle<Result<bool>>> {
    let mut held = Vec::new();
    for _ in 0..OUT + WAITING {
        let storage = storage.clone();
        held.push(tokio::spawn(async move { exists(&storage, "r").await }));
    }
    let all_out = async {
        while slow.asked() < OUT {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // Whoever would go beyond the bound has had the time for it.
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    let patience = Duration::from_secs(20);
    tokio::time::timeout(patience, all_out).await.unwrap();
    assert_eq!((slow.asked(), slow.most_open()), (OUT, OUT));
    held
}

async fn slow_account() -> (Slow, Storage) {
    let slow = Slow::start().await;
    let storage = connect(&by_key(slow.ports, Duration::from_mins(1)));
    (slow, storage)
}

fn is_full(error: &StorageError) -> bool {
    let reason = std::error::Error::source(error).map(ToString::to_string);
    let why = "too many requests to Azure Storage wait in this process";
    matches!(error, StorageError::Unavailable(_)) && reason.as_deref() == Some(why)
}

#[tokio::test]
async fn connections_are_bounded_and_what_is_too_much_fails_at_once() {
    let (slow, storage) = slow_account().await;
    let held = fill(&slow, &storage).await;

    let (clock, patience) = (Arc::new(System::new()), Duration::from_secs(20));
    let begun = clock.monotonic();
    let too_many = join_all((0..100).map(|_| exists(&storage, QUICK))).await;
    let took = clock.monotonic().saturating_sub(begun);
    assert!(took < patience, "they waited: {took:?}");
    for refused in too_many {
        assert!(refused.is_err_and(|e| is_full(&e)));
    }
    assert_eq!(slow.asked(), OUT, "nothing of them went out");

    slow.flow();
    for held in held {
        assert!(!held.await.unwrap().unwrap());
    }
    assert!(!exists(&storage, "r").await.unwrap(), "there is room again");
    assert!(slow.most_open() <= OUT + KEPT, "{}", slow.most_open());
}

#[tokio::test]
async fn accepted_work_goes_on_while_new_requests_are_turned_away() {
    let (slow, storage) = slow_account().await;
    let held = fill(&slow, &storage).await;

    // A heartbeat, again and again.
    for _ in 0..3 {
        let lease = Lease {
            message_id: QUICK.to_owned(),
            receipt: "r".to_owned(),
        };
        let long = Duration::from_mins(1);
        let extend = storage.queue.extend(QueueName::Jobs, &lease, long, None);
        assert_eq!(ahead(extend).await.unwrap().receipt, "next");
    }
    let many = (0..200).map(|_| ahead(exists(&storage, QUICK)));
    for answer in join_all(many).await {
        assert!(!answer.unwrap());
    }
    assert!(exists(&storage, QUICK).await.is_err_and(|e| is_full(&e)));
    assert!(slow.most_open() <= OUT + KEPT, "{}", slow.most_open());

    slow.flow();
    for held in held {
        assert!(!held.await.unwrap().unwrap());
    }
}

/// Nobody waits longer than the time of an operation, whether its turn has come or not.
#[tokio::test]
async fn an_account_that_never_answers_holds_nobody() {
    let slow = Slow::start().await;
    let storage = connect(&by_key(slow.ports, Duration::from_secs(2)));
    let all = join_all((0..2 * OUT).map(|_| exists(&storage, "r")));
    let ends = tokio::time::timeout(Duration::from_secs(20), all).await;
    for end in ends.unwrap() {
        assert!(matches!(end, Err(StorageError::Unavailable(_))));
    }
    slow.flow();
    let goes_on = async { while exists(&storage, "r").await.is_err() {} };
    let patience = Duration::from_secs(30);
    tokio::time::timeout(patience, goes_on).await.unwrap();
}
