//! Sessions: from a document, read, changed, searched, packed, and cleaned up.

use jiff::Timestamp;
use schemas::cv::photo::Photo;
use schemas::job::Language;
use schemas::session::wire::{Confirm, Extract, GetSession, Pack, Search, Update};
use schemas::session::{
    Applied, Change, Edit, EditError, PackOptions, PhotoChange, Session, SessionId,
    content_signature, cv_summary, pack, readiness, search,
};
use serde_json::{Map, Value, json};
use storage::jobs::{JobRow, RowState};
use storage::names::Container;
use storage::sessions::{Opened, UpdateError};

use super::generate::Past;
use super::{ApiError, Context, Reply};

/// Characters of a posting.
const POSTING: usize = 20_000;
/// Characters of a pack unless the caller says; in delta mode, and else.
const DELTA_PACK: usize = 8_000;
const PACK: usize = 12_000;

/// Finds a session by the text of its id. What cannot be an id is a session that is not there.
pub(super) async fn open(context: &Context, session_id: &str) -> Result<Opened, ApiError> {
    let id = session_id_of(session_id)?;
    let sessions = &context.app.sessions;
    sessions
        .read(&context.tenant, id)
        .await?
        .ok_or_else(ApiError::no_session)
}

fn session_id_of(text: &str) -> Result<SessionId, ApiError> {
    if text.trim().is_empty() {
        return Err(ApiError::bad("session_id is required"));
    }
    text.trim().parse().map_err(|_| ApiError::no_session())
}

/// What comes with an upload.
pub(super) struct Upload {
    pub(super) docx_base64: String,
    pub(super) language: Option<String>,
    pub(super) extract_photo: bool,
    pub(super) job_posting_text: Option<String>,
    pub(super) job_posting_url: Option<String>,
}

/// A new session from a document, and what else there is to say of it.
pub(super) async fn upload(context: &Context, upload: Upload) -> Result<Opened, ApiError> {
    let language = language(upload.language.as_deref())?;
    let job_posting_text = posting(upload.job_posting_text)?;
    let read = context.app.documents.read(upload.docx_base64).await?;
    let mut session = Session::new();
    session.prefill = Some(Box::new(read.cv));
    session.unplaced = read.unplaced;
    session.language = language.map(|language| language.tag().to_owned());
    session.job_posting_text = job_posting_text;
    session.job_posting_url = upload
        .job_posting_url
        .filter(|url| !url.trim().is_empty() && url.len() <= 2_000);
    session.photo_omitted_reason = match (&read.photo, upload.extract_photo) {
        (_, false) => Some("not_requested".to_owned()),
        (None, true) => Some(
            read.photo_omitted
                .unwrap_or_else(|| "no_photo_in_document".to_owned()),
        ),
        (Some(_), true) => None,
    };
    session.note(context.app.clock.now(), "created", &[]);
    let photo = read.photo.filter(|_| upload.extract_photo);
    Ok(context.create(session, photo).await?)
}

/// `extract-and-store-cv`.
pub(super) async fn extract(context: &Context, input: Extract) -> Result<Reply, ApiError> {
    let opened = upload(
        context,
        Upload {
            docx_base64: input.docx_base64,
            language: input.language,
            extract_photo: input.extract_photo,
            job_posting_text: input.job_posting_text,
            job_posting_url: input.job_posting_url,
        },
    )
    .await?;
    let session = &opened.session;
    let mut body = json!({
        "success": true,
        "session_id": opened.id,
        "cv_data_summary": cv_summary(session),
        "photo_extracted": session.photo.is_some(),
        "photo_storage": session.photo.as_ref().map(|_| "blob"),
        "photo_omitted_reason": session.photo_omitted_reason,
        "expires_at": opened.expires_at,
        "language": session.prefill.as_ref().and_then(|cv| cv.language.clone()),
        "unplaced_count": session.unplaced.len(),
    });
    if let Some(message) = unfetched(session) {
        body["job_posting_message"] = json!(message);
    }
    Ok(Reply::json(body).with_version(opened.version))
}

