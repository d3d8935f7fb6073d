//! `presswork smoke`: does a deployment do what it is for? One real job from end to end, and what
//! is wrong where a step fails. For after a deploy, and for every day.

use std::fmt;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use storage::Clock as _;
use storage::ambient::{System, random};

use crate::client::base_url;
use crate::key::{self, KeyArgs};

/// Longest time for one request, besides the waiting that is asked for.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Largest PDF that is fetched, in bytes.
const LARGEST_PDF: usize = 64 << 20;

/// `presswork smoke`.
#[derive(Debug, Args)]
pub(crate) struct SmokeArgs {
    /// The base URL of the deployment
    #[arg(long, alias = "server", value_name = "URL", value_parser = base_url)]
    endpoint: String,
    #[command(flatten)]
    key: KeyArgs,
    /// Longest time for the job, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 180)]
    wait: u64,
}

/// Takes the steps in order. The first that fails ends it; what was made is deleted in any case.
pub(crate) async fn run(args: SmokeArgs) -> anyhow::Result<()> {
    let http = reqwest::Client::builder()
        .connect_timeout(Duration::from_secs(5))
        .redirect(reqwest::redirect::Policy::limited(3))
        .user_agent(concat!("presswork-smoke/", env!("CARGO_PKG_VERSION")))
        .build()?;
    let mut smoke = Smoke {
        http,
        endpoint: args.endpoint,
        key: args.key.authorization()?,
        wait: Duration::from_secs(args.wait),
        clock: System::new(),
        made: Vec::new(),
    };
    let passed = smoke.steps().await;
    if passed.is_err() {
        // What is left behind by a deployment that does not work expires by itself.
        let _ = smoke.delete().await;
    }
    passed?;
    println!("all steps passed");
    Ok(())
}

struct Smoke {
    http: reqwest::Client,
    endpoint: String,
    key: Option<HeaderValue>,
    wait: Duration,
    clock: System,
    /// Ids of the jobs that were made.
    made: Vec<String>,
}

/// What an answer was, and how to say it.
struct Answer {
    status: StatusCode,
    body: Value,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the answer was {}", self.status)?;
        // Answers of the older contract say the same thing under two names.
        let texts = ["title", "detail", "message", "error"];
        let texts = texts.iter().filter_map(|name| self.body[*name].as_str());
        let texts = texts.map(|text| text.trim_end_matches('.'));
        let mut said = Vec::new();
        for text in texts {
            if !said.contains(&text) {
                write!(f, ", {text}")?;
                said.push(text);
            }
        }
        Ok(())
    }
}

impl Answer {
    /// The answer, and what to do about it.
    fn advised(&self) -> String {
        let advice = match self.status {
            StatusCode::UNAUTHORIZED => key::HOW,
            StatusCode::FORBIDDEN => "The key needs the scopes to write jobs and sessions",
            StatusCode::SERVICE_UNAVAILABLE => "The API cannot reach its storage",
            _ => return self.to_string(),
        };
        format!("{self}. {advice}")
    }
}

impl Smoke {
    async fn steps(&mut self) -> anyhow::Result<()> {
        let cv = unique_cv();
        self.step("health", async |smoke| smoke.health().await)
            .await?;
        self.step("cleanup", async |smoke| smoke.cleanup().await)
            .await?;
        let mut first = Vec::new();
        self.step("pdf", async |smoke| {
            let (pdf, said) = smoke.pdf(&cv).await?;
            first = pdf;
            Ok(said)
        })
        .await?;
        self.step("latch", async |smoke| smoke.latch(&cv, &first).await)
            .await?;
        self.step("deletion", async |smoke| smoke.delete().await)
            .await
    }

    /// Takes one step, and prints what came of it.
    async fn step(
        &mut self,
        name: &str,
        step: impl AsyncFnOnce(&mut Self) -> anyhow::Result<String>,
    ) -> anyhow::Result<()> {
        let start = self.clock.monotonic();
        let done = step(self).await;
        let took = self.clock.monotonic().saturating_sub(start).as_millis();
        match done {
            Ok(said) => {
                println!("ok    {name:9} {took:6} ms  {said}");
                Ok(())
            }
            Err(e) => {
                println!("fail  {name:9} {took:6} ms  {e:#}");
                bail!("the step `{name}` failed");
            }
        }
    }

