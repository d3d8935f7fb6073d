//! What holds for every answer: a request id, a log line, problem bodies, safe headers, a time
//! limit, and no panic that ends a connection.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Method};
use schemas::{Problem, ProblemKind};
use storage::Entropy;
use storage::ambient::random;
use tracing::Instrument as _;

use crate::app::App;
use crate::headers::wait_preference;
use crate::problem::{self, Failure};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Longest id that is taken over from a caller.
const LONGEST_ID: usize = 128;

/// Where the routes of the older contract begin.
const CONTRACT: &str = "/api/";

/// The outermost layer.
///
/// One span per request: `method`, `route` (the pattern, never the path), `request_id`, and
/// `tenant` and `job_id` where they are known. One line when it is answered, with `status` and
/// `duration_ms`. Probes are logged at debug level only.
pub(crate) async fn observe(State(app): State<App>, request: Request, next: Next) -> Response {
    let id = request_id(request.headers(), &*app.entropy);
    let method = known_method(request.method());
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let route = matched.as_ref().map_or("(none)", MatchedPath::as_str);
    let is_contract = request.uri().path().starts_with(CONTRACT);
    let span = tracing::info_span!(
        "request",
        method,
        route,
        request_id = id.to_str().unwrap_or_default(),
        tenant = tracing::field::Empty,
        job_id = tracing::field::Empty,
    );
    let start = app.clock.monotonic();
    let mut response = next.run(request).instrument(span.clone()).await;

    let problem = response.extensions_mut().remove::<Problem>();
    if let Some(mut problem) = problem.clone() {
        problem.request_id = id.to_str().ok().map(str::to_owned);
        problem::write(&problem, is_contract, &mut response);
    }
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, id);
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    // Whatever a handler does not release for caching is somebody's own.
    let no_store = HeaderValue::from_static("no-store");
    headers.entry(header::CACHE_CONTROL).or_insert(no_store);

    let _in = span.enter();
    let status = response.status().as_u16();
    let duration_ms = app.clock.monotonic().saturating_sub(start).as_millis() as u64;
    let problem = problem.map(|problem| problem.kind.uri());
    if matches!(route, "/healthz" | "/readyz" | "/health" | "/api/health") && status < 500 {
        tracing::debug!(status, duration_ms, "{method} {route} {status}");
    } else {
        tracing::info!(status, duration_ms, problem, "{method} {route} {status}");
    }
    response
}

/// Whether a request's body is being read: it tells a slow caller from a slow service.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reading(Arc<AtomicBool>);

impl Reading {
    pub(crate) fn set(&self, reading: bool) {
        self.0.store(reading, Ordering::Relaxed);
    }
}

/// Ends what takes longer than the configured time plus the wait that the caller asked for.
pub(crate) async fn limit_time(
    State(app): State<App>,
    mut request: Request,
    next: Next,
) -> Response {
    let wait = wait_preference(request.headers()).unwrap_or_default();
    let mut limit = app.settings.request_timeout + wait.min(app.settings.max_wait);
    if request.uri().path().starts_with(CONTRACT) {
        limit += app.settings.sync_wait;
    }
    let reading = Reading::default();
    request.extensions_mut().insert(reading.clone());
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) if reading.0.load(Ordering::Relaxed) => Failure::new(
            ProblemKind::Timeout,
            format!("The body did not arrive within {limit:?}. Send it faster, or send less."),
        )
        .with_header(header::CONNECTION, HeaderValue::from_static("close"))
        .into_response(),
        Err(_) => {
            tracing::error!(
                limit_ms = limit.as_millis() as u64,
                "the request took too long"
            );
            let detail = "The request could not be handled in time. Try again later.";
            Failure::unavailable(detail, Duration::from_secs(2)).into_response()
        }
    }
}

/// A panic is an answer too. Its text may quote data, so it goes nowhere from here.
pub(crate) fn panicked(_panic: Box<dyn Any + Send>) -> Response {
    tracing::error!("a handler panicked");
    Failure::new(
        ProblemKind::Internal,
        "Something went wrong here. Quote the request id to the operator.",
    )
    .into_response()
}

/// The caller's own id where it is printable and short, else a new one.
fn request_id(headers: &HeaderMap, entropy: &dyn Entropy) -> HeaderValue {
    let sane = |value: &&HeaderValue| {
        (1..=LONGEST_ID).contains(&value.len()) && value.as_bytes().iter().all(u8::is_ascii_graphic)
    };
    headers
        .get(REQUEST_ID)
        .filter(sane)
        .cloned()
        .unwrap_or_else(|| {
            let id = u128::from_be_bytes(random(entropy));
            HeaderValue::try_from(format!("{id:032x}"))
                .expect("hexadecimal digits are a legal value")
        })
}

/// A method for the log: callers may make up their own.
fn known_method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
