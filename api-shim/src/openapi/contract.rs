//! The routes of the older contract, described.

use schemars::SchemaGenerator;
use schemas::session::tools::Tool;
use schemas::session::wire;
use serde_json::{Value, json};

use super::doc::{Answer, Content, Doc, Parameter};
use super::{examples, shared};

/// The description of an operation of this group.
pub(super) fn describe(id: &str) -> Option<Doc> {
    if let Some(tool) = Tool::from_name(id) {
        return of_tool(tool);
    }
    Some(match id {
        "getCvSession" => told(
            Doc::new(
                "Read a session by a link",
                "As `POST`, for callers that send no body.",
            )
            .with(
                    Parameter::query(
                        "session_id",
                        "The session.",
                        json!({ "type": "string", "example": shared::SESSION }),
                    )
                    .required(),
                ),
            session(),
            &NULLABLE,
        )
        .answers(error(404, "There is no such session.")),
        "generateCv" => PDF_FAILURES.iter().fold(
            Doc::new(
                "Make a PDF of a whole CV",
                "As `generate-cv-action`, with the PDF itself as the answer.",
            )
            .takes(vec![action()])
            .answers(
                Answer::new(200, "The PDF.")
                    .headers(&["Content-Disposition"])
                    .with(Content::of("application/pdf", json!({}))),
            )
            .answers(waiting())
            .answers(error(400, "The CV or an option is refused.")),
            |doc, (status, says)| doc.answers(error(*status, says)),
        ),
        "callTool" => [(403, "The tool is switched off."), (404, "There is no such session, photo or PDF."), (412, "The session has another version.")]
            .iter()
            .chain(PDF_FAILURES)
            .fold(
                Doc::new(
                    "Call a tool by its name",
                    "One address for all tools: `tool_name`, and in `params` what it takes. `GET \
                     /api/tools.json` lists them. `generate_cv_from_session` and `get_pdf_by_ref` answer \
                     with the PDF itself.",
                )
                .takes(vec![json_of(SchemaGenerator::subschema_for::<wire::ToolCall>).example(
                    "search",
                    json!({
                        "tool_name": "cv_session_search",
                        "session_id": shared::SESSION,
                        "params": { "q": "employer" },
                    }),
                )])
                .answers(
                    Answer::new(200, "What the tool answers; a PDF as itself.")
                        .headers(&["Content-Disposition", "ETag"])
                        .with(Content::of("application/json", json!({ "type": "object" })).example(
                            "search",
                            json!({
                                "success": true,
                                "tool_name": "cv_session_search",
                                "session_id": shared::SESSION,
                                "hits": [{
                                    "source": "cv_data",
                                    "field_path": "work_experience[0].employer",
                                    "preview": "Northgate Cold Storage",
                                }],
                                "truncated": false,
                            }),
                        ))
                        .with(Content::of("application/pdf", json!({}))),
                )
                .answers(waiting())
                .answers(error(400, "The tool is not known, or does not take this.")),
                |doc, (status, says)| doc.answers(error(*status, says)),
            ),
        "listTools" => Doc::new(
            "List the tools",
            "The routes as function tools of the Responses API, for an assistant.",
        )
        .answers(Answer::new(200, "The tools.").with(Content::of(
            "application/json",
            json!({ "type": "array", "items": { "type": "object", "required": ["name", "parameters"] } }),
        ))),
        "readInstructions" => Doc::new(
            "Read the instructions",
            "How an assistant should use the tools.",
        )
        .answers(
            Answer::new(200, "The instructions.")
                .with(Content::of("text/markdown", json!({ "type": "string" }))),
        ),
        _ => return None,
    })
}

/// What making a PDF may come to besides a PDF.
const PDF_FAILURES: &[(u16, &str)] = &[
    (
        409,
        "The outcome of the model call is unknown, the job was cancelled, or the session was changed \
         meanwhile.",
    ),
    (410, "The job expired before anybody began it."),
    (422, "The document holds no CV."),
    (502, "The model gave no usable reply."),
];

/// Members that may be null or absent wherever they stand.
const NULLABLE: [&str; 22] = [
    "cv_data_summary",
    "docx_prefill_unconfirmed",
    "download_name",
    "estimated_pages",
    "field_updated",
    "job_id",
    "job_posting_text",
    "job_posting_url",
    "language",
    "last_response_id",
    "pages",
    "pdf_base64",
    "pdf_ref",
    "photo",
    "photo_omitted_reason",
    "photo_storage",
    "readiness",
    "session_id",
    "unplaced",
    "validation",
    "warnings",
    "confirmed_at",
];

type Shape = fn(&mut SchemaGenerator) -> schemars::Schema;

fn json_of(shape: Shape) -> Content {
    Content::json(shape)
}

