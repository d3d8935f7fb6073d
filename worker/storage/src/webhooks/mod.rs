//! The typed store of webhooks: who wants to hear of what, and what became of each delivery.
//!
//! Everything of a tenant is in one partition. One delivery is one row, whose key follows from its
//! webhook and its event: whoever tells of the same event again finds it there. A delivery that is
//! still to be made has a due marker as well, in the same transaction, so that a worker which dies
//! at any moment leaves either no delivery or one that the reconciler finds.

mod callback;
mod deliveries;
mod due;
mod interest;
mod row;
mod sweep;
#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use schemas::Tenant;
use schemas::webhook::{EventType, WebhookId};

pub use callback::Signing;
pub use deliveries::{Delivery, DeliveryList, Told, Wanted};
pub use due::Due;
pub use interest::Interest;
pub use row::{DeliveryRow, Target, WebhookRow};

use crate::jobs::row::{decode, encode};
use crate::jobs::{JobStore, UnreadableRow};
use crate::names::{TableName, webhook_row as key};
use crate::pages::Rows;
use crate::port::{Continuation, ETag, Entity, EntityPage, Read, Result, StorageError, Write};
use crate::troubles::pass_over_row;
use crate::{Clock, Entropy, Troubles};

/// Reads and changes webhooks and deliveries. Cheap to clone.
#[derive(Clone)]
pub struct WebhookStore {
    jobs: JobStore,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    settings: Settings,
}

/// Durations and limits of the store.
#[derive(Clone, Copy, Debug)]
struct Settings {
    /// How long a delivery that somebody has in hand is left alone.
    claim: Duration,
    max_per_tenant: usize,
    secret_overlap: Duration,
}

/// A webhook to be made.
#[derive(Clone, Debug)]
pub struct NewWebhook {
    /// `None`: its events are kept to be fetched.
    pub url: Option<String>,
    /// Of what; empty is everything.
    pub events: Vec<EventType>,
    /// Only of jobs with these labels.
    pub metadata: std::collections::BTreeMap<String, String>,
    /// Its owner's note.
    pub description: Option<String>,
    /// `whsec_` and base64.
    pub secret: String,
}

/// Why there is no new webhook.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// The tenant has as many as it may have.
    #[error("a tenant has at most {0} webhooks")]
    TooMany(usize),
    /// Storage failed.
    #[error("the webhook could not be stored")]
    Storage(#[from] StorageError),
}

/// How long a webhook without URL lives after its events were last fetched.
const PULL_LIFETIME: Duration = Duration::from_hours(24);

/// How often a change is tried again when others write the same row.
const TRIES: usize = 8;

impl WebhookStore {
    /// A store beside that of jobs.
    pub fn new(
        jobs: JobStore,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        settings: &config::Webhooks,
    ) -> Self {
        let settings = Settings {
            claim: settings.timeout * 3 + Duration::from_millis(500),
            max_per_tenant: settings.max_per_tenant,
            secret_overlap: settings.secret_overlap,
        };
        Self {
            jobs,
            clock,
            entropy,
            settings,
        }
    }

    /// The store of jobs beside it.
    pub fn jobs(&self) -> &JobStore {
        &self.jobs
    }

    /// How long a delivery that somebody has in hand is left alone.
    pub fn claim(&self) -> Duration {
        self.settings.claim
    }

    /// Makes a webhook.
    pub async fn create(
        &self,
        tenant: &Tenant,
        new: NewWebhook,
    ) -> std::result::Result<WebhookRow, CreateError> {
        let most = self.settings.max_per_tenant;
        if self.all(tenant).await?.len() >= most {
            return Err(CreateError::TooMany(most));
        }
        // The reconciler finds due markers by tenant.
        self.jobs.know_tenant(tenant).await?;
        let now = self.clock.now();
        let id = WebhookId::new(crate::ambient::random(&*self.entropy));
        let row = WebhookRow {
            schema: row::SCHEMA,
            expires_at: new.url.is_none().then(|| now + PULL_LIFETIME),
            id,
            url: new.url,
            events: new.events,
            metadata: new.metadata,
            description: new.description,
            secret: new.secret,
            old_secret: None,
            old_secret_until: None,
            created_at: now,
            updated_at: now,
            disabled: None,
            disabled_count: 0,
            failing_since: None,
        };
        let at = key::webhook(row.id.as_str());
        let write = Write::Insert(at, encode(&row)?);
        match self.write(tenant, vec![write]).await {
            Ok(_) => Ok(row),
            // A repeat beneath us may have met its own first try: ids are all chance.
            Err(StorageError::AlreadyExists) => Ok(row),
            Err(e) => Err(e.into()),
        }
    }

