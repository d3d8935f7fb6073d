//! Daily tasks: when one was last done stands in the table, so that none is left out by a restart.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use crate::names::TableName;
use crate::port::{Properties, Result, Table, Write};

/// The partition of table `tenants` that says when a daily task was last done.
const SCHEDULES: &str = "schedules";
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// Whether a task has not been done since the last `daily_at` (UTC, since midnight): what to give
/// to [`done`] then.
pub async fn due(table: &dyn Table, task: &str, daily_at: Duration) -> Result<Option<i64>> {
    let read = table.get(TableName::Tenants, SCHEDULES, task).await?;
    let done = read
        .value
        .as_ref()
        .and_then(|entity| entity.properties.get("done")?.as_i64());
    let due = last_due(read.date, daily_at);
    Ok(done.is_none_or(|done| done < due).then_some(due))
}

/// The task is done.
pub async fn done(table: &dyn Table, task: &str, due: i64) -> Result<()> {
    let mut properties = Properties::new();
    properties.insert("done".to_owned(), json!(due));
    let write = Write::Upsert(task.to_owned(), properties);
    table
        .write(TableName::Tenants, SCHEDULES, vec![write])
        .await?;
    Ok(())
}

/// The last moment at which the daily task was due, in milliseconds since 1970.
fn last_due(now: Timestamp, daily_at: Duration) -> i64 {
    let at = i64::try_from(daily_at.as_millis()).unwrap_or(0);
    (now.as_millisecond() - at).div_euclid(DAY_MS) * DAY_MS + at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_daily_task_is_due_at_its_hour() {
        let check = |now: &str, want: &str| {
            let at = Duration::from_hours(3);
            let want: Timestamp = want.parse().unwrap();
            assert_eq!(
                last_due(now.parse().unwrap(), at),
                want.as_millisecond(),
                "{now}"
            );
        };
        check("2026-11-21T03:00:00Z", "2026-11-21T03:00:00Z");
        check("2026-11-21T02:59:59.999Z", "2026-11-20T03:00:00Z");
        check("2026-11-21T23:00:00Z", "2026-11-21T03:00:00Z");
        check("2026-03-01T00:00:00Z", "2026-02-28T03:00:00Z");
    }
}
