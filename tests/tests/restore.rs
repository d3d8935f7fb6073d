//! `presswork doctor`: what it checks; and after a restore no job goes on by itself that may have
//! been called.

#![allow(
    clippy::unwrap_used,
    reason = "a test may fail at once, in its helpers too"
)]

use std::time::Duration;

use e2e::api::Api;
use e2e::backing::Backing;
use e2e::process::{Output, run, with_model};
use e2e::system::{fake, serve};
use e2e::{eventually, unique_cv};
use openai::fake::{Script, Server as Fake};
use serde_json::{Value, json};

e2e::on_both_storages!(
    the_doctor_finds_what_is_wrong,
    what_was_called_is_held_until_an_operator_decides,
);

/// The calls stay out until the program is killed.
const PATIENT: [(&str, &str); 1] = [("model.timeout", "50s")];

fn presswork(backing: &Backing, arguments: &[&str]) -> Output {
    run(&mut backing.presswork(arguments))
}

fn doctor(backing: &Backing, base_url: &str, settings: &[&str]) -> Output {
    let mut command = backing.presswork(&["doctor"]);
    with_model(&mut command, base_url);
    for setting in settings {
        command.args(["--set", setting]);
    }
    run(&mut command)
}

async fn the_doctor_finds_what_is_wrong(backing: Backing) {
    let model = fake(json!({}));
    let url = model.base_url();
    let well = doctor(&backing, &url, &[]);
    assert!(well.status.success(), "{well:?}");
    for check in [
        "configuration",
        "model",
        "prices",
        "storage",
        "table",
        "clock",
        "queue",
        "blobs",
    ] {
        let line = format!("ok    {check:20} ");
        assert!(well.out.contains(&line), "{check}: {well:?}");
    }
    assert!(!well.out.contains("fail"), "{well:?}");
    assert_eq!(
        model.counters().received,
        0,
        "a check asks the model for nothing"
    );

    let check = |url: &str, settings: &[&str], line: &str| {
        let said = doctor(&backing, url, settings);
        assert_eq!(said.status.code(), Some(1), "{said:?}");
        assert!(said.out.contains(line), "{line}: {said:?}");
    };
    let nobody = "http://127.0.0.1:9/v1";
    check(nobody, &[], "the provider cannot be reached");
    let wrong = ["worker.heartbeat=2h"];
    check(&url, &wrong, "fail  configuration ");
    let unpriced = doctor(&backing, &url, &["model.model=unheard-of"]);
    assert!(unpriced.status.success(), "{unpriced:?}");
    assert!(unpriced.out.contains("warn  prices"), "{unpriced:?}");
}

/// Three calls are out, one was turned away, and one job was never begun.
async fn in_the_middle(api: &Api, model: &Fake) -> Vec<String> {
    let mut ids = Vec::new();
    for number in 0..3 {
        ids.push(api.submit(&unique_cv(number), json!({})).await.unwrap());
    }
    let counters = async || model.counters();
    eventually("three calls are out", counters, |c| c.received >= 3).await;
    for number in 3..5 {
        ids.push(api.submit(&unique_cv(number), json!({})).await.unwrap());
        eventually("one is turned away", counters, |c| c.not_processed > 0).await;
        api.until(&ids[3], |job| job["state"] == "queued")
            .await
            .unwrap();
    }
    // The pause of the whole worker keeps the last one from being called.
    assert_eq!(model.counters().received, 4);
    ids
}

fn out_for_long() -> Value {
    json!({"steps": [
        {"do": "reply", "times": 3, "latency": "60s"},
        {"do": "error", "status": 429, "headers": {"retry-after": "60"}},
    ]})
}

