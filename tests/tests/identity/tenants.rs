//! The walk of two tenants over every operation there is: without a credential, without its scope,
//! and with another tenant's ids. An operation that is new is walked by itself if its ids stand in
//! its path; else this test fails until it is told where they stand.

use api_shim::{Access, Operation, Scope, operations};
use e2e::backing::Backing;
use e2e::process::run;
use reqwest::Method;
use serde_json::{Value, json};

use super::{Client, closed, key};

e2e::on_both_storages!(no_tenant_reaches_what_is_anothers);

/// What one tenant has.
struct Things {
    job: String,
    session: String,
    webhook: String,
}

/// A request of the walk.
struct Step {
    path: String,
    body: Option<Value>,
    /// Whether it names a thing by its id.
    names: bool,
}

async fn no_tenant_reaches_what_is_anothers(backing: Backing) {
    let settings = [
        ("webhooks.allow_http", "true"),
        ("webhooks.allow_private", "true"),
    ];
    let server = closed(&backing, "presswork", &settings);
    let client = Client::of(&server);
    let all = |tenant: &str, scopes: &str| {
        let arguments = [
            "--tenant",
            tenant,
            "--tier",
            "enterprise",
            "--scope",
            scopes,
        ];
        key(&backing, &arguments)
    };
    let (ada, bob) = (all("ada", "all"), all("bob", "all"));
    let things = furnish(&client, &ada).await;
    let (mut open, mut signed, mut walked) = (0, 0, 0);
    for operation in operations() {
        let Operation { method, id, .. } = &operation;
        let step = step(&operation, &things);
        let send = async |key: Option<&str>| {
            let mut request = client.request(method.clone(), &step.path);
            if let Some(key) = key {
                request = request.header("x-api-key", key);
            }
            if let Some(body) = &step.body {
                request = request.json(body);
            }
            let response = request.send().await.unwrap();
            let status = response.status().as_u16();
            (status, response.text().await.unwrap_or_default())
        };
        let scope = match operation.access {
            Access::Open => {
                let (status, _) = send(None).await;
                assert!(
                    status < 400 || status == 404 || status == 503,
                    "{id}: {status}"
                );
                open += 1;
                continue;
            }
            Access::Signed => {
                let (status, _) = send(Some(&bob)).await;
                assert!(
                    (400..500).contains(&status),
                    "{id}: {status} for an unsigned request"
                );
                signed += 1;
                continue;
            }
            Access::Needs(scope) => scope,
        };
        let (without, _) = send(None).await;
        let others = Scope::ALL.into_iter().filter(|other| *other != scope);
        let others: Vec<_> = others.map(Scope::as_str).collect();
        let (unscoped, _) = send(Some(&all("ada", &others.join(",")))).await;
        let (foreign, body) = send(Some(&bob)).await;
        println!(
            "{method:6} {:44} no key {without}, no {scope} {unscoped}, another's {foreign}{}",
            operation.path,
            if step.names { "" } else { " (names nothing)" }
        );
        assert_eq!((without, unscoped), (401, 403), "{id}");
        if step.names {
            assert_eq!(foreign, 404, "{id}: {body}");
        }
        for thing in [&things.job, &things.session, &things.webhook] {
            assert!(
                !body.contains(thing.as_str()) || step.path.contains(thing.as_str()),
                "{id} shows {thing}"
            );
        }
        assert!(!body.contains("Ida Morrow"), "{id} shows a name");
        walked += 1;
    }
    println!("{walked} operations walked, {open} open, {signed} signed");
    assert!(walked > 25, "{walked}");
    // All of it is still there, for its owner alone.
    for path in [
        format!("/v1/jobs/{}", things.job),
        format!("/v1/jobs/{}/result", things.job),
        format!("/v1/sessions/{}", things.session),
        format!("/v1/webhooks/{}", things.webhook),
    ] {
        let own = client.status(&path, &ada).await;
        assert!(matches!(own, 200 | 303 | 307), "{path}: {own}");
        assert_eq!(client.status(&path, &bob).await, 404, "{path}");
    }
    // Nor does a look-alike of a tenant's name reach it.
    let wrong = run(&mut backing.presswork(&["keys", "create", "--tenant", "ada/../bob"]));
    assert!(!wrong.status.success(), "{}", wrong.out);
}

