//! Requests and tokens a minute: as configured, as the provider's answers say, and none at all
//! while it asks for a pause.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use openai::{RateLimits, Window};
use storage::{Clock, Entropy, ambient};

/// Output of a call before any was seen.
const FIRST_GUESS: f64 = 2_000.0;
/// What one more call weighs in the mean of their outputs.
const WEIGHT: f64 = 0.1;
/// A wait is never longer than this: another answer may have changed the picture by then.
const LONGEST_WAIT: Duration = Duration::from_mins(1);
/// After a pause, calls come back over a time as long as the pause, within these bounds.
const SPREAD: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(10));

/// The provider's limits, as this worker keeps them.
#[derive(Debug)]
pub(super) struct Rates {
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    state: Mutex<State>,
}

/// What had been taken at some moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    requests: f64,
    tokens: f64,
}

#[derive(Debug)]
struct State {
    requests: Meter,
    tokens: Meter,
    /// No call before this.
    paused_until: Duration,
    /// How long after that calls may come back.
    spread: Duration,
    /// Of the tokens that a call writes.
    mean_output: f64,
}

/// One thing that is limited.
#[derive(Debug, Default)]
struct Meter {
    ours: Option<Bucket>,
    provider: Option<Bucket>,
    /// All that was ever taken.
    taken: f64,
}

/// A token bucket.
#[derive(Debug)]
struct Bucket {
    level: f64,
    full: f64,
    per_second: f64,
    /// When the level was right, on the monotonic clock.
    at: Duration,
}

impl Bucket {
    fn refill(&mut self, now: Duration) {
        let passed = now.saturating_sub(self.at).as_secs_f64();
        self.level = (self.level + passed * self.per_second).min(self.full);
        self.at = now;
    }

    /// How long until this much is there; what is more than a full bucket asks for a full one.
    fn wait(&mut self, amount: f64, now: Duration) -> Duration {
        self.refill(now);
        let missing = amount.min(self.full) - self.level;
        // Sums of fractions: what is missing by a hair is there.
        if missing <= 1e-6 {
            return Duration::ZERO;
        }
        let seconds = missing / self.per_second.max(1e-6);
        Duration::from_secs_f64(seconds.min(LONGEST_WAIT.as_secs_f64()))
    }
}

impl Meter {
    /// `per_minute` with a tenth of it at once, but one `unit` at least.
    fn new(per_minute: Option<f64>, unit: f64, now: Duration) -> Self {
        let ours = per_minute.map(|limit| {
            let full = (limit / 10.0).max(unit);
            Bucket {
                level: full,
                full,
                per_second: limit / 60.0,
                at: now,
            }
        });
        Self {
            ours,
            ..Self::default()
        }
    }

    fn buckets(&mut self) -> impl Iterator<Item = &mut Bucket> {
        self.ours.iter_mut().chain(self.provider.iter_mut())
    }

    fn wait(&mut self, amount: f64, now: Duration) -> Duration {
        let waits = self.buckets().map(|bucket| bucket.wait(amount, now));
        waits.max().unwrap_or_default()
    }

    /// Takes, or gives back what is negative.
    fn take(&mut self, amount: f64) {
        self.taken += amount;
        for bucket in self.buckets() {
            bucket.level = (bucket.level - amount).min(bucket.full);
        }
    }

    /// What is left at the provider, as it said in the answer to a call before which `taken_before`
    /// had been taken: what was taken since then it may not have counted.
    fn heed(&mut self, window: &Window, taken_before: f64, now: Duration) {
        let Some(remaining) = window.remaining else {
            return;
        };
        let remaining = float(remaining);
        let limit = window.limit.map(float).filter(|limit| *limit >= 1.0);
        let earlier = self.provider.as_ref().map(|bucket| bucket.full);
        let full = limit.or(earlier).unwrap_or(1.0).max(remaining);
        let reset = window.reset.map(|reset| reset.as_secs_f64());
        let per_second = match reset {
            Some(reset) if reset > 0.0 && full > remaining => (full - remaining) / reset,
            _ => full / 60.0,
        };
        self.provider = Some(Bucket {
            level: remaining - (self.taken - taken_before).max(0.0),
            full,
            per_second,
            at: now,
        });
    }
}

impl Rates {
    /// Limits per minute; `None`: no limit of ours.
    pub(super) fn new(
        requests: Option<f64>,
        tokens: Option<f64>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        let now = clock.monotonic();
        Self {
            clock,
            entropy,
            state: Mutex::new(State {
                requests: Meter::new(requests, 1.0, now),
                tokens: Meter::new(tokens, 1.0, now),
                paused_until: Duration::ZERO,
                spread: Duration::ZERO,
                mean_output: FIRST_GUESS,
            }),
        }
    }

