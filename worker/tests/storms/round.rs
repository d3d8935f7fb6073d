//! One round: two workers, some jobs, a quarter of an hour of storm, and then calm until nothing
//! is left to do.

use std::collections::BTreeMap;
use std::ops::AddAssign;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use config::Config;
use jiff::Timestamp;
use schemas::job::{JobInput, OnModelFailure};
use schemas::message::ReplyMessage;
use schemas::{JobId, ProblemKind, Tenant};
use storage::ambient::System;
use storage::fault::{Faults, Rates};
use storage::jobs::{Consent, IdempotencyKey, JobRow, JobStore, RowState, Submission};
use storage::names::QueueName;
use storage::{Clock, Storage};
use tokio_util::sync::CancellationToken;
use worker::editor::{Editor, Model};
use worker::{Press, Settings, Worker, reference};

use super::memory::Memory;
use super::provider::{Line, Provider};
use super::random::{Random, Seeded, Skewed};

/// Lives in one round.
pub(crate) const JOBS: usize = 16;

const TENANTS: [&str; 2] = ["acme", "beta"];

/// Five per cent of all calls of every port go wrong.
const STORM: Rates = Rates {
    refuse: 0.015,
    throttle: 0.005,
    lose_answer: 0.02,
    delay: 0.005,
    delay_answer: 0.005,
    longest_delay: Duration::from_secs(20),
};

/// A worker that stands still: longer than its leases, now and then longer than a deadline.
const STALLED: Rates = Rates {
    refuse: 0.0,
    throttle: 0.0,
    lose_answer: 0.0,
    delay: 0.3,
    delay_answer: 0.3,
    longest_delay: Duration::from_mins(5),
};

/// A dead worker's storage: no call takes effect or comes back within a round.
const DEAD: Rates = Rates {
    delay: 1.0,
    longest_delay: Duration::from_hours(24 * 365 * 100),
    ..NOTHING
};

const NOTHING: Rates = Rates {
    refuse: 0.0,
    throttle: 0.0,
    lose_answer: 0.0,
    delay: 0.0,
    delay_answer: 0.0,
    longest_delay: Duration::ZERO,
};

/// What came of some rounds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Report {
    pub(crate) jobs: u64,
    pub(crate) accepted_calls: u64,
    pub(crate) succeeded: u64,
    pub(crate) failed: u64,
    pub(crate) poisoned: u64,
    pub(crate) cancelled: u64,
    pub(crate) held: u64,
    pub(crate) copied: u64,
    pub(crate) consents: u64,
    pub(crate) faults: u64,
    pub(crate) deaths: u64,
    pub(crate) stops: u64,
    pub(crate) stalls: u64,
    pub(crate) webhooks: u64,
}

impl AddAssign for Report {
    fn add_assign(&mut self, other: Self) {
        self.jobs += other.jobs;
        self.accepted_calls += other.accepted_calls;
        self.succeeded += other.succeeded;
        self.failed += other.failed;
        self.poisoned += other.poisoned;
        self.cancelled += other.cancelled;
        self.held += other.held;
        self.copied += other.copied;
        self.consents += other.consents;
        self.faults += other.faults;
        self.deaths += other.deaths;
        self.stops += other.stops;
        self.stalls += other.stalls;
        self.webhooks += other.webhooks;
    }
}

/// A running worker and what can be done to it.
struct Life {
    faults: Arc<Faults>,
    dead: Arc<AtomicBool>,
    shutdown: CancellationToken,
}

struct Round {
    random: Random,
    system: Arc<System>,
    config: Config,
    calm: Storage,
    provider: Arc<Provider>,
    press: Arc<Press>,
    report: Report,
    lives: Vec<Life>,
    /// Of workers that are gone; their faults count too.
    ended: Vec<Arc<Faults>>,
}

