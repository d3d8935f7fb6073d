//! How a job ends: its last move with what its call came to, and who is told.

use schemas::job::{Editor as EditorName, Usage};
use schemas::message::JobMessage;
use schemas::{Problem, ProblemKind};
use storage::jobs::{CallOutcome, Ending, Loaded, RowState};
use storage::names::QueueName;
use storage::port::Result as StorageResult;

use super::{Handling, internal};
use crate::attempt::{End, Event};
use crate::editor::outcome_unknown;
use crate::jobs::{Source, StoredReply};
use crate::watch;

impl Handling<'_> {
    pub(super) async fn finish(&mut self, end: End) -> StorageResult<Event> {
        let Some(ending) = self.ending(end) else {
            return Ok(Event::Conflict);
        };
        let (call, usage) = self.last_call(end);
        self.note_cost(call, usage);
        let moved = self.engine.store.finish(self.loaded(), ending, call).await;
        let event = self.moved(moved)?;
        if let Event::Moved(_) = event {
            let row = &self.loaded().row;
            if matches!(end, End::ModelFailed | End::Cancelled)
                && let Some(id) = row.reply_id.clone()
            {
                self.engine.forget(id);
            }
            watch::ended(row, self.engine.settings.sample, self.figures);
        }
        Ok(event)
    }

    /// With what the job ends; `None` where that is not in hand.
    fn ending(&self, end: End) -> Option<Ending> {
        let problem = |none| self.problem.clone().unwrap_or_else(|| internal(none));
        Some(match end {
            End::Succeeded => Ending::Succeeded {
                pdf: self.pdf.clone()?,
                cached_from: self.copy_from.as_ref().map(|(id, _)| *id),
                warnings: self.warnings.clone(),
            },
            End::ModelFailed => Ending::Failed(problem("The model gave no usable reply.")),
            End::RenderFailed => Ending::Failed(problem("The document cannot be made.")),
            End::Cancelled => Ending::Cancelled,
            End::Expired => {
                let detail = "The job was not begun in time; submit it again.";
                Ending::Expired(Problem::new(ProblemKind::Expired, detail))
            }
            End::Poisoned => Ending::Failed(poison()),
            End::Held | End::HeldAsPoison => {
                // A call that was given up settles as cancelled: whether it was paid, nobody knows.
                let problem = self.problem.clone();
                let problem = problem.filter(|it| it.kind == ProblemKind::OutcomeUnknown);
                let problem = problem.unwrap_or_else(outcome_unknown);
                Ending::OutcomeUnknown(problem, self.pdf.clone())
            }
        })
    }

    /// What the call came to that is over with the job, if one is, and what it used.
    fn last_call(&self, end: End) -> (Option<CallOutcome>, Option<Usage>) {
        match end {
            End::ModelFailed => (Some(self.call), self.usage.clone()),
            End::Cancelled => {
                let (call, usage) = self.outcome();
                let calling = self.loaded().row.state == RowState::Calling;
                (calling.then_some(call), usage)
            }
            End::Held | End::HeldAsPoison => (Some(CallOutcome::Unknown), self.usage.clone()),
            End::Succeeded | End::RenderFailed | End::Expired | End::Poisoned => (None, None),
        }
    }

    pub(super) async fn set_aside(&mut self) -> StorageResult<Event> {
        let reason = "the job failed on every dequeue that counts";
        self.put_aside(reason).await?;
        Ok(Event::Done)
    }

    pub(super) async fn put_aside(&self, reason: &str) -> StorageResult<()> {
        let queue = &*self.engine.store.storage().queue;
        crate::poison::set_aside(queue, QueueName::JobsPoison, self.leased, reason).await
    }

    pub(super) async fn notify(&mut self) -> StorageResult<Event> {
        let JobMessage { tenant, job_id, .. } = self.message;
        self.engine.store.enqueue_ended(tenant, *job_id).await?;
        Ok(Event::Done)
    }

    /// What became of the row's call and what it used: as the stored reply says, where there is
    /// one, else as far as this handling knows.
    pub(super) fn outcome(&self) -> (CallOutcome, Option<Usage>) {
        let Some(stored) = &self.reply else {
            return (self.call, self.usage.clone());
        };
        match serde_json::from_slice::<StoredReply>(stored) {
            // It stands in place of a reply.
            Ok(reply) if reply.source == Source::Own => {
                let refused = self.call == CallOutcome::Rejected;
                let call = if refused {
                    self.call
                } else {
                    CallOutcome::Failed
                };
                (call, reply.usage)
            }
            Ok(reply) => (CallOutcome::Replied, reply.usage),
            Err(_) => (CallOutcome::Replied, None),
        }
    }

    /// What the call cost, as far as it is known, goes into the row with the next move.
    pub(super) fn note_cost(&mut self, call: Option<CallOutcome>, usage: Option<Usage>) {
        let Some(Loaded { row, .. }) = &mut self.loaded else {
            return;
        };
        if usage.is_some() {
            row.usage = usage;
        }
        let is_counted = row.state == RowState::Calling && row.editor == Some(EditorName::Model);
        if is_counted && call.is_some_and(|call| !call.may_be_paid()) {
            row.model_calls = row.model_calls.saturating_sub(1);
        }
    }
}

fn poison() -> Problem {
    let detail = "The job failed on several workers and was set aside for an operator.";
    Problem::new(ProblemKind::Poison, detail)
}
