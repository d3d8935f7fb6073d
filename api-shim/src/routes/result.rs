//! The documents of a job.

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::header::{self, HeaderValue};
use http::{HeaderMap, Method, StatusCode};
use schemas::job::{DocumentName, JobDocument, JobResult};
use schemas::{JobId, Problem, ProblemKind};
use storage::StorageError;
use storage::jobs::{JobRow, RowState};
use storage::names::{Container, document_path};

use crate::app::App;
use crate::caller::Caller;
use crate::headers::{attachment, none_match_holds};
use crate::observe::download_failed;
use crate::problem::{Answer, Failure, chain};
use crate::range::Part;
use crate::routes::path::{DocumentPath, JobPath};

/// `GET /v1/jobs/{id}/result`: `303` to a signed URL where the store has one that callers reach, else
/// the PDF, or the one range of it that is asked for; `409` while there is none, or where there will be none.
pub(crate) async fn read(
    State(app): State<App>,
    caller: Caller,
    JobPath(id): JobPath,
    method: Method,
    headers: HeaderMap,
) -> Answer {
    let (result, path) = result_of(&app, &caller, id).await?;
    send(&app, id, Document::main(&result, path), &method, &headers).await
}

/// `GET /v1/jobs/{id}/result/{document}`: one document of the result, in the same way; `404` where
/// the result has no such document.
pub(crate) async fn read_document(
    State(app): State<App>,
    caller: Caller,
    DocumentPath(id, name): DocumentPath,
    method: Method,
    headers: HeaderMap,
) -> Answer {
    let (result, path) = result_of(&app, &caller, id).await?;
    let place = result
        .documents
        .iter()
        .position(|document| Some(document.name) == name)
        .ok_or_else(|| {
            let names: Vec<_> = result.documents.iter().map(|d| d.name.as_str()).collect();
            let detail = format!("This result has the documents: {}.", names.join(", "));
            Failure::new(ProblemKind::NotFound, detail)
        })?;
    let document = match place {
        0 => Document::main(&result, path),
        _ => Document::beside(&result.documents[place], &path),
    };
    send(&app, id, document, &method, &headers).await
}

/// A finished job's result, and where its main PDF is.
async fn result_of(app: &App, caller: &Caller, id: JobId) -> Result<(JobResult, String), Failure> {
    let loaded = app
        .jobs
        .read(&caller.tenant, id)
        .await?
        .ok_or_else(Failure::no_such_job)?;
    let mut row = loaded.row;
    match (row.result.take(), row.result_path.take()) {
        (Some(result), Some(path)) => Ok((result, path)),
        _ => Err(without_document(row)),
    }
}

/// A stored document, as its job's row tells of it.
struct Document {
    container: Container,
    path: String,
    media_type: &'static str,
    file_name: String,
    size_bytes: u64,
    sha256: String,
}

impl Document {
    fn main(result: &JobResult, path: String) -> Self {
        Self {
            container: Container::CvPdfs,
            path,
            media_type: DocumentName::Cv.media_type(),
            file_name: result.file_name.clone(),
            size_bytes: result.size_bytes,
            sha256: result.sha256.clone(),
        }
    }

    fn beside(document: &JobDocument, pdf: &str) -> Self {
        Self {
            container: Container::JobDocuments,
            path: document_path(pdf, document.name),
            media_type: document.name.media_type(),
            file_name: document.file_name.clone(),
            size_bytes: document.size_bytes,
            sha256: document.sha256.clone(),
        }
    }

    fn etag(&self) -> String {
        format!("\"{}\"", self.sha256)
    }

    /// The headers come from the row, so that a HEAD reads no document.
    fn head(&self) -> Answer {
        let mut response = Response::new(Body::empty());
        let headers = response.headers_mut();
        let media_type = HeaderValue::from_static(self.media_type);
        headers.insert(header::CONTENT_TYPE, media_type);
        headers.insert(header::CONTENT_LENGTH, self.size_bytes.into());
        headers.insert(header::CONTENT_DISPOSITION, attachment(&self.file_name));
        let etag = HeaderValue::try_from(self.etag()).map_err(|_| {
            Failure::from(StorageError::unavailable(
                "the stored hash is not hexadecimal",
            ))
        })?;
        headers.insert(header::ETAG, etag);
        headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        Ok(response)
    }
}

