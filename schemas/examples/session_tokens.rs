//! What context packs save: an editing session of ten turns, with the sample CV and a job posting.
//!
//! `cargo run -p schemas --example session_tokens` prints a table. Each turn one edit is made, and
//! the assistant is told of the session's state: by the whole CV and the posting, or by a pack in delta
//! mode, which names what has not changed since the turn before. A token is counted as four
//! characters, which holds for English prose and somewhat flatters JSON; the share saved does not
//! depend on it.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a program for its reader"
)]

use std::collections::BTreeMap;

use schemas::cv::{Section, canonical_json, section_hashes};
use schemas::session::{Change, Edit, PackOptions, Phase, Session, pack};
use serde_json::{Value, json};

/// Field and new value of each turn: what people change between two PDFs.
const TURNS: [(&str, &str); 10] = [
    (
        "profile",
        "Plans supply chains and leads the people who run them.",
    ),
    ("work_experience[0].title", "Head of Supply Chain"),
    (
        "work_experience[0].bullets[0]",
        "Cut delivery times across three sites.",
    ),
    ("phone", "+44 1632 960111"),
    ("it_ai_skills[0]", "Planning software"),
    (
        "work_experience[0].bullets[1]",
        "Introduced weekly reviews with suppliers.",
    ),
    ("education[0].details[0]", "Graduated with distinction."),
    ("interests", "Rowing, chess"),
    ("languages[0].level", "C2"),
    ("work_experience[1].title", "Planner"),
];

const POSTING: &str = "We are looking for a head of supply chain who plans and improves the flow of \
goods between our three plants and our customers. You lead a team of twelve, know forecasting and \
inventory control, and speak English and German. You report to the chief operating officer.";

fn main() {
    let sample: Value = serde_json::from_str(schemas::cv::SAMPLE).unwrap();
    let mut session = Session::new();
    session.cv = schemas::cv::normalise(&sample).unwrap().cv;
    session.cv.photo_url = None;
    session.job_posting_text = Some(POSTING.to_owned());
    println!("| turn | edit | whole CV, tokens | pack, tokens | saved |");
    println!("|---:|---|---:|---:|---:|");
    let mut earlier: BTreeMap<Section, String> = section_hashes(&session.cv);
    let (mut whole_sum, mut pack_sum) = (0, 0);
    for (turn, (path, value)) in TURNS.into_iter().enumerate() {
        let edit = Edit {
            field_path: path.to_owned(),
            value: json!(value),
        };
        let change = Change {
            edits: vec![edit],
            ..Change::default()
        };
        session.apply(&change).unwrap();
        let whole = tokens(&canonical_json(&session.cv)) + tokens(POSTING);
        let told = pack(
            &session,
            &PackOptions {
                phase: Phase::Execution,
                job_posting: None,
                max_chars: 8_000,
                earlier: Some(&earlier),
            },
        );
        let packed = tokens(&told.to_string());
        println!(
            "| {} | {path} | {whole} | {packed} | {} % |",
            turn + 1,
            saved(whole, packed)
        );
        (whole_sum, pack_sum) = (whole_sum + whole, pack_sum + packed);
        earlier = section_hashes(&session.cv);
    }
    println!(
        "| all | | {whole_sum} | {pack_sum} | {} % |",
        saved(whole_sum, pack_sum)
    );
}

fn tokens(text: &str) -> usize {
    text.chars().count().div_ceil(4)
}

fn saved(whole: usize, packed: usize) -> i64 {
    100 - i64::try_from(packed * 100 / whole).unwrap_or(100)
}
