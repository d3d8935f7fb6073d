//! Keeps the write-ahead log and the file small. Runs on the writer's thread after a group has
//! been answered, so nobody waits for it but the next group.

use rusqlite::Connection;

use super::schema;

/// So many new frames (4 KiB pages) in the log are worth copying them to the file, which lets the
/// log start anew. Writing over an old log is cheap to make durable, growing it is not.
const COPY_FRAMES: i64 = 2_000;
/// The same while nobody waits for the writer.
const COPY_FRAMES_IDLE: i64 = 256;
/// From this length on, wait a little for readers to leave the log, so that it starts anew.
const RESTART_FRAMES: i64 = 16_384;
/// Milliseconds of that wait: reads are short, but another process may have been stopped in one.
const RESTART_PATIENCE: i32 = 100;
/// Free pages that are kept for later writes.
const SPARE_PAGES: i64 = 4_096;
/// Pages given back to the file system at a time.
const TRIM_PAGES: i64 = 1_024;

/// What the last turns have reached, in frames of the log.
#[derive(Debug, Default)]
pub(super) struct Upkeep {
    copy_tried: i64,
    restart_tried: i64,
}

impl Upkeep {
    /// What fails here is tried again at a later turn; a lasting fault shows in the writes.
    pub(super) fn run(&mut self, connection: &mut Connection, idle: bool) {
        if let Err(error) = self.try_run(connection, idle) {
            tracing::warn!(error = &error as &dyn std::error::Error, "checkpoint failed");
        }
    }

    fn try_run(&mut self, connection: &mut Connection, idle: bool) -> rusqlite::Result<()> {
        let e=|n:&str,d:i64| std::env::var(n).ok().and_then(|v|v.parse().ok()).unwrap_or(d); let worth = if idle { e("PW_IDLE",COPY_FRAMES_IDLE) } else { e("PW_BUSY",COPY_FRAMES) };
        let (length, copied) = checkpoint(connection, "NOOP")?;
        if length < self.copy_tried {
            // The log has started anew.
            *self = Self::default();
        }
        // A slow reader holds back the copying: trying again at each group would not help.
        if length - copied.max(self.copy_tried) < worth {
            return Ok(());
        }
        self.copy_tried = length;
        checkpoint(connection, "PASSIVE")?;
        if length - self.restart_tried > RESTART_FRAMES {
            self.restart_tried = length;
            schema::be_patient(connection, RESTART_PATIENCE)?;
            let restarted = checkpoint(connection, "RESTART");
            schema::be_patient(connection, schema::PATIENCE)?;
            restarted?;
        }
        trim(connection)
    }
}

/// Gives the frames in the log, and how many of them are in the file as well.
fn checkpoint(connection: &Connection, mode: &str) -> rusqlite::Result<(i64, i64)> {
    let sql = format!("PRAGMA wal_checkpoint({mode})");
    connection.prepare_cached(&sql)?.query_row([], |row| Ok((row.get(1)?, row.get(2)?)))
}

fn trim(connection: &Connection) -> rusqlite::Result<()> {
    let free: i64 =
        connection.prepare_cached("PRAGMA freelist_count")?.query_row([], |row| row.get(0))?;
    if free > SPARE_PAGES {
        let pages = (free - SPARE_PAGES).min(TRIM_PAGES);
        connection.execute_batch(&format!("PRAGMA incremental_vacuum({pages})"))?;
    }
    Ok(())
}