fn of_tool(tool: Tool) -> Option<Doc> {
    let of_session = json!({ "session_id": shared::SESSION });
    let docx = json!({ "docx_base64": "UEsDBBQAAAAIAA==" });
    let doc = |summary: &'static str| Doc::new(summary, tool.description());
    let missing = || error(404, "There is no such session.");
    Some(match tool {
        Tool::ExtractAndStoreCv => told(
            doc("Open a session with a document").takes(vec![
                json_of(SchemaGenerator::subschema_for::<wire::Extract>).example("document", docx),
                form(),
            ]),
            json!({
                "success": true,
                "session_id": shared::SESSION,
                "cv_data_summary": summary(),
                "photo_extracted": false,
                "photo_storage": null,
                "photo_omitted_reason": "no_photo_in_document",
                "expires_at": "2026-06-02T09:31:00Z",
                "language": "en",
                "unplaced_count": 0,
            }),
            &NULLABLE,
        )
        .answers(error(413, "The document is too large."))
        .answers(error(422, "The document holds no CV.")),
        Tool::GetCvSession => told(
            doc("Read a session").takes(vec![
                json_of(SchemaGenerator::subschema_for::<wire::GetSession>)
                    .example("session", of_session),
            ]),
            session(),
            &NULLABLE,
        )
        .answers(missing()),
        Tool::UpdateCvField => told(
            doc("Change a session").with(shared::if_match()).takes(vec![
                json_of(SchemaGenerator::subschema_for::<wire::Update>).example(
                    "field",
                    json!({
                        "session_id": shared::SESSION,
                        "field_path": "work_experience[0].title",
                        "value": "Shift lead",
                    }),
                ),
            ]),
            json!({
                "success": true,
                "session_id": shared::SESSION,
                "updated_version": 3,
                "updated_at": "2026-06-01T09:32:00Z",
                "field_updated": "work_experience[0].title",
                "readiness": examples::readiness(),
            }),
            &NULLABLE,
        )
        .answers(missing())
        .answers(error(
            409,
            "The session has another version than `expected_version`.",
        ))
        .answers(error(
            412,
            "The session has another version than `If-Match`.",
        )),
        Tool::GenerateCvFromSession => pdf(
            doc("Make the PDF of a session").takes(vec![
                json_of(SchemaGenerator::subschema_for::<wire::Generate>)
                    .example("session", of_session),
            ]),
            made(),
        )
        .answers(missing()),
        Tool::ProcessCvOrchestrated => {
            let mut turn = made();
            turn["assistant_text"] = json!("Your CV is ready: 1 pages.");
            turn["cv_data_summary"] = summary();
            turn["stage"] = json!("execution");
            turn["trace_id"] = json!("5f3c1a7be29d4c06a8f1d0b7c2e49365");
            turn["turn_trace"] = json!([{ "step": "generate", "detail": {} }]);
            turn["last_response_id"] = json!("resp_68f1");
            pdf(
                doc("Take a turn of a conversation").takes(vec![
                    json_of(SchemaGenerator::subschema_for::<wire::Orchestrate>).example(
                        "turn",
                        json!({ "session_id": shared::SESSION, "message": "generate pdf" }),
                    ),
                    form(),
                ]),
                turn,
            )
            .answers(missing())
            .answers(error(413, "The document is too large."))
        }
        Tool::CleanupExpiredSessions => told(
            doc("Remove expired sessions").takes_perhaps(vec![
                json_of(SchemaGenerator::subschema_for::<wire::Cleanup>).example("all", json!({})),
            ]),
            json!({ "success": true, "deleted_count": 2 }),
            &[],
        ),
        Tool::GenerateCvAction => pdf(
            doc("Make a PDF of a whole CV").takes(vec![action()]),
            made(),
        ),
        Tool::ValidateCv => told(
            doc("Check a CV").takes(vec![
                json_of(SchemaGenerator::subschema_for::<wire::Validate>)
                    .example("cv", json!({ "cv_data": examples::cv() })),
            ]),
            json!({
                "is_valid": true,
                "errors": [],
                "warnings": [],
                "estimated_pages": 1,
                "estimated_height_mm": 182,
                "details": {},
            }),
            &["estimated_height_mm", "details"],
        )
        .answers(missing()),
        Tool::PreviewHtml => told(
            doc("Show a CV as HTML").takes(vec![
                json_of(SchemaGenerator::subschema_for::<wire::Preview>)
                    .example("cv", json!({ "cv_data": examples::cv() })),
            ]),
            json!({ "html": "<!doctype html>...", "html_length": 5120 }),
            &[],
        )
        .answers(missing()),
        Tool::ExtractPhoto => told(
            doc("Take the photo out of a document").takes(vec![
                json_of(SchemaGenerator::subschema_for::<wire::ExtractPhoto>)
                    .example("document", docx),
                form(),
            ]),
            json!({ "success": true, "photo_data_uri": "data:image/jpeg;base64,/9j/4AAQ" }),
            &[],
        )
        .answers(error(404, "There is no photo in the document."))
        .answers(error(413, "The document is too large."))
        .answers(error(422, "The document takes too long to read.")),
        Tool::GenerateContextPackV2 => Doc::new("Pack a session for one phase", tool.description())
            .takes(vec![
                json_of(SchemaGenerator::subschema_for::<wire::Pack>).example(
                    "pack",
                    json!({ "session_id": shared::SESSION, "phase": "preparation" }),
                ),
            ])
            .answers(
                Answer::new(
                    200,
                    "The pack, under the name of the phase, and the readiness.",
                )
                .with(Content::of(
                    "application/json",
                    json!({ "type": "object", "required": ["readiness"] }),
                )),
            )
            .answers(error(400, "The body is refused."))
            .answers(missing()),
        // These have no path of their own.
        Tool::CvSessionSearch | Tool::GetPdfByRef | Tool::ExportSessionDebug => return None,
    })
}

