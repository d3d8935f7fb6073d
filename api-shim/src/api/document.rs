//! Documents that are uploaded: out of base64, and read on a bounded pool.
//!
//! Reading is computation on foreign bytes. It runs on threads for blocking work, a few at a time;
//! whoever finds all of them taken waits a moment and is then asked to come back. A reading that takes
//! too long is given up by its caller, and keeps its place until it really ends, so that no upload can
//! take more than its share.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use convert::{Error, Limits};
use schemas::cv::Cv;
use schemas::cv::photo::{Photo, PhotoFormat};
use serde_json::json;
use tokio::sync::Semaphore;

use super::ApiError;
use crate::problem::Failure;
use crate::task::computed;

/// Where documents are read. Clones share the places.
#[derive(Clone)]
pub(crate) struct Pool {
    places: Arc<Semaphore>,
    max_bytes: usize,
    /// How long to wait for a place.
    patience: Duration,
}

const PATIENCE: Duration = Duration::from_secs(2);

/// How long one reading may take.
const LONGEST: Duration = Duration::from_secs(5);

/// Encoders leave the padding out as often as not.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What was read out of a document.
pub(crate) struct Document {
    /// The CV, without photo.
    pub(crate) cv: Cv,
    /// The photo.
    pub(crate) photo: Option<Photo>,
    /// Why there is none although the document holds a picture.
    pub(crate) photo_omitted: Option<String>,
    /// Texts that fitted no field.
    pub(crate) unplaced: Vec<String>,
}

/// Why a document was not read.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// Not base64, or larger than is taken. The message says what to send.
    Upload(u16, String),
    /// The reader's reason.
    Document(Error),
    /// All places are taken, and none became free in time.
    Busy(Failure),
    /// It took too long.
    Slow,
}

impl Pool {
    /// As many places as there are processors, one left for everything else where there are several.
    pub(crate) fn new(max_bytes: usize) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            places: Arc::new(Semaphore::new(cores.saturating_sub(1).max(1))),
            max_bytes,
            patience: PATIENCE,
        }
    }

    /// Reads the CV out of a DOCX in base64.
    pub(crate) async fn read(&self, docx_base64: String) -> Result<Document, Refusal> {
        let limits = self.limits();
        self.run(docx_base64, move |bytes| {
            let read = convert::docx::read(bytes, &limits)?;
            let photo = read
                .photo
                .as_ref()
                .map(|photo| photo_of(&photo.mime, &photo.data));
            Ok(Document {
                photo,
                photo_omitted: omitted(read.photo_omitted),
                unplaced: read.unplaced.into_iter().map(|text| text.text).collect(),
                cv: Cv {
                    photo_url: None,
                    ..read.cv
                },
            })
        })
        .await
    }

    /// Takes the photo out of a DOCX in base64; the text does not matter.
    pub(crate) async fn photo(&self, docx_base64: String) -> Result<Option<Photo>, Refusal> {
        let limits = self.limits();
        self.run(docx_base64, move |bytes| {
            let found = convert::docx::read_photo(bytes, &limits)?.ok().flatten();
            Ok(found.map(|photo| photo_of(&photo.mime, &photo.data)))
        })
        .await
    }

    fn limits(&self) -> Limits {
        Limits {
            file_bytes: self.max_bytes as u64,
            ..Limits::default()
        }
    }

    async fn run<T: Send + 'static>(
        &self,
        docx_base64: String,
        read: impl FnOnce(&[u8]) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Refusal> {
        if docx_base64.len() / 4 * 3 > self.max_bytes + 3 + docx_base64.len() / 32 {
            return Err(self.too_large());
        }
        let place = tokio::time::timeout(self.patience, self.places.clone().acquire_owned()).await;
        let Ok(Ok(place)) = place else {
            let busy = "Too many documents are being read at the moment. Send it again later.";
            return Err(Refusal::Busy(Failure::unavailable(busy, PATIENCE)));
        };
        let (too_large, max_bytes) = (self.too_large(), self.max_bytes);
        let work = computed(move || {
            let _place = place;
            let bytes = decode(&docx_base64)?;
            drop(docx_base64);
            if bytes.len() > max_bytes {
                return Err(too_large);
            }
            read(&bytes).map_err(Refusal::Document)
        });
        tokio::time::timeout(LONGEST, work)
            .await
            .unwrap_or(Err(Refusal::Slow))
    }

    fn too_large(&self) -> Refusal {
        let message = format!(
            "the document has more than {} bytes; send a smaller one, with smaller pictures",
            self.max_bytes
        );
        Refusal::Upload(413, message)
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("free", &self.places.available_permits())
            .finish_non_exhaustive()
    }
}

