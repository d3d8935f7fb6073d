//! A PDF for whoever waits: submit a job, wait for it, and tell what it cost.
//!
//! What was made before is remembered beside the session (or, without one, under a hash of the
//! content). An order that equals one whose job is still at work joins it; one whose job is held
//! is not repeated without consent. Equal content that is done is the worker's latch: it copies the
//! PDF and makes no call.

use bytes::Bytes;
use schemas::cv::{Cv, Warning, canonical_json, section_hashes};
use schemas::job::{DocumentName, Earlier, JobInput, JobKind, Options};
use schemas::webhook::EventType;
use schemas::{JobId, Tenant};
use serde_json::{Value, json};
use storage::StorageError;
use storage::jobs::{JobRow, RowState, Submission, Submitted};
use storage::sessions::Generation;

use super::wait::until_final;
use super::{ApiError, Context};
use crate::app::App;
use crate::observe::{download_failed, downloaded};
use crate::problem::{Failure, chain};
use crate::task::finished;
use crate::view::sha256_hex;

/// How many of the last jobs of a group are looked at.
const RECENT: usize = 20;

/// What is to be made.
pub(super) struct Order {
    /// The session's id, or a hash of the content.
    pub(super) group: String,
    /// The CV, with its photo.
    pub(super) cv: Cv,
    pub(super) options: Options,
    pub(super) warnings: Vec<Warning>,
}

/// What came of it.
pub(super) enum Outcome {
    Made(Box<Made>),
    /// Not done in time.
    Waiting(Box<JobRow>),
    /// The outcome of its call is unknown.
    Held(Box<JobRow>),
    /// It ended without a PDF.
    Failed(Box<JobRow>),
}

/// A PDF and what it cost.
pub(super) struct Made {
    pub(super) row: JobRow,
    pub(super) pdf: Bytes,
    pub(super) run: Run,
}

/// What a request did, for `run_summary`.
#[derive(Clone, Debug, Default)]
pub(super) struct Run {
    pub(super) stage: &'static str,
    pub(super) execution_mode: bool,
    /// Calls that made this PDF, whenever that was.
    pub(super) model_calls: u32,
    /// Calls of this request.
    pub(super) model_calls_now: u32,
    pub(super) latch_engaged: bool,
    pub(super) edit_intent: bool,
    pub(super) generate_intent: bool,
    pub(super) job_id: Option<JobId>,
}

impl Run {
    /// As the contract has it.
    pub(super) fn summary(&self) -> Value {
        json!({
            "stage": self.stage,
            "execution_mode": self.execution_mode,
            "model_calls": self.model_calls,
            "model_calls_now": self.model_calls_now,
            "latch_engaged": self.latch_engaged,
            "job_id": self.job_id,
            "pdf_ref": self.job_id,
            "stage_debug": {
                "edit_intent": self.edit_intent,
                "generate_intent": self.generate_intent,
            },
        })
    }
}

/// What was made of a group, newest first.
pub(super) struct Past {
    pub(super) made: Vec<(Generation, JobRow)>,
}

impl Past {
    /// Reads it. Jobs that are no longer kept are left out.
    pub(super) async fn of(app: &App, tenant: &Tenant, group: &str) -> Result<Self, StorageError> {
        let generations = app.sessions.generations(tenant, group, RECENT).await?;
        let rows = generations
            .iter()
            .map(|generation| app.jobs.read(tenant, generation.job_id));
        let rows = futures::future::try_join_all(rows).await?;
        let made = generations.into_iter().zip(rows);
        Ok(Self {
            made: made
                .filter_map(|(generation, loaded)| Some((generation, loaded?.row)))
                .collect(),
        })
    }
}

