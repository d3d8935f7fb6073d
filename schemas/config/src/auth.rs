//! The section `auth`: who may call, and how a credential is proved.

use std::time::Duration;

use serde::Deserialize;

use crate::check::Rules;
use crate::humane::{self, show_duration};
use crate::{Config, Secret, read};

/// Shortest secret that signs tokens: as many characters as HS256 has bytes (RFC 7518, section 3.2).
const SHORTEST_SECRET: usize = 32;

/// Words of secrets that stand in examples, compared without case and punctuation.
const PLACEHOLDERS: [&str; 14] = [
    "changeme",
    "changethis",
    "changein",
    "secret",
    "password",
    "placeholder",
    "example",
    "default",
    "insecure",
    "replace",
    "your",
    "sample",
    "dummy",
    "openssl",
];

/// Who may call.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Auth {
    /// Whether callers without a credential are served.
    #[serde(deserialize_with = "read::anonymous")]
    pub anonymous: Anonymous,
    /// Signs HS256 tokens (RFC 7518, section 3.2), at least 32 characters. `None`: no such token
    /// counts.
    #[serde(deserialize_with = "read::token_secret")]
    pub jwt_secret: Option<Secret>,
    /// Where the public keys of an issuer of RS256 and ES256 tokens are (RFC 7517, section 5).
    #[serde(deserialize_with = "read::jwks_url")]
    pub jwks_url: Option<String>,
    /// The `iss` that every token must have; always there with `jwks_url`.
    #[serde(deserialize_with = "read::optional_text")]
    pub issuer: Option<String>,
    /// The `aud` that every token must have; always there with `jwks_url`.
    #[serde(deserialize_with = "read::optional_text")]
    pub audience: Option<String>,
    /// The claim with the tenant's name, not empty.
    #[serde(deserialize_with = "read::text")]
    pub tenant_claim: String,
    /// The claim with the tier's name, not empty.
    #[serde(deserialize_with = "read::text")]
    pub tier_claim: String,
    /// How far clocks may differ in `exp` and `nbf`. At most 5 min.
    #[serde(deserialize_with = "read::duration")]
    pub leeway: Duration,
    /// Age at which the issuer's keys are fetched again, 1 s to 1 day.
    #[serde(deserialize_with = "read::duration")]
    pub jwks_refresh: Duration,
    /// Least time between two fetches, whatever asks for them, 100 ms to 1 h.
    #[serde(deserialize_with = "read::duration")]
    pub jwks_pause: Duration,
    /// How long both the old and the new key work after a rotation. At most 90 days.
    #[serde(deserialize_with = "read::duration")]
    pub key_grace: Duration,
}

/// Whether callers without a credential are served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anonymous {
    /// Where only this machine can call: on a loopback address, with no proxy in front.
    Auto,
    /// Everywhere.
    On,
    /// Nowhere.
    Off,
}

impl Config {
    /// Whether callers without a credential are served at the configured address.
    pub fn serves_anonymous(&self) -> bool {
        match self.auth.anonymous {
            Anonymous::On => true,
            Anonymous::Off => false,
            Anonymous::Auto => self.server.listen.ip().is_loopback() && self.limits.proxy_hops == 0,
        }
    }
}

/// A secret that signs tokens. Empty is "not set".
pub(crate) fn token_secret(text: &str) -> Result<Option<Secret>, String> {
    let Some(text) = humane::optional_text(text)? else {
        return Ok(None);
    };
    if text.chars().count() < SHORTEST_SECRET {
        return Err(format!(
            "must have at least {SHORTEST_SECRET} characters: whoever guesses it is every tenant"
        ));
    }
    if looks_like_placeholder(&text) {
        return Err("looks like a placeholder: make a random one".to_owned());
    }
    Ok(Some(Secret::new(text)))
}

/// A text that a person typed or copied from a manual, and not a random one.
fn looks_like_placeholder(text: &str) -> bool {
    let plain: String = text
        .chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect();
    let letters: Vec<char> = text.chars().collect();
    let repeats = |unit: usize| {
        letters
            .iter()
            .skip(unit)
            .eq(&letters[..letters.len() - unit])
    };
    let mut distinct = letters.clone();
    distinct.sort_unstable();
    distinct.dedup();
    PLACEHOLDERS.iter().any(|word| plain.contains(word))
        || distinct.len() < 8
        || (1..=letters.len() / 2).any(repeats)
}

