//! `/v1`: sessions, and jobs of every form of input.

use e2e::backing::Backing;
use reqwest::Method;
use serde_json::{Value, json};

use super::{docx, start};

e2e::on_both_storages!(
    sessions_are_made_read_changed_by_version_and_deleted,
    jobs_take_every_form_of_a_cv,
);

async fn sessions_are_made_read_changed_by_version_and_deleted(backing: Backing) {
    let system = start(backing, &[]);
    let request = system.api.request(Method::POST, "/v1/sessions");
    let response = request
        .json(&json!({"cv": e2e::sample_cv(), "language": "de"}))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status().as_u16(), 201);
    assert_eq!(response.headers()["etag"], "\"1\"");
    let path = response.headers()["location"].to_str().unwrap().to_owned();
    let made: Value = response.json().await.unwrap();
    assert_eq!(
        (&made["version"], &made["has_photo"], &made["language"]),
        (&json!(1), &json!(true), &json!("de"))
    );
    let change = async |tag: Option<&str>, body: Value| {
        let mut request = system.api.request(Method::PATCH, &path).json(&body);
        if let Some(tag) = tag {
            request = request.header("if-match", tag);
        }
        let response = request.send().await.unwrap();
        (
            response.status().as_u16(),
            response.json::<Value>().await.unwrap(),
        )
    };
    let edit = json!({"edits": [{"field_path": "profile", "value": "New."}]});
    let (status, changed) = change(Some("\"1\""), edit.clone()).await;
    assert_eq!(
        (status, &changed["version"], &changed["cv"]["profile"]),
        (200, &json!(2), &json!("New."))
    );
    let (status, stale) = change(Some("\"1\""), edit).await;
    assert_eq!(
        (status, &stale["type"]),
        (412, &json!("/problems/precondition-failed"))
    );
    let (status, wrong) = change(
        None,
        json!({"edits": [{"field_path": "nowhere", "value": 1}]}),
    )
    .await;
    assert_eq!(
        (status, &wrong["errors"][0]["path"]),
        (400, &json!("nowhere"))
    );
    let (status, both) = system.api.post("/v1/sessions", &json!({})).await.unwrap();
    assert_eq!(status.as_u16(), 400, "{both:#}");
    let (status, wrong) = system
        .api
        .post(
            "/v1/sessions",
            &json!({"docx_base64": docx("encrypted_office")}),
        )
        .await
        .unwrap();
    assert_eq!(
        (status.as_u16(), &wrong["type"]),
        (422, &json!("/problems/invalid-document"))
    );
    assert_eq!(wrong["errors"][0]["code"], "encrypted");
    let (status, read) = system.api.get(&path).await.unwrap();
    assert_eq!((status.as_u16(), &read["version"]), (200, &json!(2)));
    let (status, _) = system.api.get("/v1/sessions/nobody").await.unwrap();
    assert_eq!(status.as_u16(), 404);
}

async fn jobs_take_every_form_of_a_cv(backing: Backing) {
    let system = start(backing, &[]);
    let id = system.ready(1).await;
    let resume = json!({
        "basics": {"name": "Ida Morrow", "email": "ida@example.com", "phone": "+44 1632 960100"},
        "work": [{"name": "Example Ltd", "position": "Dispatcher", "startDate": "2020-01", "highlights": ["Planned routes."]}],
        "education": [{"institution": "Example College", "studyType": "BSc", "area": "Logistics", "startDate": "2016", "endDate": "2019"}],
    });
    let inputs = [
        json!({"session_id": id}),
        json!({"docx_base64": docx("01_software_engineer_en")}),
        json!({"json_resume": resume}),
    ];
    for input in inputs {
        let body = json!({"kind": "cv", "input": input});
        let (status, job) = system.api.post("/v1/jobs", &body).await.unwrap();
        assert_eq!(status.as_u16(), 202, "{job:#}");
        let ended = system.api.ended(job["id"].as_str().unwrap()).await.unwrap();
        assert_eq!(ended["state"], "succeeded", "{ended:#}");
    }
    let refs = &system.session(&id).await["metadata"]["pdf_refs"];
    assert_eq!(
        refs.as_object().unwrap().len(),
        1,
        "the job of the session is among its PDFs"
    );

    let part = |head: &str, data: &str| {
        format!("--b\r\nContent-Disposition: form-data; {head}\r\n\r\n{data}\r\n")
    };
    let form = [
        part("name=\"options\"", "{\"pages\": 1}"),
        part(
            "name=\"file\"; filename=\"resume.json\"",
            &resume.to_string(),
        ),
        "--b--\r\n".to_owned(),
    ];
    let send = async || {
        let request = system
            .api
            .request(Method::POST, "/v1/jobs")
            .header("content-type", "multipart/form-data; boundary=b")
            .header("idempotency-key", "\"form\"");
        let response = request.body(form.concat()).send().await.unwrap();
        (
            response.status().as_u16(),
            response.json::<Value>().await.unwrap(),
        )
    };
    let (status, job) = send().await;
    assert_eq!(status, 202, "{job:#}");
    assert_eq!(send().await.1["id"], job["id"]);

    for (input, status, kind) in [
        (json!({"session_id": "nobody"}), 404, "/problems/not-found"),
        (
            json!({"docx_base64": docx("encrypted_office")}),
            422,
            "/problems/invalid-document",
        ),
        (
            json!({"docx_base64": "AAAA"}),
            422,
            "/problems/invalid-document",
        ),
        (
            json!({"json_resume": {"name": "x"}}),
            400,
            "/problems/invalid-cv",
        ),
    ] {
        let body = json!({"kind": "cv", "input": input});
        let (got, problem) = system.api.post("/v1/jobs", &body).await.unwrap();
        assert_eq!(
            (got.as_u16(), &problem["type"]),
            (status, &json!(kind)),
            "{problem:#}"
        );
    }
}
