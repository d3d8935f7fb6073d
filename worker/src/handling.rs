//! Runs the effects that one [`Attempt`] asks for, against storage, the editor and the renderer.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use schemas::event::Event as CloudEvent;
use schemas::job::{JobInput, OnModelFailure, Usage};
use schemas::message::JobMessage;
use schemas::{JobId, Problem, ProblemKind};
use sha2::{Digest as _, Sha256};
use storage::ambient::random;
use storage::jobs::{CallOutcome, Ending, JobRow, Latch, Loaded, RowState, StoredPdf, Token};
use storage::names::QueueName;
use storage::port::{ETag, Result as StorageResult, StorageError};

use crate::Engine;
use crate::attempt::{Attempt, Content, Disposition, Effect, End, Event, Hand, Next, Pdf, View};
use crate::delivery::Delivery;
use crate::editor::{Edited, outcome_unknown};
use crate::jobs::{self, StoredReply};
use crate::renderer::RenderFailure;

/// One handling of one message, with what its effects leave behind for the next ones.
pub(crate) struct Handling<'a> {
    engine: &'a Engine,
    message: &'a JobMessage,
    delivery: &'a Delivery,
    /// Tokens that this handling drew, one for each latch that was sent.
    tokens: Vec<Token>,
    loaded: Option<Loaded>,
    /// Monotonic, from before the read that `loaded` comes from.
    read_at: Duration,
    /// The same for the read before the latch.
    latch_read_at: Duration,
    input: Option<Arc<JobInput>>,
    /// The content's hash, and the version of its latch if there is one to replace.
    content: Option<(String, Option<ETag>)>,
    /// The job whose PDF can be copied, and where that is.
    copy_from: Option<(JobId, String)>,
    edited: Option<StoredReply>,
    reply: Option<Bytes>,
    problem: Option<Problem>,
    usage: Option<Usage>,
    /// The call was refused before it cost anything.
    unpaid: bool,
    pdf: Option<StoredPdf>,
    warnings: Vec<schemas::cv::Warning>,
}

impl<'a> Handling<'a> {
    /// Handles a message to its end.
    pub(crate) async fn run(
        engine: &'a Engine,
        message: &'a JobMessage,
        delivery: &'a Delivery,
    ) -> Disposition {
        let mut handling = Self {
            engine,
            message,
            delivery,
            tokens: Vec::new(),
            loaded: None,
            read_at: Duration::ZERO,
            latch_read_at: Duration::ZERO,
            input: None,
            content: None,
            copy_from: None,
            edited: None,
            reply: None,
            problem: None,
            usage: None,
            unpaid: false,
            pdf: None,
            warnings: Vec::new(),
        };
        let counted = delivery.dequeue_count.saturating_sub(message.forgiven);
        let (mut attempt, mut next) = Attempt::begin(engine.settings.rules, counted);
        loop {
            match next {
                Next::End(disposition) => return disposition,
                Next::Do(..) if engine.shutdown.is_cancelled() && attempt.may_let_go() => {
                    return Disposition::Release {
                        after: Duration::ZERO,
                        forgiven: true,
                    };
                }
                Next::Do(effect, pause) => {
                    if !pause.is_zero() {
                        tokio::time::sleep(pause).await;
                    }
                    let event = handling.perform(effect).await;
                    tracing::trace!(?effect, ?event, "step");
                    (attempt, next) = attempt.step(event);
                }
            }
        }
    }

