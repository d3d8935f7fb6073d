//! Work that goes on by itself: what a client that hangs up must not cut short, and what would
//! hold up other requests.

use tokio::task::JoinError;
use tracing::Instrument as _;

/// Runs work to its end in a task of its own, also if the request is given up: several writes
/// belong together.
pub(crate) async fn finished<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> T {
    unpanicked(tokio::spawn(telemetry::trace::carried(work.in_current_span())).await)
}

/// Computes where it holds up nobody: on a thread for blocking work.
pub(crate) async fn computed<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let span = tracing::Span::current();
    unpanicked(tokio::task::spawn_blocking(move || span.in_scope(work)).await)
}

/// A panic goes on here, where the layer for panics sees it.
fn unpanicked<T>(result: Result<T, JoinError>) -> T {
    match result {
        Ok(value) => value,
        Err(e) => std::panic::resume_unwind(match e.try_into_panic() {
            Ok(panic) => panic,
            // Only a runtime that is being dropped cancels a task, and then nobody reads this.
            Err(e) => Box::new(e.to_string()),
        }),
    }
}
