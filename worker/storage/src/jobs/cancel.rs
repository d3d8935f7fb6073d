//! Cancelling a job: at once, or when its call has settled.

use schemas::{JobId, Tenant};

use super::row::{JobRow, RowState};
use super::{Ending, JobStore};
use crate::port::{Result, StorageError};

/// What came of a wish to cancel.
#[derive(Clone, Debug)]
pub enum Cancelled {
    /// It is cancelled, now or before.
    Now(JobRow),
    /// The call is out; it is cancelled when the call has settled.
    Requested(JobRow),
    /// Too late: the state does not allow it.
    TooLate(JobRow),
}

impl JobStore {
    /// Cancels a job, or asks for it while a call is out; `None` where there is no such job.
    pub async fn cancel(&self, tenant: &Tenant, id: JobId) -> Result<Option<Cancelled>> {
        const TRIES: usize = 8;
        for _ in 0..TRIES {
            let Some(loaded) = self.read(tenant, id).await? else {
                return Ok(None);
            };
            let (moved, cancelled): (_, fn(JobRow) -> Cancelled) = match loaded.row.state {
                RowState::Cancelled => return Ok(Some(Cancelled::Now(loaded.row))),
                RowState::Calling if loaded.row.cancel_requested => {
                    return Ok(Some(Cancelled::Requested(loaded.row)));
                }
                RowState::Queued => {
                    let moved = self.finish(&loaded, Ending::Cancelled, None).await;
                    (moved, Cancelled::Now)
                }
                RowState::Calling => {
                    let mut row = loaded.row.clone();
                    row.cancel_requested = true;
                    let moved = self.move_row(&loaded, row, Vec::new()).await;
                    (moved, Cancelled::Requested)
                }
                _ => return Ok(Some(Cancelled::TooLate(loaded.row))),
            };
            match moved {
                Ok(moved) => return Ok(Some(cancelled(moved.row))),
                // Read again: it tells the new state.
                Err(StorageError::Precondition) => {}
                Err(e) => return Err(e),
            }
        }
        Err(StorageError::unavailable(
            "the job's row changes too often to be cancelled",
        ))
    }
}
