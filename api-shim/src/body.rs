//! Reading a request's body: media type, size, and nothing left over.

use axum::body::{Body, BodyDataStream};
use axum::extract::Request;
use bytes::{Bytes, BytesMut};
use futures::StreamExt as _;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use schemas::ProblemKind;

use crate::observe::Reading;
use crate::problem::Failure;

/// How many times the limit is read and thrown away before the refusal is sent.
///
/// A connection that is closed while its client still sends is reset, and the client may never see
/// the answer that says why.
const DRAIN: u64 = 8;

/// What a JSON route takes, as `Accept-Post` says it.
const JSON: &str = "application/json";
const ACCEPT_POST: HeaderName = HeaderName::from_static("accept-post");

/// The body of a request that must be JSON, of at most `limit` bytes.
pub(crate) async fn json_bytes(request: Request, limit: usize) -> Result<Bytes, Failure> {
    require_json(request.headers())?;
    any_bytes(request, limit).await
}

/// The body of a request whatever its media type says, of at most `limit` bytes.
pub(crate) async fn any_bytes(request: Request, limit: usize) -> Result<Bytes, Failure> {
    let (parts, body) = request.into_parts();
    let reading = parts
        .extensions
        .get::<Reading>()
        .cloned()
        .unwrap_or_default();
    reading.set(true);
    let bytes = read(&parts.headers, body, limit).await;
    reading.set(false);
    bytes
}

fn require_json(headers: &HeaderMap) -> Result<(), Failure> {
    let refuse = |detail: &str| {
        Failure::new(ProblemKind::UnsupportedMediaType, detail)
            .with_header(ACCEPT_POST, HeaderValue::from_static(JSON))
    };
    let encoding = headers.get(header::CONTENT_ENCODING);
    if encoding.is_some_and(|e| !e.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Err(
            refuse("Send the body without Content-Encoding, as plain application/json.")
                .with_header(
                    header::ACCEPT_ENCODING,
                    HeaderValue::from_static("identity"),
                ),
        );
    }
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let media_type = types.next().filter(|_| types.next().is_none());
    let is_json = media_type
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| {
            let mut parts = value.split(';').map(str::trim);
            let essence = parts.next().unwrap_or_default();
            // RFC 8259, section 8.1: JSON between systems is UTF-8.
            essence.eq_ignore_ascii_case(JSON)
                && parts
                    .filter_map(|part| part.split_once('='))
                    .all(|(name, value)| {
                        !name.trim().eq_ignore_ascii_case("charset")
                            || value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
                    })
        });
    if is_json {
        Ok(())
    } else {
        Err(refuse(
            "Send JSON in UTF-8, with the header Content-Type: application/json.",
        ))
    }
}

async fn read(headers: &HeaderMap, body: Body, limit: usize) -> Result<Bytes, Failure> {
    let announced = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|v| v.to_str().ok()?.parse().ok());
    let mut stream = body.into_data_stream();
    if announced.is_some_and(|size: u64| size > limit as u64) {
        // Who asks before sending has sent nothing yet, and reading would invite the whole body.
        if !headers.contains_key(header::EXPECT) {
            drain(&mut stream, limit).await;
        }
        return Err(too_large(limit));
    }
    let capacity = announced
        .map_or(0, |size| usize::try_from(size).unwrap_or(0))
        .min(64 * 1024);
    let mut bytes = BytesMut::with_capacity(capacity);
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|_| {
            Failure::new(
                ProblemKind::MalformedBody,
                "The body broke off. Send the request again.",
            )
        })?;
        if bytes.len() + chunk.len() > limit {
            drain(&mut stream, limit).await;
            return Err(too_large(limit));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.freeze())
}

async fn drain(stream: &mut BodyDataStream, limit: usize) {
    let mut left = (limit as u64).saturating_mul(DRAIN);
    while let Some(Ok(chunk)) = stream.next().await {
        match left.checked_sub(chunk.len() as u64) {
            Some(less) => left = less,
            None => return,
        }
    }
}

fn too_large(limit: usize) -> Failure {
    Failure::new(
        ProblemKind::TooLarge,
        format!("The body has more than {limit} bytes. Send less; scale a photo down."),
    )
    .with_header(header::CONNECTION, HeaderValue::from_static("close"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_in_utf_8_is_taken_and_nothing_else() {
        let check = |values: &[(&'static str, &str)], taken: bool| {
            let mut headers = HeaderMap::new();
            for (name, value) in values {
                headers.append(*name, HeaderValue::try_from(*value).unwrap());
            }
            assert_eq!(require_json(&headers).is_ok(), taken, "{values:?}");
        };
        check(&[("content-type", "application/json")], true);
        check(
            &[("content-type", "Application/JSON; charset=\"UTF-8\"")],
            true,
        );
        check(&[("content-type", "application/json; v=1")], true);
        check(
            &[("content-type", "application/json; charset=utf-16")],
            false,
        );
        check(&[("content-type", "text/json")], false);
        check(&[("content-type", "application/jsonp")], false);
        check(
            &[("content-type", "multipart/form-data; boundary=x")],
            false,
        );
        check(&[], false);
        let twice = [
            ("content-type", "application/json"),
            ("content-type", "text/plain"),
        ];
        check(&twice, false);
        let coded = [
            ("content-type", "application/json"),
            ("content-encoding", "gzip"),
        ];
        check(&coded, false);
        let plain = [
            ("content-type", "application/json"),
            ("content-encoding", "identity"),
        ];
        check(&plain, true);
    }
}
