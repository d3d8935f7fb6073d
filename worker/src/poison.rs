//! Poison queues: messages set aside, each with its reason and its original body.

use std::time::Duration;

use schemas::ProblemKind;
use schemas::message::JobMessage;
use serde::{Deserialize, Serialize};
use storage::jobs::{JobStore, RowState};
use storage::names::QueueName;
use storage::port::{Queue, Result, StorageError};

use crate::leased::Leased;

/// The most bytes of a body that are kept, as JSON: queues take 48 KiB in all.
const ROOM: usize = 32 * 1024;

/// The body of a message on a poison queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetAside {
    /// Why it was set aside.
    pub reason: String,
    /// How often it had been received.
    pub dequeue_count: u32,
    /// The body as it came, cut to what is 32 KiB as JSON.
    pub body: String,
}

/// Why a job cannot be requeued.
#[derive(Debug, thiserror::Error)]
pub enum RequeueError {
    /// It was purged.
    #[error("its job is gone")]
    Gone,
    /// The outcome of its call is unknown: a requeue would pay again without its owner's consent.
    #[error(
        "its job is held: the outcome of its call is unknown, and going on may pay again. Its \
         owner may agree to that (POST /v1/jobs/{{id}}/retry), or you with --consent"
    )]
    Held,
    /// Storage failed.
    #[error("storage failed")]
    Storage(#[from] StorageError),
}

/// Opens a poisoned job again: to `rendering` where a reply is stored, else to `queued`. One whose
/// call has an unknown outcome needs `consent` to pay again, unless its reply is stored. A job
/// that is open, or ended in another way, stays as it is: its message is harmless.
pub async fn requeue(
    store: &JobStore,
    message: &JobMessage,
    consent: bool,
) -> std::result::Result<(), RequeueError> {
    let JobMessage { tenant, job_id, .. } = message;
    let loaded = store
        .read(tenant, *job_id)
        .await?
        .ok_or(RequeueError::Gone)?;
    let reply_stored = store.reply(tenant, *job_id).await?.is_some();
    let row = &loaded.row;
    let poisoned = row
        .error
        .as_ref()
        .is_some_and(|p| p.kind == ProblemKind::Poison);
    match row.state {
        RowState::OutcomeUnknown if reply_stored => Ok(()),
        RowState::OutcomeUnknown if consent => {
            store.consent(tenant, *job_id).await?;
            Ok(())
        }
        RowState::OutcomeUnknown => Err(RequeueError::Held),
        RowState::Failed if poisoned => {
            store.reopen(&loaded, reply_stored).await?;
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Puts a copy of a message on a poison queue. The message itself is still to be deleted.
pub(crate) async fn set_aside(
    queue: &dyn Queue,
    to: QueueName,
    leased: &Leased,
    reason: &str,
) -> Result<()> {
    let aside = SetAside {
        reason: reason.to_owned(),
        dequeue_count: leased.dequeue_count,
        body: head(&leased.body).to_owned(),
    };
    let body = serde_json::to_string(&aside).map_err(StorageError::unavailable)?;
    queue.send(to, &body, Duration::ZERO).await?;
    // Not before: each try would count again.
    let name = to.as_str();
    telemetry::Metric::Poison.count(&[("messaging.destination.name", name)]);
    tracing::error!(
        event = telemetry::event::MESSAGE_SET_ASIDE,
        queue = name,
        reason,
        "a message was set aside on queue {name}"
    );
    Ok(())
}

/// As much of the start of a body as is kept.
fn head(body: &str) -> &str {
    let mut room = ROOM;
    // JSON writes a control character in up to six bytes, and a quote in two.
    let cost = |c: char| match c {
        '\0'..='\u{1f}' => 6,
        '"' | '\\' => 2,
        c => c.len_utf8(),
    };
    let fits = |(_, c): &(usize, char)| {
        let left = room.checked_sub(cost(*c));
        room = left.unwrap_or(0);
        left.is_some()
    };
    let kept = body.char_indices().take_while(fits).last();
    &body[..kept.map_or(0, |(at, c)| at + c.len_utf8())]
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use storage::ambient::System;
    use storage::embedded::Store;
    use storage::fault::{Fault, Faults};
    use storage::{Clock as _, Operation};

    use super::*;
    use crate::leased::LeaseTimes;

    #[test]
    fn what_is_kept_of_a_body_fits_into_a_message() {
        let check = |body: &str, kept: usize| {
            let head = head(body);
            assert!(body.starts_with(head));
            assert_eq!(head.len(), kept, "{:?}", body.chars().next());
            assert!(serde_json::to_string(head).unwrap().len() <= ROOM + 2);
        };
        check("", 0);
        check("no job", 6);
        let whole = |c: char, bytes: usize| check(&c.to_string().repeat(ROOM), bytes);
        whole('x', ROOM);
        whole('"', ROOM / 2);
        whole('\u{1}', ROOM / 6);
        whole('\u{e9}', ROOM);
        whole('\u{1f600}', ROOM);
    }

    /// Counts the log lines that an operator is woken by.
    #[derive(Clone, Default)]
    struct Lines(Arc<std::sync::atomic::AtomicU32>);

    impl tracing::Subscriber for Lines {
        fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
            metadata.is_event() && *metadata.level() == tracing::Level::ERROR
        }

        fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
            tracing::span::Id::from_u64(1)
        }

        fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

        fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

        fn event(&self, _: &tracing::Event<'_>) {
            self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }

        fn enter(&self, _: &tracing::span::Id) {}

        fn exit(&self, _: &tracing::span::Id) {}
    }

    #[tokio::test]
    async fn what_is_not_set_aside_is_not_said_to_be() {
        let (dir, clock) = (tempfile::tempdir().unwrap(), Arc::new(System::new()));
        let store = Store::open(dir.path(), clock.clone(), clock.clone()).unwrap();
        let faults = Faults::new(1);
        let queue = faults.over(store.storage()).queue;
        let (jobs, poison) = (QueueName::Jobs, QueueName::JobsPoison);
        queue.send(jobs, "no job", Duration::ZERO).await.unwrap();
        let minute = Duration::from_mins(1);
        let message = queue.receive(jobs, 1, minute).await.unwrap().remove(0);
        let times = LeaseTimes {
            visibility: minute,
            heartbeat: minute / 3,
        };
        let (at, of) = (clock.monotonic(), queue.clone());
        let leased = Leased::begin(of, jobs, message, times, clock, at);
        faults.script(Operation::Send(poison), 1, Fault::Refuse);

        let lines = Lines::default();
        let _log = tracing::subscriber::set_default(lines.clone());
        let said = || lines.0.load(std::sync::atomic::Ordering::Relaxed);
        let refused = set_aside(&*queue, poison, &leased, "a test").await;
        assert!(refused.is_err());
        assert_eq!(said(), 0);
        set_aside(&*queue, poison, &leased, "a test").await.unwrap();
        assert_eq!(said(), 1);
    }
}
