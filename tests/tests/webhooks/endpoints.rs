//! Webhooks themselves: made, read, changed, deleted; and disabled by what their endpoints do.

use e2e::api::Api;
use e2e::backing::Backing;
use e2e::eventually;
use e2e::process::Server;
use e2e::sink::Sink;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{deliveries, delivery, open, post, serve, submit, subscribe};

e2e::on_both_storages!(
    a_webhook_lives_and_dies,
    an_endpoint_that_is_gone_is_disabled_at_once_and_others_are_told,
    an_endpoint_that_fails_for_days_is_disabled,
);

async fn a_webhook_lives_and_dies(backing: Backing) {
    // As it is in earnest: nothing private, nothing plain.
    let server = Server::start(&mut backing.serve(&[
        ("model.editor", "offline"),
        ("webhooks.max_per_tenant", "2"),
    ]));
    let api = Api::new(&server.url);
    for (wrong, path) in [
        (json!({}), "url"),
        (json!({"url": "http://example.com/"}), "url"),
        (json!({"url": "https://127.0.0.1/"}), "url"),
        (json!({"url": "https://[::ffff:10.0.0.1]/"}), "url"),
        (json!({"url": "https://localhost/"}), "url"),
        (json!({"url": "https://u:p@example.com/"}), "url"),
        (json!({"url": "https://example.com/", "pull": true}), "url"),
        (
            json!({"url": "https://example.com/", "events": ["job.done"]}),
            "events[0]",
        ),
        (
            json!({"url": "https://example.com/", "secret": "hunter2"}),
            "secret",
        ),
        (
            json!({"url": "https://example.com/", "colour": "red"}),
            "colour",
        ),
    ] {
        let (status, problem) = api.post("/v1/webhooks", &wrong).await.unwrap();
        assert_eq!(status, StatusCode::BAD_REQUEST, "{wrong}: {problem:#}");
        assert_eq!(problem["errors"][0]["path"], path, "{wrong}: {problem:#}");
    }
    let (one, _) = subscribe(&api, json!({"url": "https://example.com/hook"})).await;
    let (two, _) = subscribe(&api, json!({"pull": true, "description": "x"})).await;
    let more = json!({"url": "https://example.com/"});
    let (status, _) = api.post("/v1/webhooks", &more).await.unwrap();
    assert_eq!(status, StatusCode::CONFLICT);
    let (_, page) = api.get("/v1/webhooks?limit=1").await.unwrap();
    assert_eq!(page["webhooks"].as_array().unwrap().len(), 1);
    let cursor = page["next_cursor"].as_str().unwrap();
    let (_, rest) = api
        .get(&format!("/v1/webhooks?cursor={cursor}"))
        .await
        .unwrap();
    let ids: Vec<_> = [&page, &rest]
        .iter()
        .flat_map(|page| page["webhooks"].as_array().unwrap())
        .collect();
    let mut ids: Vec<_> = ids
        .iter()
        .map(|webhook| webhook["id"].as_str().unwrap())
        .collect();
    ids.sort_unstable();
    let mut both = [one.as_str(), two.as_str()];
    both.sort_unstable();
    assert_eq!(ids, both);
    for wrong in [
        "/v1/webhooks?limit=0",
        "/v1/webhooks?cursor=%25",
        "/v1/webhooks?cursor=AAAA",
    ] {
        let (status, _) = api.get(wrong).await.unwrap();
        assert_eq!(status, StatusCode::BAD_REQUEST, "{wrong}");
    }
    let path = format!("/v1/webhooks/{one}");
    let change = async |body: Value| {
        let response = api
            .request(Method::PATCH, &path)
            .json(&body)
            .send()
            .await
            .unwrap();
        (response.status(), response.json::<Value>().await.unwrap())
    };
    let (status, _) = change(json!({"url": "https://10.1.2.3/"})).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let (status, changed) = change(json!({"url": "https://example.org/b", "enabled": false})).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(changed["disabled"]["reason"], "owner");
    post(&api, &format!("{path}/test"), StatusCode::CONFLICT).await;
    let (_, read) = api.get(&path).await.unwrap();
    assert_eq!(read, changed);
    let delete = async || {
        api.request(Method::DELETE, &path)
            .send()
            .await
            .unwrap()
            .status()
    };
    assert_eq!(delete().await, StatusCode::NO_CONTENT);
    assert_eq!(delete().await, StatusCode::NOT_FOUND);
    let (status, _) = api.get(&path).await.unwrap();
    assert_eq!(status, StatusCode::NOT_FOUND);
}

