//! Looking through a whole store for words.

use storage::Storage;
use storage::names::{Container, QueueName, TableName};
use storage::pages::{Listing, Rows};

const TENANT: &str = "anonymous";

/// Every partition that holds something of a tenant or of tenants.
const PARTITIONS: [(TableName, &str); 8] = [
    (TableName::Jobs, TENANT),
    (TableName::Sessions, TENANT),
    (TableName::Webhooks, TENANT),
    (TableName::Tenants, "tenants"),
    (TableName::Tenants, "budget"),
    (TableName::Tenants, "erasures"),
    (TableName::Tenants, "leases"),
    (TableName::Tenants, "schedules"),
];

/// Every place of a store that holds one of the words.
pub(crate) async fn found(storage: &Storage, words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    let mut look = |place: String, bytes: &[u8]| {
        for word in words {
            if bytes
                .windows(word.len())
                .any(|window| window == word.as_bytes())
            {
                found.push(format!("{word} in {place}"));
            }
        }
    };
    for (table, partition) in PARTITIONS {
        for (row, columns) in rows(storage, table, partition).await {
            look(
                format!("row {row} of {}", table.as_str()),
                columns.as_bytes(),
            );
        }
    }
    for container in Container::ALL {
        for path in blobs(storage, container).await {
            // Gone between the list and the look is gone.
            if let Ok(blob) = storage.blobs.get(container, &path).await {
                let place = format!("blob {path} of {}", container.as_str());
                let labels = format!("{path} {:?}", blob.info.metadata);
                look(place.clone(), labels.as_bytes());
                look(place.clone(), &blob.data);
                if let Some(text) = text(&blob.data) {
                    look(format!("the text of {place}"), text.as_bytes());
                }
            }
        }
    }
    for queue in QueueName::ALL {
        for message in storage.queue.peek(queue, 32).await.unwrap() {
            look(
                format!("a message of {}", queue.as_str()),
                message.body.as_bytes(),
            );
        }
    }
    found
}

/// The text of a PDF, whose streams are compressed.
fn text(data: &[u8]) -> Option<String> {
    if !data.starts_with(b"%PDF") {
        return None;
    }
    let read = convert::pdf::read(data).ok()?;
    serde_json::to_string(&read.cv).ok()
}

/// The keys of all tombstones.
pub(crate) async fn tombstones(storage: &Storage) -> Vec<String> {
    let rows = rows(storage, TableName::Jobs, TENANT).await;
    let rows = rows.into_iter().map(|(row, _)| row);
    rows.filter(|row| row.starts_with("t~")).collect()
}

/// All rows of a partition: key, and columns as JSON.
pub(crate) async fn rows(
    storage: &Storage,
    table: TableName,
    partition: &str,
) -> Vec<(String, String)> {
    let mut all = Vec::new();
    let mut rows = Rows::of(&*storage.table, table, partition, "!".."\u{7f}");
    while let Some(page) = rows.next_page().await.unwrap() {
        all.extend(page.value.into_iter().map(|entity| {
            let columns = serde_json::to_string(&entity.properties).unwrap();
            (entity.row, columns)
        }));
    }
    all
}

/// The paths of all blobs of a container.
pub(crate) async fn blobs(storage: &Storage, container: Container) -> Vec<String> {
    let mut paths = Vec::new();
    let mut listing = Listing::of(&*storage.blobs, container, "");
    while let Some(page) = listing.next_page().await.unwrap() {
        paths.extend(page.into_iter().map(|(path, _)| path));
    }
    paths
}
