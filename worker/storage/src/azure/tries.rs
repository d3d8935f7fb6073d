//! The one place where a request is repeated, and what a repeat may not do.
//!
//! The pipeline's own retries are off: they repeat a conditional write whose answer was lost and
//! then report a conflict with themselves.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use super::failure::Failure;
use super::gate::Gate;
use crate::Clock;
use crate::port::StorageError;

/// The pause before the second try.
pub(super) const PACE: Duration = Duration::from_millis(100);
/// The pauses before the second, third and fourth try, in paces.
const PAUSES: [u32; 3] = [1, 4, 16];
/// No try begins later than this many paces after the first, whatever pause the service asks for.
const WINDOW: u32 = 80;

/// What may be repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repeat {
    /// Done twice is as good as done once.
    Always,
    /// Only what the service cannot have done: it never left, or was turned away as too much.
    /// Should it have been done after all, the repeat meets a conflict that shows it.
    IfUntouched,
    /// Only what never left: no conflict would show that it was done twice.
    IfUnsent,
}

/// How an operation ended, when not well.
#[derive(Debug)]
pub(super) struct Ended {
    /// Of the last try.
    pub(super) failure: Failure,
    /// Whether an earlier try may have had its effect after all, so that the last one may have
    /// met it.
    pub(super) after_unclear: bool,
}

impl Ended {
    /// `conflict`, unless it may be a conflict with ourselves: then nobody knows.
    pub(super) fn conflict(self, conflict: StorageError) -> StorageError {
        if self.after_unclear {
            StorageError::unavailable(self.failure)
        } else {
            conflict
        }
    }
}

impl From<Failure> for Ended {
    /// Of the first try.
    fn from(failure: Failure) -> Self {
        Self {
            failure,
            after_unclear: false,
        }
    }
}

impl From<Ended> for StorageError {
    fn from(ended: Ended) -> Self {
        ended.failure.into()
    }
}

/// Bounds of all operations of an account.
#[derive(Clone, Debug)]
pub(super) struct Tries {
    /// For the tries of one operation together.
    pub(super) timeout: Duration,
    /// [`PACE`], but for tests.
    pub(super) pace: Duration,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) gate: Arc<Gate>,
}

impl Tries {
    /// Does an operation. Where its queue, table or container is missing, `make` makes it, once.
    pub(super) async fn run<T, Op, Make>(
        &self,
        repeat: Repeat,
        operation: impl Fn() -> Op,
        make: impl Fn() -> Make,
    ) -> Result<T, Ended>
    where
        Op: Future<Output = Result<T, Failure>>,
        Make: Future<Output = Result<(), Failure>>,
    {
        let begun = self.clock.monotonic();
        let elapsed = || self.clock.monotonic().saturating_sub(begun);
        let Ok(_place) = self.gate.enter() else {
            return Err(Failure::Busy.into());
        };
        let mut pauses = PAUSES.into_iter();
        let (mut make_first, mut was_made, mut after_unclear) = (false, false, false);
        loop {
            let left = self.timeout.saturating_sub(elapsed());
            let Ok(turn) = tokio::time::timeout(left, self.gate.turn()).await else {
                return Err(Ended {
                    failure: Failure::Busy,
                    after_unclear,
                });
            };
            let left = self.timeout.saturating_sub(elapsed());
            let tried = async {
                if make_first {
                    make().await?;
                }
                operation().await
            };
            let failure = match tokio::time::timeout(left, pin!(tried)).await {
                Ok(Ok(value)) => return Ok(value),
                Ok(Err(failure)) => failure,
                Err(_) => Failure::Lost(format!("none within {:?}", self.timeout)),
            };
            drop(turn);
            make_first = failure.is_missing_resource() && !was_made;
            if make_first {
                was_made = true;
                continue;
            }
            let allowed = match repeat {
                Repeat::Always => failure.is_passing(),
                Repeat::IfUntouched => failure.is_untouched() || failure.is_throttling(),
                Repeat::IfUnsent => failure.is_untouched(),
            };
            let pause = pauses
                .next()
                .map(|paces| (self.pace * paces).max(asked(&failure)));
            let window = self.timeout.min(self.pace * WINDOW);
            let in_time = |pause: &Duration| elapsed() + *pause < window;
            let Some(pause) = pause
                .filter(in_time)
                .filter(|_| allowed && failure.is_passing())
            else {
                return Err(Ended {
                    failure,
                    after_unclear,
                });
            };
            after_unclear |= !failure.is_untouched();
            tracing::debug!(
                error = &failure as &dyn std::error::Error,
                pause_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX),
                "a request to Azure Storage is tried again"
            );
            tokio::time::sleep(pause).await;
        }
    }
}