    /// The tokens that a call is expected to take, by those of its request.
    pub(super) fn expected(&self, request: u64) -> f64 {
        float(request) + self.state().mean_output
    }

    /// The tokens that a call is expected to write.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a mean of counts is neither negative nor near the end of the range"
    )]
    pub(super) fn expected_output(&self) -> u64 {
        self.state().mean_output.ceil() as u64
    }

    /// Takes one call of this many tokens, or says how long to wait before asking again.
    pub(super) fn take(&self, tokens: f64) -> Option<Duration> {
        let now = self.clock.monotonic();
        let mut state = self.state();
        if let Some(pause) = state.paused_until.checked_sub(now).filter(|p| !p.is_zero()) {
            let spread = state.spread;
            drop(state);
            return Some(pause + self.jitter(spread));
        }
        let State {
            requests,
            tokens: limited,
            ..
        } = &mut *state;
        let wait = requests.wait(1.0, now).max(limited.wait(tokens, now));
        if !wait.is_zero() {
            drop(state);
            // Many may be told the same: they come back one after the other.
            return Some(wait + self.jitter(wait));
        }
        requests.take(1.0);
        limited.take(tokens);
        None
    }

    /// A call that was taken is not made.
    pub(super) fn give_back(&self, tokens: f64) {
        let mut state = self.state();
        state.requests.take(-1.0);
        state.tokens.take(-tokens);
    }

    /// To be asked before a call is made, for [`Rates::heed`].
    pub(super) fn mark(&self) -> Mark {
        let state = self.state();
        Mark {
            requests: state.requests.taken,
            tokens: state.tokens.taken,
        }
    }

    /// What the provider said of its limits in the answer to a call.
    pub(super) fn heed(&self, before: Mark, limits: &RateLimits) {
        let now = self.clock.monotonic();
        let mut state = self.state();
        let (requests, tokens) = (before.requests, before.tokens);
        state.requests.heed(&limits.requests, requests, now);
        state.tokens.heed(&limits.tokens, tokens, now);
    }

    /// What a call really took, for which so many tokens had been taken, if by this worker.
    pub(super) fn used(&self, taken: Option<f64>, input: u64, output: u64) {
        let mut state = self.state();
        if let (Some(taken), Some(ours)) = (taken, &mut state.tokens.ours) {
            let more = float(input) + float(output) - taken;
            ours.level = (ours.level - more).min(ours.full);
        }
        let mean = state.mean_output;
        state.mean_output = mean + (float(output) - mean) * WEIGHT;
    }

    /// No call before this is over; gives the time after which the caller should come back.
    pub(super) fn pause(&self, wait: Duration) -> Duration {
        let until = self.clock.monotonic() + wait;
        let mut state = self.state();
        state.paused_until = state.paused_until.max(until);
        state.spread = wait.clamp(SPREAD.0, SPREAD.1);
        let spread = state.spread;
        drop(state);
        wait + self.jitter(spread)
    }

    /// Anything from nothing to all of a time.
    fn jitter(&self, at_most: Duration) -> Duration {
        let share = u16::from_be_bytes(ambient::random(&*self.entropy));
        at_most.mul_f64(f64::from(share) / f64::from(u16::MAX))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts of requests and tokens are far below 2^52.
#[expect(clippy::cast_precision_loss, reason = "see above")]
fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use jiff::Timestamp;
    use storage::ambient::Manual;

    use super::*;

    /// Counts up, so that all values come.
    #[derive(Debug, Default)]
    struct Steps(AtomicU64);

    impl Entropy for Steps {
        fn fill(&self, buffer: &mut [u8]) {
            let step = self.0.fetch_add(1, Ordering::Relaxed).to_le_bytes();
            buffer.fill(step[0].wrapping_mul(37));
        }
    }

    fn rates(requests: Option<f64>, tokens: Option<f64>) -> (Arc<Manual>, Rates) {
        let clock = Arc::new(Manual::at(Timestamp::UNIX_EPOCH));
        let entropy = Arc::new(Steps::default());
        let rates = Rates::new(requests, tokens, clock.clone(), entropy);
        (clock, rates)
    }

    fn window(limit: u64, remaining: u64, reset: u64) -> Window {
        Window {
            limit: Some(limit),
            remaining: Some(remaining),
            reset: Some(Duration::from_secs(reset)),
        }
    }

    /// How many calls of this many tokens are granted in a time, asked for every 100 ms.
    fn granted(clock: &Manual, rates: &Rates, tokens: f64, seconds: u64) -> usize {
        let mut granted = 0;
        for _ in 0..seconds * 10 {
            while rates.take(tokens).is_none() {
                granted += 1;
                assert!(granted < 100_000);
            }
            clock.pass(Duration::from_millis(100));
        }
        granted
    }

    #[test]
    fn requests_are_spaced_after_a_burst() {
        // 30 a minute: 3 at once, then one every 2 s.
        let (clock, rates) = rates(Some(30.0), None);
        let taken: Vec<_> = (0..4).map(|_| rates.take(9e9).is_none()).collect();
        assert_eq!(taken, [true, true, true, false]);
        let wait = rates.take(1.0).unwrap();
        let two = Duration::from_secs(2);
        assert!((two..=two * 2).contains(&wait), "{wait:?}");
        clock.pass(two);
        assert_eq!(rates.take(1.0), None);
        assert!(rates.take(1.0).is_some());
        rates.give_back(1.0);
        assert_eq!(rates.take(1.0), None);
    }

    #[test]
    fn tokens_are_limited_and_corrected_by_what_was_used() {
        let (clock, rates) = rates(None, Some(60_000.0));
        // A tenth at once, then a thousand a second: one more call of 3,000 every 3 s.
        assert_eq!(granted(&clock, &rates, 3_000.0, 30), 2 + 9);
        // A call may be larger than the burst, and those behind it pay for that.
        let huge = rates.take(20_000.0);
        assert!(huge.is_some(), "the bucket is not full");
        clock.pass(Duration::from_secs(10));
        assert_eq!(rates.take(20_000.0), None);
        assert!(rates.take(1.0).is_some());
        // It took much less than expected.
        let expected = rates.expected(18_000);
        assert!((expected - 20_000.0).abs() < 1.0);
        rates.used(Some(expected), 500, 500);
        assert_eq!(rates.take(1_000.0), None);
        assert_eq!(rates.expected_output(), 1_850);
        // What another worker had taken is not missing here.
        while rates.take(1_000.0).is_none() {}
        rates.used(None, 500, 500);
        assert!(rates.take(1_000.0).is_some());
        assert!(rates.expected_output() < 1_850);
    }

    #[test]
    fn the_providers_own_figures_count_where_there_is_no_limit_of_ours() {
        let (clock, rates) = rates(None, None);
        assert_eq!(rates.take(10.0), None);
        let before = rates.mark();
        // Two more go out before the first is answered: the provider has not counted them.
        assert_eq!((rates.take(10.0), rates.take(10.0)), (None, None));
        rates.heed(
            before,
            &RateLimits {
                requests: window(60, 3, 57),
                tokens: Window::default(),
            },
        );
        assert_eq!(rates.take(10.0), None);
        assert!(rates.take(10.0).is_some());
        // One a second from then on, by limit and reset.
        clock.pass(Duration::from_secs(1));
        assert_eq!(granted(&clock, &rates, 10.0, 30), 30);
        // A later answer says that there is plenty.
        let before = rates.mark();
        let plenty = RateLimits {
            requests: window(60, 60, 0),
            tokens: window(1_000, 100, 9),
        };
        rates.heed(before, &plenty);
        assert_eq!(rates.take(100.0), None);
        assert!(rates.take(100.0).is_some(), "no tokens are left");
    }

    #[test]
    fn a_pause_stops_all_and_brings_them_back_one_by_one() {
        let (clock, rates) = rates(None, None);
        assert!((0..10_000).all(|_| rates.take(1.0).is_none()));
        let pause = Duration::from_secs(4);
        let own: Vec<Duration> = (0..64).map(|_| rates.pause(pause)).collect();
        let others: Vec<Duration> = (0..64).filter_map(|_| rates.take(1.0)).collect();
        assert_eq!(others.len(), 64);
        for waits in [own, others] {
            assert!(waits.iter().all(|w| (pause..=pause * 2).contains(w)));
            for second in 0..4 {
                let from = pause + Duration::from_secs(second);
                let back = waits.iter().filter(|w| **w >= from);
                let back = back.filter(|w| **w < from + Duration::from_secs(1));
                assert!(back.count() < 32, "too many in second {second}");
            }
        }
        let moment = Duration::from_millis(1);
        clock.pass(pause.checked_sub(moment).unwrap());
        assert!(rates.take(1.0).is_some());
        clock.pass(moment);
        assert_eq!(rates.take(1.0), None);
    }
}