    async fn health(&mut self) -> anyhow::Result<String> {
        let (alive, _) = self.get("/healthz").await?;
        if alive != StatusCode::OK {
            bail!("GET /healthz answers {alive}: is this the address of Presswork?");
        }
        let detailed = self.checks().await;
        let checks = detailed.iter().filter_map(Value::as_object).flatten();
        let mut ill: Vec<_> = checks.filter(|(_, c)| c["status"] == "unhealthy").collect();
        // Others fail because one of these does.
        ill.sort_by_key(|(name, _)| !["blobs", "queue", "table"].contains(&name.as_str()));
        if let Some((name, check)) = ill.first() {
            let said = check["error"].as_str().or(check["note"].as_str());
            bail!(
                "{name} is unhealthy: {} Check the storage account, its rights and its network; \
                 `presswork doctor` where the API runs says more.",
                said.unwrap_or("no reason is given.")
            );
        }
        let (ready, body) = self.get("/readyz").await?;
        if ready != StatusCode::OK {
            let answer = Answer {
                status: ready,
                body,
            };
            bail!("not ready: {answer}. The API cannot reach its storage, or it is stopping");
        }
        Ok("alive, ready, every check of /health/detailed passed".to_owned())
    }

    /// The checks of `/health/detailed`, where the deployment has it.
    async fn checks(&mut self) -> Option<Value> {
        let (_, mut body) = self.get("/health/detailed").await.ok()?;
        body.get_mut("checks").map(Value::take)
    }

    async fn cleanup(&mut self) -> anyhow::Result<String> {
        let request = self.request(Method::POST, "/api/cleanup-expired-sessions");
        let answer = answer(request.json(&json!({}))).await?;
        if !answer.status.is_success() {
            bail!(answer.advised());
        }
        Ok("expired sessions were removed".to_owned())
    }

    /// A real job: submitted, followed, fetched, compared.
    async fn pdf(&mut self, cv: &Value) -> anyhow::Result<(Vec<u8>, String)> {
        let job = self.job(cv).await?;
        let pdf = self.fetch(&job).await?;
        let pages = &job["result"]["pages"];
        let calls = &job["model_calls"];
        let said = format!("{pages} pages, {} bytes, model calls: {calls}", pdf.len());
        Ok((pdf, said))
    }

    /// The same content again costs no call, and is the very same PDF.
    async fn latch(&mut self, cv: &Value, first: &[u8]) -> anyhow::Result<String> {
        let job = self.job(cv).await?;
        if job["cached"] != true {
            bail!(
                "equal content was made a second time, with {} model calls. Is \
                 CV_EXECUTION_LATCH off, or are workers of two versions running?",
                job["model_calls"]
            );
        }
        if self.fetch(&job).await? != first {
            bail!("equal content gave another PDF");
        }
        Ok("equal content gave the same PDF without a call".to_owned())
    }

    /// Submits a job and follows it to its end.
    async fn job(&mut self, cv: &Value) -> anyhow::Result<Value> {
        let body = json!({
            "kind": "cv",
            "input": {"cv": cv},
            "options": {"pages": 2},
            "metadata": {"smoke": "true"},
        });
        let key = schemas::hex(&random::<16>(&self.clock));
        let request = self.request(Method::POST, "/v1/jobs").json(&body);
        let accepted = answer(request.header("Idempotency-Key", format!("\"{key}\""))).await?;
        if accepted.status != StatusCode::ACCEPTED {
            bail!("submitting: {}", accepted.advised());
        }
        let id = accepted.body["id"].as_str().context("the job has no id")?;
        let id = id.to_owned();
        self.made.push(id.clone());
        self.follow(&id).await
    }