/// The pause that the service asks for.
fn asked(failure: &Failure) -> Duration {
    match failure {
        Failure::Answer(answer) => answer.retry_after.unwrap_or_default(),
        _ => Duration::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::super::failure::Answer;
    use super::*;
    use crate::ambient::System;

    fn tries(timeout_ms: u64) -> Tries {
        let (timeout, pace) = (Duration::from_millis(timeout_ms), Duration::from_millis(1));
        Tries {
            timeout,
            pace,
            clock: Arc::new(System::new()),
            gate: Arc::new(Gate::new()),
        }
    }

    fn answer(status: u16, code: &str, retry_after_ms: u64) -> Failure {
        Failure::Answer(Answer {
            status,
            code: code.to_owned(),
            request_id: String::new(),
            retry_after: Some(Duration::from_millis(retry_after_ms)),
            date: None,
        })
    }

    /// Runs against these ends of tries, then success. Gives the end, the tries and the time.
    async fn run(
        repeat: Repeat,
        ends: Vec<fn() -> Failure>,
    ) -> (Result<(), Ended>, usize, Duration) {
        let tries = tries(60_000);
        let count = AtomicUsize::new(0);
        let operation = || async {
            match ends.get(count.fetch_add(1, Ordering::Relaxed)) {
                Some(failure) => Err(failure()),
                None => Ok(()),
            }
        };
        let ended = tries.run(repeat, operation, || async { Ok(()) }).await;
        (
            ended,
            count.load(Ordering::Relaxed),
            tries.clock.monotonic(),
        )
    }

    #[tokio::test]
    async fn which_failures_are_repeated() {
        let check = async |end: fn() -> Failure, expect: [usize; 3]| {
            let repeats = [Repeat::Always, Repeat::IfUntouched, Repeat::IfUnsent];
            for (repeat, expect) in repeats.into_iter().zip(expect) {
                let (_, count, _) = run(repeat, vec![end; 9]).await;
                assert_eq!(count, expect, "{repeat:?} {}", end());
            }
        };
        check(|| Failure::Unsent("x".to_owned()), [4, 4, 4]).await;
        check(|| Failure::Lost("x".to_owned()), [4, 1, 1]).await;
        check(|| Failure::Token("x".to_owned()), [1, 1, 1]).await;
        check(|| Failure::misread("x"), [1, 1, 1]).await;
        check(|| answer(503, "ServerBusy", 0), [4, 4, 1]).await;
        check(|| answer(429, "", 0), [4, 4, 1]).await;
        check(|| answer(500, "OperationTimedOut", 0), [4, 1, 1]).await;
        check(|| answer(504, "", 0), [4, 1, 1]).await;
        check(|| answer(412, "ConditionNotMet", 0), [1, 1, 1]).await;
        check(|| answer(404, "ResourceNotFound", 0), [1, 1, 1]).await;
        check(|| answer(404, "TableNotFound", 0), [2, 2, 2]).await;
    }

    #[tokio::test]
    async fn a_pause_that_is_asked_for_is_kept_unless_it_is_long() {
        let (ended, count, took) = run(Repeat::Always, vec![|| answer(503, "", 30)]).await;
        assert!(ended.is_ok() && count == 2 && took >= Duration::from_millis(30));
        let (ended, count, took) = run(Repeat::Always, vec![|| answer(503, "", 20_000)]).await;
        assert!(
            ended.is_err() && count == 1 && took < Duration::from_secs(10),
            "{took:?}"
        );
    }

    #[tokio::test]
    async fn a_conflict_after_an_unclear_try_may_be_with_ourselves() {
        let conflict: fn() -> Failure = || answer(412, "ConditionNotMet", 0);
        let check = async |repeat, first: fn() -> Failure, unclear: bool| {
            let (ended, count, _) = run(repeat, vec![first, conflict]).await;
            let ended = ended.unwrap_err();
            assert_eq!((count, ended.after_unclear), (2, unclear));
            let error = ended.conflict(StorageError::Precondition);
            assert_eq!(matches!(error, StorageError::Unavailable(_)), unclear);
        };
        check(
            Repeat::IfUntouched,
            || Failure::Unsent("x".to_owned()),
            false,
        )
        .await;
        check(Repeat::IfUntouched, || answer(503, "ServerBusy", 0), true).await;
        check(
            Repeat::IfUntouched,
            || answer(404, "TableNotFound", 0),
            false,
        )
        .await;
        check(Repeat::Always, || Failure::Lost("x".to_owned()), true).await;
        check(Repeat::Always, || answer(500, "", 0), true).await;
    }

    #[tokio::test]
    async fn the_time_is_that_of_all_tries_together() {
        let tries = tries(50);
        let hang = || std::future::pending::<Result<(), Failure>>();
        let ended = tries
            .run(Repeat::Always, hang, || async { Ok(()) })
            .await
            .unwrap_err();
        assert!(matches!(ended.failure, Failure::Lost(_)));
        let took = tries.clock.monotonic();
        assert!((50..5_000).contains(&took.as_millis()), "{took:?}");
    }
}
