//! Taking away old records of deliveries, and webhooks that nobody fetches from any more.

use std::time::Duration;

use jiff::Timestamp;
use schemas::Tenant;
use schemas::webhook::DeliveryState;

use super::WebhookStore;
use super::row::{self, Target};
use crate::Troubles;
use crate::jobs::{UnreadableRow, next_target};
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
        let mut troubles = Troubles::default();
        for tenant in self.jobs.tenants().await? {
            if let Err(e) = self.sweep(&tenant, keep).await {
                troubles.pass_over(&tenant, "the sweep of deliveries", e);
            }
        }
        if !troubles.may_pass() {
            schedule::done(table, TASK, due).await?;
        }
        troubles.end()
    }

    /// Removes records of events older than `keep`, except of deliveries that are still tried, and
    /// all records of webhooks that are gone. Gives how many. Rows that cannot be read stay, and are
    /// an error at the end.
    pub async fn sweep(&self, tenant: &Tenant, keep: Duration) -> Result<u64> {
        let mut troubles = Troubles::default();
        self.drop_expired(tenant, &mut troubles).await?;
        let before = self.clock.now() - keep;
        let table = &*self.jobs.storage().table;
        let (mut removed, mut start) = (0, key::DELIVERY.to_owned());
        // From the first delivery of one target straight to the first of the next.
        while let Some(target) = next_target(table, tenant, &start).await? {
            let there = match target.parse() {
                Ok(Target::Webhook(id)) => match self.read(tenant, &id).await {
                    // It is there.
                    Err(e) if UnreadableRow::of(&e).is_some() => true,
                    read => read?.is_some(),
                },
                Ok(Target::Callback) => true,
                Err(_) => false,
            };
            let older_than = there.then_some(before);
            removed += self
                .drop_deliveries(tenant, &target, older_than, &mut troubles)
                .await?;
            start = format!("{}\u{7f}", key::deliveries(&target));
        }
        troubles.end().map(|()| removed)
    }

    async fn drop_expired(&self, tenant: &Tenant, troubles: &mut Troubles) -> Result<()> {
        let mut pages = self.rows(tenant, key::WEBHOOK.."e\u{7f}");
        while let Some(page) = pages.next_page().await? {
            for entity in page.value {
                let row = match row::webhook(entity.properties) {
                    Ok(row) => row,
                    Err(e) => {
                        troubles.pass_over_row(tenant, "a webhook", e)?;
                        continue;
                    }
                };
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
        troubles: &mut Troubles,
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
                let marker = match row::delivery(entity.properties) {
                    Ok(row) if older_than.is_some() && row.state == DeliveryState::Pending => {
                        continue;
                    }
                    Ok(row) => row.due.map(|due| key::due(due, target, &row.event)),
                    // Its marker goes when it is due and leads nowhere.
                    Err(_) if older_than.is_none() => None,
                    Err(e) => {
                        troubles.pass_over_row(tenant, "the record of a delivery", e)?;
                        continue;
                    }
                };
                removed += 1;
                writes.push(Write::Delete(entity.row, None));
                writes.extend(marker.map(|at| Write::Delete(at, None)));
            }
            if !writes.is_empty() {
                self.write(tenant, writes).await?;
            }
        }
        Ok(removed)
    }
}