/// Makes a PDF, or finds out why not.
pub(super) async fn make(context: &Context, order: Order) -> Result<Outcome, ApiError> {
    let (app, tenant) = (&context.app, &context.tenant);
    let mut input = JobInput {
        kind: JobKind::Cv,
        cv: order.cv,
        options: order.options,
        earlier: None,
    };
    let wanted = generation(app, &input);
    let past = Past::of(app, tenant, &order.group).await?;
    let same = past
        .made
        .iter()
        .find(|(made, _)| made.request == wanted.request);
    let joined = match same {
        Some((_, row)) if row.state == RowState::OutcomeUnknown && !input.options.force => {
            return Ok(Outcome::Held(Box::new(row.clone())));
        }
        Some((_, row)) if !row.state.is_final() => Some(row.id),
        _ => None,
    };
    let id = if let Some(id) = joined {
        id
    } else {
        input.earlier = kept(app, tenant, &past, &wanted).await;
        let submission = Submission {
            warnings: order.warnings,
            traceparent: context.traceparent.clone(),
            ..Submission::new(tenant.clone(), input)
        };
        let remembered = Some((order.group, wanted));
        finished(submit(app.clone(), submission, remembered))
            .await?
            .row()
            .id
    };
    tracing::Span::current().record("job_id", tracing::field::display(id));
    let row = until_final(app, tenant, id).await?;
    match row.state {
        RowState::Succeeded => made(context, row, joined.is_some()).await,
        RowState::OutcomeUnknown => Ok(Outcome::Held(Box::new(row))),
        state if state.is_final() => Ok(Outcome::Failed(Box::new(row))),
        _ => Ok(Outcome::Waiting(Box::new(row))),
    }
}

/// Submits a job, and remembers it in a group.
pub(crate) async fn submit(
    app: App,
    mut submission: Submission,
    remembered: Option<(String, Generation)>,
) -> Result<Submitted, Failure> {
    let tenant = submission.tenant.clone();
    submission.group = remembered.as_ref().map(|(group, _)| group.clone());
    // A repeat makes no job more, so it is answered at any limit.
    let replayed = match &submission.idempotency {
        Some(key) => {
            let traceparent = submission.traceparent.clone();
            app.jobs.replayed(&tenant, key, traceparent).await?
        }
        None => None,
    };
    let submitted = match replayed {
        Some(submitted) => submitted,
        // Boxed: its state would weigh on all that wait for it.
        None => Box::pin(create(&app, submission)).await?,
    };
    if let Some((group, generation)) = remembered {
        let row = submitted.row();
        let generation = Generation {
            job_id: row.id,
            at: row.created_at,
            ..generation
        };
        // The job is accepted: what cannot be remembered costs a reference and no PDF.
        if let Err(e) = app.sessions.remember(&tenant, &group, &generation).await {
            let error = &e as &dyn std::error::Error;
            tracing::warn!(job_id = %row.id, error, "job {} is not remembered: {}", row.id, chain(&e));
        }
    }
    Ok(submitted)
}

async fn create(app: &App, submission: Submission) -> Result<Submitted, Failure> {
    let taken = app.limits.take_job(&submission.tenant).await?;
    let submitted = app.jobs.submit(submission).await?;
    match &submitted {
        Submitted::Created(row) => {
            telemetry::Metric::JobsAccepted.count(&[]);
            hear_of(app, row);
        }
        // Another request with its key came first.
        Submitted::Replayed(_) => taken.give_back(),
    }
    Ok(submitted)
}

/// Whoever wants to know that a job was accepted hears of it, soon. Nobody waits for that, and what
/// is lost of it is made up for when the job has ended.
fn hear_of(app: &App, row: &JobRow) {
    let (interest, tenant, id) = (app.interest.clone(), row.tenant.clone(), row.id);
    tokio::spawn(async move {
        if let Err(e) = interest.hint(&tenant, id, EventType::JobQueued).await {
            tracing::debug!(job_id = %id, error = chain(&e), "that job {id} was accepted is told at its end");
        }
    });
}

/// What is remembered of a job; its id and time come with its submission.
pub(crate) fn generation(app: &App, input: &JobInput) -> Generation {
    let at = app.clock.now();
    Generation {
        job_id: JobId::new(at, [0; 10]),
        at,
        request: request_hash(input.kind, &input.cv, &input.options),
        wording: wording_hash(&input.options),
        sources: section_hashes(&input.cv),
    }
}