    async fn perform(&mut self, effect: Effect) -> Event {
        let done = match effect {
            Effect::Read => self.read().await,
            Effect::ReadReply => self.read_reply().await,
            Effect::ReadContent => self.read_content().await,
            Effect::CopyPdf => self.copy_pdf().await,
            Effect::TakeBudget => Ok(Event::Budget(self.engine.throttle.take())),
            Effect::Latch { after_ambiguous } => self.latch(after_ambiguous).await,
            Effect::CheckFresh => Ok(Event::Fresh(self.is_fresh())),
            Effect::Call => self.call().await,
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
        done.unwrap_or_else(|e| {
            let job_id = self.message.job_id;
            tracing::warn!(%job_id, ?effect, error = &e as &dyn std::error::Error, "storage gave no clear answer for job {job_id}");
            Event::Unclear
        })
    }

    async fn read(&mut self) -> StorageResult<Event> {
        self.read_at = self.engine.clock.monotonic();
        let JobMessage { tenant, job_id, .. } = self.message;
        self.loaded = self.engine.store.read(tenant, *job_id).await?;
        Ok(Event::Row(
            self.loaded.as_ref().map(|loaded| self.view(loaded)),
        ))
    }

    fn view(&self, Loaded { row, date, .. }: &Loaded) -> View {
        let deadline_in = row.call_deadline.map_or(Duration::ZERO, |deadline| {
            Duration::try_from(deadline.duration_since(*date)).unwrap_or(Duration::ZERO)
        });
        View {
            state: row.state,
            mine: row.token.is_some_and(|token| self.tokens.contains(&token)),
            begun: row.attempt > 0,
            deadline_in,
            ambiguous_attempts: row.ambiguous_attempts,
            expired: row.state == RowState::Queued
                && row.created_at + self.engine.settings.expire_after <= *date,
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

    async fn read_reply(&mut self) -> StorageResult<Event> {
        let JobMessage { tenant, job_id, .. } = self.message;
        self.reply = self.engine.store.reply(tenant, *job_id).await?;
        Ok(Event::Reply(self.reply.is_some()))
    }

    /// The job's input; `None` where it is gone, which ends the job.
    async fn input(&mut self) -> StorageResult<Option<Arc<JobInput>>> {
        if self.input.is_none() {
            let JobMessage { tenant, job_id, .. } = self.message;
            match self.engine.store.input(tenant, *job_id).await {
                Ok(input) => self.input = Some(Arc::new(input)),
                Err(StorageError::NotFound) => {
                    self.problem = Some(internal("The job's input is gone."));
                }
                Err(e) => return Err(e),
            }
        }
        Ok(self.input.clone())
    }

    async fn read_content(&mut self) -> StorageResult<Event> {
        let Some(input) = self.input().await? else {
            return Ok(Event::Impossible);
        };
        if !self.engine.settings.execution_latch {
            return Ok(Event::Content(Content::Free));
        }
        let (store, tenant) = (&self.engine.store, &self.message.tenant);
        let hash = jobs::content_hash(&input, &self.engine.editor.identity());
        let Some((latch, etag)) = store.content_latch(tenant, &hash).await? else {
            self.content = Some((hash, None));
            return Ok(Event::Content(Content::Free));
        };
        self.content = Some((hash, Some(etag)));
        if self.loaded().row.force || latch.job_id == self.message.job_id {
            return Ok(Event::Content(Content::Free));
        }
        let holder = store
            .read(tenant, latch.job_id)
            .await?
            .map(|loaded| loaded.row);
        Ok(Event::Content(match holder {
            Some(JobRow {
                state: RowState::Succeeded,
                result_path: Some(path),
                id,
                ..
            }) => {
                self.copy_from = Some((id, path));
                Content::Made
            }
            Some(row) if !row.state.is_final() => Content::Busy,
            _ => Content::Free,
        }))
    }

    /// Copies another job's PDF to this job's own path, so that this job has its own event and
    /// erasing one spares the other.
    async fn copy_pdf(&mut self) -> StorageResult<Event> {
        let Some((_, path)) = &self.copy_from else {
            return Ok(Event::Impossible);
        };
        let (store, JobMessage { tenant, job_id, .. }) = (&self.engine.store, self.message);
        let (blob, facts) = match store.pdf(path).await {
            Ok(found) => found,
            Err(StorageError::NotFound) => {
                self.copy_from = None;
                return Ok(Event::Impossible);
            }
            Err(e) => return Err(e),
        };
        let pdf = store
            .put_pdf(tenant, *job_id, true, blob.data, facts)
            .await?;
        Ok(self.keep_pdf(pdf))
    }

    async fn latch(&mut self, after_ambiguous: bool) -> StorageResult<Event> {
        let token = Token(random(&*self.engine.entropy));
        // Known before it is sent: if the acknowledgement is lost, the row tells whose it is.
        self.tokens.push(token);
        self.latch_read_at = self.read_at;
        let loaded = self.loaded();
        let margin = self.engine.settings.deadline_margin;
        let latch = Latch {
            token,
            deadline: loaded.date + self.engine.editor.timeout() + margin,
            editor: self.engine.editor.name(),
            content: self.content.clone(),
            after_ambiguous,
        };
        let moved = self.engine.store.latch(loaded, latch).await;
        self.moved(moved)
    }

    fn is_fresh(&self) -> bool {
        let age = self
            .engine
            .clock
            .monotonic()
            .saturating_sub(self.latch_read_at);
        age <= self.engine.settings.latch_freshness && self.delivery.is_leased()
    }

    async fn call(&mut self) -> StorageResult<Event> {
        let Some(input) = self.input().await? else {
            // The latch is ours and nothing was sent, so the job can fail at once.
            return Ok(Event::Called(Hand::Failed));
        };
        let job_id = self.message.job_id;
        let reference = jobs::hex(
            &Sha256::digest(format!("{}/{job_id}", self.message.tenant).as_bytes())[..16],
        );
        self.input = None;
        let hand = match self.engine.editor.edit(input, reference).await {
            Edited::Reply(reply) => {
                self.edited = Some(reply);
                Hand::Reply
            }
            Edited::NotProcessed { after, pause_all } => {
                if pause_all {
                    self.engine.throttle.pause(after);
                }
                Hand::NotProcessed(after)
            }
            Edited::Failed {
                problem,
                usage,
                unpaid,
            } => {
                self.problem = Some(problem);
                self.usage = usage;
                self.unpaid = unpaid;
                Hand::Failed
            }
            Edited::Ambiguous(problem) => {
                self.problem = Some(problem);
                Hand::Ambiguous
            }
        };
        Ok(Event::Called(hand))
    }

    async fn store_reply(&mut self, hand: Hand) -> StorageResult<Event> {
        let reply = match (hand, &self.edited) {
            (Hand::Reply, Some(edited)) => edited.clone(),
            _ => StoredReply {
                usage: self.usage.clone(),
                ..self.own_text()
            },
        };
        let bytes = serde_json::to_vec(&reply).map_err(StorageError::unavailable)?;
        let JobMessage { tenant, job_id, .. } = self.message;
        let counts = self
            .engine
            .store
            .put_reply(tenant, *job_id, bytes.into())
            .await?;
        self.reply = Some(counts);
        Ok(Event::Done)
    }

    fn own_text(&self) -> StoredReply {
        let unknown = "the outcome of the model call is unknown.";
        StoredReply::own_text(self.problem.as_ref().map_or(unknown, |p| p.detail.as_str()))
    }

    /// The stored reply, read; `None` where it is gone or cannot be read.
    async fn stored_reply(&mut self) -> StorageResult<Option<StoredReply>> {
        if self.reply.is_none() {
            self.read_reply().await?;
        }
        Ok(self
            .reply
            .as_ref()
            .and_then(|bytes| serde_json::from_slice(bytes).ok()))
    }

    async fn begin_rendering(&mut self) -> StorageResult<Event> {
        let usage = self.stored_reply().await?.and_then(|reply| reply.usage);
        self.note_cost();
        let moved = self.engine.store.to_rendering(self.loaded(), usage).await;
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
        let rendered = self.engine.renderer.render(input, reply, created).await;
        let rendered = match rendered {
            Ok(rendered) => rendered,
            Err(RenderFailure::Crashed) => return Ok(Event::Pdf(Pdf::Crashed)),
            Err(RenderFailure::Refused(e)) => {
                let detail = format!("The document cannot be set: {e}.");
                self.problem = Some(Problem::new(ProblemKind::RenderFailed, detail));
                return Ok(Event::Impossible);
            }
        };
        self.warnings = rendered.warnings;
        let JobMessage { tenant, job_id, .. } = self.message;
        let (pdf, facts) = (rendered.pdf, rendered.facts);
        let pdf = self
            .engine
            .store
            .put_pdf(tenant, *job_id, polished, pdf, facts)
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

    async fn finish(&mut self, end: End) -> StorageResult<Event> {
        let calling = self.loaded().row.state == RowState::Calling;
        let problem = || self.problem.clone();
        let (ending, call) = match end {
            End::Succeeded => {
                let Some(pdf) = self.pdf.clone() else {
                    return Ok(Event::Conflict);
                };
                let cached_from = self.copy_from.as_ref().map(|(id, _)| *id);
                let call = cached_from.is_none().then_some(CallOutcome::Replied);
                let warnings = self.warnings.clone();
                (
                    Ending::Succeeded {
                        pdf,
                        cached_from,
                        warnings,
                    },
                    call,
                )
            }
            End::ModelFailed => {
                let none = || internal("The model gave no usable reply.");
                (
                    Ending::Failed(problem().unwrap_or_else(none)),
                    Some(CallOutcome::Failed),
                )
            }
            End::RenderFailed => {
                let none = || internal("The document cannot be made.");
                (Ending::Failed(problem().unwrap_or_else(none)), None)
            }
            End::Cancelled => (Ending::Cancelled, calling.then_some(self.outcome())),
            End::Expired => {
                let detail = "The job was not begun in time; submit it again.";
                (
                    Ending::Expired(Problem::new(ProblemKind::Expired, detail)),
                    None,
                )
            }
            End::Poisoned => (Ending::Failed(poison()), None),
            End::Held | End::HeldAsPoison => {
                let problem = problem().unwrap_or_else(outcome_unknown);
                (
                    Ending::OutcomeUnknown(problem, self.pdf.clone()),
                    Some(CallOutcome::Unknown),
                )
            }
        };
        self.note_cost();
        let moved = self.engine.store.finish(self.loaded(), ending, call).await;
        let event = self.moved(moved)?;
        if let Event::Moved(_) = event {
            let (job_id, state) = (self.message.job_id, self.loaded().row.state);
            tracing::info!(%job_id, ?state, "job {job_id} ended");
        }
        Ok(event)
    }

    /// What the call cost, as far as it is known, goes into the row with the next move.
    fn note_cost(&mut self) {
        let Some(Loaded { row, .. }) = &mut self.loaded else {
            return;
        };
        if self.usage.is_some() {
            row.usage.clone_from(&self.usage);
        }
        if self.unpaid && row.state == RowState::Calling {
            row.model_calls = row.model_calls.saturating_sub(1);
        }
    }

    fn outcome(&self) -> CallOutcome {
        match (&self.reply, &self.problem) {
            (Some(_), _) => CallOutcome::Replied,
            (None, Some(p)) if p.kind == ProblemKind::OutcomeUnknown => CallOutcome::Unknown,
            (None, Some(_)) => CallOutcome::Failed,
            (None, None) => CallOutcome::Unknown,
        }
    }

    async fn set_aside(&mut self) -> StorageResult<Event> {
        let reason = "the job failed on every dequeue that counts";
        let queue = &*self.engine.store.storage().queue;
        crate::poison::set_aside(queue, QueueName::JobsPoison, self.delivery, reason).await?;
        Ok(Event::Done)
    }

    async fn notify(&mut self) -> StorageResult<Event> {
        let JobMessage { tenant, job_id, .. } = self.message;
        let event = CloudEvent {
            specversion: "1.0".to_owned(),
            id: jobs::hex(&random::<16>(&*self.engine.entropy)),
            source: "/presswork/worker".to_owned(),
            kind: CloudEvent::JOB_ENDED.to_owned(),
            subject: format!("/tenants/{tenant}/jobs/{job_id}"),
            time: self.engine.clock.now(),
            data: serde_json::Value::Null,
        };
        let body = serde_json::to_string(&event).map_err(StorageError::unavailable)?;
        let queue = &self.engine.store.storage().queue;
        queue
            .send(QueueName::Notifications, &body, Duration::ZERO)
            .await?;
        Ok(Event::Done)
    }
}

fn internal(detail: &str) -> Problem {
    Problem::new(ProblemKind::Internal, detail)
}

fn poison() -> Problem {
    let detail = "The job failed on several workers and was set aside for an operator.";
    Problem::new(ProblemKind::Poison, detail)
}
