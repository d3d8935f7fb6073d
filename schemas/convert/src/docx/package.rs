//! The package: a ZIP archive (ECMA-376 part 2) whose parts are unpacked in memory, within limits.

use std::io::{Cursor, Read as _};

use zip::ZipArchive;
use zip::result::ZipError;

use super::xml::{Event, Xml};
use crate::error::What;
use crate::{Error, Limits};

/// An opened package.
pub(super) struct Package<'a> {
    archive: ZipArchive<Cursor<&'a [u8]>>,
    limits: &'a Limits,
    /// Bytes that may still be unpacked.
    left: u64,
}

/// A relationship of a part (ECMA-376 part 2, section 6.5).
pub(super) struct Relationship {
    pub(super) id: String,
    /// The last word of the type's address: `header`, `image`, `hyperlink`.
    pub(super) kind: String,
    /// A part's name, or a foreign address if `external`.
    pub(super) target: String,
    pub(super) external: bool,
}

impl<'a> Package<'a> {
    /// Opens and checks the whole directory: no part is unpacked before all are known to be sound.
    pub(super) fn open(bytes: &'a [u8], limits: &'a Limits) -> Result<Self, Error> {
        let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|e| damaged(&e))?;
        if archive.len() as u64 > limits.entries {
            return Err(Error::TooLarge {
                what: What::Entries,
                limit: limits.entries,
            });
        }
        let mut unpacked: u64 = 0;
        for index in 0..archive.len() {
            let file = archive.by_index_raw(index).map_err(|e| damaged(&e))?;
            let name = file.name().map_err(|e| damaged(&e))?;
            if !is_inside(&name) {
                return Err(Error::Unsafe("an entry's name leads out of the package"));
            }
            if file.encrypted() {
                return Err(Error::Encrypted);
            }
            unpacked = unpacked.saturating_add(file.size());
        }
        if archive.has_overlapping_entries().map_err(|e| damaged(&e))? {
            return Err(Error::Unsafe("entries of the archive overlap"));
        }
        if unpacked > limits.unpacked_bytes {
            return Err(Error::TooLarge {
                what: What::Unpacked,
                limit: limits.unpacked_bytes,
            });
        }
        Ok(Self {
            archive,
            limits,
            left: limits.unpacked_bytes,
        })
    }

    /// An XML part; `None` if the package has none of this name.
    pub(super) fn xml(&mut self, name: &str) -> Result<Option<Vec<u8>>, Error> {
        let limit = self.limits.part_bytes;
        let Some(bytes) = self.part(name, limit)? else {
            return Ok(None);
        };
        Ok(Some(utf8(bytes)))
    }

    /// A picture's bytes; `None` if there is none or it is over the limit.
    pub(super) fn picture(&mut self, name: &str) -> Result<Option<Vec<u8>>, Error> {
        let limit = self.limits.picture_bytes;
        match self.part(name, limit) {
            Err(Error::TooLarge { .. }) => Ok(None),
            other => other,
        }
    }

    /// The relationships of a part; none is no error.
    pub(super) fn relationships(&mut self, part: &str) -> Result<Vec<Relationship>, Error> {
        let (folder, file) = part.rsplit_once('/').unwrap_or(("", part));
        let slash = if folder.is_empty() { "" } else { "/" };
        let Some(bytes) = self.xml(&format!("{folder}{slash}_rels/{file}.rels"))? else {
            return Ok(Vec::new());
        };
        let mut xml = Xml::new(&bytes, self.limits);
        let mut all = Vec::new();
        loop {
            match xml.next()? {
                Event::Eof => return Ok(all),
                Event::Start(element) if element.is("Relationship") => {
                    let external = element.attr("TargetMode").is_some_and(|m| m == "External");
                    let target = element.attr("Target").unwrap_or_default();
                    let kind = element.attr("Type").unwrap_or_default();
                    all.push(Relationship {
                        id: element.attr("Id").unwrap_or_default(),
                        kind: kind.rsplit('/').next().unwrap_or_default().to_owned(),
                        target: if external {
                            target
                        } else {
                            resolve(folder, &target)
                        },
                        external,
                    });
                }
                _ => {}
            }
        }
    }

    fn part(&mut self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, Error> {
        let Some(index) = self.archive.index_for_name(name) else {
            return Ok(None);
        };
        let too_large = |what, limit| Error::TooLarge { what, limit };
        let file = self.archive.by_index(index).map_err(|e| damaged(&e))?;
        let (packed, size) = (file.compressed_size(), file.size());
        if size > limit.min(self.left) {
            return Err(too_large(What::Unpacked, limit.min(self.left)));
        }
        // Plain XML of a few kilobytes may well pack a thousandfold; only what is large is suspect.
        if size > 1_000_000 && size / packed.max(1) > self.limits.ratio {
            return Err(too_large(What::Ratio, self.limits.ratio));
        }
        let mut bytes = Vec::with_capacity(size as usize);
        file.take(size + 1)
            .read_to_end(&mut bytes)
            .map_err(|_| Error::Damaged("a part does not unpack"))?;
        if bytes.len() as u64 > size {
            return Err(Error::Unsafe("a part is larger than it says"));
        }
        self.left -= size;
        Ok(Some(bytes))
    }
}

