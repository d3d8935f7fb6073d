//! `GET /v1/jobs/{id}`: states, entity tags, waiting.

use std::time::Duration;

use futures::future::join_all;
use reqwest::{Method, Response, StatusCode};
use schemas::job::{JobStatus, Phase, State};
use schemas::{JobId, ProblemKind, Tenant};
use storage::fault::{Fault, Operation};
use storage::jobs::{Ending, Submission};
use storage::names::TableName;

use crate::server::{Server, header, ms, problem};

#[tokio::test]
async fn a_job_is_told_as_it_goes_on() {
    let server = Server::start().await;
    let job = server.submit().await;
    let path = job.links.this.as_str();
    server.call(job.id).await;
    let response = server.get(path).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(header(&response, "retry-after"), Some("1"));
    assert_eq!(header(&response, "cache-control"), Some("no-store"));
    let status: JobStatus = response.json().await.unwrap();
    assert_eq!(
        (status.state, status.phase),
        (State::Running, Some(Phase::Calling))
    );

    let calling = server.loaded(job.id).await;
    server
        .jobs
        .finish(&calling, Ending::Cancelled, None)
        .await
        .unwrap();
    let response = server.get(path).send().await.unwrap();
    assert_eq!(header(&response, "retry-after"), None);
    assert_eq!(
        response.json::<JobStatus>().await.unwrap().state,
        State::Cancelled
    );

    let head = server.request(Method::HEAD, path).send().await.unwrap();
    assert_eq!(head.status(), StatusCode::OK);
    assert!(head.bytes().await.unwrap().is_empty());
}

#[tokio::test]
async fn entity_tags_change_with_the_job_and_spare_the_body() {
    let server = Server::start().await;
    let job = server.submit().await;
    let path = job.links.this.as_str();
    let first = server.get(path).send().await.unwrap();
    let etag = header(&first, "etag").unwrap().to_owned();
    assert!(
        etag.starts_with('"') && etag.ends_with('"') && etag.len() == 34,
        "{etag}"
    );

    let ask = |tag: String| server.get(path).header("if-none-match", tag).send();
    for known in [
        etag.clone(),
        format!("W/{etag}"),
        format!("\"x\", {etag}"),
        "*".to_owned(),
    ] {
        let same = ask(known.clone()).await.unwrap();
        assert_eq!(same.status(), StatusCode::NOT_MODIFIED, "{known}");
        assert_eq!(header(&same, "etag"), Some(etag.as_str()));
        assert!(same.bytes().await.unwrap().is_empty());
    }
    assert_eq!(
        ask("\"x\"".to_owned()).await.unwrap().status(),
        StatusCode::OK
    );

    // What the owner cannot see changes no tag.
    let loaded = server.loaded(job.id).await;
    server.jobs.notified(&loaded, 1).await.unwrap();
    assert_eq!(
        ask(etag.clone()).await.unwrap().status(),
        StatusCode::NOT_MODIFIED
    );
    server.call(job.id).await;
    let changed = ask(etag.clone()).await.unwrap();
    assert_eq!(changed.status(), StatusCode::OK);
    assert_ne!(header(&changed, "etag"), Some(etag.as_str()));
}

#[tokio::test]
async fn what_is_not_the_callers_looks_like_what_is_not_there() {
    let server = Server::start().await;
    let own = server.submit().await;
    let input = server
        .jobs
        .input(&Tenant::anonymous(), own.id)
        .await
        .unwrap();
    let others = server
        .jobs
        .submit(Submission::new(Tenant::from_claim("acme"), input));
    let others = others.await.unwrap().row().id;
    let missing = JobId::new(jiff::Timestamp::UNIX_EPOCH, [9; 10]);
    let upper = own.id.to_string().to_uppercase();
    let mut seen = None;
    for id in [
        others.to_string(),
        missing.to_string(),
        upper,
        "1".to_owned(),
        "j'~".to_owned(),
        "%00".to_owned(),
        "%ff".to_owned(),
        "..%2f..%2fjobs".to_owned(),
        "x".repeat(5_000),
    ] {
        for (method, rest) in [
            (Method::GET, ""),
            (Method::GET, "/result"),
            (Method::POST, "/cancel"),
        ] {
            let path = format!("/v1/jobs/{id}{rest}");
            let response = server.request(method, &path).send().await.unwrap();
            let mut problem = problem(response, ProblemKind::NotFound, &path).await;
            problem.request_id = None;
            assert_eq!(*seen.get_or_insert(problem.clone()), problem, "{path}");
        }
    }
    let untouched = server
        .jobs
        .read(&Tenant::from_claim("acme"), others)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(untouched.row.version, 1);
}

/// Sends a GET with this preference and says how long the answer took.
async fn waited(
    server: &Server,
    path: &str,
    prefer: &str,
    known: Option<&str>,
) -> (Response, Duration) {
    let start = server.now();
    let mut request = server.get(path).header("Prefer", prefer);
    if let Some(known) = known {
        request = request.header("If-None-Match", known);
    }
    let response = request.send().await.unwrap();
    (response, server.since(start))
}

