//! Notifications through the real programs and real HTTP: triggers, deliveries to a sink that
//! behaves badly, what the records say of it, and workers that die on the way.

#![allow(
    clippy::unwrap_used,
    reason = "a test may fail at once, in its helpers too"
)]

mod deliveries;
mod endpoints;
mod hostile;
mod kill;
mod listen;
mod triggers;

use e2e::api::Api;
use e2e::backing::Backing;
use e2e::process::Server;
use e2e::sink::Seen;
use e2e::{eventually, unique_cv};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// What lets a test post to itself, and see retries pass in a moment.
const OPEN: [(&str, &str); 5] = [
    ("model.editor", "offline"),
    ("webhooks.allow_http", "true"),
    ("webhooks.allow_private", "true"),
    // An endpoint that answers late because the machine is busy is not asked a second time.
    ("webhooks.timeout", "20s"),
    ("webhooks.connect_timeout", "10s"),
];

/// Settings over [`OPEN`].
pub(crate) fn open<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    OPEN.iter().chain(more).copied().collect()
}

/// The whole system in one process.
pub(crate) fn serve(backing: &Backing, more: &[(&str, &str)]) -> (Server, Api) {
    let server = Server::start(&mut backing.serve(&open(more)));
    let api = Api::new(&server.url);
    (server, api)
}

/// Makes a webhook; gives its id and its secret.
pub(crate) async fn subscribe(api: &Api, body: Value) -> (String, String) {
    let (status, webhook) = api.post("/v1/webhooks", &body).await.unwrap();
    assert_eq!(status, StatusCode::CREATED, "{webhook:#}");
    let text = |name: &str| webhook[name].as_str().unwrap().to_owned();
    (text("id"), text("secret"))
}

/// Submits a job with labels and all.
pub(crate) async fn submit(api: &Api, number: u64, more: Value) -> String {
    let mut body = json!({"kind": "cv", "input": {"cv": unique_cv(number)}});
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    let (status, job) = api.post("/v1/jobs", &body).await.unwrap();
    assert_eq!(status, StatusCode::ACCEPTED, "{job:#}");
    job["id"].as_str().unwrap().to_owned()
}

/// The deliveries to a webhook, newest first.
pub(crate) async fn deliveries(api: &Api, webhook: &str) -> Vec<Value> {
    let path = format!("/v1/webhooks/{webhook}/deliveries?limit=100");
    let (status, page) = api.get(&path).await.unwrap();
    assert_eq!(status, StatusCode::OK, "{page:#}");
    page["deliveries"].as_array().unwrap().clone()
}

/// Waits until the newest delivery to a webhook is as wanted.
pub(crate) async fn delivery(api: &Api, webhook: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let newest = async || deliveries(api, webhook).await.into_iter().next();
    let what = format!("the delivery to {webhook} is as wanted");
    let found = eventually(&what, newest, |newest| newest.as_ref().is_some_and(&wanted)).await;
    found.unwrap()
}

/// Waits until all deliveries to a webhook have gone well.
pub(crate) async fn delivered(api: &Api, webhook: &str) -> Vec<Value> {
    let all = async || deliveries(api, webhook).await;
    let went_well = |record: &Value| record["state"] == "succeeded";
    let what = format!("all deliveries to {webhook} have gone well");
    eventually(&what, all, |all| all.iter().all(went_well)).await
}

/// Posts, and expects a status; gives the answer, if it is JSON.
pub(crate) async fn post(api: &Api, path: &str, status: StatusCode) -> Value {
    let response = api.request(Method::POST, path).send().await.unwrap();
    assert_eq!(response.status(), status, "{path}");
    response.json().await.unwrap_or(Value::Null)
}

/// Whether a request is signed with a secret.
pub(crate) fn is_signed(seen: &Seen, secret: &str) -> bool {
    let secret = webhook::Secret::parse(secret).unwrap();
    let sent: i64 = seen.header("webhook-timestamp").parse().unwrap();
    let now = jiff::Timestamp::from_second(sent).unwrap();
    webhook::verify(&seen.headers, &seen.body, &[secret], now).is_ok()
}
