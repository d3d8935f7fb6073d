//! Opening storage: what is wrong with the settings is said in a way that helps, and soon.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use config::{AzureCredential, AzureStorage, Backend, EmitEvents, Secret};
use storage::ambient::System;
use storage::azurite::{self, Azurite, Ports};
use storage::names::{Container, QueueName};
use storage::port::{Metadata, PutMode};
use storage::{Clock, Entropy, OpenError, Storage, open};

use crate::by_signature;

async fn opened(azure: AzureStorage) -> Result<Storage, OpenError> {
    let system = Arc::new(System::new());
    let (clock, entropy): (Arc<dyn Clock>, Arc<dyn Entropy>) = (system.clone(), system);
    let data_dir = PathBuf::from("unused");
    open(
        &config::Storage {
            backend: Backend::Azure,
            data_dir,
            azure,
        },
        &clock,
        &entropy,
    )
    .await
}

/// All that an operator reads: the error and its causes.
async fn complaint(azure: AzureStorage) -> String {
    let error = opened(azure)
        .await
        .map(drop)
        .expect_err("it cannot be opened");
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

fn with_proof(ports: Ports, proof: &str) -> AzureStorage {
    azurite::settings(&azurite::connection_string(ports, proof))
}

#[tokio::test]
async fn good_settings_open() {
    let azurite = Azurite::start();
    for settings in [azurite.settings(), by_signature(azurite.ports())] {
        let storage = opened(settings).await.unwrap();
        assert_eq!(storage.queue.count(QueueName::Jobs).await.unwrap(), 0);
    }
}

#[tokio::test]
async fn blobs_may_be_in_another_account() {
    let (here, there) = (Azurite::start(), Azurite::start());
    let settings = AzureStorage {
        blob_connection: there.settings().blob_connection,
        ..here.settings()
    };
    let storage = opened(settings).await.unwrap();
    let (data, mode) = ("x".into(), PutMode::CreateOnly);
    let labels = Metadata::new();
    let put = storage
        .blobs
        .put(Container::JobInputs, "a", data, "a/b", &labels, mode);
    put.await.unwrap();
    storage
        .queue
        .send(QueueName::Jobs, "a", Duration::ZERO)
        .await
        .unwrap();
    for (azurite, blobs, messages) in [(here, 0, 1), (there, 1, 0)] {
        let storage = opened(azurite.settings()).await.unwrap();
        let listed = storage
            .blobs
            .list(Container::JobInputs, "", 10, None)
            .await
            .unwrap();
        assert_eq!(listed.blobs.len(), blobs);
        assert_eq!(
            storage.queue.count(QueueName::Jobs).await.unwrap(),
            messages
        );
    }
}

#[tokio::test]
async fn events_are_put_where_nobody_else_does() {
    let azurite = Azurite::start();
    for (emit_events, expect) in [
        (EmitEvents::Off, 0),
        (EmitEvents::On, 1),
        (EmitEvents::Auto, 2),
    ] {
        let settings = AzureStorage {
            emit_events,
            ..azurite.settings()
        };
        let storage = opened(settings).await.unwrap();
        let (data, mode) = ("x".into(), PutMode::Overwrite);
        let labels = Metadata::new();
        storage
            .blobs
            .put(Container::CvPdfs, "t/a.pdf", data, "a/b", &labels, mode)
            .await
            .unwrap();
        let count = storage.queue.count(QueueName::Notifications).await.unwrap();
        assert_eq!(count, expect, "{emit_events:?}");
    }
}

#[tokio::test]
async fn what_is_wrong_is_said() {
    let azurite = Azurite::start();
    let ports = azurite.ports();
    let check = async |settings: AzureStorage, expect: &[&str]| {
        let text = complaint(settings).await;
        assert!(expect.iter().all(|part| text.contains(part)), "{text}");
        assert!(
            !text.contains("c2VjcmV0") && !text.contains("sig="),
            "{text}"
        );
    };
    let not_base64 = with_proof(ports, "AccountKey=c2VjcmV0!");
    check(
        not_base64,
        &[
            "storage.azure.queue_table_connection",
            "AccountKey must be base64",
        ],
    )
    .await;
    let blob_only = AzureStorage {
        blob_connection: Some(Secret::new("AccountName=x;AcountKey=c2VjcmV0")),
        ..azurite.settings()
    };
    check(
        blob_only,
        &["storage.azure.blob_connection", "part 2 means nothing"],
    )
    .await;
    let nothing = AzureStorage {
        queue_table_connection: None,
        blob_connection: None,
        credential: AzureCredential::ConnectionString,
        ..azurite.settings()
    };
    check(nothing, &["storage.azure.account_name"]).await;
    check(
        with_proof(ports, "AccountKey=c2VjcmV0"),
        &["Queue Storage at 127.0.0.1 refuses the account key (AuthenticationFailed)"],
    )
    .await;
    check(
        with_proof(
            ports,
            "SharedAccessSignature=sv=2022-11-02&ss=b&srt=sco&sp=r&sig=c2VjcmV0",
        ),
        &["refuses the shared access signature", "at 127.0.0.1"],
    )
    .await;
    let in_the_clear = AzureStorage {
        credential: AzureCredential::ManagedIdentity,
        ..azurite.settings()
    };
    check(in_the_clear, &["needs https", "http://127.0.0.1"]).await;
    let no_token = AzureStorage {
        queue_table_connection: None,
        blob_connection: None,
        account_name: Some("presswork1".to_owned()),
        client_id: Some("c".to_owned()),
        tenant_id: Some("t".to_owned()),
        federated_token_file: Some("/no/such/file".into()),
        ..azurite.settings()
    };
    check(
        no_token,
        &["storage.azure.credential cannot be used", "/no/such/file"],
    )
    .await;
}

#[tokio::test]
async fn a_service_that_is_not_there_is_noticed_soon() {
    let nobody = Ports {
        blob: 9,
        queue: 9,
        table: 9,
    };
    let clock = System::new();
    let text = complaint(with_proof(nobody, "AccountKey=c2VjcmV0")).await;
    assert!(
        text.contains("Queue Storage at 127.0.0.1 does not answer; check"),
        "{text}"
    );
    assert!(text.contains("refused"), "{text}");
    assert!(
        clock.monotonic() < Duration::from_secs(15),
        "{:?}",
        clock.monotonic()
    );
}
