//! Quotes and filter syntax in everything that could reach a key or a filter of a table, by the
//! service's own list of its parameters.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use e2e::api::Api;
use e2e::backing::Backing;
use reqwest::Method;
use serde_json::{Value, json};

use super::Target;

e2e::on_both_storages!(quotes_in_every_parameter_change_nothing,);

/// Percent-encoded, so that each reaches its handler.
const HOSTILE: [&str; 9] = [
    "%27",
    "%27%27",
    "%27%20or%20RowKey%20ge%20%27",
    "x%27%20or%20PartitionKey%20ne%20%27",
    "%22%3B--",
    "~",
    "j~0",
    "%25%27",
    "%F0%9F%93%84%27%0A",
];

async fn quotes_in_every_parameter_change_nothing(backing: Backing) {
    let target = Target::start(backing, &[]);
    let api = Api::new(&target.server.url);
    let own = api.submit(&e2e::unique_cv(7), json!({})).await.unwrap();
    let (_, document) = api.get("/openapi.json").await.unwrap();
    let mut tried = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            for value in HOSTILE {
                tried += attack(&api, path, method, operation, value).await;
            }
        }
    }
    for raw in [
        "'",
        "j~'~x",
        "' or RowKey ge '",
        "{\"a\":\"'\"}",
        "~~",
        "j~\u{10ffff}",
    ] {
        for plain in [raw.to_owned(), format!("00000000{raw}")] {
            let cursor = URL_SAFE_NO_PAD.encode(plain);
            for list in [
                "/v1/jobs",
                "/v1/webhooks",
                "/v1/webhooks/callback/deliveries",
            ] {
                let response = api.request(Method::GET, &format!("{list}?cursor={cursor}"));
                let status = response.send().await.unwrap().status().as_u16();
                assert!(status < 500, "{list}, cursor {raw}: {status}");
                tried += 1;
            }
        }
        for (route, body) in [
            ("get-cv-session", json!({ "session_id": raw })),
            (
                "update-cv-field",
                json!({ "session_id": raw, "field_path": raw, "value": raw }),
            ),
            (
                "cv-tool-call-handler",
                json!({ "tool_name": "get_pdf_by_ref", "session_id": raw, "params": { "pdf_ref": raw } }),
            ),
            ("generate-cv-from-session", json!({ "session_id": raw })),
        ] {
            let (status, answer) = api.post(&format!("/api/{route}"), &body).await.unwrap();
            assert!(status.is_client_error(), "{route}: {status} {answer}");
            tried += 1;
        }
        let key = raw
            .chars()
            .filter(char::is_ascii)
            .collect::<String>()
            .replace('"', "");
        let body =
            json!({ "kind": "cv", "input": { "cv": e2e::unique_cv(7) }, "metadata": { raw: raw } });
        let response = api
            .request(Method::POST, "/v1/jobs")
            .header("idempotency-key", key)
            .json(&body);
        let status = response.send().await.unwrap().status().as_u16();
        assert!(status < 500, "{raw}: {status}");
        tried += 1;
    }
    println!("{tried} requests with quotes, none of them a 5xx");
    let (status, job) = api.get(&format!("/v1/jobs/{own}")).await.unwrap();
    assert!(status.is_success(), "{job}");
}

/// The value in each parameter of the path and of the query, all others as in their examples.
async fn attack(api: &Api, path: &str, method: &str, operation: &Value, value: &str) -> usize {
    let method: Method = method.to_uppercase().parse().unwrap();
    let parameters = operation["parameters"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let (mut filled, mut query) = (path.to_owned(), Vec::new());
    for parameter in &parameters {
        let name = parameter["name"].as_str().unwrap();
        match parameter["in"].as_str() {
            Some("path") => filled = filled.replace(&format!("{{{name}}}"), value),
            Some("query") => query.push(format!("{name}={value}")),
            _ => {}
        }
    }
    let mut targets: Vec<_> = query.iter().map(|one| format!("{filled}?{one}")).collect();
    if filled != path {
        targets.push(filled);
    }
    let count = targets.len();
    for target in targets {
        let response = api.request(method.clone(), &target).json(&json!({}));
        let response = response.send().await.unwrap();
        let status = response.status().as_u16();
        assert!(
            status < 500,
            "{method} {target}: {status} {}",
            response.text().await.unwrap()
        );
    }
    count
}
