//! Taking away what expired sessions and broken-off writes have left.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use schemas::Tenant;
use schemas::event::Event;
use schemas::session::SessionId;

use super::SessionStore;
use super::generations::{Generation, range};
use super::row::SessionRow;
use crate::Troubles;
use crate::jobs::UnreadableRow;
use crate::jobs::row::{decode, encode};
use crate::names::{Container, session_of_blob, session_row as key};
use crate::pages::Listing;
use crate::port::{Properties, Result, StorageError, Write};
use crate::schedule;

/// What one sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Expired sessions that were removed.
    pub sessions: u64,
    /// How long these lived, from creation to expiry, all together.
    pub lived: Duration,
    /// Blobs that belonged to no session any more.
    pub blobs: u64,
}

/// Its name among the daily tasks.
const TASK: &str = "session-sweep";

/// A blob that no row names may belong to a write that is still under way.
const UNDER_WAY: Duration = Duration::from_hours(1);

impl SessionStore {
    /// Sweeps all tenants if that has not been done since the last `daily_at` (UTC, since
    /// midnight). Harmless when several processes do it at once.
    pub async fn sweep_if_due(&self, daily_at: Duration) -> Result<Option<Swept>> {
        let table = &*self.jobs.storage().table;
        let Some(due) = schedule::due(table, TASK, daily_at).await? else {
            return Ok(None);
        };
        let mut troubles = Troubles::default();
        let swept = self.sweep_each(&mut troubles).await?;
        if !troubles.may_pass() {
            schedule::done(table, TASK, due).await?;
        }
        troubles.end().map(|()| Some(swept))
    }

    /// Sweeps all tenants. One with whom that fails is passed over.
    async fn sweep_each(&self, troubles: &mut Troubles) -> Result<Swept> {
        let mut all = Swept::default();
        for tenant in self.jobs.tenants().await? {
            match self.sweep(&tenant).await {
                Ok(swept) => {
                    all.sessions += swept.sessions;
                    all.lived += swept.lived;
                    all.blobs += swept.blobs;
                }
                Err(e) => troubles.pass_over(&tenant, "the sweep of sessions", e),
            }
        }
        Ok(all)
    }

    /// Removes a tenant's expired sessions, generations of nothing, and blobs that nobody names.
    /// Sessions that cannot be read stay, and are an error at the end.
    pub async fn sweep(&self, tenant: &Tenant) -> Result<Swept> {
        let mut troubles = Troubles::default();
        let (sessions, lived) = self.sweep_sessions(tenant, &mut troubles).await?;
        self.sweep_generations(tenant, &mut troubles).await?;
        let blobs = self.sweep_blobs(tenant).await?;
        troubles.end().map(|()| Swept {
            sessions,
            lived,
            blobs,
        })
    }

    async fn sweep_sessions(
        &self,
        tenant: &Tenant,
        troubles: &mut Troubles,
    ) -> Result<(u64, Duration)> {
        let mut removed = (0, Duration::ZERO);
        let now = self.clock.now();
        let end = key::expiry_from(now + Duration::from_secs(1));
        let mut pages = self.rows(tenant, key::EXPIRY..end.as_str());
        while let Some(page) = pages.next_page().await? {
            for entity in page.value {
                match key::session_of_expiry(&entity.row) {
                    Some(id) => match self.sweep_one(tenant, id, entity.row).await {
                        Ok(None) => {}
                        Ok(Some(lived)) => {
                            removed.0 += 1;
                            removed.1 += lived;
                        }
                        Err(e) => {
                            troubles.pass_over_row(tenant, format_args!("session {id}"), e)?;
                        }
                    },
                    None => drop(
                        self.write(tenant, vec![Write::Delete(entity.row, None)])
                            .await?,
                    ),
                }
            }
        }
        Ok(removed)
    }

