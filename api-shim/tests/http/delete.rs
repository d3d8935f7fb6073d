//! `DELETE /v1/jobs/{id}` and `POST /v1/tenant/erase`, as far as the front does them.

use reqwest::{Method, StatusCode};
use schemas::job::{Erasure, ErasureState, JobPage};
use schemas::{ProblemKind, Tenant};
use serde_json::json;
use storage::names::{Container, TableName};

use crate::server::{Server, header, problem, sample};

/// Every row of the table of jobs, and every blob of every container, by name.
async fn left(server: &Server) -> (Vec<String>, Vec<String>) {
    let (rows, _, _) = server.stored().await;
    let mut blobs = Vec::new();
    for container in Container::ALL {
        let page = server.jobs.storage().blobs.list(container, "", 1_000, None);
        blobs.extend(page.await.unwrap().blobs.into_iter().map(|(path, _)| path));
    }
    (rows, blobs)
}

#[tokio::test]
async fn a_deleted_job_is_gone_with_all_that_is_stored_of_it() {
    let server = Server::start().await;
    let submit = async || {
        let request = server.post("/v1/jobs").json(&sample());
        let response = request
            .header("idempotency-key", "k-1")
            .send()
            .await
            .unwrap();
        response.json::<schemas::job::JobStatus>().await.unwrap()
    };
    let job = submit().await;
    server.succeed(job.id, b"%PDF-1.7").await;
    let path = job.links.this.as_str();
    let delete = async || server.request(Method::DELETE, path).send().await.unwrap();
    let deleted = delete().await;
    assert_eq!(deleted.status(), StatusCode::NO_CONTENT);
    let (rows, blobs) = left(&server).await;
    assert_eq!(blobs, Vec::<String>::new());
    // The tombstone, and the ledger, which has no content.
    let id = job.id;
    assert_eq!(rows, [format!("c~{id}~0001"), format!("t~{id}")]);
    for (method, path) in [
        (Method::GET, path.to_owned()),
        (Method::GET, job.links.result.clone()),
        (Method::GET, job.links.events.clone()),
        (Method::POST, format!("{path}/cancel")),
        (Method::POST, format!("{path}/retry")),
        (Method::DELETE, path.to_owned()),
    ] {
        let response = server.request(method, &path).send().await.unwrap();
        problem(response, ProblemKind::NotFound, &path).await;
    }
    let page: JobPage = server
        .get("/v1/jobs")
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(page.jobs, []);
    // The key went with it.
    assert_ne!(submit().await.id, id);
}

#[tokio::test]
async fn a_job_can_be_deleted_in_every_state() {
    let server = Server::start().await;
    for begun in [false, true] {
        let job = server.submit().await;
        if begun {
            server.call(job.id).await;
        }
        let request = server.request(Method::DELETE, &job.links.this);
        assert_eq!(
            request.send().await.unwrap().status(),
            StatusCode::NO_CONTENT
        );
        assert_eq!(left(&server).await.1, Vec::<String>::new());
        let tenant = Tenant::anonymous();
        let (tombstones, date, _) = server.jobs.tombstones(&tenant, None).await.unwrap();
        let of_job = tombstones.iter().find(|it| it.id == job.id).unwrap();
        assert_eq!(of_job.tombstone.call_out, begun);
        // A call has a minute here: the tombstone outlives it.
        let minute = date + std::time::Duration::from_secs(50);
        assert_eq!(of_job.tombstone.due > minute, begun);
    }
}

#[tokio::test]
async fn erasing_is_asked_for_and_read() {
    let server = Server::start().await;
    let path = "/v1/tenant/erase";
    let none = server.get(path).send().await.unwrap();
    problem(none, ProblemKind::NotFound, "nothing asked").await;
    server.submit().await;
    let asked = server.post(path).json(&json!({})).send().await.unwrap();
    assert_eq!(asked.status(), StatusCode::ACCEPTED);
    assert_eq!(header(&asked, "location"), Some(path));
    let asked: Erasure = asked.json().await.unwrap();
    assert_eq!(asked.state, ErasureState::Running);
    let read: Erasure = server.get(path).send().await.unwrap().json().await.unwrap();
    assert_eq!(read, asked);
    // Asked again it takes in what has come since.
    let again: Erasure = server
        .post(path)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert!(again.requested_at > asked.requested_at);
    let table = &server.jobs.storage().table;
    let rows = table.query(TableName::Tenants, "erasures", "!".."~", 10, None);
    assert_eq!(rows.await.unwrap().value.entities.len(), 1);
}
