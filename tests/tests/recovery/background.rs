//! Calls in the background: found again by their id, cancelled, given up, told of by the webhook.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use e2e::backing::Backing;
use e2e::system::script;
use e2e::{eventually, unique_cv};
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::{Method, StatusCode};
use schemas::Tenant;
use serde_json::{Value, json};
use sha2::Sha256;
use storage::Clock as _;
use storage::ambient::System as Ambient;
use worker::jobs::{Source, StoredReply, edit_offline};

use super::{BACKGROUND, DYING, System, WEBHOOK_KEY};

e2e::on_both_storages!(
    a_second_worker_asks_for_the_reply_of_a_dead_one,
    an_owner_s_cancel_settles_through_the_provider,
    a_call_that_is_pending_too_long_is_held_until_its_owner_agrees_to_pay_again,
    a_webhook_completes_a_job_whose_worker_is_gone,
    a_reply_that_comes_after_the_hold_is_adopted,
    a_reply_that_is_stored_after_the_hold_is_adopted,
);

/// The provider takes this long over each call.
fn takes(time: &str) -> Value {
    json!({"background": {"queued": "10ms", "in_progress": time}})
}

async fn a_second_worker_asks_for_the_reply_of_a_dead_one(backing: Backing) {
    let system = System::start(backing, takes("700ms")).await;
    let first = system.worker(&DYING, "effect:store_reply_id:after=1*return(kill)");
    let id = system.api.submit(&unique_cv(1), json!({})).await.unwrap();
    first.gone().await;
    assert!(system.row(&id).await.reply_id.is_some());
    let _second = system.worker(&BACKGROUND, "");
    let job = system.api.ended(&id).await.unwrap();
    assert_eq!(
        (&job["state"], &job["model_calls"]),
        (&json!("succeeded"), &json!(1)),
        "{job:#}"
    );
    system
        .counted("the provider's copy is deleted", |c| c.deleted == 1)
        .await;
    let counters = system.model.counters();
    assert_eq!((counters.received, counters.accepted), (1, 1));
    assert!(
        system.model.stored().is_empty(),
        "the provider keeps no copy"
    );
    system.settled().await;
}

async fn an_owner_s_cancel_settles_through_the_provider(backing: Backing) {
    let system = System::start(backing, takes("60s")).await;
    let _worker = system.worker(&BACKGROUND, "");
    let id = system.api.submit(&unique_cv(1), json!({})).await.unwrap();
    let row = async || system.row(&id).await;
    eventually("the call is out", row, |row| row.reply_id.is_some()).await;
    let cancel = format!("/v1/jobs/{id}/cancel");
    let (status, job) = system.api.post(&cancel, &json!({})).await.unwrap();
    assert_eq!(status, StatusCode::ACCEPTED, "{job:#}");
    let job = system.api.ended(&id).await.unwrap();
    assert_eq!(job["state"], "cancelled", "{job:#}");
    system
        .counted("the provider's copy is deleted", |c| c.deleted == 1)
        .await;
    let counters = system.model.counters();
    assert_eq!((counters.accepted, counters.cancelled), (1, 1));
}

async fn a_call_that_is_pending_too_long_is_held_until_its_owner_agrees_to_pay_again(
    backing: Backing,
) {
    let system = System::start(backing, takes("60s")).await;
    let id = system.api.submit(&unique_cv(1), json!({})).await.unwrap();
    let retry = |id: &str| {
        let (api, path) = (system.api.clone(), format!("/v1/jobs/{id}/retry"));
        async move { api.post(&path, &json!({})).await.unwrap() }
    };
    let (early, _) = retry(&id).await;
    assert_eq!(early, StatusCode::CONFLICT, "an open job needs no consent");
    // Dates of Azure have whole seconds, so the time may be up to a second shorter.
    let settings = [&BACKGROUND[..], &[("model.pending_max", "3s")]].concat();
    let worker = system.worker(&settings, "");
    let job = system.api.ended(&id).await.unwrap();
    assert_eq!(
        (&job["state"], &job["error"]["type"]),
        (
            &json!("outcome_unknown"),
            &json!("/problems/outcome-unknown")
        ),
        "{job:#}"
    );
    let counters = system.model.counters();
    assert_eq!((counters.accepted, counters.cancelled), (1, 1));

    let (stranger, problem) = retry("01900000-0000-7000-8000-000000000001").await;
    assert_eq!(stranger, StatusCode::NOT_FOUND, "{problem:#}");
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(system.model.counters().received, 1, "not without consent");

    let (status, log) = worker.terminate();
    assert!(status.success(), "{log}");

    // Now it may take its time.
    let _worker = system.worker(&BACKGROUND, "");
    system.model.set_script(script(takes("50ms")));
    let (agreed, job) = retry(&id).await;
    assert_eq!(agreed, StatusCode::ACCEPTED, "{job:#}");
    let job = system.api.ended(&id).await.unwrap();
    assert_eq!(
        (&job["state"], &job["model_calls"]),
        (&json!("succeeded"), &json!(2)),
        "{job:#}"
    );
    assert_eq!(system.model.counters().accepted, 2);
    let (late, _) = retry(&id).await;
    assert_eq!(late, StatusCode::CONFLICT, "a final state stays");
    system.settled().await;
}

