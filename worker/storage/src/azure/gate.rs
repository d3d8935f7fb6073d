//! How many operations of a process are at an account at once.
//!
//! Without a bound a slow account gets slower: each request that waits opens one more connection,
//! and none of them is answered in time any more. Beyond the bound operations wait, and beyond
//! that they are turned away at once, so that callers hear of it while it is of use. What goes
//! [`ahead`](crate::ahead) is not turned away, and has some turns to itself.

use tokio::sync::{Semaphore, SemaphorePermit, TryAcquireError};

use crate::ahead::is_ahead;

/// Requests that are out at once: at 10 ms each, 12,800 a second.
const OUT: usize = 128;
/// Operations that wait for their turn.
const WAITING: usize = 512;
/// Requests beside these that only what goes ahead may have out.
const KEPT: usize = 16;

/// The bound, for all three services of an account together.
#[derive(Debug)]
pub(super) struct Gate {
    places: Semaphore,
    out: Semaphore,
    kept: Semaphore,
}

impl Gate {
    pub(super) fn new() -> Self {
        Self::of(OUT, WAITING, KEPT)
    }

    fn of(out: usize, waiting: usize, kept: usize) -> Self {
        Self {
            places: Semaphore::new(out + waiting),
            out: Semaphore::new(out),
            kept: Semaphore::new(kept),
        }
    }

    /// A place for one operation with all of its tries, where it needs one; an error if too many
    /// have one.
    pub(super) fn enter(&self) -> Result<Option<SemaphorePermit<'_>>, TryAcquireError> {
        if is_ahead() {
            return Ok(None);
        }
        self.places.try_acquire().map(Some)
    }

    /// The turn of one try.
    pub(super) async fn turn(&self) -> SemaphorePermit<'_> {
        let turn = if is_ahead() {
            tokio::select! {
                biased;
                turn = self.out.acquire() => turn,
                turn = self.kept.acquire() => turn,
            }
        } else {
            self.out.acquire().await
        };
        turn.expect("the semaphores are never closed")
    }
}

#[cfg(test)]
mod tests {
    use futures::poll;

    use super::*;
    use crate::ahead;

    #[tokio::test]
    async fn operations_wait_for_their_turn_and_beyond_that_are_turned_away() {
        let gate = Gate::of(1, 1, 0);
        let (first, second) = (gate.enter().unwrap(), gate.enter().unwrap());
        assert!(gate.enter().is_err());
        let turn = gate.turn().await;
        let mut next = std::pin::pin!(gate.turn());
        assert!(poll!(&mut next).is_pending());
        drop((turn, first));
        drop(next.await);
        assert!(gate.enter().is_ok());
        drop(second);
    }

    #[tokio::test]
    async fn what_goes_ahead_is_not_turned_away_and_has_turns_to_itself() {
        let gate = Gate::of(1, 0, 1);
        let (place, turn) = (gate.enter().unwrap(), gate.turn().await);
        let mut behind = std::pin::pin!(gate.turn());
        assert!(poll!(&mut behind).is_pending());
        ahead(async {
            assert!(gate.enter().unwrap().is_none());
            let kept = gate.turn().await;
            // One more waits for whichever is free first.
            let mut next = std::pin::pin!(gate.turn());
            assert!(poll!(&mut next).is_pending());
            drop(kept);
            drop(next.await);
        })
        .await;
        assert!(poll!(&mut behind).is_pending());
        assert!(gate.enter().is_err(), "the others are bounded as before");
        drop((place, turn));
        drop(behind.await);
    }
}
