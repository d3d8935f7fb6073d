//! Jobs of equal content share one call, also when the one that makes it comes to nothing.

use std::collections::BTreeSet;

use e2e::backing::Backing;
use e2e::unique_cv;
use serde_json::json;

use super::{BACKGROUND, DYING, System};

e2e::on_both_storages!(
    eight_jobs_at_once_on_two_workers_make_one_call,
    a_held_holder_gives_way,
    a_dead_holder_in_the_background_is_waited_for,
);

async fn eight_jobs_at_once_on_two_workers_make_one_call(backing: Backing) {
    let system = System::start(backing, json!({"latency": "300ms"})).await;
    let _workers = [system.worker(&[], ""), system.worker(&[], "")];
    let cv = unique_cv(1);
    let submissions = (0..8).map(|_| system.api.submit(&cv, json!({})));
    let ids = futures::future::try_join_all(submissions).await.unwrap();
    let (mut paths, mut pdfs, mut calls) = (BTreeSet::new(), BTreeSet::new(), 0);
    for id in &ids {
        let job = system.api.ended(id).await.unwrap();
        assert_eq!(job["state"], "succeeded", "{job:#}");
        calls += job["model_calls"].as_u64().unwrap();
        paths.extend(system.row(id).await.result_path);
        pdfs.insert(system.api.pdf(id).await.unwrap());
    }
    assert_eq!(paths.len(), 8, "each has a document of its own");
    assert_eq!(pdfs.len(), 1, "to the last byte the same");
    let counters = system.model.counters();
    assert_eq!((calls, counters.received, counters.accepted), (1, 1, 1));
    system.settled().await;
}

async fn a_held_holder_gives_way(backing: Backing) {
    let script = json!({"latency": "300ms", "steps": [{"do": "reset"}]});
    let system = System::start(backing, script).await;
    let cv = unique_cv(1);
    let submissions = (0..3).map(|_| system.api.submit(&cv, json!({})));
    let ids = futures::future::try_join_all(submissions).await.unwrap();
    let _worker = system.worker(&[], "");
    let mut states = Vec::new();
    for id in &ids {
        let job = system.api.ended(id).await.unwrap();
        states.push((job["state"].to_string(), job["cached"] == true));
    }
    states.sort();
    let expect = [
        ("\"outcome_unknown\"".to_owned(), false),
        ("\"succeeded\"".to_owned(), false),
        ("\"succeeded\"".to_owned(), true),
    ];
    assert_eq!(states, expect);
    assert_eq!(system.model.counters().accepted, 2);
    assert_eq!(system.model.counters().repeated, 0, "no job called twice");
}

async fn a_dead_holder_in_the_background_is_waited_for(backing: Backing) {
    let script = json!({"background": {"queued": "10ms", "in_progress": "1s"}});
    let system = System::start(backing, script).await;
    let first = system.worker(&DYING, "effect:store_reply_id:after=1*return(kill)");
    let cv = unique_cv(1);
    let submissions = (0..3).map(|_| system.api.submit(&cv, json!({})));
    let ids = futures::future::try_join_all(submissions).await.unwrap();
    first.gone().await;
    let _second = system.worker(&BACKGROUND, "");
    for id in &ids {
        let job = system.api.ended(id).await.unwrap();
        assert_eq!(job["state"], "succeeded", "{job:#}");
    }
    assert_eq!(system.model.counters().received, 1);
}
