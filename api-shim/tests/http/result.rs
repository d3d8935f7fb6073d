//! `GET /v1/jobs/{id}/result`.

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use reqwest::{Method, StatusCode};
use schemas::job::{DocumentName, JobStatus};
use schemas::{Problem, ProblemKind};
use storage::jobs::{CallOutcome, Ending};
use storage::names::Container;
use storage::port::{Blob, BlobInfo, BlobPage, Continuation, ETag, Metadata, PutMode, Result};
use storage::{Blobs, Storage};

use crate::server::{CV_JSON, Server, header, problem, settings};

const PDF: &[u8] = b"%PDF-1.7 not really";

#[tokio::test]
async fn the_document_comes_with_its_name_and_tag() {
    let server = Server::start().await;
    let job = server.submit().await;
    server.succeed(job.id, PDF).await;
    let path = job.links.result.as_str();
    let response = server.get(path).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(header(&response, "content-type"), Some("application/pdf"));
    assert_eq!(header(&response, "cache-control"), Some("no-store"));
    assert_eq!(
        header(&response, "content-disposition"),
        Some("attachment; filename=\"CV_Ida_Morrow.pdf\"; filename*=UTF-8''CV_Ida_Morrow.pdf")
    );
    let etag = header(&response, "etag").unwrap().to_owned();
    assert_eq!(etag, format!("\"{}\"", "ab".repeat(32)));
    assert_eq!(response.bytes().await.unwrap(), PDF);

    let head = server.request(Method::HEAD, path).send().await.unwrap();
    assert_eq!(head.status(), StatusCode::OK);
    assert_eq!(
        header(&head, "content-length"),
        Some(PDF.len().to_string().as_str())
    );
    assert_eq!(header(&head, "etag"), Some(etag.as_str()));

    let same = server
        .get(path)
        .header("if-none-match", &etag)
        .send()
        .await
        .unwrap();
    assert_eq!(same.status(), StatusCode::NOT_MODIFIED);
    assert!(same.bytes().await.unwrap().is_empty());
}

#[tokio::test]
async fn each_document_of_a_result_is_fetched_by_its_link() {
    let server = Server::start().await;
    let job = server.submit().await;
    let early = server.get(&format!("/v1/jobs/{}/result/cv.json", job.id));
    let early = early.send().await.unwrap();
    assert_eq!(early.status(), StatusCode::CONFLICT);
    server.succeed(job.id, PDF).await;
    let status: JobStatus = server
        .get(&job.links.this)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let documents = status.result.unwrap().documents;
    let names: Vec<_> = documents.iter().map(|document| document.name).collect();
    assert_eq!(names, [DocumentName::Cv, DocumentName::CvJson]);
    assert_eq!(documents[0].link, job.links.result);

    let json = server.get(&documents[1].link).send().await.unwrap();
    assert_eq!(header(&json, "content-type"), Some("application/json"));
    let disposition = header(&json, "content-disposition").unwrap();
    assert!(disposition.contains("CV_Ida_Morrow.json"), "{disposition}");
    assert_eq!(json.bytes().await.unwrap(), CV_JSON);

    let path = |name: &str| format!("/v1/jobs/{}/result/{name}", job.id);
    let main = server.get(&path("cv")).send().await.unwrap();
    assert_eq!(main.bytes().await.unwrap(), PDF);
    for name in ["cover-letter", "report", "..", "cv.pdf"] {
        let missing = server.get(&path(name)).send().await.unwrap();
        let missing = problem(missing, ProblemKind::NotFound, name).await;
        assert!(
            name == ".." || missing.detail.contains("cv, cv.json"),
            "{}",
            missing.detail
        );
    }
}

#[tokio::test]
async fn without_a_document_the_answer_says_why() {
    let server = Server::start().await;
    let ended = async |ending: Ending, call: Option<CallOutcome>| {
        let job = server.submit().await;
        let calling = server.call(job.id).await;
        server.jobs.finish(&calling, ending, call).await.unwrap();
        server.get(&job.links.result).send().await.unwrap()
    };
    let job = server.submit().await;
    let response = server.get(&job.links.result).send().await.unwrap();
    assert_eq!(header(&response, "retry-after"), Some("1"));
    assert_eq!(response.status(), StatusCode::CONFLICT);
    problem(response, ProblemKind::NotReady, "queued").await;

    let says = |kind, detail: &str| Problem::new(kind, detail);
    let check = async |ending, call, kind, detail: &str| {
        let response = ended(ending, call).await;
        assert_eq!(response.status(), StatusCode::CONFLICT);
        assert_eq!(header(&response, "retry-after"), None);
        let problem = problem(response, kind, detail).await;
        assert!(problem.detail.contains(detail), "{}", problem.detail);
    };
    let failed = says(ProblemKind::ModelFailed, "The model refused.");
    check(
        Ending::Failed(failed),
        None,
        ProblemKind::ModelFailed,
        "The model refused.",
    )
    .await;
    let late = says(ProblemKind::Expired, "Nobody came.");
    check(
        Ending::Expired(late),
        None,
        ProblemKind::Expired,
        "Nobody came.",
    )
    .await;
    check(Ending::Cancelled, None, ProblemKind::Conflict, "cancelled").await;
    let held = says(ProblemKind::OutcomeUnknown, "No answer came back.");
    let ending = Ending::OutcomeUnknown(held, None);
    let unknown = Some(CallOutcome::Unknown);
    check(
        ending,
        unknown,
        ProblemKind::OutcomeUnknown,
        "No answer came back.",
    )
    .await;
}

