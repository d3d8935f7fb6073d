//! Liveness: from every state reached, a time without faults brings the job to an end.
//!
//! stateright's own `eventually` is sound on acyclic paths only, so each state is run to its end
//! by one fair schedule. The ways join soon, so what is known to end well is remembered.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, PoisonError};

use storage::jobs::RowState;

use crate::state::World;
use crate::world::{Action, Luck, Setup};

/// States that are known to end well, by their hash.
#[derive(Debug, Default)]
pub(crate) struct Known(Mutex<HashSet<u64>>);

/// Longer than any fault-free way.
const LONGEST: usize = 300;

impl Known {
    /// Whether the job comes to a proper end from here, if nothing goes wrong any more.
    pub(crate) fn ends_well(&self, setup: Setup, from: &World) -> bool {
        let mut world = from.clone();
        world.faults = 0;
        world.duplicated = true;
        world.calm = false;
        world.calm_handlings = 0;
        world.may_lack_message = true;
        // Rounds of the reconciler that found nothing new.
        let mut rounds = 0;
        let mut way = Vec::new();
        for _ in 0..LONGEST {
            let mut hasher = DefaultHasher::new();
            (rounds, &world).hash(&mut hasher);
            let hash = hasher.finish();
            if self.lock().contains(&hash) {
                self.lock().extend(way);
                return true;
            }
            way.push(hash);
            let Some(action) = next(&world, &mut rounds) else {
                let well = ended_well(&world);
                if well {
                    self.lock().extend(way);
                }
                return well;
            };
            setup.apply(&mut world, action);
        }
        false
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashSet<u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What happens next when nothing goes wrong; `None` when nothing is left to do.
fn next(world: &World, rounds: &mut u8) -> Option<Action> {
    if let Some(worker) = (0..2).find(|w| world.workers[usize::from(*w)].is_some()) {
        return Some(Action::Step(worker, Luck::Good));
    }
    let all = (0..).zip(&world.messages);
    if let Some((at, _)) = all.clone().find(|(_, m)| m.is_some_and(|m| !m.visible)) {
        return Some(Action::Expire(at));
    }
    let waits = world.row.state == RowState::Calling && !world.row.passed;
    if let Some((at, _)) = all.clone().find(|(_, m)| m.is_some()) {
        // Whoever waited for the deadline has waited.
        return Some(if waits && world.row.reply_id.is_none() {
            Action::TimePasses
        } else {
            Action::Receive(0, at)
        });
    }
    let progress = *rounds < 3 && world.may_reconcile();
    progress.then(|| {
        *rounds += 1;
        Action::Reconcile
    })
}

fn ended_well(world: &World) -> bool {
    let held = world.row.state == RowState::OutcomeUnknown;
    // An operator can still open a poisoned job; a cancelled one has no use for its reply. Where a
    // second call was permitted and its answer is final, that is the last word: the reply to the
    // first may come a moment later, from a worker that stood still.
    let used = match world.row.state {
        RowState::Succeeded | RowState::Cancelled => true,
        RowState::Failed => world.row.poison || world.accepted > 1,
        _ => false,
    };
    let abandoned = world.reply.is_some() && !used;
    let set_aside = !world.row.poison || world.copies_set_aside > 0;
    world.row.state.is_final() && world.marker == held && !abandoned && set_aside
}
