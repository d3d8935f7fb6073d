//! `POST /v1/jobs/batch`, and jobs that are not to begin yet.

use reqwest::{Response, StatusCode};
use schemas::ProblemKind;
use schemas::job::{BatchOutcomes, JobPage, JobStatus};
use serde_json::{Value, json};
use storage::names::QueueName;

use crate::server::{Server, header, ms, problem, sample};

fn labelled(label: &str) -> Value {
    let mut request = sample();
    request["metadata"] = json!({ "label": label });
    request
}

async fn send(server: &Server, jobs: &Value, key: Option<&str>) -> Response {
    let mut request = server.post("/v1/jobs/batch").json(jobs);
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    request.send().await.unwrap()
}

#[tokio::test]
async fn each_request_of_a_batch_has_its_own_outcome() {
    let server = Server::start().await;
    let mut late = labelled("late");
    late["not_before"] = json!("2999-01-01T00:00:00Z");
    let jobs = json!({"jobs": [
        labelled("first"),
        {"kind": "cv", "input": {"cv": {"full_name": "Ida"}}},
        {"kind": "shoe"},
        7,
        late,
        labelled("last"),
    ]});
    let response = send(&server, &jobs, None).await;
    assert_eq!(response.status(), StatusCode::MULTI_STATUS);
    assert_eq!(header(&response, "cache-control"), Some("no-store"));
    let batch: BatchOutcomes = response.json().await.unwrap();
    assert_eq!((batch.accepted, batch.refused), (2, 4));
    let seen: Vec<_> = batch
        .outcomes
        .iter()
        .map(|it| (it.index, it.status, it.job.is_some(), it.error.is_some()))
        .collect();
    let refused = |index| (index, 400, false, true);
    let accepted = |index| (index, 202, true, false);
    let want = [
        accepted(0),
        refused(1),
        refused(2),
        refused(3),
        refused(4),
        accepted(5),
    ];
    assert_eq!(seen, want);
    let fault = &batch.outcomes[4].error.as_ref().unwrap().errors[0];
    assert_eq!(
        (fault.path.as_str(), fault.code.as_str()),
        ("not_before", "out_of_range")
    );
    let last = batch.outcomes[5].job.as_ref().unwrap();
    assert_eq!(last.metadata["label"], "last");
    let (_, messages, inputs) = server.stored().await;
    assert_eq!((messages, inputs), (2, 2), "what is refused leaves nothing");
}

#[tokio::test]
async fn a_batch_that_is_repeated_makes_what_is_missing() {
    let server = Server::start().await;
    let first = json!({"jobs": [labelled("a"), {"kind": "shoe"}]});
    let again = json!({"jobs": [labelled("a"), labelled("b")]});
    let first: BatchOutcomes = send(&server, &first, Some("k-1"))
        .await
        .json()
        .await
        .unwrap();
    let again: BatchOutcomes = send(&server, &again, Some("k-1"))
        .await
        .json()
        .await
        .unwrap();
    let id = |batch: &BatchOutcomes, at: usize| batch.outcomes[at].job.as_ref().map(|job| job.id);
    assert_eq!(id(&first, 0), id(&again, 0));
    assert!(again.outcomes[0].replayed && !again.outcomes[1].replayed);
    assert!(id(&first, 1).is_none() && id(&again, 1).is_some());
    let other = json!({"jobs": [labelled("c")]});
    let other: BatchOutcomes = send(&server, &other, Some("k-1"))
        .await
        .json()
        .await
        .unwrap();
    let error = other.outcomes[0].error.as_ref().unwrap();
    assert_eq!(error.kind, ProblemKind::IdempotencyKeyReused);
}

#[tokio::test]
async fn batches_have_bounds() {
    let server = Server::start().await;
    for (count, fine) in [(0, false), (100, true), (101, false)] {
        let jobs = json!({ "jobs": vec![json!({}); count] });
        let response = send(&server, &jobs, None).await;
        if fine {
            assert_eq!(response.status(), StatusCode::MULTI_STATUS);
        } else {
            problem(response, ProblemKind::InvalidRequest, "count").await;
        }
    }
    for body in [
        json!([]),
        json!({"jobs": {}}),
        json!({"jobs": [], "more": 1}),
        json!(1),
    ] {
        let response = send(&server, &body, None).await;
        problem(response, ProblemKind::MalformedBody, &body.to_string()).await;
    }
    server.assert_nothing_stored("batches of nothing").await;
}

#[tokio::test]
async fn a_job_waits_for_its_time_on_the_queue() {
    let server = Server::start().await;
    let at = async |time: jiff::Timestamp| -> JobStatus {
        let mut later = sample();
        later["not_before"] = json!(time);
        let response = server.post("/v1/jobs").json(&later).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::ACCEPTED);
        response.json().await.unwrap()
    };
    let peek = async || {
        let queue = &server.jobs.storage().queue;
        queue.peek(QueueName::Jobs, 1).await.unwrap().len()
    };
    let time = server.wall_clock() + ms(3_600_000);
    assert_eq!(at(time).await.not_before, Some(time));
    assert_eq!(peek().await, 0, "the message is there and not visible");
    assert_eq!(server.stored().await.1, 1);
    let time = server.wall_clock() + ms(1_500);
    at(time).await;
    while peek().await == 0 {
        tokio::time::sleep(ms(20)).await;
    }
    assert!(server.wall_clock() >= time);

    // A time that has passed is no delay; more than six days are refused.
    let mut past = sample();
    past["not_before"] = json!("2020-01-01T00:00:00Z");
    let response = server.post("/v1/jobs").json(&past).send().await.unwrap();
    let past: JobStatus = response.json().await.unwrap();
    assert_eq!(past.not_before, None);
    for wrong in [
        json!(time + ms(6 * 86_400_000 + 120_000)),
        json!("tomorrow"),
        json!(7),
    ] {
        let mut late = sample();
        late["not_before"] = wrong.clone();
        let response = server.post("/v1/jobs").json(&late).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{wrong}");
    }
    let page: JobPage = server
        .get("/v1/jobs")
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(page.jobs.len(), 3);
}