    async fn follow(&mut self, id: &str) -> anyhow::Result<Value> {
        let start = self.clock.monotonic();
        let path = format!("/v1/jobs/{id}");
        loop {
            let passed = self.clock.monotonic().saturating_sub(start);
            let left = self.wait.saturating_sub(passed).as_secs().min(10);
            let request = self.request(Method::GET, &path);
            let request = request.header("Prefer", format!("wait={left}"));
            let job = answer(request).await?;
            if job.status != StatusCode::OK {
                bail!("reading job {id}: {job}");
            }
            let job = job.body;
            match job["state"].as_str() {
                Some("succeeded") => return Ok(job),
                Some("queued" | "running") if passed < self.wait => {
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
                Some("queued" | "running") => bail!(self.stuck(id, &job).await),
                Some("outcome_unknown") => bail!(
                    "job {id} is held: its request went to the model and no answer came. Check the \
                     model's provider, and model.timeout"
                ),
                state => {
                    let error = &job["error"];
                    let text = |name: &str| error[name].as_str().unwrap_or_default();
                    bail!(
                        "job {id} ended as {}: {} {}",
                        state.unwrap_or("(nothing)"),
                        text("title"),
                        text("detail")
                    );
                }
            }
        }
    }

    /// Why a job does not move, as far as can be seen from here.
    async fn stuck(&mut self, id: &str, job: &Value) -> String {
        let waited = self.wait.as_secs();
        if let Some(reason) = job["waiting"]["reason"].as_str() {
            return format!("job {id} waits for money ({reason}): the budget of the day is spent");
        }
        if job["state"] == "running" {
            let phase = job["phase"].as_str().unwrap_or("running");
            let who = if phase == "calling" {
                "the model"
            } else {
                "the renderer"
            };
            return format!(
                "job {id} is still {phase} after {waited} s: {who} takes long, or the worker died \
                 with it and another will go on"
            );
        }
        let worker = self
            .checks()
            .await
            .map(|mut checks| checks["worker"].take());
        match worker
            .as_ref()
            .and_then(|worker| worker["running"].as_bool())
        {
            Some(true) => format!(
                "job {id} is still queued after {waited} s though a worker has run within the last \
                 minutes: the model's provider cannot be reached or asks to wait, which `presswork \
                 doctor` where the worker runs says, or the last worker was stopped meanwhile"
            ),
            _ => format!(
                "job {id} is still queued after {waited} s: no worker takes it. Is one running, with \
                 the same storage account and queue as the API? Its log says why it does not start"
            ),
        }
    }

    /// The job's PDF, checked against what the job says of it.
    async fn fetch(&mut self, job: &Value) -> anyhow::Result<Vec<u8>> {
        let link = job["links"]["result"]
            .as_str()
            .context("the job has no result link")?;
        let request = self.request(Method::GET, link);
        let response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        if status != StatusCode::OK {
            bail!("fetching the PDF: the answer was {status}. Can blobs be read from here?");
        }
        let pdf = bounded(response, LARGEST_PDF).await?;
        if pdf.is_empty() {
            bail!("the PDF is empty");
        }
        if !pdf.starts_with(b"%PDF-") {
            bail!("what was fetched is no PDF");
        }
        let sha256 = schemas::hex(&Sha256::digest(&pdf));
        if job["result"]["sha256"] != sha256.as_str() {
            bail!("the PDF is not the one that the job made: its SHA-256 differs");
        }
        Ok(pdf)
    }

    /// Deletes what was made, and sees that it is gone.
    async fn delete(&mut self) -> anyhow::Result<String> {
        let made = std::mem::take(&mut self.made);
        for id in &made {
            let path = format!("/v1/jobs/{id}");
            let deleted = answer(self.request(Method::DELETE, &path)).await?;
            if deleted.status == StatusCode::METHOD_NOT_ALLOWED {
                return Ok("this version cannot delete jobs: they expire by themselves".to_owned());
            }
            if !deleted.status.is_success() {
                bail!("deleting job {id}: {}", deleted.advised());
            }
            let (status, _) = self.get(&path).await?;
            if !matches!(status, StatusCode::NOT_FOUND | StatusCode::GONE) {
                bail!("job {id} was deleted, and GET still answers {status}");
            }
        }
        Ok(format!("{} jobs were deleted and are gone", made.len()))
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self
            .http
            .request(method, format!("{}{path}", self.endpoint));
        let request = request.timeout(TIMEOUT);
        match &self.key {
            Some(key) => request.header(AUTHORIZATION, key.clone()),
            None => request,
        }
    }

    async fn get(&self, path: &str) -> anyhow::Result<(StatusCode, Value)> {
        let answer = answer(self.request(Method::GET, path)).await?;
        Ok((answer.status, answer.body))
    }
}

/// Sends a request. An answer that is no JSON is one without a body.
async fn answer(request: RequestBuilder) -> anyhow::Result<Answer> {
    let response = request.send().await.map_err(unreachable)?;
    let status = response.status();
    let body = bounded(response, 1 << 20).await?;
    let body = serde_json::from_slice(&body).unwrap_or_default();
    Ok(Answer { status, body })
}

/// A body of at most so many bytes.
async fn bounded(mut response: Response, most: usize) -> anyhow::Result<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.context("the answer broke off")? {
        if body.len() + chunk.len() > most {
            bail!("the answer is longer than {most} bytes");
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn unreachable(error: reqwest::Error) -> anyhow::Error {
    let what = if error.is_timeout() {
        "the API does not answer in time"
    } else if error.is_connect() {
        "nothing answers at this endpoint: is the API running, and is the address right?"
    } else {
        "the request failed"
    };
    // Its own text repeats the URL; its causes say what happened.
    let error = error.without_url();
    anyhow::Error::new(error).context(what)
}

/// The sample CV with a profile that no other job has, so that the first job is really made.
fn unique_cv() -> Value {
    let mut cv: Value =
        serde_json::from_str(schemas::cv::SAMPLE).expect("the sample CV is JSON: a test reads it");
    let number = u64::from_be_bytes(random(&System::new()));
    cv["profile"] = format!("Plans and runs things with care. Smoke test number {number}.").into();
    cv
}
