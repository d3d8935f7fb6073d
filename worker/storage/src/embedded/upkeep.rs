//! Keeps the write-ahead log and the file small. Runs on the writer's thread after a group has
//! been answered, so nobody waits for it but the next group.

use rusqlite::Connection;

/// Frames (4 KiB pages) of the log that are not yet in the file before they are copied there.
const COPY_FRAMES: i64 = 2_000;
/// Length of the log from which its start must be reused, even if that waits for readers.
const RESET_FRAMES: i64 = 16_384;
/// Free pages that are kept for later writes.
const SPARE_PAGES: i64 = 4_096;
/// Pages given back to the file system at a time.
const TRIM_PAGES: i64 = 1_024;

/// What is left undone when this fails is done at a later turn, and a lasting fault shows in the
/// writes themselves.
pub(super) fn run(connection: &Connection) {
    if let Err(error) = try_run(connection) {
        tracing::warn!(error = &error as &dyn std::error::Error, "checkpoint failed");
    }
}

fn try_run(connection: &Connection) -> rusqlite::Result<()> {
    let (length, copied) = checkpoint(connection, "NOOP")?;
    if length - copied < COPY_FRAMES {
        return Ok(());
    }
    let (length, copied) = checkpoint(connection, "PASSIVE")?;
    // A log is reused from its start once all of it is copied and no reader is in it. Readers
    // are short, but under load there may always be one.
    if length > RESET_FRAMES || copied > RESET_FRAMES {
        checkpoint(connection, "RESTART")?;
    }
    trim(connection)
}

/// Gives (frames in the log, frames of it copied to the file).
fn checkpoint(connection: &Connection, mode: &str) -> rusqlite::Result<(i64, i64)> {
    let sql = format!("PRAGMA wal_checkpoint({mode})");
    connection.prepare_cached(&sql)?.query_row([], |row| Ok((row.get(1)?, row.get(2)?)))
}

fn trim(connection: &Connection) -> rusqlite::Result<()> {
    let free: i64 =
        connection.prepare_cached("PRAGMA freelist_count")?.query_row([], |row| row.get(0))?;
    if free > SPARE_PAGES {
        let pages = (free - SPARE_PAGES).min(TRIM_PAGES);
        // The statement gives back one page a step.
        let sql = format!("PRAGMA incremental_vacuum({pages})");
        let mut statement = connection.prepare(&sql)?;
        let mut rows = statement.query([])?;
        while rows.next()?.is_some() {}
    }
    Ok(())
}
