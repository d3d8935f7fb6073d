//! What a run tells the operator's monitoring: one trace over OTLP from the request to the webhook,
//! metrics by their table, log lines by their names; and nothing of a CV or a key in any of it.

#![allow(
    clippy::unwrap_used,
    reason = "a test may fail at once, in its helpers too"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use e2e::api::Api;
use e2e::backing::Backing;
use e2e::process::{Server, with_model};
use e2e::sink::Sink;
use e2e::system::{fake, serve};
use e2e::{eventually, sample_cv, unique_cv};
use openai::fake::Server as Fake;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value as Any};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use reqwest::{Method, StatusCode};
use schemas::hex;
use serde_json::{Value, json};
use storage::Clock as _;
use storage::ambient::System;
use telemetry::event::EVENTS;
use telemetry::metrics::{METRICS, Spec};
use tokio::net::TcpListener;

e2e::on_both_storages!(one_trace_joins_request_queue_model_render_blob_and_webhook);

/// A caller's own trace.
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

/// A split deployment whose telemetry goes to a sink.
struct Split {
    shim: Server,
    worker: Server,
    api: Api,
    model: Fake,
}

fn start(backing: &Backing, script: Value, more: &[(&str, &str)]) -> Split {
    let model = fake(script);
    let open = [
        ("webhooks.allow_http", "true"),
        ("webhooks.allow_private", "true"),
        ("log.format", "json"),
        ("telemetry.shutdown_grace", "30s"),
    ];
    let settings: Vec<_> = open.iter().chain(more).copied().collect();
    let mut worker = backing.part("worker", &settings);
    with_model(&mut worker, &model.base_url());
    let worker = Server::spawn(&mut worker);
    let shim = Server::start(&mut backing.part("api-shim", &settings));
    let api = Api::new(&shim.url);
    Split {
        shim,
        worker,
        api,
        model,
    }
}

impl Split {
    /// Stops both, so that they send what is left. What they logged.
    fn stop(self) -> String {
        drop(self.model);
        let (status, mut log) = self.worker.terminate();
        assert!(status.success(), "{log}");
        let (status, more) = self.shim.terminate();
        assert!(status.success(), "{more}");
        log.push_str(&more);
        log
    }
}

/// The spans that were sent, each with the name of its service.
fn spans(sink: &Sink) -> Vec<(String, Span)> {
    let mut all = Vec::new();
    for seen in sink.seen("ok/v1/traces") {
        let request = ExportTraceServiceRequest::decode(&*seen.body).unwrap();
        for resource in request.resource_spans {
            let about = resource.resource.unwrap().attributes;
            let service = text(&about, "service.name");
            let spans = resource
                .scope_spans
                .into_iter()
                .flat_map(|scope| scope.spans);
            all.extend(spans.map(|span| (service.clone(), span)));
        }
    }
    all
}

fn value<'a>(attributes: &'a [KeyValue], name: &str) -> Option<&'a Any> {
    let found = attributes.iter().find(|attribute| attribute.key == name)?;
    found.value.as_ref()?.value.as_ref()
}

fn text(attributes: &[KeyValue], name: &str) -> String {
    match value(attributes, name) {
        Some(Any::StringValue(text)) => text.clone(),
        other => panic!("{name}: {other:?} in {attributes:?}"),
    }
}

fn number(attributes: &[KeyValue], name: &str) -> i64 {
    match value(attributes, name) {
        Some(Any::IntValue(number)) => *number,
        other => panic!("{name}: {other:?} in {attributes:?}"),
    }
}

