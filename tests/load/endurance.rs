//! A split deployment that is worn out: what it leaves behind is checked, and told.

use std::time::Duration;

use anyhow::ensure;
use e2e::api::Api;
use e2e::backing::Backing;
use e2e::process::{Server, with_model};
use e2e::unique_cv;
use schemas::Tenant;
use serde_json::{Value, json};
use storage::names::QueueName;

use crate::scenarios::{counters, fake_model};

/// Call deadlines of seconds, so that a killed worker's jobs are settled soon.
const SETTINGS: [(&str, &str); 6] = [
    ("log.level", "warn"),
    ("model.timeout", "5s"),
    ("worker.deadline_margin", "3s"),
    ("worker.latch_freshness", "2s"),
    ("worker.idle_before_requeue", "5s"),
    ("worker.reconcile_every", "2s"),
];

/// A shim, a model, and workers that come and go.
struct Deployment {
    backing: Backing,
    shim: Server,
    model: Server,
    api: Api,
}

impl Deployment {
    fn new(backing: Backing) -> Self {
        let shim = Server::start(&mut backing.program("api-shim", &[], &SETTINGS));
        let api = Api::new(&shim.url);
        Self {
            backing,
            shim,
            model: fake_model("300ms"),
            api,
        }
    }

    fn worker(&self) -> Server {
        let mut command = self.backing.program("worker", &[], &SETTINGS);
        with_model(&mut command, &self.model.url);
        Server::spawn(&mut command)
    }

    /// Submits until it is accepted, as a client with a key would.
    async fn submit(&self, number: u64) -> anyhow::Result<String> {
        let body = json!({"kind": "cv", "input": {"cv": unique_cv(number)}});
        for _ in 0..600 {
            let post = self.api.request(reqwest::Method::POST, "/v1/jobs");
            let post = post
                .header("Idempotency-Key", format!("load-{number}"))
                .json(&body);
            if let Ok(response) = post.send().await
                && response.status() == reqwest::StatusCode::ACCEPTED
            {
                let job: Value = response.json().await?;
                return Ok(job["id"].as_str().unwrap_or_default().to_owned());
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        anyhow::bail!("job {number} was not accepted within two minutes")
    }

    /// Waits for the end of all jobs and checks that nothing is left but what is held.
    async fn finish(&self, ids: &[String]) -> anyhow::Result<()> {
        let (mut succeeded, mut held) = (0, 0);
        for id in ids {
            match self.ended(id).await?.as_str() {
                "succeeded" => succeeded += 1,
                "outcome_unknown" => held += 1,
                other => anyhow::bail!("job {id} ended {other}"),
            }
        }
        let counted = counters(&self.model).await?;
        println!(
            "| jobs | {succeeded} succeeded, {held} held, of {} |",
            ids.len()
        );
        println!(
            "| calls | {} accepted, {} of them for a job that had one |",
            counted["accepted"], counted["repeated"]
        );
        ensure!(counted["repeated"] == 0, "a job was paid twice");
        let left = self.left(held).await?;
        println!("| left behind | {left} |");
        Ok(())
    }

    async fn ended(&self, id: &str) -> anyhow::Result<String> {
        for _ in 0..1_200 {
            if let Ok((_, job)) = self.api.get(&format!("/v1/jobs/{id}")).await
                && let Some(state) = job["state"].as_str()
                && !["queued", "running"].contains(&state)
            {
                return Ok(state.to_owned());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        anyhow::bail!("job {id} has not ended after two minutes")
    }

    /// Messages, markers and poison that are left, once the last messages are through.
    async fn left(&self, held: usize) -> anyhow::Result<String> {
        let jobs = self.backing.jobs().await;
        let queue = &jobs.storage().queue;
        let mut left = String::new();
        for _ in 0..300 {
            let messages = queue.count(QueueName::Jobs).await?;
            let events = queue.count(QueueName::Notifications).await?;
            let poison = queue.count(QueueName::JobsPoison).await?;
            let (open, _, _) = jobs.open_jobs(&Tenant::anonymous(), None).await?;
            left = format!(
                "{messages} job messages, {events} events, {poison} poison, {} markers ({held} of held jobs)",
                open.len(),
            );
            if messages + events + poison == 0 && open.len() == held {
                return Ok(left);
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        anyhow::bail!("after a minute there is still something left: {left}")
    }
}

/// One worker is killed after a third of the jobs, the other is stopped after two thirds; each
/// time a new one takes its place.
pub(crate) async fn split(backing: Backing, jobs: u64) -> anyhow::Result<()> {
    let deployment = Deployment::new(backing);
    let (first, second) = (deployment.worker(), deployment.worker());
    let mut workers = Vec::new();
    let mut ids = Vec::new();
    println!("| what | figure |\n|---|---|");
    for number in 0..jobs {
        ids.push(deployment.submit(number).await?);
        if number == jobs / 3 {
            first.kill_now();
            workers.push(deployment.worker());
        }
        if number == jobs * 2 / 3 {
            second.terminate_now();
            workers.push(deployment.worker());
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    deployment.finish(&ids).await?;
    let (status, _) = second.terminate();
    println!("| the worker that was asked to stop | {status} |");
    Ok(())
}

/// The storage account is away for a time in the middle of the work.
pub(crate) async fn outage(jobs: u64, seconds: u64) -> anyhow::Result<()> {
    let mut deployment = Deployment::new(Backing::lasting_azurite());
    let workers = [deployment.worker(), deployment.worker()];
    println!("| what | figure |\n|---|---|");
    let mut ids = Vec::new();
    for number in 0..jobs {
        if number == jobs / 2 {
            deployment.backing.azurite_mut().stop();
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            deployment.backing.azurite_mut().start_again();
        }
        ids.push(deployment.submit(number).await?);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    deployment.finish(&ids).await?;
    for worker in workers {
        let (status, log) = worker.terminate();
        println!(
            "| a worker's log | {} lines, {status} |",
            log.lines().count()
        );
        for line in log.lines().take(12) {
            eprintln!("{line}");
        }
    }
    let (_, log) = deployment.shim.terminate();
    println!("| the shim's log | {} lines |", log.lines().count());
    Ok(())
}
