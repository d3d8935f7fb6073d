//! Settings as people write them: durations, sizes, switches, numbers, choices, URLs.
//!
//! Each function takes trimmed text and answers with the value, or with a sentence that says what
//! is wrong. The sentence never repeats the text, which may be a secret set under a wrong name.

use std::fmt::Write as _;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

use crate::Secret;

type Parsed<T> = Result<T, String>;

/// Milliseconds of each unit, longest first.
const TIME_UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// Bytes of each unit, compared without case.
const SIZE_UNITS: [(&str, u64); 8] = [
    ("", 1),
    ("b", 1),
    ("kb", 1_000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
];

/// `300ms`, `90s`, `1m30s`, `24h`, `7d`; a bare number is seconds.
pub(crate) fn duration(text: &str) -> Parsed<Duration> {
    let fault = || "must be a duration such as 300ms, 90s, 1m30s or 24h".to_owned();
    if let Ok(seconds) = text.parse::<u32>() {
        return Ok(Duration::from_secs(seconds.into()));
    }
    let mut rest = text;
    let mut millis: u64 = 0;
    let mut longest_left = TIME_UNITS.as_slice();
    while !rest.is_empty() {
        let (number, after) = leading_number(rest).ok_or_else(fault)?;
        let end = after
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        // Only shorter units may follow, so that "30s1m" and "1s1s" are not read by guessing.
        let place = longest_left
            .iter()
            .position(|(name, _)| *name == unit)
            .ok_or_else(fault)?;
        let part = number
            .checked_mul(longest_left[place].1)
            .ok_or_else(fault)?;
        millis = millis.checked_add(part).ok_or_else(fault)?;
        longest_left = &longest_left[place + 1..];
        rest = after;
    }
    if text.is_empty() {
        Err(fault())
    } else {
        Ok(Duration::from_millis(millis))
    }
}

/// The form that [`duration`] reads.
pub(crate) fn show_duration(value: Duration) -> String {
    let mut left = u64::try_from(value.as_millis()).unwrap_or(u64::MAX);
    let mut text = String::new();
    for (unit, millis) in TIME_UNITS {
        if left >= millis {
            let _ = write!(text, "{}{unit}", left / millis);
            left %= millis;
        }
    }
    if text.is_empty() {
        "0s".to_owned()
    } else {
        text
    }
}

/// `10MB` (powers of 1000), `10MiB` (powers of 1024), or bare bytes.
pub(crate) fn size(text: &str) -> Parsed<u64> {
    let fault = || "must be a size such as 64kB, 10MB, 10MiB or a number of bytes".to_owned();
    let (number, unit) = leading_number(text).ok_or_else(fault)?;
    let unit = unit.trim_start().to_ascii_lowercase();
    let (_, bytes) = SIZE_UNITS
        .iter()
        .find(|(name, _)| *name == unit)
        .ok_or_else(fault)?;
    number.checked_mul(*bytes).ok_or_else(fault)
}

/// The form that [`size`] reads, exact.
pub(crate) fn show_size(bytes: u64) -> String {
    for (unit, factor) in [("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000)] {
        if bytes >= factor && bytes.is_multiple_of(factor) {
            return format!("{}{unit}", bytes / factor);
        }
    }
    bytes.to_string()
}

fn leading_number(text: &str) -> Option<(u64, &str)> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    digits.parse().ok().map(|number| (number, rest))
}

/// `1/0`, `true/false`, `yes/no`, `on/off`, in any case.
pub(crate) fn switch(text: &str) -> Parsed<bool> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Ok(true),
        "0" | "false" | "no" | "off" => Ok(false),
        _ => Err("must be true or false (yes/no, on/off and 1/0 are understood)".to_owned()),
    }
}

/// A whole number that fits its type.
pub(crate) fn number<T: FromStr>(text: &str) -> Parsed<T> {
    text.parse()
        .map_err(|_| "must be a whole number".to_owned())
}

/// As [`number`], where 0 means "not set".
pub(crate) fn optional_number(text: &str) -> Parsed<Option<NonZeroU32>> {
    number(text).map(NonZeroU32::new)
}

/// Address and port, such as `127.0.0.1:8080` or `[::1]:8080`.
pub(crate) fn address(text: &str) -> Parsed<std::net::SocketAddr> {
    text.parse()
        .map_err(|_| "must be an IP address and a port, separated by a colon".to_owned())
}

/// One of a fixed set of words, compared without case. Names after the first are synonyms.
pub(crate) fn choice<T: Copy>(text: &str, words: &[(&[&str], T)]) -> Parsed<T> {
    words
        .iter()
        .find(|(names, _)| names.iter().any(|name| name.eq_ignore_ascii_case(text)))
        .map(|(_, value)| *value)
        .ok_or_else(|| {
            let named = words.iter().filter_map(|(names, _)| match names {
                [] => None,
                [name] => Some((*name).to_owned()),
                [name, others @ ..] => Some(format!("{name} (or {})", others.join(", "))),
            });
            let named: Vec<String> = named.collect();
            format!("must be one of: {}", named.join(", "))
        })
}

