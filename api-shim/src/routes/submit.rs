//! `POST /v1/jobs`: from a body that a stranger sent to a stored and enqueued job.

use std::collections::BTreeMap;

use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use http::header::{self, HeaderName, HeaderValue};
use schemas::cv::{self, CheckOptions, CvError, Warning};
use schemas::job::{Input, JobInput, JobRequest, Links};
use schemas::{FieldError, ProblemKind};
use storage::jobs::{IdempotencyKey, Submission, Submitted};

use crate::app::App;
use crate::body::json_bytes;
use crate::caller::Caller;
use crate::headers::{idempotency_key, traceparent};
use crate::json;
use crate::problem::{Answer, Failure};
use crate::task::{computed, finished};
use crate::view::{View, sha256_hex};

const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// Bodies over this are read and hashed away from the async threads.
const SMALL_BODY: usize = 64 * 1024;

/// Bytes of all warnings of one request as JSON: with what the worker adds they must fit one
/// column of the job's row, 32 Ki UTF-16 units.
const WARNING_BUDGET: usize = 12 * 1024;

/// `POST /v1/jobs`: `202` with the job.
pub(crate) async fn submit(State(app): State<App>, caller: Caller, request: Request) -> Answer {
    let key = idempotency_key(request.headers())?;
    let traceparent = traceparent(request.headers());
    let body = json_bytes(request, app.settings.body_limit).await?;
    let options = app.settings.cv;
    let checked = if body.len() <= SMALL_BODY {
        check(&body, key, options)?
    } else {
        computed(move || check(&body, key, options)).await?
    };
    let Checked {
        input,
        metadata,
        warnings,
        idempotency,
    } = checked;
    let tenant = caller.tenant;
    let submission = Submission {
        tenant,
        input,
        metadata,
        warnings,
        idempotency,
        traceparent,
    };
    let submitted = finished(async move { app.jobs.submit(submission).await }).await?;
    Ok(accepted(&submitted))
}

fn accepted(submitted: &Submitted) -> Response {
    let row = submitted.row();
    tracing::Span::current().record("job_id", tracing::field::display(row.id));
    let mut response = View::of(row).answer(StatusCode::ACCEPTED);
    let headers = response.headers_mut();
    let location = HeaderValue::try_from(Links::of(row.id).this);
    headers.insert(
        header::LOCATION,
        location.expect("a path of an id is printable ASCII"),
    );
    if matches!(submitted, Submitted::Replayed(_)) {
        headers.insert(REPLAYED, HeaderValue::from_static("true"));
    }
    response
}

struct Checked {
    input: JobInput,
    metadata: BTreeMap<String, String>,
    warnings: Vec<Warning>,
    idempotency: Option<IdempotencyKey>,
}

/// Everything that can be wrong with a request, before anything of it is stored.
fn check(body: &[u8], key: Option<String>, options: CheckOptions) -> Result<Checked, Failure> {
    let request: JobRequest = json::parse(body, &["options"])?;
    let faults = request.faults();
    if let Some(first) = faults.first() {
        let detail = format!("{}.", first.message);
        return Err(Failure::new(ProblemKind::InvalidRequest, detail).with_errors(faults));
    }
    let Input::Cv(cv) = request.input;
    let normalised = cv::accept(&cv, &options).map_err(|e| invalid_cv(&e))?;
    let idempotency = key.map(|key| IdempotencyKey {
        key_hash: sha256_hex(key.as_bytes()),
        body_hash: sha256_hex(body),
    });
    Ok(Checked {
        input: JobInput {
            kind: request.kind,
            cv: normalised.cv,
            options: request.options,
        },
        metadata: request.metadata,
        warnings: within_budget(normalised.warnings),
        idempotency,
    })
}

/// The faults of a CV, with paths from the body's root.
fn invalid_cv(error: &CvError) -> Failure {
    let faults = error.problems().into_iter().map(|fault| FieldError {
        path: match fault.path.as_str() {
            "" => "input.cv".to_owned(),
            path => format!("input.cv.{path}"),
        },
        ..fault
    });
    let detail = format!("No job was made: {error}. Each fault is in `errors`.");
    Failure::new(ProblemKind::InvalidCv, detail).with_errors(faults.collect())
}

fn within_budget(mut warnings: Vec<Warning>) -> Vec<Warning> {
    let mut left = WARNING_BUDGET;
    let fits = warnings.iter().take_while(|warning| {
        let size = serde_json::to_string(warning).map_or(usize::MAX, |json| json.len());
        left.checked_sub(size)
            .inspect(|less| left = *less)
            .is_some()
    });
    let fits = fits.count();
    let more = warnings.len() - fits;
    if more > 0 {
        warnings.truncate(fits);
        warnings.push(Warning::new(
            "",
            "more",
            format!("and {more} more warnings"),
        ));
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_are_cut_to_what_a_row_holds() {
        let check = |count: usize, size: usize, kept: usize, last: &str| {
            let warning = Warning::new("profile", "too_long", "x".repeat(size));
            let warnings = within_budget(vec![warning; count]);
            assert_eq!(warnings.len(), kept, "{count} of {size}");
            assert_eq!(warnings.last().map_or("", |w| w.code.as_str()), last);
            let json = serde_json::to_string(&warnings).unwrap();
            assert!(json.len() < WARNING_BUDGET + 1024, "{}", json.len());
        };
        check(0, 10, 0, "");
        check(5, 100, 5, "too_long");
        check(202, 200, 50, "more");
        check(1, 20_000, 1, "more");
    }
}
