//! `POST /v1/jobs`: from a body that a stranger sent to a stored and enqueued job.

use std::collections::BTreeSet;

use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use http::header::{self, HeaderName, HeaderValue};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use schemas::job::{BUILT_IN_THEMES, JobInput, JobRequest, Links, Output, ThemeName};
use schemas::locale::Day;
use schemas::{ProblemKind, Tenant};
use storage::jobs::{IdempotencyKey, Submission, Submitted};

use crate::api::generate;
use crate::app::{App, Settings};
use crate::body::{any_bytes, json_bytes};
use crate::caller::Caller;
use crate::headers::{idempotency_key, traceparent};
use crate::multipart;
use crate::problem::{Answer, Failure};
use crate::routes::{input, webhooks};
use crate::task::{computed, finished};
use crate::view::{View, sha256_hex};

const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// Bodies over this are read and hashed away from the async threads.
const SMALL_BODY: usize = 64 * 1024;

/// `POST /v1/jobs`: `202` with the job.
pub(crate) async fn submit(State(app): State<App>, caller: Caller, request: Request) -> Answer {
    let key = idempotency_key(request.headers())?;
    let traceparent = traceparent(request.headers());
    let boundary = multipart::boundary(request.headers());
    let body = match &boundary {
        Some(_) => any_bytes(request, app.settings.body_limit).await?,
        None => json_bytes(request, app.settings.body_limit).await?,
    };
    let small = body.len() <= SMALL_BODY;
    let idempotency = move |body: &[u8]| {
        key.map(|key| IdempotencyKey {
            key_hash: sha256_hex(key.as_bytes()),
            body_hash: sha256_hex(body),
        })
    };
    let (settings, now) = (app.settings.clone(), app.clock.now());
    let parse = move || {
        let request = input::request(&body, boundary.as_deref())?;
        check(&request, &settings, now)?;
        let idempotency = match boundary {
            None => idempotency(&body),
            // The boundary is another one for every repeat.
            Some(_) => idempotency(&serde_json::to_vec(&request).unwrap_or_default()),
        };
        Ok::<_, Failure>((request, idempotency))
    };
    let (request, idempotency) = if small {
        parse()?
    } else {
        computed(parse).await?
    };
    let submitted = accept(app, caller.tenant, request, idempotency, traceparent).await?;
    Ok(accepted(&submitted))
}

/// Makes a job of a request that has been read and checked.
pub(super) async fn accept(
    app: App,
    tenant: Tenant,
    request: JobRequest,
    idempotency: Option<IdempotencyKey>,
    traceparent: Option<String>,
) -> Result<Submitted, Failure> {
    let callback_url = request.callback_url.as_deref();
    let callback_url = callback_url
        .map(|url| webhooks::checked(&app, "callback_url", url))
        .transpose()?;
    let source = input::resolve(&app, &tenant, request.input).await?;
    let mut options = request.options;
    options.language = options.language.or(source.language);
    options.job_posting = options.job_posting.or(source.job_posting);
    let mut input = JobInput {
        kind: request.kind,
        cv: source.normalised.cv,
        options,
        earlier: None,
    };
    date_letter(&mut input, today(&app));
    let generation = match source.session {
        Some(session) => {
            let group = session.to_string();
            input.earlier = generate::earlier_for(&app, &tenant, &group, &input).await?;
            Some((group, generate::generation(&app, &input)))
        }
        None => None,
    };
    let submission = Submission {
        metadata: request.metadata,
        callback_url,
        not_before: request.not_before,
        warnings: source.normalised.warnings,
        idempotency,
        traceparent,
        ..Submission::new(tenant, input)
    };
    finished(generate::submit(app, submission, generation)).await
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

fn today(app: &App) -> Day {
    let utc = app.clock.now().to_zoned(TimeZone::UTC).date();
    Day {
        year: utc.year().unsigned_abs(),
        month: utc.month().unsigned_abs(),
        day: utc.day().unsigned_abs(),
    }
}

/// What can be wrong with a request besides its CV.
pub(super) fn check(
    request: &JobRequest,
    settings: &Settings,
    now: Timestamp,
) -> Result<(), Failure> {
    let mut faults = request.faults();
    faults.extend(request.delay_fault(now));
    if let Some(first) = faults.first() {
        let detail = format!("{}.", first.message);
        return Err(Failure::new(ProblemKind::InvalidRequest, detail).with_errors(faults));
    }
    known_theme(&request.options.theme, &settings.themes)
}

pub(crate) fn known_theme(theme: &ThemeName, own: &[String]) -> Result<(), Failure> {
    let known = BUILT_IN_THEMES
        .into_iter()
        .chain(own.iter().map(String::as_str));
    let known: BTreeSet<_> = known.collect();
    if known.contains(theme.as_str()) {
        return Ok(());
    }
    let names = known.into_iter().collect::<Vec<_>>().join(", ");
    let message = format!("options.theme must be one of {names}");
    let kind = ProblemKind::InvalidRequest;
    Err(Failure::field(
        kind,
        "options.theme",
        "unknown_theme",
        &message,
    ))
}

/// A letter is dated by the day that its job is accepted on. The date is part of the input, so that
/// a letter asked for again on another day is another letter.
fn date_letter(input: &mut JobInput, today: Day) {
    if input.makes(Output::CoverLetter) {
        let locale = input.language().locale();
        let letter = input.options.letter.get_or_insert_default();
        letter.date.get_or_insert_with(|| locale.day(today));
    }
}
