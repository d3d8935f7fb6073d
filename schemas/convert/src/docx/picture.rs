//! Which of the document's pictures is the portrait, and whether it can be taken.
//!
//! Nothing is decoded: sizes come from the drawing and from the file's own header.

use super::xml::Element;
use crate::Limits;
use crate::extracted::{Photo, PhotoOmitted};

/// English Metric Units in a centimetre (ECMA-376 part 1, 20.1.2.1).
const CM: f64 = 360_000.0;

/// A picture as it is drawn.
#[derive(Debug, Default)]
pub(super) struct Picture {
    /// The relationship of the file in the package.
    pub(super) embed: Option<String>,
    /// The relationship of a file elsewhere.
    link: Option<String>,
    /// Width and height on the page in EMU; 0 if not said.
    width: f64,
    height: f64,
    /// Name and alternative text in lower case.
    words: String,
    pub(super) paragraph: u32,
}

impl Picture {
    pub(super) fn is_found(&self) -> bool {
        self.embed.is_some() || self.link.is_some()
    }

    /// Whether there is only a link to it.
    pub(super) fn is_external(&self) -> bool {
        self.embed.is_none()
    }

    /// Whether it is drawn as portraits are. A portrait is upright or square, and neither a line of
    /// text high nor half a page wide.
    pub(super) fn is_portrait(&self) -> bool {
        let named = [
            "logo",
            "icon",
            "signature",
            "unterschrift",
            "podpis",
            "firma",
            "qr",
        ];
        let words = self.words.split(|c: char| !c.is_alphanumeric());
        let says_otherwise = words.into_iter().any(|word| named.contains(&word));
        if says_otherwise {
            return false;
        }
        if self.width <= 0.0 || self.height <= 0.0 {
            return true;
        }
        let (width, height) = (self.width / CM, self.height / CM);
        let shape = width / height;
        (1.5..=12.0).contains(&width) && (1.5..=14.0).contains(&height) && is_upright(shape)
    }
}

fn is_upright(shape: f64) -> bool {
    (0.5..=1.35).contains(&shape)
}

/// Takes from an element of a drawing what it says of the picture.
pub(super) fn note(picture: &mut Picture, element: &Element<'_>, paragraph: u32) {
    match element.name() {
        b"extent" if picture.width <= 0.0 => {
            let size = |name: &str| element.attr(name).and_then(|v| v.parse().ok());
            picture.width = size("cx").unwrap_or(0.0);
            picture.height = size("cy").unwrap_or(0.0);
        }
        b"docPr" | b"cNvPr" => {
            for name in ["name", "descr", "title"] {
                let words = element.attr(name).unwrap_or_default();
                picture.words.push(' ');
                picture.words.push_str(&words.to_lowercase());
            }
        }
        b"blip" if !picture.is_found() => {
            picture.embed = element.attr("embed").filter(|id| !id.is_empty());
            picture.link = element.attr("link");
            picture.paragraph = paragraph;
        }
        // VML (ECMA-376 part 4, 14.1).
        b"imagedata" if !picture.is_found() => {
            picture.embed = element.attr("id");
            picture.paragraph = paragraph;
        }
        b"shape" | b"rect" if picture.width <= 0.0 => {
            let style = element.attr("style").unwrap_or_default();
            picture.width = length(&style, "width");
            picture.height = length(&style, "height");
        }
        _ => {}
    }
}

/// A length of a VML style in EMU; 0 if there is none.
fn length(style: &str, name: &str) -> f64 {
    let value = style
        .split(';')
        .filter_map(|part| part.split_once(':'))
        .find(|(key, _)| key.trim() == name)
        .map_or("", |(_, value)| value.trim());
    let digits = value.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &value[digits.len()..] {
        "in" => 914_400.0,
        "cm" => CM,
        "mm" => CM / 10.0,
        "px" => 9_525.0,
        _ => 12_700.0,
    };
    digits.parse::<f64>().unwrap_or(0.0) * unit
}

/// Takes a file as the photo, or says why not.
pub(super) fn take(data: Vec<u8>, limits: &Limits) -> Result<Photo, PhotoOmitted> {
    if data.len() as u64 > limits.picture_bytes {
        return Err(PhotoOmitted::TooManyBytes);
    }
    let (mime, size) = if data.starts_with(b"\x89PNG\r\n\x1a\n") {
        ("image/png", png_size(&data))
    } else if data.starts_with(&[0xff, 0xd8, 0xff]) {
        ("image/jpeg", jpeg_size(&data))
    } else {
        return Err(PhotoOmitted::Format);
    };
    let (width, height) = size.ok_or(PhotoOmitted::Format)?;
    if u64::from(width) * u64::from(height) > limits.picture_pixels {
        return Err(PhotoOmitted::TooManyPixels);
    }
    // Cropping on the page can make a landscape picture upright, so the file's shape has more room.
    let shape = f64::from(width) / f64::from(height.max(1));
    if width.min(height) < 48 || !(0.4..=2.0).contains(&shape) {
        return Err(PhotoOmitted::NotAPortrait);
    }
    Ok(Photo {
        mime: mime.to_owned(),
        data,
    })
}

/// Width and height out of the header chunk (PNG, section 11.2.2).
fn png_size(data: &[u8]) -> Option<(u32, u32)> {
    let number = |at: usize| {
        let bytes = data.get(at..at + 4)?;
        Some(u32::from_be_bytes(bytes.try_into().ok()?))
    };
    Some((number(16)?, number(20)?))
}

/// Width and height out of the frame header (ITU-T T.81, B.2.2).
fn jpeg_size(data: &[u8]) -> Option<(u32, u32)> {
    let mut at = 2;
    loop {
        if *data.get(at)? != 0xff {
            return None;
        }
        let marker = *data.get(at + 1)?;
        if matches!(marker, 0xff) {
            at += 1;
            continue;
        }
        if matches!(marker, 0xd0..=0xd8 | 0x01) {
            at += 2;
            continue;
        }
        let length = u16::from_be_bytes([*data.get(at + 2)?, *data.get(at + 3)?]);
        if matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc) {
            let number = |at: usize| {
                let bytes = data.get(at..at + 2)?;
                Some(u32::from(u16::from_be_bytes(bytes.try_into().ok()?)))
            };
            return Some((number(at + 7)?, number(at + 5)?));
        }
        at += 2 + usize::from(length.max(2));
    }
}
