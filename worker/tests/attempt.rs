//! The state machine against a small world of one job: several workers, crashes, lost
//! acknowledgements, duplicate messages, leases that run out. Seeded; a failure names its seed.

#![allow(
    clippy::unwrap_used,
    reason = "a test may fail at once, in its helpers too"
)]

use std::collections::BTreeMap;
use std::time::Duration;

use storage::jobs::RowState;
use worker::attempt::{
    Attempt, Content, Disposition, Effect, End, Event, Hand, Next, Pdf, Policy, ReplyId, Rules,
    View,
};

/// Longest time of a call, in ticks. A tick is a millisecond to the machine.
const CALL: u64 = 20;

#[derive(Clone, Copy, Debug)]
struct Row {
    state: RowState,
    version: u64,
    token: Option<u32>,
    attempt: u32,
    deadline: u64,
    ambiguous: u32,
}

#[derive(Clone, Copy, Debug)]
struct Message {
    id: u64,
    visible_at: u64,
    dequeues: u32,
    forgiven: u32,
    /// Which receive holds it: another one makes this receipt stale.
    receipt: u64,
}

#[derive(Debug)]
struct World {
    random: u64,
    /// In per cent: the chance of each fault at each effect.
    faults: u64,
    now: u64,
    row: Row,
    reply: bool,
    pdf: bool,
    poison: u32,
    accepted: u32,
    tokens: u32,
    messages: Vec<Message>,
    receipts: u64,
    finals: u32,
}

struct Handling {
    message: u64,
    receipt: u64,
    attempt: Attempt,
    next: Next,
    tokens: Vec<u32>,
    read: Option<Row>,
    latched_at: u64,
}

impl World {
    fn new(seed: u64, faults: u64) -> Self {
        let row = Row {
            state: RowState::Queued,
            version: 1,
            token: None,
            attempt: 0,
            deadline: 0,
            ambiguous: 0,
        };
        let mut world = Self {
            random: seed,
            faults,
            now: 0,
            row,
            reply: false,
            pdf: false,
            poison: 0,
            accepted: 0,
            tokens: 0,
            messages: Vec::new(),
            receipts: 0,
            finals: 0,
        };
        world.send();
        world
    }

