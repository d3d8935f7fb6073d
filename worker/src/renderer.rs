//! From a job's input and reply to its documents, off the async threads.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use render::picture::Sheets;
use schemas::cv::Warning;
use schemas::job::{DocumentName, JobInput};
use sha2::{Digest as _, Sha256};
use storage::jobs::{PdfFacts, StoredDocument};
use tokio::sync::Semaphore;

use crate::jobs::{
    self, Composed, ComposedDocument, Layout, Report, StoredReply, ThemeFault, Themes,
};

/// The rendered documents of a job, ready to be stored.
pub struct RenderedJob {
    /// The main PDF.
    pub pdf: Bytes,
    /// What is known of it. What stands beside it is listed once it is stored.
    pub facts: PdfFacts,
    /// What stands beside it: to be stored before it.
    pub beside: Vec<Beside>,
    /// What its owner should know.
    pub warnings: Vec<Warning>,
}

/// A document beside the main PDF.
pub struct Beside {
    /// Its bytes.
    pub data: Bytes,
    /// What is known of it.
    pub facts: StoredDocument,
}

/// What documents are set with: fonts and themes. Made once, shared by all threads.
pub struct Press {
    /// Lays out pages and writes PDFs.
    pub engine: render::Engine,
    /// The themes that jobs can name.
    pub themes: Themes,
    /// Width in pixels of the picture of the first page beside each result; 0 is none.
    pub picture_width: u32,
}

