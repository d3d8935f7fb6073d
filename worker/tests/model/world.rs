//! The small world of one job in which the state machine is explored: what may happen in it.
//!
//! Time is two facts: whether the present call's deadline has passed by the table's clock, and
//! whether a worker's last read is fresh. Messages are leased until they are given back or their
//! lease runs out, which may happen at any moment.

use std::time::Duration;

use storage::jobs::RowState;
use worker::attempt::{Attempt, Disposition, Effect, Event, Next, Policy, Rules};

use crate::state::{Broken, Call, Handling, Row, Way, World, message};

/// What is explored.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setup {
    pub(crate) policy: Policy,
    /// Calls are made in the background.
    pub(crate) background: bool,
    /// How many things go wrong or come between, in all: crashes, errors of storage, lost answers,
    /// leases and deadlines that run out under a worker that lives, calls that are not processed,
    /// fail or have an unknown outcome; cancels, consents, webhooks. What follows from these by
    /// itself, and a second message, come on top.
    pub(crate) faults: u8,
    /// A mistake on purpose.
    pub(crate) mistake: Option<Mistake>,
}

/// Mistakes that the properties must catch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mistake {
    NoLatch,
    NumberInsteadOfToken,
    LatchWithoutIfMatch,
    RollBackWithoutToken,
    ServerErrorAsNotProcessed,
    ReplyOverwritten,
    MessageDeletedBeforeFinal,
    NoMarker,
    HeartbeatKeepsOldReceipt,
    FinalStateLeftWithoutConsent,
}

/// What may happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    /// A worker receives a message.
    Receive(u8, u8),
    /// A worker does its next effect, or gives its message back.
    Step(u8, Luck),
    /// A worker dies.
    Crash(u8),
    /// A lease runs out.
    Expire(u8),
    /// A worker extends its lease.
    Heartbeat(u8),
    /// The present call's deadline passes.
    TimePasses,
    /// The message comes twice.
    Duplicate,
    /// The reconciler puts a message.
    Reconcile,
    /// The owner agrees to pay again.
    Consent,
    /// The owner cancels.
    Cancel,
    /// The provider's webhook names a call.
    Hook(u8),
    /// An operator opens a poisoned job again.
    Requeue,
}

/// How an effect ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Luck {
    Good,
    /// No effect, and no answer.
    Lost,
    /// The effect took place, and there is no answer.
    Unanswered,
    /// The request was not processed.
    NotProcessed,
    /// The model's answer is final and of no use.
    Failed,
    /// The call in the background is not done yet.
    Pending,
}

pub(crate) const TICK: Duration = Duration::from_millis(1);
const MAX_DEQUEUES: u32 = 1;

impl Setup {
    fn rules(self) -> Rules {
        Rules {
            policy: self.policy,
            max_dequeues: MAX_DEQUEUES,
            content_wait: TICK,
            poll_min: TICK,
            poll_max: TICK,
        }
    }

    pub(crate) fn made(self, mistake: Mistake) -> bool {
        self.mistake == Some(mistake)
    }

    /// A job was submitted; its message was put, or that failed.
    pub(crate) fn begin(self) -> Vec<World> {
        let row = Row {
            state: RowState::Queued,
            attempt: 0,
            token: false,
            passed: false,
            ambiguous: 0,
            reply_id: None,
            cancel_requested: false,
            poison: false,
        };
        let world = World {
            row,
            reply: None,
            pdf: false,
            copies_set_aside: 0,
            calls: Vec::new(),
            accepted: 0,
            messages: [Some(message(None)), None],
            workers: [None, None],
            marker: !self.made(Mistake::NoMarker),
            consents: 0,
            faults: self.faults,
            duplicated: false,
            calm_handlings: 0,
            calm: true,
            may_lack_message: false,
            broken: Broken::default(),
        };
        let mut not_enqueued = world.clone();
        not_enqueued.messages = [None, None];
        not_enqueued.faults -= 1;
        not_enqueued.calm = false;
        not_enqueued.may_lack_message = true;
        vec![world, not_enqueued]
    }

