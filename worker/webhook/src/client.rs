//! One delivery: a signed POST, bounded in time and memory, and what came of it.

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, StatusCode};
use jiff::Timestamp;
use tokio::time::Instant;

use crate::guard::{Policy, UrlFault, check_url};
use crate::resolver::{Forbidden, GuardedResolver, Lookup, SystemLookup};
use crate::signature::{Secret, sign};
use crate::{Url, schedule};

/// Bytes of an answer that are kept.
const KEPT: usize = 1_024;

/// Bytes of an answer that are read. A connection whose answer is longer is closed, and so not
/// used again: a few more bytes are cheaper than another handshake, a film is not.
const READ: usize = 64 << 10;

/// How long an answer's body is waited for, once its status has said what matters.
const BODY: Duration = Duration::from_secs(2);

/// Header lines of an answer. Its whole head has at most 408 KiB, which is hyper's own limit.
const HEADERS: usize = 64;

/// Connections to one endpoint that are kept open while nothing is sent, and how long.
const IDLE_CONNECTIONS: usize = 32;
const IDLE: Duration = Duration::from_secs(30);

/// Characters of [`Attempt::reason`].
const REASON: usize = 300;

/// What is delivered, and where to.
#[derive(Clone)]
pub struct Request {
    /// The endpoint's URL, as the tenant gave it. It is checked again.
    pub url: String,
    /// The same for every attempt at one event, and no other event's.
    pub id: String,
    /// When it is signed: now. Receivers refuse what is five minutes old.
    pub at: Timestamp,
    /// Sent as it is; exactly these bytes are signed.
    pub body: Bytes,
    /// One, or two in a rotation: the new one first.
    pub secrets: Vec<Secret>,
    /// Such as `application/json`.
    pub content_type: &'static str,
}

/// What came of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// What it means.
    pub outcome: Outcome,
    /// The status of the answer, if there was one.
    pub status: Option<u16>,
    /// The first 1,024 bytes of the answer's body as text. What is not UTF-8 is replaced, and
    /// control characters are escaped, so that it can be shown in a terminal or a page.
    pub answer: String,
    /// Why there was no answer, in at most 300 characters; empty if there was one.
    pub reason: String,
    /// From the call to the end.
    pub took: Duration,
    /// How long the endpoint asks to be left alone, at most a day.
    pub retry_after: Option<Duration>,
}

/// What a delivery's end means. Everything but [`Outcome::Delivered`] is a failure, and
/// everything but that and [`Outcome::Gone`] is worth another attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A 2xx.
    Delivered,
    /// 410: the endpoint wants nothing any more, and is to be disabled.
    Gone,
    /// Any other status. Its `Retry-After` is in [`Attempt::retry_after`].
    Refused,
    /// A 3xx: the endpoint has moved, and its owner must change its URL.
    Redirect,
    /// The guard forbade it. Nothing was connected to.
    Blocked(UrlFault),
    /// The name has no address, or its name servers do not say.
    Dns,
    /// No TCP connection: refused, unreachable.
    Connect,
    /// No TLS: a wrong certificate, another protocol.
    Tls,
    /// Not within [`Policy::timeout`], or no connection within [`Policy::connect_timeout`].
    Timeout,
    /// The connection ended before an answer. The endpoint may have acted on the request.
    Reset,
    /// The answer is no HTTP, or its head is too large.
    Garbage,
    /// The request cannot be sent as it is: no secret, or an id that no header can hold. A bug of
    /// the caller; nothing was connected to.
    Invalid,
}

impl Outcome {
    /// A fixed word for records and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Gone => "gone",
            Self::Refused => "refused",
            Self::Redirect => "redirect",
            Self::Blocked(_) => "blocked",
            Self::Dns => "dns",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::Reset => "reset",
            Self::Garbage => "garbage",
            Self::Invalid => "invalid",
        }
    }

    fn of(status: StatusCode) -> Self {
        match status.as_u16() {
            200..=299 => Self::Delivered,
            300..=399 => Self::Redirect,
            410 => Self::Gone,
            // Another protocol was never asked for.
            100..=199 => Self::Garbage,
            _ => Self::Refused,
        }
    }
}

