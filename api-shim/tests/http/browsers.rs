//! What browsers are told: cross-origin rules, security headers, the page of the documentation.

use api_shim::Settings;
use reqwest::{Method, Response, StatusCode};
use schemas::ProblemKind;

use crate::server::{Server, header, ms, problem, settings};

const PAGE: &str = "https://app.example.com";

async fn with_origins() -> Server {
    let settings = Settings {
        cors_origins: vec![PAGE.to_owned(), "http://localhost:3000".to_owned()],
        hsts: ms(86_400_000),
        ..settings()
    };
    Server::with(settings, |storage| storage).await
}

async fn preflight(server: &Server, path: &str, origin: &str) -> Response {
    let request = server
        .request(Method::OPTIONS, path)
        .header("origin", origin)
        .header("access-control-request-method", "PATCH")
        .header("access-control-request-headers", "x-api-key, if-match");
    request.send().await.unwrap()
}

/// Whether a list in a header has an item.
fn lists(response: &Response, name: &str, item: &str) -> bool {
    let values = response.headers().get_all(name).iter();
    let mut items = values.flat_map(|value| value.to_str().unwrap().split(','));
    items.any(|found| found.trim().eq_ignore_ascii_case(item))
}

#[tokio::test]
async fn a_preflight_needs_no_credential_and_lists_what_is_taken() {
    let server = with_origins().await;
    for path in ["/v1/jobs", "/v1/sessions/x", "/api/validate-cv", "/nowhere"] {
        let response = preflight(&server, path, PAGE).await;
        assert_eq!(response.status(), StatusCode::NO_CONTENT, "{path}");
        assert_eq!(header(&response, "access-control-allow-origin"), Some(PAGE));
        let credentials = header(&response, "access-control-allow-credentials");
        assert_eq!(credentials, Some("true"));
        assert_eq!(header(&response, "access-control-max-age"), Some("600"));
        for method in ["GET", "HEAD", "POST", "PATCH", "DELETE"] {
            assert!(
                lists(&response, "access-control-allow-methods", method),
                "{method}"
            );
        }
        for name in [
            "authorization",
            "content-type",
            "x-api-key",
            "x-functions-key",
            "idempotency-key",
            "if-match",
            "prefer",
            "traceparent",
        ] {
            assert!(
                lists(&response, "access-control-allow-headers", name),
                "{name}"
            );
        }
        assert!(lists(&response, "vary", "origin"), "{path}");
        assert!(header(&response, "x-request-id").is_some());
    }
}

#[tokio::test]
async fn only_configured_origins_may_read_answers() {
    let server = with_origins().await;
    let check = async |origin: &str, allowed: bool| {
        let response = server
            .get("/v1/jobs")
            .header("origin", origin)
            .send()
            .await
            .unwrap();
        let told = header(&response, "access-control-allow-origin");
        assert_eq!(told, allowed.then_some(origin), "{origin}");
        assert!(lists(&response, "vary", "origin"), "{origin}");
        assert_eq!(
            lists(&response, "access-control-expose-headers", "etag"),
            allowed
        );
        let asked = preflight(&server, "/v1/jobs", origin).await;
        assert_eq!(
            asked.status() == StatusCode::NO_CONTENT,
            allowed,
            "{origin}"
        );
        let told = header(&asked, "access-control-allow-origin");
        assert_eq!(told, allowed.then_some(origin), "{origin}");
    };
    check(PAGE, true).await;
    check("http://localhost:3000", true).await;
    check("https://app.example.com.evil.example", false).await;
    check("https://evil.example", false).await;
    check("http://app.example.com", false).await;
    check("https://app.example.com:8443", false).await;
    check("https://APP.example.com", false).await;
    check("null", false).await;
    // Without an origin a cache must know of the difference all the same.
    let response = server.get("/healthz").send().await.unwrap();
    assert!(lists(&response, "vary", "origin"));
    assert_eq!(header(&response, "access-control-allow-origin"), None);
    // An error can be read too.
    let response = server
        .get("/v1/jobs/x")
        .header("origin", PAGE)
        .send()
        .await
        .unwrap();
    assert_eq!(header(&response, "access-control-allow-origin"), Some(PAGE));
    problem(response, ProblemKind::NotFound, "across origins").await;
}

#[tokio::test]
async fn without_origins_nothing_is_said_of_them() {
    let server = Server::start().await;
    let asked = preflight(&server, "/v1/jobs", PAGE).await;
    assert!(header(&asked, "access-control-allow-origin").is_none());
    problem(asked, ProblemKind::MethodNotAllowed, "a preflight").await;
    let response = server
        .get("/healthz")
        .header("origin", PAGE)
        .send()
        .await
        .unwrap();
    assert!(header(&response, "vary").is_none());
    // HTTPS is the operator's to promise.
    assert!(header(&response, "strict-transport-security").is_none());
}

#[tokio::test]
async fn every_answer_has_the_security_headers() {
    let server = with_origins().await;
    for (path, status) in [
        ("/", 200),
        ("/docs", 200),
        ("/openapi.json", 200),
        ("/problems", 200),
        ("/v1/jobs", 200),
        ("/v1/jobs/x", 404),
        ("/nowhere", 404),
    ] {
        let response = server.get(path).send().await.unwrap();
        assert_eq!(response.status().as_u16(), status, "{path}");
        let has = |name: &str, want: &str| {
            assert_eq!(header(&response, name), Some(want), "{path}: {name}");
        };
        has("x-content-type-options", "nosniff");
        has("referrer-policy", "no-referrer");
        has("x-frame-options", "DENY");
        has(
            "strict-transport-security",
            "max-age=86400; includeSubDomains",
        );
        let policy = header(&response, "content-security-policy").unwrap();
        assert!(
            policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
        assert!(
            !policy.contains("unsafe") && !policy.contains("http"),
            "{policy}"
        );
        let own = path.starts_with("/v1/");
        assert_eq!(
            header(&response, "cache-control") == Some("no-store"),
            own || status == 404,
            "{path}"
        );
    }
}

#[tokio::test]
async fn the_page_carries_its_style_and_its_policy_allows_no_other() {
    use base64::Engine as _;
    use sha2::Digest as _;
    let server = Server::start().await;
    let response = server.get("/docs").send().await.unwrap();
    assert_eq!(
        header(&response, "content-type"),
        Some("text/html; charset=utf-8")
    );
    let policy = header(&response, "content-security-policy")
        .unwrap()
        .to_owned();
    let html = response.text().await.unwrap();
    let style = html
        .split("<style>")
        .nth(1)
        .unwrap()
        .split("</style>")
        .next()
        .unwrap();
    let hash = sha2::Sha256::digest(style);
    let hash = base64::engine::general_purpose::STANDARD.encode(hash);
    assert!(
        policy.contains(&format!("style-src 'sha256-{hash}'")),
        "{policy}"
    );
    assert!(html.contains("Submit a job") && !html.contains("<script"));
}

#[tokio::test]
async fn all_problems_are_listed_and_each_is_explained() {
    let server = Server::start().await;
    let listed: serde_json::Value = server
        .get("/problems")
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let listed = listed["problems"].as_array().unwrap();
    assert_eq!(listed.len(), ProblemKind::ALL.len());
    for kind in listed {
        let uri = kind["type"].as_str().unwrap();
        let response = server.get(uri).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{uri}");
        let text = response.text().await.unwrap();
        assert!(text.contains(kind["title"].as_str().unwrap()), "{uri}");
    }
}
