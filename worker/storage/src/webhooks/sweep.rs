//! Taking away old records of deliveries, and webhooks that nobody fetches from any more.

use std::time::Duration;

use jiff::Timestamp;
use schemas::Tenant;
use schemas::webhook::DeliveryState;

use super::WebhookStore;
use super::row::{self, Target};
use crate::jobs::next_target;
use crate::names::webhook_row as key;
use crate::port::{Result, Write};
use crate::schedule;

/// Its name among the daily tasks.
const TASK: &str = "webhook-sweep";

impl WebhookStore {
    /// Sweeps all tenants if that has not been done since the last `daily_at` (UTC, since
    /// midnight).
    pub async fn sweep_if_due(&self, daily_at: Duration, keep: Duration) -> Result<()> {
        let table = &*self.jobs.storage().table;
        let Some(due) = schedule::due(table, TASK, daily_at).await? else {
            return Ok(());
        };
        for tenant in self.jobs.tenants().await? {
            self.sweep(&tenant, keep).await?;
        }
        schedule::done(table, TASK, due).await
    }

    /// Removes records of events older than `keep`, except of deliveries that are still tried, and
    /// all records of webhooks that are gone. Gives how many.
    pub async fn sweep(&self, tenant: &Tenant, keep: Duration) -> Result<u64> {
        self.drop_expired(tenant).await?;
        let before = self.clock.now() - keep;
        let table = &*self.jobs.storage().table;
        let (mut removed, mut start) = (0, key::DELIVERY.to_owned());
        // From the first delivery of one target straight to the first of the next.
        while let Some(target) = next_target(table, tenant, &start).await? {
            let there = match target.parse() {
                Ok(Target::Webhook(id)) => self.read(tenant, &id).await?.is_some(),
                Ok(Target::Callback) => true,
                Err(_) => false,
            };
            let older_than = there.then_some(before);
            removed += self.drop_deliveries(tenant, &target, older_than).await?;
            start = format!("{}\u{7f}", key::deliveries(&target));
        }
        Ok(removed)
    }

    async fn drop_expired(&self, tenant: &Tenant) -> Result<()> {
        let mut pages = self.rows(tenant, key::WEBHOOK.."e\u{7f}");
        while let Some(page) = pages.next_page().await? {
            for entity in page.value {
                let row = row::webhook(entity.properties)?;
                if !row.lives(page.date) {
                    let write = Write::Delete(entity.row, None);
                    self.write(tenant, vec![write]).await?;
                }
            }
        }
        Ok(())
    }

    /// Removes the deliveries to a target, or only those that are done with and whose event is
    /// older than a time.
    pub(super) async fn drop_deliveries(
        &self,
        tenant: &Tenant,
        target: &str,
        older_than: Option<Timestamp>,
    ) -> Result<u64> {
        let start = match older_than {
            Some(time) => key::deliveries_until(target, time),
            None => key::deliveries(target),
        };
        let end = format!("{}\u{7f}", key::deliveries(target));
        // Each is deleted with its marker, and 100 writes are allowed.
        let mut pages = self.rows(tenant, start.as_str()..end.as_str()).at_most(50);
        let mut removed = 0;
        while let Some(page) = pages.next_page().await? {
            let mut writes = Vec::new();
            for entity in page.value {
                let row = row::delivery(entity.properties)?;
                if older_than.is_some() && row.state == DeliveryState::Pending {
                    continue;
                }
                removed += 1;
                writes.push(Write::Delete(entity.row, None));
                let marker = row.due.map(|due| key::due(due, target, &row.event));
                writes.extend(marker.map(|at| Write::Delete(at, None)));
            }
            if !writes.is_empty() {
                self.write(tenant, writes).await?;
            }
        }
        Ok(removed)
    }
}
