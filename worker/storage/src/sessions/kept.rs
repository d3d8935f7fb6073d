//! How many sessions there are, for whoever watches.

use super::SessionStore;
use crate::names::{TableName, session_row as key};
use crate::port::Result;

/// Pages that are counted of one tenant: beyond 20,000 sessions the figure stands still.
const MOST_PAGES: usize = 20;

impl SessionStore {
    /// Sessions of all tenants that have not been removed. One small request for each tenant and
    /// thousand sessions.
    pub async fn kept(&self) -> Result<u64> {
        let (mut kept, mut from) = (0, None);
        loop {
            let (tenants, next) = self.jobs().tenants(from.as_ref()).await?;
            for tenant in tenants {
                kept += self.kept_of(tenant.as_str()).await?;
            }
            from = next;
            if from.is_none() {
                return Ok(kept);
            }
        }
    }

    async fn kept_of(&self, tenant: &str) -> Result<u64> {
        let table = &self.jobs().storage().table;
        // Each session has one such row, and they are empty.
        let (start, end) = (key::EXPIRY, format!("{}\u{7f}", key::EXPIRY));
        let (mut kept, mut from) = (0, None);
        for _ in 0..MOST_PAGES {
            let rows = start..end.as_str();
            let page = table
                .query(TableName::Sessions, tenant, rows, 1_000, from.as_ref())
                .await?
                .value;
            kept += page.entities.len() as u64;
            from = page.next;
            if from.is_none() {
                break;
            }
        }
        Ok(kept)
    }
}
