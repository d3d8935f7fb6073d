//! A look at the provider that asks the model for nothing and costs nothing.

use std::time::Duration;

use async_openai::config::Config as _;
use reqwest::StatusCode;

use crate::client::Client;

/// Limit for the look.
const TIMEOUT: Duration = Duration::from_secs(10);

/// What a look at the provider showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Probe {
    /// It lists its models for this key.
    Ready,
    /// It answers, and refuses the key, with this HTTP status.
    KeyRefused(u16),
    /// It answers with this HTTP status; compatible servers need not list their models.
    Answers(u16),
    /// No connection, or no answer in ten seconds.
    Unreachable,
}

impl Client {
    /// Asks for the list of models (`GET /models`).
    pub async fn probe(&self) -> Probe {
        let endpoint = self.endpoint();
        let request = self
            .http()
            .get(endpoint.url("/models"))
            .query(&endpoint.query())
            .headers(endpoint.headers())
            .timeout(TIMEOUT);
        match request.send().await {
            Err(_) => Probe::Unreachable,
            Ok(response) => match response.status() {
                status if status.is_success() => Probe::Ready,
                status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
                    Probe::KeyRefused(status.as_u16())
                }
                status => Probe::Answers(status.as_u16()),
            },
        }
    }
}
