//! Uploads: extract-and-store-cv, get-cv-session, extract-photo.

use e2e::backing::Backing;
use reqwest::Method;
use serde_json::{Value, json};

use super::{docx, has, start};

e2e::on_both_storages!(
    a_document_becomes_a_session,
    documents_that_are_none_are_refused_by_name,
    a_posting_is_never_fetched,
    uploads_come_as_forms_too,
);

const PHOTO: &str = "03_warehouse_shift_lead_pl";
const PLAIN: &str = "01_software_engineer_en";

async fn a_document_becomes_a_session(backing: Backing) {
    let system = start(backing, &[]);
    for (path, service) in [("/health", "presswork"), ("/api/health", "presswork")] {
        let (status, health) = system.api.get(path).await.unwrap();
        assert_eq!(
            (status.as_u16(), &health),
            (
                200,
                &json!({"status": "healthy", "service": service, "version": "1.0"})
            )
        );
    }
    let made = system
        .ok("extract-and-store-cv", json!({"docx_base64": docx(PHOTO), "language": "pl", "job_posting_text": "Kierownik zmiany"}))
        .await;
    has(
        &made,
        &[
            "success",
            "session_id",
            "cv_data_summary",
            "photo_extracted",
            "photo_storage",
            "photo_omitted_reason",
            "expires_at",
        ],
    );
    assert_eq!(
        (&made["photo_extracted"], &made["photo_storage"]),
        (&json!(true), &json!("blob"))
    );
    assert_eq!(made["cv_data_summary"]["has_photo"], true);
    let populated = made["cv_data_summary"]["fields_populated"]
        .as_array()
        .unwrap();
    assert!(populated.contains(&json!("full_name")), "{made:#}");
    let id = made["session_id"].as_str().unwrap();

    let posted = system.session(id).await;
    let (status, got) = system
        .api
        .get(&format!("/api/get-cv-session?session_id={id}"))
        .await
        .unwrap();
    assert_eq!((status.as_u16(), &got), (200, &posted));
    has(
        &posted,
        &[
            "success",
            "session_id",
            "cv_data",
            "metadata",
            "expires_at",
            "readiness",
            "interaction_history",
            "_metadata",
        ],
    );
    has(
        &posted["_metadata"],
        &["version", "created_at", "updated_at", "content_signature"],
    );
    has(
        &posted["_metadata"]["content_signature"],
        &[
            "work_exp_count",
            "education_count",
            "profile_length",
            "skills_count",
        ],
    );
    has(
        &posted["readiness"],
        &[
            "can_generate",
            "required_present",
            "strict_template",
            "confirmed_flags",
            "missing",
        ],
    );
    assert_eq!(
        posted["cv_data"]["full_name"], "",
        "nothing is confirmed yet"
    );
    assert_ne!(
        posted["metadata"]["docx_prefill_unconfirmed"]["full_name"],
        ""
    );
    assert_eq!(posted["metadata"]["job_posting_text"], "Kierownik zmiany");
    assert_eq!(posted["readiness"]["can_generate"], false);
    let missing = posted["readiness"]["missing"].as_array().unwrap();
    assert!(
        missing.contains(&json!("contact_not_confirmed"))
            && missing.contains(&json!("education_not_confirmed"))
    );
    assert!(
        !posted.to_string().contains("base64,"),
        "the photo is kept apart"
    );

    let without = json!({"docx_base64": docx(PHOTO), "extract_photo": false});
    let without = system.ok("extract-and-store-cv", without).await;
    assert_eq!(
        (
            &without["photo_extracted"],
            &without["photo_omitted_reason"]
        ),
        (&json!(false), &json!("not_requested"))
    );

    let photo = system
        .ok("extract-photo", json!({"docx_base64": docx(PHOTO)}))
        .await;
    assert!(
        photo["photo_data_uri"]
            .as_str()
            .unwrap()
            .starts_with("data:image/")
    );
    let none = system
        .post("extract-photo", json!({"docx_base64": docx(PLAIN)}))
        .await;
    assert_eq!(none, (404, json!({"error": "No photo found in DOCX"})));
}

async fn documents_that_are_none_are_refused_by_name(backing: Backing) {
    let system = start(backing, &[("cv.max_document_size", "300kB")]);
    let check = async |body: Value, status: u16, word: &str| {
        for route in ["extract-and-store-cv", "process-cv-orchestrated"] {
            let mut body = body.clone();
            body["message"] = json!("generate pdf");
            let (got, answer) = system.post(route, body).await;
            let error = answer["error"].as_str().unwrap_or_default();
            assert_eq!(got, status, "{route}: {answer:#}");
            assert!(error.contains(word), "{route}: {error}");
        }
    };
    check(json!({"docx_base64": "*"}), 400, "base64").await;
    check(json!({"docx_base64": "AAAA"}), 400, "Word document").await;
    check(
        json!({"docx_base64": docx("encrypted_office")}),
        400,
        "password",
    )
    .await;
    check(json!({"docx_base64": docx("truncated")}), 400, "").await;
    check(json!({"docx_base64": "A".repeat(500_000)}), 413, "300000").await;
    check(
        json!({"docx_base64": docx(PLAIN), "language": "xx"}),
        400,
        "language",
    )
    .await;
    check(
        json!({"docx_base64": docx(PLAIN), "job_posting_text": "x".repeat(20_001)}),
        400,
        "20001",
    )
    .await;
    let (status, answer) = system.post("extract-and-store-cv", json!({})).await;
    assert_eq!(
        (status, &answer["error"]),
        (400, &json!("docx_base64 is required"))
    );
    assert_eq!(system.model.counters().received, 0);
}

async fn a_posting_is_never_fetched(backing: Backing) {
    let system = start(backing, &[]);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/posting", listener.local_addr().unwrap());
    let body = json!({"docx_base64": docx(PLAIN), "job_posting_url": url});
    let made = system.ok("extract-and-store-cv", body).await;
    assert!(
        made["job_posting_message"]
            .as_str()
            .unwrap()
            .contains("job_posting_text"),
        "{made:#}"
    );
    let id = made["session_id"].as_str().unwrap();
    assert_eq!(
        system.session(id).await["metadata"]["job_posting_url"],
        json!(url)
    );
    let generate = json!({"session_id": id, "message": "generate pdf"});
    system.post("process-cv-orchestrated", generate).await;
    let nobody = std::time::Duration::from_millis(300);
    assert!(
        tokio::time::timeout(nobody, listener.accept())
            .await
            .is_err(),
        "somebody called"
    );
}

async fn uploads_come_as_forms_too(backing: Backing) {
    let system = start(backing, &[]);
    let file = std::fs::read(e2e::repository(&format!(
        "schemas/convert/tests/data/corpus/{PLAIN}.docx"
    )))
    .unwrap();
    let mut body = b"--frontier\r\nContent-Disposition: form-data; name=\"file\"; filename=\"cv.docx\"\r\n\r\n".to_vec();
    body.extend(file);
    body.extend(b"\r\n--frontier\r\nContent-Disposition: form-data; name=\"language\"\r\n\r\nde\r\n--frontier--\r\n");
    let request = system
        .api
        .request(Method::POST, "/api/extract-and-store-cv")
        .header("content-type", "multipart/form-data; boundary=frontier");
    let response = request.body(body).send().await.unwrap();
    let status = response.status().as_u16();
    let made: Value = response.json().await.unwrap();
    assert_eq!(status, 200, "{made:#}");
    let session = system.session(made["session_id"].as_str().unwrap()).await;
    assert_eq!(session["metadata"]["language"], "de");
}
