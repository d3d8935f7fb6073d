//! The worker's fail points, around each effect: see [`storage::failpoints`] for what they can do.

use crate::attempt::Effect;

pub use storage::failpoints::arm;

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
    storage::failpoints::hit(&format!("effect:{name}"), when)
}

#[cfg(not(all(feature = "failpoints", debug_assertions)))]
fn hit(_: &str, _: &str) -> bool {
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
