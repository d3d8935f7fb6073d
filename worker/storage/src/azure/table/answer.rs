//! The answer to a transaction: HTTP answers as parts of one (RFC 2046, section 5.1).

use azure_core::http::headers::Headers;

use super::super::failure::{Answer, Failure, header};
use crate::port::ETag;

/// What became of each write: its new version if the service named one. Or why there was none.
pub(super) fn parts(body: &[u8], writes: usize) -> Result<Vec<Option<ETag>>, Failure> {
    let text = std::str::from_utf8(body).map_err(|_| Failure::misread("a part is not UTF-8"))?;
    let mut etags = Vec::with_capacity(writes);
    // A part begins where an HTTP answer does. JSON, which alone could hold the same words, has no
    // line breaks.
    for part in text.split("\nHTTP/1.1 ").skip(1) {
        let (status, headers, body) = part_of(part)?;
        if !(200..300).contains(&status) {
            return Err(Failure::Answer(Answer::new(
                status,
                &headers,
                body.as_bytes(),
            )));
        }
        if etags.len() == writes {
            break;
        }
        etags.push(header(&headers, "etag").map(|etag| ETag(etag.to_owned())));
    }
    if etags.len() == writes {
        Ok(etags)
    } else {
        Err(Failure::misread(
            "a transaction has not as many answers as writes",
        ))
    }
}

/// Status, headers and body of one part. Lines may end in CR LF or LF.
fn part_of(part: &str) -> Result<(u16, Headers, &str), Failure> {
    let misread = || Failure::misread("a part is no HTTP answer");
    let (line, mut rest) = part.split_once('\n').ok_or_else(misread)?;
    let status = line
        .split(' ')
        .next()
        .and_then(|status| status.trim().parse().ok());
    let mut headers = Headers::new();
    while let Some((line, after)) = rest.split_once('\n') {
        rest = after;
        if line.trim().is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').ok_or_else(misread)?;
        headers.insert(name.trim().to_ascii_lowercase(), value.trim().to_owned());
    }
    // What follows is the next boundary.
    let body = rest.split("\n--").next().unwrap_or_default();
    Ok((status.ok_or_else(misread)?, headers, body.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DONE: &str = "--batchresponse_1\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n\
        --c\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n\
        HTTP/1.1 204 No Content\r\nETag: W/\"datetime'2026'\"\r\nDataServiceVersion: 1.0;\r\n\r\n\r\n\
        --c\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n\
        HTTP/1.1 204 No Content\r\nDataServiceVersion: 1.0;\r\n\r\n\r\n--c--\r\n--batchresponse_1--\r\n";
    const FAILED: &str = "--b\nContent-Type: multipart/mixed; boundary=c\n\n--c\n\
        Content-Type: application/http\n\nHTTP/1.1 409 Conflict\nContent-Type: application/json\n\n\
        {\"odata.error\":{\"code\":\"EntityAlreadyExists\",\"message\":{\"value\":\"1:x\"}}}\n--c--\n--b--";

    #[test]
    fn each_write_has_a_part() {
        let etag = ETag("W/\"datetime'2026'\"".to_owned());
        assert_eq!(parts(DONE.as_bytes(), 2).unwrap(), [Some(etag), None]);
        assert!(matches!(
            parts(DONE.as_bytes(), 3),
            Err(Failure::Misread(_))
        ));
        assert!(matches!(parts(b"", 1), Err(Failure::Misread(_))));
        assert!(matches!(
            parts(b"\nHTTP/1.1 x", 1),
            Err(Failure::Misread(_))
        ));
    }

    #[test]
    fn a_failed_transaction_has_one_part() {
        let failure = parts(FAILED.as_bytes(), 2).unwrap_err();
        assert_eq!(
            (failure.status(), failure.code()),
            (409, "EntityAlreadyExists")
        );
    }
}
