//! Fail points: places where a test makes this process die, or makes an answer get lost.
//!
//! They exist only with the feature `failpoints` and in builds with debug assertions; elsewhere
//! both functions are empty. The variable `FAILPOINTS` arms them when the program starts, in the
//! syntax of the crate `fail`: `effect:latch:after=1*off->return(kill)` dies after the second
//! latch, by SIGKILL and without any clean-up; `return(lost)` of an `after` point makes the answer
//! get lost once the effect has taken place; `return(note)` only logs that the point was reached.

use crate::attempt::Effect;

/// What happens to a message at the end, beside the effects of the state machine.
pub(crate) const DELETE_MESSAGE: &str = "delete_message";
/// See [`DELETE_MESSAGE`].
pub(crate) const RELEASE_MESSAGE: &str = "release_message";

/// Every point, by its name: `effect:NAME:before` and `effect:NAME:after`.
pub fn points() -> Vec<String> {
    let names = Effect::NAMES.into_iter();
    let names = names.chain([DELETE_MESSAGE, RELEASE_MESSAGE]);
    names
        .flat_map(|name| ["before", "after"].map(|when| format!("effect:{name}:{when}")))
        .collect()
}

/// Arms the points that the environment names, for as long as the process lives.
pub fn arm() {
    #[cfg(all(feature = "failpoints", debug_assertions))]
    std::mem::forget(fail::FailScenario::setup());
}

/// The moment before an effect.
pub(crate) fn before(name: &str) {
    hit(name, "before");
}

/// The moment after it. `true`: its answer is lost.
pub(crate) fn after(name: &str) -> bool {
    hit(name, "after")
}

#[cfg(all(feature = "failpoints", debug_assertions))]
fn hit(name: &str, when: &str) -> bool {
    let point = format!("effect:{name}:{when}");
    match fail::eval(&point, |what| what).flatten().as_deref() {
        None => false,
        Some("lost") => true,
        Some("note") => {
            tracing::info!(point, "reached");
            false
        }
        Some("kill") => {
            tracing::warn!(point, "killed on purpose");
            let me = rustix::process::getpid();
            let killed = rustix::process::kill_process(me, rustix::process::Signal::KILL);
            unreachable!("the process outlived its end: {killed:?}")
        }
        Some(other) => {
            panic!("fail point {point} knows `kill`, `lost` and `note`, and not `{other}`")
        }
    }
}

#[cfg(not(all(feature = "failpoints", debug_assertions)))]
fn hit(_name: &str, _when: &str) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_named_once_each() {
        let points = points();
        let distinct: std::collections::BTreeSet<_> = points.iter().collect();
        assert_eq!(points.len(), distinct.len());
        assert_eq!(points.len(), 2 * (Effect::NAMES.len() + 2));
        assert!(points.contains(&"effect:call:after".to_owned()));
    }
}
