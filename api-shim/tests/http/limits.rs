//! Time: slow clients, slow storage.

use schemas::{Problem, ProblemKind};
use storage::fault::{Fault, Operation};
use storage::names::TableName;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::server::{Server, header, ms, problem, sample, settings};

async fn connect(server: &Server, bytes: &str) -> TcpStream {
    let mut stream = TcpStream::connect(&server.address).await.unwrap();
    stream.write_all(bytes.as_bytes()).await.unwrap();
    stream
}

/// Everything that comes until the server closes.
async fn rest(mut stream: TcpStream) -> String {
    let mut text = String::new();
    let read = stream.read_to_string(&mut text);
    tokio::time::timeout(ms(20_000), read)
        .await
        .expect("the server closes")
        .unwrap();
    text
}

fn problem_of(answer: &str) -> Problem {
    serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
}

#[tokio::test]
async fn a_slow_body_is_the_callers_fault_and_slow_storage_is_not() {
    let mut settings = settings();
    settings.request_timeout = ms(4_000);
    let server = Server::with(settings, |storage| storage).await;
    let head = "POST /v1/jobs HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n\
                content-length: 100\r\n\r\n{\"kind\":";
    let job = server.submit().await;
    let before = server.stored().await;
    let read = Operation::GetEntity(TableName::Jobs);
    server.faults.script(read, 1, Fault::Delay(ms(60_000)));
    let start = server.now();
    // Both at once, so that the test waits once.
    let slow_body = async { rest(connect(&server, head).await).await };
    let (answer, response) = tokio::join!(slow_body, server.get(&job.links.this).send());
    assert!(server.since(start) < ms(15_000));
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert_eq!(problem_of(&answer).kind, ProblemKind::Timeout);
    assert_eq!(server.stored().await, before, "after a slow body");
    let response = response.unwrap();
    assert_eq!(header(&response, "retry-after"), Some("2"));
    problem(response, ProblemKind::Unavailable, "slow storage").await;

    // A wait that was asked for is no slowness.
    let response = server
        .get(&job.links.this)
        .header("Prefer", "wait=1")
        .send()
        .await
        .unwrap();
    assert!(response.status().is_success());
}

#[tokio::test]
async fn slow_heads_and_silent_connections_are_closed() {
    let mut settings = settings();
    settings.header_timeout = ms(1_000);
    let server = Server::with(settings, |storage| storage).await;
    let closed = async |sent: &str, status: Option<&str>| {
        let start = server.now();
        let answer = rest(connect(&server, sent).await).await;
        let took = server.since(start);
        assert!(took >= ms(900) && took < ms(15_000), "{took:?}");
        let begins = status.is_none_or(|status| answer.starts_with(status));
        assert!(
            begins && answer.contains("200 OK") == status.is_some(),
            "{answer}"
        );
    };
    let whole = "GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n";
    tokio::join!(
        closed("", None),
        closed("GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\nx-slow: ", None),
        // A kept connection that stays idle is closed too.
        closed(whole, Some("HTTP/1.1 200 ")),
    );
}

#[tokio::test]
async fn heads_that_are_too_large_or_no_http_are_refused() {
    let server = Server::start().await;
    let large = format!(
        "GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nx: {}\r\n\r\n",
        "a".repeat(200_000)
    );
    let mut stream = TcpStream::connect(&server.address).await.unwrap();
    // The server may close before it has all.
    let _ = stream.write_all(large.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    assert!(!String::from_utf8_lossy(&answer).contains("200 OK"));
    let answer = rest(connect(&server, "\u{16}\u{3}\u{1} hello\r\n\r\n").await).await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(
        server
            .get("/healthz")
            .send()
            .await
            .unwrap()
            .status()
            .is_success()
    );
}

#[tokio::test]
async fn a_caller_that_asks_first_is_spared_the_sending() {
    let server = Server::start().await;
    let head = "POST /v1/jobs HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n\
                expect: 100-continue\r\ncontent-length: 50000000\r\n\r\n";
    let answer = rest(connect(&server, head).await).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert_eq!(problem_of(&answer).kind, ProblemKind::TooLarge);

    let body = sample().to_string();
    let head = format!(
        "POST /v1/jobs HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\nconnection: close\
         \r\nexpect: 100-continue\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = connect(&server, &head).await;
    let mut go_on = [0; 25];
    stream.read_exact(&mut go_on).await.unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(body.as_bytes()).await.unwrap();
    assert!(rest(stream).await.starts_with("HTTP/1.1 202 "));
}

/// Many clients do not read before they have sent everything: a reset would hide the reason.
#[tokio::test]
async fn a_caller_that_sends_all_before_it_reads_sees_the_refusal() {
    let server = Server::start().await;
    let head = "POST /v1/jobs HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n\
                content-length: 40000000\r\n\r\n";
    let mut stream = connect(&server, head).await;
    let chunk = vec![b' '; 1_000_000];
    for _ in 0..40 {
        stream.write_all(&chunk).await.unwrap();
    }
    let answer = rest(stream).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
}

#[tokio::test]
async fn a_body_that_breaks_off_leaves_nothing() {
    let server = Server::start().await;
    let head = "POST /v1/jobs HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n\
                transfer-encoding: chunked\r\n\r\n5\r\n{\"kin\r\nnot a size\r\n";
    let answer = rest(connect(&server, head).await).await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert_eq!(problem_of(&answer).kind, ProblemKind::MalformedBody);
    server.assert_nothing_stored("a broken chunk").await;
}
