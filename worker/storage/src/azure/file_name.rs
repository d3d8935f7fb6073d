//! The header that makes a browser save a file under a name.

use super::percent::encoded;

/// Characters of a name that are kept.
const LONGEST: usize = 200;

/// `Content-Disposition` (RFC 6266): the name in ASCII for old readers, and in UTF-8 for all others
/// (RFC 8187).
pub(super) fn attachment(name: &str) -> String {
    let name: String = name
        .chars()
        .filter(|c| !c.is_control())
        .take(LONGEST)
        .collect();
    let plain = |c: char| {
        let harmless = c.is_ascii_graphic() && !matches!(c, '"' | '\\' | '/' | '%');
        if harmless || c == ' ' { c } else { '_' }
    };
    let ascii: String = name.chars().map(plain).collect();
    let utf8 = encoded(&name);
    format!("attachment; filename=\"{ascii}\"; filename*=UTF-8''{utf8}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let check = |name: &str, expect: &str| {
            assert_eq!(attachment(name), format!("attachment; filename={expect}"));
        };
        check("CV_Ida.pdf", "\"CV_Ida.pdf\"; filename*=UTF-8''CV_Ida.pdf");
        check(
            "Zo\u{eb} \"Z\".pdf",
            "\"Zo_ _Z_.pdf\"; filename*=UTF-8''Zo%C3%AB%20%22Z%22.pdf",
        );
        check(
            "a/b\r\nc%41\\",
            "\"a_bc_41_\"; filename*=UTF-8''a%2Fbc%2541%5C",
        );
        check("", "\"\"; filename*=UTF-8''");
    }
}
