//! Every row of the table of outcomes, through the real client, with one request each.

use std::time::Duration;

use openai::fake::{Behaviour, ErrorReply, Moment, Script};

use crate::{fake, impatient, request, words};

pub(crate) fn error(status: u16) -> ErrorReply {
    ErrorReply {
        status,
        ..ErrorReply::default()
    }
}

/// Behaviour, what the client makes of it, and whether it was paid.
fn table() -> Vec<(Behaviour, &'static str, bool)> {
    let html = |status| {
        Behaviour::Error(ErrorReply {
            html: true,
            ..error(status)
        })
    };
    let waiting = |status, name, value| Behaviour::Error(error(status).header(name, value));
    vec![
        (Behaviour::reply(), "reply", true),
        (Behaviour::UnknownItems, "reply", true),
        // Not processed.
        (Behaviour::error(429), "not processed: Throttled", false),
        (
            Behaviour::error_code(429, "insufficient_quota"),
            "not processed: Throttled",
            false,
        ),
        (html(429), "not processed: Throttled", false),
        (
            waiting(429, "retry-after", "7"),
            "not processed: Throttled, wait 7s",
            false,
        ),
        (
            waiting(429, "retry-after-ms", "250"),
            "not processed: Throttled, wait 250ms",
            false,
        ),
        (
            Behaviour::Error(
                error(429)
                    .header("retry-after", "Sun, 06 Nov 1994 08:49:47 GMT")
                    .header("date", "Sun, 06 Nov 1994 08:49:37 GMT"),
            ),
            "not processed: Throttled, wait 10s",
            false,
        ),
        (
            Behaviour::error_code(503, "slow_down"),
            "not processed: Overloaded",
            false,
        ),
        (
            Behaviour::Error(
                ErrorReply {
                    code: Some("server_is_overloaded".into()),
                    ..error(503)
                }
                .header("retry-after", "1"),
            ),
            "not processed: Overloaded, wait 1s",
            false,
        ),
        // Final.
        (
            Behaviour::error(400),
            "final: Rejected { status: 400, code: None }",
            false,
        ),
        (
            Behaviour::error_code(400, "context_length_exceeded"),
            "final: Rejected { status: 400, code: Some(\"context_length_exceeded\") }",
            false,
        ),
        (
            Behaviour::error(401),
            "final: Rejected { status: 401, code: Some(\"invalid_api_key\") }",
            false,
        ),
        (
            Behaviour::error(403),
            "final: Rejected { status: 403, code: None }",
            false,
        ),
        (
            Behaviour::error(409),
            "final: Rejected { status: 409, code: None }",
            false,
        ),
        (
            html(413),
            "final: Rejected { status: 413, code: None }",
            false,
        ),
        (
            Behaviour::error(422),
            "final: Rejected { status: 422, code: None }",
            false,
        ),
        (
            waiting(307, "location", "/v1/responses"),
            "final: Rejected { status: 307, code: None }",
            false,
        ),
        (
            waiting(308, "location", "/v1/responses"),
            "final: Rejected { status: 308, code: None }",
            false,
        ),
        (Behaviour::Refusal, "final: Refused", true),
        (
            Behaviour::Incomplete {
                reason: "max_output_tokens".into(),
            },
            "final: Incomplete { reason: \"max_output_tokens\" }",
            true,
        ),
        (
            Behaviour::Incomplete {
                reason: "content_filter".into(),
            },
            "final: Incomplete { reason: \"content_filter\" }",
            true,
        ),
        (
            Behaviour::Failed {
                code: "server_error".into(),
            },
            "final: Failed { code: Some(\"server_error\") }",
            true,
        ),
        (Behaviour::NotJson, "final: BadReply", true),
        (Behaviour::BreaksSchema, "final: BadReply", true),
        (
            Behaviour::Reply {
                text: Some("[]".into()),
            },
            "final: BadReply",
            true,
        ),
        (
            Behaviour::Reply {
                text: Some(String::new()),
            },
            "final: BadReply",
            true,
        ),
        // Ambiguous.
        (
            Behaviour::error(408),
            "ambiguous: ServerError { status: 408 }",
            true,
        ),
        (
            Behaviour::error(500),
            "ambiguous: ServerError { status: 500 }",
            true,
        ),
        (html(502), "ambiguous: ServerError { status: 502 }", true),
        (
            Behaviour::error(503),
            "ambiguous: ServerError { status: 503 }",
            true,
        ),
        (html(503), "ambiguous: ServerError { status: 503 }", true),
        (
            waiting(503, "retry-after", "1"),
            "ambiguous: ServerError { status: 503 }",
            true,
        ),
        (
            Behaviour::error_code(504, "slow_down"),
            "ambiguous: ServerError { status: 504 }",
            true,
        ),
        (
            Behaviour::error(520),
            "ambiguous: ServerError { status: 520 }",
            true,
        ),
        (Behaviour::Hang, "ambiguous: Timeout", true),
        (
            Behaviour::Reset {
                at: Moment::BeforeHeaders,
            },
            "ambiguous: Reset",
            true,
        ),
        (
            Behaviour::Reset {
                at: Moment::AfterHeaders,
            },
            "ambiguous: Truncated",
            true,
        ),
        (
            Behaviour::Reset {
                at: Moment::MidBody,
            },
            "ambiguous: Truncated, id known",
            true,
        ),
        (
            Behaviour::Close {
                at: Moment::BeforeHeaders,
            },
            "ambiguous: Reset",
            true,
        ),
        (
            Behaviour::Close {
                at: Moment::AfterHeaders,
            },
            "ambiguous: Truncated",
            true,
        ),
        (
            Behaviour::Close {
                at: Moment::MidBody,
            },
            "ambiguous: Truncated, id known",
            true,
        ),
        (Behaviour::Truncated, "ambiguous: Truncated, id known", true),
        (Behaviour::NotAResponse, "ambiguous: Unreadable", true),
        (
            Behaviour::Oversized { bytes: 9 << 20 },
            "ambiguous: Unreadable, id known",
            true,
        ),
    ]
}

#[tokio::test]
async fn outcomes() {
    for (behaviour, expect, paid) in table() {
        let (server, mut client) = fake(Script::always(behaviour.clone()));
        if behaviour == Behaviour::Hang {
            client = impatient(&server.base_url());
        }
        let called = client.call(&request()).await;
        assert_eq!(words(&called.outcome), expect, "{behaviour:?}");
        let counters = server.counters();
        assert_eq!(
            (counters.received, counters.accepted),
            (1, u64::from(paid)),
            "{behaviour:?}"
        );
        server.stop().await;
    }
}

/// The retries that the layers have by default wait for up to seconds: this waits longer.
#[tokio::test]
async fn nothing_is_sent_again_later() {
    let behaviours = [
        Behaviour::error(429),
        Behaviour::Error(error(429).header("retry-after-ms", "1")),
        Behaviour::error(500),
        Behaviour::error(503),
        Behaviour::Reset {
            at: Moment::BeforeHeaders,
        },
        Behaviour::Hang,
    ];
    let calls = behaviours.map(|behaviour| async move {
        let (server, _) = fake(Script::always(behaviour.clone()));
        impatient(&server.base_url()).call(&request()).await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!(server.counters().received, 1, "{behaviour:?}");
    });
    futures::future::join_all(calls).await;
}
