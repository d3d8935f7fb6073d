//! Responses in the background: submitted, fetched, cancelled and deleted by their id.

use std::time::Duration;

use openai::fake::{Background, Behaviour, Moment, Script, Server, Step};
use openai::{Client, Outcome, Retrieved};

use crate::{fake, request, schema};

/// Submits, and gives the id.
async fn submit(client: &Client) -> String {
    match client.submit(&request()).await.outcome {
        Outcome::Ambiguous(pending) => pending.reply_id.expect("the provider names the response"),
        other => panic!("{other:?}"),
    }
}

/// What a response is, in a word.
fn word(retrieved: Retrieved) -> String {
    match retrieved {
        Retrieved::Pending => "pending".into(),
        Retrieved::Settled(settled) => settled.outcome(&schema()).name().into(),
        Retrieved::Gone => "gone".into(),
        Retrieved::Unclear(wait) => format!("unclear {}", wait.unwrap_or_default().as_millis()),
    }
}

async fn settled(client: &Client, id: &str) -> Retrieved {
    for _ in 0..4_000 {
        match client.retrieve(id).await {
            Retrieved::Pending => tokio::time::sleep(Duration::from_millis(5)).await,
            other => return other,
        }
    }
    panic!("{id} is still pending")
}

fn takes(queued: u64, in_progress: u64, step: impl Into<Step>) -> Script {
    let time = |ms| Duration::from_millis(ms).into();
    Script {
        background: Background {
            queued: time(queued),
            in_progress: time(in_progress),
        },
        ..Script::always(step)
    }
}

fn background(server: &Server) -> (bool, bool) {
    let body = server.requests().remove(0);
    (body["background"] == true, body["store"] == true)
}

#[tokio::test]
async fn a_submitted_request_is_fetched_by_its_id_and_deleted() {
    let (server, client) = fake(takes(20, 4_000, Behaviour::reply()));
    let id = submit(&client).await;
    assert_eq!(background(&server), (true, true));
    assert_eq!(word(client.retrieve(&id).await), "pending");
    let Retrieved::Settled(done) = settled(&client, &id).await else {
        panic!("not settled")
    };
    assert_eq!(done.reference(), Some("t1/j1"));
    let Outcome::Reply(reply) = done.outcome(&schema()) else {
        panic!("no reply")
    };
    assert_eq!(
        (reply.id, &reply.json["profile"]),
        (id.clone(), &"A nurse.".into())
    );
    assert!(client.delete(&id).await);
    assert_eq!(word(client.retrieve(&id).await), "gone");
    assert!(client.delete(&id).await, "deleting twice is fine");
    let counters = server.counters();
    assert_eq!((counters.accepted, counters.deleted), (1, 1));
}

#[tokio::test]
async fn final_failures_come_by_the_id_too() {
    for (behaviour, expect) in [
        (Behaviour::Refusal, "final"),
        (
            Behaviour::Failed {
                code: "server_error".into(),
            },
            "final",
        ),
        (
            Behaviour::Incomplete {
                reason: "max_output_tokens".into(),
            },
            "final",
        ),
        (Behaviour::BreaksSchema, "final"),
        (Behaviour::UnknownItems, "reply"),
    ] {
        let (_server, client) = fake(takes(1, 1, behaviour));
        let id = submit(&client).await;
        assert_eq!(word(settled(&client, &id).await), expect);
    }
}

/// An answer that broke off after the id had been read is no loss.
#[tokio::test]
async fn half_an_answer_names_the_response() {
    let (server, client) = fake(takes(1, 1, Behaviour::Truncated));
    let id = submit(&client).await;
    assert_eq!(server.stored()[0]["id"], *id);
    assert_eq!(word(settled(&client, &id).await), "reply");
}

#[tokio::test]
async fn an_answer_that_never_came_leaves_no_id() {
    for (behaviour, expect) in [
        (
            Behaviour::Reset {
                at: Moment::BeforeHeaders,
            },
            "ambiguous",
        ),
        (Behaviour::error(500), "ambiguous"),
        (Behaviour::error(429), "not_processed"),
        (Behaviour::error(400), "final"),
    ] {
        let (_server, client) = fake(takes(1, 1, behaviour));
        let outcome = client.submit(&request()).await.outcome;
        assert_eq!(outcome.name(), expect);
        if let Outcome::Ambiguous(ambiguity) = outcome {
            assert_eq!(ambiguity.reply_id, None);
        }
    }
}

#[tokio::test]
async fn trouble_on_the_way_says_nothing_about_the_response() {
    let mut script = takes(1, 1, Behaviour::reply());
    let slow_down = openai::fake::ErrorReply {
        status: 429,
        ..openai::fake::ErrorReply::default()
    };
    script.retrievals = vec![
        Behaviour::error(500).into(),
        Behaviour::error(401).into(),
        Behaviour::Error(slow_down.header("retry-after", "2")).into(),
        Behaviour::Reset {
            at: Moment::BeforeHeaders,
        }
        .into(),
        Behaviour::Close {
            at: Moment::BeforeHeaders,
        }
        .into(),
    ];
    let (server, client) = fake(script);
    let id = submit(&client).await;
    for expect in [
        "unclear 0",
        "unclear 0",
        "unclear 2000",
        "unclear 0",
        "unclear 0",
    ] {
        assert_eq!(word(client.retrieve(&id).await), expect);
    }
    assert_eq!(word(settled(&client, &id).await), "reply");
    server.stop().await;
    assert_eq!(word(client.retrieve(&id).await), "unclear 0");
    assert!(!client.delete(&id).await);
}

#[tokio::test]
async fn a_cancelled_response_is_a_final_failure_and_a_done_one_stays() {
    let (server, client) = fake(takes(1, 60_000, Behaviour::reply()));
    let id = submit(&client).await;
    assert_eq!(word(client.cancel(&id).await), "final");
    assert_eq!(server.counters().cancelled, 1);
    server.set_script(takes(0, 0, Behaviour::reply()));
    let id = submit(&client).await;
    settled(&client, &id).await;
    assert_eq!(word(client.cancel(&id).await), "reply");
}

#[tokio::test]
async fn what_cannot_be_an_id_is_not_asked_for() {
    let (server, client) = fake(Script::default());
    for id in [
        "",
        "../responses",
        "a/b",
        "a?b",
        "a b",
        "resp_\u{e9}",
        &"x".repeat(257),
    ] {
        assert_eq!(word(client.retrieve(id).await), "gone", "{id}");
        assert_eq!(word(client.cancel(id).await), "gone", "{id}");
        assert!(client.delete(id).await, "{id}");
    }
    assert_eq!(word(client.retrieve("resp_unknown").await), "gone");
    assert_eq!(server.counters().received, 0);
}
