//! Purging a job: it is gone at once for every caller, and so is all that was stored of it.
//!
//! A worker may have the job in hand at that moment, and may write what it has: so a tombstone
//! stays, without content, until no call of the job can be out any more. Then the job's blobs are
//! removed once more, and the tombstone with them.

use std::time::Duration;

use jiff::Timestamp;
use schemas::{JobId, Tenant};
use serde::{Deserialize, Serialize};

use super::row::{self, ContentLatch, JobRow, KeyRow, RowState};
use super::{CallOutcome, JobStore, Loaded, UnreadableRow, ledger};
use crate::Troubles;
use crate::names::{
    Container, TableName, job_prefix, row as key, session_row, webhook_row as delivery_key,
};
use crate::pages::{Listing, Rows};
use crate::port::{Continuation, ETag, Result, StorageError, Table, Write};

/// What is told of a job may bear an earlier time than its id: clocks differ, and the table's own
/// counts in whole seconds in Azure.
const CLOCKS: Duration = Duration::from_mins(10);

/// What is left of a purged job for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tombstone {
    /// When its blobs are removed for the last time, by the table's clock.
    pub due: Timestamp,
    /// When it was purged.
    pub purged_at: Timestamp,
    /// The provider's id of the job's call, whose copy is to be deleted there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_id: Option<String>,
    /// A call was out: it is to be stopped at the provider.
    #[serde(default)]
    pub call_out: bool,
    /// Under what the job is remembered among the sessions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
}

/// A tombstone as read.
#[derive(Clone, Debug)]
pub struct Buried {
    /// The job.
    pub id: JobId,
    /// What is left of it.
    pub tombstone: Tombstone,
    etag: ETag,
}

/// A page of tombstones with the table's time of the read.
pub type Tombstones = (Vec<Buried>, Timestamp, Option<Continuation>);

impl JobStore {
    /// Purges a job, whatever its state; tells whether there was one.
    ///
    /// The row, its marker, its idempotency row and its content latch go in one transaction; the
    /// ledger stays, which holds ids, tokens and costs. What cannot be removed now goes with the
    /// tombstone.
    pub async fn purge(&self, tenant: &Tenant, id: JobId) -> Result<bool> {
        const TRIES: usize = 8;
        let mut sent = None;
        for _ in 0..TRIES {
            let loaded = match self.read(tenant, id).await {
                Err(e) if UnreadableRow::of(&e).is_some() => {
                    return self.purge_unreadable(tenant, id).await;
                }
                read => read?,
            };
            let Some(loaded) = loaded else {
                // After a lost acknowledgement the tombstone tells whose doing it is.
                let Some(tombstone) = sent else {
                    return Ok(false);
                };
                self.clear(tenant, id, &tombstone).await;
                return Ok(true);
            };
            let tombstone = self.tombstone(&loaded);
            let writes = self.purging(&loaded, &tombstone).await?;
            let table = &self.storage.table;
            match table.write(TableName::Jobs, tenant.as_str(), writes).await {
                Ok(_) => {
                    self.clear(tenant, id, &tombstone).await;
                    return Ok(true);
                }
                Err(StorageError::Precondition | StorageError::NotFound) => {}
                Err(StorageError::Unavailable(_)) => sent = Some(tombstone),
                Err(e) => return Err(e),
            }
        }
        Err(StorageError::unavailable(
            "the job's row changes too often to be purged",
        ))
    }

    /// Whether a job was purged here, and not long ago.
    pub async fn is_buried(&self, tenant: &Tenant, id: JobId) -> Result<bool> {
        let (table, at) = (&self.storage.table, key::tombstone(id));
        let read = table.get(TableName::Jobs, tenant.as_str(), &at).await?;
        Ok(read.value.is_some())
    }

    /// A row that cannot be read goes all the same, and all that is found by the job's id. The
    /// provider deletes its copy by itself.
    async fn purge_unreadable(&self, tenant: &Tenant, id: JobId) -> Result<bool> {
        let now = self.clock.now();
        let tombstone = Tombstone {
            due: now + self.settings.burial,
            purged_at: now,
            reply_id: None,
            call_out: false,
            group: None,
        };
        let writes = vec![
            Write::Delete(key::job(id), None),
            Write::Delete(key::marker(id), None),
            Write::Upsert(key::tombstone(id), row::encode(&tombstone)?),
        ];
        let table = &self.storage.table;
        table
            .write(TableName::Jobs, tenant.as_str(), writes)
            .await?;
        self.clear(tenant, id, &tombstone).await;
        Ok(true)
    }

