//! Webhooks and their deliveries, described.

use schemars::SchemaGenerator;
use schemas::ProblemKind;
use schemas::webhook::{
    CallbackSecret, ChangeWebhook, CreateWebhook, DeliveryPage, EventType, RedeliverSince,
    Redelivered, Webhook, WebhookDelivery, WebhookPage,
};
use serde_json::{Value, json};

use super::doc::{Answer, Content, Doc, Parameter};
use super::shared;

/// A webhook's id as examples have it.
const WEBHOOK: &str = "wh_0123456789abcdef0123456789abcdef";
/// An event's id as examples have it.
const EVENT: &str = "evt_019a9e4c6f3b_job-succeeded";

/// The description of an operation of this group.
pub(super) fn describe(id: &str) -> Option<Doc> {
    use ProblemKind::{Conflict, InvalidRequest};
    Some(match id {
        "createWebhook" => Doc::new(
            "Create a webhook",
            "Events are posted to its URL, signed as Standard Webhooks has it, and tried again for days \
             where that fails. With `pull` they are kept to be fetched instead. The secret is shown in \
             this answer alone.",
        )
        .takes(vec![
            Content::json(SchemaGenerator::subschema_for::<CreateWebhook>).example(
                "ends of jobs",
                json!({
                    "url": "https://hooks.example.com/presswork",
                    "events": ["job.succeeded", "job.failed"],
                }),
            ),
        ])
        .answers(webhook(201, "The webhook, with its secret.", true).headers(&["Location"]))
        .fails(&[InvalidRequest, Conflict]),
        "listWebhooks" => shared::paged(Doc::new("List webhooks", "The caller's webhooks, by id."))
            .answers(
                Answer::new(200, "A page of webhooks.").with(
                    Content::json(SchemaGenerator::subschema_for::<WebhookPage>)
                        .example("page", json!({ "webhooks": [of_webhook(false)] })),
                ),
            ),
        "readWebhook" => Doc::new("Read a webhook", "The webhook, without its secret.")
            .with(webhook_id())
            .answers(webhook(200, "The webhook.", false)),
        "changeWebhook" => Doc::new(
            "Change a webhook",
            "What is absent stays as it is. `enabled: true` starts one again that was disabled for its \
             failures.",
        )
        .with(webhook_id())
        .takes(vec![
            Content::json(SchemaGenerator::subschema_for::<ChangeWebhook>)
                .example("stop", json!({ "enabled": false })),
        ])
        .answers(webhook(200, "The webhook after the change.", false))
        .fails(&[InvalidRequest]),
        "deleteWebhook" => Doc::new("Delete a webhook", "Its deliveries go with it.")
            .with(webhook_id())
            .answers(Answer::new(204, "It is gone.")),
        "rotateWebhookSecret" => rotation(
            Doc::new(
                "Change a webhook's secret",
                "The one before signs beside it for a while, so that receivers can change over.",
            )
            .with(webhook_id()),
        )
        .answers(webhook(200, "The webhook, with its new secret.", true)),
        "readCallbackSecret" => Doc::new(
            "Read the callback secret",
            "What signs the events that go to the `callback_url` of jobs.",
        )
        .answers(callback_secret()),
        "rotateCallbackSecret" => rotation(Doc::new(
            "Change the callback secret",
            "The one before signs beside it for a while.",
        ))
        .answers(callback_secret()),
        "testWebhook" => Doc::new(
            "Test a webhook",
            "Sends an event `webhook.test` to this webhook alone.",
        )
        .with(webhook_id())
        .answers(delivery(202, "The delivery."))
        .fails(&[Conflict]),
        "listDeliveries" => shared::paged(
            Doc::new(
                "List deliveries",
                "What was sent to a webhook, and what came back; newest first. Fetching them keeps a \
                 webhook without URL.",
            )
            .with(target_id()),
        )
        .answers(
            Answer::new(200, "A page of deliveries.").with(
                Content::json(SchemaGenerator::subschema_for::<DeliveryPage>)
                    .example("page", json!({ "deliveries": [of_delivery()] })),
            ),
        ),
        "readDelivery" => Doc::new("Read a delivery", "One event on its way to one webhook.")
            .with(target_id())
            .with(event_id())
            .answers(delivery(200, "The delivery.")),
        "redeliver" => Doc::new(
            "Send an event again",
            "At once, under the same id, whatever became of it before.",
        )
        .with(target_id())
        .with(event_id())
        .answers(delivery(202, "The delivery."))
        .fails(&[Conflict]),
        "redeliverSince" => Doc::new(
            "Send events again",
            "All that were given up since a time, and on request those that had gone well too; up to \
             5,000 at a time, newest first.",
        )
        .with(target_id())
        .takes(vec![
            Content::json(SchemaGenerator::subschema_for::<RedeliverSince>)
                .example("since", json!({ "since": "2026-06-01T00:00:00Z" })),
        ])
        .answers(
            Answer::new(202, "How many.").with(
                Content::json(SchemaGenerator::subschema_for::<Redelivered>)
                    .example("done", json!({ "redelivered": 12 })),
            ),
        )
        .fails(&[InvalidRequest, Conflict]),
        _ => return None,
    })
}