/// The client cannot be made: a certificate of the policy or of the system cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client for webhooks cannot be made")]
pub struct ClientError(#[from] reqwest::Error);

/// Sends webhooks. Cheap to clone; all clones share their connections.
///
/// It follows no redirect, keeps no cookie, unpacks no answer, tries nothing again, and takes no
/// proxy from the environment.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    policy: Arc<Policy>,
}

impl Client {
    /// A client that looks names up as the system does.
    pub fn new(policy: Policy) -> Result<Self, ClientError> {
        // A developer's names may need the search list.
        let absolute = !policy.allow_private;
        Self::with_lookup(policy, Arc::new(SystemLookup { absolute }))
    }

    /// A client with another source of addresses. The guard judges what comes from there.
    pub fn with_lookup(policy: Policy, lookup: Arc<dyn Lookup>) -> Result<Self, ClientError> {
        let policy = Arc::new(policy);
        let http = reqwest::Client::builder()
            .user_agent(concat!("presswork-webhooks/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(policy.connect_timeout.min(policy.timeout))
            .dns_resolver(GuardedResolver::new(lookup, policy.clone()))
            .tls_certs_merge(policy.certificates.iter().cloned())
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .pool_idle_timeout(IDLE)
            .http1_max_headers(HEADERS)
            // One request to a connection: its limits are simple, and a stranger's flow control
            // holds up nobody else.
            .http1_only()
            .https_only(!policy.allow_http)
            .retry(reqwest::retry::never())
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .no_proxy()
            // Another crate's features must not unpack it: a small answer can become a large one.
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate()
            .build()?;
        Ok(Self { http, policy })
    }

    /// Signs and posts the request once, and says what came of it within [`Policy::timeout`].
    #[expect(
        clippy::disallowed_methods,
        reason = "measures how long it takes; no time of day, and nothing is decided by it"
    )]
    pub async fn deliver(&self, request: &Request) -> Attempt {
        let started = Instant::now();
        let mut delivery = self.attempt(request, started + self.policy.timeout).await;
        delivery.took = started.elapsed();
        delivery
    }

    async fn attempt(&self, request: &Request, deadline: Instant) -> Attempt {
        let url = match check_url(&request.url, &self.policy) {
            Ok(url) => url,
            Err(fault) => return Attempt::failed(Outcome::Blocked(fault), &fault.to_string()),
        };
        let Some(headers) = headers(request) else {
            return Attempt::failed(Outcome::Invalid, "no secret, or an id that no header holds");
        };
        let sending = self.send(url, headers, request.body.clone());
        match tokio::time::timeout_at(deadline, sending).await {
            Ok(Ok(response)) => answered(response, request.at, deadline).await,
            Ok(Err(error)) => {
                let (outcome, reason) = classify(&error);
                Attempt::failed(outcome, &reason)
            }
            Err(_) => Attempt::failed(Outcome::Timeout, "no answer in time"),
        }
    }

    fn send(
        &self,
        url: Url,
        headers: HeaderMap,
        body: Bytes,
    ) -> impl Future<Output = reqwest::Result<reqwest::Response>> {
        self.http.post(url).headers(headers).body(body).send()
    }
}

impl Attempt {
    fn failed(outcome: Outcome, reason: &str) -> Self {
        Self {
            outcome,
            status: None,
            answer: String::new(),
            reason: shown(reason).chars().take(REASON).collect(),
            took: Duration::ZERO,
            retry_after: None,
        }
    }
}

