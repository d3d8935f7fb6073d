//! A job's document.

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::header::{self, HeaderValue};
use http::{HeaderMap, Method, StatusCode};
use schemas::job::JobResult;
use schemas::{Problem, ProblemKind};
use storage::StorageError;
use storage::jobs::{JobRow, RowState};
use storage::names::Container;

use crate::app::App;
use crate::caller::Caller;
use crate::headers::{attachment, none_match_holds};
use crate::problem::{Answer, Failure, chain};
use crate::routes::path::JobPath;

/// `GET /v1/jobs/{id}/result`: `303` to a signed URL where the store has one, else the PDF;
/// `409` while there is none, or where there will be none.
pub(crate) async fn read(
    State(app): State<App>,
    caller: Caller,
    JobPath(id): JobPath,
    method: Method,
    headers: HeaderMap,
) -> Answer {
    let loaded = app
        .jobs
        .read(&caller.tenant, id)
        .await?
        .ok_or_else(Failure::no_such_job)?;
    let row = loaded.row;
    let (Some(result), Some(path)) = (&row.result, &row.result_path) else {
        return Err(without_document(row));
    };
    let expires = app.clock.now() + app.settings.link_lifetime;
    let blobs = &app.jobs.storage().blobs;
    if let Some(url) = blobs
        .signed_url(Container::CvPdfs, path, &result.file_name, expires)
        .await?
    {
        return see_other(&url);
    }
    let mut response = head(result)?;
    if none_match_holds(&headers, &etag(result)) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response.headers_mut().remove(header::CONTENT_LENGTH);
    } else if method != Method::HEAD {
        let (pdf, _) = app.jobs.pdf(path).await.map_err(|e| match e {
            StorageError::NotFound => {
                tracing::error!("the document of job {id} is not where its row says");
                Failure::new(
                    ProblemKind::NotFound,
                    "The document of this job is no longer kept.",
                )
            }
            e => e.into(),
        })?;
        *response.body_mut() = Body::from(pdf.data);
    }
    Ok(response)
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

fn etag(result: &JobResult) -> String {
    format!("\"{}\"", result.sha256)
}

/// The headers come from the row, so that a HEAD reads no document.
fn head(result: &JobResult) -> Answer {
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/pdf"),
    );
    headers.insert(header::CONTENT_LENGTH, result.size_bytes.into());
    headers.insert(header::CONTENT_DISPOSITION, attachment(&result.file_name));
    let etag = HeaderValue::try_from(etag(result)).map_err(|_| {
        Failure::from(StorageError::unavailable(
            "the stored hash is not hexadecimal",
        ))
    })?;
    headers.insert(header::ETAG, etag);
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
