//! The reconciler: puts back on the queue every open job that has no message any more, every end
//! that was not told, and every delivery to a webhook that is due.
//!
//! It walks markers, so it finds whatever was accepted and is not final, and whatever is final and
//! not told. Duplicate messages are harmless: the row decides.

use std::time::Duration;

use jiff::Timestamp;
use schemas::Tenant;
use schemas::message::JobMessage;
use storage::jobs::{JobStore, Loaded, NewerRow, OpenJob, RowState};
use storage::port::{Result, StorageError};
use storage::webhooks::WebhookStore;

use crate::watch;

/// What one round did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// Open jobs that were looked at.
    pub open: u64,
    /// Jobs put back on the queue.
    pub requeued: u64,
    /// Markers of finished or purged jobs that were taken away.
    pub closed: u64,
    /// Ends that were not told, and deliveries that were due.
    pub notices: u64,
}

/// Looks at every open job of every tenant once.
pub async fn reconcile(store: &JobStore, webhooks: &WebhookStore) -> Result<Round> {
    let mut round = Round::default();
    for tenant in store.tenants().await? {
        reconcile_tenant(store, &tenant, &mut round).await?;
        round.notices += enqueue_due(webhooks, &tenant).await?;
    }
    Ok(round)
}

async fn enqueue_due(webhooks: &WebhookStore, tenant: &Tenant) -> Result<u64> {
    let (mut put, mut from) = (0, None);
    loop {
        let (due, next) = webhooks.due(tenant, from.as_ref()).await?;
        for due in due {
            put += u64::from(webhooks.enqueue_due(tenant, &due).await?);
        }
        from = next;
        if from.is_none() {
            return Ok(put);
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
        Need::Telling => {
            round.notices += 1;
            let job_id = open.id;
            tracing::info!(%job_id, "the end of job {job_id} was not told and is put back");
            store.enqueue_ended(tenant, open.id).await?;
            store.postpone(tenant, open, loaded.date).await
        }
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
            watch::stranded(open.id, loaded.row.state);
            let mut message = JobMessage::new(tenant.clone(), open.id);
            message.traceparent.clone_from(&loaded.row.traceparent);
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
    /// Its end has to be told.
    Telling,
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
        // Its message comes when it may begin.
        RowState::Queued if row.not_before.is_some_and(|time| time > *date) => Need::Time,
        RowState::Queued | RowState::Rendering => Need::Message,
        _ if row.state.is_final() && row.notified_version < row.version => Need::Telling,
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

#[cfg(test)]
mod tests {
    use schemas::JobId;
    use serde_json::json;
    use storage::port::ETag;

    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    fn check(state: RowState, change: impl FnOnce(&mut Loaded), expect: Need) {
        let date: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
        let row = json!({
            "schema": 1, "id": JobId::new(date, [1; 10]), "tenant": "acme", "kind": "cv",
            "state": state, "version": 4, "notified_version": 4, "created_at": date,
            "updated_at": date, "attempt": 1, "ambiguous_attempts": 0, "force": false,
            "on_model_failure": "fail", "cancel_requested": false, "model_calls": 1,
            "possible_duplicate_call": false,
        });
        let mut loaded = Loaded {
            row: serde_json::from_value(row).unwrap(),
            etag: ETag("1".to_owned()),
            date,
        };
        loaded.row.finished_at = state.is_final().then_some(date);
        change(&mut loaded);
        assert_eq!(need(&loaded, HOUR), expect, "{:?}", loaded.row);
    }

    #[test]
    fn whatever_is_open_or_not_told_is_looked_after() {
        use RowState::{Calling, Failed, OutcomeUnknown, Queued, Rendering, Succeeded};
        check(Queued, |_| (), Need::Message);
        check(Rendering, |_| (), Need::Message);
        check(Calling, |_| (), Need::Message);
        check(Succeeded, |_| (), Need::Nothing);
        check(OutcomeUnknown, |_| (), Need::LateReply);

        let begins =
            |after: Duration| move |job: &mut Loaded| job.row.not_before = Some(job.date + after);
        check(Queued, begins(HOUR), Need::Time);
        check(Queued, begins(Duration::ZERO), Need::Message);
        let deadline = |after: Duration| {
            move |job: &mut Loaded| job.row.call_deadline = Some(job.date + after)
        };
        check(Calling, deadline(HOUR), Need::Time);
        check(Calling, deadline(Duration::ZERO), Need::Message);

        for state in [Succeeded, Failed, OutcomeUnknown] {
            check(state, |job| job.row.notified_version = 3, Need::Telling);
        }
        let ended = |before: Duration| {
            move |job: &mut Loaded| job.row.finished_at = Some(job.date - before)
        };
        check(OutcomeUnknown, ended(HOUR / 2), Need::LateReply);
        check(OutcomeUnknown, ended(HOUR), Need::Nothing);
        // An operator has to find it, however late.
        let restored = |job: &mut Loaded| {
            ended(HOUR)(job);
            job.row.restored = true;
        };
        check(OutcomeUnknown, restored, Need::LateReply);
    }
}
