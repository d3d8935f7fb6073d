//! Jobs and their documents, described.

use schemars::SchemaGenerator;
use schemas::job::{
    BatchOutcomes, BatchRequest, DocumentName, JobKind, JobPage, JobRequest, JobStatus,
};
use schemas::{Problem, ProblemKind};
use serde_json::{Value, json};

use super::doc::{Answer, Content, Doc, Parameter};
use super::{examples, shared};

/// The description of an operation of this group.
pub(super) fn describe(id: &str) -> Option<Doc> {
    use ProblemKind::{
        Conflict, IdempotencyKeyReused, InvalidCv, InvalidDocument, InvalidRequest, NotFound,
    };
    Some(match id {
        "submitJob" => Doc::new(
            "Submit a job",
            "Checks the request, stores the job and puts it on the queue. Follow it at its `Location`.\n\n\
             In a form, one part is a file (a DOCX, or JSON: a CV or a JSON Resume) or `session_id`; \
             `kind`, `options` and `metadata` are parts of their own, the last two as JSON.",
        )
        .with(idempotency_key())
        .takes(vec![
            Content::json(SchemaGenerator::subschema_for::<JobRequest>)
                .example("cv", examples::job_request())
                .example(
                    "session",
                    json!({ "kind": "cv", "input": { "session_id": shared::SESSION } }),
                ),
            form(),
        ])
        .answers(
            job(202, "The job. With `Idempotency-Replayed: true` it was there before.", examples::queued())
                .headers(&["ETag", "Idempotency-Replayed", "Location", "Retry-After"]),
        )
        .fails(&[InvalidRequest, InvalidCv, InvalidDocument, IdempotencyKeyReused, NotFound]),
        "submitBatch" => Doc::new(
            "Submit many jobs",
            "1 to 100 requests, each as `POST /v1/jobs` takes it and with an outcome of its own: one that \
             is refused refuses none of the others. With an `Idempotency-Key` a repeat finds the jobs that \
             were made, and makes those that were not.",
        )
        .with(idempotency_key())
        .takes(vec![
            Content::json(SchemaGenerator::subschema_for::<BatchRequest>)
                .example("two", json!({ "jobs": [examples::job_request(), examples::job_request()] })),
        ])
        .answers(Answer::new(207, "An outcome for each, in their order.").with(
            Content::json(SchemaGenerator::subschema_for::<BatchOutcomes>).example(
                "one of each",
                json!({
                    "accepted": 1,
                    "refused": 1,
                    "outcomes": [
                        { "index": 0, "status": 202, "job": examples::queued() },
                        {
                            "index": 1,
                            "status": 400,
                            "error": Problem::new(InvalidCv, "The CV lacks required fields."),
                        },
                    ],
                }),
            ),
        ))
        .fails(&[InvalidRequest]),
        "listJobs" => shared::paged(
            Doc::new(
                "List jobs",
                "The caller's jobs, newest first. `next_cursor` leads to the next page, and so does \
                 `Link`. A filter that few jobs pass may give a short page, or an empty one, that still \
                 has a `next_cursor`.",
            )
            .with(Parameter::query(
                "state",
                "Only jobs in these states, parted by commas.",
                json!({ "type": "string", "example": "queued,running" }),
            ))
            .with(Parameter::query(
                "kind",
                "Only jobs of this kind.",
                json!({ "type": "string", "enum": JobKind::ALL.map(JobKind::as_str), "example": "cv" }),
            ))
            .with(time("created_from", "Only jobs accepted at this time or later (RFC 3339)."))
            .with(time("created_to", "Only jobs accepted before this time (RFC 3339).")),
        )
        .answers(
            Answer::new(200, "A page of jobs.")
                .headers(&["Link"])
                .with(
                    Content::json(SchemaGenerator::subschema_for::<JobPage>)
                        .example("page", json!({ "jobs": [examples::succeeded()] })),
                ),
        ),
        "deleteJob" => Doc::new(
            "Delete a job",
            "The job and all that is stored of it are gone. A call to the model that is out is stopped \
             where the provider can do that, and what it brings is thrown away.",
        )
        .with(shared::job_id())
        .answers(Answer::new(204, "It is gone.")),
        "followJob" => Doc::new(
            "Follow a job",
            "Server-sent events: the job as it is, then again with each change, until its end. Events are \
             named `state`, `progress` and `deleted`; their data is the job as `GET /v1/jobs/{id}` has it. \
             A comment every 15 seconds says that the stream lives.",
        )
        .with(shared::job_id())
        .with(Parameter::header(
            "Last-Event-ID",
            "The last event that the caller has; it is not sent again.",
            json!({ "type": "string" }),
        ))
        .answers(Answer::new(200, "The events.").with(Content::of(
            "text/event-stream",
            json!({}),
        )))
        .answers(Answer::new(204, "The caller has the job's end already.")),
        "readJob" => Doc::new(
            "Read a job",
            "The job as it stands. With `Prefer: wait=30` the answer comes when the job changes, or after \
             so many seconds.",
        )
        .with(shared::job_id())
        .with(shared::if_none_match())
        .with(Parameter::header(
            "Prefer",
            "`wait=N`: wait up to N seconds for a change (RFC 7240, section 4.3).",
            json!({ "type": "string", "example": "wait=1" }),
        ))
        .answers(
            job(200, "The job.", examples::succeeded())
                .headers(&["ETag", "Preference-Applied", "Retry-After"]),
        )
        .answers(not_modified().headers(&["Preference-Applied", "Retry-After"])),
        "cancelJob" => Doc::new(
            "Cancel a job",
            "Stops a job that waits at once, and one whose model call is out as soon as that has settled.",
        )
        .with(shared::job_id())
        .answers(job(200, "It is cancelled.", cancelled()).headers(&["ETag"]))
        .answers(
            job(202, "It will be cancelled once the call to the model has settled.", examples::queued())
                .headers(&["ETag", "Retry-After"]),
        )
        .fails(&[Conflict]),
        "retryJob" => Doc::new(
            "Pay again for a job of unknown outcome",
            "The owner's consent to another model call for a job in state `outcome_unknown`: the first one \
             may have been paid for.",
        )
        .with(shared::job_id())
        .answers(job(202, "It is queued anew.", examples::queued()).headers(&["ETag", "Retry-After"]))
        .fails(&[Conflict]),
        "readResult" => document(Doc::new(
            "Fetch the PDF",
            "The main document of a job that has succeeded: the bytes, or `303` to a signed URL that works \
             for 15 minutes for this document alone.",
        )),
        "readDocument" => document(
            Doc::new(
                "Fetch a document",
                "One document of the result, in the same way: the PDFs, the final CV as JSON and as JSON \
                 Resume, the report, the picture of the first page.",
            )
            .with(shared::job_id())
            .with(Parameter::path(
                "document",
                "Which document; `result.documents` of the job lists those it has.",
                json!({ "type": "string", "enum": DocumentName::ALL.map(DocumentName::as_str), "example": "cv" }),
            )),
        ),
        _ => return None,
    })
}

