//! The rules of the state machine: each answer leads to the next effect.

use std::time::Duration;

use storage::jobs::RowState;

use super::{
    Attempt, Content, Disposition, Effect, End, Event, Hand, Next, Pdf, Policy, Polled, ReplyId,
    Rules, View,
};

/// Unclear answers without progress after which the message is left for later.
const PATIENCE: u32 = 5;
/// The same while a reply is in hand: about a minute of tries.
const PATIENCE_WITH_REPLY: u32 = 12;

const POLL: Effect = Effect::Poll { in_hand: false };
const POLL_IN_HAND: Effect = Effect::Poll { in_hand: true };

impl Attempt {
    /// Begins a handling; the first effect is [`Effect::Read`].
    pub fn begin(rules: Rules, counted_dequeues: u32) -> (Self, Next) {
        Self::begin_with(rules, counted_dequeues, Hand::Empty)
    }

    /// Begins a handling to which the provider's id of a call of this job is known from elsewhere.
    pub fn begin_with_reply_id(rules: Rules, counted_dequeues: u32) -> (Self, Next) {
        Self::begin_with(rules, counted_dequeues, Hand::ReplyId)
    }

    fn begin_with(rules: Rules, dequeues: u32, hand: Hand) -> (Self, Next) {
        let doing = Effect::Read;
        let attempt = Self {
            rules,
            dequeues,
            doing,
            view: None,
            hand,
            set_aside: false,
            adopted: false,
            gone: false,
            in_doubt: false,
            polls: 0,
            troubles: 0,
        };
        (attempt, Next::Do(doing, Duration::ZERO))
    }

    /// Nothing would be lost: a worker that is asked to stop may let go. So it is before the
    /// latch, and again while a call is out whose id is on the row.
    pub fn may_let_go(&self) -> bool {
        let mine = |view: View| view.mine && view.reply_id == ReplyId::Unknown;
        let begun = self.view.is_some_and(mine) || self.hand != Hand::Empty;
        let rendering = self
            .view
            .is_some_and(|view| view.state == RowState::Rendering);
        !begun && !self.in_doubt && !rendering && !self.set_aside
    }

    /// Takes the answer to the last effect and says what comes next.
    pub fn step(self, event: Event) -> (Self, Next) {
        let mut next = self;
        next.in_doubt = match self.doing {
            Effect::Latch { .. } => !matches!(event, Event::Moved(_)),
            Effect::Read => self.in_doubt && !matches!(event, Event::Row(_)),
            _ => false,
        };
        let what = next.react(event);
        if let Next::Do(effect, _) = what {
            next.doing = effect;
        }
        (next, what)
    }

