//! Nothing of a person is left: after a job is deleted, a tenant erased, or the time of keeping is
//! over. Proved by looking through the whole store for words that only that person's data has.

#![allow(
    clippy::unwrap_used,
    reason = "a test may fail at once, in its helpers too"
)]

mod delete;
mod erase;
mod scan;
mod sweep;

use e2e::api::Api;
use e2e::backing::{Backing, Left, left};
use e2e::eventually;
use e2e::process::Server;
use e2e::system::{fake, serve};
use openai::fake::Server as Fake;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use storage::Storage;

/// In the profile, and so in input, reply, PDF text, report and JSON.
const WORD: &str = "Quillwhistle";
/// In the labels of jobs, and so in what is told of them.
const LABEL: &str = "Brackenthorp";

struct System {
    server: Server,
    api: Api,
    model: Fake,
    storage: Storage,
    backing: Backing,
}

impl System {
    async fn start(backing: Backing, script: Value, settings: &[(&str, &str)]) -> Self {
        let model = fake(script);
        let (server, api) = serve(&backing, &model, settings);
        let storage = backing.storage().await;
        Self {
            server,
            api,
            model,
            storage,
            backing,
        }
    }

    /// Submits a CV that holds the word, as a job that has the label.
    async fn submit(&self, more: Value) -> String {
        let mut body = json!({
            "kind": "cv",
            "input": {"cv": cv()},
            "metadata": {"label": LABEL},
        });
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        let (status, job) = self.api.post("/v1/jobs", &body).await.unwrap();
        assert_eq!(status, StatusCode::ACCEPTED, "{job:#}");
        job["id"].as_str().unwrap().to_owned()
    }

    async fn delete(&self, path: &str) -> StatusCode {
        let request = self.api.request(Method::DELETE, path);
        request.send().await.unwrap().status()
    }

    /// Where the person's data is.
    async fn found(&self) -> Vec<String> {
        scan::found(&self.storage, &[WORD, LABEL]).await
    }

    /// Waits until the store has nothing of the person, and no tombstone.
    async fn nothing_left(&self) {
        let left = async || {
            let mut found = self.found().await;
            found.extend(scan::tombstones(&self.storage).await);
            found
        };
        eventually("nothing is left", left, Vec::is_empty).await;
    }

    /// Waits until all that has ended so far has been told.
    async fn told(&self) {
        let jobs = self.backing.jobs().await;
        let left = async || left(&jobs).await;
        eventually("all is told", left, |left| *left == Left::default()).await;
    }

    /// A webhook without a URL: its events are kept in the store.
    async fn listen(&self) {
        let body = json!({"pull": true, "description": LABEL});
        let (status, made) = self.api.post("/v1/webhooks", &body).await.unwrap();
        assert!(status.is_success(), "{made:#}");
    }
}

/// A CV that holds the word, and no other job's.
fn cv() -> Value {
    let mut cv = e2e::sample_cv();
    cv["profile"] = format!("Engineer at {WORD} Works, who plans and runs things.").into();
    cv
}
