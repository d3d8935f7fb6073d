//! Runs the effects that one [`Attempt`] asks for, against storage, the editor and the renderer.

mod calls;
mod content;
mod end;
mod input;
mod money;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use schemas::cv::Warning;
use schemas::job::{JobInput, OnModelFailure, Usage};
use schemas::message::JobMessage;
use schemas::{JobId, Problem, ProblemKind};
use storage::ambient::random;
use storage::jobs::{CallOutcome, JobRow, Latch, Loaded, RowState, StoredPdf, Token};
use storage::port::{ETag, Result as StorageResult, StorageError};
use tokio::sync::OwnedSemaphorePermit;
use tracing::Instrument as _;

use crate::attempt::{Attempt, Disposition, Effect, Event, Next, Pdf, ReplyId, View};
use crate::budget::Permit;
use crate::failpoints;
use crate::jobs::StoredReply;
use crate::leased::Leased;
use crate::renderer::{RenderFailure, RenderedJob};
use crate::watch;
use crate::worker::Engine;

/// One handling of one message, with what its effects leave behind for the next ones.
pub(crate) struct Handling<'a> {
    engine: &'a Engine,
    message: &'a JobMessage,
    leased: &'a Leased,
    /// Tokens that this handling drew, one for each latch that was sent, with the time of the read that
    /// the latch was sent on. Any of them may turn out to be the row's: an answer that is late is no
    /// refusal.
    tokens: Vec<(Token, Duration)>,
    loaded: Option<Loaded>,
    /// Monotonic, from before the read that `loaded` comes from.
    read_at: Duration,
    input: Option<Arc<JobInput>>,
    /// The input as it is stored, while there is room for it.
    input_json: Option<(Bytes, OwnedSemaphorePermit)>,
    /// The content's hash, and the version of its latch if there is one to replace.
    content: Option<(String, Option<ETag>)>,
    /// The job whose PDF can be copied, and where that is.
    copy_from: Option<(JobId, String)>,
    /// The provider's id of a call of this job, as it was given to this handling.
    reply_id: Option<String>,
    edited: Option<StoredReply>,
    reply: Option<Bytes>,
    problem: Option<Problem>,
    usage: Option<Usage>,
    /// What became of the last call, as far as this handling knows.
    call: CallOutcome,
    /// The right to make one call.
    permit: Option<Permit>,
    pdf: Option<StoredPdf>,
    warnings: Vec<Warning>,
    figures: watch::Figures,
}

impl<'a> Handling<'a> {
    /// Handles a message to its end. `reply_id` is the provider's id of a call of this job, where
    /// it is known from elsewhere than the row.
    pub(crate) async fn run(
        engine: &'a Engine,
        message: &'a JobMessage,
        leased: &'a Leased,
        reply_id: Option<String>,
    ) -> Disposition {
        let knows_id = reply_id.is_some();
        let mut handling = Self {
            engine,
            message,
            leased,
            tokens: Vec::new(),
            loaded: None,
            read_at: Duration::ZERO,
            input: None,
            input_json: None,
            content: None,
            copy_from: None,
            reply_id,
            edited: None,
            reply: None,
            problem: None,
            usage: None,
            call: CallOutcome::Unknown,
            permit: None,
            pdf: None,
            warnings: Vec::new(),
            figures: watch::Figures::default(),
        };
        let counted = leased.dequeue_count.saturating_sub(message.forgiven);
        let rules = engine.settings.rules;
        let (mut attempt, mut next) = if knows_id {
            Attempt::begin_with_reply_id(rules, counted)
        } else {
            Attempt::begin(rules, counted)
        };
        loop {
            let (effect, pause) = match next {
                Next::End(disposition) => return disposition,
                Next::Do(effect, pause) => (effect, pause),
            };
            let may_let_go = attempt.may_let_go();
            if !pause.is_zero() {
                tokio::select! {
                    biased;
                    () = engine.shutdown.cancelled(), if may_let_go => {}
                    () = tokio::time::sleep(pause) => {}
                }
            }
            if may_let_go && engine.shutdown.is_cancelled() {
                return Disposition::Release {
                    after: Duration::ZERO,
                    forgiven: true,
                };
            }
            let event = match handling.perform(effect).await {
                Ok(event) => event,
                Err(e) => match handling.trouble(effect, &e, counted).await {
                    Ok(event) => event,
                    Err(disposition) => return disposition,
                },
            };
            tracing::trace!(?effect, ?event, "step");
            (attempt, next) = attempt.step(event);
        }
    }

