//! The tools by name: their definitions for assistants, generated from the types of their input.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use super::wire;

macro_rules! tools {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $input:ty, $says:literal;)*) => {
        /// Every tool that `cv-tool-call-handler` takes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Tool {
            $($(#[$doc])* $variant,)*
        }

        impl Tool {
            /// All tools, in the order of [`definitions`].
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What it does, for an assistant that chooses.
            pub fn description(self) -> &'static str {
                match self { $(Self::$variant => $says,)* }
            }

            /// The JSON Schema of its input.
            pub fn parameters(self) -> Value {
                match self { $(Self::$variant => parameters::<$input>(),)* }
            }
        }
    };
}

tools! {
    /// Upload.
    ExtractAndStoreCv = "extract_and_store_cv", wire::Extract,
        "Read a DOCX file and open an editing session with what it says. What was read is \
         unconfirmed until the person has checked it. Costs nothing.";
    /// Read.
    GetCvSession = "get_cv_session", wire::GetSession,
        "Read a session: the CV as JSON, what is still missing (readiness), what was read and is \
         not confirmed yet, and the PDFs that were made. Costs nothing.";
    /// Edit and confirm.
    UpdateCvField = "update_cv_field", wire::Update,
        "Change fields of a session, and record what the person has confirmed. Send several \
         changes at once in `edits`; all are applied or none. Costs nothing.";
    /// Check.
    ValidateCv = "validate_cv", wire::Validate,
        "Check a CV, or that of the session: required fields, lengths, estimated pages. Costs \
         nothing.";
    /// The PDF of a session.
    GenerateCvFromSession = "generate_cv_from_session", wire::Generate,
        "Make the PDF of a session. At most one call to the language model; none if nothing has \
         changed since the last PDF. Call it only when readiness.can_generate is true.";
    /// One turn.
    ProcessCvOrchestrated = "process_cv_orchestrated", wire::Orchestrate,
        "One turn of the conversation: upload, edits, and the PDF when the message asks for it in \
         words such as `generate pdf`, which also counts as confirmation.";
    /// Cleanup.
    CleanupExpiredSessions = "cleanup_expired_sessions", wire::Cleanup,
        "Remove sessions that have expired. Happens by itself once a day.";
    /// The photo of a document.
    ExtractPhoto = "extract_photo", wire::ExtractPhoto,
        "Take the portrait photo out of a DOCX file. Costs nothing.";
    /// The PDF of a whole CV.
    GenerateCvAction = "generate_cv_action", wire::Action,
        "Make a PDF of a whole CV without a session. At most one call to the language model.";
    /// HTML.
    PreviewHtml = "preview_html", wire::Preview,
        "Show a CV, or that of the session, as HTML. Costs nothing.";
    /// Search.
    CvSessionSearch = "cv_session_search", wire::Search,
        "Find words in a session. Use it to look up a field's path before editing, rather than \
         reading the whole session again. Costs nothing.";
    /// Context pack.
    GenerateContextPackV2 = "generate_context_pack_v2", wire::Pack,
        "A short form of the session for one phase of the work. In delta mode sections that have \
         not changed since the last PDF are only named. Costs nothing.";
    /// A PDF made before.
    GetPdfByRef = "get_pdf_by_ref", wire::PdfByRef,
        "Fetch a PDF that was made of the session before, by its key in metadata.pdf_refs. Costs \
         nothing.";
    /// Everything of a session.
    ExportSessionDebug = "export_session_debug", wire::GetSession,
        "Everything that is stored of a session, for an operator. Off unless the operator has \
         switched it on.";
}

impl Tool {
    /// The tool of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|tool| tool.name() == name)
    }
}

fn parameters<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        // A function's parameters stand inside another document, where `$defs` of a root is not one.
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    schema.remove("title");
    let mut value = schema.to_value();
    value.sort_all_objects();
    value
}

/// The definitions as `GET /api/tools.json` gives them: function tools of the Responses API.
pub fn definitions() -> Value {
    let one = |tool: &Tool| {
        json!({
            "type": "function",
            "name": tool.name(),
            "description": tool.description(),
            "parameters": tool.parameters(),
            // Optional members are left out by callers; strict mode would ask for all of them.
            "strict": false,
        })
    };
    Tool::ALL.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tool_has_a_name_of_its_own_and_parameters_that_stand_alone() {
        let mut names: Vec<_> = Tool::ALL.iter().map(|tool| tool.name()).collect();
        for tool in Tool::ALL {
            assert_eq!(Tool::from_name(tool.name()), Some(*tool));
            let parameters = tool.parameters();
            assert_eq!(parameters["type"], "object", "{}", tool.name());
            assert!(!parameters.to_string().contains("$ref"), "{}", tool.name());
            jsonschema::validator_for(&parameters).unwrap();
        }
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), 14);
        assert_eq!(Tool::from_name("shell"), None);
    }
}
