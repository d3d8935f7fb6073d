//! The shipped state machine, explored to the end: every order in which two workers, two messages,
//! faults, leases that run out, and the owner's and the provider's moves can come.
//!
//! Each test says on standard error how many states it saw. The properties must hold in all of
//! them; and each mistake that could be made must be caught by the property that is named for it.

#![allow(
    clippy::unwrap_used,
    reason = "a test may fail at once, in its helpers too"
)]

mod drain;
mod effects;
mod state;
mod world;

use std::io::Write as _;

use stateright::{Checker as _, HasDiscoveries, Model, Property};
use worker::attempt::Policy;

use crate::drain::Known;
use crate::state::World;
use crate::world::{Action, Mistake, Setup};

const AT_MOST_ONE: &str = "accepted calls are at most one for each consent, two under retry_once";
const CHECKED: &str = "no call begins after its deadline, but for a pause after the check";
const REPLY_STAYS: &str = "a stored reply never changes";
const FINAL_STAYS: &str = "a final state is left by its owner's consent, a reply or an operator";
const DOCUMENT: &str = "no job succeeds without its document";
const MESSAGE: &str = "an open job keeps its message";
const ONCE: &str = "without faults a job is handled once";
const ENDS: &str = "every job comes to an end, and no stored reply is abandoned";

/// More than this, repeats included, and a test gives up: it would take all memory.
const MOST_STATES: usize = 12_000_000;

struct Explored {
    setup: Setup,
    known: Known,
}

impl Model for Explored {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        self.setup.begin()
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        self.setup.actions(world, actions);
    }

    fn next_state(&self, world: &World, action: Action) -> Option<World> {
        let mut next = world.clone();
        self.setup.apply(&mut next, action);
        (next != *world).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(AT_MOST_ONE, |model: &Self, world: &World| {
                let each = match model.setup.policy {
                    Policy::Hold => 1,
                    Policy::RetryOnce => 2,
                };
                world.accepted <= each * (1 + world.consents)
            }),
            Property::always(CHECKED, |_, world: &World| !world.broken.unchecked_call),
            Property::always(REPLY_STAYS, |_, world: &World| !world.broken.reply_changed),
            Property::always(FINAL_STAYS, |_, world: &World| !world.broken.final_left),
            Property::always(DOCUMENT, |_, world: &World| {
                !world.broken.succeeded_without_pdf
            }),
            Property::always(MESSAGE, |_, world: &World| !world.broken.lost_message),
            Property::always(ONCE, |_, world: &World| world.calm_handlings <= 1),
            Property::always(ENDS, |model: &Self, world: &World| {
                model.known.ends_well(model.setup, world)
            }),
        ]
    }
}

fn say(line: &str) {
    // Past the capture of the test runner: these figures are what the test is for.
    let _ = writeln!(std::io::stderr(), "{line}");
}

fn setup(policy: Policy, background: bool) -> Setup {
    Setup {
        policy,
        background,
        faults: 2,
        mistake: None,
    }
}

fn explore(name: &str, setup: Setup) {
    let model = Explored {
        setup,
        known: Known::default(),
    };
    let properties = model.properties().len();
    let checker = model
        .checker()
        .threads(2)
        .target_state_count(MOST_STATES)
        .spawn_bfs()
        .join();
    assert!(
        checker.state_count() < MOST_STATES,
        "{name}: not explored to the end"
    );
    say(&format!(
        "model {name}: {} states ({} with repeats), depth {}, {properties} properties",
        checker.unique_state_count(),
        checker.state_count(),
        checker.max_depth(),
    ));
    checker.assert_properties();
    // Otherwise the world is too poor to prove anything.
    assert!(checker.unique_state_count() > 10_000);
}

#[test]
fn model_hold_plain() {
    explore("hold, plain", setup(Policy::Hold, false));
}

#[test]
fn model_hold_background() {
    explore("hold, background", setup(Policy::Hold, true));
}

#[test]
fn model_retry_once_plain() {
    explore("retry_once, plain", setup(Policy::RetryOnce, false));
}

#[test]
fn model_retry_once_background() {
    explore("retry_once, background", setup(Policy::RetryOnce, true));
}

/// Which property catches a mistake: the search ends at the first that any does.
fn caught(mistake: Mistake, policy: Policy, by: &'static str) {
    let setup = Setup {
        mistake: Some(mistake),
        ..setup(policy, false)
    };
    let model = Explored {
        setup,
        known: Known::default(),
    };
    let checker = model
        .checker()
        .threads(2)
        .finish_when(HasDiscoveries::AnyOf([by].into_iter().collect()))
        .spawn_bfs()
        .join();
    let states = checker.unique_state_count();
    let Some(path) = checker.discovery(by) else {
        panic!("{mistake:?} is not caught by \"{by}\" in {states} states")
    };
    let steps = path.into_actions().len();
    say(&format!(
        "model variant {mistake:?}: caught by \"{by}\" after {steps} steps, {states} states"
    ));
}

#[test]
fn model_variant_no_latch() {
    caught(Mistake::NoLatch, Policy::Hold, AT_MOST_ONE);
}

#[test]
fn model_variant_number_instead_of_token() {
    caught(Mistake::NumberInsteadOfToken, Policy::Hold, AT_MOST_ONE);
}

#[test]
fn model_variant_latch_without_if_match() {
    caught(Mistake::LatchWithoutIfMatch, Policy::Hold, AT_MOST_ONE);
}

#[test]
fn model_variant_roll_back_without_token() {
    caught(Mistake::RollBackWithoutToken, Policy::Hold, FINAL_STAYS);
}

#[test]
fn model_variant_server_error_as_not_processed() {
    caught(
        Mistake::ServerErrorAsNotProcessed,
        Policy::Hold,
        AT_MOST_ONE,
    );
}

#[test]
fn model_variant_reply_overwritten() {
    caught(Mistake::ReplyOverwritten, Policy::RetryOnce, REPLY_STAYS);
}

#[test]
fn model_variant_message_deleted_before_final() {
    caught(Mistake::MessageDeletedBeforeFinal, Policy::Hold, MESSAGE);
}

#[test]
fn model_variant_no_marker() {
    caught(Mistake::NoMarker, Policy::Hold, ENDS);
}

#[test]
fn model_variant_heartbeat_keeps_the_old_receipt() {
    caught(Mistake::HeartbeatKeepsOldReceipt, Policy::Hold, ONCE);
}

#[test]
fn model_variant_final_state_left_without_consent() {
    caught(
        Mistake::FinalStateLeftWithoutConsent,
        Policy::Hold,
        FINAL_STAYS,
    );
}
