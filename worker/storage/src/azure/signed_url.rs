//! Signed URLs: read-only, for one blob, with an end (service and user delegation SAS).

use std::sync::Arc;
use std::time::Duration;

use azure_core::http::Url;
use azure_core::time::OffsetDateTime;
use azure_storage_blob::BlobServiceClient;
use azure_storage_blob::models::KeyInfo;
use azure_storage_common::models::UserDelegationKey;
use azure_storage_sas::{SasBuilder, SasProtocol};
use jiff::Timestamp;
use tokio::sync::Mutex;

use super::failure::Failure;
use super::file_name::attachment;
use super::percent::encoded;
use super::sign::SharedKey;
use super::tries::{Repeat, Tries};
use crate::Clock;
use crate::port::{Result, StorageError};

/// The version whose form of a signature [`by_key`] writes.
const VERSION: &str = "2022-11-02";
/// What a key by delegation may last at most (Get User Delegation Key).
const WEEK: Duration = Duration::from_hours(7 * 24);
/// What a key lasts. Fetched anew only for URLs that end later than it does.
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

/// An identity's key for signing.
pub(super) struct Delegation {
    pub(super) account: String,
    pub(super) service: BlobServiceClient,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) key: Mutex<Option<(UserDelegationKey, Timestamp)>>,
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
        let query = match self {
            Self::Key(key) => by_key(key, target),
            Self::Delegation(delegation) => delegation.sign(target, tries).await?,
            Self::Nobody => return Ok(None),
        };
        let mut url = target.url.clone();
        url.set_query(Some(&query));
        Ok(Some(url.into()))
    }
}

/// Microsoft, "Create a service SAS", the form since version 2020-12-06.
fn by_key(key: &SharedKey, target: &Target<'_>) -> String {
    let expires = target.expires.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let protocol = if is_tls(target) {
        "https"
    } else {
        "https,http"
    };
    let disposition = attachment(target.file_name);
    let resource = format!("/blob/{}/{}/{}", key.account, target.container, target.path);
    let text = [
        "r",          // permissions
        "",           // start
        &expires,     // end
        &resource,    // of a blob
        "",           // stored policy
        "",           // IP addresses
        protocol,     //
        VERSION,      //
        "b",          // kind of the resource
        "",           // snapshot
        "",           // encryption scope
        "",           // Cache-Control
        &disposition, // Content-Disposition
        "",           // Content-Encoding
        "",           // Content-Language
        "",           // Content-Type: the blob's own
    ];
    let signature = key.sign(&text.join("\n"));
    let pairs = [
        ("sv", VERSION),
        ("sr", "b"),
        ("sp", "r"),
        ("se", &expires),
        ("spr", protocol),
        ("rscd", &disposition),
        ("sig", &signature),
    ];
    pairs
        .map(|(name, value)| format!("{name}={}", encoded(value)))
        .join("&")
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
            Some(key) if key.1 >= target.expires => key,
            _ => {
                let ends = target.expires.max(now + KEY_LASTS);
                (self.fetch(now - SKEW, ends, tries).await?, ends)
            }
        };
        let (key, _) = held.insert(key);
        let protocol = if is_tls(target) {
            SasProtocol::Https
        } else {
            SasProtocol::HttpsAndHttp
        };
        let builder = SasBuilder::new(&self.account, key, second(target.expires)?);
        let builder = builder.map_err(|error| StorageError::unavailable(Failure::from(error)))?;
        let blob = builder
            .protocol(protocol)
            .blob(target.container, target.path)
            .read();
        Ok(blob
            .content_disposition(attachment(target.file_name))
            .build())
    }

    async fn fetch(
        &self,
        start: Timestamp,
        end: Timestamp,
        tries: &Tries,
    ) -> Result<UserDelegationKey> {
        let (start, expiry) = (Some(second(start)?), Some(second(end)?));
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
            Ok(answer.into_model()?)
        };
        let make = || std::future::ready(Ok(()));
        Ok(tries.run(Repeat::Always, operation, make).await?)
    }
}

fn is_tls(target: &Target<'_>) -> bool {
    target.url.scheme() == "https"
}

fn second(time: Timestamp) -> Result<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp(time.as_second())
        .map_err(|_| StorageError::Invalid("no such date".to_owned()))
}
