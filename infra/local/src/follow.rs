//! Waiting for the end of a job, and what is said meanwhile.

use std::time::Duration;

use anyhow::anyhow;
use schemas::job::{JobStatus, Phase, State, WaitReason};
use storage::Clock as _;
use storage::ambient::System;

use crate::client::Client;

/// After so long in the queue something may be wrong.
const SOON: Duration = Duration::from_secs(15);

/// So seldom it is said that nothing has changed.
const SIGN: Duration = Duration::from_mins(1);

/// How often it is looked whether there is something to say.
const LOOK: Duration = Duration::from_millis(500);

/// What may be wrong with a job that is not begun.
const ADVICE: &str = "the model may be unreachable or turn calls away, or no worker runs; \
                      `presswork doctor` says what to mend";

/// How long is waited.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// For a job that is not begun, or was put back.
    pub(crate) queued: Duration,
    /// In any case.
    pub(crate) whole: Duration,
}

/// What is said of a job.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// What it is at.
    Step(String),
    /// What may be wrong.
    Hint(String),
}

/// Follows a job to its end, or until patience is over. `tell` hears of each change, and what is to be
/// said of it if that is something new.
pub(crate) async fn follow(
    client: &Client,
    accepted: JobStatus,
    patience: Patience,
    mut tell: impl FnMut(&JobStatus, Option<News>),
) -> anyhow::Result<JobStatus> {
    let clock = System::new();
    let mut ticks = tokio::time::interval(LOOK);
    let mut watch = Watch::new(accepted, patience);
    let mut etag = None;
    loop {
        let news = watch.news(clock.monotonic());
        tell(&watch.job, news);
        if watch.job.state.is_final() {
            return Ok(watch.job);
        }
        let link = watch.job.links.this.clone();
        let change = client.change(&link, etag.take());
        tokio::pin!(change);
        let (changed, tag) = loop {
            tokio::select! {
                change = &mut change => break change?,
                _ = ticks.tick() => {
                    let now = clock.monotonic();
                    if watch.is_over(now) {
                        return Err(watch.unfinished(now));
                    }
                    let news = watch.news(now);
                    if news.is_some() {
                        tell(&watch.job, news);
                    }
                }
            }
        };
        etag = tag;
        if let Some(job) = changed {
            watch.see(job);
        }
    }
}

/// A job's state in words.
pub(crate) fn say(job: &JobStatus) -> String {
    if let Some(waiting) = &job.waiting {
        let (of, name) = match waiting.reason {
            WaitReason::DailyBudget => ("the budget of the day", "daily_budget"),
            WaitReason::TenantDailyBudget => {
                ("the tenant's budget of the day", "tenant_daily_budget")
            }
        };
        let until = waiting.until;
        return format!("waiting until {until} at the latest: {of} is spent ({name})");
    }
    match (job.state, job.phase) {
        (State::Queued, _) => "waiting for a worker".to_owned(),
        (State::Running, Some(Phase::Rendering)) => "setting the pages".to_owned(),
        (State::Running, _) => "editing the text".to_owned(),
        (state, _) => state.as_str().to_owned(),
    }
}

/// A job as it was seen last, and what has been said of it. Times are since the start.
struct Watch {
    job: JobStatus,
    patience: Patience,
    said: Vec<(State, Option<Phase>, Option<WaitReason>)>,
    last: Duration,
    hinted: bool,
    /// It was begun and then put back into the queue.
    put_back: bool,
}

impl Watch {
    fn new(job: JobStatus, patience: Patience) -> Self {
        Self {
            job,
            patience,
            said: Vec::new(),
            last: Duration::ZERO,
            hinted: false,
            put_back: false,
        }
    }

    fn see(&mut self, job: JobStatus) {
        self.put_back |= (self.job.state, job.state) == (State::Running, State::Queued);
        self.job = job;
    }

