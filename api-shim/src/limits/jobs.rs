//! How many jobs of a tenant may be open, that is not final yet.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use schemas::{ProblemKind, Tenant};
use storage::Clock;
use storage::quota::Quotas;

use crate::problem::Failure;

/// Age of a count from which on it is made anew. What other replicas accept meanwhile is not seen:
/// so much they may go beyond the limit.
const COUNTED_EVERY: Duration = Duration::from_secs(1);

/// The same where the limit seems reached: jobs may have ended.
const COUNTED_EVERY_AT_THE_LIMIT: Duration = Duration::from_millis(200);

/// When to try again: jobs take seconds.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// Most tenants whose counts are kept.
const MOST: usize = 10_000;

/// The open jobs of tenants.
pub(super) struct OpenJobs {
    limits: BTreeMap<String, u32>,
    quotas: Quotas,
    clock: Arc<dyn Clock>,
    counts: Mutex<HashMap<Tenant, Count>>,
}

#[derive(Clone, Copy, Default)]
struct Count {
    limit: Option<usize>,
    open: usize,
    /// When the count began; `None` until the first one.
    counted_at: Option<Duration>,
    /// Accepted since then, and those that were being submitted at that time.
    accepted_since: usize,
    /// Accepted, and not known to be stored yet: a count may miss them.
    under_way: usize,
}

/// A job that was taken into account, while it is being submitted.
pub(crate) struct Taken<'a> {
    jobs: &'a OpenJobs,
    tenant: Tenant,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Noted {
    Yes,
    /// More than this many.
    TooMany(usize),
    /// Nobody has counted for too long; this many are enough to know.
    Old(usize),
}