async fn one_trace_joins_request_queue_model_render_blob_and_webhook(backing: Backing) {
    let sink = Sink::start().await;
    let endpoint = sink.url("ok");
    let more = [
        ("telemetry.otlp_endpoint", endpoint.as_str()),
        ("telemetry.otlp_headers", "x-probe=a%20b"),
        ("log.level", "trace"),
    ];
    let split = start(&backing, json!({}), &more);
    let body = json!({
        "kind": "cv",
        "input": {"cv": unique_cv(1)},
        "callback_url": sink.url("ok/hook"),
    });
    let submit = split.api.request(Method::POST, "/v1/jobs").json(&body);
    let submit = submit.header("traceparent", format!("00-{TRACE}-{PARENT}-01"));
    let response = submit.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::ACCEPTED);
    let job: Value = response.json().await.unwrap();
    let id = job["id"].as_str().unwrap().to_owned();
    split.api.ended(&id).await.unwrap();
    sink.wait("ok/hook", 1).await;
    let log = split.stop();

    let all = spans(&sink);
    let ours: Vec<_> = all
        .iter()
        .filter(|(_, span)| hex(&span.trace_id) == TRACE)
        .collect();
    let names: Vec<_> = ours
        .iter()
        .map(|(service, span)| format!("{service} {}", span.name))
        .collect();
    let find = |service: &str, name: &str| {
        let found = ours
            .iter()
            .find(|(of, span)| of == service && span.name == name);
        &found
            .unwrap_or_else(|| panic!("no span {service} {name} among {names:#?}"))
            .1
    };
    let (shim, worker) = ("presswork-api-shim", "presswork-worker");
    let request = find(shim, "POST /v1/jobs");
    assert_eq!(hex(&request.parent_span_id), PARENT);
    assert_eq!(text(&request.attributes, "http.route"), "/v1/jobs");
    assert_eq!(
        number(&request.attributes, "http.response.status_code"),
        202
    );
    let sent = find(shim, "send jobs");
    assert_eq!(sent.parent_span_id, request.span_id);
    let process = find(worker, "process jobs");
    assert_eq!(process.parent_span_id, request.span_id);
    let links: Vec<_> = process.links.iter().map(|link| &link.span_id).collect();
    assert_eq!(
        links,
        [&request.span_id],
        "a message's consumer has a link to where it came from"
    );
    let model = ours
        .iter()
        .find(|(_, span)| span.name.starts_with("chat "))
        .expect("a model call");
    let model = &model.1;
    assert_eq!(model.parent_span_id, process.span_id);
    assert_eq!(text(&model.attributes, "gen_ai.operation.name"), "chat");
    assert_eq!(text(&model.attributes, "gen_ai.provider.name"), "openai");
    assert!(number(&model.attributes, "gen_ai.usage.input_tokens") > 0);
    assert!(number(&model.attributes, "gen_ai.usage.output_tokens") > 0);
    for below in [
        "render",
        "put blob cv-pdfs",
        "put blob model-replies",
        "write jobs",
    ] {
        let span = find(worker, below);
        assert_eq!(span.parent_span_id, process.span_id, "{below}");
    }
    let hook = find(worker, "POST webhook");
    assert_eq!(hook.parent_span_id, request.span_id);
    assert_eq!(number(&hook.attributes, "http.response.status_code"), 200);
    // Each parent is in the trace itself.
    let ids: BTreeSet<_> = ours.iter().map(|(_, span)| hex(&span.span_id)).collect();
    for (_, span) in &ours {
        let parent = hex(&span.parent_span_id);
        assert!(
            parent == PARENT || ids.contains(&parent),
            "{} has no parent",
            span.name
        );
    }
    // A poll of a queue is no trace of anybody.
    assert!(
        !all.iter().any(|(_, span)| span.name.starts_with("receive")),
        "{all:?}"
    );
    let posted = sink.seen("ok/v1/");
    assert!(posted.iter().all(|seen| seen.header("x-probe") == "a b"));
    nothing_secret_in(
        &log,
        &posted
            .iter()
            .map(|seen| seen.body.clone())
            .collect::<Vec<_>>(),
    );
    assert!(log.contains(TRACE), "log lines name the trace");
}

