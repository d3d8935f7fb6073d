//! API keys through the command line and HTTP: made, used, rotated, revoked.

use std::time::Duration;

use e2e::backing::Backing;
use e2e::eventually;
use e2e::process::{Server, run};
use reqwest::Method;
use serde_json::{Value, json};
use storage::Clock as _;

use super::{Client, closed, field, id_of, key, problem};

e2e::on_both_storages!(
    keys_work_where_they_may_stand_and_are_never_logged,
    a_rotated_key_works_until_its_grace_is_over,
    a_revoked_or_expired_key_is_refused_within_seconds,
);

const JOBS: &str = "/v1/jobs";

async fn keys_work_where_they_may_stand_and_are_never_logged(backing: Backing) {
    let server = closed(&backing, "api-shim", &[]);
    let client = Client::of(&server);
    let full = key(&backing, &["--tenant", "acme", "--name", "laptop"]);
    let narrow = key(&backing, &["--tenant", "acme", "--scope", "jobs:read"]);
    assert_eq!(client.status(JOBS, &full).await, 200);
    let bearer = client.get(JOBS).bearer_auth(&full).send().await.unwrap();
    assert_eq!(bearer.status().as_u16(), 200);
    assert_ne!(field(&bearer, "ratelimit-limit"), "");

    // The places of Azure Functions, on the older routes alone.
    let session = "/api/get-cv-session?session_id=00000000-0000-7000-8000-000000000000";
    for (path, header, expect) in [
        (session.to_owned(), true, 404),
        (format!("{session}&code={full}"), false, 404),
        (session.to_owned(), false, 401),
        (JOBS.to_owned(), true, 401),
        (format!("{JOBS}?code={full}"), false, 401),
    ] {
        let mut request = client.get(&path);
        if header {
            request = request.header("x-functions-key", &full);
        }
        let status = request.send().await.unwrap().status().as_u16();
        assert_eq!(
            status,
            expect,
            "header {header}: {}",
            path.replace(&full, "KEY")
        );
    }

    // No credential, and one without the scope.
    let none = client.get(JOBS).send().await.unwrap();
    assert_eq!(none.status().as_u16(), 401);
    assert_eq!(
        field(&none, "www-authenticate"),
        "Bearer realm=\"presswork\""
    );
    assert_eq!(problem(none).await["type"], "/problems/unauthorized");
    assert_eq!(client.status(JOBS, &narrow).await, 200);
    let post = client
        .request(Method::POST, JOBS)
        .header("x-api-key", &narrow);
    let lacks = post.json(&json!({})).send().await.unwrap();
    assert_eq!(lacks.status().as_u16(), 403);
    let challenge = field(&lacks, "www-authenticate");
    assert!(challenge.contains("insufficient_scope"), "{challenge}");
    assert!(challenge.contains("jobs:write"), "{challenge}");
    // A tool by its name needs what it needs by its path.
    let writer = key(&backing, &["--tenant", "acme", "--scope", "jobs:write"]);
    let tool = client.request(Method::POST, "/api/cv-tool-call-handler");
    let body = json!({"tool_name": "get_cv_session", "params": {}});
    let tool = tool.header("x-api-key", &writer).json(&body).send().await;
    assert_eq!(tool.unwrap().status().as_u16(), 403);

    // The list shows the use, some time later, and no secret.
    let used = async || {
        let list = run(&mut backing.presswork(&["keys", "list", "--json"]));
        assert!(!list.out.contains(&full[16..]), "the list shows a secret");
        let list: Vec<Value> = serde_json::from_str(&list.out).unwrap();
        assert_eq!(list.len(), 3);
        let row = list.iter().find(|row| row["id"] == id_of(&full)).unwrap();
        assert_eq!(
            (&row["name"], &row["state"]),
            (&json!("laptop"), &json!("active"))
        );
        row["last_used_at"].clone()
    };
    eventually("the key was used", used, Value::is_string).await;
    let (_, log) = server.terminate();
    assert!(log.contains("GET /v1/jobs"), "the log has the requests");
    for key in [&full, &narrow, &writer] {
        assert!(!log.contains(&key[16..]), "a key is logged");
    }
}

