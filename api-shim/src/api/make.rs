//! The routes and tools that give a PDF: of a session, of a whole CV, or one made before.

use http::StatusCode;
use http::header::{self, HeaderValue};
use schemas::JobId;
use schemas::cv::{self, CvError, check};
use schemas::job::{JobKind, Language, Links, Options, ThemeName};
use schemas::session::wire::{Action, Generate, PdfByRef};
use schemas::session::{Readiness, readiness};
use serde_json::{Value, json};
use storage::StorageError;
use storage::jobs::RowState;
use storage::sessions::Opened;

use super::document::{data_uri, uri};
use super::generate::{Made, Order, Outcome, Past, Run, make, request_hash};
use super::sessions::{language, open};
use super::{ApiError, Context, Reply, Surface};
use crate::observe::{download_failed, downloaded};
use crate::problem::chain;
use crate::routes::submit::known_theme;

/// `generate-cv-from-session`.
pub(super) async fn from_session(
    context: &Context,
    input: Generate,
    surface: Surface,
) -> Result<Reply, ApiError> {
    let opened = open(context, &input.session_id).await?;
    let ready = readiness(&opened.session, context.app.settings.cv.strict_template);
    if !ready.can_generate {
        return Err(not_ready(
            &ready,
            &Run {
                stage: "review_session",
                ..Run::default()
            },
        ));
    }
    let options = Options {
        language: language(input.language.as_deref())?.or_else(|| session_language(&opened)),
        theme: theme(context, input.theme)?,
        pages: input.pages.unwrap_or_default(),
        job_posting: opened.session.job_posting_text.clone(),
        force: input.force,
        ..Options::default()
    };
    match of_session(context, &opened, options).await? {
        Outcome::Made(made) if surface == Surface::Handler => {
            Ok(Reply::pdf(made.pdf.clone(), &file_name(&made)))
        }
        outcome => told(&outcome, Some(&opened), &Run::default()),
    }
}

/// A theme that is known here.
fn theme(context: &Context, theme: Option<ThemeName>) -> Result<ThemeName, ApiError> {
    let theme = theme.unwrap_or_default();
    known_theme(&theme, &context.app.settings.themes)?;
    Ok(theme)
}

/// Makes the PDF of a session that is ready.
pub(super) async fn of_session(
    context: &Context,
    opened: &Opened,
    options: Options,
) -> Result<Outcome, ApiError> {
    let mut cv = opened.session.cv.clone();
    if let Some(photo) = &opened.session.photo {
        let file = context.app.sessions.photo(photo).await?;
        cv.photo_url = file.map(|file| uri(&photo.content_type, &file));
    }
    let report = check(&cv, &context.app.settings.cv);
    if !report.is_ok() {
        return Err(refused(&CvError::OverLimits(Box::new(report))));
    }
    let group = opened.id.to_string();
    let order = Order {
        group,
        cv,
        options,
        warnings: report.warnings,
    };
    make(context, order).await
}

/// The language that a session asks for.
pub(super) fn session_language(opened: &Opened) -> Option<Language> {
    Language::from_tag(opened.session.language.as_deref()?)
}

/// `generate-cv-action`, and `generate-cv`, which answers with the PDF itself.
pub(super) async fn of_whole_cv(
    context: &Context,
    input: Action,
    surface: Surface,
) -> Result<Reply, ApiError> {
    let language = language(input.language.as_deref())?;
    let accepted = cv::accept(&input.cv_data, &context.app.settings.cv);
    let mut accepted = accepted.map_err(|error| match surface {
        Surface::PdfRoute => refused(&error),
        _ => ApiError::new(400, error.legacy_action_body()),
    })?;
    if let (None, Some(docx)) = (&accepted.cv.photo_url, input.source_docx_base64) {
        let photo = context.app.documents.photo(docx).await?;
        accepted.cv.photo_url = photo.as_ref().map(data_uri);
    }
    let options = Options {
        language,
        theme: theme(context, input.theme)?,
        pages: input.pages.unwrap_or_default(),
        force: input.force,
        ..Options::default()
    };
    let group = request_hash(JobKind::Cv, &accepted.cv, &options);
    let order = Order {
        group,
        cv: accepted.cv,
        options,
        warnings: accepted.warnings,
    };
    match make(context, order).await? {
        Outcome::Made(made) if surface == Surface::PdfRoute => {
            Ok(Reply::pdf(made.pdf.clone(), &file_name(&made)))
        }
        outcome => told(&outcome, None, &Run::default()),
    }
}

/// `400` for a CV that is refused, in the shape of its fault.
pub(super) fn refused(error: &CvError) -> ApiError {
    ApiError::new(400, error.legacy_body())
}

