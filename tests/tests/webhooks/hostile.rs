//! One endpoint for each way to misbehave, all told of the same job: what each saw, what its record
//! says, and that none delays another.

use std::time::Duration;

use e2e::backing::Backing;
use e2e::sink::Sink;
use serde_json::json;

use super::{delivery, serve, submit, subscribe};

e2e::on_both_storages!(endpoints_that_misbehave_are_recorded_and_delay_nobody);

/// Behaviour, status, beginning of the error.
const TABLE: [(&str, Option<u16>, &str); 10] = [
    ("hang", None, "timeout"),
    ("reset", None, "reset"),
    ("garbage", None, "garbage"),
    ("redirect", Some(307), "redirect: HTTP 307"),
    ("status/500", Some(500), "refused: HTTP 500"),
    ("status/404", Some(404), "refused: HTTP 404"),
    ("status/301", Some(301), "redirect: HTTP 301"),
    ("status/304", Some(304), "redirect: HTTP 304"),
    ("later/7", Some(503), "refused: HTTP 503"),
    ("wait/20000", None, "timeout"),
];

async fn endpoints_that_misbehave_are_recorded_and_delay_nobody(backing: Backing) {
    let sink = Sink::start().await;
    // An idle queue in Azure is looked at every two seconds, which is not what is measured here.
    let settings = [
        ("worker.poll_max", "100ms"),
        ("webhooks.timeout", "10s"),
        ("webhooks.connect_timeout", "9s"),
    ];
    let (_server, api) = serve(&backing, &settings);
    let event = json!(["job.succeeded"]);
    let mut bad = Vec::new();
    for (path, ..) in TABLE {
        let body = json!({"url": sink.url(path), "events": event});
        bad.push(subscribe(&api, body).await.0);
    }
    // Nobody listens there, nor can anybody else, and nobody speaks TLS here.
    let silent = tokio::net::TcpSocket::new_v4().unwrap();
    silent.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let port = silent.local_addr().unwrap().port();
    let closed = json!({"url": format!("http://127.0.0.1:{port}/"), "events": event});
    let closed = subscribe(&api, closed).await.0;
    let tls = sink.url("ok/tls").replace("http://", "https://");
    let tls = subscribe(&api, json!({"url": tls, "events": event}))
        .await
        .0;
    let (big, _) = subscribe(&api, json!({"url": sink.url("big"), "events": event})).await;
    let (good, _) = subscribe(&api, json!({"url": sink.url("ok/good"), "events": event})).await;
    let job = submit(&api, 1, json!({})).await;
    let ended = api.ended(&job).await.unwrap();
    assert_eq!(ended["state"], "succeeded");
    let begun = sink.now();
    let told = sink.wait("ok/good", 1).await.pop().unwrap();
    // Two of those before it hang for ten seconds each.
    assert!(
        told.at.saturating_sub(begun) < Duration::from_secs(18),
        "hanging endpoints delay others"
    );
    delivery(&api, &good, |record| record["state"] == "succeeded").await;

    for (id, (path, status, error)) in bad.iter().zip(TABLE) {
        let record = delivery(&api, id, |record| record["attempts"][0].is_object()).await;
        let attempt = &record["attempts"][0];
        assert_eq!(
            attempt.get("status"),
            status.map(|status| json!(status)).as_ref(),
            "{path}: {record:#}"
        );
        let said = attempt["error"].as_str().unwrap();
        assert!(said.starts_with(error), "{path}: {said}");
        assert_eq!(record["state"], "pending", "{path}");
        assert!(record["next_attempt_at"].is_string(), "{path}");
        assert!(sink.count(path) >= 1, "{path}");
    }
    assert_eq!(sink.count("ok/redirected"), 0, "no redirect is followed");
    // `Retry-After` is longer than the schedule's five seconds.
    let later = delivery(&api, &bad[8], |record| record["attempts"][0].is_object()).await;
    let time =
        |value: &serde_json::Value| -> jiff::Timestamp { value.as_str().unwrap().parse().unwrap() };
    let pause = time(&later["next_attempt_at"]).duration_since(time(&later["attempts"][0]["at"]));
    assert!(pause.as_secs() >= 7, "{later:#}");
    let record = delivery(&api, &closed, |record| record["attempts"][0].is_object()).await;
    assert!(
        record["attempts"][0]["error"]
            .as_str()
            .unwrap()
            .starts_with("connect"),
        "{record:#}"
    );
    let record = delivery(&api, &tls, |record| record["attempts"][0].is_object()).await;
    assert!(
        record["attempts"][0]["error"]
            .as_str()
            .unwrap()
            .starts_with("tls"),
        "{record:#}"
    );
    // A film for an answer is a 2xx all the same; what is kept of it is 1 KB.
    let record = delivery(&api, &big, |record| record["state"] == "succeeded").await;
    assert_eq!(
        record["attempts"][0]["response"].as_str().unwrap().len(),
        1024
    );
}
