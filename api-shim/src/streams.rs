//! How many event streams are open: in this process, and of one tenant.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use schemas::{ProblemKind, Tenant};

use crate::problem::Failure;

/// When to come back where all are taken.
const LATER: Duration = Duration::from_secs(10);

/// The streams that are open. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct Streams {
    most: usize,
    most_of_tenant: usize,
    open: Arc<Mutex<Open>>,
}

#[derive(Debug, Default)]
struct Open {
    all: usize,
    of_tenants: BTreeMap<Tenant, usize>,
}

/// The right to one stream, until it is dropped.
#[derive(Debug)]
pub(crate) struct Slot {
    streams: Streams,
    tenant: Tenant,
}

impl Streams {
    pub(crate) fn new(most: usize, most_of_tenant: usize) -> Self {
        Self {
            most,
            most_of_tenant,
            open: Arc::default(),
        }
    }

    /// A stream for a tenant, or when to ask again.
    pub(crate) fn take(&self, tenant: &Tenant) -> Result<Slot, Failure> {
        let mut open = self.open();
        if open.all >= self.most {
            let detail = "All event streams of this server are taken. Read the job instead, with \
                          Prefer: wait=N, or come back later.";
            return Err(Failure::unavailable(detail, LATER));
        }
        let own = open.of_tenants.get(tenant).copied().unwrap_or_default();
        if own >= self.most_of_tenant {
            let detail = format!(
                "You have {own} event streams open, the most that are allowed. Close some, or \
                 read the job instead, with Prefer: wait=N."
            );
            return Err(Failure::new(ProblemKind::TooManyRequests, detail).retry_after(LATER));
        }
        open.all += 1;
        open.of_tenants.insert(tenant.clone(), own + 1);
        drop(open);
        Ok(Slot {
            streams: self.clone(),
            tenant: tenant.clone(),
        })
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut open = self.streams.open();
        open.all -= 1;
        if let Some(own) = open.of_tenants.get_mut(&self.tenant) {
            *own -= 1;
            if *own == 0 {
                open.of_tenants.remove(&self.tenant);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_come_back_when_streams_close() {
        let streams = Streams::new(3, 2);
        let (a, b) = (Tenant::from_claim("a"), Tenant::from_claim("b"));
        let first = streams.take(&a).unwrap();
        let second = streams.take(&a).unwrap();
        let refused = streams.take(&a).unwrap_err();
        assert_eq!(refused.problem().kind, ProblemKind::TooManyRequests);
        let third = streams.take(&b).unwrap();
        let refused = streams.take(&b).unwrap_err();
        assert_eq!(refused.problem().kind, ProblemKind::Unavailable);
        drop(first);
        let again = streams.take(&b).unwrap();
        drop((second, third, again));
        assert!(streams.open().of_tenants.is_empty());
        assert_eq!(streams.open().all, 0);
    }
}
