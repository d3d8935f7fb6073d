//! Settings of what is told to the operator's monitoring: traces, metrics and sampled log entries.

use std::net::SocketAddr;
use std::time::Duration;

use serde::Deserialize;

use crate::{Secret, humane, read};

/// Longest list of headers or attributes, in bytes.
const LONGEST_LIST: usize = 8 * 1024;

/// Traces and metrics. Nothing is collected unless an exporter or the metrics port is set.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Telemetry {
    /// `false` turns all of it off, whatever else is set.
    #[serde(deserialize_with = "read::switch")]
    pub enabled: bool,
    /// Base URL of an OTLP receiver (http/protobuf), without `/v1/traces`.
    #[serde(deserialize_with = "read::base_url")]
    pub otlp_endpoint: Option<String>,
    /// Headers for it, as [`pairs`] reads them.
    #[serde(deserialize_with = "read::header_list")]
    pub otlp_headers: Option<Secret>,
    /// Connection string of an Application Insights resource.
    #[serde(deserialize_with = "read::application_insights")]
    pub application_insights: Option<Secret>,
    /// Name of the service; `None` is the program's own.
    #[serde(deserialize_with = "read::optional_text")]
    pub service_name: Option<String>,
    /// Further attributes of the resource, as [`pairs`] reads them.
    #[serde(deserialize_with = "read::attribute_list")]
    pub resource_attributes: Option<String>,
    /// Share of the traces that begin here which is kept; those of a caller are decided by it.
    #[serde(deserialize_with = "read::share")]
    pub trace_sample: Share,
    /// Time between exports of metrics and samples of the queues, 1 s to 1 h.
    #[serde(deserialize_with = "read::duration")]
    pub metrics_every: Duration,
    /// Where Prometheus reads `/metrics`; `None` is nowhere.
    #[serde(deserialize_with = "read::optional_address")]
    pub metrics_listen: Option<SocketAddr>,
    /// Share of the successful jobs that get a `PDF_METRICS_SAMPLE` log entry.
    #[serde(deserialize_with = "read::share")]
    pub pdf_metrics_sample: Share,
    /// Longest time at the end of the program to send what is left, at most 1 min.
    #[serde(deserialize_with = "read::duration")]
    pub shutdown_grace: Duration,
}

impl Telemetry {
    /// Whether traces go anywhere.
    pub fn traces(&self) -> bool {
        self.enabled && (self.otlp_endpoint.is_some() || self.application_insights.is_some())
    }

    /// Whether metrics are counted for anybody.
    pub fn metrics(&self) -> bool {
        self.traces() || (self.enabled && self.metrics_listen.is_some())
    }
}

/// A share of one, in millionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share(u32);

impl Share {
    /// All.
    pub const ALL: Self = Self(1_000_000);

    /// Between 0 and 1.
    pub fn of_one(self) -> f64 {
        f64::from(self.0) / 1e6
    }

    /// Whether the thing with this hash is among the share. The same hash gives the same answer
    /// everywhere, and what is in a share is in every larger one.
    pub fn takes(self, hash: u64) -> bool {
        hash % 1_000_000 < u64::from(self.0)
    }
}

/// `0.1` or `10%`, with at most four decimal places.
pub(crate) fn share(text: &str) -> Result<Share, String> {
    let (number, scale) = match text.strip_suffix('%') {
        Some(percent) => (percent.trim_end(), 10_000.0),
        None => (text, 1e6),
    };
    let plain = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let parts = number.parse::<f64>().ok().filter(|_| plain);
    match parts.map(|n| (n * scale).round()) {
        Some(parts @ 0.0..=1e6) => Ok(Share(parts as u32)),
        _ => Err("must be a share between 0 and 1 such as 0.1, or a percentage such as 10%".into()),
    }
}

/// An address and a port, or nothing.
pub(crate) fn optional_address(text: &str) -> Result<Option<SocketAddr>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    humane::address(text).map(Some)
}

/// Headers of a request; secret, since one of them is usually a key.
pub(crate) fn header_list(text: &str) -> Result<Option<Secret>, String> {
    Ok(attribute_list(text)?.map(Secret::new))
}

/// What [`pairs`] can read; empty is nothing.
pub(crate) fn attribute_list(text: &str) -> Result<Option<String>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    pairs(text).map(|_| Some(text.to_owned()))
}