/// What is said of a posting's address that came without its text.
pub(super) fn unfetched(session: &Session) -> Option<&'static str> {
    let alone = session.job_posting_url.is_some() && session.job_posting_text.is_none();
    alone.then_some(
        "job_posting_url is kept and never fetched; send the posting's text as job_posting_text",
    )
}

/// `get-cv-session`.
pub(super) async fn get(context: &Context, input: GetSession) -> Result<Reply, ApiError> {
    let opened = open(context, &input.session_id).await?;
    let past = Past::of(&context.app, &context.tenant, &opened.id.to_string()).await?;
    Ok(Reply::json(shown(context, &opened, &past)).with_version(opened.version))
}

/// A session as its owner reads it.
pub(super) fn shown(context: &Context, opened: &Opened, past: &Past) -> Value {
    let session = &opened.session;
    let strict = context.app.settings.cv.strict_template;
    let refs: Map<String, Value> = past
        .made
        .iter()
        .filter(|(_, row)| row.state == RowState::Succeeded)
        .filter_map(|(_, row)| Some((row.id.to_string(), pdf_ref(row)?)))
        .collect();
    let mut history: Vec<(Timestamp, Value)> = session
        .history
        .iter()
        .map(|entry| (entry.at, json!(entry)))
        .collect();
    history.extend(past.made.iter().map(|(generation, row)| {
        let entry = json!({
            "at": generation.at,
            "action": "generated",
            "job_id": row.id,
            "state": row.status().state,
        });
        (generation.at, entry)
    }));
    history.sort_by_key(|(at, _)| *at);
    json!({
        "success": true,
        "session_id": opened.id,
        "cv_data": session.cv,
        "metadata": {
            "docx_prefill_unconfirmed": session.prefill,
            "unplaced": session.unplaced,
            "language": session.language,
            "job_posting_text": session.job_posting_text,
            "job_posting_url": session.job_posting_url,
            "confirmed_flags": session.confirmed,
            "photo": session.photo.as_ref().map(|photo| json!({
                "container": Container::CvPhotos.as_str(),
                "content_type": photo.content_type,
                "size_bytes": photo.size_bytes,
            })),
            "photo_omitted_reason": session.photo_omitted_reason,
            "pdf_refs": refs,
        },
        "expires_at": opened.expires_at,
        "readiness": readiness(session, strict),
        "interaction_history": history.into_iter().map(|(_, entry)| entry).collect::<Vec<_>>(),
        "_metadata": {
            "version": opened.version,
            "created_at": opened.created_at,
            "updated_at": opened.updated_at,
            "content_signature": content_signature(&session.effective()),
        },
    })
}

fn pdf_ref(row: &JobRow) -> Option<Value> {
    let result = row.result.as_ref()?;
    let lasted = row.finished_at?.as_millisecond() - row.created_at.as_millisecond();
    Some(json!({
        "container": Container::CvPdfs.as_str(),
        "blob_name": row.result_path,
        "created_at": row.finished_at,
        "sha256": result.sha256,
        "size_bytes": result.size_bytes,
        // From accepted to done: the call and the waiting count too.
        "render_ms": lasted,
        "pages": result.pages,
        "validation_passed": true,
        "download_name": result.file_name,
    }))
}

/// `update-cv-field`.
pub(super) async fn update(context: &Context, input: Update) -> Result<Reply, ApiError> {
    let id = session_id_of(&input.session_id)?;
    let single = input.field_path.clone();
    let mut change = Change {
        edits: input.edits,
        patch: input.cv_patch,
    };
    if let Some(field_path) = input.field_path {
        change.edits.insert(
            0,
            Edit {
                field_path,
                value: input.value,
            },
        );
    }
    let expected = context.expected(id).await?.or(input.expected_version);
    let changed = context.change(id, expected, &change, input.confirm).await;
    let (opened, applied) = changed.map_err(|error| match (error, expected) {
        (UpdateError::Conflict { current }, Some(expected)) => {
            ApiError::conflict(expected, current, context.if_match.is_some())
        }
        (error, _) => error.into(),
    })?;
    let strict = context.app.settings.cv.strict_template;
    let mut body = json!({
        "success": true,
        "session_id": opened.id,
        "updated_version": opened.version,
        "updated_at": opened.updated_at,
        "readiness": readiness(&opened.session, strict),
    });
    match single.filter(|_| applied.fields.len() == 1) {
        Some(field) => body["field_updated"] = json!(field),
        None => body["edits_applied"] = json!(applied.fields.len()),
    }
    if !applied.warnings.is_empty() {
        body["warnings"] = json!(applied.warnings);
    }
    Ok(Reply::json(body).with_version(opened.version))
}