/// `400` for a session that lacks something.
pub(super) fn not_ready(ready: &Readiness, run: &Run) -> ApiError {
    let message = format!("The session is not ready: {}.", ready.missing.join(", "));
    let body = json!({
        "error": "readiness_not_met",
        "message": message,
        "readiness": ready,
        "run_summary": run.summary(),
    });
    ApiError::new(400, body)
}

fn file_name(made: &Made) -> String {
    made.row
        .result
        .as_ref()
        .map_or_else(|| "CV.pdf".to_owned(), |result| result.file_name.clone())
}

/// What a PDF's own check came to: measured, where the estimate stood before.
pub(super) fn validation(made: &Made) -> Value {
    let pages = made.row.result.as_ref().map(|result| result.pages);
    json!({
        "is_valid": true,
        "errors": [],
        "warnings": made.row.warnings,
        "pages": pages,
        "estimated_pages": pages,
    })
}

/// The answer in JSON. `seen` holds the intents of the message.
pub(super) fn told(
    outcome: &Outcome,
    opened: Option<&Opened>,
    seen: &Run,
) -> Result<Reply, ApiError> {
    let session = opened.map(|opened| opened.id);
    let run = |job_id, made: Option<&Run>| {
        let made = made.cloned().unwrap_or(Run {
            stage: "execution",
            execution_mode: true,
            job_id: Some(job_id),
            ..Run::default()
        });
        Run {
            edit_intent: seen.edit_intent,
            generate_intent: seen.generate_intent,
            ..made
        }
    };
    match outcome {
        Outcome::Made(made) => {
            let mut body = json!({
                "success": true,
                "pdf_base64": base64(&made.pdf),
                "validation": validation(made),
                "run_summary": run(made.row.id, Some(&made.run)).summary(),
                "download_name": file_name(made),
            });
            if let Some(session) = session {
                body["session_id"] = json!(session);
            }
            Ok(Reply::json(body))
        }
        Outcome::Waiting(row) => {
            let link = Links::of(row.id).this;
            let body = json!({
                "success": false,
                "session_id": session,
                "pdf_base64": null,
                "job_id": row.id,
                "status_url": link,
                "run_summary": run(row.id, None).summary(),
            });
            let location = HeaderValue::try_from(link).expect("a path of an id is printable ASCII");
            Ok(Reply::json(body)
                .with_status(StatusCode::ACCEPTED)
                .with_header(header::LOCATION, location)
                .with_header(header::RETRY_AFTER, 2.into()))
        }
        Outcome::Held(row) => Err(ApiError::new(
            409,
            json!({
                "error": "generation_outcome_unknown",
                "message": "The call to the model went out and its outcome is unknown: it may have \
                    been paid for. Repeat the request with force: true to pay again.",
                "job_id": row.id,
            }),
        )),
        Outcome::Failed(row) => {
            let problem = row.error.as_ref();
            let status = problem.map_or(409, |problem| problem.status);
            let message = problem.map_or("The job was cancelled.", |problem| &problem.detail);
            let body = json!({
                "success": false,
                "error": "generation_failed",
                "message": message,
                "job_id": row.id,
                "session_id": session,
                "run_summary": run(row.id, None).summary(),
            });
            Err(ApiError::new(status, body))
        }
    }
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// `get_pdf_by_ref`.
pub(super) async fn by_ref(context: &Context, input: PdfByRef) -> Result<Reply, ApiError> {
    let opened = open(context, &input.session_id).await?;
    let unknown = || {
        let message = "The session has no PDF of this ref; metadata.pdf_refs lists those it has.";
        ApiError::new(
            404,
            json!({ "error": "pdf_ref_not_found", "message": message }),
        )
    };
    let id: JobId = input.pdf_ref.trim().parse().map_err(|_| unknown())?;
    let past = Past::of(&context.app, &context.tenant, &opened.id.to_string()).await?;
    let row = past
        .made
        .into_iter()
        .map(|(_, row)| row)
        .find(|row| row.id == id && row.state == RowState::Succeeded)
        .ok_or_else(unknown)?;
    let path = row.result_path.as_deref().ok_or_else(unknown)?;
    match context.app.jobs.pdf(path).await {
        Ok((blob, facts)) => {
            downloaded();
            Ok(Reply::pdf(blob.data, &facts.file_name))
        }
        Err(StorageError::NotFound) => {
            download_failed(id, "the blob is missing");
            let message = "The PDF is no longer kept. Make it again.";
            let body = json!({ "error": "pdf_blob_missing", "message": message });
            Err(ApiError::new(404, body))
        }
        Err(e) => {
            download_failed(id, &chain(&e));
            Err(e.into())
        }
    }
}
