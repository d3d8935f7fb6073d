//! One bucket of requests, by the generic cell rate algorithm (ITU-T I.371): the state is one
//! moment, until when what was let through takes up the rate.

use std::time::Duration;

use config::Rate;

/// A bucket of this process.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bucket {
    /// On the monotonic clock.
    taken_until: Duration,
    /// What was let through and the other replicas do not know of.
    unshared: Duration,
}

/// What a bucket says to one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) passes: bool,
    /// How many more would pass now.
    pub(super) remaining: u32,
    /// When one more passes; zero if now.
    pub(super) retry_after: Duration,
    /// When all of the burst is there again.
    pub(super) full_in: Duration,
}

impl Bucket {
    /// Lets one request through, or not.
    pub(super) fn take(&mut self, rate: Rate, now: Duration) -> Verdict {
        let interval = rate.interval();
        let room = interval.saturating_mul(rate.burst.get());
        let mut taken = self.taken(now);
        let passes = taken + interval <= room;
        if passes {
            taken += interval;
            self.taken_until = now + taken;
            self.unshared += interval;
        }
        let left = room.saturating_sub(taken);
        Verdict {
            passes,
            remaining: u32::try_from(left.as_nanos() / interval.as_nanos().max(1))
                .unwrap_or(u32::MAX),
            retry_after: (taken + interval).saturating_sub(room),
            full_in: taken,
        }
    }

    /// How far ahead the rate is taken up.
    fn taken(&self, now: Duration) -> Duration {
        self.taken_until.saturating_sub(now)
    }

    /// Whether nothing is taken.
    pub(super) fn is_full(&self, now: Duration) -> bool {
        self.taken(now).is_zero()
    }

    /// Whether the others lack something.
    pub(super) fn has_unshared(&self) -> bool {
        !self.unshared.is_zero()
    }

    /// Hands out what the others do not know of.
    pub(super) fn unshared(&mut self) -> Option<Duration> {
        let unshared = std::mem::take(&mut self.unshared);
        Some(unshared).filter(|unshared| !unshared.is_zero())
    }

    /// Takes back what could not be told to the others.
    pub(super) fn give_back(&mut self, unshared: Duration) {
        self.unshared += unshared;
    }

    /// Takes over how far ahead the rate is taken up by all replicas.
    pub(super) fn learn(&mut self, taken: Duration, now: Duration) {
        self.taken_until = now + taken + self.unshared;
    }
}

#[cfg(test)]
mod tests {
    use config::Allowance;

    use super::*;

    fn rate(text: &str) -> Rate {
        match Allowance::parse(text).unwrap() {
            Allowance::Rate(rate) => rate,
            Allowance::Unlimited => panic!("no rate"),
        }
    }

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn a_burst_passes_and_then_the_rate() {
        let check = |text: &str, burst: u32, interval: u64| {
            let rate = rate(text);
            let mut bucket = Bucket::default();
            for n in 1..=burst {
                let verdict = bucket.take(rate, ms(5));
                assert!(verdict.passes, "{text}: {n}");
                assert_eq!(verdict.remaining, burst - n, "{text}: {n}");
            }
            let verdict = bucket.take(rate, ms(5));
            assert!(!verdict.passes, "{text}");
            assert_eq!(verdict.retry_after, ms(interval), "{text}");
            assert_eq!(verdict.full_in, ms(interval) * burst, "{text}");
            assert!(!bucket.take(rate, ms(4 + interval)).passes, "{text}");
            assert!(bucket.take(rate, ms(5 + interval)).passes, "{text}");
            assert!(!bucket.take(rate, ms(5 + interval)).passes, "{text}");
        };
        check("60/minute burst 10", 10, 1_000);
        check("6000/minute burst 200", 200, 10);
        check("5/minute", 5, 12_000);
        check("1/day", 1, 86_400_000);
        check("10/second burst 1", 1, 100);
    }

    #[test]
    fn it_never_holds_more_than_its_burst() {
        let (rate, mut bucket) = (rate("60/minute burst 3"), Bucket::default());
        let now = Duration::from_hours(100);
        let passed = (0..10).filter(|_| bucket.take(rate, now).passes).count();
        assert_eq!(passed, 3);
    }

    #[test]
    fn what_others_let_through_counts() {
        let (rate, mut bucket) = (rate("60/minute burst 10"), Bucket::default());
        assert!(bucket.take(rate, ms(0)).passes);
        assert_eq!(bucket.unshared(), Some(ms(1_000)));
        assert_eq!(bucket.unshared(), None);
        // One more before the answer comes: nine of others and ours.
        assert!(bucket.take(rate, ms(0)).passes);
        bucket.learn(ms(9_000), ms(0));
        assert!(!bucket.take(rate, ms(0)).passes);
        bucket.learn(ms(30_000), ms(0));
        assert_eq!(bucket.take(rate, ms(0)).retry_after, ms(22_000));
    }
}
