//! generate-cv-from-session: readiness, the latch, force, refs, and calls of unknown outcome.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use e2e::backing::Backing;
use e2e::system::script;
use serde_json::{Value, json};
use storage::names::Container;

use super::{has, start};

e2e::on_both_storages!(
    a_session_that_is_not_ready_is_refused,
    asked_again_the_same_pdf_comes_back_and_nothing_is_paid,
    pdfs_are_fetched_by_their_refs,
    an_unknown_outcome_needs_consent,
    what_takes_too_long_is_answered_202,
    a_pdf_that_is_gone_is_made_again_from_the_stored_reply,
);

async fn a_session_that_is_not_ready_is_refused(backing: Backing) {
    let system = start(backing, &[]);
    let id = system.uploaded("01_software_engineer_en").await;
    let (status, refused) = system
        .post("generate-cv-from-session", json!({"session_id": id}))
        .await;
    assert_eq!(
        (status, &refused["error"]),
        (400, &json!("readiness_not_met"))
    );
    has(&refused, &["message", "readiness", "run_summary"]);
    assert_eq!(refused["run_summary"]["model_calls"], 0);
    let missing = refused["readiness"]["missing"].as_array().unwrap();
    assert!(missing.contains(&json!("contact_not_confirmed")));
    let (status, gone) = system
        .post(
            "generate-cv-from-session",
            json!({"session_id": "6f1de0c4-7fbc-4d3e-9a4c-0d2c4f2f3f11"}),
        )
        .await;
    assert_eq!(
        (status, gone),
        (404, json!({"error": "Session not found or expired"}))
    );
    let id = system.ready(1).await;
    let long = json!({"session_id": id, "field_path": "profile", "value": "x".repeat(700)});
    system.ok("update-cv-field", long).await;
    let (status, refused) = system
        .post("generate-cv-from-session", json!({"session_id": id}))
        .await;
    assert_eq!(
        (status, &refused["error"]),
        (400, &json!("Validation failed"))
    );
    let fault = &refused["validation"]["errors"][0];
    assert_eq!(
        (
            &fault["field"],
            &fault["current_value"],
            &fault["limit"],
            &fault["excess"]
        ),
        (&json!("profile"), &json!(700), &json!(320), &json!(380))
    );
    assert_eq!(system.model.counters().received, 0);
}

async fn asked_again_the_same_pdf_comes_back_and_nothing_is_paid(backing: Backing) {
    let system = start(backing, &[]);
    let id = system.ready(2).await;
    let first = system.pdf(&id, json!({})).await;
    has(
        &first,
        &["success", "pdf_base64", "validation", "run_summary"],
    );
    let run = &first["run_summary"];
    assert_eq!(
        (
            &run["model_calls"],
            &run["model_calls_now"],
            &run["latch_engaged"]
        ),
        (&json!(1), &json!(1), &json!(false))
    );
    assert!(
        STANDARD
            .decode(first["pdf_base64"].as_str().unwrap())
            .unwrap()
            .starts_with(b"%PDF")
    );

    for _ in 0..2 {
        let again = system.pdf(&id, json!({})).await;
        let run = &again["run_summary"];
        assert_eq!(
            (
                &run["model_calls"],
                &run["model_calls_now"],
                &run["latch_engaged"]
            ),
            (&json!(1), &json!(0), &json!(true))
        );
        assert_eq!(again["pdf_base64"], first["pdf_base64"]);
    }
    assert_eq!(system.model.counters().accepted, 1);

    let edit = json!({"session_id": id, "field_path": "work_experience[0].bullets[0]", "value": "Something else entirely."});
    system.ok("update-cv-field", edit).await;
    let edited = system.pdf(&id, json!({})).await;
    assert_eq!(edited["run_summary"]["latch_engaged"], false);
    assert_ne!(edited["pdf_base64"], first["pdf_base64"]);
    assert_eq!(
        system.pdf(&id, json!({"language": "de"})).await["run_summary"]["latch_engaged"],
        false
    );
    assert_eq!(
        system.pdf(&id, json!({"force": true})).await["run_summary"]["model_calls_now"],
        1
    );
    assert_eq!(system.model.counters().accepted, 4);
    let (status, answer) = system
        .post(
            "generate-cv-from-session",
            json!({"session_id": id, "language": "tlh"}),
        )
        .await;
    assert_eq!(status, 400, "{answer:#}");
}

