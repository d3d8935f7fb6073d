//! What sets a notification off: the written blob, a message that Event Grid put on the queue, an
//! event that it posted; and, if all of them are lost, the job's own row.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use e2e::api::Api;
use e2e::backing::{BACK_SOON, Backing};
use e2e::eventually;
use e2e::process::Server;
use e2e::sink::Sink;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use storage::names::QueueName;

use super::{deliveries, is_signed, open, serve, submit, subscribe};

e2e::on_both_storages!(
    a_written_blob_is_told_to_who_asked,
    a_message_of_event_grid_is_taken_in_every_form,
    an_event_that_event_grid_posts_is_taken,
    an_event_that_is_lost_is_made_up_for,
    ends_without_a_blob_are_told_too,
);

const CLOUD_EVENT: &str = include_str!("../../data/eventgrid/cloud-event.json");
const GRID_EVENT: &str = include_str!("../../data/eventgrid/event-grid.json");
const SECRET: &str = "a-secret-of-event-grid";

async fn a_written_blob_is_told_to_who_asked(backing: Backing) {
    let sink = Sink::start().await;
    let (_server, api) = serve(&backing, &[]);
    let (webhook, secret) = subscribe(&api, json!({"url": sink.url("ok/a")})).await;
    assert!(secret.starts_with("whsec_"), "{secret}");
    let labels = json!({"metadata": {"team": "north", "text": "ü\u{1}\"\\"}});
    let job = submit(&api, 1, labels.clone()).await;

    let seen = sink.wait("ok/a", 4).await;
    let events: Vec<_> = seen.iter().map(e2e::sink::Seen::json).collect();
    let of = |kind: &str| events.iter().find(|event| event["type"] == kind).unwrap();
    for event in &events {
        assert_eq!(event["specversion"], "1.0");
        assert_eq!(event["subject"], format!("jobs/{job}"));
        assert_eq!(event["data"]["job_id"], job.as_str());
        assert_eq!(event["data"]["metadata"], labels["metadata"]);
    }
    assert_eq!(of("job.queued")["data"]["state"], "queued");
    assert_eq!(of("job.running")["data"]["state"], "running");
    let done = of("job.succeeded");
    let (_, status) = api.get(&format!("/v1/jobs/{job}")).await.unwrap();
    assert_eq!(done["data"]["links"]["result"], status["links"]["result"]);
    let documents = &of("document.created")["data"]["documents"];
    assert_eq!(documents[0]["sha256"], status["result"]["sha256"]);
    for (seen, event) in seen.iter().zip(&events) {
        assert!(is_signed(seen, &secret));
        assert_eq!(seen.header("webhook-id"), event["id"]);
        assert_eq!(seen.header("content-type"), "application/json");
        // Thin: nothing of the person.
        let text = String::from_utf8_lossy(&seen.body);
        for private in ["Candidate", "file_name", ".pdf\""] {
            assert!(!text.contains(private), "{text}");
        }
    }
    let other = webhook::Secret::generate([7; 32]).to_text();
    assert!(!is_signed(&seen[0], &other));

    let mut made: Vec<_> = deliveries(&api, &webhook).await;
    made.retain(|delivery| delivery["state"] == "succeeded");
    for delivery in &made {
        assert_eq!(delivery["attempts"][0]["status"], 200);
        assert_eq!(delivery["attempts"][0]["response"], "ok says 200");
    }
}

/// A job that has ended, and whose event was lost: the worker died before it told anybody, and the
/// message is gone. Gives the front and the path of its blob.
async fn untold(
    backing: &Backing,
    sink: &Sink,
    settings: &[(&str, &str)],
) -> (Server, Api, String) {
    let settings = open(settings);
    let front = Server::start(&mut backing.part("api-shim", &settings));
    let api = Api::new(&front.url);
    let events = json!({"url": sink.url("ok"), "events": ["job.succeeded"]});
    subscribe(&api, events).await;
    let job = submit(&api, 1, json!({})).await;
    let mut doomed = backing.part("worker", &[&settings[..], &BACK_SOON].concat());
    doomed.env("FAILPOINTS", "notify:put:before=return(kill)");
    let doomed = Server::spawn(&mut doomed);
    doomed.gone().await;
    // Its last message was killed with it; now it is taken away as well.
    let queue = backing.storage().await.queue;
    for name in [QueueName::Jobs, QueueName::Notifications] {
        let taken = async || {
            let lease = Duration::from_mins(1);
            for message in queue.receive(name, 32, lease).await.unwrap() {
                queue.delete(name, &message.lease).await.unwrap();
            }
            queue.count(name).await.unwrap()
        };
        eventually("the queue is empty", taken, |left| *left == 0).await;
    }
    let ended = api.ended(&job).await.unwrap();
    assert_eq!(ended["state"], "succeeded");
    assert_eq!(sink.count("ok"), 0);
    (front, api, format!("anonymous/{job}.pdf"))
}

/// So long that nothing is made up for within a test.
const PATIENT: [(&str, &str); 2] = [
    ("worker.idle_before_requeue", "10m"),
    ("webhooks.event_grid_secret", SECRET),
];

