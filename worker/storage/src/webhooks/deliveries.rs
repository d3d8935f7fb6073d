//! Deliveries: made once for each event and target, and moved on by their attempts.

use jiff::Timestamp;
use schemas::Tenant;
use schemas::webhook::{DeliveryState, EventId, EventType};

use super::row::{self, DeliveryRow, SCHEMA, Target};
use super::{TRIES, WebhookStore};
use crate::names::{TableName, webhook_row as key};
use crate::port::{Continuation, ETag, Properties, Result, StorageError, Write};
use crate::troubles::pass_over_row;

/// Deliveries in one transaction: each is a row and a marker.
const CHUNK: usize = 50;

/// An event to be told.
#[derive(Clone, Debug)]
pub struct Told {
    /// Follows from what happened alone.
    pub id: EventId,
    /// What happened.
    pub kind: EventType,
    /// When.
    pub at: Timestamp,
    /// The very bytes to post.
    pub body: String,
    /// W3C trace context of the request that it follows from.
    pub traceparent: Option<String>,
}

/// Who is to be told.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Where to.
    pub target: Target,
    /// The URL of a callback.
    pub url: Option<String>,
    /// It is kept to be fetched, and not posted.
    pub kept: bool,
}

/// A delivery as read or written.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The row.
    pub row: DeliveryRow,
    /// For If-Match.
    pub etag: ETag,
}

/// A page of deliveries.
pub type DeliveryList = (Vec<DeliveryRow>, Option<Continuation>);

impl WebhookStore {
    /// Makes the deliveries of an event, where they are not there. Gives those that were made now:
    /// they are in the caller's hand for [`WebhookStore::claim`].
    pub async fn put(
        &self,
        tenant: &Tenant,
        event: &Told,
        wanted: &[Wanted],
    ) -> Result<Vec<Delivery>> {
        let mut made = Vec::new();
        for chunk in wanted.chunks(CHUNK) {
            let rows: Vec<_> = chunk.iter().map(|to| self.fresh(event, to)).collect();
            match self.insert(tenant, &rows).await {
                Ok(deliveries) => made.extend(deliveries),
                // Told before, by somebody who may have died on the way: what is missing is put.
                Err(StorageError::AlreadyExists) => {
                    for row in rows {
                        match self.insert(tenant, std::slice::from_ref(&row)).await {
                            Ok(deliveries) => made.extend(deliveries),
                            Err(StorageError::AlreadyExists) => {}
                            Err(e) => return Err(e),
                        }
                    }
                }
                Err(e) => return Err(e),
            }
        }
        Ok(made)
    }

    /// The same of an event that nobody has told yet, together with the write that it comes from.
    pub(super) async fn put_with(
        &self,
        tenant: &Tenant,
        write: Write,
        event: &Told,
        wanted: &[Wanted],
    ) -> Result<Vec<Delivery>> {
        let (first, rest) = wanted.split_at(wanted.len().min(CHUNK - 1));
        let rows: Vec<_> = first.iter().map(|to| self.fresh(event, to)).collect();
        let mut writes = inserts(&rows)?;
        writes.push(write);
        let mut made = deliveries(rows, self.write(tenant, writes).await?)?;
        made.extend(self.put(tenant, event, rest).await?);
        Ok(made)
    }

    fn fresh(&self, event: &Told, to: &Wanted) -> DeliveryRow {
        let now = self.clock.now();
        DeliveryRow {
            schema: SCHEMA,
            target: to.target.clone(),
            event: event.id.clone(),
            kind: event.kind,
            at: event.at,
            url: to.url.clone(),
            body: event.body.clone(),
            traceparent: event.traceparent.clone(),
            state: if to.kept {
                DeliveryState::Kept
            } else {
                DeliveryState::Pending
            },
            begun_at: now,
            tries: 0,
            next_at: (!to.kept).then_some(now),
            due: (!to.kept).then(|| now + self.settings.claim),
            note: None,
            attempts: Vec::new(),
        }
    }

    async fn insert(&self, tenant: &Tenant, rows: &[DeliveryRow]) -> Result<Vec<Delivery>> {
        let etags = self.write(tenant, inserts(rows)?).await?;
        deliveries(rows.to_vec(), etags)
    }

    /// Reads a delivery.
    pub async fn delivery(
        &self,
        tenant: &Tenant,
        target: &Target,
        event: &EventId,
    ) -> Result<Option<Delivery>> {
        let at = key::delivery(target.as_str(), event);
        let table = &self.jobs.storage().table;
        let read = table.get(TableName::Webhooks, tenant.as_str(), &at).await?;
        let read = read.value.map(|entity| {
            let row = row::delivery(entity.properties)?;
            let etag = entity.etag;
            Ok(Delivery { row, etag })
        });
        read.transpose()
    }

