//! A running server, what is stored behind it, and a worker's moves by hand.

use std::sync::Arc;
use std::time::Duration;

use api_shim::{App, Settings};
use bytes::Bytes;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use schemas::job::{DocumentName, Editor, JobStatus};
use schemas::{JobId, Problem, ProblemKind, Tenant};
use serde_json::{Value, json};
use storage::ambient::System;
use storage::fault::{Faults, Operation};
use storage::jobs::{
    CallOutcome, Ending, JobStore, Latch, Loaded, PdfFacts, StoredDocument, StoredPdf, Token,
};
use storage::names::{Container, QueueName, TableName};
use storage::{Clock, Entropy, Storage, embedded};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// What stands beside every PDF here.
pub(crate) const CV_JSON: &[u8] = br#"{"full_name":"Ida Morrow"}"#;

pub(crate) struct Server {
    pub(crate) address: String,
    pub(crate) http: reqwest::Client,
    pub(crate) jobs: JobStore,
    pub(crate) faults: Arc<Faults>,
    clock: Arc<dyn Clock>,
    pub(crate) shutdown: CancellationToken,
    serving: JoinHandle<std::io::Result<()>>,
    _dir: TempDir,
}

pub(crate) fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Settings whose waits are short. Limits are longer than a busy machine stands still.
pub(crate) fn settings() -> Settings {
    Settings {
        request_timeout: ms(20_000),
        poll_min: ms(5),
        poll_max: ms(50),
        ready_timeout: ms(3_000),
        ..Settings::default()
    }
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::with(settings(), |storage| storage).await
    }

    pub(crate) async fn with(settings: Settings, over: impl FnOnce(Storage) -> Storage) -> Self {
        Self::with_grace(settings, over, ms(10_000)).await
    }

    pub(crate) async fn with_grace(
        settings: Settings,
        over: impl FnOnce(Storage) -> Storage,
        grace: Duration,
    ) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let ambient = Arc::new(System::new());
        let (clock, entropy): (Arc<dyn Clock>, Arc<dyn Entropy>) = (ambient.clone(), ambient);
        let store = embedded::Store::open(dir.path(), clock.clone(), entropy.clone()).unwrap();
        let faults = Faults::new(1);
        let storage = over(faults.over(store.storage()));
        let durations = config::Config::for_tests().worker;
        let jobs = JobStore::new(storage, clock.clone(), entropy.clone(), &durations);
        let app = App::new(jobs.clone(), clock.clone(), entropy, settings);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let shutdown = CancellationToken::new();
        let serving = tokio::spawn(api_shim::serve(listener, app, shutdown.clone(), grace));
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(ms(60_000))
            .build()
            .unwrap();
        Self {
            address,
            http,
            jobs,
            faults,
            clock,
            shutdown,
            serving,
            _dir: dir,
        }
    }

    /// A moment for [`Server::since`].
    pub(crate) fn now(&self) -> Duration {
        self.clock.monotonic()
    }

    /// How often storage was asked for this.
    pub(crate) fn calls(&self, operation: Operation) -> u64 {
        self.faults.calls(operation)
    }

    /// Returns once storage was asked for this more often than so many times.
    pub(crate) async fn called(&self, operation: Operation, more_than: u64) {
        let begun = self.now();
        while self.calls(operation) <= more_than {
            assert!(self.since(begun) < ms(30_000), "{operation} never comes");
            tokio::time::sleep(ms(2)).await;
        }
    }

    /// The server's wall clock.
    pub(crate) fn wall_clock(&self) -> jiff::Timestamp {
        self.clock.now()
    }

    pub(crate) fn since(&self, moment: Duration) -> Duration {
        self.clock.monotonic().saturating_sub(moment)
    }

    /// Returns once the server has stopped.
    pub(crate) async fn stopped(&mut self) {
        (&mut self.serving).await.unwrap().unwrap();
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http
            .request(method, format!("http://{}{path}", self.address))
    }

    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.request(Method::GET, path)
    }

    pub(crate) fn post(&self, path: &str) -> RequestBuilder {
        self.request(Method::POST, path)
    }

    /// Submits the sample CV.
    pub(crate) async fn submit(&self) -> JobStatus {
        let response = self.post("/v1/jobs").json(&sample()).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::ACCEPTED);
        response.json().await.unwrap()
    }

    pub(crate) async fn loaded(&self, id: JobId) -> Loaded {
        self.jobs
            .read(&Tenant::anonymous(), id)
            .await
            .unwrap()
            .unwrap()
    }

    /// `queued -> calling`, as a worker does it.
    pub(crate) async fn call(&self, id: JobId) -> Loaded {
        let loaded = self.loaded(id).await;
        let latch = Latch {
            token: Token([7; 16]),
            deadline: loaded.date + ms(60_000),
            editor: Editor::Model,
            model: None,
            background: false,
            content: None,
            after_ambiguous: false,
        };
        self.jobs.latch(&loaded, latch).await.unwrap();
        self.loaded(id).await
    }

    /// All the way to `succeeded`, with these bytes as the document.
    pub(crate) async fn succeed(&self, id: JobId, pdf: &'static [u8]) {
        self.call(id).await;
        self.succeed_from(id, pdf).await;
    }

    /// From `calling` to `succeeded`.
    pub(crate) async fn succeed_from(&self, id: JobId, pdf: &'static [u8]) {
        let calling = self.loaded(id).await;
        let rendering = self
            .jobs
            .to_rendering(&calling, None, CallOutcome::Replied)
            .await
            .unwrap();
        let pdf = self.put_pdf(id, true, pdf).await;
        let ending = Ending::Succeeded {
            pdf,
            cached_from: None,
            warnings: Vec::new(),
        };
        self.jobs.finish(&rendering, ending, None).await.unwrap();
    }

    /// Stores these bytes as a job's PDF, and [`CV_JSON`] beside it.
    pub(crate) async fn put_pdf(&self, id: JobId, polished: bool, pdf: &'static [u8]) -> StoredPdf {
        let facts = PdfFacts {
            pages: 1,
            sha256: "ab".repeat(32),
            file_name: "CV_Ida_Morrow.pdf".to_owned(),
            ..PdfFacts::default()
        };
        let tenant = Tenant::anonymous();
        let beside = StoredDocument {
            name: DocumentName::CvJson,
            size_bytes: CV_JSON.len() as u64,
            sha256: "cd".repeat(32),
            file_name: "CV_Ida_Morrow.json".to_owned(),
            pages: None,
        };
        let beside = vec![(Bytes::from_static(CV_JSON), beside)];
        let main = (Bytes::from_static(pdf), facts);
        self.jobs
            .put_result(&tenant, id, polished, main, beside)
            .await
            .unwrap()
    }

    /// What is stored for a tenant: rows, messages, input blobs.
    pub(crate) async fn stored(&self) -> (Vec<String>, u64, usize) {
        let storage = self.jobs.storage();
        let tenant = Tenant::anonymous();
        let all = "!".."\u{7f}";
        let rows = storage
            .table
            .query(TableName::Jobs, tenant.as_str(), all, 1_000, None);
        let rows = rows
            .await
            .unwrap()
            .value
            .entities
            .into_iter()
            .map(|e| e.row)
            .collect();
        let messages = storage.queue.count(QueueName::Jobs).await.unwrap();
        let blobs = storage
            .blobs
            .list(Container::JobInputs, "", 1_000, None)
            .await
            .unwrap();
        (rows, messages, blobs.blobs.len())
    }

    pub(crate) async fn assert_nothing_stored(&self, after: &str) {
        assert_eq!(self.stored().await, (Vec::new(), 0, 0), "after {after}");
    }
}

