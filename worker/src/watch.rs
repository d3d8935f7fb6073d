//! What the engine tells the operator's monitoring: spans of a job's way, metrics, and the sampled
//! figures of jobs. None of it decides anything.

use std::sync::Arc;
use std::time::Duration;

use openai::Retrieved;
use schemas::JobId;
use schemas::job::{Usage, WaitReason, Waiting};
use schemas::message::JobMessage;
use storage::jobs::{JobRow, RowState};
use storage::names::QueueName;
use storage::sessions::{SessionStore, Swept};
use storage::{Clock, Storage, StorageError, observe};
use telemetry::trace::{SPANS, child_of, consumer_of, trace_id, traceparent, whole};
use telemetry::{Metric, event, metrics};
use tokio_util::sync::CancellationToken;
use tracing::field::Empty;
use tracing::{Instrument as _, Span};

use crate::attempt::Disposition;
use crate::editor::{Edited, Editor};

/// The attribute that names a queue.
const QUEUE: &str = "messaging.destination.name";

/// Handles a message of the queue of jobs under its spans. `handling` begins only here.
pub(crate) async fn job(
    clock: &dyn Clock,
    message: &JobMessage,
    handling: impl Future<Output = Disposition>,
) -> Disposition {
    let inside = Metric::JobsInFlight.inside();
    let (tenant, job_id, queue) = (&message.tenant, message.job_id, QueueName::Jobs.as_str());
    let exported = tracing::info_span!(
        target: SPANS,
        "process",
        otel.name = "process jobs",
        otel.kind = "consumer",
        messaging.system = "storage_queue",
        messaging.operation.name = "process",
        "messaging.operation.type" = "process",
        messaging.destination.name = queue,
        presswork.job.id = %job_id,
    );
    consumer_of(&exported, message.traceparent.as_deref());
    let trace = traceparent(&exported);
    let trace_id = trace.as_deref().and_then(trace_id);
    let logged = exported.in_scope(|| tracing::info_span!("job", %job_id, %tenant, trace_id));
    let start = clock.monotonic();
    let handled = handling.instrument(logged).instrument(exported);
    let disposition = handled.await;
    let took = clock.monotonic().saturating_sub(start);
    let what = match disposition {
        Disposition::Delete => "delete",
        Disposition::Release { .. } => "release",
    };
    let labels = [(QUEUE, queue), ("messaging.operation.name", what)];
    Metric::MessageDuration.time(took, &labels);
    drop(inside);
    disposition
}

/// One request to the model's provider.
pub(crate) struct Request<'a> {
    /// `None` where nobody is asked.
    editor: Option<&'a Editor>,
    operation: &'static str,
    span: Span,
    start: Duration,
}

impl<'a> Request<'a> {
    /// Begins to watch: `chat` for the call itself, `retrieve` or `cancel` for what follows it.
    pub(crate) fn begin(clock: &dyn Clock, editor: &'a Editor, operation: &'static str) -> Self {
        let Editor::Model(model) = editor else {
            let (span, start) = (Span::none(), Duration::ZERO);
            return Self {
                editor: None,
                operation,
                span,
                start,
            };
        };
        if operation == "chat" {
            Metric::ModelSent.count(&[]);
        }
        let span = tracing::info_span!(
            target: SPANS,
            "model",
            otel.name = format!("{operation} {}", model.name),
            otel.kind = "client",
            otel.status_code = Empty,
            gen_ai.operation.name = operation,
            gen_ai.provider.name = model.provider,
            gen_ai.request.model = model.name,
            gen_ai.response.model = Empty,
            gen_ai.usage.input_tokens = Empty,
            gen_ai.usage.cache_read.input_tokens = Empty,
            gen_ai.usage.output_tokens = Empty,
            presswork.cost_usd = Empty,
            "error.type" = Empty,
        );
        Self {
            editor: Some(editor),
            operation,
            span,
            start: clock.monotonic(),
        }
    }

    /// The span of the request.
    pub(crate) fn span(&self) -> Span {
        self.span.clone()
    }

    /// It came to this.
    pub(crate) fn ended(&self, clock: &dyn Clock, outcome: &str) {
        let Some(Editor::Model(model)) = self.editor else {
            return;
        };
        if !matches!(outcome, "reply" | "pending") {
            self.span.record("error.type", outcome);
            self.span.record("otel.status_code", "ERROR");
        }
        if outcome == "not_processed" {
            Metric::ModelNotProcessed.count(&[]);
        }
        let labels = [
            ("gen_ai.operation.name", self.operation),
            ("gen_ai.provider.name", model.provider),
            ("gen_ai.request.model", model.name.as_str()),
            ("outcome", outcome),
        ];
        let took = clock.monotonic().saturating_sub(self.start);
        Metric::ModelDuration.time(took, &labels);
    }
}

/// An edit's outcome, for metrics.
pub(crate) fn outcome(edited: &Edited) -> &'static str {
    match edited {
        Edited::Reply(_) => "reply",
        Edited::Pending(_) => "pending",
        Edited::NotProcessed { .. } => "not_processed",
        Edited::Failed { .. } => "failed",
        Edited::Ambiguous(_) => "unknown",
    }
}

