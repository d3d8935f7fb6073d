//! Reads the CV back out of a PDF that Presswork made: the data is attached to it (PDF/A-3,
//! ISO 19005-3, associated files), so nothing has to be guessed from the page.

use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::ZlibDecoder;
use hayro_syntax::object::dict::keys;
use hayro_syntax::object::{Array, Dict, Name, Stream, String as PdfString};
use hayro_syntax::{DecryptionError, LoadPdfError, Pdf};
use schemas::cv::{self, CvError, Normalised};
use serde_json::Value;

use crate::json_resume;

/// The largest PDF that is read, in bytes.
pub const MAX_PDF: usize = 20_000_000;
/// The largest attachment that is read, in bytes after inflating.
const MAX_ATTACHMENT: u64 = 4_000_000;
/// The most that the objects of a file take, in bytes after inflating.
const MAX_OBJECTS: u64 = 16_000_000;
/// The longest part of a stream's dictionary after its type.
const MAX_HEAD: usize = 600;
/// The most attachments that are looked at.
const MAX_ATTACHMENTS: usize = 64;
/// The largest photo that is taken over: what a CV may hold, in bytes.
const MAX_PHOTO: usize = 8 * 1024 * 1024;

/// Why a PDF is not read.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// Over [`MAX_PDF`].
    #[error("the PDF has {0} bytes; at most {MAX_PDF} are read")]
    TooLarge(usize),
    /// Not a PDF, or damaged beyond reading.
    #[error("this is no PDF, or it is damaged")]
    NotAPdf,
    /// It takes a password to open.
    #[error("the PDF is encrypted: save it without a password and try again")]
    Encrypted,
    /// A PDF of another program, which holds no CV as data.
    #[error(
        "the PDF holds no CV as data: only PDFs made by Presswork can be read, not any PDF that shows a CV"
    )]
    NoCv,
    /// The CV in it cannot be read.
    #[error("the CV attached to the PDF is damaged: {0}")]
    Damaged(&'static str),
    /// What is attached is JSON, but no CV.
    #[error("the CV attached to the PDF is not taken")]
    Cv(#[from] CvError),
    /// What is attached is a JSON Resume, but no CV.
    #[error("the JSON Resume attached to the PDF is not taken")]
    JsonResume(#[from] json_resume::Error),
}

/// Reads the attached CV, and the photo from the first page.
///
/// The data comes back as it was attached. The photo was cropped and scaled for the page, so it
/// is the picture that the page shows rather than the file that was sent.
pub fn read(pdf: &[u8]) -> Result<Normalised, Error> {
    if pdf.len() > MAX_PDF {
        return Err(Error::TooLarge(pdf.len()));
    }
    // The library inflates object streams without a limit, so a small file could ask for any amount
    // of memory. Ours are written in one way and hold little; whoever has others has not got them
    // from us.
    if !streams_are_small(pdf) {
        return Err(if pdf.starts_with(b"%PDF-") {
            Error::NoCv
        } else {
            Error::NotAPdf
        });
    }
    let pdf = Pdf::new(pdf.to_vec()).map_err(|error| match error {
        LoadPdfError::Decryption(
            DecryptionError::PasswordProtected | DecryptionError::UnsupportedAlgorithm,
        ) => Error::Encrypted,
        LoadPdfError::Decryption(_) | LoadPdfError::Invalid => Error::NotAPdf,
    })?;
    let mut normalised = match (attachment(&pdf, "cv.json"), attachment(&pdf, "resume.json")) {
        (Some(canonical), _) => cv::normalise(&json(&canonical)?)?,
        (None, Some(resume)) => json_resume::read(&json(&resume)?)?,
        (None, None) => return Err(Error::NoCv),
    };
    if normalised.cv.photo_url.is_none() {
        normalised.cv.photo_url = photo(&pdf);
    }
    Ok(normalised)
}

/// The attached file of a name.
fn attachment<'a>(pdf: &'a Pdf, name: &str) -> Option<Stream<'a>> {
    let catalog: Dict<'_> = pdf.xref().get(pdf.xref().root_id())?;
    let files: Array<'_> = catalog.get(b"AF")?;
    let file = files
        .iter::<Dict<'_>>()
        .take(MAX_ATTACHMENTS)
        .find(|file| {
            let named = file.get::<PdfString<'_>>(b"UF");
            let named = named.or_else(|| file.get::<PdfString<'_>>(keys::F));
            named.is_some_and(|named| decode(named.as_bytes()) == name)
        })?;
    let embedded: Dict<'_> = file.get(b"EF")?;
    embedded.get(keys::F)
}

/// A text string (ISO 32000-2, 7.9.2.2) of ASCII characters; others come out as they may.
fn decode(bytes: &[u8]) -> String {
    match bytes {
        [0xfe, 0xff, utf16 @ ..] => {
            let units = utf16
                .chunks_exact(2)
                .map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
            char::decode_utf16(units)
                .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
                .collect()
        }
        [0xef, 0xbb, 0xbf, utf8 @ ..] => String::from_utf8_lossy(utf8).into_owned(),
        other => String::from_utf8_lossy(other).into_owned(),
    }
}

fn json(stream: &Stream<'_>) -> Result<Value, Error> {
    let raw = stream.raw_data();
    let mut bytes = Vec::new();
    match stream.dict().get::<Name<'_>>(keys::FILTER) {
        None => bytes.extend_from_slice(&raw),
        Some(filter) if filter.as_ref() == b"FlateDecode" => {
            ZlibDecoder::new(&*raw)
                .take(MAX_ATTACHMENT + 1)
                .read_to_end(&mut bytes)
                .map_err(|_| Error::Damaged("it does not inflate"))?;
        }
        Some(_) => {
            return Err(Error::Damaged(
                "it is packed in a way that Presswork never uses",
            ));
        }
    }
    if bytes.len() as u64 > MAX_ATTACHMENT {
        return Err(Error::Damaged("it is larger than any CV"));
    }
    serde_json::from_slice(&bytes).map_err(|_| Error::Damaged("it is not JSON"))
}

