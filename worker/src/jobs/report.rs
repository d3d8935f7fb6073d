//! The report beside a document: what was done to its text, how it came to its pages, what its
//! owner could do. For the owner alone: it holds text of the CV.

use schemas::cv::Warning;
use schemas::job::{DocumentName, Usage};
use serde::Serialize;

use super::fit::Shorten;

/// Counts changes of the report's shape.
const VERSION: u32 = 1;

/// The report of a job, as `report.json`.
#[derive(Debug, Serialize)]
pub(crate) struct Report<'a> {
    pub(crate) version: u32,
    /// The language tag of the documents.
    pub(crate) language: &'a str,
    /// The theme they are set in.
    pub(crate) theme: &'a str,
    /// How each PDF came to its pages.
    pub(crate) layout: Vec<Layout>,
    /// What of the edited CV went back to the source's words, with both texts.
    pub(crate) restored: &'a truth::Report,
    /// Sentences of the letter that were left out.
    pub(crate) letter_dropped: &'a [truth::Finding],
    /// Which terms of the posting the CV supports.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tailoring: Option<&'a truth::Tailoring>,
    /// All warnings of the job's status that are not the request's own.
    pub(crate) warnings: &'a [Warning],
    /// Model, tokens and cost of the call that the text comes from, whichever job made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) usage: Option<&'a Usage>,
}

/// How a document came to its pages.
#[derive(Debug, Serialize)]
pub(crate) struct Layout {
    document: DocumentName,
    pages: u32,
    /// The size of running text, in pt.
    text_pt: f32,
    /// The factor on all vertical gaps.
    spacing: f32,
    /// What is free at the foot of the last page, in mm.
    free_mm: f32,
    /// Where pages begin, by the path of what begins there.
    breaks: Vec<Break>,
    /// What was done to meet the page target, in order.
    steps: Vec<Step>,
    /// What is too much for the page target.
    #[serde(skip_serializing_if = "Option::is_none")]
    over: Option<Over>,
}

#[derive(Debug, Serialize)]
struct Break {
    page: u32,
    section: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum Step {
    /// The factor on all vertical gaps.
    Spacing(f32),
    /// The line height as a multiple of the text size.
    LineHeight(f32),
    /// The size of running text, in pt.
    TextPt(f32),
    /// The path of what was left out.
    Cut(String),
}

#[derive(Debug, Serialize)]
struct Over {
    millimetres: f32,
    characters: u32,
    /// What to shorten, and by how much, to be within the target.
    shorten: Vec<Shorten>,
}

impl<'a> Report<'a> {
    /// A report without its parts.
    pub(crate) fn new(restored: &'a truth::Report) -> Self {
        Self {
            version: VERSION,
            language: "",
            theme: "",
            layout: Vec::new(),
            restored,
            letter_dropped: &[],
            tailoring: None,
            warnings: &[],
            usage: None,
        }
    }

    /// As it is stored.
    pub(crate) fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec_pretty(self).expect("texts and finite numbers always serialise")
    }
}

impl Layout {
    /// Of a rendered document, with advice if it is too long.
    pub(crate) fn of(
        document: DocumentName,
        rendered: &render::Rendered,
        shorten: Vec<Shorten>,
    ) -> Self {
        let report = &rendered.report;
        let breaks = report.breaks.iter().map(|found| Break {
            page: found.page,
            section: found.role.clone(),
            at: found.id.clone(),
        });
        let steps = report.steps.iter().map(|step| match step {
            render::FitStep::Spacing(factor) => Step::Spacing(rounded(*factor)),
            render::FitStep::LineHeight(factor) => Step::LineHeight(rounded(*factor)),
            render::FitStep::Text(size) => Step::TextPt(rounded(*size)),
            render::FitStep::Cut(id) => Step::Cut(id.clone()),
        });
        Self {
            document,
            pages: rendered.pages,
            text_pt: rounded(rendered.fit.text),
            spacing: rounded(rendered.fit.spacing),
            free_mm: rounded(report.free_mm),
            breaks: breaks.collect(),
            steps: steps.collect(),
            over: report.over.map(|over| Over {
                millimetres: rounded(over.millimetres),
                characters: over.characters,
                shorten,
            }),
        }
    }
}

/// To two places: nobody measures more.
fn rounded(value: f32) -> f32 {
    (value * 100.0).round() / 100.0
}
