//! The section `http`: what browsers may do with the answers, and how many connections there may be.

use std::time::Duration;

use serde::Deserialize;

use crate::check::Rules;
use crate::humane::show_duration;
use crate::{Config, read};

/// Connections and browsers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Http {
    /// Origins whose scripts may call the API with credentials, as browsers send them in `Origin`
    /// (RFC 6454, section 6.2).
    #[serde(deserialize_with = "read::origins")]
    pub cors_origins: Vec<String>,
    /// `max-age` of `Strict-Transport-Security` (RFC 6797), at most 10 years; zero sends none.
    #[serde(deserialize_with = "read::duration")]
    pub hsts: Duration,
    /// Most connections open at once, 16 to 1,000,000.
    #[serde(deserialize_with = "read::number")]
    pub max_connections: usize,
    /// Longest time for a request's head to arrive, and for a connection to be idle; 10 ms to 1 h.
    #[serde(deserialize_with = "read::duration")]
    pub header_timeout: Duration,
}

pub(crate) fn bounds(rules: &mut Rules, config: &Config) {
    let http = &config.http;
    let years = |n: u64| Duration::from_secs(86_400 * 366 * n);
    for (key, value, bounds) in [
        ("http.hsts", http.hsts, Duration::ZERO..=years(10)),
        (
            "http.header_timeout",
            http.header_timeout,
            Duration::from_millis(10)..=Duration::from_hours(1),
        ),
    ] {
        rules.within(key, value, bounds, show_duration);
    }
    let connections = http.max_connections;
    rules.within("http.max_connections", connections, 16..=1_000_000, |n| n);
}

/// A JSON list of origins, such as `["https://app.example.com"]`; an empty text is an empty list.
pub(crate) fn origins(text: &str) -> Result<Vec<String>, String> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let origins: Vec<String> = serde_json::from_str(text)
        .map_err(|_| r#"must be a JSON list of texts, such as ["https://app.example.com"]"#)?;
    origins.iter().try_for_each(|text| origin(text))?;
    Ok(origins)
}

/// Any difference to what a browser sends would make the entry useless, and nobody would know why.
fn origin(text: &str) -> Result<(), String> {
    let wrong = |why: &str| Err(format!("has {text:?}: {why}"));
    if text == "*" {
        return wrong(
            "name each origin; callers send credentials, so not everybody may read the answers",
        );
    }
    let Some((scheme @ ("http" | "https"), authority)) = text.split_once("://") else {
        return wrong("an origin begins with https:// or http://");
    };
    if authority.is_empty() || authority.contains(['/', '?', '#', '@', '*']) {
        return wrong(
            "an origin is scheme, host and perhaps port, without a path and without a slash at the end",
        );
    }
    let sent = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-._:[]".contains(c);
    if !authority.chars().all(sent) {
        return wrong(
            "browsers send the host in lower case, and other alphabets in the form xn--...",
        );
    }
    let default_port = if scheme == "https" { ":443" } else { ":80" };
    if authority.ends_with(default_port) {
        return wrong("browsers leave the default port out");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_what_browsers_send() {
        let check = |text: &str, want: Option<&[&str]>| {
            let read = origins(text);
            assert_eq!(
                read.as_deref().ok(),
                want.map(|w| w.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>())
                    .as_deref(),
                "{text}: {read:?}"
            );
        };
        check("", Some(&[]));
        check("[]", Some(&[]));
        check(
            r#"["https://app.example.com", "http://localhost:3000"]"#,
            Some(&["https://app.example.com", "http://localhost:3000"]),
        );
        check(r#"["http://[::1]:8080"]"#, Some(&["http://[::1]:8080"]));
        check("https://app.example.com", None);
        check(r#"["*"]"#, None);
        check(r#"["null"]"#, None);
        check(r#"["https://app.example.com/"]"#, None);
        check(r#"["https://*.example.com"]"#, None);
        check(r#"["https://App.example.com"]"#, None);
        check(r#"["https://app.example.com:443"]"#, None);
        check(r#"["app.example.com"]"#, None);
        check("[1]", None);
    }
}
