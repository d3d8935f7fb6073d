//! `POST /v1/jobs/batch`: many jobs in one request, each with an outcome of its own.

use axum::Json;
use axum::extract::{Request, State};
use axum::response::IntoResponse as _;
use futures::StreamExt as _;
use http::StatusCode;
use schemas::job::{BatchOutcome, BatchOutcomes, JobRequest, LARGEST_BATCH};
use schemas::{FieldError, ProblemKind, Tenant};
use serde::Deserialize;
use serde_json::Value;
use storage::jobs::{IdempotencyKey, Submitted};

use crate::app::App;
use crate::body::json_bytes;
use crate::caller::Caller;
use crate::headers::{idempotency_key, traceparent};
use crate::json;
use crate::problem::{Answer, Failure};
use crate::routes::submit;
use crate::task::computed;
use crate::view::sha256_hex;

/// Requests of one batch that are at work at once.
const AT_ONCE: usize = 8;

/// The body, with each request unread: one that cannot be read spoils none of the others.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Batch {
    jobs: Vec<Value>,
}

/// One request, with the batch's idempotency key made its own.
struct Item {
    request: JobRequest,
    idempotency: Option<IdempotencyKey>,
}

/// `POST /v1/jobs/batch`: `207` with an outcome for each of 1 to 100 requests, in their order.
///
/// With an `Idempotency-Key` each place in the batch has a key of its own, made of that key and the
/// place: a batch that is repeated finds the jobs that were made, and makes those that were not.
pub(crate) async fn submit(State(app): State<App>, caller: Caller, request: Request) -> Answer {
    let key = idempotency_key(request.headers())?;
    let traceparent = traceparent(request.headers());
    let body = json_bytes(request, app.settings.body_limit).await?;
    let (settings, now) = (app.settings.clone(), app.clock.now());
    let items = computed(move || {
        let batch: Batch = json::parse(&body, &[])?;
        let count = batch.jobs.len();
        if !(1..=LARGEST_BATCH).contains(&count) {
            return Err(wrong_count(count));
        }
        let items = batch.jobs.into_iter().enumerate();
        let items = items.map(|(place, value)| {
            let idempotency = key.as_ref().map(|key| of_place(key, place, &value));
            let request = read(value)?;
            submit::check(&request, &settings, now)?;
            Ok(Item {
                request,
                idempotency,
            })
        });
        Ok(items.collect::<Vec<Result<Item, Failure>>>())
    })
    .await?;
    let tenant = &caller.tenant;
    let outcomes = futures::stream::iter(items.into_iter().enumerate())
        .map(|(index, item)| {
            let (app, traceparent) = (app.clone(), traceparent.clone());
            async move { outcome(index, one(app, tenant, item, traceparent).await) }
        })
        .buffered(AT_ONCE);
    let outcomes: Vec<BatchOutcome> = outcomes.collect().await;
    let accepted = outcomes.iter().filter(|it| it.job.is_some()).count();
    let body = BatchOutcomes {
        accepted,
        refused: outcomes.len() - accepted,
        outcomes,
    };
    Ok((StatusCode::MULTI_STATUS, Json(body)).into_response())
}

async fn one(
    app: App,
    tenant: &Tenant,
    item: Result<Item, Failure>,
    traceparent: Option<String>,
) -> Result<Submitted, Failure> {
    let Item {
        request,
        idempotency,
    } = item?;
    submit::accept(app, tenant.clone(), request, idempotency, traceparent).await
}

fn outcome(index: usize, submitted: Result<Submitted, Failure>) -> BatchOutcome {
    match submitted {
        Ok(submitted) => BatchOutcome {
            index,
            status: StatusCode::ACCEPTED.as_u16(),
            replayed: matches!(submitted, Submitted::Replayed(_)),
            job: Some(submitted.row().status()),
            error: None,
        },
        Err(failure) => BatchOutcome {
            index,
            status: failure.problem().status,
            replayed: false,
            job: None,
            error: Some(failure.problem().clone()),
        },
    }
}

/// Serde alone would also take an array for a struct, with the fields in their order.
fn read(value: Value) -> Result<JobRequest, Failure> {
    let is_object = |value: Option<&Value>| value.is_none_or(Value::is_object);
    if !value.is_object() || !is_object(value.get("options")) {
        let detail = "A request is a JSON object, and so are its options.";
        return Err(Failure::new(ProblemKind::MalformedBody, detail));
    }
    json::shape(value)
}

fn of_place(key: &str, place: usize, value: &Value) -> IdempotencyKey {
    IdempotencyKey {
        // A line break is in no key that a header can carry.
        key_hash: sha256_hex(format!("{key}\n{place}").as_bytes()),
        body_hash: sha256_hex(value.to_string().as_bytes()),
    }
}

fn wrong_count(count: usize) -> Failure {
    let message = format!("jobs must have 1 to {LARGEST_BATCH} requests; this one has {count}.");
    let error = FieldError {
        path: "jobs".to_owned(),
        code: "out_of_range".to_owned(),
        message: message.clone(),
        current_value: Some(count as u64),
        limit: Some(LARGEST_BATCH as u64),
        ..FieldError::default()
    };
    Failure::new(ProblemKind::InvalidRequest, message).with_errors(vec![error])
}
