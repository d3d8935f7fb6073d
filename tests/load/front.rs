//! The front alone, no worker beside it: status reads, submissions, open event streams.
//!
//! The server and this program share the machine, so the processor time of both is told.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use e2e::backing::Backing;
use e2e::process::Server;
use futures::future::try_join_all;
use serde_json::{Value, json};
use storage::Clock as _;
use storage::ambient::System as Ambient;

use crate::line::{Line, address, get, post};
use crate::measure::{cpu_time, memory, ms, percentile};

/// What would stand in the way of load from one address.
const SETTINGS: [(&str, &str); 5] = [
    ("log.level", "warn"),
    ("limits.enabled", "off"),
    ("server.max_streams", "1000000"),
    ("server.max_streams_per_tenant", "1000000"),
    ("http.max_connections", "1000000"),
];

/// What a measurement is made with.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Load {
    /// Connections, each with one request at a time
    #[arg(long, default_value_t = 32)]
    connections: usize,
    /// How long it is measured
    #[arg(long, default_value_t = 10)]
    seconds: u64,
}

struct Front {
    server: Server,
    at: SocketAddr,
    clock: Ambient,
    _backing: Backing,
}

impl Front {
    fn start() -> anyhow::Result<Self> {
        let backing = Backing::embedded();
        let server = Server::start(&mut backing.program("api-shim", &[], &SETTINGS));
        Ok(Self {
            at: address(&server.url)?,
            server,
            clock: Ambient::new(),
            _backing: backing,
        })
    }

    /// Sends requests for a time over all connections and prints what that came to.
    async fn load(
        &self,
        what: &str,
        load: Load,
        wanted: u16,
        request: impl Fn(u64) -> Vec<u8>,
    ) -> anyhow::Result<()> {
        let mut lines = Vec::new();
        for _ in 0..load.connections {
            lines.push(Line::open(self.at).await?);
        }
        let number = AtomicU64::new(0);
        let (server_before, own_before) = self.cpu()?;
        let begun = self.clock.monotonic();
        let until = begun + Duration::from_secs(load.seconds);
        let each = lines.into_iter().map(async |mut line: Line| {
            let mut times = Vec::new();
            loop {
                let bytes = request(number.fetch_add(1, Ordering::Relaxed));
                let sent = self.clock.monotonic();
                if sent >= until {
                    return anyhow::Ok(times);
                }
                let (status, body) = line.send(&bytes).await?;
                times.push(self.clock.monotonic().saturating_sub(sent));
                ensure!(
                    status == wanted,
                    "{status}: {}",
                    String::from_utf8_lossy(&body)
                );
            }
        });
        let mut times = try_join_all(each).await?.concat();
        let lasted = self.clock.monotonic().saturating_sub(begun).as_secs_f64();
        let (server, own) = self.cpu()?;
        times.sort_unstable();
        let share = |before: Duration, after: Duration| {
            100.0 * after.saturating_sub(before).as_secs_f64() / lasted
        };
        println!(
            "| {what}, {} connections, {lasted:.1} s | {:.0} a second, p50 {}, p99 {}, longest {}; \
             processor: server {:.0} %, load {:.0} % of one core |",
            load.connections,
            times.len() as f64 / lasted,
            ms(percentile(&times, 0.5)),
            ms(percentile(&times, 0.99)),
            ms(percentile(&times, 1.0)),
            share(server_before, server),
            share(own_before, own),
        );
        Ok(())
    }

    fn cpu(&self) -> anyhow::Result<(Duration, Duration)> {
        Ok((cpu_time(self.server.id())?, cpu_time(std::process::id())?))
    }

    async fn submit(&self, number: u64) -> anyhow::Result<Value> {
        let mut line = Line::open(self.at).await?;
        let (status, body) = line.send(&post("/v1/jobs", &request(number))).await?;
        ensure!(status == 202, "{}", String::from_utf8_lossy(&body));
        Ok(serde_json::from_slice(&body)?)
    }