#[tokio::test]
async fn a_wait_ends_with_the_change() {
    let server = Server::start().await;
    let job = server.submit().await;
    let path = job.links.this.as_str();
    let later = async {
        tokio::time::sleep(ms(120)).await;
        server.call(job.id).await;
    };
    let ((response, took), ()) = tokio::join!(waited(&server, path, "wait=20", None), later);
    assert_eq!(header(&response, "preference-applied"), Some("wait=20"));
    assert_eq!(
        response.json::<JobStatus>().await.unwrap().state,
        State::Running
    );
    assert!(took >= ms(100) && took < ms(15_000), "{took:?}");

    // Another process may change it: only the row is looked at. And a tag that is out of date
    // is answered at once.
    let (response, took) = waited(&server, path, "wait=20", Some("\"old\"")).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert!(took < ms(15_000), "{took:?}");
    let etag = header(&response, "etag").unwrap().to_owned();
    let later = async {
        tokio::time::sleep(ms(120)).await;
        let calling = server.loaded(job.id).await;
        server
            .jobs
            .finish(&calling, Ending::Cancelled, None)
            .await
            .unwrap();
    };
    let known = Some(etag.as_str());
    let ((response, took), ()) = tokio::join!(waited(&server, path, "wait=20", known), later);
    assert_eq!(response.status(), StatusCode::OK);
    assert!(took >= ms(100) && took < ms(15_000), "{took:?}");

    // At the end there is nothing to wait for.
    let etag = header(&response, "etag").unwrap().to_owned();
    let (response, took) = waited(&server, path, "wait=20", Some(&etag)).await;
    assert_eq!(response.status(), StatusCode::NOT_MODIFIED);
    assert!(took < ms(15_000), "{took:?}");
}

#[tokio::test]
async fn a_wait_without_a_change_ends_in_time() {
    let mut settings = crate::server::settings();
    settings.max_wait = ms(1_000);
    let server = Server::with(settings, |storage| storage).await;
    let job = server.submit().await;
    let path = job.links.this.as_str();
    // Sixty is capped to the one second of this server.
    let (response, took) = waited(&server, path, "respond-async, wait=60", None).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(header(&response, "preference-applied"), Some("wait=1"));
    assert!(took >= ms(950) && took < ms(15_000), "{took:?}");
    let etag = header(&response, "etag").unwrap().to_owned();
    let (response, took) = waited(&server, path, "wait=1", Some(&etag)).await;
    assert_eq!(response.status(), StatusCode::NOT_MODIFIED);
    assert!(took >= ms(950), "{took:?}");
    // What cannot be read is no preference.
    let (response, _) = waited(&server, path, "wait=soon", None).await;
    assert_eq!(header(&response, "preference-applied"), None);
}

#[tokio::test]
async fn many_who_wait_cost_one_reader() {
    let server = Server::start().await;
    let job = server.submit().await;
    let path = job.links.this.as_str();
    let reads = || server.faults.calls(Operation::GetEntity(TableName::Jobs));
    let (before, begun) = (reads(), server.now());
    let later = async {
        while reads() - before < 64 {
            tokio::time::sleep(ms(5)).await;
        }
        tokio::time::sleep(ms(600)).await;
        let unhurried = (reads() - before, server.since(begun));
        server.call(job.id).await;
        unhurried
    };
    let all = join_all((0..64).map(|_| waited(&server, path, "wait=30", None)));
    let (answers, (reads, took)) = tokio::join!(all, later);
    // One look each at arrival, and one every 50 ms for all together, more often at first.
    let most = 64 + 40 + took.as_millis() / 50;
    assert!(u128::from(reads) < most, "{reads} of {most} in {took:?}");
    for (answer, took) in answers {
        assert_eq!(
            answer.json::<JobStatus>().await.unwrap().state,
            State::Running
        );
        assert!(took < ms(25_000), "{took:?}");
    }
}

#[tokio::test]
async fn storage_that_fails_ends_the_wait_with_the_truth() {
    let server = Server::start().await;
    let job = server.submit().await;
    let read = Operation::GetEntity(TableName::Jobs);
    // The first look works, the reader's look fails, the last look fails too.
    server.faults.script(read, 2, Fault::Refuse);
    server.faults.script(read, 3, Fault::Throttle);
    let (response, took) = waited(&server, &job.links.this, "wait=30", None).await;
    problem(response, ProblemKind::Unavailable, "a reader that fails").await;
    assert!(took < ms(20_000), "{took:?}");
    // Once more, with the last look working: early, and true.
    server.faults.script(read, 2, Fault::Refuse);
    let (response, took) = waited(&server, &job.links.this, "wait=30", None).await;
    assert_eq!(
        response.json::<JobStatus>().await.unwrap().state,
        State::Queued
    );
    assert!(took < ms(20_000), "{took:?}");
}
