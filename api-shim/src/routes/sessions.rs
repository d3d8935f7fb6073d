//! Sessions: made from a CV or a document, read, changed by version, deleted.

use axum::Json;
use axum::extract::{FromRequestParts, Path, Request, State};
use axum::response::{IntoResponse as _, Response};
use http::header::{self, HeaderValue};
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use schemas::cv::{self, Cv};
use schemas::session::{
    Change, EditError, NewSession, Session, SessionId, SessionPatch, SessionView, readiness,
};
use schemas::{FieldError, ProblemKind};
use storage::sessions::{Opened, UpdateError};

use crate::api::{Context, etag};
use crate::app::App;
use crate::body::json_bytes;
use crate::caller::Caller;
use crate::headers::{if_match, none_match_holds, traceparent};
use crate::json;
use crate::problem::{Answer, Failure};
use crate::routes::input::refused;
use crate::task::{computed, finished};

/// The `{id}` of a path. What cannot be an id is answered as an id that nobody has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SessionPath(SessionId);

impl FromRequestParts<App> for SessionPath {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let path = Path::<String>::from_request_parts(parts, app).await;
        let id = path.ok().and_then(|Path(text)| text.parse().ok());
        id.map(Self).ok_or_else(no_such_session)
    }
}

fn no_such_session() -> Failure {
    let detail = "You have no session with this id, or it has expired.";
    Failure::new(ProblemKind::NotFound, detail)
}

/// `POST /v1/sessions`: `201` with the session.
pub(crate) async fn create(State(app): State<App>, caller: Caller, request: Request) -> Answer {
    let context = context(app, caller, request.headers());
    let app = &context.app;
    let body = json_bytes(request, app.settings.body_limit).await?;
    let body: NewSession = computed(move || json::parse(&body, &[])).await?;
    let mut session = Session::new();
    let photo = match (body.cv, body.docx_base64) {
        (Some(value), None) => {
            let cv = cv::normalise(&value).map_err(|error| {
                let faults = error.problems();
                Failure::new(
                    ProblemKind::InvalidCv,
                    format!("No session was made: {error}."),
                )
                .with_errors(faults)
            })?;
            let photo = cv
                .cv
                .photo_url
                .as_deref()
                .map(cv::photo::decode)
                .transpose();
            let photo = photo.map_err(|error| invalid("cv.photo_url", &error.to_string()))?;
            session.cv = Cv {
                photo_url: None,
                ..cv.cv
            };
            photo
        }
        (None, Some(docx)) => {
            let read = app.documents.read(docx).await.map_err(refused)?;
            session.prefill = Some(Box::new(read.cv));
            session.unplaced = read.unplaced;
            session.photo_omitted_reason = read.photo_omitted;
            read.photo
        }
        _ => return Err(invalid("", "Send exactly one of cv and docx_base64.")),
    };
    if let Some(tag) = &body.language {
        let language = schemas::job::Language::from_tag(tag);
        let language = language
            .ok_or_else(|| invalid("language", "language is not one that documents are made in"))?;
        session.language = Some(language.tag().to_owned());
    }
    if body
        .job_posting
        .as_ref()
        .is_some_and(|text| text.chars().count() > 20_000)
    {
        return Err(invalid(
            "job_posting",
            "job_posting has more than 20000 characters",
        ));
    }
    session.job_posting_text = body.job_posting;
    session.note(app.clock.now(), "created", &[]);
    let opened = context.create(session, photo).await?;
    let mut response = shown(&context, &opened);
    *response.status_mut() = StatusCode::CREATED;
    let location = HeaderValue::try_from(format!("/v1/sessions/{}", opened.id));
    let location = location.expect("a path of an id is printable ASCII");
    response.headers_mut().insert(header::LOCATION, location);
    Ok(response)
}

/// `GET /v1/sessions/{id}`.
pub(crate) async fn read(
    State(app): State<App>,
    caller: Caller,
    SessionPath(id): SessionPath,
    headers: HeaderMap,
) -> Answer {
    let context = context(app, caller, &headers);
    let opened = context.app.sessions.read(&context.tenant, id).await?;
    let opened = opened.ok_or_else(no_such_session)?;
    let tag = etag(opened.version);
    if none_match_holds(&headers, tag.to_str().unwrap_or_default()) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response());
    }
    Ok(shown(&context, &opened))
}

