//! A decorator that tells what each storage call took and came to, and gives it a span.
//!
//! Spans are made where a request or a job is being handled, so that a worker that looks at an empty
//! queue leaves none. They hold names of queues, tables and containers: never a key or a path.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tracing::Instrument as _;
use tracing::field::Empty;

use crate::around::{Hook, around};
use crate::port::{Result, StorageError};
use crate::{Clock, Operation, Storage};

/// The target of the spans here: the one that the telemetry crate exports.
pub const SPANS: &str = "otel";

/// A storage call that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Which.
    pub operation: Operation,
    /// How long it took, its repeats included.
    pub took: Duration,
    /// Why it has no clear answer: `unavailable`, `throttled` or `invalid`. What a caller can act
    /// on, such as a row that is not there, is an answer.
    pub failure: Option<&'static str>,
}

/// Decorates the three ports: `tell` hears of each call, and must not block.
pub fn observed(
    storage: Storage,
    clock: Arc<dyn Clock>,
    tell: impl Fn(Seen) + Send + Sync + 'static,
) -> Storage {
    around(storage, Arc::new(Observer { clock, tell }))
}

struct Observer<F> {
    clock: Arc<dyn Clock>,
    tell: F,
}

impl<F> fmt::Debug for Observer<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observer")
    }
}

impl<F: Fn(Seen) + Send + Sync + 'static> Hook for Observer<F> {
    async fn around<T: Send>(
        &self,
        operation: Operation,
        call: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        let span = span(operation);
        let start = self.clock.monotonic();
        let answer = call.instrument(span.clone()).await;
        let took = self.clock.monotonic().saturating_sub(start);
        let failure = answer.as_ref().err().and_then(failure);
        if let Some(failure) = failure {
            span.record("error.type", failure);
            span.record("otel.status_code", "ERROR");
        }
        (self.tell)(Seen {
            operation,
            took,
            failure,
        });
        answer
    }
}

fn failure(error: &StorageError) -> Option<&'static str> {
    match error {
        StorageError::Unavailable(_) => Some("unavailable"),
        StorageError::Throttled { .. } => Some("throttled"),
        StorageError::Invalid(_) => Some("invalid"),
        StorageError::NotFound
        | StorageError::AlreadyExists
        | StorageError::Precondition
        | StorageError::StaleReceipt => None,
    }
}

/// The span of a call, by OpenTelemetry's conventions for messaging and databases.
fn span(operation: Operation) -> tracing::Span {
    if tracing::Span::current().is_none() {
        return tracing::Span::none();
    }
    if let Operation::Send(queue) = operation {
        return tracing::info_span!(
            target: SPANS,
            "send",
            otel.name = %operation,
            otel.kind = "producer",
            otel.status_code = Empty,
            messaging.system = "storage_queue",
            messaging.operation.name = "send",
            "messaging.operation.type" = "send",
            messaging.destination.name = queue.as_str(),
            "error.type" = Empty,
        );
    }
    tracing::info_span!(
        target: SPANS,
        "storage",
        otel.name = %operation,
        otel.kind = "client",
        otel.status_code = Empty,
        db.system.name = operation.service(),
        db.operation.name = operation.verb(),
        db.collection.name = operation.target(),
        "error.type" = Empty,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ambient::System;
    use crate::embedded;
    use crate::names::{Container, QueueName};
    use std::sync::Mutex;

    #[tokio::test]
    async fn calls_are_told_with_their_outcome() {
        let dir = tempfile::tempdir().unwrap();
        let system = Arc::new(System::new());
        let store = embedded::Store::open(dir.path(), system.clone(), system.clone()).unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let told = seen.clone();
        let storage = observed(store.storage(), system, move |call| {
            told.lock().unwrap().push((call.operation, call.failure));
        });
        let delay = Duration::ZERO;
        storage
            .queue
            .send(QueueName::Jobs, "x", delay)
            .await
            .unwrap();
        let gone = storage.blobs.get(Container::CvPdfs, "acme/x.pdf").await;
        assert!(matches!(gone, Err(StorageError::NotFound)));
        let bad = storage.queue.send(QueueName::Jobs, "\u{0}", delay).await;
        assert!(matches!(bad, Err(StorageError::Invalid(_))));
        assert_eq!(
            *seen.lock().unwrap(),
            [
                (Operation::Send(QueueName::Jobs), None),
                (Operation::GetBlob(Container::CvPdfs), None),
                (Operation::Send(QueueName::Jobs), Some("invalid")),
            ]
        );
    }
}
