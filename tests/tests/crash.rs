//! Crashes: `presswork serve` is killed with SIGKILL in each state and started again. The job
//! goes on, and there is never a second accepted call.

#![allow(
    clippy::unwrap_used,
    reason = "a test may fail at once, in its helpers too"
)]

use std::time::Duration;

use e2e::api::Api;
use e2e::backing::{BACK_SOON, Backing, DEADLINE, Left, left};
use e2e::process::{Server, run, with_model};
use e2e::system::{fake, serve};
use e2e::{eventually, unique_cv};
use openai::fake::Script;
use schemas::job::{Editor, JobInput};
use schemas::{JobId, Tenant};
use serde_json::json;
use storage::jobs::{CallOutcome, Latch, PdfFacts, Submission, Token};
use storage::names::QueueName;
use worker::jobs::StoredReply;

e2e::on_both_storages!(
    a_scheduled_task_puts_a_stranded_job_back,
    killed_while_queued,
    killed_while_calling,
    killed_at_every_other_point,
    killed_again_and_again_under_load_loses_nothing_and_pays_nothing_twice,
    a_shim_and_two_workers_share_a_store_and_one_of_them_dies,
);

async fn killed_while_queued(backing: Backing) {
    let model =
        fake(json!({"default": {"do": "error", "status": 429, "headers": {"retry-after": "2"}}}));
    let (server, api) = serve(&backing, &model, &BACK_SOON);
    let id = api.submit(&unique_cv(1), json!({})).await.unwrap();
    let counters = async || model.counters();
    eventually("it is turned away", counters, |c| c.not_processed > 0).await;
    api.until(&id, |job| job["state"] == "queued")
        .await
        .unwrap();
    server.kill();

    model.set_script(Script::default());
    let (_server, api) = serve(&backing, &model, &[]);
    let job = api.ended(&id).await.unwrap();
    assert_eq!(
        (&job["state"], &job["model_calls"]),
        (&json!("succeeded"), &json!(1)),
        "{job:#}"
    );
    assert_eq!(model.counters().accepted, 1);
}

async fn killed_while_calling(backing: Backing) {
    let model = fake(json!({"default": {"do": "hang"}}));
    let settings = [&BACK_SOON[..], &DEADLINE].concat();
    let (server, api) = serve(&backing, &model, &settings);
    let id = api.submit(&unique_cv(2), json!({})).await.unwrap();
    let counters = async || model.counters();
    eventually("it is called", counters, |c| c.received > 0).await;
    server.kill();

    let (_server, api) = serve(&backing, &model, &[]);
    let job = api.ended(&id).await.unwrap();
    // The one window that nothing can close: the request went out, and the reply went nowhere.
    assert_eq!(job["state"], "outcome_unknown", "{job:#}");
    assert_eq!(job["error"]["type"], "/problems/outcome-unknown");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(
        model.counters().received,
        1,
        "a held job is not called again"
    );
}

/// Where a worker was when it died.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Died {
    /// The reply is stored, the row still says `calling`.
    ReplyStored,
    /// The row says `rendering`.
    Rendering,
    /// The PDF is stored, the row still says `rendering`.
    PdfStored,
    /// The row was inserted, and no message was put.
    NotEnqueued,
    /// Latched, and nothing was sent.
    Latched,
}

/// What a worker that was killed at some point leaves behind, made with the same store.
async fn leave(backing: &Backing, died: Died) -> JobId {
    let store = backing.jobs().await;
    let storage = store.storage();
    let cv = schemas::cv::normalise(&unique_cv(3)).unwrap().cv;
    let input = JobInput::of(cv);
    let tenant = Tenant::anonymous();
    let submission = Submission::new(tenant.clone(), input.clone());
    let id = store.submit(submission).await.unwrap().row().id;
    if died == Died::NotEnqueued {
        let queue = &storage.queue;
        let messages = queue
            .receive(QueueName::Jobs, 1, Duration::from_mins(1))
            .await
            .unwrap();
        queue
            .delete(QueueName::Jobs, &messages[0].lease)
            .await
            .unwrap();
        return id;
    }
    let loaded = store.read(&tenant, id).await.unwrap().unwrap();
    let latch = Latch {
        token: Token([7; 16]),
        deadline: loaded.date + Duration::from_secs(1),
        editor: Editor::Model,
        model: None,
        background: false,
        content: None,
        after_ambiguous: false,
    };
    let loaded = store.latch(&loaded, latch).await.unwrap();
    if died == Died::Latched {
        return id;
    }
    let reply = StoredReply {
        source: worker::jobs::Source::Model,
        ..worker::jobs::edit_offline(&input)
    };
    let bytes = serde_json::to_vec(&reply).unwrap().into();
    store.put_reply(&tenant, id, bytes).await.unwrap();
    if died == Died::ReplyStored {
        return id;
    }
    let loaded = store
        .to_rendering(&loaded, None, CallOutcome::Replied)
        .await
        .unwrap();
    if died == Died::PdfStored {
        let press = worker::Press::built_in().unwrap();
        let made = worker::render_job(&press, &input, &reply, loaded.row.created_at).unwrap();
        // As another version might have rendered it: it is adopted, not made anew.
        let facts = PdfFacts {
            file_name: "CV_adopted.pdf".to_owned(),
            ..made.facts
        };
        store
            .put_pdf(&tenant, id, true, made.pdf, facts)
            .await
            .unwrap();
    }
    id
}

