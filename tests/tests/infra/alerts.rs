//! What an alert asks for is sent when what it watches for happens: one run in which all of it does.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use e2e::api::Api;
use e2e::backing::Backing;
use e2e::process::{Server, run, with_model};
use e2e::sink::Sink;
use e2e::{eventually, unique_cv};
use openai::fake::{Script, Server as Fake};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Attribute;
use opentelemetry_proto::tonic::metrics::v1::Metric;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use prost::Message as _;
use reqwest::StatusCode;
use serde_json::json;
use storage::names::QueueName;
use telemetry::metrics::{Kind, METRICS};

use crate::text::{quoted, read};

/// The alerts as `alerts.bicep` has them: name, query, operator, threshold, frequency, window.
fn alerts() -> Vec<[String; 6]> {
    let bicep = read("infra/bicep/modules/alerts.bicep");
    let field = |line: &str, name: &str| {
        let (_, rest) = line.split_once(&format!(" {name}: ")).unwrap();
        let end = rest.find(", ").unwrap_or(rest.len());
        rest[..end].trim_matches('\'').to_owned()
    };
    let lines = bicep
        .lines()
        .filter(|line| line.contains("loadTextContent"));
    lines
        .map(|line| {
            let query = line.split("queries/").nth(1).unwrap();
            let query = query.split('\'').next().unwrap().to_owned();
            let rest = ["operator", "threshold", "every", "window"].map(|name| field(line, name));
            let [operator, threshold, every, window] = rest;
            [
                field(line, "name"),
                query,
                operator,
                threshold,
                every,
                window,
            ]
        })
        .collect()
}

/// The thresholds that operators were promised.
#[test]
fn defaults_of_the_alerts() {
    let found = alerts();
    let check = |name: &str, operator: &str, threshold: &str, every: &str, window: &str| {
        let alert = found.iter().find(|alert| alert[0] == name);
        let [_, _, rest @ ..] = alert.unwrap_or_else(|| panic!("no alert {name}"));
        assert_eq!(rest, &[operator, threshold, every, window], "{name}");
    };
    check("response-over-3s", "GreaterThan", "3", "PT5M", "PT15M");
    check("response-over-5s", "GreaterThan", "5", "PT5M", "PT5M");
    check("server-errors", "GreaterThan", "10", "PT1M", "PT5M");
    check("error-rate", "GreaterThan", "5", "PT5M", "PT15M");
    check("job-duration", "GreaterThan", "30", "PT5M", "PT15M");
    check("outcome-unknown", "GreaterThan", "0", "PT5M", "PT5M");
    check("download-errors", "GreaterThan", "0", "PT5M", "PT5M");
    check("poison", "GreaterThan", "0", "PT5M", "PT5M");
    check("oldest-message", "GreaterThan", "300", "PT5M", "PT5M");
    check("storage-failures", "GreaterThan", "10", "PT5M", "PT5M");
    check("calls-beyond-promise", "GreaterThan", "0", "PT15M", "P2D");
    check("availability", "LessThan", "99", "PT15M", "PT6H");
    check(
        "cost-per-thousand",
        "GreaterThan",
        "json('0.2')",
        "PT1H",
        "P1D",
    );
    check("daily-spend", "GreaterThan", "50", "PT15M", "P1D");
    check("export-missing", "LessThan", "1", "PT6H", "P2D");
    assert_eq!(found.len(), 15, "an alert without a line here");
}

fn attributes(metric: &Metric) -> BTreeSet<String> {
    let names = |attributes: &[KeyValue]| -> Vec<String> {
        attributes.iter().map(|pair| pair.key.clone()).collect()
    };
    let found: Vec<Vec<String>> = match metric.data.as_ref().unwrap() {
        Data::Gauge(gauge) => gauge
            .data_points
            .iter()
            .map(|p| names(&p.attributes))
            .collect(),
        Data::Sum(sum) => sum
            .data_points
            .iter()
            .map(|p| names(&p.attributes))
            .collect(),
        Data::Histogram(all) => all
            .data_points
            .iter()
            .map(|p| names(&p.attributes))
            .collect(),
        other => panic!("{other:?}"),
    };
    found.into_iter().flatten().collect()
}

/// The metrics that a sink received, each with the attributes that it had.
fn received(sink: &Sink) -> BTreeMap<String, BTreeSet<String>> {
    let mut all = BTreeMap::<String, BTreeSet<String>>::new();
    for seen in sink.seen("ok/v1/metrics") {
        let request = ExportMetricsServiceRequest::decode(&*seen.body).unwrap();
        let scopes = request.resource_metrics.into_iter();
        let scopes = scopes.flat_map(|resource| resource.scope_metrics);
        for metric in scopes.flat_map(|scope| scope.metrics) {
            all.entry(metric.name.clone())
                .or_default()
                .extend(attributes(&metric));
        }
    }
    all
}

