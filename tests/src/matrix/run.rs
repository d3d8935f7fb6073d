//! One run: a job, a worker that comes to grief, and what is found afterwards.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use openai::fake::Server as Fake;
use schemas::job::{JobInput, State};
use schemas::{JobId, Tenant};
use storage::azurite::Azurite;
use storage::jobs::{JobStore, Submission};
use storage::names::QueueName;

use super::case::{Case, Mode, Place, Policy, Scenario, count_points};
use crate::backing::{BACK_SOON, Backing, DEADLINE};
use crate::process::{Server, with_model};
use crate::unique_cv;

/// Longest time for a job to end, deadlines of lost calls included.
const PATIENCE: Duration = Duration::from_mins(1);
/// How often a run looks.
const GLANCE: Duration = Duration::from_millis(40);
/// Workers after the one that comes to grief. One does all there is to do; but the reconciler of a
/// worker that stops may put a message back at the very end, where the machine is slow.
const SUCCESSORS: usize = 3;
/// Runs that share an Azurite, each in an account of its own: it gets slow with what it holds.
const ACCOUNTS: usize = 100;

/// What a run came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Verdict {
    /// Jobs that were submitted.
    pub jobs: u64,
    /// Calls that a provider would bill.
    pub accepted: u64,
    /// Accepted calls beyond what the policy permits.
    pub excess: u64,
    /// Jobs that did not end.
    pub lost: u64,
    /// Jobs that are held.
    pub held: u64,
    /// Jobs that are held where they should have been saved.
    pub held_wrongly: u64,
    /// Jobs that ended otherwise than their kind can.
    pub wrong_end: u64,
    /// Messages, set-aside messages and markers of ended jobs that are left.
    pub left: u64,
    /// What to look at, where anything above is wrong.
    pub story: String,
}

impl Verdict {
    /// Whether all is as promised.
    pub fn is_good(&self) -> bool {
        self.excess + self.lost + self.held_wrongly + self.wrong_end + self.left == 0
    }
}

/// Where runs find their stores.
#[derive(Debug, Default)]
pub struct Bench {
    /// The Azurite of the next run, and how many had it before.
    azurite: Mutex<Option<(Arc<Azurite>, usize)>>,
}

impl Bench {
    /// A store of its own; the Azurite that it is in lives as long as the second part.
    fn backing(&self, place: Place) -> (Backing, Option<Arc<Azurite>>) {
        if place == Place::Embedded {
            return (Backing::embedded(), None);
        }
        let mut next = self.azurite.lock().unwrap_or_else(PoisonError::into_inner);
        let (azurite, used) = match next.take() {
            Some((azurite, used)) if used < ACCOUNTS => (azurite, used),
            _ => (Arc::new(Azurite::start_with_accounts(ACCOUNTS)), 0),
        };
        let backing = Backing::in_account(azurite.account(used));
        *next = Some((azurite.clone(), used + 1));
        (backing, Some(azurite))
    }

    /// How often a job of this kind comes by each effect when nothing goes wrong.
    pub(crate) async fn reached(
        &self,
        scenario: Scenario,
        mode: Mode,
        policy: Policy,
    ) -> BTreeMap<String, u32> {
        let points = worker::failpoints::points();
        let noted: Vec<_> = points
            .iter()
            .map(|point| format!("{point}=return(note)"))
            .collect();
        let (backing, _) = self.backing(Place::Embedded);
        let trial = Trial::begin(&backing, scenario, mode, policy).await;
        let worker = trial.worker(&noted.join(";"));
        let ended = trial.ended(&worker).await;
        trial.settled(&worker).await;
        let (_, log) = worker.terminate();
        assert!(
            ended,
            "{}: nothing went wrong, and it did not end:\n{log}",
            scenario.name
        );
        let reached = count_points(&log);
        assert!(
            reached.len() > 4,
            "{}: {reached:?}: is the worker built without fail points? `cargo build --workspace` has them\n{log}",
            scenario.name
        );
        reached
    }

    /// Makes one run.
    pub async fn run(&self, case: &Case) -> Verdict {
        let (backing, _azurite) = self.backing(case.place);
        let trial = Trial::begin(&backing, case.scenario, case.mode, case.policy).await;
        let first = trial.worker(&case.failpoints());
        let mut ended = trial.ended(&first).await;
        let (mut logs, mut copies) = (String::new(), false);
        if ended && trial.settled(&first).await {
            logs += &first.terminate().1;
        } else {
            logs += &first.kill();
            copies = logs.contains("is put back");
        }
        for _ in 0..SUCCESSORS {
            if ended && trial.messages().await == 0 {
                break;
            }
            let next = trial.worker("");
            ended = trial.ended(&next).await;
            trial.settled(&next).await;
            logs += &next.terminate().1;
        }
        let mut verdict = trial.verdict(case, ended, copies).await;
        if !verdict.is_good() {
            verdict.story = format!("{case}: {verdict:?}\n{:?}\n{logs}", trial.model.counters());
        }
        verdict
    }
}

/// A store, a model and jobs.
struct Trial<'a> {
    backing: &'a Backing,
    scenario: Scenario,
    settings: Vec<(&'static str, &'static str)>,
    model: Fake,
    store: JobStore,
    jobs: Vec<JobId>,
}