/// What the provider says of a call in the background, for metrics.
pub(crate) fn retrieved(retrieved: &Retrieved) -> &'static str {
    match retrieved {
        Retrieved::Settled(_) => "reply",
        Retrieved::Pending => "pending",
        Retrieved::Gone => "gone",
        Retrieved::Unclear(_) => "unclear",
    }
}

/// What a call used, priced. It goes on the span of the request that told it, which is entered.
pub(crate) fn used(editor: &Editor, usage: &Usage) {
    let Editor::Model(model) = editor else {
        return;
    };
    let span = Span::current();
    span.record("gen_ai.response.model", usage.model.as_str());
    span.record("gen_ai.usage.input_tokens", whole(usage.input_tokens));
    span.record(
        "gen_ai.usage.cache_read.input_tokens",
        whole(usage.cached_input_tokens),
    );
    span.record("gen_ai.usage.output_tokens", whole(usage.output_tokens));
    let name = model.name.as_str();
    for (kind, tokens) in [
        ("input", usage.input_tokens),
        ("cached_input", usage.cached_input_tokens),
        ("output", usage.output_tokens),
    ] {
        let labels = [
            ("gen_ai.operation.name", "chat"),
            ("gen_ai.provider.name", model.provider),
            ("gen_ai.request.model", name),
            ("gen_ai.token.type", kind),
        ];
        Metric::ModelTokens.record(tokens as f64, &labels);
    }
    if let Some(cost) = usage.cost_usd {
        let cost = cost.micros() as f64 / 1e6;
        span.record("presswork.cost_usd", cost);
        Metric::ModelCost.record(cost, &[("gen_ai.request.model", name)]);
    }
}

/// A job begins to wait for money.
pub(crate) fn waits(waiting: Option<&Waiting>) {
    let reason = match waiting.map(|waiting| waiting.reason) {
        Some(WaitReason::DailyBudget) => "daily_budget",
        Some(WaitReason::TenantDailyBudget) => "tenant_daily_budget",
        None => return,
    };
    Metric::BudgetWaits.count(&[("reason", reason)]);
}

/// A rendering of a job's documents.
pub(crate) fn render_span() -> Span {
    tracing::info_span!(
        target: SPANS,
        "render",
        otel.status_code = Empty,
        presswork.pdf.pages = Empty,
        presswork.pdf.size = Empty,
        "error.type" = Empty,
    )
}

/// What one handling of a job took, for its figures.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Figures {
    /// The request to the model.
    pub(crate) model: Option<Duration>,
    /// The documents.
    pub(crate) render: Option<Duration>,
}

/// A rendering ended: with a PDF of so many pages and bytes, or not.
pub(crate) fn rendered(span: &Span, took: Duration, pdf: Result<(u32, usize), &'static str>) {
    let outcome = match pdf {
        Ok((pages, size)) => {
            span.record("presswork.pdf.pages", whole(pages));
            span.record("presswork.pdf.size", whole(size));
            Metric::PdfPages.record(f64::from(pages), &[]);
            Metric::PdfSize.record(size as f64, &[]);
            "ok"
        }
        Err(reason) => {
            span.record("error.type", reason);
            span.record("otel.status_code", "ERROR");
            Metric::PdfErrors.count(&[("reason", reason)]);
            reason
        }
    };
    Metric::RenderDuration.time(took, &[("outcome", outcome)]);
}

/// A job reached a final state, or was held.
pub(crate) fn ended(row: &JobRow, share: config::Share, figures: Figures) {
    let (job_id, state) = (row.id, state(row.state));
    let ended = row.finished_at.unwrap_or(row.updated_at);
    let total = Duration::try_from(ended.duration_since(row.created_at)).unwrap_or_default();
    Metric::JobsEnded.count(&[("state", state)]);
    Metric::JobDuration.time(total, &[("state", state)]);
    if row.cached_from.is_some() {
        Metric::LatchHits.count(&[]);
    }
    if row.state == RowState::OutcomeUnknown {
        Metric::JobsHeld.count(&[]);
        tracing::error!(
            event = event::JOB_HELD,
            %job_id,
            "job {job_id} is held: the outcome of its model call is unknown"
        );
    }
    tracing::info!(event = event::JOB_ENDED, %job_id, state, "job {job_id} ended: {state}");
    if row.state != RowState::Succeeded || event::in_sample(share, &job_id.to_string()) {
        sample(row, state, total, figures);
    }
}

fn sample(row: &JobRow, state: &str, total: Duration, figures: Figures) {
    let JobRow {
        id: job_id,
        kind,
        result,
        usage,
        ..
    } = row;
    let result = result.as_ref();
    let usage = usage.as_ref();
    tracing::info!(
        event = event::PDF_METRICS_SAMPLE,
        %job_id,
        state,
        ?kind,
        total_ms = ms(total),
        model_ms = figures.model.map(ms),
        render_ms = figures.render.map(ms),
        pages = result.map(|result| result.pages),
        size_bytes = result.map(|result| result.size_bytes),
        cached = row.cached_from.is_some(),
        model_calls = row.model_calls,
        input_tokens = usage.map(|usage| usage.input_tokens),
        output_tokens = usage.map(|usage| usage.output_tokens),
        error = row.error.as_ref().map(|problem| problem.kind.uri()),
        "PDF_METRICS_SAMPLE job {job_id}: {state}"
    );
}

