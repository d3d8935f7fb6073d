//! Connections that are opened and left.

use std::time::Duration;

use e2e::backing::Backing;
use e2e::process::Server;
use storage::Clock as _;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

use super::{Target, statuses};

async fn open(target: &Target, count: usize) -> Vec<TcpStream> {
    let mut streams = Vec::with_capacity(count);
    while streams.len() < count {
        let some = (0..100.min(count - streams.len())).map(|_| target.connect());
        streams.extend(futures::future::join_all(some).await);
    }
    streams
}

/// Resident memory in megabytes.
fn memory_mb(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    line.split_whitespace()
        .nth(1)
        .unwrap()
        .parse::<u64>()
        .unwrap()
        / 1_024
}

#[tokio::test]
async fn ten_thousand_idle_connections_hold_up_nobody_and_are_closed() {
    let target = Target::start(Backing::embedded(), &[("http.header_timeout", "20s")]);
    let clock = storage::ambient::System::new();
    let before = memory_mb(&target.server);
    let mut streams = open(&target, 9_500).await;
    let half_sent = open(&target, 500).await;
    for stream in &half_sent {
        stream
            .try_write(b"GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\nx: ")
            .unwrap();
    }
    streams.extend(half_sent);
    let start = clock.monotonic();
    target.is_well().await;
    let took = clock.monotonic().saturating_sub(start);
    let memory = memory_mb(&target.server).saturating_sub(before);
    println!("10,000 idle connections: +{memory} MB, a request beside them answered in {took:?}");
    // Before any of them is closed.
    assert!(took < Duration::from_secs(18), "{took:?}");
    assert!(memory < 300, "{memory} MB");
    for stream in &mut streams {
        let mut answer = Vec::new();
        let ended = tokio::time::timeout(Duration::from_secs(40), stream.read_to_end(&mut answer));
        assert!(ended.await.is_ok(), "an idle connection is still open");
        assert!(!answer.starts_with(b"HTTP/1.1 2"));
    }
    target.is_well().await;
}

#[tokio::test]
async fn over_the_limit_connections_are_told_to_come_back() {
    let settings = [
        ("http.max_connections", "20"),
        ("http.header_timeout", "5m"),
    ];
    let target = Target::start(Backing::embedded(), &settings);
    // Connections are accepted in the order in which they came.
    let idle = open(&target, 20).await;
    let answer = target
        .say(b"GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
        .await;
    assert_eq!(statuses(&answer), [503], "{answer}");
    assert!(
        answer.contains("retry-after: 2") && answer.contains("/problems/unavailable"),
        "{answer}"
    );
    // When the idle ones are closed there is room again.
    drop(idle);
    target.is_well().await;
}

/// Where the process may open few files it says so at its start, and works within them.
#[tokio::test]
async fn a_low_limit_of_open_files_is_said_at_the_start() {
    let backing = Backing::embedded();
    let serve = backing.serve(&[]);
    let mut limited = std::process::Command::new("bash");
    limited.args(["-c", "ulimit -n 400; exec \"$0\" \"$@\""]);
    limited.arg(serve.get_program()).args(serve.get_args());
    for (name, value) in serve.get_envs() {
        match value {
            Some(value) => limited.env(name, value),
            None => limited.env_remove(name),
        };
    }
    let target = Target {
        server: Server::start(&mut limited),
        _backing: backing,
    };
    target.is_well().await;
    let (status, log) = target.server.terminate();
    assert!(status.success(), "{log}");
    assert!(
        log.contains("may open 400 files") && log.contains("ulimit -n"),
        "{log}"
    );
}
