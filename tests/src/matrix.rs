//! The crash matrix: a worker dies, or an answer gets lost, at every point of a job's way, in every
//! kind of job, under both policies, with plain calls and calls in the background, on both storages.
//!
//! One run is one store, one fake model that counts, one worker that comes to grief at one point,
//! and workers after it that find what is left. What must hold is in [`Verdict`].

mod case;
mod run;
mod table;

pub use case::{Case, Fault, Mode, Place, Policy, SCENARIOS, Scenario};
pub use run::{Bench, Verdict};
pub use table::Table;

use futures::StreamExt as _;

/// Which runs are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Every point in every variant for the plain way of a job; every point by SIGKILL for the others.
    Bounded,
    /// Every point, scenario and variant, at each of its first hits.
    Full,
}

/// Runs all cases of an extent, `at_once` of them together, and tells `seen` how many of how many are
/// done. `only` names scenarios; none means all.
///
/// # Panics
/// If the programs or Azurite cannot be started.
pub async fn run(
    extent: Extent,
    only: &[String],
    at_once: usize,
    seen: impl Fn(usize, usize),
) -> Table {
    let bench = Bench::default();
    let cases = case::cases(extent, only, &bench, at_once).await;
    let total = cases.len();
    let mut table = Table::default();
    let mut runs = futures::stream::iter(cases)
        .map(|case| async {
            let verdict = bench.run(&case).await;
            (case, verdict)
        })
        .buffer_unordered(at_once);
    while let Some((case, verdict)) = runs.next().await {
        table.add(&case, verdict);
        seen(table.runs(), total);
    }
    table
}
