//! What may be spent on one day, over all tenants and for each: shared by all workers through the
//! table, where each keeps rows of its own (`storage::spend`).
//!
//! A call reserves its estimated cost before it is latched, and durably so: a worker that dies
//! leaves its reservations behind, and they count as spent, since the calls may have been paid.
//! Only calls that are out when a budget is reached can go beyond it: they were granted while
//! there was something left. Questions that come together are answered in one round of storage.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use schemas::Tenant;
use schemas::job::{WaitReason, Waiting};
use storage::port::{Result as StorageResult, StorageError, Table};
use storage::spend::{self, OwnSpend, Spend, Version};
use storage::{Clock, Entropy, ambient};
use tokio::sync::oneshot;

use schemas::hex;

/// Rows of one write: a transaction takes 100.
const MOST_ROWS: usize = 90;
/// Questions of one round, so that their rows fit into one write.
const MOST_ASKS: usize = MOST_ROWS / 2;
/// The name of all tenants together.
const ALL: &str = "";

/// The budget of the day.
pub(super) struct Daily {
    limits: config::Budget,
    table: Arc<dyn Table>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    /// The name of this process among those that spend.
    holder: String,
    state: Mutex<State>,
    /// One round of storage at a time.
    round: tokio::sync::Mutex<()>,
}

/// The answer to a wish to call.
pub(super) enum Answer {
    /// The estimate is reserved.
    Granted(Reservation),
    /// Nothing is left of a budget.
    Over {
        /// When to ask again.
        after: Duration,
        /// Which budget, and until when.
        waiting: Waiting,
    },
}

/// What is set aside for a call that may be out.
pub(super) struct Reservation {
    daily: Arc<Daily>,
    day: Date,
    tenant: Tenant,
    estimate: u64,
}

#[derive(Default)]
struct State {
    asks: Vec<Ask>,
    /// What this process spent, by day and tenant.
    own: BTreeMap<(Date, String), Own>,
}

struct Ask {
    tenant: Tenant,
    estimate: u64,
    tell: oneshot::Sender<StorageResult<Answer>>,
}

struct Own {
    spend: Spend,
    version: Option<Version>,
    /// The figures have changed since they were written.
    dirty: bool,
}

impl Default for Own {
    fn default() -> Self {
        Self {
            spend: Spend::default(),
            version: Some(Version::New),
            dirty: false,
        }
    }
}

impl Daily {
    pub(super) fn new(
        limits: config::Budget,
        table: Arc<dyn Table>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        let holder = hex(&ambient::random::<8>(&*entropy));
        Self {
            limits,
            table,
            clock,
            entropy,
            holder,
            state: Mutex::default(),
            round: tokio::sync::Mutex::default(),
        }
    }

    /// Reserves an estimate, in millionths of a dollar, or says why not. After an error nothing is
    /// reserved.
    pub(super) async fn take(
        self: &Arc<Self>,
        tenant: &Tenant,
        estimate: u64,
    ) -> StorageResult<Answer> {
        let (tell, mut told) = oneshot::channel();
        let tenant = tenant.clone();
        self.state().asks.push(Ask {
            tenant,
            estimate,
            tell,
        });
        loop {
            let _turn = self.round.lock().await;
            // Whoever had the turn before may have answered.
            match told.try_recv() {
                Ok(answer) => return answer,
                Err(oneshot::error::TryRecvError::Empty) => self.answer_all().await,
                Err(oneshot::error::TryRecvError::Closed) => {
                    return Err(StorageError::unavailable("the budget gave no answer"));
                }
            }
        }
    }

    /// Answers what was asked so far, in one round of storage.
    async fn answer_all(self: &Arc<Self>) {
        let asks: Vec<Ask> = {
            let mut state = self.state();
            let count = state.asks.len().min(MOST_ASKS);
            state.asks.drain(..count).collect()
        };
        let (day, spent, date) = match self.spent_by_others(&asks).await {
            Ok(found) => found,
            Err(e) => return refuse(asks, &e),
        };
        let mut answers = Vec::new();
        {
            let mut state = self.state();
            for Ask {
                tenant,
                estimate,
                tell,
            } in asks
            {
                let over = self.over(&state, day, &spent, tenant.as_str());
                if over.is_none() {
                    for name in [ALL, tenant.as_str()] {
                        let own = state.own.entry((day, name.to_owned())).or_default();
                        own.spend.reserved += estimate;
                        own.dirty = true;
                    }
                }
                answers.push((tenant, estimate, tell, over));
            }
        }
        let written = self.write().await;
        for (tenant, estimate, tell, over) in answers {
            let answer = match (over, &written) {
                (Some(reason), _) => Ok(self.wait(reason, date)),
                (None, result) => {
                    let reservation = Reservation {
                        daily: self.clone(),
                        day,
                        tenant,
                        estimate,
                    };
                    match result {
                        Ok(()) => Ok(Answer::Granted(reservation)),
                        Err(e) => {
                            reservation.change(Some(0));
                            Err(again(e))
                        }
                    }
                }
            };
            if let Err(Ok(Answer::Granted(unheard))) = tell.send(answer) {
                unheard.settle(Some(0));
            }
        }
    }