    /// What nobody has heard yet. A job whose call is turned away goes to and fro many times: each
    /// step is said once.
    fn news(&mut self, now: Duration) -> Option<News> {
        let reason = self.job.waiting.as_ref().map(|waiting| waiting.reason);
        let step = (self.job.state, self.job.phase, reason);
        let news = if !self.said.contains(&step) {
            self.said.push(step);
            News::Step(say(&self.job))
        } else if now >= SOON && !self.hinted && self.job.state == State::Queued && reason.is_none()
        {
            self.hinted = true;
            News::Hint(format!("still queued: {ADVICE}"))
        } else if now.saturating_sub(self.last) >= SIGN {
            News::Step(format!("still {}", say(&self.job)))
        } else {
            return None;
        };
        self.last = now;
        Some(news)
    }

    fn is_over(&self, now: Duration) -> bool {
        let queued = self.job.state == State::Queued;
        now >= self.patience.whole || (queued && now >= self.patience.queued)
    }

    fn unfinished(&self, now: Duration) -> anyhow::Error {
        let why = match (self.job.state, &self.job.waiting) {
            (State::Queued, None) => format!("still queued: {ADVICE}"),
            (State::Running, _) if self.put_back => format!(
                "{}, after it was put back into the queue: {ADVICE}",
                say(&self.job)
            ),
            _ => say(&self.job),
        };
        let (id, seconds) = (self.job.id, now.as_secs());
        anyhow!("job {id} has not ended after {seconds} s: {why}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::job::Waiting;
    use serde_json::json;

    const PATIENCE: Patience = Patience {
        queued: Duration::from_mins(1),
        whole: Duration::from_mins(5),
    };

    fn job(state: State) -> JobStatus {
        serde_json::from_value(json!({
            "id": "01890000-0000-7000-8000-000000000000", "kind": "cv", "state": state, "progress": 0,
            "created_at": "2026-01-02T03:04:05Z", "updated_at": "2026-01-02T03:04:05Z",
            "model_calls": 0, "cached": false, "warnings": [], "metadata": {},
            "links": {"self": "/v1/jobs/x", "events": "", "result": ""},
        }))
        .unwrap()
    }

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_job_that_goes_to_and_fro_is_told_once_and_explained() {
        let mut watch = Watch::new(job(State::Queued), PATIENCE);
        let mut said = Vec::new();
        for second in 0..180 {
            said.extend(watch.news(at(second)));
            let state = [State::Running, State::Queued][usize::from(second % 2 == 1)];
            watch.see(job(state));
        }
        let step = |text: &str| News::Step(text.to_owned());
        let first = [step("waiting for a worker"), step("editing the text")];
        assert_eq!(said[..2], first);
        let News::Hint(hint) = &said[2] else {
            panic!("{said:?}")
        };
        assert!(hint.contains("presswork doctor"), "{hint}");
        assert_eq!(said.len(), 5, "a sign of life each minute: {said:?}");
        watch.see(job(State::Running));
        let error = watch.unfinished(at(300)).to_string();
        assert!(
            error.contains("put back") && error.contains("doctor"),
            "{error}"
        );
    }

    #[test]
    fn only_a_job_that_is_not_begun_is_given_up_early() {
        let check = |state, second, expect| {
            let watch = Watch::new(job(state), PATIENCE);
            assert_eq!(watch.is_over(at(second)), expect, "{state:?} {second}");
        };
        check(State::Queued, 59, false);
        check(State::Queued, 60, true);
        check(State::Running, 299, false);
        check(State::Running, 300, true);
    }

    #[test]
    fn the_last_word_names_what_a_job_waits_for() {
        let mut waiting = job(State::Queued);
        waiting.waiting = Some(Waiting {
            reason: WaitReason::TenantDailyBudget,
            until: "2026-01-03T00:00:00Z".parse().unwrap(),
        });
        let mut watch = Watch::new(waiting, PATIENCE);
        watch.news(at(0));
        assert_eq!(watch.news(at(20)), None, "nothing is wrong with the model");
        let error = watch.unfinished(at(60)).to_string();
        assert!(error.contains("tenant_daily_budget"), "{error}");
        let error = Watch::new(job(State::Queued), PATIENCE).unfinished(at(60));
        assert!(error.to_string().contains("presswork doctor"), "{error}");
    }
}
