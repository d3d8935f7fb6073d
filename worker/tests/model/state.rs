//! The state of the small world: the job's row and blobs, the provider's calls, messages, workers.

use std::hash::{DefaultHasher, Hash, Hasher};

use storage::jobs::RowState;
use worker::attempt::{Attempt, Effect, Next};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Row {
    pub(crate) state: RowState,
    /// Counts calls begun.
    pub(crate) attempt: u8,
    /// It has a token; whose it is, is kept with the handlings.
    pub(crate) token: bool,
    /// The present call's deadline has passed.
    pub(crate) passed: bool,
    pub(crate) ambiguous: u8,
    pub(crate) reply_id: Option<u8>,
    pub(crate) cancel_requested: bool,
    pub(crate) poison: bool,
}

/// How a call stands at the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Call {
    /// Answered, or its answer is lost: nothing is kept.
    Over,
    /// At work in the background.
    Pending,
    /// Done; the reply is kept.
    Done,
    /// Failed, or cancelled.
    Failed,
    /// The copy was deleted.
    Deleted,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Message {
    /// Whose lease it is, by the newest receipt; the lease may have run out.
    pub(crate) holder: Option<u8>,
    pub(crate) visible: bool,
    /// Dequeues that were no deliberate waits.
    pub(crate) counted: u8,
    /// A webhook: the call that it names.
    pub(crate) hook: Option<u8>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Handling {
    pub(crate) attempt: Attempt,
    pub(crate) next: Next,
    pub(crate) message: u8,
    /// The number of the attempt and the provider's id, as last read or written.
    pub(crate) read: (u8, Option<u8>),
    /// Nobody has written the row since.
    pub(crate) current: bool,
    /// That was a moment ago.
    pub(crate) fresh: bool,
    /// The row's token is one that this handling drew.
    pub(crate) owner: bool,
    /// The number of the attempt that was begun last; of use to a mistake only.
    pub(crate) number: u8,
    /// The call whose id is in hand.
    pub(crate) call: Option<u8>,
    /// The call whose reply is in hand.
    pub(crate) reply: Option<u8>,
    /// The last effect found that a call may begin.
    pub(crate) checked: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct World {
    pub(crate) row: Row,
    /// The call that the stored reply is of.
    pub(crate) reply: Option<u8>,
    pub(crate) pdf: bool,
    pub(crate) copies_set_aside: u8,
    pub(crate) calls: Vec<Call>,
    pub(crate) accepted: u8,
    pub(crate) messages: [Option<Message>; 2],
    pub(crate) workers: [Option<Handling>; 2],
    pub(crate) marker: bool,
    pub(crate) consents: u8,
    pub(crate) faults: u8,
    /// A second message has been put.
    pub(crate) duplicated: bool,
    /// Handlings begun while nothing at all went wrong.
    pub(crate) calm_handlings: u8,
    pub(crate) calm: bool,
    /// The message was never put, or the job was opened again after its message was done with.
    pub(crate) may_lack_message: bool,
    pub(crate) broken: Broken,
}

/// Rules that were broken on the way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Broken {
    pub(crate) reply_changed: bool,
    pub(crate) final_left: bool,
    pub(crate) unchecked_call: bool,
    pub(crate) lost_message: bool,
    pub(crate) succeeded_without_pdf: bool,
}

impl Handling {
    /// The call that a question to the provider is about.
    pub(crate) fn asks_for(&self, effect: Effect) -> Option<u8> {
        match effect {
            Effect::Poll { in_hand: true } => self.call,
            _ => self.read.1,
        }
    }
}

/// Who moves a row.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Worker,
    Consent,
    Operator,
}

impl World {
    /// Writes the row: whoever read it before has an old version.
    pub(crate) fn write(&mut self, way: Option<Way>, change: impl FnOnce(&mut Row)) {
        let before = self.row;
        change(&mut self.row);
        let latched = self.row.token && self.row.attempt != before.attempt;
        for handling in self.workers.iter_mut().flatten() {
            handling.current = false;
            // Another token stands there now, or none.
            handling.owner &= self.row.token && !latched;
        }
        let (from, to) = (before.state, self.row.state);
        if from.is_final() && from != to {
            let permitted = match way {
                Some(Way::Worker) => {
                    from == RowState::OutcomeUnknown
                        && to == RowState::Rendering
                        && self.reply.is_some()
                }
                Some(Way::Consent) => from == RowState::OutcomeUnknown && to == RowState::Queued,
                Some(Way::Operator) => from == RowState::Failed && before.poison,
                None => false,
            };
            self.broken.final_left |= !permitted;
        }
    }

    /// Create-only: what is there stays, unless by mistake.
    pub(crate) fn store_reply(&mut self, reply: Option<u8>, overwrite: bool) {
        match self.reply {
            None => self.reply = reply,
            Some(_) if overwrite => {
                self.broken.reply_changed |= self.reply != reply;
                self.reply = reply;
            }
            Some(_) => {}
        }
    }

    pub(crate) fn held_by(&self, worker: u8, at: u8) -> Option<Message> {
        self.messages[usize::from(at)].filter(|message| message.holder == Some(worker))
    }

    /// A worker that lives holds the newest receipt.
    pub(crate) fn is_handled(&self, at: u8) -> bool {
        let holder = self.messages[usize::from(at)].and_then(|message| message.holder);
        let handling = holder.and_then(|holder| self.workers[usize::from(holder)].as_ref());
        handling.is_some_and(|handling| handling.message == at)
    }

    /// A worker that lives holds the row's token.
    pub(crate) fn has_owner(&self) -> bool {
        self.workers.iter().flatten().any(|handling| handling.owner)
    }

    pub(crate) fn put(&mut self, message: Message) {
        if let Some(place) = self.messages.iter_mut().find(|place| place.is_none()) {
            *place = Some(message);
        }
    }

    pub(crate) fn disturb(&mut self) {
        self.calm = false;
        self.faults = self.faults.saturating_sub(1);
    }

    pub(crate) fn is_open(&self) -> bool {
        !self.row.state.is_final()
    }

    /// The reconciler finds the marker, and that nothing has happened for a time.
    pub(crate) fn may_reconcile(&self) -> bool {
        let held = self.row.state == RowState::OutcomeUnknown;
        let late_reply = held && (self.reply.is_some() || self.row.reply_id.is_some());
        self.marker && self.messages == [None, None] && (self.is_open() || late_reply)
    }

    /// Which worker is which makes no difference, nor which message.
    pub(crate) fn canonical(&mut self) {
        if hash(&self.workers[0]) > hash(&self.workers[1]) {
            self.workers.swap(0, 1);
            for message in self.messages.iter_mut().flatten() {
                message.holder = message.holder.map(|holder| 1 - holder);
            }
        }
        if hash(&self.messages[0]) < hash(&self.messages[1]) {
            self.messages.swap(0, 1);
            for handling in self.workers.iter_mut().flatten() {
                handling.message = 1 - handling.message;
            }
        }
    }

    pub(crate) fn look_for_the_message(&mut self) {
        let lacks = self.messages == [None, None] && self.is_open();
        self.broken.lost_message |= lacks && !self.may_lack_message;
    }
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

pub(crate) fn message(hook: Option<u8>) -> Message {
    Message {
        holder: None,
        visible: true,
        counted: 0,
        hook,
    }
}