/// `None` if the request cannot be signed or written.
fn headers(request: &Request) -> Option<HeaderMap> {
    let Request {
        id,
        at,
        body,
        secrets,
        ..
    } = request;
    if secrets.is_empty() || id.is_empty() {
        return None;
    }
    let text = |text: &str| HeaderValue::from_str(text).ok();
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, text(request.content_type)?);
    headers.insert("webhook-id", text(id)?);
    headers.insert("webhook-timestamp", text(&at.as_second().to_string())?);
    headers.insert("webhook-signature", text(&sign(id, *at, body, secrets))?);
    Some(headers)
}

async fn answered(response: reqwest::Response, now: Timestamp, deadline: Instant) -> Attempt {
    let status = response.status();
    let retry_after = response
        .headers()
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| schedule::retry_after(value, now));
    Attempt {
        outcome: Outcome::of(status),
        status: Some(status.as_u16()),
        answer: beginning(response, deadline).await,
        reason: String::new(),
        took: Duration::ZERO,
        retry_after,
    }
}

/// The beginning of the body. What goes wrong in it changes nothing: the status has been said.
async fn beginning(mut response: reqwest::Response, deadline: Instant) -> String {
    let mut kept = Vec::new();
    let reading = async {
        let mut read = 0;
        while let Ok(Some(chunk)) = response.chunk().await {
            read += chunk.len();
            kept.extend_from_slice(&chunk[..chunk.len().min(KEPT - kept.len())]);
            if read > READ {
                break;
            }
        }
    };
    let _ = tokio::time::timeout_at(deadline, tokio::time::timeout(BODY, reading)).await;
    // A character that the limit cut in two is no fault of the answer.
    if kept.len() == KEPT
        && let Err(error) = std::str::from_utf8(&kept)
        && error.error_len().is_none()
    {
        kept.truncate(error.valid_up_to());
    }
    shown(&String::from_utf8_lossy(&kept))
}

/// Escapes what could act on a terminal or turn a line round. Line breaks and tabs stay.
fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        let turns = matches!(c, '\u{61c}' | '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if turns || c.is_control() && !matches!(c, '\n' | '\t') {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// What kept an answer from coming, and in which words.
fn classify(error: &reqwest::Error) -> (Outcome, String) {
    if let Some(forbidden) = find::<Forbidden>(error).next() {
        let fault = UrlFault::Address(forbidden.0);
        return (Outcome::Blocked(fault), fault.to_string());
    }
    let outcome = if error.is_timeout() {
        Outcome::Timeout
    } else if error.is_dns() {
        Outcome::Dns
    } else if error.is_connect() {
        // What is wrong with TLS is said in these two kinds; no TCP connection fails with them.
        let tls = find::<io::Error>(error).any(|error| {
            let kind = error.kind();
            kind == io::ErrorKind::InvalidData || kind == io::ErrorKind::UnexpectedEof
        });
        if tls { Outcome::Tls } else { Outcome::Connect }
    } else if find::<hyper::Error>(error).any(speaks_otherwise) {
        Outcome::Garbage
    } else {
        Outcome::Reset
    };
    let innermost = chain(error).last().map(ToString::to_string);
    (outcome, innermost.unwrap_or_default())
}

/// Whether what came is not the HTTP that was due: it cannot be read, or it came before the request
/// had gone, as the banners of other protocols do. hyper has no question for the second; it is the
/// one error without a cause that none of its questions names.
fn speaks_otherwise(error: &hyper::Error) -> bool {
    let named = error.is_canceled()
        || error.is_closed()
        || error.is_incomplete_message()
        || error.is_shutdown()
        || error.is_timeout()
        || error.is_user();
    error.is_parse() || (!named && error.source().is_none())
}

fn find<E: Error + 'static>(error: &reqwest::Error) -> impl Iterator<Item = &E> {
    chain(error).filter_map(|error| error.downcast_ref())
}

/// The error and its causes. An I/O error made of another one does not name that as its source.
fn chain(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    let first: &(dyn Error + 'static) = error;
    std::iter::successors(Some(first), |&error| {
        match error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref)
        {
            Some(inside) => Some(inside),
            None => error.source(),
        }
    })
}