/// Why fonts or themes of the operator cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PressFault {
    /// A directory cannot be listed.
    #[error(transparent)]
    Folder(#[from] config::FolderFault),
    /// A theme cannot be used.
    #[error(transparent)]
    Theme(#[from] ThemeFault),
    /// A font's file cannot be read.
    #[error("cannot read the font {}", .0.display())]
    Font(PathBuf, #[source] std::io::Error),
    /// A font cannot be used.
    #[error("the fonts cannot be used")]
    Fonts(#[from] render::Error),
}

/// Why there is none.
pub(crate) enum RenderFailure {
    /// The renderer panicked: perhaps this machine, perhaps this document.
    Crashed,
    /// The document cannot be set.
    Refused(render::Error),
}

/// Renders off the async threads, as many at a time as there are cores to do it.
pub(crate) struct Renderer {
    press: Arc<Press>,
    threads: Semaphore,
}

impl Renderer {
    pub(crate) fn new(press: Arc<Press>, threads: usize) -> Self {
        let threads = Semaphore::new(threads);
        Self { press, threads }
    }

    pub(crate) fn themes(&self) -> &Themes {
        &self.press.themes
    }

    pub(crate) async fn render(
        &self,
        input: Arc<JobInput>,
        reply: StoredReply,
        accepted: Timestamp,
    ) -> Result<RenderedJob, RenderFailure> {
        let _permit = self
            .threads
            .acquire()
            .await
            .expect("the semaphore is owned here and never closed");
        let press = self.press.clone();
        let task =
            tokio::task::spawn_blocking(move || render_job(&press, &input, &reply, accepted));
        match task.await {
            Ok(done) => done.map_err(RenderFailure::Refused),
            Err(_) => Err(RenderFailure::Crashed),
        }
    }
}

impl Press {
    /// The fonts and themes of the configuration beside the renderer's own.
    pub fn configured(config: &config::Render) -> Result<Self, PressFault> {
        Ok(Self {
            engine: engine(&config.font_files()?)?,
            themes: Themes::with_files(&config.theme_files()?)?,
            picture_width: config.picture_width,
        })
    }

    /// The renderer's own fonts and themes, without pictures.
    pub fn built_in() -> Result<Self, render::Error> {
        Ok(Self {
            engine: render::Engine::new()?,
            themes: Themes::built_in(),
            picture_width: 0,
        })
    }
}

/// An engine with the fonts of files beside its own.
pub fn engine(fonts: &[PathBuf]) -> Result<render::Engine, PressFault> {
    if fonts.is_empty() {
        return Ok(render::Engine::new()?);
    }
    let read = fonts.iter().map(|path| {
        let bytes = std::fs::read(path).map_err(|e| PressFault::Font(path.clone(), e))?;
        Ok((path.display().to_string(), bytes))
    });
    let files: Vec<_> = read.collect::<Result<_, PressFault>>()?;
    Ok(render::Engine::with_fonts(files)?)
}

/// Renders a job's documents from its input and what was made of it: the PDFs, the CV as it was set
/// and as JSON Resume, a report, a picture of the main PDF's first page. Pure: the same input gives
/// the same bytes; those of the picture, on one machine.
pub fn render_job(
    press: &Press,
    input: &JobInput,
    reply: &StoredReply,
    accepted: Timestamp,
) -> Result<RenderedJob, render::Error> {
    let (job, _) = render_job_with_sheets(press, input, reply, accepted)?;
    Ok(job)
}

/// The same, with the pages of the main PDF as they were laid out, to make pictures of.
pub fn render_job_with_sheets<'p>(
    press: &'p Press,
    input: &JobInput,
    reply: &StoredReply,
    accepted: Timestamp,
) -> Result<(RenderedJob, Sheets<'p>), render::Error> {
    let composed = jobs::compose(input, reply, &press.themes, accepted);
    let mut setting = Setting {
        press,
        composed: &composed,
        layouts: Vec::new(),
        warnings: composed.warnings.clone(),
    };
    let (pdf, main, sheets) = setting.set(&composed.main)?;
    let mut beside = Vec::new();
    for document in &composed.beside {
        let (data, facts, _) = setting.set(document)?;
        beside.push(Beside { data, facts });
    }
    let Setting {
        layouts, warnings, ..
    } = setting;
    let report = Report {
        language: input.language_tag(),
        theme: input.options.theme.as_str(),
        layout: layouts,
        letter_dropped: &composed.letter_dropped,
        tailoring: composed.tailoring.as_ref(),
        warnings: &warnings,
        usage: reply.usage.as_ref(),
        ..Report::new(&composed.restored)
    };
    let name = composed.cv.full_name.as_str();
    let json = [
        (
            DocumentName::CvJson,
            "CV",
            schemas::cv::canonical_json(&composed.cv).into_bytes(),
        ),
        (
            DocumentName::ResumeJson,
            "Resume",
            jobs::json_resume(&composed.cv),
        ),
        (DocumentName::Report, "Report", report.to_json()),
    ];
    for (document, head, data) in json {
        let file_name = jobs::file_name(head, &[name], "json");
        let facts = facts(document, &data, file_name, None);
        let data = data.into();
        beside.push(Beside { data, facts });
    }
    if let Some(data) = first_page(&sheets, press.picture_width) {
        let file_name = jobs::file_name("Page_1", &[name], "png");
        let facts = facts(DocumentName::FirstPage, &data, file_name, None);
        let data = data.into();
        beside.push(Beside { data, facts });
    }
    let job = RenderedJob {
        pdf,
        facts: PdfFacts {
            pages: main.pages.unwrap_or_default(),
            sha256: main.sha256,
            file_name: main.file_name,
            name: main.name,
            beside: Vec::new(),
        },
        beside,
        warnings,
    };
    Ok((job, sheets))
}

/// The picture of a document's first page. It is a convenience: nothing that goes wrong with it, not even a
/// panic of what draws it, may cost its owner the document.
fn first_page(sheets: &Sheets<'_>, width: u32) -> Option<Vec<u8>> {
    if width == 0 {
        return None;
    }
    // A cache that a panic interrupts goes with it.
    let drawn = catch_unwind(AssertUnwindSafe(|| sheets.picture(1, width)));
    let picture = drawn.ok().and_then(Result::ok);
    if picture.is_none() {
        tracing::warn!("the picture of a first page cannot be drawn");
    }
    picture
}

/// The documents of one job on their way through the press.
struct Setting<'p, 'a> {
    press: &'p Press,
    composed: &'a Composed,
    layouts: Vec<Layout>,
    warnings: Vec<Warning>,
}

impl<'p> Setting<'p, '_> {
    fn set(
        &mut self,
        document: &ComposedDocument,
    ) -> Result<(Bytes, StoredDocument, Sheets<'p>), render::Error> {
        let engine = &self.press.engine;
        let (rendered, sheets) =
            engine.render_with_sheets(&document.document, &document.options)?;
        let advice = match (document.name, rendered.report.over) {
            (DocumentName::Cv, Some(over)) => {
                jobs::shorten(&self.composed.cv, over.characters as usize * DENSITY)
            }
            _ => Vec::new(),
        };
        let place = match document.name {
            DocumentName::CoverLetter => "cover_letter",
            _ => "",
        };
        self.warnings
            .extend(missing_glyphs(place, &rendered.warnings));
        let told = rendered
            .warnings
            .iter()
            .filter(|warning| !is_missing_glyph(warning));
        let told = told.map(|warning| {
            let mut message = format!("{warning}.");
            if let (render::Warning::OverTarget { .. }, false) = (warning, advice.is_empty()) {
                // The report has them all.
                let first = advice.iter().take(3).map(|text| {
                    format!(
                        "{} by {} of its {} characters",
                        text.path, text.by, text.characters
                    )
                });
                let first = first.collect::<Vec<_>>().join(", ");
                message = format!("{message} Shorten {first}.");
            }
            Warning::new(place, warning_code(warning), message)
        });
        self.warnings.extend(told);
        let cuts = rendered.report.steps.iter().filter_map(|step| match step {
            render::FitStep::Cut(id) => Some(Warning::new(
                id,
                "cut",
                "This was left out to meet the page target, as `allow_cuts` permits.",
            )),
            _ => None,
        });
        self.warnings.extend(cuts);
        self.layouts
            .push(Layout::of(document.name, &rendered, advice));
        let (name, pages) = (document.name, Some(rendered.pages));
        let facts = facts(name, &rendered.pdf, document.file_name.clone(), pages);
        Ok((rendered.pdf.into(), facts, sheets))
    }
}

fn facts(name: DocumentName, data: &[u8], file_name: String, pages: Option<u32>) -> StoredDocument {
    StoredDocument {
        name,
        size_bytes: data.len() as u64,
        sha256: schemas::hex(&Sha256::digest(data)),
        file_name,
        pages,
    }
}

fn is_missing_glyph(warning: &render::Warning) -> bool {
    warning_code(warning) == MISSING_GLYPH
}

/// One warning for all characters that no font has, with the first of them.
fn missing_glyphs(place: &str, warnings: &[render::Warning]) -> Option<Warning> {
    let mut first = Vec::new();
    let mut count = 0;
    for warning in warnings {
        match warning {
            render::Warning::MissingGlyph { char } => {
                count += 1;
                if first.len() < 5 {
                    first.push(format!("U+{:04X}", u32::from(*char)));
                }
            }
            render::Warning::MoreMissingGlyphs { count: more } => count += more,
            _ => {}
        }
    }
    let s = if count == 1 { "" } else { "s" };
    let first = first.join(", ");
    (count > 0).then(|| {
        let message = format!(
            "No font has {count} character{s} of the text ({first}); they are drawn as a replacement. \
             Add a font that has them (`--fonts`, `render.fonts_dir`)."
        );
        Warning::new(place, MISSING_GLYPH, message)
    })
}

/// Characters that running text has in the room of one of the mean, which titles, gaps and lines of a
/// few words bring down. The renderer counts in the latter; what is shortened is the former.
const DENSITY: usize = 2;

const MISSING_GLYPH: &str = "missing_glyph";

/// The stable word for a renderer's warning.
fn warning_code(warning: &render::Warning) -> &'static str {
    match warning {
        render::Warning::MissingGlyph { .. } | render::Warning::MoreMissingGlyphs { .. } => {
            MISSING_GLYPH
        }
        render::Warning::CharactersRemoved { .. } => "characters_removed",
        render::Warning::PhotoDropped { .. } => "photo_dropped",
        render::Warning::LinkDropped => "link_dropped",
        render::Warning::OverTarget { .. } => "over_target",
        _ => "render",
    }
}
