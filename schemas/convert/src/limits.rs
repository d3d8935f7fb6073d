//! How much of a foreign document is read before it is refused.

/// Limits of every reader. Beyond any of them but the picture's the answer is
/// [`Error::TooLarge`](crate::Error::TooLarge); a picture over its limits is left out, with the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the file: 10 MB.
    pub file_bytes: u64,
    /// Bytes of all parts unpacked.
    pub unpacked_bytes: u64,
    /// Bytes of one XML part unpacked.
    pub part_bytes: u64,
    /// How many times its packed size a part over 1 MB may have.
    pub ratio: u64,
    /// Parts of the package.
    pub entries: u64,
    /// Nested elements.
    pub depth: u64,
    /// Characters of text in the document.
    pub text_chars: u64,
    /// Paragraphs, the empty ones included.
    pub paragraphs: u64,
    /// Bytes of the photo's file.
    pub picture_bytes: u64,
    /// Pixels of the photo: width times height.
    pub picture_pixels: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            file_bytes: 10_000_000,
            unpacked_bytes: 100_000_000,
            part_bytes: 24_000_000,
            ratio: 200,
            entries: 2_000,
            depth: 200,
            text_chars: 200_000,
            paragraphs: 8_000,
            picture_bytes: 8 * 1024 * 1024,
            picture_pixels: 40_000_000,
        }
    }
}
