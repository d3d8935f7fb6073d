//! The section `limits`: how much a caller may ask for.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use serde::Deserialize;

use crate::check::Rules;
use crate::humane::{self, show_duration};
use crate::{Config, read};

/// Seconds of each unit of time, with the names that rates give it.
const UNITS: [(&str, u64); 4] = [
    ("second", 1),
    ("minute", 60),
    ("hour", 3_600),
    ("day", 86_400),
];

/// Names in `limits.jobs`: callers without a credential, then the tiers.
const CALLERS: [&str; 5] = ["anonymous", "free", "basic", "pro", "enterprise"];

/// How much a caller may ask for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Whether there are limits.
    #[serde(deserialize_with = "read::limited")]
    pub enabled: Limited,
    /// Of each address without a credential; `None` is 60 a minute, or none where
    /// [`Limited::Auto`] says so.
    #[serde(deserialize_with = "read::optional_rate")]
    pub anonymous: Option<Allowance>,
    /// Of tenants whose token names no tier; `None` is that of `free`.
    #[serde(deserialize_with = "read::optional_rate")]
    pub authenticated: Option<Allowance>,
    /// Of a tenant of this tier.
    #[serde(deserialize_with = "read::rate")]
    pub free: Allowance,
    /// Of a tenant of this tier.
    #[serde(deserialize_with = "read::rate")]
    pub basic: Allowance,
    /// Of a tenant of this tier.
    #[serde(deserialize_with = "read::rate")]
    pub pro: Allowance,
    /// Of a tenant of this tier.
    #[serde(deserialize_with = "read::rate")]
    pub enterprise: Allowance,
    /// Most jobs that are not final yet, of a tenant, by its tier; those not named have no limit.
    #[serde(deserialize_with = "read::job_limits")]
    pub jobs: BTreeMap<String, u32>,
    /// Proxies in front that add to `X-Forwarded-For`, at most 10. 0: the header is not believed.
    #[serde(deserialize_with = "read::number")]
    pub proxy_hops: u8,
    /// Pause between two looks at what other replicas have let through, at most 1 min. 0: each
    /// replica counts for itself.
    #[serde(deserialize_with = "read::duration")]
    pub sync: Duration,
}

/// Whether there are limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limited {
    /// Yes, but callers without a credential only where others than this machine can call, or where
    /// `limits.anonymous` is set.
    Auto,
    /// Yes.
    On,
    /// No.
    Off,
}

/// How many requests are let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allowance {
    /// All.
    Unlimited,
    /// So many.
    Rate(Rate),
}

/// A token bucket: `burst` at once, refilled evenly by `count` in `per`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Requests in `per`.
    pub count: NonZeroU32,
    /// The time.
    pub per: Duration,
    /// Requests at once.
    pub burst: NonZeroU32,
}

impl Rate {
    /// The time that one request takes up.
    pub fn interval(self) -> Duration {
        self.per / self.count.get()
    }
}

impl Allowance {
    /// `60/minute`, `60/minute burst 10`, `unlimited`; a bare number is per minute. Without a burst
    /// all of them may come at once. The error says what is expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        rate(text)
    }
}

impl fmt::Display for Allowance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Rate(rate) = self else {
            return f.write_str("unlimited");
        };
        let unit = UNITS.iter().find(|unit| unit.1 == rate.per.as_secs());
        let unit = unit.map_or("second", |unit| unit.0);
        write!(f, "{}/{unit} burst {}", rate.count, rate.burst)
    }
}

/// See [`Allowance::parse`].
pub(crate) fn rate(text: &str) -> Result<Allowance, String> {
    let fault = || {
        "must be a rate such as 10/second, 60/minute, 1000/hour or 60/minute burst 10, or unlimited"
            .to_owned()
    };
    let text = text.to_ascii_lowercase();
    if text == "unlimited" {
        return Ok(Allowance::Unlimited);
    }
    let (rate, burst) = match text.split_once("burst") {
        Some((rate, burst)) => (rate.trim().trim_end_matches(','), Some(burst.trim())),
        None => (text.as_str(), None),
    };
    let (count, unit) = rate.split_once('/').unwrap_or((rate, "minute"));
    let unit = unit.trim();
    let number = |text: &str| text.trim().parse::<NonZeroU32>().map_err(|_| fault());
    let seconds = UNITS
        .iter()
        .find(|(name, _)| unit == *name || unit.strip_suffix('s') == Some(name))
        .ok_or_else(fault)?
        .1;
    let count = number(count)?;
    Ok(Allowance::Rate(Rate {
        count,
        per: Duration::from_secs(seconds),
        burst: burst.map_or(Ok(count), number)?,
    }))
}

/// The same, or empty for "not set".
pub(crate) fn optional_rate(text: &str) -> Result<Option<Allowance>, String> {
    if text.is_empty() {
        Ok(None)
    } else {
        rate(text).map(Some)
    }
}

/// `free 10, basic 100`: names with numbers.
pub(crate) fn job_limits(text: &str) -> Result<BTreeMap<String, u32>, String> {
    let mut limits = BTreeMap::new();
    for part in text
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
    {
        let fault = || {
            format!(
                "must be names with numbers such as \"free 10, basic 100\"; the names are {}",
                CALLERS.join(", ")
            )
        };
        let (name, number) = part.split_once(char::is_whitespace).ok_or_else(fault)?;
        let number = humane::number(number.trim()).map_err(|_| fault())?;
        if !CALLERS.contains(&name) || limits.insert(name.to_owned(), number).is_some() {
            return Err(fault());
        }
    }
    Ok(limits)
}

pub(crate) fn bounds(rules: &mut Rules, config: &Config) {
    let limits = &config.limits;
    rules.within("limits.proxy_hops", limits.proxy_hops, 0..=10, |n| n);
    let minute = Duration::from_mins(1);
    rules.within(
        "limits.sync",
        limits.sync,
        Duration::ZERO..=minute,
        show_duration,
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read_and_shown() {
        let check = |text: &str, expect: Option<&str>| {
            let shown = rate(text).ok().map(|rate| rate.to_string());
            assert_eq!(shown.as_deref(), expect, "{text}");
        };
        check("60/minute", Some("60/minute burst 60"));
        check("60/minute burst 10", Some("60/minute burst 10"));
        check("600 / Minutes, burst 50", Some("600/minute burst 50"));
        check("5/second", Some("5/second burst 5"));
        check("1000/hour", Some("1000/hour burst 1000"));
        check("1/day", Some("1/day burst 1"));
        check("100", Some("100/minute burst 100"));
        check("Unlimited", Some("unlimited"));
        for wrong in [
            "",
            "0/minute",
            "-1/minute",
            "60/week",
            "60/",
            "/minute",
            "60/minute burst",
            "60/minute burst 0",
            "60/minute 10",
            "1.5/second",
            "99999999999/day",
            "60/minutess",
        ] {
            check(wrong, None);
        }
    }

    #[test]
    fn jobs_are_limited_by_tier() {
        let got = job_limits("free 10, pro 1000,").unwrap();
        assert_eq!(
            got.into_iter().collect::<Vec<_>>(),
            [("free".to_owned(), 10), ("pro".to_owned(), 1_000)]
        );
        for wrong in ["gold 5", "free", "free x", "free 1, free 2", "free -1"] {
            assert!(job_limits(wrong).is_err(), "{wrong}");
        }
    }
}