fn webhook_id() -> Parameter {
    let schema = json!({ "type": "string", "example": WEBHOOK });
    Parameter::path("id", "The webhook's id.", schema)
}

fn target_id() -> Parameter {
    let schema = json!({ "type": "string", "example": WEBHOOK });
    let says = "The webhook's id, or `callback` for what goes to the `callback_url` of jobs.";
    Parameter::path("id", says, schema)
}

fn event_id() -> Parameter {
    let schema = json!({ "type": "string", "example": EVENT });
    Parameter::path("event", "The event's id.", schema)
}

fn webhook(status: u16, description: &'static str, with_secret: bool) -> Answer {
    Answer::new(status, description).with(
        Content::json(SchemaGenerator::subschema_for::<Webhook>)
            .example("webhook", of_webhook(with_secret)),
    )
}

fn of_webhook(with_secret: bool) -> Value {
    let mut webhook = json!({
        "id": WEBHOOK,
        "url": "https://hooks.example.com/presswork",
        "pull": false,
        "events": ["job.succeeded", "job.failed"],
        "metadata": {},
        "enabled": true,
        "created_at": "2026-06-01T09:00:00Z",
        "updated_at": "2026-06-01T09:00:00Z",
    });
    if with_secret {
        webhook["secret"] = json!(SECRET);
    }
    webhook
}

/// The form of a secret; nobody signs with this one.
const SECRET: &str = "whsec_ZXhhbXBsZS1leGFtcGxlLWV4YW1wbGUtZXhhbXBsZQ==";

fn callback_secret() -> Answer {
    Answer::new(200, "The secret.").with(
        Content::json(SchemaGenerator::subschema_for::<CallbackSecret>)
            .example("secret", json!({ "secret": SECRET })),
    )
}

fn rotation(doc: Doc) -> Doc {
    let schema = json!({
        "type": "object",
        "properties": {
            "secret": {
                "type": "string",
                "description": "A secret of your own: `whsec_` and 24 to 64 bytes in base64. By default \
                    one is drawn.",
            },
        },
        "additionalProperties": false,
    });
    doc.takes_perhaps(vec![
        Content::of("application/json", schema).example("drawn", json!({})),
    ])
    .fails(&[ProblemKind::InvalidRequest])
}

fn delivery(status: u16, description: &'static str) -> Answer {
    Answer::new(status, description).with(
        Content::json(SchemaGenerator::subschema_for::<WebhookDelivery>)
            .example("delivery", of_delivery()),
    )
}

fn of_delivery() -> Value {
    json!({
        "id": EVENT,
        "type": EventType::JobSucceeded.as_str(),
        "state": "succeeded",
        "url": "https://hooks.example.com/presswork",
        "created_at": "2026-06-01T09:30:04Z",
        "request_body": format!("{{\"type\":\"job.succeeded\",\"data\":{{\"id\":\"{}\"}}}}", shared::JOB),
        "attempts": [{ "at": "2026-06-01T09:30:04Z", "duration_ms": 84, "status": 204 }],
    })
}