    /// A page of the deliveries to a target, newest event first, of events between two times. Rows
    /// that cannot be read are left out.
    pub async fn deliveries(
        &self,
        tenant: &Tenant,
        target: &Target,
        (since, until): (Option<Timestamp>, Option<Timestamp>),
        max: usize,
        from: Option<&Continuation>,
    ) -> Result<DeliveryList> {
        let target = target.as_str();
        let all = key::deliveries(target);
        let end = match since {
            Some(since) => key::deliveries_since(target, since),
            None => format!("{all}\u{7f}"),
        };
        let start = until.map_or(all, |until| key::deliveries_until(target, until));
        let rows = start.as_str()..end.as_str();
        let table = &self.jobs.storage().table;
        let read = table
            .query(TableName::Webhooks, tenant.as_str(), rows, max, from)
            .await?;
        let mut found = Vec::with_capacity(read.value.entities.len());
        for entity in read.value.entities {
            match row::delivery(entity.properties) {
                Ok(row) => found.push(row),
                Err(e) => pass_over_row(tenant, &entity.row, e)?,
            }
        }
        Ok((found, read.value.next))
    }

    /// Moves a delivery on, against whatever it is by then, its due marker with it; `None` where it
    /// is gone. `change` says whether there is anything to write, and may be called again, with
    /// its own effect already there after an acknowledgement that was lost.
    pub async fn update(
        &self,
        tenant: &Tenant,
        delivery: Delivery,
        change: impl Fn(&mut DeliveryRow) -> bool,
    ) -> Result<Option<Delivery>> {
        let mut delivery = delivery;
        for _ in 0..TRIES {
            let Delivery { mut row, etag } = delivery;
            let before = marker(&row);
            let (target, event) = (row.target.clone(), row.event.clone());
            if !change(&mut row) {
                return Ok(Some(Delivery { row, etag }));
            }
            if row.state != DeliveryState::Pending {
                row.due = None;
                row.next_at = None;
            }
            let at = key::delivery(row.target.as_str(), &row.event);
            let mut writes = vec![Write::Update(at, row::encode_delivery(&row)?, etag)];
            let after = marker(&row);
            if before != after {
                writes.extend(before.map(|at| Write::Delete(at, None)));
                writes.extend(after.map(|at| Write::Upsert(at, Properties::new())));
            }
            match self.write(tenant, writes).await {
                Ok(etags) => {
                    let etag = etags.into_iter().next().flatten();
                    let etag =
                        etag.ok_or_else(|| StorageError::unavailable("a write gave no version"))?;
                    return Ok(Some(Delivery { row, etag }));
                }
                Err(StorageError::Precondition) => {}
                Err(e) => return Err(e),
            }
            match self.delivery(tenant, &target, &event).await? {
                Some(read) => delivery = read,
                None => return Ok(None),
            }
        }
        Err(StorageError::unavailable("the delivery changes too often"))
    }

    /// Begins a delivery anew: it is pending, its attempts are counted from zero, and it is in the
    /// hand of whoever puts the message for it.
    pub async fn begin_anew(
        &self,
        tenant: &Tenant,
        delivery: Delivery,
    ) -> Result<Option<Delivery>> {
        let now = self.clock.now();
        self.update(tenant, delivery, |row| {
            if row.state == DeliveryState::Kept {
                return false;
            }
            row.state = DeliveryState::Pending;
            row.begun_at = now;
            row.tries = 0;
            row.note = None;
            row.next_at = Some(now);
            row.due = Some(now + self.settings.claim);
            true
        })
        .await
    }
}

/// The writes of new deliveries: the rows first, then their markers.
fn inserts(rows: &[DeliveryRow]) -> Result<Vec<Write>> {
    let mut writes = Vec::with_capacity(rows.len() * 2);
    for row in rows {
        let at = key::delivery(row.target.as_str(), &row.event);
        writes.push(Write::Insert(at, row::encode_delivery(row)?));
    }
    let markers = rows.iter().filter_map(marker);
    writes.extend(markers.map(|at| Write::Upsert(at, Properties::new())));
    Ok(writes)
}

fn deliveries(rows: Vec<DeliveryRow>, etags: Vec<Option<ETag>>) -> Result<Vec<Delivery>> {
    let deliveries = rows.into_iter().zip(etags).map(|(row, etag)| {
        let etag = etag.ok_or_else(|| StorageError::unavailable("a write gave no version"))?;
        Ok(Delivery { row, etag })
    });
    deliveries.collect()
}

/// The key of a delivery's due marker.
fn marker(row: &DeliveryRow) -> Option<String> {
    row.due
        .map(|due| key::due(due, row.target.as_str(), &row.event))
}