/// A request that is fine.
pub(crate) fn sample() -> Value {
    let cv: Value = serde_json::from_str(schemas::cv::SAMPLE).unwrap();
    json!({ "kind": "cv", "input": { "cv": cv } })
}

pub(crate) fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response
        .headers()
        .get(name)
        .map(|value| value.to_str().unwrap())
}

/// The problem of an answer that must be one of this kind, with what all problems share checked.
pub(crate) async fn problem(response: Response, kind: ProblemKind, about: &str) -> Problem {
    let status = response.status().as_u16();
    assert_eq!(
        header(&response, "content-type"),
        Some("application/problem+json"),
        "{about}"
    );
    assert_eq!(
        header(&response, "cache-control"),
        Some("no-store"),
        "{about}"
    );
    assert_eq!(
        header(&response, "x-content-type-options"),
        Some("nosniff"),
        "{about}"
    );
    let request_id = header(&response, "x-request-id").map(str::to_owned);
    let problem: Problem = response.json().await.unwrap();
    assert_eq!(problem.kind, kind, "{about}: {problem:?}");
    assert_eq!(problem.status, status, "{about}");
    assert_eq!(problem.request_id, request_id, "{about}");
    assert!(problem.detail.len() > 15, "{about}: {}", problem.detail);
    problem
}
