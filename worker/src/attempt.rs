//! The job state machine: what to do next with one message, as a pure function.
//!
//! One [`Attempt`] is one handling of one message. It asks for an [`Effect`]; whoever runs it
//! (`handling.rs`, or a model checker) does that and answers with an [`Event`]; [`Attempt::step`]
//! then names the next effect, until it says what becomes of the message. Nothing in here waits,
//! reads a clock, draws a random number or does I/O.
//!
//! The promise that it keeps: at most one request per job is ever accepted by the model (two
//! under [`Policy::RetryOnce`]), and no job is lost.

use std::time::Duration;

use storage::jobs::RowState;

/// What to do when the outcome of a call is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Policy {
    /// Hold the job: it is not called again without its owner's consent.
    Hold,
    /// Call once more.
    RetryOnce,
}

/// What the machine is run with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rules {
    /// After a call of unknown outcome.
    pub policy: Policy,
    /// A message that was dequeued more often than this, waits aside, is set aside as poison.
    pub max_dequeues: u32,
    /// How long to wait for another job that is making the same content.
    pub content_wait: Duration,
}

/// What the machine needs to know of the job's row, as of the last read or write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct View {
    /// Where the job stands.
    pub state: RowState,
    /// This handling latched the row: the row's token is one that it drew.
    pub mine: bool,
    /// A call was begun at some time, whatever became of it: a reply may be stored.
    pub begun: bool,
    /// How long the present call may still be out, by the table's clock; zero when it cannot.
    pub deadline_in: Duration,
    /// Calls whose outcome could not be known, the present one not counted.
    pub ambiguous_attempts: u32,
    /// Still queued when it should long have begun.
    pub expired: bool,
    /// The owner wants it stopped.
    pub cancel_requested: bool,
    /// The owner wants the own text rendered when the model gives nothing.
    pub own_text_will_do: bool,
    /// The owner has not been told of the present state.
    pub notify_behind: bool,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Read the row. Answer: [`Event::Row`].
    Read,
    /// Look for a stored reply. Answer: [`Event::Reply`].
    ReadReply,
    /// Look who holds the latch of this content. Answer: [`Event::Content`].
    ReadContent,
    /// Copy the PDF of the job that made this content. Answer: [`Event::Pdf`].
    CopyPdf,
    /// Take a request out of the provider's budget. Answer: [`Event::Budget`].
    TakeBudget,
    /// Row to `calling` with a new token, the content's latch with it. Answer: a move's.
    Latch {
        /// The call before this one had an unknown outcome.
        after_ambiguous: bool,
    },
    /// Is the latch young and the lease held? Answer: [`Event::Fresh`].
    CheckFresh,
    /// One request to the model. Answer: [`Event::Called`].
    Call,
    /// Row back to `queued`. Answer: a move's.
    RollBack,
    /// Store what is in hand, create-only. Answer: [`Event::Done`].
    StoreReply(Hand),
    /// Row to `rendering`. Answer: a move's.
    ToRendering,
    /// Render the stored reply and store the PDF, create-only. Answer: [`Event::Pdf`].
    Render,
    /// Render the owner's own text and store it apart. Answer: [`Event::Pdf`].
    RenderOwnText,
    /// Row to a final state. Answer: a move's.
    Finish(End),
    /// Put a copy of the message on the poison queue. Answer: [`Event::Done`].
    SetAside,
    /// Put the notification. Answer: [`Event::Done`].
    Notify,
}

/// How a job ends. What goes with it (problem, PDF, warnings) is kept by the effects' runner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum End {
    /// With the PDF just stored.
    Succeeded,
    /// The model's answer is final and of no use.
    ModelFailed,
    /// The document cannot be rendered.
    RenderFailed,
    /// By its owner's wish.
    Cancelled,
    /// Not begun in time.
    Expired,
    /// Set aside after repeated failures, with no call out.
    Poisoned,
    /// The outcome of the call is unknown.
    Held,
    /// The outcome is unknown, and the message was set aside.
    HeldAsPoison,
}

/// What the call left in hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hand {
    /// Nothing: no call yet.
    Empty,
    /// The request was not processed; wait this long.
    NotProcessed(Duration),
    /// A reply that is not stored yet. It was paid for: it is never dropped lightly.
    Reply,
    /// The owner's own text, in place of a reply that is of no use. Not stored yet.
    OwnText,
    /// The reply is stored.
    Stored,
    /// A final failure.
    Failed,
    /// Nobody knows.
    Ambiguous,
}

/// Who holds the latch of the job's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Content {
    /// Nobody, or a job that came to nothing: it can be had.
    Free,
    /// A job that is at work.
    Busy,
    /// A job that made the PDF.
    Made,
}