/// Names of entries are forward-slashed and relative (APPNOTE 4.4.17.1).
fn is_inside(name: &str) -> bool {
    let climbs = name.split(['/', '\\']).any(|step| step == "..");
    !climbs && !name.starts_with(['/', '\\']) && !name.contains([':', '\0'])
}

/// A relationship's target as a part's name.
fn resolve(folder: &str, target: &str) -> String {
    if let Some(absolute) = target.strip_prefix('/') {
        return absolute.to_owned();
    }
    let mut steps: Vec<&str> = folder.split('/').filter(|s| !s.is_empty()).collect();
    for step in target.split('/') {
        match step {
            "." | "" => {}
            ".." => {
                steps.pop();
            }
            step => steps.push(step),
        }
    }
    steps.join("/")
}

fn damaged(error: &ZipError) -> Error {
    match error {
        ZipError::UnsupportedArchive(_) => Error::Damaged("it is packed in an unknown way"),
        _ => Error::Damaged("it is no complete ZIP archive"),
    }
}

/// XML may be written in UTF-16 (XML 1.0, section 4.3.3).
fn utf8(bytes: Vec<u8>) -> Vec<u8> {
    let wide = |unit: fn([u8; 2]) -> u16| {
        let units = bytes[2..]
            .chunks_exact(2)
            .map(|pair| unit([pair[0], pair[1]]));
        let text: String = char::decode_utf16(units)
            .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect();
        text.into_bytes()
    };
    match bytes {
        _ if bytes.starts_with(&[0xff, 0xfe]) => wide(u16::from_le_bytes),
        _ if bytes.starts_with(&[0xfe, 0xff]) => wide(u16::from_be_bytes),
        bytes => bytes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_inside() {
        let check = |name: &str, want: bool| assert_eq!(is_inside(name), want, "{name}");
        check("word/document.xml", true);
        check("[Content_Types].xml", true);
        check("word/a..b.xml", true);
        check("../x", false);
        check("word/../../x", false);
        check("..\\..\\x", false);
        check("/etc/x", false);
        check("C:\\x", false);
    }

    #[test]
    fn targets_are_resolved() {
        let check = |folder: &str, target: &str, want: &str| {
            assert_eq!(resolve(folder, target), want);
        };
        check("word", "media/a.png", "word/media/a.png");
        check("word", "../media/a.png", "media/a.png");
        check("word", "/word/header1.xml", "word/header1.xml");
        check("", "word/document.xml", "word/document.xml");
        check("word", "../../../x", "x");
    }
}
