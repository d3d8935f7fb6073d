//! The contract of the `/api` routes, row by row, through HTTP on both storages; and sessions over
//! `/v1`. A fake model counts what is paid.

#![allow(
    clippy::unwrap_used,
    reason = "a test may fail at once, in its helpers too"
)]

mod conversation;
mod delta;
mod documents;
mod edits;
mod generate;
mod handler;
mod life;
mod v1;
mod whole;

use std::ops::Deref;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use e2e::backing::Backing;
use reqwest::{Method, Response};
use serde_json::{Value, json};

/// A running system, asked as the older clients do.
struct System(e2e::system::System);

impl Deref for System {
    type Target = e2e::system::System;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

fn start(backing: Backing, settings: &[(&str, &str)]) -> System {
    System(e2e::system::System::start(backing, json!({}), settings))
}

impl System {
    /// Posts to a route of `/api`; the status and the JSON of the answer.
    async fn post(&self, route: &str, body: Value) -> (u16, Value) {
        let (status, answer) = self
            .api
            .post(&format!("/api/{route}"), &body)
            .await
            .unwrap();
        (status.as_u16(), answer)
    }

    /// As [`post`](Self::post), where success is expected.
    async fn ok(&self, route: &str, body: Value) -> Value {
        let (status, answer) = self.post(route, body).await;
        assert_eq!(status, 200, "{route}: {answer:#}");
        answer
    }

    /// Calls a tool through the handler.
    async fn tool(&self, name: &str, session: &str, params: Value) -> (u16, Value) {
        let body = json!({"tool_name": name, "session_id": session, "params": params});
        self.post("cv-tool-call-handler", body).await
    }

    async fn raw(&self, route: &str, body: &Value) -> Response {
        let request = self.api.request(Method::POST, &format!("/api/{route}"));
        request.json(body).send().await.unwrap()
    }

    /// A session with the sample CV, confirmed.
    async fn ready(&self, number: u64) -> String {
        let cv = e2e::unique_cv(number);
        let (status, made) = self
            .api
            .post("/v1/sessions", &json!({"cv": cv}))
            .await
            .unwrap();
        assert_eq!(status.as_u16(), 201, "{made:#}");
        let id = made["id"].as_str().unwrap().to_owned();
        let confirm = json!({"contact_confirmed": true, "education_confirmed": true});
        self.ok(
            "update-cv-field",
            json!({"session_id": id, "confirm": confirm}),
        )
        .await;
        id
    }

    /// A session of an uploaded document.
    async fn uploaded(&self, name: &str) -> String {
        let made = self
            .ok(
                "extract-and-store-cv",
                json!({"docx_base64": docx(name), "language": "en"}),
            )
            .await;
        made["session_id"].as_str().unwrap().to_owned()
    }

    async fn session(&self, id: &str) -> Value {
        self.ok("get-cv-session", json!({"session_id": id})).await
    }

    async fn pdf(&self, id: &str, more: Value) -> Value {
        let mut body = json!({"session_id": id});
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        self.ok("generate-cv-from-session", body).await
    }
}

/// A document of the corpus in base64.
fn docx(name: &str) -> String {
    let folder = e2e::repository("schemas/convert/tests/data");
    let path = ["corpus", "hostile"]
        .map(|kind| folder.join(kind).join(format!("{name}.docx")))
        .into_iter()
        .find(|path| path.exists());
    STANDARD.encode(std::fs::read(path.expect("the corpus has the file")).unwrap())
}

/// The sorted keys of an object.
fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<_> = value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    keys.sort_unstable();
    keys
}

/// Whether an object has all these members.
fn has(value: &Value, members: &[&str]) {
    for member in members {
        assert!(
            value.get(member).is_some(),
            "{member} is missing: {value:#}"
        );
    }
}
