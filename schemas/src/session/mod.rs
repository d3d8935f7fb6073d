//! An editing session: what it holds, and everything about it that needs no I/O.
//!
//! A session is a CV that is not finished yet, with what was read from an uploaded document, what
//! its owner has confirmed, and what was done to it. Edits ([`Session::apply`]), readiness, search,
//! context packs and the intents of a chat message are pure functions here; `storage::sessions`
//! keeps sessions, and the shim's `/api` routes speak of them.

mod edits;
mod id;
mod intent;
mod pack;
mod readiness;
mod search;
mod summary;
pub mod tools;
mod view;
pub mod wire;

use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cv::Cv;

pub use edits::{Applied, Change, Edit, EditError, PhotoChange};
pub use id::{InvalidSessionId, SessionId};
pub use intent::{Intent, intent};
pub use pack::{PackOptions, Phase, pack, section_value};
pub use readiness::{Readiness, readiness};
pub use search::{Hit, Hits, MAX_HITS, search};
pub use summary::{ContentSignature, CvSummary, content_signature, cv_summary};
pub use view::{NewSession, SessionPatch, SessionView};

/// The version of [`Session`]. A program leaves sessions of a later version alone.
pub const SCHEMA: u32 = 1;

/// Entries that the history keeps; older ones are dropped.
pub const MAX_HISTORY: usize = 50;

/// What a session holds. Without the photo, which is stored apart.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// See [`SCHEMA`].
    pub schema: u32,
    /// The CV as far as it is; `photo_url` is never set.
    pub cv: Cv,
    /// What was read from an uploaded document, until its owner confirms it; without photo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefill: Option<Box<Cv>>,
    /// Texts of the document that fit no field, in its order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unplaced: Vec<String>,
    /// The photo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub photo: Option<StoredPhoto>,
    /// Why there is no photo, where one was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub photo_omitted_reason: Option<String>,
    /// The language that documents are made in, as a tag; by default the CV's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The job posting as plain text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_posting_text: Option<String>,
    /// Where the posting stands on the web. Kept, never fetched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_posting_url: Option<String>,
    /// What the owner has confirmed.
    #[serde(default)]
    pub confirmed: Confirmed,
    /// What was done, the oldest first; at most [`MAX_HISTORY`] entries.
    #[serde(default)]
    pub history: Vec<HistoryEntry>,
}

/// The photo of a session, as far as it is known without reading it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredPhoto {
    /// The blob of container `cv-photos`.
    pub blob: String,
    /// `image/jpeg` or `image/png`.
    pub content_type: String,
    /// Bytes of the file.
    pub size_bytes: u64,
}

/// What the owner has confirmed of what was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Confirmed {
    /// Name and contact details are right.
    pub contact_confirmed: bool,
    /// The schools and degrees are right.
    pub education_confirmed: bool,
    /// When the last of these was set.
    pub confirmed_at: Option<Timestamp>,
}

/// One thing that was done to a session. Holds names of fields, never their text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HistoryEntry {
    /// When.
    pub at: Timestamp,
    /// What: `created`, `updated`, `confirmed` or `generated`.
    pub action: String,
    /// The fields that were changed, at most 10.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<String>,
}

impl Session {
    /// An empty session.
    pub fn new() -> Self {
        Self {
            schema: SCHEMA,
            ..Self::default()
        }
    }

    /// Adds to the history, and drops its oldest entries beyond [`MAX_HISTORY`].
    pub fn note(&mut self, at: Timestamp, action: &str, fields: &[String]) {
        self.history.push(HistoryEntry {
            at,
            action: action.to_owned(),
            fields: fields.iter().take(10).cloned().collect(),
        });
        let over = self.history.len().saturating_sub(MAX_HISTORY);
        self.history.drain(..over);
    }

    /// The CV as it would be once what was read is confirmed: empty fields filled from it.
    pub fn effective(&self) -> Cv {
        let mut cv = self.cv.clone();
        if let Some(prefill) = &self.prefill {
            edits::fill(&mut cv, prefill);
        }
        cv
    }

    /// Sets what is confirmed at `at`, and fills the empty fields of the CV with what was read. A
    /// flag that is not given stays.
    pub fn confirm(&mut self, contact: Option<bool>, education: Option<bool>, at: Timestamp) {
        let flags = &mut self.confirmed;
        flags.contact_confirmed = contact.unwrap_or(flags.contact_confirmed);
        flags.education_confirmed = education.unwrap_or(flags.education_confirmed);
        if contact == Some(true) || education == Some(true) {
            flags.confirmed_at = Some(at);
            if let Some(prefill) = self.prefill.take() {
                edits::fill(&mut self.cv, &prefill);
            }
        }
        self.note(at, "confirmed", &[]);
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("cv", &self.cv)
            .field("prefill", &self.prefill)
            .field("confirmed", &self.confirmed)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_history_is_bounded_and_keeps_the_newest() {
        let mut session = Session::new();
        for number in 0..60 {
            session.note(
                Timestamp::UNIX_EPOCH,
                &format!("a{number}"),
                &vec![String::new(); 12],
            );
        }
        assert_eq!(session.history.len(), MAX_HISTORY);
        assert_eq!(session.history[0].action, "a10");
        assert_eq!(session.history[0].fields.len(), 10);
    }

    #[test]
    fn confirming_fills_empty_fields_only_and_once() {
        let mut session = Session::new();
        session.cv.full_name = "Ida Morrow".to_owned();
        session.prefill = Some(Box::new(Cv {
            full_name: "I. Morrow".to_owned(),
            email: "ida@example.com".to_owned(),
            ..Cv::default()
        }));
        assert_eq!(session.effective().email, "ida@example.com");
        session.confirm(Some(false), None, Timestamp::UNIX_EPOCH);
        assert!(session.prefill.is_some());
        session.confirm(None, Some(true), Timestamp::UNIX_EPOCH);
        assert_eq!(session.cv.full_name, "Ida Morrow");
        assert_eq!(session.cv.email, "ida@example.com");
        assert_eq!(session.prefill, None);
        assert!(!session.confirmed.contact_confirmed);
        assert!(session.confirmed.education_confirmed);
        assert!(session.confirmed.confirmed_at.is_some());
    }

    #[test]
    fn debug_shows_no_text() {
        let mut session = Session::new();
        session.cv.full_name = "Ida Morrow".to_owned();
        session.job_posting_text = Some("Secret".to_owned());
        let shown = format!("{session:?}");
        assert!(
            !shown.contains("Ida") && !shown.contains("Secret"),
            "{shown}"
        );
    }
}
