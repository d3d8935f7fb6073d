//! Due markers: what lets the reconciler find every delivery that nobody has in hand.

use std::time::Duration;

use schemas::Tenant;
use schemas::event::Event;
use schemas::webhook::{DeliveryState, EventId};

use super::WebhookStore;
use super::row::Target;
use crate::names::{QueueName, TableName, webhook_row as key};
use crate::port::{Continuation, Result, Write};

/// A due marker.
#[derive(Clone, Debug)]
pub struct Due {
    target: Target,
    event: EventId,
    row: String,
}

impl WebhookStore {
    /// A tenant's deliveries that are due, up to 1,000 a page.
    pub async fn due(
        &self,
        tenant: &Tenant,
        from: Option<&Continuation>,
    ) -> Result<(Vec<Due>, Option<Continuation>)> {
        let end = key::due_until(self.clock.now());
        let rows = key::DUE..end.as_str();
        let table = &self.jobs.storage().table;
        let read = table
            .query(TableName::Webhooks, tenant.as_str(), rows, 1_000, from)
            .await?;
        let due = read.value.entities.into_iter().filter_map(|entity| {
            let (target, event) = key::of_due(&entity.row)?;
            let target = target.parse().ok()?;
            let row = entity.row;
            Some(Due { target, event, row })
        });
        Ok((due.collect(), read.value.next))
    }

    /// Puts a message for a delivery that is due, and leaves it alone until whoever gets it has had
    /// his time. A marker that belongs to nothing is taken away. Whether a message was put.
    pub async fn enqueue_due(&self, tenant: &Tenant, due: &Due) -> Result<bool> {
        let delivery = self.delivery(tenant, &due.target, &due.event).await?;
        let claim = self.clock.now() + self.settings.claim;
        let of_this = |row: &super::DeliveryRow| {
            row.state == DeliveryState::Pending
                && row
                    .due
                    .map(|at| key::due(at, row.target.as_str(), &row.event))
                    .as_ref()
                    == Some(&due.row)
        };
        let Some(delivery) = delivery.filter(|delivery| of_this(&delivery.row)) else {
            let write = Write::Delete(due.row.clone(), None);
            self.write(tenant, vec![write]).await?;
            return Ok(false);
        };
        let claimed = self.update(tenant, delivery, |row| {
            if of_this(row) {
                row.due = Some(claim);
                true
            } else {
                false
            }
        });
        let Some(claimed) = claimed.await? else {
            return Ok(false);
        };
        if claimed.row.due != Some(claim) {
            return Ok(false);
        }
        self.enqueue(tenant, &due.target, &due.event, Duration::ZERO)
            .await?;
        Ok(true)
    }

    /// Puts a message for a delivery on the queue `notifications`.
    pub async fn enqueue(
        &self,
        tenant: &Tenant,
        target: &Target,
        event: &EventId,
        delay: Duration,
    ) -> Result<()> {
        let subject = format!("/tenants/{tenant}/webhooks/{target}/deliveries/{event}");
        let now = self.clock.now();
        let message = self.jobs.event(Event::DELIVERY_DUE, subject, now);
        let body = serde_json::to_string(&message).expect("an event is always JSON");
        let queue = &self.jobs.storage().queue;
        queue.send(QueueName::Notifications, &body, delay).await
    }
}
