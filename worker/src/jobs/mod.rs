//! Job kinds: what each asks of the model, what is kept of the answer, what is rendered.
//!
//! A CV and a cover letter can come from one call, so they share the prompt's frame and the shape
//! of the reply: [`request`] asks for what the job makes, [`compose`] turns the reply into
//! documents. Dispatch is by [`Output`], since a job of kind `cv` can make both.

mod contact;
mod cover_letter;
mod cv;
mod fit;
mod offline;
mod prompt;
mod reply;
mod report;
mod themes;

pub(crate) use fit::shorten;
use jiff::Timestamp;
use jiff::tz::TimeZone;
pub(crate) use offline::VERSION as OFFLINE_VERSION;
pub(crate) use report::{Layout, Report};
use schemas::cv::{Cv, Warning};
use schemas::job::{DocumentName, JobInput, JobKind, Output, PageSize, Pages, Usage};
use schemas::locale::Day;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
pub use themes::{ThemeFault, Themes, read as read_theme};

use cv::blocks::{Wording, blocks};
use reply::{LetterText, Reply, kept};

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

/// Code of the warning that a document is of the owner's own text, because the model gave nothing.
pub(crate) const UNPOLISHED: &str = "unpolished";

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
                code: UNPOLISHED.to_owned(),
                message: format!("The text is the caller's own, unedited: {reason}"),
            }],
        }
    }
}

/// What the documents of a job are rendered from.
pub struct Composed {
    /// The main document: what the job's kind is named for.
    pub main: ComposedDocument,
    /// The PDFs beside it.
    pub beside: Vec<ComposedDocument>,
    /// The CV as it is set, without photo.
    pub cv: Cv,
    /// What of the edited CV went back to the source's words.
    pub restored: truth::Report,
    /// Sentences of the letter that were left out.
    pub letter_dropped: Vec<truth::Finding>,
    /// Which terms of the posting the CV supports, where there is a posting.
    pub tailoring: Option<truth::Tailoring>,
    /// What the owner should know about the text.
    pub warnings: Vec<Warning>,
}

/// What one PDF is rendered from.
pub struct ComposedDocument {
    /// Which it is.
    pub name: DocumentName,
    /// The content.
    pub document: render::Document,
    /// Look, pages, attachments.
    pub options: render::Options,
    /// The name to save it under: printable ASCII.
    pub file_name: String,
}

/// The request to the model. `reference` is what the provider may know of the job.
pub fn request(input: &JobInput, reference: String, max_output_tokens: u32) -> openai::Request {
    prompt::request(input, reference, max_output_tokens)
}

/// What the offline editor makes of the caller's own text, in the shape of a model's reply.
pub fn edit_offline(input: &JobInput) -> StoredReply {
    StoredReply {
        source: Source::Offline,
        json: offline::edit(input),
        usage: None,
        reply_id: None,
        warnings: Vec::new(),
    }
}

/// The documents of an input and what was made of it. `accepted` is when the job was accepted:
/// the day that a letter is dated, unless the caller says.
pub fn compose(
    input: &JobInput,
    reply: &StoredReply,
    themes: &Themes,
    accepted: Timestamp,
) -> Composed {
    let mut warnings = reply.warnings.clone();
    let texts = match reply.source {
        Source::Own => None,
        Source::Model | Source::Offline => {
            let texts = serde_json::from_value::<Reply>(reply.json.clone());
            if texts.is_err() {
                // A reply of a kind that this version does not know: the own text is still true.
                warnings.push(kept("", "the stored reply has an unknown shape"));
            }
            texts.ok()
        }
    };
    let letter_text = texts.as_ref().and_then(|texts| texts.cover_letter.clone());
    if reply.source != Source::Model && input.is_translation() {
        warnings.push(Warning::new(
            "",
            "not_translated",
            format!(
                "No model was asked to translate: titles and dates are in `{}`, the text is as it was.",
                input.language_tag()
            ),
        ));
    }
    let edited = cv::edited(input, reply, texts);
    warnings.extend(edited.warnings);
    let cv = edited.cv;
    let theme = themes.get(&input.options.theme).unwrap_or_else(|| {
        let name = input.options.theme.as_str();
        let message = format!("This worker has no theme `{name}`; the default was taken.");
        warnings.push(Warning::new("options.theme", "unknown_theme", message));
        render::Theme::default()
    });
    let options = render::Options {
        theme,
        paper: input.options.page_size.map(|size| match size {
            PageSize::A4 => render::Paper::A4,
            PageSize::Letter => render::Paper::Letter,
        }),
        created: Some(stamp(accepted)),
        ..render::Options::default()
    };
    let without_photo = Cv {
        photo_url: None,
        ..cv.clone()
    };
    let mut letter_dropped = Vec::new();
    let letter = input.makes(Output::CoverLetter).then(|| {
        let paragraphs = match (reply.source, letter_text) {
            (Source::Model, text) => {
                let kept = cover_letter::keep(input, &input.cv, &text.unwrap_or_default());
                warnings.extend(kept.warnings);
                letter_dropped = kept.dropped;
                kept.paragraphs
            }
            (_, Some(LetterText { paragraphs })) => paragraphs,
            (_, None) => cover_letter::plain(input, &input.cv),
        };
        letter_document(input, &cv, paragraphs, accepted, options.clone())
    });
    let (main, beside) = match (input.kind, letter) {
        (JobKind::CoverLetter, Some(letter)) => (letter, Vec::new()),
        (_, letter) => {
            let main = cv_document(input, &cv, &without_photo, options);
            (main, letter.into_iter().collect())
        }
    };
    let posting = input.options.job_posting.as_deref();
    let tailoring =
        posting.map(|posting| truth::tailoring(&without_photo, posting, input.language_tag()));
    Composed {
        main,
        beside,
        cv: without_photo,
        restored: edited.truth,
        letter_dropped,
        tailoring,
        warnings,
    }
}

