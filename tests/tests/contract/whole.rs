//! Whole CVs without a session: generate-cv-action, generate-cv, validate-cv, preview-html.

use e2e::backing::Backing;
use e2e::system::script;
use serde_json::{Value, json};

use super::{docx, has, keys, start};

e2e::on_both_storages!(
    a_whole_cv_becomes_a_pdf,
    faults_have_the_shapes_of_the_contract,
    checks_and_previews_cost_nothing,
    a_model_that_fails_is_told,
);

async fn a_whole_cv_becomes_a_pdf(backing: Backing) {
    let system = start(backing, &[]);
    let cv = e2e::unique_cv(1);
    let plain = system
        .ok("generate-cv-action", json!({"cv_data": cv}))
        .await;
    has(
        &plain,
        &["success", "pdf_base64", "validation", "run_summary"],
    );
    let wrapped = json!({"cv_data": {"cv_data": cv}});
    let wrapped = system.ok("generate-cv-action", wrapped).await;
    assert_eq!(
        wrapped["pdf_base64"], plain["pdf_base64"],
        "unwrapped, and latched"
    );
    assert_eq!(wrapped["run_summary"]["latch_engaged"], true);
    let mut bare = e2e::unique_cv(2);
    bare.as_object_mut().unwrap().remove("photo_url");
    let with_photo =
        json!({"cv_data": bare, "source_docx_base64": docx("03_warehouse_shift_lead_pl")});
    let with_photo = system.ok("generate-cv-action", with_photo).await;
    let without = system
        .ok("generate-cv-action", json!({"cv_data": bare}))
        .await;
    let size = |made: &Value| made["pdf_base64"].as_str().unwrap().len();
    assert!(
        size(&with_photo) > size(&without),
        "the photo of the document is used"
    );

    let pdf = system.raw("generate-cv", &json!({"cv_data": cv})).await;
    assert_eq!(pdf.status().as_u16(), 200);
    assert_eq!(pdf.headers()["content-type"], "application/pdf");
    assert!(pdf.bytes().await.unwrap().starts_with(b"%PDF"));
    assert_eq!(system.model.counters().accepted, 3);
}

async fn faults_have_the_shapes_of_the_contract(backing: Backing) {
    let system = start(backing, &[]);
    let check = async |route: &str, cv_data: Value, error: &str, members: &[&str]| {
        let (status, answer) = system.post(route, json!({"cv_data": cv_data})).await;
        assert_eq!(
            (status, &answer["error"]),
            (400, &json!(error)),
            "{route}: {answer:#}"
        );
        let mut want = members.to_vec();
        want.push("error");
        want.sort_unstable();
        assert_eq!(keys(&answer), want, "{route}");
    };
    let mut wrong = e2e::sample_cv();
    wrong["personal_info"] = json!({});
    let wrong_keys = [
        "wrong_keys_detected",
        "guidance",
        "canonical_schema",
        "example",
        "your_data_keys",
        "action_required",
    ];
    let mut long = e2e::sample_cv();
    long["profile"] = json!("x".repeat(700));
    let nothing = ["required_fields", "example_structure"];
    for route in ["generate-cv-action", "generate-cv"] {
        check(
            route,
            wrong.clone(),
            "Schema validation failed",
            &wrong_keys,
        )
        .await;
        check(route, long.clone(), "Validation failed", &["validation"]).await;
        check(route, Value::Null, "cv_data is required", &nothing).await;
    }
    check(
        "generate-cv-action",
        json!({"full_name": "A"}),
        "CV data incomplete",
        &["issues", "guidance"],
    )
    .await;
    check(
        "generate-cv",
        json!({"full_name": "A"}),
        "CV data validation failed",
        &["validation_errors", "guidance"],
    )
    .await;
    check(
        "validate-cv",
        wrong,
        "Schema validation failed",
        &wrong_keys,
    )
    .await;
    check("validate-cv", Value::Null, "cv_data is required", &nothing).await;
    check(
        "preview-html",
        json!({"contact": {}}),
        "Schema validation failed",
        &wrong_keys,
    )
    .await;
    let bad = system.raw("validate-cv", &json!([1])).await;
    assert_eq!(bad.status().as_u16(), 400);
    has(&bad.json().await.unwrap(), &["error"]);
    assert_eq!(system.model.counters().received, 0);
}

async fn checks_and_previews_cost_nothing(backing: Backing) {
    let system = start(backing, &[]);
    let valid = system
        .ok("validate-cv", json!({"cv_data": e2e::sample_cv()}))
        .await;
    has(
        &valid,
        &[
            "is_valid",
            "errors",
            "warnings",
            "estimated_pages",
            "estimated_height_mm",
            "details",
        ],
    );
    assert_eq!(valid["is_valid"], true);
    let mut other = e2e::sample_cv();
    other["experience"] = other
        .as_object_mut()
        .unwrap()
        .remove("work_experience")
        .unwrap();
    assert_eq!(
        system.ok("validate-cv", json!({"cv_data": other})).await["is_valid"],
        true
    );
    let lacking = system
        .ok("validate-cv", json!({"cv_data": {"full_name": "A"}}))
        .await;
    assert_eq!(lacking["is_valid"], false);
    assert!(
        lacking["errors"]
            .as_array()
            .unwrap()
            .iter()
            .any(|fault| fault["field"] == "email")
    );
    let html = system
        .ok("preview-html", json!({"cv_data": e2e::sample_cv()}))
        .await;
    assert_eq!(keys(&html), ["html", "html_length"]);
    assert_eq!(
        html["html_length"],
        html["html"].as_str().unwrap().chars().count()
    );
    assert_eq!(system.model.counters().received, 0);
}

async fn a_model_that_fails_is_told(backing: Backing) {
    let system = start(backing, &[]);
    system
        .model
        .set_script(script(json!({"default": {"do": "refusal"}})));
    let (status, failed) = system
        .post("generate-cv-action", json!({"cv_data": e2e::unique_cv(9)}))
        .await;
    assert_eq!(
        (status, &failed["error"]),
        (502, &json!("generation_failed")),
        "{failed:#}"
    );
    has(&failed, &["message", "job_id", "success"]);
}
