//! Moves that bring a call of unknown outcome back: the provider's id of it, and the owner's
//! consent to pay again.

use std::time::Duration;

use schemas::message::JobMessage;
use schemas::{JobId, Tenant};

use super::row::{JobRow, RowState};
use super::{JobStore, Loaded};
use crate::port::{Result, StorageError};

/// What came of an owner's consent to pay again.
#[derive(Clone, Debug)]
pub enum Consent {
    /// The job is queued anew.
    Given(JobRow),
    /// The job is not held: nothing was changed.
    NotHeld(JobRow),
}

impl JobStore {
    /// Keeps the provider's id of a call, whose reply may take `pending` from the last read on.
    /// The state stays as it is.
    pub async fn store_reply_id(
        &self,
        loaded: &Loaded,
        reply_id: &str,
        pending: Duration,
    ) -> Result<Loaded> {
        let mut row = loaded.row.clone();
        row.reply_id = Some(reply_id.to_owned());
        if row.state == RowState::Calling {
            row.call_deadline = Some(loaded.date + pending);
        }
        self.move_row(loaded, row, Vec::new()).await
    }

    /// The owner agrees to pay again: `outcome_unknown -> queued`. `None` where there is no such
    /// job.
    ///
    /// A lost acknowledgement is read again, so that one request counts as one consent.
    pub async fn consent(&self, tenant: &Tenant, id: JobId) -> Result<Option<Consent>> {
        const TRIES: usize = 8;
        let mut consents = None;
        for _ in 0..TRIES {
            let Some(loaded) = self.read(tenant, id).await? else {
                return Ok(None);
            };
            let given = *consents.get_or_insert(loaded.row.consents);
            if loaded.row.consents > given {
                return Ok(Some(self.consented(loaded.row).await));
            }
            if loaded.row.state != RowState::OutcomeUnknown {
                return Ok(Some(Consent::NotHeld(loaded.row)));
            }
            let mut row = loaded.row.clone();
            row.consents += 1;
            row.reopened_at = Some(loaded.date);
            row.cancel_requested = false;
            row.error = None;
            row.result = None;
            row.result_path = None;
            row.move_to(RowState::Queued, self.clock.now());
            let marker = self.marker(id, loaded.date)?;
            match self.move_row(&loaded, row, vec![marker]).await {
                Ok(moved) => return Ok(Some(self.consented(moved.row).await)),
                Err(StorageError::Precondition | StorageError::Unavailable(_)) => {}
                Err(e) => return Err(e),
            }
        }
        Err(StorageError::unavailable(
            "the job's row changes too often to be queued again",
        ))
    }

    /// The marker is there, so a message that is not put now comes later.
    async fn consented(&self, row: JobRow) -> Consent {
        let message = JobMessage::new(row.tenant.clone(), row.id);
        if let Err(e) = self.enqueue(&message, Duration::ZERO).await {
            tracing::warn!(job_id = %row.id, error = &e as &dyn std::error::Error, "job {} is not on the queue yet; the reconciler will put it there", row.id);
        }
        Consent::Given(row)
    }
}
