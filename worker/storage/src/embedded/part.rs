//! A file that has another name until it is whole, and that its owner alone can read.

use std::fs::{self, File, OpenOptions, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt,
};
use std::path::{Path, PathBuf};

use super::backup::BackupError;

/// Read and written by its owner.
const PRIVATE: u32 = 0o600;

/// What becomes `NAME`, as `NAME.part`. What a killed program left of one is written anew; of two
/// programs that write the same one, the second is refused. Dropped before it is whole, it is removed.
#[derive(Debug)]
pub struct Part {
    path: PathBuf,
    to: PathBuf,
    file: File,
    whole: bool,
}

impl Part {
    /// Begins a new file; nothing may have its name.
    pub fn of_new(to: &Path) -> Result<Self, BackupError> {
        let part = Self::begin(to)?;
        // Not before: another program may just have finished.
        if to.exists() {
            return Err(BackupError::Exists(to.to_owned()));
        }
        Ok(part)
    }

    /// Begins a file that takes the place of the one of this name, if there is one.
    pub(super) fn begin(to: &Path) -> Result<Self, BackupError> {
        let path = beside(to, "part");
        let fault = |source| BackupError::Write {
            file: path.clone(),
            source,
        };
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let file = options.mode(PRIVATE).open(&path).map_err(fault)?;
        // A file system without locks has none to say that it is taken.
        let taken = matches!(file.try_lock(), Err(TryLockError::WouldBlock));
        // It may have been finished between the two: then this is not the part any more.
        if taken || !is_at(&file, &path).map_err(fault)? {
            return Err(BackupError::Busy(to.to_owned()));
        }
        file.set_permissions(Permissions::from_mode(PRIVATE))
            .and_then(|()| file.set_len(0))
            .map_err(fault)?;
        Ok(Self {
            path,
            to: to.to_owned(),
            file,
            whole: false,
        })
    }

    /// Where it is until it is whole.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// To write to, from the start.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// The name that it gets.
    pub fn to(&self) -> &Path {
        &self.to
    }

    /// Gives it its name, on disk. Its size in bytes.
    pub fn finish(mut self) -> Result<u64, BackupError> {
        let fault = |source| BackupError::Write {
            file: self.to.clone(),
            source,
        };
        self.file.sync_all().map_err(fault)?;
        fs::rename(&self.path, &self.to).map_err(fault)?;
        self.whole = true;
        let dir = self.to.parent().filter(|dir| !dir.as_os_str().is_empty());
        let synced = File::open(dir.unwrap_or(Path::new("."))).and_then(|dir| dir.sync_all());
        synced
            .and_then(|()| Ok(self.file.metadata()?.len()))
            .map_err(|source| BackupError::Write {
                file: self.to.clone(),
                source,
            })
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.whole {
            // What stays is written anew by the next one.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Makes a directory for its owner alone. One that is there stays as it is.
pub(super) fn make_dir(dir: &Path) -> io::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    if let Some(parent) = dir.parent() {
        fs::create_dir_all(parent)?;
    }
    match fs::DirBuilder::new().mode(0o700).create(dir) {
        // Another program was quicker.
        Err(_) if dir.is_dir() => Ok(()),
        made => made,
    }
}

/// Makes an empty file for its owner alone, unless it is there.
pub(super) fn make_file(file: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let made = options
        .write(true)
        .create_new(true)
        .mode(PRIVATE)
        .open(file);
    match made {
        Err(e) if e.kind() != io::ErrorKind::AlreadyExists => Err(e),
        _ => Ok(()),
    }
}

/// Whether a path leads to this file.
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let own = file.metadata()?;
    match fs::metadata(path) {
        Ok(there) => Ok((there.dev(), there.ino()) == (own.dev(), own.ino())),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(e) => Err(e),
    }
}

/// The path with another end to its name.
pub(super) fn beside(file: &Path, end: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".");
    name.push(end);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o777
    }

    #[test]
    fn a_part_gets_its_name_when_it_is_whole() {
        let dir = tempfile::tempdir().unwrap();
        let to = dir.path().join("x");
        // As a program leaves it that was killed.
        fs::write(dir.path().join("x.part"), "longer than what follows").unwrap();
        let part = Part::of_new(&to).unwrap();
        part.file().write_all(b"whole").unwrap();
        assert!(!to.exists() && part.path().exists());
        assert!(matches!(Part::of_new(&to), Err(BackupError::Busy(_))));
        assert_eq!(part.finish().unwrap(), 5);
        assert_eq!(fs::read(&to).unwrap(), b"whole");
        assert_eq!(mode(&to), 0o600);
        assert!(matches!(Part::of_new(&to), Err(BackupError::Exists(_))));
        drop(Part::begin(&to).unwrap());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
