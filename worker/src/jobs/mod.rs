//! Job kinds: one file each, dispatched by an exhaustive match. This file is what they share.

mod cv;

use std::fmt::Write as _;

pub(crate) use cv::offline::VERSION as OFFLINE_VERSION;
use schemas::cv::Warning;
use schemas::job::{JobInput, JobKind, Language, Pages, Usage};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// What is kept of an edit, create-only: the one thing that a job pays for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoredReply {
    /// Where the text comes from.
    pub source: Source,
    /// The reply, in the shape of the kind's schema; null for the owner's own text.
    pub json: Value,
    /// What the call cost.
    #[serde(default)]
    pub usage: Option<Usage>,
    /// The provider's id of the reply.
    #[serde(default)]
    pub reply_id: Option<String>,
    /// What the owner should know.
    #[serde(default)]
    pub warnings: Vec<Warning>,
}

/// Where the text of a document comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The model.
    Model,
    /// The offline editor.
    Offline,
    /// The owner's own text, because the model gave nothing.
    Own,
}

impl StoredReply {
    /// The owner's own text, with the reason why nothing better is there.
    pub fn own_text(reason: &str) -> Self {
        Self {
            source: Source::Own,
            json: Value::Null,
            usage: None,
            reply_id: None,
            warnings: vec![Warning {
                path: String::new(),
                code: "unpolished".to_owned(),
                message: format!("The text is the caller's own, unedited: {reason}"),
            }],
        }
    }
}

/// What a document is rendered from.
pub struct Composed {
    /// The content.
    pub document: render::Document,
    /// Pages, attachments.
    pub options: render::Options,
    /// The name to save it under: printable ASCII.
    pub file_name: String,
    /// What the owner should know about the text.
    pub warnings: Vec<Warning>,
}

/// The version of prompt and schema of a kind: part of the content hash, so that a better prompt
/// makes better documents.
fn prompt_version(kind: JobKind) -> &'static str {
    match kind {
        JobKind::Cv => cv::PROMPT_VERSION,
    }
}

/// The request to the model. `reference` is what the provider may know of the job.
pub fn request(input: &JobInput, reference: String, max_output_tokens: u32) -> openai::Request {
    match input.kind {
        JobKind::Cv => cv::request(input, reference, max_output_tokens),
    }
}

/// What the offline editor makes of the caller's own text, in the shape of a model's reply.
pub fn edit_offline(input: &JobInput) -> StoredReply {
    let json = match input.kind {
        JobKind::Cv => cv::offline::edit(input),
    };
    let source = Source::Offline;
    StoredReply {
        source,
        json,
        usage: None,
        reply_id: None,
        warnings: Vec::new(),
    }
}

/// The document of an input and what was made of it.
pub fn compose(input: &JobInput, reply: &StoredReply) -> Composed {
    match input.kind {
        JobKind::Cv => cv::compose(input, reply),
    }
}

/// SHA-256 of all that decides the document, hexadecimal: jobs of equal hash share one call.
/// `editor` names who edits, with its version or model.
pub fn content_hash(input: &JobInput, editor: &str) -> String {
    let parts = serde_json::json!({
        "kind": input.kind,
        "cv": schemas::cv::canonical_json(&input.cv),
        "posting": input.options.job_posting,
        "language": language(input),
        "theme": input.options.theme,
        "pages": input.options.pages,
        "prompt": prompt_version(input.kind),
        "editor": editor,
    });
    hex(&Sha256::digest(parts.to_string().as_bytes()))
}

/// The language of the document: as asked, else the CV's own, else English.
pub fn language(input: &JobInput) -> Language {
    let own = || Language::from_tag(input.cv.language.as_deref()?);
    input.options.language.or_else(own).unwrap_or(Language::En)
}

/// Bytes as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a `String` cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn page_target(pages: Pages) -> render::Pages {
    match pages {
        Pages::AtMost(n) => render::Pages::Fixed(n),
        Pages::Auto => render::Pages::Auto,
    }
}
