//! A stop loses nobody: open requests are finished, waits end, and the rest is cut in time.

use api_shim::Settings;
use reqwest::StatusCode;
use schemas::job::{JobStatus, State};
use storage::fault::{Fault, Operation};
use storage::names::TableName;

use crate::server::{Server, ms, sample, settings};

#[tokio::test]
async fn waits_end_and_requests_are_finished() {
    let mut server = Server::start().await;
    let job = server.submit().await;
    let (reads, writes) = (
        Operation::GetEntity(TableName::Jobs),
        Operation::Write(TableName::Jobs),
    );
    let (read, written) = (server.calls(reads), server.calls(writes));
    let waiting = server
        .get(&job.links.this)
        .header("Prefer", "wait=30")
        .send();
    let waiting = tokio::spawn(waiting);
    // After its own look there is that of the reader of the row: it waits.
    server.called(reads, read + 1).await;
    let slow = Fault::DelayAnswer(ms(500));
    server.faults.script(writes, 1, slow);
    let finishing = tokio::spawn(server.post("/v1/jobs").json(&sample()).send());
    server.called(writes, written).await;
    let start = server.now();
    server.shutdown.cancel();
    let answer = waiting.await.unwrap().unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(
        answer.json::<JobStatus>().await.unwrap().state,
        State::Queued
    );
    let finished = finishing.await.unwrap().unwrap();
    assert_eq!(finished.status(), StatusCode::ACCEPTED);
    server.stopped().await;
    assert!(server.since(start) < ms(9_000));
    let refused = server
        .http
        .get(format!("http://{}/healthz", server.address))
        .send()
        .await;
    assert!(refused.is_err_and(|e| e.is_connect()));
}

#[tokio::test]
async fn what_outlasts_the_grace_period_is_cut() {
    let settings = Settings {
        request_timeout: ms(60_000),
        ..settings()
    };
    let mut server = Server::with_grace(settings, |storage| storage, ms(150)).await;
    let job = server.submit().await;
    let reads = Operation::GetEntity(TableName::Jobs);
    let read = server.calls(reads);
    server.faults.script(reads, 1, Fault::Delay(ms(60_000)));
    let stuck = tokio::spawn(server.get(&job.links.this).send());
    server.called(reads, read).await;
    let start = server.now();
    server.shutdown.cancel();
    server.stopped().await;
    let took = server.since(start);
    assert!(took >= ms(140) && took < ms(9_000), "{took:?}");
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
    assert!(server.since(start) < ms(9_000));
}
