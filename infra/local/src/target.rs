//! Files that a command writes: all that can be wrong with them is said before any work, since a job
//! that was paid for must not be lost by a wrong path.

use std::fs::{self, File, Metadata};
use std::io::{self, IsTerminal as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use anyhow::{Context as _, bail, ensure};

use crate::out;

/// Whether a path means standard output, or, of an input, standard input.
pub(crate) fn is_dash(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Tries whether all targets can be written, and leaves them as they are. An error too if one is an
/// input, or another target.
pub(crate) fn check(targets: &[&Path], inputs: &[&Path]) -> anyhow::Result<()> {
    let files = inputs.iter().filter(|input| !is_dash(input));
    let inputs: Vec<Place> = files
        .filter_map(|input| Place::of(&fs::metadata(input).ok()?))
        .collect();
    let mut tried: Vec<Tried<'_>> = Vec::new();
    for target in targets {
        let shown = target.display();
        let next = Tried::begin(target).with_context(|| format!("cannot write {shown}"))?;
        if let Some(place) = &next.place {
            ensure!(
                !inputs.contains(place),
                "{shown} is an input, which would be overwritten: give what is made another name"
            );
            ensure!(
                !tried.iter().any(|other| other.place == next.place),
                "two documents would go to {shown}: give each a name of its own"
            );
        }
        tried.push(next);
    }
    Ok(())
}

/// Writes one that was checked.
pub(crate) fn write(target: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    if is_dash(target) {
        out::bytes(bytes);
        return Ok(());
    }
    fs::write(target, bytes).with_context(|| format!("cannot write {}", target.display()))
}

/// What two paths may have in common.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    Output,
    File { device: u64, inode: u64 },
}

impl Place {
    /// `None` for pipes and devices, which take several documents and lose none.
    fn of(found: &Metadata) -> Option<Self> {
        found.is_file().then(|| Self::File {
            device: found.dev(),
            inode: found.ino(),
        })
    }
}

/// A target that can be written.
struct Tried<'a> {
    place: Option<Place>,
    /// It was not there.
    made: Option<&'a Path>,
}

impl<'a> Tried<'a> {
    fn begin(path: &'a Path) -> anyhow::Result<Self> {
        if is_dash(path) {
            ensure!(
                !io::stdout().is_terminal(),
                "standard output is a terminal: send it on with `>` or `|`"
            );
            let place = Some(Place::Output);
            return Ok(Self { place, made: None });
        }
        let (file, made) = match fs::metadata(path) {
            Ok(found) if found.is_dir() => bail!("it is a directory: name a file in it"),
            Ok(found) if found.is_file() => (File::options().write(true).open(path)?, None),
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e.into()),
            // To open a pipe would wait for its reader, and a link may lead to what is still to come.
            Ok(_) => return Ok(Self::untried()),
            Err(_) if path.is_symlink() => return Ok(Self::untried()),
            Err(_) => (File::create_new(path)?, Some(path)),
        };
        let place = Place::of(&file.metadata()?);
        Ok(Self { place, made })
    }

    fn untried() -> Self {
        Self {
            place: None,
            made: None,
        }
    }
}

impl Drop for Tried<'_> {
    fn drop(&mut self) {
        if let Some(path) = self.made {
            // It is empty, and is written next if all goes well.
            let _ = fs::remove_file(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;
    use std::path::PathBuf;

    #[test]
    fn what_cannot_be_written_is_said_and_nothing_is_left() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::write(at("input"), "kept").unwrap();
        fs::write(at("old"), "kept").unwrap();
        fs::hard_link(at("input"), at("hard")).unwrap();
        symlink(at("input"), at("link")).unwrap();
        let check = |targets: &[&str], expect: Option<&str>| {
            let targets: Vec<_> = targets.iter().map(|name| at(name)).collect();
            let targets: Vec<_> = targets.iter().map(PathBuf::as_path).collect();
            let input = at("input");
            let checked = check(&targets, &[&input, Path::new("-")]);
            match (checked.map_err(|e| format!("{e:#}")), expect) {
                (Ok(()), None) => {}
                (Err(said), Some(part)) => assert!(said.contains(part), "{said}"),
                (ended, _) => panic!("{targets:?}: {ended:?}"),
            }
        };
        check(&["new", "old", "other"], None);
        check(&["input"], Some("is an input"));
        check(&["new", "./input"], Some("is an input"));
        check(&["hard"], Some("is an input"));
        check(&["link"], Some("is an input"));
        check(&["new", "./new"], Some("two documents"));
        check(&["old", "old"], Some("two documents"));
        check(&[""], Some("it is a directory"));
        check(&["none/new"], Some("No such file"));
        check(&["old/new"], Some("Not a directory"));
        check(&["new", "none/new"], Some("cannot write"));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 4);
        assert_eq!(fs::read_to_string(at("old")).unwrap(), "kept");
        let nowhere = Path::new("/dev/null");
        self::check(&[nowhere, nowhere], &[nowhere]).unwrap();
    }
}
