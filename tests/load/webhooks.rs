//! What notifications cost and how fast they are, to a sink in this process.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use e2e::api::Api;
use e2e::sink::Sink;
use e2e::unique_cv;
use futures::{StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;
use reqwest::StatusCode;
use serde_json::json;
use storage::Clock as _;
use storage::ambient::System as Ambient;
use storage::names::Container;

use crate::Which;
use crate::measure::{cpu_time, ms, percentile};
use crate::scenarios::rig;

/// A sink on this machine.
const OPEN: [(&str, &str); 3] = [
    ("webhooks.allow_http", "true"),
    ("webhooks.allow_private", "true"),
    ("webhooks.max_per_tenant", "10000"),
];

async fn subscribe(api: &Api, url: String) -> anyhow::Result<()> {
    let body = json!({"url": url, "events": ["job.succeeded"]});
    let (status, answer) = api.post("/v1/webhooks", &body).await?;
    ensure!(status == StatusCode::CREATED, "{answer:#}");
    Ok(())
}

/// From the PDF's blob to the endpoint, at a steady pace.
pub(crate) async fn latency(storage: Which, jobs: u64) -> anyhow::Result<()> {
    let sink = Sink::start().await;
    let rig = rig(storage.backing(), "0ms", &OPEN);
    subscribe(&rig.api, sink.url("ok")).await?;
    // The sink counts from its own beginning, blobs by the wall clock.
    let began = Ambient::new().now() - sink.now();
    let store = rig.backing.storage().await;
    let mut written = BTreeMap::new();
    for number in 0..jobs {
        let id = rig.api.submit(&unique_cv(number), json!({})).await?;
        rig.api.ended(&id).await?;
        let path = format!("anonymous/{id}.pdf");
        let blob = store.blobs.head(Container::CvPdfs, &path).await?;
        written.insert(format!("jobs/{id}"), blob.modified);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let seen = sink.wait("ok", written.len()).await;
    let mut took = Vec::new();
    for seen in seen {
        let event = seen.json();
        let blob = written.get(event["subject"].as_str().unwrap_or_default());
        let received: Timestamp = began + seen.at;
        let took_it = received.duration_since(*blob.context("an event of no job")?);
        took.push(Duration::try_from(took_it).unwrap_or_default());
    }
    took.sort();
    println!(
        "| blob written to webhook received, {jobs} jobs one by one | p50 {}, p99 {} |",
        ms(percentile(&took, 0.5)),
        ms(percentile(&took, 0.99)),
    );
    Ok(())
}

/// Deliveries a second, of jobs that are made as fast as they go: each is told to 40 endpoints.
pub(crate) async fn throughput(storage: Which, deliveries: u64) -> anyhow::Result<()> {
    const ENDPOINTS: u64 = 40;
    let sink = Sink::remembering(1).await;
    let rig = rig(storage.backing(), "0ms", &OPEN);
    for number in 0..ENDPOINTS {
        subscribe(&rig.api, sink.url(&format!("ok/{number}"))).await?;
    }
    // Jobs of equal content copy its PDF: hardly any work beside the deliveries.
    let first = rig.api.submit(&unique_cv(0), json!({})).await?;
    rig.api.ended(&first).await?;
    sink.wait("ok", 1).await;
    let (begun, used) = (sink.now(), cpu_time(rig.system.id())?);
    let jobs = deliveries / ENDPOINTS;
    let submitted: Vec<String> = futures::stream::iter(0..jobs)
        .map(|_| async { rig.api.submit(&unique_cv(0), json!({})).await })
        .buffer_unordered(16)
        .try_collect()
        .await?;
    ensure!(submitted.len() as u64 == jobs, "not all jobs were accepted");
    let all = (jobs + 1) * ENDPOINTS;
    while sink.count("ok") < all {
        ensure!(
            sink.now().saturating_sub(begun) < Duration::from_mins(5),
            "{} of {all} after 5 min",
            sink.count("ok")
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let took = sink.now().saturating_sub(begun).as_secs_f64();
    let cpu = cpu_time(rig.system.id())?
        .saturating_sub(used)
        .as_secs_f64();
    println!(
        "| {deliveries} deliveries of {jobs} jobs to {ENDPOINTS} endpoints each | {:.0} deliveries/s, the jobs made meanwhile; {:.2} ms of processor time each |",
        deliveries as f64 / took,
        cpu / deliveries as f64 * 1e3,
    );
    Ok(())
}

/// What dead endpoints do to the others.
pub(crate) async fn dead(storage: Which, endpoints: u64, dead: u64) -> anyhow::Result<()> {
    let alone = among(storage, endpoints, 0).await?;
    let beside = among(storage, endpoints, dead).await?;
    let ratio = beside.as_secs_f64() / alone.as_secs_f64();
    println!(
        "| p99 of the live among {endpoints} endpoints | {} with none dead, {} with {dead} dead: {ratio:.2} times |",
        ms(alone),
        ms(beside),
    );
    Ok(())
}

/// The time from a job's end to each live endpoint, of which 99 in 100 are below this.
async fn among(storage: Which, endpoints: u64, dead: u64) -> anyhow::Result<Duration> {
    const JOBS: u64 = 10;
    let sink = Sink::start().await;
    let rig = rig(storage.backing(), "0ms", &OPEN);
    let urls = (0..endpoints).map(|number| {
        let path = if number < dead { "hang" } else { "ok" };
        sink.url(&format!("{path}/{number}"))
    });
    futures::stream::iter(urls)
        .map(|url| subscribe(&rig.api, url))
        .buffer_unordered(16)
        .try_collect::<Vec<()>>()
        .await?;
    let began = Ambient::new().now() - sink.now();
    let live = endpoints - dead;
    for number in 1..=JOBS {
        rig.api.submit(&unique_cv(number), json!({})).await?;
        sink.wait("ok", (live * number) as usize).await;
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let mut took = Vec::new();
    for seen in sink.seen("ok") {
        let event = seen.json();
        let at: Timestamp = event["time"]
            .as_str()
            .context("an event has a time")?
            .parse()?;
        let received: Timestamp = began + seen.at;
        took.push(Duration::try_from(received.duration_since(at)).unwrap_or_default());
    }
    took.sort();
    Ok(percentile(&took, 0.99))
}