    /// What the other processes spent today, over all and for each tenant that asks; and the
    /// table's time.
    async fn spent_by_others(
        &self,
        asks: &[Ask],
    ) -> StorageResult<(Date, BTreeMap<String, u64>, Timestamp)> {
        let mut day = day_of(self.clock.now());
        loop {
            let table = &*self.table;
            let all = spend::of_others(table, day, ALL, &self.holder).await?;
            // The table's clock decides which day it is.
            let today = day_of(all.date);
            if today != day {
                day = today;
                continue;
            }
            let mut spent = BTreeMap::from([(ALL.to_owned(), all.value.total())]);
            for Ask { tenant, .. } in asks {
                let name = tenant.as_str();
                if self.limits.of_tenant(name).is_some() && !spent.contains_key(name) {
                    let own = spend::of_others(table, day, name, &self.holder).await?;
                    spent.insert(name.to_owned(), own.value.total());
                }
            }
            return Ok((day, spent, all.date));
        }
    }

    /// Which budget has nothing left, if one has not.
    fn over(
        &self,
        state: &State,
        day: Date,
        others: &BTreeMap<String, u64>,
        tenant: &str,
    ) -> Option<WaitReason> {
        let none_left = |name: &str, limit: Option<u64>| {
            let own = state.own.get(&(day, name.to_owned()));
            let own = own.map_or(0, |own| own.spend.total());
            let spent = others.get(name).copied().unwrap_or(0).saturating_add(own);
            limit.is_some_and(|limit| spent >= limit)
        };
        if none_left(ALL, self.limits.daily_usd) {
            Some(WaitReason::DailyBudget)
        } else if none_left(tenant, self.limits.of_tenant(tenant)) {
            Some(WaitReason::TenantDailyBudget)
        } else {
            None
        }
    }

    /// Until the day turns, or until somebody may have raised the budget; at a time that differs
    /// from one job to the next.
    fn wait(&self, reason: WaitReason, date: Timestamp) -> Answer {
        let until = next_day(date);
        let turns = Duration::try_from(until.duration_since(date)).unwrap_or_default();
        let look = self.limits.look_again;
        let [share] = ambient::random(&*self.entropy);
        let part = look.mul_f64(f64::from(share) / 510.0);
        let after = if turns <= look / 2 {
            turns + part
        } else {
            (look / 2 + part).min(turns)
        };
        Answer::Over {
            after,
            waiting: Waiting { reason, until },
        }
    }

    /// Writes what has changed. Rows that cannot be written are written the next time.
    async fn write(&self) -> StorageResult<()> {
        loop {
            let mut rows: Vec<OwnSpend> = Vec::new();
            for ((day, tenant), own) in &mut self.state().own {
                if own.dirty && rows.len() < MOST_ROWS {
                    own.dirty = false;
                    rows.push(OwnSpend {
                        day: *day,
                        tenant: tenant.clone(),
                        spend: own.spend,
                        version: own.version.take(),
                    });
                }
            }
            if rows.is_empty() {
                return Ok(());
            }
            let written = spend::write(&*self.table, &self.holder, &mut rows).await;
            let mut state = self.state();
            let today = rows.iter().map(|row| row.day).max();
            for row in rows {
                if let Some(own) = state.own.get_mut(&(row.day, row.tenant)) {
                    own.dirty |= written.is_err();
                    own.version = row.version.filter(|_| written.is_ok());
                }
            }
            // What is over and has no call out is not needed any more.
            state.own.retain(|(day, _), own| {
                own.dirty || own.spend.reserved > 0 || today.is_none_or(|today| *day >= today)
            });
            written?;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reservation {
    /// The call cost this much; `None`: nobody knows, and the estimate stands. It is written at
    /// once, beside what the caller does.
    pub(super) fn settle(self, cost: Option<u64>) {
        self.change(cost);
        let daily = self.daily.clone();
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        runtime.spawn(async move {
            let _turn = daily.round.lock().await;
            if let Err(e) = daily.write().await {
                let error = &e as &dyn std::error::Error;
                tracing::warn!(error, "what calls cost is not written yet; the next time");
            }
        });
    }

    fn change(&self, cost: Option<u64>) {
        let mut state = self.daily.state();
        for name in [ALL, self.tenant.as_str()] {
            let own = state.own.entry((self.day, name.to_owned())).or_default();
            let spend = &mut own.spend;
            spend.reserved = spend.reserved.saturating_sub(self.estimate);
            spend.spent = spend.spent.saturating_add(cost.unwrap_or(self.estimate));
            own.dirty = true;
        }
    }
}

fn refuse(asks: Vec<Ask>, error: &StorageError) {
    for ask in asks {
        // Who does not listen any more needs no answer.
        let _ = ask.tell.send(Err(again(error)));
    }
}

/// One error for many.
fn again(error: &StorageError) -> StorageError {
    StorageError::unavailable(format!("the budget cannot be read or written: {error}"))
}

fn day_of(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

/// The first moment of the next day (UTC).
fn next_day(at: Timestamp) -> Timestamp {
    const DAY: i64 = 86_400;
    let seconds = (at.as_second().div_euclid(DAY) + 1) * DAY;
    Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests;
