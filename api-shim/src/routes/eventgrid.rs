//! Azure Event Grid as an HTTP trigger: blobs that were written become events on the queue
//! `notifications`. There is such a route only where a secret is configured.

use std::time::Duration;

use axum::extract::{Query, Request, State};
use axum::response::IntoResponse as _;
use axum::{Json, http::Uri};
use futures::{StreamExt as _, TryStreamExt as _};
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, StatusCode};
use schemas::ProblemKind;
use schemas::event::{self, Event};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use storage::names::{Container, QueueName, job_of_pdf_path};

use crate::app::App;
use crate::body::any_bytes;
use crate::problem::{Answer, Failure};

/// Event Grid sends 1 MB at most.
const LARGEST: usize = 1_500_000;

/// Messages that are put at once.
const AT_ONCE: usize = 16;

const ORIGIN: HeaderName = HeaderName::from_static("webhook-request-origin");
const RATE: HeaderName = HeaderName::from_static("webhook-request-rate");
const ALLOWED_ORIGIN: HeaderName = HeaderName::from_static("webhook-allowed-origin");
const ALLOWED_RATE: HeaderName = HeaderName::from_static("webhook-allowed-rate");

/// `POST /v1/hooks/eventgrid`: events in Event Grid's own schema or as CloudEvents 1.0, alone or
/// in a batch. `200` once all that concern us are on the queue; nothing is believed but that a blob
/// may have been written, since the job's row says what is so.
///
/// In Event Grid's schema a subscription begins with an event that holds a code, which goes back.
pub(crate) async fn events(State(app): State<App>, request: Request) -> Answer {
    admit(&app, request.uri(), request.headers())?;
    let limit = LARGEST.min(app.settings.body_limit);
    let body = any_bytes(request, limit).await?;
    let text = std::str::from_utf8(&body).map_err(|_| malformed("the body is not UTF-8"))?;
    let events = event::read(text).map_err(|e| malformed(&e.to_string()))?;
    let validation = events.iter().find(|event| event.kind == Event::VALIDATION);
    if let Some(validation) = validation {
        let code = validation
            .data
            .get("validationCode")
            .and_then(Value::as_str);
        let code = code.filter(|code| code.len() <= 512);
        let code = code.ok_or_else(|| malformed("the validation event holds no validationCode"))?;
        return Ok(Json(json!({ "validationResponse": code })).into_response());
    }
    let queue = &app.jobs.storage().queue;
    let bodies = events.into_iter().filter(concerns_us).map(message);
    futures::stream::iter(bodies)
        .map(|body| async move {
            queue
                .send(QueueName::Notifications, &body, Duration::ZERO)
                .await
        })
        .buffer_unordered(AT_ONCE)
        .try_collect::<Vec<()>>()
        .await?;
    Ok(StatusCode::OK.into_response())
}

/// `OPTIONS /v1/hooks/eventgrid`: the handshake of CloudEvents (HTTP Web Hooks for Event Delivery,
/// section 4): whoever shows the secret may deliver.
pub(crate) async fn handshake(State(app): State<App>, request: Request) -> Answer {
    admit(&app, request.uri(), request.headers())?;
    let Some(origin) = request.headers().get(ORIGIN).cloned() else {
        let detail = "A handshake has the header WebHook-Request-Origin.";
        return Err(Failure::new(ProblemKind::InvalidRequest, detail));
    };
    let mut response = StatusCode::OK.into_response();
    let headers = response.headers_mut();
    headers.insert(ALLOWED_ORIGIN, origin);
    if request.headers().contains_key(RATE) {
        headers.insert(ALLOWED_RATE, HeaderValue::from_static("*"));
    }
    headers.insert(header::ALLOW, HeaderValue::from_static("OPTIONS, POST"));
    Ok(response)
}

/// The secret comes in the query, `?secret=...`, as the address of an event subscription can have
/// it, or as `Authorization: Bearer ...`, as a delivery property.
fn admit(app: &App, uri: &Uri, headers: &HeaderMap) -> Result<(), Failure> {
    #[derive(Deserialize)]
    struct Shown {
        secret: Option<String>,
    }
    let Some(secret) = &app.settings.webhooks.event_grid_secret else {
        let detail = "There is nothing at this path: no secret of Event Grid is configured.";
        return Err(Failure::new(ProblemKind::NotFound, detail));
    };
    let bearer = headers.get(header::AUTHORIZATION);
    let bearer = bearer.and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let query = Query::<Shown>::try_from_uri(uri).ok();
    let query = query.and_then(|Query(shown)| shown.secret);
    // Hashes take the same time to compare whatever was guessed.
    let hash = |text: &str| Sha256::digest(text.as_bytes());
    let right = hash(secret.expose());
    if [bearer, query.as_deref()]
        .into_iter()
        .flatten()
        .any(|shown| hash(shown) == right)
    {
        return Ok(());
    }
    let detail = "Show the configured secret: ?secret=... or Authorization: Bearer ...";
    Err(Failure::new(ProblemKind::Unauthorized, detail))
}

fn concerns_us(event: &Event) -> bool {
    let pdf = event.blob().filter(|(container, path)| {
        Container::from_name(container) == Some(Container::CvPdfs)
            && job_of_pdf_path(path).is_some()
    });
    event.kind == Event::BLOB_CREATED && pdf.is_some()
}

/// As it goes on the queue. What else an event says of its blob is not needed, and may be large.
fn message(event: Event) -> String {
    let short = |text: String| text.chars().take(1_000).collect();
    let event = Event {
        id: short(event.id),
        source: short(event.source),
        data: Value::Null,
        ..event
    };
    serde_json::to_string(&event).expect("an event is always JSON")
}

fn malformed(what: &str) -> Failure {
    Failure::new(ProblemKind::MalformedBody, format!("No events: {what}."))
}
