//! The fonts in the program itself. What they hold and where they come from: `fonts/README.md`.

use std::sync::Arc;

use super::{Blob, Face, Fonts};
use crate::error::Error;

/// A file's name, for errors, and its bytes.
type Embedded = (&'static str, &'static [u8]);

macro_rules! embedded {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_bytes!(concat!("../../fonts/", $name, ".ttf")).as_slice())),*]
    };
}

/// Families with the files of their styles: regular, bold, italic, bold italic, as far as there are such. In
/// the order in which they stand in for each other.
static FAMILIES: [(&str, &[Embedded]); 8] = [
    (
        "Noto Sans",
        embedded![
            "NotoSans-Regular",
            "NotoSans-Bold",
            "NotoSans-Italic",
            "NotoSans-BoldItalic"
        ],
    ),
    (
        "Noto Serif",
        embedded![
            "NotoSerif-Regular",
            "NotoSerif-Bold",
            "NotoSerif-Italic",
            "NotoSerif-BoldItalic"
        ],
    ),
    (
        "Noto Sans Arabic",
        embedded!["NotoSansArabic-Regular", "NotoSansArabic-Bold"],
    ),
    (
        "Noto Sans Hebrew",
        embedded!["NotoSansHebrew-Regular", "NotoSansHebrew-Bold"],
    ),
    ("Noto Sans Math", embedded!["NotoSansMath-Regular"]),
    ("Noto Sans Symbols2", embedded!["NotoSansSymbols2-Regular"]),
    ("Noto Sans Symbols", embedded!["NotoSansSymbols-Regular"]),
    ("Noto Emoji", embedded!["NotoEmoji-Regular"]),
];

pub(super) fn load(fonts: &mut Fonts) -> Result<(), Error> {
    for &(family, files) in &FAMILIES {
        let mut ids = Vec::with_capacity(files.len());
        for &(name, data) in files {
            let blob: Blob = Arc::new(data);
            let face = Face::parse(&blob, 0, None).ok_or(Error::Font(name))?;
            ids.push(fonts.add_face(face));
        }
        let styles = match ids[..] {
            [regular, bold, italic, bold_italic] => [regular, bold, italic, bold_italic],
            [regular, bold] => [regular, bold, regular, bold],
            _ => [ids[0]; 4],
        };
        fonts.add_family(family.to_owned(), styles);
    }
    Ok(())
}
