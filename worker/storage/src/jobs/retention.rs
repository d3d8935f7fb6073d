//! What is removed because it has been kept long enough, or belongs to nothing.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use schemas::{JobId, Tenant};

use super::JobStore;
use super::row::{self, KeyRow};
use crate::Troubles;
use crate::names::{Container, TableName, job_of_blob, row as key};
use crate::pages::Listing;
use crate::port::{Entity, Result, Write};

/// Writes of one transaction.
const CHUNK: usize = 100;

impl JobStore {
    /// Purges a tenant's jobs that ended before a time. Those that are not final stay, and those
    /// that an operator has to decide on after a restore. Rows that cannot be read stay too, and
    /// are an error at the end.
    pub async fn purge_ended(&self, tenant: &Tenant, before: Timestamp) -> Result<u64> {
        let millis = u64::try_from(before.as_millisecond()).unwrap_or(0);
        // No job ends before it is submitted.
        let start = key::jobs_of(millis);
        let mut pages = self.rows(tenant, start.as_str().."j\u{7f}");
        let (mut purged, mut troubles) = (0, Troubles::default());
        while let Some(page) = pages.next_page().await? {
            for entity in page.value {
                let Some(id) = key::job_of_row(&entity.row) else {
                    continue;
                };
                match self.purge_if_ended(tenant, id, entity, before).await {
                    Ok(gone) => purged += u64::from(gone),
                    Err(e) => troubles.pass_over_row(tenant, format_args!("old job {id}"), e)?,
                }
            }
        }
        troubles.end().map(|()| purged)
    }

    async fn purge_if_ended(
        &self,
        tenant: &Tenant,
        id: JobId,
        entity: Entity,
        before: Timestamp,
    ) -> Result<bool> {
        let row = row::decode_job(id, entity.properties)?;
        let over = row.state.is_final() && !row.restored;
        if over && row.finished_at.unwrap_or(row.updated_at) < before {
            return self.purge(tenant, id).await;
        }
        Ok(false)
    }

    /// Removes a tenant's idempotency rows that have expired. Those that cannot be read stay, and
    /// are an error at the end.
    pub async fn drop_expired_keys(&self, tenant: &Tenant) -> Result<u64> {
        let mut pages = self.rows(tenant, key::IDEMPOTENCY.."k\u{7f}");
        let (mut removed, mut troubles) = (0, Troubles::default());
        while let Some(page) = pages.next_page().await? {
            let mut writes = Vec::new();
            for entity in page.value {
                let entry: KeyRow = match row::decode(entity.properties) {
                    Ok(entry) => entry,
                    Err(e) => {
                        troubles.pass_over_row(tenant, "an idempotency key", e)?;
                        continue;
                    }
                };
                if entry.expires_at <= page.date {
                    // Without its version: an expired key that is used anew at this moment loses
                    // its row, and a repeat of that request makes a second job. With it: not.
                    writes.push(Write::Delete(entity.row, Some(entity.etag)));
                }
            }
            removed += self.delete_each(tenant, writes).await?;
        }
        troubles.end().map(|()| removed)
    }

    /// Deletes rows; those that somebody has written meanwhile stay.
    async fn delete_each(&self, tenant: &Tenant, writes: Vec<Write>) -> Result<u64> {
        use crate::port::StorageError::Precondition;
        let table = &self.storage.table;
        let mut removed = 0;
        for chunk in writes.chunks(CHUNK) {
            let all = table.write(TableName::Jobs, tenant.as_str(), chunk.to_vec());
            match all.await {
                Ok(_) => removed += chunk.len() as u64,
                Err(Precondition) => {
                    for write in chunk {
                        let one =
                            table.write(TableName::Jobs, tenant.as_str(), vec![write.clone()]);
                        match one.await {
                            Ok(_) => removed += 1,
                            Err(Precondition) => {}
                            Err(e) => return Err(e),
                        }
                    }
                }
                Err(e) => return Err(e),
            }
        }
        Ok(removed)
    }

    /// Removes the blobs of jobs that are not there, of all tenants, if they were written before a
    /// time: a front that died between blob and row leaves one, and so does a worker that went on
    /// long after its job was purged. A tenant with whom that fails is passed over, and an error at
    /// the end.
    pub async fn drop_orphans(&self, before: Timestamp) -> Result<u64> {
        let (mut removed, mut troubles) = (0, Troubles::default());
        for container in Container::OF_JOBS {
            let mut pages = Listing::of(&*self.storage.blobs, container, "");
            while let Some(page) = pages.next_page().await? {
                let mut of_tenants: BTreeMap<Tenant, Vec<(JobId, String)>> = BTreeMap::new();
                for (path, info) in page {
                    if let Some((tenant, id)) = job_of_blob(&path)
                        && info.modified < before
                    {
                        of_tenants.entry(tenant).or_default().push((id, path));
                    }
                }
                for (tenant, found) in of_tenants {
                    match self.drop_unowned(container, &tenant, found).await {
                        Ok(dropped) => removed += dropped,
                        Err(e) => troubles.pass_over(&tenant, "blobs without a job", e),
                    }
                }
            }
        }
        troubles.end().map(|()| removed)
    }

    async fn drop_unowned(
        &self,
        container: Container,
        tenant: &Tenant,
        found: Vec<(JobId, String)>,
    ) -> Result<u64> {
        let ids: BTreeSet<JobId> = found.iter().map(|(id, _)| *id).collect();
        let (Some(first), Some(last)) = (ids.first(), ids.last()) else {
            return Ok(0);
        };
        // One range of rows in place of a read for each blob: ids are in the order of time.
        let there = self.jobs_between(tenant, *first, *last).await?;
        let mut removed = 0;
        for (id, path) in found {
            if !there.contains(&id) {
                self.storage.blobs.delete(container, &path).await?;
                removed += 1;
            }
        }
        Ok(removed)
    }

    async fn jobs_between(
        &self,
        tenant: &Tenant,
        first: JobId,
        last: JobId,
    ) -> Result<BTreeSet<JobId>> {
        let start = key::jobs_of(last.unix_millis());
        let end = format!("{}\u{7f}", key::jobs_of(first.unix_millis()));
        let mut pages = self.rows(tenant, start.as_str()..end.as_str());
        let mut there = BTreeSet::new();
        while let Some(page) = pages.next_page().await? {
            let rows = page.value.iter();
            there.extend(rows.filter_map(|entity| key::job_of_row(&entity.row)));
        }
        Ok(there)
    }
}
