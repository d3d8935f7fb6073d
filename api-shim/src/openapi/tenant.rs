//! What concerns a tenant as a whole, described.

use schemars::SchemaGenerator;
use schemas::ProblemKind;
use schemas::job::Erasure;
use serde_json::json;

use super::doc::{Answer, Content, Doc};

/// The description of an operation of this group.
pub(super) fn describe(id: &str) -> Option<Doc> {
    Some(match id {
        "eraseTenant" => Doc::new(
            "Erase everything",
            "All jobs, documents, sessions, webhooks and deliveries of the caller's tenant from before \
             this moment go. A worker does it; `Location` tells how far it is.",
        )
        .answers(erasure(202, "It is under way.").headers(&["Location"])),
        "readErasure" => Doc::new(
            "Follow the erasing",
            "How far the last erasing of the caller's tenant is.",
        )
        .answers(erasure(200, "How far it is."))
        .fails(&[ProblemKind::NotFound]),
        _ => return None,
    })
}

fn erasure(status: u16, description: &'static str) -> Answer {
    let example = json!({
        "state": "running",
        "requested_at": "2026-06-01T10:00:00Z",
        "updated_at": "2026-06-01T10:00:02Z",
        "jobs": 12,
        "sessions": 3,
        "rows": 20,
        "blobs": 1,
    });
    Answer::new(status, description)
        .with(Content::json(SchemaGenerator::subschema_for::<Erasure>).example("erasing", example))
}