fn state(state: RowState) -> &'static str {
    match state {
        RowState::Queued => "queued",
        RowState::Calling => "calling",
        RowState::Rendering => "rendering",
        RowState::Succeeded => "succeeded",
        RowState::Failed => "failed",
        RowState::Cancelled => "cancelled",
        RowState::Expired => "expired",
        RowState::OutcomeUnknown => "outcome_unknown",
    }
}

fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// A job was put back by the reconciler.
pub(crate) fn stranded(job_id: JobId, at: RowState) {
    Metric::JobsStranded.count(&[]);
    let state = state(at);
    tracing::info!(event = event::JOB_STRANDED, %job_id, state, "job {job_id} stood still and is put back");
}

/// One try of a delivery to a webhook, in the trace of the request that it follows from.
pub(crate) fn webhook_span(traceparent: Option<&str>) -> Span {
    let span = tracing::info_span!(
        target: SPANS,
        "webhook",
        otel.name = "POST webhook",
        otel.kind = "client",
        otel.status_code = Empty,
        http.request.method = "POST",
        http.response.status_code = Empty,
        "error.type" = Empty,
    );
    child_of(&span, traceparent);
    span
}

/// What came of the try.
pub(crate) fn delivered(span: &Span, answer: &webhook::Attempt) {
    if let Some(status) = answer.status {
        span.record("http.response.status_code", whole(status));
    }
    Metric::WebhookDuration.time(answer.took, &[]);
    if answer.outcome == webhook::Outcome::Delivered {
        Metric::WebhooksDelivered.count(&[]);
        return;
    }
    let reason = answer.outcome.name();
    span.record("error.type", reason);
    span.record("otel.status_code", "ERROR");
    Metric::WebhooksFailed.count(&[("reason", reason)]);
}

/// A delivery was given up.
pub(crate) fn given_up() {
    Metric::WebhooksGivenUp.count(&[]);
}

/// The storage, with each call of it counted and in its trace; as it is where nobody receives that.
pub fn observed(storage: Storage, clock: &Arc<dyn Clock>) -> Storage {
    if !metrics::are_on() {
        return storage;
    }
    observe::observed(storage, clock.clone(), |seen| {
        let operation = seen.operation;
        let (service, verb) = (operation.service(), operation.verb());
        telemetry::metrics::storage_call(service, verb, seen.took, seen.failure);
    })
}

/// Sessions that had expired were removed.
pub(crate) fn sessions_expired(swept: Swept) {
    Metric::SessionsRemoved.record(swept.sessions as f64, &[("reason", "expired")]);
    Metric::SessionLife.time(swept.lived, &[]);
}

/// Counts the sessions, where somebody wants to know.
pub(crate) async fn sessions(sessions: &SessionStore) -> Result<(), StorageError> {
    if metrics::are_on() {
        Metric::SessionsActive.record(sessions.kept().await? as f64, &[]);
    }
    Ok(())
}

/// Looks at the queues for their metrics until `shutdown`; not at all where nobody receives them.
pub(crate) async fn queues(
    storage: &Storage,
    clock: &dyn Clock,
    every: Duration,
    shutdown: &CancellationToken,
) {
    if !metrics::are_on() {
        return;
    }
    // Workers that started together need not look together, but what they see adds no load to speak
    // of: a request for each queue, and one more where something waits.
    loop {
        for queue in QueueName::ALL {
            look_at(storage, clock, queue).await;
        }
        tokio::select! {
            biased;
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(every) => {}
        }
    }
}

/// Looks at the queues that workers take from, where somebody receives that: for a process that is
/// there while no worker is.
pub(crate) async fn work_queues(storage: &Storage, clock: &dyn Clock) {
    if metrics::are_on() {
        for queue in [QueueName::Jobs, QueueName::Notifications] {
            look_at(storage, clock, queue).await;
        }
    }
}

async fn look_at(storage: &Storage, clock: &dyn Clock, queue: QueueName) {
    let labels = [(QUEUE, queue.as_str())];
    // What fails is counted as a failure of storage; the figure stays what it was.
    let depth = storage.queue.count(queue).await;
    if let Ok(depth) = depth {
        Metric::QueueDepth.record(depth as f64, &labels);
    }
    let messages = match depth {
        Ok(0) => Ok(Vec::new()),
        _ => storage.queue.peek(queue, 32).await,
    };
    if let Ok(messages) = messages {
        let oldest = messages.iter().map(|message| message.inserted_at).min();
        let age = oldest.map(|oldest| clock.now().duration_since(oldest));
        let age = age.and_then(|age| Duration::try_from(age).ok());
        Metric::QueueAge.time(age.unwrap_or_default(), &labels);
    }
}
