//! Jobs: read, list, cancel, retry.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::IntoResponse as _;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, StatusCode};
use schemas::ProblemKind;
use schemas::job::JobPage;
use serde::Deserialize;
use storage::StorageError;
use storage::jobs::{Cancelled, Consent};
use storage::port::Continuation;

use crate::app::App;
use crate::caller::Caller;
use crate::headers::wait_preference;
use crate::problem::{Answer, Failure};
use crate::routes::path::JobPath;
use crate::task::finished;
use crate::view::View;

const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// Jobs on a page unless the caller says.
const PAGE: u8 = 20;

/// Longest cursor that is looked at, in bytes.
const LONGEST_CURSOR: usize = 4096;

/// `GET /v1/jobs/{id}`: the job, at once or, with `Prefer: wait=N`, when it has changed.
pub(crate) async fn read(
    State(app): State<App>,
    caller: Caller,
    JobPath(id): JobPath,
    headers: HeaderMap,
) -> Answer {
    let look = async || {
        let loaded = app
            .jobs
            .read(&caller.tenant, id)
            .await?
            .ok_or_else(Failure::no_such_job)?;
        Ok::<_, Failure>(View::of(&loaded.row))
    };
    let mut view = look().await?;
    let asks_for_a_change =
        !headers.contains_key(header::IF_NONE_MATCH) || view.is_known_to(&headers);
    let wait = wait_preference(&headers).map(|wait| wait.min(app.settings.max_wait));
    if let Some(wait) = wait
        && asks_for_a_change
        && !view.is_final
    {
        tokio::select! {
            () = app.closing.cancelled() => {}
            changed = app.watches.change(&caller.tenant, id, &view, wait) => {
                view = match changed {
                    Some(view) => view,
                    None => look().await?,
                };
            }
        }
    }
    let mut response = if view.is_known_to(&headers) {
        view.not_modified()
    } else {
        view.answer(StatusCode::OK)
    };
    if let Some(wait) = wait {
        let applied = HeaderValue::try_from(format!("wait={}", wait.as_secs()));
        let applied = applied.expect("a number is printable ASCII");
        response.headers_mut().insert(PREFERENCE_APPLIED, applied);
    }
    Ok(response)
}

/// `GET /v1/jobs`: what to list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListQuery {
    limit: Option<u8>,
    cursor: Option<String>,
}

/// `GET /v1/jobs`: the caller's jobs, newest first.
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Answer {
    let Query(ListQuery { limit, cursor }) = query.map_err(|_| {
        let detail = "The query takes limit (1 to 100) and cursor (from next_cursor), each once.";
        Failure::new(ProblemKind::InvalidRequest, detail)
    })?;
    let limit = limit.unwrap_or(PAGE);
    if !(1..=100).contains(&limit) {
        let (kind, message) = (ProblemKind::InvalidRequest, "limit must be 1 to 100.");
        return Err(Failure::field(kind, "limit", "out_of_range", message));
    }
    let from = cursor.as_deref().map(read_cursor).transpose()?;
    let (jobs, next) = app
        .jobs
        .list(&caller.tenant, limit.into(), from.as_ref())
        .await
        .map_err(|e| match e {
            StorageError::Invalid(_) if from.is_some() => bad_cursor(),
            e => e.into(),
        })?;
    let next_cursor = next.map(|Continuation(next)| URL_SAFE_NO_PAD.encode(next));
    let link = next_cursor.as_deref().map(|cursor| {
        let link = format!("</v1/jobs?limit={limit}&cursor={cursor}>; rel=\"next\"");
        HeaderValue::try_from(link).expect("base64url is printable ASCII")
    });
    let mut response = Json(JobPage { jobs, next_cursor }).into_response();
    if let Some(link) = link {
        response.headers_mut().insert(header::LINK, link);
    }
    Ok(response)
}

fn read_cursor(cursor: &str) -> Result<Continuation, Failure> {
    let bytes = URL_SAFE_NO_PAD
        .decode(cursor)
        .ok()
        .filter(|_| cursor.len() <= LONGEST_CURSOR);
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    text.map(Continuation).ok_or_else(bad_cursor)
}

fn bad_cursor() -> Failure {
    Failure::field(
        ProblemKind::InvalidRequest,
        "cursor",
        "invalid_value",
        "cursor must be a next_cursor of this list, unchanged; leave it out to begin anew.",
    )
}

/// `POST /v1/jobs/{id}/cancel`: `200` if it is cancelled, `202` if it will be once the call to the
/// model has settled, `409` if it is too late.
pub(crate) async fn cancel(State(app): State<App>, caller: Caller, JobPath(id): JobPath) -> Answer {
    let cancelled = finished(async move { app.jobs.cancel(&caller.tenant, id).await }).await?;
    match cancelled.ok_or_else(Failure::no_such_job)? {
        Cancelled::Now(row) => Ok(View::of(&row).answer(StatusCode::OK)),
        Cancelled::Requested(row) => Ok(View::of(&row).answer(StatusCode::ACCEPTED)),
        Cancelled::TooLate(row) => Err(Failure::new(
            ProblemKind::Conflict,
            if row.state.is_final() {
                "The job has ended already."
            } else {
                "It is too late to cancel: the model has replied and the document is being set."
            },
        )),
    }
}

/// `POST /v1/jobs/{id}/retry`: the owner's consent to pay again for a job whose call has an unknown
/// outcome. `202` if it is queued anew, `409` for a job in any other state.
pub(crate) async fn retry(State(app): State<App>, caller: Caller, JobPath(id): JobPath) -> Answer {
    let consent = finished(async move { app.jobs.consent(&caller.tenant, id).await }).await?;
    match consent.ok_or_else(Failure::no_such_job)? {
        Consent::Given(row) => Ok(View::of(&row).answer(StatusCode::ACCEPTED)),
        Consent::NotHeld(_) => Err(Failure::new(
            ProblemKind::Conflict,
            "Only a job in state outcome_unknown can be tried again: it is the only one whose \
             first call may have been paid for without a result.",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_come_back_as_they_went_or_not_at_all() {
        let cursor = URL_SAFE_NO_PAD.encode("j~000~x");
        assert_eq!(
            read_cursor(&cursor).unwrap(),
            Continuation("j~000~x".to_owned())
        );
        for wrong in ["%%%", "a", "_w", &"A".repeat(4100)] {
            assert!(read_cursor(wrong).is_err(), "{wrong}");
        }
    }
}