/// Bytes of a base64 text, which may be a data URI and may be broken into lines.
fn decode(text: &str) -> Result<Vec<u8>, Refusal> {
    let data = match text.split_once(";base64,") {
        Some((head, data)) if head.trim_start().starts_with("data:") => data,
        _ => text,
    };
    let refuse = |message: &str| Refusal::Upload(400, message.to_owned());
    let decoded = if data.contains(char::is_whitespace) {
        let plain: String = data.split_whitespace().collect();
        BASE64.decode(plain)
    } else {
        BASE64.decode(data)
    };
    match decoded {
        Ok(bytes) if bytes.is_empty() => Err(refuse("docx_base64 is required")),
        Ok(bytes) => Ok(bytes),
        Err(_) => Err(refuse(
            "docx_base64 is not valid base64; encode the file again",
        )),
    }
}

fn photo_of(mime: &str, data: &[u8]) -> Photo {
    let format = if mime == "image/png" {
        PhotoFormat::Png
    } else {
        PhotoFormat::Jpeg
    };
    Photo {
        format,
        bytes: data.to_vec(),
    }
}

/// The wire's word for the reason.
fn omitted<T: serde::Serialize>(reason: Option<T>) -> Option<String> {
    let word = serde_json::to_value(reason?).ok()?;
    word.as_str().map(str::to_owned)
}

/// A photo as `photo_url` has it.
pub(crate) fn data_uri(photo: &Photo) -> String {
    let content_type = match photo.format {
        PhotoFormat::Jpeg => "image/jpeg",
        PhotoFormat::Png => "image/png",
    };
    uri(content_type, &photo.bytes)
}

/// A stored photo as `photo_url` has it.
pub(crate) fn uri(content_type: &str, bytes: &[u8]) -> String {
    let mut uri = format!("data:{content_type};base64,");
    BASE64.encode_string(bytes, &mut uri);
    uri
}

impl Refusal {
    /// Status, a stable word, and what to change.
    pub(crate) fn told(&self) -> (u16, &'static str, String) {
        match self {
            Self::Upload(status, message) => (*status, "invalid_upload", message.clone()),
            Self::Slow => {
                let message =
                    "the document takes too long to read; save it anew with a word processor";
                (422, "too_slow", message.to_owned())
            }
            Self::Busy(_) => (503, "busy", String::new()),
            Self::Document(error) => {
                let (status, code) = match error {
                    Error::TooLarge { .. } => (413, "too_large"),
                    Error::NotADocx => (400, "not_a_docx"),
                    Error::LegacyDoc => (400, "legacy_doc"),
                    Error::Encrypted => (400, "encrypted"),
                    Error::Damaged(_) => (400, "damaged"),
                    Error::Dtd => (400, "dtd"),
                    Error::Unsafe(_) => (400, "unsafe"),
                    Error::NoCv => (422, "no_cv"),
                };
                (status, code, error.to_string())
            }
        }
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        if let Refusal::Busy(failure) = refusal {
            return failure.into();
        }
        let (status, code, message) = refusal.told();
        Self::new(status, json!({ "error": message, "code": code }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_taken_in_the_forms_that_clients_send() {
        let check = |text: &str, want: Option<&[u8]>| {
            assert_eq!(decode(text).ok().as_deref(), want, "{text}");
        };
        check("UEs=", Some(b"PK"));
        check("UEs", Some(b"PK"));
        check("UE\r\ns=", Some(b"PK"));
        check("data:application/zip;base64,UEs=", Some(b"PK"));
        check("", None);
        check("UE*", None);
    }

    #[tokio::test]
    async fn a_full_pool_asks_to_come_back_and_frees_its_places() {
        let pool = Pool {
            patience: Duration::from_millis(1),
            ..Pool::new(1_000)
        };
        let all = pool.places.available_permits() as u32;
        let taken = pool.places.clone().acquire_many_owned(all).await.unwrap();
        let photo = async |text: &str| pool.photo(text.to_owned()).await.err();
        assert!(matches!(photo("UEs=").await, Some(Refusal::Busy(_))));
        drop(taken);
        assert!(matches!(photo("UEs=").await, Some(Refusal::Document(_))));
        let large = "A".repeat(4_000);
        assert!(matches!(photo(&large).await, Some(Refusal::Upload(413, _))));
    }
}
