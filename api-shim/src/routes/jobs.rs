//! One job: read, cancel, retry, delete.

use axum::extract::State;
use axum::response::IntoResponse as _;
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, StatusCode};
use schemas::ProblemKind;
use storage::jobs::{Cancelled, Consent};

use crate::app::App;
use crate::caller::Caller;
use crate::headers::wait_preference;
use crate::problem::{Answer, Failure};
use crate::routes::path::JobPath;
use crate::task::finished;
use crate::view::View;

const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

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

/// `DELETE /v1/jobs/{id}`: `204`; the job and all that is stored of it are gone. A call to the model
/// that is out is stopped where the provider can do that, and what it brings is thrown away.
pub(crate) async fn delete(State(app): State<App>, caller: Caller, JobPath(id): JobPath) -> Answer {
    let there = finished(async move { app.jobs.purge(&caller.tenant, id).await }).await?;
    if there {
        Ok(StatusCode::NO_CONTENT.into_response())
    } else {
        Err(Failure::no_such_job())
    }
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
