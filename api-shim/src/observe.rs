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
use http::{HeaderMap, Method, StatusCode};
use schemas::{JobId, Problem, ProblemKind};
use storage::Entropy;
use storage::ambient::random;
use storage::{Clock, Storage, observe as storage_observer};
use telemetry::trace::{SPANS, whole};
use telemetry::{Metric, event, metrics};
use tracing::field::Empty;
use tracing::{Instrument as _, Span};

use crate::app::App;
use crate::headers::{traceparent, wait_preference};
use crate::problem::{self, Failure};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// Longest id that is taken over from a caller.
const LONGEST_ID: usize = 128;

/// Where the routes of the older contract begin.
const CONTRACT: &str = "/api/";

/// Where the routes of results begin.
const RESULT: &str = "/v1/jobs/{id}/result";

/// The outermost layer.
///
/// One span per request: `method`, `route` (the pattern, never the path), `request_id`, and
/// `tenant` and `job_id` where they are known. One line when it is answered, with `status` and
/// `duration_ms`. Probes are logged at debug level only.
///
/// For monitoring there is a span beside it, by OpenTelemetry's conventions for HTTP. It goes on with
/// the caller's trace, and takes the place of the caller's in the request's `traceparent`, so that
/// what follows from the request is its child.
pub(crate) async fn observe(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let id = request_id(request.headers(), &*app.entropy);
    let method = known_method(request.method());
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let route = matched.as_ref().map_or("(none)", MatchedPath::as_str);
    let is_contract = request.uri().path().starts_with(CONTRACT);
    let exported = exported_span(method, route, request.headers());
    let trace = telemetry::trace::traceparent(&exported);
    if let Some(value) = trace.as_deref().and_then(|t| HeaderValue::try_from(t).ok()) {
        request.headers_mut().insert(TRACEPARENT, value);
    }
    let span = exported.in_scope(|| {
        tracing::info_span!(
            "request",
            method,
            route,
            request_id = id.to_str().unwrap_or_default(),
            tenant = tracing::field::Empty,
            job_id = tracing::field::Empty,
            trace_id = trace.as_deref().and_then(telemetry::trace::trace_id),
        )
    });
    let active = Metric::HttpActive.inside();
    let start = app.clock.monotonic();
    let answered = next.run(request).instrument(span.clone());
    let mut response = answered.instrument(exported.clone()).await;
    drop(active);

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
    let took = app.clock.monotonic().saturating_sub(start);
    let duration_ms = took.as_millis() as u64;
    let problem = problem.map(|problem| problem.kind.uri());
    count(&exported, (method, route, response.status()), took, problem);
    let event = event::HTTP_REQUEST;
    if matches!(
        route,
        "/healthz" | "/readyz" | "/health" | "/api/health" | "/health/detailed"
    ) && status < 500
    {
        tracing::debug!(event, status, duration_ms, "{method} {route} {status}");
    } else {
        tracing::info!(
            event,
            status,
            duration_ms,
            problem,
            "{method} {route} {status}"
        );
    }
    response
}

fn exported_span(method: &'static str, route: &str, headers: &HeaderMap) -> Span {
    let span = tracing::info_span!(
        target: SPANS,
        "server",
        otel.name = format!("{method} {route}"),
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = method,
        http.route = route,
        http.response.status_code = Empty,
        "error.type" = Empty,
    );
    telemetry::trace::child_of(&span, traceparent(headers).as_deref());
    span
}

/// Tells monitoring of an answer: method, route and status.
fn count(
    span: &Span,
    (method, route, status): (&str, &str, StatusCode),
    took: Duration,
    problem: Option<&str>,
) {
    span.record("http.response.status_code", whole(status.as_u16()));
    if status.is_server_error() {
        span.record("otel.status_code", "ERROR");
        span.record("error.type", status.as_str());
    }
    let labels = [
        ("http.request.method", method),
        ("http.route", route),
        ("http.response.status_code", status.as_str()),
    ];
    Metric::HttpDuration.time(took, &labels);
    if route.starts_with(RESULT) {
        if status.is_server_error() {
            Metric::Downloads.count(&[("outcome", "error")]);
        } else if !status.is_client_error() {
            downloaded();
        }
    }
    if let Some(problem) = problem {
        let name = problem.strip_prefix("/problems/").unwrap_or(problem);
        Metric::Problems.count(&[("problem", name)]);
    }
}

/// A document was sent. The routes of results count theirs by their answers.
pub(crate) fn downloaded() {
    Metric::Downloads.count(&[("outcome", "ok")]);
}

/// A document that should be there cannot be sent. Any other failure of a route of results is
/// counted with its answer.
pub(crate) fn download_failed(id: JobId, reason: &str) {
    Metric::Downloads.count(&[("outcome", "error")]);
    tracing::error!(
        event = event::DOWNLOAD_FAILED,
        job_id = %id,
        reason,
        "a document of job {id} cannot be sent: {reason}"
    );
}

/// The storage, with each call of it counted and in its trace; as it is where nobody receives that.
pub fn observed(storage: Storage, clock: &Arc<dyn Clock>) -> Storage {
    if !metrics::are_on() {
        return storage;
    }
    storage_observer::observed(storage, clock.clone(), |seen| {
        let operation = seen.operation;
        let (service, verb) = (operation.service(), operation.verb());
        metrics::storage_call(service, verb, seen.took, seen.failure);
    })
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
    let limit = app.settings.request_timeout;
    // The wait that was asked for is for the answer: a body has none of it.
    let mut more = wait.min(app.settings.max_wait);
    if request.uri().path().starts_with(CONTRACT) {
        more += app.settings.sync_wait;
    }
    let reading = Reading::default();
    request.extensions_mut().insert(reading.clone());
    let is_reading = || reading.0.load(Ordering::Relaxed);
    let mut answer = std::pin::pin!(next.run(request));
    let mut answered = tokio::time::timeout(limit, &mut answer).await;
    if answered.is_err() && !is_reading() && !more.is_zero() {
        answered = tokio::time::timeout(more, answer).await;
    }
    match answered {
        Ok(response) => response,
        Err(_) if is_reading() => Failure::new(
            ProblemKind::Timeout,
            format!("The body did not arrive within {limit:?}. Send it faster, or send less."),
        )
        .with_header(header::CONNECTION, HeaderValue::from_static("close"))
        .into_response(),
        Err(_) => {
            tracing::error!(
                event = event::HTTP_TIMEOUT,
                limit_ms = (limit + more).as_millis() as u64,
                "the request took too long"
            );
            let detail = "The request could not be handled in time. Try again later.";
            Failure::unavailable(detail, Duration::from_secs(2)).into_response()
        }
    }
}

/// A panic is an answer too. Its text may quote data, so it goes nowhere from here.
pub(crate) fn panicked(_panic: Box<dyn Any + Send>) -> Response {
    tracing::error!(event = event::HTTP_PANIC, "a handler panicked");
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The storage crate knows no telemetry, and writes what that exports and lists.
    #[test]
    fn names_that_storage_writes_are_those_of_telemetry() {
        assert_eq!(storage_observer::SPANS, SPANS);
        assert_eq!(storage::ROW_PASSED_OVER, event::ROW_PASSED_OVER);
    }
}
