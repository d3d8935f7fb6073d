//! The row of a session.

use jiff::Timestamp;
use schemas::session::{SCHEMA, Session, SessionId};
use serde::{Deserialize, Serialize};

use super::Opened;
use crate::port::ETag;

/// Bytes of content that stand in the row; more goes to a blob.
pub(super) const INLINE: usize = 48 << 10;

/// Bytes of one column: a column holds 32 Ki UTF-16 units, and no text has more units than bytes.
const COLUMN: usize = 24 << 10;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct SessionRow {
    pub schema: u32,
    pub version: u64,
    /// Drawn for each write: tells whose it is when the acknowledgement is lost.
    pub writer: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub expires_at: Timestamp,
    /// The row that leads the sweep here.
    pub expiry_row: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub content: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub content_more: String,
    /// Where the content is, if not here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blob: Option<String>,
}

impl SessionRow {
    /// The row of a session, without its content.
    pub(super) fn of(opened: &Opened) -> Self {
        Self {
            schema: SCHEMA,
            version: opened.version,
            writer: opened.writer.clone(),
            created_at: opened.created_at,
            updated_at: opened.updated_at,
            expires_at: opened.expires_at,
            expiry_row: opened.expiry_row.clone(),
            content: String::new(),
            content_more: String::new(),
            blob: None,
        }
    }

    /// Takes the content if it is small enough.
    pub(super) fn take_inline(&mut self, content: &str) -> bool {
        let fits = content.len() <= INLINE;
        if fits {
            let mut cut = COLUMN.min(content.len());
            while !content.is_char_boundary(cut) {
                cut -= 1;
            }
            let (first, more) = content.split_at(cut);
            (self.content, self.content_more) = (first.to_owned(), more.to_owned());
        }
        fits
    }

    pub(super) fn inline(&self) -> String {
        format!("{}{}", self.content, self.content_more)
    }

    pub(super) fn opened(self, id: SessionId, session: Session, etag: ETag) -> Opened {
        Opened {
            id,
            session,
            version: self.version,
            created_at: self.created_at,
            updated_at: self.updated_at,
            expires_at: self.expires_at,
            etag,
            blob: self.blob,
            expiry_row: self.expiry_row,
            writer: self.writer,
        }
    }
}