    /// What an error of storage comes to: an answer for the state machine, or the end of this
    /// handling, which is the message's `counted`th.
    async fn trouble(
        &mut self,
        effect: Effect,
        e: &StorageError,
        counted: u32,
    ) -> Result<Event, Disposition> {
        let Engine { settings, .. } = self.engine;
        let (job_id, event) = (self.message.job_id, telemetry::event::JOB_UNCLEAR);
        let rest = |forgiven| Disposition::Release {
            after: settings.lease.visibility,
            forgiven,
        };
        if storage::is_newer(e) {
            tracing::info!(%job_id, "job {job_id} is left for a newer worker");
            return Err(rest(true));
        }
        if storage::is_damaged(e) {
            tracing::error!(event, %job_id, ?effect, error = e as &dyn std::error::Error, "a record of job {job_id} cannot be read");
            // Where only its row can be read, the state machine ends the job before it comes here.
            let reason = "a record of the job cannot be read";
            let aside =
                counted > settings.rules.max_dequeues && self.put_aside(reason).await.is_ok();
            return Err(if aside {
                Disposition::Delete
            } else {
                rest(false)
            });
        }
        if let StorageError::Invalid(_) = e {
            tracing::error!(event, %job_id, ?effect, error = e as &dyn std::error::Error, "storage refuses a record of job {job_id}");
            let detail = "What is to be recorded of the job breaks a limit of storage.";
            self.problem = Some(internal(detail));
            return Ok(Event::Impossible);
        }
        tracing::warn!(event, %job_id, ?effect, error = e as &dyn std::error::Error, "storage gave no clear answer for job {job_id}");
        Ok(Event::Unclear)
    }

    async fn perform(&mut self, effect: Effect) -> StorageResult<Event> {
        failpoints::before(effect.name());
        let event = match effect {
            Effect::Read => self.read().await,
            Effect::ReadReply => self.read_reply().await,
            Effect::ReadContent => self.read_content().await,
            Effect::CopyPdf => self.copy_pdf().await,
            Effect::TakeBudget => self.take_budget().await,
            Effect::Latch { after_ambiguous } => self.latch(after_ambiguous).await,
            Effect::CheckFresh => Ok(Event::Fresh(self.check_fresh())),
            Effect::Call => self.call().await,
            Effect::StoreReplyId => self.store_reply_id().await,
            Effect::Poll { in_hand } => self.poll(in_hand).await,
            Effect::CancelCall => self.cancel_call().await,
            Effect::RollBack => {
                let moved = self.engine.store.roll_back(self.loaded()).await;
                self.moved(moved)
            }
            Effect::StoreReply(hand) => self.store_reply(hand).await,
            Effect::ToRendering => self.begin_rendering().await,
            Effect::Render => self.render(true).await,
            Effect::RenderOwnText => self.render(false).await,
            Effect::Finish(end) => self.finish(end).await,
            Effect::SetAside => self.set_aside().await,
            Effect::Notify => self.notify().await,
        };
        if failpoints::after(effect.name()) {
            return Ok(effect.without_answer());
        }
        event
    }

    async fn read(&mut self) -> StorageResult<Event> {
        self.read_at = self.engine.clock.monotonic();
        let JobMessage { tenant, job_id, .. } = self.message;
        let was_here = self.loaded.is_some();
        let token = |loaded: &Option<Loaded>| loaded.as_ref()?.row.token;
        let of = token(&self.loaded);
        self.loaded = self.engine.store.read(tenant, *job_id).await?;
        if token(&self.loaded) != of {
            // What is known of one call says nothing of another.
            (self.call, self.usage) = (CallOutcome::Unknown, None);
        }
        match &self.loaded {
            Some(Loaded { row, .. })
                if row.state.is_final() && row.state != RowState::OutcomeUnknown =>
            {
                // The reply of a call before the one that counted. Nobody will ask for it.
                if row.reply_id != self.reply_id
                    && let Some(id) = self.reply_id.take()
                {
                    self.engine.forget(id);
                }
            }
            Some(_) => {}
            None => self.leave_nothing(was_here).await?,
        }
        Ok(Event::Row(
            self.loaded.as_ref().map(|loaded| self.view(loaded)),
        ))
    }