    /// Reads a webhook. Expired ones are not there.
    pub async fn read(&self, tenant: &Tenant, id: &WebhookId) -> Result<Option<WebhookRow>> {
        Ok(self.load(tenant, id).await?.map(|(row, _)| row))
    }

    /// A page of a tenant's webhooks, by id. Those that cannot be read, or were written by a newer
    /// version, are left out.
    pub async fn list(
        &self,
        tenant: &Tenant,
        max: usize,
        from: Option<&Continuation>,
    ) -> Result<(Vec<WebhookRow>, Option<Continuation>)> {
        let rows = key::WEBHOOK.."e\u{7f}";
        let table = &self.jobs.storage().table;
        let read = table
            .query(TableName::Webhooks, tenant.as_str(), rows, max, from)
            .await?;
        let (date, EntityPage { entities, next }) = (read.date, read.value);
        let value = entities;
        let page = Read { value, date };
        Ok((living(tenant, page, Newer::PassedOver)?, next))
    }

    /// All webhooks of a tenant, by id. Those that cannot be read are left out. One that was
    /// written by a newer version is an error: what is told meanwhile would pass it by, and a
    /// worker of that version can tell it.
    pub async fn all(&self, tenant: &Tenant) -> Result<Vec<WebhookRow>> {
        let mut pages = self.rows(tenant, key::WEBHOOK.."e\u{7f}");
        let mut all = Vec::new();
        while let Some(page) = pages.next_page().await? {
            all.extend(living(tenant, page, Newer::Error)?);
        }
        Ok(all)
    }

    /// Changes a webhook, against whatever it is by then; `None` where there is none. `change`
    /// says whether there is anything to write; it may be called again.
    pub async fn change(
        &self,
        tenant: &Tenant,
        id: &WebhookId,
        change: impl Fn(&mut WebhookRow, Timestamp) -> bool,
    ) -> Result<Option<WebhookRow>> {
        for _ in 0..TRIES {
            let Some((mut row, etag)) = self.load(tenant, id).await? else {
                return Ok(None);
            };
            if !change(&mut row, self.clock.now()) {
                return Ok(Some(row));
            }
            let write = Write::Update(key::webhook(id.as_str()), encode(&row)?, etag);
            match self.write(tenant, vec![write]).await {
                Ok(_) => return Ok(Some(row)),
                Err(StorageError::Precondition) => {}
                Err(e) => return Err(e),
            }
        }
        Err(StorageError::unavailable("the webhook changes too often"))
    }

    /// Gives a webhook a new secret; the one before signs too for a while.
    pub async fn rotate(
        &self,
        tenant: &Tenant,
        id: &WebhookId,
        secret: &str,
    ) -> Result<Option<WebhookRow>> {
        let overlap = self.settings.secret_overlap;
        self.change(tenant, id, |row, now| {
            if row.secret != secret {
                row.old_secret = Some(std::mem::replace(&mut row.secret, secret.to_owned()));
                row.old_secret_until = Some(now + overlap);
                row.updated_at = now;
            }
            true
        })
        .await
    }

    /// Keeps a webhook without URL alive: its events were fetched.
    pub async fn fetched(&self, tenant: &Tenant, row: &WebhookRow) -> Result<()> {
        let half = PULL_LIFETIME / 2;
        let far = |until: Timestamp| until > self.clock.now() + half;
        if row.expires_at.is_none_or(far) {
            return Ok(());
        }
        self.change(tenant, &row.id, |row, now| {
            row.expires_at = row.expires_at.map(|_| now + PULL_LIFETIME);
            true
        })
        .await?;
        Ok(())
    }

