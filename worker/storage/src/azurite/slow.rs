//! An account that answers when it is told to: it has no entities, and every message can be extended.
//! It counts the connections that are open to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::Ports;

/// A request whose first line holds this is answered at once, whatever was told.
pub const QUICK: &str = "quick";
/// And so is what health checks ask for, who look for a job of this id and peek at a queue.
const AT_ONCE: [&str; 3] = [QUICK, "00000000-0000-", "peekonly"];

/// Both kinds of answer: that of a table to a row that is not there, and that of a queue to an
/// extended message. Headers that a service does not read do not disturb it.
const NOT_FOUND: &[u8] = b"HTTP/1.1 404 Not Found\r\nDate: Tue, 03 Feb 2026 04:05:06 GMT\r\n\
    x-ms-error-code: ResourceNotFound\r\nContent-Length: 0\r\n\r\n";
const EXTENDED: &[u8] = b"HTTP/1.1 204 No Content\r\nDate: Tue, 03 Feb 2026 04:05:06 GMT\r\n\
    x-ms-popreceipt: next\r\n\r\n";
/// And that of a queue that has no messages.
const EMPTY: &[u8] = b"HTTP/1.1 200 OK\r\nDate: Tue, 03 Feb 2026 04:05:06 GMT\r\n\
    Content-Type: application/xml\r\nContent-Length: 20\r\n\r\n<QueueMessagesList/>";

/// The server. It ends with its runtime.
#[derive(Debug)]
pub struct Slow {
    /// Where it listens, the same for all services.
    pub ports: Ports,
    state: Arc<State>,
    answers: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct State {
    asked: AtomicUsize,
    open: AtomicUsize,
    most: AtomicUsize,
}

impl Slow {
    /// Starts; it answers nothing until [`flow`](Self::flow).
    ///
    /// # Panics
    /// If it finds no free port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("a free port can be had");
        let port = listener.local_addr().expect("it has an address").port();
        let (answers, told) = watch::channel(false);
        let state = Arc::<State>::default();
        let of_all = state.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (state, told) = (of_all.clone(), told.clone());
                tokio::spawn(async move {
                    let open = state.open.fetch_add(1, Ordering::SeqCst) + 1;
                    state.most.fetch_max(open, Ordering::SeqCst);
                    carry(client, &state, told).await;
                    state.open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        let ports = Ports {
            blob: port,
            queue: port,
            table: port,
        };
        Self {
            ports,
            state,
            answers,
        }
    }

    /// From now on it answers at once.
    pub fn flow(&self) {
        self.answers.send_replace(true);
    }

    /// Requests so far.
    pub fn asked(&self) -> usize {
        self.state.asked.load(Ordering::SeqCst)
    }

    /// The most connections that were open at once.
    pub fn most_open(&self) -> usize {
        self.state.most.load(Ordering::SeqCst)
    }
}

/// Answers the requests of one connection until it is closed.
async fn carry(mut client: TcpStream, state: &State, mut told: watch::Receiver<bool>) {
    let mut read = Vec::new();
    loop {
        let end = loop {
            if let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            match client.read_buf(&mut read).await {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
        };
        let head = String::from_utf8_lossy(&read[..end]).into_owned();
        let body = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            let is_length = name.eq_ignore_ascii_case("content-length");
            is_length.then(|| value.trim().parse().ok())?
        });
        let whole = end + body.unwrap_or(0);
        while read.len() < whole {
            match client.read_buf(&mut read).await {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
        }
        read.drain(..whole);
        state.asked.fetch_add(1, Ordering::SeqCst);
        let line = head.lines().next().unwrap_or_default();
        if !AT_ONCE.into_iter().any(|word| line.contains(word)) {
            // A client that does not wait any more closes its connection.
            let mut byte = [0];
            tokio::select! {
                flows = told.wait_for(|flows| *flows) => if flows.is_err() { return },
                _gone = client.peek(&mut byte) => return,
            }
        }
        let answer = match line.split(' ').next() {
            Some("PUT") => EXTENDED,
            Some("GET") if line.contains("/messages") => EMPTY,
            _ => NOT_FOUND,
        };
        if client.write_all(answer).await.is_err() {
            return;
        }
    }
}
