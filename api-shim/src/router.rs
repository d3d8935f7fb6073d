//! The routes, and the layers around all of them.

use axum::Router;
use axum::middleware::from_fn_with_state;
use http::Method;
use schemas::ProblemKind;
use tower_http::catch_panic::CatchPanicLayer;

use crate::admit::admit;
use crate::api;
use crate::app::App;
use crate::caller::Scope;
use crate::cors::cors;
use crate::guard::guard;
use crate::observe::{limit_time, observe, panicked};
use crate::openapi;
use crate::operation::{Access, Group, Operation, Route};
use crate::problem::Failure;
use crate::routes::{
    about, batch, eventgrid, events, health, hooks, jobs, list, result, sessions, submit, tenant,
    webhooks,
};

/// The HTTP front.
pub fn router(app: App) -> Router {
    let mut router = Router::new();
    for Route { operation, handler } in routes() {
        let path = operation.path;
        let admitted = from_fn_with_state((app.clone(), operation), admit);
        router = router.route(path, handler.layer(admitted));
    }
    router
        .fallback(no_such_route)
        .method_not_allowed_fallback(wrong_method)
        // The last layer is the outermost.
        .layer(from_fn_with_state(app.clone(), limit_time))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(app.clone(), cors))
        .layer(from_fn_with_state(app.clone(), guard))
        .layer(from_fn_with_state(app.clone(), observe))
        .with_state(app)
}

/// All operations of the HTTP front.
pub fn operations() -> Vec<Operation> {
    routes().into_iter().map(|route| route.operation).collect()
}

/// All routes: each an operation and its handler.
fn routes() -> Vec<Route> {
    use Scope::{JobsRead, JobsWrite, SessionsRead, SessionsWrite};
    let about = |path, id| Operation::new(Method::GET, path, id, Group::About, Access::Open);
    let job = |method, path, id, scope| {
        Operation::new(method, path, id, Group::Jobs, Access::Needs(scope))
    };
    let session = |method, path, id, scope| {
        Operation::new(method, path, id, Group::Sessions, Access::Needs(scope))
    };
    let tenant = |method, id| {
        let admin = Access::Needs(Scope::Admin);
        Operation::new(method, "/v1/tenant/erase", id, Group::Tenant, admin)
    };
    let hook = |method, path, id| Operation::new(method, path, id, Group::Hooks, Access::Signed);
    let grid = "/v1/hooks/eventgrid";
    let mut routes = vec![
        Route::new(about("/", "index"), about::index),
        Route::new(about("/healthz", "alive"), health::alive),
        Route::new(about("/readyz", "ready"), health::ready),
        Route::new(about("/health", "health"), health::contract),
        Route::new(
            about("/health/detailed", "detailedHealth"),
            health::detailed,
        ),
        Route::new(about("/api/health", "contractHealth"), health::contract),
        Route::new(about("/problems", "problems"), about::problems),
        Route::new(about("/problems/{name}", "problem"), about::problem),
        Route::new(about("/openapi.json", "openapi"), openapi::openapi),
        Route::new(about("/docs", "docs"), openapi::docs),
        Route::new(
            job(Method::POST, "/v1/jobs", "submitJob", JobsWrite),
            submit::submit,
        ),
        Route::new(
            job(Method::GET, "/v1/jobs", "listJobs", JobsRead),
            list::list,
        ),
        Route::new(
            job(Method::GET, "/v1/jobs/{id}", "readJob", JobsRead),
            jobs::read,
        ),
        Route::new(
            job(Method::POST, "/v1/jobs/batch", "submitBatch", JobsWrite),
            batch::submit,
        ),
        Route::new(
            job(Method::DELETE, "/v1/jobs/{id}", "deleteJob", JobsWrite),
            jobs::delete,
        ),
        Route::new(
            job(Method::GET, "/v1/jobs/{id}/events", "followJob", JobsRead),
            events::follow,
        ),
        Route::new(
            job(Method::GET, "/v1/jobs/{id}/result", "readResult", JobsRead),
            result::read,
        ),
        Route::new(
            job(
                Method::GET,
                "/v1/jobs/{id}/result/{document}",
                "readDocument",
                JobsRead,
            ),
            result::read_document,
        ),
        Route::new(
            job(Method::POST, "/v1/jobs/{id}/cancel", "cancelJob", JobsWrite),
            jobs::cancel,
        ),
        Route::new(
            job(Method::POST, "/v1/jobs/{id}/retry", "retryJob", JobsWrite),
            jobs::retry,
        ),
        Route::new(
            session(Method::POST, "/v1/sessions", "createSession", SessionsWrite),
            sessions::create,
        ),
        Route::new(
            session(
                Method::GET,
                "/v1/sessions/{id}",
                "readSession",
                SessionsRead,
            ),
            sessions::read,
        ),
        Route::new(
            session(
                Method::PATCH,
                "/v1/sessions/{id}",
                "editSession",
                SessionsWrite,
            ),
            sessions::patch,
        ),
        Route::new(
            session(
                Method::DELETE,
                "/v1/sessions/{id}",
                "deleteSession",
                SessionsWrite,
            ),
            sessions::delete,
        ),
        Route::new(tenant(Method::POST, "eraseTenant"), tenant::erase),
        Route::new(tenant(Method::GET, "readErasure"), tenant::progress),
        Route::new(
            hook(Method::POST, "/v1/hooks/openai", "openaiHook"),
            hooks::openai,
        ),
        Route::new(hook(Method::POST, grid, "eventGridHook"), eventgrid::events),
        Route::new(
            hook(Method::OPTIONS, grid, "eventGridHandshake"),
            eventgrid::handshake,
        ),
    ];
    routes.extend(webhooks::routes());
    routes.extend(api::routes());
    routes
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
