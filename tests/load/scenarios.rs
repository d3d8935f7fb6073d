//! What is measured, one scenario after the other, each on a system of its own.

use std::time::Duration;

use anyhow::Context as _;
use e2e::api::Api;
use e2e::backing::Backing;
use e2e::process::{Server, command, with_model};
use e2e::unique_cv;
use futures::StreamExt as _;
use jiff::Timestamp;
use serde_json::{Value, json};
use storage::Clock as _;
use storage::ambient::System as Ambient;

use crate::Which;
use crate::measure::{cpu_time, memory as resident, ms, percentile};

/// Log lines cost time that is not the system's.
const QUIET: [(&str, &str); 1] = [("log.level", "warn")];

/// A system and a model, each a process.
pub(crate) struct Rig {
    pub(crate) system: Server,
    model: Server,
    pub(crate) api: Api,
    pub(crate) backing: Backing,
}

pub(crate) fn rig(backing: Backing, latency: &str, settings: &[(&str, &str)]) -> Rig {
    let model = fake_model(latency);
    let settings: Vec<_> = QUIET.iter().chain(settings).copied().collect();
    let mut serve = backing.program("presswork", &["serve"], &settings);
    with_model(&mut serve, &model.url);
    let system = Server::start(&mut serve);
    let api = Api::new(&system.url);
    Rig {
        system,
        model,
        api,
        backing,
    }
}

/// A fake model as a process.
pub(crate) fn fake_model(latency: &str) -> Server {
    let listen = [
        "fake-openai",
        "--listen",
        "127.0.0.1:0",
        "--latency",
        latency,
    ];
    Server::start(command("presswork").args(listen))
}

/// What a model has counted.
pub(crate) async fn counters(model: &Server) -> anyhow::Result<Value> {
    let url = format!("{}/_calls", model.url.trim_end_matches("/v1"));
    Ok(reqwest::get(url).await?.json().await?)
}

/// From the start of the process to its first healthy answer.
pub(crate) async fn start_up(storage: Which) -> anyhow::Result<()> {
    let clock = Ambient::new();
    let mut times = Vec::new();
    for _ in 0..10 {
        let backing = storage.backing();
        let mut serve = backing.program("presswork", &["serve"], &QUIET);
        let begun = clock.monotonic();
        let system = Server::start(&mut serve);
        Api::new(&system.url).get("/health").await?;
        times.push(clock.monotonic().saturating_sub(begun));
    }
    times.sort();
    let (p50, most) = (percentile(&times, 0.5), percentile(&times, 1.0));
    println!(
        "| start to first healthy answer, 10 starts | median {}, longest {} |",
        ms(p50),
        ms(most)
    );
    Ok(())
}

/// From accepted to succeeded, less the model's latency, at a steady pace.
pub(crate) async fn latency(storage: Which, jobs: u64) -> anyhow::Result<()> {
    const MODEL: Duration = Duration::from_millis(300);
    let rig = rig(storage.backing(), "300ms", &[]);
    let mut ids = Vec::new();
    for number in 0..jobs {
        ids.push(rig.api.submit(&unique_cv(number), json!({})).await?);
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    let mut beyond = Vec::new();
    for id in &ids {
        let job = rig.api.ended(id).await?;
        anyhow::ensure!(job["state"] == "succeeded", "{job:#}");
        beyond.push(lasted(&job)?.saturating_sub(MODEL));
    }
    beyond.sort();
    let at = |share| ms(percentile(&beyond, share));
    println!(
        "| accepted to succeeded beyond the model's 300 ms, {jobs} jobs at about 30/s | p50 {}, p99 {}, most {} |",
        at(0.5),
        at(0.99),
        at(1.0),
    );
    Ok(())
}

/// How long a job took by its own timestamps.
pub(crate) fn lasted(job: &Value) -> anyhow::Result<Duration> {
    let time = |key: &str| -> anyhow::Result<Timestamp> {
        Ok(job[key].as_str().context("a job has its times")?.parse()?)
    };
    Ok(time("finished_at")?
        .duration_since(time("created_at")?)
        .try_into()?)
}

/// Jobs a second with a model that replies at once, and what each costs in processor time.
pub(crate) async fn throughput(storage: Which, jobs: u64) -> anyhow::Result<()> {
    let clock = Ambient::new();
    let rig = rig(storage.backing(), "0ms", &[]);
    let used = |rig: &Rig| -> anyhow::Result<(Duration, Duration, Duration)> {
        Ok((
            cpu_time(rig.system.id())?,
            cpu_time(rig.model.id())?,
            cpu_time(std::process::id())?,
        ))
    };
    let (before, begun) = (used(&rig)?, clock.monotonic());
    let ids: Vec<anyhow::Result<String>> = futures::stream::iter(0..jobs)
        .map(|number| {
            let api = rig.api.clone();
            async move { api.submit(&unique_cv(number), json!({})).await }
        })
        .buffer_unordered(32)
        .collect()
        .await;
    for id in ids {
        let job = rig.api.ended(&id?).await?;
        anyhow::ensure!(job["state"] == "succeeded", "{job:#}");
    }
    let (took, after) = (clock.monotonic().saturating_sub(begun), used(&rig)?);
    let seconds = |a: Duration, b: Duration| a.saturating_sub(b).as_secs_f64();
    let system = seconds(after.0, before.0);
    let (rate, each) = (jobs as f64 / took.as_secs_f64(), system / jobs as f64 * 1e3);
    println!(
        "| {jobs} jobs with a zero-latency model | {rate:.0} jobs/s in all, {:.0} jobs/s per core of the system |",
        jobs as f64 / system
    );
    println!(
        "| processor time in those {:.1} s | system {system:.1} s ({each:.1} ms a job), fake model {:.1} s, load {:.1} s |",
        took.as_secs_f64(),
        seconds(after.1, before.1),
        seconds(after.2, before.2),
    );
    Ok(())
}

/// Resident memory while many calls are out at once.
async fn memory_in_flight(rig: &Rig, jobs: u64) -> anyhow::Result<f64> {
    let mut most = 0.0_f64;
    for _ in 0..400 {
        most = most.max(resident(rig.system.id())?.0);
        let (_, page) = rig.api.get("/v1/jobs?limit=1").await?;
        anyhow::ensure!(page["jobs"].is_array(), "{page:#}");
        let counters = counters(&rig.model).await?;
        if counters["in_flight"].as_u64() >= Some(jobs) {
            return Ok(most.max(resident(rig.system.id())?.0));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    anyhow::bail!("{jobs} calls were never out at once")
}

/// Resident memory with many jobs in flight, and the most until all are done.
pub(crate) async fn memory(storage: Which, jobs: u64) -> anyhow::Result<()> {
    let concurrency = jobs.to_string();
    let settings = [("worker.concurrency", concurrency.as_str())];
    let rig = rig(storage.backing(), "15s", &settings);
    let idle = resident(rig.system.id())?.0;
    let ids: Vec<anyhow::Result<String>> = futures::stream::iter(0..jobs)
        .map(|number| {
            let api = rig.api.clone();
            async move { api.submit(&unique_cv(number), json!({})).await }
        })
        .buffer_unordered(32)
        .collect()
        .await;
    let flying = memory_in_flight(&rig, jobs).await?;
    for id in ids {
        rig.api.ended(&id?).await?;
    }
    let most = resident(rig.system.id())?.1;
    println!(
        "| resident memory | idle {idle:.0} MB, {jobs} calls out at once {flying:.0} MB, most until all are done {most:.0} MB |"
    );
    Ok(())
}