/// Text without control characters, not empty.
pub(crate) fn text(text: &str) -> Parsed<String> {
    optional_text(text)?.ok_or_else(|| "must not be empty".to_owned())
}

/// Text without control characters; empty means "not set".
pub(crate) fn optional_text(text: &str) -> Parsed<Option<String>> {
    if text.chars().any(char::is_control) {
        return Err("must not hold control characters such as line breaks".to_owned());
    }
    Ok(Some(text.to_owned()).filter(|t| !t.is_empty()))
}

/// An API key, which travels in a header: visible ASCII (RFC 9110, section 5.5). Empty is "not set".
pub(crate) fn api_key(text: &str) -> Parsed<Option<Secret>> {
    if !text.chars().all(|c| c.is_ascii_graphic()) {
        return Err("must hold visible ASCII characters only, no spaces".to_owned());
    }
    Ok(Some(Secret::new(text)).filter(|_| !text.is_empty()))
}

/// A time of day as `HH:MM`, since midnight.
pub(crate) fn time_of_day(text: &str) -> Parsed<Duration> {
    let two = |part: &str| {
        let digits = part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| part.parse::<u64>().ok()).flatten()
    };
    let parts = text
        .split_once(':')
        .and_then(|(h, m)| Some((two(h)?, two(m)?)));
    match parts {
        Some((hours @ 0..=23, minutes @ 0..=59)) => {
            Ok(Duration::from_secs(hours * 3_600 + minutes * 60))
        }
        _ => Err("must be a time of day such as 03:00 or 21:30".to_owned()),
    }
}

/// A webhook's key in the form of Standard Webhooks 1.0.0. Empty is "not set".
pub(crate) fn webhook_secret(text: &str) -> Parsed<Option<Secret>> {
    if text.is_empty() {
        return Ok(None);
    }
    let key = text
        .strip_prefix("whsec_")
        .map(|key| key.trim_end_matches('='));
    let base64 = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/');
    // 24 to 64 bytes, as the specification asks, are 32 to 86 characters.
    match key {
        Some(key) if (32..=86).contains(&key.len()) && key.bytes().all(base64) => {
            Ok(Some(Secret::new(text)))
        }
        _ => {
            Err("must be whsec_ and 24 to 64 bytes in base64, as the provider shows it".to_owned())
        }
    }
}

/// A connection string of Azure Storage; only its general form is checked. Empty is "not set".
pub(crate) fn connection_string(text: &str) -> Parsed<Option<Secret>> {
    const HINTS: [&str; 4] = [
        "UseDevelopmentStorage=true",
        "AccountName=",
        "SharedAccessSignature=",
        "Endpoint=",
    ];
    let Some(text) = optional_text(text)? else {
        return Ok(None);
    };
    if HINTS.iter().any(|hint| text.contains(hint)) {
        Ok(Some(Secret::new(text)))
    } else {
        Err(
            "must be a connection string, made of Name=value pairs separated by semicolons"
                .to_owned(),
        )
    }
}

/// Name of a storage account: 3 to 24 lower-case letters and digits (Azure's naming rules).
pub(crate) fn account_name(text: &str) -> Parsed<Option<String>> {
    let fits = text
        .chars()
        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    match text.len() {
        0 => Ok(None),
        3..=24 if fits => Ok(Some(text.to_owned())),
        _ => Err("must be 3 to 24 lower-case letters and digits".to_owned()),
    }
}

/// An `http` or `https` URL to which paths are appended; it ends without a slash. Empty is "not set".
pub(crate) fn base_url(text: &str) -> Parsed<Option<String>> {
    if text.is_empty() {
        return Ok(None);
    }
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    let host = rest
        .and_then(|rest| rest.split('/').next())
        .unwrap_or_default();
    if host.is_empty() || !text.chars().all(|c| c.is_ascii_graphic()) {
        return Err("must be a URL that begins with https:// or http://".to_owned());
    }
    if text.contains(['?', '#']) || host.contains('@') {
        return Err("must be a plain URL, without user name, query or fragment".to_owned());
    }
    Ok(Some(text.trim_end_matches('/').to_owned()))
}