#[tokio::test]
async fn a_held_job_gives_its_owner_the_unpolished_document() {
    let server = Server::start().await;
    let job = server.submit().await;
    let calling = server.call(job.id).await;
    let pdf = server.put_pdf(job.id, false, PDF).await;
    let held = Problem::new(ProblemKind::OutcomeUnknown, "No answer came back.");
    let ending = Ending::OutcomeUnknown(held, Some(pdf));
    server
        .jobs
        .finish(&calling, ending, Some(CallOutcome::Unknown))
        .await
        .unwrap();
    let response = server.get(&job.links.result).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.bytes().await.unwrap(), PDF);
}

#[tokio::test]
async fn a_document_that_is_gone_is_a_404() {
    let server = Server::start().await;
    let job = server.submit().await;
    server.succeed(job.id, PDF).await;
    let loaded = server.loaded(job.id).await;
    let path = loaded.row.result_path.unwrap();
    server
        .jobs
        .storage()
        .blobs
        .delete(Container::CvPdfs, &path)
        .await
        .unwrap();
    let response = server.get(&job.links.result).send().await.unwrap();
    problem(response, ProblemKind::NotFound, "gone").await;
}

#[tokio::test]
async fn a_store_with_web_addresses_is_asked_for_one() {
    let url = "https://store.example/cv-pdfs/anonymous/x.pdf?sig=a%2Bb&se=2026";
    let server = Server::with(settings(), |storage| signing(storage, Some(url))).await;
    let job = server.submit().await;
    let early = server.get(&job.links.result).send().await.unwrap();
    problem(
        early,
        ProblemKind::NotReady,
        "no link before there is a document",
    )
    .await;
    server.succeed(job.id, PDF).await;
    let response = server.get(&job.links.result).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    assert_eq!(header(&response, "location"), Some(url));
    assert_eq!(header(&response, "cache-control"), Some("no-store"));
    assert!(response.bytes().await.unwrap().is_empty());
}

/// As of an account behind a firewall: it could sign, and nobody would get there.
#[tokio::test]
async fn a_store_whose_web_addresses_nobody_reaches_is_not_asked() {
    let closed = api_shim::Settings {
        signed_urls: false,
        ..settings()
    };
    let server = Server::with(closed, |storage| signing(storage, None)).await;
    let job = server.submit().await;
    server.succeed(job.id, PDF).await;
    let response = server.get(&job.links.result).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.bytes().await.unwrap(), PDF);
}

#[tokio::test]
async fn a_panic_is_a_500_without_detail_and_the_server_goes_on() {
    let server = Server::with(settings(), |storage| signing(storage, None)).await;
    let job = server.submit().await;
    server.succeed(job.id, PDF).await;
    for _ in 0..2 {
        let response = server.get(&job.links.result).send().await.unwrap();
        let problem = problem(response, ProblemKind::Internal, "panic").await;
        assert!(!problem.detail.contains("secret"), "{}", problem.detail);
    }
    assert_eq!(
        server.get("/healthz").send().await.unwrap().status(),
        StatusCode::OK
    );
}

/// Blobs whose store has web addresses, or that panics when it is asked for one.
#[derive(Debug)]
struct Signs {
    inner: Arc<dyn Blobs>,
    url: Option<&'static str>,
}

fn signing(storage: Storage, url: Option<&'static str>) -> Storage {
    let inner = storage.blobs;
    Storage {
        blobs: Arc::new(Signs { inner, url }),
        ..storage
    }
}

#[async_trait]
impl Blobs for Signs {
    async fn put(
        &self,
        container: Container,
        path: &str,
        data: Bytes,
        content_type: &str,
        metadata: &Metadata,
        mode: PutMode,
    ) -> Result<ETag> {
        self.inner
            .put(container, path, data, content_type, metadata, mode)
            .await
    }

    async fn get(&self, container: Container, path: &str) -> Result<Blob> {
        self.inner.get(container, path).await
    }

    async fn get_range(&self, container: Container, path: &str, range: Range<u64>) -> Result<Blob> {
        self.inner.get_range(container, path, range).await
    }

    async fn append(&self, container: Container, path: &str, data: Bytes) -> Result<()> {
        self.inner.append(container, path, data).await
    }

    async fn head(&self, container: Container, path: &str) -> Result<BlobInfo> {
        self.inner.head(container, path).await
    }

    async fn delete(&self, container: Container, path: &str) -> Result<()> {
        self.inner.delete(container, path).await
    }

    async fn list(
        &self,
        container: Container,
        prefix: &str,
        max: usize,
        from: Option<&Continuation>,
    ) -> Result<BlobPage> {
        self.inner.list(container, prefix, max, from).await
    }

    async fn signed_url(
        &self,
        _container: Container,
        _path: &str,
        file_name: &str,
        _expires: Timestamp,
    ) -> Result<Option<String>> {
        assert_eq!(file_name, "CV_Ida_Morrow.pdf");
        Ok(Some(self.url.expect("a secret of this test").to_owned()))
    }
}
