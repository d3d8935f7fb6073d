//! Jobs through the real HTTP API of `presswork serve`, with a fake model.

#![allow(
    clippy::unwrap_used,
    reason = "a test may fail at once, in its helpers too"
)]

use e2e::backing::{Backing, DEADLINE};
use e2e::system::{System, fake, script, serve};
use e2e::unique_cv;
use openai::fake::Script;
use reqwest::StatusCode;
use serde_json::json;

e2e::on_both_storages!(
    retry_once_calls_a_second_time_and_flags_it,
    equal_content_is_paid_once_and_force_pays_again,
    jobs_of_equal_content_at_once_share_one_call,
    every_behaviour_of_the_model_has_its_end,
    what_was_not_processed_is_tried_again_without_being_paid_twice,
    the_own_text_is_rendered_where_the_owner_wants_it,
    a_job_can_be_cancelled_before_and_while_it_is_called,
    a_stopped_server_finishes_the_call_that_is_out,
    no_secret_and_no_text_of_a_cv_is_logged_at_trace_level,
);

async fn equal_content_is_paid_once_and_force_pays_again(backing: Backing) {
    let system = System::start(backing, json!({}), &[]);
    let cv = unique_cv(1);
    let mut pdfs = Vec::new();
    for (options, cached, calls_so_far) in [
        (json!({}), false, 1),
        (json!({}), true, 1),
        (json!({"pages": 1}), false, 2),
        (json!({"force": true}), false, 3),
    ] {
        let id = system.api.submit(&cv, options.clone()).await.unwrap();
        let job = system.api.ended(&id).await.unwrap();
        assert_eq!(job["state"], "succeeded", "{job:#}");
        assert_eq!(job["cached"], cached, "{options}: {job:#}");
        assert_eq!(job["model_calls"], u64::from(!cached), "{options}");
        assert_eq!(system.model.counters().accepted, calls_so_far, "{options}");
        pdfs.push(system.api.pdf(&id).await.unwrap());
    }
    assert_eq!(pdfs[0], pdfs[1], "the cached PDF is the very same");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_theme_that_was_edited_under_its_name_is_other_content() {
    let (backing, model) = (Backing::embedded(), fake(json!({})));
    let themes = tempfile::tempdir().unwrap();
    let settings = [("render.themes_dir", themes.path().to_str().unwrap())];
    let mut pdfs = Vec::new();
    for (size, calls_so_far) in [(10, 1), (10, 1), (11, 2)] {
        let theme = format!("extends = \"classic\"\n[sizes]\ntext = {size}\n");
        std::fs::write(themes.path().join("house.toml"), theme).unwrap();
        let (server, api) = serve(&backing, &model, &settings);
        let options = json!({"theme": "house"});
        let id = api.submit(&unique_cv(1), options).await.unwrap();
        let job = api.ended(&id).await.unwrap();
        assert_eq!(job["state"], "succeeded", "{job:#}");
        assert_eq!(model.counters().accepted, calls_so_far, "{job:#}");
        pdfs.push(api.pdf(&id).await.unwrap());
        assert!(server.terminate().0.success());
    }
    assert_eq!(pdfs[0], pdfs[1], "as it was read again it says the same");
    assert_ne!(pdfs[1], pdfs[2]);
}

async fn jobs_of_equal_content_at_once_share_one_call(backing: Backing) {
    let system = System::start(backing, json!({"latency": "300ms"}), &[]);
    let cv = unique_cv(2);
    let mut ids = Vec::new();
    for _ in 0..8 {
        ids.push(system.api.submit(&cv, json!({})).await.unwrap());
    }
    let mut cached = 0;
    for id in &ids {
        let job = system.api.ended(id).await.unwrap();
        assert_eq!(job["state"], "succeeded", "{job:#}");
        cached += u32::from(job["cached"] == true);
    }
    assert_eq!((cached, system.model.counters().accepted), (7, 1));
}

/// What each thing that a model may do leads to.
async fn every_behaviour_of_the_model_has_its_end(backing: Backing) {
    let cases = [
        // behaviour, state, kind of problem, accepted calls
        (json!({"do": "reply"}), "succeeded", None, 1),
        (json!({"do": "unknown_items"}), "succeeded", None, 1),
        (
            json!({"do": "refusal"}),
            "failed",
            Some("/problems/model-failed"),
            1,
        ),
        (
            json!({"do": "incomplete"}),
            "failed",
            Some("/problems/model-failed"),
            1,
        ),
        (
            json!({"do": "not_json"}),
            "failed",
            Some("/problems/model-failed"),
            1,
        ),
        (
            json!({"do": "breaks_schema"}),
            "failed",
            Some("/problems/model-failed"),
            1,
        ),
        (
            json!({"do": "error", "status": 400}),
            "failed",
            Some("/problems/model-failed"),
            0,
        ),
        (
            json!({"do": "error", "status": 401}),
            "failed",
            Some("/problems/model-failed"),
            0,
        ),
        (
            json!({"do": "error", "status": 500}),
            "outcome_unknown",
            Some("/problems/outcome-unknown"),
            1,
        ),
        (
            json!({"do": "error", "status": 503}),
            "outcome_unknown",
            Some("/problems/outcome-unknown"),
            1,
        ),
        (
            json!({"do": "reset"}),
            "outcome_unknown",
            Some("/problems/outcome-unknown"),
            1,
        ),
        (
            json!({"do": "truncated"}),
            "outcome_unknown",
            Some("/problems/outcome-unknown"),
            1,
        ),
        (
            json!({"do": "hang"}),
            "outcome_unknown",
            Some("/problems/outcome-unknown"),
            1,
        ),
    ];
    let system = System::start(backing, json!({}), &DEADLINE);
    for (number, (behaviour, state, problem, accepted)) in cases.into_iter().enumerate() {
        system
            .model
            .set_script(script(json!({"default": behaviour})));
        system.model.reset();
        let id = system
            .api
            .submit(&unique_cv(100 + number as u64), json!({}))
            .await
            .unwrap();
        let job = system.api.ended(&id).await.unwrap();
        assert_eq!(job["state"], state, "{behaviour}: {job:#}");
        assert_eq!(
            job["error"]["type"].as_str(),
            problem,
            "{behaviour}: {job:#}"
        );
        let counters = system.model.counters();
        assert_eq!(
            (counters.received, counters.accepted),
            (1, accepted),
            "{behaviour}"
        );
    }
}

async fn what_was_not_processed_is_tried_again_without_being_paid_twice(backing: Backing) {
    let steps = json!({"steps": [
        {"do": "error", "status": 429, "headers": {"retry-after-ms": "100"}},
        {"do": "error", "status": 503, "code": "server_is_overloaded", "headers": {"retry-after-ms": "100"}},
    ]});
    let system = System::start(backing, steps, &[]);
    let id = system.api.submit(&unique_cv(3), json!({})).await.unwrap();
    let job = system.api.ended(&id).await.unwrap();
    assert_eq!(
        (&job["state"], &job["model_calls"]),
        (&json!("succeeded"), &json!(1)),
        "{job:#}"
    );
    let counters = system.model.counters();
    assert_eq!(
        (counters.received, counters.accepted, counters.not_processed),
        (3, 1, 2)
    );
}

async fn retry_once_calls_a_second_time_and_flags_it(backing: Backing) {
    let steps = json!({"steps": [{"do": "error", "status": 500}]});
    let settings = [&DEADLINE[..], &[("cv.single_call", "retry_once")]].concat();
    let system = System::start(backing, steps, &settings);
    let id = system.api.submit(&unique_cv(30), json!({})).await.unwrap();
    let job = system.api.ended(&id).await.unwrap();
    assert_eq!(job["state"], "succeeded", "{job:#}");
    assert_eq!(job["model_calls"], 2, "{job:#}");
    assert_eq!(job["warnings"][0]["code"], "possible_duplicate_call");
    assert_eq!(system.model.counters().accepted, 2);
}

async fn the_own_text_is_rendered_where_the_owner_wants_it(backing: Backing) {
    let own = json!({"on_model_failure": "render_unpolished"});
    let system = System::start(backing, json!({"default": {"do": "refusal"}}), &[]);
    let id = system.api.submit(&unique_cv(4), own.clone()).await.unwrap();
    let job = system.api.ended(&id).await.unwrap();
    assert_eq!(job["state"], "succeeded", "{job:#}");
    assert_eq!(job["warnings"][0]["code"], "unpolished", "{job:#}");

    system
        .model
        .set_script(script(json!({"default": {"do": "error", "status": 500}})));
    let id = system.api.submit(&unique_cv(5), own).await.unwrap();
    let job = system.api.ended(&id).await.unwrap();
    assert_eq!(job["state"], "outcome_unknown", "{job:#}");
    assert_eq!(&system.api.pdf(&id).await.unwrap()[..5], b"%PDF-");
}

async fn a_job_can_be_cancelled_before_and_while_it_is_called(backing: Backing) {
    // The call is still out when two more requests have been answered.
    let settings = [("worker.concurrency", "1")];
    let system = System::start(backing, json!({"latency": "9s"}), &settings);
    let calling = system.api.submit(&unique_cv(6), json!({})).await.unwrap();
    system
        .api
        .until(&calling, |job| job["phase"] == "calling")
        .await
        .unwrap();
    let queued = system.api.submit(&unique_cv(7), json!({})).await.unwrap();

    let cancel = |id: &str| format!("/v1/jobs/{id}/cancel");
    let (status, job) = system.api.post(&cancel(&queued), &json!({})).await.unwrap();
    assert_eq!(
        (status, &job["state"]),
        (StatusCode::OK, &json!("cancelled"))
    );
    let (status, _) = system
        .api
        .post(&cancel(&calling), &json!({}))
        .await
        .unwrap();
    assert_eq!(status, StatusCode::ACCEPTED);
    system.model.set_script(Script::default());
    let job = system.api.ended(&calling).await.unwrap();
    assert_eq!(job["state"], "cancelled", "{job:#}");
    let (status, problem) = system
        .api
        .post(&cancel(&calling), &json!({}))
        .await
        .unwrap();
    assert_eq!(
        (status, &problem["state"]),
        (StatusCode::OK, &json!("cancelled"))
    );

    let done = system.api.submit(&unique_cv(8), json!({})).await.unwrap();
    system.api.ended(&done).await.unwrap();
    let (status, problem) = system.api.post(&cancel(&done), &json!({})).await.unwrap();
    assert_eq!(
        (status, &problem["type"]),
        (StatusCode::CONFLICT, &json!("/problems/conflict"))
    );
}

async fn a_stopped_server_finishes_the_call_that_is_out(backing: Backing) {
    let system = System::start(backing, json!({"latency": "1s"}), &[]);
    let id = system.api.submit(&unique_cv(9), json!({})).await.unwrap();
    system
        .api
        .until(&id, |job| job["phase"] == "calling")
        .await
        .unwrap();
    let System {
        server,
        model,
        backing,
        ..
    } = system;
    let (status, log) = server.terminate();
    assert!(status.success(), "{log}");

    let (_server, api) = serve(&backing, &model, &[]);
    let (_, job) = api.get(&format!("/v1/jobs/{id}")).await.unwrap();
    assert_eq!(job["state"], "succeeded", "{job:#}");
    assert_eq!(model.counters().accepted, 1);
}

async fn no_secret_and_no_text_of_a_cv_is_logged_at_trace_level(backing: Backing) {
    let settings = [("log.level", "trace"), ("log.format", "json")];
    let steps = json!({"steps": [
        {"do": "reply"}, {"do": "refusal"}, {"do": "error", "status": 500},
        {"do": "error", "status": 401}, {"do": "error", "status": 429, "headers": {"retry-after-ms": "10"}},
    ]});
    let system = System::start(backing, steps, &settings);
    for number in 20..25 {
        let id = system
            .api
            .submit(&unique_cv(number), json!({}))
            .await
            .unwrap();
        system.api.ended(&id).await.unwrap();
    }
    let cv = e2e::sample_cv();
    let (_, log) = system.server.terminate();
    assert!(
        log.lines().count() > 20,
        "the log must hold something to be searched: {log}"
    );
    let secrets = [
        "sk-test-not-a-key".to_owned(),
        cv["full_name"].as_str().unwrap().to_owned(),
        cv["email"].as_str().unwrap().to_owned(),
        cv["work_experience"][0]["employer"]
            .as_str()
            .unwrap()
            .to_owned(),
        cv["work_experience"][0]["bullets"][0].as_str().unwrap()[2..30].to_owned(),
        "plans and runs things".to_owned(),
        storage::azurite::KEY.to_owned(),
        "SharedKey devstore".to_owned(),
        "sig=".to_owned(),
        "The CV is your only evidence".to_owned(),
    ];
    for secret in secrets {
        let line = log.lines().find(|line| line.contains(&secret));
        assert!(line.is_none(), "logged: {line:?}");
    }
}
