//! A worker is killed at every point of the notifier's way: nothing is lost, and what comes twice
//! has the same `webhook-id` and the very same bytes.

use std::collections::BTreeMap;
use std::time::Duration;

use e2e::api::Api;
use e2e::backing::{BACK_SOON, Backing, Left, left};
use e2e::eventually;
use e2e::process::Server;
use e2e::sink::Sink;
use serde_json::{Value, json};

use super::{deliveries, open, submit, subscribe};

e2e::on_both_storages!(
    a_worker_killed_while_a_job_ends_loses_no_event,
    a_worker_killed_while_it_tells_loses_no_event,
    a_worker_killed_while_it_delivers_loses_no_event,
);

async fn a_worker_killed_while_a_job_ends_loses_no_event(backing: Backing) {
    let points = [
        "effect:render:after",
        "effect:finish:before",
        "effect:finish:after",
        "effect:delete_message:before",
        "notify:ack:before",
        "notify:ack:after",
    ];
    kill_at(&backing, &points).await;
}

async fn a_worker_killed_while_it_tells_loses_no_event(backing: Backing) {
    let points = [
        "notify:put:before",
        "notify:put:after",
        // The second event of the two.
        "notify:put:before=1*off->",
        "notify:put:after=1*off->",
        "notify:notified:before",
        "notify:notified:after",
    ];
    kill_at(&backing, &points).await;
}

async fn a_worker_killed_while_it_delivers_loses_no_event(backing: Backing) {
    let points = [
        "notify:deliver:before",
        "notify:deliver:after",
        "notify:record:before",
        "notify:record:after",
        // The second attempt, and the third.
        "notify:deliver:after=1*off->",
        "notify:record:before=2*off->",
    ];
    kill_at(&backing, &points).await;
}

/// Points are named with what comes before the kill.
async fn kill_at(backing: &Backing, points: &[&str]) {
    let sink = Sink::start().await;
    let short = [
        ("webhooks.timeout", "500ms"),
        ("webhooks.connect_timeout", "250ms"),
        ("webhooks.hurry", "100"),
    ];
    let settings: Vec<_> = open(&[])
        .into_iter()
        .filter(|(key, _)| !key.ends_with("timeout"))
        .chain(short)
        .chain(BACK_SOON)
        .collect();
    let front = Server::start(&mut backing.part("api-shim", &settings));
    let api = Api::new(&front.url);
    let jobs = backing.jobs().await;
    let mut killed = 0;
    for (number, point) in points.iter().enumerate() {
        // The first attempt fails, so that a retry is on the way too.
        let path = format!("fail/1/{number}");
        let (webhook, _) = subscribe(
            &api,
            json!({"url": sink.url(&path), "events": ["job.succeeded", "document.created"]}),
        )
        .await;
        let job = submit(&api, number as u64, json!({})).await;
        let mut doomed = backing.part("worker", &settings);
        let (name, skip) = point.split_once('=').unwrap_or((*point, ""));
        doomed.env("FAILPOINTS", format!("{name}={skip}1*return(kill)"));
        let doomed = Server::spawn(&mut doomed);
        // It may have told everything on a way that does not lead by this point.
        let gone = tokio::time::timeout(Duration::from_secs(15), doomed.gone()).await;
        killed += u32::from(gone.is_ok());
        let log = doomed.kill();
        let second = Server::spawn(&mut backing.part("worker", &settings));
        for kind in ["job.succeeded", "document.created"] {
            let ours = |record: &Value| record["type"] == kind && record["state"] == "succeeded";
            let what = format!("{point}: {kind} of job {job} is delivered, after\n{log}\n");
            let told = async || (deliveries(&api, &webhook).await, second.logged());
            eventually(&what, told, |(records, _)| records.iter().any(ours)).await;
        }
        let mut bodies = BTreeMap::new();
        for seen in sink.seen(&path) {
            let id = seen.header("webhook-id").to_owned();
            let body = bodies.entry(id).or_insert_with(|| seen.body.clone());
            assert_eq!(*body, seen.body, "{point}: one id, two bodies");
        }
        assert_eq!(bodies.len(), 2, "{point}: two events have two ids");
        assert_eq!(deliveries(&api, &webhook).await.len(), 2, "{point}");
        let what = format!("{point}: no message and no marker is left");
        let left = async || left(&jobs).await;
        eventually(&what, left, |left| *left == Left::default()).await;
        second.terminate();
        let delete = api.request(reqwest::Method::DELETE, &format!("/v1/webhooks/{webhook}"));
        assert!(delete.send().await.unwrap().status().is_success());
    }
    println!("{} points, {killed} workers killed", points.len());
    assert!(
        killed as usize + 1 >= points.len(),
        "{killed} workers were killed: are the programs built with fail points?"
    );
}
