//! Shared Key: the signature of one request by the account's key.
//!
//! Microsoft, "Authorize with Shared Key": the 2009-09-19 form for queues and blobs, and the form
//! of the Table service, which signs fewer headers.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use azure_core::credentials::Secret;
use azure_core::http::Url;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::header::{HeaderMap, HeaderName};
use sha2::Sha256;

use super::connection::Service;

/// An account and its key.
#[derive(Clone, Debug)]
pub(super) struct SharedKey {
    /// The account's name.
    pub(super) account: String,
    /// Base64; checked when the connection string was read.
    pub(super) key: Secret,
}

/// What is signed of a request. All headers are there but `authorization`.
pub(super) struct Signable<'a> {
    pub(super) service: Service,
    pub(super) method: &'a str,
    pub(super) url: &'a Url,
    pub(super) headers: &'a HeaderMap,
    /// Of the body, in bytes.
    pub(super) length: usize,
}

impl SharedKey {
    /// The value of `authorization`.
    pub(super) fn authorization(&self, request: &Signable<'_>) -> String {
        format!(
            "SharedKey {}:{}",
            self.account,
            signature(&self.key, &self.string_to_sign(request))
        )
    }

    fn string_to_sign(&self, request: &Signable<'_>) -> String {
        let header = |name: &str| text(request.headers, name);
        let path = format!("/{}{}", self.account, request.url.path());
        if request.service == Service::Table {
            let comp = request.url.query_pairs().find(|(name, _)| name == "comp");
            let comp = comp
                .map(|(_, value)| format!("?comp={value}"))
                .unwrap_or_default();
            let lines = [
                request.method,
                header("content-md5"),
                header("content-type"),
                header("x-ms-date"),
                &format!("{path}{comp}"),
            ];
            return lines.join("\n");
        }
        // An empty body is signed as no length since version 2015-02-21.
        let length = if request.length == 0 {
            String::new()
        } else {
            request.length.to_string()
        };
        let lines = [
            request.method,
            header("content-encoding"),
            header("content-language"),
            &length,
            header("content-md5"),
            header("content-type"),
            // `date`, which `x-ms-date` replaces.
            "",
            header("if-modified-since"),
            header("if-match"),
            header("if-none-match"),
            header("if-unmodified-since"),
            header("range"),
        ];
        let headers = canonical_headers(request.headers);
        format!(
            "{}\n{headers}{path}{}",
            lines.join("\n"),
            canonical_query(request.url)
        )
    }
}

/// HMAC-SHA256 (RFC 2104) of a text by a base64 key, as base64 itself.
pub(super) fn signature(key: &Secret, text: &str) -> String {
    let key = STANDARD.decode(key.secret());
    let key = key.expect("it was checked when the connection string was read, or written by us");
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("a key may have any length");
    mac.update(text.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

/// `x-ms-` headers by name, each `name:value` and a line feed.
fn canonical_headers(headers: &HeaderMap) -> String {
    let own = headers
        .keys()
        .map(HeaderName::as_str)
        .filter(|name| name.starts_with("x-ms-"));
    let sorted: BTreeMap<&str, &str> = own.map(|name| (name, text(headers, name))).collect();
    let mut lines = String::new();
    for (name, value) in sorted {
        let _ = writeln!(lines, "{name}:{}", value.trim());
    }
    lines
}

/// Parameters by name in lower case, decoded, each a line feed and `name:value,value`.
fn canonical_query(url: &Url) -> String {
    let mut sorted = BTreeMap::<String, Vec<String>>::new();
    for (name, value) in url.query_pairs() {
        sorted
            .entry(name.to_lowercase())
            .or_default()
            .push(value.into_owned());
    }
    let mut lines = String::new();
    for (name, mut values) in sorted {
        values.sort();
        let _ = write!(lines, "\n{name}:{}", values.join(","));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn string_to_sign(
        service: Service,
        (method, url): (&str, &str),
        headers: &[(&'static str, &'static str)],
        length: usize,
    ) -> String {
        let key = SharedKey {
            account: "myaccount".to_owned(),
            key: Secret::new("a2V5"),
        };
        let headers = headers.iter().map(|(name, value)| {
            (
                HeaderName::from_static(name),
                reqwest::header::HeaderValue::from_static(value),
            )
        });
        let (url, headers) = (Url::parse(url).unwrap(), headers.collect());
        key.string_to_sign(&Signable {
            service,
            method,
            url: &url,
            headers: &headers,
            length,
        })
    }

    /// The examples of Microsoft's documentation, and what its text adds to them.
    #[test]
    fn strings_to_sign() {
        let found = string_to_sign(
            Service::Blob,
            (
                "GET",
                "https://myaccount.blob.core.windows.net/mycontainer?restype=container&comp=metadata&timeout=20",
            ),
            &[
                ("x-ms-version", "2015-02-21"),
                ("x-ms-date", "Fri, 26 Jun 2015 23:39:12 GMT"),
                ("accept", "not signed"),
            ],
            0,
        );
        let expect = "GET\n\n\n\n\n\n\n\n\n\n\n\n\
            x-ms-date:Fri, 26 Jun 2015 23:39:12 GMT\nx-ms-version:2015-02-21\n\
            /myaccount/mycontainer\ncomp:metadata\nrestype:container\ntimeout:20";
        assert_eq!(found, expect);

        let found = string_to_sign(
            Service::Blob,
            (
                "GET",
                "https://x/mycontainer?comp=list&include=snapshots&include=metadata&Prefix=a%20b%2Bc",
            ),
            &[("x-ms-date", "d")],
            0,
        );
        let expect = "GET\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:d\n\
            /myaccount/mycontainer\ncomp:list\ninclude:metadata,snapshots\nprefix:a b+c";
        assert_eq!(found, expect);

        let found = string_to_sign(
            Service::Blob,
            ("PUT", "http://127.0.0.1:10000/myaccount/c/dir%2Fx%20y.pdf"),
            &[
                ("x-ms-blob-type", "BlockBlob"),
                ("x-ms-meta-b", " two  words "),
                ("content-type", "text/plain; charset=UTF-8"),
                ("if-match", "\"0x1\""),
                ("if-none-match", "*"),
                ("range", "bytes=0-9"),
            ],
            11,
        );
        let expect = "PUT\n\n\n11\n\ntext/plain; charset=UTF-8\n\n\n\"0x1\"\n*\n\nbytes=0-9\n\
            x-ms-blob-type:BlockBlob\nx-ms-meta-b:two  words\n\
            /myaccount/myaccount/c/dir%2Fx%20y.pdf";
        assert_eq!(found, expect);

        let found = string_to_sign(
            Service::Table,
            ("POST", "https://x/Tables?comp=properties&timeout=20"),
            &[
                ("content-type", "application/json"),
                ("x-ms-date", "d"),
                ("if-match", "*"),
            ],
            40,
        );
        assert_eq!(
            found,
            "POST\n\napplication/json\nd\n/myaccount/Tables?comp=properties"
        );
    }

    /// HMAC-SHA256 of RFC 4231, test case 2.
    #[test]
    fn signatures_are_hmac_sha256_in_base64() {
        let key = Secret::new("SmVmZQ==");
        let expect = "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=";
        assert_eq!(signature(&key, "what do ya want for nothing?"), expect);
    }

    #[test]
    fn no_key_is_shown() {
        let key = SharedKey {
            account: "a".to_owned(),
            key: Secret::new("SmVmZQ=="),
        };
        assert!(!format!("{key:?}").contains("SmVmZQ"));
    }
}
