//! The JSON Schemas in `schemas/json` are those of the types. `BLESS=1` writes them anew.

use std::fs;
use std::path::{Path, PathBuf};

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use schemas::cv::Cv;
use schemas::event::Event;
use schemas::job::{BatchOutcomes, BatchRequest, Erasure, JobPage, JobRequest, JobStatus};
use schemas::message::{JobMessage, ReplyMessage};
use schemas::problem::Problem;
use schemas::session::tools::definitions;
use schemas::webhook::{
    CallbackSecret, ChangeWebhook, CreateWebhook, DeliveryPage, Notification, RedeliverSince,
    Redelivered, Webhook, WebhookDelivery, WebhookPage,
};

/// Every schema, by file name. A new wire type gets one line here.
fn table() -> Vec<(&'static str, Schema)> {
    vec![
        ("cv", read::<Cv>()),
        ("job-request", read::<JobRequest>()),
        ("job-status", written::<JobStatus>()),
        ("job-page", written::<JobPage>()),
        ("job-batch", read::<BatchRequest>()),
        ("job-batch-outcomes", written::<BatchOutcomes>()),
        ("erasure", written::<Erasure>()),
        ("problem", written::<Problem>()),
        ("job-message", read::<JobMessage>()),
        ("reply-message", read::<ReplyMessage>()),
        ("event", read::<Event>()),
        ("webhook-create", read::<CreateWebhook>()),
        ("webhook-change", read::<ChangeWebhook>()),
        ("webhook", written::<Webhook>()),
        ("webhook-page", written::<WebhookPage>()),
        ("webhook-delivery", written::<WebhookDelivery>()),
        ("webhook-deliveries", written::<DeliveryPage>()),
        ("webhook-redeliver", read::<RedeliverSince>()),
        ("webhook-redelivered", written::<Redelivered>()),
        ("callback-secret", written::<CallbackSecret>()),
        ("notification", written::<Notification>()),
    ]
}

/// What we take: fields with a default may be absent.
fn read<T: JsonSchema>() -> Schema {
    SchemaSettings::draft2020_12()
        .into_generator()
        .into_root_schema_for::<T>()
}

/// What we send: fields that are always there are required.
fn written<T: JsonSchema>() -> Schema {
    SchemaSettings::draft2020_12()
        .for_serialize()
        .into_generator()
        .into_root_schema_for::<T>()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("json")
}

#[test]
fn the_files_are_those_of_the_types() {
    let bless = std::env::var_os("BLESS").is_some_and(|value| value == "1");
    let mut stale = Vec::new();
    let mut names = Vec::new();
    for (name, schema) in table() {
        let file = format!("{name}.schema.json");
        let path = folder().join(&file);
        let mut value = schema.to_value();
        value.sort_all_objects();
        let fresh = serde_json::to_string_pretty(&value).unwrap() + "\n";
        if bless {
            fs::write(&path, &fresh).unwrap();
        } else if fs::read_to_string(&path).ok().as_deref() != Some(&fresh) {
            stale.push(file.clone());
        }
        names.push(file);
    }
    let tools = serde_json::to_string_pretty(&definitions()).unwrap() + "\n";
    let path = folder().join("tools.json");
    if bless {
        fs::write(&path, &tools).unwrap();
    } else if fs::read_to_string(&path).ok().as_deref() != Some(&tools) {
        stale.push("tools.json".to_owned());
    }
    names.push("tools.json".to_owned());
    assert!(
        stale.is_empty(),
        "{stale:?} are stale: run this test with BLESS=1 and commit them"
    );
    for entry in fs::read_dir(folder()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(
            names.contains(&name),
            "{name} belongs to no type: delete it"
        );
    }
}

#[test]
fn every_schema_is_itself_valid() {
    for (name, schema) in table() {
        let value = schema.to_value();
        assert!(jsonschema::meta::is_valid(&value), "{name}");
        jsonschema::validator_for(&value).unwrap_or_else(|e| panic!("{name}: {e}"));
    }
}