/// The text that a job is to keep of the group's last one, in delta mode.
pub(crate) async fn earlier_for(
    app: &App,
    tenant: &Tenant,
    group: &str,
    input: &JobInput,
) -> Result<Option<Earlier>, StorageError> {
    if !app.settings.delta_mode {
        return Ok(None);
    }
    let past = Past::of(app, tenant, group).await?;
    Ok(kept(app, tenant, &past, &generation(app, input)).await)
}

/// The text that a job is to keep. What an equal job kept is part of the content: it is kept again,
/// so that the content is equal.
async fn kept(app: &App, tenant: &Tenant, past: &Past, wanted: &Generation) -> Option<Earlier> {
    let same = past
        .made
        .iter()
        .find(|(made, _)| made.request == wanted.request);
    match same {
        Some((_, row)) => app.jobs.input(tenant, row.id).await.ok()?.earlier,
        None => earlier(app, past, wanted).await,
    }
}

/// The text of the last generation with the same wording, so that sections that have not changed
/// keep it. Without it the whole CV is sent, which is right and costs more.
async fn earlier(app: &App, past: &Past, wanted: &Generation) -> Option<Earlier> {
    if !app.settings.delta_mode {
        return None;
    }
    let (generation, row) = past
        .made
        .iter()
        .find(|(made, row)| made.wording == wanted.wording && row.state == RowState::Succeeded)?;
    let path = row.result_path.as_deref()?;
    let cv = match app.jobs.document(path, DocumentName::CvJson).await {
        Ok(blob) => serde_json::from_slice(&blob.data).ok()?,
        Err(e) => {
            tracing::info!(job_id = %row.id, "no text of job {} to keep: {}", row.id, chain(&e));
            return None;
        }
    };
    Some(Earlier {
        sources: generation.sources.clone(),
        cv,
    })
}

async fn made(context: &Context, row: JobRow, joined: bool) -> Result<Outcome, ApiError> {
    let path = row.result_path.clone().unwrap_or_default();
    let pdf = match context.app.jobs.pdf(&path).await {
        Ok((blob, _)) => {
            downloaded();
            blob.data
        }
        Err(e) => {
            download_failed(row.id, &chain(&e));
            return Err(e.into());
        }
    };
    let latched = row.cached_from.is_some();
    let run = Run {
        stage: "execution",
        execution_mode: true,
        model_calls: paid(context, &row).await?,
        model_calls_now: if latched || joined {
            0
        } else {
            row.model_calls
        },
        latch_engaged: latched,
        job_id: Some(row.id),
        ..Run::default()
    };
    Ok(Outcome::Made(Box::new(Made { row, pdf, run })))
}

/// Calls that made a job's PDF: those of the first job that it was copied from.
async fn paid(context: &Context, row: &JobRow) -> Result<u32, StorageError> {
    /// A copy names whoever held the latch then, which is the first maker or a forced one.
    const HOPS: usize = 8;
    let (mut calls, mut from) = (row.model_calls, row.cached_from);
    for _ in 0..HOPS {
        let Some(id) = from else { break };
        let Some(loaded) = context.app.jobs.read(&context.tenant, id).await? else {
            break;
        };
        (calls, from) = (loaded.row.model_calls, loaded.row.cached_from);
    }
    Ok(calls)
}

/// Equal orders have equal hashes, whether forced or not.
pub(super) fn request_hash(kind: JobKind, cv: &Cv, options: &Options) -> String {
    let options = Options {
        force: false,
        ..options.clone()
    };
    let rest = json!([kind, options]);
    sha256_hex(format!("{}\n{rest}", canonical_json(cv)).as_bytes())
}

/// Hash of what decides the wording besides the CV.
fn wording_hash(options: &Options) -> String {
    let parts = json!([
        options.language,
        options.job_posting,
        options.tone,
        options.instructions
    ]);
    sha256_hex(parts.to_string().as_bytes())
}
