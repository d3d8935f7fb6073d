//! `process-cv-orchestrated`: one turn of a conversation, from an upload to a PDF.
//!
//! What a message asks for is told by fixed words, so a turn that asks for an edit or for nothing
//! costs no call.

use schemas::job::Options;
use schemas::session::wire::{Confirm, Orchestrate};
use schemas::session::{Change, Intent, Readiness, cv_summary, intent, readiness};
use serde_json::{Value, json};
use storage::ambient::random;
use storage::sessions::Opened;

use super::generate::{Outcome, Run};
use super::make::{not_ready, of_session, session_language, told};
use super::sessions::{Upload, language, open, posting, unfetched, upload};
use super::{ApiError, Context, Reply, Surface};

/// What was done in the turn, in order.
#[derive(Default)]
struct Trace {
    id: String,
    steps: Vec<Value>,
}

impl Trace {
    fn step(&mut self, step: &str, detail: &Value) {
        self.steps.push(json!({ "step": step, "detail": detail }));
    }
}

/// One turn.
pub(super) async fn turn(
    context: &Context,
    input: Orchestrate,
    surface: Surface,
) -> Result<Reply, ApiError> {
    let id: [u8; 16] = random(&*context.app.entropy);
    let mut trace = Trace {
        id: format!("{:032x}", u128::from_be_bytes(id)),
        ..Trace::default()
    };
    let message = input
        .message
        .as_deref()
        .unwrap_or_default()
        .trim()
        .to_owned();
    let asked = intent(&message);
    let opened = match source(context, &input, surface, &mut trace).await? {
        Source::Session(opened) => *opened,
        Source::Nothing(_) if message.is_empty() => {
            return Err(ApiError::bad("send message with session_id or docx_base64"));
        }
        Source::Nothing(text) => return Ok(nothing(&text, asked, &trace)),
    };
    let opened = prepare(context, &input, opened, &mut trace).await?;
    let generate = if message.is_empty() {
        // Nothing was said: the turn goes as far as the owner has confirmed.
        readiness(&opened.session, context.app.settings.cv.strict_template).can_generate
    } else {
        asked.generate && !asked.edit
    };
    trace.step(
        "intent",
        &json!({ "edit": asked.edit, "generate": generate }),
    );
    if !generate {
        return Ok(review(context, &opened, asked, &trace));
    }
    Box::pin(execute(context, &input, opened, asked, trace)).await
}

enum Source {
    Session(Box<Opened>),
    /// There is nothing to work on; the text says what to send.
    Nothing(String),
}

async fn source(
    context: &Context,
    input: &Orchestrate,
    surface: Surface,
    trace: &mut Trace,
) -> Result<Source, ApiError> {
    let named = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
    if let Some(id) = named(&input.session_id) {
        return match open(context, &id).await {
            Ok(opened) => {
                trace.step("session", &json!({ "version": opened.version }));
                Ok(Source::Session(Box::new(opened)))
            }
            Err(error) if error.is_no_session() && surface == Surface::Handler => {
                let text = "I cannot find this session: it does not exist, or it has expired. \
                    Please upload the CV again.";
                Ok(Source::Nothing(text.to_owned()))
            }
            Err(error) => Err(error),
        };
    }
    if let Some(docx_base64) = named(&input.docx_base64) {
        let opened = upload(
            context,
            Upload {
                docx_base64,
                language: input.language.clone(),
                extract_photo: input.extract_photo,
                job_posting_text: input.job_posting_text.clone(),
                job_posting_url: input.job_posting_url.clone(),
            },
        )
        .await?;
        trace.step("extract", &json!(cv_summary(&opened.session)));
        return Ok(Source::Session(Box::new(opened)));
    }
    let text = "There is no CV to work on yet. Please upload it as a DOCX file, or give the \
        session_id of an earlier upload.";
    Ok(Source::Nothing(text.to_owned()))
}

/// Edits and the posting of the turn.
async fn prepare(
    context: &Context,
    input: &Orchestrate,
    opened: Opened,
    trace: &mut Trace,
) -> Result<Opened, ApiError> {
    let language = language(input.language.as_deref())?.map(|language| language.tag().to_owned());
    let posting = posting(input.job_posting_text.clone())?;
    let mut opened = opened;
    let session = &opened.session;
    let says_more = (language.is_some() && language != session.language)
        || (posting.is_some() && posting != session.job_posting_text);
    if says_more {
        let (sessions, tenant, id) = (
            context.app.sessions.clone(),
            context.tenant.clone(),
            opened.id,
        );
        let work = async move {
            let change = |session: &mut schemas::session::Session, now| {
                session.language = language.clone().or(session.language.take());
                session.job_posting_text = posting.clone().or(session.job_posting_text.take());
                session.note(now, "updated", &["job_posting_text".to_owned()]);
                Ok::<_, ApiError>(())
            };
            sessions.update(&tenant, id, None, change).await
        };
        opened = crate::task::finished(work).await?.0;
    }
    if !input.edits.is_empty() {
        let change = Change {
            edits: input.edits.clone(),
            ..Change::default()
        };
        let (changed, applied) = context.change(opened.id, None, &change, None).await?;
        trace.step("edit", &json!({ "fields": applied.fields }));
        opened = changed;
    }
    Ok(opened)
}