    async fn submit_many(&self, count: u64) -> anyhow::Result<Vec<String>> {
        let mut ids = Vec::new();
        for number in 0..count {
            let job = self.submit(number).await?;
            ids.push(job["id"].as_str().context("a job has an id")?.to_owned());
        }
        Ok(ids)
    }
}

fn request(number: u64) -> String {
    json!({"kind": "cv", "input": {"cv": e2e::unique_cv(number)}}).to_string()
}

/// Reads of the status of 1,000 jobs in turn.
pub(crate) async fn status(load: Load) -> anyhow::Result<()> {
    let front = Front::start()?;
    let ids = front.submit_many(1_000).await?;
    let reads: Vec<_> = ids
        .iter()
        .map(|id| get(&format!("/v1/jobs/{id}")))
        .collect();
    let pick = |number: u64| reads[number as usize % reads.len()].clone();
    front.load("status reads", load, 200, pick).await
}

/// Submissions of the sample CV, each with a profile of its own.
pub(crate) async fn submit(load: Load) -> anyhow::Result<()> {
    let front = Front::start()?;
    // One profile stands for all: the number is put in its place, all of one length.
    let body = request(10_000_000);
    let (before, after) = body.split_once("10000000").context("the number is there")?;
    let body = |number: u64| {
        post(
            "/v1/jobs",
            &format!("{before}{}{after}", 10_000_000 + number),
        )
    };
    front.load("submissions", load, 202, body).await
}

/// Open event streams of one job, or of several: memory, and how soon all have heard of a change.
pub(crate) async fn streams(count: usize, jobs: u64) -> anyhow::Result<()> {
    let front = Front::start()?;
    let ids = front.submit_many(jobs).await?;
    let empty = memory(front.server.id())?.0;
    let mut lines = Vec::with_capacity(count);
    for number in 0..count {
        let mut line = Line::open(front.at).await?;
        let id = &ids[number % ids.len()];
        line.begin(&get(&format!("/v1/jobs/{id}/events"))).await?;
        line.until(b"\"state\":\"queued\"").await?;
        lines.push(line);
    }
    // Readers of rows have slowed down by then, as they have on any quiet day.
    tokio::time::sleep(Duration::from_secs(10)).await;
    let open = memory(front.server.id())?.0;
    let (before, own_before) = front.cpu()?;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let (after, _) = front.cpu()?;
    let idle = 100.0 * after.saturating_sub(before).as_secs_f64() / 5.0;

    let clock = Arc::new(Ambient::new());
    let told = lines.into_iter().map(|mut line| {
        let clock = clock.clone();
        tokio::spawn(async move {
            line.until(b"\"state\":\"cancelled\"").await?;
            anyhow::Ok((clock.monotonic(), line))
        })
    });
    let told: Vec<_> = told.collect();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let mut line = Line::open(front.at).await?;
    let mut changed = Vec::new();
    for id in &ids {
        changed.push(clock.monotonic());
        let cancel = post(&format!("/v1/jobs/{id}/cancel"), "{}");
        let (status, _) = line.send(&cancel).await?;
        ensure!(status == 200, "not cancelled: {status}");
    }
    let mut times = Vec::with_capacity(count);
    for (number, told) in told.into_iter().enumerate() {
        let (at, _) = told.await??;
        times.push(at.saturating_sub(changed[number % ids.len()]));
    }
    times.sort_unstable();
    let own = cpu_time(std::process::id())?.saturating_sub(own_before);
    println!(
        "| {count} event streams of {jobs} jobs | {open:.0} MB, {empty:.0} MB without them, most \
         {:.0} MB; server idle at {idle:.0} % of one core; a change reached half in {}, all in {}; \
         load {:.1} s of processor |",
        memory(front.server.id())?.1,
        ms(percentile(&times, 0.5)),
        ms(percentile(&times, 1.0)),
        own.as_secs_f64(),
    );
    Ok(())
}