/// `PATCH /v1/sessions/{id}`: all changes or none; with `If-Match` only to that version.
pub(crate) async fn patch(
    State(app): State<App>,
    caller: Caller,
    SessionPath(id): SessionPath,
    request: Request,
) -> Answer {
    let context = context(app, caller, request.headers());
    let body = json_bytes(request, context.app.settings.body_limit).await?;
    let body: SessionPatch = computed(move || json::parse(&body, &["cv"])).await?;
    let change = Change {
        edits: body.edits,
        patch: body.cv,
    };
    let changed = context
        .change(id, context.expected(id).await?, &change, body.confirm)
        .await;
    let (opened, _) = changed.map_err(not_changed)?;
    Ok(shown(&context, &opened))
}

/// `DELETE /v1/sessions/{id}`: `204`, and nothing of it is left. Jobs made of it stay. With `If-Match`
/// only that version is deleted.
pub(crate) async fn delete(
    State(app): State<App>,
    caller: Caller,
    SessionPath(id): SessionPath,
    headers: HeaderMap,
) -> Answer {
    let context = context(app, caller, &headers);
    let expected = context.expected(id).await?;
    let (sessions, tenant) = (context.app.sessions.clone(), context.tenant);
    finished(async move {
        match expected {
            Some(version) => sessions.delete_version(&tenant, id, version).await,
            None if sessions.delete(&tenant, id).await? => Ok(()),
            None => Err(UpdateError::Gone),
        }
    })
    .await
    .map_err(|error| match error {
        UpdateError::Gone => no_such_session(),
        UpdateError::Conflict { current } => changed(current),
        UpdateError::Storage(error) => error.into(),
        UpdateError::Refused(never) => match never {},
    })?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn context(app: App, caller: Caller, headers: &HeaderMap) -> Context {
    Context {
        app,
        tenant: caller.tenant,
        if_match: if_match(headers),
        traceparent: traceparent(headers),
    }
}

fn invalid(path: &str, message: &str) -> Failure {
    Failure::field(ProblemKind::InvalidRequest, path, "invalid_value", message)
}

/// The session has another version than the caller names.
fn changed(current: u64) -> Failure {
    let detail =
        format!("The session has version {current} now. Read it again, and repeat the change.");
    Failure::new(ProblemKind::PreconditionFailed, detail).with_header(header::ETAG, etag(current))
}

fn not_changed(error: UpdateError<EditError>) -> Failure {
    match error {
        UpdateError::Gone => no_such_session(),
        UpdateError::Conflict { current } => changed(current),
        UpdateError::Storage(error) => error.into(),
        UpdateError::Refused(error) => {
            let fault = |path: &str| FieldError {
                path: path.to_owned(),
                code: "invalid_edit".to_owned(),
                message: error.to_string(),
                ..FieldError::default()
            };
            let faults = match &error {
                EditError::Path { field_path, .. } => vec![fault(field_path)],
                EditError::Value { source, .. } => source.problems(),
                _ => vec![fault("")],
            };
            Failure::new(
                ProblemKind::InvalidRequest,
                format!("Nothing was changed: {error}."),
            )
            .with_errors(faults)
        }
    }
}

fn shown(context: &Context, opened: &Opened) -> Response {
    let session = &opened.session;
    let view = SessionView {
        id: opened.id,
        version: opened.version,
        cv: session.cv.clone(),
        unconfirmed: session.prefill.clone(),
        unplaced: session.unplaced.clone(),
        language: session.language.clone(),
        job_posting: session.job_posting_text.clone(),
        has_photo: session.photo.is_some(),
        readiness: readiness(session, context.app.settings.cv.strict_template),
        created_at: opened.created_at,
        updated_at: opened.updated_at,
        expires_at: opened.expires_at,
    };
    ([(header::ETAG, etag(opened.version))], Json(view)).into_response()
}
