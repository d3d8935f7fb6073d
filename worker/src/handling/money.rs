//! What a call may take and what it took: the budget before it, the figures after it.

use schemas::job::{Editor as EditorName, Usage};
use storage::jobs::{CallOutcome, Loaded, RowState};
use storage::port::{Result as StorageResult, StorageError};

use super::Handling;
use crate::attempt::Event;
use crate::budget::{Spent, Taken, request_tokens};
use crate::editor::{Edited, Editor};
use crate::jobs::{self, Source, StoredReply};
use crate::watch;

impl Handling<'_> {
    /// Asks for one call. A job that has to wait for money says so to its owner.
    pub(super) async fn take_budget(&mut self) -> StorageResult<Event> {
        let editor = self.engine.editor.clone();
        let Editor::Model(model) = &*editor else {
            return Ok(Event::Budget(None));
        };
        // An input that is gone ends the job at the call, which is then not made.
        let request = self.input().await?.map_or(0, |input| {
            let request = jobs::request(&input, String::new(), model.max_output_tokens);
            request_tokens(&request)
        });
        let (budget, tenant) = (&self.engine.budget, &self.message.tenant);
        match budget.take(tenant, request).await? {
            Taken::Granted(permit) => {
                self.permit = Some(permit);
                Ok(Event::Budget(None))
            }
            Taken::Wait { after, waiting } => {
                let row = &self.loaded().row;
                if let Some(waiting) = waiting
                    && row.state == RowState::Queued
                    && row.waiting.as_ref() != Some(&waiting)
                {
                    let noted = self.engine.store.note_waiting(self.loaded(), waiting).await;
                    match noted {
                        Ok(loaded) => {
                            watch::waits(loaded.row.waiting.as_ref());
                            self.loaded = Some(loaded);
                        }
                        Err(StorageError::Precondition) => return Ok(Event::Conflict),
                        Err(e) => return Err(e),
                    }
                }
                Ok(Event::Budget(Some(after)))
            }
        }
    }

    /// Prices what was used, and settles the budget by it.
    pub(super) fn settle(&mut self, edited: Edited) -> Edited {
        let budget = &self.engine.budget;
        let price = |usage: Option<Usage>| usage.map(|usage| budget.priced(usage));
        let spent = |usage: &Option<Usage>| {
            let cost = usage.as_ref().and_then(|usage| usage.cost_usd);
            cost.map_or(Spent::Unknown, Spent::Known)
        };
        let (edited, spent) = match edited {
            // The provider is still at work: the estimate stays reserved.
            Edited::Pending(_) => return edited,
            Edited::Reply(reply) => {
                let usage = price(reply.usage);
                let spent = spent(&usage);
                (Edited::Reply(StoredReply { usage, ..reply }), spent)
            }
            Edited::NotProcessed { .. } => (edited, Spent::Nothing),
            Edited::Failed {
                problem,
                usage,
                unpaid,
            } => {
                let usage = price(usage);
                let spent = if unpaid {
                    Spent::Nothing
                } else {
                    spent(&usage)
                };
                let failed = Edited::Failed {
                    problem,
                    usage,
                    unpaid,
                };
                (failed, spent)
            }
            Edited::Ambiguous(_) => (edited, Spent::Unknown),
        };
        let permit = self.permit.take();
        if let Edited::Reply(StoredReply {
            usage: Some(usage), ..
        })
        | Edited::Failed {
            usage: Some(usage), ..
        } = &edited
        {
            budget.used(permit.as_ref(), usage);
            watch::used(&self.engine.editor, usage);
        }
        if let Some(permit) = permit {
            permit.settle(spent);
        }
        edited
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
