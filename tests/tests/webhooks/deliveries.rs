//! Retries, dead letters, redelivery, secrets, filters, and the URLs that jobs bring with them.

use std::time::Duration;

use e2e::backing::Backing;
use e2e::eventually;
use e2e::process::run;
use e2e::sink::{Seen, Sink};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{delivered, delivery, is_signed, post, serve, submit, subscribe};

e2e::on_both_storages!(
    a_failed_delivery_is_tried_again_under_the_same_id,
    what_is_given_up_is_a_dead_letter_until_an_operator_decides,
    a_delivery_can_be_made_again_one_or_all_since_a_time,
    a_rotated_secret_signs_beside_the_old_one,
    a_job_brings_a_url_of_its_own,
    events_are_filtered_by_type_and_by_labels,
);

const ONLY: &str = "job.succeeded";

async fn a_failed_delivery_is_tried_again_under_the_same_id(backing: Backing) {
    let sink = Sink::start().await;
    let (_server, api) = serve(&backing, &[("webhooks.hurry", "1000")]);
    let body = json!({"url": sink.url("fail/3"), "events": [ONLY]});
    let (webhook, secret) = subscribe(&api, body).await;
    submit(&api, 1, json!({})).await;
    let seen = sink.wait("fail/3", 4).await;
    for again in &seen {
        assert_eq!(again.body, seen[0].body);
        assert_eq!(again.header("webhook-id"), seen[0].header("webhook-id"));
        assert!(is_signed(again, &secret));
    }
    // 5 s, 5 min and 30 min by the schedule, a thousandth of each here.
    let pause = |n: usize| seen[n].at.saturating_sub(seen[n - 1].at);
    assert!(pause(2) >= Duration::from_millis(300), "{:?}", pause(2));
    assert!(pause(3) >= Duration::from_millis(1_800), "{:?}", pause(3));
    let record = delivery(&api, &webhook, |record| record["state"] == "succeeded").await;
    let attempts = record["attempts"].as_array().unwrap().iter();
    let statuses: Vec<_> = attempts.map(|attempt| attempt["status"].clone()).collect();
    assert_eq!(json!(statuses), json!([500, 500, 500, 200]));
    assert_eq!(record["attempts"][0]["error"], "refused: HTTP 500");
    let path = format!("/v1/webhooks/{webhook}");
    let shown = async || api.get(&path).await.unwrap().1;
    let well = |shown: &Value| shown.get("failing_since").is_none();
    let shown = eventually("the webhook fails no more", shown, well).await;
    assert_eq!(shown.get("secret"), None, "it is shown once");
}

async fn what_is_given_up_is_a_dead_letter_until_an_operator_decides(backing: Backing) {
    let sink = Sink::start().await;
    let hurry = [
        ("webhooks.hurry", "1000000"),
        ("worker.reconcile_every", "100ms"),
    ];
    let (server, api) = serve(&backing, &hurry);
    let body = json!({"url": sink.url("fail/10"), "events": [ONLY]});
    let (webhook, _) = subscribe(&api, body).await;
    let job = submit(&api, 1, json!({})).await;
    let record = delivery(&api, &webhook, |record| record["state"] == "failed").await;
    assert_eq!(sink.count("fail/10"), 10);
    assert_eq!(record["attempts"].as_array().unwrap().len(), 10);
    assert_eq!(record.get("next_attempt_at"), None);

    let letters = |arguments: &[&str]| {
        let arguments: Vec<_> = ["deadletter"].iter().chain(arguments).copied().collect();
        run(&mut backing.presswork(&arguments))
    };
    let listed = letters(&["list"]);
    let event = record["id"].as_str().unwrap();
    assert!(
        listed.out.contains(event) && listed.out.contains(&webhook),
        "{listed:?}"
    );
    let id = listed.out.split_whitespace().next().unwrap().to_owned();
    let shown = letters(&["show", &id]);
    assert!(shown.out.contains("refused: HTTP 500"), "{shown:?}");
    assert!(shown.out.contains(&job), "the record with it: {shown:?}");
    let requeued = letters(&["requeue", &id]);
    assert!(requeued.status.success(), "{requeued:?}");
    // The eleventh goes well.
    delivery(&api, &webhook, |record| record["state"] == "succeeded").await;
    assert!(
        letters(&["list"]).out.contains("nothing"),
        "{:?}",
        letters(&["list"])
    );
    assert!(!letters(&["show", &id]).status.success());
    drop(server);

    let (_server, api) = serve(&backing, &hurry);
    let body = json!({"url": sink.url("status/404"), "events": [ONLY]});
    let (webhook, _) = subscribe(&api, body).await;
    submit(&api, 2, json!({})).await;
    delivery(&api, &webhook, |record| record["state"] == "failed").await;
    let dropped = letters(&["drop", "all"]);
    assert!(dropped.status.success(), "{dropped:?}");
    assert!(letters(&["list"]).out.contains("nothing"));
}

