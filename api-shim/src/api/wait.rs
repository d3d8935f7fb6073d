//! Waiting for a job until it is final.

use std::time::Duration;

use schemas::{JobId, Tenant};
use storage::jobs::JobRow;

use super::ApiError;
use crate::app::App;
use crate::problem::Failure;

/// The first pause between two reads: a job whose content is known is done within milliseconds.
const FIRST_PAUSE: Duration = Duration::from_millis(1);

/// The job once it is final, or as it stands when the time is over or the server stops.
pub(super) async fn until_final(app: &App, tenant: &Tenant, id: JobId) -> Result<JobRow, ApiError> {
    let deadline = app.clock.monotonic() + app.settings.sync_wait;
    let mut pause = FIRST_PAUSE;
    loop {
        let loaded = app.jobs.read(tenant, id).await?;
        let row = loaded.ok_or_else(Failure::no_such_job)?.row;
        let left = deadline.saturating_sub(app.clock.monotonic());
        if row.state.is_final() || left.is_zero() || app.closing.is_cancelled() {
            return Ok(row);
        }
        tokio::select! {
            () = app.closing.cancelled() => {}
            () = tokio::time::sleep(pause.min(left)) => {}
        }
        // A quarter of the time waited so far: how late the news may be.
        pause = (pause * 5 / 4).min(app.settings.poll_max);
    }
}
