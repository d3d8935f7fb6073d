//! The table port on SQLite.

use std::ops::Range;

use async_trait::async_trait;
use rusqlite::{OptionalExtension, params};

use super::writer::Batch;
use super::{Store, cursor, int};
use crate::limits;
use crate::names::TableName;
use crate::port::{
    Continuation, ETag, Entity, EntityPage, Properties, Read, Result, StorageError, Table, Write,
};

#[async_trait]
impl Table for Store {
    async fn get(
        &self,
        table: TableName,
        partition: &str,
        row: &str,
    ) -> Result<Read<Option<Entity>>> {
        limits::key(partition)?;
        limits::key(row)?;
        let (partition, row, clock) = (partition.to_owned(), row.to_owned(), self.clock.clone());
        self.read(move |connection| {
            let found: Option<(i64, String)> = connection
                .prepare_cached(
                    "SELECT etag, properties FROM entity
                     WHERE tab = ?1 AND part = ?2 AND row = ?3",
                )?
                .query_row([table.as_str(), &partition, &row], |r| {
                    Ok((r.get(0)?, r.get(1)?))
                })
                .optional()?;
            let date = clock.now();
            let value = found
                .map(|(etag, text)| entity(row, etag, &text))
                .transpose()?;
            Ok(Read { value, date })
        })
        .await
    }

    async fn query(
        &self,
        table: TableName,
        partition: &str,
        rows: Range<&str>,
        max: usize,
        from: Option<&Continuation>,
    ) -> Result<Read<EntityPage>> {
        limits::key(partition)?;
        limits::max(max, limits::PAGE)?;
        let after = from
            .map(|from| cursor::key(from, |key| rows.start <= key && key < rows.end))
            .transpose()?;
        let (partition, clock) = (partition.to_owned(), self.clock.clone());
        let (start, end) = (rows.start.to_owned(), rows.end.to_owned());
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT row, etag, properties FROM entity
                 WHERE tab = ?1 AND part = ?2 AND row >= ?3 AND row < ?4 AND row > ?5
                 ORDER BY row LIMIT ?6",
            )?;
            // No key is empty, so an empty text is before the first.
            let after = after.unwrap_or_default();
            let one_more = int(max + 1);
            let mut found = statement.query(params![
                table.as_str(),
                partition,
                start,
                end,
                after,
                one_more
            ])?;
            let mut entities = Vec::new();
            while let Some(row) = found.next()? {
                let text = row
                    .get_ref(2)?
                    .as_str()
                    .map_err(StorageError::unavailable)?;
                entities.push(entity(row.get(0)?, row.get(1)?, text)?);
            }
            let more = entities.len() > max;
            entities.truncate(max);
            let next = entities
                .last()
                .filter(|_| more)
                .map(|last| cursor::after(&last.row));
            Ok(Read {
                value: EntityPage { entities, next },
                date: clock.now(),
            })
        })
        .await
    }

    async fn write(
        &self,
        table: TableName,
        partition: &str,
        mut writes: Vec<Write>,
    ) -> Result<Vec<Option<ETag>>> {
        let bytes = limits::writes(partition, &mut writes)?;
        let partition = partition.to_owned();
        self.write(bytes, move |batch| {
            writes
                .iter()
                .map(|write| apply(batch, table, &partition, write))
                .collect()
        })
        .await
    }
}

/// One write; after an error the writer takes back those before it.
fn apply(
    batch: &mut Batch<'_>,
    table: TableName,
    partition: &str,
    write: &Write,
) -> Result<Option<ETag>> {
    let table = table.as_str();
    match write {
        Write::Insert(row, properties) => {
            let etag = batch.version()?;
            let inserted = batch
                .connection
                .prepare_cached(
                    "INSERT INTO entity (tab, part, row, etag, properties)
                     VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
                )?
                .execute(params![table, partition, row, etag, text(properties)])?;
            if inserted == 0 {
                Err(StorageError::AlreadyExists)
            } else {
                Ok(Some(tag(etag)))
            }
        }
        Write::Update(row, properties, old) => {
            let etag = batch.version()?;
            let updated = batch
                .connection
                .prepare_cached(
                    "UPDATE entity SET etag = ?4, properties = ?5
                     WHERE tab = ?1 AND part = ?2 AND row = ?3 AND etag = ?6",
                )?
                .execute(params![
                    table,
                    partition,
                    row,
                    etag,
                    text(properties),
                    version(old)
                ])?;
            if updated == 0 {
                Err(StorageError::Precondition)
            } else {
                Ok(Some(tag(etag)))
            }
        }
        Write::Upsert(row, properties) => {
            let etag = batch.version()?;
            batch
                .connection
                .prepare_cached(
                    "INSERT INTO entity (tab, part, row, etag, properties)
                     VALUES (?1, ?2, ?3, ?4, ?5)
                     ON CONFLICT DO UPDATE SET etag = ?4, properties = ?5",
                )?
                .execute(params![table, partition, row, etag, text(properties)])?;
            Ok(Some(tag(etag)))
        }
        Write::Delete(row, condition) => {
            let deleted = batch
                .connection
                .prepare_cached(
                    "DELETE FROM entity WHERE tab = ?1 AND part = ?2 AND row = ?3
                     AND (?4 OR etag = ?5)",
                )?
                .execute(params![
                    table,
                    partition,
                    row,
                    condition.is_none(),
                    condition.as_ref().and_then(version)
                ])?;
            if deleted == 0 && condition.is_some() {
                return Err(StorageError::Precondition);
            }
            Ok(None)
        }
    }
}

fn text(properties: &Properties) -> String {
    serde_json::to_string(properties).expect("a map with text keys is always JSON")
}

fn entity(row: String, etag: i64, properties: &str) -> Result<Entity> {
    let properties = serde_json::from_str(properties).map_err(StorageError::unavailable)?;
    Ok(Entity {
        row,
        etag: tag(etag),
        properties,
    })
}

pub(super) fn tag(version: i64) -> ETag {
    ETag(version.to_string())
}

/// `None` for a text that this adapter never gave: it matches nothing.
fn version(etag: &ETag) -> Option<i64> {
    etag.0
        .parse()
        .ok()
        .filter(|version: &i64| version.to_string() == etag.0)
}
