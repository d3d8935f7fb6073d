//! Backups of the embedded store: one consistent file, made while the store is in use, and put back
//! while it is not.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::error::OpenError;
use super::part::{Part, beside, make_dir};
use super::{FILE_NAME, is_file, schema};

/// Why there is no backup, or it was not put back.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// There is no store in the directory.
    #[error("there is no store in {}", .0.display())]
    NoStore(PathBuf),
    /// Something is at the target already.
    #[error("{} is there already: choose another name, or move it away", .0.display())]
    Exists(PathBuf),
    /// Another program writes the same file at this moment.
    #[error("another program is writing {}: wait for it, or choose another name", .0.display())]
    Busy(PathBuf),
    /// Nobody can say whether there is a store.
    #[error("cannot look at {}", file.display())]
    Unseen {
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A program has the store open.
    #[error("{} is in use: stop every program that works on it first", .0.display())]
    InUse(PathBuf),
    /// The file is no store of ours, or damaged.
    #[error("the file cannot be used")]
    Unusable(#[source] OpenError),
    /// The file's content contradicts itself.
    #[error("{} is damaged: {what}", file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// What SQLite's check found first.
        what: String,
    },
    /// The database cannot be read.
    #[error("the store cannot be read")]
    Read(#[from] rusqlite::Error),
    /// A file cannot be written or renamed.
    #[error("cannot write {}", file.display())]
    Write {
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Copies the store of a directory into one file, and gives its size in bytes. The copy is the
/// store at one moment, checked, and on disk when this returns; programs may go on working meanwhile.
pub fn save(dir: &Path, to: &Path) -> Result<u64, BackupError> {
    let from = dir.join(FILE_NAME);
    if !is_there(&from)? {
        return Err(BackupError::NoStore(dir.to_owned()));
    }
    let part = Part::of_new(to)?;
    // Not as a reader: SQLite takes the copy for a write. It writes nothing to the store.
    let opened = Connection::open_with_flags(&from, OpenFlags::SQLITE_OPEN_READ_WRITE);
    let mut connection =
        opened.map_err(|fault| BackupError::Unusable(OpenError::of(&from, fault)))?;
    schema::be_patient(&mut connection, schema::PATIENCE)?;
    connection.execute("VACUUM INTO ?1", [part.path().to_string_lossy()])?;
    check(part.path())?;
    part.finish()
}

/// Puts a backup in place of the store of a directory, and gives where the former store is now, if
/// there was one. Both are checked for programs that use them.
pub fn restore(from: &Path, dir: &Path) -> Result<Option<PathBuf>, BackupError> {
    check(from)?;
    let to = dir.join(FILE_NAME);
    let fault = |file: &Path| {
        let file = file.to_owned();
        |source| BackupError::Write { file, source }
    };
    make_dir(dir).map_err(fault(dir))?;
    let part = Part::begin(&to)?;
    let copied = File::open(from).and_then(|mut from| io::copy(&mut from, &mut part.file()));
    copied.map_err(fault(part.path()))?;
    let former = if to.exists() {
        settle(&to)?;
        let former = beside(&to, "before-restore");
        if former.exists() {
            return Err(BackupError::Exists(former));
        }
        fs::rename(&to, &former).map_err(fault(&former))?;
        Some(former)
    } else {
        None
    };
    // What is left of another database must not be taken for the log of this one.
    for end in ["-wal", "-shm"] {
        let mut name = to.as_os_str().to_owned();
        name.push(end);
        remove(Path::new(&name))?;
    }
    part.finish()?;
    Ok(former)
}

/// Moves what is in the log into the file, which only somebody alone with it can.
fn settle(file: &Path) -> Result<(), BackupError> {
    let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let mode = connection.pragma_update_and_check(None, "journal_mode", "DELETE", |row| {
        row.get::<_, String>(0)
    });
    match mode {
        Ok(mode) if mode == "delete" => Ok(()),
        Err(e) if e.sqlite_error_code() != Some(rusqlite::ErrorCode::DatabaseBusy) => Err(e.into()),
        _ => Err(BackupError::InUse(file.to_owned())),
    }
}

/// Whether a file is a store of ours, of a version that this program knows, and whole.
fn check(file: &Path) -> Result<(), BackupError> {
    if !is_there(file)? {
        return Err(BackupError::NoStore(file.to_owned()));
    }
    let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    if !schema::check(&connection, file).map_err(BackupError::Unusable)? {
        return Err(BackupError::NoStore(file.to_owned()));
    }
    let found: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if found == "ok" {
        return Ok(());
    }
    let file = file.to_owned();
    Err(BackupError::Damaged { file, what: found })
}

fn remove(file: &Path) -> Result<(), BackupError> {
    match fs::remove_file(file) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(BackupError::Write {
            file: file.to_owned(),
            source,
        }),
        _ => Ok(()),
    }
}

fn is_there(file: &Path) -> Result<bool, BackupError> {
    is_file(file).map_err(|source| BackupError::Unseen {
        file: file.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ambient::System;
    use crate::embedded::Store;
    use crate::names::QueueName;
    use std::os::unix::fs::PermissionsExt as _;
    use std::sync::Arc;
    use std::time::Duration;

    fn open(dir: &Path) -> Arc<Store> {
        let system = Arc::new(System::new());
        Store::open(dir, system.clone(), system).unwrap()
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    async fn send(store: &Arc<Store>, body: &str) {
        let queue = store.storage().queue;
        queue
            .send(QueueName::Jobs, body, Duration::ZERO)
            .await
            .unwrap();
    }

    async fn count(store: &Arc<Store>) -> u64 {
        store.storage().queue.count(QueueName::Jobs).await.unwrap()
    }

    #[tokio::test]
    async fn a_backup_is_the_store_at_one_moment_and_comes_back() {
        let dir = tempfile::tempdir().unwrap();
        let (data, file) = (dir.path().join("data"), dir.path().join("backup.db"));
        let store = open(&data);
        send(&store, "before").await;
        let writing = Part::of_new(&file).unwrap();
        assert!(matches!(save(&data, &file), Err(BackupError::Busy(_))));
        drop(writing);
        assert!(save(&data, &file).unwrap() > 0);
        assert_eq!(mode(&file), 0o600);
        send(&store, "after").await;
        assert!(matches!(save(&data, &file), Err(BackupError::Exists(_))));
        assert!(matches!(restore(&file, &data), Err(BackupError::InUse(_))));
        assert_eq!(count(&store).await, 2, "a refused restore changes nothing");
        store.close().await;
        drop(store);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        let former = restore(&file, &data).unwrap().unwrap();
        assert_eq!(mode(&data.join(FILE_NAME)), 0o600);
        assert_eq!(count(&open(&data)).await, 1);
        let old = dir.path().join("old");
        fs::create_dir(&old).unwrap();
        fs::copy(former, old.join(FILE_NAME)).unwrap();
        assert_eq!(
            count(&open(&old)).await,
            2,
            "the former store is kept whole"
        );
    }

    #[tokio::test]
    async fn what_is_no_backup_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let (data, file) = (dir.path().join("data"), dir.path().join("backup.db"));
        assert!(matches!(save(&data, &file), Err(BackupError::NoStore(_))));
        // As little to be seen as in a directory of somebody else.
        std::os::unix::fs::symlink("round", dir.path().join("round")).unwrap();
        let unseen = save(&dir.path().join("round"), &file);
        assert!(matches!(unseen, Err(BackupError::Unseen { .. })));
        assert!(matches!(
            restore(&file, &data),
            Err(BackupError::NoStore(_))
        ));
        fs::write(&file, "hello, this is no database at all").unwrap();
        assert!(restore(&file, &data).is_err());
        fs::write(&file, "").unwrap();
        assert!(matches!(
            restore(&file, &data),
            Err(BackupError::NoStore(_))
        ));
        let store = open(&data);
        for number in 0..200 {
            send(&store, &format!("{number}{}", "x".repeat(1_000))).await;
        }
        fs::remove_file(&file).unwrap();
        save(&data, &file).unwrap();
        let mut bytes = fs::read(&file).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle..middle + 8_192].fill(0xff);
        fs::write(&file, bytes).unwrap();
        let other = dir.path().join("other");
        assert!(restore(&file, &other).is_err(), "damage is noticed");
        assert!(!other.join(FILE_NAME).exists());
    }
}
