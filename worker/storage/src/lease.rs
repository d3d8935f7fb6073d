//! Leases by name: one of several processes does a periodic task.
//!
//! Only for economy: whatever runs under a lease must be harmless when it runs twice.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use crate::names::TableName;
use crate::port::{Properties, Result, StorageError, Table, Write};

/// The partition of table `tenants` that holds leases.
const PARTITION: &str = "leases";

/// The lease of the worker that reconciles: while somebody holds it, a worker runs.
pub const RECONCILER: &str = "reconciler";

/// Whether anybody holds a lease now, by the table's clock.
pub async fn is_held(table: &dyn Table, name: &str) -> Result<bool> {
    let read = table.get(TableName::Tenants, PARTITION, name).await?;
    let until = read
        .value
        .as_ref()
        .and_then(|entity| entity.properties.get("until")?.as_i64());
    Ok(until.is_some_and(|until| until > read.date.as_millisecond()))
}

/// Takes or renews a lease for a time, by the table's clock; tells whether `holder` has it now.
pub async fn acquire(table: &dyn Table, name: &str, holder: &str, lasts: Duration) -> Result<bool> {
    let read = table.get(TableName::Tenants, PARTITION, name).await?;
    let mut properties = Properties::new();
    properties.insert("holder".to_owned(), json!(holder));
    properties.insert(
        "until".to_owned(),
        json!((read.date + lasts).as_millisecond()),
    );
    let write = match read.value {
        None => Write::Insert(name.to_owned(), properties),
        Some(entity) => {
            let text = |key: &str| entity.properties.get(key).cloned().unwrap_or_default();
            let until = text("until")
                .as_i64()
                .and_then(|ms| Timestamp::from_millisecond(ms).ok());
            let free = until.is_none_or(|until| until <= read.date);
            if !free && text("holder").as_str() != Some(holder) {
                return Ok(false);
            }
            Write::Update(name.to_owned(), properties, entity.etag)
        }
    };
    match table
        .write(TableName::Tenants, PARTITION, vec![write])
        .await
    {
        Ok(_) => Ok(true),
        Err(StorageError::AlreadyExists | StorageError::Precondition) => Ok(false),
        Err(e) => Err(e),
    }
}
