//! What the client sends, what it hands on, and how it bears faults, load and odd settings.

use std::time::Duration;

use openai::fake::{Behaviour, ErrorReply, Moment, Script, Step};
use openai::{Client, Outcome, Provider, RateLimits, Settings, StoredPrompt, Usage, Window};
use serde_json::json;

use crate::outcomes::error;
use crate::{ANY, client, fake, impatient, request, settings, words};

#[tokio::test]
async fn a_reply_with_all_its_parts() {
    let (server, client) = fake(Script::default());
    let called = client.call(&request()).await;
    let Outcome::Reply(reply) = called.outcome else {
        panic!("{:?}", called.outcome)
    };
    assert_eq!(
        reply.json,
        json!({"profile": "A nurse.", "languages": ["Polish"], "interests": null})
    );
    assert!(reply.id.starts_with("resp_"), "{}", reply.id);
    assert_eq!(reply.model, "gpt-test");
    let Usage {
        input_tokens,
        output_tokens,
        total,
        ..
    } = reply.usage;
    assert!(input_tokens > 0 && output_tokens > 0 && total == input_tokens + output_tokens);
    let window = |limit, remaining, reset| Window {
        limit: Some(limit),
        remaining: Some(remaining),
        reset: Some(Duration::from_millis(reset)),
    };
    assert_eq!(
        called.rate_limits,
        Some(RateLimits {
            requests: window(10_000, 9_999, 6),
            tokens: window(2_000_000, 1_999_000, 30),
        })
    );
    assert!(called.request_id.is_some_and(|id| id.starts_with("req_")));
    assert_eq!(server.counters().lost, 0);
}

/// What went wrong is told with what is known, and with nothing of what was said.
#[tokio::test]
async fn failures_tell_their_cost_and_keep_the_text() {
    let marked = "MARK";
    let message = Some(format!("{marked} in a provider's message"));
    for (behaviour, has_usage) in [
        (
            Behaviour::Reply {
                text: Some(format!("{marked} is not JSON")),
            },
            true,
        ),
        (
            Behaviour::Reply {
                text: Some(format!("{{\"profile\": [\"{marked}\"]}}")),
            },
            true,
        ),
        (Behaviour::Refusal, true),
        (
            Behaviour::Error(ErrorReply {
                message: message.clone(),
                ..error(400)
            }),
            false,
        ),
        (
            Behaviour::Error(ErrorReply {
                code: message.clone(),
                ..error(422)
            }),
            false,
        ),
    ] {
        let (_server, client) = fake(Script::always(behaviour.clone()));
        let called = client.call(&request()).await;
        assert!(!format!("{called:?}").contains(marked), "{called:?}");
        let Outcome::Final(failure) = called.outcome else {
            panic!("{behaviour:?}")
        };
        assert_eq!(failure.usage.is_some(), has_usage, "{behaviour:?}");
        assert_eq!(failure.reply_id.is_some(), has_usage, "{behaviour:?}");
        assert_eq!(failure.model.is_some(), has_usage, "{behaviour:?}");
        assert!(failure.message.ends_with('.'), "{}", failure.message);
    }
}

#[tokio::test]
async fn rate_limits_come_with_errors_too() {
    let mut script = Script::always(Behaviour::error(429));
    script
        .headers
        .insert("x-ratelimit-remaining-tokens".into(), "0".into());
    let (_server, client) = fake(script);
    let limits = client.call(&request()).await.rate_limits.unwrap();
    assert_eq!(limits.tokens.remaining, Some(0));
}

#[tokio::test]
async fn what_is_sent() {
    let (server, client) = fake(Script::default());
    client.call(&request()).await;
    let mut stored = request();
    stored.stored_prompt = Some(StoredPrompt {
        id: "pmpt_1".into(),
        version: Some("3".into()),
        variables: json!({"tone": "plain"}).as_object().unwrap().clone(),
    });
    client.call(&stored).await;
    stored.stored_prompt = Some(StoredPrompt {
        id: "pmpt_1".into(),
        version: None,
        variables: serde_json::Map::new(),
    });
    client.call(&stored).await;
    let text = json!({"format": {"type": "json_schema", "name": "polished_cv", "strict": true, "schema": crate::schema()}});
    let common = json!({
        "input": request().input,
        "max_output_tokens": 4000,
        "metadata": {"reference": "t1/j1"},
        "model": "gpt-test",
        "store": false,
        "text": text,
    });
    let with = |key: &str, value| {
        let mut body = common.clone();
        body[key] = value;
        body
    };
    assert_eq!(
        server.requests(),
        [
            with("instructions", json!("Polish the text.")),
            with(
                "prompt",
                json!({"id": "pmpt_1", "version": "3", "variables": {"tone": "plain"}})
            ),
            with("prompt", json!({"id": "pmpt_1"})),
        ]
    );
    let received = server.received();
    assert_eq!(received[0].path, "/v1/responses");
    assert_eq!(received[0].query, "");
    assert_eq!(received[0].headers["authorization"], "Bearer sk-test");
    assert_eq!(received[0].headers["user-agent"], "presswork-test");
    assert_eq!(received[0].headers["content-type"], "application/json");
}

