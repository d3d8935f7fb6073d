//! The OpenAPI document is that of the running service: what it answers is what the document says.

#![allow(
    clippy::unwrap_used,
    reason = "a test may fail at once, in its helpers too"
)]

use std::collections::BTreeSet;

use e2e::backing::Backing;
use e2e::eventually;
use e2e::process::Server;
use reqwest::{Method, Response};
use serde_json::{Value, json};

e2e::on_both_storages!(answers_are_those_of_the_document,);

/// A client that checks every answer against the document.
struct Checked {
    http: reqwest::Client,
    url: String,
    document: Value,
    seen: BTreeSet<String>,
}

/// What was answered, already found to be as described.
#[derive(Debug)]
struct Answer {
    status: u16,
    location: Option<String>,
    etag: Option<String>,
    body: Value,
}

impl Checked {
    async fn new(url: &str) -> Self {
        let redirect = reqwest::redirect::Policy::none();
        let http = reqwest::Client::builder()
            .redirect(redirect)
            .build()
            .unwrap();
        let response = http
            .get(format!("{url}/openapi.json"))
            .send()
            .await
            .unwrap();
        let document = response.json().await.unwrap();
        let (url, seen) = (url.to_owned(), BTreeSet::new());
        Self {
            http,
            url,
            document,
            seen,
        }
    }

    /// `fill` takes the places of the braces in `path`, in their order.
    async fn call(
        &mut self,
        method: &str,
        path: &str,
        fill: &[&str],
        body: Option<Value>,
    ) -> Answer {
        self.with(method, path, fill, body, &[]).await
    }

