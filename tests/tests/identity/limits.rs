//! Limits of requests and of jobs, in one replica and over two.

use std::time::Duration;

use e2e::backing::Backing;
use e2e::eventually;
use e2e::process::Server;
use reqwest::{Method, Response};
use serde_json::{Value, json};
use storage::Clock as _;
use storage::ambient::System;

use super::{Client, closed, field, key, problem};

const JOBS: &str = "/v1/jobs";

e2e::on_both_storages!(each_tier_has_its_rate_and_a_429_says_when);

async fn each_tier_has_its_rate_and_a_429_says_when(backing: Backing) {
    let server = closed(&backing, "api-shim", &[("limits.enterprise", "3/hour")]);
    let client = Client::of(&server);
    let get = async |key: &str| -> Response {
        client
            .get(JOBS)
            .header("x-api-key", key)
            .send()
            .await
            .unwrap()
    };
    // So many that passed, the first that did not, and how long that took.
    let clock = System::new();
    let until_refused = async |key: &str, most: u64| {
        let start = clock.monotonic();
        let (mut passed, mut refused) = (0, None);
        while passed < most && refused.is_none() {
            let response = get(key).await;
            match response.status().as_u16() {
                200 => passed += 1,
                429 => refused = Some(response),
                other => panic!("{other}"),
            }
        }
        let took = clock.monotonic().saturating_sub(start);
        println!("{passed} passed at once, within {took:?}");
        (passed, refused, took)
    };
    let key_of = |tier: &str| key(&backing, &["--tenant", tier, "--tier", tier]);
    let free = key_of("free");
    let (passed, refused, took) = until_refused(&free, 1_000).await;
    // One comes back each second.
    let most = 11 + took.as_secs();
    assert!((10..=most).contains(&passed), "{passed} in {took:?}");
    let refused = refused.unwrap();
    let number = |name: &str| field(&refused, name).parse::<u64>().unwrap();
    assert!((1..=2).contains(&number("retry-after")));
    assert_eq!(
        (number("ratelimit-limit"), number("ratelimit-remaining")),
        (10, 0)
    );
    assert!((8..=11).contains(&number("ratelimit-reset")));
    assert_eq!(field(&refused, "ratelimit-policy"), "60;w=60;burst=10");
    assert_eq!(
        problem(refused).await["type"],
        "/problems/too-many-requests"
    );
    let (passed, refused, _) = until_refused(&key_of("enterprise"), 6).await;
    assert_eq!((passed, refused.is_some()), (3, true));
    // Another key of the same tenant is no way around it; another tenant's is not concerned.
    let second = key_of("enterprise");
    assert_eq!(get(&second).await.status().as_u16(), 429);
    let (passed, refused, _) = until_refused(&key_of("pro"), 30).await;
    assert_eq!((passed, refused.is_some()), (30, false));
    let status = async || get(&free).await.status().as_u16();
    eventually("one more passes", status, |status| *status == 200).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_without_a_credential_are_limited_by_address() {
    let backing = Backing::embedded();
    let settings = [
        ("auth.anonymous", "on"),
        ("limits.proxy_hops", "1"),
        ("limits.sync", "0s"),
    ];
    let mut command = backing.part("api-shim", &settings);
    let server = Server::start(command.env("RATE_LIMIT_DEFAULT", "5/hour"));
    let client = Client::of(&server);
    let passed = async |forwarded: &[&str]| {
        let mut passed = 0;
        for n in 0..8 {
            let mut request = client.get(JOBS);
            for line in forwarded {
                request = request.header("x-forwarded-for", line.replace('N', &n.to_string()));
            }
            passed += usize::from(request.send().await.unwrap().status().as_u16() == 200);
        }
        passed
    };
    assert_eq!(passed(&["198.51.100.1"]).await, 5);
    assert_eq!(passed(&["198.51.100.1"]).await, 0);
    assert_eq!(passed(&["198.51.100.2"]).await, 5);
    // What the caller itself wrote before it gives no new limit.
    assert_eq!(passed(&["203.0.113.N, 198.51.100.2"]).await, 0);
    assert_eq!(passed(&["203.0.113.N", "198.51.100.2"]).await, 0);
    // Whoever comes past the proxy is one caller.
    assert_eq!(passed(&[]).await, 5);
    // Health and descriptions are for everybody.
    for _ in 0..20 {
        assert_eq!(
            client
                .get("/healthz")
                .send()
                .await
                .unwrap()
                .status()
                .as_u16(),
            200
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_replicas_hold_limits_and_idempotency_together() {
    const REPLICAS: usize = 2;
    const BURST: u64 = 10;
    let backing = Backing::azurite();
    let settings = [("limits.jobs", "basic 5")];
    let servers = [0; REPLICAS].map(|_| closed(&backing, "api-shim", &settings));
    let clients = servers.each_ref().map(Client::of);
    let basic = key(&backing, &["--tenant", "bob", "--tier", "basic"]);
    let many = key(&backing, &["--tenant", "cleo", "--tier", "enterprise"]);

    // Requests: as many as go, at both, for some seconds. The rate is one a second. On a machine that
    // stands still they do not hear of each other for a while, but not each time.
    let clock = System::new();
    let mut is_held = false;
    for tenant in ["ada", "eve", "joe"] {
        let free = key(&backing, &["--tenant", tenant, "--tier", "free"]);
        let start = clock.monotonic();
        let mut passed = [0u64; REPLICAS];
        let mut tried = 0u64;
        while clock.monotonic().saturating_sub(start) < Duration::from_secs(8) {
            for (client, passed) in clients.iter().zip(&mut passed) {
                tried += 1;
                *passed += u64::from(client.status(JOBS, &free).await == 200);
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let seconds = clock.monotonic().saturating_sub(start).as_secs();
        let all: u64 = passed.iter().sum();
        println!(
            "free, 60/minute burst 10, {tried} requests in {seconds} s at {REPLICAS} replicas: \
             {passed:?} passed, {all} in all; one replica alone would pass {}",
            BURST + seconds
        );
        assert!(all >= BURST, "{all}");
        let overshoot = REPLICAS as u64 * (BURST + 1);
        is_held = all <= overshoot + seconds + 1;
        if is_held {
            break;
        }
    }
    assert!(is_held, "each replica has a limit of its own");

    // Idempotency: the same key at both at once is one job.
    let body = json!({"kind": "cv", "input": {"cv": e2e::sample_cv()}});
    let submit = async |client: &Client, key: &str, idempotency: Option<&str>| {
        let mut request = client.request(Method::POST, JOBS).header("x-api-key", key);
        if let Some(idempotency) = idempotency {
            request = request.header("idempotency-key", idempotency);
        }
        let response = request.json(&body).send().await.unwrap();
        let status = response.status().as_u16();
        (status, response.json::<Value>().await.unwrap())
    };
    let at_once = (0..20).map(|n| submit(&clients[n % REPLICAS], &many, Some("\"one\"")));
    let answers = futures::future::join_all(at_once).await;
    let mut ids: Vec<String> = answers
        .iter()
        .map(|(_, job)| job["id"].to_string())
        .collect();
    assert!(
        answers.iter().all(|(status, _)| *status == 202),
        "{answers:?}"
    );
    ids.sort();
    ids.dedup();
    println!(
        "one Idempotency-Key, 20 requests at once at both: {} job",
        ids.len()
    );
    assert_eq!(ids.len(), 1);

    // Jobs in flight: nobody works on them.
    let mut accepted = 0;
    for n in 0..20 {
        let (status, answer) = submit(&clients[n % REPLICAS], &basic, None).await;
        assert!(matches!(status, 202 | 429), "{answer}");
        accepted += usize::from(status == 202);
    }
    println!("at most 5 jobs in flight, 20 submitted at both: {accepted} accepted");
    assert!((5..=5 * REPLICAS).contains(&accepted), "{accepted}");
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    for client in &clients {
        let again = async || submit(client, &basic, None).await;
        let refused = |answer: &(u16, Value)| answer.0 == 429;
        let (_, answer) = eventually("every replica knows of all jobs", again, refused).await;
        assert!(
            answer["detail"].as_str().unwrap().contains("5 jobs"),
            "{answer}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_has_so_many_jobs_in_flight_and_ended_ones_count_no_more() {
    let backing = Backing::embedded();
    let server = closed(&backing, "api-shim", &[("limits.jobs", "basic 3")]);
    let client = Client::of(&server);
    let key = key(&backing, &["--tenant", "ada", "--tier", "basic"]);
    let post = async |path: &str, body: &Value| {
        let request = client.request(Method::POST, path).header("x-api-key", &key);
        let response = request.json(body).send().await.unwrap();
        let status = response.status().as_u16();
        (status, response.json::<Value>().await.unwrap())
    };
    let body = json!({"kind": "cv", "input": {"cv": e2e::sample_cv()}});
    for _ in 0..3 {
        let (status, job) = post(JOBS, &body).await;
        assert_eq!(status, 202, "{job}");
    }
    assert_eq!(post(JOBS, &body).await.0, 429);
    // Somebody works on them.
    let _worker = Server::spawn(&mut backing.part("worker", &[("model.editor", "offline")]));
    let again = async || post(JOBS, &body).await;
    eventually("a job has ended", again, |answer| answer.0 == 202).await;
}