#[tokio::test]
async fn azure() {
    let (server, _) = fake(Script::default());
    for (api_version, query) in [
        (None, ""),
        (Some("preview"), "api-version=preview"),
        (Some("2024-10-21"), ""),
    ] {
        let client = Client::new(Settings {
            provider: Provider::Azure {
                endpoint: server.azure_endpoint(),
                api_key: "az-test".into(),
                deployment: "my-deployment".into(),
                api_version: api_version.map(Into::into),
            },
            ..settings("http://unused.invalid")
        })
        .unwrap();
        let called = client.call(&request()).await;
        assert_eq!(words(&called.outcome), "reply");
        let received = server.received().pop().unwrap();
        assert_eq!(
            (received.path.as_str(), received.query.as_str()),
            ("/openai/v1/responses", query)
        );
        assert_eq!(received.headers["api-key"], "az-test");
        assert!(!received.headers.contains_key("authorization"));
        assert_eq!(received.body["model"], "my-deployment");
    }
}

#[tokio::test]
async fn a_server_without_keys_and_a_model_of_the_prompt() {
    let (server, _) = fake(Script::default());
    let client = Client::new(Settings {
        provider: Provider::OpenAi {
            base_url: server.base_url(),
            api_key: "".into(),
        },
        model: String::new(),
        ..settings("")
    })
    .unwrap();
    let mut stored = request();
    stored.stored_prompt = Some(StoredPrompt {
        id: "pmpt_1".into(),
        version: None,
        variables: serde_json::Map::new(),
    });
    assert_eq!(words(&client.call(&stored).await.outcome), "reply");
    let received = server.received().pop().unwrap();
    assert!(!received.headers.contains_key("authorization"));
    assert!(received.body.get("model").is_none());
}

/// A call that broke its connection leaves the next one unharmed, and so does a server that was
/// replaced while a connection to it lay idle.
#[tokio::test]
async fn connections_after_a_fault() {
    let script = Script::default()
        .then(Behaviour::reply())
        .then(Behaviour::Reset {
            at: Moment::MidBody,
        })
        .then(Behaviour::Close {
            at: Moment::BeforeHeaders,
        });
    let (server, client) = fake(script);
    let mut seen = Vec::new();
    for _ in 0..4 {
        seen.push(words(&client.call(&request()).await.outcome));
    }
    assert_eq!(
        seen,
        [
            "reply",
            "ambiguous: Truncated, id known",
            "ambiguous: Reset",
            "reply"
        ]
    );
    assert_eq!(server.counters().received, 4);

    let address = server.address();
    server.stop().await;
    let replaced = openai::fake::Server::start(address, Script::default()).unwrap();
    assert_eq!(words(&client.call(&request()).await.outcome), "reply");
    assert_eq!(replaced.counters().received, 1);
}

#[tokio::test]
async fn latency_within_and_beyond_the_time_limit() {
    let script = Script::default()
        .then(Step::from(Behaviour::reply()).after(Duration::from_millis(10)))
        .then(Step::from(Behaviour::reply()).after(Duration::from_mins(1)))
        .then(Step::from(Behaviour::error(429)).after(Duration::from_mins(1)));
    let (server, patient) = fake(script);
    assert_eq!(words(&patient.call(&request()).await.outcome), "reply");
    let client = impatient(&server.base_url());
    let call = async || words(&client.call(&request()).await.outcome);
    let (one, other) = tokio::join!(call(), call());
    assert_eq!([one, other], ["ambiguous: Timeout"; 2]);
    assert_eq!(server.counters().received, 3);
}

#[tokio::test]
async fn many_at_once() {
    let server = openai::fake::Server::start(
        ANY,
        Script::default().with_latency(Duration::from_millis(500)),
    )
    .unwrap();
    let client = client(&server.base_url());
    let calls = (0..100).map(|n| {
        let client = client.clone();
        async move {
            let mut request = request();
            request.reference = format!("t1/j{n}");
            words(&client.call(&request).await.outcome)
        }
    });
    let outcomes = futures::future::join_all(calls).await;
    assert!(
        outcomes.iter().all(|outcome| outcome == "reply"),
        "{outcomes:?}"
    );
    let counters = server.counters();
    assert_eq!(
        (counters.received, counters.accepted, counters.repeated),
        (100, 100, 0)
    );
    assert!(counters.most_in_flight > 10, "{counters:?}");
}

#[test]
fn settings_that_cannot_work() {
    for (change, expect) in [
        (
            Box::new(|s: &mut Settings| s.timeout = Duration::ZERO) as Box<dyn Fn(&mut Settings)>,
            "time limit",
        ),
        (
            Box::new(|s: &mut Settings| s.user_agent = "a\nb".into()),
            "user agent",
        ),
        (
            Box::new(|s: &mut Settings| {
                s.provider = Provider::OpenAi {
                    base_url: "api.example".into(),
                    api_key: "k".into(),
                };
            }),
            "is not a URL",
        ),
        (
            Box::new(|s: &mut Settings| {
                s.provider = Provider::OpenAi {
                    base_url: "https://api.example".into(),
                    api_key: "hunter2\n".into(),
                };
            }),
            "line break",
        ),
        (
            Box::new(|s: &mut Settings| {
                s.provider = Provider::Azure {
                    endpoint: "https://x.example".into(),
                    api_key: "k".into(),
                    deployment: " ".into(),
                    api_version: None,
                };
            }),
            "deployment",
        ),
    ] {
        let mut settings = settings("https://api.example/v1");
        change(&mut settings);
        let Err(error) = Client::new(settings) else {
            panic!("{expect}")
        };
        let error = error.to_string();
        assert!(
            error.contains(expect) && !error.contains("hunter2"),
            "{error}"
        );
    }
    drop(client("https://api.example/v1"));
}