/// Where an issuer's keys are: `https`, or `http` on this very machine, where nobody listens in.
pub(crate) fn jwks_url(text: &str) -> Result<Option<String>, String> {
    let url = humane::base_url(text)?;
    let is_safe = |url: &str| {
        let Some(rest) = url.strip_prefix("http://") else {
            return true;
        };
        let host = rest.split('/').next().unwrap_or_default();
        let host = match host.rsplit_once(':') {
            Some((host, _)) if !host.ends_with(':') => host,
            _ => host,
        };
        host == "localhost"
            || host
                .trim_matches(['[', ']'])
                .parse::<std::net::IpAddr>()
                .is_ok_and(|ip| ip.is_loopback())
    };
    if url.as_deref().is_none_or(is_safe) {
        Ok(url)
    } else {
        Err(
            "must begin with https://: keys that anybody on the way can change prove nothing"
                .into(),
        )
    }
}

pub(crate) fn bounds(rules: &mut Rules, config: &Config) {
    let auth = &config.auth;
    let ms = Duration::from_millis;
    let days = |n: u64| Duration::from_secs(86_400 * n);
    for (key, value, bounds) in [
        ("auth.leeway", auth.leeway, ms(0)..=ms(300_000)),
        ("auth.jwks_refresh", auth.jwks_refresh, ms(1_000)..=days(1)),
        ("auth.jwks_pause", auth.jwks_pause, ms(100)..=ms(3_600_000)),
        ("auth.key_grace", auth.key_grace, ms(0)..=days(90)),
    ] {
        rules.within(key, value, bounds, show_duration);
    }
}

pub(crate) fn at_odds(rules: &mut Rules, config: &Config) {
    let auth = &config.auth;
    // An issuer signs for all that trust it: only these two say that a token is meant for us.
    for (key, set) in [
        ("auth.issuer", auth.issuer.is_some()),
        ("auth.audience", auth.audience.is_some()),
    ] {
        rules.require(
            auth.jwks_url.is_none() || set,
            &["auth.jwks_url", key],
            format!("is of no use without the other: auth.jwks_url needs {key}"),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_examples_are_refused() {
        let check = |text: &str, expect: bool| {
            assert_eq!(
                token_secret(text).is_ok_and(|s| s.is_some()),
                expect,
                "{text}"
            );
        };
        check("q7Hn0xw2Vd9sLk4TzB1cRm6YfGp3JaEe", true);
        check("4f9c0b7a1e6d2c8358a7f0e1d9b3c64275fa", true);
        check("correct horse battery staple, and a bit more", true);
        check("q7Hn0xw2Vd9sLk4TzB1cRm6YfGp3JaE", false);
        check("the output of $(openssl rand -base64 48)", false);
        check("your-256-bit-key-goes-here-and-so-on", false);
        check("my_super_SECRET_key_1234567890123456789", false);
        check("please-change-me-please-0192837465-zyx", false);
        check("CHANGE_THIS_IN_PRODUCTION_0192837465", false);
        check("p-a-s-s-w-o-r-d-0192837465-abcdefghijk", false);
        check(&"a".repeat(64), false);
        check(&"abcdefgh".repeat(5), false);
        check("12345678901234567890123456789012", false);
        check("0123456789abcdef0123456789abcdef", false);
        check("abababababababcdcdcdcdcdcdcdcdcdcdcd", false);
    }

    #[test]
    fn keys_of_an_issuer_come_over_tls_or_from_this_machine() {
        let check = |text: &str, expect: bool| {
            assert_eq!(jwks_url(text).is_ok_and(|u| u.is_some()), expect, "{text}");
        };
        check("https://login.example.org/keys", true);
        check("http://127.0.0.1:8099/keys", true);
        check("http://[::1]:8099/keys", true);
        check("http://localhost/keys", true);
        check("http://login.example.org/keys", false);
        check("http://127.0.0.1.example.org/keys", false);
        check("http://localhost.example.org/keys", false);
        check("http://10.0.0.1/keys", false);
        check("ftp://127.0.0.1/keys", false);
        check("https://user@login.example.org/keys", false);
    }
}
