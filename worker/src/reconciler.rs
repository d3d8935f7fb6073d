//! The reconciler: puts back on the queue every open job that has no message any more.
//!
//! It walks the open markers, so it finds whatever was accepted and is not final. Duplicate
//! messages are harmless: the row decides.

use std::time::Duration;

use jiff::Timestamp;
use schemas::Tenant;
use schemas::message::JobMessage;
use storage::jobs::{JobStore, Loaded, NewerRow, OpenJob, RowState};
use storage::port::{Result, StorageError};

/// What one round did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// Open jobs that were looked at.
    pub open: u64,
    /// Jobs put back on the queue.
    pub requeued: u64,
    /// Markers of finished or purged jobs that were taken away.
    pub closed: u64,
}

/// Looks at every open job of every tenant once.
pub async fn reconcile(store: &JobStore) -> Result<Round> {
    let mut round = Round::default();
    let mut tenants = None;
    loop {
        let (names, next) = store.tenants(tenants.as_ref()).await?;
        for tenant in names {
            reconcile_tenant(store, &tenant, &mut round).await?;
        }
        tenants = next;
        if tenants.is_none() {
            return Ok(round);
        }
    }
}

async fn reconcile_tenant(store: &JobStore, tenant: &Tenant, round: &mut Round) -> Result<()> {
    let mut from = None;
    loop {
        let (jobs, date, next) = store.open_jobs(tenant, from.as_ref()).await?;
        for open in jobs {
            round.open += 1;
            if open.marker.due <= date {
                match reconcile_job(store, tenant, &open, round).await {
                    // Somebody else moved the marker: then the job is looked after.
                    Ok(()) | Err(StorageError::Precondition) => {}
                    // A newer worker's reconciler looks after it.
                    Err(e) if NewerRow::of(&e).is_some() => {}
                    Err(e) => return Err(e),
                }
            }
        }
        from = next;
        if from.is_none() {
            return Ok(());
        }
    }
}

async fn reconcile_job(
    store: &JobStore,
    tenant: &Tenant,
    open: &OpenJob,
    round: &mut Round,
) -> Result<()> {
    let Some(loaded) = store.read(tenant, open.id).await? else {
        round.closed += 1;
        return store.close(tenant, open).await;
    };
    match need(&loaded, store.held_marker()) {
        Need::Nothing => {
            round.closed += 1;
            store.close(tenant, open).await
        }
        Need::Time => store.postpone(tenant, open, loaded.date).await,
        // By the provider's id of the call its reply can be asked for.
        Need::LateReply
            if loaded.row.reply_id.is_none() && store.reply(tenant, open.id).await?.is_none() =>
        {
            store.postpone(tenant, open, loaded.date).await
        }
        Need::LateReply | Need::Message => {
            round.requeued += 1;
            let (job_id, state) = (open.id, loaded.row.state);
            tracing::info!(%job_id, ?state, "job {job_id} stood still and is put back");
            let message = JobMessage::new(tenant.clone(), open.id);
            store.enqueue(&message, Duration::ZERO).await?;
            store.postpone(tenant, open, loaded.date).await
        }
    }
}

/// What an open job needs whose marker is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Need {
    /// It is over: its marker can go.
    Nothing,
    /// Its call may still be out.
    Time,
    /// It is held: only a reply helps.
    LateReply,
    /// A message.
    Message,
}

fn need(Loaded { row, date, .. }: &Loaded, held_marker: Duration) -> Need {
    let over = |since: Option<Timestamp>| since.is_none_or(|since| since + held_marker <= *date);
    match row.state {
        RowState::Queued | RowState::Rendering => Need::Message,
        RowState::Calling if row.call_deadline.is_some_and(|deadline| deadline > *date) => {
            Need::Time
        }
        RowState::Calling => Need::Message,
        // An operator has to find it, however late.
        RowState::OutcomeUnknown if row.restored => Need::LateReply,
        RowState::OutcomeUnknown if over(row.finished_at) => Need::Nothing,
        RowState::OutcomeUnknown => Need::LateReply,
        RowState::Succeeded | RowState::Failed | RowState::Cancelled | RowState::Expired => {
            Need::Nothing
        }
    }
}
