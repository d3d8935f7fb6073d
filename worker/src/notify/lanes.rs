//! Which deliveries are under way. Each endpoint has a lane of its own, so that a slow one does not
//! delay another; a lane whose endpoint fails again and again is closed for a time (a circuit
//! breaker), and then tried with one delivery.
//!
//! Lanes are in the memory of one worker. Nothing is lost with them: what waits has its marker.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use schemas::Tenant;
use tokio::sync::Semaphore;

/// Whose lane: the tenant, and the webhook or the host of a callback.
pub(super) type LaneKey = (Tenant, String);

/// Deliveries that wait in one lane. What does not fit is left to its marker.
const MOST_WAITING: usize = 1_000;

/// Lanes that are remembered while nothing is under way in them.
const MOST_IDLE: usize = 10_000;

/// Failures in a row that close a lane.
const FAILURES: u32 = 5;

/// For how long at first; twice as long each time, up to [`LONGEST`].
const FIRST: Duration = Duration::from_secs(30);
const LONGEST: Duration = Duration::from_mins(15);

/// The lanes of one worker, and the room that they share.
pub(super) struct Lanes<T> {
    by_key: Mutex<BTreeMap<LaneKey, Lane<T>>>,
    per_endpoint: usize,
    /// Divides the times for which a lane is closed.
    hurry: u32,
    /// Room for endpoints that answered well the last time.
    good: Arc<Semaphore>,
    /// Room for all others, so that those which hang take nothing from those which answer.
    other: Arc<Semaphore>,
}

struct Lane<T> {
    waiting: VecDeque<T>,
    active: usize,
    /// The last attempt was answered well.
    is_good: bool,
    /// Failures in a row.
    failures: u32,
    /// Monotonic: closed until then.
    closed_until: Duration,
    /// Closed so often in a row.
    closings: u32,
}

/// What is to be done now.
#[derive(Debug, PartialEq)]
pub(super) enum Step<T> {
    /// Try it. The flag says whether the endpoint answered well the last time.
    Attempt(T, bool),
    /// The lane is closed: try it after so long.
    Defer(T, Duration),
    /// There is no room: leave it to its marker.
    Leave(T),
}

impl<T> Lanes<T> {
    pub(super) fn new(room: usize, per_endpoint: usize, hurry: u32) -> Self {
        Self {
            by_key: Mutex::default(),
            per_endpoint,
            hurry: hurry.max(1),
            good: Arc::new(Semaphore::new(room)),
            other: Arc::new(Semaphore::new(room)),
        }
    }

    /// The room that an attempt takes.
    pub(super) fn room(&self, is_good: bool) -> Arc<Semaphore> {
        if is_good {
            self.good.clone()
        } else {
            self.other.clone()
        }
    }

    /// Takes a delivery, and says what is to be done.
    pub(super) fn offer(&self, key: &LaneKey, item: T, now: Duration) -> Vec<Step<T>> {
        let mut lanes = self.lock();
        if lanes.len() >= MOST_IDLE && !lanes.contains_key(key) {
            lanes.retain(|_, lane| lane.active > 0 || !lane.waiting.is_empty());
        }
        let lane = lanes.entry(key.clone()).or_insert_with(Lane::new);
        if lane.waiting.len() >= MOST_WAITING {
            return vec![Step::Leave(item)];
        }
        lane.waiting.push_back(item);
        lane.steps(self.per_endpoint, now)
    }

    /// An attempt is over; `None` if it was not made after all. Says what is to be done next.
    pub(super) fn done(
        &self,
        key: &LaneKey,
        went_well: Option<bool>,
        now: Duration,
    ) -> Vec<Step<T>> {
        let mut lanes = self.lock();
        let Some(lane) = lanes.get_mut(key) else {
            return Vec::new();
        };
        lane.active = lane.active.saturating_sub(1);
        match went_well {
            Some(true) => {
                lane.is_good = true;
                (lane.failures, lane.closings) = (0, 0);
                lane.closed_until = Duration::ZERO;
            }
            Some(false) => {
                lane.is_good = false;
                lane.failures = lane.failures.saturating_add(1);
                if lane.failures >= FAILURES && lane.closed_until <= now {
                    let pause = FIRST * 2u32.saturating_pow(lane.closings.min(10));
                    lane.closed_until = now + pause.min(LONGEST) / self.hurry;
                    lane.closings += 1;
                }
            }
            None => {}
        }
        lane.steps(self.per_endpoint, now)
    }

