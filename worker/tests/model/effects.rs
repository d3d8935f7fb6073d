//! What an effect does to the world, and how it is answered.

use std::time::Duration;

use storage::jobs::RowState;
use worker::attempt::{Content, Effect, End, Event, Hand, Pdf, Polled, ReplyId, View};

use crate::state::{Call, Handling, Row, Way, World};
use crate::world::{Luck, Mistake, Setup, TICK};

impl Setup {
    pub(crate) fn perform(
        self,
        world: &mut World,
        worker: u8,
        handling: &mut Handling,
        effect: Effect,
        luck: Luck,
    ) -> Event {
        match effect {
            Effect::Read if luck == Luck::Lost => Event::Unclear,
            Effect::Read => {
                handling.read = (world.row.attempt, world.row.reply_id);
                handling.current = true;
                handling.fresh = true;
                Event::Row(Some(self.view(handling, world.row)))
            }
            Effect::ReadReply => Event::Reply(world.reply.is_some()),
            Effect::ReadContent => Event::Content(Content::Free),
            Effect::CopyPdf | Effect::RenderOwnText => unreachable!("not in this world"),
            Effect::TakeBudget => Event::Budget(None),
            Effect::Latch { after_ambiguous } => {
                if self.made(Mistake::NumberInsteadOfToken) {
                    handling.number = handling.read.0 + 1;
                }
                if self.made(Mistake::NoLatch) {
                    let row = Row {
                        state: RowState::Calling,
                        token: true,
                        ..world.row
                    };
                    handling.owner = true;
                    return Event::Moved(self.view(handling, row));
                }
                let blindly = self.made(Mistake::LatchWithoutIfMatch);
                // Known before it is sent: an answer that is lost takes nothing from it.
                handling.owner |= luck != Luck::Lost && (handling.current || blindly);
                self.change(world, handling, luck, blindly, |row| {
                    row.state = RowState::Calling;
                    row.token = true;
                    row.attempt += 1;
                    row.passed = false;
                    row.reply_id = None;
                    row.ambiguous = (row.ambiguous + u8::from(after_ambiguous)).min(2);
                })
            }
            Effect::CheckFresh => {
                let leased = world
                    .held_by(worker, handling.message)
                    .is_some_and(|m| !m.visible);
                let leased = leased || self.mistaken_about_messages();
                Event::Fresh(luck == Luck::Good && handling.fresh && leased)
            }
            Effect::Call => self.call(world, handling, luck),
            Effect::StoreReplyId => {
                let call = handling.call;
                self.change(world, handling, luck, false, |row| {
                    row.reply_id = call;
                    if row.state == RowState::Calling {
                        row.passed = false;
                    }
                })
            }
            Effect::Poll { .. } | Effect::CancelCall => Self::ask(world, handling, effect, luck),
            Effect::RollBack => {
                if self.made(Mistake::RollBackWithoutToken) {
                    world.write(None, |row| {
                        row.state = RowState::Queued;
                        row.token = false;
                    });
                    return Event::Moved(self.view(handling, world.row));
                }
                self.change(world, handling, luck, false, |row| {
                    row.state = RowState::Queued;
                    row.token = false;
                })
            }
            Effect::StoreReply(_) => {
                if luck == Luck::Lost {
                    return Event::Unclear;
                }
                world.store_reply(handling.reply, self.made(Mistake::ReplyOverwritten));
                // The provider's copy goes once the reply is stored.
                if let Some(call) = handling.reply
                    && self.background
                    && luck == Luck::Good
                {
                    world.calls[usize::from(call)] = Call::Deleted;
                }
                answer(luck, Event::Done)
            }
            Effect::ToRendering => {
                let reopens = world.row.state.is_final();
                let event = self.change(world, handling, luck, false, |row| {
                    row.state = RowState::Rendering;
                    row.token = false;
                });
                let written = world.row.state == RowState::Rendering;
                if reopens && written {
                    world.marker = true;
                    world.may_lack_message = true;
                }
                event
            }
            Effect::Render => {
                if luck == Luck::Lost {
                    return Event::Unclear;
                }
                let there = std::mem::replace(&mut world.pdf, true);
                answer(
                    luck,
                    Event::Pdf(if there { Pdf::Adopted } else { Pdf::Stored }),
                )
            }
            Effect::Finish(end) => {
                world.broken.succeeded_without_pdf |= end == End::Succeeded && !world.pdf;
                let state = match end {
                    End::Succeeded => RowState::Succeeded,
                    End::Held | End::HeldAsPoison => RowState::OutcomeUnknown,
                    End::Cancelled => RowState::Cancelled,
                    End::Expired => RowState::Expired,
                    End::ModelFailed | End::RenderFailed | End::Poisoned => RowState::Failed,
                };
                let before = world.row.state;
                let event = self.change(world, handling, luck, false, |row| {
                    row.state = state;
                    row.token = false;
                    row.poison = end == End::Poisoned;
                    row.ambiguous = (row.ambiguous + u8::from(end == End::Held)).min(2);
                });
                if world.row.state != before {
                    let held = world.row.state == RowState::OutcomeUnknown;
                    world.marker = held && !self.made(Mistake::NoMarker);
                }
                event
            }
            Effect::SetAside => {
                if luck != Luck::Lost {
                    world.copies_set_aside = (world.copies_set_aside + 1).min(2);
                }
                answer(luck, Event::Done)
            }
            Effect::Notify => answer(luck, Event::Done),
        }
    }

