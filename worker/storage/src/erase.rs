//! Erasing a tenant: asked for by the front, done by a worker, slice by slice.
//!
//! Everything from before the request goes: jobs, sessions, webhooks, what was told, idempotency
//! keys, the ledger. What stays is the tenant's name, its keys, what its calls cost each day, and
//! the row that says that it was erased. Each slice begins from what is there, so that nothing but
//! that row need survive a restart.

use std::fmt;
use std::ops::Range;

use jiff::Timestamp;
use schemas::job::{Erasure, ErasureState};
use schemas::session::SessionId;
use schemas::webhook::EventId;
use schemas::{JobId, Tenant};

use crate::jobs::JobStore;
use crate::jobs::row::{decode, encode};
use crate::names::{
    Container, ERASURES_PARTITION, TableName, job_of_blob, row as key, session_of_blob,
    session_row, webhook_row,
};
use crate::pages::{Listing, Rows};
use crate::port::{ETag, Entity, Result, StorageError, Write};
use crate::sessions::SessionStore;
use crate::{Clock, Troubles};

/// What is erased before its progress is noted.
const SLICE: usize = 200;

/// Asks for erasing, and does it. Cheap to clone.
#[derive(Clone)]
pub struct Eraser {
    sessions: SessionStore,
    clock: std::sync::Arc<dyn Clock>,
}

/// The erasing of a tenant as read.
#[derive(Clone, Debug)]
pub struct Erasing {
    /// Whose.
    pub tenant: Tenant,
    /// How far it is.
    pub erasure: Erasure,
    etag: ETag,
}

impl Eraser {
    /// An eraser of sessions, and of all that is beside them.
    pub fn new(sessions: SessionStore, clock: std::sync::Arc<dyn Clock>) -> Self {
        Self { sessions, clock }
    }

    fn jobs(&self) -> &JobStore {
        self.sessions.jobs()
    }

    /// Asks for a tenant to be erased. Asked again while that is under way, what has come since is
    /// erased with it.
    pub async fn request(&self, tenant: &Tenant) -> Result<Erasure> {
        const TRIES: usize = 8;
        for _ in 0..TRIES {
            let before = self.read(tenant).await?;
            let now = self.clock.now();
            let fresh = Erasure {
                state: ErasureState::Running,
                requested_at: now,
                updated_at: now,
                finished_at: None,
                jobs: 0,
                sessions: 0,
                rows: 0,
                blobs: 0,
            };
            let at = tenant.as_str().to_owned();
            let (erasure, write) = match before {
                None => (fresh.clone(), Write::Insert(at, encode(&fresh)?)),
                Some(Erasing { erasure, etag, .. }) => {
                    let erasure = match erasure.state {
                        ErasureState::Done => fresh,
                        _ => Erasure {
                            state: ErasureState::Running,
                            requested_at: now,
                            updated_at: now,
                            ..erasure
                        },
                    };
                    let write = Write::Update(at, encode(&erasure)?, etag);
                    (erasure, write)
                }
            };
            match self.write(write).await {
                Ok(_) => return Ok(erasure),
                Err(StorageError::AlreadyExists | StorageError::Precondition) => {}
                Err(e) => return Err(e),
            }
        }
        Err(StorageError::unavailable(
            "the tenant's row changes too often",
        ))
    }

    /// How far the erasing of a tenant is; `None` where it was never asked for.
    pub async fn progress(&self, tenant: &Tenant) -> Result<Option<Erasure>> {
        Ok(self.read(tenant).await?.map(|erasing| erasing.erasure))
    }

    /// All that are not done, up to 1,000. Those whose row cannot be read are passed over.
    pub async fn open(&self, troubles: &mut Troubles) -> Result<Vec<Erasing>> {
        let table = &*self.jobs().storage().table;
        let (name, all) = (TableName::Tenants, "0".."\u{7f}");
        let mut pages = Rows::of(table, name, ERASURES_PARTITION, all);
        let mut open = Vec::new();
        while open.len() < 1_000
            && let Some(page) = pages.next_page().await?
        {
            for entity in page.value {
                let Ok(tenant) = Tenant::try_from(entity.row.clone()) else {
                    continue;
                };
                match erasing(tenant.clone(), entity) {
                    Ok(erasing) if erasing.erasure.state == ErasureState::Done => {}
                    Ok(erasing) => open.push(erasing),
                    Err(e) => troubles.pass_over_row(&tenant, "the erasing", e)?,
                }
            }
        }
        Ok(open)
    }

