//! Poison: a job whose message comes back too often is set aside, and an operator puts it back.

#![allow(
    clippy::unwrap_used,
    reason = "a test may fail at once, in its helpers too"
)]

use std::sync::Arc;
use std::time::Duration;

use e2e::api::Api;
use e2e::backing::Backing;
use e2e::process::{Output, Server, run};
use e2e::system::{fake, serve};
use e2e::{eventually, unique_cv};
use schemas::Tenant;
use schemas::job::Editor;
use serde_json::json;
use storage::jobs::{Latch, Token};
use storage::names::QueueName;
use storage::port::Queue;

e2e::on_both_storages!(
    a_job_that_fails_on_every_dequeue_is_set_aside_and_can_be_requeued,
    a_foreign_message_is_set_aside_with_its_reason_and_can_be_dropped,
    one_that_may_have_been_called_needs_consent,
);

/// A fresh message of a job that stood still while the test played its workers would be no poison.
const NOTHING_PUT_BACK: [(&str, &str); 1] = [("worker.reconcile_every", "60m")];

fn poison(backing: &Backing, arguments: &[&str]) -> Output {
    let arguments: Vec<_> = ["poison"].iter().chain(arguments).copied().collect();
    run(&mut backing.presswork(&arguments))
}

/// The first message is received, and comes back at once, as often as no job may fail.
async fn die_six_times(queue: &Arc<dyn Queue>) {
    for _ in 0..6 {
        let lease = Duration::from_mins(1);
        let messages = queue.receive(QueueName::Jobs, 1, lease).await.unwrap();
        let lease = &messages[0].lease;
        queue
            .extend(QueueName::Jobs, lease, Duration::ZERO, None)
            .await
            .unwrap();
    }
}

async fn a_job_that_fails_on_every_dequeue_is_set_aside_and_can_be_requeued(backing: Backing) {
    let model = fake(json!({}));

    // Accepted, and then received by six workers in a row that all died at once.
    let shim = Server::start(&mut backing.part("api-shim", &[]));
    let id = Api::new(&shim.url)
        .submit(&unique_cv(1), json!({}))
        .await
        .unwrap();
    shim.kill();
    die_six_times(&backing.storage().await.queue).await;

    let (_server, api) = serve(&backing, &model, &NOTHING_PUT_BACK);
    let job = api.ended(&id).await.unwrap();
    assert_eq!(
        (&job["state"], &job["error"]["type"]),
        (&json!("failed"), &json!("/problems/poison"))
    );
    assert_eq!(model.counters().received, 0);

    let listed = poison(&backing, &["list"]);
    assert!(
        listed.out.contains(&id) && listed.out.contains("every dequeue"),
        "{listed:?}"
    );
    let message = listed.out.split_whitespace().next().unwrap();
    let shown = poison(&backing, &["show", message]);
    assert!(shown.out.contains("dequeues  7"), "{shown:?}");
    let missing = poison(&backing, &["show", "no-such-message"]);
    assert!(
        !missing.status.success() && missing.err.contains("poison list"),
        "{missing:?}"
    );

    let requeued = poison(&backing, &["requeue", message]);
    assert!(requeued.status.success(), "{requeued:?}");
    let job = api.ended(&id).await.unwrap();
    assert_eq!(
        (&job["state"], &job["model_calls"]),
        (&json!("succeeded"), &json!(1)),
        "{job:#}"
    );
    let empty = poison(&backing, &["list"]);
    assert!(empty.out.contains("nothing is set aside"), "{empty:?}");
}

async fn one_that_may_have_been_called_needs_consent(backing: Backing) {
    let model = fake(json!({}));

    // Latched by a worker that died, and received by six more.
    let shim = Server::start(&mut backing.part("api-shim", &[]));
    let id = Api::new(&shim.url)
        .submit(&unique_cv(2), json!({}))
        .await
        .unwrap();
    shim.kill();
    let store = backing.jobs().await;
    let (tenant, job) = (Tenant::anonymous(), id.parse().unwrap());
    let loaded = store.read(&tenant, job).await.unwrap().unwrap();
    let latch = Latch {
        token: Token([9; 16]),
        deadline: loaded.date,
        editor: Editor::Model,
        model: None,
        background: false,
        content: None,
        after_ambiguous: false,
    };
    store.latch(&loaded, latch).await.unwrap();
    die_six_times(&store.storage().queue).await;

    let (_server, api) = serve(&backing, &model, &NOTHING_PUT_BACK);
    let job = api.ended(&id).await.unwrap();
    assert_eq!(job["state"], "outcome_unknown", "{job:#}");
    let refused = poison(&backing, &["requeue", "all"]);
    assert!(
        !refused.status.success() && refused.err.contains("--consent"),
        "{refused:?}"
    );
    assert_eq!(model.counters().received, 0);
    let agreed = poison(&backing, &["requeue", "all", "--consent"]);
    assert!(agreed.status.success(), "{agreed:?}");
    let job = api.ended(&id).await.unwrap();
    assert_eq!(job["state"], "succeeded", "{job:#}");
    assert_eq!(model.counters().received, 1);
}

async fn a_foreign_message_is_set_aside_with_its_reason_and_can_be_dropped(backing: Backing) {
    let server = Server::start(&mut backing.serve(&[]));
    let store = backing.storage().await;
    store
        .queue
        .send(QueueName::Jobs, "no job", Duration::ZERO)
        .await
        .unwrap();
    let listed = async || poison(&backing, &["list"]);
    let aside = |listed: &Output| listed.out.contains("not a message of ours");
    let listed = eventually("it is set aside", listed, aside).await;
    let message = listed.out.split_whitespace().next().unwrap();
    let shown = poison(&backing, &["show", message]);
    assert!(shown.out.contains("body      no job"), "{shown:?}");
    let dropped = poison(&backing, &["drop", "all"]);
    assert!(dropped.out.contains(message), "{dropped:?}");
    assert!(
        poison(&backing, &["list"])
            .out
            .contains("nothing is set aside")
    );
    drop(server);
}
