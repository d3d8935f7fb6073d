//! Waiting for what another process does.

use std::fmt::Debug;
use std::time::Duration;

use storage::Clock as _;
use storage::ambient::System;

/// How long something may take: far longer than it does, even on a machine that is busy elsewhere.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// Between two looks. A look may start a program or ask a server, so it is not made without a pause.
const PAUSE: Duration = Duration::from_millis(10);

/// Looks again and again until what is seen is as wanted, and gives it.
///
/// # Panics
/// After [`PATIENCE`], with what was waited for and what was seen last.
pub async fn eventually<T: Debug>(
    what: &str,
    mut look: impl AsyncFnMut() -> T,
    mut wanted: impl FnMut(&T) -> bool,
) -> T {
    let clock = System::new();
    let start = clock.monotonic();
    loop {
        let seen = look().await;
        if wanted(&seen) {
            return seen;
        }
        assert!(
            clock.monotonic().saturating_sub(start) < PATIENCE,
            "not within {PATIENCE:?}: {what}. Last seen: {seen:?}"
        );
        tokio::time::sleep(PAUSE).await;
    }
}