async fn a_rotated_key_works_until_its_grace_is_over(backing: Backing) {
    let server = closed(&backing, "api-shim", &[]);
    let client = Client::of(&server);
    let [first, second] =
        ["a", "b"].map(|name| key(&backing, &["--tenant", "acme", "--name", name]));
    let other = key(&backing, &["--tenant", "beta"]);
    assert_eq!(client.status(JOBS, &first).await, 200);
    let rotate = |tenant: &str, grace: &str| {
        let arguments = ["keys", "rotate", "--tenant", tenant, "--grace", grace];
        run(&mut backing.presswork(&arguments))
    };
    let made = rotate("acme", "1h");
    let new: Vec<&str> = made.out.lines().collect();
    assert_eq!(new.len(), 2, "{}", made.err);
    for key in new.iter().copied().chain([first.as_str(), &second, &other]) {
        assert_eq!(client.status(JOBS, key).await, 200);
    }
    // A grace that is soon over, and the few seconds that a key is kept; the others' goes on.
    let brief = key(&backing, &["--tenant", "brief"]);
    assert_eq!(client.status(JOBS, &brief).await, 200);
    let made = rotate("brief", "1s");
    let status = async || client.status(JOBS, &brief).await;
    eventually("the grace is over", status, |status| *status == 401).await;
    for key in new.iter().copied().chain([made.out.trim(), &first, &other]) {
        assert_eq!(client.status(JOBS, key).await, 200);
    }
    for rotated in [&first, &brief] {
        let again = run(&mut backing.presswork(&["keys", "rotate", id_of(rotated)]));
        assert!(!again.status.success(), "{again:?}");
    }
    let one = run(&mut backing.presswork(&["keys", "rotate", id_of(&other)]));
    assert_eq!(client.status(JOBS, one.out.trim()).await, 200);
    assert_eq!(client.status(JOBS, &other).await, 200);
}

async fn a_revoked_or_expired_key_is_refused_within_seconds(backing: Backing) {
    let server = closed(&backing, "api-shim", &[]);
    let client = Client::of(&server);
    let key_of = |more: &[&str]| {
        let all: Vec<&str> = ["--tenant", "acme"].iter().chain(more).copied().collect();
        key(&backing, &all)
    };
    // Longer for a machine on which it has expired before it is used.
    let mut brief = String::new();
    for lasts in ["4s", "12s", "36s"] {
        brief = key_of(&["--expires", lasts]);
        if client.status(JOBS, &brief).await == 200 {
            break;
        }
        assert_ne!(lasts, "36s", "it never works");
    }
    let (revoked, kept) = (key_of(&[]), key_of(&[]));
    assert_eq!(client.status(JOBS, &revoked).await, 200);
    let done = run(&mut backing.presswork(&["keys", "revoke", id_of(&revoked)]));
    assert_eq!(done.out.trim(), format!("revoked {}", id_of(&revoked)));
    let clock = storage::ambient::System::new();
    let start = clock.monotonic();
    let mut worked = Duration::ZERO;
    let asked = async || {
        let asked = clock.monotonic().saturating_sub(start);
        (client.status(JOBS, &revoked).await, asked)
    };
    eventually("a revoked key works no more", asked, |(status, asked)| {
        // What was asked in time may be answered late.
        if *status == 200 {
            worked = *asked;
        }
        *status == 401
    })
    .await;
    println!("a revoked key worked for {worked:?} more");
    assert!(worked < Duration::from_secs(5), "{worked:?}");
    assert_eq!(client.status(JOBS, &kept).await, 200);
    let status = async || client.status(JOBS, &brief).await;
    eventually("the key has expired", status, |status| *status == 401).await;
    let unknown = run(&mut backing.presswork(&["keys", "revoke", "000000000000"]));
    assert!(!unknown.status.success() && unknown.err.contains("no such key"));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_credential_only_this_machine_is_served() {
    let check = async |settings: &[(&str, &str)], headers: &[(&str, &str)], expect: u16| {
        let backing = Backing::embedded();
        let server = Server::start(&mut backing.serve(settings));
        let url = server.url.replace("0.0.0.0", "127.0.0.1");
        let mut request = Client::at(&url).get(JOBS);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let status = request.send().await.unwrap().status().as_u16();
        assert_eq!(status, expect, "{settings:?} {headers:?}");
    };
    let everywhere = ("server.listen", "0.0.0.0:0");
    check(&[], &[], 200).await;
    check(&[], &[("x-forwarded-for", "192.0.2.1")], 401).await;
    check(&[], &[("host", "rebound.example.org")], 401).await;
    check(&[], &[("x-api-key", "pw_wrong")], 401).await;
    check(&[("limits.proxy_hops", "1")], &[], 401).await;
    check(&[everywhere], &[], 401).await;
    check(&[everywhere, ("auth.anonymous", "on")], &[], 200).await;
    check(&[("auth.anonymous", "off")], &[], 401).await;
}