async fn killed_at_every_other_point(backing: Backing) {
    for (died, state, calls) in [
        (Died::ReplyStored, "succeeded", 0),
        (Died::Rendering, "succeeded", 0),
        (Died::PdfStored, "succeeded", 0),
        (Died::NotEnqueued, "succeeded", 1),
        (Died::Latched, "outcome_unknown", 0),
    ] {
        let model = fake(json!({}));
        let id = leave(&backing, died).await;
        let (_server, api) = serve(&backing, &model, &[]);
        let job = api.ended(&id.to_string()).await.unwrap();
        assert_eq!(job["state"], state, "{died:?}: {job:#}");
        assert_eq!(model.counters().received, calls, "{died:?}");
        if died == Died::PdfStored {
            assert_eq!(job["result"]["file_name"], "CV_adopted.pdf");
        }
    }
}

async fn a_scheduled_task_puts_a_stranded_job_back(backing: Backing) {
    leave(&backing, Died::NotEnqueued).await;
    let store = backing.jobs().await;
    let queue = &store.storage().queue;
    assert_eq!(queue.count(QueueName::Jobs).await.unwrap(), 0);
    // Its marker falls due after a second, and the clock of a table may count whole seconds.
    tokio::time::sleep(Duration::from_millis(2_200)).await;
    let task = run(&mut backing.program("worker", &["--reconcile-once"], &[]));
    assert!(
        task.out.contains("1 open, 1 put back, 0 closed"),
        "{task:?}"
    );
    assert_eq!(queue.count(QueueName::Jobs).await.unwrap(), 1);
}

async fn killed_again_and_again_under_load_loses_nothing_and_pays_nothing_twice(backing: Backing) {
    const JOBS: u64 = 40;
    let model = fake(json!({"latency": "60ms"}));
    // A message that was in hand at each kill is no poison, however slow the machine.
    let settings = [&BACK_SOON[..], &DEADLINE, &[("worker.max_dequeues", "20")]].concat();
    let (mut server, mut api) = serve(&backing, &model, &settings);
    let mut ids = Vec::new();
    for number in 0..JOBS {
        ids.push(
            api.submit(&unique_cv(1000 + number), json!({}))
                .await
                .unwrap(),
        );
        if number % 8 == 7 {
            // At another moment of the work each time.
            tokio::time::sleep(Duration::from_millis(number * 3)).await;
            server.kill();
            (server, api) = serve(&backing, &model, &settings);
        }
    }
    let mut held = 0;
    for id in &ids {
        let job = api.ended(id).await.unwrap();
        match job["state"].as_str() {
            Some("succeeded") => {}
            Some("outcome_unknown") => held += 1,
            _ => panic!("lost: {job:#}"),
        }
    }
    assert!(held < ids.len(), "everything is held");
    assert!(model.counters().accepted <= JOBS, "{:?}", model.counters());
    println!("{JOBS} jobs, 5 kills: {held} held, {:?}", model.counters());
    settle(&backing, held).await;
    drop(server);
}

/// No message and no poison is left, and no marker but those of held jobs.
async fn settle(backing: &Backing, held: usize) {
    let store = backing.jobs().await;
    let only_held = Left {
        open: held,
        ..Left::default()
    };
    let left = async || left(&store).await;
    eventually("only held jobs are left", left, |left| *left == only_held).await;
}

async fn a_shim_and_two_workers_share_a_store_and_one_of_them_dies(backing: Backing) {
    const JOBS: u64 = 30;
    let model = fake(json!({"latency": "100ms"}));
    let shim = Server::start(&mut backing.part("api-shim", &[]));
    let worker = || {
        let settings = [&BACK_SOON[..], &DEADLINE, &[("worker.concurrency", "4")]].concat();
        let mut command = backing.part("worker", &settings);
        with_model(&mut command, &model.base_url());
        Server::spawn(&mut command)
    };
    let (first, second) = (worker(), worker());
    let api = Api::new(&shim.url);
    let mut ids = Vec::new();
    for number in 0..JOBS {
        ids.push(
            api.submit(&unique_cv(2000 + number), json!({}))
                .await
                .unwrap(),
        );
        if number == JOBS / 2 {
            first.kill_now();
        }
    }
    let mut held = 0;
    for id in &ids {
        let job = api.ended(id).await.unwrap();
        held += usize::from(job["state"] == "outcome_unknown");
        assert!(
            ["succeeded", "outcome_unknown"].contains(&job["state"].as_str().unwrap()),
            "{job:#}"
        );
    }
    assert!(
        held <= 4,
        "more jobs are held than the dead worker had in hand: {held}"
    );
    assert!(model.counters().accepted <= JOBS);
    settle(&backing, held).await;
    let (status, log) = second.terminate();
    assert!(status.success(), "{log}");
}
