//! Probes, descriptions of the service, and what other services call, described.

use schemas::ProblemKind;
use serde_json::json;

use super::doc::{Answer, Content, Doc, Parameter};

/// The description of an operation of this group.
pub(super) fn describe(id: &str) -> Option<Doc> {
    let health = || {
        Content::like(
            json!({ "status": "healthy", "service": "presswork", "version": "1.0" }),
            &[],
        )
    };
    Some(match id {
        "index" => Doc::new("List the operations", "Every operation, a line each.")
            .answers(text("The list.")),
        "alive" => Doc::new("Is the process alive", "For a liveness probe: the process answers.")
            .answers(
                Answer::new(200, "It is.")
                    .with(Content::like(json!({ "status": "alive" }), &[])),
            ),
        "ready" => Doc::new(
            "Is the service ready",
            "For a readiness probe: queue, table and blobs answer, and the server is not about to stop.",
        )
        .answers(
            Answer::new(200, "It is.").with(Content::like(json!({ "status": "ready" }), &[])),
        ),
        "health" => Doc::new("Health", "In the form that clients of the former service read.")
            .answers(Answer::new(200, "The service answers.").with(health())),
        "detailedHealth" => {
            let body = |status: &str| {
                let check = json!({ "status": status, "latency_ms": 4 });
                let checks = json!({
                    "queue": check, "table": check, "blobs": check, "backlog": check, "poison": check,
                });
                let at = "2026-01-01T00:00:00Z";
                let body = json!({ "status": status, "timestamp": at, "checks": checks });
                Content::like(body, &["checks"])
            };
            let what = "Each dependency, how long it took to answer, and what is wrong with it: \
                        `healthy`, `degraded` or `unhealthy`. Admins also see what it said.";
            Doc::new("Health of each dependency", what)
                .answers(Answer::new(200, "It works, perhaps not well.").with(body("healthy")))
                .answers(Answer::new(503, "Something does not work.").with(body("unhealthy")))
        }
        "contractHealth" => {
            Doc::new("Health", "The same under the path of the former service.")
                .answers(Answer::new(200, "The service answers.").with(health()))
        }
        "problems" => Doc::new(
            "List the kinds of problems",
            "Every `type` that an error may have, with its status, and what to do about it.",
        )
        .answers(Answer::new(200, "All kinds.").with(Content::like(
            json!({
                "problems": [{
                    "type": "/problems/not-found",
                    "title": ProblemKind::NotFound.title(),
                    "status": 404,
                    "explanation": ProblemKind::NotFound.explanation(),
                }],
            }),
            &[],
        ))),
        "problem" => Doc::new(
            "Explain a problem",
            "Where a problem's `type` leads (RFC 9457, section 3.1.1).",
        )
        .with(Parameter::path(
            "name",
            "The last part of the `type`.",
            json!({ "type": "string", "example": "not-found" }),
        ))
        .answers(text("What it means, and what to do.")),
        "openapi" => Doc::new("This document", "The API in the form of OpenAPI 3.1.").answers(
            Answer::new(200, "The document.").with(Content::of(
                "application/json",
                json!({ "type": "object", "required": ["openapi", "info", "paths"] }),
            )),
        ),
        "docs" => Doc::new(
            "This document, to read",
            "The same as a page that loads nothing from elsewhere and runs no script.",
        )
        .answers(
            Answer::new(200, "The page.").with(Content::of("text/html", json!({ "type": "string" }))),
        ),
        "eventGridHook" => event_grid(Doc::new(
            "Event Grid tells of blobs",
            "Events in Event Grid's own schema or as CloudEvents 1.0, alone or in a batch. A validation \
             event gets its code back. There is no such route unless its secret is configured.",
        ))
        .takes(vec![
            Content::of("application/cloudevents+json", json!({})),
            Content::of("application/json", json!({})).example(
                "event",
                json!([{
                    "id": "e1",
                    "eventType": "Microsoft.Storage.BlobCreated",
                    "topic": "/subscriptions/0",
                    "subject": "/blobServices/default/containers/cv-pdfs/blobs/acme/1.pdf",
                    "eventTime": "2026-06-01T09:30:04Z",
                    "dataVersion": "",
                    "data": { "api": "PutBlob" },
                }]),
            ),
        ])
        .answers(
            Answer::new(200, "They are on the queue; or the code of a validation.").with(
                Content::of("application/json", json!({ "type": "object" }))
                    .example("validation", json!({ "validationResponse": "512d38b6" })),
            ),
        ),
        "eventGridHandshake" => event_grid(Doc::new(
            "Event Grid asks to deliver",
            "The handshake of CloudEvents: whoever shows the secret may deliver.",
        ))
        .with(Parameter::header(
            "WebHook-Request-Origin",
            "Who wants to deliver.",
            json!({ "type": "string", "example": "eventgrid.azure.net" }),
        ))
        .answers(
            Answer::new(200, "They may.")
                .headers(&["Allow", "WebHook-Allowed-Origin", "WebHook-Allowed-Rate"]),
        )
        .fails(&[ProblemKind::InvalidRequest]),
        "openaiHook" => hook(
            "The model's provider tells that a reply is there",
            "A webhook of the provider: of a reply nothing is believed but that it is there, and a worker \
             fetches it. There is no such route unless its secret is configured.",
        ),
        _ => return None,
    })
}

/// What Azure calls: it shows a secret.
fn event_grid(doc: Doc) -> Doc {
    doc.with(Parameter::query(
        "secret",
        "The configured secret, unless `Authorization: Bearer` has it.",
        json!({ "type": "string" }),
    ))
    .fails(&[ProblemKind::NotFound, ProblemKind::Unauthorized])
}

fn text(description: &'static str) -> Answer {
    let schema = json!({ "type": "string" });
    Answer::new(200, description).with(Content::of("text/plain", schema))
}

/// A webhook that comes in, signed as Standard Webhooks has it.
fn hook(summary: &'static str, description: &'static str) -> Doc {
    let header = |name, says, example: &str| {
        Parameter::header(name, says, json!({ "type": "string", "example": example }))
    };
    Doc::new(summary, description)
        .with(header("webhook-id", "The event's id.", "evt_7Qm2"))
        .with(header(
            "webhook-timestamp",
            "When it was sent, in seconds since 1970; five minutes off at most.",
            "1780306200",
        ))
        .with(header(
            "webhook-signature",
            "`v1,` and the HMAC-SHA256 of id, timestamp and body.",
            "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
        ))
        .takes(vec![
            Content::of("application/json", json!({ "type": "object" })).example(
                "event",
                json!({ "type": "response.completed", "data": { "id": "resp_68f1" } }),
            ),
        ])
        .answers(Answer::new(
            204,
            "It was taken, or is none that concerns this service.",
        ))
        .fails(&[ProblemKind::InvalidRequest, ProblemKind::NotFound])
}
