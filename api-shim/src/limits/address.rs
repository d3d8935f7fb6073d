//! The address of a caller, for limits of callers without a credential.

use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;
use sha2::{Digest as _, Sha256};

/// A name for a caller's address, that does not show it; `peer` is at the other end of the connection.
///
/// With `hops` proxies in front, the address that the outermost of them saw: each adds what it sees
/// at the right end of `X-Forwarded-For`, so `hops` from the right is the last that a stranger
/// cannot write. Where the header is shorter or no address is there, the request did not come
/// that way, and all such callers share one bucket with whoever connected.
pub(super) fn of_caller(peer: Option<IpAddr>, headers: &HeaderMap, hops: u8) -> String {
    let forwarded = match hops {
        0 => None,
        hops => forwarded(headers, usize::from(hops)),
    };
    let text = match forwarded.or(peer) {
        None => "unknown".to_owned(),
        Some(address) => network(address),
    };
    schemas::hex(&Sha256::digest(text.as_bytes())[..10])
}

/// One subscriber's network: an IPv6 address is one of the 2^64 that each has (RFC 6177).
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

fn forwarded(headers: &HeaderMap, hops: usize) -> Option<IpAddr> {
    let lines = headers.get_all("x-forwarded-for").iter();
    let lines: Vec<&str> = lines
        .map(|line| line.to_str().unwrap_or_default())
        .collect();
    let entries = lines.iter().flat_map(|line| line.split(','));
    let entries: Vec<&str> = entries.map(str::trim).collect();
    let entry = entries.get(entries.len().checked_sub(hops)?)?;
    // Some proxies add the port.
    let bare = entry.trim_start_matches('[').trim_end_matches(']');
    let with_port = || entry.parse::<SocketAddr>().ok().map(|address| address.ip());
    bare.parse::<IpAddr>().ok().or_else(with_port)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn addresses_count_from_the_right() {
        let check = |lines: &[&'static str], hops: usize, expect: Option<&str>| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append("x-forwarded-for", HeaderValue::from_static(line));
            }
            let expect = expect.map(|address| address.parse().unwrap());
            assert_eq!(forwarded(&headers, hops), expect, "{lines:?} {hops}");
        };
        check(&["198.51.100.9"], 1, Some("198.51.100.9"));
        check(&["6.6.6.6, 198.51.100.9"], 1, Some("198.51.100.9"));
        check(
            &["6.6.6.6, 198.51.100.9, 10.0.0.1"],
            2,
            Some("198.51.100.9"),
        );
        check(&["6.6.6.6", "198.51.100.9"], 1, Some("198.51.100.9"));
        check(&["198.51.100.9:4711"], 1, Some("198.51.100.9"));
        check(&["[2001:db8::1]:4711"], 1, Some("2001:db8::1"));
        check(&["2001:db8::1"], 1, Some("2001:db8::1"));
        check(&["198.51.100.9"], 2, None);
        check(&["unknown"], 1, None);
        check(&[""], 1, None);
        check(&[], 1, None);
    }

    #[test]
    fn a_subscriber_is_one_caller() {
        let name = |address: &str| of_caller(address.parse().ok(), &HeaderMap::new(), 0);
        assert_eq!(name("2001:db8:1:2::1"), name("2001:db8:1:2:ffff::9"));
        assert_ne!(name("2001:db8:1:2::1"), name("2001:db8:1:3::1"));
        assert_eq!(name("::ffff:192.0.2.1"), name("192.0.2.1"));
        assert_ne!(name("192.0.2.2"), name("192.0.2.1"));
        assert!(!name("192.0.2.1").contains("192"));
    }
}
