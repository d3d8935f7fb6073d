//! Where an export is written to and read from: a file, or a container of the store itself.
//!
//! There it lies in parts, each of whole lines, that one after the other are the file:
//! `2026-01-31T02-20-00Z/000000.jsonl` and so on, and the last one ends in `.last.jsonl`. So an export
//! that broke off is seen in the list already.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail, ensure};
use jiff::Timestamp;
use storage::Blobs;
use storage::embedded::part::Part;
use storage::names::Container;
use storage::pages::Listing;
use storage::port::{Metadata, PutMode};

/// Longest line in bytes: a blob of 64 MiB in base64.
const LONGEST: u64 = 96 << 20;

/// So much is gathered before it is written, in bytes. A part is longer by one line at most.
const GATHERED: usize = 8 << 20;

/// The end of the name of an export's last part.
const LAST: &str = ".last.jsonl";

/// Where an export goes.
pub(crate) struct Sink {
    gathered: Vec<u8>,
    place: SinkPlace,
}

enum SinkPlace {
    File(Part),
    Stored(Stored),
}

/// An export in the container, by its name.
pub(crate) struct Stored {
    blobs: Arc<dyn Blobs>,
    name: String,
    parts: u32,
}

impl Stored {
    /// A new one, named after this time.
    pub(crate) fn new(blobs: Arc<dyn Blobs>, now: Timestamp) -> Self {
        let name = now.strftime("%Y-%m-%dT%H-%M-%SZ").to_string();
        Self {
            blobs,
            name,
            parts: 0,
        }
    }

    async fn put(&mut self, part: Vec<u8>, end: &str) -> anyhow::Result<()> {
        let path = format!("{}/{:06}{end}", self.name, self.parts);
        self.parts += 1;
        let (kind, metadata) = ("application/jsonl", Metadata::default());
        // The same bytes at the same place: a lost answer may be followed by a second try.
        let mode = PutMode::Overwrite;
        let put = self.blobs.put(
            Container::Exports,
            &path,
            part.into(),
            kind,
            &metadata,
            mode,
        );
        put.await
            .with_context(|| format!("cannot write {path} into the container exports"))?;
        Ok(())
    }
}

impl Sink {
    /// A new file.
    pub(crate) fn file(part: Part) -> Self {
        Self {
            gathered: Vec::new(),
            place: SinkPlace::File(part),
        }
    }

    /// The container.
    pub(crate) fn stored(stored: Stored) -> Self {
        Self {
            gathered: Vec::new(),
            place: SinkPlace::Stored(stored),
        }
    }

    /// Adds one line.
    pub(crate) async fn write(&mut self, line: &[u8]) -> anyhow::Result<()> {
        self.gathered.extend_from_slice(line);
        if self.gathered.len() < GATHERED {
            return Ok(());
        }
        let part = std::mem::take(&mut self.gathered);
        match &mut self.place {
            SinkPlace::File(file) => Ok(file.file().write_all(&part)?),
            SinkPlace::Stored(stored) => stored.put(part, ".jsonl").await,
        }
    }

    /// Writes what is left; where it is.
    pub(crate) async fn finish(self) -> anyhow::Result<String> {
        match self.place {
            SinkPlace::File(part) => {
                part.file().write_all(&self.gathered)?;
                let name = part.to().display().to_string();
                part.finish()?;
                Ok(name)
            }
            SinkPlace::Stored(mut stored) => {
                stored.put(self.gathered, LAST).await?;
                Ok(format!("{}/{}", Container::Exports.as_str(), stored.name))
            }
        }
    }
}

/// Where an export comes from.
pub(crate) struct Source {
    /// For messages.
    pub(crate) name: String,
    place: SourcePlace,
}

enum SourcePlace {
    File(BufReader<File>),
    Stored {
        blobs: Arc<dyn Blobs>,
        paths: VecDeque<String>,
        lines: VecDeque<String>,
    },
}

