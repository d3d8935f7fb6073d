//! Keeps the write-ahead log and the file small. Runs on the writer's thread after a group has
//! been answered, so nobody waits for it but the next group.

use rusqlite::Connection;

use super::schema;

/// So many new frames (4 KiB pages) in the log are worth copying them to the file.
const COPY_FRAMES: i64 = 2_000;
/// From this length on, wait a little for readers to leave the log, so that it starts anew.
const RESTART_FRAMES: i64 = 8_192;
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
    pub(super) fn run(&mut self, connection: &mut Connection) {
        if let Err(error) = self.try_run(connection) {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "checkpoint failed"
            );
        }
    }

    fn try_run(&mut self, connection: &mut Connection) -> rusqlite::Result<()> {
        let (length, copied) = checkpoint(connection, "NOOP")?;
        if length < self.copy_tried {
            // The log has started anew.
            *self = Self::default();
        }
        // A slow reader holds back the copying: trying again at each group would not help.
        if length - copied.max(self.copy_tried) < COPY_FRAMES {
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
    connection
        .prepare_cached(&sql)?
        .query_row([], |row| Ok((row.get(1)?, row.get(2)?)))
}

fn trim(connection: &Connection) -> rusqlite::Result<()> {
    let free: i64 = connection
        .prepare_cached("PRAGMA freelist_count")?
        .query_row([], |row| row.get(0))?;
    if free > SPARE_PAGES {
        let pages = (free - SPARE_PAGES).min(TRIM_PAGES);
        let mut statement = connection.prepare(&format!("PRAGMA incremental_vacuum({pages})"))?;
        let mut rows = statement.query([])?;
        // Each step gives back one page.
        while rows.next()?.is_some() {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(connection: &Connection, pragma: &str) -> i64 {
        connection
            .pragma_query_value(None, pragma, |row| row.get(0))
            .unwrap()
    }

    /// Writes so many pages, then frees them.
    fn fill(connection: &Connection, pages: i64) {
        let sql = "INSERT INTO chunk VALUES (1, 0, zeroblob(?1))";
        connection.execute(sql, [pages * 4_092]).unwrap();
        connection.execute("DELETE FROM chunk", []).unwrap();
    }

    #[test]
    fn a_log_starts_anew_and_space_is_given_back() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("x.db");
        let mut connection = schema::open(&file).unwrap();
        let mut upkeep = Upkeep::default();
        fill(&connection, SPARE_PAGES + 2 * TRIM_PAGES);
        let before = (
            number(&connection, "page_count"),
            number(&connection, "freelist_count"),
        );
        upkeep.try_run(&mut connection).unwrap();
        let freed = before.0 - number(&connection, "page_count");
        // And a page or so of the file's own bookkeeping.
        assert!(
            (TRIM_PAGES..TRIM_PAGES + 4).contains(&freed),
            "{freed} pages given back"
        );
        assert!(number(&connection, "freelist_count") >= SPARE_PAGES);
        let (length, _) = checkpoint(&connection, "NOOP").unwrap();
        assert!(
            length < COPY_FRAMES,
            "only what the trimming wrote: {length}"
        );
    }

    #[test]
    fn a_reader_that_stays_does_not_stop_the_writer() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("x.db");
        let mut connection = schema::open(&file).unwrap();
        let reader = schema::open_reader(&file).unwrap();
        let mut upkeep = Upkeep::default();
        connection
            .execute("INSERT INTO chunk VALUES (0, 0, x'00')", [])
            .unwrap();
        reader
            .execute_batch("BEGIN; SELECT count(*) FROM chunk;")
            .unwrap();
        let mut tries = Vec::new();
        for _ in 0..12 {
            fill(&connection, COPY_FRAMES / 4);
            upkeep.try_run(&mut connection).unwrap();
            tries.push(upkeep.copy_tried);
        }
        tries.dedup();
        assert!(tries.len() <= 4, "not at every turn: {tries:?}");
        let (length, copied) = checkpoint(&connection, "NOOP").unwrap();
        assert!(copied < length, "the reader holds it back");
        reader.execute_batch("COMMIT").unwrap();
        for _ in 0..6 {
            fill(&connection, COPY_FRAMES / 4);
            upkeep.try_run(&mut connection).unwrap();
        }
        let (shorter, _) = checkpoint(&connection, "NOOP").unwrap();
        assert!(shorter < length, "{shorter} instead of {length} frames");
    }
}
