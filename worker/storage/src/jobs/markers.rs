//! Open markers: what lets the reconciler find every job that is not final.

use jiff::Timestamp;
use schemas::{JobId, Tenant};

use super::JobStore;
use super::row::{self, Marker};
use crate::names::{TENANTS_PARTITION, TableName, row as key};
use crate::pages::Rows;
use crate::port::{Continuation, ETag, Result, Write};

/// A job that has its marker.
#[derive(Clone, Debug)]
pub struct OpenJob {
    /// The job.
    pub id: JobId,
    /// The marker.
    pub marker: Marker,
    /// The marker's version.
    pub etag: ETag,
}

/// A page of open jobs with the table's time of the read.
pub type OpenJobs = (Vec<OpenJob>, Timestamp, Option<Continuation>);

impl JobStore {
    /// A tenant's open jobs, up to 1,000 a page.
    pub async fn open_jobs(
        &self,
        tenant: &Tenant,
        from: Option<&Continuation>,
    ) -> Result<OpenJobs> {
        let rows = key::MARKER.."o\u{7f}";
        let table = &self.storage.table;
        let read = table
            .query(TableName::Jobs, tenant.as_str(), rows, 1_000, from)
            .await?;
        let mut jobs = Vec::new();
        for entity in read.value.entities {
            if let Some(id) = key::job_of_marker(&entity.row) {
                // One that cannot be read is due at once: whoever looks at its job writes it anew.
                let marker = row::decode(entity.properties).unwrap_or_else(|e| {
                    tracing::warn!(job_id = %id, %tenant, error = &e as &dyn std::error::Error, "the marker of job {id} is mended");
                    Marker {
                        due: read.date,
                        tries: 0,
                    }
                });
                jobs.push(OpenJob {
                    id,
                    marker,
                    etag: entity.etag,
                });
            }
        }
        Ok((jobs, read.date, read.value.next))
    }

    /// All tenants that ever stored anything: names of at most 63 bytes.
    pub async fn tenants(&self) -> Result<Vec<Tenant>> {
        let (table, all) = (&*self.storage.table, "0".."\u{7f}");
        let mut pages = Rows::of(table, TableName::Tenants, TENANTS_PARTITION, all);
        let mut tenants = Vec::new();
        while let Some(page) = pages.next_page().await? {
            let names = page.value.into_iter();
            tenants.extend(names.filter_map(|entity| Tenant::try_from(entity.row).ok()));
        }
        Ok(tenants)
    }

    /// Moves a marker's due time on, twice as far at each try, up to one hour.
    pub async fn postpone(&self, tenant: &Tenant, open: &OpenJob, date: Timestamp) -> Result<()> {
        let tries = open.marker.tries.saturating_add(1);
        let idle = self.settings.idle_before_requeue * 2u32.saturating_pow(tries.min(10));
        let due = date + idle.min(std::time::Duration::from_hours(1));
        let marker = row::encode(&Marker { due, tries })?;
        let write = Write::Update(key::marker(open.id), marker, open.etag.clone());
        self.storage
            .table
            .write(TableName::Jobs, tenant.as_str(), vec![write])
            .await?;
        Ok(())
    }

    /// Takes away the marker of a job that is final or gone.
    pub async fn close(&self, tenant: &Tenant, open: &OpenJob) -> Result<()> {
        let write = Write::Delete(key::marker(open.id), Some(open.etag.clone()));
        self.storage
            .table
            .write(TableName::Jobs, tenant.as_str(), vec![write])
            .await?;
        Ok(())
    }

    /// How long a held job keeps its marker.
    pub fn held_marker(&self) -> std::time::Duration {
        self.settings.held_marker
    }

    pub(super) fn marker(&self, id: JobId, at: Timestamp) -> Result<Write> {
        let marker = Marker {
            due: at + self.settings.idle_before_requeue,
            tries: 0,
        };
        Ok(Write::Upsert(key::marker(id), row::encode(&marker)?))
    }
}
