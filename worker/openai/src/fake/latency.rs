//! How long things take, in the way that scripts write it.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::headers::parse_duration;

/// A time, or a range of times: `200ms`, `1.5s`, `100ms..300ms`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Latency {
    /// The shortest.
    pub from: Duration,
    /// The longest.
    pub to: Duration,
}

impl Latency {
    /// The time for the `n`th request: spread over the range, the same in every run.
    pub(super) fn draw(self, n: u64) -> Duration {
        let span = self.to.saturating_sub(self.from);
        // The golden ratio steps through the range without ever settling into a pattern.
        let fraction = (n as f64 * 0.618_033_988_749_895).fract();
        self.from + span.mul_f64(fraction)
    }
}

impl From<Duration> for Latency {
    fn from(time: Duration) -> Self {
        Self {
            from: time,
            to: time,
        }
    }
}

impl FromStr for Latency {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let time = |part: &str| {
            parse_duration(part)
                .filter(|time| *time <= Duration::from_hours(24))
                .ok_or_else(|| format!("{text:?} is not a time such as 200ms or 1.5s, nor a range such as 100ms..300ms"))
        };
        let latency = match text.split_once("..") {
            Some((from, to)) => Self {
                from: time(from)?,
                to: time(to)?,
            },
            None => time(text)?.into(),
        };
        if latency.from > latency.to {
            return Err(format!("{text:?} ends before it begins"));
        }
        Ok(latency)
    }
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
        write!(f, "{}ms", milliseconds(self.from))?;
        if self.from != self.to {
            write!(f, "..{}ms", milliseconds(self.to))?;
        }
        Ok(())
    }
}

impl Serialize for Latency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Latency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latencies_stay_in_their_range() {
        let range: Latency = "100ms..300ms".parse().unwrap();
        let drawn: Vec<_> = (0..100).map(|n| range.draw(n)).collect();
        assert!(
            drawn
                .iter()
                .all(|time| *time >= range.from && *time <= range.to)
        );
        assert!(
            drawn
                .iter()
                .max()
                .unwrap()
                .saturating_sub(*drawn.iter().min().unwrap())
                > Duration::from_millis(150)
        );
        assert_eq!(
            Latency::from(Duration::from_millis(7)).draw(3),
            Duration::from_millis(7)
        );
    }
}