async fn a_message_of_event_grid_is_taken_in_every_form(backing: Backing) {
    let sink = Sink::start().await;
    let (_front, _api, path) = untold(&backing, &sink, &PATIENT).await;
    let cloud = CLOUD_EVENT.replace("{path}", &path);
    let grid = GRID_EVENT.replace("{path}", &path);
    let queue = backing.storage().await.queue;
    let bodies = [
        STANDARD.encode(&cloud),
        cloud.clone(),
        grid.clone(),
        STANDARD.encode(format!("[{grid}]")),
        format!("[{cloud},{grid}]"),
    ];
    for body in &bodies {
        let sent = queue.send(QueueName::Notifications, body, Duration::ZERO);
        sent.await.unwrap();
    }
    let foreign = [
        cloud.replace("cv-pdfs", "elsewhere"),
        cloud.replace("\"1.0\"", "\"7.0\""),
        cloud.replace("BlobCreated", "BlobDeleted"),
        "hello".to_owned(),
    ];
    for body in &foreign {
        let sent = queue.send(QueueName::Notifications, body, Duration::ZERO);
        sent.await.unwrap();
    }
    let _worker = Server::spawn(&mut backing.part("worker", &open(&PATIENT)));
    sink.wait("ok", 1).await;
    let left = async || queue.count(QueueName::Notifications).await.unwrap();
    eventually("every event is handled", left, |left| *left == 0).await;
    // Five events of one blob are one notification; what is foreign is set aside.
    assert_eq!(sink.count("ok"), 1);
    let aside = queue.count(QueueName::NotificationsPoison).await.unwrap();
    assert_eq!(aside, foreign.len() as u64);
}

async fn an_event_that_event_grid_posts_is_taken(backing: Backing) {
    let sink = Sink::start().await;
    let (_front, api, path) = untold(&backing, &sink, &PATIENT).await;
    let hook = "/v1/hooks/eventgrid";
    let send = async |path: &str, body: String| {
        let post = api.request(Method::POST, path).body(body);
        let response = post.header("content-type", "application/json").send();
        let response = response.await.unwrap();
        let status = response.status();
        (
            status,
            response.json::<Value>().await.unwrap_or(Value::Null),
        )
    };
    let body = format!("[{}]", GRID_EVENT.replace("{path}", &path));
    let queue = backing.storage().await.queue;
    for wrong in [hook.to_owned(), format!("{hook}?secret=guessed")] {
        let (status, _) = send(&wrong, body.clone()).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{wrong}");
    }
    let right = format!("{hook}?secret={SECRET}");
    for malformed in ["", "[]", "{}", "[7]", "\u{1}"] {
        let (status, problem) = send(&right, malformed.to_owned()).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{malformed}: {problem:#}");
    }
    let (status, _) = send(&right, "x".repeat(2_000_000)).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(queue.count(QueueName::Notifications).await.unwrap(), 0);

    // Event Grid's own handshake, and that of CloudEvents.
    let validation = json!([{
        "id": "2d1781af-3a4c-4d7c-bd0c-e34b19da4e66", "topic": "/subscriptions/0", "subject": "",
        "data": {"validationCode": "512d38b6-c7b8-40c8-89fe-f46f9e9622b6"},
        "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent",
        "eventTime": "2026-11-21T08:00:00Z", "metadataVersion": "1", "dataVersion": "1",
    }]);
    let (status, answer) = send(&right, validation.to_string()).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(
        answer["validationResponse"],
        "512d38b6-c7b8-40c8-89fe-f46f9e9622b6"
    );
    let ask = |path: &str| {
        let ask = api.request(Method::OPTIONS, path);
        let ask = ask.header("WebHook-Request-Origin", "eventgrid.azure.net");
        ask.header("WebHook-Request-Rate", "120").send()
    };
    let response = ask(&right).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let allowed = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(allowed("webhook-allowed-origin"), "eventgrid.azure.net");
    assert_eq!(allowed("webhook-allowed-rate"), "*");
    assert_eq!(ask(hook).await.unwrap().status(), StatusCode::UNAUTHORIZED);

    let (status, _) = send(&right, body).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(queue.count(QueueName::Notifications).await.unwrap(), 1);
    let _worker = Server::spawn(&mut backing.part("worker", &open(&PATIENT)));
    let seen = sink.wait("ok", 1).await;
    assert_eq!(seen[0].json()["type"], "job.succeeded");
}

async fn an_event_that_is_lost_is_made_up_for(backing: Backing) {
    let sink = Sink::start().await;
    let (front, _api, _path) = untold(&backing, &sink, &[]).await;
    front.kill();
    let _worker = Server::spawn(&mut backing.part("worker", &open(&[])));
    let seen = sink.wait("ok", 1).await;
    assert_eq!(seen[0].json()["type"], "job.succeeded");
}

async fn ends_without_a_blob_are_told_too(backing: Backing) {
    let sink = Sink::start().await;
    let settings = open(&[("worker.expire_after", "1s")]);
    let front = Server::start(&mut backing.part("api-shim", &settings));
    let api = Api::new(&front.url);
    subscribe(
        &api,
        json!({"url": sink.url("ok"), "events": ["job.cancelled", "job.expired"]}),
    )
    .await;
    let stopped = submit(&api, 1, json!({})).await;
    super::post(&api, &format!("/v1/jobs/{stopped}/cancel"), StatusCode::OK).await;
    let late = submit(&api, 2, json!({})).await;
    tokio::time::sleep(Duration::from_millis(2_100)).await;
    let _worker = Server::spawn(&mut backing.part("worker", &settings));
    let seen = sink.wait("ok", 2).await;
    let mut told: Vec<_> = seen
        .iter()
        .map(|seen| {
            let event = seen.json();
            (event["type"].clone(), event["data"]["job_id"].clone())
        })
        .collect();
    told.sort_by_key(|(kind, _)| kind.to_string());
    assert_eq!(
        told,
        [
            (json!("job.cancelled"), json!(stopped)),
            (json!("job.expired"), json!(late)),
        ]
    );
}
