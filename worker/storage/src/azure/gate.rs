//! How many operations of a process are at an account at once.
//!
//! Without a bound a slow account gets slower: each request that waits opens one more connection,
//! and none of them is answered in time any more. Beyond the bound operations wait, and beyond
//! that they are turned away at once, so that callers hear of it while it is of use.

use tokio::sync::{Semaphore, SemaphorePermit};

/// Requests that are out at once: at 10 ms each, 12,800 a second.
const OUT: usize = 128;
/// Operations that wait for their turn.
const WAITING: usize = 512;

/// The bound, for all three services of an account together.
#[derive(Debug)]
pub(super) struct Gate {
    places: Semaphore,
    out: Semaphore,
}

impl Gate {
    pub(super) fn new() -> Self {
        Self::of(OUT, WAITING)
    }

    fn of(out: usize, waiting: usize) -> Self {
        Self {
            places: Semaphore::new(out + waiting),
            out: Semaphore::new(out),
        }
    }

    /// A place for one operation with all of its tries; `None` if too many have one.
    pub(super) fn enter(&self) -> Option<SemaphorePermit<'_>> {
        self.places.try_acquire().ok()
    }

    /// The turn of one try.
    pub(super) async fn turn(&self) -> SemaphorePermit<'_> {
        self.out
            .acquire()
            .await
            .expect("the semaphore is never closed")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn operations_wait_for_their_turn_and_beyond_that_are_turned_away() {
        let gate = Gate::of(1, 1);
        let (first, second) = (gate.enter().unwrap(), gate.enter().unwrap());
        assert!(gate.enter().is_none());
        let turn = gate.turn().await;
        let mut next = std::pin::pin!(gate.turn());
        assert!(futures::poll!(&mut next).is_pending());
        drop((turn, first));
        drop(next.await);
        assert!(gate.enter().is_some());
        drop(second);
    }
}