impl Context {
    /// The version that a change of this session is meant for, by `If-Match`. Of several the one that
    /// the session has, if it is among them; version 0 is none that a session ever has.
    pub(crate) async fn expected(
        &self,
        id: SessionId,
    ) -> Result<Option<u64>, storage::StorageError> {
        Ok(match self.if_match.as_deref() {
            None => None,
            Some([]) => Some(0),
            Some([one]) => Some(*one),
            Some(several) => {
                let opened = self.app.sessions.read(&self.tenant, id).await?;
                let version = opened.map(|opened| opened.version);
                version
                    .filter(|version| several.contains(version))
                    .or(Some(0))
            }
        })
    }

    /// Keeps a new session, to its end even if the client hangs up.
    pub(crate) async fn create(
        &self,
        session: Session,
        photo: Option<Photo>,
    ) -> Result<Opened, storage::StorageError> {
        let (sessions, tenant) = (self.app.sessions.clone(), self.tenant.clone());
        let work = async move { sessions.create(&tenant, session, photo.as_ref()).await };
        let opened = crate::task::finished(work).await?;
        telemetry::Metric::SessionsCreated.count(&[]);
        Ok(opened)
    }

    /// Changes a session: edits, then confirmations; all or none. To its end even if the client
    /// hangs up.
    pub(crate) async fn change(
        &self,
        id: SessionId,
        expected: Option<u64>,
        change: &Change,
        confirm: Option<Confirm>,
    ) -> Result<(Opened, Applied), UpdateError<EditError>> {
        let (sessions, tenant) = (self.app.sessions.clone(), self.tenant.clone());
        let change = change.clone();
        crate::task::finished(async move {
            let photo = match photo_of(&change).map_err(UpdateError::Refused)? {
                Some(PhotoChange::Set(photo)) => {
                    if sessions.read(&tenant, id).await?.is_none() {
                        return Err(UpdateError::Gone);
                    }
                    Some(Some(sessions.put_photo(&tenant, id, &photo).await?))
                }
                Some(PhotoChange::Remove) => Some(None),
                None => None,
            };
            let updated = sessions
                .update(&tenant, id, expected, |session, now| {
                    let mut applied = Applied::default();
                    if confirm.is_none() || !change.is_empty() {
                        applied = session.apply(&change)?;
                        session.note(now, "updated", &applied.fields);
                    }
                    if let Some(photo) = &photo {
                        session.photo.clone_from(photo);
                        session.photo_omitted_reason = None;
                    }
                    if let Some(Confirm {
                        contact_confirmed,
                        education_confirmed,
                    }) = confirm
                    {
                        session.confirm(contact_confirmed, education_confirmed, now);
                    }
                    Ok(applied)
                })
                .await;
            // Where the session may come to name it all the same, it stays; the sweep knows it.
            let is_unclear =
                |e: &UpdateError<_>| matches!(e, UpdateError::Storage(e) if !e.is_refusal());
            if let (Err(e), Some(Some(photo))) = (&updated, &photo)
                && !is_unclear(e)
            {
                sessions.drop_photo(photo).await;
            }
            updated
        })
        .await
    }
}

/// What a change does to the photo: its last word on it counts.
fn photo_of(change: &Change) -> Result<Option<PhotoChange>, EditError> {
    let only = Change {
        edits: change
            .edits
            .iter()
            .filter(|edit| edit.field_path == "photo_url")
            .cloned()
            .collect(),
        patch: change
            .patch
            .get_key_value("photo_url")
            .map(|(key, value)| (key.clone(), value.clone()))
            .into_iter()
            .collect(),
    };
    if only.is_empty() {
        return Ok(None);
    }
    Ok(Session::new().apply(&only)?.photo)
}

