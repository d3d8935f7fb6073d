//! What the ports refuse: one set of checks that every adapter makes before it does anything.
//!
//! The numbers are those of Azure Storage, so that what works on a laptop works there.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::time::Duration;

use serde_json::Value;

use crate::port::{Metadata, Properties, Result, StorageError, Write};

const SEVEN_DAYS: Duration = Duration::from_hours(7 * 24);
const BODY_BYTES: usize = 48 << 10;
const KEY_UNITS: usize = 512;
const PROPERTIES: usize = 252;
const PROPERTY_NAME: usize = 255;
const STRING_UNITS: usize = 32 << 10;
const ENTITY_BYTES: usize = 1 << 20;
const WRITES: RangeInclusive<usize> = 1..=100;
const WRITES_BYTES: usize = 4 << 20;
const PATH_UNITS: usize = 1_024;
const PUT_BYTES: usize = 64 << 20;
const APPEND_BYTES: usize = 4 << 20;
const METADATA_BYTES: usize = 8 << 10;

/// How many messages one call may ask for.
pub(crate) const MESSAGES: RangeInclusive<usize> = 1..=32;
/// How many entities or blobs one page may hold.
pub(crate) const PAGE: RangeInclusive<usize> = 1..=1_000;

fn invalid<T>(reason: impl Into<String>) -> Result<T> {
    Err(StorageError::Invalid(reason.into()))
}

fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

/// Checks the `max` of a call.
pub(crate) fn max(max: usize, allowed: RangeInclusive<usize>) -> Result<()> {
    if allowed.contains(&max) {
        return Ok(());
    }
    invalid(format!(
        "max is {max}; allowed are {} to {}",
        allowed.start(),
        allowed.end()
    ))
}

/// Checks a delay, or how long a message is hidden.
pub(crate) fn delay(delay: Duration) -> Result<()> {
    if delay <= SEVEN_DAYS {
        Ok(())
    } else {
        invalid("a delay is at most 7 days")
    }
}

/// Checks the visibility of a receive. Zero would hand one message to two consumers at once.
pub(crate) fn visibility(visibility: Duration) -> Result<()> {
    if visibility.is_zero() {
        return invalid("the visibility of a receive is above zero");
    }
    delay(visibility)
}

/// Checks a message's body.
pub(crate) fn body(body: &str) -> Result<()> {
    if body.len() > BODY_BYTES {
        return invalid(format!(
            "a message is at most 48 KiB, this one is {} bytes",
            body.len()
        ));
    }
    // What XML 1.0 (section 2.2) cannot hold, and Azure carries messages in XML.
    let illegal = |c: char| {
        (c.is_control() && !matches!(c, '\t' | '\n' | '\r')) || matches!(c, '\u{fffe}' | '\u{ffff}')
    };
    match body.chars().find(|c| illegal(*c)) {
        Some(c) => invalid(format!(
            "a message cannot hold the character U+{:04X}",
            u32::from(c)
        )),
        None => Ok(()),
    }
}

/// Checks a partition or row key.
pub(crate) fn key(key: &str) -> Result<()> {
    if !(1..=KEY_UNITS).contains(&units(key)) {
        return invalid("a key is 1 to 512 characters");
    }
    let illegal = |c: char| c.is_control() || matches!(c, '/' | '\\' | '#' | '?');
    match key.chars().find(|c| illegal(*c)) {
        Some(c) => invalid(format!(
            "a key cannot hold the character U+{:04X}",
            u32::from(c)
        )),
        None => Ok(()),
    }
}

/// Checks the writes of a transaction, and takes out the columns that are `null`. Gives about how
/// many bytes they are.
pub(crate) fn writes(partition: &str, writes: &mut [Write]) -> Result<usize> {
    key(partition)?;
    if !WRITES.contains(&writes.len()) {
        return invalid(format!(
            "a transaction is 1 to 100 writes, not {}",
            writes.len()
        ));
    }
    let mut size = 0;
    for write in &mut *writes {
        let (row, properties) = match write {
            Write::Insert(row, properties)
            | Write::Update(row, properties, _)
            | Write::Upsert(row, properties) => (row, Some(properties)),
            Write::Delete(row, _) => (row, None),
        };
        key(row)?;
        if let Some(columns) = properties {
            columns.retain(|_, value| !value.is_null());
            size += entity(units(partition) + units(row), columns)?;
        }
    }
    if size > WRITES_BYTES {
        return invalid("a transaction is at most 4 MiB");
    }
    let rows: BTreeSet<&str> = writes.iter().map(row_of).collect();
    if rows.len() != writes.len() {
        return invalid("a transaction writes each row at most once");
    }
    Ok(size)
}