    async fn with(
        &mut self,
        method: &str,
        path: &str,
        fill: &[&str],
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut url = format!("{}{path}", self.url);
        for value in fill {
            let (from, to) = (url.find('{').unwrap(), url.find('}').unwrap());
            url.replace_range(from..=to, value);
        }
        let pattern = path.split('?').next().unwrap();
        let method: Method = method.parse().unwrap();
        let mut request = self.http.request(method.clone(), url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        self.check(&method, pattern, response).await
    }

    async fn check(&mut self, method: &Method, path: &str, response: Response) -> Answer {
        let operation = &self.document["paths"][path][method.as_str().to_lowercase()];
        let id = operation["operationId"].as_str().unwrap().to_owned();
        let status = response.status().as_u16();
        let about = format!("{id}, {status}");
        let mut described = &operation["responses"][status.to_string()];
        if let Some(target) = described["$ref"].as_str() {
            described = self.document.pointer(&target[1..]).unwrap();
        }
        assert!(described.is_object(), "{about} is not documented");
        let header = |name: &str| {
            let value = response.headers().get(name);
            value.map(|value| value.to_str().unwrap().to_owned())
        };
        let (location, etag) = (header("location"), header("etag"));
        for (name, told) in [
            ("Location", &location),
            ("ETag", &etag),
            ("Retry-After", &header("retry-after")),
        ] {
            let documented = described["headers"].get(name).is_some();
            assert!(
                documented || told.is_none(),
                "{about}: {name} is not documented"
            );
        }
        let media_type = header("content-type");
        let bytes = response.bytes().await.unwrap();
        let Some(media_type) = media_type.filter(|_| !bytes.is_empty()) else {
            let none = described["content"].is_null() || status == 200 || status == 303;
            assert!(none, "{about}: a body is missing");
            self.seen.insert(about);
            return Answer {
                status,
                location,
                etag,
                body: Value::Null,
            };
        };
        let essence = media_type.split(';').next().unwrap();
        let media = &described["content"][essence];
        assert!(media.is_object(), "{about}: {essence} is not documented");
        let mut body = Value::Null;
        if essence.ends_with("json") {
            body = serde_json::from_slice(&bytes).unwrap();
            let mut schema = media["schema"].clone();
            schema["components"] = self.document["components"].clone();
            let validator = jsonschema::validator_for(&schema).unwrap();
            let faults: Vec<_> = validator
                .iter_errors(&body)
                .map(|e| format!("{}: {e}", e.instance_path()))
                .collect();
            assert!(faults.is_empty(), "{about}: {faults:?}\n{body:#}");
        }
        self.seen.insert(about);
        Answer {
            status,
            location,
            etag,
            body,
        }
    }
}

async fn answers_are_those_of_the_document(backing: Backing) {
    let server = Server::start(&mut backing.serve(&[]));
    let mut api = Checked::new(&server.url).await;
    let kept = std::fs::read_to_string(e2e::repository("schemas/openapi.json")).unwrap();
    let kept: Value = serde_json::from_str(&kept).unwrap();
    // Not printed: they are long.
    assert!(
        api.document == kept,
        "schemas/openapi.json is another document"
    );

    for path in [
        "/",
        "/healthz",
        "/readyz",
        "/health",
        "/health/detailed",
        "/api/health",
        "/problems",
        "/docs",
        "/openapi.json",
        "/api/tools.json",
        "/api/instructions.md",
    ] {
        assert_eq!(api.call("GET", path, &[], None).await.status, 200, "{path}");
    }
    api.call("GET", "/problems/{name}", &["not-found"], None)
        .await;
    api.call("GET", "/problems/{name}", &["x"], None).await;
    jobs(&mut api).await;
    let session = sessions(&mut api).await;
    contract(&mut api, &session).await;
    webhooks(&mut api).await;
    api.call("GET", "/v1/tenant/erase", &[], None).await;
    api.call("DELETE", "/v1/sessions/{id}", &[&session], None)
        .await;
    api.call("POST", "/v1/tenant/erase", &[], None).await;
    api.call("GET", "/v1/tenant/erase", &[], None).await;
    println!(
        "{} kinds of answers are as the document says",
        api.seen.len()
    );
    assert!(api.seen.len() > 60, "{:?}", api.seen);
}

async fn jobs(api: &mut Checked) {
    let job = |number| json!({ "kind": "cv", "input": { "cv": e2e::unique_cv(number) }, "metadata": { "n": "1" } });
    let key = [("idempotency-key", "\"k1\"")];
    let made = api.with("POST", "/v1/jobs", &[], Some(job(1)), &key).await;
    assert_eq!(made.status, 202);
    api.with("POST", "/v1/jobs", &[], Some(job(1)), &key).await;
    assert_eq!(
        api.with("POST", "/v1/jobs", &[], Some(job(2)), &key)
            .await
            .status,
        422
    );
    for (body, status) in [
        (json!({}), 400),
        (json!({ "kind": "cv", "input": { "cv": {} } }), 400),
        (json!({ "kind": "cv", "input": { "session_id": "x" } }), 404),
        (
            json!({ "kind": "cv", "input": { "docx_base64": "UEsDBA==" } }),
            422,
        ),
    ] {
        assert_eq!(
            api.call("POST", "/v1/jobs", &[], Some(body)).await.status,
            status
        );
    }
    let batch = json!({ "jobs": [job(3), {}] });
    assert_eq!(
        api.call("POST", "/v1/jobs/batch", &[], Some(batch))
            .await
            .status,
        207
    );
    let id = made.body["id"].as_str().unwrap().to_owned();
    let wait = [("prefer", "wait=5")];
    let read = async || api.with("GET", "/v1/jobs/{id}", &[&id], None, &wait).await;
    let ended = |read: &Answer| !matches!(read.body["state"].as_str(), Some("queued" | "running"));
    let read = eventually("the job ends", read, ended).await;
    assert_eq!(read.body["state"], "succeeded", "{:#}", read.body);
    let tag = read.etag.unwrap();
    let known = [("if-none-match", tag.as_str())];
    assert_eq!(
        api.with("GET", "/v1/jobs/{id}", &[&id], None, &known)
            .await
            .status,
        304
    );
    api.call("GET", "/v1/jobs?limit=1", &[], None).await;
    api.call("GET", "/v1/jobs?limit=0", &[], None).await;
    api.call("GET", "/v1/jobs/{id}/result", &[&id], None).await;
    api.with(
        "GET",
        "/v1/jobs/{id}/result",
        &[&id],
        None,
        &[("range", "bytes=0-9")],
    )
    .await;
    for document in [
        "cv",
        "cv.json",
        "resume.json",
        "report",
        "page-1.png",
        "page-9.png",
    ] {
        api.call(
            "GET",
            "/v1/jobs/{id}/result/{document}",
            &[&id, document],
            None,
        )
        .await;
    }
    api.call("GET", "/v1/jobs/{id}/events", &[&id], None).await;
    assert_eq!(
        api.call("POST", "/v1/jobs/{id}/cancel", &[&id], None)
            .await
            .status,
        409
    );
    assert_eq!(
        api.call("POST", "/v1/jobs/{id}/retry", &[&id], None)
            .await
            .status,
        409
    );
    assert_eq!(
        api.call("DELETE", "/v1/jobs/{id}", &[&id], None)
            .await
            .status,
        204
    );
    for path in [
        "/v1/jobs/{id}",
        "/v1/jobs/{id}/result",
        "/v1/jobs/{id}/events",
    ] {
        assert_eq!(api.call("GET", path, &[&id], None).await.status, 404);
    }
}

async fn sessions(api: &mut Checked) -> String {
    let made = api
        .call(
            "POST",
            "/v1/sessions",
            &[],
            Some(json!({ "cv": e2e::unique_cv(5) })),
        )
        .await;
    assert_eq!(made.status, 201);
    let id = made
        .location
        .unwrap()
        .rsplit('/')
        .next()
        .unwrap()
        .to_owned();
    for body in [
        json!({}),
        json!({ "cv": 1 }),
        json!({ "docx_base64": "x" }),
        json!({ "x": 1 }),
    ] {
        assert!(
            api.call("POST", "/v1/sessions", &[], Some(body))
                .await
                .status
                >= 400
        );
    }
    let path = "/v1/sessions/{id}";
    let confirm = json!({ "confirm": { "contact_confirmed": true, "education_confirmed": true } });
    assert_eq!(
        api.call("PATCH", path, &[&id], Some(confirm)).await.status,
        200
    );
    let late = [("if-match", "\"1\"")];
    assert_eq!(
        api.with("PATCH", path, &[&id], Some(json!({})), &late)
            .await
            .status,
        412
    );
    assert_eq!(
        api.with("DELETE", path, &[&id], None, &late).await.status,
        412
    );
    let read = api.call("GET", path, &[&id], None).await;
    let tag = read.etag.unwrap();
    assert_eq!(
        api.with("GET", path, &[&id], None, &[("if-none-match", &tag)])
            .await
            .status,
        304
    );
    id
}

async fn contract(api: &mut Checked, session: &str) {
    let of_session = json!({ "session_id": session });
    let cv = json!({ "cv_data": e2e::unique_cv(6) });
    let edit = json!({ "session_id": session, "field_path": "profile", "value": "Plans things." });
    let turn = json!({ "session_id": session, "message": "change my title" });
    let search = json!({ "tool_name": "cv_session_search", "session_id": session, "params": { "q": "plans" } });
    for (route, body, status) in [
        ("get-cv-session", of_session.clone(), 200),
        ("update-cv-field", edit, 200),
        ("generate-cv-from-session", of_session.clone(), 200),
        ("process-cv-orchestrated", turn, 200),
        (
            "process-cv-orchestrated",
            json!({ "session_id": session, "message": "generate pdf" }),
            200,
        ),
        (
            "process-cv-orchestrated",
            json!({ "message": "hello" }),
            200,
        ),
        ("process-cv-orchestrated", json!({}), 400),
        ("generate-cv-action", cv.clone(), 200),
        ("generate-cv-action", json!({}), 400),
        ("generate-cv", cv.clone(), 200),
        ("validate-cv", cv.clone(), 200),
        ("preview-html", cv, 200),
        ("cleanup-expired-sessions", json!({}), 200),
        (
            "generate-context-pack",
            json!({ "session_id": session, "phase": "preparation" }),
            200,
        ),
        ("extract-photo", json!({ "docx_base64": "x" }), 400),
        (
            "extract-and-store-cv",
            json!({ "docx_base64": "UEsDBA==" }),
            400,
        ),
        ("cv-tool-call-handler", search, 200),
        ("cv-tool-call-handler", json!({}), 400),
        ("get-cv-session", json!({ "session_id": "x" }), 404),
    ] {
        let answer = api
            .call("POST", &format!("/api/{route}"), &[], Some(body))
            .await;
        assert_eq!(answer.status, status, "{route}: {:#}", answer.body);
    }
    let path = format!("/api/get-cv-session?session_id={session}");
    assert_eq!(api.call("GET", &path, &[], None).await.status, 200);
}

async fn webhooks(api: &mut Checked) {
    let made = api
        .call("POST", "/v1/webhooks", &[], Some(json!({ "pull": true })))
        .await;
    assert_eq!(made.status, 201);
    let id = made.body["id"].as_str().unwrap().to_owned();
    let inside = json!({ "url": "https://127.0.0.1/x" });
    assert_eq!(
        api.call("POST", "/v1/webhooks", &[], Some(inside))
            .await
            .status,
        400
    );
    let one = "/v1/webhooks/{id}";
    api.call("GET", "/v1/webhooks", &[], None).await;
    api.call("GET", one, &[&id], None).await;
    api.call("PATCH", one, &[&id], Some(json!({ "description": "mine" })))
        .await;
    api.call("POST", "/v1/webhooks/{id}/rotate", &[&id], None)
        .await;
    let sent = api
        .call("POST", "/v1/webhooks/{id}/test", &[&id], None)
        .await;
    let event = sent.body["id"].as_str().unwrap_or("evt_0").to_owned();
    api.call("GET", "/v1/webhooks/{id}/deliveries", &[&id], None)
        .await;
    api.call(
        "GET",
        "/v1/webhooks/{id}/deliveries/{event}",
        &[&id, &event],
        None,
    )
    .await;
    api.call(
        "POST",
        "/v1/webhooks/{id}/deliveries/{event}/redeliver",
        &[&id, &event],
        None,
    )
    .await;
    let since = json!({ "since": "2020-01-01T00:00:00Z" });
    api.call("POST", "/v1/webhooks/{id}/redeliver", &[&id], Some(since))
        .await;
    api.call("GET", "/v1/webhooks/callback-secret", &[], None)
        .await;
    api.call("POST", "/v1/webhooks/callback-secret/rotate", &[], None)
        .await;
    assert_eq!(api.call("DELETE", one, &[&id], None).await.status, 204);
    assert_eq!(api.call("GET", one, &[&id], None).await.status, 404);
}