    fn tombstone(&self, Loaded { row, date, .. }: &Loaded) -> Tombstone {
        let deadline = row.call_deadline.unwrap_or(*date).max(*date);
        Tombstone {
            due: deadline + self.settings.burial,
            purged_at: *date,
            reply_id: row.reply_id.clone(),
            call_out: row.state == RowState::Calling,
            group: row.group.clone(),
        }
    }

    /// One transaction: all rows of the job go, and its tombstone comes.
    async fn purging(&self, loaded: &Loaded, tombstone: &Tombstone) -> Result<Vec<Write>> {
        let row = &loaded.row;
        let mut writes = vec![
            Write::Delete(key::job(row.id), Some(loaded.etag.clone())),
            Write::Delete(key::marker(row.id), None),
            Write::Upsert(key::tombstone(row.id), row::encode(tombstone)?),
        ];
        if let Some(hash) = &row.key_hash {
            writes.extend(
                self.if_of(row, key::idempotency(hash), |entry: &KeyRow| entry.job_id)
                    .await?,
            );
        }
        if let Some(hash) = &row.content_hash {
            writes.extend(
                self.if_of(row, key::content_latch(hash), |latch: &ContentLatch| {
                    latch.job_id
                })
                .await?,
            );
        }
        if row.state == RowState::Calling {
            let now = self.clock.now();
            writes.extend(ledger::entry(row, CallOutcome::Unknown, now)?);
        }
        Ok(writes)
    }

    /// The end of a row that this job or another one may own by now.
    async fn if_of<T: serde::de::DeserializeOwned>(
        &self,
        job: &JobRow,
        at: String,
        owner: impl Fn(&T) -> JobId,
    ) -> Result<Option<Write>> {
        let table = &self.storage.table;
        let read = table.get(TableName::Jobs, job.tenant.as_str(), &at).await?;
        let Some(entity) = read.value else {
            return Ok(None);
        };
        // One that cannot be read is nobody's: it keeps no job from going.
        let entry = row::decode::<T>(entity.properties);
        let own = entry.is_ok_and(|entry| owner(&entry) == job.id);
        Ok(own.then_some(Write::Delete(at, Some(entity.etag))))
    }

    /// Removes what is left beside the row, as far as storage answers.
    async fn clear(&self, tenant: &Tenant, id: JobId, tombstone: &Tombstone) {
        if let Err(e) = self.drop_remains(tenant, id, tombstone).await {
            tracing::warn!(job_id = %id, error = &e as &dyn std::error::Error, "something of purged job {id} stays behind until its tombstone is due");
        }
    }

    async fn drop_remains(&self, tenant: &Tenant, id: JobId, tombstone: &Tombstone) -> Result<()> {
        self.drop_blobs(tenant, id).await?;
        if let Some(group) = &tombstone.group {
            let write = Write::Delete(session_row::generation(group, id), None);
            let table = &self.storage.table;
            table
                .write(TableName::Sessions, tenant.as_str(), vec![write])
                .await?;
        }
        // What a worker tells at this moment still comes.
        self.drop_deliveries(tenant, id, tombstone.due).await
    }

    /// Removes every blob of a job.
    pub async fn drop_blobs(&self, tenant: &Tenant, id: JobId) -> Result<()> {
        let prefix = job_prefix(tenant, id);
        for container in Container::OF_JOBS {
            self.drop_prefix(container, &prefix).await?;
        }
        Ok(())
    }

    pub(crate) async fn drop_prefix(&self, container: Container, prefix: &str) -> Result<()> {
        let blobs = &*self.storage.blobs;
        let mut pages = Listing::of(blobs, container, prefix);
        while let Some(page) = pages.next_page().await? {
            for (path, _) in page {
                blobs.delete(container, &path).await?;
            }
        }
        Ok(())
    }

