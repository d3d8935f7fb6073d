//! Requests and answers against the published description of the API.

use jsonschema::Validator;
use openai::StoredPrompt;
use openai::fake::{Behaviour, ErrorReply, Script};
use serde_json::{Value, json};

use crate::server::{get, post};
use crate::{fake, request};

/// A validator for one schema of the description, with its references.
fn validator(name: &str) -> Validator {
    let mut document: Value = serde_json::from_str(include_str!(
        "../../../../tests/data/openai/responses.openapi.json"
    ))
    .unwrap();
    assert!(
        document["components"]["schemas"][name].is_object(),
        "{name}"
    );
    // OpenAPI 3.1 schemas are JSON Schema 2020-12.
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$ref": format!("#/components/schemas/{name}"),
        "components": document["components"].take(),
    });
    jsonschema::options().build(&schema).unwrap()
}

fn check(validator: &Validator, value: &Value, what: &str) {
    let faults: Vec<_> = validator
        .iter_errors(value)
        .map(|e| format!("{} at {}", e, e.instance_path()))
        .collect();
    assert!(faults.is_empty(), "{what}: {faults:#?}\n{value:#}");
}

#[test]
fn the_description_can_say_no() {
    assert!(
        !validator("CreateResponse")
            .is_valid(&json!({"model": "m", "input": "i", "metadata": {"k": 1}}))
    );
    assert!(!validator("Response").is_valid(&json!({"id": "resp_1"})));
    assert!(!validator("ErrorResponse").is_valid(&json!({"error": "text"})));
}

#[tokio::test]
async fn requests_of_the_client() {
    let (server, client) = fake(Script::default());
    client.call(&request()).await;
    let mut stored = request();
    stored.max_output_tokens = None;
    stored.stored_prompt = Some(StoredPrompt {
        id: "pmpt_1".into(),
        version: Some("3".into()),
        variables: json!({"tone": "plain"}).as_object().unwrap().clone(),
    });
    client.call(&stored).await;
    let validator = validator("CreateResponse");
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    for request in requests {
        check(&validator, &request, "request");
    }
}

#[tokio::test]
async fn answers_of_the_fake() {
    let (server, client) = fake(Script::default());
    client.call(&request()).await;
    let mut body = server.requests().remove(0);
    body["store"] = true.into();
    let (response, error) = (validator("Response"), validator("ErrorResponse"));
    for behaviour in [
        Behaviour::reply(),
        Behaviour::Reply {
            text: Some("text".into()),
        },
        Behaviour::NotJson,
        Behaviour::BreaksSchema,
        Behaviour::Refusal,
        Behaviour::Incomplete {
            reason: "max_output_tokens".into(),
        },
        Behaviour::Incomplete {
            reason: "content_filter".into(),
        },
        Behaviour::Failed {
            code: "server_error".into(),
        },
    ] {
        server.set_script(Script::always(behaviour.clone()));
        let (status, answer) = post(&server, "/v1/responses", &body).await;
        assert_eq!(status, 200);
        check(&response, &answer, &format!("{behaviour:?}"));
        let id = answer["id"].as_str().unwrap();
        let (status, stored) = get(&server, &format!("/v1/responses/{id}")).await;
        assert_eq!(status, 200);
        check(&response, &stored, &format!("{behaviour:?}, stored"));
    }
    for status in [400, 401, 408, 429, 500, 503] {
        server.set_script(Script::always(Behaviour::Error(ErrorReply {
            status,
            ..ErrorReply::default()
        })));
        let (got, answer) = post(&server, "/v1/responses", &body).await;
        assert_eq!(got, status);
        check(&error, &answer, &status.to_string());
    }
}

#[tokio::test]
async fn answers_in_the_background() {
    let (server, _) = fake(Script::default());
    let response = validator("Response");
    let body = json!({"model": "m", "input": "i", "background": true});
    let (_, queued) = post(&server, "/v1/responses", &body).await;
    check(&response, &queued, "queued");
    let (_, cancelled) = post(
        &server,
        &format!("/v1/responses/{}/cancel", queued["id"].as_str().unwrap()),
        &json!({}),
    )
    .await;
    assert_eq!(cancelled["status"], "cancelled");
    check(&response, &cancelled, "cancelled");
}

#[tokio::test]
async fn refusals_of_the_fake() {
    let (server, _) = fake(Script::default());
    let error = validator("ErrorResponse");
    for (status, answer) in [
        post(&server, "/v1/responses", &json!({"input": "no model"})).await,
        post(&server, "/v1/nowhere", &json!({})).await,
        post(&server, "/v1/responses/resp_none/cancel", &json!({})).await,
        get(&server, "/v1/responses/resp_none").await,
        get(&server, "/v1/responses").await,
    ] {
        assert!((400..500).contains(&status), "{status}");
        check(&error, &answer, &status.to_string());
    }
}