    /// The endpoint wants nothing any more. Gives what waited.
    pub(super) fn clear(&self, key: &LaneKey) -> Vec<T> {
        let mut lanes = self.lock();
        let lane = lanes.get_mut(key);
        lane.map_or_else(Vec::new, |lane| lane.waiting.drain(..).collect())
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<LaneKey, Lane<T>>> {
        self.by_key.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Lane<T> {
    fn new() -> Self {
        Self {
            waiting: VecDeque::new(),
            active: 0,
            is_good: false,
            failures: 0,
            closed_until: Duration::ZERO,
            closings: 0,
        }
    }

    fn steps(&mut self, per_endpoint: usize, now: Duration) -> Vec<Step<T>> {
        let left = self.closed_until.saturating_sub(now);
        if !left.is_zero() {
            let waiting = self.waiting.drain(..);
            return waiting.map(|item| Step::Defer(item, left)).collect();
        }
        // Who has not answered well yet gets one at a time: a hanging endpoint costs little room.
        let most = if self.is_good { per_endpoint } else { 1 };
        let mut steps = Vec::new();
        while self.active < most {
            let Some(item) = self.waiting.pop_front() else {
                break;
            };
            self.active += 1;
            steps.push(Step::Attempt(item, self.is_good));
        }
        steps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> LaneKey {
        (Tenant::anonymous(), "wh".to_owned())
    }

    fn lanes() -> Lanes<u32> {
        Lanes::new(4, 3, 1)
    }

    const NOW: Duration = Duration::from_secs(1_000);

    #[test]
    fn an_endpoint_gets_one_delivery_until_it_has_answered_well() {
        let lanes = lanes();
        assert_eq!(lanes.offer(&key(), 1, NOW), [Step::Attempt(1, false)]);
        for n in 2..=6 {
            assert_eq!(lanes.offer(&key(), n, NOW), []);
        }
        let next = lanes.done(&key(), Some(true), NOW);
        assert_eq!(next, [2, 3, 4].map(|n| Step::Attempt(n, true)));
        assert_eq!(
            lanes.done(&key(), Some(true), NOW),
            [Step::Attempt(5, true)]
        );
        // A failure: nothing further until the rest is back.
        assert_eq!(lanes.done(&key(), Some(false), NOW), []);
        assert_eq!(lanes.done(&key(), Some(false), NOW), []);
        assert_eq!(
            lanes.done(&key(), Some(false), NOW),
            [Step::Attempt(6, false)]
        );
        // One that was not made says nothing.
        assert_eq!(lanes.offer(&key(), 7, NOW), []);
        assert_eq!(lanes.done(&key(), None, NOW), [Step::Attempt(7, false)]);
        let other = (Tenant::anonymous(), "other".to_owned());
        assert_eq!(lanes.offer(&other, 9, NOW), [Step::Attempt(9, false)]);
    }

    #[test]
    fn five_failures_close_a_lane_and_one_success_opens_it() {
        let lanes = lanes();
        let fail = |now| {
            assert_eq!(lanes.offer(&key(), 1, now), [Step::Attempt(1, false)]);
            assert_eq!(lanes.done(&key(), Some(false), now), []);
        };
        (0..5).for_each(|_| fail(NOW));
        assert_eq!(lanes.offer(&key(), 2, NOW), [Step::Defer(2, FIRST)]);
        // Half open: one is tried, the next waits for what becomes of it.
        let later = NOW + FIRST;
        assert_eq!(lanes.offer(&key(), 3, later), [Step::Attempt(3, false)]);
        assert_eq!(lanes.offer(&key(), 4, later), []);
        assert_eq!(
            lanes.done(&key(), Some(false), later),
            [Step::Defer(4, FIRST * 2)]
        );
        let (mut now, mut closed) = (later, FIRST * 2);
        for _ in 0..8 {
            now += closed;
            fail(now);
            closed = (closed * 2).min(LONGEST);
            assert_eq!(lanes.offer(&key(), 5, now), [Step::Defer(5, closed)]);
        }
        now += closed;
        assert_eq!(lanes.offer(&key(), 6, now), [Step::Attempt(6, false)]);
        assert_eq!(lanes.done(&key(), Some(true), now), []);
        assert_eq!(lanes.offer(&key(), 7, now), [Step::Attempt(7, true)]);
        assert_eq!(lanes.offer(&key(), 8, now), [Step::Attempt(8, true)]);
    }

    #[test]
    fn a_full_lane_leaves_what_does_not_fit() {
        let lanes = lanes();
        for n in 0..=MOST_WAITING as u32 {
            assert!(
                !matches!(lanes.offer(&key(), n, NOW)[..], [Step::Leave(_)]),
                "{n}"
            );
        }
        assert_eq!(lanes.offer(&key(), 7, NOW), [Step::Leave(7)]);
        assert_eq!(lanes.clear(&key()).len(), MOST_WAITING);
    }
}
