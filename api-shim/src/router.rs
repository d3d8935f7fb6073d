//! The routes, and the layers around all of them.

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use schemas::ProblemKind;
use tower_http::catch_panic::CatchPanicLayer;

use crate::api;
use crate::app::App;
use crate::observe::{limit_time, observe, panicked};
use crate::problem::Failure;
use crate::routes::{about, health, hooks, jobs, result, sessions, submit};

/// All routes of the HTTP front.
pub fn router(app: App) -> Router {
    Router::new()
        .route("/", get(about::index))
        .route("/v1/jobs", post(submit::submit).get(jobs::list))
        .route("/v1/jobs/{id}", get(jobs::read))
        .route("/v1/jobs/{id}/result", get(result::read))
        .route(
            "/v1/jobs/{id}/result/{document}",
            get(result::read_document),
        )
        .route("/v1/jobs/{id}/cancel", post(jobs::cancel))
        .route("/v1/jobs/{id}/retry", post(jobs::retry))
        .route("/v1/hooks/openai", post(hooks::openai))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/health", get(health::contract))
        .route("/api/health", get(health::contract))
        .route("/problems/{name}", get(about::problem))
        .route("/v1/sessions", post(sessions::create))
        .route(
            "/v1/sessions/{id}",
            get(sessions::read)
                .patch(sessions::patch)
                .delete(sessions::delete),
        )
        .merge(api::routes())
        .fallback(no_such_route)
        .method_not_allowed_fallback(wrong_method)
        // The last layer is the outermost.
        .layer(from_fn_with_state(app.clone(), limit_time))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(app.clone(), observe))
        .with_state(app)
}

async fn no_such_route() -> Failure {
    Failure::new(
        ProblemKind::NotFound,
        "There is nothing at this path. GET / lists what there is.",
    )
}

/// The router adds `Allow` itself.
async fn wrong_method() -> Failure {
    let detail = "This path does not take this method; the Allow header lists those it takes.";
    Failure::new(ProblemKind::MethodNotAllowed, detail)
}
