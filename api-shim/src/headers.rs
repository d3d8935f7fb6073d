//! Request headers with a grammar of their own, and the headers of a download.

use std::fmt::Write as _;
use std::time::Duration;

use http::header::{self, HeaderMap, HeaderValue};
use schemas::ProblemKind;

use crate::problem::Failure;

/// Most bytes of an idempotency key.
const LONGEST_KEY: usize = 255;

/// The `Idempotency-Key` of a request (draft-ietf-httpapi-idempotency-key-header, section 2.1): a
/// structured string (RFC 8941, section 3.3.3). The bare form that many clients send is taken too;
/// both spellings are one key.
pub(crate) fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Failure> {
    let mut values = headers.get_all("idempotency-key").iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let key = if values.next().is_some() {
        None
    } else {
        value.to_str().ok().and_then(read_key)
    };
    key.map(Some).ok_or_else(|| {
        Failure::field(
            ProblemKind::InvalidRequest,
            "Idempotency-Key",
            "invalid_value",
            "Idempotency-Key must be one string of 1 to 255 printable ASCII characters, best a \
             UUID in double quotes, made anew for each job.",
        )
    })
}

fn read_key(value: &str) -> Option<String> {
    let printable = |c: char| c == ' ' || c.is_ascii_graphic();
    let value = value.trim();
    let key = match value.strip_prefix('"') {
        Some(quoted) => {
            let mut key = String::new();
            let mut rest = quoted.chars();
            loop {
                match rest.next()? {
                    '"' => break,
                    '\\' => key.push(rest.next().filter(|c| matches!(c, '"' | '\\'))?),
                    c => key.push(c),
                }
            }
            // Parameters are allowed by the grammar, and none is defined.
            let rest = rest.as_str().trim_start();
            (rest.is_empty() || rest.starts_with(';')).then_some(key)?
        }
        None if value.contains(['"', ',']) => return None,
        None => value.to_owned(),
    };
    ((1..=LONGEST_KEY).contains(&key.len()) && key.chars().all(printable)).then_some(key)
}

/// The `wait` of `Prefer` (RFC 7240, section 4.3). What cannot be read is ignored, as section 2
/// asks; of several the first counts.
pub(crate) fn wait_preference(headers: &HeaderMap) -> Option<Duration> {
    let values = headers
        .get_all("prefer")
        .iter()
        .filter_map(|value| value.to_str().ok());
    let preferences = values.flat_map(|value| value.split(','));
    preferences
        .filter_map(|preference| preference.split(';').next()?.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("wait"))
        .and_then(|(_, seconds)| seconds.trim().trim_matches('"').parse().ok())
        .map(|seconds: u32| Duration::from_secs(seconds.into()))
}

/// Whether `If-None-Match` names this entity tag (RFC 9110, section 13.1.2; weak comparison).
pub(crate) fn none_match_holds(headers: &HeaderMap, etag: &str) -> bool {
    let values = headers.get_all(header::IF_NONE_MATCH).iter();
    let mut tags = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|v| v.split(','));
    tags.any(|tag| {
        let tag = tag.trim();
        tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag
    })
}

/// The versions that `If-Match` names (RFC 9110, section 13.1.1), where entity tags are version numbers
/// in quotes; `None` where there is no such header, or any version will do. The comparison is strong, so
/// a weak tag names no version, and neither does one that is not ours.
pub(crate) fn if_match(headers: &HeaderMap) -> Option<Vec<u64>> {
    let mut values = headers.get_all(header::IF_MATCH).iter().peekable();
    values.peek()?;
    let mut versions = Vec::new();
    for tag in values.flat_map(|value| value.to_str().unwrap_or_default().split(',')) {
        let tag = tag.trim();
        if tag == "*" {
            return None;
        }
        let quoted = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
        let version = quoted.and_then(|digits| Some((digits, digits.parse::<u64>().ok()?)));
        // `"03"` is another tag than `"3"`.
        let version = version.filter(|(digits, version)| version.to_string() == *digits);
        versions.extend(version.map(|(_, version)| version));
    }
    Some(versions)
}

/// The caller's `traceparent` (W3C Trace Context, section 3.2) where it has the right form.
pub(crate) fn traceparent(headers: &HeaderMap) -> Option<String> {
    let mut values = headers.get_all("traceparent").iter();
    let value = values
        .next()
        .filter(|_| values.next().is_none())?
        .to_str()
        .ok()?;
    let parts: Vec<&str> = value.split('-').collect();
    let [version, trace, parent, flags] = parts.as_slice() else {
        return None;
    };
    let hex = |text: &str, length: usize| {
        text.len() == length && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    };
    let zero = |text: &str| text.bytes().all(|b| b == b'0');
    let valid = hex(version, 2) && hex(trace, 32) && hex(parent, 16) && hex(flags, 2);
    (valid && *version != "ff" && !zero(trace) && !zero(parent)).then(|| value.to_owned())
}