    /// Erases one slice, and notes the progress. `None` where somebody else has noted it meanwhile:
    /// read it again.
    pub async fn advance(&self, erasing: Erasing) -> Result<Option<Erasing>> {
        let Erasing {
            tenant,
            mut erasure,
            etag,
        } = erasing;
        let until = erasure.requested_at;
        erasure.state = if self.slice(&tenant, &mut erasure).await? {
            ErasureState::Running
        } else if self.has_tombstones(&tenant, until).await? {
            ErasureState::Settling
        } else {
            ErasureState::Done
        };
        erasure.updated_at = self.clock.now();
        if erasure.state == ErasureState::Done {
            erasure.finished_at = Some(erasure.updated_at);
        }
        let write = Write::Update(tenant.as_str().to_owned(), encode(&erasure)?, etag);
        match self.write(write).await {
            Ok(etag) => Ok(Some(Erasing {
                tenant,
                erasure,
                etag,
            })),
            Err(StorageError::Precondition) => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// Whether there may be more.
    async fn slice(&self, tenant: &Tenant, erasure: &mut Erasure) -> Result<bool> {
        let until = erasure.requested_at;
        let jobs = self.erase_jobs(tenant, until).await?;
        erasure.jobs += jobs;
        if jobs > 0 {
            return Ok(true);
        }
        let sessions = self.erase_sessions(tenant, until).await?;
        erasure.sessions += sessions;
        if sessions > 0 {
            return Ok(true);
        }
        let old = |id: Option<JobId>| id.is_some_and(|id| !is_after(id, until));
        let of_key =
            |entity: &Entity| old(entity.row.split('~').find_map(|part| part.parse().ok()));
        let of_column = |entity: &Entity| {
            let id = entity.properties.get("job_id");
            old(id.and_then(|id| id.as_str()?.parse().ok()))
        };
        let made = |entity: &Entity| time(entity, "created_at").is_none_or(|at| at <= until);
        let told = |entity: &Entity| {
            let event = entity.row.rsplit('~').next();
            let event = event.and_then(|event| event.parse::<EventId>().ok());
            event.is_none_or(|event| event.unix_millis() <= millis(until))
        };
        let (jobs, sessions) = (TableName::Jobs, TableName::Sessions);
        let mut rows = 0;
        for (table, prefix) in [
            (jobs, key::MARKER),
            (jobs, key::LEDGER),
            (sessions, session_row::GENERATION),
        ] {
            rows += self.erase_rows(table, tenant, prefix, of_key).await?;
        }
        for prefix in [key::IDEMPOTENCY, key::CONTENT] {
            rows += self.erase_rows(jobs, tenant, prefix, of_column).await?;
        }
        let webhooks = TableName::Webhooks;
        for prefix in [webhook_row::DELIVERY, webhook_row::DUE] {
            rows += self.erase_rows(webhooks, tenant, prefix, told).await?;
        }
        rows += self
            .erase_rows(webhooks, tenant, webhook_row::WEBHOOK, made)
            .await?;
        erasure.rows += rows;
        let blobs = self.erase_blobs(tenant, until).await?;
        erasure.blobs += blobs;
        Ok(rows + blobs > 0)
    }

    async fn erase_jobs(&self, tenant: &Tenant, until: Timestamp) -> Result<u64> {
        let start = key::jobs_of(millis(until));
        let rows = start.as_str().."j\u{7f}";
        let mut pages = self.rows(TableName::Jobs, tenant, rows).at_most(SLICE);
        let mut purged = 0;
        while purged == 0
            && let Some(page) = pages.next_page().await?
        {
            for entity in page.value {
                if let Some(id) = key::job_of_row(&entity.row) {
                    purged += u64::from(self.jobs().purge(tenant, id).await?);
                }
            }
        }
        Ok(purged)
    }

    async fn erase_sessions(&self, tenant: &Tenant, until: Timestamp) -> Result<u64> {
        // The ids of sessions are hexadecimal: they sort before all other rows.
        let rows = "0".."g~";
        let mut pages = self.rows(TableName::Sessions, tenant, rows).at_most(SLICE);
        let mut erased = 0;
        while erased == 0
            && let Some(page) = pages.next_page().await?
        {
            for entity in page.value {
                let made = time(&entity, "created_at");
                if let Ok(id) = entity.row.parse::<SessionId>()
                    && made.is_none_or(|at| at <= until)
                {
                    erased += u64::from(self.sessions.delete(tenant, id).await?);
                }
            }
        }
        Ok(erased)
    }

    async fn erase_rows(
        &self,
        name: TableName,
        tenant: &Tenant,
        prefix: &str,
        goes: impl Fn(&Entity) -> bool,
    ) -> Result<u64> {
        let end = format!("{prefix}\u{7f}");
        let mut pages = self.rows(name, tenant, prefix..end.as_str()).at_most(100);
        let mut erased = 0;
        while let Some(page) = pages.next_page().await? {
            let rows = page.value.into_iter().filter(&goes);
            let writes: Vec<_> = rows.map(|entity| Write::Delete(entity.row, None)).collect();
            if !writes.is_empty() {
                erased += writes.len() as u64;
                let table = &self.jobs().storage().table;
                table.write(name, tenant.as_str(), writes).await?;
            }
        }
        Ok(erased)
    }

    /// Blobs of jobs and sessions that are not there any more.
    async fn erase_blobs(&self, tenant: &Tenant, until: Timestamp) -> Result<u64> {
        let blobs = &*self.jobs().storage().blobs;
        let prefix = format!("{tenant}/");
        let mut erased = 0;
        for container in Container::OF_TENANTS {
            let of_sessions = matches!(container, Container::CvSessions | Container::CvPhotos);
            let mut pages = Listing::of(blobs, container, &prefix);
            while let Some(page) = pages.next_page().await? {
                for (path, info) in page {
                    let goes = if of_sessions {
                        info.modified <= until && !self.has_session(tenant, &path).await?
                    } else {
                        job_of_blob(&path).is_none_or(|(_, id)| !is_after(id, until))
                    };
                    if goes {
                        blobs.delete(container, &path).await?;
                        erased += 1;
                    }
                }
            }
        }
        Ok(erased)
    }

    async fn has_session(&self, tenant: &Tenant, path: &str) -> Result<bool> {
        let Some(id) = session_of_blob(path) else {
            return Ok(false);
        };
        let table = &self.jobs().storage().table;
        let read = table
            .get(TableName::Sessions, tenant.as_str(), &id.to_string())
            .await?;
        Ok(read.value.is_some())
    }

    async fn has_tombstones(&self, tenant: &Tenant, until: Timestamp) -> Result<bool> {
        let mut pages = self.rows(TableName::Jobs, tenant, key::TOMBSTONE.."t\u{7f}");
        while let Some(page) = pages.next_page().await? {
            let mut ids = page
                .value
                .iter()
                .filter_map(|it| key::job_of_tombstone(&it.row));
            if ids.any(|id| !is_after(id, until)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn rows<'a>(&'a self, name: TableName, tenant: &'a Tenant, rows: Range<&'a str>) -> Rows<'a> {
        let table = &*self.jobs().storage().table;
        Rows::of(table, name, tenant.as_str(), rows)
    }

    async fn read(&self, tenant: &Tenant) -> Result<Option<Erasing>> {
        let table = &self.jobs().storage().table;
        let read = table
            .get(TableName::Tenants, ERASURES_PARTITION, tenant.as_str())
            .await?;
        let erasing = |entity| erasing(tenant.clone(), entity);
        read.value.map(erasing).transpose()
    }

    async fn write(&self, write: Write) -> Result<ETag> {
        let table = &self.jobs().storage().table;
        let written = table.write(TableName::Tenants, ERASURES_PARTITION, vec![write]);
        let etag = written.await?.into_iter().next().flatten();
        etag.ok_or_else(|| StorageError::unavailable("a write gave no version"))
    }
}

impl fmt::Debug for Eraser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Eraser").finish_non_exhaustive()
    }
}

fn erasing(tenant: Tenant, entity: Entity) -> Result<Erasing> {
    Ok(Erasing {
        tenant,
        erasure: decode(entity.properties)?,
        etag: entity.etag,
    })
}

fn millis(at: Timestamp) -> u64 {
    u64::try_from(at.as_millisecond()).unwrap_or(0)
}

fn is_after(id: JobId, time: Timestamp) -> bool {
    id.unix_millis() > millis(time)
}

fn time(entity: &Entity, column: &str) -> Option<Timestamp> {
    entity.properties.get(column)?.as_str()?.parse().ok()
}
