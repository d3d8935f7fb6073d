//! Heads that two readers could read in two ways, paths that lead elsewhere, methods of one's own.

use e2e::backing::Backing;

use super::{Target, statuses};

/// What is hidden behind a request: if it is answered, it was taken for a request of its own.
const HIDDEN: &str = "GET /hidden HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n";

#[tokio::test]
async fn a_request_that_can_be_read_in_two_ways_is_answered_once_and_refused() {
    let target = Target::start(Backing::embedded(), &[]);
    let check = async |about: &str, head: &str, body: &str| {
        let request = format!("POST /v1/jobs HTTP/1.1\r\n{head}\r\n{body}{HIDDEN}");
        let answer = target.say(request.as_bytes()).await;
        let all = statuses(&answer);
        assert!(all.len() <= 1, "{about}: {all:?}");
        assert!(
            all.iter().all(|status| (400..500).contains(status)),
            "{about}: {all:?}"
        );
    };
    let json = "host: 127.0.0.1\r\ncontent-type: application/json\r\n";
    let with = |lines: &str| format!("{json}{lines}");
    let chunked = "transfer-encoding: chunked\r\n";
    check(
        "both lengths",
        &with("content-length: 5\r\ntransfer-encoding: chunked\r\n"),
        "0\r\n\r\n",
    )
    .await;
    check(
        "both lengths, turned",
        &with("transfer-encoding: chunked\r\ncontent-length: 5\r\n"),
        "0\r\n\r\n",
    )
    .await;
    check(
        "two lengths",
        &with("content-length: 2\r\ncontent-length: 40\r\n"),
        "{}",
    )
    .await;
    check(
        "two lengths in a line",
        &with("content-length: 2, 40\r\n"),
        "{}",
    )
    .await;
    check("a signed length", &with("content-length: +2\r\n"), "{}").await;
    check("a negative length", &with("content-length: -2\r\n"), "{}").await;
    check(
        "a hexadecimal length",
        &with("content-length: 0x2\r\n"),
        "{}",
    )
    .await;
    check(
        "a huge length",
        &with("content-length: 99999999999999999999\r\n"),
        "{}",
    )
    .await;
    check(
        "an unknown coding",
        &with("transfer-encoding: xchunked\r\n"),
        "0\r\n\r\n",
    )
    .await;
    check(
        "chunked not last",
        &with("transfer-encoding: chunked, identity\r\n"),
        "0\r\n\r\n",
    )
    .await;
    check(
        "a space before the colon",
        &with("transfer-encoding : chunked\r\n"),
        "0\r\n\r\n",
    )
    .await;
    check(
        "a folded line",
        &with("transfer-encoding:\r\n chunked\r\n"),
        "0\r\n\r\n",
    )
    .await;
    check("a NUL in a value", &with("x: a\0b\r\n"), "").await;
    check("a bare CR in a value", &with("x: a\rb\r\n"), "").await;
    check("a name with a space", &with("x y: 1\r\n"), "").await;
    check("a name without letters", &with(": 1\r\n"), "").await;
    check("a chunk of no size", &with(chunked), "zz\r\n").await;
    check(
        "a chunk of a huge size",
        &with(chunked),
        "fffffffffffffffff\r\nx",
    )
    .await;
    check("a negative chunk", &with(chunked), "-1\r\n\r\n").await;
    check(
        "no host",
        "content-type: application/json\r\ncontent-length: 2\r\nconnection: close\r\n",
        "{}",
    )
    .await;
    check("two hosts", &with("host: b\r\ncontent-length: 2\r\n"), "{}").await;
    target.is_well().await;
}

