//! All ports by a token, and URLs signed by delegation, against an Azurite with TLS.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use azure_core::time::OffsetDateTime;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::json;

use super::credential::{Identity, Means};
use super::{Account, wire};
use crate::Clock;
use crate::ambient::System;
use crate::azurite::{ACCOUNT, Azurite};
use crate::names::{Container, QueueName, TableName};
use crate::port::{Metadata, Properties, PutMode, StorageError, Write};

const TIMEOUT: Duration = Duration::from_secs(20);
const PDFS: Container = Container::CvPdfs;

/// Azurite looks at what a token says and not at its signature (`--oauth basic`).
#[derive(Debug)]
struct Token(Timestamp);

#[async_trait]
impl TokenCredential for Token {
    async fn get_token(
        &self,
        scopes: &[&str],
        _: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        assert_eq!(scopes, [super::SCOPE]);
        let (from, to) = (self.0.as_second() - 60, self.0.as_second() + 3_600);
        let claims = json!({
            "aud": "https://storage.azure.com", "iss": "https://sts.windows.net/t/",
            "iat": from, "nbf": from, "exp": to, "oid": "o", "tid": "t", "ver": "1.0",
        });
        let part = |json: serde_json::Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let header = part(json!({"alg": "RS256", "typ": "JWT"}));
        let token = format!(
            "{header}.{}.{}",
            part(claims),
            URL_SAFE_NO_PAD.encode("signature")
        );
        Ok(AccessToken::new(
            token,
            OffsetDateTime::from_unix_timestamp(to).unwrap(),
        ))
    }
}

/// All that is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// An Azurite with TLS, and a client that trusts it.
struct Bench {
    azurite: Azurite,
    http: reqwest::Client,
    clock: Arc<System>,
    _certificate: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let [certificate, key] =
            ["certificate.pem", "key.pem"].map(|name| directory.path().join(name));
        std::fs::write(&certificate, made.cert.pem()).unwrap();
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        let azurite = Azurite::start_with(&[
            "--inMemoryPersistence",
            "--oauth",
            "basic",
            "--cert",
            certificate.to_str().unwrap(),
            "--key",
            key.to_str().unwrap(),
        ]);
        let trusted = reqwest::Certificate::from_pem(made.cert.pem().as_bytes()).unwrap();
        let http = wire::base_client(TIMEOUT)
            .tls_certs_only([trusted])
            .build()
            .unwrap();
        Self {
            azurite,
            http,
            clock: Arc::new(System::new()),
            _certificate: directory,
        }
    }

    fn account(&self) -> Account {
        let connection = self
            .azurite
            .connection_string()
            .replace("http://", "https://");
        let settings = crate::azurite::settings(&connection);
        let token = Arc::new(Token(self.clock.now()));
        let identity = Identity {
            token,
            means: Means::ManagedIdentity,
        };
        Account::assemble(&settings, &self.http, Some(&identity), self.clock.clone()).unwrap()
    }
}

#[tokio::test]
async fn a_token_opens_all_services_and_is_not_logged() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    // For this thread, which runs all of this test.
    let _logging = tracing::subscriber::set_default(subscriber);
    let bench = Bench::new();
    let account = bench.account();
    account.check().await.unwrap();
    let storage = account.storage();
    storage
        .queue
        .send(QueueName::Jobs, "a", Duration::ZERO)
        .await
        .unwrap();
    let insert = vec![Write::Insert("a".to_owned(), Properties::new())];
    storage
        .table
        .write(TableName::Jobs, "p", insert)
        .await
        .unwrap();
    assert_eq!(storage.queue.count(QueueName::Jobs).await.unwrap(), 1);
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("authorization: REDACTED"), "{log}");
    // Where every token begins.
    assert!(!log.contains("eyJ"), "{log}");
}

#[tokio::test]
async fn an_identity_signs_urls_by_delegation() {
    let bench = Bench::new();
    let blobs = bench.account().storage().blobs;
    let path = "t/a b'\u{e9}.pdf";
    for path in [path, "t/other.pdf"] {
        let (data, labels) = (Bytes::from_static(b"content"), Metadata::new());
        blobs
            .put(
                PDFS,
                path,
                data,
                "application/pdf",
                &labels,
                PutMode::Overwrite,
            )
            .await
            .unwrap();
    }
    let now = bench.clock.now();
    let url = async |expires| {
        blobs
            .signed_url(PDFS, path, "CV Zo\u{eb}.pdf", expires)
            .await
    };

    let good = url(now + Duration::from_mins(10)).await.unwrap().unwrap();
    assert!(
        good.starts_with("https://127.0.0.1") && good.contains("skoid=o"),
        "{good}"
    );
    assert!(
        good.contains("spr=https&") && good.contains("sp=r&"),
        "{good}"
    );
    let answer = bench.http.get(&good).send().await.unwrap();
    let disposition = "attachment; filename=\"CV Zo_.pdf\"; filename*=UTF-8''CV%20Zo%C3%AB.pdf";
    assert_eq!(answer.headers()["content-disposition"], disposition);
    assert_eq!(answer.bytes().await.unwrap(), "content");

    let other = good.replace("a%20b'%C3%A9.pdf", "other.pdf");
    assert_ne!(other, good);
    let past = url(now - Duration::from_mins(1)).await.unwrap().unwrap();
    for url in [other, past] {
        assert_eq!(
            bench.http.get(&url).send().await.unwrap().status().as_u16(),
            403,
            "{url}"
        );
    }
    let written = bench
        .http
        .put(&good)
        .header("x-ms-blob-type", "BlockBlob")
        .body("other")
        .send()
        .await
        .unwrap();
    assert_eq!(written.status().as_u16(), 403);

    // A URL that ends after the key does needs another key; none lasts longer than a week.
    let late = url(now + Duration::from_hours(6 * 24))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        bench
            .http
            .get(&late)
            .send()
            .await
            .unwrap()
            .status()
            .as_u16(),
        200
    );
    let too_late = url(now + Duration::from_hours(8 * 24)).await;
    assert!(
        matches!(too_late, Err(StorageError::Invalid(_))),
        "{too_late:?}"
    );
}

#[test]
fn the_account_is_the_emulators() {
    assert_eq!(ACCOUNT, super::connection::EMULATOR_ACCOUNT);
}
