//! Where a click may lead.

/// Characters of the longest URI.
const LIMIT: usize = 2000;
const SCHEMES: [&str; 4] = ["https", "http", "mailto", "tel"];

/// A URI that may stand in a PDF (ASCII, RFC 3986) and that a reader may follow, or nothing.
pub(super) fn safe_uri(uri: &str) -> Option<String> {
    let (scheme, rest) = uri.split_once(':')?;
    let known = SCHEMES
        .iter()
        .any(|known| known.eq_ignore_ascii_case(scheme));
    if !known || rest.is_empty() || uri.len() > LIMIT || uri.contains(char::is_control) {
        return None;
    }
    let mut out = String::with_capacity(uri.len());
    for byte in uri.bytes() {
        match byte {
            b' ' | b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' | 0x80.. => {
                use std::fmt::Write as _;
                write!(out, "%{byte:02X}").expect("a string takes what is written to it");
            }
            _ => out.push(char::from(byte)),
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_uris_that_may_be_followed_are_links() {
        let check =
            |uri: &str, expect: Option<&str>| assert_eq!(safe_uri(uri).as_deref(), expect, "{uri}");
        check(
            "https://example.com/a b?q=ż",
            Some("https://example.com/a%20b?q=%C5%BC"),
        );
        check("mailto:a@example.com", Some("mailto:a@example.com"));
        check("javascript:alert(1)", None);
        check("file:///etc/passwd", None);
        check("example.com", None);
        check("https:", None);
        check("https://example.com/\n", None);
        check(&format!("https://{}", "a".repeat(3000)), None);
    }
}
