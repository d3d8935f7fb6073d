//! update-cv-field: paths, batches, patches, confirmations, versions.

use e2e::backing::Backing;
use reqwest::Method;
use serde_json::{Value, json};

use super::{has, keys, start};

e2e::on_both_storages!(
    fields_batches_and_patches_are_applied_whole,
    wrong_edits_say_which_part_is_wrong_and_change_nothing,
    versions_are_held,
    confirming_takes_over_what_was_read,
    writers_at_once_lose_no_edit,
);

async fn fields_batches_and_patches_are_applied_whole(backing: Backing) {
    let system = start(backing, &[]);
    let id = system.ready(1).await;
    let one = json!({"session_id": id, "field_path": "work_experience[0].employer", "value": "Sample GmbH"});
    let one = system.ok("update-cv-field", one).await;
    has(
        &one,
        &[
            "success",
            "session_id",
            "field_updated",
            "updated_version",
            "updated_at",
        ],
    );
    assert_eq!(one["field_updated"], "work_experience[0].employer");
    assert_eq!(one["updated_version"], 3);
    let edits = json!([
        {"field_path": "profile", "value": "  New   profile. "},
        {"field_path": "work_experience[0].bullets[0]", "value": "Did a new thing."},
        {"field_path": "photo_url", "value": null},
    ]);
    let many = system
        .ok("update-cv-field", json!({"session_id": id, "edits": edits}))
        .await;
    assert_eq!(
        (&many["edits_applied"], many.get("field_updated")),
        (&json!(3), None)
    );
    let patch = json!({"session_id": id, "cv_patch": {"interests": ["Chess", "Rowing"], "nationality": null}});
    assert_eq!(
        system.ok("update-cv-field", patch).await["edits_applied"],
        2
    );
    let cv = &system.session(&id).await["cv_data"];
    assert_eq!(cv["work_experience"][0]["employer"], "Sample GmbH");
    assert_eq!(cv["work_experience"][0]["bullets"][0], "Did a new thing.");
    assert_eq!(cv["profile"], "New profile.");
    assert_eq!(cv["interests"], "Chess, Rowing");
    let history = &system.session(&id).await["interaction_history"];
    assert_eq!(
        history.as_array().unwrap().last().unwrap()["fields"],
        json!(["interests", "nationality"])
    );
}

async fn wrong_edits_say_which_part_is_wrong_and_change_nothing(backing: Backing) {
    let system = start(backing, &[]);
    let id = system.ready(2).await;
    let before = system.session(&id).await;
    let check = async |body: Value, status: u16, word: &str| {
        let (got, answer) = system.post("update-cv-field", body).await;
        let error = answer["error"].as_str().unwrap_or_default();
        assert_eq!(got, status, "{answer:#}");
        assert!(error.contains(word), "{error}");
    };
    check(json!({}), 400, "session_id is required").await;
    check(json!({"session_id": id}), 400, "nothing to change").await;
    let edit = |path: &str, value: Value| json!({"session_id": id, "edits": [{"field_path": "profile", "value": "x"}, {"field_path": path, "value": value}]});
    check(edit("work_experience[99].title", json!("x")), 400, "[99]").await;
    check(
        edit("work_experience[0].boss", json!("x")),
        400,
        "no field boss",
    )
    .await;
    check(edit("work_experience[0", json!("x")), 400, "character").await;
    check(edit("profile[0]", json!("x")), 400, "a text").await;
    check(edit("profile", json!({"a": 1})), 400, "profile").await;
    check(
        edit("photo_url", json!("https://example.com/me.jpg")),
        400,
        "web address",
    )
    .await;
    check(
        json!({"session_id": id, "cv_patch": {"personal_info": {}}}),
        400,
        "personal_info",
    )
    .await;
    check(json!({"session_id": id, "edits": "all"}), 400, "edits").await;
    let unknown = "6f1de0c4-7fbc-4d3e-9a4c-0d2c4f2f3f11";
    for id in [unknown, "../../etc", ""] {
        let body = json!({"session_id": id, "field_path": "profile", "value": "x"});
        let (status, word) = if id.is_empty() {
            (400, "session_id is required")
        } else {
            (404, "Session not found or expired")
        };
        check(body, status, word).await;
    }
    assert_eq!(system.session(&id).await, before);
}

