//! Reading the processor time and the memory of a process, and distributions.

use std::time::Duration;

use anyhow::Context as _;

/// Processor time that a process has used, user and system together (proc(5), `stat`).
pub(crate) fn cpu_time(process: u32) -> anyhow::Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The second field is the name in parentheses and may hold spaces.
    let (_, fields) = stat.rsplit_once(") ").context("stat has no name")?;
    let ticks = |at: usize| {
        fields
            .split(' ')
            .nth(at)
            .and_then(|n| n.parse::<u64>().ok())
    };
    let ticks = ticks(11).zip(ticks(12)).context("stat has no times")?;
    // USER_HZ is 100 on every Linux that this runs on.
    Ok(Duration::from_millis((ticks.0 + ticks.1) * 10))
}

/// Resident memory of a process in megabytes: now, and at its most.
pub(crate) fn memory(process: u32) -> anyhow::Result<(f64, f64)> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = |name: &str| -> Option<f64> {
        let line = status.lines().find(|line| line.starts_with(name))?;
        let kib: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
        Some(kib * 1024.0 / 1e6)
    };
    line("VmRSS:")
        .zip(line("VmHWM:"))
        .context("status has no sizes")
}

/// The value below which a share of all values lies.
pub(crate) fn percentile(sorted: &[Duration], share: f64) -> Duration {
    let last = sorted.len().saturating_sub(1);
    sorted
        .get((last as f64 * share).round() as usize)
        .copied()
        .unwrap_or_default()
}

/// Milliseconds with one digit.
pub(crate) fn ms(duration: Duration) -> String {
    format!("{:.1} ms", duration.as_secs_f64() * 1e3)
}
