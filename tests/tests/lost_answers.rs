//! Lost acknowledgements between the programs and Azurite: a third of all writes of tables,
//! queues and blobs take effect and their answers never come. No job is lost, paid twice or left open.

#![allow(
    clippy::unwrap_used,
    reason = "a test may fail at once, in its helpers too"
)]

use std::time::Duration;

use e2e::api::Api;
use e2e::backing::Backing;
use e2e::process::{Server, with_model};
use e2e::unique_cv;
use openai::fake::{Script, Server as Fake};
use reqwest::{Method, StatusCode};
use schemas::Tenant;
use serde_json::{Value, json};
use storage::azurite::proxy::Proxy;
use storage::names::QueueName;

const JOBS: u64 = 30;

#[tokio::test(flavor = "multi_thread")]
async fn a_third_of_all_writes_lose_their_answers() {
    let mut backing = Backing::azurite();
    let proxy = Proxy::to(backing.azurite_mut().ports()).await;
    backing.through(proxy.ports);
    let model = Fake::start(([127, 0, 0, 1], 0).into(), Script::default()).unwrap();
    let shim = Server::start(&mut backing.part("api-shim", &[]));
    let mut command = backing.part("worker", &[]);
    with_model(&mut command, &model.base_url());
    let _worker = Server::spawn(&mut command);
    proxy.lose_answers(true);

    let api = Api::new(&shim.url);
    let mut ids = Vec::new();
    for number in 0..JOBS {
        ids.push(submit(&api, number).await);
    }
    for id in &ids {
        let job = api.ended(id).await.unwrap();
        assert_eq!(job["state"], "succeeded", "{job:#}");
    }
    let lost = proxy.lost();
    assert!(lost as u64 > JOBS, "only {lost} answers were lost");
    let counters = model.counters();
    assert_eq!(
        (counters.accepted, counters.repeated),
        (JOBS, 0),
        "{counters:?}"
    );

    proxy.lose_answers(false);
    settle(&backing).await;
    println!("{JOBS} jobs, {lost} answers lost: {counters:?}");
}

/// As a client does whose request failed: again, with the same key.
async fn submit(api: &Api, number: u64) -> String {
    let body = json!({"kind": "cv", "input": {"cv": unique_cv(number)}});
    for _ in 0..50 {
        let post = api.request(Method::POST, "/v1/jobs").json(&body);
        let response = post
            .header("Idempotency-Key", format!("job-{number}"))
            .send()
            .await
            .unwrap();
        if response.status() == StatusCode::ACCEPTED {
            let job: Value = response.json().await.unwrap();
            return job["id"].as_str().unwrap().to_owned();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("job {number} was never accepted");
}

/// No message, no poison and no marker is left.
async fn settle(backing: &Backing) {
    let jobs = backing.jobs().await;
    let queue = &jobs.storage().queue;
    let mut left = String::new();
    for _ in 0..500 {
        let messages = queue.count(QueueName::Jobs).await.unwrap();
        let poison = queue.count(QueueName::JobsPoison).await.unwrap();
        let (open, _, _) = jobs.open_jobs(&Tenant::anonymous(), None).await.unwrap();
        left = format!(
            "{messages} messages, {poison} poison, {} markers",
            open.len()
        );
        if messages + poison == 0 && open.is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("left after 25 s: {left}");
}