/// What an operator does, on a store that stopped in the middle.
async fn recovered(backing: &Backing, model: &Fake, ids: &[String]) {
    // No worker ran after the copy was made.
    let begun = ["doctor", "--after-restore", "--only-begun"];
    let held = presswork(backing, &begun);
    assert!(held.status.success(), "{held:?}");
    assert!(
        held.out.contains("5 open jobs looked at, 4 held now"),
        "{held:?}"
    );
    // Once more changes nothing.
    let again = presswork(backing, &begun);
    assert!(
        again.out.contains("0 held now") && again.out.contains("4 jobs are held in all"),
        "{again:?}"
    );

    model.set_script(Script::default());
    let (_server, api) = serve(backing, model, &[]);
    let fresh = api.ended(&ids[4]).await.unwrap();
    assert_eq!(fresh["state"], "succeeded", "{fresh:#}");
    // Longer than any deadline and any pause of the reconciler.
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(model.counters().received, 5, "a held job is not called");
    for id in &ids[..4] {
        let (_, job) = api.get(&format!("/v1/jobs/{id}")).await.unwrap();
        assert_eq!(job["state"], "outcome_unknown", "{job:#}");
        let detail = job["error"]["detail"].as_str().unwrap();
        assert!(detail.contains("restored"), "{job:#}");
    }
    let listed = presswork(backing, &["held", "list"]);
    assert!(listed.out.contains("4 jobs are held"), "{listed:?}");
    assert!(
        ids[..4].iter().all(|id| listed.out.contains(id)),
        "{listed:?}"
    );
    let unknown = presswork(backing, &["held", "release", &ids[4]]);
    assert!(!unknown.status.success(), "{unknown:?}");

    let one = presswork(backing, &["held", "release", &ids[0]]);
    assert!(one.status.success(), "{one:?}");
    let job = api.ended(&ids[0]).await.unwrap();
    assert_eq!(job["state"], "succeeded", "{job:#}");
    assert_eq!(model.counters().received, 6);
    let dropped = presswork(backing, &["held", "drop", &ids[1]]);
    assert!(dropped.status.success(), "{dropped:?}");
    let rest = presswork(backing, &["held", "release", "all"]);
    assert_eq!(rest.out.matches("released").count(), 2, "{rest:?}");
    for id in &ids[2..4] {
        let job = api.ended(id).await.unwrap();
        assert_eq!(job["state"], "succeeded", "{job:#}");
    }
    let (_, given_up) = api.get(&format!("/v1/jobs/{}", ids[1])).await.unwrap();
    assert_eq!(given_up["state"], "outcome_unknown", "{given_up:#}");
    assert_eq!(model.counters().received, 8);
    let none = presswork(backing, &["held", "list"]);
    assert!(none.out.contains("nothing is held"), "{none:?}");
    // What was called twice was called with the operator's consent.
    let ledger = presswork(backing, &["ledger", "--since", "2020-01-01"]);
    assert!(
        ledger.status.success() && ledger.out.contains("no excess"),
        "{ledger:?}"
    );
}

async fn what_was_called_is_held_until_an_operator_decides(backing: Backing) {
    let model = fake(out_for_long());
    let (server, api) = serve(&backing, &model, &PATIENT);
    let ids = in_the_middle(&api, &model).await;
    server.kill();
    recovered(&backing, &model, &ids).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_the_file_is_a_backup() {
    let original = Backing::embedded();
    let model = fake(out_for_long());
    let (server, api) = serve(&original, &model, &PATIENT);
    let ids = in_the_middle(&api, &model).await;
    server.pause_now();
    let copy = original.copy();
    server.kill();
    drop(original);
    recovered(&copy, &model, &ids).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_called_after_the_backup_is_not_called_again() {
    let original = Backing::embedded();
    let model = fake(out_for_long());
    let (server, api) = serve(&original, &model, &PATIENT);
    in_the_middle(&api, &model).await;
    server.pause_now();
    let copy = original.copy();
    server.kill();
    let held = presswork(&copy, &["doctor", "--after-restore"]);
    assert!(
        held.out.contains("5 open jobs looked at, 5 held now"),
        "{held:?}"
    );
    let (_server, _) = serve(&copy, &model, &[]);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(model.counters().received, 4);
}

/// An empty store that was just made would answer that all is well.
#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_not_there_is_named() {
    let nothing = Backing::embedded();
    for arguments in [
        &["doctor", "--after-restore"][..],
        &["held", "list"],
        &["ledger", "--since", "today"],
        &["poison", "list"],
        &["export", "rows.jsonl"],
    ] {
        let said = presswork(&nothing, arguments);
        assert_eq!(said.status.code(), Some(1), "{arguments:?}: {said:?}");
        assert!(
            said.err.contains("there is no store in") && said.err.contains("--data"),
            "{arguments:?}: {said:?}"
        );
    }
}
