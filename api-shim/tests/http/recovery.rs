//! Calls of unknown outcome: the owner's consent to pay again, and the provider's webhook.

use jiff::SignedDuration;
use reqwest::StatusCode;
use schemas::message::{QueueMessage, ReplyMessage};
use schemas::{JobId, Problem, ProblemKind};
use serde_json::{Value, json};
use storage::jobs::{Ending, RowState};
use storage::names::QueueName;
use webhook::Secret;

use crate::server::{Server, ms, problem, settings};

/// What the provider signs with.
fn shared() -> Secret {
    Secret::generate([7; 32])
}

async fn hold(server: &Server, id: JobId) {
    let calling = server.call(id).await;
    let unknown = Problem::new(
        ProblemKind::OutcomeUnknown,
        "Nobody knows what became of it.",
    );
    let ending = Ending::OutcomeUnknown(unknown, None);
    server.jobs.finish(&calling, ending, None).await.unwrap();
}

#[tokio::test]
async fn consent_queues_a_held_job_again() {
    let server = Server::start().await;
    let id = server.submit().await.id;
    hold(&server, id).await;
    let (_, messages, _) = server.stored().await;
    let response = server.post(&format!("/v1/jobs/{id}/retry")).send().await;
    let response = response.unwrap();
    assert_eq!(response.status(), StatusCode::ACCEPTED);
    let job: Value = response.json().await.unwrap();
    assert_eq!(
        (&job["state"], &job["error"]),
        (&json!("queued"), &Value::Null)
    );
    let row = server.loaded(id).await.row;
    assert_eq!((row.state, row.consents), (RowState::Queued, 1));
    assert_eq!(server.stored().await.1, messages + 1);
}

#[tokio::test]
async fn no_other_state_takes_consent() {
    let server = Server::start().await;
    let queued = server.submit().await.id;
    let calling = server.submit().await.id;
    server.call(calling).await;
    let succeeded = server.submit().await.id;
    server.succeed(succeeded, b"%PDF-1.7").await;
    for id in [queued, calling, succeeded] {
        let before = server.loaded(id).await.row;
        let response = server.post(&format!("/v1/jobs/{id}/retry")).send().await;
        problem(
            response.unwrap(),
            ProblemKind::Conflict,
            &format!("{:?}", before.state),
        )
        .await;
        assert_eq!(server.loaded(id).await.row, before);
    }
    let nobody = "/v1/jobs/01900000-0000-7000-8000-000000000001/retry";
    let response = server.post(nobody).send().await.unwrap();
    problem(response, ProblemKind::NotFound, "no such job").await;
}

async fn hooked() -> Server {
    let mut settings = settings();
    settings.webhook = Some(shared());
    Server::with(settings, |storage| storage).await
}

/// Posts an event, signed with a secret at a time so many seconds off.
async fn post(server: &Server, event: &Value, secret: Secret, late: i64) -> reqwest::Response {
    let (id, body) = ("wh_1", event.to_string());
    let sent = server.wall_clock() - SignedDuration::from_secs(late);
    let signature = webhook::sign(id, sent, body.as_bytes(), &[secret]);
    let request = server.post("/v1/hooks/openai");
    let request = request
        .header("content-type", "application/json")
        .header("webhook-id", id)
        .header("webhook-timestamp", sent.as_second().to_string())
        .header("webhook-signature", signature);
    request.body(body).send().await.unwrap()
}

fn event(kind: &str, id: &str) -> Value {
    json!({"object": "event", "id": "evt_1", "type": kind, "created_at": 1, "data": {"id": id}})
}

#[tokio::test]
async fn a_signed_webhook_puts_the_id_on_the_queue_and_nothing_else() {
    let server = hooked().await;
    let long = "r".repeat(257);
    for (kind, id, enqueued) in [
        ("response.completed", "resp_1", true),
        ("response.failed", "resp_2", true),
        ("response.cancelled", "resp_3", true),
        ("response.incomplete", "resp_4", true),
        ("batch.completed", "batch_1", false),
        ("response.completed", "", false),
        ("response.completed", "a b", false),
        ("response.completed", &long, false),
    ] {
        let response = post(&server, &event(kind, id), shared(), 0).await;
        assert_eq!(response.status(), StatusCode::NO_CONTENT, "{kind} {id}");
        let queue = &server.jobs.storage().queue;
        let messages = queue
            .receive(QueueName::Jobs, 32, ms(60_000))
            .await
            .unwrap();
        let read = messages
            .iter()
            .map(|m| QueueMessage::from_body(&m.body).unwrap());
        let expect = enqueued.then(|| QueueMessage::Reply(ReplyMessage::new(id.to_owned())));
        assert_eq!(
            read.collect::<Vec<_>>(),
            Vec::from_iter(expect),
            "{kind} {id}"
        );
    }
    let odd = post(&server, &json!({"hello": 1}), shared(), 0).await;
    assert_eq!(odd.status(), StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn what_the_provider_did_not_sign_is_refused() {
    let server = hooked().await;
    let event = event("response.completed", "resp_1");
    let refused = |response| problem(response, ProblemKind::InvalidRequest, "not signed");
    let other = Secret::generate([8; 32]);
    refused(post(&server, &event, other, 0).await).await;
    refused(post(&server, &event, shared(), 302).await).await;
    // Ahead by more than a slow machine can make up for.
    refused(post(&server, &event, shared(), -360).await).await;
    let bare = server.post("/v1/hooks/openai").json(&event).send().await;
    refused(bare.unwrap()).await;
    assert_eq!(server.stored().await.1, 0, "nothing may be enqueued");
}

#[tokio::test]
async fn without_a_secret_there_is_no_such_route() {
    let server = Server::start().await;
    let event = event("response.completed", "resp_1");
    let response = post(&server, &event, shared(), 0).await;
    problem(response, ProblemKind::NotFound, "no secret").await;
}