    /// All that may happen in a world.
    pub(crate) fn actions(self, world: &World, actions: &mut Vec<Action>) {
        for worker in 0..2u8 {
            match &world.workers[usize::from(worker)] {
                None => {
                    for (at, message) in (0..).zip(&world.messages) {
                        if message.is_some_and(|m| m.visible) {
                            actions.push(Action::Receive(worker, at));
                        }
                    }
                }
                Some(handling) => {
                    let lucks = Self::lucks(world, handling);
                    actions.extend(lucks.into_iter().map(|luck| Action::Step(worker, luck)));
                    if world.faults > 0 {
                        actions.push(Action::Crash(worker));
                    }
                    let extends = world.held_by(worker, handling.message).is_some();
                    if extends && self.made(Mistake::HeartbeatKeepsOldReceipt) {
                        actions.push(Action::Heartbeat(worker));
                    }
                }
            }
        }
        for (at, message) in (0..).zip(&world.messages) {
            if message.is_some_and(|m| !m.visible) && (world.faults > 0 || !world.is_handled(at)) {
                actions.push(Action::Expire(at));
            }
        }
        if world.row.state == RowState::Calling
            && !world.row.passed
            && (world.faults > 0 || !world.has_owner())
        {
            actions.push(Action::TimePasses);
        }
        let free = world.messages.contains(&None);
        if free && !world.duplicated && world.messages != [None, None] {
            actions.push(Action::Duplicate);
        }
        if world.may_reconcile() {
            actions.push(Action::Reconcile);
        }
        if world.faults > 0 {
            match world.row.state {
                RowState::OutcomeUnknown if free => actions.push(Action::Consent),
                RowState::Queued | RowState::Calling if !world.row.cancel_requested => {
                    actions.push(Action::Cancel);
                }
                RowState::Failed if world.row.poison && free => actions.push(Action::Requeue),
                _ => {}
            }
            if free && self.background {
                let calls = (0..).zip(&world.calls);
                actions.extend(calls.map(|(call, _)| Action::Hook(call)));
            }
        }
    }

    /// How a handling's next effect may end.
    fn lucks(world: &World, handling: &Handling) -> Vec<Luck> {
        let mut lucks = vec![Luck::Good];
        let Next::Do(effect, _) = handling.next else {
            return lucks;
        };
        let may_fail = world.faults > 0;
        match effect {
            Effect::Call => {
                if may_fail {
                    // The request arrived or not; the answer did not.
                    lucks.extend([Luck::Lost, Luck::Unanswered]);
                }
                if may_fail {
                    lucks.extend([Luck::NotProcessed, Luck::Failed]);
                }
            }
            Effect::Poll { .. } | Effect::CancelCall => {
                let pending = handling
                    .asks_for(effect)
                    .is_some_and(|call| world.calls[usize::from(call)] == Call::Pending);
                if pending && effect != Effect::CancelCall {
                    lucks.push(Luck::Pending);
                }
                if pending && may_fail {
                    lucks.push(Luck::Failed);
                }
                if may_fail {
                    lucks.push(Luck::Unanswered);
                }
            }
            Effect::CheckFresh => {
                if may_fail {
                    // A pause before the check.
                    lucks.push(Luck::Lost);
                }
            }
            Effect::TakeBudget => {}
            // An error of any read leads to the first.
            Effect::ReadReply | Effect::ReadContent => {}
            Effect::Read => {
                if may_fail {
                    lucks.push(Luck::Lost);
                }
            }
            _ => {
                if may_fail {
                    lucks.extend([Luck::Lost, Luck::Unanswered]);
                }
            }
        }
        lucks
    }

