//! The job state machine: what to do next with one message, as a pure function.
//!
//! One [`Attempt`] is one handling of one message. It asks for an [`Effect`]; whoever runs it
//! (`handling.rs`, or a model checker) does that and answers with an [`Event`]; [`Attempt::step`]
//! then names the next effect, until it says what becomes of the message. Nothing in here waits,
//! reads a clock, draws a random number or does I/O.
//!
//! The promise that it keeps: at most one request per job is ever accepted by the model (two
//! under [`Policy::RetryOnce`]), and no job is lost.

mod step;
#[cfg(test)]
mod tests;

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
    /// First pause before a call in the background is asked for again; each further one is twice
    /// as long.
    pub poll_min: Duration,
    /// Longest such pause.
    pub poll_max: Duration,
}

/// What the machine needs to know of the job's row, as of the last read or write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct View {
    /// Where the job stands.
    pub state: RowState,
    /// This handling latched the row: the row's token is one that it drew.
    pub mine: bool,
    /// A call may have been begun at some time, whatever became of it: a reply may be stored.
    pub begun: bool,
    /// How long the present call may still be out, by the table's clock; zero when it cannot.
    pub deadline_in: Duration,
    /// Whether the row has the provider's id of the call.
    pub reply_id: ReplyId,
    /// Calls whose outcome could not be known, the present one not counted.
    pub ambiguous_attempts: u32,
    /// How long it is not to be begun yet, by the table's clock; zero when it may.
    pub starts_in: Duration,
    /// Still queued when it should long have begun.
    pub expired: bool,
    /// The owner wants it stopped.
    pub cancel_requested: bool,
    /// The owner wants the own text rendered when the model gives nothing.
    pub own_text_will_do: bool,
    /// The owner has not been told of the present state.
    pub notify_behind: bool,
}

/// The provider's id of a call, as the row has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReplyId {
    /// It has none.
    Unknown,
    /// It has one: whoever reads it can ask for the reply.
    Known,
    /// It has the one that this handling was given.
    InHand,
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
    /// The provider's id of the call to the row, whatever its state. Answer: a move's.
    StoreReplyId,
    /// Ask for the reply. Answer: [`Event::Polled`].
    Poll {
        /// By the id in hand, which is not the row's; else by the row's.
        in_hand: bool,
    },
    /// Ask the provider to stop, by the row's id. Answer: [`Event::Polled`].
    CancelCall,
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
    /// The provider's id of the call, which is not on the row yet.
    ReplyId,
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
    /// What the provider says of a call whose id is known.
    Polled(Polled),
    /// The effect is done.
    Done,
    /// What came of making a PDF.
    Pdf(Pdf),
    /// What is needed is gone or of no use: the effect cannot be had, now or later.
    Impossible,
    /// Storage gave no clear answer: the effect may have happened or not.
    Unclear,
}

/// What the provider says of a call whose id is known. A connection that fails says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Polled {
    /// The reply is in hand.
    Reply,
    /// The answer is final and of no use, or the call was cancelled.
    Failed,
    /// Not done, or no clear answer: to be asked again, after this time at least.
    Pending(Duration),
    /// The provider knows no such call.
    Gone,
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
    /// The provider does not know the row's id any more.
    gone: bool,
    /// A latch was sent and not acknowledged: the row may be ours.
    in_doubt: bool,
    /// How often the call in the background was not done yet.
    polls: u32,
    /// Unclear answers since something was last written or learned from the provider.
    troubles: u32,
}

impl Effect {
    /// The name of every effect, as logs and fail points have it.
    pub const NAMES: [&str; 19] = [
        "read",
        "read_reply",
        "read_content",
        "copy_pdf",
        "take_budget",
        "latch",
        "check_fresh",
        "call",
        "store_reply_id",
        "poll",
        "cancel_call",
        "roll_back",
        "store_reply",
        "to_rendering",
        "render",
        "render_own_text",
        "finish",
        "set_aside",
        "notify",
    ];

    /// The answer where the effect took place and nobody learned of it.
    pub fn without_answer(self) -> Event {
        match self {
            // That it took place is what the machine must not forget.
            Self::Call => Event::Called(Hand::Ambiguous),
            Self::Poll { .. } | Self::CancelCall => Event::Polled(Polled::Pending(Duration::ZERO)),
            _ => Event::Unclear,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::ReadReply => "read_reply",
            Self::ReadContent => "read_content",
            Self::CopyPdf => "copy_pdf",
            Self::TakeBudget => "take_budget",
            Self::Latch { .. } => "latch",
            Self::CheckFresh => "check_fresh",
            Self::Call => "call",
            Self::StoreReplyId => "store_reply_id",
            Self::Poll { .. } => "poll",
            Self::CancelCall => "cancel_call",
            Self::RollBack => "roll_back",
            Self::StoreReply(_) => "store_reply",
            Self::ToRendering => "to_rendering",
            Self::Render => "render",
            Self::RenderOwnText => "render_own_text",
            Self::Finish(_) => "finish",
            Self::SetAside => "set_aside",
            Self::Notify => "notify",
        }
    }
}