    /// Disables a webhook if its reason still `stands`, and tells of it, in one transaction as far
    /// as one holds (50 who are told): `told` gives the event, and to whom. Gives the deliveries
    /// that were made, or `None` where it is disabled already, mended or gone.
    pub async fn disable(
        &self,
        tenant: &Tenant,
        id: &WebhookId,
        disabled: &schemas::webhook::Disabled,
        stands: impl Fn(&WebhookRow) -> bool,
        told: impl Fn(&WebhookRow) -> Option<(Told, Vec<Wanted>)>,
    ) -> Result<Option<Vec<Delivery>>> {
        for _ in 0..TRIES {
            let Some((mut row, etag)) = self.load(tenant, id).await? else {
                return Ok(None);
            };
            if row.disabled.is_some() || !stands(&row) {
                return Ok(None);
            }
            row.disabled = Some(disabled.clone());
            row.disabled_count += 1;
            row.updated_at = disabled.at;
            let write = Write::Update(key::webhook(id.as_str()), encode(&row)?, etag);
            let put = match told(&row) {
                Some((event, wanted)) => self.put_with(tenant, write, &event, &wanted).await,
                None => self.write(tenant, vec![write]).await.map(|_| Vec::new()),
            };
            match put {
                Ok(made) => return Ok(Some(made)),
                Err(StorageError::Precondition) => {}
                Err(e) => return Err(e),
            }
        }
        Err(StorageError::unavailable("the webhook changes too often"))
    }

    /// Removes a webhook with all its deliveries, whether it can be read or not. Whether there was
    /// one.
    pub async fn delete(&self, tenant: &Tenant, id: &WebhookId) -> Result<bool> {
        let there = match self.load(tenant, id).await {
            Err(e) if UnreadableRow::of(&e).is_some() => true,
            read => read?.is_some(),
        };
        let write = Write::Delete(key::webhook(id.as_str()), None);
        self.write(tenant, vec![write]).await?;
        let mut troubles = Troubles::default();
        self.drop_deliveries(tenant, id.as_str(), None, &mut troubles)
            .await?;
        Ok(there)
    }

    async fn load(&self, tenant: &Tenant, id: &WebhookId) -> Result<Option<(WebhookRow, ETag)>> {
        let at = key::webhook(id.as_str());
        let table = &self.jobs.storage().table;
        let read = table.get(TableName::Webhooks, tenant.as_str(), &at).await?;
        let Some(entity) = read.value else {
            return Ok(None);
        };
        let row = row::webhook(entity.properties)?;
        Ok(row.lives(read.date).then_some((row, entity.etag)))
    }

    fn rows<'a>(&'a self, tenant: &'a Tenant, rows: Range<&'a str>) -> Rows<'a> {
        let table = &*self.jobs.storage().table;
        Rows::of(table, TableName::Webhooks, tenant.as_str(), rows)
    }

    async fn write(&self, tenant: &Tenant, writes: Vec<Write>) -> Result<Vec<Option<ETag>>> {
        let table = &self.jobs.storage().table;
        table
            .write(TableName::Webhooks, tenant.as_str(), writes)
            .await
    }
}

/// What becomes of rows that a newer version wrote.
#[derive(Clone, Copy, PartialEq)]
enum Newer {
    PassedOver,
    Error,
}

/// The webhooks of a page that can be read and have not expired.
fn living(tenant: &Tenant, page: Read<Vec<Entity>>, newer: Newer) -> Result<Vec<WebhookRow>> {
    let mut rows = Vec::new();
    for entity in page.value {
        match row::webhook(entity.properties) {
            Ok(row) if row.lives(page.date) => rows.push(row),
            Ok(_) => {}
            Err(e)
                if newer == Newer::Error
                    && UnreadableRow::of(&e) == Some(&UnreadableRow::Newer) =>
            {
                return Err(e);
            }
            Err(e) => pass_over_row(tenant, &entity.row, e)?,
        }
    }
    Ok(rows)
}

impl fmt::Debug for WebhookStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookStore")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