fn row_of(write: &Write) -> &str {
    match write {
        Write::Insert(row, _)
        | Write::Update(row, _, _)
        | Write::Upsert(row, _)
        | Write::Delete(row, _) => row,
    }
}

/// The size of an entity as Azure Table storage counts it.
fn entity(key_units: usize, properties: &Properties) -> Result<usize> {
    if properties.len() > PROPERTIES {
        return invalid("an entity has at most 252 columns");
    }
    let mut size = 4 + 2 * key_units;
    for (name, value) in properties {
        size += 8 + 2 * column_name(name)? + column_value(name, value)?;
    }
    if size > ENTITY_BYTES {
        invalid("an entity is at most 1 MiB")
    } else {
        Ok(size)
    }
}

fn column_name(name: &str) -> Result<usize> {
    let start = |c: char| c.is_ascii_alphabetic() || c == '_';
    let legal = name.starts_with(start)
        && name.len() <= PROPERTY_NAME
        && name.chars().all(|c| start(c) || c.is_ascii_digit())
        && !matches!(name, "PartitionKey" | "RowKey" | "Timestamp");
    if legal {
        Ok(name.len())
    } else {
        invalid(format!("illegal column name {name:.64?}"))
    }
}

fn column_value(name: &str, value: &Value) -> Result<usize> {
    match value {
        Value::Null => Ok(0),
        Value::Bool(_) => Ok(1),
        Value::Number(number) if number.is_u64() && !number.is_i64() => {
            invalid(format!("column {name}: an integer is at most 2^63 - 1"))
        }
        Value::Number(_) => Ok(8),
        Value::String(text) if units(text) > STRING_UNITS => invalid(format!(
            "column {name}: a string is at most 32,768 UTF-16 units"
        )),
        Value::String(text) => Ok(4 + 2 * units(text)),
        Value::Array(_) | Value::Object(_) => {
            invalid(format!("column {name}: store a nested value as JSON text"))
        }
    }
}

/// Checks a blob's path.
pub(crate) fn path(path: &str) -> Result<()> {
    if !(1..=PATH_UNITS).contains(&units(path)) {
        return invalid("a path is 1 to 1,024 characters");
    }
    if path.contains(|c: char| c.is_control() || c == '\\') {
        return invalid("a path holds no backslash and no control character");
    }
    if path
        .split('/')
        .any(|segment| matches!(segment, "" | "." | ".."))
    {
        return invalid("a path holds no empty, '.' or '..' segment");
    }
    Ok(())
}

/// Checks all that is put with a blob, but for its path.
pub(crate) fn put(size: usize, content_type: &str, metadata: &Metadata) -> Result<()> {
    if size > PUT_BYTES {
        return invalid("a blob is at most 64 MiB");
    }
    if !header_value(content_type) {
        return invalid("a content type is printable ASCII");
    }
    for (name, value) in metadata {
        let start = |c: char| c.is_ascii_lowercase() || c == '_';
        let legal = name.starts_with(start) && name.chars().all(|c| start(c) || c.is_ascii_digit());
        if !legal {
            return invalid("a metadata name is a C identifier in lower case");
        }
        if !header_value(value) {
            return invalid(format!("metadata {name:.64}: a value is printable ASCII"));
        }
    }
    if metadata
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum::<usize>()
        > METADATA_BYTES
    {
        return invalid("metadata are at most 8 KiB together");
    }
    Ok(())
}

/// What comes back unchanged from an HTTP header: spaces at the ends would be lost.
fn header_value(text: &str) -> bool {
    !text.is_empty() && text.trim() == text && text.bytes().all(|b| (b' '..=b'~').contains(&b))
}

/// Checks the size of an append.
pub(crate) fn append(size: usize) -> Result<()> {
    if size <= APPEND_BYTES {
        Ok(())
    } else {
        invalid("an append is at most 4 MiB")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn sizes_are_counted_as_azure_counts_them() {
        let columns = |value: Value| match value {
            Value::Object(map) => map,
            other => panic!("{other}"),
        };
        // 4 + 2 x 4 key units, then 8 + 2 x name + value for each column.
        assert_eq!(entity(4, &columns(json!({}))).unwrap(), 12);
        assert_eq!(
            entity(4, &columns(json!({"ab": true}))).unwrap(),
            12 + 12 + 1
        );
        assert_eq!(entity(4, &columns(json!({"ab": 7}))).unwrap(), 12 + 12 + 8);
        assert_eq!(
            entity(4, &columns(json!({"ab": "\u{1f600}"}))).unwrap(),
            12 + 12 + 4 + 4
        );
    }
}