async fn pdfs_are_fetched_by_their_refs(backing: Backing) {
    let system = start(backing, &[]);
    let id = system.ready(3).await;
    let made = system.pdf(&id, json!({})).await;
    let session = system.session(&id).await;
    let refs = session["metadata"]["pdf_refs"].as_object().unwrap();
    assert_eq!(refs.len(), 1);
    let (name, facts) = refs.iter().next().unwrap();
    has(
        facts,
        &[
            "container",
            "blob_name",
            "created_at",
            "sha256",
            "size_bytes",
            "render_ms",
            "pages",
            "validation_passed",
            "download_name",
        ],
    );
    assert_eq!(facts["container"], "cv-pdfs");
    let call =
        json!({"tool_name": "get_pdf_by_ref", "params": {"session_id": id, "pdf_ref": name}});
    let response = system.raw("cv-tool-call-handler", &call).await;
    assert_eq!(response.headers()["content-type"], "application/pdf");
    let disposition = response.headers()["content-disposition"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(
        disposition.starts_with("attachment; filename=\"CV_"),
        "{disposition}"
    );
    assert!(disposition.contains("filename*=UTF-8''"), "{disposition}");
    let pdf = response.bytes().await.unwrap();
    assert_eq!(STANDARD.encode(&pdf), made["pdf_base64"].as_str().unwrap());
    let (status, none) = system
        .tool("get_pdf_by_ref", &id, json!({"pdf_ref": "nothing"}))
        .await;
    assert_eq!((status, &none["error"]), (404, &json!("pdf_ref_not_found")));
    // Another session's PDF is not this one's.
    let other = system.ready(4).await;
    let (status, none) = system
        .tool("get_pdf_by_ref", &other, json!({"pdf_ref": name}))
        .await;
    assert_eq!((status, &none["error"]), (404, &json!("pdf_ref_not_found")));
    let blobs = system.backing.storage().await.blobs;
    blobs
        .delete(Container::CvPdfs, facts["blob_name"].as_str().unwrap())
        .await
        .unwrap();
    let (status, gone) = system
        .tool("get_pdf_by_ref", &id, json!({"pdf_ref": name}))
        .await;
    assert_eq!((status, &gone["error"]), (404, &json!("pdf_blob_missing")));
}

async fn an_unknown_outcome_needs_consent(backing: Backing) {
    let system = start(backing, &[]);
    let id = system.ready(5).await;
    let cv = e2e::unique_cv(50);
    system
        .model
        .set_script(script(json!({"default": {"do": "reset"}})));
    let calls: [(&str, Value); 2] = [
        ("generate-cv-from-session", json!({"session_id": id})),
        ("generate-cv-action", json!({"cv_data": cv})),
    ];
    for (route, body) in &calls {
        system.model.reset();
        for _ in 0..2 {
            let (status, held) = system.post(route, body.clone()).await;
            assert_eq!(
                (status, &held["error"]),
                (409, &json!("generation_outcome_unknown")),
                "{route}: {held:#}"
            );
            has(&held, &["message", "job_id"]);
        }
        assert_eq!(
            system.model.counters().received,
            1,
            "{route}: not repeated without consent"
        );
    }
    system.model.set_script(script(json!({})));
    for (route, body) in &calls {
        let mut body = body.clone();
        body["force"] = json!(true);
        let made = system.ok(route, body).await;
        assert_eq!(made["run_summary"]["model_calls_now"], 1, "{route}");
    }
}

async fn what_takes_too_long_is_answered_202(backing: Backing) {
    // The call is still out when both requests have been answered.
    let system = start(backing, &[("cv.sync_wait", "200ms")]);
    system.model.set_script(script(json!({"latency": "8s"})));
    let id = system.ready(6).await;
    let (status, waiting) = system
        .post("generate-cv-from-session", json!({"session_id": id}))
        .await;
    assert_eq!(
        (status, &waiting["success"], &waiting["pdf_base64"]),
        (202, &json!(false), &Value::Null)
    );
    assert_eq!(waiting["session_id"], json!(id));
    let job = waiting["job_id"].as_str().unwrap();
    assert_eq!(waiting["status_url"], json!(format!("/v1/jobs/{job}")));
    // Asked again while it is at work: the same job.
    let (status, again) = system
        .post("generate-cv-from-session", json!({"session_id": id}))
        .await;
    assert_eq!((status, &again["job_id"]), (202, &json!(job)));
    assert_eq!(system.api.ended(job).await.unwrap()["state"], "succeeded");
    assert_eq!(system.model.counters().accepted, 1);
}

async fn a_pdf_that_is_gone_is_made_again_from_the_stored_reply(backing: Backing) {
    let system = start(backing, &[]);
    let id = system.ready(7).await;
    let first = system.pdf(&id, json!({})).await;
    let session = system.session(&id).await;
    let refs = session["metadata"]["pdf_refs"].as_object().unwrap();
    let blobs = system.backing.storage().await.blobs;
    let path = refs.values().next().unwrap()["blob_name"].as_str().unwrap();
    blobs.delete(Container::CvPdfs, path).await.unwrap();
    let again = system.pdf(&id, json!({})).await;
    assert_eq!(again["pdf_base64"], first["pdf_base64"]);
    assert_eq!(again["run_summary"]["model_calls_now"], 0);
    assert_eq!(system.model.counters().accepted, 1, "no new call");
}
