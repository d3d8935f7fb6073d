//! `GET /v1/jobs`.

use reqwest::StatusCode;
use schemas::job::{JobPage, JobStatus};
use schemas::{JobId, ProblemKind};
use serde_json::json;

use crate::server::{Server, header, ms, problem, sample};

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
        "state=begun".to_owned(),
        "state=queued,,failed".to_owned(),
        "state=".to_owned(),
        "kind=shoe".to_owned(),
        "created_from=yesterday".to_owned(),
        "created_to=2026-11-21".to_owned(),
        "created_from=2026-11-21T00:00:00Z&created_from=2026-11-21T00:00:00Z".to_owned(),
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

async fn page(server: &Server, query: &str) -> JobPage {
    let path = format!("/v1/jobs?{query}");
    let response = server.get(&path).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK, "{query}");
    response.json().await.unwrap()
}

#[tokio::test]
async fn jobs_are_found_by_what_they_are() {
    let server = Server::start().await;
    let mut jobs = Vec::new();
    for _ in 0..4 {
        jobs.push(server.submit().await);
        tokio::time::sleep(ms(3)).await;
    }
    let letter = json!({"kind": "cover_letter", "input": sample()["input"]});
    let letter = server.post("/v1/jobs").json(&letter).send().await.unwrap();
    let letter: JobStatus = letter.json().await.unwrap();
    server.call(jobs[1].id).await;
    server.succeed(jobs[2].id, b"%PDF-1.7").await;
    let time = |at: usize| jobs[at].created_at;
    let check = async |query: &str, want: &[JobId]| {
        let found = page(&server, query).await;
        let ids: Vec<_> = found.jobs.iter().map(|job| job.id).collect();
        assert_eq!(ids, want, "{query}");
        assert_eq!(found.next_cursor, None, "{query}");
    };
    let id = |at: usize| jobs[at].id;
    check("state=running", &[id(1)]).await;
    check("state=succeeded", &[id(2)]).await;
    check("state=running,succeeded", &[id(2), id(1)]).await;
    check("state=failed", &[]).await;
    check("kind=cover_letter", &[letter.id]).await;
    check("kind=cv&state=queued", &[id(3), id(0)]).await;
    check(
        &format!("created_from={}", time(2)),
        &[letter.id, id(3), id(2)],
    )
    .await;
    check(&format!("created_to={}", time(2)), &[id(1), id(0)]).await;
    let between = format!("created_from={}&created_to={}", time(1), time(3));
    check(&between, &[id(2), id(1)]).await;
    check(&format!("{between}&state=running"), &[id(1)]).await;
    let backwards = format!("created_from={}&created_to={}", time(3), time(1));
    check(&backwards, &[]).await;
    check("created_from=2999-01-01T00:00:00Z", &[]).await;
    check("created_to=1960-01-01T00:00:00Z", &[]).await;
}

#[tokio::test]
async fn a_cursor_belongs_to_its_filters() {
    let server = Server::start().await;
    for _ in 0..5 {
        server.submit().await;
    }
    let first = page(&server, "state=queued,failed&limit=2").await;
    let cursor = first.next_cursor.unwrap();
    // In another order, and with another limit, it is the same list.
    let next = page(
        &server,
        &format!("state=failed,queued&limit=3&cursor={cursor}"),
    )
    .await;
    assert_eq!((next.jobs.len(), next.next_cursor), (3, None));
    for other in ["", "state=queued&", "state=queued,failed&kind=cv&"] {
        let path = format!("/v1/jobs?{other}cursor={cursor}");
        let refused = server.get(&path).send().await.unwrap();
        let refused = problem(refused, ProblemKind::InvalidRequest, other).await;
        assert_eq!(refused.errors[0].code, "other_filters", "{other}");
    }
    // The link leads on by itself.
    let first = server
        .get("/v1/jobs?limit=2&state=queued,%20failed")
        .send()
        .await
        .unwrap();
    let link = header(&first, "link").unwrap().to_owned();
    let path = link.split(['<', '>']).nth(1).unwrap();
    let next: JobPage = server.get(path).send().await.unwrap().json().await.unwrap();
    assert_eq!(next.jobs.len(), 2);
}

#[tokio::test]
async fn a_filter_that_little_passes_gives_a_short_page_that_goes_on() {
    let server = Server::start().await;
    let first = server.submit().await;
    server.call(first.id).await;
    let mut batch = vec![sample(); 100];
    for request in &mut batch {
        request["input"]["cv"]["photo_url"] = serde_json::Value::Null;
    }
    for _ in 0..11 {
        let body = json!({ "jobs": batch });
        let response = server
            .post("/v1/jobs/batch")
            .json(&body)
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), StatusCode::MULTI_STATUS);
    }
    let empty = page(&server, "state=running").await;
    assert_eq!(empty.jobs, []);
    let cursor = empty.next_cursor.expect("the list goes on");
    let rest = page(&server, &format!("state=running&cursor={cursor}")).await;
    assert_eq!((rest.jobs.len(), rest.next_cursor), (1, None));
    assert_eq!(rest.jobs[0].id, first.id);
}
