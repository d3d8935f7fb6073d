//! A deployment that is worn out, and what it leaves behind when all jobs have ended.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::ensure;
use e2e::api::Api;
use e2e::backing::Backing;
use e2e::process::{Server, run, with_model};
use e2e::unique_cv;
use futures::StreamExt as _;
use reqwest::{Method, RequestBuilder, StatusCode};
use schemas::Tenant;
use serde_json::{Value, json};
use storage::ambient::System;
use storage::jobs::JobStore;
use storage::keys::{KeyStore, NewKey, Scope, Tier};
use storage::names::QueueName;

use crate::scenarios::{counters, fake_model, lasted};

/// Call deadlines of seconds, so that a killed worker's jobs are settled soon.
const SETTINGS: [(&str, &str); 7] = [
    ("worker.visibility", "15s"),
    ("worker.heartbeat", "5s"),
    ("model.timeout", "5s"),
    ("worker.deadline_margin", "3s"),
    ("worker.latch_freshness", "2s"),
    ("worker.idle_before_requeue", "5s"),
    ("worker.reconcile_every", "10s"),
];

/// One front, a model, and workers that come and go.
pub(crate) struct Deployment {
    pub(crate) backing: Backing,
    pub(crate) model: Server,
    settings: Vec<(&'static str, String)>,
    /// Of the front that runs now: another one listens elsewhere.
    api: Mutex<Api>,
    /// They submit in turn; at least one.
    owners: Vec<Owner>,
}

/// Somebody who submits jobs.
struct Owner {
    tenant: Tenant,
    /// None has the anonymous one.
    key: Option<String>,
}

/// An accepted job.
pub(crate) struct Accepted {
    id: String,
    /// The position of its owner.
    owner: usize,
}

/// What became of the jobs.
#[derive(Debug, Default)]
pub(crate) struct Finish {
    /// From accepted to succeeded, in order.
    pub(crate) lasted: Vec<Duration>,
    /// What is not as promised.
    pub(crate) broken: Vec<String>,
    succeeded: usize,
    held: BTreeSet<String>,
}

impl Finish {
    /// An error that lists what is broken, if anything is.
    pub(crate) fn whole(self) -> anyhow::Result<()> {
        let (count, list) = (self.broken.len(), self.broken.join("\n"));
        ensure!(count == 0, "the promise is broken {count} times:\n{list}");
        Ok(())
    }
}

impl Deployment {
    /// `settings` go over the short durations that every deployment here has.
    pub(crate) fn new(backing: Backing, latency: &str, settings: &[(&'static str, &str)]) -> Self {
        let settings = SETTINGS.iter().chain(settings);
        Self {
            backing,
            model: fake_model(latency),
            settings: settings
                .map(|(key, value)| (*key, (*value).to_owned()))
                .collect(),
            api: Mutex::new(Api::new("")),
            owners: vec![Owner {
                tenant: Tenant::anonymous(),
                key: None,
            }],
        }
    }

    /// Jobs come from so many tenants, each with a key.
    pub(crate) async fn with_tenants(mut self, tenants: u32) -> anyhow::Result<Self> {
        let ambient = Arc::new(System::new());
        let table = self.backing.storage().await.table;
        let keys = KeyStore::new(table, ambient.clone(), ambient);
        self.owners.clear();
        for number in 0..tenants {
            let tenant = Tenant::try_from(format!("tenant-{number}"))?;
            let new = NewKey {
                tenant: tenant.clone(),
                name: "load".to_owned(),
                scopes: vec![Scope::JobsRead, Scope::JobsWrite],
                tier: Tier::Enterprise,
                lives: None,
            };
            let key = keys.create(new).await?.text.expose().to_owned();
            let key = Some(key);
            self.owners.push(Owner { tenant, key });
        }
        Ok(self)
    }

    fn program(&self, name: &str, arguments: &[&str]) -> std::process::Command {
        let settings = self.settings.iter();
        let settings: Vec<_> = settings
            .map(|(key, value)| (*key, value.as_str()))
            .collect();
        let mut command = self.backing.program(name, arguments, &settings);
        if name != "api-shim" {
            with_model(&mut command, &self.model.url);
        }
        command
    }

    fn front(&self, name: &str, arguments: &[&str]) -> Server {
        let server = Server::start(&mut self.program(name, arguments));
        *self.api.lock().unwrap_or_else(PoisonError::into_inner) = Api::new(&server.url);
        server
    }

    /// The front of a split deployment.
    pub(crate) fn shim(&self) -> Server {
        self.front("api-shim", &[])
    }

    /// Everything in one process.
    pub(crate) fn serve(&self) -> Server {
        self.front("presswork", &["serve"])
    }

    /// A worker of a split deployment.
    pub(crate) fn worker(&self) -> Server {
        Server::spawn(&mut self.program("worker", &[]))
    }

    fn api(&self) -> Api {
        let api = self.api.lock().unwrap_or_else(PoisonError::into_inner);
        api.clone()
    }

    fn request(&self, method: Method, path: &str, owner: usize) -> RequestBuilder {
        let request = self.api().request(method, path);
        match &self.owners[owner].key {
            Some(key) => request.bearer_auth(key),
            None => request,
        }
    }

    /// Submits until it is accepted, as a client with a key would.
    pub(crate) async fn submit(&self, number: u64) -> anyhow::Result<Accepted> {
        let owner = number as usize % self.owners.len();
        let body = json!({"kind": "cv", "input": {"cv": unique_cv(number)}});
        for _ in 0..600 {
            let post = self.request(Method::POST, "/v1/jobs", owner);
            let post = post
                .header("Idempotency-Key", format!("load-{number}"))
                .json(&body);
            if let Ok(response) = post.send().await
                && response.status() == StatusCode::ACCEPTED
                && let Ok(job) = response.json::<Value>().await
            {
                let id = job["id"].as_str().unwrap_or_default().to_owned();
                return Ok(Accepted { id, owner });
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        anyhow::bail!("job {number} was not accepted within two minutes")
    }

    /// What its client does with a job: waits for the end, and fetches the PDF. Tells whether it
    /// has one; what became of the others, [`finish`](Self::finish) judges.
    pub(crate) async fn take(&self, Accepted { id, owner }: &Accepted) -> anyhow::Result<bool> {
        let path = format!("/v1/jobs/{id}");
        for _ in 0..60 {
            tokio::time::sleep(Duration::from_secs(2)).await;
            let get = self.request(Method::GET, &path, *owner).send();
            let Ok(job) = async { get.await?.json::<Value>().await }.await else {
                continue;
            };
            match job["state"].as_str() {
                Some("succeeded") => {}
                Some("queued" | "running") | None => continue,
                Some(_) => return Ok(false),
            }
            let result = self.request(Method::GET, &format!("{path}/result"), *owner);
            let fetch = async { result.send().await?.error_for_status()?.bytes().await };
            let Ok(pdf) = fetch.await else {
                continue;
            };
            let size = job["result"]["size_bytes"].as_u64();
            let whole = size == Some(pdf.len() as u64) && pdf.starts_with(b"%PDF-");
            ensure!(whole, "the PDF of job {id} is not what its row says");
            return Ok(true);
        }
        Ok(false)
    }

    /// Waits for the end of all jobs, and looks whether anything is left but what is held, and
    /// whether anything was paid twice.
    pub(crate) async fn finish(&self, accepted: &[Accepted]) -> anyhow::Result<Finish> {
        let mut finish = Finish::default();
        let mut ends = futures::stream::iter(accepted)
            .map(|accepted| async move { (&accepted.id, self.ended(accepted).await) })
            .buffer_unordered(8);
        while let Some((id, job)) = ends.next().await {
            match job["state"].as_str() {
                Some("succeeded") => {
                    finish.succeeded += 1;
                    finish.lasted.push(lasted(&job)?);
                }
                Some("outcome_unknown") => {
                    finish.held.insert(id.clone());
                }
                _ => finish
                    .broken
                    .push(format!("job {id} did not end well: {job}")),
            }
        }
        finish.lasted.sort();
        let (held, jobs) = (finish.held.len(), accepted.len());
        println!(
            "| jobs | {} succeeded, {held} held, of {jobs} |",
            finish.succeeded
        );
        let ids: BTreeSet<_> = accepted.iter().map(|accepted| &accepted.id).collect();
        if ids.len() != jobs {
            let doubled = "two submissions got the same job".to_owned();
            finish.broken.push(doubled);
        }
        self.count_calls(&mut finish, jobs).await?;
        self.count_left(&mut finish).await?;
        self.reconcile_ledger(&mut finish).await?;
        Ok(finish)
    }

    /// The job when it is over, or as it stands after two minutes.
    async fn ended(&self, accepted: &Accepted) -> Value {
        let path = format!("/v1/jobs/{}", accepted.id);
        let mut last = Value::Null;
        for _ in 0..1_200 {
            let get = self.request(Method::GET, &path, accepted.owner).send();
            if let Ok(response) = get.await
                && let Ok(job) = response.json::<Value>().await
            {
                let open = matches!(job["state"].as_str(), Some("queued" | "running") | None);
                last = job;
                if !open {
                    break;
                }
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        last
    }

    async fn count_calls(&self, finish: &mut Finish, jobs: usize) -> anyhow::Result<()> {
        let counted = counters(&self.model).await?;
        let (accepted, repeated) = (&counted["accepted"], &counted["repeated"]);
        println!("| calls | {accepted} accepted, {repeated} of them for a job that had one |");
        if *repeated != 0 || accepted.as_u64() > Some(jobs as u64) {
            finish.broken.push(format!(
                "{accepted} calls for {jobs} jobs, {repeated} repeated"
            ));
        }
        Ok(())
    }

    /// Messages, markers and poison that are left, once the last messages are through.
    async fn count_left(&self, finish: &mut Finish) -> anyhow::Result<()> {
        let mut left = String::new();
        let mut clean = false;
        let jobs = self.backing.jobs().await;
        let queue = &jobs.storage().queue;
        for _ in 0..300 {
            let messages = queue.count(QueueName::Jobs).await?;
            let events = queue.count(QueueName::Notifications).await?;
            let poison = queue.count(QueueName::JobsPoison).await?
                + queue.count(QueueName::NotificationsPoison).await?;
            let markers = self.markers(&jobs).await?;
            left = format!(
                "{messages} job messages, {events} events, {poison} poison, {} markers, {} of them of held jobs",
                markers.len(),
                markers.intersection(&finish.held).count(),
            );
            clean = messages + events + poison == 0 && markers == finish.held;
            if clean {
                break;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        println!("| left behind | {left} |");
        if !clean {
            let held = finish.held.len();
            let left = format!("{held} jobs are held, and after a minute there are still {left}");
            finish.broken.push(left);
        }
        Ok(())
    }

    /// What was booked as perhaps paid is no less than what the model accepted, and no job has
    /// more than it may.
    async fn reconcile_ledger(&self, finish: &mut Finish) -> anyhow::Result<()> {
        let ledger = ["ledger", "--since", "2020-01-01", "--json"];
        let said = run(&mut self.backing.presswork(&ledger));
        let Ok(book) = serde_json::from_str::<Value>(&said.out) else {
            anyhow::bail!("the ledger cannot be read: {said:?}");
        };
        let check = &book["check"];
        let (paid, excess) = (&check["calls_that_may_be_paid"], &check["jobs_with_excess"]);
        println!("| ledger | {paid} calls that may have been paid, {excess} jobs with too many |");
        let accepted = counters(&self.model).await?["accepted"].as_u64();
        if *excess != 0 || !said.status.success() || paid.as_u64() < accepted {
            finish
                .broken
                .push(format!("the ledger does not add up: {check}"));
        }
        Ok(())
    }

    /// The jobs that have an open marker.
    async fn markers(&self, jobs: &JobStore) -> anyhow::Result<BTreeSet<String>> {
        let mut markers = BTreeSet::new();
        for Owner { tenant, .. } in &self.owners {
            let mut from = None;
            loop {
                let (open, _, next) = jobs.open_jobs(tenant, from.as_ref()).await?;
                markers.extend(open.iter().map(|open| open.id.to_string()));
                from = next;
                if from.is_none() {
                    break;
                }
            }
        }
        Ok(markers)
    }
}
