//! The section `retention`: how long what is stored is kept; and which routes are switched off.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::Deserialize;

use crate::check::Rules;
use crate::humane::show_duration;
use crate::{Config, read};

/// How long what is stored is kept.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// After a job's end, 1 ms to 10 years; zero keeps jobs until they are deleted.
    #[serde(deserialize_with = "read::duration")]
    pub jobs: Duration,
    /// Time of day (UTC) of the daily sweep, since midnight; below 24 h.
    #[serde(deserialize_with = "read::time_of_day")]
    pub sweep_at: Duration,
    /// Age of a blob without a job before it is removed, 1 s to 30 days. Longer than a request
    /// takes: its blob is written before its row.
    #[serde(deserialize_with = "read::duration")]
    pub orphans_after: Duration,
}

/// The groups of routes that `server.maintenance` can switch off.
pub const ROUTE_GROUPS: [&str; 6] = [
    "jobs", "sessions", "webhooks", "hooks", "tenant", "contract",
];

pub(crate) fn bounds(rules: &mut Rules, config: &Config) {
    let (retention, server) = (&config.retention, &config.server);
    let days = |n: u64| Duration::from_secs(86_400 * n);
    for (key, value, bounds) in [
        (
            "retention.jobs",
            retention.jobs,
            Duration::ZERO..=days(3_660),
        ),
        (
            "retention.orphans_after",
            retention.orphans_after,
            Duration::from_secs(1)..=days(30),
        ),
        (
            "server.stream_heartbeat",
            server.stream_heartbeat,
            Duration::from_millis(10)..=Duration::from_mins(10),
        ),
    ] {
        rules.within(key, value, bounds, show_duration);
    }
    for (key, value) in [
        ("server.max_streams", server.max_streams),
        (
            "server.max_streams_per_tenant",
            server.max_streams_per_tenant,
        ),
    ] {
        rules.within(key, value, 1..=1_000_000, |n| n);
    }
}

/// Names of groups, parted by commas; empty is none.
pub(crate) fn route_groups(text: &str) -> Result<BTreeSet<&'static str>, String> {
    let names = text
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty());
    names
        .map(|name| {
            let known = ROUTE_GROUPS.into_iter().find(|known| *known == name);
            known.ok_or_else(|| {
                let known = ROUTE_GROUPS.join(", ");
                format!("must be a list of route groups, which are {known}")
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_of_routes_are_known_by_name() {
        let check = |text: &str, want: Option<&[&str]>| {
            let got = route_groups(text).ok();
            let got = got.map(|groups| groups.into_iter().collect::<Vec<_>>());
            assert_eq!(got.as_deref(), want, "{text}");
        };
        check("", Some(&[]));
        check("jobs", Some(&["jobs"]));
        check(" webhooks ,jobs,", Some(&["jobs", "webhooks"]));
        check("jobs sessions", None);
        check("about", None);
    }
}
