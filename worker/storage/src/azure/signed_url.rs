//! Signed URLs: read-only, for one blob, with an end.
//!
//! Microsoft, "Create a service SAS" and "Create a user delegation SAS", both in the form since
//! version 2020-12-06. The crate `azure_storage_sas` writes the form of 2026-04-06 only, which no
//! Azurite for Node 20 can check.

use std::sync::Arc;
use std::time::Duration;

use azure_core::credentials::Secret;
use azure_core::http::Url;
use azure_core::time::OffsetDateTime;
use azure_storage_blob::BlobServiceClient;
use azure_storage_blob::models::KeyInfo;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use tokio::sync::Mutex;

use super::failure::Failure;
use super::file_name::attachment;
use super::percent::encoded;
use super::sign::{SharedKey, signature};
use super::tries::{Repeat, Tries};
use crate::Clock;
use crate::port::{Result, StorageError};

/// The version of the form.
const VERSION: &str = "2022-11-02";
/// What a key by delegation may last at most (Get User Delegation Key).
const WEEK: Duration = Duration::from_hours(7 * 24);
/// What a key lasts at least. It is fetched anew only for a URL that ends later than it does.
const KEY_LASTS: Duration = Duration::from_hours(24);
/// Clocks differ: a key begins in the past.
const SKEW: Duration = Duration::from_mins(15);

/// Who signs the URLs of an account.
pub(super) enum Signer {
    /// The account's key.
    Key(SharedKey),
    /// The identity, by a key that the service gives it for a time.
    Delegation(Box<Delegation>),
    /// Nobody: a shared access signature cannot sign others.
    Nobody,
}

/// An identity's way to sign.
pub(super) struct Delegation {
    pub(super) account: String,
    pub(super) service: BlobServiceClient,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) key: Mutex<Option<DelegationKey>>,
}

/// A key by delegation, and what a signature by it has to repeat.
pub(super) struct DelegationKey {
    key: Secret,
    expires: Timestamp,
    /// Names and values, in the order of the string to sign.
    terms: [(&'static str, String); 6],
}

/// A blob that a URL is to be for.
pub(super) struct Target<'a> {
    pub(super) url: &'a Url,
    pub(super) container: &'a str,
    pub(super) path: &'a str,
    pub(super) file_name: &'a str,
    pub(super) expires: Timestamp,
}

impl Signer {
    pub(super) async fn sign(&self, target: &Target<'_>, tries: &Tries) -> Result<Option<String>> {
        match self {
            Self::Key(SharedKey { account, key }) => Ok(Some(signed(target, account, key, None))),
            Self::Delegation(delegation) => Ok(Some(delegation.sign(target, tries).await?)),
            Self::Nobody => Ok(None),
        }
    }
}

impl Delegation {
    async fn sign(&self, target: &Target<'_>, tries: &Tries) -> Result<String> {
        let now = self.clock.now();
        if target.expires > now + WEEK {
            return Err(StorageError::Invalid(
                "a signed URL lasts 7 days at most".to_owned(),
            ));
        }
        // Held while a key is fetched: one request serves all who wait.
        let mut held = self.key.lock().await;
        let key = match held.take() {
            Some(key) if key.expires >= target.expires => key,
            _ => {
                let expires = target.expires.max(now + KEY_LASTS);
                self.fetch(now - SKEW, expires, tries).await?
            }
        };
        let key = held.insert(key);
        Ok(signed(target, &self.account, &key.key, Some(&key.terms)))
    }

    async fn fetch(
        &self,
        start: Timestamp,
        expires: Timestamp,
        tries: &Tries,
    ) -> Result<DelegationKey> {
        let time = |time: Timestamp| OffsetDateTime::from_unix_timestamp(time.as_second()).ok();
        let (start, expiry) = (time(start), time(expires));
        let operation = || async {
            let info = KeyInfo {
                start,
                expiry,
                ..Default::default()
            };
            let answer = self
                .service
                .get_user_delegation_key(info.try_into()?, None)
                .await?;
            let key = answer.into_model()?;
            let missing = || Failure::misread("a key by delegation lacks something");
            let text = |text: Option<String>| text.ok_or_else(missing);
            let date = |time: Option<OffsetDateTime>| {
                let time = time.map(OffsetDateTime::unix_timestamp);
                time.and_then(|time| Timestamp::from_second(time).ok())
                    .ok_or_else(missing)
            };
            let expires = date(key.signed_expiry)?;
            Ok(DelegationKey {
                key: Secret::new(STANDARD.encode(key.value.ok_or_else(missing)?)),
                expires,
                terms: [
                    ("skoid", text(key.signed_oid)?),
                    ("sktid", text(key.signed_tid)?),
                    ("skt", iso(date(key.signed_start)?)),
                    ("ske", iso(expires)),
                    ("sks", text(key.signed_service)?),
                    ("skv", text(key.signed_version)?),
                ],
            })
        };
        let make = || std::future::ready(Ok(()));
        Ok(tries.run(Repeat::Always, operation, make).await?)
    }
}

/// The URL, signed. `terms` are those of a key by delegation.
fn signed(
    target: &Target<'_>,
    account: &str,
    key: &Secret,
    terms: Option<&[(&'static str, String); 6]>,
) -> String {
    let expires = iso(target.expires);
    let protocol = if target.url.scheme() == "https" {
        "https"
    } else {
        "https,http"
    };
    let disposition = attachment(target.file_name);
    let resource = format!("/blob/{account}/{}/{}", target.container, target.path);
    // Permissions, start, end, of what.
    let mut text = vec!["r", "", &expires, &resource];
    match terms {
        // Stored policy.
        None => text.push(""),
        // The key's terms; two object ids and a correlation id, of use to directories only.
        Some(terms) => {
            text.extend(terms.iter().map(|(_, value)| value.as_str()));
            text.extend(["", "", ""]);
        }
    }
    // IP addresses, protocols, version, kind of resource, snapshot, encryption scope.
    text.extend(["", protocol, VERSION, "b", "", ""]);
    // Cache-Control, Content-Disposition, -Encoding, -Language and -Type of the answer, where they
    // are to differ from the blob's own.
    text.extend(["", &disposition, "", "", ""]);
    let signature = signature(key, &text.join("\n"));

    let mut pairs = vec![("sv", VERSION), ("sr", "b"), ("sp", "r"), ("se", &expires)];
    pairs.push(("spr", protocol));
    let terms = terms.into_iter().flatten();
    pairs.extend(terms.map(|(name, value)| (*name, value.as_str())));
    pairs.extend([("rscd", disposition.as_str()), ("sig", &signature)]);
    let pairs = pairs
        .into_iter()
        .map(|(name, value)| format!("{name}={}", encoded(value)));
    let mut url = target.url.clone();
    url.set_query(Some(&pairs.collect::<Vec<_>>().join("&")));
    url.into()
}

/// ISO 8601 in whole seconds, UTC.
fn iso(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
