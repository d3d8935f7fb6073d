//! Sends one request, once, and judges the answer where all of it can still be seen.
//!
//! `async-openai` turns every error answer into one type that has lost the headers, and logs the
//! bodies of 5xx answers and of replies that it cannot read. This service stands where its retry
//! layer would: what is not a readable 200 ends here and never reaches those places.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use async_openai::error::OpenAIError;
use async_openai::middleware::HttpRequestFactory;
use reqwest::{Client, Response};

use crate::classify::{broken, lost, refused, unanswered};
use crate::envelope::{Envelope, id_in_prefix};
use crate::headers::{RateLimits, request_id};
use crate::outcome::{AmbiguityKind, Outcome};

/// The largest reply that is read. A real one is some tens of kilobytes.
pub(crate) const LARGEST_REPLY: usize = 8 << 20;
/// The largest error that is read; its status says most.
const LARGEST_ERROR: usize = 64 << 10;

/// A service for one call: it sends the first request that it is given and no other.
#[derive(Clone)]
pub(crate) struct Once {
    http: Client,
    spent: Arc<AtomicBool>,
    aside: Arc<OnceLock<Aside>>,
}

/// What a provider says beside its answer.
#[derive(Clone, Default)]
pub(crate) struct Aside {
    pub(crate) rate_limits: Option<RateLimits>,
    pub(crate) request_id: Option<String>,
}

/// The way of an outcome through the library's error type.
#[derive(Debug, thiserror::Error)]
#[error("the call ended without a readable reply")]
pub(crate) struct Stopped(pub(crate) Outcome);

impl Once {
    pub(crate) fn new(http: Client) -> Self {
        Self {
            http,
            spent: Arc::default(),
            aside: Arc::default(),
        }
    }

    /// What the provider said beside its answer, once there was one.
    pub(crate) fn aside(&self) -> Aside {
        self.aside.get().cloned().unwrap_or_default()
    }

    async fn send(self, request: HttpRequestFactory) -> Result<Response, OpenAIError> {
        if self.spent.swap(true, Ordering::SeqCst) {
            return Err(OpenAIError::InvalidArgument(
                "a call sends one request".to_owned(),
            ));
        }
        let request = request.build().await?;
        match self.exchange(request).await {
            Ok(response) => Ok(response),
            Err(outcome) => Err(OpenAIError::Boxed(Box::new(Stopped(outcome)))),
        }
    }

    async fn exchange(&self, request: reqwest::Request) -> Result<Response, Outcome> {
        let response = self
            .http
            .execute(request)
            .await
            .map_err(|error| unanswered(&error))?;
        let (status, headers) = (response.status(), response.headers().clone());
        // Only the first and only answer sets it.
        let _ = self.aside.set(Aside {
            rate_limits: RateLimits::read(&headers),
            request_id: request_id(&headers),
        });
        if !status.is_success() {
            // A broken body takes nothing from what the status says.
            let body = read(response, LARGEST_ERROR)
                .await
                .unwrap_or_else(|cut| cut.body);
            return Err(refused(status, &headers, &body));
        }
        let body = read(response, LARGEST_REPLY)
            .await
            .map_err(|cut| lost(cut.kind, id_in_prefix(&cut.body)))?;
        if let Err(error) = serde_json::from_slice::<Envelope>(&body) {
            let kind = if error.is_eof() {
                AmbiguityKind::Truncated
            } else {
                AmbiguityKind::Unreadable
            };
            return Err(lost(kind, id_in_prefix(&body)));
        }
        Ok(http::Response::new(body).into())
    }
}

/// A body that did not arrive whole.
pub(crate) struct Cut {
    kind: AmbiguityKind,
    body: Vec<u8>,
}

/// A whole body of at most `limit` bytes.
pub(crate) async fn read(mut response: Response, limit: usize) -> Result<Vec<u8>, Cut> {
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > limit => {
                return Err(Cut {
                    kind: AmbiguityKind::Unreadable,
                    body,
                });
            }
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return Ok(body),
            Err(error) => {
                return Err(Cut {
                    kind: broken(&error, AmbiguityKind::Truncated),
                    body,
                });
            }
        }
    }
}

impl tower::Service<HttpRequestFactory> for Once {
    type Response = Response;
    type Error = OpenAIError;
    type Future = Pin<Box<dyn Future<Output = Result<Response, OpenAIError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), OpenAIError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: HttpRequestFactory) -> Self::Future {
        Box::pin(self.clone().send(request))
    }
}
