//! How many jobs of a tenant may be open.

use std::collections::BTreeMap;

use api_shim::{Admission, Settings};
use futures::future::join_all;
use reqwest::{Response, StatusCode};
use schemas::ProblemKind;
use schemas::job::{BatchOutcomes, JobStatus};
use serde_json::json;

use crate::server::{Server, header, problem, sample, settings};

/// A server where so many jobs of one tenant may be open.
async fn server(limit: u32) -> Server {
    let mut config = config::Config::for_tests();
    config.limits.enabled = config::Limited::On;
    config.limits.anonymous = Some(config::Allowance::Unlimited);
    config.limits.jobs = BTreeMap::from([("anonymous".to_owned(), limit)]);
    let settings = Settings {
        admission: Admission::new(&config),
        ..settings()
    };
    Server::with(settings, |storage| storage).await
}

async fn submit(server: &Server, key: Option<&str>) -> Response {
    let mut request = server.post("/v1/jobs").json(&sample());
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    request.send().await.unwrap()
}

#[tokio::test]
async fn many_requests_at_once_make_no_more_jobs_than_may_be_open() {
    const LIMIT: u32 = 4;
    let server = server(LIMIT).await;
    let answers = join_all((0..40).map(|_| submit(&server, None))).await;
    let count = |status: StatusCode| answers.iter().filter(|it| it.status() == status).count();
    assert_eq!(count(StatusCode::ACCEPTED), LIMIT as usize);
    assert_eq!(count(StatusCode::TOO_MANY_REQUESTS), 36);
}

#[tokio::test]
async fn a_repeat_with_its_key_takes_no_place() {
    let server = server(2).await;
    let first: JobStatus = submit(&server, Some("k-1")).await.json().await.unwrap();
    for _ in 0..3 {
        let again = submit(&server, Some("k-1")).await;
        assert_eq!(header(&again, "idempotency-replayed"), Some("true"));
    }
    let second = submit(&server, Some("k-2")).await;
    assert_eq!(second.status(), StatusCode::ACCEPTED);
    let third = submit(&server, Some("k-3")).await;
    problem(third, ProblemKind::TooManyRequests, "a third job").await;
    // At the limit too.
    let again = submit(&server, Some("k-1")).await;
    assert_eq!(again.status(), StatusCode::ACCEPTED);
    assert_eq!(again.json::<JobStatus>().await.unwrap().id, first.id);
}

#[tokio::test]
async fn a_batch_that_is_repeated_at_the_limit_finds_its_jobs() {
    let server = server(2).await;
    let jobs = json!({ "jobs": [sample(), sample(), sample()] });
    let send = async || {
        let request = server.post("/v1/jobs/batch").json(&jobs);
        let response = request.header("idempotency-key", "k").send().await.unwrap();
        response.json::<BatchOutcomes>().await.unwrap()
    };
    let (first, again) = (send().await, send().await);
    assert_eq!((first.accepted, first.refused), (2, 1));
    assert_eq!((again.accepted, again.refused), (2, 1));
    let ids = |batch: &BatchOutcomes| {
        let jobs = batch
            .outcomes
            .iter()
            .map(|it| it.job.as_ref().map(|job| job.id));
        jobs.collect::<Vec<_>>()
    };
    assert_eq!(ids(&again), ids(&first));
    assert_eq!(again.outcomes.iter().filter(|it| it.replayed).count(), 2);
}
