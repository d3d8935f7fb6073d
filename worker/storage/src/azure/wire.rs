//! The transport: one pooled HTTP client for all three services, and what proves who asks.
//!
//! Key and signature are added here, below everything of the pipeline that logs a request, and an
//! error leaves here without its URL. So no secret can reach a log line, at any level.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use azure_core::credentials::Secret;
use azure_core::error::{Error, ErrorKind};
use azure_core::http::headers::{HeaderName, HeaderValue, Headers};
use azure_core::http::policies::{Policy, PolicyResult};
use azure_core::http::{AsyncRawResponse, Body, Context, Method, Request, Url};
use futures::StreamExt as _;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;
use reqwest::header;

use super::connection::Service;
use super::sign::{SharedKey, Signable};
use crate::Clock;

/// Longest time to connect; nothing has been sent then.
const CONNECT: Duration = Duration::from_secs(5);
/// An idle connection is given up before the other side may do so: a request that is written into
/// a closing connection has an unknown outcome. Azurite closes after 5 s.
const IDLE: Duration = Duration::from_secs(4);
/// Larger than any answer: a blob is asked for in parts of 64 MiB, and 32 messages of 48 KiB, each
/// character a five-byte entity of XML, are 7.5 MiB.
const LARGEST_ANSWER: usize = 80 << 20;

/// The HTTP client of an account.
///
/// It follows no redirect, and repeats nothing by itself. It goes directly to the service:
/// `HTTP_PROXY` and the like are not read, as nowhere in this program.
pub(super) fn client(timeout: Duration) -> reqwest::Result<reqwest::Client> {
    base_client(timeout).build()
}

pub(super) fn base_client(timeout: Duration) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .timeout(timeout)
        .connect_timeout(CONNECT.min(timeout))
        .pool_idle_timeout(IDLE)
        .retry(reqwest::retry::never())
        .redirect(reqwest::redirect::Policy::none())
        .http1_only()
        .no_proxy()
        // A blob is what was put; another crate's features must not unpack it.
        .no_gzip()
        .no_brotli()
        .no_zstd()
        .no_deflate()
}

/// What is added to a request to prove who asks.
#[derive(Clone, Debug)]
pub(super) enum Auth {
    /// A signature of the request by the account's key.
    Key(SharedKey),
    /// A shared access signature, appended to the URL.
    Signature(Secret),
    /// Nothing here: a policy above has added a token.
    Token,
}

/// The end of a pipeline. There is one for each service.
#[derive(Debug)]
pub(super) struct Wire {
    pub(super) http: reqwest::Client,
    pub(super) service: Service,
    pub(super) auth: Auth,
    pub(super) clock: Arc<dyn Clock>,
}

#[async_trait]
impl Policy for Wire {
    #[expect(
        elided_lifetimes_in_paths,
        reason = "the trait is written so, and must be met"
    )]
    async fn send(
        &self,
        _: &Context,
        request: &mut Request,
        _: &[Arc<dyn Policy>],
    ) -> PolicyResult {
        let answer = self
            .http
            .execute(self.authorized(request)?)
            .await
            .map_err(lost)?;
        let (status, headers) = (
            answer.status().as_u16().into(),
            own_headers(answer.headers()),
        );
        let mut left = LARGEST_ANSWER;
        let body = answer.bytes_stream().map(move |chunk| {
            let chunk = chunk.map_err(lost)?;
            left = left.checked_sub(chunk.len()).ok_or_else(|| {
                Error::with_message(ErrorKind::Io, "the answer is larger than any should be")
            })?;
            Ok(chunk)
        });
        Ok(AsyncRawResponse::new(status, headers, Box::pin(body)))
    }
}

impl Wire {
    /// The request as it goes out. The pipeline's own copy stays without proof.
    fn authorized(&self, request: &Request) -> azure_core::Result<reqwest::Request> {
        let Body::Bytes(body) = request.body() else {
            return Err(Error::with_message(
                ErrorKind::Other,
                "this transport does not stream",
            ));
        };
        let (method, mut url) = (method(request.method())?, request.url().clone());
        let mut headers = header::HeaderMap::new();
        for (name, value) in request.headers().iter() {
            let name = header::HeaderName::from_bytes(name.as_str().as_bytes());
            let value = header::HeaderValue::from_str(value.as_str());
            let (Ok(name), Ok(value)) = (name, value) else {
                return Err(Error::with_message(
                    ErrorKind::Other,
                    "a header has an illegal value",
                ));
            };
            headers.insert(name, value);
        }
        match &self.auth {
            Auth::Key(key) => {
                let date = http_date(self.clock.now());
                let date = header::HeaderValue::from_str(&date);
                headers.insert("x-ms-date", date.expect("a date is ASCII"));
                let authorization = key.authorization(&Signable {
                    service: self.service,
                    method: method.as_str(),
                    url: &url,
                    headers: &headers,
                    length: body.len(),
                });
                let authorization = header::HeaderValue::from_str(&authorization);
                let mut authorization = authorization.expect("an account's name is ASCII");
                authorization.set_sensitive(true);
                headers.insert(header::AUTHORIZATION, authorization);
            }
            Auth::Signature(signature) => append_query(&mut url, signature.secret()),
            Auth::Token => {}
        }
        let mut outgoing = reqwest::Request::new(method, url);
        *outgoing.headers_mut() = headers;
        if !body.is_empty() {
            *outgoing.body_mut() = Some(body.clone().into());
        }
        Ok(outgoing)
    }
}