/// A finished job, a session and a webhook of the owner of a key.
async fn furnish(client: &Client, key: &str) -> Things {
    let mut cv = e2e::sample_cv();
    cv["full_name"] = json!("Ida Morrow");
    let post = async |path: &str, body: Value| {
        let request = client.request(Method::POST, path).header("x-api-key", key);
        let response = request.json(&body).send().await.unwrap();
        let status = response.status();
        let body: Value = response.json().await.unwrap();
        assert!(status.is_success(), "{path}: {status} {body:#}");
        body
    };
    let text = |body: &Value, name: &str| body[name].as_str().unwrap().to_owned();
    let job = post("/v1/jobs", json!({"kind": "cv", "input": {"cv": cv}})).await;
    let session = post("/v1/sessions", json!({ "cv": cv })).await;
    let webhook = post("/v1/webhooks", json!({"url": "http://127.0.0.1:9999/x"})).await;
    let job = text(&job, "id");
    let done = client
        .get(&format!("/v1/jobs/{job}"))
        .header("x-api-key", key);
    let done = done.header("prefer", "wait=30").send().await.unwrap();
    let done: Value = done.json().await.unwrap();
    assert!(
        matches!(done["state"].as_str(), Some("succeeded" | "running")),
        "{done:#}"
    );
    let id = ["session_id", "id"]
        .iter()
        .find(|name| session[**name].is_string());
    Things {
        job,
        session: text(&session, id.unwrap()),
        webhook: text(&webhook, "id"),
    }
}

/// How to reach a thing of the owner by an operation.
fn step(operation: &Operation, things: &Things) -> Step {
    let path = operation.path;
    let filled = if path.starts_with("/v1/jobs") {
        path.replace("{id}", &things.job)
    } else if path.starts_with("/v1/sessions") {
        path.replace("{id}", &things.session)
    } else {
        path.replace("{id}", &things.webhook)
    };
    let filled = filled
        .replace("{document}", "cv.json")
        .replace("{event}", &things.job)
        .replace("{name}", "not-found");
    assert!(
        !filled.contains('{'),
        "{path}: the walk does not know this parameter"
    );
    let sends = matches!(operation.method, Method::POST | Method::PUT | Method::PATCH);
    if path.contains("{id}") {
        let body = match operation.id {
            "editSession" => json!({"edits": [{"field_path": "profile", "value": "x"}]}),
            "changeWebhook" => json!({"url": "http://127.0.0.1:9999/z"}),
            "redeliverSince" => json!({"since": "2026-01-01T00:00:00Z"}),
            _ => json!({}),
        };
        let body = sends.then_some(body);
        return Step {
            path: filled,
            body,
            names: true,
        };
    }
    let by_session = |change: Value| {
        let mut body = json!({ "session_id": things.session });
        for (name, value) in change.as_object().unwrap() {
            body[name] = value.clone();
        }
        (Some(body), true)
    };
    let plain = |body: Value| (Some(body), false);
    let cv = || json!({"cv": e2e::unique_cv(7)});
    let (body, names) = match operation.id {
        // Operations that name a thing in their body or query.
        "get_cv_session" | "generate_cv_from_session" => by_session(json!({})),
        "generate_context_pack_v2" => by_session(json!({"phase": "preparation"})),
        "update_cv_field" => by_session(json!({"field_path": "profile", "value": "x"})),
        "process_cv_orchestrated" => by_session(json!({"message": "hello"})),
        "callTool" => by_session(json!({"tool_name": "get_cv_session", "params": {}})),
        "getCvSession" => {
            return Step {
                path: format!("{filled}?session_id={}", things.session),
                body: None,
                names: true,
            };
        }
        // Operations of the caller alone.
        "submitJob" => plain(json!({"kind": "cv", "input": {"session_id": things.session}})),
        "submitBatch" => plain(json!({"jobs": [{"kind": "cv", "input": cv()}]})),
        "createSession" => plain(cv()),
        "createWebhook" => plain(json!({"url": "http://127.0.0.1:9999/y"})),
        "validate_cv" | "preview_html" | "generate_cv_action" | "generateCv" => {
            plain(json!({"cv_data": e2e::unique_cv(8)}))
        }
        "extract_and_store_cv" | "extract_photo" => plain(json!({"docx_base64": "UEsDBA=="})),
        "cleanup_expired_sessions" | "eraseTenant" => plain(json!({})),
        _ if !sends => (None, false),
        _ if !matches!(operation.access, Access::Needs(_)) => plain(json!({})),
        "rotateCallbackSecret" => plain(json!({})),
        new => panic!("{new}: tell the walk whether this operation names a thing, and where"),
    };
    Step {
        path: filled,
        body,
        names,
    }
}
