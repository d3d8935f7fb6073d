//! Deliveries per second of one client to a sink on this machine that answers at once.
//!
//! `cargo run --release -p webhook --example deliveries_bench [DELIVERIES] [AT ONCE]`

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::Instant;
use webhook::{Client, Outcome, Policy, Request, Secret};

/// About the size of an event.
const BODY: &[u8] = &[b'x'; 700];
const ANSWER: &[u8] = b"HTTP/1.1 204 No Content\r\n\r\n";

#[tokio::main]
#[expect(clippy::disallowed_methods, reason = "a benchmark measures")]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let mut numbers = std::env::args().skip(1).map(|text| text.parse());
    let total: usize = numbers.next().transpose()?.unwrap_or(20_000);
    let at_once: usize = numbers.next().transpose()?.unwrap_or(64);

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let request = Request {
        url: format!("http://{}/hook", listener.local_addr()?),
        id: "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W".to_owned(),
        at: Timestamp::UNIX_EPOCH,
        body: Bytes::from_static(BODY),
        secrets: vec![Secret::generate([7; 32])],
        content_type: "application/json",
    };
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream));
        }
    });

    let client = Client::new(Policy {
        allow_http: true,
        allow_private: true,
        ..Policy::default()
    })?;
    let left = Arc::new(AtomicUsize::new(total));
    let started = Instant::now();
    let mut workers = JoinSet::new();
    for _ in 0..at_once {
        let (client, request, left) = (client.clone(), request.clone(), left.clone());
        workers.spawn(async move {
            let mut took = Vec::new();
            let one_less = |left: usize| left.checked_sub(1);
            while left
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less)
                .is_ok()
            {
                let delivery = client.deliver(&request).await;
                assert_eq!(delivery.outcome, Outcome::Delivered, "{}", delivery.reason);
                took.push(delivery.took);
            }
            took
        });
    }
    let mut took: Vec<Duration> = workers.join_all().await.into_iter().flatten().collect();
    let seconds = started.elapsed().as_secs_f64();
    took.sort_unstable();
    let percentile = |p: usize| took[(took.len() - 1) * p / 100].as_secs_f64() * 1_000.0;
    println!(
        "{} deliveries, {at_once} at once: {:.0} a second; p50 {:.2} ms, p99 {:.2} ms",
        took.len(),
        took.len() as f64 / seconds,
        percentile(50),
        percentile(99),
    );
    Ok(())
}

/// Reads requests of one size after another and answers each.
async fn answer(mut stream: TcpStream) {
    let mut buffer = vec![0; 16 << 10];
    let mut held = 0;
    while let Ok(read) = stream.read(&mut buffer[held..]).await {
        if read == 0 {
            return;
        }
        held += read;
        // Requests come one at a time: the next waits for the answer.
        let end = buffer[..held]
            .windows(4)
            .position(|four| four == b"\r\n\r\n");
        if end.is_some_and(|end| held >= end + 4 + BODY.len()) {
            held = 0;
            if stream.write_all(ANSWER).await.is_err() {
                return;
            }
        }
    }
}
