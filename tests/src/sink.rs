//! A receiver of webhooks that behaves as badly as its path says, and remembers what it saw.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use storage::Clock as _;
use storage::ambient::System;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::eventually;

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The path.
    pub path: String,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Vec<u8>,
    /// When, since the sink began.
    pub at: Duration,
}

impl Seen {
    /// A header as text; empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.and_then(|value| value.to_str().ok()).unwrap_or("")
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// If it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("what is posted is JSON")
    }
}

/// A running sink. The first segment of a path says how it answers:
///
/// | | |
/// |---|---|
/// | `ok` | 200 at once |
/// | `status/N` | N |
/// | `fail/N` | 500 to the first N requests of this path, then 200 |
/// | `wait/N` | 200 after N milliseconds |
/// | `later/N` | 503 with `Retry-After: N` |
/// | `redirect` | 307 to `/ok` |
/// | `reset` | closes the connection instead of an answer |
/// | `garbage` | bytes that are no HTTP |
/// | `big` | 200 and a body of 100 MB |
/// | `hang` | nothing at all |
#[derive(Debug)]
pub struct Sink {
    address: SocketAddr,
    state: Arc<State>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct State {
    clock: System,
    seen: Mutex<Vec<Seen>>,
    /// Requests of each path.
    counts: Mutex<BTreeMap<String, u64>>,
    /// How many are remembered whole; the rest is counted.
    remember: usize,
}

impl Sink {
    /// Starts one on a free port.
    ///
    /// # Panics
    /// If there is none.
    pub async fn start() -> Self {
        Self::remembering(usize::MAX).await
    }

    /// One that remembers no more than so many requests whole.
    ///
    /// # Panics
    /// If there is no free port.
    pub async fn remembering(remember: usize) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0))
            .await
            .expect("there is a free port");
        let address = listener.local_addr().expect("a listener has an address");
        let state = Arc::new(State {
            clock: System::new(),
            seen: Mutex::default(),
            counts: Mutex::default(),
            remember,
        });
        let shared = state.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = shared.clone();
                tokio::spawn(async move {
                    let _ = serve(stream, &state).await;
                });
            }
        });
        Self {
            address,
            state,
            task,
        }
    }

    /// The URL of a behaviour.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.address)
    }

    /// Since it began.
    pub fn now(&self) -> Duration {
        self.state.clock.monotonic()
    }

    /// What came to paths that begin so.
    pub fn seen(&self, path: &str) -> Vec<Seen> {
        let seen = lock(&self.state.seen);
        let path = format!("/{path}");
        let seen = seen.iter().filter(|seen| seen.path.starts_with(&path));
        seen.cloned().collect()
    }

    /// How many requests came to paths that begin so.
    pub fn count(&self, path: &str) -> u64 {
        let path = format!("/{path}");
        let counts = lock(&self.state.counts);
        let counts = counts.iter().filter(|(of, _)| of.starts_with(&path));
        counts.map(|(_, count)| count).sum()
    }

    /// Waits until so many requests came to paths that begin so.
    ///
    /// # Panics
    /// If that takes longer than [`PATIENCE`](crate::PATIENCE).
    pub async fn wait(&self, path: &str, count: usize) -> Vec<Seen> {
        let what = format!("{count} requests to {path}");
        let look = async || self.seen(path);
        eventually(&what, look, |seen| seen.len() >= count).await
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(stream: TcpStream, state: &State) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    while let Some(mut seen) = read(&mut stream).await? {
        seen.at = state.clock.monotonic();
        let path = seen.path.clone();
        let before = {
            let mut counts = lock(&state.counts);
            let count = counts.entry(path.clone()).or_default();
            *count += 1;
            *count - 1
        };
        {
            let mut all = lock(&state.seen);
            if all.len() < state.remember {
                all.push(seen);
            }
        }
        if !answer(stream.get_mut(), &path, before).await? {
            return Ok(());
        }
    }
    Ok(())
}

/// Whether the connection goes on.
async fn answer(stream: &mut TcpStream, path: &str, before: u64) -> std::io::Result<bool> {
    let mut parts = path.trim_start_matches('/').split('/');
    let how = parts.next().unwrap_or_default();
    let number: u64 = parts.next().and_then(|n| n.parse().ok()).unwrap_or(0);
    let mut status = 200;
    let mut extra = String::new();
    match how {
        "status" => status = number,
        "fail" if before < number => status = 500,
        "wait" => tokio::time::sleep(Duration::from_millis(number)).await,
        "later" => {
            status = 503;
            extra = format!("retry-after: {number}\r\n");
        }
        "redirect" => {
            status = 307;
            "location: /ok/redirected\r\n".clone_into(&mut extra);
        }
        "reset" => return Ok(false),
        "garbage" => {
            stream
                .write_all(b"\x16\x03\x01 not at all HTTP\r\n\r\n")
                .await?;
            return Ok(false);
        }
        "hang" => {
            tokio::time::sleep(Duration::from_hours(1)).await;
            return Ok(false);
        }
        "big" => {
            let size = 100_000_000;
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {size}\r\n\r\n");
            stream.write_all(head.as_bytes()).await?;
            let chunk = vec![b'x'; 64 * 1024];
            for _ in 0..size / chunk.len() {
                stream.write_all(&chunk).await?;
            }
            return Ok(false);
        }
        _ => {}
    }
    let body = format!("{how} says {status}");
    let head = format!(
        "HTTP/1.1 {status} Some Reason\r\ncontent-type: text/plain\r\ncontent-length: {}\r\n{extra}\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    Ok(true)
}

/// The next request of a connection.
async fn read(stream: &mut BufReader<TcpStream>) -> std::io::Result<Option<Seen>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            // A request begins with a letter: this is somebody who speaks TLS.
            Ok(byte) if head.is_empty() && !byte.is_ascii_alphabetic() => return Ok(None),
            Ok(byte) => head.push(byte),
            Err(_) => return Ok(None),
        }
    }
    let head = String::from_utf8_lossy(&head);
    let mut lines = head.lines();
    let path = lines.next().unwrap_or_default();
    let path = path.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut headers = HeaderMap::new();
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
            headers.append(name, value);
        }
    }
    let length = headers.get("content-length");
    let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).await?;
    Ok(Some(Seen {
        path,
        headers,
        body,
        at: Duration::ZERO,
    }))
}
