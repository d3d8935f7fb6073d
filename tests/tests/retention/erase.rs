//! `POST /v1/tenant/erase`.

use std::time::Duration;

use e2e::backing::{BACK_SOON, Backing, DEADLINE};
use e2e::eventually;
use e2e::system::serve;
use reqwest::StatusCode;
use serde_json::{Value, json};
use storage::Clock as _;
use storage::ambient::System as Ambient;
use storage::names::TableName;

use super::{System, WORD, cv, scan};

e2e::on_both_storages!(
    an_erased_tenant_leaves_nothing_and_goes_on,
    erasing_goes_on_after_a_restart,
);

/// An erasure is done when no tombstone is left, and one stands for as long as a call may take.
const SOON_BURIED: [&[(&str, &str)]; 2] = [&BACK_SOON, &DEADLINE];

/// Jobs in several states, sessions with large content and a photo, a webhook.
async fn fill(system: &System) -> Vec<String> {
    system.listen().await;
    let mut ids = Vec::new();
    for options in [json!({}), json!({"pages": 1}), json!({"force": true})] {
        let id = system.submit(json!({ "options": options })).await;
        system.api.ended(&id).await.unwrap();
        ids.push(id);
    }
    let mut large = cv();
    large["publications"] = json!(vec![format!("{WORD} {}", "x".repeat(500)); 30]);
    let body = json!({"cv": large, "job_posting": format!("{WORD} {}", "ż".repeat(19_000))});
    let (status, session) = system.api.post("/v1/sessions", &body).await.unwrap();
    assert_eq!(status, StatusCode::CREATED, "{session:#}");
    let of_session = json!({"input": {"session_id": session["id"]}});
    ids.push(system.submit(of_session).await);
    // One that is not begun.
    let time = Ambient::new().now() + Duration::from_hours(1);
    ids.push(system.submit(json!({"not_before": time})).await);
    ids
}

async fn erased(system: &System) -> Value {
    let erasure = async || system.api.get("/v1/tenant/erase").await.unwrap().1;
    let done = |erasure: &Value| erasure["state"] == "done";
    eventually("the tenant is erased", erasure, done).await
}

async fn an_erased_tenant_leaves_nothing_and_goes_on(backing: Backing) {
    let system = System::start(backing, json!({}), &SOON_BURIED.concat()).await;
    let ids = fill(&system).await;
    assert!(!system.found().await.is_empty());
    let (status, asked) = system
        .api
        .post("/v1/tenant/erase", &json!({}))
        .await
        .unwrap();
    assert_eq!(status, StatusCode::ACCEPTED, "{asked:#}");
    // The service goes on meanwhile: what comes after the request stays.
    let young = system
        .api
        .submit(&e2e::unique_cv(9), json!({}))
        .await
        .unwrap();
    let erasure = erased(&system).await;
    assert_eq!(erasure["jobs"], ids.len(), "{erasure:#}");
    assert_eq!(erasure["sessions"], 1, "{erasure:#}");
    assert_eq!(system.found().await, Vec::<String>::new());
    let job = system.api.ended(&young).await.unwrap();
    assert_eq!(job["state"], "succeeded", "{job:#}");
    assert!(system.api.pdf(&young).await.unwrap().starts_with(b"%PDF"));
    for id in &ids {
        let (status, _) = system.api.get(&format!("/v1/jobs/{id}")).await.unwrap();
        assert_eq!(status, StatusCode::NOT_FOUND);
    }
    // Only rows of the young job are left.
    let rows = scan::rows(&system.storage, TableName::Jobs, "anonymous").await;
    for (row, columns) in &rows {
        assert!(
            row.contains(&young) || columns.contains(&young),
            "{row} {columns}"
        );
    }
    let sessions = scan::rows(&system.storage, TableName::Sessions, "anonymous").await;
    assert_eq!(sessions, []);
}

async fn erasing_goes_on_after_a_restart(backing: Backing) {
    let mut system = System::start(backing, json!({}), &SOON_BURIED.concat()).await;
    fill(&system).await;
    let (status, _) = system
        .api
        .post("/v1/tenant/erase", &json!({}))
        .await
        .unwrap();
    assert_eq!(status, StatusCode::ACCEPTED);
    system.server.kill_now();
    system.server.gone().await;
    let (server, api) = serve(&system.backing, &system.model, &SOON_BURIED.concat());
    (system.server, system.api) = (server, api);
    erased(&system).await;
    assert_eq!(system.found().await, Vec::<String>::new());
}
