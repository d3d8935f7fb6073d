//! Deliveries to a sink that does all that an endpoint can do wrong: a typed outcome for each,
//! within bounds of time and memory, and what the sink saw of it.

#![allow(
    clippy::unwrap_used,
    reason = "a test may fail at once, in its helpers too"
)]

mod answers;
mod names;
mod sink;
mod tls;

use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use webhook::{Policy, Request, Secret};

const BODY: &str = r#"{"type":"job.succeeded"}"#;

/// When everything here is signed.
const SENT: &str = "2026-03-01T12:00:00Z";

/// The whole time for a delivery, and for its connection.
const TIMEOUT: Duration = Duration::from_secs(8);
const CONNECT: Duration = Duration::from_secs(4);

/// What a machine under load may take longer.
const SLACK: Duration = Duration::from_secs(15);

/// The sinks are on this machine.
fn policy() -> Policy {
    Policy {
        allow_http: true,
        allow_private: true,
        timeout: TIMEOUT,
        connect_timeout: CONNECT,
        ..Policy::default()
    }
}

fn secret() -> Secret {
    Secret::generate([7; 32])
}

fn sent() -> Timestamp {
    SENT.parse().unwrap()
}

fn request(url: String) -> Request {
    Request {
        url,
        id: "msg_2f".to_owned(),
        at: sent(),
        body: Bytes::from_static(BODY.as_bytes()),
        secrets: vec![secret()],
        content_type: "application/json",
    }
}
