//! Jobs on a store that was restored from a backup, or failed over: what the rows say of calls may
//! be old, so jobs that may have been called wait until an operator has decided.

use schemas::{JobId, Problem, ProblemKind, Tenant};

use super::ledger;
use super::row::{JobRow, RowState};
use super::{CallOutcome, Consent, JobStore, Loaded};
use crate::concerns_one_row;
use crate::names::row as key;
use crate::port::{Result, StorageError};

/// Which open jobs are held after a restore.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suspects {
    /// All that the store has not seen the reply of: they may have been called after the backup was made.
    All,
    /// Those that had begun a call when the backup was made. Enough where no worker ran after that.
    Begun,
}

/// What was found of the jobs that are held after a restore.
#[derive(Debug, Default)]
pub struct HeldJobs {
    /// Those that are.
    pub rows: Vec<JobRow>,
    /// Open jobs of which that cannot be told, each with the reason.
    pub unread: Vec<(JobId, StorageError)>,
}

impl JobStore {
    /// Holds a job if a call of it may have gone out; tells whether it was held now.
    pub async fn hold_restored(
        &self,
        tenant: &Tenant,
        id: JobId,
        suspects: Suspects,
    ) -> Result<bool> {
        const TRIES: usize = 8;
        for _ in 0..TRIES {
            let Some(loaded) = self.read(tenant, id).await? else {
                return Ok(false);
            };
            let row = &loaded.row;
            let suspect = match row.state {
                RowState::Calling => true,
                RowState::Queued => row.attempt > 0 || suspects == Suspects::All,
                _ => false,
            };
            if !suspect {
                return Ok(false);
            }
            match self.hold(&loaded).await {
                // After a lost acknowledgement the row says whether it is held.
                Ok(_) => return Ok(true),
                Err(StorageError::Precondition) => {}
                Err(e) => return Err(e),
            }
        }
        Err(StorageError::unavailable(
            "the job's row changes too often to be held: is a worker running?",
        ))
    }

    /// Releases a job that was held after a restore: it goes on, with another call if no reply is
    /// stored. `None` where there is no such job.
    pub async fn release_restored(&self, tenant: &Tenant, id: JobId) -> Result<Option<Consent>> {
        match self.read(tenant, id).await? {
            Some(loaded) if !loaded.row.restored => Ok(Some(Consent::NotHeld(loaded.row))),
            Some(_) => self.consent(tenant, id).await,
            None => Ok(None),
        }
    }

    /// Gives up a job that was held after a restore: its outcome stays unknown, as after any call
    /// that was lost. Tells whether it was held.
    pub async fn drop_restored(&self, tenant: &Tenant, id: JobId) -> Result<bool> {
        let Some(loaded) = self.read(tenant, id).await? else {
            return Ok(false);
        };
        if !loaded.row.restored {
            return Ok(false);
        }
        let mut row = loaded.row.clone();
        row.restored = false;
        self.move_row(&loaded, row, Vec::new()).await?;
        Ok(true)
    }

    /// A tenant's jobs that are held after a restore: each has its open marker.
    pub async fn restored(&self, tenant: &Tenant) -> Result<HeldJobs> {
        let mut held = HeldJobs::default();
        let mut pages = self.rows(tenant, key::MARKER.."o\u{7f}");
        while let Some(page) = pages.next_page().await? {
            for id in page
                .value
                .iter()
                .filter_map(|it| key::job_of_marker(&it.row))
            {
                match self.read(tenant, id).await {
                    Ok(Some(Loaded { row, .. })) if row.restored => held.rows.push(row),
                    Ok(_) => {}
                    Err(e) if concerns_one_row(&e) => held.unread.push((id, e)),
                    Err(e) => return Err(e),
                }
            }
        }
        Ok(held)
    }

    async fn hold(&self, loaded: &Loaded) -> Result<Loaded> {
        let mut row = loaded.row.clone();
        let now = self.clock.now();
        let mut writes = Vec::new();
        if row.state == RowState::Calling {
            row.ambiguous_attempts += 1;
            writes.extend(ledger::entry(&row, CallOutcome::Unknown, now)?);
        }
        row.token = None;
        row.call_deadline = None;
        let detail = "The service was restored from a backup, which does not tell whether a request \
                      for this job went to the model. It may have been paid for, so it is not \
                      repeated until the operator of the service releases it.";
        row.error = Some(Problem::new(ProblemKind::OutcomeUnknown, detail));
        row.move_to(RowState::OutcomeUnknown, now);
        row.restored = true;
        writes.push(self.marker(row.id, loaded.date)?);
        self.move_row(loaded, row, writes).await
    }
}