    fn react(&mut self, event: Event) -> Next {
        if event == Event::Unclear {
            return self.trouble();
        }
        // What is only read, or made anew, can go on for ever beside a write that never succeeds.
        if let Event::Moved(_) | Event::Called(_) | Event::Polled(_) | Event::Done = event {
            self.troubles = 0;
        }
        match (self.doing, event) {
            (Effect::Read, Event::Row(Some(view))) => self.decide(view),
            // Purged: nothing is owed to anybody.
            (Effect::Read, Event::Row(None)) => Next::End(Disposition::Delete),

            (Effect::ReadReply, Event::Reply(true)) => {
                self.hand = Hand::Stored;
                self.with_reply()
            }
            (Effect::ReadReply, Event::Reply(false)) => self.without_reply(),

            (Effect::ReadContent, Event::Content(Content::Free)) => go(Effect::TakeBudget),
            (Effect::ReadContent, Event::Content(Content::Made)) => go(Effect::CopyPdf),
            (Effect::ReadContent, Event::Content(Content::Busy)) => wait(self.rules.content_wait),
            (Effect::ReadContent | Effect::Render, Event::Impossible) => {
                go(Effect::Finish(End::RenderFailed))
            }

            (Effect::CopyPdf, Event::Pdf(pdf @ (Pdf::Stored | Pdf::Adopted))) => {
                self.adopted = pdf == Pdf::Adopted;
                go(Effect::Finish(End::Succeeded))
            }
            // The PDF to copy is gone: the content is to be made anew.
            (Effect::CopyPdf, Event::Pdf(Pdf::Crashed) | Event::Impossible) => {
                go(Effect::TakeBudget)
            }

            (Effect::TakeBudget, Event::Budget(None)) => {
                let after_ambiguous = self.state() == Some(RowState::Calling);
                go(Effect::Latch { after_ambiguous })
            }
            (Effect::TakeBudget, Event::Budget(Some(delay))) => wait(delay),

            (Effect::Latch { .. }, Event::Moved(view)) => {
                self.view = Some(view);
                self.gone = false;
                go(Effect::CheckFresh)
            }
            (Effect::CheckFresh, Event::Fresh(true)) => go(Effect::Call),
            (Effect::CheckFresh, Event::Fresh(false)) => {
                self.hand = Hand::NotProcessed(Duration::ZERO);
                go(Effect::RollBack)
            }
            (Effect::Call, Event::Called(hand)) => {
                self.hand = hand;
                self.called()
            }
            (Effect::StoreReplyId, Event::Moved(view)) => {
                self.view = Some(view);
                self.hand = Hand::Empty;
                go(POLL)
            }
            (Effect::Poll { .. }, Event::Polled(polled)) => self.polled(polled),
            (Effect::CancelCall, Event::Polled(polled)) => self.stopped(polled),
            (Effect::RollBack, Event::Moved(_)) => match self.hand {
                Hand::NotProcessed(delay) => wait(delay),
                _ => wait(Duration::ZERO),
            },

            (Effect::StoreReply(_), Event::Done) => {
                self.hand = Hand::Stored;
                self.with_reply()
            }
            (Effect::ToRendering, Event::Moved(view)) => {
                self.view = Some(view);
                go(Effect::Render)
            }
            (Effect::Render, Event::Pdf(pdf)) => match pdf {
                Pdf::Stored | Pdf::Adopted => {
                    self.adopted = pdf == Pdf::Adopted;
                    go(Effect::Finish(End::Succeeded))
                }
                Pdf::Crashed => Next::End(Disposition::Release {
                    after: Duration::from_secs(1),
                    forgiven: false,
                }),
            },
            // With or without the own text: the job is held.
            (Effect::RenderOwnText, Event::Pdf(_) | Event::Impossible) => {
                go(Effect::Finish(End::Held))
            }

            (Effect::SetAside, Event::Done) => {
                self.set_aside = true;
                let calling = self.state() == Some(RowState::Calling);
                self.aside(if calling {
                    End::HeldAsPoison
                } else {
                    End::Poisoned
                })
            }
            (Effect::Finish(end), Event::Moved(_)) => {
                // A new PDF tells of itself; every other end has to be told.
                if end == End::Succeeded && !self.adopted {
                    Next::End(Disposition::Delete)
                } else {
                    go(Effect::Notify)
                }
            }
            // Storage refuses what is to be recorded of the document, now and later.
            (Effect::Finish(End::Succeeded), Event::Impossible) => {
                go(Effect::Finish(End::RenderFailed))
            }
            (Effect::Notify, Event::Done) => Next::End(Disposition::Delete),

            (_, Event::Conflict) => go(Effect::Read),
            // An answer that does not belong to the effect: only a reading of the row is safe.
            (_, _) => self.trouble(),
        }
    }

    /// What to do with a row as it is, and with what is in hand.
    fn decide(&mut self, view: View) -> Next {
        self.view = Some(view);
        match (view.state, self.hand) {
            // Paid for and not safe yet: first of all it is stored, whatever the row says.
            (_, hand @ (Hand::Reply | Hand::OwnText)) => go(Effect::StoreReply(hand)),

            (
                RowState::Succeeded | RowState::Failed | RowState::Cancelled | RowState::Expired,
                _,
            ) => settled(view),
            (RowState::OutcomeUnknown, Hand::Stored) => go(Effect::ToRendering),
            (RowState::OutcomeUnknown | RowState::Calling, Hand::ReplyId) => self.keep_id(view),
            (RowState::OutcomeUnknown, _) => go(Effect::ReadReply),

            (RowState::Queued, Hand::Empty) if view.begun => go(Effect::ReadReply),
            (RowState::Queued, Hand::Empty) => self.queued(view),
            (RowState::Queued, Hand::Stored) => go(Effect::ToRendering),
            (RowState::Queued, Hand::ReplyId) => go(POLL_IN_HAND),
            // Rolled back, by this handling or by one that knew more: somebody begins anew.
            (RowState::Queued, Hand::NotProcessed(delay)) => wait(delay),
            (RowState::Queued, _) => wait(Duration::ZERO),

            (RowState::Calling, Hand::Stored) => self.with_reply(),
            (RowState::Calling, Hand::Empty) if view.mine => match view.reply_id {
                ReplyId::Unknown => go(Effect::CheckFresh),
                ReplyId::Known | ReplyId::InHand => ask(view),
            },
            (RowState::Calling, _) if view.mine => self.called(),
            (RowState::Calling, _) => go(Effect::ReadReply),

            (RowState::Rendering, _) if self.is_poison() => self.aside(End::Poisoned),
            (RowState::Rendering, _) => go(Effect::Render),
        }
    }