    /// What an action makes of a world.
    pub(crate) fn apply(self, world: &mut World, action: Action) {
        match action {
            Action::Receive(worker, at) => self.receive(world, worker, at),
            Action::Step(worker, luck) => {
                let Some(mut handling) = world.workers[usize::from(worker)].take() else {
                    return;
                };
                if !matches!(luck, Luck::Good | Luck::Pending) {
                    world.disturb();
                }
                if !self.step(world, worker, &mut handling, luck) {
                    world.workers[usize::from(worker)] = Some(handling);
                }
            }
            Action::Crash(worker) => {
                world.disturb();
                world.workers[usize::from(worker)] = None;
            }
            Action::Expire(at) => {
                if world.is_handled(at) {
                    world.disturb();
                }
                if let Some(message) = world.messages[usize::from(at)].as_mut() {
                    message.visible = true;
                }
            }
            // The mistake: the newest receipt is not kept.
            Action::Heartbeat(worker) => {
                let at = world.workers[usize::from(worker)]
                    .as_ref()
                    .map(|h| h.message);
                if let Some(message) = at.and_then(|at| world.messages[usize::from(at)].as_mut()) {
                    message.holder = None;
                }
            }
            Action::TimePasses => {
                if world.has_owner() {
                    world.disturb();
                }
                world.calm = false;
                world.row.passed = true;
                for handling in world.workers.iter_mut().flatten() {
                    handling.fresh = false;
                }
            }
            Action::Duplicate => {
                world.calm = false;
                world.duplicated = true;
                world.put(message(None));
            }
            Action::Reconcile => {
                world.calm = false;
                if world.row.state == RowState::OutcomeUnknown
                    && self.made(Mistake::FinalStateLeftWithoutConsent)
                {
                    world.write(None, |row| {
                        row.state = RowState::Queued;
                        row.token = false;
                    });
                }
                world.put(message(None));
            }
            Action::Consent => {
                world.disturb();
                world.consents += 1;
                world.may_lack_message = true;
                world.write(Some(Way::Consent), |row| {
                    row.state = RowState::Queued;
                    row.cancel_requested = false;
                });
                world.marker = true;
                world.put(message(None));
            }
            Action::Cancel => {
                world.disturb();
                if world.row.state == RowState::Queued {
                    world.write(None, |row| row.state = RowState::Cancelled);
                    world.marker = false;
                } else {
                    world.write(None, |row| row.cancel_requested = true);
                }
            }
            Action::Hook(call) => {
                world.disturb();
                // Only what is done is told of.
                let state = &mut world.calls[usize::from(call)];
                if *state == Call::Pending {
                    *state = Call::Done;
                }
                world.put(message(Some(call)));
            }
            Action::Requeue => {
                world.disturb();
                world.may_lack_message = true;
                let replied = world.reply.is_some();
                world.write(Some(Way::Operator), |row| {
                    row.poison = false;
                    row.state = if replied {
                        RowState::Rendering
                    } else {
                        RowState::Queued
                    };
                });
                world.marker = true;
                world.put(message(None));
            }
        }
        world.look_for_the_message();
        world.canonical();
    }

    fn receive(self, world: &mut World, worker: u8, at: u8) {
        let Some(message) = world.messages[usize::from(at)].as_mut() else {
            return;
        };
        message.visible = false;
        message.holder = Some(worker);
        message.counted = (message.counted + 1).min(MAX_DEQUEUES as u8 + 1);
        let (counted, hook) = (u32::from(message.counted), message.hook);
        if self.made(Mistake::MessageDeletedBeforeFinal) {
            world.messages[usize::from(at)] = None;
        }
        if world.calm {
            world.calm_handlings = (world.calm_handlings + 1).min(2);
        }
        let (attempt, next) = match hook {
            // A webhook that nobody's job is behind, or that came back too often, is deleted before a
            // handling begins.
            Some(call)
                if world.calls[usize::from(call)] == Call::Deleted || counted > MAX_DEQUEUES =>
            {
                world.messages[usize::from(at)] = None;
                return;
            }
            Some(_) => Attempt::begin_with_reply_id(self.rules(), counted),
            None => Attempt::begin(self.rules(), counted),
        };
        let mut handling = Handling {
            attempt,
            next,
            message: at,
            read: (0, None),
            current: false,
            fresh: false,
            owner: false,
            number: 0,
            call: hook,
            reply: None,
            checked: false,
        };
        // What comes between the receipt and the first read can be seen by nobody.
        self.step(world, worker, &mut handling, Luck::Good);
        world.workers[usize::from(worker)] = Some(handling);
    }

    /// One effect of a handling; `true` when it is over.
    fn step(self, world: &mut World, worker: u8, handling: &mut Handling, luck: Luck) -> bool {
        match handling.next {
            Next::Do(effect, _) => {
                let event = self.perform(world, worker, handling, effect, luck);
                handling.checked = effect == Effect::CheckFresh && event == Event::Fresh(true);
                (handling.attempt, handling.next) = handling.attempt.step(event);
                // Effects that change nothing and always end well in this world.
                let idle = [Effect::TakeBudget, Effect::ReadContent];
                if matches!(handling.next, Next::Do(effect, _) if idle.contains(&effect)) {
                    return self.step(world, worker, handling, Luck::Good);
                }
                false
            }
            Next::End(disposition) => {
                // A receipt that is not the newest has no effect.
                if let Some(mut message) = world.held_by(worker, handling.message) {
                    world.messages[usize::from(handling.message)] = match disposition {
                        Disposition::Delete => None,
                        Disposition::Release { forgiven, .. } => {
                            message.visible = true;
                            message.holder = None;
                            if forgiven {
                                message.counted = 0;
                            }
                            Some(message)
                        }
                    };
                }
                true
            }
        }
    }

    /// With these mistakes a worker that works has no receipt to look at.
    pub(crate) fn mistaken_about_messages(self) -> bool {
        self.made(Mistake::MessageDeletedBeforeFinal)
            || self.made(Mistake::HeartbeatKeepsOldReceipt)
    }
}
