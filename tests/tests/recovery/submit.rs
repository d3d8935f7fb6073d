//! The shim dies while it takes a job, before and after each thing that it stores; the client
//! repeats its request with the same key. One job, one call.

use e2e::api::Api;
use e2e::backing::{Backing, DEADLINE};
use e2e::process::Server;
use e2e::unique_cv;
use reqwest::{Method, StatusCode};
use schemas::Tenant;
use serde_json::{Value, json};
use storage::failpoints::SUBMIT;
use storage::jobs::JobFilter;
use storage::names::{Container, QueueName};

use super::System;

e2e::on_both_storages!(
    a_client_that_repeats_its_key_has_one_job_wherever_the_shim_died,
    an_answer_lost_on_the_way_loses_no_job,
);

/// Posts a job with an idempotency key; `None` if nobody answers.
async fn post(api: &Api, key: u64) -> Option<(StatusCode, Value)> {
    let body = json!({"kind": "cv", "input": {"cv": unique_cv(key)}});
    let request = api.request(Method::POST, "/v1/jobs").json(&body);
    let request = request.header("idempotency-key", format!("\"key-{key}\""));
    let answer = request.send().await.ok()?;
    let status = answer.status();
    Some((status, answer.json().await.ok()?))
}

/// Every job of the store, and every input blob.
async fn stored(system: &System) -> (usize, usize) {
    let tenant = Tenant::anonymous();
    let filter = JobFilter::default();
    let listed = system
        .store
        .list(&tenant, &filter, 100, None)
        .await
        .unwrap();
    let jobs = listed.unwrap().jobs;
    let blobs = &system.store.storage().blobs;
    let inputs = blobs.list(Container::JobInputs, "", 100, None).await;
    (jobs.len(), inputs.unwrap().blobs.len())
}

fn armed(system: &System, point: &str) -> Server {
    let mut command = system.backing.part("api-shim", &[]);
    command.env("FAILPOINTS", point);
    Server::start(&mut command)
}

async fn a_client_that_repeats_its_key_has_one_job_wherever_the_shim_died(backing: Backing) {
    let system = System::start(backing, json!({})).await;
    let (mut number, mut orphans) = (0, 0);
    let mut ids = Vec::new();
    for name in SUBMIT {
        for when in ["before", "after"] {
            number += 1;
            let point = format!("{name}:{when}");
            let shim = armed(&system, &format!("{point}=1*return(kill)"));
            let answer = post(&Api::new(&shim.url), number).await;
            assert!(answer.is_none(), "{point}: {answer:?}");
            shim.gone().await;
            let (status, job) = post(&system.api, number).await.unwrap();
            assert_eq!(status, StatusCode::ACCEPTED, "{point}: {job:#}");
            ids.push(job["id"].as_str().unwrap().to_owned());
            // A blob that was stored before its job was known to anybody stays: nothing refers
            // to it, and nothing was paid.
            orphans += usize::from(
                ["submit:put_input:after", "submit:insert:before"].contains(&point.as_str()),
            );
            let jobs = ids.len();
            assert_eq!(stored(&system).await, (jobs, jobs + orphans), "{point}");
        }
    }
    // A shim that died after the insert leaves at most one message more than there are jobs.
    let queue = &system.store.storage().queue;
    assert!(queue.count(QueueName::Jobs).await.unwrap() >= ids.len() as u64);
    // Such a message may have to wait for the deadline of a call.
    let _worker = system.worker(&DEADLINE, "");
    for id in &ids {
        let job = system.api.ended(id).await.unwrap();
        assert_eq!(
            (&job["state"], &job["model_calls"]),
            (&json!("succeeded"), &json!(1)),
            "{job:#}"
        );
    }
    assert_eq!(system.model.counters().received, ids.len() as u64);
    system.settled().await;
}

/// Without a crash: each effect takes place, and storage does not say so.
async fn an_answer_lost_on_the_way_loses_no_job(backing: Backing) {
    let system = System::start(backing, json!({})).await;
    let mut ids = Vec::new();
    for (number, name, first) in [
        // Nothing was accepted, and the client is told so.
        (11, SUBMIT[0], StatusCode::SERVICE_UNAVAILABLE),
        (12, SUBMIT[1], StatusCode::ACCEPTED),
        (13, SUBMIT[2], StatusCode::ACCEPTED),
    ] {
        let shim = armed(&system, &format!("{name}:after=1*return(lost)"));
        let api = Api::new(&shim.url);
        let (status, _) = post(&api, number).await.unwrap();
        assert_eq!(status, first, "{name}");
        let (status, job) = post(&api, number).await.unwrap();
        assert_eq!(status, StatusCode::ACCEPTED, "{name}: {job:#}");
        ids.push(job["id"].as_str().unwrap().to_owned());
        assert_eq!(stored(&system).await.0, ids.len(), "{name}");
    }
    let _worker = system.worker(&[], "");
    for id in &ids {
        let job = system.api.ended(id).await.unwrap();
        assert_eq!(job["state"], "succeeded", "{job:#}");
    }
    assert_eq!(system.model.counters().received, ids.len() as u64);
}
