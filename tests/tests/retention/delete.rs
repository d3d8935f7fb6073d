//! `DELETE /v1/jobs/{id}`, in every state.

use std::time::Duration;

use e2e::backing::{BACK_SOON, Backing, DEADLINE};
use e2e::eventually;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{LABEL, System, WORD};

e2e::on_both_storages!(
    a_deleted_job_leaves_nothing_and_spares_its_copy,
    a_worker_in_mid_call_brings_nothing_back,
    the_provider_s_copy_goes_too,
);

async fn a_deleted_job_leaves_nothing_and_spares_its_copy(backing: Backing) {
    let system = System::start(backing, json!({}), &[]).await;
    system.listen().await;
    let first = system.submit(json!({})).await;
    let job = system.api.ended(&first).await.unwrap();
    assert_eq!(job["state"], "succeeded", "{job:#}");
    let copy = system.submit(json!({})).await;
    assert_eq!(system.api.ended(&copy).await.unwrap()["cached"], true);
    system.told().await;
    // The look finds what is there.
    let found = system.found().await;
    for place in [
        &format!("{WORD} in blob anonymous/{first}.json of job-inputs"),
        &format!("{WORD} in blob anonymous/{first}.json of model-replies"),
        &format!("{WORD} in the text of blob anonymous/{first}.pdf of cv-pdfs"),
        &format!("{WORD} in blob anonymous/{first}/cv.json of job-documents"),
    ] {
        assert!(found.contains(place), "{place} is not among {found:#?}");
    }
    let labelled = |found: &[String]| found.iter().any(|it| it.starts_with(LABEL));
    assert!(labelled(&found), "{found:#?}");

    let path = |id: &str| format!("/v1/jobs/{id}");
    assert_eq!(system.delete(&path(&first)).await, StatusCode::NO_CONTENT);
    let of_first: Vec<_> = system
        .found()
        .await
        .into_iter()
        .filter(|place| place.contains(&first))
        .collect();
    assert_eq!(of_first, Vec::<String>::new());
    assert_eq!(system.delete(&path(&first)).await, StatusCode::NOT_FOUND);
    assert!(system.api.pdf(&copy).await.unwrap().starts_with(b"%PDF"));

    assert_eq!(system.delete(&path(&copy)).await, StatusCode::NO_CONTENT);
    // The webhook's own description is its owner's.
    let left = system.found().await;
    assert!(left.iter().all(|it| it.contains("row e~")), "{left:#?}");
}

async fn a_worker_in_mid_call_brings_nothing_back(backing: Backing) {
    // The call is still out when the job is gone. A tombstone stands for as long as a call may take.
    let settings = [&BACK_SOON[..], &DEADLINE].concat();
    let system = System::start(backing, json!({"latency": "4s"}), &settings).await;
    let id = system.submit(json!({})).await;
    system
        .api
        .until(&id, |job| job["state"] == "running")
        .await
        .unwrap();
    assert_eq!(
        system.delete(&format!("/v1/jobs/{id}")).await,
        StatusCode::NO_CONTENT
    );
    let found = system.found().await;
    // What a reply that was faster left behind goes with the tombstone.
    let is_out = system.model.counters().in_flight == 1;
    assert!(found.is_empty() || !is_out, "{found:#?}");
    let (status, _) = system.api.get(&format!("/v1/jobs/{id}")).await.unwrap();
    assert_eq!(status, StatusCode::NOT_FOUND);
    // The reply comes while the tombstone stands.
    let counters = async || system.model.counters();
    eventually("the call ends", counters, |c| c.in_flight == 0).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    system.nothing_left().await;
    assert_eq!(system.model.counters().accepted, 1);
    let log = system.server.terminate().1;
    assert!(!log.contains(WORD), "no word of a CV is logged");
}

async fn the_provider_s_copy_goes_too(backing: Backing) {
    let script: Value = json!({"background": {"queued": "10ms", "in_progress": "60s"}});
    let background = [("model.background", "on"), ("model.pending_max", "3s")];
    let settings = [&BACK_SOON[..], &DEADLINE, &background].concat();
    let system = System::start(backing, script, &settings).await;
    let id = system.submit(json!({})).await;
    let stored = async || system.model.stored();
    eventually("the provider has a copy", stored, |stored| {
        !stored.is_empty()
    })
    .await;
    assert_eq!(
        system.delete(&format!("/v1/jobs/{id}")).await,
        StatusCode::NO_CONTENT
    );
    system.nothing_left().await;
    assert!(
        system.model.stored().is_empty(),
        "the provider keeps no copy"
    );
}