/// `Content-Disposition` of a download (RFC 6266): the name in ASCII for everybody, and in full
/// (RFC 8187) for those who read that.
pub(crate) fn attachment(file_name: &str) -> HeaderValue {
    let plain = |c: char| c == ' ' || (c.is_ascii_graphic() && !matches!(c, '"' | '\\' | '%'));
    let is_separator = |c: char| matches!(c, '/' | '\\') || c.is_control();
    let name: String = file_name
        .chars()
        .map(|c| if is_separator(c) { '_' } else { c })
        .collect();
    let ascii: String = name
        .chars()
        .map(|c| if plain(c) { c } else { '_' })
        .collect();
    let mut value = format!("attachment; filename=\"{ascii}\"; filename*=UTF-8''");
    for byte in name.bytes() {
        // RFC 8187, section 3.2.1: attr-char.
        if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
            value.push(char::from(byte));
        } else {
            write!(value, "%{byte:02X}").expect("writing to a string does not fail");
        }
    }
    HeaderValue::try_from(value).expect("every character of it is printable ASCII")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, values: &[&str]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for value in values {
            map.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        map
    }

    #[test]
    fn idempotency_keys_are_quoted_or_bare() {
        let check = |values: &[&str], want: Result<Option<&str>, ()>| {
            let got = idempotency_key(&headers("idempotency-key", values));
            let got = got.map_err(|_| ());
            assert_eq!(
                got.as_ref().map(Option::as_deref),
                want.as_ref().copied(),
                "{values:?}"
            );
        };
        check(&[], Ok(None));
        check(&["\"abc\""], Ok(Some("abc")));
        check(&["abc"], Ok(Some("abc")));
        check(&["  \"a b\" "], Ok(Some("a b")));
        check(&[r#""a\"b\\c""#], Ok(Some(r#"a"b\c"#)));
        check(&["\"abc\"; v=1"], Ok(Some("abc")));
        check(&[&"k".repeat(255)], Ok(Some(&"k".repeat(255))));
        check(&[&"k".repeat(256)], Err(()));
        check(&[""], Err(()));
        check(&["\"\""], Err(()));
        check(&["\"abc"], Err(()));
        check(&["abc\""], Err(()));
        check(&["\"a\" b"], Err(()));
        check(&[r#""a\n""#], Err(()));
        check(&["a, b"], Err(()));
        check(&["ä"], Err(()));
        check(&["a", "a"], Err(()));
    }

    #[test]
    fn wait_is_found_among_other_preferences() {
        let check = |values: &[&str], want: Option<u64>| {
            let got = wait_preference(&headers("prefer", values));
            assert_eq!(got, want.map(Duration::from_secs), "{values:?}");
        };
        check(&[], None);
        check(&["wait=10"], Some(10));
        check(&["respond-async, Wait = 10; x=y"], Some(10));
        check(&["respond-async", "wait=\"7\""], Some(7));
        check(&["wait=1, wait=2"], Some(1));
        check(&["wait=0"], Some(0));
        check(&["wait"], None);
        check(&["wait=-1"], None);
        check(&["wait=soon"], None);
        check(&["wait=99999999999999999999"], None);
    }

    #[test]
    fn entity_tags_compare_weakly() {
        let check = |values: &[&str], want: bool| {
            assert_eq!(
                none_match_holds(&headers("if-none-match", values), "\"a\""),
                want
            );
        };
        check(&[], false);
        check(&["\"a\""], true);
        check(&["\"b\", W/\"a\""], true);
        check(&["\"b\"", "\"a\""], true);
        check(&["*"], true);
        check(&["a"], false);
        check(&["\"b\""], false);
    }

    #[test]
    fn versions_are_named_by_strong_tags_of_ours() {
        let check = |values: &[&str], want: Option<&[u64]>| {
            let got = if_match(&headers("if-match", values));
            assert_eq!(got.as_deref(), want, "{values:?}");
        };
        check(&[], None);
        check(&["*"], None);
        check(&["\"3\""], Some(&[3]));
        check(&["\"3\", \"5\"", "\"7\""], Some(&[3, 5, 7]));
        check(&["W/\"3\""], Some(&[]));
        check(&["3"], Some(&[]));
        check(&["\"03\""], Some(&[]));
        check(&["\"a\", \"4\""], Some(&[4]));
        check(&[""], Some(&[]));
    }

    #[test]
    fn only_well_formed_trace_contexts_are_passed_on() {
        let check = |values: &[&str], want: bool| {
            assert_eq!(
                traceparent(&headers("traceparent", values)).is_some(),
                want,
                "{values:?}"
            );
        };
        let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        check(&[good], true);
        check(&[good, good], false);
        check(&[], false);
        check(
            &["00-00000000000000000000000000000000-b7ad6b7169203331-01"],
            false,
        );
        check(
            &["00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01"],
            false,
        );
        check(
            &["ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"],
            false,
        );
        check(
            &["00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01"],
            false,
        );
        check(
            &["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x"],
            false,
        );
        check(&["x"], false);
    }

    #[test]
    fn file_names_are_safe_in_both_forms() {
        let check = |name: &str, want: &str| assert_eq!(attachment(name), want);
        check(
            "CV_Ida_Morrow.pdf",
            "attachment; filename=\"CV_Ida_Morrow.pdf\"; filename*=UTF-8''CV_Ida_Morrow.pdf",
        );
        check(
            "CV Zoë \"Z\".pdf",
            "attachment; filename=\"CV Zo_ _Z_.pdf\"; filename*=UTF-8''CV%20Zo%C3%AB%20%22Z%22.pdf",
        );
        check(
            "../a\r\nb%41.pdf",
            "attachment; filename=\".._a__b_41.pdf\"; filename*=UTF-8''.._a__b%2541.pdf",
        );
        check(
            "履歴.pdf",
            "attachment; filename=\"__.pdf\"; filename*=UTF-8''%E5%B1%A5%E6%AD%B4.pdf",
        );
    }
}