    /// Not begun, or begun anew, and no reply is stored.
    fn queued(&self, view: View) -> Next {
        if !view.starts_in.is_zero() {
            wait(view.starts_in)
        } else if view.expired {
            go(Effect::Finish(End::Expired))
        } else if self.is_poison() {
            self.aside(End::Poisoned)
        } else {
            go(Effect::ReadContent)
        }
    }

    /// The call has come to something, and the row is still ours.
    fn called(&mut self) -> Next {
        let Some(view) = self.view else {
            return go(Effect::Read);
        };
        match self.hand {
            Hand::NotProcessed(_) | Hand::Failed if view.cancel_requested => {
                go(Effect::Finish(End::Cancelled))
            }
            Hand::NotProcessed(_) => go(Effect::RollBack),
            Hand::Failed if view.own_text_will_do => {
                self.hand = Hand::OwnText;
                go(Effect::StoreReply(Hand::OwnText))
            }
            Hand::Failed => go(Effect::Finish(End::ModelFailed)),
            Hand::ReplyId => go(Effect::StoreReplyId),
            hand @ (Hand::Reply | Hand::OwnText) => go(Effect::StoreReply(hand)),
            Hand::Stored => self.with_reply(),
            // Whoever may call again waits until no trace of the first call can still be out.
            Hand::Ambiguous if self.may_repeat(view) => wait(view.deadline_in),
            Hand::Ambiguous => Self::hold(view),
            Hand::Empty => go(Effect::CheckFresh),
        }
    }

    /// The provider's id of a call is in hand, and the row is `calling` or held.
    fn keep_id(&mut self, view: View) -> Next {
        match view.reply_id {
            ReplyId::InHand => {
                self.hand = Hand::Empty;
                go(POLL)
            }
            ReplyId::Unknown => go(Effect::StoreReplyId),
            ReplyId::Known if view.mine => go(Effect::StoreReplyId),
            // The id of another call of this job stays where it is; ours may bring a reply all
            // the same.
            ReplyId::Known => go(POLL_IN_HAND),
        }
    }

    /// The provider was asked for the reply.
    fn polled(&mut self, polled: Polled) -> Next {
        let Some(view) = self.view else {
            return go(Effect::Read);
        };
        let of_the_row = self.hand != Hand::ReplyId;
        match polled {
            Polled::Reply => {
                self.hand = Hand::Reply;
                go(Effect::StoreReply(Hand::Reply))
            }
            Polled::Failed if of_the_row && view.state == RowState::Calling => {
                self.hand = Hand::Failed;
                self.called()
            }
            Polled::Gone if of_the_row => {
                // Whoever deleted it at the provider has stored the reply before.
                self.gone = true;
                go(Effect::ReadReply)
            }
            // Another call of this job came to nothing: the row's own goes on.
            Polled::Failed | Polled::Gone if !of_the_row => {
                self.hand = Hand::Empty;
                go(Effect::Read)
            }
            Polled::Pending(at_least) => {
                let pause = self.poll_pause(at_least);
                match view.state {
                    RowState::Calling => Next::Do(Effect::Read, pause),
                    RowState::Queued => wait(pause),
                    // The reconciler asks again.
                    _ => settled(view),
                }
            }
            Polled::Failed | Polled::Gone => settled(view),
        }
    }

    /// The provider was asked to stop, by the owner's wish or because it takes too long.
    fn stopped(&mut self, polled: Polled) -> Next {
        let Some(view) = self.view else {
            return go(Effect::Read);
        };
        match polled {
            // It was faster.
            Polled::Reply => {
                self.hand = Hand::Reply;
                go(Effect::StoreReply(Hand::Reply))
            }
            Polled::Gone => {
                self.gone = true;
                go(Effect::ReadReply)
            }
            Polled::Pending(at_least) if !view.deadline_in.is_zero() => {
                Next::Do(Effect::Read, self.poll_pause(at_least))
            }
            Polled::Failed | Polled::Pending(_) => Self::hold(view),
        }
    }

