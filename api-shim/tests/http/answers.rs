//! What holds for every answer: probes, ids, headers, unknown routes, log lines.

use reqwest::{Method, StatusCode};
use schemas::ProblemKind;
use serde_json::{Value, json};
use storage::fault::{Fault, Operation};
use storage::names::{Container, QueueName, TableName};

use crate::log::Log;
use crate::server::{Server, header, ms, problem, sample};

#[tokio::test]
async fn probes_answer() {
    let server = Server::start().await;
    let check = async |path: &str, want: Value| {
        let response = server.get(path).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        assert_eq!(response.json::<Value>().await.unwrap(), want, "{path}");
    };
    check("/healthz", json!({ "status": "alive" })).await;
    check("/readyz", json!({ "status": "ready" })).await;
    let contract = json!({ "status": "healthy", "service": "presswork", "version": "1.0" });
    check("/health", contract.clone()).await;
    check("/api/health", contract).await;
}

#[tokio::test]
async fn who_cannot_reach_storage_is_not_ready() {
    let check = async |operation: Operation| {
        let server = Server::start().await;
        for fault in [Fault::Refuse, Fault::Delay(ms(60_000))] {
            server.faults.script(operation, 1, fault);
            let start = server.now();
            let response = server.get("/readyz").send().await.unwrap();
            assert!(server.since(start) < ms(18_000), "{operation}");
            assert!(header(&response, "retry-after").is_some());
            problem(response, ProblemKind::Unavailable, "not ready").await;
        }
        assert_eq!(
            server.get("/readyz").send().await.unwrap().status(),
            StatusCode::OK
        );
    };
    // Each waits for its time-out, so all at once.
    tokio::join!(
        check(Operation::Peek(QueueName::Jobs)),
        check(Operation::GetEntity(TableName::Jobs)),
        check(Operation::Head(Container::JobInputs)),
    );
}

#[tokio::test]
async fn unknown_routes_and_wrong_methods_are_problems() {
    let server = Server::start().await;
    for path in [
        "/v1",
        "/v1/job",
        "/v1/jobs/",
        "/v2/jobs",
        "/v1/jobs/x/y",
        "/problems/x",
        "/%ff",
    ] {
        problem(
            server.get(path).send().await.unwrap(),
            ProblemKind::NotFound,
            path,
        )
        .await;
    }
    let check = async |method: Method, path: &str, allow: &str| {
        let response = server.request(method, path).send().await.unwrap();
        assert_eq!(header(&response, "allow"), Some(allow), "{path}");
        problem(response, ProblemKind::MethodNotAllowed, path).await;
    };
    check(Method::PUT, "/v1/jobs", "POST,GET,HEAD").await;
    check(Method::PUT, "/v1/jobs/x", "GET,HEAD,DELETE").await;
    check(Method::GET, "/v1/jobs/batch", "POST").await;
    check(Method::POST, "/v1/jobs/x/result", "GET,HEAD").await;
    check(Method::GET, "/v1/jobs/x/cancel", "POST").await;
    check(Method::POST, "/healthz", "GET,HEAD").await;
    check(
        Method::from_bytes(b"BREW").unwrap(),
        "/v1/jobs",
        "POST,GET,HEAD",
    )
    .await;
}

#[tokio::test]
async fn every_kind_of_problem_explains_itself() {
    let server = Server::start().await;
    for kind in ProblemKind::ALL {
        let response = server.get(kind.uri()).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{kind:?}");
        assert_eq!(
            header(&response, "content-type"),
            Some("text/plain; charset=utf-8")
        );
        let text = response.text().await.unwrap();
        assert!(text.starts_with(kind.title()) && text.contains(&kind.status().to_string()));
    }
    let index = server.get("/").send().await.unwrap().text().await.unwrap();
    assert!(
        index.contains("/v1/jobs ") && index.contains("Submit a job"),
        "{index}"
    );
}

#[tokio::test]
async fn request_ids_come_back_or_are_made() {
    let server = Server::start().await;
    let ask = async |id: Option<&str>| {
        let mut request = server.get("/healthz");
        if let Some(id) = id {
            request = request.header("X-Request-Id", id);
        }
        header(&request.send().await.unwrap(), "x-request-id")
            .unwrap()
            .to_owned()
    };
    let longest = "i".repeat(128);
    for id in ["r-1", "0af7:65,19", &longest] {
        assert_eq!(ask(Some(id)).await, id);
    }
    let fresh = ask(None).await;
    assert!(
        fresh.len() == 32 && fresh.bytes().all(|b| b.is_ascii_hexdigit()),
        "{fresh}"
    );
    assert_ne!(ask(None).await, fresh);
    for bad in ["a b", "", &"i".repeat(129), "\u{e4}"] {
        assert_eq!(ask(Some(bad)).await.len(), 32, "{bad}");
    }
    let response = server
        .get("/nowhere")
        .header("X-Request-Id", "r-2")
        .send()
        .await
        .unwrap();
    let problem = problem(response, ProblemKind::NotFound, "id in the body").await;
    assert_eq!(problem.request_id.as_deref(), Some("r-2"));
}

/// One thread, so that the subscriber of this thread sees every line.
#[tokio::test(flavor = "current_thread")]
async fn requests_are_logged_by_route_and_without_content() {
    let log = Log::listen();
    let server = Server::start().await;
    let mut request = sample();
    request["input"]["cv"]["full_name"] = json!("Xanthippe Quill");
    let send = server
        .post("/v1/jobs")
        .header("Idempotency-Key", "key-to-hide")
        .json(&request);
    send.send().await.unwrap();
    let job = server.submit().await;
    let ask = server.get(&format!("{}?code=secret-to-hide", job.links.this));
    ask.header("X-Request-Id", "r-7").send().await.unwrap();
    let bad = r#"{"kind":"Xanthippe Quill","input":"Xanthippe Quill"}"#;
    let post = server
        .post("/v1/jobs")
        .header("content-type", "application/json")
        .body(bad);
    post.send().await.unwrap();
    server
        .faults
        .script(Operation::GetEntity(TableName::Jobs), 1, Fault::Refuse);
    server
        .get(&job.links.this)
        .header("X-Request-Id", "r-8")
        .send()
        .await
        .unwrap();

    let text = log.text();
    for secret in ["Xanthippe", "Quill", "key-to-hide", "secret-to-hide"] {
        assert!(!text.contains(secret), "{secret} is in the log");
    }
    let lines = log.lines();
    let of = |id: &str| {
        lines
            .iter()
            .filter(|l| l["span"]["request_id"] == id)
            .collect::<Vec<_>>()
    };
    let [answered] = of("r-7")[..] else {
        panic!("{text}")
    };
    assert_eq!(answered["span"]["method"], "GET");
    assert_eq!(answered["span"]["route"], "/v1/jobs/{id}");
    assert_eq!(answered["span"]["job_id"], job.id.to_string());
    assert_eq!(answered["span"]["tenant"], "anonymous");
    assert_eq!(answered["status"], 200);
    assert!(answered["duration_ms"].is_u64());
    // The reason of a failure stands in the log under the id that the caller can quote.
    let [reason, failed] = of("r-8")[..] else {
        panic!("{text}")
    };
    assert_eq!(reason["level"], "WARN");
    assert_eq!(
        (&failed["status"], &failed["problem"]),
        (&json!(503), &json!("/problems/unavailable"))
    );
}