/// The first JPEG on the first page as a data URI.
fn photo(pdf: &Pdf) -> Option<String> {
    let page = pdf.pages().first()?;
    let objects = page.raw().get::<Dict<'_>>(keys::RESOURCES)?;
    let objects = objects.get::<Dict<'_>>(keys::XOBJECT)?;
    // Names are sorted as the writer numbered them: the document's first picture comes first.
    let mut names: Vec<_> = objects.keys().map(|name| name.to_vec()).collect();
    names.sort_by_key(|name| (name.len(), name.clone()));
    names
        .iter()
        .filter_map(|name| objects.get::<Stream<'_>>(name))
        .find(|stream| {
            let filter = stream.dict().get::<Name<'_>>(keys::FILTER);
            filter.is_some_and(|filter| filter.as_ref() == b"DCTDecode")
        })
        .map(|stream| stream.raw_data())
        .filter(|jpeg| jpeg.len() <= MAX_PHOTO)
        .map(|jpeg| format!("data:image/jpeg;base64,{}", STANDARD.encode(&*jpeg)))
}

/// Whether all object streams and cross-reference streams (ISO 32000-1, 7.5.7 and 7.5.8) are as we
/// write them, deflated once, and inflate to no more than [`MAX_OBJECTS`] together.
fn streams_are_small(pdf: &[u8]) -> bool {
    let mut left = MAX_OBJECTS;
    for kind in [b"/ObjStm".as_slice(), b"/XRef"] {
        let mut at = 0;
        while let Some(found) = pdf[at..].windows(kind.len()).position(|part| part == kind) {
            at += found + kind.len();
            let head = &pdf[at..pdf.len().min(at + MAX_HEAD)];
            let Some(end) = head.windows(STREAM.len()).position(|part| part == STREAM) else {
                return false;
            };
            if !contains(&head[..end], b"/Filter/FlateDecode") {
                return false;
            }
            let mut inflated = ZlibDecoder::new(&pdf[at + end + STREAM.len()..]).take(left + 1);
            let Ok(size) = std::io::copy(&mut inflated, &mut std::io::sink()) else {
                return false;
            };
            if size > left {
                return false;
            }
            left -= size;
        }
    }
    true
}

/// What ends a stream's dictionary in our files.
const STREAM: &[u8] = b">>\nstream\n";

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack
        .windows(needle.len())
        .any(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    /// A PDF of one page with files attached, written by hand: ours are tested where they are made.
    fn pdf(files: &[(&str, &str, &[u8])]) -> Vec<u8> {
        let mut objects: Vec<Vec<u8>> = vec![
            Vec::new(),
            b"<</Type/Pages/Kids[3 0 R]/Count 1>>".to_vec(),
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Resources<<>>>>".to_vec(),
        ];
        let mut specs = String::new();
        for (name, filter, data) in files {
            let file = objects.len() + 1;
            let head = format!(
                "<</Type/EmbeddedFile{filter}/Length {}>>stream\n",
                data.len()
            );
            objects.push([head.as_bytes(), data, b"\nendstream"].concat());
            write!(specs, "<</Type/Filespec/UF({name})/EF<</F {file} 0 R>>>>").unwrap();
        }
        objects[0] = format!("<</Type/Catalog/Pages 2 0 R/AF[{specs}]>>").into_bytes();
        let mut out = b"%PDF-1.7\n".to_vec();
        let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
        for (i, object) in objects.iter().enumerate() {
            writeln!(table, "{:010} 00000 n ", out.len()).unwrap();
            out.extend(format!("{} 0 obj\n", i + 1).bytes());
            out.extend(object);
            out.extend(b"\nendobj\n");
        }
        let start = out.len();
        let size = objects.len() + 1;
        out.extend(table.bytes());
        out.extend(
            format!("trailer<</Size {size}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n").bytes(),
        );
        out
    }

    fn deflated(data: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        flate2::read::ZlibEncoder::new(data, flate2::Compression::default())
            .read_to_end(&mut out)
            .unwrap();
        out
    }

    #[test]
    fn the_canonical_cv_is_taken_first() {
        let canonical = deflated(br#"{"full_name": "Ida Morrow"}"#);
        let resume = br#"{"basics": {"name": "Jo Penn"}}"#;
        let both = pdf(&[
            ("resume.json", "", resume),
            ("cv.json", "/Filter/FlateDecode", &canonical),
        ]);
        assert_eq!(read(&both).unwrap().cv.full_name, "Ida Morrow");
        let one = pdf(&[("resume.json", "", resume)]);
        assert_eq!(read(&one).unwrap().cv.full_name, "Jo Penn");
    }

    #[test]
    fn names_are_text_strings() {
        assert_eq!(decode(b"cv.json"), "cv.json");
        assert_eq!(decode(b"\xfe\xff\0c\0v"), "cv");
        assert_eq!(decode(b"\xef\xbb\xbfcv"), "cv");
    }

    #[test]
    fn what_is_not_ours_is_named() {
        let check = |bytes: &[u8], want: Error| assert_eq!(read(bytes), Err(want));
        check(b"", Error::NotAPdf);
        check(b"PK\x03\x04", Error::NotAPdf);
        check(&pdf(&[]), Error::NoCv);
        check(&pdf(&[("notes.txt", "", b"x")]), Error::NoCv);
        check(
            &pdf(&[("cv.json", "", b"{")]),
            Error::Damaged("it is not JSON"),
        );
        check(&pdf(&[("cv.json", "", b"{}")]), Error::Cv(CvError::Empty));
        check(
            &pdf(&[("cv.json", "/Filter/FlateDecode", b"junk")]),
            Error::Damaged("it does not inflate"),
        );
        let bomb = deflated(&vec![b' '; 40_000_000]);
        check(
            &pdf(&[("cv.json", "/Filter/FlateDecode", &bomb)]),
            Error::Damaged("it is larger than any CV"),
        );
        let mut streams = pdf(&[]);
        streams.extend(b"<</Type/ObjStm>>");
        check(&streams, Error::NoCv);
        let large = deflated(&vec![b' '; 17_000_000]);
        for filter in [
            "/Filter/FlateDecode",
            "/Filter[/FlateDecode/FlateDecode]",
            "",
        ] {
            let mut streams = pdf(&[("cv.json", "", br#"{"full_name": "Ida Morrow"}"#)]);
            streams.extend(format!("<</Type/ObjStm{filter}>>\nstream\n").bytes());
            streams.extend(&large);
            check(&streams, Error::NoCv);
        }
        check(&vec![0; MAX_PDF + 1], Error::TooLarge(MAX_PDF + 1));
    }

    #[test]
    fn a_damaged_file_is_an_error_and_never_a_panic() {
        let whole = pdf(&[("cv.json", "", br#"{"full_name": "Ida Morrow"}"#)]);
        for cut in 0..whole.len() {
            let _ = read(&whole[..cut]);
            let mut flipped = whole.clone();
            flipped[cut] ^= 0x55;
            let _ = read(&flipped);
        }
    }
}
