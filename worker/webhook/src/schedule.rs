//! When a delivery that failed is tried again: the schedule of Standard Webhooks 1.0.0.
//!
//! Pure: the randomness is given, and so is the present where it matters.

use std::time::Duration;

use jiff::Timestamp;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

/// Seconds before each attempt, counted from the failure of the one before.
const PAUSES: [u64; 10] = [
    0,
    5,
    5 * MINUTE,
    30 * MINUTE,
    2 * HOUR,
    5 * HOUR,
    10 * HOUR,
    14 * HOUR,
    20 * HOUR,
    24 * HOUR,
];

/// How often a delivery is tried in all. After the last it is a dead letter.
pub const ATTEMPTS: u32 = PAUSES.len() as u32;

/// An endpoint that asks for more patience than this does not get it.
pub const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(24 * HOUR);

/// The pause before the next attempt, after `attempts` of them; `None` when there is no next one.
///
/// `next(0, ..)` is zero. Later pauses are never shorter than the schedule's or than the
/// `Retry-After` of the last answer, of which at most a day counts, and up to a fifth longer, as
/// `random` decides: endpoints that failed together are not asked together again.
pub fn next(attempts: u32, retry_after: Option<Duration>, random: u64) -> Option<Duration> {
    let seconds = *PAUSES.get(usize::try_from(attempts).ok()?)?;
    if attempts == 0 {
        return Some(Duration::ZERO);
    }
    let asked = retry_after.unwrap_or_default().min(LONGEST_RETRY_AFTER);
    let pause = Duration::from_secs(seconds).max(asked);
    let most = (pause / 5).as_millis();
    let jitter = (most * u128::from(random)) >> 64;
    Some(pause + Duration::from_millis(jitter as u64))
}

/// Reads `Retry-After`: seconds, or a date of HTTP (RFC 9110, section 10.2.3), of which at most a
/// day counts. A date that is past asks for nothing. `None` for anything else.
pub fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
        // More digits than a number holds are still a long time.
        let seconds = value.parse().unwrap_or(u64::MAX);
        return Some(Duration::from_secs(seconds).min(LONGEST_RETRY_AFTER));
    }
    let date = Timestamp::try_from(httpdate::parse_http_date(value).ok()?).ok()?;
    let pause = Duration::try_from(date.duration_since(now)).unwrap_or_default();
    Some(pause.min(LONGEST_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: fn(u64) -> Duration = Duration::from_secs;

    #[test]
    fn the_pauses_are_those_of_the_specification() {
        let least: Vec<u64> = (0..ATTEMPTS)
            .map(|attempts| next(attempts, None, 0).unwrap().as_secs())
            .collect();
        assert_eq!(
            least,
            [
                0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400
            ]
        );
        for attempts in [ATTEMPTS, ATTEMPTS + 1, u32::MAX] {
            assert_eq!(next(attempts, Some(S(1)), 0), None);
        }
    }

    #[test]
    fn chance_makes_them_longer_by_up_to_a_fifth() {
        for attempts in 1..ATTEMPTS {
            let pause = |random| next(attempts, None, random).unwrap();
            let (least, most) = (pause(0), pause(u64::MAX));
            assert!(most <= least + least / 5, "{least:?} {most:?}");
            assert!(most >= least + least / 6, "{least:?} {most:?}");
            let middle = pause(u64::MAX / 2);
            assert!(least < middle && middle < most, "{middle:?}");
        }
        assert_eq!(next(0, Some(S(60)), u64::MAX), Some(S(0)));
    }

    #[test]
    fn what_the_endpoint_asks_for_counts_for_a_day_at_most() {
        for (attempts, asked, expect) in [
            (1, S(0), S(5)),
            (1, S(3), S(5)),
            (1, S(90), S(90)),
            (2, S(90), S(300)),
            (9, S(3_600), S(86_400)),
            (1, S(86_401), S(86_400)),
            (1, Duration::MAX, S(86_400)),
        ] {
            assert_eq!(next(attempts, Some(asked), 0), Some(expect), "{asked:?}");
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        for (value, expect) in [
            ("0", Some(0)),
            ("120", Some(120)),
            (" 120 ", Some(120)),
            ("86401", Some(86_400)),
            ("99999999999999999999999999", Some(86_400)),
            ("Sun, 01 Mar 2026 12:02:00 GMT", Some(120)),
            ("Sunday, 01-Mar-26 12:02:00 GMT", Some(120)),
            ("Sun Mar  1 12:02:00 2026", Some(120)),
            ("Sun, 01 Mar 2026 11:00:00 GMT", Some(0)),
            ("Fri, 01 Jan 2100 00:00:00 GMT", Some(86_400)),
            ("Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
            ("", None),
            ("-1", None),
            ("+1", None),
            ("1.5", None),
            ("1, 2", None),
            ("soon", None),
            ("2026-03-01T12:02:00Z", None),
            ("Sun, 32 Mar 2026 12:02:00 GMT", None),
        ] {
            assert_eq!(retry_after(value, now), expect.map(S), "{value}");
        }
    }
}
