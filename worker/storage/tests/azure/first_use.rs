//! Queues, tables and containers are made when they are first found missing.

use std::time::Duration;

use bytes::Bytes;
use storage::azurite::Azurite;
use storage::names::{Container, QueueName, TableName};
use storage::port::{Metadata, Properties, PutMode, StorageError, Write};

use crate::{by_key, connect};
use storage::azurite::proxy::{Fault, Proxy};

const LONG: Duration = Duration::from_mins(1);

#[tokio::test]
async fn each_is_made_once_and_by_whatever_comes_first() {
    let azurite = Azurite::start();
    let proxy = Proxy::to(azurite.ports()).await;
    let storage = connect(&by_key(proxy.ports, LONG));
    let insert = || vec![Write::Insert("a".to_owned(), Properties::new())];
    storage
        .queue
        .send(QueueName::Jobs, "a", Duration::ZERO)
        .await
        .unwrap();
    storage
        .table
        .write(TableName::Jobs, "p", insert())
        .await
        .unwrap();
    let (data, labels) = (Bytes::from_static(b"a"), Metadata::new());
    let put = storage.blobs.put(
        Container::CvPdfs,
        "a",
        data,
        "a/b",
        &labels,
        PutMode::CreateOnly,
    );
    put.await.unwrap();
    assert_eq!(proxy.requests(), 9, "refused, made, done");
    storage
        .queue
        .send(QueueName::Jobs, "b", Duration::ZERO)
        .await
        .unwrap();
    assert_eq!(proxy.requests(), 1);

    assert_eq!(
        storage
            .queue
            .receive(QueueName::Notifications, 1, LONG)
            .await
            .unwrap(),
        []
    );
    assert!(
        storage
            .table
            .get(TableName::Tenants, "p", "a")
            .await
            .unwrap()
            .value
            .is_none()
    );
    let page = storage
        .blobs
        .list(Container::JobInputs, "", 10, None)
        .await
        .unwrap();
    assert!(page.blobs.is_empty());
    let head = storage.blobs.head(Container::ModelReplies, "a").await;
    assert!(matches!(head, Err(StorageError::NotFound)), "{head:?}");
}

#[tokio::test]
async fn many_at_once_make_one() {
    let azurite = Azurite::start();
    let storage = connect(&azurite.settings());
    let sends = (0..16).map(|_| storage.queue.send(QueueName::Jobs, "a", Duration::ZERO));
    for sent in futures::future::join_all(sends).await {
        sent.unwrap();
    }
    assert_eq!(storage.queue.count(QueueName::Jobs).await.unwrap(), 16);
    let rows: Vec<_> = (0..16)
        .map(|n| vec![Write::Insert(n.to_string(), Properties::new())])
        .collect();
    let writes = rows
        .into_iter()
        .map(|row| storage.table.write(TableName::Jobs, "p", row));
    for written in futures::future::join_all(writes).await {
        written.unwrap();
    }
}

#[tokio::test]
async fn the_answer_to_the_making_may_be_lost() {
    let azurite = Azurite::start();
    let proxy = Proxy::to(azurite.ports()).await;
    let storage = connect(&by_key(proxy.ports, LONG));
    proxy.next("PUT /jobs ", Fault::LoseAnswer);
    storage
        .queue
        .send(QueueName::Jobs, "a", Duration::ZERO)
        .await
        .unwrap();
    proxy.next("POST /Tables", Fault::DoneButBusy);
    let insert = || vec![Write::Insert("a".to_owned(), Properties::new())];
    storage
        .table
        .write(TableName::Jobs, "p", insert())
        .await
        .unwrap();
    // A write is not repeated once an answer is lost, be it that of the making.
    proxy.next("POST /Tables", Fault::LoseAnswer);
    let first = storage.table.write(TableName::Tenants, "p", insert()).await;
    assert!(
        matches!(first, Err(StorageError::Unavailable(_))),
        "{first:?}"
    );
    storage
        .table
        .write(TableName::Tenants, "p", insert())
        .await
        .unwrap();
    proxy.all_met();
}
