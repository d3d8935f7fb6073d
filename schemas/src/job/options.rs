//! How a job is done: language, look, length, wishes.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::locale::Language;

/// How a job is done. Every field has a default.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// The language of the document; by default the CV's own, else English.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// The look of the document.
    pub theme: ThemeName,
    /// How many pages the CV may take. A cover letter always takes one.
    pub pages: Pages,
    /// The paper; by default the theme's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page_size: Option<PageSize>,
    /// A CV that is still too long when all spacing and type is as small as the theme allows may
    /// lose bullets of its oldest jobs, the last first; each is reported.
    pub allow_cuts: bool,
    /// What is made; by default what the kind says. A job of kind `cv` can make both.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 2))]
    pub outputs: Vec<Output>,
    /// How the text should sound, in a few words: at most 100 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 100))]
    pub tone: Option<String>,
    /// Wishes for single parts of the text: at most 500 characters each.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub instructions: BTreeMap<Part, String>,
    /// For a cover letter: to whom, and for what.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub letter: Option<Letter>,
    /// The job posting that the CV is for, as plain text of at most 20,000 characters. It steers
    /// order and emphasis; it never adds a fact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_posting: Option<String>,
    /// What to do when the model gives no usable reply.
    pub on_model_failure: OnModelFailure,
    /// Make it anew even where a job of equal content has its PDF already.
    pub force: bool,
}

/// The name of a theme: one of [`BUILT_IN_THEMES`], or of those that the operator has set up. Lower-case
/// letters, figures and `-`, at most 32, a letter first.
#[derive(
    Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
pub struct ThemeName(
    #[schemars(
        regex(pattern = "^[a-z][a-z0-9-]{0,31}$"),
        extend("examples" = BUILT_IN_THEMES)
    )]
    String,
);

/// The themes that every build has. The renderer has a file for each.
pub const BUILT_IN_THEMES: [&str; 6] = [
    "zurich", "classic", "modern", "compact", "academic", "harbour",
];

impl ThemeName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for ThemeName {
    fn default() -> Self {
        Self(BUILT_IN_THEMES[0].to_owned())
    }
}

impl TryFrom<String> for ThemeName {
    type Error = &'static str;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if (1..=32).contains(&name.len())
            && name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.chars().all(legal)
        {
            Ok(Self(name))
        } else {
            Err("a theme's name has 1 to 32 of a-z, 0-9 and -, a letter first")
        }
    }
}

impl From<ThemeName> for String {
    fn from(name: ThemeName) -> Self {
        name.0
    }
}

/// A sheet of paper.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PageSize {
    /// 210 by 297 mm (ISO 216).
    A4,
    /// 8.5 by 11 inches.
    Letter,
}

/// What a job can make.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Output {
    /// The CV.
    Cv,
    /// A cover letter of one page.
    CoverLetter,
}

/// A part of the text that the caller can give wishes for.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The text as a whole.
    General,
    /// `profile`.
    Profile,
    /// `work_experience`.
    WorkExperience,
    /// `education`.
    Education,
    /// `further_experience`.
    FurtherExperience,
    /// `languages`.
    Languages,
    /// `it_ai_skills`.
    ItAiSkills,
    /// `certifications`.
    Certifications,
    /// `trainings`.
    Trainings,
    /// `interests`.
    Interests,
    /// The cover letter.
    CoverLetter,
}

/// What a cover letter cannot know from the CV. Nothing here is required: a letter without a
/// recipient greets whom it may concern.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Letter {
    /// The person it goes to: at most 100 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 100))]
    pub recipient_name: Option<String>,
    /// The organisation it goes to: at most 100 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 100))]
    pub organization: Option<String>,
    /// The recipient's address: at most 4 lines of 100 characters.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 4), inner(length(max = 100)))]
    pub address_lines: Vec<String>,
    /// The position applied for, as the posting calls it: at most 120 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 120))]
    pub position: Option<String>,
    /// The date at its head, as it is to be shown: at most 40 characters. By default the day that
    /// the job was accepted on, in the form of the language.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 40))]
    pub date: Option<String>,
}

/// How many pages a document may take: 1 to 4, or `"auto"` for as many as it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "PagesForm", into = "PagesForm")]
#[schemars(with = "PagesForm")]
pub enum Pages {
    /// At most this many, reached by tightening space and size; text is never cut.
    AtMost(u8),
    /// As many as the content needs.
    Auto,
}

impl Default for Pages {
    fn default() -> Self {
        Self::AtMost(2)
    }
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected 1, 2, 3, 4 or \"auto\"")]
enum PagesForm {
    /// A number of pages.
    Number(#[schemars(range(min = 1, max = 4))] u8),
    /// As many as needed.
    Word(PagesWord),
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum PagesWord {
    Auto,
}

impl TryFrom<PagesForm> for Pages {
    type Error = &'static str;

    fn try_from(form: PagesForm) -> Result<Self, Self::Error> {
        match form {
            PagesForm::Word(PagesWord::Auto) => Ok(Self::Auto),
            PagesForm::Number(n @ 1..=4) => Ok(Self::AtMost(n)),
            PagesForm::Number(_) => Err("pages must be 1, 2, 3, 4 or \"auto\""),
        }
    }
}

impl From<Pages> for PagesForm {
    fn from(pages: Pages) -> Self {
        match pages {
            Pages::Auto => Self::Word(PagesWord::Auto),
            Pages::AtMost(n) => Self::Number(n),
        }
    }
}

/// What to do when the model refuses, breaks off or replies out of shape.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnModelFailure {
    /// The job fails and says why.
    #[default]
    Fail,
    /// The caller's own text is rendered, with a warning.
    RenderUnpolished,
}
