//! An account that has become slow: requests beyond the bound hear of it at once, the server stays
//! ready, and all goes on when the account does.

use std::sync::Arc;

use futures::future::join_all;
use reqwest::StatusCode;
use schemas::ProblemKind;
use storage::ambient::System;
use storage::azure::Account;
use storage::azurite::{self, KEY, slow::Slow};
use storage::names::TableName;

use crate::server::{Server, header, ms, problem, sample, settings};

/// More operations than an account takes from one process at once, waiting ones included.
const MANY: usize = 1_000;

const NO_JOB: &str = "/v1/jobs/01900000-0000-7000-8000-000000000001";

#[tokio::test]
async fn too_many_requests_for_a_slow_account_are_turned_away_at_once() {
    let slow = Slow::start().await;
    let connection = azurite::connection_string(slow.ports, &format!("AccountKey={KEY}"));
    let account = Account::connect(&azurite::settings(&connection), Arc::new(System::new()));
    let storage = account.unwrap().storage();
    let server = Server::with(settings(), |_| storage.clone()).await;

    let held = tokio::spawn({
        let table = storage.table;
        let reads = (0..MANY).map(move |_| {
            let table = table.clone();
            async move { table.get(TableName::Jobs, "p", "r").await.is_ok() }
        });
        join_all(reads)
    });
    while slow.asked() < 128 {
        tokio::time::sleep(ms(5)).await;
    }
    let begun = server.now();
    for request in [server.get(NO_JOB), server.post("/v1/jobs").json(&sample())] {
        let response = request.send().await.unwrap();
        assert_eq!(header(&response, "retry-after"), Some("2"));
        problem(response, ProblemKind::Unavailable, "a full account").await;
    }
    assert!(server.since(begun) < ms(18_000), "they waited");
    let ready = server.get("/readyz").send().await.unwrap();
    assert_eq!(ready.status(), StatusCode::OK);

    slow.flow();
    let read = held.await.unwrap().into_iter().filter(|read| *read).count();
    assert_eq!(read, 128 + 512);
    let response = server.get(NO_JOB).send().await.unwrap();
    problem(response, ProblemKind::NotFound, "all is well again").await;
}