/// JSON like `example`, or `400`.
fn told(doc: Doc, example: Value, loose: &[&str]) -> Doc {
    doc.answers(
        Answer::new(200, "Done.")
            .headers(&["ETag"])
            .with(Content::like(example, loose)),
    )
    .answers(error(400, "The body is refused."))
}

/// A PDF within JSON, or what else may come of it.
fn pdf(doc: Doc, example: Value) -> Doc {
    let doc = told(doc, example, &NULLABLE).answers(waiting());
    PDF_FAILURES
        .iter()
        .fold(doc, |doc, (status, says)| doc.answers(error(*status, says)))
}

/// The PDF takes longer than the route waits.
fn waiting() -> Answer {
    let example = json!({
        "success": false,
        "session_id": shared::SESSION,
        "pdf_base64": null,
        "job_id": shared::JOB,
        "status_url": format!("/v1/jobs/{}", shared::JOB),
        "run_summary": summary_of_run(),
    });
    Answer::new(
        202,
        "The PDF is still being made; `status_url` tells when it is there.",
    )
    .headers(&["Location", "Retry-After"])
    .with(Content::like(example, &NULLABLE))
}

/// An error in the form of the contract: at least `error`.
fn error(status: u16, description: &'static str) -> Answer {
    let schema = json!({
        "type": "object",
        "properties": {
            "error": { "type": "string", "description": "What is wrong, or a stable word for it." },
        },
        "required": ["error"],
    });
    let word = match status {
        404 => "Session not found or expired",
        409 => "generation_outcome_unknown",
        412 => "version_conflict",
        _ => "CV data validation failed",
    };
    Answer::new(status, description)
        .with(Content::of("application/json", schema).example("error", json!({ "error": word })))
}

fn action() -> Content {
    json_of(SchemaGenerator::subschema_for::<wire::Action>)
        .example("cv", json!({ "cv_data": examples::cv(), "language": "en" }))
}

/// A document sent as a file.
fn form() -> Content {
    Content::of(
        "multipart/form-data",
        json!({
            "type": "object",
            "properties": {
                "file": { "type": "string", "contentMediaType": "application/octet-stream" },
                "options": { "type": "string", "contentMediaType": "application/json" },
            },
            "required": ["file"],
        }),
    )
}

fn summary() -> Value {
    json!({ "has_photo": false, "fields_populated": ["full_name"], "fields_empty": ["interests"] })
}

fn summary_of_run() -> Value {
    json!({
        "stage": "execution",
        "execution_mode": true,
        "model_calls": 1,
        "model_calls_now": 1,
        "latch_engaged": false,
        "job_id": shared::JOB,
        "pdf_ref": shared::JOB,
        "stage_debug": { "edit_intent": false, "generate_intent": true },
    })
}

fn made() -> Value {
    json!({
        "success": true,
        "session_id": shared::SESSION,
        "pdf_base64": "JVBERi0xLjc=",
        "validation": { "is_valid": true, "errors": [], "warnings": [], "pages": 1, "estimated_pages": 1 },
        "run_summary": summary_of_run(),
        "download_name": "CV_Ida_Morrow_Shift_lead.pdf",
    })
}

fn session() -> Value {
    json!({
        "success": true,
        "session_id": shared::SESSION,
        "cv_data": { "full_name": "Ida Morrow" },
        "metadata": {
            "docx_prefill_unconfirmed": null,
            "unplaced": [],
            "language": "en",
            "job_posting_text": null,
            "job_posting_url": null,
            "confirmed_flags": {
                "contact_confirmed": true,
                "education_confirmed": true,
                "confirmed_at": "2026-06-01T09:31:00Z",
            },
            "photo": null,
            "photo_omitted_reason": null,
            "pdf_refs": {},
        },
        "expires_at": "2026-06-02T09:31:00Z",
        "readiness": examples::readiness(),
        "interaction_history": [{ "at": "2026-06-01T09:30:00Z", "action": "created" }],
        "_metadata": {
            "version": 2,
            "created_at": "2026-06-01T09:30:00Z",
            "updated_at": "2026-06-01T09:31:00Z",
            "content_signature": {
                "work_exp_count": 1,
                "education_count": 1,
                "profile_length": 54,
                "skills_count": 2,
            },
        },
    })
}