/// As it stands: a shared access signature is percent-encoded already.
fn append_query(url: &mut Url, query: &str) {
    let whole = match url.query() {
        Some(before) if !before.is_empty() => format!("{before}&{query}"),
        _ => query.to_owned(),
    };
    url.set_query(Some(&whole));
}

/// A date as HTTP has it (RFC 9110, section 5.6.7).
fn http_date(time: Timestamp) -> String {
    DateTimePrinter::new()
        .timestamp_to_rfc9110_string(&time)
        .expect("years of four digits have such a date")
}

/// An error without the URL, which may hold a signature.
fn lost(error: reqwest::Error) -> Error {
    let kind = if error.is_connect() {
        ErrorKind::Connection
    } else {
        ErrorKind::Io
    };
    let error = error.without_url();
    let mut root: &dyn std::error::Error = &error;
    while let Some(source) = root.source() {
        root = source;
    }
    let why = if error.is_timeout() {
        "no answer in time".to_owned()
    } else {
        root.to_string()
    };
    Error::with_message(kind, why)
}

fn own_headers(map: &header::HeaderMap) -> Headers {
    let text = |value: &header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let pairs = map.iter().map(|(name, value)| {
        (
            HeaderName::from(name.as_str().to_owned()),
            HeaderValue::from(text(value)),
        )
    });
    Headers::from(pairs.collect::<HashMap<_, _>>())
}

fn method(method: Method) -> azure_core::Result<reqwest::Method> {
    reqwest::Method::from_bytes(method.as_str().as_bytes())
        .map_err(|error| Error::with_error(ErrorKind::Other, error, "no method of HTTP"))
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;
    use crate::ambient::System;

    fn wire(auth: Auth) -> Wire {
        let http = client(Duration::from_secs(1)).unwrap();
        Wire {
            http,
            service: Service::Blob,
            auth,
            clock: Arc::new(System::new()),
        }
    }

    fn request(url: &str) -> Request {
        let mut request = Request::new(url.parse().unwrap(), Method::Get);
        request.insert_header("x-ms-version", "2025-11-05");
        request
    }

    #[test]
    fn proofs_are_added_to_what_goes_out_only() {
        let secret = "a2V5IG9mIHRoaXMgdGVzdA==";
        let key = SharedKey {
            account: "acme".to_owned(),
            key: Secret::new(secret),
        };
        let signed = request("https://acme.example/c/b?comp=list");
        let outgoing = wire(Auth::Key(key)).authorized(&signed).unwrap();
        let authorization = outgoing.headers()["authorization"].to_str().unwrap();
        assert!(authorization.starts_with("SharedKey acme:"));
        assert!(
            outgoing.headers()["x-ms-date"]
                .to_str()
                .unwrap()
                .ends_with(" GMT")
        );
        assert!(!format!("{outgoing:?}").contains(authorization));
        assert_eq!(signed.headers().iter().count(), 1);

        let signature = || Auth::Signature(Secret::new("sv=1&sig=a%2Bb%3D"));
        let query = |url: &str| {
            let outgoing = wire(signature()).authorized(&request(url)).unwrap();
            outgoing.url().query().map(str::to_owned)
        };
        assert_eq!(query("https://x/c").as_deref(), Some("sv=1&sig=a%2Bb%3D"));
        assert_eq!(
            query("https://x/c?a=b").as_deref(),
            Some("a=b&sv=1&sig=a%2Bb%3D")
        );
        assert!(!format!("{:?}", signature()).contains("sig="));
    }

    #[test]
    fn dates() {
        let date = |text: &str| http_date(text.parse().unwrap());
        assert_eq!(
            date("2015-06-26T23:39:12.9Z"),
            "Fri, 26 Jun 2015 23:39:12 GMT"
        );
        assert_eq!(
            date("2026-02-03T04:05:06Z"),
            "Tue, 03 Feb 2026 04:05:06 GMT"
        );
    }

    #[tokio::test]
    async fn errors_hold_no_url() {
        let wire = wire(Auth::Signature(Secret::new("sig=secret")));
        // Port 9 is discard: nobody listens there.
        let mut request = request("http://127.0.0.1:9/c");
        let error = wire
            .send(&Context::new(), &mut request, &[])
            .await
            .unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Connection);
        let shown = format!("{error} {error:?} {:?}", error.source());
        assert!(
            !shown.contains("secret") && shown.contains("refused"),
            "{shown}"
        );
    }
}
