//! A stop loses nobody: open requests are finished, waits end, and the rest is cut in time.

use reqwest::StatusCode;
use schemas::job::{JobStatus, State};
use storage::fault::{Fault, Operation};
use storage::names::TableName;

use crate::server::{Server, ms, settings};

#[tokio::test]
async fn waits_end_and_requests_are_finished() {
    let mut server = Server::start().await;
    let job = server.submit().await;
    let slow = server.submit().await;
    let waiting = server
        .get(&job.links.this)
        .header("Prefer", "wait=30")
        .send();
    let waiting = tokio::spawn(waiting);
    tokio::time::sleep(ms(150)).await;
    // The reader of the waiting job has slowed down by now; the next read is the slow one's.
    let reads = Operation::GetEntity(TableName::Jobs);
    for nth in 1..4 {
        server.faults.script(reads, nth, Fault::Delay(ms(300)));
    }
    let finishing = tokio::spawn(server.get(&slow.links.this).send());
    tokio::time::sleep(ms(100)).await;
    let start = server.now();
    server.shutdown.cancel();
    let answer = waiting.await.unwrap().unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(
        answer.json::<JobStatus>().await.unwrap().state,
        State::Queued
    );
    assert_eq!(finishing.await.unwrap().unwrap().status(), StatusCode::OK);
    server.stopped().await;
    assert!(server.since(start) < ms(1_500));
    let refused = server
        .http
        .get(format!("http://{}/healthz", server.address))
        .send()
        .await;
    assert!(refused.is_err_and(|e| e.is_connect()));
}

#[tokio::test]
async fn what_outlasts_the_grace_period_is_cut() {
    let mut server = Server::with_grace(settings(), |storage| storage, ms(150)).await;
    let job = server.submit().await;
    server.faults.script(
        Operation::GetEntity(TableName::Jobs),
        1,
        Fault::Delay(ms(4_000)),
    );
    let stuck = tokio::spawn(server.get(&job.links.this).send());
    tokio::time::sleep(ms(100)).await;
    let start = server.now();
    server.shutdown.cancel();
    server.stopped().await;
    let took = server.since(start);
    assert!(took >= ms(140) && took < ms(1_500), "{took:?}");
    assert!(stuck.await.unwrap().is_err());
}

#[tokio::test]
async fn idle_connections_do_not_hold_up_the_stop() {
    let mut server = Server::start().await;
    assert!(
        server
            .get("/healthz")
            .send()
            .await
            .unwrap()
            .status()
            .is_success()
    );
    let start = server.now();
    server.shutdown.cancel();
    server.stopped().await;
    assert!(server.since(start) < ms(1_000));
}
