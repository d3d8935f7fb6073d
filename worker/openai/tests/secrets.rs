//! Nothing of a prompt, a reply or a key reaches the log, at the most talkative level of every
//! layer.

#![allow(
    clippy::unwrap_used,
    reason = "clippy knows test functions, not the functions that they share"
)]

use std::fmt::Write as _;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use openai::fake::{Behaviour, ErrorReply, Moment, Script, Server};
use openai::{Client, Provider, Request, Schema, Settings, StoredPrompt};
use serde_json::json;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

const KEY: &str = "sk-KEYMARK";
const MARKS: [&str; 6] = [
    "KEYMARK",
    "PROMPTMARK",
    "INPUTMARK",
    "REPLYMARK",
    "VARIABLEMARK",
    "PROVIDERMARK",
];

fn request(stored: bool) -> Request {
    let schema = json!({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": false});
    Request {
        instructions: "PROMPTMARK".into(),
        input: json!({"cv": {"a": "INPUTMARK"}}).to_string(),
        schema: Schema {
            name: "s".into(),
            json: schema,
        },
        stored_prompt: stored.then(|| StoredPrompt {
            id: "pmpt_1".into(),
            version: None,
            variables: json!({"v": "VARIABLEMARK"}).as_object().unwrap().clone(),
        }),
        reference: "t/j".into(),
        max_output_tokens: None,
    }
}

fn settings(server: &Server, azure: bool) -> Settings {
    let provider = if azure {
        Provider::Azure {
            endpoint: server.azure_endpoint(),
            api_key: KEY.into(),
            deployment: "d".into(),
            api_version: None,
        }
    } else {
        Provider::OpenAi {
            base_url: server.base_url(),
            api_key: KEY.into(),
        }
    };
    Settings {
        provider,
        model: "m".into(),
        timeout: Duration::from_millis(300),
        connect_timeout: Duration::from_millis(100),
        user_agent: "test".into(),
    }
}

#[tokio::test]
async fn the_log_knows_nothing() {
    let log = Log::default();
    let writer = log.clone();
    // It also takes what comes by the `log` crate, as reqwest's lines do.
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .init();
    let message = Some("PROVIDERMARK quotes INPUTMARK".to_owned());
    let error = |status| {
        Behaviour::Error(ErrorReply {
            status,
            message: message.clone(),
            ..ErrorReply::default()
        })
    };
    let text = |text: &str| Behaviour::Reply {
        text: Some(text.into()),
    };
    let behaviours = [
        text(r#"{"a": "REPLYMARK"}"#),
        text(r#"{"a": ["REPLYMARK"]}"#),
        text("REPLYMARK"),
        Behaviour::reply(),
        Behaviour::Truncated,
        Behaviour::NotAResponse,
        Behaviour::Incomplete {
            reason: "max_output_tokens".into(),
        },
        Behaviour::Reset {
            at: Moment::BeforeHeaders,
        },
        Behaviour::Hang,
        error(400),
        error(401),
        error(429),
        error(500),
        error(503),
    ];
    let mut shown = String::new();
    for behaviour in behaviours {
        let server =
            Server::start("127.0.0.1:0".parse().unwrap(), Script::always(behaviour)).unwrap();
        for azure in [false, true] {
            let settings = settings(&server, azure);
            write!(shown, "{settings:?}").unwrap();
            let client = Client::new(settings).unwrap();
            for stored in [false, true] {
                let request = request(stored);
                let called = client.call(&request).await;
                write!(shown, "{request:?} {called:?}").unwrap();
            }
        }
        for received in server.received() {
            write!(shown, "{:?}", received.headers).unwrap();
        }
    }
    let log = String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned();
    // The log is there, of this crate and of the layers below it.
    for source in ["openai::client", "reqwest::connect", "hyper_util"] {
        assert!(log.contains(source), "{source} is silent");
    }
    for mark in MARKS {
        for (name, text) in [("log", &log), ("Debug output", &shown)] {
            let line = text.lines().find(|line| line.contains(mark));
            assert!(line.is_none(), "{mark} in the {name}: {line:?}");
        }
    }
}