    /// One request to the model.
    fn call(self, world: &mut World, handling: &mut Handling, luck: Luck) -> Event {
        world.broken.unchecked_call |= !handling.checked;
        let accepted = !matches!(luck, Luck::Lost | Luck::NotProcessed);
        let call = world.calls.len() as u8;
        if accepted {
            world.accepted += 1;
            world.calls.push(match (self.background, luck) {
                (false, _) => Call::Over,
                (true, Luck::Failed) => Call::Failed,
                (true, _) => Call::Pending,
            });
        }
        Event::Called(match luck {
            Luck::NotProcessed => Hand::NotProcessed(TICK),
            Luck::Lost | Luck::Unanswered if self.made(Mistake::ServerErrorAsNotProcessed) => {
                Hand::NotProcessed(TICK)
            }
            Luck::Lost | Luck::Unanswered => Hand::Ambiguous,
            Luck::Failed => Hand::Failed,
            Luck::Good | Luck::Pending if self.background => {
                handling.call = Some(call);
                Hand::ReplyId
            }
            Luck::Good | Luck::Pending => {
                handling.reply = Some(call);
                Hand::Reply
            }
        })
    }

    /// The provider is asked for a call, or to stop it.
    fn ask(world: &mut World, handling: &mut Handling, effect: Effect, luck: Luck) -> Event {
        let Some(call) = handling.asks_for(effect) else {
            return Event::Polled(Polled::Gone);
        };
        let state = &mut world.calls[usize::from(call)];
        if *state == Call::Pending {
            match luck {
                Luck::Failed => *state = Call::Failed,
                Luck::Good if effect == Effect::CancelCall => *state = Call::Failed,
                Luck::Good => *state = Call::Done,
                _ => {}
            }
        }
        Event::Polled(match *state {
            _ if matches!(luck, Luck::Unanswered | Luck::Pending) => Polled::Pending(TICK),
            Call::Pending => Polled::Pending(TICK),
            Call::Done => {
                handling.reply = Some(call);
                Polled::Reply
            }
            Call::Failed => Polled::Failed,
            Call::Over | Call::Deleted => Polled::Gone,
        })
    }

    /// An If-Match update of the row.
    fn change(
        self,
        world: &mut World,
        handling: &mut Handling,
        luck: Luck,
        blindly: bool,
        change: impl FnOnce(&mut Row),
    ) -> Event {
        if luck == Luck::Lost {
            return Event::Unclear;
        }
        if !handling.current && !blindly {
            return Event::Conflict;
        }
        let owner = handling.owner;
        world.write(Some(Way::Worker), change);
        handling.owner = owner && world.row.token;
        // This worker is not in the world while it acts: its own view stays current.
        handling.current = luck == Luck::Good;
        if luck == Luck::Unanswered {
            return Event::Unclear;
        }
        handling.read = (world.row.attempt, world.row.reply_id);
        Event::Moved(self.view(handling, world.row))
    }

    fn view(self, handling: &Handling, row: Row) -> View {
        let mine = if self.made(Mistake::NumberInsteadOfToken) {
            row.token && row.attempt == handling.number
        } else {
            row.token && handling.owner
        };
        let calling = row.state == RowState::Calling;
        View {
            state: row.state,
            mine,
            begun: row.attempt > 0,
            deadline_in: if calling && !row.passed {
                TICK
            } else {
                Duration::ZERO
            },
            reply_id: match (row.reply_id, handling.call) {
                (None, _) => ReplyId::Unknown,
                (Some(known), Some(in_hand)) if known == in_hand => ReplyId::InHand,
                _ => ReplyId::Known,
            },
            ambiguous_attempts: u32::from(row.ambiguous),
            starts_in: Duration::ZERO,
            expired: false,
            cancel_requested: row.cancel_requested,
            own_text_will_do: false,
            notify_behind: false,
        }
    }
}

fn answer(luck: Luck, event: Event) -> Event {
    if matches!(luck, Luck::Lost | Luck::Unanswered) {
        Event::Unclear
    } else {
        event
    }
}
