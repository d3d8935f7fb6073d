//! Two workers whose clocks are ten minutes off, one each way: deadlines go by the store's clock.
//!
//! A process cannot be given a wrong clock, so these workers run in the test.

use std::sync::Arc;
use std::time::Duration;

use config::{Background, Config, EditorChoice, Secret};
use e2e::backing::Backing;
use e2e::unique_cv;
use jiff::{SignedDuration, Timestamp};
use schemas::Tenant;
use schemas::job::Editor;
use schemas::message::JobMessage;
use serde_json::json;
use storage::ambient::System as Ambient;
use storage::jobs::{JobStore, Latch, RowState, Token};
use storage::{Clock, Entropy};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::System;

e2e::on_both_storages!(wrong_clocks_neither_hold_a_call_too_early_nor_too_late);

/// A clock that is wrong by so much.
#[derive(Debug)]
struct Skewed(SignedDuration, Ambient);

impl Clock for Skewed {
    fn now(&self) -> Timestamp {
        self.1.now() + self.0
    }

    fn monotonic(&self) -> Duration {
        self.1.monotonic()
    }
}

fn config(system: &System, background: Background) -> Config {
    let seconds = Duration::from_secs;
    let mut config = Config::for_tests();
    config.model.editor = EditorChoice::OpenAi;
    config.model.base_url = Some(system.model.base_url());
    config.model.api_key = Some(Secret::new("sk-test"));
    config.model.background = background;
    // Longer than a machine stands still, and far shorter than the clocks are off.
    config.model.timeout = seconds(20);
    config.worker.deadline_margin = seconds(6);
    config.worker.latch_freshness = seconds(5);
    config.worker.visibility = seconds(10);
    config.worker.heartbeat = seconds(2);
    config.worker.idle_before_requeue = seconds(1);
    config
}

async fn worker(
    system: &System,
    config: &Config,
    minutes: i64,
    stop: &CancellationToken,
) -> JoinHandle<()> {
    let skew = SignedDuration::from_mins(minutes);
    let clock: Arc<dyn Clock> = Arc::new(Skewed(skew, Ambient::new()));
    let entropy: Arc<dyn Entropy> = Arc::new(Ambient::new());
    // All programs on one SQLite file are on one machine and have its clock, which is the store's;
    // requests to Azure are signed with the worker's own.
    let storage = if system.backing.is_embedded() {
        system.backing.storage().await
    } else {
        system.backing.storage_by(&clock, &entropy).await
    };
    let store = JobStore::new(storage, clock.clone(), entropy.clone(), &config.worker);
    let worker = worker::Worker::new(
        store,
        worker::editor(config, false).unwrap(),
        Arc::new(worker::Press::built_in().unwrap()),
        worker::Settings::new(config),
        (clock, entropy),
        stop.clone(),
    );
    tokio::spawn(worker.run())
}

async fn wrong_clocks_neither_hold_a_call_too_early_nor_too_late(backing: Backing) {
    let slow = json!({
        "latency": "700ms",
        "background": {"queued": "10ms", "in_progress": "700ms"},
    });
    let system = System::start(backing, slow).await;
    let mut calls = 0;
    for background in [Background::Off, Background::On] {
        let config = config(&system, background);
        let stop = CancellationToken::new();
        // A latch of a worker that died: its deadline is 3 s away.
        let tenant = Tenant::anonymous();
        let cv = unique_cv(100 + calls);
        let dead = system.api.submit(&cv, json!({})).await.unwrap();
        let id = dead.parse().unwrap();
        let loaded = system.store.read(&tenant, id).await.unwrap().unwrap();
        let latch = Latch {
            token: Token([9; 16]),
            deadline: loaded.date + Duration::from_secs(3),
            editor: Editor::Model,
            model: None,
            background: false,
            content: None,
            after_ambiguous: false,
        };
        system.store.latch(&loaded, latch).await.unwrap();
        let workers = [
            worker(&system, &config, 10, &stop).await,
            worker(&system, &config, -10, &stop).await,
        ];
        let mut ids = Vec::new();
        for number in 0..6 {
            let cv = unique_cv(200 + calls + number);
            let id = system.api.submit(&cv, json!({})).await.unwrap();
            // Each worker gets to see each job while the other one calls.
            for _ in 0..3 {
                let message = JobMessage::new(tenant.clone(), id.parse().unwrap());
                let sent = system.store.enqueue(&message, Duration::from_millis(100));
                sent.await.unwrap();
            }
            ids.push(id);
        }
        for id in &ids {
            let job = system.api.ended(id).await.unwrap();
            assert_eq!(job["state"], "succeeded", "{background:?}: {job:#}");
        }
        let job = system.api.ended(&dead).await.unwrap();
        assert_eq!(job["state"], "outcome_unknown", "{background:?}: {job:#}");
        calls += ids.len() as u64;
        assert_eq!(system.model.counters().received, calls, "{background:?}");
        assert_eq!(system.model.counters().repeated, 0);
        stop.cancel();
        for worker in workers {
            worker.await.unwrap();
        }
        assert_ne!(system.row(&ids[0]).await.state, RowState::Calling);
    }
}
