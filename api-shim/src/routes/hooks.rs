//! Webhooks that come in: the model's provider tells that a response is done.

use axum::extract::{Request, State};
use axum::response::IntoResponse as _;
use http::StatusCode;
use schemas::ProblemKind;
use schemas::message::{LONGEST_RESPONSE_ID, ReplyMessage};
use serde::Deserialize;
use std::time::Duration;
use storage::names::QueueName;

use crate::app::App;
use crate::body::json_bytes;
use crate::problem::{Answer, Failure};

/// A webhook's body is ids and times.
const LARGEST: usize = 64 << 10;

/// What is read of an event; the rest may be anything.
#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: String,
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    id: String,
}

/// `POST /v1/hooks/openai`: `204` once the event is on the queue, or is none that concerns us.
///
/// Nothing is believed but that a response is done: a worker fetches it and learns from it whose
/// it is. `404` where no secret is configured.
pub(crate) async fn openai(State(app): State<App>, request: Request) -> Answer {
    let Some(key) = &app.settings.webhook else {
        let detail = "There is nothing at this path: no secret of a webhook is configured.";
        return Err(Failure::new(ProblemKind::NotFound, detail));
    };
    let headers = request.headers().clone();
    let body = json_bytes(request, LARGEST.min(app.settings.body_limit)).await?;
    let secrets = std::slice::from_ref(key);
    if webhook::verify(&headers, &body, secrets, app.clock.now()).is_err() {
        let detail = "The webhook's signature is missing, wrong, or older than five minutes.";
        return Err(Failure::new(ProblemKind::InvalidRequest, detail));
    }
    // A signed event of another shape is one that nobody here waits for.
    let Ok(Event { kind, data }) = serde_json::from_slice(&body) else {
        return Ok(StatusCode::NO_CONTENT.into_response());
    };
    let settles = matches!(
        kind.as_str(),
        "response.completed" | "response.failed" | "response.cancelled" | "response.incomplete"
    );
    let printable = data.id.bytes().all(|b| b.is_ascii_graphic());
    if settles && printable && (1..=LONGEST_RESPONSE_ID).contains(&data.id.len()) {
        let message = ReplyMessage::new(data.id).to_body();
        let queue = &app.jobs.storage().queue;
        queue
            .send(QueueName::Jobs, &message, Duration::ZERO)
            .await?;
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}
