//! From a job's input and reply to its PDF, off the async threads.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use schemas::job::JobInput;
use sha2::{Digest as _, Sha256};
use storage::jobs::PdfFacts;
use tokio::sync::Semaphore;

use crate::jobs::{self, StoredReply};

/// A rendered document, ready to be stored.
pub struct RenderedJob {
    /// The PDF.
    pub pdf: Bytes,
    /// What is known of it.
    pub facts: PdfFacts,
    /// What its owner should know.
    pub warnings: Vec<schemas::cv::Warning>,
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
    engine: Arc<render::Engine>,
    threads: Semaphore,
}

impl Renderer {
    pub(crate) fn new(engine: Arc<render::Engine>, threads: usize) -> Self {
        let threads = Semaphore::new(threads);
        Self { engine, threads }
    }

    pub(crate) async fn render(
        &self,
        input: Arc<JobInput>,
        reply: StoredReply,
        created: Timestamp,
    ) -> Result<RenderedJob, RenderFailure> {
        let _permit = self
            .threads
            .acquire()
            .await
            .expect("the semaphore is owned here and never closed");
        let engine = self.engine.clone();
        let task =
            tokio::task::spawn_blocking(move || render_job(&engine, &input, &reply, created));
        match task.await {
            Ok(done) => done.map_err(RenderFailure::Refused),
            Err(_) => Err(RenderFailure::Crashed),
        }
    }
}

/// Renders a job's document from its input and what was made of it. Pure.
pub fn render_job(
    engine: &render::Engine,
    input: &JobInput,
    reply: &StoredReply,
    created: Timestamp,
) -> Result<RenderedJob, render::Error> {
    let mut composed = jobs::compose(input, reply);
    composed.options.created = Some(stamp(created));
    let rendered = engine.render(&composed.document, &composed.options)?;
    let mut warnings = composed.warnings;
    warnings.extend(
        rendered
            .warnings
            .iter()
            .map(|warning| schemas::cv::Warning {
                path: String::new(),
                code: warning_code(warning).to_owned(),
                message: format!("{warning}."),
            }),
    );
    let facts = PdfFacts {
        pages: rendered.pages,
        sha256: jobs::hex(&Sha256::digest(&rendered.pdf)),
        file_name: composed.file_name,
    };
    Ok(RenderedJob {
        pdf: rendered.pdf.into(),
        facts,
        warnings,
    })
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

/// The stable word for a renderer's warning.
fn warning_code(warning: &render::Warning) -> &'static str {
    match warning {
        render::Warning::MissingGlyph { .. } | render::Warning::MoreMissingGlyphs { .. } => {
            "missing_glyph"
        }
        render::Warning::CharactersRemoved { .. } => "characters_removed",
        render::Warning::PhotoDropped { .. } => "photo_dropped",
        render::Warning::LinkDropped => "link_dropped",
        render::Warning::OverTarget { .. } => "over_target",
        _ => "render",
    }
}
