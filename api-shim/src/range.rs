//! One range of bytes of a document (RFC 9110, section 14).

use std::ops::Range;

use http::HeaderMap;
use http::header;

/// Which part of a document is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// All of it: no range is asked for, or none that has to be heeded.
    Whole,
    /// These bytes, at least one.
    Bytes(Range<u64>),
    /// None that it has.
    Outside,
}

impl Part {
    /// What the headers of a GET ask for of a document of this size and with this strong entity tag.
    ///
    /// Several ranges, other units, and what cannot be read are as none (section 14.2); so is a range
    /// of another version (`If-Range`, section 13.1.5), which a date always is: the documents have
    /// none.
    pub(crate) fn asked(headers: &HeaderMap, size: u64, etag: &str) -> Self {
        let one = |name| {
            let mut values = headers.get_all(name).iter();
            let value = values.next()?;
            values.next().is_none().then(|| value.to_str().ok())?
        };
        let Some(spec) = one(header::RANGE).and_then(read) else {
            return Self::Whole;
        };
        let of_this = !headers.contains_key(header::IF_RANGE)
            || one(header::IF_RANGE).is_some_and(|tag| tag.trim() == etag);
        if of_this { spec.of(size) } else { Self::Whole }
    }
}

/// A range as it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spec {
    /// From here, to here at most.
    From(u64, u64),
    /// So many at the end.
    Last(u64),
}

impl Spec {
    fn of(self, size: u64) -> Part {
        let range = match self {
            Self::From(first, last) => first..last.saturating_add(1).min(size),
            Self::Last(count) => size.saturating_sub(count)..size,
        };
        if range.is_empty() {
            Part::Outside
        } else {
            Part::Bytes(range)
        }
    }
}

fn read(value: &str) -> Option<Spec> {
    let (unit, set) = value.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    // A list may have empty elements (section 5.6.1.2).
    let mut specs = set
        .split(',')
        .map(str::trim)
        .filter(|spec| !spec.is_empty());
    let spec = specs.next().filter(|_| specs.next().is_none())?;
    let (first, last) = spec.split_once('-')?;
    match (first, last) {
        ("", last) => Some(Spec::Last(position(last)?)),
        (first, "") => Some(Spec::From(position(first)?, u64::MAX)),
        (first, last) => {
            let (first, last) = (position(first)?, position(last)?);
            (first <= last).then_some(Spec::From(first, last))
        }
    }
}

/// Digits of any number: what no document is as large as is all the same.
fn position(digits: &str) -> Option<u64> {
    let legal = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    legal.then(|| digits.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn single_ranges_are_read_and_others_ignored() {
        let check = |ranges: &[&'static str], want: Part| {
            let mut headers = HeaderMap::new();
            for range in ranges {
                headers.append(header::RANGE, HeaderValue::from_static(range));
            }
            assert_eq!(Part::asked(&headers, 100, "\"a\""), want, "{ranges:?}");
        };
        let (whole, outside) = (Part::Whole, Part::Outside);
        check(&[], whole.clone());
        check(&["bytes=0-0"], Part::Bytes(0..1));
        check(&["bytes=0-99"], Part::Bytes(0..100));
        check(&["bytes=90-"], Part::Bytes(90..100));
        check(&["bytes=90-1000"], Part::Bytes(90..100));
        check(&["bytes=-10"], Part::Bytes(90..100));
        check(&["bytes=-1000"], Part::Bytes(0..100));
        check(&["Bytes = ,5-6,"], Part::Bytes(5..7));
        check(&["bytes=0-99999999999999999999"], Part::Bytes(0..100));
        check(&["bytes=100-"], outside.clone());
        check(&["bytes=100-200"], outside.clone());
        check(&["bytes=-0"], outside.clone());
        check(&["bytes=99999999999999999999-"], outside);
        for ignored in [
            "bytes=5-4",
            "bytes=0-1,3-4",
            "bytes=a-b",
            "bytes=",
            "bytes=-",
            "bytes=1",
            "bytes=+1-2",
            "items=0-1",
            "0-1",
        ] {
            check(&[ignored], whole.clone());
        }
        check(&["bytes=0-1", "bytes=0-1"], whole);
    }

    #[test]
    fn a_range_of_another_version_is_ignored() {
        let check = |if_range: &'static str, want: bool| {
            let mut headers = HeaderMap::new();
            headers.insert(header::RANGE, HeaderValue::from_static("bytes=0-1"));
            headers.insert(header::IF_RANGE, HeaderValue::from_static(if_range));
            let got = Part::asked(&headers, 100, "\"a\"") == Part::Bytes(0..2);
            assert_eq!(got, want, "{if_range}");
        };
        check("\"a\"", true);
        check("\"b\"", false);
        check("W/\"a\"", false);
        check("a", false);
        check("Sat, 21 Nov 2026 08:00:00 GMT", false);
    }

    #[test]
    fn an_empty_document_has_no_range() {
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, HeaderValue::from_static("bytes=0-"));
        assert_eq!(Part::asked(&headers, 0, "\"a\""), Part::Outside);
    }
}
