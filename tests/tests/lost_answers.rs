//! Lost acknowledgements between the programs and Azurite: a third of all writes of tables,
//! queues and blobs take effect and their answers never come. No job is lost, paid twice or left open.

#![allow(
    clippy::unwrap_used,
    reason = "a test may fail at once, in its helpers too"
)]

use e2e::api::Api;
use e2e::backing::{BACK_SOON, Backing, Left, left};
use e2e::process::{Server, with_model};
use e2e::system::fake;
use e2e::{eventually, unique_cv};
use futures::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use storage::azurite::proxy::Proxy;

const JOBS: u64 = 30;

/// Submitted together: each waits for leases that were lost, and the machine for all of them.
const AT_ONCE: u64 = 6;

/// A message comes back whenever the answer about its lease is lost: that often no job is poison.
const FORGIVING: [(&str, &str); 2] = [("worker.max_dequeues", "50"), ("model.timeout", "6s")];

#[tokio::test(flavor = "multi_thread")]
async fn a_third_of_all_writes_lose_their_answers() {
    let mut backing = Backing::azurite();
    let proxy = Proxy::to(backing.azurite_mut().ports()).await;
    backing.through(proxy.ports);
    let model = fake(json!({}));
    let shim = Server::start(&mut backing.part("api-shim", &[]));
    let mut command = backing.part("worker", &[&BACK_SOON[..], &FORGIVING].concat());
    with_model(&mut command, &model.base_url());
    let _worker = Server::spawn(&mut command);
    proxy.lose_answers(true);

    let api = Api::new(&shim.url);
    for first in (0..JOBS).step_by(usize::try_from(AT_ONCE).unwrap()) {
        let jobs = first..first + AT_ONCE;
        for id in join_all(jobs.map(|number| submit(&api, number))).await {
            let job = api.ended(&id).await.unwrap();
            assert_eq!(job["state"], "succeeded", "{job:#}");
        }
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
    let store = backing.jobs().await;
    let left = async || left(&store).await;
    eventually("nothing is left", left, |left| *left == Left::default()).await;
    println!("{JOBS} jobs, {lost} answers lost: {counters:?}");
}

/// As a client does whose request failed: again, with the same key.
async fn submit(api: &Api, number: u64) -> String {
    let body = json!({"kind": "cv", "input": {"cv": unique_cv(number)}});
    let posted = async || {
        let post = api.request(Method::POST, "/v1/jobs").json(&body);
        let response = post
            .header("Idempotency-Key", format!("job-{number}"))
            .send()
            .await
            .unwrap();
        let status = response.status();
        (status, response.json::<Value>().await.unwrap())
    };
    let what = format!("job {number} is accepted");
    let accepted = |(status, _): &(StatusCode, Value)| *status == StatusCode::ACCEPTED;
    let (_, job) = eventually(&what, posted, accepted).await;
    job["id"].as_str().unwrap().to_owned()
}
