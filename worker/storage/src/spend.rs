//! What model calls cost on one day: a row for each process that pays, so that no two processes
//! ever write the same row. A sum over the rows is what all have spent.
//!
//! A row holds absolute figures and is written by its owner alone. So a write whose answer was
//! lost can be repeated without counting anything twice, and workers never wait for each other.

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::json;

use crate::names::{BUDGET_PARTITION, TableName, row as key};
use crate::pages::Rows;
use crate::port::{ETag, Entity, Properties, Read, Result, StorageError, Table, Write};

/// Millionths of a US dollar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spend {
    /// For calls that are settled, or will never be.
    pub spent: u64,
    /// For calls that are out, estimated.
    pub reserved: u64,
}

impl Spend {
    /// Both together.
    pub fn total(self) -> u64 {
        self.spent.saturating_add(self.reserved)
    }
}

/// One process's figures for one day and one tenant; an empty tenant stands for all together.
#[derive(Clone, Debug)]
pub struct OwnSpend {
    /// The day (UTC).
    pub day: Date,
    /// Whose calls.
    pub tenant: String,
    /// The figures to write.
    pub spend: Spend,
    /// The version of the row that was written last; `None` where it has to be looked up.
    pub version: Option<Version>,
}

/// The version of a row of this process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Version {
    /// Never written.
    New,
    /// As of the last write.
    Known(ETag),
}

/// What all processes but `except` spent on a day: with a tenant, on its calls; with an empty
/// name, on all. The date is the table's time of the read.
pub async fn of_others(
    table: &dyn Table,
    day: Date,
    tenant: &str,
    except: &str,
) -> Result<Read<Spend>> {
    let prefix = key::spend(day, tenant, "");
    let end = format!("{prefix}\u{7f}");
    let rows = prefix.as_str()..end.as_str();
    let mut pages = Rows::of(table, TableName::Tenants, BUDGET_PARTITION, rows);
    let (mut sum, mut date) = (Spend::default(), Timestamp::UNIX_EPOCH);
    while let Some(page) = pages.next_page().await? {
        date = page.date;
        for entity in page.value {
            if entity.row.strip_prefix(&prefix) != Some(except) {
                let Spend { spent, reserved } = read(&entity);
                sum.spent = sum.spent.saturating_add(spent);
                sum.reserved = sum.reserved.saturating_add(reserved);
            }
        }
    }
    Ok(Read { value: sum, date })
}

/// Writes rows of the process `holder`, at most 100, all or none, and notes their versions.
///
/// After an error nothing is known of them: they look their versions up at the next write.
pub async fn write(table: &dyn Table, holder: &str, rows: &mut [OwnSpend]) -> Result<()> {
    const TRIES: usize = 4;
    let mut last = StorageError::Precondition;
    for _ in 0..TRIES {
        let mut writes = Vec::new();
        for row in rows.iter_mut() {
            let at = key::spend(row.day, &row.tenant, holder);
            let version = match row.version.take() {
                Some(version) => version,
                None => look_up(table, &at).await?,
            };
            let columns = columns(row.spend);
            writes.push(match version {
                Version::New => Write::Insert(at, columns),
                Version::Known(etag) => Write::Update(at, columns, etag),
            });
        }
        match table
            .write(TableName::Tenants, BUDGET_PARTITION, writes)
            .await
        {
            Ok(etags) => {
                for (row, etag) in rows.iter_mut().zip(etags) {
                    row.version = etag.map(Version::Known);
                }
                return Ok(());
            }
            // An earlier write of ours that went unanswered: its version counts.
            Err(e @ (StorageError::Precondition | StorageError::AlreadyExists)) => last = e,
            Err(e) => return Err(e),
        }
    }
    Err(last)
}

async fn look_up(table: &dyn Table, row: &str) -> Result<Version> {
    let read = table.get(TableName::Tenants, BUDGET_PARTITION, row).await?;
    Ok(match read.value {
        None => Version::New,
        Some(entity) => Version::Known(entity.etag),
    })
}

fn columns(spend: Spend) -> Properties {
    let int = |micros: u64| i64::try_from(micros).unwrap_or(i64::MAX);
    let mut columns = Properties::new();
    columns.insert("spent".to_owned(), json!(int(spend.spent)));
    columns.insert("reserved".to_owned(), json!(int(spend.reserved)));
    columns
}

fn read(entity: &Entity) -> Spend {
    let micros = |name: &str| {
        let value = entity.properties.get(name);
        value.and_then(serde_json::Value::as_u64).unwrap_or(0)
    };
    Spend {
        spent: micros("spent"),
        reserved: micros("reserved"),
    }
}
