//! cv-tool-call-handler: every tool under its name, and what an assistant is given.

use e2e::backing::Backing;
use reqwest::Method;
use serde_json::{Value, json};

use super::{docx, has, keys, start};

e2e::on_both_storages!(
    every_tool_answers_under_its_name,
    searches_and_packs_have_their_shapes,
    an_assistant_is_given_its_tools,
);

async fn every_tool_answers_under_its_name(backing: Backing) {
    let system = start(backing, &[]);
    let (status, none) = system
        .post("cv-tool-call-handler", json!({"params": {}}))
        .await;
    assert_eq!(
        (status, none),
        (400, json!({"error": "tool_name is required"}))
    );
    let (status, unknown) = system
        .post(
            "cv-tool-call-handler",
            json!({"tool_name": "rm", "params": {}}),
        )
        .await;
    assert_eq!((status, &unknown["tool_name"]), (400, &json!("rm")));
    has(&unknown, &["error"]);

    let upload = json!({"tool_name": "extract_and_store_cv", "params": {"docx_base64": docx("01_software_engineer_en")}});
    let made = system.ok("cv-tool-call-handler", upload).await;
    assert_eq!(made["tool_name"], "extract_and_store_cv");
    let id = made["session_id"].as_str().unwrap().to_owned();
    let check = async |name: &str, params: Value, members: &[&str]| {
        let (status, answer) = system.tool(name, &id, params).await;
        assert_eq!(status, 200, "{name}: {answer:#}");
        has(&answer, members);
        has(&answer, &["success", "tool_name", "session_id"]);
    };
    check("get_cv_session", json!({}), &["cv_data", "readiness"]).await;
    let confirm = json!({"confirm": {"contact_confirmed": true, "education_confirmed": true}});
    check("update_cv_field", confirm, &["updated_version"]).await;
    check(
        "validate_cv",
        json!({}),
        &[
            "schema_valid",
            "schema_errors",
            "validation",
            "readiness",
            "is_valid",
        ],
    )
    .await;
    check("preview_html", json!({}), &["html", "html_length"]).await;
    check(
        "extract_photo",
        json!({"docx_base64": docx("03_warehouse_shift_lead_pl")}),
        &["photo_data_uri"],
    )
    .await;
    check(
        "generate_cv_action",
        json!({"cv_data": e2e::unique_cv(1)}),
        &["pdf_base64", "validation"],
    )
    .await;
    check(
        "process_cv_orchestrated",
        json!({"message": "hello"}),
        &["assistant_text"],
    )
    .await;
    check("cleanup_expired_sessions", json!({}), &["deleted_count"]).await;
    check(
        "cv_session_search",
        json!({"q": "engineer"}),
        &["hits", "truncated"],
    )
    .await;
    check(
        "generate_context_pack_v2",
        json!({"phase": "preparation"}),
        &["preparation", "readiness"],
    )
    .await;

    let call = json!({"tool_name": "generate_cv_from_session", "params": {"session_id": id}});
    let pdf = system.raw("cv-tool-call-handler", &call).await;
    assert_eq!(
        (
            pdf.status().as_u16(),
            pdf.headers()["content-type"].to_str().unwrap()
        ),
        (200, "application/pdf")
    );
    assert!(pdf.headers().contains_key("content-disposition"));
    let (status, refused) = system.tool("export_session_debug", &id, json!({})).await;
    assert_eq!(
        (status, &refused["error"]),
        (403, &json!("debug_export_disabled"))
    );
    let (status, gone) = system.tool("get_cv_session", "nobody", json!({})).await;
    assert_eq!(
        (status, gone),
        (404, json!({"error": "Session not found or expired"}))
    );
    let (status, missing) = system
        .post(
            "cv-tool-call-handler",
            json!({"tool_name": "cv_session_search", "params": {}}),
        )
        .await;
    assert_eq!((status, &missing["error"]), (400, &json!("q is required")));
    let (status, bad) = system
        .post(
            "cv-tool-call-handler",
            json!({"tool_name": "validate_cv", "params": []}),
        )
        .await;
    assert_eq!(
        (status, &bad["error"]),
        (400, &json!("params must be an object"))
    );

    let invalid = json!({"cv_data": {"experience": [], "full_name": "A"}});
    let (status, answer) = system.tool("validate_cv", "", invalid).await;
    assert_eq!(
        (status, &answer["schema_valid"], &answer["is_valid"]),
        (200, &json!(false), &json!(false)),
        "{answer:#}"
    );
    assert!(
        answer["schema_errors"]
            .as_array()
            .unwrap()
            .contains(&json!("email is required"))
    );
}

async fn searches_and_packs_have_their_shapes(backing: Backing) {
    let system = start(backing, &[("cv.debug_export", "true")]);
    let id = system.ready(2).await;
    let (_, found) = system
        .tool("cv_session_search", &id, json!({"q": "Candidate number 2"}))
        .await;
    assert_eq!(
        keys(&found),
        ["hits", "session_id", "success", "tool_name", "truncated"]
    );
    assert_eq!(found["hits"][0]["field_path"], "profile");
    assert_eq!(keys(&found["hits"][0]), ["field_path", "preview", "source"]);
    let (_, cut) = system
        .tool("cv_session_search", &id, json!({"q": "e", "limit": 1}))
        .await;
    assert_eq!(
        (cut["hits"].as_array().unwrap().len(), &cut["truncated"]),
        (1, &json!(true))
    );
    for phase in ["preparation", "confirmation", "execution"] {
        let params = json!({"phase": phase, "job_posting_text": "word ".repeat(4_000), "max_pack_chars": 9_000});
        let (status, pack) = system.tool("generate_context_pack_v2", &id, params).await;
        assert_eq!(status, 200, "{pack:#}");
        assert!(pack[phase].to_string().chars().count() <= 9_000, "{phase}");
        let body = json!({"session_id": id, "phase": phase});
        has(
            &system.ok("generate-context-pack", body).await,
            &[phase, "readiness"],
        );
    }
    let (status, wrong) = system
        .tool("generate_context_pack_v2", &id, json!({"phase": "later"}))
        .await;
    assert_eq!(status, 400, "{wrong:#}");
    let (status, all) = system.tool("export_session_debug", &id, json!({})).await;
    assert_eq!(status, 200);
    has(&all, &["session", "view", "jobs"]);
}

async fn an_assistant_is_given_its_tools(backing: Backing) {
    let system = start(backing, &[]);
    let (status, tools) = system.api.get("/api/tools.json").await.unwrap();
    assert_eq!(status.as_u16(), 200);
    let checked_in = std::fs::read_to_string(e2e::repository("schemas/json/tools.json")).unwrap();
    assert_eq!(tools, serde_json::from_str::<Value>(&checked_in).unwrap());
    assert_eq!(tools.as_array().unwrap().len(), 14);
    for tool in tools.as_array().unwrap() {
        assert_eq!(
            keys(tool),
            ["description", "name", "parameters", "strict", "type"]
        );
    }
    let request = system.api.request(Method::GET, "/api/instructions.md");
    let text = request.send().await.unwrap().text().await.unwrap();
    for tool in tools.as_array().unwrap().iter().take(5) {
        assert!(
            text.contains(tool["name"].as_str().unwrap()) || tool["name"] == "validate_cv",
            "{tool:#}"
        );
    }
    let (status, none) = system.api.get("/api/nothing").await.unwrap();
    assert_eq!(status.as_u16(), 404);
    has(&none, &["error", "type", "request_id"]);
}