impl Source {
    /// A file.
    pub(crate) fn file(path: &Path) -> anyhow::Result<Self> {
        let name = path.display().to_string();
        let file = File::open(path).with_context(|| format!("cannot read {name}"))?;
        let place = SourcePlace::File(BufReader::new(file));
        Ok(Self { name, place })
    }

    /// An export in the container: this one, or the newest that is whole.
    pub(crate) async fn stored(blobs: Arc<dyn Blobs>, name: &str) -> anyhow::Result<Self> {
        let mut paths = Vec::new();
        let mut listing = Listing::of(&*blobs, Container::Exports, "");
        while let Some(page) = listing.next_page().await? {
            paths.extend(page.into_iter().map(|(path, _)| path));
        }
        let name = chosen(&paths, name)?;
        paths.retain(|path| path.split_once('/').is_some_and(|(of, _)| of == name));
        let place = SourcePlace::Stored {
            blobs,
            paths: paths.into(),
            lines: VecDeque::new(),
        };
        Ok(Self { name, place })
    }

    /// The next line, without its end; `None` at the end.
    pub(crate) async fn next(&mut self) -> anyhow::Result<Option<String>> {
        match &mut self.place {
            SourcePlace::File(file) => next_line(file),
            SourcePlace::Stored {
                blobs,
                paths,
                lines,
            } => {
                while lines.is_empty() {
                    let Some(path) = paths.pop_front() else {
                        return Ok(None);
                    };
                    let blob = blobs.get(Container::Exports, &path).await?;
                    let text = String::from_utf8(blob.data.to_vec())
                        .with_context(|| format!("{path} is no text"))?;
                    lines.extend(text.lines().map(str::to_owned));
                }
                Ok(lines.pop_front())
            }
        }
    }
}

/// The name of the export that was asked for, of those in the container.
fn chosen(paths: &[String], asked: &str) -> anyhow::Result<String> {
    let whole: Vec<&str> = paths
        .iter()
        .filter(|path| path.ends_with(LAST))
        .filter_map(|path| Some(path.split_once('/')?.0))
        .collect();
    let newest = whole.iter().max();
    match newest {
        None => bail!("the container exports holds no whole export"),
        Some(newest) if asked == "latest" => Ok((*newest).to_owned()),
        Some(_) if whole.contains(&asked) => Ok(asked.to_owned()),
        Some(_) => bail!(
            "the container exports holds no whole export {asked}, but {}",
            whole.join(", ")
        ),
    }
}

fn next_line(file: &mut BufReader<File>) -> anyhow::Result<Option<String>> {
    let mut line = String::new();
    let read = file.by_ref().take(LONGEST).read_line(&mut line)?;
    if read == 0 {
        return Ok(None);
    }
    ensure!(
        line.ends_with('\n') || (read as u64) < LONGEST,
        "a line is longer than {LONGEST} bytes"
    );
    Ok(Some(line.trim_end_matches('\n').to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_whole_export_is_found() {
        let paths = [
            "2026-01-01T02-20-00Z/000000.jsonl",
            "2026-01-01T02-20-00Z/000001.last.jsonl",
            "2026-01-02T02-20-00Z/000000.last.jsonl",
            "2026-01-03T02-20-00Z/000000.jsonl",
        ]
        .map(str::to_owned);
        let check = |paths: &[String], asked: &str, expect: Result<&str, &str>| {
            let found = chosen(paths, asked).map_err(|e| e.to_string());
            match (found, expect) {
                (Ok(found), Ok(expect)) => assert_eq!(found, expect),
                (Err(said), Err(part)) => assert!(said.contains(part), "{said}"),
                (found, _) => panic!("{asked}: {found:?}"),
            }
        };
        check(&paths, "latest", Ok("2026-01-02T02-20-00Z"));
        check(&paths, "2026-01-01T02-20-00Z", Ok("2026-01-01T02-20-00Z"));
        check(
            &paths,
            "2026-01-03T02-20-00Z",
            Err("but 2026-01-01T02-20-00Z, 2026-01-02"),
        );
        check(&[], "latest", Err("no whole export"));
    }
}
