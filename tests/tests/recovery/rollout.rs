//! Workers of two versions side by side: what the newer one wrote is left for it.

use std::time::Duration;

use e2e::backing::Backing;
use e2e::process::Server;
use e2e::{eventually, unique_cv};
use schemas::Tenant;
use serde_json::{Value, json};
use storage::jobs::RowState;
use storage::names::{QueueName, TableName, row as key};
use storage::port::Write;

use super::System;

e2e::on_both_storages!(what_a_newer_worker_wrote_waits_for_it_and_is_no_poison);

/// A job that fails twice is set aside, since a slow machine may lose a lease; a message comes back
/// after some seconds.
const STRICT: [(&str, &str); 3] = [
    ("worker.max_dequeues", "2"),
    ("worker.visibility", "3s"),
    ("worker.heartbeat", "500ms"),
];

async fn set_schema(system: &System, id: &str, schema: u32) {
    let (table, tenant) = (&system.store.storage().table, Tenant::anonymous());
    let at = key::job(id.parse().unwrap());
    let read = table.get(TableName::Jobs, tenant.as_str(), &at).await;
    let entity = read.unwrap().value.unwrap();
    let mut properties = entity.properties;
    properties.insert("schema".to_owned(), schema.into());
    let write = Write::Update(at, properties, entity.etag);
    let writes = vec![write];
    let written = table.write(TableName::Jobs, tenant.as_str(), writes).await;
    written.unwrap();
}

async fn what_a_newer_worker_wrote_waits_for_it_and_is_no_poison(backing: Backing) {
    let system = System::start(backing, json!({})).await;
    let queue = &system.store.storage().queue;
    let newer_row = system.api.submit(&unique_cv(1), json!({})).await.unwrap();
    let known = system.row(&newer_row).await.schema;
    set_schema(&system, &newer_row, known + 1).await;
    let newer_message = json!({"schema": 1_000, "what": ["nobody knows yet"]});
    let body = newer_message.to_string();
    queue
        .send(QueueName::Jobs, &body, Duration::ZERO)
        .await
        .unwrap();

    // Old workers, and their reconciler, meet both again and again.
    let old = [system.worker(&STRICT, ""), system.worker(&STRICT, "")];
    let other = system.api.submit(&unique_cv(2), json!({})).await.unwrap();
    let job = system.api.ended(&other).await.unwrap();
    assert_eq!(job["state"], "succeeded", "others are not held up: {job:#}");
    let looks = async || {
        let logs = old.each_ref().map(Server::logged).concat();
        ["a message of a newer schema", &format!("job {newer_row}")].map(|what| {
            logs.matches(&format!("{what} is left for a newer worker"))
                .count()
        })
    };
    eventually("each is met three times", looks, |looks| {
        looks.iter().all(|times| *times >= 3)
    })
    .await;
    for worker in old {
        let (status, log) = worker.terminate();
        assert!(status.success(), "{log}");
    }
    assert_eq!(queue.count(QueueName::JobsPoison).await.unwrap(), 0);
    assert_eq!(system.model.counters().received, 1);

    // The newer one, which this test plays, finds its message with each dequeue forgiven.
    let mut own = 0;
    let received = async || {
        let mut found = false;
        let messages = queue.receive(QueueName::Jobs, 32, Duration::from_secs(5));
        for message in messages.await.unwrap() {
            let body: Value = serde_json::from_str(&message.body).unwrap();
            if body["schema"] == 1_000 {
                assert_eq!(body["what"], newer_message["what"]);
                let forgiven = body["forgiven"].as_u64().unwrap();
                assert!(forgiven >= 2, "only {forgiven} dequeues: nothing is shown");
                assert_eq!(u64::from(message.dequeue_count) - forgiven, 1);
                queue.delete(QueueName::Jobs, &message.lease).await.unwrap();
                found = true;
            } else {
                own += 1;
            }
        }
        found
    };
    eventually("the newer message comes", received, |found| *found).await;

    // And its row as it was: one that knows it goes on, and of all dequeues only those of this test count.
    set_schema(&system, &newer_row, known).await;
    let row = system.row(&newer_row).await;
    assert_eq!((row.state, row.attempt), (RowState::Queued, 0));
    // With time to spare: a machine that is busy elsewhere must not make it a second dequeue.
    let allowed = (1 + own).to_string();
    let patient = [
        ("worker.max_dequeues", allowed.as_str()),
        ("worker.visibility", "20s"),
        ("worker.heartbeat", "5s"),
    ];
    let _knows = system.worker(&patient, "");
    let job = system.api.ended(&newer_row).await.unwrap();
    assert_eq!(job["state"], "succeeded", "{job:#}");
    assert_eq!(system.model.counters().received, 2);
    assert_eq!(queue.count(QueueName::JobsPoison).await.unwrap(), 0);
}
