//! Word documents (ECMA-376, WordprocessingML): read whole, with structure, then interpreted.

mod body;
mod numbering;
mod package;
mod picture;
mod props;
mod styles;
mod xml;

use std::collections::HashMap;

use body::{Body, Shared};
use numbering::Numbering;
use package::{Package, Relationship};
use picture::Picture;
use styles::Styles;

use crate::document::Document;
use crate::error::What;
use crate::extracted::{Extracted, Photo, PhotoOmitted};
use crate::interpret;
use crate::{Error, Limits};

/// The head of an OLE compound file ([MS-CFB], section 2.2).
const COMPOUND_FILE: &[u8] = &[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];

/// Reads the CV out of a `.docx` file.
///
/// The photo is the first portrait of the body, then of the headers, then of the footers, through
/// the relationships. Links are never followed.
pub fn read(bytes: &[u8], limits: &Limits) -> Result<Extracted, Error> {
    let (document, pictures) = open(bytes, limits)?;
    let mut extracted = interpret::interpret(&document)?;
    match pictures {
        Ok(photo) => extracted.photo = photo,
        Err(reason) => extracted.photo_omitted = Some(reason),
    }
    Ok(extracted)
}

/// Reads the first portrait out of a `.docx` file, whatever the text says.
pub fn read_photo(
    bytes: &[u8],
    limits: &Limits,
) -> Result<Result<Option<Photo>, PhotoOmitted>, Error> {
    Ok(open(bytes, limits)?.1)
}

type Found = Result<Option<Photo>, PhotoOmitted>;

fn open(bytes: &[u8], limits: &Limits) -> Result<(Document, Found), Error> {
    if bytes.len() as u64 > limits.file_bytes {
        return Err(Error::TooLarge {
            what: What::File,
            limit: limits.file_bytes,
        });
    }
    if bytes.starts_with(COMPOUND_FILE) {
        return Err(compound_file(bytes));
    }
    if !bytes.starts_with(b"PK") {
        return Err(Error::NotADocx);
    }
    let mut package = Package::open(bytes, limits)?;
    let main = package
        .relationships("")?
        .into_iter()
        .find(|r| r.kind == "officeDocument" && !r.external)
        .map_or_else(|| "word/document.xml".to_owned(), |r| r.target);
    let bytes = package.xml(&main)?.ok_or(Error::NotADocx)?;
    let relationships = package.relationships(&main)?;
    let styles = match part(&mut package, &relationships, "styles")? {
        Some(bytes) => Styles::read(&bytes, limits)?,
        None => Styles::default(),
    };
    let numbering = match part(&mut package, &relationships, "numbering")? {
        Some(bytes) => Numbering::read(&bytes, limits)?,
        None => Numbering::default(),
    };
    let mut shared = Shared {
        styles: &styles,
        numbering: &numbering,
        limits,
        chars: 0,
        paragraphs: 0,
    };
    let links = links(&relationships);
    let mut body = Body::new(&mut shared, &bytes, &links);
    let (blocks, is_document) = body.read()?;
    if !is_document {
        return Err(Error::NotADocx);
    }
    let (pictures, order) = (body.pictures, body.section_parts);
    let mut document = Document {
        body: blocks,
        ..Document::default()
    };
    let mut drawn: Vec<(Vec<Relationship>, Vec<Picture>)> = Vec::new();
    let mut later = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    for id in &order {
        let Some(found) = relationships.iter().find(|r| &r.id == id && !r.external) else {
            continue;
        };
        if seen.contains(&found.target.as_str()) {
            continue;
        }
        seen.push(&found.target);
        let Some(bytes) = package.xml(&found.target)? else {
            continue;
        };
        let own = package.relationships(&found.target)?;
        let own_links = self::links(&own);
        let mut part = Body::new(&mut shared, &bytes, &own_links);
        let (mut blocks, _) = part.read()?;
        let pictures = part.pictures;
        if found.kind == "header" {
            document.headers.append(&mut blocks);
            drawn.push((own, pictures));
        } else {
            document.footers.append(&mut blocks);
            later.push((own, pictures));
        }
    }
    for kind in ["footnotes", "endnotes"] {
        let found = relationships.iter().find(|r| r.kind == kind && !r.external);
        let Some(found) = found else { continue };
        if let Some(bytes) = package.xml(&found.target)? {
            let own = package.relationships(&found.target)?;
            let own_links = self::links(&own);
            let mut part = Body::new(&mut shared, &bytes, &own_links);
            document.notes.append(&mut part.read()?.0);
        }
    }
    drawn.insert(0, (relationships, pictures));
    drawn.append(&mut later);
    let photo = photo(&mut package, &drawn, limits)?;
    Ok((document, photo))
}

fn links(relationships: &[Relationship]) -> HashMap<String, String> {
    let links = relationships.iter().filter(|r| r.kind == "hyperlink");
    links.map(|r| (r.id.clone(), r.target.clone())).collect()
}

fn part(
    package: &mut Package<'_>,
    relationships: &[Relationship],
    kind: &str,
) -> Result<Option<Vec<u8>>, Error> {
    match relationships.iter().find(|r| r.kind == kind && !r.external) {
        Some(found) => package.xml(&found.target),
        None => Ok(None),
    }
}

fn photo(
    package: &mut Package<'_>,
    drawn: &[(Vec<Relationship>, Vec<Picture>)],
    limits: &Limits,
) -> Result<Found, Error> {
    let mut omitted = None;
    for (relationships, pictures) in drawn {
        for picture in pictures {
            let target = relationships
                .iter()
                .find(|r| Some(&r.id) == picture.embed.as_ref());
            let reason = match target {
                _ if picture.is_external() => PhotoOmitted::External,
                Some(target) if target.external => PhotoOmitted::External,
                _ if !picture.is_portrait() => PhotoOmitted::NotAPortrait,
                None => continue,
                Some(target) => match package.picture(&target.target)? {
                    None => PhotoOmitted::TooManyBytes,
                    Some(data) => match picture::take(data, limits) {
                        Ok(photo) => return Ok(Ok(Some(photo))),
                        Err(reason) => reason,
                    },
                },
            };
            omitted.get_or_insert(reason);
        }
    }
    Ok(omitted.map_or(Ok(None), Err))
}

/// What a compound file holds is said by the names in its directory, which are UTF-16.
fn compound_file(bytes: &[u8]) -> Error {
    let holds = |name: &str| {
        let wide: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        bytes.windows(wide.len()).any(|window| window == wide)
    };
    if holds("EncryptedPackage") || holds("EncryptionInfo") {
        Error::Encrypted
    } else if holds("WordDocument") {
        Error::LegacyDoc
    } else {
        Error::NotADocx
    }
}
