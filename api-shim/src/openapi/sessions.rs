//! Sessions, described.

use schemars::SchemaGenerator;
use schemas::ProblemKind;
use schemas::session::{NewSession, SessionPatch, SessionView};
use serde_json::json;

use super::doc::{Answer, Content, Doc};
use super::{examples, shared};

/// The description of an operation of this group.
pub(super) fn describe(id: &str) -> Option<Doc> {
    use ProblemKind::{Conflict, InvalidCv, InvalidDocument, InvalidRequest, PreconditionFailed};
    Some(match id {
        "createSession" => Doc::new(
            "Create a session",
            "Keeps a CV for editing. What is read from a DOCX stands under `unconfirmed` until its owner \
             confirms it; confirming fills the empty fields of `cv`.",
        )
        .takes(vec![
            Content::json(SchemaGenerator::subschema_for::<NewSession>)
                .example("cv", json!({ "cv": examples::cv(), "language": "en" })),
        ])
        .answers(session(201, "The session.").headers(&["ETag", "Location"]))
        .fails(&[InvalidRequest, InvalidCv, InvalidDocument]),
        "readSession" => Doc::new("Read a session", "The session as it stands.")
            .with(shared::session_id())
            .with(shared::if_none_match())
            .answers(session(200, "The session.").headers(&["ETag"]))
            .answers(Answer::new(304, "The caller has it already.").headers(&["ETag"])),
        "editSession" => Doc::new(
            "Change a session",
            "Edits of single fields, then whole fields, then confirmations; all of it or nothing. Send \
             `If-Match` with the entity tag that you read, so that nobody's change is lost.",
        )
        .with(shared::session_id())
        .with(shared::if_match())
        .takes(vec![
            Content::json(SchemaGenerator::subschema_for::<SessionPatch>)
                .example(
                    "edit",
                    json!({ "edits": [{ "field_path": "work_experience[0].title", "value": "Shift lead" }] }),
                )
                .example(
                    "confirm",
                    json!({ "confirm": { "contact_confirmed": true, "education_confirmed": true } }),
                ),
        ])
        .answers(session(200, "The session after the change.").headers(&["ETag"]))
        .fails(&[InvalidRequest, PreconditionFailed, Conflict]),
        "deleteSession" => Doc::new(
            "Delete a session",
            "Nothing of it is left: CV, photo, history. Jobs that were made of it stay until they are \
             deleted themselves.",
        )
        .with(shared::session_id())
        .with(shared::if_match())
        .answers(Answer::new(204, "It is gone."))
        .fails(&[PreconditionFailed]),
        _ => return None,
    })
}

fn session(status: u16, description: &'static str) -> Answer {
    Answer::new(status, description).with(
        Content::json(SchemaGenerator::subschema_for::<SessionView>)
            .example("session", examples::session()),
    )
}
