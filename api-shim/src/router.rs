//! The routes, and the layers around all of them.

use axum::Router;
use axum::handler::Handler;
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
    let mut routes = vec![
        about("/", "index", about::index),
        about("/healthz", "alive", health::alive),
        about("/readyz", "ready", health::ready),
        about("/health", "health", health::contract),
        about("/health/detailed", "detailedHealth", health::detailed),
        about("/api/health", "contractHealth", health::contract),
        about("/problems", "problems", about::problems),
        about("/problems/{name}", "problem", about::problem),
        about("/openapi.json", "openapi", openapi::openapi),
        about("/docs", "docs", openapi::docs),
        job(
            Method::POST,
            "/v1/jobs",
            "submitJob",
            JobsWrite,
            submit::submit,
        ),
        job(Method::GET, "/v1/jobs", "listJobs", JobsRead, list::list),
        job(
            Method::GET,
            "/v1/jobs/{id}",
            "readJob",
            JobsRead,
            jobs::read,
        ),
        job(
            Method::POST,
            "/v1/jobs/batch",
            "submitBatch",
            JobsWrite,
            batch::submit,
        ),
        job(
            Method::DELETE,
            "/v1/jobs/{id}",
            "deleteJob",
            JobsWrite,
            jobs::delete,
        ),
        job(
            Method::GET,
            "/v1/jobs/{id}/events",
            "followJob",
            JobsRead,
            events::follow,
        ),
        job(
            Method::GET,
            "/v1/jobs/{id}/result",
            "readResult",
            JobsRead,
            result::read,
        ),
        job(
            Method::GET,
            "/v1/jobs/{id}/result/{document}",
            "readDocument",
            JobsRead,
            result::read_document,
        ),
        job(
            Method::POST,
            "/v1/jobs/{id}/cancel",
            "cancelJob",
            JobsWrite,
            jobs::cancel,
        ),
        job(
            Method::POST,
            "/v1/jobs/{id}/retry",
            "retryJob",
            JobsWrite,
            jobs::retry,
        ),
        session(
            Method::POST,
            "/v1/sessions",
            "createSession",
            SessionsWrite,
            sessions::create,
        ),
        session(
            Method::GET,
            "/v1/sessions/{id}",
            "readSession",
            SessionsRead,
            sessions::read,
        ),
        session(
            Method::PATCH,
            "/v1/sessions/{id}",
            "editSession",
            SessionsWrite,
            sessions::patch,
        ),
        session(
            Method::DELETE,
            "/v1/sessions/{id}",
            "deleteSession",
            SessionsWrite,
            sessions::delete,
        ),
        tenant(Method::POST, "eraseTenant", tenant::erase),
        tenant(Method::GET, "readErasure", tenant::progress),
        hook("/v1/hooks/openai", "openaiHook", hooks::openai),
        hook("/v1/hooks/eventgrid", "eventGridHook", eventgrid::events),
    ];
    routes.push(eventgrid::handshake_route());
    routes.extend(webhooks::routes());
    routes.extend(api::routes());
    routes
}

fn about<H: Handler<T, App>, T: 'static>(
    path: &'static str,
    id: &'static str,
    handler: H,
) -> Route {
    let operation = Operation::new(Method::GET, path, id, Group::About, Access::Open);
    Route::new(operation, handler)
}

fn hook<H: Handler<T, App>, T: 'static>(path: &'static str, id: &'static str, handler: H) -> Route {
    let operation = Operation::new(Method::POST, path, id, Group::Hooks, Access::Signed);
    Route::new(operation, handler)
}

fn job<H: Handler<T, App>, T: 'static>(
    method: Method,
    path: &'static str,
    id: &'static str,
    scope: Scope,
    handler: H,
) -> Route {
    let operation = Operation::new(method, path, id, Group::Jobs, Access::Needs(scope));
    Route::new(operation, handler)
}

fn session<H: Handler<T, App>, T: 'static>(
    method: Method,
    path: &'static str,
    id: &'static str,
    scope: Scope,
    handler: H,
) -> Route {
    let operation = Operation::new(method, path, id, Group::Sessions, Access::Needs(scope));
    Route::new(operation, handler)
}

fn tenant<H: Handler<T, App>, T: 'static>(method: Method, id: &'static str, handler: H) -> Route {
    let (path, access) = ("/v1/tenant/erase", Access::Needs(Scope::Admin));
    let operation = Operation::new(method, path, id, Group::Tenant, access);
    Route::new(operation, handler)
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
