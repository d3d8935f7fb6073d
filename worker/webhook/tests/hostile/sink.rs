//! An endpoint on this machine that reads a request and then does as it is told.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What the sink does with a connection.
#[derive(Clone)]
pub(crate) enum Does {
    /// Answers each request with these bytes and leaves the connection open.
    Says(Vec<u8>),
    /// The same, and closes it.
    SaysAndCloses(Vec<u8>),
    /// The same, and resets it.
    SaysAndResets(Vec<u8>),
    /// Says the first, and then the second until nobody takes it any more.
    Floods(Vec<u8>, Vec<u8>),
    /// Says the first at once and then a byte of the second every 20 ms, over and over.
    Drips(Vec<u8>, Vec<u8>),
    /// Reads no request and does that.
    AtOnce(Box<Does>),
}

/// What the sink saw.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) connections: AtomicUsize,
    /// Bytes of answers that left the sink: those in buffers of the system count too.
    pub(crate) written: AtomicU64,
    requests: Mutex<Vec<String>>,
}

impl Seen {
    /// All requests, as they came.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

/// Stops when it is dropped.
pub(crate) struct Sink {
    pub(crate) address: SocketAddr,
    pub(crate) seen: Arc<Seen>,
    task: JoinHandle<()>,
}

impl Sink {
    pub(crate) async fn start(does: Does) -> Self {
        Self::serve(move |stream, seen| {
            let does = does.clone();
            async move { talk(stream, &does, &seen).await }
        })
        .await
    }

    /// A sink that hands each connection over.
    pub(crate) async fn serve<F, Handled>(handle: F) -> Self
    where
        F: Fn(TcpStream, Arc<Seen>) -> Handled + Send + 'static,
        Handled: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::<Seen>::default();
        let shared = seen.clone();
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                shared.connections.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(handle(stream, shared.clone()));
            }
        });
        Self {
            address,
            seen,
            task,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Holds one conversation. Ends with the connection.
async fn talk(mut stream: TcpStream, does: &Does, seen: &Seen) {
    let does = if let Does::AtOnce(does) = does {
        does
    } else if read_request(&mut stream, seen).await.is_some() {
        does
    } else {
        return;
    };
    match does {
        Does::Says(answer) => loop {
            if say(&mut stream, answer, seen).await.is_none()
                || read_request(&mut stream, seen).await.is_none()
            {
                return;
            }
        },
        Does::SaysAndCloses(answer) => {
            say(&mut stream, answer, seen).await;
        }
        Does::SaysAndResets(answer) => {
            say(&mut stream, answer, seen).await;
            // What was said must have gone before the reset overtakes it.
            tokio::time::sleep(Duration::from_secs(1)).await;
            stream.set_zero_linger().unwrap();
        }
        Does::Floods(first, then) => {
            say(&mut stream, first, seen).await;
            while say(&mut stream, then, seen).await.is_some() {}
        }
        Does::Drips(first, then) => {
            say(&mut stream, first, seen).await;
            for byte in then.iter().cycle() {
                if say(&mut stream, &[*byte], seen).await.is_none() {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        Does::AtOnce(_) => panic!("at once, once"),
    }
}

async fn say(stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8], seen: &Seen) -> Option<()> {
    stream.write_all(bytes).await.ok()?;
    stream.flush().await.ok()?;
    let written = bytes.len() as u64;
    seen.written.fetch_add(written, Ordering::Relaxed);
    Some(())
}

/// Reads and keeps one request. `None` once there is no more.
pub(crate) async fn read_request(stream: &mut (impl AsyncRead + Unpin), seen: &Seen) -> Option<()> {
    let mut request = Vec::new();
    let mut buffer = [0; 4_096];
    loop {
        let text = String::from_utf8_lossy(&request);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .map_or(0, |length| length.parse().unwrap());
            if body.len() >= length {
                seen.requests.lock().unwrap().push(text.into_owned());
                return Some(());
            }
        }
        let read = stream.read(&mut buffer).await.ok().filter(|&n| n > 0)?;
        request.extend_from_slice(&buffer[..read]);
    }
}
