//! How exporters reach their receivers: one HTTP client on a thread of this crate.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use opentelemetry_http::{HttpClient, HttpError};
use tokio::runtime::Handle;

use crate::event;

/// Longest time for one export.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Largest answer that is read; receivers answer with a few bytes.
const LARGEST_ANSWER: usize = 64 * 1024;

/// The exporters' HTTP client. Exporters run on threads of the SDK that know no runtime, so the
/// work is done on ours.
#[derive(Debug)]
pub(crate) struct Transport {
    client: reqwest::Client,
    runtime: Handle,
    /// Exports in a row that failed.
    failures: AtomicU64,
}

impl Transport {
    pub(crate) fn new(runtime: Handle) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self {
            client,
            runtime,
            failures: AtomicU64::new(0),
        })
    }

    /// Logs the first failure of a row, and the end of the row.
    fn report(&self, host: &str, problem: Option<&str>) {
        if let Some(problem) = problem {
            if self.failures.fetch_add(1, Ordering::Relaxed) == 0 {
                tracing::warn!(
                    event = event::TELEMETRY_FAILED,
                    host,
                    "telemetry cannot be sent to {host}: {problem}"
                );
            }
            return;
        }
        let failures = self.failures.swap(0, Ordering::Relaxed);
        if failures > 0 {
            tracing::info!(
                event = event::TELEMETRY_RECOVERED,
                host,
                failures,
                "telemetry can be sent to {host} again"
            );
        }
    }
}

#[async_trait]
impl HttpClient for Transport {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let host = request.uri().host().unwrap_or_default().to_owned();
        let sent = self.runtime.spawn(send(self.client.clone(), request)).await;
        let answer = sent.map_err(HttpError::from).flatten();
        match &answer {
            Ok(answer) if answer.status().is_success() => self.report(&host, None),
            Ok(answer) => self.report(&host, Some(answer.status().as_str())),
            // Its text may hold a URL, and with it a key; what kind it is will do.
            Err(e) if is_timeout(&**e) => self.report(&host, Some("no answer in time")),
            Err(_) => self.report(&host, Some("no connection")),
        }
        answer
    }
}

async fn send(
    client: reqwest::Client,
    request: Request<Bytes>,
) -> Result<Response<Bytes>, HttpError> {
    let request = request.map(reqwest::Body::from).try_into()?;
    let mut answer = client.execute(request).await?;
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        if body.len() + chunk.len() > LARGEST_ANSWER {
            return Err("the answer is too long".into());
        }
        body.extend_from_slice(&chunk);
    }
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = answer.status();
    std::mem::swap(response.headers_mut(), answer.headers_mut());
    Ok(response)
}

fn is_timeout(error: &(dyn std::error::Error + 'static)) -> bool {
    let error = error.downcast_ref::<reqwest::Error>();
    error.is_some_and(reqwest::Error::is_timeout)
}