async fn a_delivery_can_be_made_again_one_or_all_since_a_time(backing: Backing) {
    let sink = Sink::start().await;
    let (_server, api) = serve(&backing, &[]);
    let body = json!({"url": sink.url("ok"), "events": [ONLY]});
    let (webhook, _) = subscribe(&api, body).await;
    // One after the other, so that no two are of one moment.
    let mut seen = Vec::new();
    for number in 0..3 {
        submit(&api, number, json!({})).await;
        seen = sink.wait("ok", seen.len() + 1).await;
    }
    let records = delivered(&api, &webhook).await;
    let event = records[0]["id"].as_str().unwrap();
    let one = format!("/v1/webhooks/{webhook}/deliveries/{event}");
    post(&api, &format!("{one}/redeliver"), StatusCode::ACCEPTED).await;
    let again = sink.wait("ok", 4).await.pop().unwrap();
    assert_eq!(again.header("webhook-id"), event);
    assert!(seen.iter().any(|seen| seen.body == again.body));

    let all = format!("/v1/webhooks/{webhook}/redeliver");
    let since = &records[2]["created_at"];
    let (status, done) = api.post(&all, &json!({"since": since})).await.unwrap();
    assert_eq!(
        (status, &done["redelivered"]),
        (StatusCode::ACCEPTED, &json!(0))
    );
    let body = json!({"since": since, "succeeded_too": true});
    // Until the one that was just made again is recorded it is under way by itself.
    delivered(&api, &webhook).await;
    let (_, done) = api.post(&all, &body).await.unwrap();
    assert_eq!(done["redelivered"], 3, "{done:#}");
    sink.wait("ok", 7).await;
    let since = &records[0]["created_at"];
    delivered(&api, &webhook).await;
    let body = json!({"since": since, "succeeded_too": true});
    let (_, done) = api.post(&all, &body).await.unwrap();
    assert_eq!(done["redelivered"], 1);
    sink.wait("ok", 8).await;

    let tested = post(
        &api,
        &format!("/v1/webhooks/{webhook}/test"),
        StatusCode::ACCEPTED,
    )
    .await;
    assert_eq!(tested["type"], "webhook.test");
    let test = sink.wait("ok", 9).await.pop().unwrap();
    assert_eq!(test.json()["data"]["webhook_id"], webhook.as_str());
    for missing in [
        "/v1/webhooks/wh_00000000000000000000000000000000/test".to_owned(),
        "/v1/webhooks/x/test".to_owned(),
        format!("/v1/webhooks/{webhook}/deliveries/evt_000000000000_x/redeliver"),
        format!("/v1/webhooks/{webhook}/deliveries/x~y/redeliver"),
    ] {
        post(&api, &missing, StatusCode::NOT_FOUND).await;
    }
}

async fn a_rotated_secret_signs_beside_the_old_one(backing: Backing) {
    let sink = Sink::start().await;
    let own = webhook::Secret::generate([9; 32]).to_text();
    // As long as it goes on it cannot be over by mistake, and what is over needs no haste.
    for (number, overlap, is_over) in [(1, "1h", false), (2, "1s", true)] {
        let (_server, api) = serve(&backing, &[("webhooks.secret_overlap", overlap)]);
        let path = format!("ok/{overlap}");
        let body = json!({"url": sink.url(&path), "events": [ONLY], "secret": own});
        let (webhook, old) = subscribe(&api, body).await;
        assert_eq!(own, old);
        let rotate = format!("/v1/webhooks/{webhook}/rotate");
        let rotated = post(&api, &rotate, StatusCode::OK).await;
        let new = rotated["secret"].as_str().unwrap();
        assert_ne!(new, old);
        if is_over {
            tokio::time::sleep(Duration::from_millis(2_100)).await;
        }
        submit(&api, number, json!({})).await;
        let seen = sink.wait(&path, 1).await.pop().unwrap();
        assert!(is_signed(&seen, new), "{overlap}");
        assert_eq!(is_signed(&seen, &old), !is_over, "{overlap}");
        let signatures = seen.header("webhook-signature").split(' ').count();
        assert_eq!(signatures, if is_over { 1 } else { 2 }, "{overlap}");
    }
}

