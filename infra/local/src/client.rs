//! A client of the HTTP API, as `demo` and `submit` use it.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::{Context as _, bail};
use reqwest::header::HeaderValue;
use reqwest::{Response, StatusCode, Url, header};
use schemas::Problem;
use schemas::job::{JobRequest, JobStatus};

use crate::key;

/// Talks to one server.
#[derive(Debug)]
pub(crate) struct Client {
    http: reqwest::Client,
    server: String,
}

impl Client {
    /// A client of the server at a base URL, perhaps with a key (`KeyArgs::authorization`).
    pub(crate) fn new(server: &str, key: Option<HeaderValue>) -> anyhow::Result<Self> {
        let mut headers = header::HeaderMap::new();
        headers.extend(key.map(|key| (header::AUTHORIZATION, key)));
        let http = reqwest::Client::builder()
            .default_headers(headers)
            .connect_timeout(Duration::from_secs(5))
            .timeout(Duration::from_secs(90))
            .user_agent(concat!("presswork/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self {
            http,
            server: server.to_owned(),
        })
    }

    /// Submits a job. The key makes a repeat harmless.
    pub(crate) async fn submit(
        &self,
        request: &JobRequest,
        key: &str,
    ) -> anyhow::Result<JobStatus> {
        let post = self.http.post(format!("{}/v1/jobs", self.server));
        let sent = post
            .header("Idempotency-Key", key)
            .json(request)
            .send()
            .await;
        let response = checked(sent.with_context(|| self.unreachable())?).await?;
        response
            .json()
            .await
            .context("the server's answer is not a job")
    }

    /// Waits for a change of a job since the state of this tag, 20 s at most. The job, if it has
    /// changed, and the tag of its state.
    pub(crate) async fn change(
        &self,
        link: &str,
        etag: Option<HeaderValue>,
    ) -> anyhow::Result<(Option<JobStatus>, Option<HeaderValue>)> {
        let url = format!("{}{link}", self.server);
        let mut get = self.http.get(url).header("Prefer", "wait=20");
        if let Some(etag) = etag {
            get = get.header(header::IF_NONE_MATCH, etag);
        }
        let response = get.send().await.with_context(|| self.unreachable())?;
        let etag = response.headers().get(header::ETAG).cloned();
        if response.status() == StatusCode::NOT_MODIFIED {
            return Ok((None, etag));
        }
        Ok((Some(checked(response).await?.json().await?), etag))
    }

    /// Fetches a document of a job by its link.
    pub(crate) async fn document(&self, link: &str) -> anyhow::Result<Vec<u8>> {
        let get = self.http.get(format!("{}{link}", self.server));
        let response = get.send().await.with_context(|| self.unreachable())?;
        let bytes = checked(response).await?.bytes().await;
        Ok(bytes.context("the document broke off")?.into())
    }

    fn unreachable(&self) -> String {
        format!(
            "no server answers at {} (start one with `presswork serve`)",
            self.server
        )
    }
}

/// The address of a server, to which paths are added.
pub(crate) fn base_url(text: &str) -> Result<String, String> {
    url(text).map(|url| url.trim_end_matches('/').to_owned())
}

/// An address to which requests can be sent.
pub(crate) fn url(text: &str) -> Result<String, String> {
    let url = text.parse::<Url>().ok();
    match url.filter(|url| ["http", "https"].contains(&url.scheme())) {
        Some(_) => Ok(text.to_owned()),
        None => {
            Err("expected an address with its scheme, such as http://127.0.0.1:8080".to_owned())
        }
    }
}

/// The answer, or its problem in words.
pub(crate) async fn checked(response: Response) -> anyhow::Result<Response> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    match response.json::<Problem>().await {
        Ok(problem) if status == StatusCode::UNAUTHORIZED => {
            bail!("{}\n{}", explain(&problem), key::HOW)
        }
        Ok(problem) => bail!(explain(&problem)),
        Err(_) => bail!("the server answered {status}"),
    }
}

/// A problem in words, one line for each fault.
pub(crate) fn explain(problem: &Problem) -> String {
    let mut text = format!("{}: {}", problem.title, problem.detail);
    for error in &problem.errors {
        // Writing to a `String` cannot fail.
        let _ = write!(text, "\n  {}: {}", error.path, error.message);
    }
    text
}

/// Why a job that ended has no document.
pub(crate) fn ended_without(job: &JobStatus) -> anyhow::Error {
    let why = job
        .error
        .as_ref()
        .map_or_else(String::new, |problem| format!(". {}", explain(problem)));
    anyhow::anyhow!("job {} ended {}{why}", job.id, job.state.as_str())
}
