//! What costs nothing and keeps nothing: checks, previews, and photos out of documents.

use schemas::cv::{self, Cv, CvError, Report, check};
use schemas::session::readiness;
use schemas::session::wire::{ExtractPhoto, Preview, Validate};
use serde_json::{Value, json};
use storage::sessions::Opened;

use super::document::{data_uri, uri};
use super::make::refused;
use super::sessions::open;
use super::{ApiError, Context, Reply, Surface};
use crate::task::computed;

/// The CV that a check is of, and the session that it comes from.
async fn subject(
    context: &Context,
    input: &Validate,
) -> Result<(Result<cv::Normalised, CvError>, Option<Opened>), ApiError> {
    let session = input
        .session_id
        .as_deref()
        .filter(|id| !id.trim().is_empty());
    let opened = match session {
        Some(id) => Some(open(context, id).await?),
        None => None,
    };
    let normalised = match (&input.cv_data, &opened) {
        (Value::Null, Some(opened)) => Ok(cv::Normalised {
            cv: opened.session.effective(),
            warnings: Vec::new(),
        }),
        (cv_data, _) => cv::normalise_for_validation(cv_data),
    };
    Ok((normalised, opened))
}

/// `validate-cv`.
pub(super) async fn validate(
    context: &Context,
    input: Validate,
    surface: Surface,
) -> Result<Reply, ApiError> {
    let options = context.app.settings.cv;
    let (normalised, opened) = subject(context, &input).await?;
    if surface != Surface::Handler {
        let report = normalised.map(|normalised| report_of(normalised, options));
        return Ok(Reply::json(
            report.map_err(|error| refused(&error))?.validation(),
        ));
    }
    let (report, faults) = match normalised {
        Ok(normalised) => (Some(report_of(normalised, options)), Vec::new()),
        Err(error) => (None, error.problems()),
    };
    let faults = report
        .iter()
        .flat_map(|report| report.errors.iter().filter(|e| e.code == "missing"))
        .chain(&faults);
    let schema_errors: Vec<_> = faults.map(|fault| fault.message.as_str()).collect();
    let is_valid = report.as_ref().is_some_and(Report::is_ok);
    let ready = opened
        .as_ref()
        .map(|opened| readiness(&opened.session, options.strict_template));
    Ok(Reply::json(json!({
        "success": true,
        "tool_name": "validate_cv",
        "session_id": opened.as_ref().map(|opened| opened.id),
        "schema_valid": schema_errors.is_empty(),
        "schema_errors": schema_errors,
        "validation": report.as_ref().map(Report::validation),
        "readiness": ready,
        "is_valid": is_valid,
    })))
}

fn report_of(normalised: cv::Normalised, options: cv::CheckOptions) -> Report {
    let mut report = check(&normalised.cv, &options);
    let found = std::mem::replace(&mut report.warnings, normalised.warnings);
    report.warnings.extend(found);
    report
}

/// `preview-html`.
pub(super) async fn preview(context: &Context, input: Preview) -> Result<Reply, ApiError> {
    let (normalised, opened) = subject(context, &input).await?;
    let mut cv: Cv = normalised.map_err(|error| refused(&error))?.cv;
    if let (None, Some(photo)) = (
        &cv.photo_url,
        opened.and_then(|opened| opened.session.photo),
    ) {
        let file = context.app.sessions.photo(&photo).await?;
        cv.photo_url = file.map(|file| uri(&photo.content_type, &file));
    }
    let html = computed(move || convert::html::write(&cv)).await;
    Ok(Reply::json(
        json!({ "html_length": html.chars().count(), "html": html }),
    ))
}

/// `extract-photo`.
pub(super) async fn photo(context: &Context, input: ExtractPhoto) -> Result<Reply, ApiError> {
    let photo = context.app.documents.photo(input.docx_base64).await?;
    let Some(photo) = photo else {
        return Err(ApiError::new(
            404,
            json!({ "error": "No photo found in DOCX" }),
        ));
    };
    Ok(Reply::json(
        json!({ "success": true, "photo_data_uri": data_uri(&photo) }),
    ))
}
