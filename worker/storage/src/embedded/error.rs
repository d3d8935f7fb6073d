//! Why a store does not open.

use std::io;
use std::path::PathBuf;

/// Why a store does not open, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The directory is not there and cannot be made.
    #[error("cannot make the data directory {}", dir.display())]
    Directory {
        /// The directory.
        dir: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file or its directory cannot be written.
    #[error("{} cannot be written: give this user the right to write there", file.display())]
    NotWritable {
        /// The file.
        file: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// Bytes that are no database, or that contradict each other.
    #[error(
        "{} is damaged or is no database: restore a backup, or move it away to start empty",
        file.display()
    )]
    Damaged {
        /// The file.
        file: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// A sound database of another program.
    #[error("{} belongs to another program: choose another data directory", file.display())]
    Foreign {
        /// The file.
        file: PathBuf,
    },
    /// Written by a later version of this program.
    #[error(
        "{} has schema version {found}, this program knows {known}: run a newer version",
        file.display()
    )]
    Newer {
        /// The file.
        file: PathBuf,
        /// Its version.
        found: i64,
        /// The newest version that this program knows.
        known: i64,
    },
    /// Another process held the file all the time.
    #[error("{} stayed locked by another process", file.display())]
    Locked {
        /// The file.
        file: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// The file system lacks what a write-ahead log needs, as network file systems do.
    #[error("{} needs a local disk: its file system has no shared memory", file.display())]
    NoSharedMemory {
        /// The file.
        file: PathBuf,
    },
    /// Anything else.
    #[error("cannot open {}", file.display())]
    Other {
        /// The file.
        file: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// The system gave no thread for the writer.
    #[error("cannot start the store's thread")]
    Thread(#[source] io::Error),
}

impl OpenError {
    /// Sorts an error of SQLite by what can be done about it.
    pub(super) fn of(file: &std::path::Path, source: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode as Code;
        let file = file.to_owned();
        match source.sqlite_error_code() {
            Some(Code::ReadOnly | Code::CannotOpen | Code::PermissionDenied) => {
                Self::NotWritable { file, source }
            }
            Some(Code::NotADatabase | Code::DatabaseCorrupt) => Self::Damaged { file, source },
            Some(Code::DatabaseBusy | Code::DatabaseLocked) => Self::Locked { file, source },
            _ => Self::Other { file, source },
        }
    }
}
