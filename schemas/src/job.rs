//! The public shape of a job: what a caller sends, and what a caller reads back.

mod batch;
mod options;
mod status;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::FieldError;
use crate::cv::{Cv, Section};

pub use crate::locale::Language;
pub use batch::{BatchOutcome, BatchOutcomes, BatchRequest, Erasure, ErasureState, LARGEST_BATCH};
pub use options::{
    BUILT_IN_THEMES, Letter, OnModelFailure, Options, Output, PageSize, Pages, Part, ThemeName,
};
pub use status::{
    DocumentName, Editor, JobDocument, JobPage, JobResult, JobStatus, Links, Phase, State, Usage,
    WaitReason, Waiting,
};

/// `POST /v1/jobs`: what to make, from what, and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JobRequest {
    /// What to make.
    pub kind: JobKind,
    /// From what.
    pub input: Input,
    /// How.
    #[serde(default)]
    pub options: Options,
    /// The caller's own labels, returned with the job: at most 16 entries, names of at most 64
    /// characters, values of at most 256.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// The job is not begun before this time, at most [`LONGEST_DELAY`] ahead. A time that has
    /// passed is no delay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// Where to post the events of this job, without a webhook of the tenant: `https`, at most
    /// 2,048 bytes. Signed with the tenant's callback secret, `GET /v1/webhooks/callback-secret`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callback_url: Option<String>,
}

/// How far ahead `not_before` may be: queues hold a message back for seven days.
pub const LONGEST_DELAY: Duration = Duration::from_hours(6 * 24);

/// The kinds of jobs. Each has one file in `worker/src/jobs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum JobKind {
    /// A CV as a PDF; with `options.outputs` a cover letter too, from the same call.
    Cv,
    /// A cover letter of one page, from a CV.
    CoverLetter,
}

/// What a job is made from: exactly one of these.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// A CV as JSON: canonical, or in one of the forms that normalisation takes.
    #[schemars(with = "Cv")]
    Cv(serde_json::Value),
    /// A session: its CV as it stands, with its photo, its language and its posting.
    SessionId(String),
    /// A DOCX file in base64: the CV that it holds.
    DocxBase64(String),
    /// A CV in the form of JSON Resume 1.0.0.
    #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
    JsonResume(serde_json::Value),
}

/// What is stored of a request until its job is done: canonical, checked, complete.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct JobInput {
    /// What to make.
    pub kind: JobKind,
    /// The canonical CV.
    pub cv: Cv,
    /// How.
    pub options: Options,
    /// What the last generation of the same CV came to. Sections that have not changed since keep
    /// its text and are not sent to the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earlier: Option<Earlier>,
}

/// An earlier generation of a CV.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Earlier {
    /// The hash of each section of the CV that it was made from: [`crate::cv::section_hashes`].
    pub sources: BTreeMap<Section, String>,
    /// The text that it came to, without photo.
    pub cv: Cv,
}

impl JobInput {
    /// A CV, with nothing asked beside it.
    pub fn of(cv: Cv) -> Self {
        Self {
            kind: JobKind::Cv,
            cv,
            options: Options::default(),
            earlier: None,
        }
    }

    /// Whether the job makes this.
    pub fn makes(&self, output: Output) -> bool {
        makes(self.kind, &self.options, output)
    }

    /// The language of the documents: as asked, else the CV's own, else English.
    pub fn language(&self) -> Language {
        let own = || Language::from_tag(self.cv.language.as_deref()?);
        self.options.language.or_else(own).unwrap_or(Language::En)
    }

    /// The language tag of the documents: the CV's own, region and script included, where that is
    /// the language.
    pub fn language_tag(&self) -> &str {
        let language = self.language();
        let own = self.cv.language.as_deref();
        own.filter(|tag| Language::from_tag(tag) == Some(language))
            .unwrap_or(language.tag())
    }

    /// Whether the CV says that it is in another language than the documents.
    pub fn is_translation(&self) -> bool {
        let own = self.cv.language.as_deref().filter(|tag| !tag.is_empty());
        own.is_some_and(|tag| Language::from_tag(tag) != Some(self.language()))
    }
}

fn makes(kind: JobKind, options: &Options, output: Output) -> bool {
    if options.outputs.is_empty() {
        output == kind.output()
    } else {
        options.outputs.contains(&output)
    }
}

impl JobKind {
    /// What the kind is named for, and what stands first in its result.
    pub fn output(self) -> Output {
        match self {
            Self::Cv => Output::Cv,
            Self::CoverLetter => Output::CoverLetter,
        }
    }
}

impl JobKind {
    /// All kinds.
    pub const ALL: [Self; 2] = [Self::Cv, Self::CoverLetter];

    /// The name as JSON has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cv => "cv",
            Self::CoverLetter => "cover_letter",
        }
    }
}

impl JobRequest {
    /// What is wrong with `not_before`, as of `now`.
    pub fn delay_fault(&self, now: Timestamp) -> Option<FieldError> {
        let late = self.not_before? > now + LONGEST_DELAY;
        late.then(|| FieldError {
            path: "not_before".to_owned(),
            code: "out_of_range".to_owned(),
            message: "not_before must be at most 6 days ahead".to_owned(),
            ..FieldError::default()
        })
    }

