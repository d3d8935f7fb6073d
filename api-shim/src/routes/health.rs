//! Probes: alive, ready, the health route of the older contract, and each dependency by itself.

mod detailed;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use schemas::{JobId, Tenant};
use serde_json::json;
use storage::StorageError;
use storage::names::{Container, QueueName, input_path};

pub(crate) use self::detailed::{Checks, detailed};
use crate::app::App;
use crate::problem::{Answer, Failure};

/// `GET /healthz`: the process answers.
pub(crate) async fn alive() -> Response {
    Json(json!({ "status": "alive" })).into_response()
}

/// `GET /readyz`: queue, table and blobs answer in time, and the server is not about to stop.
pub(crate) async fn ready(State(app): State<App>) -> Answer {
    let limit = app.settings.ready_timeout;
    if app.closing.is_cancelled() {
        return Err(Failure::unavailable("The server is stopping.", limit));
    }
    let answers = async {
        // The route is open to everybody, so only one at a time.
        match app.probe.try_lock() {
            Ok(_turn) => storage::ahead(storage_answers(&app)).await,
            Err(_) => storage_answers(&app).await,
        }
    };
    let Ok(answered) = tokio::time::timeout(limit, answers).await else {
        tracing::warn!(
            limit_ms = limit.as_millis() as u64,
            "storage does not answer in time"
        );
        return Err(Failure::unavailable(
            "Storage does not answer in time.",
            limit,
        ));
    };
    answered?;
    Ok(Json(json!({ "status": "ready" })).into_response())
}

/// Asks each port for something small that need not be there.
async fn storage_answers(app: &App) -> Result<(), StorageError> {
    let (tenant, id) = (
        Tenant::anonymous(),
        JobId::new(jiff::Timestamp::UNIX_EPOCH, [0; 10]),
    );
    let path = input_path(&tenant, id);
    let storage = app.jobs.storage();
    let (queue, table, blobs) = tokio::join!(
        storage.queue.peek(QueueName::Jobs, 1),
        app.jobs.read(&tenant, id),
        storage.blobs.head(Container::JobInputs, &path),
    );
    queue?;
    table?;
    match blobs {
        Ok(_) | Err(StorageError::NotFound) => Ok(()),
        Err(e) => Err(e),
    }
}

/// `GET /health` and `GET /api/health`: the shape that clients of the older service read.
pub(crate) async fn contract(State(app): State<App>) -> Response {
    let settings = &app.settings;
    let body = json!({
        "status": "healthy",
        "service": settings.service,
        "version": settings.version,
    });
    Json(body).into_response()
}
