//! Waiting for a job until it is final.

use schemas::{JobId, Tenant};
use storage::jobs::JobRow;

use super::ApiError;
use crate::app::App;
use crate::problem::Failure;
use crate::view::View;

/// The job once it is final, or as it stands when the time is over or the server stops. However many
/// wait for one job, its row is read by one of them, and by each once more at the end.
pub(super) async fn until_final(app: &App, tenant: &Tenant, id: JobId) -> Result<JobRow, ApiError> {
    let deadline = app.clock.monotonic() + app.settings.sync_wait;
    loop {
        let loaded = app.jobs.read(tenant, id).await?;
        let row = loaded.ok_or_else(Failure::no_such_job)?.row;
        let left = deadline.saturating_sub(app.clock.monotonic());
        if row.state.is_final() || left.is_zero() || app.closing.is_cancelled() {
            return Ok(row);
        }
        let seen = View::of(&row);
        tokio::select! {
            () = app.closing.cancelled() => {}
            () = app.watches.end(tenant, id, &seen, left) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use futures::future::join_all;
    use schemas::job::JobInput;
    use storage::ambient::System;
    use storage::embedded::Store;
    use storage::fault::{Faults, Operation};
    use storage::jobs::{JobStore, RowState, Submission};
    use storage::names::TableName;

    use super::*;
    use crate::app::Settings;

    const READ: Operation = Operation::GetEntity(TableName::Jobs);

    struct World {
        app: App,
        faults: Arc<Faults>,
        tenant: Tenant,
        id: JobId,
        _dir: tempfile::TempDir,
    }

    async fn world(sync_wait: Duration) -> World {
        let dir = tempfile::tempdir().unwrap();
        let system = Arc::new(System::new());
        let store = Store::open(dir.path(), system.clone(), system.clone()).unwrap();
        let faults = Faults::new(1);
        let storage = faults.over(store.storage());
        let durations = config::Config::for_tests().worker;
        let jobs = JobStore::new(storage, system.clone(), system.clone(), &durations);
        let settings = Settings {
            sync_wait,
            poll_min: Duration::from_millis(5),
            poll_max: Duration::from_millis(20),
            ..Settings::default()
        };
        let cv = serde_json::from_str(schemas::cv::SAMPLE).unwrap();
        let input = JobInput::of(schemas::cv::normalise(&cv).unwrap().cv);
        let tenant = Tenant::from_claim("acme");
        let submitted = jobs.submit(Submission::new(tenant.clone(), input)).await;
        World {
            app: App::new(jobs, system.clone(), system, settings),
            faults,
            tenant,
            id: submitted.unwrap().row().id,
            _dir: dir,
        }
    }

    #[tokio::test]
    async fn many_who_wait_for_one_job_read_its_row_once() {
        const WAITING: u64 = 50;
        let world = world(Duration::from_millis(400)).await;
        let (app, tenant, id) = (&world.app, &world.tenant, world.id);
        let before = world.faults.calls(READ);
        let waits = (0..WAITING).map(|_| until_final(app, tenant, id));
        for row in join_all(waits).await {
            assert_eq!(row.map_err(|_| ()).unwrap().state, RowState::Queued);
        }
        let reads = world.faults.calls(READ) - before;
        // At the beginning and at the end each looks for itself; alone each would read 20 times.
        assert!(reads < WAITING * 2 + 100, "{reads} reads");
    }

    #[tokio::test]
    async fn whoever_waits_hears_of_the_end() {
        let world = world(Duration::from_mins(5)).await;
        let (app, tenant, id) = (&world.app, &world.tenant, world.id);
        let waits = join_all((0..3).map(|_| until_final(app, tenant, id)));
        let cancel = async {
            tokio::time::sleep(Duration::from_millis(30)).await;
            app.jobs.cancel(tenant, id).await.unwrap();
        };
        let (rows, ()) = tokio::join!(waits, cancel);
        for row in rows {
            assert_eq!(row.map_err(|_| ()).unwrap().state, RowState::Cancelled);
        }
    }
}
