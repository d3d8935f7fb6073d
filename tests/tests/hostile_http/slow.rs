//! Clients that send a byte now and then.

use std::time::Duration;

use e2e::backing::Backing;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::Target;

/// Sends a byte every 50 ms for as long as the server listens, at most half a minute. What it answered.
async fn trickle(target: &Target, begin: &str, byte: &str) -> String {
    let mut stream = target.connect().await;
    stream.write_all(begin.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    for _ in 0..600 {
        let sent = stream.write_all(byte.as_bytes()).await;
        let read =
            tokio::time::timeout(Duration::from_millis(50), stream.read_buf(&mut answer)).await;
        if sent.is_err() {
            // The server does not listen any more; what it said is still on its way.
            let rest = stream.read_to_end(&mut answer);
            let _ = tokio::time::timeout(Duration::from_secs(30), rest).await;
        } else if !matches!(read, Ok(Ok(0) | Err(_))) {
            continue;
        }
        return String::from_utf8_lossy(&answer).into_owned();
    }
    panic!(
        "the server still listens: {}",
        String::from_utf8_lossy(&answer)
    );
}

#[tokio::test]
async fn slow_heads_and_slow_bodies_are_cut_off() {
    let settings = [
        ("http.header_timeout", "2500ms"),
        ("server.request_timeout", "2700ms"),
    ];
    let target = Target::start(Backing::embedded(), &settings);
    let head = "GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\nx: ";
    let (slow_head, slow_body, slow_chunks) = tokio::join!(
        trickle(&target, head, "a"),
        trickle(
            &target,
            "POST /v1/jobs HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: 9000\r\n\r\n{",
            " ",
        ),
        trickle(
            &target,
            "POST /api/validate-cv HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n",
            "1\r\n \r\n",
        ),
    );
    assert!(!slow_head.contains("HTTP/1.1 200"), "{slow_head}");
    assert!(slow_body.starts_with("HTTP/1.1 408 "), "{slow_body}");
    assert!(slow_body.contains("/problems/timeout"), "{slow_body}");
    assert!(slow_chunks.starts_with("HTTP/1.1 408 "), "{slow_chunks}");
    target.is_well().await;
}
