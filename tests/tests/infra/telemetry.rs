//! Queries, alerts and the workbook name metrics, labels, events and routes that there are.

use std::collections::{BTreeMap, BTreeSet};

use telemetry::METRICS;
use telemetry::event::EVENTS;

use crate::text::{files, quoted, read};

/// Columns and tables of Log Analytics, by the kinds of data that queries read.
const TABLES: [&str; 4] = [
    "AppMetrics",
    "StorageBlobLogs",
    "AppAvailabilityResults",
    "ContainerAppConsoleLogs_CL",
];

/// All queries: those of files, and those inside the workbook.
fn queries() -> Vec<(String, String)> {
    let mut all = files("infra/dashboards/queries", &[".kql"]);
    let workbook: serde_json::Value =
        serde_json::from_str(&read("infra/dashboards/workbook.json")).expect("it is JSON");
    for item in workbook["items"].as_array().expect("it has items") {
        if let Some(query) = item["content"]["query"].as_str() {
            all.push((item["name"].to_string(), query.to_owned()));
        }
    }
    assert!(all.len() > 20, "only {} queries", all.len());
    all
}

/// What stands in `Properties['...']`, and all other texts.
fn texts(query: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let labels: BTreeSet<String> = query
        .split("Properties['")
        .skip(1)
        .map(|rest| rest.split('\'').next().unwrap().to_owned())
        .collect();
    let others = quoted(query, '\'');
    let others = others.difference(&labels).cloned().collect();
    (labels, others)
}

#[test]
fn queries_name_metrics_and_labels_of_the_table() {
    let specs: BTreeMap<&str, _> = METRICS.iter().map(|spec| (spec.name, spec)).collect();
    let prefixes = ["presswork.", "http.", "messaging.", "gen_ai."];
    let mut used = BTreeSet::new();
    for (file, query) in queries() {
        let first = query
            .lines()
            .find(|line| !line.starts_with("//") && !line.starts_with("let "));
        let table = first.and_then(|line| line.split_whitespace().next());
        assert!(
            TABLES.contains(&table.unwrap_or_default()),
            "{file}: no table {table:?}"
        );
        let (labels, texts) = texts(&query);
        let mut here = Vec::new();
        for text in texts {
            if let Some(spec) = specs.get(text.as_str()) {
                used.insert(spec.name);
                here.push(*spec);
            } else {
                let looks = prefixes.iter().any(|prefix| text.starts_with(prefix));
                assert!(!looks, "{file}: there is no metric {text}");
            }
        }
        if table == Some("AppMetrics") {
            assert!(!here.is_empty(), "{file} asks for no metric");
            for label in labels {
                let has = here.iter().any(|spec| spec.labels.contains(&&*label));
                assert!(has, "{file}: none of its metrics has the label {label}");
            }
        }
    }
    // What the operators' list of alerts and pictures is made of; the rest is for looking closer.
    let needed = METRICS.iter().map(|spec| spec.name).filter(|name| {
        let closer = [
            "http.server.active_requests",
            "messaging.process.duration",
            "presswork.pdf.pages",
            "presswork.sessions.life",
            "presswork.webhook.duration",
        ];
        !closer.contains(name)
    });
    for name in needed {
        assert!(used.contains(name), "no query asks for {name}");
    }
}

#[test]
fn queries_name_events_and_routes_that_there_are() {
    let routes: BTreeSet<String> = api_shim::operations()
        .iter()
        .map(|operation| operation.path.to_string())
        .collect();
    let (mut named, mut paths) = (0, 0);
    for (file, query) in queries() {
        let (_, texts) = texts(&query);
        for text in texts {
            if text.starts_with('/') {
                paths += 1;
                assert!(routes.contains(&text), "{file}: there is no route {text}");
            }
        }
        if let Some((_, rest)) = query.split_once("Line['event']) == '") {
            let name = rest.split('\'').next().unwrap();
            let event = EVENTS.iter().find(|event| event.name == name);
            let event = event.unwrap_or_else(|| panic!("{file}: there is no event {name}"));
            for field in query.split("Line['").skip(1) {
                let field = field.split('\'').next().unwrap();
                let known = field == "event" || event.fields.contains(&field);
                assert!(known, "{file}: {name} need not have {field}");
            }
            named += 1;
        }
    }
    assert!(named > 0 && paths > 0);
}

/// Each alert gives one number, each query of a file is an alert or saved, and each alert has its
/// line in the runbook.
#[test]
fn alerts_queries_and_the_runbook_belong_together() {
    let alerts = read("infra/bicep/modules/alerts.bicep");
    let saved = read("infra/bicep/modules/monitor.bicep");
    let runbook = read("infra/runbook.md");
    for (file, query) in files("infra/dashboards/queries", &[".kql"]) {
        let name = file.rsplit('/').next().unwrap();
        let loaded = format!("loadTextContent('../../dashboards/queries/{name}')");
        let is_alert = alerts.contains(&loaded);
        assert!(is_alert || saved.contains(&loaded), "nobody uses {file}");
        if is_alert {
            assert!(query.contains("Value = "), "{file} gives no Value");
        }
    }
    let mut names = 0;
    for line in alerts.lines() {
        let Some((_, rest)) = line.split_once("{ name: '") else {
            continue;
        };
        if !line.contains("loadTextContent") {
            continue;
        }
        let name = rest.split('\'').next().unwrap();
        assert!(
            runbook.contains(&format!("`{name}`")),
            "the runbook does not say what to do about the alert {name}"
        );
        names += 1;
    }
    assert!(names >= 14, "only {names} alerts");
}

#[test]
fn texts_of_a_query() {
    let (labels, texts) = texts("// 'no'\nX | where Name == 'a.b' and Properties['c.d'] == 'e'");
    assert_eq!(labels, ["c.d".to_owned()].into());
    assert_eq!(texts, ["a.b".to_owned(), "e".to_owned()].into());
}
