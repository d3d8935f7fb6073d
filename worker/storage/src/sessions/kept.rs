//! How many sessions there are, for whoever watches.

use super::SessionStore;
use super::generations::range;
use crate::names::{TableName, session_row as key};
use crate::pages::Rows;
use crate::port::Result;

/// Sessions that are counted of one tenant: beyond them the figure stands still.
const MOST: u64 = 20_000;

impl SessionStore {
    /// Sessions of all tenants that have not been removed. One small request for each tenant and
    /// thousand sessions.
    pub async fn kept(&self) -> Result<u64> {
        let table = &*self.jobs().storage().table;
        // Each session has one such row, and they are empty.
        let (start, end) = range(key::EXPIRY);
        let mut all = 0;
        for tenant in self.jobs().tenants().await? {
            let rows = start.as_str()..end.as_str();
            let mut pages = Rows::of(table, TableName::Sessions, tenant.as_str(), rows);
            let mut kept = 0;
            while kept < MOST
                && let Some(page) = pages.next_page().await?
            {
                kept += page.value.len() as u64;
            }
            all += kept;
        }
        Ok(all)
    }
}