impl<'a> Trial<'a> {
    async fn begin(backing: &'a Backing, scenario: Scenario, mode: Mode, policy: Policy) -> Self {
        let model = Fake::start(([127, 0, 0, 1], 0).into(), scenario.script(mode));
        let store = backing.jobs().await;
        let mut jobs = Vec::new();
        for _ in 0..=u8::from(scenario.twin) {
            let cv = schemas::cv::normalise(&unique_cv(1));
            let options = serde_json::from_value(scenario.options());
            let submission = Submission::new(
                Tenant::anonymous(),
                JobInput {
                    options: options.expect("the options are well-formed"),
                    ..JobInput::of(cv.expect("the sample is a CV").cv)
                },
            );
            let submitted = patiently(|| store.submit(submission.clone())).await;
            jobs.push(submitted.row().id);
        }
        let policy = match policy {
            Policy::Hold => "hold",
            Policy::RetryOnce => "retry_once",
        };
        let background = match mode {
            Mode::Plain => "off",
            Mode::Background => "on",
        };
        let settings = [
            ("cv.single_call", policy),
            ("model.background", background),
            ("model.poll_min", "50ms"),
            ("model.poll_max", "200ms"),
            ("log.level", "info"),
        ];
        Self {
            backing,
            scenario,
            settings: [&BACK_SOON[..], &DEADLINE, &settings].concat(),
            model: model.expect("a free port can be had"),
            store,
            jobs,
        }
    }

    fn worker(&self, failpoints: &str) -> Server {
        let mut command: Command = self.backing.part("worker", &self.settings);
        with_model(&mut command, &self.model.base_url());
        if !failpoints.is_empty() {
            command.env("FAILPOINTS", failpoints);
        }
        Server::spawn(&mut command)
    }

    /// Waits until all jobs have ended; `false` if the worker died before, or time is up.
    async fn ended(&self, worker: &Server) -> bool {
        let mut cancelled = !self.scenario.cancel;
        let mut glances = 0;
        while GLANCE * glances < PATIENCE {
            if !cancelled && (self.model.counters().received > 0 || glances > 25) {
                for job in &self.jobs {
                    // The store may be busy; the next glance tries again.
                    cancelled = self.store.cancel(&Tenant::anonymous(), *job).await.is_ok();
                }
            }
            let mut open = 0;
            for job in &self.jobs {
                open += u32::from(!self.state(*job).await.is_some_and(State::is_final));
            }
            if open == 0 && cancelled {
                return true;
            }
            if worker.has_ended() {
                return false;
            }
            tokio::time::sleep(GLANCE).await;
            glances += 1;
        }
        false
    }

    async fn state(&self, job: JobId) -> Option<State> {
        let read = self.store.read(&Tenant::anonymous(), job).await;
        Some(read.ok()??.row.status().state)
    }

    /// Waits until no message is left; `false` if the worker died before, or time is up.
    async fn settled(&self, worker: &Server) -> bool {
        let mut glances = 0;
        while GLANCE * glances < PATIENCE {
            if self.messages().await == 0 {
                return true;
            }
            if worker.has_ended() {
                return false;
            }
            tokio::time::sleep(GLANCE).await;
            glances += 1;
        }
        false
    }

    async fn messages(&self) -> u64 {
        let mut messages = 0;
        // An event that is not told yet keeps its job's marker.
        for queue in [
            QueueName::Jobs,
            QueueName::JobsPoison,
            QueueName::Notifications,
        ] {
            messages += patiently(|| self.store.storage().queue.count(queue)).await;
        }
        messages
    }

    async fn verdict(&self, case: &Case, ended: bool, copies: bool) -> Verdict {
        let counters = self.model.counters();
        let per_job = match case.policy {
            Policy::Hold => 1,
            Policy::RetryOnce => 2,
        };
        let mut verdict = Verdict {
            jobs: self.jobs.len() as u64,
            accepted: counters.accepted,
            excess: counters
                .accepted
                .saturating_sub(per_job * self.jobs.len() as u64),
            left: self.messages().await,
            ..Verdict::default()
        };
        if case.policy == Policy::Hold {
            verdict.excess = verdict.excess.max(counters.repeated);
        }
        let mut markers = 0;
        for job in &self.jobs {
            match self.state(*job).await {
                Some(State::OutcomeUnknown) => {
                    verdict.held += 1;
                    verdict.held_wrongly += u64::from(!case.may_be_held(copies));
                    markers += 1;
                }
                Some(state) if state.is_final() => {
                    let name = serde_json::to_value(state).expect("a state has a name");
                    let may = case.scenario.ends.iter().any(|end| *end == name);
                    verdict.wrong_end += u64::from(!may);
                }
                _ => verdict.lost += 1,
            }
        }
        verdict.lost = verdict.lost.max(u64::from(!ended));
        let tenant = Tenant::anonymous();
        let (open, _, _) = patiently(|| self.store.open_jobs(&tenant, None)).await;
        let open = open.len() as u64;
        // A held job keeps its marker, so that a late reply is adopted.
        verdict.left += open.saturating_sub(markers);
        verdict
    }
}

/// What the store answers in the end: an Azurite that hundreds of processes ask resets a connection
/// now and then, which is not what these runs are about.
async fn patiently<T, E: std::fmt::Debug, F: Future<Output = Result<T, E>>>(
    ask: impl Fn() -> F,
) -> T {
    for _ in 0..50 {
        if let Ok(answer) = ask().await {
            return answer;
        }
        tokio::time::sleep(GLANCE).await;
    }
    ask().await.expect("the store answers")
}