/// A log filter; the level names of Python's logging are understood, as the former service had them.
pub(crate) fn log_filter(text: &str) -> Parsed<String> {
    let word = text.to_ascii_lowercase();
    match word.as_str() {
        "error" | "warn" | "info" | "debug" | "trace" | "off" => Ok(word),
        "warning" => Ok("warn".to_owned()),
        "critical" | "fatal" => Ok("error".to_owned()),
        // A lone word would be taken for a module's name, and everything else would fall silent.
        _ if !text.contains(['=', ',']) => Err(
            "must be error, warn, info, debug, trace or off, or a filter with target=level"
                .to_owned(),
        ),
        _ => self::text(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        let check = |text: &str, millis: Option<u64>| {
            assert_eq!(
                duration(text).ok(),
                millis.map(Duration::from_millis),
                "{text:?}"
            );
        };
        check("300ms", Some(300));
        check("90s", Some(90_000));
        check("90", Some(90_000));
        check("1m30s", Some(90_000));
        check("1h5ms", Some(3_600_005));
        check("7d", Some(604_800_000));
        check("0s", Some(0));
        for bad in [
            "", "s", "-1s", "1.5s", "10 s", "1s1s", "30s1m", "5min", "90S", "1m30",
        ] {
            check(bad, None);
        }
        check("18446744073709551615d", None);
        check("99999999999999999999", None);
    }

    #[test]
    fn times_of_day() {
        let check = |text: &str, seconds: Option<u64>| {
            let got = time_of_day(text).ok();
            assert_eq!(got, seconds.map(Duration::from_secs), "{text:?}");
        };
        check("03:00", Some(10_800));
        check("23:59", Some(86_340));
        for bad in ["", "3:00", "24:00", "03:60", "0300", "03:00:00", "+3:00"] {
            check(bad, None);
        }
    }

    #[test]
    fn durations_read_back_as_shown() {
        let check = |millis: u64, shown: &str| {
            let value = Duration::from_millis(millis);
            assert_eq!(show_duration(value), shown);
            assert_eq!(duration(shown), Ok(value));
        };
        check(0, "0s");
        check(50, "50ms");
        check(90_000, "1m30s");
        check(86_400_000, "1d");
        check(3_600_001, "1h1ms");
    }

    #[test]
    fn sizes() {
        let check = |text: &str, bytes: Option<u64>| {
            assert_eq!(size(text).ok(), bytes, "{text:?}");
        };
        check("10485760", Some(10_485_760));
        check("10MB", Some(10_000_000));
        check("10 mb", Some(10_000_000));
        check("10MiB", Some(10_485_760));
        check("64kB", Some(64_000));
        check("2GiB", Some(2_147_483_648));
        for bad in ["", "MB", "-1", "1.5MB", "10MX", "99999999999GB"] {
            check(bad, None);
        }
    }

    #[test]
    fn sizes_read_back_as_shown() {
        for (bytes, shown) in [
            (0, "0"),
            (999, "999"),
            (15_000_000, "15MB"),
            (1_500, "1500"),
        ] {
            assert_eq!(show_size(bytes), shown);
            assert_eq!(size(shown), Ok(bytes));
        }
    }

    #[test]
    fn switches() {
        for text in ["1", "true", "YES", "On"] {
            assert_eq!(switch(text), Ok(true), "{text}");
        }
        for text in ["0", "False", "no", "OFF"] {
            assert_eq!(switch(text), Ok(false), "{text}");
        }
        for text in ["", "2", "y", "enabled"] {
            assert!(switch(text).is_err(), "{text}");
        }
    }

    #[test]
    fn base_urls() {
        let check = |text: &str, expect: Option<&str>| {
            assert_eq!(base_url(text).ok().flatten().as_deref(), expect, "{text:?}");
        };
        check(
            "https://api.example.com/v1/",
            Some("https://api.example.com/v1"),
        );
        check("http://127.0.0.1:8081", Some("http://127.0.0.1:8081"));
        for bad in [
            "api.example.com",
            "https://",
            "https:///v1",
            "ftp://x",
            "https://u:p@x/",
            "https://x?y",
        ] {
            check(bad, None);
            assert!(base_url(bad).is_err(), "{bad}");
        }
        assert_eq!(base_url(""), Ok(None));
    }

    #[test]
    fn log_filters() {
        let check = |text: &str, expect: Option<&str>| {
            assert_eq!(log_filter(text).ok().as_deref(), expect, "{text:?}");
        };
        check("INFO", Some("info"));
        check("WARNING", Some("warn"));
        check("CRITICAL", Some("error"));
        check("info,worker=debug", Some("info,worker=debug"));
        check("storage=trace", Some("storage=trace"));
        check("verbose", None);
        check("", None);
    }

    #[test]
    fn texts_that_would_break_a_header_or_a_log_line() {
        assert!(text("a\nb").is_err());
        assert!(text("").is_err());
        assert!(api_key("sk-abc def").is_err());
        assert!(api_key("sk-\u{201c}abc\u{201d}").is_err());
        assert_eq!(api_key("sk-abc"), Ok(Some(Secret::new("sk-abc"))));
        assert!(connection_string("hello").is_err());
        assert_eq!(connection_string(""), Ok(None));
        assert!(account_name("Presswork").is_err());
        assert!(account_name("pr").is_err());
        assert_eq!(
            account_name("presswork1"),
            Ok(Some("presswork1".to_owned()))
        );
    }
}
