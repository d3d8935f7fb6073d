//! What a request must be before anybody looks at it, and what every answer tells a browser.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Uri, Version};
use schemas::ProblemKind;

use crate::app::App;
use crate::problem::Failure;

/// Nothing in an answer may load, run or be framed. A page that shows something has a policy of its own.
const POLICY: &str = "default-src 'none'; frame-ancestors 'none'";

/// The layer.
pub(crate) async fn guard(State(app): State<App>, request: Request, next: Next) -> Response {
    // The server passes over a Content-Length beside a Transfer-Encoding, without telling. What follows
    // such a body may be meant for another reader (RFC 9112, section 6.1): nothing after it is read.
    let closes = request.headers().contains_key(header::TRANSFER_ENCODING);
    let mut response = match refused(request.version(), request.uri(), request.headers()) {
        Some(failure) => failure.into_response(),
        None => next.run(request).await,
    };
    let headers = response.headers_mut();
    let set = |headers: &mut HeaderMap, name: HeaderName, value: &'static str| {
        let value = HeaderValue::from_static(value);
        headers.entry(name).or_insert(value);
    };
    set(headers, header::CONTENT_SECURITY_POLICY, POLICY);
    set(headers, header::REFERRER_POLICY, "no-referrer");
    set(headers, header::X_FRAME_OPTIONS, "DENY");
    if closes {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    let seconds = app.settings.hsts.as_secs();
    if seconds > 0 {
        let value = HeaderValue::try_from(format!("max-age={seconds}; includeSubDomains"));
        let value = value.expect("a number and words are a legal value");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, value);
    }
    response
}

/// Why a request is not looked at: two readers could take it for two different ones.
fn refused(version: Version, uri: &Uri, headers: &HeaderMap) -> Option<Failure> {
    let close = HeaderValue::from_static("close");
    let refuse = |detail: &str| {
        let failure = Failure::new(ProblemKind::InvalidRequest, detail);
        Some(failure.with_header(header::CONNECTION, close.clone()))
    };
    // RFC 9112, section 3.2. A proxy in front may speak HTTP/1.0 and send none.
    let hosts = headers.get_all(header::HOST).iter().count();
    if hosts > 1 || (hosts == 0 && version == Version::HTTP_11) {
        return refuse("A request of HTTP/1.1 has exactly one Host header.");
    }
    // What is asked for is a path here, never another server (RFC 9112, section 3.2.3).
    if uri.path().is_empty() {
        return refuse("A request names a path that begins with a slash.");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_that_can_be_read_in_two_ways_are_refused() {
        let check = |version: Version,
                     uri: &'static str,
                     lines: &[(&'static str, &'static str)],
                     fine: bool| {
            let mut headers = HeaderMap::new();
            for (name, value) in lines {
                headers.append(*name, HeaderValue::from_static(value));
            }
            let refused = refused(version, &Uri::from_static(uri), &headers);
            assert_eq!(refused.is_none(), fine, "{version:?} {uri} {lines:?}");
        };
        let (old, new) = (Version::HTTP_10, Version::HTTP_11);
        check(new, "/", &[("host", "a")], true);
        check(new, "http://a/x", &[("host", "a")], true);
        check(new, "/", &[], false);
        check(old, "/", &[], true);
        check(new, "/", &[("host", "a"), ("host", "a")], false);
        check(old, "/", &[("host", "a"), ("host", "b")], false);
        check(new, "a:80", &[("host", "a")], false);
    }
}
