//! The effects around the model's call: making it, asking for it, keeping its reply.

use std::time::Duration;

use openai::Retrieved;
use schemas::message::JobMessage;
use storage::jobs::CallOutcome;
use storage::port::{Result as StorageResult, StorageError};
use tracing::Instrument as _;

use super::Handling;
use crate::attempt::{Event, Hand, Polled};
use crate::editor::Edited;
use crate::jobs::StoredReply;
use crate::reference;
use crate::watch;

impl Handling<'_> {
    pub(super) async fn read_reply(&mut self) -> StorageResult<Event> {
        let JobMessage { tenant, job_id, .. } = self.message;
        self.reply = self.engine.store.reply(tenant, *job_id).await?;
        Ok(Event::Reply(self.reply.is_some()))
    }

    pub(super) async fn call(&mut self) -> StorageResult<Event> {
        let Some(input) = self.input().await? else {
            // The latch is ours and nothing was sent, so the job can fail at once.
            self.call = CallOutcome::NotProcessed;
            return Ok(Event::Called(Hand::Failed));
        };
        let reference = reference::write(&self.message.tenant, self.message.job_id);
        self.input = None;
        if let Some(permit) = &mut self.permit {
            permit.sent();
        }
        let (clock, editor) = (&*self.engine.clock, self.engine.editor.clone());
        let start = clock.monotonic();
        let asked = watch::Request::begin(clock, &editor, "chat");
        let edited = editor.edit(input, reference).instrument(asked.span()).await;
        asked.ended(clock, watch::outcome(&edited));
        self.figures.model = Some(clock.monotonic().saturating_sub(start));
        Ok(Event::Called(asked.span().in_scope(|| self.take(edited))))
    }

    /// Keeps what an edit came to.
    fn take(&mut self, edited: Edited) -> Hand {
        match self.settle(edited) {
            Edited::Reply(reply) => {
                self.call = CallOutcome::Replied;
                self.edited = Some(reply);
                Hand::Reply
            }
            Edited::Pending(id) => {
                self.call = CallOutcome::Unknown;
                self.reply_id = Some(id);
                Hand::ReplyId
            }
            Edited::NotProcessed { after, pause_all } => {
                self.call = CallOutcome::NotProcessed;
                let after = if pause_all {
                    self.engine.budget.pause(after)
                } else {
                    after
                };
                Hand::NotProcessed(after)
            }
            Edited::Failed {
                problem,
                usage,
                unpaid,
            } => {
                self.problem = Some(problem);
                self.usage = usage;
                self.call = if unpaid {
                    CallOutcome::Rejected
                } else {
                    CallOutcome::Failed
                };
                Hand::Failed
            }
            Edited::Ambiguous(problem) => {
                self.call = CallOutcome::Unknown;
                self.problem = Some(problem);
                Hand::Ambiguous
            }
        }
    }

    /// The row's id of the call.
    fn row_id(&self) -> Option<String> {
        self.loaded.as_ref()?.row.reply_id.clone()
    }

    pub(super) async fn store_reply_id(&mut self) -> StorageResult<Event> {
        let Some(id) = self.reply_id.clone() else {
            return Ok(Event::Conflict);
        };
        let pending = self.engine.settings.pending_max;
        let store = &self.engine.store;
        let moved = store.store_reply_id(self.loaded(), &id, pending).await;
        self.moved(moved)
    }

    /// Asks for a call in the background; nothing of the input is held meanwhile.
    pub(super) async fn poll(&mut self, in_hand: bool) -> StorageResult<Event> {
        let id = if in_hand {
            self.reply_id.clone()
        } else {
            self.row_id()
        };
        let editor = self.engine.editor.clone();
        let asked = watch::Request::begin(&*self.engine.clock, &editor, "retrieve");
        let retrieved = match id {
            Some(id) => editor.retrieve(&id).instrument(asked.span()).await,
            None => Retrieved::Gone,
        };
        let event = self.retrieved(retrieved, asked).await?;
        if in_hand && event == Event::Polled(Polled::Failed) {
            // Another call of this job: it says nothing of the row's.
            (self.call, self.usage, self.problem) = (CallOutcome::Unknown, None, None);
        }
        Ok(event)
    }

    pub(super) async fn cancel_call(&mut self) -> StorageResult<Event> {
        let editor = self.engine.editor.clone();
        let asked = watch::Request::begin(&*self.engine.clock, &editor, "cancel");
        let retrieved = match self.row_id() {
            Some(id) => editor.cancel(&id).instrument(asked.span()).await,
            None => Retrieved::Gone,
        };
        self.retrieved(retrieved, asked).await
    }

    async fn retrieved(
        &mut self,
        retrieved: Retrieved,
        asked: watch::Request<'_>,
    ) -> StorageResult<Event> {
        let clock = self.engine.clock.clone();
        asked.ended(&*clock, watch::retrieved(&retrieved));
        let settled = match retrieved {
            Retrieved::Settled(settled) => settled,
            Retrieved::Pending => return Ok(Event::Polled(Polled::Pending(Duration::ZERO))),
            Retrieved::Gone => return Ok(Event::Polled(Polled::Gone)),
            Retrieved::Unclear(after) => {
                let job_id = self.message.job_id;
                tracing::warn!(%job_id, "the provider did not say how the call of job {job_id} stands");
                let after = after.unwrap_or_default();
                return Ok(Event::Polled(Polled::Pending(after)));
            }
        };
        let Some(input) = self.input().await? else {
            self.call = CallOutcome::Failed;
            return Ok(Event::Polled(Polled::Failed));
        };
        let edited = self.engine.editor.read(*settled, &input);
        let hand = asked.span().in_scope(|| self.take(edited));
        Ok(Event::Polled(match hand {
            Hand::Reply => Polled::Reply,
            Hand::Failed => Polled::Failed,
            // A state that nobody knows yet: it may become another.
            _ => Polled::Pending(Duration::ZERO),
        }))
    }

    pub(super) async fn store_reply(&mut self, hand: Hand) -> StorageResult<Event> {
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
        // The one that was stored, or the one that gave nothing.
        let copy = match hand {
            Hand::Reply => self.edited.as_ref().and_then(|e| e.reply_id.clone()),
            _ => self.row_id(),
        };
        if let Some(id) = copy {
            self.engine.forget(id);
        }
        Ok(Event::Done)
    }

    pub(super) fn own_text(&self) -> StoredReply {
        let unknown = "the outcome of the model call is unknown.";
        StoredReply::own_text(self.problem.as_ref().map_or(unknown, |p| p.detail.as_str()))
    }

    /// The stored reply, read; `None` where it is gone or cannot be read.
    pub(super) async fn stored_reply(&mut self) -> StorageResult<Option<StoredReply>> {
        if self.reply.is_none() {
            self.read_reply().await?;
        }
        Ok(self
            .reply
            .as_ref()
            .and_then(|bytes| serde_json::from_slice(bytes).ok()))
    }
}
