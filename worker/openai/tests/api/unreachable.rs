//! Failures before a byte of the request went out: nothing was paid, whatever else went wrong.

use std::time::Duration;

use openai::Client;
use openai::fake::{Script, Server};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpSocket};

use crate::{ANY, client, impatient, request, settings, words};

const UNREACHABLE: &str = "not processed: Unreachable";

#[tokio::test]
async fn connection_refused() {
    // Nobody listens there, nor can anybody else.
    let silent = TcpSocket::new_v4().unwrap();
    silent.bind(ANY).unwrap();
    let address = silent.local_addr().unwrap();
    let called = client(&format!("http://{address}/v1"))
        .call(&request())
        .await;
    assert_eq!(words(&called.outcome), UNREACHABLE);
    assert_eq!((called.rate_limits, called.request_id), (None, None));
}

#[tokio::test]
async fn tls_to_a_plain_port() {
    let server = Server::start(ANY, Script::default()).unwrap();
    let called = client(&format!("https://{}/v1", server.address()))
        .call(&request())
        .await;
    assert_eq!(words(&called.outcome), UNREACHABLE);
    assert_eq!(server.counters().received, 0);
}

#[tokio::test]
async fn tls_that_never_comes() {
    let listener = TcpListener::bind(ANY).await.unwrap();
    let address = listener.local_addr().unwrap();
    let peer = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut received = Vec::new();
        // Reads until the client gives up, and says nothing.
        let _ = stream.read_to_end(&mut received).await;
        received
    });
    let mut settings = settings(&format!("https://{address}/v1"));
    settings.connect_timeout = Duration::from_secs(1);
    let called = Client::new(settings).unwrap().call(&request()).await;
    assert_eq!(words(&called.outcome), UNREACHABLE);
    let received = peer.await.unwrap();
    // A TLS handshake record and nothing else.
    assert_eq!(received.first(), Some(&0x16));
    assert!(!String::from_utf8_lossy(&received).contains("sk-test"));
}

/// A limit for connecting that is as long as the whole call's would hide which of them it was.
#[tokio::test]
async fn the_limit_for_connecting_is_always_the_shorter() {
    let listener = TcpListener::bind(ANY).await.unwrap();
    let mut settings = settings(&format!("https://{}/v1", listener.local_addr().unwrap()));
    settings.connect_timeout = Duration::from_mins(1);
    settings.timeout = Duration::from_secs(3);
    let called = Client::new(settings).unwrap().call(&request()).await;
    assert_eq!(words(&called.outcome), UNREACHABLE);
}

#[tokio::test]
async fn a_name_that_does_not_exist() {
    // RFC 6761, 6.4: `.invalid` never resolves.
    let called = client("http://model.invalid/v1").call(&request()).await;
    assert_eq!(words(&called.outcome), UNREACHABLE);
}

/// The other side of the line: here the request has gone out.
#[tokio::test]
async fn accepted_and_then_silent_is_not_unreachable() {
    let listener = TcpListener::bind(ANY).await.unwrap();
    let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
    let called = impatient(&base_url).call(&request()).await;
    assert_eq!(words(&called.outcome), "ambiguous: Timeout");
}