async fn a_job_brings_a_url_of_its_own(backing: Backing) {
    let sink = Sink::start().await;
    let (_server, api) = serve(&backing, &[]);
    let job = submit(&api, 1, json!({"callback_url": sink.url("fail/1")})).await;
    let seen = sink.wait("fail/1", 1).await.pop().unwrap();
    let event = seen.json();
    assert_eq!(
        (&event["type"], &event["data"]["job_id"]),
        (&json!(ONLY), &json!(job))
    );
    let (_, secret) = api.get("/v1/webhooks/callback-secret").await.unwrap();
    assert!(is_signed(&seen, secret["secret"].as_str().unwrap()));
    let record = delivery(&api, "callback", |record| {
        record["attempts"][0]["status"] == 500
    })
    .await;
    assert_eq!(record["url"], sink.url("fail/1"));
    let rotated = post(&api, "/v1/webhooks/callback-secret/rotate", StatusCode::OK).await;
    assert_ne!(rotated["secret"], secret["secret"]);
    let path = format!(
        "/v1/webhooks/callback/deliveries/{}",
        record["id"].as_str().unwrap()
    );
    post(&api, &format!("{path}/redeliver"), StatusCode::ACCEPTED).await;
    // Its own second attempt may have come before that.
    let seen = async || sink.seen("fail/1");
    let by_both = |seen: &Seen| {
        [&secret, &rotated]
            .iter()
            .all(|of| is_signed(seen, of["secret"].as_str().unwrap()))
    };
    let signed = |seen: &Vec<Seen>| seen.iter().any(by_both);
    eventually("it comes again, signed with both secrets", seen, signed).await;
    for wrong in [
        "ftp://example.com/",
        "hello",
        "http://169.254.169.254/latest",
    ] {
        let body = json!({"kind": "cv", "input": {"cv": e2e::unique_cv(2)}, "callback_url": wrong});
        let (status, problem) = api.post("/v1/jobs", &body).await.unwrap();
        assert_eq!(status, StatusCode::BAD_REQUEST, "{wrong}: {problem:#}");
        assert_eq!(problem["errors"][0]["path"], "callback_url", "{problem:#}");
    }
}

async fn events_are_filtered_by_type_and_by_labels(backing: Backing) {
    let sink = Sink::start().await;
    let (_server, api) = serve(&backing, &[]);
    let north =
        json!({"url": sink.url("ok/north"), "metadata": {"team": "north"}, "events": [ONLY]});
    subscribe(&api, north).await;
    let (failed, _) = subscribe(
        &api,
        json!({"url": sink.url("ok/failed"), "events": ["job.failed"]}),
    )
    .await;
    subscribe(&api, json!({"url": sink.url("ok/all"), "events": [ONLY]})).await;
    submit(&api, 1, json!({"metadata": {"team": "south"}})).await;
    submit(&api, 2, json!({})).await;
    let last = submit(&api, 3, json!({"metadata": {"team": "north", "x": "y"}})).await;
    let seen = sink.wait("ok/north", 1).await;
    assert_eq!(seen[0].json()["data"]["job_id"], last.as_str());
    // Each has been told of to whoever wanted it then.
    sink.wait("ok/all", 3).await;
    // It wants something else from now on, and nothing after that.
    let change = async |body: Value| {
        let path = format!("/v1/webhooks/{failed}");
        let response = api.request(Method::PATCH, &path).json(&body).send().await;
        assert_eq!(response.unwrap().status(), StatusCode::OK);
    };
    change(json!({"events": [ONLY]})).await;
    submit(&api, 4, json!({})).await;
    sink.wait("ok/failed", 1).await;
    change(json!({"enabled": false})).await;
    submit(&api, 5, json!({"metadata": {"team": "north"}})).await;
    sink.wait("ok/north", 2).await;
    assert_eq!((sink.count("ok/failed"), sink.count("ok/north")), (1, 2));
}
