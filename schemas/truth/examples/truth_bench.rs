//! How long a check takes: `cargo run --release -p truth --example truth_bench`.

#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

use std::path::Path;
use std::time::{Duration, Instant};

use schemas::cv::Cv;
use truth::{Languages, check};

const RUNS: usize = 500;

fn main() {
    let source: Cv = serde_json::from_str(include_str!("../tests/data/sources/cv-05.json"))
        .expect("a canonical CV");
    let mut reply = source.clone();
    // Every line differs, so that nothing is passed over as equal.
    for text in reply
        .work_experience
        .iter_mut()
        .flat_map(|work| work.bullets.iter_mut())
    {
        *text = format!("Zuständig: {text}");
    }
    for skill in &mut reply.it_ai_skills {
        skill.push_str(" Software");
    }
    reply.profile = reply.profile.map(|text| format!("Erfahren. {text}"));
    let languages = Languages {
        from: "de",
        to: "de",
    };
    let posting = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/cases.jsonl");
    let posting: String = std::fs::read_to_string(posting)
        .expect("the cases")
        .chars()
        .take(3_000)
        .collect();
    let first = Instant::now();
    let report = check(&source, &reply, languages, Some(&posting));
    let first = first.elapsed();
    let mut times: Vec<Duration> = (0..RUNS)
        .map(|_| {
            let start = Instant::now();
            std::hint::black_box(check(&source, &reply, languages, Some(&posting)));
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    println!(
        "first, with the lexicon {first:?}; {} findings",
        report.unsupported.len() + report.undecided.len()
    );
    println!(
        "p50 {:?}, p95 {:?}, p99 {:?}, most {:?}",
        times[RUNS / 2],
        times[RUNS * 95 / 100],
        times[RUNS * 99 / 100],
        times[RUNS - 1]
    );
}
