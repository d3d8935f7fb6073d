//! The file's settings and its schema, versioned by `user_version`.

use std::path::Path;
use std::thread;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use super::OpenError;

/// The newest version that this program writes and reads.
const VERSION: i64 = 1;
/// Marks the file as ours ("PWRK"), so that no other program's file is ever changed.
const APPLICATION: i64 = 0x5057_524b;
/// For [`be_patient`]: no process holds the lock for longer than its largest group takes.
pub(super) const PATIENCE: i32 = 10_000;
const STATEMENTS: usize = 64;

/// `counter` gives versions (ETags) and blob ids, so none is ever used twice. The content of a
/// blob is in `chunk`, so that listings do not read it and appends do not rewrite it.
const CREATE: &str = "
CREATE TABLE counter (id INTEGER PRIMARY KEY CHECK (id = 1), next INTEGER NOT NULL) STRICT;
INSERT INTO counter VALUES (1, 1);
CREATE TABLE message (
    id TEXT PRIMARY KEY,
    queue TEXT NOT NULL,
    visible_at INTEGER NOT NULL,
    inserted_at INTEGER NOT NULL,
    dequeue_count INTEGER NOT NULL,
    receipt TEXT,
    body TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX message_due ON message (queue, visible_at);
CREATE TABLE entity (
    tab TEXT NOT NULL,
    part TEXT NOT NULL,
    row TEXT NOT NULL,
    etag INTEGER NOT NULL,
    properties TEXT NOT NULL,
    PRIMARY KEY (tab, part, row)
) STRICT, WITHOUT ROWID;
CREATE TABLE blob (
    id INTEGER PRIMARY KEY,
    container TEXT NOT NULL,
    path TEXT NOT NULL,
    etag INTEGER NOT NULL,
    size INTEGER NOT NULL,
    content_type TEXT NOT NULL,
    metadata TEXT NOT NULL,
    modified INTEGER NOT NULL,
    appends INTEGER NOT NULL,
    UNIQUE (container, path)
) STRICT;
CREATE TABLE chunk (
    blob INTEGER NOT NULL,
    start INTEGER NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (blob, start)
) STRICT, WITHOUT ROWID;
";

/// Reads a row of each table: a damaged file should fail now, not in the middle of a job.
const TOUCH: &str = "
SELECT (SELECT count(*) FROM counter), (SELECT 1 FROM message LIMIT 1),
    (SELECT 1 FROM entity LIMIT 1), (SELECT 1 FROM blob LIMIT 1), (SELECT 1 FROM chunk LIMIT 1)
";

/// Opens the file for the writer, and makes or checks its schema.
pub(super) fn open(file: &Path) -> Result<Connection, OpenError> {
    let failed = |source| OpenError::of(file, source);
    let mut connection = connect(
        file,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
    )
    .map_err(failed)?;
    known(&mut connection, file)?;
    // Only a file without pages takes this setting.
    connection
        .pragma_update(None, "auto_vacuum", "INCREMENTAL")
        .map_err(failed)?;
    if !enable_wal(&connection).map_err(failed)? {
        return Err(OpenError::NoSharedMemory {
            file: file.to_owned(),
        });
    }
    // FULL: an acknowledged write outlives a power cut. Checkpoints are the writer's own affair.
    connection
        .execute_batch(
            "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;
             PRAGMA journal_size_limit = 33554432; PRAGMA cache_size = -16384;",
        )
        .map_err(failed)?;
    create(&mut connection, file)?;
    connection
        .query_row(TOUCH, [], |_| Ok(()))
        .map_err(failed)?;
    Ok(connection)
}

/// Opens the file for reading.
pub(super) fn open_reader(file: &Path) -> rusqlite::Result<Connection> {
    let connection = connect(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.execute_batch("PRAGMA query_only = 1; PRAGMA cache_size = -4096;")?;
    Ok(connection)
}

fn connect(file: &Path, flags: OpenFlags) -> rusqlite::Result<Connection> {
    let mut connection =
        Connection::open_with_flags(file, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    be_patient(&mut connection, PATIENCE)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.execute_batch("PRAGMA temp_store = MEMORY; PRAGMA foreign_keys = 0;")?;
    Ok(connection)
}

/// Sets how many milliseconds, about, a statement waits for locks of other connections.
///
/// In even steps: SQLite's own handler backs off to 100 ms, and a busy writer in another process
/// would starve this one.
pub(super) fn be_patient(connection: &mut Connection, millis: i32) -> rusqlite::Result<()> {
    connection.busy_handler(Some(move |attempt| {
        thread::sleep(Duration::from_millis(1));
        attempt < millis
    }))
}

/// Tells whether the file is in WAL mode now. SQLite does not call the busy handler for this
/// change, so two processes that make the file together need the loop.
fn enable_wal(connection: &Connection) -> rusqlite::Result<bool> {
    let mut attempt = 0;
    loop {
        let mode = connection
            .pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0));
        match mode {
            Err(e) if e.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && attempt < 1_000 => {
                attempt += 1;
                thread::sleep(Duration::from_millis(5));
            }
            Err(e) => return Err(e),
            Ok(mode) => return Ok(mode == "wal"),
        }
    }
}

/// Whether the schema is there; an error if it is not one of ours.
fn known(connection: &mut Connection, file: &Path) -> Result<bool, OpenError> {
    // In a transaction, or another process might make the schema between two of the questions.
    let transaction = connection
        .transaction()
        .map_err(|source| OpenError::of(file, source))?;
    check(&transaction, file)
}

/// The same, for a connection that nobody else is on.
pub(super) fn check(connection: &Connection, file: &Path) -> Result<bool, OpenError> {
    let failed = |source| OpenError::of(file, source);
    let number = |pragma: &str| {
        connection
            .pragma_query_value(None, pragma, |row| row.get::<_, i64>(0))
            .map_err(failed)
    };
    let file = file.to_owned();
    match (number("application_id")?, number("user_version")?) {
        (APPLICATION, VERSION) => Ok(true),
        (APPLICATION, found) if found > VERSION => Err(OpenError::Newer {
            file,
            found,
            known: VERSION,
        }),
        (0, 0) if number("schema_version")? == 0 => Ok(false),
        _ => Err(OpenError::Foreign { file }),
    }
}

fn create(connection: &mut Connection, file: &Path) -> Result<(), OpenError> {
    let failed = |source| OpenError::of(file, source);
    if known(connection, file)? {
        return Ok(());
    }
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(failed)?;
    // Another process may have been quicker.
    if !check(&transaction, file)? {
        transaction.execute_batch(CREATE).map_err(failed)?;
        transaction
            .pragma_update(None, "application_id", APPLICATION)
            .map_err(failed)?;
        transaction
            .pragma_update(None, "user_version", VERSION)
            .map_err(failed)?;
    }
    transaction.commit().map_err(failed)
}