/// The answer to an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// The row, if there is one.
    Row(Option<View>),
    /// Whether a reply is stored.
    Reply(bool),
    /// Who holds the content.
    Content(Content),
    /// Granted, or how long to wait.
    Budget(Option<Duration>),
    /// A move is acknowledged; the row is now this.
    Moved(View),
    /// A move is refused: somebody else wrote the row, or an earlier try of this move did.
    Conflict,
    /// Whether a call may begin now.
    Fresh(bool),
    /// What the call came to: never [`Hand::Empty`] or [`Hand::Stored`].
    Called(Hand),
    /// The effect is done.
    Done,
    /// What came of making a PDF.
    Pdf(Pdf),
    /// What is needed is gone or of no use: the effect cannot be had, now or later.
    Impossible,
    /// Storage gave no clear answer: the effect may have happened or not.
    Unclear,
}

/// What came of making a PDF.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pdf {
    /// Stored now; whoever listens for new blobs was told.
    Stored,
    /// It was there already; who listens may have missed it.
    Adopted,
    /// Making it crashed; another try may be luckier, or the message ends as poison.
    Crashed,
}

/// What becomes of the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Disposition {
    /// The job needs it no more.
    Delete,
    /// To be looked at again after a time.
    Release {
        /// How long to wait.
        after: Duration,
        /// A deliberate wait: the dequeue does not count as a failure.
        forgiven: bool,
    },
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Next {
    /// Do this, after a pause (zero but after trouble with storage).
    Do(Effect, Duration),
    /// The handling is over.
    End(Disposition),
}

/// One handling of one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Attempt {
    rules: Rules,
    /// Dequeues that were not deliberate waits, this one included.
    dequeues: u32,
    /// The effect that the next event answers.
    doing: Effect,
    /// The row as last read or written.
    view: Option<View>,
    hand: Hand,
    /// The message was copied to the poison queue.
    set_aside: bool,
    /// The PDF was found, not made: its event may be lost.
    adopted: bool,
    /// Unclear answers in a row of effects that were not followed by a clear one.
    troubles: u32,
}

/// Unclear answers in a row after which the message is left for later.
const PATIENCE: u32 = 5;
/// The same while a reply is in hand: about a minute of tries.
const PATIENCE_WITH_REPLY: u32 = 12;

impl Attempt {
    /// Begins a handling; the first effect is [`Effect::Read`].
    pub fn begin(rules: Rules, counted_dequeues: u32) -> (Self, Next) {
        let doing = Effect::Read;
        let attempt = Self {
            rules,
            dequeues: counted_dequeues,
            doing,
            view: None,
            hand: Hand::Empty,
            set_aside: false,
            adopted: false,
            troubles: 0,
        };
        (attempt, Next::Do(doing, Duration::ZERO))
    }

    /// Nothing has been latched or stored yet: a worker that is asked to stop may let go.
    pub fn may_let_go(&self) -> bool {
        let begun = self.view.is_some_and(|view| view.mine) || self.hand != Hand::Empty;
        let latching = matches!(self.doing, Effect::Latch { .. });
        let rendering = self
            .view
            .is_some_and(|view| view.state == RowState::Rendering);
        !begun && !latching && !rendering && !self.set_aside
    }

    /// Takes the answer to the last effect and says what comes next.
    pub fn step(self, event: Event) -> (Self, Next) {
        let mut next = self;
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
        self.troubles = 0;
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
            (RowState::OutcomeUnknown, _) => go(Effect::ReadReply),

            (RowState::Queued, Hand::Empty) if view.begun => go(Effect::ReadReply),
            (RowState::Queued, Hand::Empty) => self.queued(view),
            (RowState::Queued, Hand::Stored) => go(Effect::ToRendering),
            // Rolled back, by this handling or by one that knew more: somebody begins anew.
            (RowState::Queued, Hand::NotProcessed(delay)) => wait(delay),
            (RowState::Queued, _) => wait(Duration::ZERO),

            (RowState::Calling, Hand::Stored) => self.with_reply(),
            (RowState::Calling, Hand::Empty) if view.mine => go(Effect::CheckFresh),
            (RowState::Calling, _) if view.mine => self.called(),
            (RowState::Calling, _) => go(Effect::ReadReply),

            (RowState::Rendering, _) if self.is_poison() => self.aside(End::Poisoned),
            (RowState::Rendering, _) => go(Effect::Render),
        }
    }

    /// Not begun, or begun anew, and no reply is stored.
    fn queued(&self, view: View) -> Next {
        if view.expired {
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
            hand @ (Hand::Reply | Hand::OwnText) => go(Effect::StoreReply(hand)),
            Hand::Stored => self.with_reply(),
            // Whoever may call again waits until no trace of the first call can still be out.
            Hand::Ambiguous if self.may_repeat(view) => wait(view.deadline_in),
            Hand::Ambiguous => Self::hold(view),
            Hand::Empty => go(Effect::CheckFresh),
        }
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
            Some(view) if view.state == RowState::OutcomeUnknown => settled(view),
            Some(view) if view.state == RowState::Queued => self.queued(view),
            Some(view) if !view.deadline_in.is_zero() => wait(view.deadline_in),
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
        let in_hand = matches!(self.hand, Hand::Reply | Hand::OwnText);
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
