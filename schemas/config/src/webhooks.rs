//! The section `webhooks`: outgoing notifications, and the events that come in.

use std::time::Duration;

use serde::Deserialize;

use crate::check::Rules;
use crate::humane::show_duration;
use crate::{Config, Secret, read};

/// Notifications.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhooks {
    /// Endpoints may be `http://`.
    #[serde(deserialize_with = "read::switch")]
    pub allow_http: bool,
    /// Endpoints may have loopback and private addresses.
    #[serde(deserialize_with = "read::switch")]
    pub allow_private: bool,
    /// Longest time for one delivery, 10 ms to 30 s.
    #[serde(deserialize_with = "read::duration")]
    pub timeout: Duration,
    /// Longest time to connect, 1 ms to `timeout`.
    #[serde(deserialize_with = "read::duration")]
    pub connect_timeout: Duration,
    /// Deliveries under way at once, 1 to 4,096.
    #[serde(deserialize_with = "read::number")]
    pub concurrency: usize,
    /// The same to one endpoint, 1 to `concurrency`.
    #[serde(deserialize_with = "read::number")]
    pub per_endpoint: usize,
    /// Most webhooks of one tenant, 1 to 10,000.
    #[serde(deserialize_with = "read::number")]
    pub max_per_tenant: usize,
    /// An endpoint that has failed for so long is disabled, 1 ms to 30 days.
    #[serde(deserialize_with = "read::duration")]
    pub disable_after: Duration,
    /// How long the old secret signs beside the new one, at most 30 days.
    #[serde(deserialize_with = "read::duration")]
    pub secret_overlap: Duration,
    /// How long records of deliveries are kept, 1 hour to 1 year.
    #[serde(deserialize_with = "read::duration")]
    pub keep: Duration,
    /// Divides the pauses between attempts, 1 to 1,000,000.
    #[serde(deserialize_with = "read::number")]
    pub hurry: u32,
    /// What Event Grid shows with each delivery to `POST /v1/hooks/eventgrid`. `None`: there is no
    /// such route.
    #[serde(deserialize_with = "read::api_key")]
    pub event_grid_secret: Option<Secret>,
}

pub(crate) fn bounds(rules: &mut Rules, config: &Config) {
    let webhooks = &config.webhooks;
    let ms = Duration::from_millis;
    let days = |n: u64| Duration::from_secs(86_400 * n);
    for (key, value, bounds) in [
        ("webhooks.timeout", webhooks.timeout, ms(10)..=ms(30_000)),
        (
            "webhooks.connect_timeout",
            webhooks.connect_timeout,
            ms(1)..=ms(30_000),
        ),
        (
            "webhooks.disable_after",
            webhooks.disable_after,
            ms(1)..=days(30),
        ),
        (
            "webhooks.secret_overlap",
            webhooks.secret_overlap,
            ms(0)..=days(30),
        ),
        ("webhooks.keep", webhooks.keep, ms(3_600_000)..=days(366)),
    ] {
        rules.within(key, value, bounds, show_duration);
    }
    for (key, value, bounds) in [
        ("webhooks.concurrency", webhooks.concurrency, 1..=4_096),
        ("webhooks.per_endpoint", webhooks.per_endpoint, 1..=4_096),
        (
            "webhooks.max_per_tenant",
            webhooks.max_per_tenant,
            1..=10_000,
        ),
    ] {
        rules.within(key, value, bounds, |n| n);
    }
    rules.within("webhooks.hurry", webhooks.hurry, 1..=1_000_000, |n| n);
    let secret = webhooks.event_grid_secret.as_ref();
    rules.require(
        secret.is_none_or(|secret| secret.expose().len() >= 16),
        &["webhooks.event_grid_secret"],
        "must have at least 16 characters: whoever guesses it can send events",
    );
}

pub(crate) fn at_odds(rules: &mut Rules, config: &Config) {
    let webhooks = &config.webhooks;
    rules.require(
        webhooks.connect_timeout <= webhooks.timeout,
        &["webhooks.connect_timeout", "webhooks.timeout"],
        format!(
            "webhooks.connect_timeout ({}) must not be longer than webhooks.timeout ({})",
            show_duration(webhooks.connect_timeout),
            show_duration(webhooks.timeout)
        ),
    );
}
