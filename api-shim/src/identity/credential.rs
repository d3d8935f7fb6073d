//! Where a credential may stand in a request.

use axum::extract::Request;
use http::header::{AUTHORIZATION, HeaderName};
use http::{HeaderMap, Uri};

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// Where callers of Azure Functions put their key; as a query it is `code`.
const FUNCTIONS_KEY: HeaderName = HeaderName::from_static("x-functions-key");
const FUNCTIONS_QUERY: &str = "code";

/// What a request shows to prove who sent it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Presented {
    /// Nothing at all.
    Nothing,
    /// One credential, perhaps in several places.
    One(String),
    /// Different ones: which of them is meant, nobody can say.
    Several,
}

/// Takes the credential out of a request.
///
/// `X-API-Key` and `Authorization: Bearer` (RFC 6750, section 2.1) everywhere; on the routes of the
/// older contract also `x-functions-key` and `?code=`. A query ends up in logs of proxies and in
/// browsers' histories, so new routes do not take it.
pub(super) fn take(request: &mut Request, is_contract: bool) -> Presented {
    let mut found: Vec<String> = Vec::new();
    let headers = request.headers_mut();
    for value in take_all(headers, &AUTHORIZATION) {
        // Another scheme is a credential too, one that never counts.
        let (scheme, token) = value.split_once(' ').unwrap_or((&value, ""));
        let is_bearer = scheme.eq_ignore_ascii_case("bearer");
        found.push(if is_bearer {
            token.trim().to_owned()
        } else {
            String::new()
        });
    }
    found.extend(take_all(headers, &API_KEY));
    if is_contract {
        found.extend(take_all(headers, &FUNCTIONS_KEY));
        found.extend(take_query(request.uri_mut()));
    }
    found.dedup();
    match found.len() {
        0 => Presented::Nothing,
        1 => Presented::One(found.remove(0)),
        _ => Presented::Several,
    }
}

/// All values of a header, which is gone afterwards; one that is not text can be no credential.
fn take_all(headers: &mut HeaderMap, name: &HeaderName) -> Vec<String> {
    let values = headers.get_all(name).iter();
    let text = |value: &http::HeaderValue| value.to_str().unwrap_or_default().trim().to_owned();
    let values = values.map(text).collect();
    headers.remove(name);
    values
}

/// The values of `code` in a query, which is rewritten without them. Keys and tokens need no escapes.
fn take_query(uri: &mut Uri) -> Vec<String> {
    let Some(query) = uri.query() else {
        return Vec::new();
    };
    let is_code = |pair: &&str| pair.split('=').next() == Some(FUNCTIONS_QUERY);
    let (codes, rest): (Vec<&str>, Vec<&str>) = query.split('&').partition(is_code);
    if codes.is_empty() {
        return Vec::new();
    }
    let value = |pair: &str| {
        pair.split_once('=')
            .map_or("", |(_, value)| value)
            .to_owned()
    };
    let codes = codes.into_iter().map(value).collect();
    let path = uri.path();
    let plain = if rest.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{}", rest.join("&"))
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = plain.parse().ok();
    *uri = Uri::from_parts(parts).unwrap_or_default();
    codes
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[test]
    fn credentials_are_found_and_taken_out() {
        let one = |text: &str| Presented::One(text.to_owned());
        let check = |uri: &str, headers: &[(&str, &str)], is_contract: bool, expect: Presented| {
            let mut request = axum::http::Request::builder().uri(uri);
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let mut request = request.body(Body::empty()).unwrap();
            assert_eq!(take(&mut request, is_contract), expect, "{uri} {headers:?}");
            let left = format!("{:?} {}", request.headers(), request.uri());
            if is_contract {
                assert!(!left.contains("k1"), "{left}");
            }
        };
        check("/v1/jobs", &[], false, Presented::Nothing);
        check("/v1/jobs", &[("x-api-key", "k1")], false, one("k1"));
        check(
            "/v1/jobs",
            &[("authorization", "Bearer k1")],
            false,
            one("k1"),
        );
        check(
            "/v1/jobs",
            &[("authorization", "bearer  k1 ")],
            false,
            one("k1"),
        );
        check(
            "/v1/jobs",
            &[("authorization", "Basic azE6")],
            false,
            one(""),
        );
        check("/v1/jobs", &[("authorization", "k1")], false, one(""));
        check("/v1/jobs", &[("x-api-key", "")], false, one(""));
        let both = [("x-api-key", "k1"), ("authorization", "Bearer k1")];
        check("/v1/jobs", &both, false, one("k1"));
        let two = [("x-api-key", "k1"), ("authorization", "Bearer k2")];
        check("/v1/jobs", &two, false, Presented::Several);
        let twice = [("x-api-key", "k1"), ("x-api-key", "k2")];
        check("/v1/jobs", &twice, false, Presented::Several);
        check(
            "/v1/jobs",
            &[("x-functions-key", "k1")],
            false,
            Presented::Nothing,
        );
        check("/v1/jobs?code=k1", &[], false, Presented::Nothing);
        check("/api/x", &[("x-functions-key", "k1")], true, one("k1"));
        check("/api/x?code=k1", &[], true, one("k1"));
        check("/api/x?a=1&code=k1&b=2", &[], true, one("k1"));
        check("/api/x?code=k1&code=k1", &[], true, one("k1"));
        check("/api/x?code=k1&code=k2", &[], true, Presented::Several);
        check("/api/x?code", &[], true, one(""));
        check("/api/x?codes=1", &[], true, Presented::Nothing);
    }

    #[test]
    fn the_rest_of_a_query_stays() {
        let mut uri: Uri = "/api/get-cv-session?session_id=7&code=k1&x=%20"
            .parse()
            .unwrap();
        assert_eq!(take_query(&mut uri), ["k1"]);
        assert_eq!(uri, "/api/get-cv-session?session_id=7&x=%20");
        let mut uri: Uri = "/api/x?code=k1".parse().unwrap();
        take_query(&mut uri);
        assert_eq!(uri, "/api/x");
    }
}
