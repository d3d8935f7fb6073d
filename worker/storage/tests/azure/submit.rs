//! A submission with each of its requests in turn going wrong: one job, with its marker and its
//! message, whatever is lost.

use std::sync::Arc;
use std::time::Duration;

use schemas::Tenant;
use schemas::job::JobInput;
use storage::Storage;
use storage::ambient::System;
use storage::azurite::Azurite;
use storage::jobs::{IdempotencyKey, JobStore, Submission, Submitted};
use storage::names::{QueueName, TableName, row};
use storage::pages::Rows;

use crate::{by_key, connect, unique};
use storage::azurite::proxy::{Fault, Proxy};

fn submission(key: &str) -> Submission {
    let cv: serde_json::Value = serde_json::from_str(schemas::cv::SAMPLE).unwrap();
    let cv = schemas::cv::normalise(&cv).unwrap().cv;
    let idempotency = IdempotencyKey {
        key_hash: key.to_owned(),
        body_hash: "b".to_owned(),
    };
    Submission {
        idempotency: Some(idempotency),
        ..Submission::new(Tenant::anonymous(), JobInput::of(cv))
    }
}

/// A client that repeats with its key until it is told of a job.
async fn submit(store: &JobStore, key: &str) -> Submitted {
    for _ in 0..5 {
        if let Ok(submitted) = store.submit(submission(key)).await {
            return submitted;
        }
    }
    panic!("never accepted");
}

#[tokio::test]
async fn each_request_of_a_submission_may_go_wrong() {
    let azurite = Azurite::start();
    let proxy = Proxy::to(azurite.ports()).await;
    let store = || {
        let storage = connect(&by_key(proxy.ports, Duration::from_mins(1)));
        let system = Arc::new(System::new());
        JobStore::new(
            storage,
            system.clone(),
            system,
            &config::Config::default().worker,
        )
    };
    submit(&store(), &unique()).await;
    let sure = connect(&azurite.settings());
    proxy.requests();
    submit(&store(), &unique()).await;
    let requests = proxy.requests();
    take_all(&sure).await;
    assert!(
        requests >= 5,
        "key, blob, tenant, transaction, message: {requests}"
    );

    for fault in [Fault::LoseAnswer, Fault::DoneButBusy, Fault::Drop] {
        for nth in 0..requests {
            let before = rows(&sure, row::JOB).await;
            for _ in 0..nth {
                proxy.next("", Fault::Pass);
            }
            proxy.next("", fault);
            let submitted = submit(&store(), &unique()).await;
            proxy.all_met();
            let id = submitted.row().id;
            let what = format!("{fault:?} of request {nth}");
            assert_eq!(rows(&sure, row::JOB).await, before + 1, "one job, {what}");
            assert_eq!(
                rows(&sure, &row::marker(id)).await,
                1,
                "with its marker, {what}"
            );
            let messages = take_all(&sure).await;
            let of_it = messages
                .iter()
                .filter(|body| body.contains(&id.to_string()))
                .count();
            assert!(
                (1..=2).contains(&of_it),
                "with its message, {what}: {messages:?}"
            );
            assert_eq!(of_it, messages.len(), "and no other, {what}");
        }
    }
}

/// The messages there are; there are none then.
async fn take_all(storage: &Storage) -> Vec<String> {
    let lasts = Duration::from_mins(2);
    let messages = storage
        .queue
        .receive(QueueName::Jobs, 32, lasts)
        .await
        .unwrap();
    for message in &messages {
        storage
            .queue
            .delete(QueueName::Jobs, &message.lease)
            .await
            .unwrap();
    }
    messages.into_iter().map(|message| message.body).collect()
}

/// How many rows of the tenant begin so.
async fn rows(storage: &Storage, prefix: &str) -> usize {
    let end = format!("{prefix}\u{7f}");
    let tenant = Tenant::anonymous();
    let (table, rows) = (&*storage.table, prefix..end.as_str());
    let mut pages = Rows::of(table, TableName::Jobs, tenant.as_str(), rows);
    let mut count = 0;
    while let Some(page) = pages.next_page().await.unwrap() {
        count += page.value.len();
    }
    count
}
