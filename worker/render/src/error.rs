//! What can go wrong, and what went not quite as asked.

use std::fmt;

use crate::fonts::FontFault;

/// Why there is no document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// PDF/UA-1 asks for a title.
    #[error("the document has no title")]
    NoTitle,
    /// PDF/UA-1 asks for a language.
    #[error("`{0}` is no language tag (BCP 47) such as `en` or `pt-BR`")]
    Language(String),
    /// More text than can be set in bounded time.
    #[error("the document has {bytes} bytes of text; the limit is {limit}")]
    TooMuchText {
        /// Bytes of UTF-8 in all runs together.
        bytes: usize,
        /// The most that is set.
        limit: usize,
    },
    /// More blocks, list items, rows and runs than can be set in bounded time.
    #[error("the document has more than {limit} blocks, items, rows and runs")]
    TooManyBlocks {
        /// The most that is set.
        limit: usize,
    },
    /// A table that no page can hold side by side.
    #[error("a table has more than {limit} columns")]
    TooManyColumns {
        /// The most that is set.
        limit: usize,
    },
    /// Blocks within blocks within blocks.
    #[error("blocks are nested deeper than {limit} levels")]
    TooDeep {
        /// The deepest that is set.
        limit: usize,
    },
    /// The text is too long for the page size.
    #[error("the document takes more than {limit} pages")]
    TooManyPages {
        /// The most that is made.
        limit: usize,
    },
    /// A theme that is no TOML.
    #[error("the theme cannot be read: {0}")]
    ThemeSyntax(String),
    /// A theme's value that no readable page can be made with.
    #[error("the theme's `{key}`: {fault}")]
    Theme {
        /// The path of the value within the theme.
        key: String,
        /// What is wrong with it, and what would do.
        fault: String,
    },
    /// A page target that makes no sense.
    #[error("a page target of {0}; use 1 to 4, or no target")]
    PageTarget(u8),
    /// An attachment that PDF/A-3 does not allow.
    #[error("attachment {index}: {fault}")]
    Attachment {
        /// Its place in the options, from 0.
        index: usize,
        /// What to change.
        fault: &'static str,
    },
    /// The fonts in this build are broken.
    #[error("the embedded font {0} cannot be read")]
    Font(&'static str),
    /// A font file that the caller added cannot be used.
    #[error("the font file {name}: {fault}")]
    FontFile {
        /// What the caller called the file.
        name: String,
        /// What to change.
        fault: FontFault,
    },
    /// The PDF writer refused the document: a fault of ours.
    #[error("the PDF writer refused the document: {0}")]
    Pdf(String),
}

/// What is not as the caller asked in a document that was made all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// No font has this character; it is drawn as U+FFFD, and the PDF's text still holds it.
    MissingGlyph {
        /// The character.
        char: char,
    },
    /// As many further characters that no font has.
    MoreMissingGlyphs {
        /// How many different ones.
        count: usize,
    },
    /// Characters that cannot be shown were left out: control and bidirectional formatting characters,
    /// noncharacters, combining marks piled on one letter.
    CharactersRemoved {
        /// How many.
        count: usize,
    },
    /// A picture was left out.
    PhotoDropped {
        /// Why.
        reason: PhotoFault,
    },
    /// A link was set as plain text: it is no absolute URI of at most 2,000 characters with a safe scheme.
    LinkDropped,
    /// The text does not fit the page target and stands at its natural size; nothing was cut.
    OverTarget {
        /// Pages made.
        pages: u32,
        /// Pages asked for.
        target: u32,
        /// What is too much even at the theme's tightest, in mm of the column that is too long.
        excess_mm: u32,
        /// About so many characters there.
        excess_characters: u32,
    },
}

/// Why a picture was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PhotoFault {
    /// Neither a JPEG nor a PNG.
    Unsupported,
    /// Its data cannot be decoded.
    Broken,
    /// More pixels or bytes than are decoded.
    TooLarge,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingGlyph { char } => write!(f, "no font has U+{:04X}", u32::from(*char)),
            Self::MoreMissingGlyphs { count } => write!(f, "no font has {count} more characters"),
            Self::CharactersRemoved { count } => {
                write!(f, "{count} characters that cannot be shown were removed")
            }
            Self::PhotoDropped { reason } => write!(f, "the photo was left out: {reason}"),
            Self::LinkDropped => f.write_str("a link that cannot be followed was set as text"),
            Self::OverTarget {
                pages,
                target,
                excess_mm,
                excess_characters,
            } => write!(
                f,
                "the document takes {pages} pages instead of {target}; it is about {excess_characters} \
                 characters ({excess_mm} mm) too long even for the smallest type"
            ),
        }
    }
}

impl fmt::Display for PhotoFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unsupported => "it is neither JPEG nor PNG",
            Self::Broken => "its data is broken",
            Self::TooLarge => "it has too many pixels; use at most 40 megapixels",
        })
    }
}
