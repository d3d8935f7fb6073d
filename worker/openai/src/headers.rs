//! What a provider says in headers: how long to wait, and what is left of its limits.

use std::time::Duration;

use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

/// A longer wait than this is not believed: the job would be forgotten.
const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// What is left of a provider's limits after a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RateLimits {
    /// Requests.
    pub requests: Window,
    /// Tokens, read and written.
    pub tokens: Window,
}

/// One limit; each part is there if the provider gave it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Window {
    /// The most that the window holds.
    pub limit: Option<u64>,
    /// What is left of it.
    pub remaining: Option<u64>,
    /// The time until it is whole again.
    pub reset: Option<Duration>,
}

impl RateLimits {
    /// Reads `x-ratelimit-{limit,remaining,reset}-{requests,tokens}`.
    pub(crate) fn read(headers: &HeaderMap) -> Option<Self> {
        let window = |unit: &str| Window {
            limit: number(headers, &format!("x-ratelimit-limit-{unit}")),
            remaining: number(headers, &format!("x-ratelimit-remaining-{unit}")),
            reset: text(headers, &format!("x-ratelimit-reset-{unit}"))
                .and_then(|value| seconds(value).or_else(|| parse_duration(value))),
        };
        let limits = Self {
            requests: window("requests"),
            tokens: window("tokens"),
        };
        (limits != Self::default()).then_some(limits)
    }
}

/// How long to wait, at most an hour: `retry-after-ms`, or `Retry-After` (RFC 9110, 10.2.3) as
/// seconds or as a date.
///
/// A date is compared with the answer's own `Date`: the difference is the server's, whatever our
/// clock says. Without a `Date` it says nothing.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let milliseconds = text(headers, "retry-after-ms")
        .and_then(|value| value.parse::<f64>().ok())
        .and_then(|value| Duration::try_from_secs_f64(value / 1000.0).ok());
    let wait = milliseconds.or_else(|| {
        let value = text(headers, RETRY_AFTER.as_str())?;
        seconds(value).or_else(|| {
            let until = httpdate::parse_http_date(value).ok()?;
            let now = httpdate::parse_http_date(text(headers, DATE.as_str())?).ok()?;
            Some(until.duration_since(now).unwrap_or_default())
        })
    })?;
    Some(wait.min(LONGEST_WAIT))
}

/// The provider's id of the request.
pub(crate) fn request_id(headers: &HeaderMap) -> Option<String> {
    ["x-request-id", "apim-request-id"]
        .iter()
        .find_map(|name| text(headers, name))
        .filter(|value| value.len() <= 128)
        .map(str::to_owned)
}

/// Reads durations as Go writes them, and the fake's script: `200ms`, `1.5s`, `6m0s`, `1h`.
pub(crate) fn parse_duration(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut total = Duration::ZERO;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (value, after) = rest.split_at(digits);
        let letters = after
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(after.len());
        let (unit, next) = after.split_at(letters);
        let factor = match unit {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 1e-3,
            "us" | "µs" => 1e-6,
            "ns" => 1e-9,
            _ => return None,
        };
        let part = Duration::try_from_secs_f64(value.parse::<f64>().ok()? * factor).ok()?;
        total = total.checked_add(part)?;
        rest = next;
    }
    Some(total)
}

fn seconds(value: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(value.parse().ok()?).ok()
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    text(headers, name)?.parse().ok()
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(k, v)| (k.parse().unwrap(), v.parse().unwrap()))
            .collect()
    }

    #[test]
    fn waits() {
        const NOW: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
        let check = |pairs: &[(&'static str, &'static str)], milliseconds: Option<u64>| {
            assert_eq!(
                retry_after(&headers(pairs)),
                milliseconds.map(Duration::from_millis),
                "{pairs:?}"
            );
        };
        check(&[], None);
        check(&[("retry-after", "2")], Some(2000));
        check(&[("retry-after", " 0.5 ")], Some(500));
        check(&[("retry-after", "0")], Some(0));
        check(&[("retry-after", "-1")], None);
        check(&[("retry-after", "NaN")], None);
        check(&[("retry-after", "soon")], None);
        check(&[("retry-after", "99999999")], Some(3_600_000));
        check(
            &[("retry-after-ms", "250"), ("retry-after", "9")],
            Some(250),
        );
        check(&[("retry-after-ms", "x"), ("retry-after", "9")], Some(9000));
        check(
            &[
                ("retry-after", "Sun, 06 Nov 1994 08:49:47 GMT"),
                ("date", NOW),
            ],
            Some(10_000),
        );
        check(
            &[
                ("retry-after", "Sun, 06 Nov 1994 08:49:00 GMT"),
                ("date", NOW),
            ],
            Some(0),
        );
        check(&[("retry-after", "Sun, 06 Nov 1994 08:49:47 GMT")], None);
    }

    #[test]
    fn durations() {
        for (given, expect) in [
            ("200ms", Some(200)),
            ("1.5s", Some(1500)),
            ("6m0s", Some(360_000)),
            ("1h2m3s", Some(3_723_000)),
            ("0s", Some(0)),
            ("", None),
            ("5", None),
            ("s", None),
            ("5 s", None),
            ("1.2.3s", None),
            ("-1s", None),
            ("9999999999999999999999h", None),
        ] {
            assert_eq!(
                parse_duration(given),
                expect.map(Duration::from_millis),
                "{given:?}"
            );
        }
    }

    #[test]
    fn limits() {
        assert_eq!(RateLimits::read(&headers(&[("x-other", "1")])), None);
        let read = RateLimits::read(&headers(&[
            ("x-ratelimit-limit-requests", "500"),
            ("x-ratelimit-remaining-requests", "499"),
            ("x-ratelimit-reset-requests", "120ms"),
            ("x-ratelimit-remaining-tokens", "many"),
            ("x-ratelimit-reset-tokens", "6m0s"),
        ]))
        .unwrap();
        assert_eq!(
            read,
            RateLimits {
                requests: Window {
                    limit: Some(500),
                    remaining: Some(499),
                    reset: Some(Duration::from_millis(120)),
                },
                tokens: Window {
                    reset: Some(Duration::from_mins(6)),
                    ..Window::default()
                },
            }
        );
    }
}