    /// Removes what is told of a job: records of deliveries hold its labels. They lie between the
    /// job's submission and its end, for each target apart.
    async fn drop_deliveries(&self, tenant: &Tenant, id: JobId, until: Timestamp) -> Result<()> {
        let name = id.to_string();
        let table = &*self.storage.table;
        let submitted = i64::try_from(id.unix_millis()).unwrap_or(0);
        let submitted = Timestamp::from_millisecond(submitted).unwrap_or_default();
        let since = submitted - CLOCKS;
        let mut start = delivery_key::DELIVERY.to_owned();
        while let Some(target) = next_target(table, tenant, &start).await? {
            // Newest first.
            let first = delivery_key::deliveries_from(&target, until);
            let last = delivery_key::deliveries_since(&target, since);
            let rows = first.as_str()..last.as_str();
            let mut pages = Rows::of(table, TableName::Webhooks, tenant.as_str(), rows);
            while let Some(page) = pages.next_page().await? {
                for entity in page.value {
                    if entity.row.contains(&name) {
                        let mut writes = vec![Write::Delete(entity.row.clone(), None)];
                        writes.extend(due_marker(&entity.row, &target, &entity.properties));
                        table
                            .write(TableName::Webhooks, tenant.as_str(), writes)
                            .await?;
                    }
                }
            }
            start = format!("{}\u{7f}", delivery_key::deliveries(&target));
        }
        Ok(())
    }

    /// A tenant's tombstones, up to 1,000 a page. One that cannot be read is passed over.
    pub async fn tombstones(
        &self,
        tenant: &Tenant,
        from: Option<&Continuation>,
    ) -> Result<Tombstones> {
        let rows = key::TOMBSTONE.."t\u{7f}";
        let table = &self.storage.table;
        let read = table
            .query(TableName::Jobs, tenant.as_str(), rows, 1_000, from)
            .await?;
        let mut buried = Vec::new();
        for entity in read.value.entities {
            if let Some(id) = key::job_of_tombstone(&entity.row) {
                match row::decode(entity.properties) {
                    Ok(tombstone) => buried.push(Buried {
                        id,
                        tombstone,
                        etag: entity.etag,
                    }),
                    Err(e) => {
                        let what = format_args!("the tombstone of job {id}");
                        Troubles::default().pass_over(tenant, what, e);
                    }
                }
            }
        }
        Ok((buried, read.date, read.value.next))
    }

    /// The provider has no copy any more.
    pub async fn forgotten(&self, tenant: &Tenant, buried: &Buried) -> Result<()> {
        let tombstone = Tombstone {
            reply_id: None,
            call_out: false,
            ..buried.tombstone.clone()
        };
        let at = key::tombstone(buried.id);
        let write = Write::Update(at, row::encode(&tombstone)?, buried.etag.clone());
        self.write_one(tenant, write).await
    }

    /// Removes the blobs of a purged job once more, and its tombstone.
    pub async fn bury(&self, tenant: &Tenant, buried: &Buried) -> Result<()> {
        self.drop_remains(tenant, buried.id, &buried.tombstone)
            .await?;
        let write = Write::Delete(key::tombstone(buried.id), Some(buried.etag.clone()));
        self.write_one(tenant, write).await
    }

    /// Somebody else who did the same in between is fine.
    async fn write_one(&self, tenant: &Tenant, write: Write) -> Result<()> {
        let table = &self.storage.table;
        match table
            .write(TableName::Jobs, tenant.as_str(), vec![write])
            .await
        {
            Ok(_) | Err(StorageError::Precondition) => Ok(()),
            Err(e) => Err(e),
        }
    }
}

/// The first target of deliveries from a key on.
pub(crate) async fn next_target(
    table: &dyn Table,
    tenant: &Tenant,
    start: &str,
) -> Result<Option<String>> {
    let rows = start.."d\u{7f}";
    let pages = Rows::of(table, TableName::Webhooks, tenant.as_str(), rows);
    let first = pages.at_most(1).first().await?;
    Ok(first.and_then(|entity| delivery_key::target_of_delivery(&entity.row).map(str::to_owned)))
}

/// The end of a delivery's due marker, if it has one.
fn due_marker(row: &str, target: &str, columns: &crate::port::Properties) -> Option<Write> {
    let due = columns.get("due")?.as_str()?.parse().ok()?;
    let event = row.rsplit_once('~')?.1.parse().ok()?;
    Some(Write::Delete(delivery_key::due(due, target, &event), None))
}