    /// SplitMix64.
    fn below(&mut self, n: u64) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }

    fn fault(&mut self) -> bool {
        let faults = self.faults;
        self.below(100) < faults
    }

    fn send(&mut self) {
        self.receipts += 1;
        let (id, visible_at) = (self.receipts, self.now);
        self.messages.push(Message {
            id,
            visible_at,
            dequeues: 0,
            forgiven: 0,
            receipt: id,
        });
    }

    fn receive(&mut self, rules: Rules) -> Option<Handling> {
        let now = self.now;
        self.receipts += 1;
        let receipt = self.receipts;
        let message = self.messages.iter_mut().find(|m| m.visible_at <= now)?;
        message.dequeues += 1;
        message.visible_at = now + 15;
        message.receipt = receipt;
        let (attempt, next) = Attempt::begin(rules, message.dequeues - message.forgiven);
        Some(Handling {
            message: message.id,
            receipt,
            attempt,
            next,
            tokens: Vec::new(),
            read: None,
            latched_at: 0,
        })
    }

    fn view(&self, handling: &Handling, row: Row) -> View {
        View {
            state: row.state,
            mine: row
                .token
                .is_some_and(|token| handling.tokens.contains(&token)),
            begun: row.attempt > 0,
            reply_id: ReplyId::Unknown,
            deadline_in: Duration::from_millis(row.deadline.saturating_sub(self.now)),
            ambiguous_attempts: row.ambiguous,
            starts_in: Duration::ZERO,
            expired: false,
            cancel_requested: false,
            own_text_will_do: false,
            notify_behind: false,
        }
    }

    /// An If-Match update: now it is lost on the way, now its acknowledgement is.
    fn change(&mut self, handling: &mut Handling, change: impl FnOnce(&mut Row)) -> Event {
        if self.fault() {
            return Event::Unclear;
        }
        let read = handling.read.expect("a move follows a read");
        if read.version != self.row.version {
            return Event::Conflict;
        }
        change(&mut self.row);
        self.row.version += 1;
        if matches!(self.row.state, RowState::Succeeded | RowState::Failed) {
            self.finals += 1;
        }
        if self.fault() {
            return Event::Unclear;
        }
        handling.read = Some(self.row);
        Event::Moved(self.view(handling, self.row))
    }

    fn perform(&mut self, handling: &mut Handling, effect: Effect) -> Event {
        match effect {
            Effect::Read if self.fault() => Event::Unclear,
            Effect::Read => {
                handling.read = Some(self.row);
                Event::Row(Some(self.view(handling, self.row)))
            }
            Effect::ReadReply => Event::Reply(self.reply),
            Effect::ReadContent => Event::Content(Content::Free),
            Effect::CopyPdf | Effect::RenderOwnText => unreachable!("not in this world"),
            Effect::StoreReplyId | Effect::Poll { .. } | Effect::CancelCall => {
                unreachable!("calls are plain in this world")
            }
            Effect::TakeBudget => Event::Budget(None),
            Effect::Latch { after_ambiguous } => {
                self.tokens += 1;
                let (token, deadline) = (self.tokens, self.now + CALL + 5);
                handling.tokens.push(token);
                handling.latched_at = self.now;
                self.change(handling, |row| {
                    row.state = RowState::Calling;
                    row.token = Some(token);
                    row.deadline = deadline;
                    row.attempt += 1;
                    row.ambiguous += u32::from(after_ambiguous);
                })
            }
            Effect::CheckFresh => Event::Fresh(self.now - handling.latched_at <= 4),
            Effect::Call => {
                let luck = if self.faults == 0 { 0 } else { self.below(4) };
                if luck == 1 {
                    return Event::Called(Hand::NotProcessed(Duration::from_millis(3)));
                }
                self.accepted += 1;
                Event::Called(if luck == 2 {
                    Hand::Ambiguous
                } else {
                    Hand::Reply
                })
            }
            Effect::RollBack => self.change(handling, |row| {
                row.state = RowState::Queued;
                row.token = None;
            }),
            Effect::StoreReply(_) if self.fault() => Event::Unclear,
            Effect::StoreReply(_) => {
                self.reply = true;
                if self.fault() {
                    Event::Unclear
                } else {
                    Event::Done
                }
            }
            Effect::ToRendering => {
                assert!(self.reply, "rendering without a stored reply");
                self.change(handling, |row| {
                    row.state = RowState::Rendering;
                    row.token = None;
                })
            }
            Effect::Render if self.fault() => Event::Unclear,
            Effect::Render => {
                let there = std::mem::replace(&mut self.pdf, true);
                Event::Pdf(if there { Pdf::Adopted } else { Pdf::Stored })
            }
            Effect::Finish(end) => {
                assert!(self.pdf || end != End::Succeeded, "succeeded without a PDF");
                assert!(
                    self.poison > 0 || end != End::Poisoned,
                    "poisoned without a copy"
                );
                let state = match end {
                    End::Succeeded => RowState::Succeeded,
                    End::Held | End::HeldAsPoison => RowState::OutcomeUnknown,
                    _ => RowState::Failed,
                };
                self.change(handling, |row| {
                    row.state = state;
                    row.token = None;
                })
            }
            Effect::SetAside => {
                self.poison += 1;
                Event::Done
            }
            Effect::Notify => Event::Done,
        }
    }

    /// One effect of a handling; `true` when the handling is over.
    fn step(&mut self, handling: &mut Handling) -> bool {
        let disposition = match handling.next {
            Next::Do(effect, _) => {
                let event = self.perform(handling, effect);
                (handling.attempt, handling.next) = handling.attempt.step(event);
                return false;
            }
            Next::End(disposition) => disposition,
        };
        let is_mine = |m: &Message| m.id == handling.message && m.receipt == handling.receipt;
        if let Some(at) = self.messages.iter().position(is_mine) {
            match disposition {
                Disposition::Delete => drop(self.messages.remove(at)),
                Disposition::Release { after, forgiven } => {
                    let message = &mut self.messages[at];
                    message.visible_at = self.now + u64::try_from(after.as_millis()).unwrap();
                    if forgiven {
                        message.forgiven = message.dequeues;
                    }
                }
            }
        }
        true
    }

    fn is_open(&self) -> bool {
        let open = [RowState::Queued, RowState::Calling, RowState::Rendering];
        open.contains(&self.row.state) || (self.row.state == RowState::OutcomeUnknown && self.reply)
    }
}