/// One round. The error says what was wrong.
pub(crate) async fn round(seed: u64, press: Arc<Press>) -> Result<Report, String> {
    let mut random = Random::new(seed);
    let mut config = Config::default();
    config.cv.single_call = if random.below(2) == 0 {
        config::SingleCall::Hold
    } else {
        config::SingleCall::RetryOnce
    };
    config.model.background = if random.below(2) == 0 {
        config::Background::On
    } else {
        config::Background::Off
    };
    let system = Arc::new(System::new());
    let clock = Skewed::by_minutes(&system, 0);
    let calm = Memory::open(clock.clone());
    let reply = worker::jobs::edit_offline(&input(0)).json;
    let mut round = Round {
        provider: Provider::new(clock, reply, random.next()),
        random,
        system,
        config,
        calm,
        press,
        report: Report::default(),
        lives: Vec::new(),
        ended: Vec::new(),
    };
    for slot in 0..2 {
        let life = round.start(slot);
        round.lives.push(life);
    }
    let ids = round.storm().await?;
    round.calm(&ids).await
}

impl Round {
    fn store(&mut self, storage: Storage, minutes: i64) -> JobStore {
        let clock = Skewed::by_minutes(&self.system, minutes);
        let entropy = Arc::new(Seeded::new(self.random.next()));
        JobStore::new(storage, clock, entropy, &self.config.worker)
    }

    /// Starts a worker whose clock is ten minutes early or late.
    fn start(&mut self, slot: usize) -> Life {
        let minutes = if slot == 0 { 10 } else { -10 };
        let faults = Faults::new(self.random.next());
        faults.set_all(STORM);
        let dead = Arc::new(AtomicBool::new(false));
        let store = self.store(faults.over(self.calm.clone()), minutes);
        let line = Line {
            provider: self.provider.clone(),
            dead: dead.clone(),
        };
        let editor = Editor::Model(Box::new(Model {
            api: Arc::new(line),
            background: self.config.model.background == config::Background::On,
            provider: "openai",
            name: "model".to_owned(),
            stored_prompt: None,
            max_output_tokens: 1_000,
            timeout: self.config.model.timeout,
            retry_after: Duration::from_secs(5),
        }));
        let shutdown = CancellationToken::new();
        let clock: Arc<dyn Clock> = Skewed::by_minutes(&self.system, minutes);
        let worker = Worker::new(
            store,
            editor,
            self.press.clone(),
            Settings::new(&self.config),
            (clock, Arc::new(Seeded::new(self.random.next()))),
            shutdown.clone(),
        );
        tokio::spawn(worker.run());
        Life {
            faults,
            dead,
            shutdown,
        }
    }

    /// A quarter of an hour in which everything goes wrong now and then.
    async fn storm(&mut self) -> Result<Vec<(Tenant, JobId)>, String> {
        let front_faults = Faults::new(self.random.next());
        front_faults.set_all(STORM);
        let front = self.store(front_faults.over(self.calm.clone()), 0);
        let end = Duration::from_mins(15);
        let mut ids = Vec::new();
        while self.system.monotonic() < end || ids.len() < JOBS {
            let pause = self.random.millis(12_000);
            tokio::time::sleep(pause).await;
            match self.random.below(12) {
                0..=3 if ids.len() < JOBS => ids.push(self.submit(&front, ids.len()).await),
                4 => {
                    let slot = self.random.below(2) as usize;
                    self.report.deaths += 1;
                    self.replace(slot, Self::kill);
                }
                5 => {
                    let slot = self.random.below(2) as usize;
                    self.report.stops += 1;
                    self.replace(slot, |life| life.shutdown.cancel());
                }
                6 => {
                    let life = &self.lives[self.random.below(2) as usize];
                    self.report.stalls += 1;
                    life.faults.set_all(STALLED);
                    tokio::time::sleep(Duration::from_secs(5)).await;
                    life.faults.set_all(STORM);
                }
                7 if !ids.is_empty() => {
                    let at = self.random.below(ids.len() as u64) as usize;
                    let (tenant, id): &(Tenant, JobId) = &ids[at];
                    // It may be too late, or storage may fail: the owner sees which.
                    if self.random.below(3) == 0 {
                        let _ = front.cancel(tenant, *id).await;
                    }
                }
                8 | 9 if !ids.is_empty() => {
                    for (tenant, id) in &ids {
                        let given = front.consent(tenant, *id).await;
                        if matches!(given, Ok(Some(Consent::Given(_)))) {
                            break;
                        }
                    }
                }
                10 => self.webhook(&front).await,
                _ => {}
            }
        }
        self.ended.push(front_faults);
        Ok(ids)
    }

