//! Randomness and time that a seed decides.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use storage::ambient::System;
use storage::{Clock, Entropy};

/// SplitMix64.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to `n`, without `n`.
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    pub(crate) fn millis(&mut self, below: u64) -> Duration {
        Duration::from_millis(self.below(below))
    }
}

/// Entropy of a seed.
#[derive(Debug)]
pub(crate) struct Seeded(Mutex<Random>);

impl Seeded {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Mutex::new(Random::new(seed)))
    }
}

impl Entropy for Seeded {
    fn fill(&self, buffer: &mut [u8]) {
        let mut random = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for byte in buffer {
            *byte = random.next().to_be_bytes()[0];
        }
    }
}

/// A clock that runs with tokio's time and may be wrong by some minutes.
#[derive(Debug)]
pub(crate) struct Skewed {
    system: Arc<System>,
    minutes: i64,
}

impl Skewed {
    pub(crate) fn by_minutes(system: &Arc<System>, minutes: i64) -> Arc<Self> {
        let system = system.clone();
        Arc::new(Self { system, minutes })
    }
}

impl Clock for Skewed {
    fn now(&self) -> Timestamp {
        let start = Timestamp::from_second(1_800_000_000).expect("a time within the range");
        let millis = self.monotonic().as_millis() as i64;
        start + SignedDuration::from_millis(millis) + SignedDuration::from_mins(self.minutes)
    }

    fn monotonic(&self) -> Duration {
        self.system.monotonic()
    }
}
