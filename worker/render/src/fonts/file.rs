//! Font files that a caller adds at run time: TrueType, OpenType with either kind of outlines, collections.

use std::fmt;
use std::sync::Arc;

use harfrust::font::attribute::Style;
use harfrust::{Font, Tag};
use read_fonts::TableProvider;
use read_fonts::types::NameId;

use super::{Blob, Face, FaceId, Fonts};
use crate::error::Error;

/// Files in one engine.
const MAX_FILES: usize = 512;
/// Bytes of one file; the largest CJK collections have 120 MB.
const MAX_FILE: usize = 160 << 20;
/// Bytes of all files together.
const MAX_TOTAL: usize = 512 << 20;
/// Fonts in one collection.
const MAX_COLLECTION: u32 = 64;
/// Faces of all files together.
const MAX_FACES: usize = 2048;
/// Characters of a family's name that are kept.
const MAX_NAME: usize = 100;

/// Why a font file cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FontFault {
    /// Neither TrueType nor OpenType nor a collection of such.
    NotAFont,
    /// A web font: compressed in a way that PDF has no use for.
    WebFont,
    /// Its tables cannot be read.
    Broken,
    /// Pictures instead of outlines.
    NoOutlines,
    /// Its licence bits forbid embedding (OpenType, `OS/2.fsType`).
    NoEmbedding,
    /// More than 160 MB, more than 64 fonts in a collection, or over the limit of all files together: 512
    /// files, 512 MB, 2048 fonts.
    TooLarge,
}

impl fmt::Display for FontFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAFont => "it is no TrueType or OpenType font; use .ttf, .otf, .ttc or .otc files",
            Self::WebFont => "it is a web font; convert it to .ttf or .otf",
            Self::Broken => "it is damaged",
            Self::NoOutlines => "it has pictures instead of outlines; use an outline font",
            Self::NoEmbedding => "its licence bits forbid embedding",
            Self::TooLarge => {
                "it is too large, or there are too many: at most 512 files and 512 MB in all, 160 MB in one"
            }
        })
    }
}

/// One style of a family, on the way to its place.
struct Variant {
    family: String,
    face: FaceId,
    weight: f32,
    italic: bool,
}

pub(super) fn load(
    fonts: &mut Fonts,
    files: impl IntoIterator<Item = (String, Vec<u8>)>,
) -> Result<(), Error> {
    let mut styles: Vec<Variant> = Vec::new();
    let mut bytes = 0;
    for (count, (name, data)) in files.into_iter().enumerate() {
        bytes += data.len();
        let too_large = count >= MAX_FILES || data.len() > MAX_FILE || bytes > MAX_TOTAL;
        let loaded = if too_large {
            Err(FontFault::TooLarge)
        } else {
            load_file(fonts, data, &mut styles)
        };
        loaded.map_err(|fault| Error::FontFile { name, fault })?;
    }
    // Families in the order of their first files.
    while let Some(first) = styles.first() {
        let name = first.family.clone();
        let own: Vec<Variant> = styles
            .extract_if(.., |style| style.family == name)
            .collect();
        let styles = [(false, false), (true, false), (false, true), (true, true)]
            .map(|(bold, italic)| nearest(&own, bold, italic));
        fonts.add_family(name, styles);
    }
    Ok(())
}

fn load_file(fonts: &mut Fonts, data: Vec<u8>, styles: &mut Vec<Variant>) -> Result<(), FontFault> {
    let count = fonts_in(&data)?;
    let blob: Blob = Arc::new(data);
    for index in 0..count {
        let font = Font::new(blob.clone(), index).ok_or(FontFault::Broken)?;
        check(&font)?;
        let family = family_name(&font).ok_or(FontFault::Broken)?;
        let attributes = font.default_attributes();
        let italic = attributes.style != Style::Normal;
        let axis = font.axes().get_by_tag(Tag::new(b"wght"));
        let weights = match axis {
            Some(axis) => [400.0, 700.0]
                .map(|weight: f32| Some(weight.clamp(axis.min_value(), axis.max_value())))
                .to_vec(),
            None => vec![None],
        };
        for weight in weights {
            if fonts.faces() >= MAX_FACES {
                return Err(FontFault::TooLarge);
            }
            let face = Face::parse(&blob, index, weight).ok_or(FontFault::Broken)?;
            styles.push(Variant {
                family: family.clone(),
                face: fonts.add_face(face),
                weight: weight.unwrap_or_else(|| attributes.weight.value()),
                italic,
            });
        }
    }
    Ok(())
}