/// Searches the log and what was sent for keys and for text of the CV.
fn nothing_secret_in(log: &str, sent: &[Vec<u8>]) {
    assert!(
        log.lines().count() > 20 && !sent.is_empty(),
        "there must be something to search"
    );
    let cv = sample_cv();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let secrets = [
        "sk-test-not-a-key".to_owned(),
        text(&cv["full_name"]),
        text(&cv["email"]),
        text(&cv["work_experience"][0]["employer"]),
        text(&cv["work_experience"][0]["bullets"][0])[2..30].to_owned(),
        "plans and runs things".to_owned(),
        "The CV is your only evidence".to_owned(),
        storage::azurite::KEY.to_owned(),
        "sig=".to_owned(),
        "x-probe".to_owned(),
    ];
    for secret in secrets {
        let line = log.lines().find(|line| line.contains(&secret));
        assert!(line.is_none(), "logged: {line:?}");
        let found = sent
            .iter()
            .any(|body| String::from_utf8_lossy(body).contains(&secret));
        assert!(!found, "exported: {secret}");
    }
}

/// Every sample of a text for Prometheus: name and labels, and the value.
fn samples(text: &str) -> BTreeMap<String, f64> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let sample = |line: &str| {
        let (name, value) = line.rsplit_once(' ').unwrap();
        (name.to_owned(), value.parse().unwrap())
    };
    lines.map(sample).collect()
}

