//! Cross-origin requests of browsers (Fetch, section 3.2): exact origins, with credentials.
//!
//! Without configured origins nothing here says anything. An origin that is not configured gets its
//! answers without the headers, which its browser then keeps from the page.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, StatusCode};

use crate::app::App;
use crate::router::operations;

/// What a page's script may send besides the headers that every script may.
const ALLOWED: &str = "authorization, content-type, idempotency-key, if-match, if-none-match, if-range, \
                       last-event-id, prefer, range, traceparent, tracestate, x-api-key, \
                       x-functions-key, x-request-id";

/// What a page's script may read besides the headers that every script may.
const EXPOSED: &str = "accept-ranges, allow, content-disposition, content-range, etag, \
                       idempotency-replayed, link, location, preference-applied, ratelimit-limit, \
                       ratelimit-policy, ratelimit-remaining, ratelimit-reset, retry-after, www-authenticate, x-request-id";

/// How long a browser may remember a preflight's answer, in seconds.
const MAX_AGE: &str = "600";

/// The layer. A preflight is answered here, before anybody asks for a credential: browsers send none
/// with it.
pub(crate) async fn cors(State(app): State<App>, request: Request, next: Next) -> Response {
    let origins = &app.settings.cors_origins;
    if origins.is_empty() {
        return next.run(request).await;
    }
    let origin = request.headers().get(header::ORIGIN).cloned();
    let origin = origin.filter(|origin| origins.iter().any(|o| o.as_bytes() == origin.as_bytes()));
    let is_preflight = request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ORIGIN)
        && request
            .headers()
            .contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = match &origin {
        Some(_) if is_preflight => preflight(),
        _ => next.run(request).await,
    };
    let headers = response.headers_mut();
    if let Some(origin) = origin {
        let set = HeaderValue::from_static;
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, set("true"));
        if !is_preflight {
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, set(EXPOSED));
        }
    }
    vary(headers, "origin");
    if is_preflight {
        vary(headers, "access-control-request-method");
        vary(headers, "access-control-request-headers");
    }
    response
}

fn preflight() -> Response {
    /// The methods of all operations, so that no list here can be forgotten.
    static METHODS: LazyLock<HeaderValue> = LazyLock::new(|| {
        let methods: BTreeSet<_> = operations()
            .into_iter()
            .map(|operation| operation.method.to_string())
            .chain([Method::HEAD.to_string()])
            .collect();
        let list = methods.into_iter().collect::<Vec<_>>().join(", ");
        HeaderValue::try_from(list).expect("methods are tokens")
    });
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    let set = HeaderValue::from_static;
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS.clone());
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, set(ALLOWED));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, set(MAX_AGE));
    response
}

/// A cache must tell answers apart by this header too.
fn vary(headers: &mut HeaderMap, name: &'static str) {
    headers.append(header::VARY, HeaderValue::from_static(name));
}
