//! What happens to a job when the program that had it in hand is gone, is asked to stop, is of
//! another version or has a wrong clock: a shim and workers as processes, and a fake model that
//! counts.

#![allow(
    clippy::unwrap_used,
    reason = "a test may fail at once, in its helpers too"
)]

mod background;
mod clocks;
mod content;
mod rollout;
mod stop;
mod submit;

use e2e::api::Api;
use e2e::backing::{BACK_SOON, Backing, left};
use e2e::eventually;
use e2e::process::{Server, with_model};
use e2e::system::fake;
use openai::fake::{Counters, Server as Fake};
use schemas::Tenant;
use serde_json::Value;
use storage::jobs::{JobRow, JobStore};

/// The provider works in the background, and is asked often.
const BACKGROUND: [(&str, &str); 3] = [
    ("model.background", "on"),
    ("model.poll_min", "50ms"),
    ("model.poll_max", "200ms"),
];

/// The same for a worker that dies with messages in hand, which come back soon.
const DYING: [(&str, &str); 5] = {
    let ([on, min, max], [visibility, heartbeat]) = (BACKGROUND, BACK_SOON);
    [on, min, max, visibility, heartbeat]
};

/// The key of the webhook in all tests.
const WEBHOOK_KEY: &[u8; 24] = b"a key of twenty-four by.";

/// A shim, a model and a store; workers come and go.
struct System {
    backing: Backing,
    model: Fake,
    store: JobStore,
    api: Api,
    /// Runs for as long as this is held.
    _shim: Server,
}

impl System {
    async fn start(backing: Backing, model: Value) -> Self {
        let model = fake(model);
        let mut command = backing.part("api-shim", &[]);
        let key = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, WEBHOOK_KEY);
        command.env("OPENAI_WEBHOOK_SECRET", format!("whsec_{key}"));
        let shim = Server::start(&mut command);
        Self {
            store: backing.jobs().await,
            api: Api::new(&shim.url),
            _shim: shim,
            model,
            backing,
        }
    }

    /// A worker, with fail points armed if any are named.
    fn worker(&self, settings: &[(&str, &str)], failpoints: &str) -> Server {
        let mut command = self.backing.part("worker", settings);
        with_model(&mut command, &self.model.base_url());
        if !failpoints.is_empty() {
            command.env("FAILPOINTS", failpoints);
        }
        Server::spawn(&mut command)
    }

    async fn row(&self, id: &str) -> JobRow {
        row(&self.store, id).await
    }

    /// Waits until the fake has counted what it should.
    async fn counted(&self, what: &str, holds: impl Fn(&Counters) -> bool) {
        let counters = async || self.model.counters();
        eventually(what, counters, holds).await;
    }

    /// Waits until no message is left.
    async fn settled(&self) {
        let left = async || left(&self.store).await;
        eventually("no message is left", left, |left| left.jobs == 0).await;
    }
}

async fn row(store: &JobStore, id: &str) -> JobRow {
    let loaded = store.read(&Tenant::anonymous(), id.parse().unwrap()).await;
    loaded.unwrap().expect("the job is there").row
}
