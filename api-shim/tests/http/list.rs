//! `GET /v1/jobs`.

use reqwest::StatusCode;
use schemas::ProblemKind;
use schemas::job::JobPage;

use crate::server::{Server, header, ms, problem};

#[tokio::test]
async fn pages_go_from_the_newest_to_the_oldest() {
    let server = Server::start().await;
    let empty: JobPage = server
        .get("/v1/jobs")
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(
        empty,
        JobPage {
            jobs: Vec::new(),
            next_cursor: None
        }
    );
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.insert(0, server.submit().await.id);
        // Ids order by the millisecond.
        tokio::time::sleep(ms(3)).await;
    }
    let mut path = "/v1/jobs?limit=2".to_owned();
    let mut seen = Vec::new();
    for page in 0.. {
        assert!(page < 5, "the list does not end");
        let response = server.get(&path).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(header(&response, "cache-control"), Some("no-store"));
        let link = header(&response, "link").map(str::to_owned);
        let jobs: JobPage = response.json().await.unwrap();
        assert!(jobs.jobs.len() <= 2);
        seen.extend(jobs.jobs.iter().map(|job| job.id));
        let Some(cursor) = jobs.next_cursor else {
            assert_eq!(link, None);
            break;
        };
        path = format!("/v1/jobs?limit=2&cursor={cursor}");
        assert_eq!(link, Some(format!("<{path}>; rel=\"next\"")));
    }
    assert_eq!(seen, ids);
    let all: JobPage = server
        .get("/v1/jobs")
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(all.jobs.iter().map(|job| job.id).collect::<Vec<_>>(), ids);
}

#[tokio::test]
async fn bad_queries_are_refused() {
    let server = Server::start().await;
    server.submit().await;
    let cursor_of = |text: &str| {
        use base64::Engine as _;
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text)
    };
    for query in [
        "limit=0".to_owned(),
        "limit=101".to_owned(),
        "limit=-1".to_owned(),
        "limit=many".to_owned(),
        "limit=99999999999".to_owned(),
        "limit=".to_owned(),
        "limit=1&limit=2".to_owned(),
        "limt=1".to_owned(),
        "cursor=%21%21".to_owned(),
        "cursor=".to_owned(),
        format!("cursor={}", "A".repeat(5_000)),
        format!("cursor={}", cursor_of("not of ours' OR 1=1")),
        format!("cursor={}", cursor_of("k~")),
        format!("cursor={}", cursor_of("\0")),
    ] {
        let response = server
            .get(&format!("/v1/jobs?{query}"))
            .send()
            .await
            .unwrap();
        problem(response, ProblemKind::InvalidRequest, &query).await;
    }
}
