//! Foreign bytes against every reader: sound inputs, mutated at random, for some seconds each.
//!
//! A reader may refuse whatever it likes, but it may not panic, and not take unreasonably long.
//! `PRESSWORK_FUZZ_SECONDS=600 PRESSWORK_FUZZ_SEED=7 cargo test --release -p e2e --test fuzz -- --nocapture`
//! searches longer and elsewhere; without them each reader gets 6 seconds and the same inputs.

mod mutate;
mod readers;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use mutate::Mutator;

/// What hangs rather than works: hundreds of times the slowest input seen without optimisation.
const HANG: Duration = Duration::from_secs(20);

/// Feeds a reader with mutations of the seeds until its time is over.
fn fuzz(name: &str, seeds: &[Vec<u8>], words: &[&str], read: impl Fn(&[u8])) {
    let (time, seed) = (
        Duration::from_secs(setting("PRESSWORK_FUZZ_SECONDS", 6)),
        setting("PRESSWORK_FUZZ_SEED", 1),
    );
    assert!(!seeds.is_empty(), "{name} has nothing to begin with");
    // The seeds themselves are sound and go through first.
    for seed in seeds {
        read(seed);
    }
    let mut mutator = Mutator::new(seed, seeds, words);
    let started = now();
    let (mut inputs, mut slowest) = (0_u64, Duration::ZERO);
    // A machine that is busy elsewhere takes longer; what is shown is the same.
    while started.elapsed() < time || inputs <= 10 {
        let input = mutator.next();
        let began = now();
        let outcome = catch_unwind(AssertUnwindSafe(|| read(&input)));
        slowest = slowest.max(began.elapsed());
        inputs += 1;
        assert!(
            outcome.is_ok() && began.elapsed() < HANG,
            "{name}: input {inputs} of seed {seed}: {:?}, {} bytes: {}",
            if outcome.is_ok() { "hang" } else { "panic" },
            input.len(),
            shown(&input),
        );
    }
    let took = started.elapsed();
    println!("{name}: {inputs} inputs in {took:.1?}, the slowest {slowest:.1?}");
}

/// The input for a bug report: all of a small one.
fn shown(input: &[u8]) -> String {
    let text = input.escape_ascii().to_string();
    text.chars().take(4_000).collect()
}

#[expect(
    clippy::disallowed_methods,
    reason = "a setting of this test alone, not of the programs"
)]
fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| {
        text.parse()
            .unwrap_or_else(|_| panic!("{name} must be a number, not {text:?}"))
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "the time of the test, not of a job"
)]
fn now() -> Instant {
    Instant::now()
}
