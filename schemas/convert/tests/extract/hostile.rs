//! Files made to break a reader: each ends soon, with the answer that it should have.

use std::time::{Duration, Instant};

use convert::{Error, Limits, PhotoOmitted, What, docx};
use proptest::prelude::*;

use crate::{data, documents};

#[allow(clippy::disallowed_methods, reason = "the test measures time")]
fn timed(name: &str) -> Result<convert::Extracted, Error> {
    let bytes = std::fs::read(data("hostile").join(name)).unwrap();
    let start = Instant::now();
    let result = docx::read(&bytes, &Limits::default());
    assert!(start.elapsed() < Duration::from_secs(10), "{name}");
    result
}

#[test]
fn hostile_files_are_refused_with_their_reason() {
    let check = |name: &str, want: Error| assert_eq!(timed(name).unwrap_err(), want, "{name}");
    check(
        "zip_bomb_overlap.docx",
        Error::Unsafe("entries of the archive overlap"),
    );
    check("xml_entity_expansion.docx", Error::Dtd);
    check(
        "path_traversal.docx",
        Error::Unsafe("an entry's name leads out of the package"),
    );
    check(
        "truncated.docx",
        Error::Damaged("it is no complete ZIP archive"),
    );
    check("encrypted_office.docx", Error::Encrypted);
    check(
        "huge_paragraph.docx",
        Error::TooLarge {
            what: What::Text,
            limit: Limits::default().text_chars,
        },
    );
}

#[test]
fn pictures_that_cannot_be_taken_leave_the_text_as_it_is() {
    let check = |name: &str, want: PhotoOmitted| {
        let extracted = timed(name).unwrap();
        assert_eq!(extracted.cv.full_name, "Hannelore Probst", "{name}");
        assert_eq!(extracted.photo, None, "{name}");
        assert_eq!(extracted.photo_omitted, Some(want), "{name}");
    };
    check("image_60000x60000.docx", PhotoOmitted::TooManyPixels);
    check("external_image.docx", PhotoOmitted::External);
}

#[test]
fn other_files_are_named() {
    let check = |bytes: &[u8], want: Error| {
        assert_eq!(docx::read(bytes, &Limits::default()).unwrap_err(), want);
    };
    check(b"", Error::NotADocx);
    check(b"%PDF-1.7", Error::NotADocx);
    check(
        b"PK\x03\x04junk",
        Error::Damaged("it is no complete ZIP archive"),
    );
    let mut legacy = vec![0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];
    check(&legacy.clone(), Error::NotADocx);
    legacy.extend("WordDocument".encode_utf16().flat_map(u16::to_le_bytes));
    check(&legacy, Error::LegacyDoc);
    let large = vec![b' '; Limits::default().file_bytes as usize + 1];
    check(
        &large,
        Error::TooLarge {
            what: What::File,
            limit: Limits::default().file_bytes,
        },
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn mutated_documents_never_panic(
        file in 0usize..12,
        cut in any::<prop::sample::Index>(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
        truncate in any::<bool>(),
    ) {
        let mut bytes = std::fs::read(&documents("corpus")[file]).unwrap();
        for (at, value) in edits {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if truncate {
            bytes.truncate(cut.index(bytes.len()));
        }
        let _ = docx::read(&bytes, &Limits::default());
    }

    #[test]
    fn any_text_is_read_or_refused(text in "(\\PC|\n|\t){0,400}") {
        let _ = convert::text::read(&text, &Limits::default());
    }

    #[test]
    fn shuffled_lines_never_panic(order in prop::collection::vec(0usize..LINES.len(), 0..40)) {
        let text: Vec<&str> = order.iter().map(|i| LINES[*i]).collect();
        let _ = convert::text::read(&text.join("\n"), &Limits::default());
    }
}

/// Pieces of CVs, many of them at odd borders of characters.
const LINES: &[&str] = &[
    "Jan Kowalski",
    "",
    "EXPERIENCE",
    "Education:",
    "• Łódź – (",
    ")",
    "2019 –",
    "– 2020",
    "03/2019-present | Żółć, S.A.",
    "tel. +48",
    "@",
    "a@b.c",
    "Languages: English (",
    "●●○",
    "język",
    "Рік 2019 р. –",
    "https://",
    "1.",
    "[2] ",
    "–",
    "2019年4月~",
    "Skills:\tRust, , ,",
    "Title, , Acme",
    "from to until",
    "😀 Anna 😀",
    "Name:",
    "Address: ,",
    "e. V.",
    "É",
    "ul. 5, 00-000",
    "May 3, 2",
];