async fn an_endpoint_that_is_gone_is_disabled_at_once_and_others_are_told(backing: Backing) {
    let sink = Sink::start().await;
    let (_server, api) = serve(&backing, &[]);
    let (gone, _) = subscribe(
        &api,
        json!({"url": sink.url("status/410"), "events": ["job.succeeded"]}),
    )
    .await;
    subscribe(
        &api,
        json!({"url": sink.url("ok/disabled"), "events": ["webhook.disabled"]}),
    )
    .await;
    subscribe(
        &api,
        json!({"url": sink.url("ok/other"), "events": ["job.succeeded"]}),
    )
    .await;
    submit(&api, 1, json!({})).await;
    let told = sink.wait("ok/disabled", 1).await.pop().unwrap().json();
    assert_eq!(told["data"]["webhook_id"], gone.as_str());
    assert_eq!(told["data"]["disabled"]["reason"], "gone");
    let (_, shown) = api.get(&format!("/v1/webhooks/{gone}")).await.unwrap();
    assert_eq!(
        (&shown["enabled"], &shown["disabled"]),
        (&json!(false), &told["data"]["disabled"])
    );
    let record = delivery(&api, &gone, |record| record["state"] == "failed").await;
    assert_eq!(record["attempts"][0]["status"], 410);
    submit(&api, 2, json!({})).await;
    // One reading of the tenant's webhooks decides for all of them.
    sink.wait("ok/other", 2).await;
    assert_eq!(sink.count("status/410"), 1, "nothing further is sent");
    assert_eq!(deliveries(&api, &gone).await.len(), 1);
    // It is mended and enabled: what was lost comes on request.
    let path = format!("/v1/webhooks/{gone}");
    let mended = json!({"url": sink.url("ok/mended"), "enabled": true});
    let response = api
        .request(Method::PATCH, &path)
        .json(&mended)
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let since = json!({"since": "2020-01-01T00:00:00Z"});
    let (_, done) = api
        .post(&format!("{path}/redeliver"), &since)
        .await
        .unwrap();
    assert_eq!(done["redelivered"], 1);
    let again = sink.wait("ok/mended", 1).await.pop().unwrap();
    assert_eq!(again.header("webhook-id"), record["id"]);
}

async fn an_endpoint_that_fails_for_days_is_disabled(backing: Backing) {
    let sink = Sink::start().await;
    let settings = open(&[("webhooks.hurry", "1000"), ("webhooks.disable_after", "1s")]);
    let server = Server::start(&mut backing.serve(&settings));
    let api = Api::new(&server.url);
    let (bad, _) = subscribe(
        &api,
        json!({"url": sink.url("status/503"), "events": ["job.succeeded"]}),
    )
    .await;
    submit(&api, 1, json!({})).await;
    let path = format!("/v1/webhooks/{bad}");
    let shown = async || api.get(&path).await.unwrap().1;
    let disabled = |shown: &Value| shown["enabled"] == false;
    let shown = eventually("the webhook is disabled", shown, disabled).await;
    assert_eq!(shown["disabled"]["reason"], "failing", "{shown:#}");
    let note = shown["disabled"]["note"].as_str().unwrap();
    assert!(note.contains("503"), "{note}");
    // What was still to be tried is given up, and stands in the dead letters.
    let record = delivery(&api, &bad, |record| record["state"] == "failed").await;
    assert_eq!(record["note"], "the webhook is disabled");
}