    /// The job was purged, while this handling had it in hand or before: what was written since goes too.
    async fn leave_nothing(&mut self, was_here: bool) -> StorageResult<()> {
        let JobMessage { tenant, job_id, .. } = self.message;
        if !was_here && !self.engine.store.is_buried(tenant, *job_id).await? {
            // Never here: the provider's hint is of another installation's job on the same account.
            return Ok(());
        }
        let reply = self.edited.take().and_then(|edited| edited.reply_id);
        for id in reply.into_iter().chain(self.reply_id.take()) {
            self.engine.forget(id);
        }
        if self.reply.is_some() || self.pdf.is_some() {
            self.engine.store.drop_blobs(tenant, *job_id).await?;
        }
        Ok(())
    }

    fn view(&self, Loaded { row, date, .. }: &Loaded) -> View {
        let deadline_in = row.call_deadline.map_or(Duration::ZERO, |deadline| {
            Duration::try_from(deadline.duration_since(*date)).unwrap_or(Duration::ZERO)
        });
        View {
            state: row.state,
            mine: self.latch_read_at(row).is_some(),
            // A restore may have set the number back: the reply is where it was.
            begun: row.attempt > 0 || row.reopened_at.is_some(),
            deadline_in,
            reply_id: match (&row.reply_id, &self.reply_id) {
                (None, _) => ReplyId::Unknown,
                (Some(known), Some(in_hand)) if known == in_hand => ReplyId::InHand,
                (Some(_), _) => ReplyId::Known,
            },
            ambiguous_attempts: row.ambiguous_attempts,
            starts_in: row.not_before.map_or(Duration::ZERO, |time| {
                Duration::try_from(time.duration_since(*date)).unwrap_or(Duration::ZERO)
            }),
            expired: row.state == RowState::Queued
                && row.waits_since() + self.engine.settings.expire_after <= *date,
            cancel_requested: row.cancel_requested,
            own_text_will_do: row.on_model_failure == OnModelFailure::RenderUnpolished,
            notify_behind: row.notified_version < row.version,
        }
    }

    /// The row that a move is written against. Every move follows a read.
    fn loaded(&self) -> &Loaded {
        self.loaded
            .as_ref()
            .expect("the state machine reads the row before it moves it")
    }

    /// The answer to a move. What is refused or not acknowledged is read again.
    fn moved(&mut self, moved: StorageResult<Loaded>) -> StorageResult<Event> {
        match moved {
            Ok(loaded) => {
                let view = self.view(&loaded);
                self.loaded = Some(loaded);
                Ok(Event::Moved(view))
            }
            Err(StorageError::Precondition | StorageError::AlreadyExists) => Ok(Event::Conflict),
            Err(e) => Err(e),
        }
    }

    async fn latch(&mut self, after_ambiguous: bool) -> StorageResult<Event> {
        let token = Token(random(&*self.engine.entropy));
        // Known before it is sent: if the acknowledgement is lost, the row tells whose it is.
        self.tokens.push((token, self.read_at));
        self.call = CallOutcome::Unknown;
        let loaded = self.loaded();
        let margin = self.engine.settings.deadline_margin;
        let latch = Latch {
            token,
            deadline: loaded.date + self.engine.editor.timeout() + margin,
            editor: self.engine.editor.name(),
            model: self.engine.editor.model_name(),
            background: self.engine.editor.is_background(),
            content: self.content.clone(),
            after_ambiguous,
        };
        let moved = self.engine.store.latch(loaded, latch).await;
        if let Ok(loaded) = &moved {
            self.engine.notifier.began(&loaded.row);
            if loaded.row.model_calls > 0 && (after_ambiguous || loaded.row.consents > 0) {
                telemetry::Metric::ModelRepeated.count(&[]);
            }
        }
        self.moved(moved)
    }

