//! Seeded storms: whole lives of jobs on paused time, while storage fails, the provider fails,
//! workers die and come back, clocks are wrong, and owners cancel and agree to pay again.

pub(crate) mod memory;
mod provider;
pub(crate) mod random;
mod round;

pub(crate) use round::{JOBS, Report, round};

use std::sync::Arc;

use worker::Press;

/// Runs rounds of [`JOBS`] lives from a seed on, until there are so many lives. The error names
/// the seed that failed and how to run it again.
pub(crate) fn lives(first_seed: u64, at_least: usize) -> Result<Report, String> {
    let press = Arc::new(Press::built_in().map_err(|e| e.to_string())?);
    let rounds = at_least.div_ceil(JOBS) as u64;
    let mut total = Report::default();
    for seed in first_seed..first_seed + rounds {
        // Each round has a runtime of its own: what its dead workers leave ends with it.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .map_err(|e| e.to_string())?;
        let report = runtime.block_on(round(seed, press.clone()));
        runtime.shutdown_background();
        total += report.map_err(|fault| {
            format!(
                "seed {seed}: {fault}\nrun it again: PRESSWORK_SEED={seed} cargo nextest run -p worker storm"
            )
        })?;
    }
    Ok(total)
}
