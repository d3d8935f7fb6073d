//! Profiles of people at work: each submits a CV, waits for it, fetches the PDF and thinks a little.
//! Steady with some users, or with a spike in the middle. Printed as Markdown, like all of this.

use std::collections::BTreeMap;
use std::time::Duration;

use e2e::api::Api;
use e2e::unique_cv;
use futures::future::join_all;
use serde_json::json;
use storage::Clock as _;
use storage::ambient::System as Ambient;

use crate::Which;
use crate::measure::{cpu_time, memory, ms, percentile};
use crate::scenarios::{Rig, rig};

/// The model's latency.
const MODEL: &str = "500ms";

/// What a person does between two CVs.
const THINKS: Duration = Duration::from_secs(1);

/// What a user does, in order.
const STEPS: [&str; 4] = ["submit", "wait for the PDF", "fetch the PDF", "all three"];

/// What one phase of a profile came to.
#[derive(Default)]
struct Phase {
    took: BTreeMap<&'static str, Vec<Duration>>,
    /// By what went wrong.
    errors: BTreeMap<String, u64>,
}

impl Phase {
    fn add(&mut self, other: Self) {
        for (step, took) in other.took {
            self.took.entry(step).or_default().extend(took);
        }
        for (error, count) in other.errors {
            *self.errors.entry(error).or_default() += count;
        }
    }

    fn print(mut self, name: &str, lasted: Duration) {
        println!(
            "\n**{name}**\n\n| step | done | p50 | p90 | p99 | most |\n|---|---|---|---|---|---|"
        );
        let mut done = 0;
        for step in STEPS {
            let took = self.took.entry(step).or_default();
            took.sort();
            done = took.len();
            let at = |share| ms(percentile(took, share));
            let (p50, p90, p99, most) = (at(0.5), at(0.9), at(0.99), at(1.0));
            println!("| {step} | {done} | {p50} | {p90} | {p99} | {most} |");
        }
        let rate = done as f64 / lasted.as_secs_f64();
        let failed: u64 = self.errors.values().sum();
        let tried = done as u64 + failed;
        let share = 100.0 * failed as f64 / tried.max(1) as f64;
        println!("\n{rate:.1} PDFs a second; errors: {failed} of {tried} ({share:.2} %)");
        for (error, count) in &self.errors {
            println!("- {count} times: {error}");
        }
    }
}

/// `users` people for a time.
pub(crate) async fn users(storage: Which, users: u64, duration: Duration) -> anyhow::Result<()> {
    let rig = rig(storage.backing(), MODEL, &[]);
    println!("# {users} users for {duration:?}, storage {storage:?}, a model of {MODEL}");
    let phase = at_work(&rig.api, 0, users, duration).await;
    let errors = phase.errors.len();
    phase.print(&format!("{users} users"), duration);
    usage(&rig)?;
    anyhow::ensure!(errors == 0, "there were errors");
    Ok(())
}

/// Few users, many at once, and few again: what the many wait for, and whether it is over with them.
pub(crate) async fn spike(
    storage: Which,
    few: u64,
    many: u64,
    duration: Duration,
) -> anyhow::Result<()> {
    let rig = rig(storage.backing(), MODEL, &[]);
    println!(
        "# From {few} to {many} users and back, {duration:?} each, storage {storage:?}, a model of {MODEL}"
    );
    let mut errors = 0;
    for (number, (name, users)) in [("before", few), ("spike", many), ("after", few)]
        .into_iter()
        .enumerate()
    {
        let phase = at_work(&rig.api, number as u64, users, duration).await;
        errors += phase.errors.len();
        phase.print(&format!("{name}: {users} users"), duration);
        usage(&rig)?;
    }
    anyhow::ensure!(errors == 0, "there were errors");
    Ok(())
}

fn usage(rig: &Rig) -> anyhow::Result<()> {
    let (now, most) = memory(rig.system.id())?;
    let cpu = cpu_time(rig.system.id())?.as_secs_f64();
    println!("\nmemory {now:.0} MB, at most {most:.0} MB; processor time {cpu:.1} s");
    Ok(())
}

async fn at_work(api: &Api, phase: u64, users: u64, duration: Duration) -> Phase {
    let clock = Ambient::new();
    let people = (0..users).map(|user| {
        // Nobody's content is another's, in no phase.
        let first = (phase * 10_000 + user) * 100_000;
        person(
            api,
            &clock,
            first,
            duration,
            THINKS.mul_f64(user as f64 / users as f64),
        )
    });
    let mut all = Phase::default();
    for one in join_all(people).await {
        all.add(one);
    }
    all
}

/// One person's work for a time. They do not all begin at once.
async fn person(
    api: &Api,
    clock: &Ambient,
    first: u64,
    duration: Duration,
    begins: Duration,
) -> Phase {
    let (mut phase, mut number, start) = (Phase::default(), first, clock.monotonic());
    tokio::time::sleep(begins).await;
    while clock.monotonic().saturating_sub(start) < duration {
        match one_pdf(api, clock, number).await {
            Ok(steps) => {
                for (step, took) in STEPS.into_iter().zip(steps) {
                    phase.took.entry(step).or_default().push(took);
                }
            }
            Err(e) => *phase.errors.entry(format!("{e:#}")).or_default() += 1,
        }
        number += 1;
        tokio::time::sleep(THINKS).await;
    }
    phase
}

async fn one_pdf(api: &Api, clock: &Ambient, number: u64) -> anyhow::Result<[Duration; 4]> {
    let start = clock.monotonic();
    let id = api.submit(&unique_cv(number), json!({})).await?;
    let submitted = clock.monotonic();
    let job = api.ended(&id).await?;
    anyhow::ensure!(job["state"] == "succeeded", "a job ended {}", job["state"]);
    let ended = clock.monotonic();
    let pdf = api.pdf(&id).await?;
    anyhow::ensure!(pdf.starts_with(b"%PDF-"), "what was fetched is no PDF");
    let fetched = clock.monotonic();
    Ok([
        submitted.saturating_sub(start),
        ended.saturating_sub(submitted),
        fetched.saturating_sub(ended),
        fetched.saturating_sub(start),
    ])
}