    /// Limits that the types cannot say. The CV itself is checked by [`crate::cv`].
    pub fn faults(&self) -> Vec<FieldError> {
        let mut faults = Vec::new();
        let mut over = |path: String, size: usize, limit: usize, unit: &str| {
            if size > limit {
                faults.push(FieldError {
                    message: format!("{path} has {size} {unit}, at most {limit} are taken"),
                    path,
                    code: "too_long".to_owned(),
                    current_value: Some(size as u64),
                    limit: Some(limit as u64),
                    excess: Some((size - limit) as u64),
                    suggestion: None,
                });
            }
        };
        let chars = |text: &str| text.chars().count();
        if let Some(posting) = &self.options.job_posting {
            over(
                "options.job_posting".to_owned(),
                chars(posting),
                20_000,
                "characters",
            );
        }
        let options = &self.options;
        if let Some(tone) = &options.tone {
            over("options.tone".to_owned(), chars(tone), 100, "characters");
        }
        for (part, text) in &options.instructions {
            let part = serde_json::to_value(part).unwrap_or_default();
            let path = format!("options.instructions.{}", part.as_str().unwrap_or_default());
            over(path, chars(text), 500, "characters");
        }
        if let Some(letter) = &options.letter {
            let texts = [
                ("recipient_name", &letter.recipient_name, 100),
                ("organization", &letter.organization, 100),
                ("position", &letter.position, 120),
                ("date", &letter.date, 40),
            ];
            for (name, text, limit) in texts {
                let size = text.as_deref().map_or(0, chars);
                over(format!("options.letter.{name}"), size, limit, "characters");
            }
            let lines = &letter.address_lines;
            over(
                "options.letter.address_lines".to_owned(),
                lines.len(),
                4,
                "lines",
            );
            for (i, line) in lines.iter().take(4).enumerate() {
                let path = format!("options.letter.address_lines[{i}]");
                over(path, chars(line), 100, "characters");
            }
        }
        let url = self.callback_url.as_ref().map_or(0, String::len);
        let longest = crate::webhook::LONGEST_URL;
        over("callback_url".to_owned(), url, longest, "bytes");
        over("metadata".to_owned(), self.metadata.len(), 16, "entries");
        for (name, value) in self.metadata.iter().take(16) {
            over("metadata names".to_owned(), chars(name), 64, "characters");
            over(format!("metadata.{name}"), chars(value), 256, "characters");
        }
        let main = self.kind.output();
        let foreign = self.kind == JobKind::CoverLetter && makes(self.kind, options, Output::Cv);
        if !makes(self.kind, options, main) || foreign {
            let takes = match self.kind {
                JobKind::Cv => "[\"cv\"] or [\"cv\", \"cover_letter\"]",
                JobKind::CoverLetter => "[\"cover_letter\"]; for both use kind cv",
            };
            faults.push(FieldError {
                path: "options.outputs".to_owned(),
                code: "invalid_value".to_owned(),
                message: format!("options.outputs of this kind must be {takes}"),
                current_value: None,
                limit: None,
                excess: None,
                suggestion: None,
            });
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(json: &str) -> Result<Options, String> {
        serde_json::from_str(json).map_err(|e| e.to_string())
    }

    #[test]
    fn options_have_defaults_and_refuse_the_unknown() {
        assert_eq!(options("{}"), Ok(Options::default()));
        assert_eq!(options(r#"{"pages":"auto"}"#).unwrap().pages, Pages::Auto);
        assert_eq!(options(r#"{"pages":1}"#).unwrap().pages, Pages::AtMost(1));
        for wrong in [
            r#"{"pages":0}"#,
            r#"{"pages":5}"#,
            r#"{"page":1}"#,
            r#"{"theme":"Comic Sans"}"#,
            r#"{"theme":""}"#,
            r#"{"outputs":["pdf"]}"#,
            r#"{"instructions":{"photo":"smile"}}"#,
            r#"{"page_size":"a3"}"#,
        ] {
            assert!(options(wrong).is_err(), "{wrong}");
        }
        let both = serde_json::to_string(&Options::default()).unwrap();
        assert_eq!(options(&both), Ok(Options::default()));
    }

    #[test]
    fn limits_name_the_field_and_the_excess() {
        let mut request: JobRequest =
            serde_json::from_str(r#"{"kind":"cv","input":{"cv":{}}}"#).unwrap();
        assert_eq!(request.faults(), vec![]);
        request.options.job_posting = Some("ü".repeat(20_001));
        request
            .metadata
            .insert("ticket".to_owned(), "x".repeat(257));
        let faults = request.faults();
        assert_eq!(faults[0].path, "options.job_posting");
        assert_eq!(faults[0].excess, Some(1));
        assert_eq!(faults[1].path, "metadata.ticket");
    }

    #[test]
    fn outputs_follow_the_kind() {
        let check = |kind: &str, outputs: &str, want: Option<[bool; 2]>| {
            let json = format!(
                r#"{{"kind":"{kind}","input":{{"cv":{{}}}},"options":{{"outputs":{outputs}}}}}"#
            );
            let request: JobRequest = serde_json::from_str(&json).unwrap();
            let made = [Output::Cv, Output::CoverLetter]
                .map(|output| makes(request.kind, &request.options, output));
            let made = request.faults().is_empty().then_some(made);
            assert_eq!(made, want, "{json}");
        };
        check("cv", "[]", Some([true, false]));
        check("cv", r#"["cv","cover_letter"]"#, Some([true, true]));
        check("cv", r#"["cover_letter"]"#, None);
        check("cover_letter", "[]", Some([false, true]));
        check("cover_letter", r#"["cover_letter"]"#, Some([false, true]));
        check("cover_letter", r#"["cv","cover_letter"]"#, None);
    }

    #[test]
    fn documents_are_found_by_the_name_that_json_gives_them() {
        for name in DocumentName::ALL {
            assert_eq!(DocumentName::from_name(name.as_str()), Some(name));
            let json = serde_json::to_value(name).unwrap();
            assert_eq!(json, name.as_str());
        }
        assert_eq!(DocumentName::from_name("page-2.png"), None);
    }
}
