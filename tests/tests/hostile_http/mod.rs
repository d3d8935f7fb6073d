//! What hostile clients send to a running `presswork serve`: never a 5xx, never two answers to one
//! request, never a connection that holds up the others.

#![allow(
    clippy::unwrap_used,
    reason = "a test may fail at once, in its helpers too"
)]

mod heads;
mod idle;
mod keys;
mod slow;

use std::time::Duration;

use e2e::backing::Backing;
use e2e::eventually;
use e2e::process::Server;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A running server, and where it keeps its data.
struct Target {
    server: Server,
    _backing: Backing,
}

impl Target {
    fn start(backing: Backing, settings: &[(&str, &str)]) -> Self {
        Self {
            server: Server::start(&mut backing.serve(settings)),
            _backing: backing,
        }
    }

    /// Host and port.
    fn address(&self) -> &str {
        self.server.url.trim_start_matches("http://")
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address()).await.unwrap()
    }

    /// Everything that is answered to these bytes until the server closes, which it does here, or is
    /// silent for longer than a machine stands still.
    async fn say(&self, bytes: &[u8]) -> String {
        let silence = Duration::from_secs(20);
        self.hear(bytes, silence).await
    }

    /// Everything that is answered until the server closes, or is silent for so long.
    async fn hear(&self, bytes: &[u8], silence: Duration) -> String {
        let mut stream = self.connect().await;
        // The server may close before it has read all.
        let _ = stream.write_all(bytes).await;
        let mut answer = Vec::new();
        let mut part = vec![0; 16 * 1024];
        while let Ok(Ok(size @ 1..)) = tokio::time::timeout(silence, stream.read(&mut part)).await {
            answer.extend_from_slice(&part[..size]);
        }
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Waits until a request is served as it should be.
    async fn is_well(&self) {
        let request = b"GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n";
        let silence = Duration::from_secs(30);
        let heard = async || self.hear(request, silence).await;
        let is_well = |answer: &String| answer.starts_with("HTTP/1.1 200 ");
        eventually("the server is well", heard, is_well).await;
    }
}

/// The statuses of all answers in a text, in order.
fn statuses(answer: &str) -> Vec<u16> {
    answer
        .split("HTTP/1.1 ")
        .skip(1)
        .filter_map(|rest| rest.get(..3)?.parse().ok())
        .collect()
}
