//! Conditional requests (RFC 9110, section 13): entity tags of sessions and jobs.

use reqwest::{Method, Response, StatusCode};
use schemas::ProblemKind;
use serde_json::{Value, json};

use crate::server::{Server, header, problem};

async fn session(server: &Server) -> (String, String) {
    let body = json!({ "cv": { "full_name": "Ida Morrow" } });
    let response = server
        .post("/v1/sessions")
        .json(&body)
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::CREATED);
    let tag = header(&response, "etag").unwrap().to_owned();
    (header(&response, "location").unwrap().to_owned(), tag)
}

async fn edit(server: &Server, path: &str, if_match: &[&str]) -> Response {
    let change = json!({ "edits": [{ "field_path": "profile", "value": "Plans things." }] });
    let mut request = server.request(Method::PATCH, path).json(&change);
    for value in if_match {
        request = request.header("if-match", *value);
    }
    request.send().await.unwrap()
}

#[tokio::test]
async fn a_session_that_the_caller_has_is_not_sent_again() {
    let server = Server::start().await;
    let (path, tag) = session(&server).await;
    let check = async |value: &str, has: bool| {
        let response = server
            .get(&path)
            .header("if-none-match", value)
            .send()
            .await
            .unwrap();
        let want = if has {
            StatusCode::NOT_MODIFIED
        } else {
            StatusCode::OK
        };
        assert_eq!(response.status(), want, "{value}");
        assert_eq!(header(&response, "etag"), Some(tag.as_str()));
        assert_eq!(header(&response, "cache-control"), Some("no-store"));
        assert_eq!(response.bytes().await.unwrap().is_empty(), has, "{value}");
    };
    check(&tag, true).await;
    check(&format!("W/{tag}"), true).await;
    check(&format!("\"x\", {tag}"), true).await;
    check("*", true).await;
    check("\"x\"", false).await;
    check("1", false).await;
}

#[tokio::test]
async fn a_change_is_made_to_the_version_that_it_is_meant_for() {
    let server = Server::start().await;
    let (path, tag) = session(&server).await;
    assert_eq!(tag, "\"1\"");
    let check = async |if_match: &[&str], want: Option<&str>| {
        let response = edit(&server, &path, if_match).await;
        let current = header(&response, "etag").unwrap().to_owned();
        match want {
            Some(tag) => {
                assert_eq!(response.status(), StatusCode::OK, "{if_match:?}");
                assert_eq!(current, tag, "{if_match:?}");
                let version = response.json::<Value>().await.unwrap()["version"].to_string();
                assert_eq!(tag.trim_matches('"'), version);
            }
            None => {
                problem(
                    response,
                    ProblemKind::PreconditionFailed,
                    &format!("{if_match:?}"),
                )
                .await;
            }
        }
        current
    };
    check(&["\"1\""], Some("\"2\"")).await;
    assert_eq!(check(&["\"1\""], None).await, "\"2\"");
    check(&["\"7\", \"2\""], Some("\"3\"")).await;
    check(&["\"7\"", "\"3\""], Some("\"4\"")).await;
    check(&["*"], Some("\"5\"")).await;
    check(&[], Some("\"6\"")).await;
    // The comparison is strong.
    check(&["W/\"6\""], None).await;
    check(&["6"], None).await;
    check(&["\"06\""], None).await;
    check(&["\"1\", \"2\""], None).await;
    check(&["\"session\""], None).await;
}

#[tokio::test]
async fn a_session_is_deleted_in_the_version_that_is_named() {
    let server = Server::start().await;
    let (path, _) = session(&server).await;
    edit(&server, &path, &[]).await;
    let delete = async |if_match: Option<&str>| {
        let mut request = server.request(Method::DELETE, &path);
        if let Some(value) = if_match {
            request = request.header("if-match", value);
        }
        request.send().await.unwrap()
    };
    for late in ["\"1\"", "W/\"2\"", "\"1\", \"3\""] {
        let response = delete(Some(late)).await;
        assert_eq!(header(&response, "etag"), Some("\"2\""), "{late}");
        problem(response, ProblemKind::PreconditionFailed, late).await;
    }
    assert_eq!(
        server.get(&path).send().await.unwrap().status(),
        StatusCode::OK
    );
    let response = delete(Some("\"1\", \"2\"")).await;
    assert_eq!(response.status(), StatusCode::NO_CONTENT);
    for gone in [Some("\"2\""), Some("*"), None] {
        problem(delete(gone).await, ProblemKind::NotFound, "deleted").await;
    }
}

#[tokio::test]
async fn a_trace_goes_through_the_queue_and_a_broken_one_does_not() {
    use storage::names::QueueName;
    let server = Server::start().await;
    let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    for (sent, goes) in [(good, true), ("00-0af7-b7ad-01", false)] {
        let request = server.post("/v1/jobs").json(&crate::server::sample());
        let response = request
            .header("traceparent", sent)
            .header("x-request-id", "mine-1")
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), StatusCode::ACCEPTED);
        assert_eq!(header(&response, "x-request-id"), Some("mine-1"));
        let queue = &server.jobs.storage().queue;
        let messages = queue
            .receive(QueueName::Jobs, 32, crate::server::ms(60_000))
            .await
            .unwrap();
        let last = messages.last().unwrap();
        // The same trace; who is its parent by then is another matter.
        assert_eq!(
            last.body.contains(&good[3..35]),
            goes,
            "{sent}: {}",
            last.body
        );
    }
}
