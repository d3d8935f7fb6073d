//! Documents that should be there and cannot be sent: wherever they are asked for, the log says it
//! under one name.

use reqwest::StatusCode;
use schemas::JobId;
use serde_json::{Value, json};
use storage::fault::{Fault, Operation};
use storage::names::{Container, pdf_path, row};

use crate::log::Log;
use crate::server::{Server, ms};

/// The only job, once it is there.
async fn job(server: &Server) -> JobId {
    let begun = server.now();
    loop {
        let (rows, _, _) = server.stored().await;
        if let Some(id) = rows.iter().find_map(|at| row::job_of_row(at)) {
            return id;
        }
        assert!(server.since(begun) < ms(30_000), "no job comes");
        tokio::time::sleep(ms(5)).await;
    }
}

/// One thread, so that the subscriber of this thread sees every line.
#[tokio::test(flavor = "current_thread")]
async fn a_document_that_cannot_be_sent_is_logged_by_name_at_every_route() {
    let log = Log::listen();
    let server = Server::start().await;
    let post = async |path: &str, body: Value| {
        let response = server.post(path).json(&body).send().await.unwrap();
        let status = response.status();
        (status, response.json::<Value>().await.unwrap())
    };
    let failed = || {
        let lines = log.lines().into_iter();
        let failed = lines.filter(|line| line["event"] == "download.failed");
        failed
            .map(|line| line["job_id"].clone())
            .collect::<Vec<_>>()
    };

    let cv: Value = serde_json::from_str(schemas::cv::SAMPLE).unwrap();
    let (_, session) = post("/v1/sessions", json!({ "cv": cv })).await;
    let session = session["id"].as_str().unwrap();
    let confirm = json!({"contact_confirmed": true, "education_confirmed": true});
    let confirm = json!({"session_id": session, "confirm": confirm});
    post("/api/update-cv-field", confirm).await;
    // The PDF cannot be read when it is made.
    let get = Operation::GetBlob(Container::CvPdfs);
    server.faults.script(get, 1, Fault::Refuse);
    let order = json!({ "session_id": session });
    let generate = post("/api/generate-cv-from-session", order);
    let work = async {
        let id = job(&server).await;
        server.succeed(id, b"%PDF-1.7").await;
        id
    };
    let ((status, answer), id) = tokio::join!(generate, work);
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{answer}");
    let mut expect = vec![json!(id.to_string())];
    assert_eq!(failed(), expect);

    // It is gone.
    let path = pdf_path(&schemas::Tenant::anonymous(), id);
    let blobs = &server.jobs.storage().blobs;
    blobs.delete(Container::CvPdfs, &path).await.unwrap();
    let by_ref = json!({
        "tool_name": "get_pdf_by_ref",
        "session_id": session,
        "params": { "pdf_ref": id },
    });
    let (status, answer) = post("/api/cv-tool-call-handler", by_ref).await;
    assert_eq!(
        (status, &answer["error"]),
        (StatusCode::NOT_FOUND, &json!("pdf_blob_missing"))
    );
    expect.push(expect[0].clone());
    assert_eq!(failed(), expect);
    let result = server.get(&format!("/v1/jobs/{id}/result")).send().await;
    assert_eq!(result.unwrap().status(), StatusCode::NOT_FOUND);
    expect.push(expect[0].clone());
    assert_eq!(failed(), expect);
}
