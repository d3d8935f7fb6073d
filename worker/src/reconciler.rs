//! The reconciler: puts back on the queue every open job that has no message any more, every end
//! that was not told, and every delivery to a webhook that is due.
//!
//! It walks markers, so it finds whatever was accepted and is not final, and whatever is final and
//! not told. Duplicate messages are harmless: the row decides.

use std::time::Duration;

use jiff::Timestamp;
use schemas::Tenant;
use schemas::message::JobMessage;
use storage::Troubles;
use storage::jobs::{JobStore, Loaded, OpenJob, RowState};
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
///
/// What fails for one tenant, or one row, is passed over, and an error when all others have been
/// looked after.
pub async fn reconcile(store: &JobStore, webhooks: &WebhookStore) -> Result<Round> {
    let (mut round, mut troubles) = (Round::default(), Troubles::default());
    for tenant in store.tenants().await? {
        let jobs = reconcile_tenant(store, &tenant, &mut round, &mut troubles).await;
        if let Err(e) = jobs {
            troubles.pass_over(&tenant, "the open jobs", e);
        }
        let due = enqueue_due(webhooks, &tenant, &mut round, &mut troubles).await;
        if let Err(e) = due {
            troubles.pass_over(&tenant, "the deliveries that are due", e);
        }
    }
    troubles.end().map(|()| round)
}

async fn enqueue_due(
    webhooks: &WebhookStore,
    tenant: &Tenant,
    round: &mut Round,
    troubles: &mut Troubles,
) -> Result<()> {
    let mut from = None;
    loop {
        let (due, next) = webhooks.due(tenant, from.as_ref()).await?;
        for due in due {
            match webhooks.enqueue_due(tenant, &due).await {
                Ok(put) => round.notices += u64::from(put),
                Err(e) => troubles.pass_over_row(tenant, "a delivery that is due", e)?,
            }
        }
        from = next;
        if from.is_none() {
            return Ok(());
        }
    }
}

async fn reconcile_tenant(
    store: &JobStore,
    tenant: &Tenant,
    round: &mut Round,
    troubles: &mut Troubles,
) -> Result<()> {
    let mut from = None;
    loop {
        let (jobs, date, next) = store.open_jobs(tenant, from.as_ref()).await?;
        for open in jobs {
            round.open += 1;
            if open.marker.due <= date {
                match reconcile_job(store, tenant, &open, round).await {
                    // Somebody else moved the marker: then the job is looked after.
                    Ok(()) | Err(StorageError::Precondition) => {}
                    Err(e) => {
                        let what = format_args!("open job {}", open.id);
                        troubles.pass_over_row(tenant, what, e)?;
                    }
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
pub(crate) mod tests {
    use schemas::JobId;
    use schemas::job::JobInput;
    use serde_json::json;
    use storage::Operation;
    use storage::fault::{Bench, Fault};
    use storage::jobs::{Submission, UnreadableRow};
    use storage::names::{QueueName, TableName, row as key};
    use storage::port::{ETag, Write};

    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    /// A request for a job.
    pub(crate) fn submission(tenant: &Tenant) -> Submission {
        let cv = serde_json::from_str(schemas::cv::SAMPLE).unwrap();
        Submission::new(
            tenant.clone(),
            JobInput::of(schemas::cv::normalise(&cv).unwrap().cv),
        )
    }

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

    struct World {
        store: JobStore,
        webhooks: WebhookStore,
        bench: Bench,
    }

    impl World {
        fn new() -> Self {
            let bench = Bench::new();
            let (clock, entropy) = bench.ambient();
            let config = config::Config::default();
            let storage = bench.storage.clone();
            let store = JobStore::new(storage, clock.clone(), entropy.clone(), &config.worker);
            Self {
                webhooks: WebhookStore::new(store.clone(), clock, entropy, &config.webhooks),
                store,
                bench,
            }
        }

        /// A job that is accepted and has no message.
        async fn stranded(&self, tenant: &Tenant) -> JobId {
            let send = Operation::Send(QueueName::Jobs);
            self.bench.faults.script(send, 1, Fault::Refuse);
            let submitted = self.store.submit(submission(tenant)).await.unwrap();
            submitted.row().id
        }

        async fn damage(&self, tenant: &Tenant, row: String) {
            let columns = json!({ "due": "soon", "state": ["Jane"] });
            let columns = columns.as_object().unwrap().iter();
            let columns = columns.map(|(k, v)| (k.clone(), v.to_string().into()));
            let write = Write::Upsert(row, columns.collect());
            let table = &self.store.storage().table;
            let written = table.write(TableName::Jobs, tenant.as_str(), vec![write]);
            written.await.unwrap();
        }

        async fn messages(&self) -> u64 {
            let queue = &self.store.storage().queue;
            queue.count(QueueName::Jobs).await.unwrap()
        }

        async fn reconcile(&self) -> Result<Round> {
            self.bench.clock.pass(HOUR * 2);
            reconcile(&self.store, &self.webhooks).await
        }
    }

    #[tokio::test]
    async fn what_cannot_be_read_keeps_no_other_job_from_its_message() {
        let world = World::new();
        let (a, b) = (Tenant::from_claim("a"), Tenant::from_claim("b"));
        let lost = world.stranded(&a).await;
        let unmarked = world.stranded(&a).await;
        for tenant in [&a, &b] {
            world.stranded(tenant).await;
        }
        world.damage(&a, key::job(lost)).await;
        world.damage(&a, key::marker(unmarked)).await;
        assert_eq!(world.messages().await, 0);
        let error = world.reconcile().await.unwrap_err();
        let damaged = UnreadableRow::of(&error).unwrap().to_string();
        assert!(!damaged.contains("Jane"), "{damaged}");
        assert_eq!(world.messages().await, 3);
        // The marker is as it should be again.
        let (open, ..) = world.store.open_jobs(&a, None).await.unwrap();
        let marker = open.iter().find(|open| open.id == unmarked).unwrap();
        assert_eq!(marker.marker.tries, 1);
        // The job that cannot be read can be purged.
        assert!(world.store.purge(&a, lost).await.unwrap());
        world.reconcile().await.unwrap();
        assert_eq!(world.messages().await, 6);
    }

    #[tokio::test]
    async fn a_tenant_that_storage_does_not_answer_for_holds_up_nobody_else() {
        let world = World::new();
        for name in ["a", "b"] {
            world.stranded(&Tenant::from_claim(name)).await;
        }
        let query = Operation::Query(TableName::Jobs);
        world.bench.faults.script(query, 1, Fault::Refuse);
        assert!(world.reconcile().await.is_err());
        assert_eq!(world.messages().await, 1);
        let round = world.reconcile().await.unwrap();
        assert_eq!((round.requeued, world.messages().await), (2, 3));
    }

    #[test]
    fn the_log_line_has_its_name() {
        assert_eq!(storage::PASSED_OVER, telemetry::event::ROUND_PASSED_OVER);
    }
}