    /// When the row was read that this handling's latch was sent on; `None` if the row's is not of
    /// this handling.
    fn latch_read_at(&self, row: &JobRow) -> Option<Duration> {
        let mut drawn = self.tokens.iter();
        drawn
            .find(|(token, _)| row.token == Some(*token))
            .map(|(_, read_at)| *read_at)
    }

    fn check_fresh(&mut self) -> bool {
        let now = self.engine.clock.monotonic();
        let is_young =
            |read_at| now.saturating_sub(read_at) <= self.engine.settings.latch_freshness;
        let is_fresh =
            self.latch_read_at(&self.loaded().row).is_some_and(is_young) && self.leased.is_leased();
        if !is_fresh {
            self.call = CallOutcome::NotProcessed;
        }
        is_fresh
    }

    async fn begin_rendering(&mut self) -> StorageResult<Event> {
        if self.reply.is_none() {
            self.read_reply().await?;
        }
        let (call, usage) = self.outcome();
        self.note_cost(Some(call), None);
        let store = &self.engine.store;
        let moved = store.to_rendering(self.loaded(), usage, call).await;
        self.moved(moved)
    }

    async fn render(&mut self, polished: bool) -> StorageResult<Event> {
        let Some(input) = self.input().await? else {
            return Ok(Event::Impossible);
        };
        let reply = if polished {
            self.stored_reply().await?
        } else {
            Some(self.own_text())
        };
        let Some(reply) = reply else {
            self.problem = Some(internal("The stored reply is gone or cannot be read."));
            return Ok(Event::Impossible);
        };
        let created = self.loaded().row.created_at;
        let rendered = self.rendered(input, reply, created).await;
        let rendered = match rendered {
            Ok(rendered) => rendered,
            Err(RenderFailure::Crashed) => return Ok(Event::Pdf(Pdf::Crashed)),
            Err(RenderFailure::Refused(e)) => {
                let detail = format!("The document cannot be set: {e}.");
                self.problem = Some(Problem::new(ProblemKind::RenderFailed, detail));
                return Ok(Event::Impossible);
            }
        };
        self.warnings.clone_from(&rendered.warnings);
        self.store_rendered(rendered, polished).await
    }

    /// Renders, watched.
    async fn rendered(
        &mut self,
        input: Arc<JobInput>,
        reply: StoredReply,
        created: jiff::Timestamp,
    ) -> Result<RenderedJob, RenderFailure> {
        let (clock, span) = (&self.engine.clock, watch::render_span());
        let start = clock.monotonic();
        let rendering = self.engine.renderer.render(input, reply, created);
        let rendered = rendering.instrument(span.clone()).await;
        let took = clock.monotonic().saturating_sub(start);
        self.figures.render = Some(took);
        let pdf = match &rendered {
            Ok(rendered) => Ok((rendered.facts.pages, rendered.pdf.len())),
            Err(RenderFailure::Crashed) => Err("crashed"),
            Err(RenderFailure::Refused(_)) => Err("refused"),
        };
        watch::rendered(&span, took, pdf);
        rendered
    }

    async fn store_rendered(
        &mut self,
        rendered: RenderedJob,
        polished: bool,
    ) -> StorageResult<Event> {
        let (store, JobMessage { tenant, job_id, .. }) = (&self.engine.store, self.message);
        let beside = rendered.beside.into_iter();
        let beside = beside.map(|beside| (beside.data, beside.facts)).collect();
        let main = (rendered.pdf, rendered.facts);
        let pdf = store
            .put_result(tenant, *job_id, polished, main, beside)
            .await?;
        Ok(self.keep_pdf(pdf))
    }

    fn keep_pdf(&mut self, pdf: StoredPdf) -> Event {
        let what = if pdf.adopted {
            Pdf::Adopted
        } else {
            Pdf::Stored
        };
        self.pdf = Some(pdf);
        Event::Pdf(what)
    }
}

fn internal(detail: &str) -> Problem {
    Problem::new(ProblemKind::Internal, detail)
}
