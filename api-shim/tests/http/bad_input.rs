//! What strangers send: each a 4xx problem that says what to change, and nothing stored.

use std::path::Path;

use reqwest::Body;
use schemas::{Problem, ProblemKind};
use serde_json::{Value, json};

use crate::server::{Server, header, problem, sample};

/// Bytes of a body that is well over the limit.
const SIZE: usize = 50_000_000;

const JSON: &str = "application/json";

async fn refused(
    server: &Server,
    about: &str,
    body: impl Into<Body>,
    kind: ProblemKind,
) -> Problem {
    let request = server
        .post("/v1/jobs")
        .header("content-type", JSON)
        .body(body);
    let problem = problem(request.send().await.unwrap(), kind, about).await;
    server.assert_nothing_stored(about).await;
    problem
}

#[tokio::test]
async fn bodies_that_cannot_be_read() {
    use ProblemKind::MalformedBody;
    let server = Server::start().await;
    let check = async |about: &str, body: Vec<u8>, path: &str, says: &str| {
        let problem = refused(&server, about, body, MalformedBody).await;
        assert_eq!(problem.errors[0].path, path, "{about}");
        assert!(problem.detail.contains(says), "{about}: {}", problem.detail);
    };
    let whole = sample().to_string();
    check("empty", Vec::new(), "", "empty").await;
    check(
        "cut off",
        whole.as_bytes()[..whole.len() / 2].to_vec(),
        "input.cv.photo_url",
        "ends too early",
    )
    .await;
    check("not JSON", b"%PDF-1.7 ...".to_vec(), "", "not JSON").await;
    check("form", b"kind=cv".to_vec(), "", "not JSON").await;
    check(
        "not UTF-8",
        b"{\"kind\":\"\xff\xfe\"}".to_vec(),
        "kind",
        "not JSON",
    )
    .await;
    check("null", b"null".to_vec(), "", "wrong form").await;
    check("array", b"[]".to_vec(), "", "wrong form").await;
    let objects = r#"{"a":"#.repeat(10_000);
    for deep in [
        "[".repeat(10_000),
        format!(r#"{{"kind":"cv","input":{{"cv":{objects}"#),
    ] {
        let problem = refused(&server, "10,000 levels", deep, MalformedBody).await;
        assert_eq!(problem.errors[0].code, "too_deep");
    }
    check(
        "unknown kind",
        br#"{"kind":"novel","input":{"cv":{}}}"#.to_vec(),
        "kind",
        "`cv`",
    )
    .await;
    check(
        "no kind",
        br#"{"input":{"cv":{}}}"#.to_vec(),
        "kind",
        "required",
    )
    .await;
    check(
        "no input",
        br#"{"kind":"cv"}"#.to_vec(),
        "input",
        "required",
    )
    .await;
    check(
        "other input",
        br#"{"kind":"cv","input":{"url":"x"}}"#.to_vec(),
        "input",
        "`cv`",
    )
    .await;

    let check = async |about: &str, change: fn(&mut Value), path: &str, says: &str| {
        let mut request = sample();
        change(&mut request);
        let problem = refused(&server, about, request.to_string(), MalformedBody).await;
        assert_eq!(problem.errors[0].path, path, "{about}");
        assert!(problem.detail.contains(says), "{about}: {}", problem.detail);
    };
    check(
        "unknown field",
        |r| r["colour"] = json!("red"),
        "colour",
        "not a known field",
    )
    .await;
    let change = |r: &mut Value| r["options"] = json!({ "page": 1 });
    check("unknown option", change, "options.page", "`pages`").await;
    let change = |r: &mut Value| r["options"] = json!({ "theme": "Comic" });
    check("theme", change, "options.theme", "1 to 32").await;
    let change = |r: &mut Value| r["options"] = json!({ "pages": 9 });
    check("pages", change, "options.pages", "1, 2, 3, 4").await;
    let change = |r: &mut Value| r["metadata"] = json!({ "a": 1 });
    check("metadata", change, "metadata.a", "a string").await;
    let twice = sample().to_string().replacen('{', "{\"kind\":\"cv\",", 1);
    let problem = refused(&server, "a key twice", twice, MalformedBody).await;
    assert_eq!(problem.errors[0].code, "duplicate_key");
}

#[tokio::test]
async fn bodies_of_other_media_types() {
    let server = Server::start().await;
    let check = async |about: &str, headers: &[(&str, &str)]| {
        let mut request = server.post("/v1/jobs").body(sample().to_string());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.unwrap();
        assert_eq!(header(&response, "accept-post"), Some(JSON), "{about}");
        let problem = problem(response, ProblemKind::UnsupportedMediaType, about).await;
        assert!(problem.detail.contains(JSON), "{}", problem.detail);
        server.assert_nothing_stored(about).await;
    };
    check("none", &[]).await;
    check("text", &[("content-type", "text/plain")]).await;
    check(
        "form",
        &[("content-type", "application/x-www-form-urlencoded")],
    )
    .await;
    check("pdf", &[("content-type", "application/pdf")]).await;
    check(
        "utf-16",
        &[("content-type", "application/json; charset=utf-16")],
    )
    .await;
    check(
        "gzip",
        &[("content-type", JSON), ("content-encoding", "gzip")],
    )
    .await;
}

#[tokio::test]
async fn bodies_over_the_limit() {
    use ProblemKind::TooLarge;
    let server = Server::start().await;
    let problem = refused(&server, "announced", vec![b' '; SIZE], TooLarge).await;
    assert!(
        problem.detail.contains("15000000 bytes"),
        "{}",
        problem.detail
    );
    let chunk = vec![b' '; 100_000];
    let chunks = (0..SIZE / chunk.len()).map(move |_| Ok::<_, std::io::Error>(chunk.clone()));
    let chunked = Body::wrap_stream(futures::stream::iter(chunks));
    refused(&server, "chunked", chunked, TooLarge).await;
}

/// What a CV breaks is told with paths from the root of the body.
#[tokio::test]
async fn cvs_that_break_the_contract() {
    let server = Server::start().await;
    let bad = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/cv/bad");
    let check = async |file: &str, paths: &[&str]| {
        let cv = std::fs::read_to_string(bad.join(file)).unwrap();
        let body = format!(r#"{{"kind":"cv","input":{{"cv":{cv}}}}}"#);
        let problem = refused(&server, file, body, ProblemKind::InvalidCv).await;
        for path in paths {
            assert!(
                problem.errors.iter().any(|e| e.path == *path),
                "{file}: {:?}",
                problem.errors
            );
        }
        problem
    };
    check(
        "wrong_keys.json",
        &["input.cv.personal_info", "input.cv.employment_history"],
    )
    .await;
    check(
        "missing_required.json",
        &["input.cv.phone", "input.cv.education"],
    )
    .await;
    let types = [
        "input.cv.work_experience",
        "input.cv.address_lines",
        "input.cv.languages[0]",
    ];
    check("wrong_types.json", &types).await;
    let problem = check(
        "over_limits.json",
        &["input.cv.work_experience[0].date_range"],
    )
    .await;
    let bullet = problem
        .errors
        .iter()
        .find(|e| e.path.contains("bullets"))
        .unwrap();
    assert_eq!(bullet.limit, Some(200));
    assert!(
        bullet
            .current_value
            .zip(bullet.excess)
            .is_some_and(|(size, over)| size == 200 + over)
    );
    let missing = [
        "input.cv.work_experience[0].date_range",
        "input.cv.work_experience[0].title",
        "input.cv.education[0].institution",
        "input.cv.education[0].title",
    ];
    check("entry_missing_fields.json", &missing).await;
}

#[tokio::test]
async fn other_faults_of_a_cv() {
    let server = Server::start().await;
    let check = async |about: &str, change: fn(&mut Value), path: &str, code: &str| {
        let mut request = sample();
        change(&mut request["input"]["cv"]);
        let kind = ProblemKind::InvalidCv;
        let problem = refused(&server, about, request.to_string(), kind).await;
        let found = problem
            .errors
            .iter()
            .any(|e| e.path == path && e.code == code);
        assert!(found, "{about}: {:?}", problem.errors);
    };
    let photo = "input.cv.photo_url";
    let change = |cv: &mut Value| cv["photo_url"] = json!("https://example.com/me.jpg");
    check("photo by address", change, photo, "invalid_photo").await;
    let change = |cv: &mut Value| cv["photo_url"] = json!("data:image/jpeg;base64,!!!!");
    check("photo not base64", change, photo, "invalid_photo").await;
    let change =
        |cv: &mut Value| cv["photo_url"] = json!("data:image/png;base64,R0lGODlhAQABAAAAACw=");
    check("photo a GIF", change, photo, "invalid_photo").await;
    check(
        "empty",
        |cv| *cv = json!({}),
        "input.cv.full_name",
        "missing",
    )
    .await;
    check(
        "null",
        |cv| *cv = json!(null),
        "input.cv.full_name",
        "missing",
    )
    .await;
    check(
        "a text",
        |cv| *cv = json!("Ida Morrow"),
        "input.cv",
        "wrong_type",
    )
    .await;
}

#[tokio::test]
async fn limits_of_options_and_metadata() {
    let server = Server::start().await;
    let check = async |about: &str, change: fn(&mut Value), path: &str| {
        let mut request = sample();
        change(&mut request);
        let kind = ProblemKind::InvalidRequest;
        let problem = refused(&server, about, request.to_string(), kind).await;
        assert_eq!(problem.errors[0].path, path, "{about}");
        assert!(problem.errors[0].limit.is_some(), "{about}");
    };
    let change = |r: &mut Value| r["options"] = json!({ "job_posting": "x".repeat(20_001) });
    check("posting", change, "options.job_posting").await;
    let change = |r: &mut Value| r["metadata"] = json!({ "a": "x".repeat(257) });
    check("metadata value", change, "metadata.a").await;
}
