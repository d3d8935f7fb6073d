//! Time and randomness as parameters, so that tests decide both.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;

/// Where the time comes from.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The wall clock, UTC, in whole milliseconds. May jump.
    fn now(&self) -> Timestamp;

    /// Time since some fixed moment of this process. Never goes back.
    fn monotonic(&self) -> Duration;
}

/// Where randomness comes from.
pub trait Entropy: Send + Sync + fmt::Debug {
    /// Fills the buffer. Tokens are fencing tokens, so a real source must be cryptographic.
    fn fill(&self, buffer: &mut [u8]);
}

/// The machine's own clock and random source.
#[derive(Debug)]
pub struct System {
    start: tokio::time::Instant,
}

impl System {
    /// The one place that touches the global clock.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the parameter that others take"
    )]
    #[expect(
        clippy::new_without_default,
        reason = "making a clock is worth a visible call"
    )]
    pub fn new() -> Self {
        Self {
            start: tokio::time::Instant::now(),
        }
    }
}

impl Clock for System {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the parameter that others take"
    )]
    fn now(&self) -> Timestamp {
        let millis = Timestamp::now().as_millisecond();
        Timestamp::from_millisecond(millis).expect("the present is within the years 1 to 9999")
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }
}

impl Entropy for System {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the parameter that others take"
    )]
    fn fill(&self, buffer: &mut [u8]) {
        getrandom::fill(buffer).expect("an operating system without randomness cannot be served");
    }
}

/// A clock for tests: it stands still until they let time pass.
#[cfg(feature = "fault")]
#[derive(Debug)]
pub struct Manual {
    start: Timestamp,
    passed: std::sync::Mutex<Duration>,
}

#[cfg(feature = "fault")]
impl Manual {
    /// Its wall clock says this; its monotonic time is zero.
    pub fn at(start: Timestamp) -> Self {
        Self {
            start,
            passed: std::sync::Mutex::default(),
        }
    }

    /// Moves both on.
    pub fn pass(&self, time: Duration) {
        *self.passed() += time;
    }

    fn passed(&self) -> std::sync::MutexGuard<'_, Duration> {
        let passed = self.passed.lock();
        passed.unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(feature = "fault")]
impl Clock for Manual {
    fn now(&self) -> Timestamp {
        self.start + self.monotonic()
    }

    fn monotonic(&self) -> Duration {
        *self.passed()
    }
}

/// `N` random bytes.
pub fn random<const N: usize>(entropy: &dyn Entropy) -> [u8; N] {
    let mut bytes = [0; N];
    entropy.fill(&mut bytes);
    bytes
}
