//! Responses that the provider keeps: fetched, cancelled and deleted by their id.
//!
//! None of these asks the model for anything, so each may be repeated, and a failure of one says
//! nothing about the response: it is asked for again.

use std::fmt;
use std::time::Duration;

use async_openai::config::Config as _;
use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::client::Client;
use crate::envelope::Envelope;
use crate::headers::retry_after;
use crate::once::{LARGEST_REPLY, read};
use crate::outcome::Outcome;

/// Limit for one request about a kept response.
const TIMEOUT: Duration = Duration::from_secs(20);

/// The longest id that is asked for.
const LONGEST_ID: usize = 256;

/// What the provider says of a response that it keeps.
#[derive(Debug)]
pub enum Retrieved {
    /// The model is at work on it, or about to be.
    Pending,
    /// It is done, in one way or another.
    Settled(Box<Settled>),
    /// The provider knows no such response: it was deleted, has expired, or never was.
    Gone,
    /// No clear answer: ask again, after this time if the provider says so.
    Unclear(Option<Duration>),
}

/// A response that changes no more.
pub struct Settled(Envelope);

impl Settled {
    /// Reads a response object; `None` for anything else, or one that is not settled.
    pub fn read(json: &[u8]) -> Option<Self> {
        let envelope: Envelope = serde_json::from_slice(json).ok()?;
        (!envelope.is_pending()).then_some(Self(envelope))
    }

    /// What it means to a caller who asked for an object of `schema`.
    pub fn outcome(self, schema: &Value) -> Outcome {
        self.0.outcome(schema)
    }

    /// The [`Request::reference`](crate::Request::reference) that it was asked for with.
    pub fn reference(&self) -> Option<&str> {
        self.0.reference()
    }
}

impl fmt::Debug for Settled {
    /// Leaves the answer out: it is somebody's CV.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settled").finish_non_exhaustive()
    }
}

impl Client {
    /// Fetches a kept response.
    pub async fn retrieve(&self, id: &str) -> Retrieved {
        self.about(Method::GET, id, "").await
    }

    /// Asks the provider to stop; one that is done stays as it is. Gives what it is now.
    pub async fn cancel(&self, id: &str) -> Retrieved {
        self.about(Method::POST, id, "/cancel").await
    }

    /// Deletes a kept response. `true`: the provider has it no more.
    pub async fn delete(&self, id: &str) -> bool {
        match self.send_about(Method::DELETE, id, "").await {
            Some(Ok(response)) => {
                response.status().is_success() || response.status() == StatusCode::NOT_FOUND
            }
            Some(Err(_)) => false,
            None => true,
        }
    }

    async fn about(&self, method: Method, id: &str, action: &str) -> Retrieved {
        let response = match self.send_about(method, id, action).await {
            Some(Ok(response)) => response,
            Some(Err(_)) => return Retrieved::Unclear(None),
            None => return Retrieved::Gone,
        };
        let status = response.status();
        if status == StatusCode::NOT_FOUND {
            return Retrieved::Gone;
        }
        if !status.is_success() {
            return Retrieved::Unclear(retry_after(response.headers()));
        }
        let Ok(body) = read(response, LARGEST_REPLY).await else {
            return Retrieved::Unclear(None);
        };
        match serde_json::from_slice::<Envelope>(&body) {
            Ok(envelope) if envelope.is_pending() => Retrieved::Pending,
            Ok(envelope) => Retrieved::Settled(Box::new(Settled(envelope))),
            Err(_) => Retrieved::Unclear(None),
        }
    }

    /// `None`: nothing that a provider could have given as an id.
    async fn send_about(
        &self,
        method: Method,
        id: &str,
        action: &str,
    ) -> Option<reqwest::Result<reqwest::Response>> {
        // An id comes from outside and becomes part of a path.
        let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
        if id.is_empty() || id.len() > LONGEST_ID || !id.bytes().all(fits) {
            return None;
        }
        let endpoint = self.endpoint();
        let request = self
            .http()
            .request(method, endpoint.url(&format!("/responses/{id}{action}")))
            .query(&endpoint.query())
            .headers(endpoint.headers())
            .timeout(TIMEOUT);
        Some(request.send().await)
    }
}
