//! The client and the fake against each other, and both against the published description.

#![allow(
    clippy::unwrap_used,
    reason = "clippy knows test functions, not the functions that they share"
)]

mod background;
mod calls;
mod outcomes;
mod server;
mod spec;
mod unreachable;

use std::net::SocketAddr;
use std::time::Duration;

use openai::fake::{Script, Server};
use openai::{Client, Outcome, Provider, Request, Schema, Settings};
use serde_json::{Value, json};

/// A free port of this machine.
const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

fn settings(base_url: &str) -> Settings {
    Settings {
        provider: Provider::OpenAi {
            base_url: base_url.into(),
            api_key: "sk-test".into(),
        },
        model: "gpt-test".into(),
        timeout: Duration::from_secs(10),
        connect_timeout: Duration::from_secs(5),
        user_agent: "presswork-test".into(),
    }
}

fn client(base_url: &str) -> Client {
    Client::new(settings(base_url)).unwrap()
}

/// A client that soon gives up, for tests that mean it to; but not before a machine under load has
/// connected, which has half of the time.
fn impatient(base_url: &str) -> Client {
    let timeout = Duration::from_secs(2);
    Client::new(Settings {
        timeout,
        ..settings(base_url)
    })
    .unwrap()
}

fn fake(script: Script) -> (Server, Client) {
    let server = Server::start(ANY, script).unwrap();
    let client = client(&server.base_url());
    (server, client)
}

fn schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "profile": {"type": "string"},
            "languages": {"type": "array", "items": {"type": "string"}},
            "interests": {"type": ["string", "null"]},
        },
        "required": ["profile", "languages", "interests"],
        "additionalProperties": false,
    })
}

fn request() -> Request {
    Request {
        instructions: "Polish the text.".into(),
        input: json!({"cv": {"profile": "A nurse.", "languages": ["Polish"]}}).to_string(),
        schema: Schema {
            name: "polished_cv".into(),
            json: schema(),
        },
        stored_prompt: None,
        reference: "t1/j1".into(),
        max_output_tokens: Some(4000),
    }
}

/// An outcome in a few words, for tables.
fn words(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Reply(_) => "reply".into(),
        Outcome::NotProcessed(n) => match n.retry_after {
            Some(wait) => format!("not processed: {:?}, wait {wait:?}", n.reason),
            None => format!("not processed: {:?}", n.reason),
        },
        Outcome::Final(f) => format!("final: {:?}", f.kind),
        Outcome::Ambiguous(a) => {
            let id = if a.reply_id.is_some() {
                ", id known"
            } else {
                ""
            };
            format!("ambiguous: {:?}{id}", a.kind)
        }
    }
}