#[tokio::test]
async fn heads_over_the_limits_are_431() {
    let target = Target::start(Backing::embedded(), &[]);
    let get = |lines: &str| {
        format!("GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\n{lines}connection: close\r\n\r\n")
    };
    let fields = |count: usize| {
        let lines: Vec<_> = (0..count).map(|n| format!("x-{n}: 1\r\n")).collect();
        lines.concat()
    };
    let check = async |about: &str, request: String, want: u16| {
        let answer = target.say(request.as_bytes()).await;
        assert_eq!(statuses(&answer), [want], "{about}: {answer:.200}");
    };
    check("98 fields", get(&fields(98)), 200).await;
    check("101 fields", get(&fields(101)), 431).await;
    check("5,000 fields", get(&fields(5_000)), 431).await;
    check(
        "a field of 40 KB",
        get(&format!("x: {}\r\n", "a".repeat(40_000))),
        200,
    )
    .await;
    check(
        "a field of 300 KB",
        get(&format!("x: {}\r\n", "a".repeat(300_000))),
        431,
    )
    .await;
    let long = "a".repeat(70_000);
    let answer = target
        .say(format!("GET /{long} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n").as_bytes())
        .await;
    assert!(
        matches!(statuses(&answer)[..], [414 | 431]),
        "{answer:.200}"
    );
    target.is_well().await;
}

#[tokio::test]
async fn paths_lead_nowhere_but_to_routes() {
    let target = Target::start(Backing::embedded(), &[]);
    let id = "019a9e4c-6f3b-7c21-9d4e-5b8a1f0c2d37";
    for path in [
        "/v1/jobs/../../healthz",
        "/v1/jobs/%2e%2e/%2e%2e/healthz",
        "/v1/jobs/..%2f..%2fhealthz",
        "/../healthz",
        "/%2e%2e/healthz",
        "/./healthz",
        "//healthz",
        "/healthz/",
        "/healthz//",
        "//v1//jobs",
        "/v1/jobs/",
        "/V1/JOBS",
        "/v1/jobs/%00",
        "/v1/jobs/a%00b",
        "/v1/jobs/%ff%fe",
        "/v1/jobs/%zz",
        "/v1/jobs/%",
        "/v1%2fjobs",
        "/v1/jobs/a%2fresult",
        "/v1/jobs/..;/healthz",
        "/healthz;x=1",
        "/healthz%20",
        "/healthz%0d%0ax:%201",
        "/healthz\\..\\x",
        "/v1/jobs/%c0%ae%c0%ae/",
        "/problems/..%2f..%2fCargo.toml",
        "/problems/%00",
        "/problems/not-found%2f",
        &format!("/v1/jobs/{id}/result/..%2fcv"),
        &format!("/v1/jobs/{id}/result/%2e%2e%2fcv"),
        &format!("/v1/jobs/{}", id.to_uppercase()),
        &format!("/v1/jobs/{id}%00"),
        &format!("/v1/sessions/{id}'"),
        "/api/../healthz",
        "/api/%2e%2e/healthz",
    ] {
        let request =
            format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n");
        let answer = target.say(request.as_bytes()).await;
        assert!(
            matches!(statuses(&answer)[..], [400 | 404]),
            "{path}: {answer:.300}"
        );
        assert!(!answer.to_lowercase().contains("\r\nx: 1"), "{path}");
    }
    target.is_well().await;
}

#[tokio::test]
async fn methods_of_ones_own_are_405_with_allow() {
    let target = Target::start(Backing::embedded(), &[]);
    let long = "A".repeat(1_000);
    for method in [
        "TRACE", "PUT", "PROPFIND", "get", "FOO", "OPTIONS", "M-SEARCH", &long,
    ] {
        let request =
            format!("{method} /v1/jobs HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n");
        let answer = target.say(request.as_bytes()).await;
        assert!(
            matches!(statuses(&answer)[..], [400 | 405]),
            "{method:.10}: {answer:.300}"
        );
        let allow = answer.to_lowercase().contains("\r\nallow: ");
        assert!(
            allow || answer.starts_with("HTTP/1.1 400"),
            "{method:.10}: {answer:.300}"
        );
        // TRACE would send a caller's own headers back to a page.
        assert!(!answer.contains("host: 127"), "{method:.10}");
    }
    for line in [
        "CONNECT a:80 HTTP/1.1",
        "OPTIONS * HTTP/1.1",
        "GET http:// HTTP/1.1",
        "GET / HTTP/2.0",
        "GET / HTTP/9.9",
        "GET /",
        "\u{16}\u{3}\u{1}",
    ] {
        let answer = target
            .say(format!("{line}\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n").as_bytes())
            .await;
        assert!(
            statuses(&answer)
                .iter()
                .all(|status| (400..500).contains(status)),
            "{line}: {answer:.300}"
        );
    }
    target.is_well().await;
}
