//! Stands between a client and Azurite, and lets chosen requests go wrong on the wire.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::azurite::Ports;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing: it is the next one that is meant.
    Pass,
    /// It is carried out; the connection ends without an answer.
    LoseAnswer,
    /// It is not carried out; the connection ends without an answer.
    Drop,
    /// It is not carried out; the answer is 503.
    Busy,
    /// It is carried out, and the answer is 503 all the same.
    DoneButBusy,
    /// It is carried out, and the answer is 500.
    DoneButFailed,
    /// It is carried out, and the answer comes only after this time.
    DelayAnswer(Duration),
}

/// Three ports that lead to Azurite's.
#[derive(Debug)]
pub struct Proxy {
    /// Where to connect to.
    pub ports: Ports,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// The next requests whose first line begins with a text, or holds it after the method.
    faults: VecDeque<(&'static str, Fault)>,
    /// How many requests there were since the last question.
    requests: usize,
    /// All that a request proved itself with.
    proofs: Vec<String>,
    /// Writes lose their answers by chance.
    losing: bool,
    /// The state of the generator that chance comes from.
    chance: u64,
    /// How many answers were lost so.
    lost: usize,
}

impl Proxy {
    /// Opens three free ports.
    pub async fn to(upstream: Ports) -> Self {
        let state = Arc::<Mutex<State>>::default();
        let ports = Ports {
            blob: serve(upstream.blob, state.clone()).await,
            queue: serve(upstream.queue, state.clone()).await,
            table: serve(upstream.table, state.clone()).await,
        };
        Self { ports, state }
    }

    /// The next request whose first line begins with `line`, such as `PUT /devstoreaccount1/jobs`,
    /// goes wrong. The account may be left out.
    pub fn next(&self, line: &'static str, fault: Fault) {
        self.state().faults.push_back((line, fault));
    }

    /// From now on a third of all writes, of any service, are carried out and lose their answers,
    /// until this is called with `false`. By chance and not in turn, which could hit the same
    /// step of each try.
    pub fn lose_answers(&self, lose: bool) {
        self.state().losing = lose;
    }

    /// How many answers were lost by chance.
    pub fn lost(&self) -> usize {
        self.state().lost
    }

    /// Panics if a fault was asked for that nothing has met.
    pub fn all_met(&self) {
        let left = &self.state().faults;
        assert!(left.is_empty(), "not met: {left:?}");
    }

    /// How many requests there were since the last question.
    pub fn requests(&self) -> usize {
        std::mem::take(&mut self.state().requests)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Values of `authorization` and signatures in URLs, of all requests so far.
    pub fn proofs(&self) -> Vec<String> {
        self.state().proofs.clone()
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(upstream: u16, state: Arc<Mutex<State>>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a free port can be had");
    let port = listener
        .local_addr()
        .expect("a listener has an address")
        .port();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            // A client that goes away ends its connection, not the test.
            tokio::spawn(carry(client, upstream, state.clone()));
        }
    });
    port
}

/// One request, one connection.
async fn carry(mut client: TcpStream, upstream: u16, state: Arc<Mutex<State>>) -> Option<()> {
    let mut request = Vec::new();
    let body = loop {
        if let Some(end) = request.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
        if client.read_buf(&mut request).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&request[..body]).into_owned();
    let whole = body
        + header(&head, "content-length")
            .and_then(|n| n.parse().ok())
            .unwrap_or(0);
    while request.len() < whole {
        if client.read_buf(&mut request).await.ok()? == 0 {
            return None;
        }
    }
    let fault = lock(&state).fault(&head);
    if fault == Some(Fault::Drop) {
        return None;
    }
    let answer = match fault {
        Some(Fault::Busy) => Vec::new(),
        _ => ask(upstream, &head, &request[body..]).await?,
    };
    let answer = match fault {
        Some(Fault::LoseAnswer) => return None,
        Some(Fault::Busy | Fault::DoneButBusy) => refusal(503, "ServerBusy"),
        Some(Fault::DoneButFailed) => refusal(500, "OperationTimedOut"),
        Some(Fault::DelayAnswer(time)) => {
            tokio::time::sleep(time).await;
            answer
        }
        None | Some(Fault::Pass | Fault::Drop) => answer,
    };
    client.write_all(&answer).await.ok()?;
    client.shutdown().await.ok()
}

/// The request as it came, but for the end of the connection; the answer until that end.
async fn ask(upstream: u16, head: &str, body: &[u8]) -> Option<Vec<u8>> {
    let mut server = TcpStream::connect(("127.0.0.1", upstream)).await.ok()?;
    let head = head.trim_end_matches("\r\n");
    server
        .write_all(format!("{head}\r\nconnection: close\r\n\r\n").as_bytes())
        .await
        .ok()?;
    server.write_all(body).await.ok()?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer).await.ok()?;
    Some(answer)
}

fn refusal(status: u16, code: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {status} x\r\nx-ms-error-code: {code}\r\ncontent-length: 0\r\n\
         connection: close\r\n\r\n"
    )
    .into_bytes()
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

impl State {
    fn fault(&mut self, head: &str) -> Option<Fault> {
        self.requests += 1;
        let line = head
            .lines()
            .next()
            .unwrap_or_default()
            .replace("/devstoreaccount1", "");
        let signature = line
            .split(['&', '?', ' '])
            .find_map(|pair| pair.strip_prefix("sig="));
        let authorization = header(head, "authorization");
        self.proofs.extend(
            [signature, authorization]
                .into_iter()
                .flatten()
                .map(str::to_owned),
        );
        let writes = ["PUT ", "POST ", "PATCH ", "MERGE ", "DELETE "];
        if self.losing && writes.iter().any(|method| line.starts_with(method)) {
            // A linear congruential generator with Knuth's constants; its high bits are good.
            self.chance = self
                .chance
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let lose = (self.chance >> 33).is_multiple_of(3);
            self.lost += usize::from(lose);
            return lose.then_some(Fault::LoseAnswer);
        }
        let (wanted, fault) = *self.faults.front()?;
        if !line.starts_with(wanted) {
            return None;
        }
        self.faults.pop_front();
        Some(fault)
    }
}