/// The PDF: asking for it is the confirmation.
async fn execute(
    context: &Context,
    input: &Orchestrate,
    opened: Opened,
    asked: Intent,
    mut trace: Trace,
) -> Result<Reply, ApiError> {
    let flags = opened.session.confirmed;
    let opened =
        if flags.contact_confirmed && flags.education_confirmed && opened.session.prefill.is_none()
        {
            opened
        } else {
            let confirm = Confirm {
                contact_confirmed: Some(true),
                education_confirmed: Some(true),
            };
            let (changed, _) = context
                .change(opened.id, None, &Change::default(), Some(confirm))
                .await?;
            trace.step("confirm", &json!({ "by": "request" }));
            changed
        };
    let strict = context.app.settings.cv.strict_template;
    let ready = readiness(&opened.session, strict);
    let seen = Run {
        edit_intent: asked.edit,
        generate_intent: asked.generate,
        ..Run::default()
    };
    if !ready.can_generate {
        let run = Run {
            stage: "review_session",
            ..seen
        };
        let text = missing_text(&ready);
        return Err(not_ready(&ready, &run)
            .with("success", json!(false))
            .with("session_id", json!(opened.id))
            .with("assistant_text", json!(text))
            .with("stage", json!("review_session"))
            .with("pdf_base64", Value::Null)
            .with("trace_id", json!(trace.id)));
    }
    let options = Options {
        language: session_language(&opened),
        job_posting: opened.session.job_posting_text.clone(),
        force: input.force,
        ..Options::default()
    };
    let outcome = of_session(context, &opened, options).await?;
    let (text, reply_id) = match &outcome {
        Outcome::Made(made) => {
            let latched = made.run.latch_engaged;
            trace.step(
                "generate",
                &json!({ "job_id": made.row.id, "latch_engaged": latched }),
            );
            let pages = made.row.result.as_ref().map_or(0, |result| result.pages);
            let how = if latched {
                "Nothing has changed since, so it is the same one."
            } else {
                ""
            };
            (
                format!("Your CV is ready: {pages} pages. {how}")
                    .trim_end()
                    .to_owned(),
                made.row.reply_id.clone(),
            )
        }
        Outcome::Waiting(row) => {
            trace.step("generate", &json!({ "job_id": row.id, "state": "running" }));
            let text = "Your CV is still being made. Please ask again in a moment.";
            (text.to_owned(), None)
        }
        Outcome::Held(_) | Outcome::Failed(_) => (String::new(), None),
    };
    let mut reply = told(&outcome, Some(&opened), &seen)?;
    if let Some(body) = reply.object() {
        body.insert("assistant_text".to_owned(), json!(text));
        body.insert(
            "cv_data_summary".to_owned(),
            json!(cv_summary(&opened.session)),
        );
        body.insert("stage".to_owned(), json!("execution"));
        body.insert("trace_id".to_owned(), json!(trace.id));
        body.insert("turn_trace".to_owned(), json!(trace.steps));
        body.insert("last_response_id".to_owned(), json!(reply_id));
        body.entry("validation").or_insert(Value::Null);
    }
    Ok(reply)
}

/// A turn that makes nothing: what there is, and what to do next.
fn review(context: &Context, opened: &Opened, asked: Intent, trace: &Trace) -> Reply {
    let ready = readiness(&opened.session, context.app.settings.cv.strict_template);
    let mut text = if asked.edit {
        "Tell me which field to change and its new text, or send the changes as edits (update_cv_field). \
         Nothing was generated."
            .to_owned()
    } else if ready.can_generate {
        "Everything is there. Say \"generate pdf\" to make the document.".to_owned()
    } else {
        missing_text(&ready)
    };
    if let Some(message) = unfetched(&opened.session) {
        text = format!("{text} ({message})");
    }
    let run = Run {
        stage: "review_session",
        edit_intent: asked.edit,
        generate_intent: asked.generate,
        ..Run::default()
    };
    Reply::json(json!({
        "success": true,
        "session_id": opened.id,
        "assistant_text": text,
        "pdf_base64": null,
        "validation": null,
        "cv_data_summary": cv_summary(&opened.session),
        "stage": "review_session",
        "readiness": ready,
        "run_summary": run.summary(),
        "trace_id": trace.id,
        "turn_trace": trace.steps,
        "last_response_id": null,
    }))
}

/// A turn without anything to work on.
fn nothing(text: &str, asked: Intent, trace: &Trace) -> Reply {
    let run = Run {
        stage: "no_session",
        edit_intent: asked.edit,
        generate_intent: asked.generate,
        ..Run::default()
    };
    Reply::json(json!({
        "success": false,
        "session_id": null,
        "assistant_text": text,
        "pdf_base64": null,
        "validation": null,
        "cv_data_summary": null,
        "stage": "no_session",
        "run_summary": run.summary(),
        "trace_id": trace.id,
        "turn_trace": trace.steps,
        "last_response_id": null,
    }))
}

fn missing_text(ready: &Readiness) -> String {
    let (flags, fields): (Vec<_>, Vec<_>) = ready
        .missing
        .iter()
        .partition(|name| name.ends_with("_not_confirmed"));
    let mut text = String::new();
    if !fields.is_empty() {
        let fields: Vec<_> = fields.into_iter().map(String::as_str).collect();
        text = format!("These fields are still missing: {}. ", fields.join(", "));
    }
    if !flags.is_empty() {
        text.push_str(
            "Please check the contact details and the education that were read, and confirm them; or say \
             \"generate pdf\" if everything is right.",
        );
    }
    text.trim_end().to_owned()
}
