//! Waiting for a job to change: one reader of its row, however many wait.
//!
//! The row is the only source, so it works across processes. A reader starts with the first who
//! waits for a job and ends with the last, with the job, or with the first error: then everybody
//! looks for themselves.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use schemas::{JobId, Tenant};
use storage::jobs::JobStore;
use tokio::sync::watch;

use crate::view::View;

type Key = (Tenant, JobId);

/// Pauses grow with the number of jobs that are waited for, so that rows are read at most 4,000
/// times a second, whatever callers do.
const APART: Duration = Duration::from_micros(250);

/// The first pause where somebody waits for a job to end: one whose content is known is done within
/// milliseconds.
const SOON: Duration = Duration::from_millis(1);

/// How often a row is read again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// The pause after a change.
    pub(crate) first: Duration,
    /// Pauses grow to this while nothing changes.
    pub(crate) longest: Duration,
}

/// The jobs that are waited for. Clones share them.
#[derive(Clone)]
pub(crate) struct Watches {
    jobs: JobStore,
    pace: Pace,
    open: Arc<Mutex<HashMap<Key, watch::Sender<View>>>>,
}

impl Watches {
    pub(crate) fn new(jobs: JobStore, pace: Pace) -> Self {
        Self {
            jobs,
            pace,
            open: Arc::default(),
        }
    }

    /// A job's states from `seen` on, the newest only. It closes when nobody reads the row any
    /// more: the job is final or gone, or storage failed.
    pub(crate) fn follow(&self, tenant: &Tenant, id: JobId, seen: &View) -> watch::Receiver<View> {
        self.read_after(tenant, id, seen, self.pace.first)
    }

    /// The same, with another first pause for a reader that is not there yet.
    fn read_after(
        &self,
        tenant: &Tenant,
        id: JobId,
        seen: &View,
        pause: Duration,
    ) -> watch::Receiver<View> {
        let key = (tenant.clone(), id);
        let mut open = self.open();
        if let Some(sender) = open.get(&key) {
            return sender.subscribe();
        }
        let (sender, receiver) = watch::channel(seen.clone());
        open.insert(key.clone(), sender.clone());
        let reader = Reader {
            watches: self.clone(),
            key,
            sender,
        };
        tokio::spawn(reader.run(pause));
        receiver
    }

    /// The first state after `seen`, or `None` if there is none within `at_most` or the row is
    /// read no more.
    pub(crate) async fn change(
        &self,
        tenant: &Tenant,
        id: JobId,
        seen: &View,
        at_most: Duration,
    ) -> Option<View> {
        let mut states = self.follow(tenant, id, seen);
        // By version: what the reader read last may be older than what the caller saw.
        let newer = states.wait_for(|state| state.version > seen.version);
        let newer = tokio::time::timeout(at_most, newer).await.ok()?.ok()?;
        Some(newer.clone())
    }

    /// Comes back when the job is final, or `at_most` later, or when the row is read no more: the
    /// caller looks for themselves.
    pub(crate) async fn end(&self, tenant: &Tenant, id: JobId, seen: &View, at_most: Duration) {
        let mut states = self.read_after(tenant, id, seen, SOON);
        let end = states.wait_for(|state| state.is_final && state.version > seen.version);
        // Whatever came of it, the row says more.
        let _ = tokio::time::timeout(at_most, end).await;
    }

    fn open(&self) -> MutexGuard<'_, HashMap<Key, watch::Sender<View>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Watches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watches")
            .field("open", &self.open().len())
            .finish_non_exhaustive()
    }
}

struct Reader {
    watches: Watches,
    key: Key,
    sender: watch::Sender<View>,
}

impl Reader {
    async fn run(self, mut pause: Duration) {
        let Pace { first, longest } = self.watches.pace;
        loop {
            tokio::time::sleep(pause).await;
            if self.is_abandoned() {
                return;
            }
            let (tenant, id) = &self.key;
            let row = match self.watches.jobs.read(tenant, *id).await {
                Ok(Some(loaded)) => loaded.row,
                Ok(None) => return,
                Err(e) => {
                    let error = &e as &dyn std::error::Error;
                    tracing::warn!(job_id = %id, error, "job {id} cannot be followed");
                    return;
                }
            };
            let version = self.sender.borrow().version;
            if row.version > version {
                let view = View::of(&row);
                let is_final = view.is_final;
                self.sender.send_replace(view);
                if is_final {
                    return;
                }
                pause = first;
            } else {
                // About an eighth of the time since the last change: how late the news may be.
                let jobs = u32::try_from(self.watches.open().len()).unwrap_or(u32::MAX);
                pause = (pause * 9 / 8).min(longest.max(APART * jobs));
            }
        }
    }

    /// Asked under the lock, so that nobody joins a reader that has just decided to end.
    fn is_abandoned(&self) -> bool {
        let mut open = self.watches.open();
        let abandoned = self.sender.receiver_count() == 0;
        if abandoned {
            self.take_out_of(&mut open);
        }
        abandoned
    }

    fn take_out_of(&self, open: &mut HashMap<Key, watch::Sender<View>>) {
        // After this reader has gone another may have come for the same job.
        if open
            .get(&self.key)
            .is_some_and(|sender| sender.same_channel(&self.sender))
        {
            open.remove(&self.key);
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let watches = self.watches.clone();
        self.take_out_of(&mut watches.open());
    }
}