async fn send(
    app: &App,
    id: JobId,
    document: Document,
    method: &Method,
    headers: &HeaderMap,
) -> Answer {
    let etag = document.etag();
    // RFC 9110, section 13.2.2: preconditions first, a range last.
    if headers.contains_key(header::IF_MATCH) && !match_holds(headers, &etag) {
        let detail = "The document is not the version that If-Match names.";
        return Err(Failure::new(ProblemKind::PreconditionFailed, detail));
    }
    if none_match_holds(headers, &etag) {
        let mut response = document.head()?;
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response.headers_mut().remove(header::CONTENT_LENGTH);
        return Ok(response);
    }
    let blobs = &app.jobs.storage().blobs;
    let (container, path) = (document.container, document.path.as_str());
    if app.settings.signed_urls {
        let expires = app.clock.now() + app.settings.link_lifetime;
        let url = blobs.signed_url(container, path, &document.file_name, expires);
        if let Some(url) = url.await? {
            return see_other(&url);
        }
    }
    let mut response = document.head()?;
    if method == Method::HEAD {
        return Ok(response);
    }
    let size = document.size_bytes;
    let blob = match Part::asked(headers, size, &etag) {
        Part::Outside => return Err(outside(size)),
        Part::Whole => blobs.get(container, path).await,
        Part::Bytes(range) => {
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            let headers = response.headers_mut();
            let (first, last) = (range.start, range.end - 1);
            headers.insert(
                header::CONTENT_RANGE,
                content_range(&format!("{first}-{last}"), size),
            );
            headers.insert(header::CONTENT_LENGTH, (range.end - range.start).into());
            blobs.get_range(container, path, range).await
        }
    };
    let blob = blob.map_err(|e| match e {
        StorageError::NotFound => {
            download_failed(id, "it is not where its job's row says");
            Failure::new(
                ProblemKind::NotFound,
                "The document of this job is no longer kept.",
            )
        }
        e => e.into(),
    })?;
    *response.body_mut() = Body::from(blob.data);
    Ok(response)
}

fn outside(size: u64) -> Failure {
    let detail = format!("The document has {size} bytes; the asked range begins behind them.");
    Failure::new(ProblemKind::RangeNotSatisfiable, detail)
        .with_header(header::CONTENT_RANGE, content_range("*", size))
}

fn content_range(range: &str, size: u64) -> HeaderValue {
    let value = HeaderValue::try_from(format!("bytes {range}/{size}"));
    value.expect("numbers are printable ASCII")
}

/// Whether `If-Match` (RFC 9110, section 13.1.1) names this strong tag.
fn match_holds(headers: &HeaderMap, etag: &str) -> bool {
    let values = headers.get_all(header::IF_MATCH).iter();
    values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|tag| matches!(tag.trim(), "*") || tag.trim() == etag)
}

fn see_other(url: &str) -> Answer {
    let location = HeaderValue::try_from(url).map_err(|e| {
        let e = StorageError::unavailable(e);
        tracing::error!("the signed URL cannot be sent: {}", chain(&e));
        Failure::from(e)
    })?;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    response.headers_mut().insert(header::LOCATION, location);
    Ok(response)
}

/// Why there is no document, and whether to come back for it.
fn without_document(row: JobRow) -> Failure {
    if !row.state.is_final() {
        return Failure::new(ProblemKind::NotReady, "The job has not ended yet.")
            .retry_after(std::time::Duration::from_secs(1));
    }
    let ended = match row.state {
        RowState::Cancelled => "The job was cancelled, so it has no document. Submit it again.",
        RowState::Expired => "The job expired, so it has no document. Submit it again.",
        RowState::OutcomeUnknown => "The job is held, and has no document.",
        _ => "The job failed, so it has no document.",
    };
    // The kind tells what happened; the status is that of this request.
    let mut problem = match row.error {
        Some(error) => Problem {
            detail: format!("{ended} {}", error.detail),
            ..error
        },
        None => Problem::new(ProblemKind::Conflict, ended),
    };
    problem.status = StatusCode::CONFLICT.as_u16();
    problem.request_id = None;
    Failure::of(problem)
}