    /// Removes a session if it has expired, and says how long it lived; else sees to it that it is
    /// looked at again.
    async fn sweep_one(
        &self,
        tenant: &Tenant,
        id: SessionId,
        index: String,
    ) -> Result<Option<Duration>> {
        let read = self.table(tenant, id).await?;
        let Some(entity) = read.value else {
            self.write(tenant, vec![Write::Delete(index, None)]).await?;
            self.drop_rest(tenant, id).await?;
            return Ok(None);
        };
        let mut row: SessionRow = decode(entity.properties)?;
        let expired = row.expires_at <= read.date;
        let lived = row.expires_at.duration_since(row.created_at);
        if expired {
            // Before it is gone: what is told twice is one event, and what is not told is lost.
            let subject = format!("/tenants/{tenant}/sessions/{id}");
            let event = self
                .jobs
                .event(Event::SESSION_EXPIRED, subject, row.expires_at);
            self.jobs.notify(&event).await?;
        }
        let writes = if expired {
            vec![
                Write::Delete(id.to_string(), Some(entity.etag)),
                Write::Delete(index, None),
            ]
        } else {
            let next = key::expiry(row.expires_at, id);
            if next == index {
                return Ok(None);
            }
            row.expiry_row.clone_from(&next);
            vec![
                Write::Update(id.to_string(), encode(&row)?, entity.etag),
                Write::Delete(index, None),
                Write::Upsert(next, Properties::new()),
            ]
        };
        match self.write(tenant, writes).await {
            Ok(_) if expired => {
                self.drop_rest(tenant, id).await?;
                Ok(Some(Duration::try_from(lived).unwrap_or_default()))
            }
            // It was changed in this moment: it lives on, and the next sweep looks again.
            Ok(_) | Err(StorageError::Precondition) => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// Generations whose session is gone, or that have none, once they are as old as a session may
    /// become.
    async fn sweep_generations(&self, tenant: &Tenant, troubles: &mut Troubles) -> Result<()> {
        let (start, end) = range(key::GENERATION);
        let mut newest: BTreeMap<String, Timestamp> = BTreeMap::new();
        let mut pages = self.rows(tenant, start.as_str()..end.as_str());
        while let Some(page) = pages.next_page().await? {
            for entity in page.value {
                let Some(group) = key::group_of_generation(&entity.row).map(str::to_owned) else {
                    continue;
                };
                let generation: Generation = match decode(entity.properties) {
                    Ok(generation) => generation,
                    Err(e) => {
                        troubles.pass_over_row(tenant, "a generation", e)?;
                        continue;
                    }
                };
                let at = newest.entry(group).or_insert(generation.at);
                *at = generation.at.max(*at);
            }
        }
        let now = self.clock.now();
        for (group, at) in newest {
            let lives = match group.parse::<SessionId>() {
                Ok(id) => self.table(tenant, id).await?.value.is_some(),
                Err(_) => false,
            };
            if !lives && at + self.lives <= now {
                self.drop_generations(tenant, &group).await?;
            }
        }
        Ok(())
    }

    async fn sweep_blobs(&self, tenant: &Tenant) -> Result<u64> {
        let (mut removed, now) = (0, self.clock.now());
        let prefix = format!("{tenant}/");
        for container in [Container::CvSessions, Container::CvPhotos] {
            let mut pages = Listing::of(self.blobs(), container, &prefix);
            while let Some(page) = pages.next_page().await? {
                for (path, info) in page {
                    if info.modified + UNDER_WAY > now || self.names(tenant, &path).await? {
                        continue;
                    }
                    self.blobs().delete(container, &path).await?;
                    removed += 1;
                }
            }
        }
        Ok(removed)
    }

    /// Whether a session that is there names this blob.
    async fn names(&self, tenant: &Tenant, path: &str) -> Result<bool> {
        let Some(id) = session_of_blob(path) else {
            return Ok(false);
        };
        let opened = match self.read(tenant, id).await {
            // Nobody knows what it names.
            Err(e) if UnreadableRow::of(&e).is_some() => return Ok(true),
            read => read?,
        };
        let Some(opened) = opened else {
            return Ok(false);
        };
        let photo = opened
            .session
            .photo
            .as_ref()
            .is_some_and(|photo| photo.blob == path);
        Ok(photo || opened.blob.as_deref() == Some(path))
    }
}
