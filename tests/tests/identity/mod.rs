//! Who may call, and how often: credentials and attacks on them, tenants, limits. Through HTTP.

#![allow(
    clippy::unwrap_used,
    reason = "a test may fail at once, in its helpers too"
)]

mod attacks;
mod issuer;
mod keys;
mod limits;
mod tenants;

use std::time::Duration;

use e2e::backing::Backing;
use e2e::process::{Server, run};
use reqwest::{Method, RequestBuilder, Response};
use serde_json::Value;

/// A client, and where it sends to.
pub(crate) struct Client {
    pub(crate) http: reqwest::Client,
    pub(crate) url: String,
}

impl Client {
    pub(crate) fn of(server: &Server) -> Self {
        Self::at(&server.url)
    }

    pub(crate) fn at(url: &str) -> Self {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_mins(1))
            .build();
        Self {
            http: http.unwrap(),
            url: url.to_owned(),
        }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url))
    }

    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.request(Method::GET, path)
    }

    /// The status of a `GET` with a key.
    pub(crate) async fn status(&self, path: &str, key: &str) -> u16 {
        let sent = self.get(path).header("x-api-key", key).send().await;
        sent.unwrap().status().as_u16()
    }
}

pub(crate) fn field<'a>(response: &'a Response, name: &str) -> &'a str {
    let value = response.headers().get(name);
    value.map_or("", |value| value.to_str().unwrap())
}

/// Makes a key by the command line.
pub(crate) fn key(backing: &Backing, arguments: &[&str]) -> String {
    let all: Vec<&str> = ["keys", "create"]
        .iter()
        .chain(arguments)
        .copied()
        .collect();
    let made = run(&mut backing.presswork(&all));
    assert!(made.status.success(), "{}", made.err);
    made.out.trim().to_owned()
}

/// The id in a key.
pub(crate) fn id_of(key: &str) -> &str {
    &key[3..15]
}

/// A server where nobody is served without a credential.
pub(crate) fn closed(backing: &Backing, program: &str, settings: &[(&str, &str)]) -> Server {
    let mut all = vec![("auth.anonymous", "off"), ("log.level", "trace")];
    all.extend_from_slice(settings);
    let mut command = match program {
        "presswork" => backing.serve(&all),
        name => backing.part(name, &all),
    };
    Server::start(&mut command)
}

/// The problem of an answer, without what differs from request to request.
pub(crate) async fn problem(response: Response) -> Value {
    let mut body: Value = response.json().await.unwrap();
    body.as_object_mut().unwrap().remove("request_id");
    body
}