/// The metrics that a query asks for.
fn metrics_of(query: &str) -> BTreeSet<String> {
    let text = read(&format!("infra/dashboards/queries/{query}"));
    let prefixes = ["presswork.", "http.server."];
    let is_metric = |name: &String| prefixes.iter().any(|prefix| name.starts_with(prefix));
    let mut names = quoted(&text, '\'');
    names.retain(is_metric);
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn what_alerts_ask_for_is_sent_when_it_happens() {
    let mut backing = Backing::lasting_azurite();
    let sink = Sink::start().await;
    let endpoint = sink.url("ok");
    // A call is turned away, the next one's answer is lost, and all others are well.
    let script: Script = serde_json::from_value(json!({"steps": [
        {"do": "error", "status": 429, "headers": {"retry-after": "1"}},
        {"do": "error", "status": 500},
    ]}))
    .unwrap();
    let model = Fake::start(([127, 0, 0, 1], 0).into(), script).unwrap();
    let settings = [
        ("telemetry.otlp_endpoint", endpoint.as_str()),
        ("telemetry.metrics_every", "1s"),
        ("telemetry.shutdown_grace", "30s"),
        ("worker.poll_max", "100ms"),
    ];
    let mut serve = backing.serve(&settings);
    with_model(&mut serve, &model.base_url());
    let server = Server::start(&mut serve);
    let api = Api::new(&server.url);

    let held = api.submit(&unique_cv(1), json!({})).await.unwrap();
    api.until(&held, |job| job["state"] == "outcome_unknown")
        .await
        .unwrap();
    let retry = format!("/v1/jobs/{held}/retry");
    let retried = async || api.post(&retry, &json!({})).await.unwrap().0;
    eventually("it may be paid again", retried, StatusCode::is_success).await;
    assert_eq!(api.ended(&held).await.unwrap()["state"], "succeeded");
    let storage = backing.storage().await;
    let garbage = storage
        .queue
        .send(QueueName::Jobs, "garbage", Duration::ZERO);
    garbage.await.unwrap();
    let poison = async || storage.queue.count(QueueName::JobsPoison).await.unwrap();
    eventually("garbage is set aside", poison, |count| *count > 0).await;
    // They are looked at each second, as long as there is a storage.
    let gauges = METRICS.iter().filter(|spec| spec.kind == Kind::Gauge);
    let gauges: BTreeSet<&str> = gauges.map(|spec| spec.name).collect();
    let asked: BTreeSet<String> = alerts()
        .iter()
        .flat_map(|[_, query, ..]| metrics_of(query))
        .filter(|name| gauges.contains(name.as_str()))
        .collect();
    assert!(!asked.is_empty());
    let sent = async || received(&sink).into_keys().collect::<BTreeSet<_>>();
    eventually("the gauges are sent", sent, |sent| asked.is_subset(sent)).await;
    backing.azurite_mut().stop();
    let result = api.get(&format!("/v1/jobs/{held}/result")).await.unwrap();
    assert!(result.0.is_server_error(), "{result:?}");
    let (_, log) = tokio::task::spawn_blocking(|| server.terminate())
        .await
        .unwrap();

    let received = received(&sink);
    let mut asked = 0;
    for [alert, query, ..] in alerts() {
        let text = read(&format!("infra/dashboards/queries/{query}"));
        let mut labels = BTreeSet::new();
        for name in metrics_of(&query) {
            let sent = received.get(&name);
            let sent = sent.unwrap_or_else(|| panic!("{alert}: {name} was not sent\n{log}"));
            labels.extend(sent.clone());
            asked += 1;
        }
        for label in text.split("Properties['").skip(1) {
            let label = label.split('\'').next().unwrap();
            assert!(labels.contains(label), "{alert}: no {label} in {labels:?}");
        }
    }
    assert!(asked > 15, "{asked}");
}

/// The queues of which this gauge was received.
fn queues(sink: &Sink, gauge: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for seen in sink.seen("ok/v1/metrics") {
        let request = ExportMetricsServiceRequest::decode(&*seen.body).unwrap();
        let resources = request.resource_metrics.into_iter();
        let scopes = resources.flat_map(|resource| resource.scope_metrics);
        for metric in scopes.flat_map(|scope| scope.metrics) {
            let Some(Data::Gauge(data)) = metric.data.filter(|_| metric.name == gauge) else {
                continue;
            };
            for pair in data.data_points.into_iter().flat_map(|p| p.attributes) {
                if let Some(Attribute::StringValue(queue)) = pair.value.and_then(|v| v.value) {
                    found.insert(queue);
                }
            }
        }
    }
    found
}

/// Where no worker comes up, somebody has to tell that messages grow old.
#[tokio::test(flavor = "multi_thread")]
async fn the_scheduled_job_tells_of_the_queues_that_no_worker_looks_at() {
    let backing = Backing::embedded();
    let storage = backing.storage().await;
    let waits = storage
        .queue
        .send(QueueName::Notifications, "{}", Duration::ZERO);
    waits.await.unwrap();
    let sink = Sink::start().await;
    let endpoint = sink.url("ok");
    let settings = [
        ("telemetry.otlp_endpoint", endpoint.as_str()),
        ("telemetry.shutdown_grace", "30s"),
    ];
    let mut command = backing.program("worker", &["--reconcile-once"], &settings);
    let output = tokio::task::spawn_blocking(move || run(&mut command));
    let output = output.await.unwrap();
    assert!(output.status.success(), "{output:?}");
    let both = [QueueName::Jobs, QueueName::Notifications];
    let both: BTreeSet<String> = both.map(|queue| queue.as_str().to_owned()).into();
    let query = read("infra/dashboards/queries/oldest-message.kql");
    for queue in &both {
        assert!(query.contains(&format!("'{queue}'")), "{queue}");
    }
    assert_eq!(queues(&sink, "presswork.queue.age"), both);
    assert_eq!(queues(&sink, "presswork.queue.depth"), both);
}
