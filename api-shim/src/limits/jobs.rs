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
    /// `None` until the first count.
    counted_at: Option<Duration>,
    accepted_since: usize,
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
    pub(super) async fn take(&self, tenant: &Tenant) -> Result<(), Failure> {
        let again = match self.note(tenant, COUNTED_EVERY) {
            Noted::Yes => return Ok(()),
            Noted::Old(enough) => Some(enough),
            Noted::TooMany(_) => match self.note(tenant, COUNTED_EVERY_AT_THE_LIMIT) {
                Noted::Old(enough) => Some(enough),
                Noted::Yes => return Ok(()),
                Noted::TooMany(_) => None,
            },
        };
        if let Some(enough) = again {
            self.count(tenant, enough).await?;
        }
        let limit = match self.note(tenant, Duration::MAX) {
            Noted::Yes => return Ok(()),
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
            return Noted::Yes;
        };
        match count.counted_at {
            Some(at) if now.saturating_sub(at) < fresh => {
                if count.open + count.accepted_since >= limit {
                    return Noted::TooMany(limit);
                }
                count.accepted_since += 1;
                Noted::Yes
            }
            _ => Noted::Old(limit),
        }
    }

    async fn count(&self, tenant: &Tenant, enough: usize) -> Result<(), Failure> {
        let counted_at = self.clock.monotonic();
        let open = self.quotas.open_jobs(tenant, enough).await?;
        if let Some(count) = self.counts().get_mut(tenant) {
            count.open = open;
            count.counted_at = Some(counted_at);
            count.accepted_since = 0;
        }
        Ok(())
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<Tenant, Count>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