fn idempotency_key() -> Parameter {
    Parameter::header(
        "Idempotency-Key",
        "A string of your own, new for each request, best a UUID in double quotes. A repeat with the \
         same key and body gives what is there already.",
        json!({
            "type": "string",
            "maxLength": 255,
            "example": "\"b3c9e1f0-7a56-4d2b-8a53-0b2f6f4f6e0e\"",
        }),
    )
}

fn time(name: &'static str, description: &'static str) -> Parameter {
    let schema =
        json!({ "type": "string", "format": "date-time", "example": "2026-06-01T00:00:00Z" });
    Parameter::query(name, description, schema)
}

/// A job as an answer.
fn job(status: u16, description: &'static str, example: Value) -> Answer {
    Answer::new(status, description)
        .with(Content::json(SchemaGenerator::subschema_for::<JobStatus>).example("job", example))
}

fn cancelled() -> Value {
    let mut job = examples::queued();
    job["state"] = json!("cancelled");
    job["finished_at"] = job["updated_at"].clone();
    job
}

fn not_modified() -> Answer {
    Answer::new(304, "The caller has it already.").headers(&["ETag"])
}

fn form() -> Content {
    let json_part = json!({ "type": "string", "contentMediaType": "application/json" });
    Content::of(
        "multipart/form-data",
        json!({
            "type": "object",
            "properties": {
                "file": { "type": "string", "contentMediaType": "application/octet-stream" },
                "session_id": { "type": "string", "format": "uuid" },
                "kind": { "type": "string", "enum": ["cv", "cover_letter"] },
                "options": json_part,
                "metadata": json_part,
            },
        }),
    )
}

/// What all documents have in common.
fn document(doc: Doc) -> Doc {
    let binary = |media_type| Content::of(media_type, json!({}));
    let doc = if doc.parameters.is_empty() {
        doc.with(shared::job_id())
    } else {
        doc
    };
    let bytes = |status, description| {
        Answer::new(status, description)
            .headers(&["Accept-Ranges", "Content-Disposition", "ETag"])
            .with(binary("application/pdf"))
            .with(binary("application/json"))
            .with(binary("image/png"))
    };
    let header = |name, says, example: &str| {
        Parameter::header(name, says, json!({ "type": "string", "example": example }))
    };
    doc.with(shared::if_none_match())
        .with(header(
            "Range",
            "One range of bytes (RFC 9110, section 14.2).",
            "bytes=0-1023",
        ))
        .with(header(
            "If-Range",
            "The entity tag that the range is of; with another one the whole document comes.",
            "\"9b1f5c3a9b1f5c3a\"",
        ))
        .answers(bytes(200, "The document."))
        .answers(bytes(206, "The part that was asked for.").headers(&["Content-Range"]))
        .answers(Answer::new(303, "Where the document is.").headers(&["Location"]))
        .answers(not_modified().headers(&["Content-Disposition"]))
        .fails(&[
            ProblemKind::NotReady,
            ProblemKind::Conflict,
            ProblemKind::OutcomeUnknown,
            ProblemKind::PreconditionFailed,
            ProblemKind::RangeNotSatisfiable,
        ])
}