impl OpenJobs {
    pub(super) fn new(
        limits: BTreeMap<String, u32>,
        quotas: Quotas,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            limits,
            quotas,
            clock,
            counts: Mutex::default(),
        }
    }

    /// Notes of which class a tenant is, by the name that the limits give it.
    pub(super) fn know(&self, tenant: &Tenant, class: &str) {
        if self.limits.is_empty() {
            return;
        }
        let limit = self.limits.get(class).map(|limit| *limit as usize);
        let mut counts = self.counts();
        if let Some(count) = counts.get_mut(tenant) {
            count.limit = limit;
            return;
        }
        if counts.len() >= MOST {
            // Whoever comes again is counted anew.
            counts.clear();
        }
        let count = Count {
            limit,
            ..Count::default()
        };
        counts.insert(tenant.clone(), count);
    }

    /// Notes that a tenant submits a job, unless it has too many.
    pub(super) async fn take(&self, tenant: &Tenant) -> Result<Taken<'_>, Failure> {
        let taken = || Taken {
            jobs: self,
            tenant: tenant.clone(),
        };
        let again = match self.note(tenant, COUNTED_EVERY) {
            Noted::Yes => return Ok(taken()),
            Noted::Old(enough) => Some(enough),
            Noted::TooMany(_) => match self.note(tenant, COUNTED_EVERY_AT_THE_LIMIT) {
                Noted::Old(enough) => Some(enough),
                Noted::Yes => return Ok(taken()),
                Noted::TooMany(_) => None,
            },
        };
        if let Some(enough) = again {
            self.count(tenant, enough).await?;
        }
        let limit = match self.note(tenant, Duration::MAX) {
            Noted::Yes => return Ok(taken()),
            Noted::TooMany(limit) | Noted::Old(limit) => limit,
        };
        let detail = format!(
            "You may have {limit} jobs that are not final. Wait until some have ended, or cancel \
             some."
        );
        Err(Failure::new(ProblemKind::TooManyRequests, detail).retry_after(RETRY_AFTER))
    }

    fn note(&self, tenant: &Tenant, fresh: Duration) -> Noted {
        let now = self.clock.monotonic();
        let mut counts = self.counts();
        let count = counts.get_mut(tenant);
        let Some(count) = count else {
            return Noted::Yes;
        };
        let Some(limit) = count.limit else {
            count.under_way += 1;
            return Noted::Yes;
        };
        match count.counted_at {
            Some(at) if now.saturating_sub(at) < fresh => {
                if count.open + count.accepted_since >= limit {
                    return Noted::TooMany(limit);
                }
                count.accepted_since += 1;
                count.under_way += 1;
                Noted::Yes
            }
            _ => Noted::Old(limit),
        }
    }

    /// Counts anew. Many may do that at once: whoever comes later keeps the first one's count, which
    /// has the jobs in it that were accepted meanwhile.
    async fn count(&self, tenant: &Tenant, enough: usize) -> Result<(), Failure> {
        let began = self.clock.monotonic();
        let Some(before) = self.counts().get(tenant).copied() else {
            return Ok(());
        };
        let open = self.quotas.open_jobs(tenant, enough).await?;
        if let Some(count) = self.counts().get_mut(tenant)
            && count.counted_at == before.counted_at
        {
            count.open = open;
            count.counted_at = Some(began);
            count.accepted_since = before.under_way;
        }
        Ok(())
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<Tenant, Count>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken<'_> {
    /// There is no new job: its place is free for another one.
    pub(crate) fn give_back(self) {
        if let Some(count) = self.jobs.counts().get_mut(&self.tenant) {
            count.accepted_since = count.accepted_since.saturating_sub(1);
        }
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        if let Some(count) = self.jobs.counts().get_mut(&self.tenant) {
            count.under_way = count.under_way.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::future::join_all;
    use storage::fault::{Bench, Fault, Operation};
    use storage::names::{TableName, row as key};
    use storage::port::{Properties, Write};

    use super::*;

    const LIMIT: usize = 5;

    struct World {
        jobs: OpenJobs,
        bench: Bench,
        tenant: Tenant,
    }

    impl World {
        fn new() -> Self {
            let bench = Bench::new();
            let limits = BTreeMap::from([("free".to_owned(), u32::try_from(LIMIT).unwrap())]);
            let quotas = Quotas::new(bench.storage.table.clone());
            let jobs = OpenJobs::new(limits, quotas, bench.clock.clone());
            let tenant = Tenant::from_claim("acme");
            jobs.know(&tenant, "free");
            Self {
                jobs,
                bench,
                tenant,
            }
        }

        /// So many at once; those that may go on.
        async fn take(&self, requests: usize) -> Vec<Taken<'_>> {
            let takes = (0..requests).map(|_| self.jobs.take(&self.tenant));
            join_all(takes).await.into_iter().flatten().collect()
        }

        async fn store(&self, job: u8) {
            let at = key::marker(schemas::JobId::new(self.bench.clock.now(), [job; 10]));
            let write = vec![Write::Insert(at, Properties::new())];
            let table = &self.bench.storage.table;
            let written = table.write(TableName::Jobs, self.tenant.as_str(), write);
            written.await.unwrap();
        }
    }

    #[tokio::test]
    async fn so_many_at_once_are_no_more_than_one_after_the_other() {
        let world = World::new();
        world.store(1).await;
        // The second count is slow: jobs are accepted before it comes back.
        let query = Operation::Query(TableName::Jobs);
        let slow = Fault::DelayAnswer(Duration::from_millis(100));
        world.bench.faults.script(query, 2, slow);
        let taken = world.take(40).await;
        assert_eq!(taken.len(), LIMIT - 1);

        // None of them is stored yet when everybody counts again.
        world.bench.clock.pass(COUNTED_EVERY * 2);
        assert_eq!(world.take(40).await.len(), 0);
        drop(taken);

        // None of them was ever stored.
        world.bench.clock.pass(COUNTED_EVERY * 2);
        let mut taken = world.take(40).await;
        assert_eq!(taken.len(), LIMIT - 1);
        assert_eq!(world.take(1).await.len(), 0);
        taken.pop().unwrap().give_back();
        assert_eq!(world.take(3).await.len(), 1);
    }
}