/// How many fonts a file holds, by its first bytes (OpenType, "Organization of an OpenType font").
fn fonts_in(data: &[u8]) -> Result<u32, FontFault> {
    match data.get(..4) {
        Some([0, 1, 0, 0] | b"OTTO" | b"true") => Ok(1),
        Some(b"ttcf") => {
            let count = data.get(8..12).ok_or(FontFault::Broken)?;
            let count = count
                .iter()
                .fold(0_u32, |sum, &byte| sum << 8 | u32::from(byte));
            match count {
                0 => Err(FontFault::Broken),
                1..=MAX_COLLECTION => Ok(count),
                _ => Err(FontFault::TooLarge),
            }
        }
        Some(b"wOFF" | b"wOF2") => Err(FontFault::WebFont),
        _ => Err(FontFault::NotAFont),
    }
}

fn check(font: &Font) -> Result<(), FontFault> {
    let tables = font.tables();
    if !font.charmap().has_unicode() || font.num_glyphs() == 0 || font.num_glyphs() > 65_536 {
        return Err(FontFault::Broken);
    }
    if tables.glyf().is_err() && tables.cff().is_err() && tables.cff2().is_err() {
        return Err(FontFault::NoOutlines);
    }
    // Usage permissions are bits 0 to 3; bit 1 alone forbids embedding, bit 9 all but bitmaps.
    let kind = tables.os2().map_or(0, |os2| os2.fs_type());
    if kind & 0xF == 2 || kind & 0x200 != 0 {
        return Err(FontFault::NoEmbedding);
    }
    Ok(())
}

/// The name that unites the styles of a family: the typographic one, else the plain one.
fn family_name(font: &Font) -> Option<String> {
    let names = font.names();
    let name = [NameId::TYPOGRAPHIC_FAMILY_NAME, NameId::FAMILY_NAME]
        .into_iter()
        .find_map(|id| names.get(id)?.english_or_first())?;
    let name: String = name.name().chars().take(MAX_NAME).collect();
    let name = name.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

/// The style that comes closest. A wrong slant is better than a wrong weight.
fn nearest(styles: &[Variant], bold: bool, italic: bool) -> FaceId {
    let distance = |style: &&Variant| {
        let slant = if style.italic == italic { 0.0 } else { 99.0 };
        (style.weight - if bold { 700.0 } else { 400.0 }).abs() + slant
    };
    let best = styles
        .iter()
        .min_by(|a, b| distance(a).total_cmp(&distance(b)));
    best.expect("a family has at least one style").face
}

#[cfg(test)]
mod tests {
    use super::*;

    const SANS: &[u8] = include_bytes!("../../fonts/NotoSansHebrew-Regular.ttf");

    fn fault(data: &[u8]) -> Option<FontFault> {
        match Fonts::with_files([("x.ttf".to_owned(), data.to_vec())]) {
            Ok(_) => None,
            Err(Error::FontFile { name, fault }) => {
                assert_eq!(name, "x.ttf");
                Some(fault)
            }
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn bad_files_are_told_apart() {
        assert_eq!(fault(SANS), None);
        assert_eq!(fault(b""), Some(FontFault::NotAFont));
        assert_eq!(fault(b"%!PS-AdobeFont"), Some(FontFault::NotAFont));
        assert_eq!(fault(b"wOF2    "), Some(FontFault::WebFont));
        assert_eq!(fault(&SANS[..200]), Some(FontFault::Broken));
        assert_eq!(fault(b"ttcf\0\x01\0\0\0\0\0\0"), Some(FontFault::Broken));
        assert_eq!(
            fault(b"ttcf\0\x01\0\0\x7F\0\0\0"),
            Some(FontFault::TooLarge)
        );
    }

    #[test]
    fn damaged_files_do_no_harm() {
        for at in (0..SANS.len()).step_by(97) {
            let mut data = SANS.to_vec();
            data[at] ^= 0xA5;
            let _ = fault(&data);
        }
    }

    #[test]
    fn restricted_fonts_are_refused() {
        let mut data = SANS.to_vec();
        let os2 = data.windows(4).position(|tag| tag == b"OS/2").unwrap();
        let offset = u32::from_be_bytes(data[os2 + 8..os2 + 12].try_into().unwrap()) as usize;
        data[offset + 9] = 2;
        assert_eq!(fault(&data), Some(FontFault::NoEmbedding));
    }

    #[test]
    fn styles_of_one_family_find_together() {
        let bold = include_bytes!("../../fonts/NotoSansHebrew-Bold.ttf");
        let files = [
            ("a".to_owned(), SANS.to_vec()),
            ("b".to_owned(), bold.to_vec()),
        ];
        let fonts = Fonts::with_files(files).unwrap();
        let added = fonts.families.last().unwrap();
        assert_eq!(added.name, "Noto Sans Hebrew");
        let [regular, bold, italic, bold_italic] = added.styles;
        assert!(regular != bold && italic == regular && bold_italic == bold);
    }
}
