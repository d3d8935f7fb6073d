//! Tokens that count, and attacks on credentials: every one gets the very same answer.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use e2e::backing::Backing;
use e2e::eventually;
use e2e::process::Server;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use storage::Clock as _;
use storage::ambient::System;

use super::issuer::{Issuer, Signer};
use super::{Client, closed, field, key, problem};

const SECRET: &str = "q7Hn0xw2Vd9sLk4TzB1cRm6YfGp3JaEe";
const JOBS: &str = "/v1/jobs";

fn now() -> i64 {
    System::new().now().as_second()
}

fn claims() -> Value {
    json!({
        "iss": "https://login.example.org/",
        "aud": "api://presswork",
        "exp": now() + 300,
        "nbf": now() - 10,
        "tenant": "acme",
        "tier": "enterprise",
        "scope": "jobs:read jobs:write",
    })
}

fn with(name: &str, value: impl Into<Value>) -> Value {
    let mut claims = claims();
    claims[name] = value.into();
    claims
}

fn without(name: &str) -> Value {
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove(name);
    claims
}

fn by_secret(secret: &[u8], claims: &Value) -> String {
    let header = Header::new(Algorithm::HS256);
    encode(&header, claims, &EncodingKey::from_secret(secret)).unwrap()
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

struct Started {
    backing: Backing,
    issuer: Issuer,
    server: Server,
    rsa: Signer,
    ec: Signer,
}

async fn start() -> Started {
    let (rsa, ec) = (Signer::rsa("rsa-1"), Signer::ec("ec-1"));
    let issuer = Issuer::start(&[&rsa, &ec]).await;
    let backing = Backing::embedded();
    let settings = [
        ("auth.jwks_url", issuer.url.as_str()),
        ("auth.issuer", "https://login.example.org/"),
        ("auth.audience", "api://presswork"),
        ("auth.jwt_secret", SECRET),
        ("auth.jwks_pause", "1s"),
    ];
    let server = closed(&backing, "api-shim", &settings);
    Started {
        backing,
        issuer,
        server,
        rsa,
        ec,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_of_both_kinds_count_and_new_keys_are_found() {
    let system = start().await;
    let client = Client::of(&system.server);
    let status = async |token: &str| {
        let sent = client.get(JOBS).bearer_auth(token).send().await.unwrap();
        sent.status().as_u16()
    };
    for _ in 0..20 {
        assert_eq!(status(&system.rsa.sign(&claims())).await, 200);
        assert_eq!(status(&system.ec.sign(&claims())).await, 200);
        assert_eq!(status(&by_secret(SECRET.as_bytes(), &claims())).await, 200);
    }
    assert_eq!(system.issuer.fetched(), 1, "its keys are kept");
    let audiences = with("aud", json!(["others", "api://presswork"]));
    assert_eq!(status(&system.rsa.sign(&audiences)).await, 200);
    let reader = with("scope", "sessions:read");
    assert_eq!(status(&system.rsa.sign(&reader)).await, 403);
    let nothing = without("scope");
    assert_eq!(status(&system.rsa.sign(&nothing)).await, 403);
    // Our own tokens are made by whoever has the secret, for us alone.
    assert_eq!(status(&by_secret(SECRET.as_bytes(), &nothing)).await, 200);

    let fresh = Signer::ec("ec-2");
    system.issuer.publish(&fresh);
    // They are not fetched more often than once in a second.
    let signed = async || status(&fresh.sign(&claims())).await;
    eventually("the new key is found", signed, |status| *status == 200).await;
    // Made-up ids make no burden of us.
    let before = system.issuer.fetched();
    let clock = System::new();
    let start = clock.monotonic();
    for n in 0..50 {
        let mut header = system.rsa.header();
        header.kid = Some(format!("made-up-{n}"));
        let token = encode(&header, &claims(), &system.rsa.key).unwrap();
        assert_eq!(status(&token).await, 401);
    }
    let fetches = system.issuer.fetched() - before;
    let seconds = clock.monotonic().saturating_sub(start).as_secs_f64();
    println!("50 unknown kids in {seconds:.1} s: {fetches} fetches of the issuer's keys");
    assert!(
        fetches as f64 <= seconds + 1.0,
        "{fetches} fetches in {seconds} s"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_attack_gets_the_same_answer() {
    let system = start().await;
    let client = Client::of(&system.server);
    let (rsa, ec) = (&system.rsa, &system.ec);
    let stranger = Signer::rsa("rsa-1");
    let good_key = key(
        &system.backing,
        &["--tenant", "acme", "--tier", "enterprise"],
    );
    let good = rsa.sign(&claims());
    let parts: Vec<&str> = good.split('.').collect();
    let modulus = rsa.public()["n"].as_str().unwrap().to_owned();
    let tampered = part(&with("tenant", "beta"));
    let unsigned = |alg: &str| {
        format!(
            "{}.{}.",
            part(&json!({"alg": alg, "typ": "JWT"})),
            part(&claims())
        )
    };
    let headed = |change: Value| {
        let mut head = rsa.header();
        head.kid = None;
        let mut value = serde_json::to_value(head).unwrap();
        for (name, new) in change.as_object().unwrap() {
            value[name] = new.clone();
        }
        format!("{}.{}.{}", part(&value), parts[1], parts[2])
    };
    let own_key_inside = {
        let mut head = stranger.header();
        head.jwk = serde_json::from_value(stranger.public()).ok();
        encode(&head, &claims(), &stranger.key).unwrap()
    };
    let confused = |secret: &[u8]| {
        let mut head = Header::new(Algorithm::HS256);
        head.kid = Some("rsa-1".to_owned());
        encode(&head, &claims(), &EncodingKey::from_secret(secret)).unwrap()
    };
    let critical = {
        let mut head = rsa.header();
        head.crit = Some(vec!["exp".to_owned()]);
        encode(&head, &claims(), &rsa.key).unwrap()
    };
    let flip = |text: &str| {
        let last = text.len() - 8;
        let new = if &text[last..=last] == "A" { "B" } else { "A" };
        format!("{}{new}{}", &text[..last], &text[last + 1..])
    };
    let bearer = |token: String| vec![("authorization", format!("Bearer {token}"))];
    let api_key = |key: String| vec![("x-api-key", key)];
    let mut attacks = vec![
        ("alg none", bearer(unsigned("none"))),
        ("alg None", bearer(unsigned("None"))),
        ("alg nOnE", bearer(unsigned("nOnE"))),
        (
            "alg none, with a real signature",
            bearer(headed(json!({"alg": "none"}))),
        ),
        (
            "alg RS512",
            bearer(headed(json!({"alg": "RS512", "kid": "rsa-1"}))),
        ),
        (
            "alg PS256",
            bearer(headed(json!({"alg": "PS256", "kid": "rsa-1"}))),
        ),
        (
            "alg ES256 with an RSA key",
            bearer(headed(json!({"alg": "ES256", "kid": "rsa-1"}))),
        ),
        (
            "HS256 signed with the public modulus",
            bearer(confused(modulus.as_bytes())),
        ),
        (
            "HS256 signed with the public key as JWK",
            bearer(confused(rsa.public().to_string().as_bytes())),
        ),
        ("HS256 signed with nothing", bearer(confused(b""))),
        (
            "HS256 with a guessed secret",
            bearer(by_secret(b"change-me-change-me-change-me-12", &claims())),
        ),
        (
            "RS256 by another key of the same kid",
            bearer(stranger.sign(&claims())),
        ),
        ("RS256 with its key in the header", bearer(own_key_inside)),
        (
            "kid of another kind of key",
            bearer(headed(json!({"kid": "ec-1"}))),
        ),
        ("unknown kid", bearer(headed(json!({"kid": "nobody"})))),
        (
            "kid that is a path",
            bearer(headed(json!({"kid": "../../../dev/null"}))),
        ),
        (
            "kid that is a query",
            bearer(headed(json!({"kid": "' OR '1'='1"}))),
        ),
        (
            "no kid, two keys to choose from",
            bearer(headed(json!({"kid": null, "jku": "http://127.0.0.1:1/"}))),
        ),
        ("critical header", bearer(critical)),
        (
            "payload tampered with",
            bearer(format!("{}.{tampered}.{}", parts[0], parts[2])),
        ),
        ("signature tampered with", bearer(flip(&good))),
        (
            "signature left out",
            bearer(format!("{}.{}.", parts[0], parts[1])),
        ),
        ("a fourth part", bearer(format!("{good}.{}", parts[2]))),
        ("expired", bearer(rsa.sign(&with("exp", now() - 120)))),
        ("no exp", bearer(rsa.sign(&without("exp")))),
        ("exp as text", bearer(rsa.sign(&with("exp", "9999999999")))),
        ("not yet valid", bearer(ec.sign(&with("nbf", now() + 120)))),
        (
            "wrong audience",
            bearer(ec.sign(&with("aud", "api://others"))),
        ),
        ("no audience", bearer(rsa.sign(&without("aud")))),
        (
            "wrong issuer",
            bearer(rsa.sign(&with("iss", "https://login.example.com/"))),
        ),
        ("no issuer", bearer(rsa.sign(&without("iss")))),
        ("no tenant", bearer(rsa.sign(&without("tenant")))),
        (
            "tenant anonymous",
            bearer(rsa.sign(&with("tenant", "anonymous"))),
        ),
        (
            "9,000 bytes",
            bearer(rsa.sign(&with("padding", "x".repeat(9_000)))),
        ),
        ("not a token", bearer("not.a.token".to_owned())),
        (
            "nothing after Bearer",
            vec![("authorization", "Bearer".to_owned())],
        ),
        (
            "Basic",
            vec![("authorization", "Basic YWRtaW46YWRtaW4=".to_owned())],
        ),
        ("key with a wrong secret", api_key(flip(&good_key))),
        (
            "key of an unknown id",
            api_key(good_key.replace(&good_key[3..15], "000000000000")),
        ),
        ("key cut short", api_key(good_key[..40].to_owned())),
        (
            "key with a quote in its id",
            api_key(good_key.replace(&good_key[5..6], "'")),
        ),
        ("empty key", api_key(String::new())),
        ("a token as a key", api_key("a.b.c".to_owned())),
    ];
    attacks.push(("two different credentials", {
        let mut both = api_key(good_key.clone());
        both.extend(bearer(good.clone()));
        both
    }));
    let mut first: Option<Value> = None;
    let count = attacks.len();
    for (name, headers) in attacks {
        let mut request = client.get(JOBS);
        for (header, value) in headers {
            request = request.header(header, value);
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        println!("{status}  {name}");
        assert_eq!(status, 401, "{name}");
        let challenge = "Bearer realm=\"presswork\", error=\"invalid_token\"";
        assert_eq!(field(&response, "www-authenticate"), challenge, "{name}");
        let body = problem(response).await;
        assert_eq!(first.get_or_insert(body.clone()), &body, "{name}");
    }
    println!("{count} attacks, {count} times 401 with one and the same body");
    assert_eq!(client.status(JOBS, &good_key).await, 200);
    let (_, log) = system.server.terminate();
    for secret in [parts[2], &good_key[16..], SECRET] {
        assert!(!log.contains(secret), "a credential is logged");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret_takes_as_long_as_an_unknown_id() {
    let backing = Backing::embedded();
    let server = closed(&backing, "api-shim", &[("log.level", "warn")]);
    let client = Client::of(&server);
    let good = key(&backing, &["--tenant", "acme"]);
    let wrong = format!("{}{}", &good[..16], "A".repeat(43));
    let unknown = format!("pw_000000000000_{}", "A".repeat(43));
    let clock = System::new();
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..400 {
        for (key, times) in [&wrong, &unknown].into_iter().zip(&mut times) {
            let start = clock.monotonic();
            assert_eq!(client.status(JOBS, key).await, 401);
            times.push(clock.monotonic().saturating_sub(start).as_secs_f64() * 1e6);
        }
    }
    let [wrong, unknown] = times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    });
    println!("median of 400: wrong secret {wrong:.0} us, unknown id {unknown:.0} us");
    assert!((0.6..1.6).contains(&(wrong / unknown)), "{wrong} {unknown}");
}
