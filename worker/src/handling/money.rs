//! What a call may take and what it took: the budget before it, the figures after it.

use schemas::job::Usage;
use storage::jobs::RowState;
use storage::port::{Result as StorageResult, StorageError};

use super::Handling;
use crate::attempt::Event;
use crate::budget::{Spent, Taken, request_tokens};
use crate::editor::{Edited, Editor};
use crate::jobs::{self, StoredReply};
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
}
