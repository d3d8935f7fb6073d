//! Batches, jobs that wait for their time, and the list, with a worker at work.

#![allow(
    clippy::unwrap_used,
    reason = "a test may fail at once, in its helpers too"
)]

use std::time::Duration;

use e2e::api::Api;
use e2e::backing::Backing;
use e2e::system::System;
use e2e::unique_cv;
use jiff::Timestamp;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use storage::Clock as _;
use storage::ambient::System as Ambient;

e2e::on_both_storages!(
    a_batch_is_made_and_listed_by_what_became_of_it,
    a_job_is_not_begun_before_its_time,
);

async fn listed(api: &Api, query: &str) -> Vec<Value> {
    let (mut found, mut path) = (Vec::new(), format!("/v1/jobs?limit=7&{query}"));
    loop {
        let (status, page) = api.get(&path).await.unwrap();
        assert_eq!(status, StatusCode::OK, "{page:#}");
        found.extend(page["jobs"].as_array().unwrap().iter().cloned());
        let Some(cursor) = page["next_cursor"].as_str() else {
            return found;
        };
        path = format!("/v1/jobs?limit=7&{query}&cursor={cursor}");
    }
}

async fn a_batch_is_made_and_listed_by_what_became_of_it(backing: Backing) {
    let system = System::start(backing, json!({}), &[]);
    let begun = Ambient::new().now();
    let mut jobs: Vec<_> = (0..20)
        .map(|number| json!({"kind": "cv", "input": {"cv": unique_cv(number)}, "metadata": {"n": number.to_string()}}))
        .collect();
    jobs.push(json!({"kind": "cv", "input": {"cv": {}}}));
    let time = begun + Duration::from_hours(1);
    jobs.push(json!({"kind": "cover_letter", "input": {"cv": unique_cv(0)}, "not_before": time}));
    let send = async || {
        let request = system.api.request(Method::POST, "/v1/jobs/batch");
        let request = request.header("idempotency-key", "batch-1");
        let answer = request.json(&json!({ "jobs": jobs })).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::MULTI_STATUS);
        answer.json::<Value>().await.unwrap()
    };
    let made = send().await;
    assert_eq!(
        (&made["accepted"], &made["refused"]),
        (&json!(21), &json!(1)),
        "{made:#}"
    );
    let id = |batch: &Value, at: usize| {
        batch["outcomes"][at]["job"]["id"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    for at in 0..20 {
        let job = system.api.ended(&id(&made, at)).await.unwrap();
        assert_eq!(job["state"], "succeeded", "{job:#}");
        assert_eq!(job["metadata"]["n"], at.to_string());
    }
    let again = send().await;
    assert_eq!(id(&again, 3), id(&made, 3));
    assert_eq!(system.model.counters().accepted, 20);

    let count = async |query: &str, want: usize| {
        let found = listed(&system.api, query).await;
        assert_eq!(found.len(), want, "{query}");
    };
    count("", 21).await;
    count("state=succeeded", 20).await;
    count("state=queued", 1).await;
    count("kind=cover_letter", 1).await;
    count("kind=cv&state=queued,running", 0).await;
    count(&format!("created_from={begun}"), 21).await;
    count(&format!("created_to={begun}"), 0).await;
}

async fn a_job_is_not_begun_before_its_time(backing: Backing) {
    let system = System::start(backing, json!({}), &[]);
    // Queues of Azure count in whole seconds.
    let time = Ambient::new().now() + Duration::from_secs(3);
    let body = json!({"kind": "cv", "input": {"cv": unique_cv(1)}, "not_before": time});
    let (status, job) = system.api.post("/v1/jobs", &body).await.unwrap();
    assert_eq!(status, StatusCode::ACCEPTED, "{job:#}");
    let id = job["id"].as_str().unwrap();
    // Rounds of the reconciler pass meanwhile, and put nothing back that is not to begin.
    let job = system.api.ended(id).await.unwrap();
    assert_eq!(job["state"], "succeeded", "{job:#}");
    let finished: Timestamp = job["finished_at"].as_str().unwrap().parse().unwrap();
    assert!(finished >= time, "{job:#}");
    assert_eq!(system.model.counters().received, 1);
    // One that waits can be cancelled.
    let later = json!({"kind": "cv", "input": {"cv": unique_cv(2)}, "not_before": time + Duration::from_hours(1)});
    let (_, job) = system.api.post("/v1/jobs", &later).await.unwrap();
    let cancel = format!("/v1/jobs/{}/cancel", job["id"].as_str().unwrap());
    let (status, job) = system.api.post(&cancel, &json!({})).await.unwrap();
    assert_eq!(
        (status, &job["state"]),
        (StatusCode::OK, &json!("cancelled"))
    );
}
