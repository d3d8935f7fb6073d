//! The provider's budget: shared by all calls of this worker, taken before the latch.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use storage::Clock;

/// Spaces calls out and stops them all when the provider says so.
#[derive(Debug)]
pub(crate) struct Throttle {
    clock: Arc<dyn Clock>,
    /// Time between two calls; zero where there is no limit of ours.
    interval: Duration,
    /// How many calls may come at once after a quiet time.
    burst: u32,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// When the budget is full again, on the monotonic clock (the generic cell rate algorithm).
    full_at: Duration,
    /// No call before this.
    paused_until: Duration,
}

impl Throttle {
    /// At most this many calls a minute, with a tenth of them at once; `None`: no limit of ours.
    pub(crate) fn new(requests_per_minute: Option<u32>, clock: Arc<dyn Clock>) -> Self {
        let interval =
            requests_per_minute.map_or(Duration::ZERO, |n| Duration::from_mins(1) / n.max(1));
        let burst = requests_per_minute.map_or(1, |n| (n / 10).max(1));
        Self {
            clock,
            interval,
            burst,
            state: Mutex::default(),
        }
    }

    /// Takes one call out of the budget, or says how long to wait before asking again.
    pub(crate) fn take(&self) -> Option<Duration> {
        let now = self.clock.monotonic();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(wait) = state
            .paused_until
            .checked_sub(now)
            .filter(|wait| !wait.is_zero())
        {
            return Some(wait);
        }
        let full_at = state.full_at.max(now) + self.interval;
        let latest = now + self.interval * self.burst;
        if full_at > latest {
            return Some(full_at.saturating_sub(latest));
        }
        state.full_at = full_at;
        None
    }

    /// The provider asked to slow down: no call of this worker begins before this is over.
    pub(crate) fn pause(&self, wait: Duration) {
        let until = self.clock.monotonic() + wait;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.paused_until = state.paused_until.max(until);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use jiff::Timestamp;

    use super::*;

    #[derive(Debug, Default)]
    struct Manual(AtomicU64);

    impl Clock for Manual {
        fn now(&self) -> Timestamp {
            Timestamp::UNIX_EPOCH
        }

        fn monotonic(&self) -> Duration {
            Duration::from_millis(self.0.load(Ordering::Relaxed))
        }
    }

    #[test]
    fn spaces_calls_after_a_burst_and_stops_all_on_a_pause() {
        let clock = Arc::new(Manual::default());
        // 30 a minute: 3 at once, then one every 2 s.
        let throttle = Throttle::new(Some(30), clock.clone());
        let taken: Vec<_> = (0..4).map(|_| throttle.take()).collect();
        assert_eq!(taken, [None, None, None, Some(Duration::from_secs(2))]);
        clock.0.store(2_000, Ordering::Relaxed);
        assert_eq!(throttle.take(), None);
        throttle.pause(Duration::from_secs(30));
        clock.0.store(31_000, Ordering::Relaxed);
        assert_eq!(throttle.take(), Some(Duration::from_secs(1)));
        clock.0.store(32_000, Ordering::Relaxed);
        assert_eq!(throttle.take(), None);
    }

    #[test]
    fn without_a_limit_only_a_pause_holds() {
        let throttle = Throttle::new(None, Arc::new(Manual::default()));
        assert!((0..10_000).all(|_| throttle.take().is_none()));
        throttle.pause(Duration::from_millis(5));
        assert_eq!(throttle.take(), Some(Duration::from_millis(5)));
    }
}