/// Reads `name=value,name=value` with percent-encoded values, the form of W3C Baggage that
/// OpenTelemetry has for headers and attributes in the environment. At most 8 KiB.
pub fn pairs(text: &str) -> Result<Vec<(String, String)>, String> {
    let fault = || "must be a list such as name=value,other=value".to_owned();
    if text.len() > LONGEST_LIST {
        return Err(format!("must not be longer than {LONGEST_LIST} bytes"));
    }
    let pair = |part: &str| {
        let (name, value) = part.split_once('=').ok_or_else(fault)?;
        let (name, value) = (name.trim(), value.trim());
        let is_name = |c: char| c.is_ascii_alphanumeric() || "!#$&'*+-.^_`|~/".contains(c);
        if name.is_empty() || !name.chars().all(is_name) {
            return Err(fault());
        }
        let value = decoded(value).filter(|value| !value.chars().any(char::is_control));
        Ok((name.to_owned(), value.ok_or_else(fault)?))
    };
    let parts = text.split(',').map(str::trim).filter(|p| !p.is_empty());
    parts.map(pair).collect()
}

/// Percent-encoding taken back (RFC 3986, section 2.1).
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                (digit()? * 16 + digit()?) as u8
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

/// A connection string of Application Insights: `InstrumentationKey=...;IngestionEndpoint=...`.
pub(crate) fn application_insights(text: &str) -> Result<Option<Secret>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let part = |wanted: &str| {
        text.split(';').find_map(|part| {
            let (name, value) = part.split_once('=')?;
            name.trim()
                .eq_ignore_ascii_case(wanted)
                .then(|| value.trim())
        })
    };
    let is_key =
        |key: &str| key.len() == 36 && key.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    if !part("InstrumentationKey").is_some_and(is_key) {
        return Err("must hold InstrumentationKey= with the 36 characters of the key".to_owned());
    }
    if let Some(url) = part("IngestionEndpoint")
        && (!url.starts_with("https://") || humane::base_url(url).ok().flatten().is_none())
    {
        return Err("must have a URL with https:// after IngestionEndpoint=".to_owned());
    }
    // Some are handed out with a mark at the end that the exporter does not take.
    Ok(Some(Secret::new(text.trim_end_matches([';', ' ']))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares() {
        let check = |text: &str, expect: Option<u32>| {
            assert_eq!(share(text).ok().map(|s| s.0), expect, "{text:?}");
        };
        check("0", Some(0));
        check("1", Some(1_000_000));
        check("0.1", Some(100_000));
        check("10%", Some(100_000));
        check("12.5 %", Some(125_000));
        check("100%", Some(1_000_000));
        for bad in ["", "%", "-1", "1.1", "101%", "10", "1e-1", "NaN", "half"] {
            check(bad, None);
        }
    }

    #[test]
    fn a_share_is_about_as_large_as_it_says_and_grows_around_what_it_holds() {
        let (tenth, half) = (share("10%").unwrap(), share("50%").unwrap());
        let hashes = (0..100_000_u64).map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let held: Vec<u64> = hashes.clone().filter(|hash| tenth.takes(*hash)).collect();
        assert!((9_000..11_000).contains(&held.len()), "{}", held.len());
        assert!(held.iter().all(|hash| half.takes(*hash)));
        assert!(hashes.clone().all(|hash| Share::ALL.takes(hash)));
        assert!(!hashes.into_iter().any(|hash| Share(0).takes(hash)));
    }

    #[test]
    fn lists_of_pairs() {
        let check = |text: &str, expect: &[(&str, &str)]| {
            let read = pairs(text).unwrap();
            let read: Vec<(&str, &str)> = read.iter().map(|(n, v)| (&**n, &**v)).collect();
            assert_eq!(read, expect, "{text:?}");
        };
        check("", &[]);
        check("a=1", &[("a", "1")]);
        check(" api-key = x%20y , b=, ", &[("api-key", "x y"), ("b", "")]);
        check("token=a=b", &[("token", "a=b")]);
        for bad in ["a", "=1", "a b=1", "a=%", "a=%zz", "a=%ff", "a=%0a"] {
            assert!(pairs(bad).is_err(), "{bad:?}");
        }
        assert!(pairs(&"a=1,".repeat(3_000)).is_err());
    }

    #[test]
    fn connection_strings() {
        let key = "InstrumentationKey=00000000-1111-2222-3333-444444444444";
        let check = |text: &str, expect: bool| {
            let read = application_insights(text);
            assert_eq!(read.is_ok_and(|s| s.is_some()), expect, "{text:?}");
        };
        check(key, true);
        check(&format!("{key};IngestionEndpoint=https://x.example/"), true);
        check(&format!("IngestionEndpoint=https://x.example/;{key}"), true);
        check(
            &format!("{key};IngestionEndpoint=https://x.example/;"),
            true,
        );
        check(&format!("{key};IngestionEndpoint=http://x.example/"), false);
        check(&format!("{key};IngestionEndpoint=x.example"), false);
        check("InstrumentationKey=1", false);
        check("IngestionEndpoint=https://x.example/", false);
        check("", false);
        assert_eq!(application_insights(""), Ok(None));
    }
}
