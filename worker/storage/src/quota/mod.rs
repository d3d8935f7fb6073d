//! What callers have used of their limits, counted over all replicas.
//!
//! A bucket is one number: until when what was let through takes up its rate (the theoretical
//! arrival time of the generic cell rate algorithm, ITU-T I.371). Adding to it is a read and an
//! If-Match write, away from any request. Replicas compare their own clocks with it: a difference
//! between these moves that much time's worth of requests, once.

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use schemas::Tenant;
use serde_json::json;

use crate::names::{QUOTA_PARTITION, TableName, row as key};
use crate::pages::Rows;
use crate::port::{Entity, Properties, Result, StorageError, Table, Write};

/// The column with the one number, in milliseconds since 1970.
const UNTIL: &str = "until";

/// Tries of a write that other replicas' writes come before.
const TRIES: usize = 5;

/// Longest time a bucket can be taken up for: what a broken row says beyond it counts as this.
const LONGEST: Duration = Duration::from_hours(48);

/// Rows that are deleted at once.
const SWEPT_AT_ONCE: usize = 100;

/// The shared counters.
#[derive(Clone)]
pub struct Quotas {
    table: Arc<dyn Table>,
}

impl Quotas {
    /// The counters of a table.
    pub fn new(table: Arc<dyn Table>) -> Self {
        Self { table }
    }

    /// Adds `used` to a bucket (a legal row key), and gives for how long from `now` it is taken up
    /// by all replicas together. An error leaves open whether it was added.
    pub async fn add(&self, bucket: &str, used: Duration, now: Timestamp) -> Result<Duration> {
        let mut last = StorageError::Precondition;
        for _ in 0..TRIES {
            let table = &self.table;
            let read = table
                .get(TableName::Tenants, QUOTA_PARTITION, bucket)
                .await?;
            let taken = read.value.as_ref().map_or(Duration::ZERO, |entity| {
                let left = until(entity).duration_since(now);
                Duration::try_from(left).unwrap_or_default().min(LONGEST)
            });
            let taken = taken + used;
            let columns = columns(now + taken);
            let at = bucket.to_owned();
            let write = match read.value {
                None => Write::Insert(at, columns),
                Some(entity) => Write::Update(at, columns, entity.etag),
            };
            let written = table
                .write(TableName::Tenants, QUOTA_PARTITION, vec![write])
                .await;
            match written {
                Ok(_) => return Ok(taken),
                Err(e @ (StorageError::Precondition | StorageError::AlreadyExists)) => last = e,
                Err(e) => return Err(e),
            }
        }
        Err(last)
    }

    /// Deletes buckets that have been free since before `before`; tells how many.
    pub async fn sweep(&self, before: Timestamp) -> Result<usize> {
        let (table, partition) = (&*self.table, QUOTA_PARTITION);
        let mut pages = Rows::of(table, TableName::Tenants, partition, "!".."\u{7f}");
        let mut swept = 0;
        while let Some(page) = pages.next_page().await? {
            let old = page.value.into_iter();
            let old = old.filter(|entity| until(entity) < before);
            let deletes: Vec<_> = old
                .map(|entity| Write::Delete(entity.row, Some(entity.etag)))
                .collect();
            for some in deletes.chunks(SWEPT_AT_ONCE) {
                match table
                    .write(TableName::Tenants, partition, some.to_vec())
                    .await
                {
                    Ok(_) => swept += some.len(),
                    // One of them is in use again: the next sweep has the others.
                    Err(StorageError::Precondition | StorageError::NotFound) => {}
                    Err(e) => return Err(e),
                }
            }
        }
        Ok(swept)
    }

    /// How many jobs of a tenant are not final, at most about `enough`.
    pub async fn open_jobs(&self, tenant: &Tenant, enough: usize) -> Result<usize> {
        let (name, rows) = (TableName::Jobs, key::MARKER.."o\u{7f}");
        let pages = Rows::of(&*self.table, name, tenant.as_str(), rows);
        let (mut pages, mut count) = (pages.at_most(enough.clamp(1, 1_000)), 0);
        while count < enough
            && let Some(page) = pages.next_page().await?
        {
            count += page.value.len();
        }
        Ok(count)
    }
}

fn until(entity: &Entity) -> Timestamp {
    let millis = entity
        .properties
        .get(UNTIL)
        .and_then(serde_json::Value::as_i64);
    millis
        .and_then(|millis| Timestamp::from_millisecond(millis).ok())
        .unwrap_or(Timestamp::UNIX_EPOCH)
}

fn columns(until: Timestamp) -> Properties {
    // Rounded up: a bucket of many tiny requests must not lose them all to rounding.
    let until = until + SignedDuration::from_nanos(999_999);
    let mut columns = Properties::new();
    columns.insert(UNTIL.to_owned(), json!(until.as_millisecond()));
    columns
}

impl fmt::Debug for Quotas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Quotas").finish_non_exhaustive()
    }
}