/// Posts what the provider would, signed by `key`.
async fn webhook(system: &System, response: &str, key: &[u8]) -> StatusCode {
    let event = json!({
        "object": "event", "id": "evt_1", "type": "response.completed", "created_at": 1,
        "data": {"id": response},
    });
    let (id, body) = ("wh_1", event.to_string());
    let sent = Ambient::new().now().as_second();
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(format!("{id}.{sent}.{body}").as_bytes());
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    let request = system.api.request(Method::POST, "/v1/hooks/openai");
    let request = request
        .header("content-type", "application/json")
        .header("webhook-id", id)
        .header("webhook-timestamp", sent)
        .header("webhook-signature", format!("v1,{signature}"));
    request.body(body).send().await.unwrap().status()
}

fn stored_response(system: &System) -> String {
    let stored = system.model.stored();
    assert_eq!(stored.len(), 1, "{stored:?}");
    stored[0]["id"].as_str().unwrap().to_owned()
}

async fn a_webhook_completes_a_job_whose_worker_is_gone(backing: Backing) {
    let system = System::start(backing, takes("10ms")).await;
    // It dies with the only copy of the id in its memory.
    let first = system.worker(&DYING, "effect:call:after=1*return(kill)");
    let id = system.api.submit(&unique_cv(1), json!({})).await.unwrap();
    first.gone().await;
    assert!(system.row(&id).await.reply_id.is_none());
    let response = stored_response(&system);
    let forged = webhook(&system, &response, b"not the key of the hook.").await;
    assert_eq!(forged, StatusCode::BAD_REQUEST);
    let taken = webhook(&system, &response, WEBHOOK_KEY).await;
    assert_eq!(taken, StatusCode::NO_CONTENT);
    let _second = system.worker(&BACKGROUND, "");
    let job = system.api.ended(&id).await.unwrap();
    assert_eq!(job["state"], "succeeded", "{job:#}");
    assert_eq!(system.model.counters().received, 1);
    system
        .counted("the provider's copy is deleted", |c| c.deleted == 1)
        .await;
    system.settled().await;
}

async fn a_reply_that_comes_after_the_hold_is_adopted(backing: Backing) {
    let mut lost = takes("10ms");
    lost["default"] = json!({"do": "reset"});
    let system = System::start(backing, lost).await;
    let _worker = system.worker(&BACKGROUND, "");
    let id = system.api.submit(&unique_cv(1), json!({})).await.unwrap();
    let job = system.api.ended(&id).await.unwrap();
    assert_eq!(job["state"], "outcome_unknown", "{job:#}");
    let response = stored_response(&system);
    for _ in 0..2 {
        let taken = webhook(&system, &response, WEBHOOK_KEY).await;
        assert_eq!(taken, StatusCode::NO_CONTENT);
    }
    let adopted = |job: &Value| job["state"] == "succeeded";
    let job = system.api.until(&id, adopted).await.unwrap();
    assert_eq!(job["error"], Value::Null, "{job:#}");
    assert!(system.api.pdf(&id).await.unwrap().starts_with(b"%PDF-"));
    assert_eq!(system.model.counters().received, 1);
    system.settled().await;
}

/// As a worker does that was thought dead, and wakes with the reply in its hand.
async fn a_reply_that_is_stored_after_the_hold_is_adopted(backing: Backing) {
    let system = System::start(backing, json!({"default": {"do": "reset"}})).await;
    let _worker = system.worker(&[], "");
    let id = system.api.submit(&unique_cv(1), json!({})).await.unwrap();
    let job = system.api.ended(&id).await.unwrap();
    assert_eq!(job["state"], "outcome_unknown", "{job:#}");
    let (tenant, job) = (Tenant::anonymous(), id.parse().unwrap());
    let input = system.store.input(&tenant, job).await.unwrap();
    let reply = StoredReply {
        source: Source::Model,
        ..edit_offline(&input)
    };
    let bytes = serde_json::to_vec(&reply).unwrap().into();
    system.store.put_reply(&tenant, job, bytes).await.unwrap();
    let adopted = |job: &Value| job["state"] == "succeeded";
    system.api.until(&id, adopted).await.unwrap();
    assert_eq!(system.model.counters().received, 1);
    system.settled().await;
}