async fn versions_are_held(backing: Backing) {
    let system = start(backing, &[]);
    let id = system.ready(3).await;
    let edit = |version: u64| json!({"session_id": id, "field_path": "profile", "value": "x", "expected_version": version});
    let (status, stale) = system.post("update-cv-field", edit(1)).await;
    assert_eq!(
        (status, &stale["error"], &stale["current_version"]),
        (409, &json!("version_conflict"), &json!(2))
    );
    assert_eq!(
        keys(&stale),
        ["current_version", "error", "expected_version", "message"]
    );
    assert_eq!(
        system.ok("update-cv-field", edit(2)).await["updated_version"],
        3
    );
    for (tag, status) in [("\"2\"", 412), ("\"x\"", 412), ("*", 200), ("\"4\"", 200)] {
        let body = json!({"session_id": id, "field_path": "profile", "value": "y"});
        let request = system.api.request(Method::POST, "/api/update-cv-field");
        let response = request
            .header("if-match", tag)
            .json(&body)
            .send()
            .await
            .unwrap();
        assert_eq!(response.status().as_u16(), status, "{tag}");
        assert!(response.headers().contains_key("etag"), "{tag}");
    }
}

async fn confirming_takes_over_what_was_read(backing: Backing) {
    let system = start(backing, &[]);
    let id = system.uploaded("01_software_engineer_en").await;
    let read = system.session(&id).await["metadata"]["docx_prefill_unconfirmed"].clone();
    // What was read can be corrected before it is confirmed.
    let fix = json!({"session_id": id, "field_path": "work_experience[0].title", "value": "Corrected title"});
    system.ok("update-cv-field", fix).await;
    let confirm = json!({"session_id": id, "confirm": {"contact_confirmed": true}});
    let half = system.ok("update-cv-field", confirm).await;
    assert_eq!(
        half["readiness"]["missing"],
        json!(["education_not_confirmed"]),
        "{half:#}"
    );
    let session = system.session(&id).await;
    assert_eq!(session["metadata"]["docx_prefill_unconfirmed"], Value::Null);
    assert_eq!(session["cv_data"]["full_name"], read["full_name"]);
    assert_eq!(
        session["cv_data"]["work_experience"][0]["title"],
        "Corrected title"
    );
    assert_eq!(
        session["cv_data"]["work_experience"][1],
        read["work_experience"][1]
    );
    let flags = &session["metadata"]["confirmed_flags"];
    assert_eq!(
        (&flags["contact_confirmed"], &flags["education_confirmed"]),
        (&json!(true), &json!(false))
    );
    assert!(flags["confirmed_at"].is_string());
    let confirm = json!({"session_id": id, "confirm": {"education_confirmed": true}});
    assert_eq!(
        system.ok("update-cv-field", confirm).await["readiness"]["can_generate"],
        true
    );
}

async fn writers_at_once_lose_no_edit(backing: Backing) {
    let system = start(backing, &[]);
    let id = system.ready(4).await;
    // Twelve writers of one session; each field has three that write it, one after the other or not.
    let fields = ["birth_date", "nationality", "interests", "profile"];
    let edits = (0..12).map(|number| {
        let (system, id) = (&system, &id);
        async move {
            let one = json!({"session_id": id, "field_path": fields[number % 4], "value": format!("text {number}")});
            system.ok("update-cv-field", one).await;
            let many = json!({"session_id": id, "cv_patch": {"references": [format!("Referee {number}")]}});
            system.ok("update-cv-field", many).await;
        }
    });
    futures::future::join_all(edits).await;
    let session = system.session(&id).await;
    assert_eq!(session["_metadata"]["version"], 2 + 24);
    for field in fields {
        assert!(
            session["cv_data"][field]
                .as_str()
                .unwrap()
                .starts_with("text "),
            "{field}"
        );
    }
}