fn rules(policy: Policy) -> Rules {
    Rules {
        policy,
        max_dequeues: 2,
        content_wait: Duration::from_millis(5),
        poll_min: Duration::from_millis(1),
        poll_max: Duration::from_millis(1),
    }
}

/// One life of a job: a stormy time, then calm until nothing is left to do.
fn live(seed: u64, policy: Policy) -> World {
    let rules = rules(policy);
    let mut world = World::new(seed, 12);
    let mut handlings: Vec<Handling> = Vec::new();
    for _ in 0..200 {
        match world.below(10) {
            0 | 1 if handlings.len() < 3 => handlings.extend(world.receive(rules)),
            2 => world.now += world.below(8),
            // A worker dies.
            3 if !handlings.is_empty() && world.below(2) == 0 => {
                let which = world.below(handlings.len() as u64) as usize;
                handlings.remove(which);
            }
            4 if world.below(10) == 0 => world.send(),
            _ if !handlings.is_empty() => {
                let which = world.below(handlings.len() as u64) as usize;
                let mut handling = handlings.remove(which);
                if !world.step(&mut handling) {
                    handlings.push(handling);
                }
            }
            _ => {}
        }
    }
    world.faults = 0;
    for _ in 0..10_000 {
        if let Some(mut handling) = handlings.pop().or_else(|| world.receive(rules)) {
            while !world.step(&mut handling) {}
        } else if !world.messages.is_empty() {
            world.now += 1;
        } else if world.is_open() {
            // The reconciler.
            world.send();
        } else {
            return world;
        }
    }
    panic!("seed {seed}: the job does not come to an end: {world:?}");
}

fn storm(policy: Policy, most_calls: u32) {
    let mut ends = BTreeMap::new();
    for seed in 0..20_000 {
        let world = live(seed, policy);
        assert!(
            world.accepted <= most_calls,
            "seed {seed}: too many calls: {world:?}"
        );
        assert!(
            world.finals <= 1,
            "seed {seed}: a final state was left: {world:?}"
        );
        let abandoned = world.reply && world.row.state == RowState::OutcomeUnknown;
        assert!(
            !abandoned,
            "seed {seed}: a stored reply was abandoned: {world:?}"
        );
        *ends.entry(format!("{:?}", world.row.state)).or_insert(0) += 1;
    }
    // The storm must reach every kind of end, or it proves little.
    for state in ["Succeeded", "OutcomeUnknown", "Failed"] {
        assert!(
            ends.get(state).is_some_and(|n| *n > 20),
            "few jobs ended {state}: {ends:?}"
        );
    }
}

#[test]
fn under_hold_at_most_one_call_is_accepted_and_no_job_is_lost() {
    storm(Policy::Hold, 1);
}

#[test]
fn under_retry_once_at_most_two() {
    storm(Policy::RetryOnce, 2);
}

#[test]
fn without_faults_a_job_is_handled_once_and_succeeds() {
    let mut world = World::new(1, 0);
    let mut handling = world.receive(rules(Policy::Hold)).unwrap();
    let mut effects = Vec::new();
    loop {
        if let Next::Do(effect, pause) = handling.next {
            assert!(pause.is_zero());
            effects.push(effect);
        }
        if world.step(&mut handling) {
            break;
        }
    }
    let want = [
        Effect::Read,
        Effect::ReadContent,
        Effect::TakeBudget,
        Effect::Latch {
            after_ambiguous: false,
        },
        Effect::CheckFresh,
        Effect::Call,
        Effect::StoreReply(Hand::Reply),
        Effect::ToRendering,
        Effect::Render,
        Effect::Finish(End::Succeeded),
    ];
    assert_eq!(effects, want);
    assert_eq!((world.row.state, world.accepted), (RowState::Succeeded, 1));
    assert!(world.messages.is_empty());
}
