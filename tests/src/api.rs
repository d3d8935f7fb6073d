//! A client of the HTTP API, as plain as curl: JSON in, JSON out.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::eventually;

/// Talks to one server.
#[derive(Clone, Debug)]
pub struct Api {
    http: reqwest::Client,
    url: String,
}

impl Api {
    /// A client of the server at a base URL.
    pub fn new(url: &str) -> Self {
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(90))
            .build();
        let http = http.expect("a client with these settings can be made");
        Self {
            http,
            url: url.to_owned(),
        }
    }

    /// The underlying client and a URL for it.
    pub fn request(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url))
    }

    /// Posts a body.
    pub async fn post(&self, path: &str, body: &Value) -> anyhow::Result<(StatusCode, Value)> {
        let response = self
            .request(reqwest::Method::POST, path)
            .json(body)
            .send()
            .await?;
        let status = response.status();
        Ok((
            status,
            response.json().await.context("the answer is not JSON")?,
        ))
    }

    /// Gets a resource.
    pub async fn get(&self, path: &str) -> anyhow::Result<(StatusCode, Value)> {
        let response = self.request(reqwest::Method::GET, path).send().await?;
        let status = response.status();
        Ok((
            status,
            response.json().await.context("the answer is not JSON")?,
        ))
    }

    /// Submits a CV and gives the job's id.
    pub async fn submit(&self, cv: &Value, options: Value) -> anyhow::Result<String> {
        let body = json!({"kind": "cv", "input": {"cv": cv}, "options": options});
        let (status, job) = self.post("/v1/jobs", &body).await?;
        ensure!(status == StatusCode::ACCEPTED, "{status}: {job:#}");
        Ok(job["id"].as_str().context("a job has an id")?.to_owned())
    }

    /// Waits until a job has ended.
    pub async fn ended(&self, id: &str) -> anyhow::Result<Value> {
        self.until(id, |job| {
            !matches!(job["state"].as_str(), Some("queued" | "running") | None)
        })
        .await
    }

    /// Waits until a job is as wanted.
    ///
    /// # Panics
    /// If that takes longer than [`PATIENCE`](crate::PATIENCE).
    pub async fn until(&self, id: &str, wanted: impl Fn(&Value) -> bool) -> anyhow::Result<Value> {
        let what = format!("job {id} is as wanted");
        let path = format!("/v1/jobs/{id}");
        let look = async || self.get(&path).await;
        let answered = eventually(&what, look, |answer| match answer {
            Ok((StatusCode::OK, job)) => wanted(job),
            // It is not there: waiting makes it no better.
            _ => true,
        });
        let (status, job) = answered.await?;
        ensure!(status == StatusCode::OK, "{status}: {job:#}");
        Ok(job)
    }

    /// Fetches a job's PDF.
    pub async fn pdf(&self, id: &str) -> anyhow::Result<Vec<u8>> {
        let path = format!("/v1/jobs/{id}/result");
        let response = self.request(reqwest::Method::GET, &path).send().await?;
        ensure!(
            response.status() == StatusCode::OK,
            "{}",
            response.text().await?
        );
        Ok(response.bytes().await?.to_vec())
    }
}