/// What is counted of two equal jobs, a session and two mistakes.
const FIGURES: [(&str, f64); 11] = [
    ("presswork_jobs_accepted_total", 2.0),
    (r#"presswork_jobs_ended_total{state="succeeded"}"#, 2.0),
    ("presswork_latch_hits_total", 1.0),
    ("presswork_model_calls_sent_total", 1.0),
    ("presswork_jobs_in_flight", 0.0),
    ("presswork_sessions_created_total", 1.0),
    ("presswork_pdf_size_bytes_count", 1.0),
    (
        r#"presswork_render_duration_seconds_count{outcome="ok"}"#,
        1.0,
    ),
    (r#"presswork_pdf_downloads_total{outcome="ok"}"#, 2.0),
    (r#"presswork_http_problems_total{problem="not-found"}"#, 1.0),
    (
        r#"presswork_queue_depth{messaging_destination_name="jobs-poison"}"#,
        0.0,
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_those_of_the_table() {
    let backing = Backing::embedded();
    let sink = Sink::start().await;
    let endpoint = sink.url("ok");
    let model = fake(json!({}));
    let settings = [
        ("telemetry.otlp_endpoint", endpoint.as_str()),
        ("telemetry.metrics_listen", "127.0.0.1:0"),
        ("telemetry.metrics_every", "1s"),
        ("telemetry.shutdown_grace", "30s"),
        ("telemetry.service_name", "probe"),
        ("telemetry.resource_attributes", "cloud.region=nowhere"),
        ("worker.poll_max", "100ms"),
    ];
    let (server, api) = serve(&backing, &model, &settings);
    for _ in 0..2 {
        let id = api.submit(&unique_cv(7), json!({})).await.unwrap();
        assert_eq!(api.ended(&id).await.unwrap()["state"], "succeeded");
        api.pdf(&id).await.unwrap();
    }
    api.post("/v1/sessions", &json!({"cv": sample_cv()}))
        .await
        .unwrap();
    let (status, _) = api.post("/v1/jobs", &json!({"kind": "cv"})).await.unwrap();
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let (status, _) = api.get("/v1/jobs/nothing").await.unwrap();
    assert_eq!(status, StatusCode::NOT_FOUND);
    let log = async || server.logged();
    let told = |log: &String| log.contains("metrics are read at ");
    let log = eventually("it says where metrics are read", log, told).await;
    let (_, listen) = log.split_once("metrics are read at ").unwrap();
    let listen = listen.split_whitespace().next().unwrap();
    let scraped = async || {
        let scraped = reqwest::get(listen).await.unwrap();
        assert_eq!(
            scraped.headers()["content-type"],
            "text/plain; version=0.0.4; charset=utf-8"
        );
        scraped.text().await.unwrap()
    };
    // The gauges are looked at each second, and what is counted last is seen a moment later.
    let text = eventually("every figure is there", scraped, |text| {
        let samples = samples(text);
        FIGURES
            .iter()
            .all(|(sample, expect)| samples.get(*sample) == Some(expect))
    })
    .await;
    let other = listen.replace("/metrics", "/v1/jobs");
    let other = reqwest::get(other).await.unwrap();
    assert_eq!(other.status(), StatusCode::NOT_FOUND);
    assert!(text.contains(r#"service_name="probe""#) && text.contains(r#"cloud_region="nowhere""#));

    let known: BTreeSet<String> = METRICS.iter().map(Spec::prometheus_name).collect();
    let samples = samples(&text);
    for sample in samples
        .keys()
        .filter(|sample| !sample.starts_with("target_info"))
    {
        let name = sample.split('{').next().unwrap();
        let bare = ["_bucket", "_sum", "_count"]
            .iter()
            .find_map(|end| name.strip_suffix(end));
        assert!(
            known.contains(bare.unwrap_or(name)),
            "{sample} is in no line of the table"
        );
    }
    let posted = [
        "http_server_request_duration_seconds_count{",
        r#"http_route="/v1/jobs""#,
        r#"http_response_status_code="202""#,
    ];
    let posted = |sample: &&String| posted.iter().all(|part| sample.contains(part));
    let posted = samples.keys().find(posted);
    let posted = posted.unwrap_or_else(|| panic!("no route in\n{text}"));
    assert_eq!(samples.get(posted), Some(&2.0), "{posted}");

    let (status, log) = server.terminate();
    assert!(status.success(), "{log}");
    let names: BTreeSet<&str> = METRICS.iter().map(|spec| spec.name).collect();
    let mut sent = BTreeSet::new();
    for seen in sink.seen("ok/v1/metrics") {
        let request = ExportMetricsServiceRequest::decode(&*seen.body).unwrap();
        let metrics = request
            .resource_metrics
            .into_iter()
            .flat_map(|resource| resource.scope_metrics);
        sent.extend(
            metrics
                .flat_map(|scope| scope.metrics)
                .map(|metric| metric.name),
        );
    }
    let strange: Vec<_> = sent
        .iter()
        .filter(|name| !names.contains(name.as_str()))
        .collect();
    assert!(!sent.is_empty() && strange.is_empty(), "{strange:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn application_insights_is_dialled_by_its_connection_string_unless_switched_off() {
    let backing = Backing::embedded();
    let key = "00000000-1111-2222-3333-444444444444";
    for (switch, expect) in [("true", true), ("false", false)] {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        // It speaks TLS only: here it is enough that it calls. Nobody is kept waiting for an answer.
        let calls = Arc::new(AtomicUsize::new(0));
        let called = calls.clone();
        let listening = tokio::spawn(async move {
            while listener.accept().await.is_ok() {
                called.fetch_add(1, Ordering::SeqCst);
            }
        });
        let connection = format!("InstrumentationKey={key};IngestionEndpoint=https://{address}/;");
        let settings = [
            ("model.editor", "offline"),
            ("telemetry.shutdown_grace", "8s"),
        ];
        let mut serve = backing.serve(&settings);
        serve.env("APPINSIGHTS_CONNECTION_STRING", &connection);
        serve.env("ENABLE_TELEMETRY", switch);
        let server = Server::start(&mut serve);
        Api::new(&server.url).get("/v1/jobs").await.unwrap();
        let end = tokio::task::spawn_blocking(|| server.terminate());
        let (status, log) = end.await.unwrap();
        assert!(status.success(), "{log}");
        assert!(!log.contains(key), "the key is a secret: {log}");
        let called = async || calls.load(Ordering::SeqCst) > 0;
        if expect {
            eventually("it has called", called, |called| *called).await;
        }
        assert_eq!(called().await, expect, "{switch}: {log}");
        listening.abort();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_is_away_or_hangs_holds_up_nobody() {
    let sink = Sink::start().await;
    for endpoint in [
        "http://127.0.0.1:1".to_owned(),
        sink.url("hang"),
        sink.url("status/500"),
    ] {
        let backing = Backing::embedded();
        let settings = [
            ("telemetry.otlp_endpoint", endpoint.as_str()),
            ("telemetry.metrics_every", "1s"),
            ("telemetry.shutdown_grace", "1s"),
            ("model.editor", "offline"),
        ];
        let clock = System::new();
        let mut took = Vec::new();
        // An export may take ten seconds by itself. A machine that stands still does not do so each time.
        while took.len() < 3
            && took
                .last()
                .is_none_or(|took| *took > Duration::from_secs(8))
        {
            let server = Server::start(&mut backing.serve(&settings));
            let api = Api::new(&server.url);
            for number in 0..5 {
                let id = api.submit(&unique_cv(number), json!({})).await.unwrap();
                let job = api.ended(&id).await.unwrap();
                assert_eq!(job["state"], "succeeded", "{endpoint}");
            }
            let begun = clock.monotonic();
            let end = tokio::task::spawn_blocking(|| server.terminate());
            let (status, log) = end.await.unwrap();
            took.push(clock.monotonic().saturating_sub(begun));
            assert!(status.success(), "{endpoint}: {log}");
        }
        assert!(took.len() < 3, "the end is held up: {took:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn log_lines_have_the_names_of_the_list_and_figures_are_sampled() {
    let lines = async |share: &str, script: Value| -> Vec<Value> {
        let backing = Backing::embedded();
        let split = start(&backing, script, &[("telemetry.pdf_metrics_sample", share)]);
        let id = split.api.submit(&unique_cv(1), json!({})).await.unwrap();
        split.api.ended(&id).await.unwrap();
        let log = split.stop();
        let lines = log
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok());
        let lines: Vec<Value> = lines.collect();
        for line in lines.iter().filter(|line| line.get("event").is_some()) {
            let name = line["event"].as_str().unwrap();
            let known = EVENTS.iter().find(|event| event.name == name);
            let known = known.unwrap_or_else(|| panic!("{name} is in no list"));
            for field in known.fields {
                assert!(line.get(*field).is_some(), "{name} has no {field}: {line}");
            }
        }
        lines
    };
    let sampled = |lines: &[Value]| -> Vec<Value> {
        let sample = lines
            .iter()
            .filter(|line| line["event"] == "PDF_METRICS_SAMPLE");
        sample.cloned().collect()
    };
    let all = sampled(&lines("100%", json!({})).await);
    let [figures] = all.as_slice() else {
        panic!("{all:?}")
    };
    assert_eq!(figures["state"], "succeeded");
    assert!(
        figures["size_bytes"].as_u64().unwrap() > 10_000,
        "{figures}"
    );
    assert!(figures["pages"].as_u64().unwrap() >= 1, "{figures}");
    assert!(
        figures["model_ms"].is_u64() && figures["render_ms"].is_u64(),
        "{figures}"
    );
    assert!(figures["input_tokens"].as_u64().unwrap() > 0, "{figures}");
    let ended = lines("0", json!({})).await;
    assert!(sampled(&ended).is_empty());
    assert!(ended.iter().any(|line| line["event"] == "job.ended"));
    let failed = lines("0", json!({"steps": [{"do": "refusal"}]})).await;
    let failed = sampled(&failed);
    assert_eq!(failed.len(), 1, "a failure is always told");
    assert_eq!(failed[0]["state"], "failed");
}
