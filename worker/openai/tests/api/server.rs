//! The fake as its other users see it: over HTTP.

use std::time::Duration;

use openai::fake::{Background, Behaviour, Counters, Script, Server, Step};
use serde_json::{Value, json};

use crate::{ANY, fake, request};

pub(crate) async fn post(server: &Server, path: &str, body: &Value) -> (u16, Value) {
    send(reqwest::Client::new().post(url(server, path)).json(body)).await
}

pub(crate) async fn get(server: &Server, path: &str) -> (u16, Value) {
    send(reqwest::Client::new().get(url(server, path))).await
}

async fn send(request: reqwest::RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    (
        status,
        serde_json::from_str(&response.text().await.unwrap()).unwrap_or_default(),
    )
}

fn url(server: &Server, path: &str) -> String {
    format!("http://{}{path}", server.address())
}

fn body() -> Value {
    json!({"model": "m", "input": "i"})
}

/// Polls a stored response until it has this status.
async fn reaches(server: &Server, id: &str, status: &str) -> Value {
    for _ in 0..4_000 {
        let (_, response) = get(server, &format!("/v1/responses/{id}")).await;
        if response["status"] == status {
            return response;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("{id} did not become {status}");
}

#[test]
fn the_example_script_is_valid() {
    let script = Script::parse(include_str!("../../../../tests/data/openai/script.toml")).unwrap();
    let json = serde_json::to_value(&script).unwrap();
    let named: std::collections::BTreeSet<_> = script_steps(&json)
        .map(|step| step["do"].as_str().unwrap().to_owned())
        .collect();
    // All behaviours are shown.
    assert_eq!(named.len(), 14, "{named:?}");
}

fn script_steps(json: &Value) -> impl Iterator<Item = &Value> {
    json["steps"].as_array().unwrap().iter()
}

#[tokio::test]
async fn steps_are_used_up_in_order() {
    let (server, _) = fake(
        Script::always(Behaviour::error(400))
            .then(Step::from(Behaviour::error(429)).times(2))
            .then(Behaviour::reply()),
    );
    let mut statuses = Vec::new();
    for _ in 0..5 {
        statuses.push(post(&server, "/v1/responses", &body()).await.0);
    }
    assert_eq!(statuses, [429, 429, 200, 400, 400]);
    let expect = Counters {
        received: 5,
        accepted: 1,
        not_processed: 2,
        rejected: 2,
        most_in_flight: 1,
        ..Counters::default()
    };
    assert_eq!(server.counters(), expect);
    let (_, calls) = get(&server, "/_calls").await;
    assert_eq!(serde_json::from_value::<Counters>(calls).unwrap(), expect);
}

#[tokio::test]
async fn it_is_steered_over_http() {
    let (server, client) = fake(Script::default());
    client.call(&request()).await;
    let (_, requests) = get(&server, "/_requests").await;
    assert_eq!(requests.as_array().unwrap().as_slice(), server.requests());

    assert_eq!(
        post(
            &server,
            "/_script",
            &json!({"default": {"do": "error", "status": 500}})
        )
        .await
        .0,
        204
    );
    assert_eq!(post(&server, "/v1/responses", &body()).await.0, 500);
    let (status, error) = post(&server, "/_script", &json!({"defautl": {}})).await;
    assert_eq!(status, 400);
    assert!(
        error["error"]["message"]
            .as_str()
            .unwrap()
            .contains("defautl")
    );
    assert_eq!(post(&server, "/v1/responses", &body()).await.0, 500);

    assert_eq!(post(&server, "/_reset", &json!({})).await.0, 204);
    assert_eq!(server.counters(), Counters::default());
    assert_eq!(server.requests(), Vec::<Value>::new());
}

#[tokio::test]
async fn requests_at_fault_are_refused_and_use_no_step() {
    let (server, _) = fake(Script::default().then(Behaviour::error(429)));
    let strict = json!({"format": {"type": "json_schema", "name": "n", "strict": true, "schema": {"type": "object"}}});
    let mut loose = body();
    loose["text"] = strict;
    for bad in [json!([]), json!("text"), json!({"input": "i"}), loose] {
        assert_eq!(post(&server, "/v1/responses", &bad).await.0, 400, "{bad}");
    }
    let broken = reqwest::Client::new()
        .post(url(&server, "/v1/responses"))
        .body("{")
        .send()
        .await
        .unwrap();
    assert_eq!(broken.status(), 400);
    assert_eq!(server.counters().rejected, 5);
    assert_eq!(server.requests().pop(), Some(json!("{")));
    assert_eq!(post(&server, "/v1/responses", &body()).await.0, 429);
}

#[tokio::test]
async fn a_response_in_the_background_grows_up() {
    let time = |ms| Duration::from_millis(ms).into();
    let script = Script {
        background: Background {
            queued: time(40),
            in_progress: time(4_000),
        },
        ..Script::default()
    };
    let (server, _) = fake(script.with_latency(Duration::from_mins(1)));
    let mut asked = body();
    asked["background"] = true.into();
    let (status, queued) = post(&server, "/v1/responses", &asked).await;
    assert_eq!((status, queued["status"].as_str()), (200, Some("queued")));
    let id = queued["id"].as_str().unwrap();
    reaches(&server, id, "in_progress").await;
    let done = reaches(&server, id, "completed").await;
    assert_eq!(done["id"], id);
    assert!(done["usage"]["total_tokens"].as_u64().unwrap() > 0);

    // Cancelling what is done changes nothing.
    let (status, same) = post(&server, &format!("/v1/responses/{id}/cancel"), &json!({})).await;
    assert_eq!((status, same), (200, done));
    let address = url(&server, &format!("/v1/responses/{id}"));
    let (status, deleted) = send(reqwest::Client::new().delete(&address)).await;
    assert_eq!(
        (status, deleted),
        (
            200,
            json!({"id": id, "object": "response", "deleted": true})
        )
    );
    assert_eq!(send(reqwest::Client::new().delete(&address)).await.0, 404);
    assert_eq!(get(&server, &format!("/v1/responses/{id}")).await.0, 404);
    let counters = server.counters();
    assert_eq!(
        (counters.accepted, counters.cancelled, counters.deleted),
        (1, 0, 1)
    );
}

#[tokio::test]
async fn a_cancelled_response_stays_cancelled() {
    let time = |ms| Duration::from_millis(ms).into();
    let script = Script {
        background: Background {
            queued: time(5),
            in_progress: time(4_000),
        },
        ..Script::default()
    };
    let (server, _) = fake(script);
    let mut asked = body();
    asked["background"] = true.into();
    let (_, queued) = post(&server, "/v1/responses", &asked).await;
    let id = queued["id"].as_str().unwrap();
    reaches(&server, id, "in_progress").await;
    let (_, cancelled) = post(&server, &format!("/v1/responses/{id}/cancel"), &json!({})).await;
    assert_eq!(cancelled["status"], "cancelled");
    tokio::time::sleep(Duration::from_millis(4_100)).await;
    reaches(&server, id, "cancelled").await;
    assert_eq!(server.counters().cancelled, 1);
}

/// The window that recovery is about: the answer to the submission is lost, the response lives.
#[tokio::test]
async fn a_lost_answer_leaves_the_response_behind() {
    let (server, _) = fake(Script::always(Behaviour::Truncated));
    for background in [true, false] {
        let mut asked = body();
        asked["background"] = background.into();
        let response = reqwest::Client::new()
            .post(url(&server, "/v1/responses"))
            .json(&asked)
            .send()
            .await
            .unwrap();
        assert!(response.bytes().await.is_err());
    }
    assert_eq!(server.counters().lost, 2);
    let mut plain = body();
    server.set_script(Script::default());
    let (_, answer) = post(&server, "/v1/responses", &plain).await;
    let id = answer["id"].as_str().unwrap();
    reaches(&server, id, "completed").await;
    assert_eq!(
        post(&server, &format!("/v1/responses/{id}/cancel"), &json!({}))
            .await
            .0,
        400
    );
    plain["store"] = false.into();
    let (_, answer) = post(&server, "/v1/responses", &plain).await;
    assert_eq!(
        get(
            &server,
            &format!("/v1/responses/{}", answer["id"].as_str().unwrap())
        )
        .await
        .0,
        404
    );
}

#[tokio::test]
async fn what_is_paid_twice_is_counted() {
    let (server, client) = fake(
        Script::default()
            .then(Behaviour::error(500))
            .then(Behaviour::error(429)),
    );
    for _ in 0..3 {
        client.call(&request()).await;
    }
    let counters = server.counters();
    assert_eq!(
        (counters.accepted, counters.not_processed, counters.repeated),
        (2, 1, 1)
    );
}

#[tokio::test]
async fn stopping_breaks_off_what_waits() {
    let server = Server::start(
        ANY,
        Script::default()
            .then(Behaviour::Hang)
            .with_latency(Duration::from_mins(1)),
    )
    .unwrap();
    let address = server.address();
    let waiting: Vec<_> = (0..2)
        .map(|_| {
            let request = reqwest::Client::new()
                .post(url(&server, "/v1/responses"))
                .json(&body());
            tokio::spawn(request.send())
        })
        .collect();
    while server.counters().in_flight < 2 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    tokio::time::timeout(Duration::from_secs(30), server.stop())
        .await
        .unwrap();
    for waiting in waiting {
        assert!(waiting.await.unwrap().is_err());
    }
    // The address is free again.
    Server::start(address, Script::default()).unwrap();
}

#[tokio::test]
async fn the_same_requests_get_the_same_answers() {
    let mut runs = Vec::new();
    for _ in 0..2 {
        let (server, _) = fake(Script::default());
        let mut answers = Vec::new();
        for _ in 0..3 {
            answers.push(post(&server, "/v1/responses", &body()).await.1);
        }
        runs.push(answers);
    }
    assert_eq!(runs[0], runs[1]);
    let ids: std::collections::BTreeSet<_> = runs[0]
        .iter()
        .map(|answer| answer["id"].to_string())
        .collect();
    assert_eq!(ids.len(), 3);
}
