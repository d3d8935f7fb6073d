//! What the `/api` routes and tools take. Unknown members are passed over: older clients send some.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Edit, Phase};
use crate::job::{Pages, ThemeName};

fn yes() -> bool {
    true
}

/// Reads a DOCX and keeps it as a session.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Extract {
    /// The DOCX file in base64.
    pub docx_base64: String,
    /// The language that documents are to be made in, such as `en`, `de` or `pl`.
    #[serde(default)]
    pub language: Option<String>,
    /// Whether the photo of the document is kept.
    #[serde(default = "yes")]
    pub extract_photo: bool,
    /// The job posting as plain text.
    #[serde(default)]
    #[schemars(length(max = 20_000))]
    pub job_posting_text: Option<String>,
    /// Where the posting stands on the web. It is kept, not fetched.
    #[serde(default)]
    #[schemars(length(max = 2_000))]
    pub job_posting_url: Option<String>,
}

/// Reads a session.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct GetSession {
    /// The session.
    pub session_id: String,
}

/// Changes a session: one field, a batch, a patch, confirmations; together all or none.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Update {
    /// The session.
    #[schemars(required)]
    pub session_id: String,
    /// One field, such as `work_experience[0].employer`.
    pub field_path: Option<String>,
    /// Its new value; `null` clears it.
    pub value: Value,
    /// Several fields, applied in order.
    pub edits: Vec<Edit>,
    /// Whole top-level fields by name.
    pub cv_patch: Map<String, Value>,
    /// What the person has confirmed.
    pub confirm: Option<Confirm>,
    /// The version that the change is meant for; another one is a conflict.
    pub expected_version: Option<u64>,
}

/// What the person has confirmed. A flag that is left out stays as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Confirm {
    /// Name and contact details are right.
    pub contact_confirmed: Option<bool>,
    /// The schools and degrees are right.
    pub education_confirmed: Option<bool>,
}

/// Makes the PDF of a session.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Generate {
    /// The session.
    #[schemars(required)]
    pub session_id: String,
    /// The language of the document; by default the session's.
    pub language: Option<String>,
    /// The look of the document.
    pub theme: Option<ThemeName>,
    /// How many pages it may take; 2 by default.
    pub pages: Option<Pages>,
    /// Make it anew, also after a call to the model of unknown outcome. It may cost another call.
    pub force: bool,
}

/// One turn of a conversation: upload, edits, and the PDF when the message asks for it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Orchestrate {
    /// The session; or send `docx_base64`.
    pub session_id: Option<String>,
    /// A DOCX file in base64, for a new session.
    pub docx_base64: Option<String>,
    /// The language of the document.
    pub language: Option<String>,
    /// Fields to change first, in order.
    pub edits: Vec<Edit>,
    /// Whether the photo of the document is kept.
    pub extract_photo: bool,
    /// What the person wrote.
    #[schemars(length(max = 20_000))]
    pub message: Option<String>,
    /// The job posting as plain text.
    #[schemars(length(max = 20_000))]
    pub job_posting_text: Option<String>,
    /// Where the posting stands on the web. It is kept, not fetched.
    #[schemars(length(max = 2_000))]
    pub job_posting_url: Option<String>,
    /// Anything that the client wants to send along; not used.
    pub client_context: Value,
    /// Make the document anew. It may cost another call to the model.
    pub force: bool,
}

impl Default for Orchestrate {
    fn default() -> Self {
        Self {
            session_id: None,
            docx_base64: None,
            language: None,
            edits: Vec::new(),
            extract_photo: true,
            message: None,
            job_posting_text: None,
            job_posting_url: None,
            client_context: Value::Null,
            force: false,
        }
    }
}

/// Makes a PDF of a whole CV, without a session.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Action {
    /// The CV.
    #[schemars(with = "crate::cv::Cv", required)]
    pub cv_data: Value,
    /// A DOCX file in base64 whose photo is used where the CV has none.
    pub source_docx_base64: Option<String>,
    /// The language of the document; by default the CV's own.
    pub language: Option<String>,
    /// The look of the document.
    pub theme: Option<ThemeName>,
    /// How many pages it may take; 2 by default.
    pub pages: Option<Pages>,
    /// Make it anew, also after a call to the model of unknown outcome. It may cost another call.
    pub force: bool,
}

/// Checks a CV: the one that is sent, or that of the session.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Validate {
    /// The session, where no CV is sent.
    pub session_id: Option<String>,
    /// The CV.
    #[schemars(with = "Option<crate::cv::Cv>")]
    pub cv_data: Value,
}

/// Shows a CV as HTML: the one that is sent, or that of the session.
pub type Preview = Validate;

/// Takes the photo out of a DOCX.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct ExtractPhoto {
    /// The DOCX file in base64.
    pub docx_base64: String,
}

/// Searches a session.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Search {
    /// The session.
    #[serde(default)]
    #[schemars(required)]
    pub session_id: String,
    /// Words that must all occur.
    #[schemars(length(min = 1, max = 400))]
    pub q: String,
    /// Most hits, 1 to 50.
    #[serde(default = "twenty")]
    #[schemars(range(min = 1, max = 50))]
    pub limit: usize,
}

fn twenty() -> usize {
    20
}

/// Makes a context pack.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Pack {
    /// The session.
    #[serde(default)]
    #[schemars(required)]
    pub session_id: String,
    /// Where the work stands.
    pub phase: Phase,
    /// A posting for this pack; by default the session's own.
    #[serde(default)]
    #[schemars(length(max = 20_000))]
    pub job_posting_text: Option<String>,
    /// Most characters of the pack; 12,000 by default, 8,000 in delta mode.
    #[serde(default)]
    #[schemars(range(min = 500, max = 100_000))]
    pub max_pack_chars: Option<usize>,
}

/// Fetches a PDF that was made of a session.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct PdfByRef {
    /// The session.
    #[serde(default)]
    #[schemars(required)]
    pub session_id: String,
    /// A key of `metadata.pdf_refs`.
    pub pdf_ref: String,
}

/// Removes expired sessions.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Cleanup {}

/// `POST cv-tool-call-handler`: one tool by its name.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ToolCall {
    /// The tool.
    #[schemars(required)]
    pub tool_name: Option<String>,
    /// The session; it may stand in `params` instead.
    pub session_id: Option<String>,
    /// What the tool takes.
    pub params: Map<String, Value>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn defaults_are_those_of_the_contract() {
        let extract: Extract =
            serde_json::from_value(json!({"docx_base64": "x", "old": 1})).unwrap();
        assert!(extract.extract_photo);
        let turn: Orchestrate = serde_json::from_value(json!({})).unwrap();
        assert!(turn.extract_photo && !turn.force);
        let search: Search = serde_json::from_value(json!({"q": "x"})).unwrap();
        assert_eq!(search.limit, 20);
        assert!(serde_json::from_value::<Pack>(json!({"phase": "later"})).is_err());
    }
}
