//! multipart/form-data (RFC 7578) in a body that has been read: its parts, without copying them.

use http::HeaderMap;
use http::header;
use schemas::ProblemKind;

use crate::problem::Failure;

/// Most parts of a form.
const MAX_PARTS: usize = 32;

/// Most bytes of a part's headers.
const MAX_HEAD: usize = 4 * 1024;

/// One part of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part<'a> {
    /// The field's name.
    pub(crate) name: String,
    /// It came with a file name.
    pub(crate) is_file: bool,
    /// The content.
    pub(crate) data: &'a [u8],
}

/// The boundary of a form (RFC 2046, section 5.1.1); `None` where the body is no form.
pub(crate) fn boundary(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let (essence, parameters) = value.split_once(';').unwrap_or((value, ""));
    if !essence.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    // A form without a boundary has no parts, which `parts` says.
    let boundary = parameter(parameters, "boundary").unwrap_or_default();
    Some(boundary)
}

/// The parts of a form, in order.
pub(crate) fn parts<'a>(body: &'a [u8], boundary: &str) -> Result<Vec<Part<'a>>, Failure> {
    if !(1..=70).contains(&boundary.len()) {
        return Err(malformed(
            "its Content-Type names no boundary of 1 to 70 characters",
        ));
    }
    let delimiter = format!("\r\n--{boundary}");
    let delimiter = delimiter.as_bytes();
    // The first delimiter may stand at the very beginning, without a line break before it.
    let first = &delimiter[2..];
    let mut rest = match find(body, first) {
        Some(0) => &body[first.len()..],
        _ => after(body, delimiter).ok_or_else(|| malformed("it holds no part"))?,
    };
    let mut parts = Vec::new();
    loop {
        if rest.starts_with(b"--") {
            return Ok(parts);
        }
        // Padding may follow the delimiter (RFC 2046, section 5.1.1).
        let line = find(rest, b"\r\n").ok_or_else(|| malformed("it is cut off"))?;
        rest = &rest[line..];
        let head_end = find(&rest[..rest.len().min(MAX_HEAD)], b"\r\n\r\n")
            .ok_or_else(|| malformed("the headers of a part are cut off or too long"))?;
        let head = std::str::from_utf8(&rest[..head_end])
            .map_err(|_| malformed("the headers of a part are not UTF-8"))?;
        let content = &rest[head_end + 4..];
        // A part without content: its delimiter's line break is that of the head's end.
        let end =
            find(&rest[head_end + 2..], delimiter).ok_or_else(|| malformed("it is cut off"))?;
        let data = &content[..end.saturating_sub(2)];
        parts.push(part(head, data)?);
        if parts.len() > MAX_PARTS {
            return Err(malformed("it has more than 32 parts"));
        }
        rest = &rest[head_end + 2 + end + delimiter.len()..];
    }
}

fn part<'a>(head: &str, data: &'a [u8]) -> Result<Part<'a>, Failure> {
    let header = |name: &str| {
        head.split("\r\n").find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.trim()
                .eq_ignore_ascii_case(name)
                .then_some(value.trim())
        })
    };
    let disposition = header("content-disposition").unwrap_or_default();
    let (kind, parameters) = disposition.split_once(';').unwrap_or((disposition, ""));
    let name = parameter(parameters, "name").filter(|name| (1..=100).contains(&name.len()));
    let Some(name) = name.filter(|_| kind.trim().eq_ignore_ascii_case("form-data")) else {
        return Err(malformed("a part has no name of 1 to 100 characters"));
    };
    let coding = header("content-transfer-encoding").unwrap_or("binary");
    if !["binary", "8bit", "7bit"]
        .iter()
        .any(|known| coding.eq_ignore_ascii_case(known))
    {
        return Err(malformed(
            "a part has a Content-Transfer-Encoding, which RFC 7578 took away",
        ));
    }
    let is_file =
        parameter(parameters, "filename").is_some() || parameter(parameters, "filename*").is_some();
    Ok(Part {
        name,
        is_file,
        data,
    })
}

