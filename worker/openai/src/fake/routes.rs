//! The routes of the API, and those that steer and observe the fake.

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::extract::{ConnectInfo, DefaultBodyLimit, OriginalUri, Path, Request, State as Shared};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, Uri};
use serde_json::{Value, json};

use super::script::{Behaviour, Script};
use super::socket::Line;
use super::state::{Received, State};
use super::{respond, wire};

/// Larger requests get 413.
const LARGEST_REQUEST: usize = 16 << 20;

pub(super) fn router(state: Arc<State>) -> Router {
    let api = Router::new()
        .route("/responses", post(create))
        .route("/responses/{id}", get(retrieve).delete(delete))
        .route("/responses/{id}/cancel", post(cancel));
    Router::new()
        .nest("/v1", api.clone())
        .nest("/openai/v1", api)
        .fallback(unknown)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn_with_state(state.clone(), add_headers))
        .route("/_calls", get(calls))
        .route("/_requests", get(requests))
        .route("/_stored", get(stored))
        .route("/_script", post(set_script))
        .route("/_reset", post(reset))
        .layer(DefaultBodyLimit::max(LARGEST_REQUEST))
        .with_state(state)
}

async fn create(
    Shared(state): Shared<Arc<State>>,
    ConnectInfo(line): ConnectInfo<Line>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let received = Received {
        path: uri.path().to_owned(),
        query: uri.query().unwrap_or_default().to_owned(),
        headers,
        body: serde_json::from_slice(&body)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&body).into_owned())),
    };
    respond::create(state, line, received, body).await
}

async fn retrieve(
    Shared(state): Shared<Arc<State>>,
    ConnectInfo(line): ConnectInfo<Line>,
    Path(id): Path<String>,
) -> Response {
    if let Some(trouble) = trouble(&state, &line) {
        return trouble;
    }
    match state.retrieve(&id) {
        Some(response) => Json(response).into_response(),
        None => not_found(&id),
    }
}

/// What the script wants to happen to a request about a stored response.
fn trouble(state: &State, line: &Line) -> Option<Response> {
    match state.retrieval()? {
        Behaviour::Error(error) => return Some(wire::error(&error)),
        Behaviour::Reset { .. } => line.reset(),
        Behaviour::Close { .. } => line.close(),
        _ => return None,
    }
    Some(StatusCode::OK.into_response())
}

async fn cancel(
    Shared(state): Shared<Arc<State>>,
    ConnectInfo(line): ConnectInfo<Line>,
    Path(id): Path<String>,
) -> Response {
    if let Some(trouble) = trouble(&state, &line) {
        return trouble;
    }
    match state.cancel(&id) {
        Some(Ok(response)) => Json(response).into_response(),
        Some(Err(())) => wire::refusal(
            StatusCode::BAD_REQUEST,
            "Only a response in the background can be cancelled.",
        ),
        None => not_found(&id),
    }
}

async fn delete(
    Shared(state): Shared<Arc<State>>,
    ConnectInfo(line): ConnectInfo<Line>,
    Path(id): Path<String>,
) -> Response {
    if let Some(trouble) = trouble(&state, &line) {
        return trouble;
    }
    if state.delete(&id) {
        Json(json!({"id": id, "object": "response", "deleted": true})).into_response()
    } else {
        not_found(&id)
    }
}

fn not_found(id: &str) -> Response {
    wire::refusal(
        StatusCode::NOT_FOUND,
        &format!("There is no response with the id '{id}'."),
    )
}

async fn unknown(method: Method, uri: Uri) -> Response {
    wire::refusal(
        StatusCode::NOT_FOUND,
        &format!("There is no {method} {}.", uri.path()),
    )
}

async fn wrong_method(method: Method, uri: Uri) -> Response {
    wire::refusal(
        StatusCode::METHOD_NOT_ALLOWED,
        &format!("There is no {method} {}.", uri.path()),
    )
}

async fn add_headers(Shared(state): Shared<Arc<State>>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let own = std::mem::take(response.headers_mut());
    let (n, script) = state.headers();
    wire::usual_headers(response.headers_mut(), n, &script);
    // What an answer says itself outweighs what is said with every answer.
    response.headers_mut().extend(own);
    response
}

async fn calls(Shared(state): Shared<Arc<State>>) -> Response {
    Json(state.counters()).into_response()
}

async fn requests(Shared(state): Shared<Arc<State>>) -> Response {
    Json(
        state
            .received()
            .into_iter()
            .map(|received| received.body)
            .collect::<Vec<_>>(),
    )
    .into_response()
}

async fn stored(Shared(state): Shared<Arc<State>>) -> Response {
    Json(state.stored()).into_response()
}

async fn set_script(Shared(state): Shared<Arc<State>>, body: String) -> Response {
    match Script::parse(&body) {
        Ok(script) => {
            state.set_script(script);
            StatusCode::NO_CONTENT.into_response()
        }
        Err(error) => wire::refusal(StatusCode::BAD_REQUEST, &error.to_string()),
    }
}

async fn reset(Shared(state): Shared<Arc<State>>) -> StatusCode {
    state.reset();
    StatusCode::NO_CONTENT
}
