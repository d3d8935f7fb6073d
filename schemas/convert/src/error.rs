//! Why a document is not read, by what a caller can do about it.

/// What passed a limit of [`Limits`](crate::Limits).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// The file itself, in bytes.
    File,
    /// The file's parts unpacked, in bytes.
    Unpacked,
    /// How far a part expands, as a ratio.
    Ratio,
    /// Parts in the package.
    Entries,
    /// Nested elements of a part.
    Depth,
    /// Characters of text.
    Text,
    /// Paragraphs.
    Paragraphs,
}

impl What {
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::File => ("the file is too large", "bytes"),
            Self::Unpacked => ("the file is too large once unpacked", "bytes"),
            Self::Ratio => (
                "a part of the file expands too far",
                "times its packed size",
            ),
            Self::Entries => ("the file has too many parts", "parts"),
            Self::Depth => ("the document is nested too deeply", "levels"),
            Self::Text => ("the document has too much text for a CV", "characters"),
            Self::Paragraphs => (
                "the document has too many paragraphs for a CV",
                "paragraphs",
            ),
        }
    }
}

/// Why a document is not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Over one of the limits: send a smaller document.
    #[error("{}: at most {limit} {} are read", .what.words().0, .what.words().1)]
    TooLarge {
        /// What is too large.
        what: What,
        /// The limit, in the unit of `what`.
        limit: u64,
    },
    /// Some other kind of file.
    #[error("this is no Word document (.docx): save the CV as .docx and send that")]
    NotADocx,
    /// The binary format of Word 97 to 2003.
    #[error("this is a legacy .doc file: open it in a word processor and save it as .docx")]
    LegacyDoc,
    /// A password is needed to open it.
    #[error("the document is protected by a password: save it without one and send it again")]
    Encrypted,
    /// A Word document that cannot be unpacked or parsed.
    #[error("the document is damaged: {0}; open it in a word processor, save it and send it again")]
    Damaged(&'static str),
    /// A document type declaration, which no word processor writes.
    #[error("the document holds a DTD, which is not allowed: save it anew with a word processor")]
    Dtd,
    /// A package whose parts share bytes or point outside of it.
    #[error("the package is not safe to unpack: {0}")]
    Unsafe(&'static str),
    /// A sound document that is no CV.
    #[error(
        "no CV was found in the document: it needs a person's name and work experience or education"
    )]
    NoCv,
}
