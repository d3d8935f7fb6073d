//! What concerns a tenant as a whole: erasing it.

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse as _;
use http::StatusCode;
use http::header::{self, HeaderValue};
use schemas::ProblemKind;

use crate::app::App;
use crate::caller::Caller;
use crate::problem::{Answer, Failure};
use crate::task::finished;

/// `POST /v1/tenant/erase`: `202`; everything of the caller's tenant from before this moment goes.
/// A worker does it; `Location` tells how far it is.
pub(crate) async fn erase(State(app): State<App>, caller: Caller) -> Answer {
    let erasure = finished(async move { app.eraser.request(&caller.tenant).await }).await?;
    tracing::info!("a tenant is to be erased");
    let location = HeaderValue::from_static("/v1/tenant/erase");
    let headers = [(header::LOCATION, location)];
    Ok((StatusCode::ACCEPTED, headers, Json(erasure)).into_response())
}

/// `GET /v1/tenant/erase`: how far the last erasing of the caller's tenant is; `404` where it was
/// never asked for.
pub(crate) async fn progress(State(app): State<App>, caller: Caller) -> Answer {
    let erasure = app.eraser.progress(&caller.tenant).await?;
    let erasure = erasure.ok_or_else(|| {
        let detail = "Nobody has asked for your data to be erased. POST here does.";
        Failure::new(ProblemKind::NotFound, detail)
    })?;
    Ok(Json(erasure).into_response())
}