/// `cleanup-expired-sessions`.
pub(super) async fn cleanup(context: &Context) -> Result<Reply, ApiError> {
    let swept = context.app.sessions.sweep(&context.tenant).await?;
    Ok(Reply::json(
        json!({ "success": true, "deleted_count": swept.sessions }),
    ))
}

/// `cv_session_search`.
pub(super) async fn find(context: &Context, input: Search) -> Result<Reply, ApiError> {
    if input.q.trim().is_empty() || input.q.chars().count() > 400 {
        return Err(ApiError::bad("q must have 1 to 400 characters"));
    }
    let opened = open(context, &input.session_id).await?;
    let found = search(&opened.session, &input.q, input.limit);
    Ok(Reply::json(json!({
        "success": true,
        "tool_name": "cv_session_search",
        "session_id": opened.id,
        "hits": found.hits,
        "truncated": found.truncated,
    })))
}

/// `generate_context_pack_v2`.
pub(super) async fn context_pack(context: &Context, input: Pack) -> Result<Reply, ApiError> {
    let opened = open(context, &input.session_id).await?;
    let job_posting = posting(input.job_posting_text)?;
    let delta = context.app.settings.delta_mode;
    let past = if delta {
        Past::of(&context.app, &context.tenant, &opened.id.to_string())
            .await?
            .made
    } else {
        Vec::new()
    };
    let last = past
        .iter()
        .find(|(_, row)| row.state == RowState::Succeeded);
    let max_chars = input
        .max_pack_chars
        .unwrap_or(if delta { DELTA_PACK } else { PACK });
    let options = PackOptions {
        phase: input.phase,
        job_posting: job_posting.as_deref(),
        max_chars: max_chars.clamp(500, 100_000),
        earlier: last.map(|(generation, _)| &generation.sources),
    };
    let mut body = Map::new();
    body.insert(
        input.phase.name().to_owned(),
        pack(&opened.session, &options),
    );
    let strict = context.app.settings.cv.strict_template;
    body.insert(
        "readiness".to_owned(),
        json!(readiness(&opened.session, strict)),
    );
    Ok(Reply::json(Value::Object(body)))
}

/// `export_session_debug`.
pub(super) async fn debug(context: &Context, input: GetSession) -> Result<Reply, ApiError> {
    if !context.app.settings.debug_export {
        let body = json!({
            "error": "debug_export_disabled",
            "message": "The operator has not switched it on (CV_ENABLE_DEBUG_EXPORT).",
        });
        return Err(ApiError::new(403, body));
    }
    let opened = open(context, &input.session_id).await?;
    let past = Past::of(&context.app, &context.tenant, &opened.id.to_string()).await?;
    let jobs: Vec<_> = past.made.iter().map(|(_, row)| row.status()).collect();
    let generations: Vec<_> = past.made.iter().map(|(generation, _)| generation).collect();
    Ok(Reply::json(json!({
        "success": true,
        "session_id": opened.id,
        "session": opened.session,
        "view": shown(context, &opened, &past),
        "generations": generations,
        "jobs": jobs,
    })))
}

/// A language that documents can be made in.
pub(super) fn language(tag: Option<&str>) -> Result<Option<Language>, ApiError> {
    let Some(tag) = tag.map(str::trim).filter(|tag| !tag.is_empty()) else {
        return Ok(None);
    };
    Language::from_tag(tag).map(Some).ok_or_else(|| {
        let known: Vec<_> = Language::ALL.into_iter().map(Language::tag).collect();
        ApiError::bad(format!(
            "language is not one that documents are made in; send one of {}",
            known.join(", ")
        ))
    })
}

/// A posting within its limit; a blank one is none.
pub(super) fn posting(text: Option<String>) -> Result<Option<String>, ApiError> {
    let Some(text) = text.filter(|text| !text.trim().is_empty()) else {
        return Ok(None);
    };
    let size = text.chars().count();
    if size > POSTING {
        let message =
            format!("job_posting_text has {size} characters, at most {POSTING} are taken");
        return Err(ApiError::bad(message));
    }
    Ok(Some(text))
}