    fn kill(life: &Life) {
        life.dead.store(true, Ordering::Relaxed);
        life.faults.set_all(DEAD);
    }

    fn replace(&mut self, slot: usize, end: impl FnOnce(&Life)) {
        let next = self.start(slot);
        let last = std::mem::replace(&mut self.lives[slot], next);
        end(&last);
        self.ended.push(last.faults);
    }

    /// A client that repeats its request, with the same key, until it is accepted.
    async fn submit(&mut self, front: &JobStore, number: usize) -> (Tenant, JobId) {
        let tenant = Tenant::from_claim(TENANTS[usize::from(!number.is_multiple_of(3))]);
        // Some jobs are of equal content.
        let content = if self.random.below(4) == 0 {
            0
        } else {
            number as u64
        };
        let mut input = input(content);
        if self.random.below(4) == 0 {
            input.options.on_model_failure = OnModelFailure::RenderUnpolished;
        }
        let submission = Submission {
            idempotency: Some(IdempotencyKey {
                key_hash: format!("{number:064}"),
                body_hash: "0".repeat(64),
            }),
            ..Submission::new(tenant.clone(), input)
        };
        loop {
            if let Ok(submitted) = front.submit(submission.clone()).await {
                return (tenant, submitted.row().id);
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    /// The provider tells of a response that is done.
    async fn webhook(&mut self, front: &JobStore) {
        let done = self.provider.done();
        if done.is_empty() {
            return;
        }
        let id = done[self.random.below(done.len() as u64) as usize].clone();
        let body = ReplyMessage::new(id).to_body();
        let queue = &front.storage().queue;
        if queue
            .send(QueueName::Jobs, &body, Duration::ZERO)
            .await
            .is_ok()
        {
            self.report.webhooks += 1;
        }
    }

    /// Nothing goes wrong any more: every job comes to its end, and nothing is left behind.
    async fn calm(mut self, ids: &[(Tenant, JobId)]) -> Result<Report, String> {
        self.provider.calm();
        for life in &self.lives {
            life.faults.off();
        }
        let store = self.store(self.calm.clone(), 0);
        let mut left = String::new();
        // Longer than any deadline, and than the reconciler's longest patience.
        for _ in 0..6 * 60 {
            tokio::time::sleep(Duration::from_mins(1)).await;
            left = left_behind(&store, ids).await?;
            if left.is_empty() {
                break;
            }
        }
        if !left.is_empty() {
            return Err(format!("after 6 hours of calm {left}"));
        }
        self.check(&store, ids).await?;
        let faults = self.lives.iter().map(|life| &life.faults);
        let faults = faults.chain(&self.ended).map(|f| f.history().len() as u64);
        self.report.faults = faults.sum();
        Ok(self.report)
    }

    async fn check(&mut self, store: &JobStore, ids: &[(Tenant, JobId)]) -> Result<(), String> {
        let accepted = self.provider.accepted();
        self.report.jobs += ids.len() as u64;
        self.report.accepted_calls += accepted.values().map(|n| u64::from(*n)).sum::<u64>();
        let each = match self.config.cv.single_call {
            config::SingleCall::Hold => 1,
            config::SingleCall::RetryOnce => 2,
        };
        let mut booked = BTreeMap::new();
        for tenant in TENANTS {
            book(store, &Tenant::from_claim(tenant), &mut booked).await?;
        }
        for (tenant, id) in ids {
            let row = read(store, tenant, *id).await?;
            let reference = reference::write(tenant, *id);
            let calls = accepted.get(&reference).copied().unwrap_or(0);
            let permitted = each * (1 + row.consents);
            if calls > permitted {
                return Err(format!("{calls} calls were accepted: {row:?}"));
            }
            let booked = booked.get(id).copied().unwrap_or(0);
            if !(calls..=permitted).contains(&booked) {
                return Err(format!(
                    "the ledger has {booked} calls that may be paid, {calls} were accepted: {row:?}"
                ));
            }
            let replied = store.reply(tenant, *id).await.map_err(|e| e.to_string())?;
            self.report.consents += u64::from(row.consents);
            match row.state {
                RowState::Succeeded => {
                    let path = row.result_path.as_deref().unwrap_or_default();
                    let pdf = store.pdf(path).await;
                    pdf.map_err(|e| format!("its document is not there ({e}): {row:?}"))?;
                    self.report.succeeded += 1;
                    self.report.copied += u64::from(row.cached_from.is_some());
                }
                RowState::OutcomeUnknown if replied.is_some() => {
                    return Err(format!("a stored reply is abandoned: {row:?}"));
                }
                RowState::OutcomeUnknown => self.report.held += 1,
                RowState::Cancelled => self.report.cancelled += 1,
                RowState::Failed => match row.error.as_ref().map(|problem| problem.kind) {
                    Some(ProblemKind::ModelFailed) => self.report.failed += 1,
                    Some(ProblemKind::Poison) => self.report.poisoned += 1,
                    _ => return Err(format!("it failed without a cause: {row:?}")),
                },
                _ => return Err(format!("it is lost: {row:?}")),
            }
        }
        let count = |queue| store.storage().queue.count(queue);
        let copies = count(QueueName::JobsPoison).await.unwrap_or(0);
        if copies < self.report.poisoned {
            return Err("a job is poisoned, and no copy is on the poison queue".to_owned());
        }
        Ok(())
    }
}

/// Counts the calls of each job that may have been paid for, by the ledger.
async fn book(
    store: &JobStore,
    tenant: &Tenant,
    booked: &mut BTreeMap<JobId, u32>,
) -> Result<(), String> {
    let (since, until) = (Timestamp::UNIX_EPOCH, Timestamp::MAX);
    let mut from = None;
    loop {
        let page = store.ledger(tenant, since, until, from.as_ref()).await;
        let (rows, next) = page.map_err(|e| e.to_string())?;
        for row in rows.iter().filter(|row| row.outcome.may_be_paid()) {
            *booked.entry(row.job_id).or_default() += 1;
        }
        from = next;
        if from.is_none() {
            return Ok(());
        }
    }
}

async fn read(store: &JobStore, tenant: &Tenant, id: JobId) -> Result<JobRow, String> {
    let loaded = store.read(tenant, id).await.map_err(|e| e.to_string())?;
    Ok(loaded.ok_or_else(|| format!("job {id} is gone"))?.row)
}

/// What is not done yet: jobs, messages, or markers of jobs that are not held.
async fn left_behind(store: &JobStore, ids: &[(Tenant, JobId)]) -> Result<String, String> {
    let mut held = 0;
    for (tenant, id) in ids {
        let row = read(store, tenant, *id).await?;
        if !row.state.is_final() {
            return Ok(format!("job {id} has not ended: {row:?}"));
        }
        held += usize::from(row.state == RowState::OutcomeUnknown);
    }
    let queue = &store.storage().queue;
    let messages = queue.count(QueueName::Jobs).await.unwrap_or(0);
    let mut markers = 0;
    for tenant in TENANTS {
        let open = store.open_jobs(&Tenant::from_claim(tenant), None).await;
        markers += open.map_err(|e| e.to_string())?.0.len();
    }
    Ok(if (messages, markers) == (0, held) {
        String::new()
    } else {
        format!("{messages} messages and {markers} markers are left, {held} jobs are held")
    })
}

fn input(number: u64) -> JobInput {
    let cv = serde_json::json!({
        "full_name": "Ida Morrow",
        "profile": format!("Candidate {number}."),
        "email": "ida@example.com",
        "phone": "+41 44 000 00 00",
        "interests": "Chess.",
        "work_experience": [{
            "title": "Nurse", "employer": "Ward 7", "date_range": "2019 - 2024",
            "bullets": ["Cared for patients."],
        }],
        "education": [{
            "title": "Diploma", "institution": "School of Nursing", "date_range": "2015 - 2018",
        }],
    });
    let cv = schemas::cv::normalise(&cv).expect("a CV that is fine").cv;
    JobInput::of(cv)
}