fn cv_document(
    input: &JobInput,
    cv: &Cv,
    attached: &Cv,
    options: render::Options,
) -> ComposedDocument {
    let wording = Wording {
        locale: cover_letter::locale(input),
        tag: input.language_tag(),
        translated: input.is_translation(),
    };
    ComposedDocument {
        name: DocumentName::Cv,
        document: blocks(cv, wording),
        options: render::Options {
            attachments: vec![
                attachment(
                    "cv.json",
                    "This CV as structured data, without the photo",
                    schemas::cv::canonical_json(attached).into_bytes(),
                ),
                attachment(
                    "resume.json",
                    "This CV as JSON Resume, without the photo",
                    json_resume(attached),
                ),
            ],
            page_target: page_target(input.options.pages),
            cut_order: if input.options.allow_cuts {
                fit::cut_order(cv)
            } else {
                Vec::new()
            },
            ..options
        },
        file_name: cv::file_name(cv),
    }
}

fn attachment(name: &str, description: &str, data: Vec<u8>) -> render::Attachment {
    render::Attachment {
        name: name.to_owned(),
        mime: "application/json".to_owned(),
        description: description.to_owned(),
        data,
    }
}

/// A CV as JSON Resume, keys sorted.
pub(crate) fn json_resume(cv: &Cv) -> Vec<u8> {
    let mut resume = convert::json_resume::write(cv);
    resume.sort_all_objects();
    serde_json::to_vec(&resume).expect("a JSON value always serialises")
}

/// A letter has nothing attached: it goes to people who are to read what it says, and the CV's data
/// holds more than that.
fn letter_document(
    input: &JobInput,
    cv: &Cv,
    paragraphs: Vec<String>,
    accepted: Timestamp,
    options: render::Options,
) -> ComposedDocument {
    let utc = accepted.to_zoned(TimeZone::UTC).date();
    let today = Day {
        year: utc.year().unsigned_abs(),
        month: utc.month().unsigned_abs(),
        day: utc.day().unsigned_abs(),
    };
    let parts = cover_letter::parts(input, paragraphs, Some(today));
    let position = parts.letter.position.clone().unwrap_or_default();
    let locale = cover_letter::locale(input);
    ComposedDocument {
        name: DocumentName::CoverLetter,
        document: cover_letter::document(cv, &parts, locale, input.language_tag()),
        options: render::Options {
            page_target: render::Pages::Fixed(1),
            ..options
        },
        file_name: file_name("Cover_Letter", &[&cv.full_name, &position], "pdf"),
    }
}

/// Words joined to a file's name in ASCII, at most about 100 characters.
pub(crate) fn file_name(head: &str, parts: &[&str], extension: &str) -> String {
    let mut name = head.to_owned();
    for part in parts {
        let ascii = deunicode::deunicode(part);
        let words = ascii.split(|c: char| !c.is_ascii_alphanumeric());
        let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
        let part: String = words.join("_").chars().take(48).collect();
        if !part.is_empty() {
            name = format!("{name}_{part}");
        }
    }
    format!("{name}.{extension}")
}

/// SHA-256 of all that decides the documents, hexadecimal: jobs of equal hash share one call.
/// `editor` names who edits, with its version or model.
pub fn content_hash(input: &JobInput, editor: &str, themes: &Themes) -> String {
    let options = &input.options;
    let earlier = input.earlier.as_ref();
    let outputs = [Output::Cv, Output::CoverLetter].map(|output| input.makes(output));
    let mut parts = serde_json::json!({
        "kind": input.kind,
        "cv": schemas::cv::canonical_json(&input.cv),
        "earlier": earlier.map(|earlier| (&earlier.sources, schemas::cv::canonical_json(&earlier.cv))),
        "posting": options.job_posting,
        "language": input.language_tag(),
        "theme": options.theme,
        "pages": options.pages,
        "page_size": options.page_size,
        "cuts": options.allow_cuts,
        "outputs": outputs,
        "tone": options.tone,
        "instructions": options.instructions,
        "letter": options.letter,
        "prompt": prompt::VERSION,
        "editor": editor,
    });
    // Those of the renderer change with the program alone.
    if let Some(text) = themes.text(&options.theme) {
        parts["theme_text"] = text.into();
    }
    schemas::hex(&Sha256::digest(parts.to_string().as_bytes()))
}

fn page_target(pages: Pages) -> render::Pages {
    match pages {
        Pages::AtMost(n) => render::Pages::Fixed(n),
        Pages::Auto => render::Pages::Auto,
    }
}

/// A time as the PDF stamps it.
fn stamp(at: Timestamp) -> render::Created {
    let utc = at.to_zoned(TimeZone::UTC).datetime();
    render::Created {
        year: utc.year().unsigned_abs(),
        month: utc.month().unsigned_abs(),
        day: utc.day().unsigned_abs(),
        hour: utc.hour().unsigned_abs(),
        minute: utc.minute().unsigned_abs(),
        second: utc.second().unsigned_abs(),
    }
}

#[cfg(test)]
mod tests;