/// A parameter of a header, quoted or not.
fn parameter(parameters: &str, name: &str) -> Option<String> {
    let mut rest = parameters;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ';']);
        let (key, value) = rest.split_once('=')?;
        let (value, next) = match value.strip_prefix('"') {
            None => value.split_once(';').unwrap_or((value, "")),
            Some(quoted) => {
                let mut escaped = false;
                let end = quoted.find(|c| {
                    let ends = c == '"' && !escaped;
                    escaped = c == '\\' && !escaped;
                    ends
                })?;
                (&quoted[..end], &quoted[end + 1..])
            }
        };
        if key.trim().eq_ignore_ascii_case(name) {
            // Browsers write a quote as `%22` or `\"`.
            return Some(value.trim().replace("\\\"", "\"").replace("%22", "\""));
        }
        rest = next;
    }
}

fn after<'a>(text: &'a [u8], what: &[u8]) -> Option<&'a [u8]> {
    Some(&text[find(text, what)? + what.len()..])
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    // By the first byte first: the content is megabytes, and a line break in it is rare.
    let (first, mut from) = (*what.first()?, 0);
    while let Some(at) = text.get(from..)?.iter().position(|byte| *byte == first) {
        if text[from + at..].starts_with(what) {
            return Some(from + at);
        }
        from += at + 1;
    }
    None
}

fn malformed(why: &str) -> Failure {
    Failure::new(
        ProblemKind::MalformedBody,
        format!("The form cannot be read: {why}."),
    )
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn boundaries_are_found_in_both_spellings() {
        let check = |value: &str, want: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, HeaderValue::try_from(value).unwrap());
            assert_eq!(boundary(&headers).as_deref(), want, "{value}");
        };
        check("multipart/form-data; boundary=abc", Some("abc"));
        check(
            "Multipart/Form-Data; charset=utf-8; Boundary=\"a b\"",
            Some("a b"),
        );
        check("multipart/form-data", Some(""));
        check("application/json", None);
    }

    #[test]
    fn parts_come_whole_and_in_order() {
        let body = b"preamble\r\n--b\r\nContent-Disposition: form-data; name=\"options\"\r\n\r\n{}\r\n--b  \r\ncontent-disposition: form-data; name=file; filename=\"a;\\\"b.docx\"\r\nContent-Type: x/y\r\n\r\nPK\r\n--\r\n-b\r\n\r\n--b\r\nContent-Disposition: form-data; name=\"empty\"\r\n\r\n\r\n--b--\r\nepilogue";
        let parts = parts(body, "b").unwrap();
        let shown: Vec<_> = parts
            .iter()
            .map(|part| (part.name.as_str(), part.is_file, part.data))
            .collect();
        assert_eq!(
            shown,
            [
                ("options", false, b"{}".as_slice()),
                ("file", true, b"PK\r\n--\r\n-b\r\n"),
                ("empty", false, b""),
            ]
        );
        assert_eq!(super::parts(b"--b--\r\n", "b").unwrap(), []);
    }

    #[test]
    fn broken_forms_are_refused() {
        let check = |body: &str, boundary: &str| {
            assert!(parts(body.as_bytes(), boundary).is_err(), "{body:?}");
        };
        check("", "b");
        check("--b\r\n", "b");
        check(
            "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx",
            "b",
        );
        check(
            "--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--",
            "b",
        );
        check(
            "--b\r\nContent-Disposition: attachment; name=a\r\n\r\nx\r\n--b--",
            "b",
        );
        check("--b\r\n\r\n\r\nx\r\n--b--", "b");
        check(
            "--b\r\nContent-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: base64\r\n\r\nx\r\n--b--",
            "b",
        );
        check("--b--", "");
        let many = "--b\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n".repeat(33);
        check(&format!("{many}--b--"), "b");
    }
}