    fn poll_pause(&mut self, at_least: Duration) -> Duration {
        let Rules {
            poll_min, poll_max, ..
        } = self.rules;
        let pause = poll_min.saturating_mul(1 << self.polls);
        if pause < poll_max {
            self.polls = (self.polls + 1).min(16);
        }
        pause.min(poll_max).max(at_least)
    }

    /// A reply is stored, and the row has not moved on to it yet.
    fn with_reply(&mut self) -> Next {
        match self.view {
            Some(view) if view.state == RowState::Calling && view.cancel_requested => {
                go(Effect::Finish(End::Cancelled))
            }
            Some(View {
                state: RowState::Queued | RowState::Calling | RowState::OutcomeUnknown,
                ..
            }) => go(Effect::ToRendering),
            _ => go(Effect::Read),
        }
    }

    /// No reply is stored, and the row is queued, held, or `calling` by somebody else.
    fn without_reply(&self) -> Next {
        match self.view {
            None => go(Effect::Read),
            Some(view) if view.state == RowState::OutcomeUnknown => {
                match (view.reply_id, self.gone) {
                    (ReplyId::Unknown, _) | (_, true) => settled(view),
                    _ => go(POLL),
                }
            }
            Some(view) if view.state == RowState::Queued => self.queued(view),
            Some(view) if !self.gone && view.reply_id != ReplyId::Unknown => {
                if self.is_poison() {
                    self.aside(End::HeldAsPoison)
                } else {
                    ask(view)
                }
            }
            Some(view) if !self.gone && !view.deadline_in.is_zero() => wait(view.deadline_in),
            Some(_) if self.is_poison() => self.aside(End::HeldAsPoison),
            Some(view) if self.may_repeat(view) => go(Effect::TakeBudget),
            Some(view) => Self::hold(view),
        }
    }

    fn is_poison(&self) -> bool {
        self.dequeues > self.rules.max_dequeues
    }

    /// A copy goes to the poison queue first, so that the job is never final without one.
    fn aside(&self, end: End) -> Next {
        go(if self.set_aside {
            Effect::Finish(end)
        } else {
            Effect::SetAside
        })
    }

    fn may_repeat(&self, view: View) -> bool {
        self.rules.policy == Policy::RetryOnce
            && view.ambiguous_attempts == 0
            && !view.cancel_requested
    }

    fn hold(view: View) -> Next {
        go(if view.cancel_requested {
            Effect::Finish(End::Cancelled)
        } else if view.own_text_will_do {
            Effect::RenderOwnText
        } else {
            Effect::Finish(End::Held)
        })
    }

    /// Storage gave no clear answer. A move may have happened, so the row is read again; a reply
    /// in hand is stored again, create-only.
    fn trouble(&mut self) -> Next {
        self.troubles += 1;
        let in_hand = matches!(self.hand, Hand::ReplyId | Hand::Reply | Hand::OwnText);
        let patience = if in_hand {
            PATIENCE_WITH_REPLY
        } else {
            PATIENCE
        };
        if self.troubles > patience {
            return Next::End(Disposition::Release {
                after: Duration::from_secs(5),
                forgiven: true,
            });
        }
        let pause = Duration::from_millis(50 << self.troubles.min(7));
        let again = match self.doing {
            Effect::StoreReply(hand) => Effect::StoreReply(hand),
            Effect::Notify => Effect::Notify,
            _ => Effect::Read,
        };
        Next::Do(again, pause)
    }

    fn state(&self) -> Option<RowState> {
        self.view.map(|view| view.state)
    }
}

/// A call is out whose id is on the row.
fn ask(view: View) -> Next {
    go(if view.cancel_requested || view.deadline_in.is_zero() {
        Effect::CancelCall
    } else {
        POLL
    })
}

fn go(effect: Effect) -> Next {
    Next::Do(effect, Duration::ZERO)
}

/// A deliberate wait: not the job's fault.
fn wait(after: Duration) -> Next {
    Next::End(Disposition::Release {
        after,
        forgiven: true,
    })
}

/// The row is final or held, and nothing changes that.
fn settled(view: View) -> Next {
    if view.notify_behind {
        go(Effect::Notify)
    } else {
        Next::End(Disposition::Delete)
    }
}
