//! The photo as it travels: a data URI (RFC 2397) that holds a JPEG or PNG file.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::limits;

/// A picture file, recognised by its first bytes; the pixels were not read.
#[derive(Clone, PartialEq, Eq)]
pub struct Photo {
    /// The format that the bytes have, whatever the URI says.
    pub format: PhotoFormat,
    /// The file.
    pub bytes: Vec<u8>,
}

/// The formats that can be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhotoFormat {
    /// JFIF or Exif.
    Jpeg,
    /// Portable Network Graphics.
    Png,
}

/// Why a `photo_url` cannot be used, and what to send in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PhotoError {
    /// `http`, `https` and the like.
    #[error(
        "photo_url is a web address, which is never fetched; send the picture itself as data:image/jpeg;base64,..."
    )]
    WebAddress,
    /// Anything else that does not start as it should.
    #[error(
        "photo_url is not a data URI of a JPEG or PNG picture; send data:image/jpeg;base64,... or data:image/png;base64,..."
    )]
    NotADataUri,
    /// The part after the comma.
    #[error("photo_url holds no valid base64 after the comma; encode the picture file again")]
    NotBase64,
    /// Over [`MAX_BYTES`].
    #[error(
        "photo_url holds a picture of {bytes} bytes, at most {limit} are taken; scale the picture down",
        limit = MAX_BYTES
    )]
    TooLarge {
        /// Bytes of the picture file.
        bytes: usize,
    },
    /// The bytes are of another format, or of none.
    #[error(
        "photo_url holds data that is neither JPEG nor PNG; convert the picture to one of these"
    )]
    NotAPicture,
}

/// Bytes of a picture file at most.
pub const MAX_BYTES: usize = limits::PHOTO_BYTES;

/// Encoders leave the padding out as often as not.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Reads the picture file out of a `photo_url`.
pub fn decode(uri: &str) -> Result<Photo, PhotoError> {
    let data = payload(uri)?;
    let bytes = data.trim_end_matches('=').len() * 3 / 4;
    if bytes > MAX_BYTES {
        return Err(PhotoError::TooLarge { bytes });
    }
    let bytes = BASE64.decode(data).map_err(|_| PhotoError::NotBase64)?;
    let format = if bytes.starts_with(&[0xff, 0xd8, 0xff]) {
        PhotoFormat::Jpeg
    } else if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        PhotoFormat::Png
    } else {
        return Err(PhotoError::NotAPicture);
    };
    Ok(Photo { format, bytes })
}

fn payload(uri: &str) -> Result<&str, PhotoError> {
    let starts = |prefix: &str| {
        uri.get(..prefix.len())
            .is_some_and(|s| s.eq_ignore_ascii_case(prefix))
    };
    if let Some(prefix) = HEADS.iter().find(|(head, _)| starts(head)) {
        return Ok(&uri[prefix.0.len()..]);
    }
    let scheme = uri.split(':').next().unwrap_or_default();
    let is_web = uri.starts_with("//")
        || ["http", "https", "ftp", "blob", "file"]
            .iter()
            .any(|s| scheme.eq_ignore_ascii_case(s));
    Err(if is_web {
        PhotoError::WebAddress
    } else {
        PhotoError::NotADataUri
    })
}

/// Heads that are taken, and how they are written canonically. `image/jpg` is not a registered
/// media type, and common.
const HEADS: [(&str, &str); 3] = [
    ("data:image/jpeg;base64,", "data:image/jpeg;base64,"),
    ("data:image/jpg;base64,", "data:image/jpeg;base64,"),
    ("data:image/png;base64,", "data:image/png;base64,"),
];

/// The URI without white space (encoders break lines) and with its head written canonically.
pub(super) fn tidy(uri: &str) -> String {
    let uri: String = uri.chars().filter(|c| !c.is_whitespace()).collect();
    for (head, canonical) in HEADS {
        if uri
            .get(..head.len())
            .is_some_and(|s| s.eq_ignore_ascii_case(head))
        {
            return format!("{canonical}{}", &uri[head.len()..]);
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    const JPEG: &str = "/9j/4AAQSkZJRg==";
    const PNG: &str = "iVBORw0KGgo";

    #[test]
    fn pictures_are_recognised_and_the_rest_is_refused_with_its_reason() {
        let check = |uri: &str, want: Result<PhotoFormat, PhotoError>| {
            let got = decode(&tidy(uri)).map(|photo| photo.format);
            assert_eq!(got, want, "{}", &uri[..uri.len().min(60)]);
        };
        check(
            &format!("data:image/jpeg;base64,{JPEG}"),
            Ok(PhotoFormat::Jpeg),
        );
        check(
            &format!(" DATA:image/JPG;base64,\r\n{JPEG}\n"),
            Ok(PhotoFormat::Jpeg),
        );
        check(
            &format!("data:image/png;base64,{PNG}"),
            Ok(PhotoFormat::Png),
        );
        // The bytes decide, not what the URI says of them.
        check(
            &format!("data:image/jpeg;base64,{PNG}"),
            Ok(PhotoFormat::Png),
        );
        check("https://example.com/me.jpg", Err(PhotoError::WebAddress));
        check("HTTP://example.com/me.jpg", Err(PhotoError::WebAddress));
        check("//example.com/me.jpg", Err(PhotoError::WebAddress));
        check("file:///etc/passwd", Err(PhotoError::WebAddress));
        check(
            "data:image/gif;base64,R0lGODlh",
            Err(PhotoError::NotADataUri),
        );
        check("data:image/jpeg,abc", Err(PhotoError::NotADataUri));
        check("me.jpg", Err(PhotoError::NotADataUri));
        check("ż", Err(PhotoError::NotADataUri));
        check("data:image/jpeg;base64,", Err(PhotoError::NotAPicture));
        check(
            "data:image/jpeg;base64,R0lGODlh",
            Err(PhotoError::NotAPicture),
        );
        check(
            "data:image/jpeg;base64,/9j/*AAQ",
            Err(PhotoError::NotBase64),
        );
        check(
            "data:image/jpeg;base64,/9j/4AAQSk%5A",
            Err(PhotoError::NotBase64),
        );
        let huge = format!(
            "data:image/jpeg;base64,{}",
            "A".repeat((MAX_BYTES + 3) / 3 * 4)
        );
        check(
            &huge,
            Err(PhotoError::TooLarge {
                bytes: MAX_BYTES + 1,
            }),
        );
    }

    #[test]
    fn the_limit_itself_is_taken() {
        let mut bytes = vec![0; MAX_BYTES];
        bytes[..3].copy_from_slice(&[0xff, 0xd8, 0xff]);
        let uri = format!("data:image/jpeg;base64,{}", BASE64.encode(&bytes));
        assert_eq!(decode(&uri).map(|photo| photo.bytes.len()), Ok(MAX_BYTES));
    }
}
