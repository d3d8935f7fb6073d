//! Milliseconds of processor time (of the clock, outside of Linux) for a two-page CV with photo and attachment,
//! warm, on one thread: `cargo run --release -p render --example bench -- [RUNS]`.

use std::time::Instant;

use render::blocks::{Block, Image};
use render::{Attachment, Created, Document, Engine, Options, Pages};
use serde_json::Value;

#[path = "../tests/support/mod.rs"]
mod support;

const SAMPLE: &str = include_str!("../tests/data/sample_cv.json");
const WARM_UP: u32 = 20;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let runs: u32 = match std::env::args().nth(1) {
        Some(runs) => runs.parse()?,
        None => 500,
    };
    let cv: Value = serde_json::from_str(SAMPLE)?;
    let photo: std::sync::Arc<[u8]> = support::portrait::jpeg(600, 800).into();

    let started = now();
    let engine = Engine::new()?;
    println!("engine      {:7.2} ms", milliseconds(started));
    let started = now();
    let first = engine.render(&document(&cv, &photo), &options(SAMPLE))?;
    println!("first       {:7.2} ms", milliseconds(started));

    let (mut times, mut bytes, mut pages) = (Vec::new(), 0, 0);
    for run in 0..runs + WARM_UP {
        let varied = vary(&cv, run);
        let document = document(&varied, &photo);
        let options = options(&varied.to_string());
        let started = now();
        let rendered = engine.render(&document, &options)?;
        if run >= WARM_UP {
            times.push(milliseconds(started));
            bytes += rendered.pdf.len();
            pages += rendered.pages;
        }
    }
    times.sort_by(f64::total_cmp);
    for percent in [50, 90, 99] {
        let at = (times.len() - 1) * percent / 100;
        println!("p{percent}         {:7.2} ms", times[at]);
    }
    println!(
        "mean        {} bytes, {:.2} pages (first: {} bytes)",
        bytes / times.len(),
        f64::from(pages) / f64::from(runs),
        first.pdf.len(),
    );
    Ok(())
}

fn document(cv: &Value, photo: &std::sync::Arc<[u8]>) -> Document {
    let mut document = support::cv::document(cv);
    if let Some(Block::Masthead(masthead)) = document.body.first_mut() {
        masthead.photo = Some(Image {
            data: photo.clone(),
            alt: "A portrait of nobody".to_owned(),
        });
    }
    document
}

fn options(json: &str) -> Options {
    Options {
        created: Some(Created {
            year: 2026,
            month: 11,
            day: 20,
            hour: 12,
            minute: 0,
            second: 0,
        }),
        attachments: vec![Attachment {
            name: "cv.json".to_owned(),
            mime: "application/json".to_owned(),
            description: "The CV as data".to_owned(),
            data: json.into(),
        }],
        page_target: Pages::Fixed(2),
        ..Options::default()
    }
}

/// The CV with the letters within its longer words moved about, so that no cache flatters the figure.
fn vary(value: &Value, run: u32) -> Value {
    match value {
        Value::String(text) if text.contains(' ') => {
            let words = text.split(' ').enumerate().map(|(index, word)| {
                let mut letters: Vec<char> = word.chars().collect();
                if letters.len() > 4 {
                    let middle = 1..letters.len() - 1;
                    letters[middle.clone()].rotate_left((run as usize + index) % middle.len());
                }
                letters.into_iter().collect::<String>()
            });
            Value::String(words.collect::<Vec<_>>().join(" "))
        }
        Value::Array(items) => items.iter().map(|item| vary(item, run)).collect(),
        Value::Object(fields) => {
            let fields = fields.iter();
            Value::Object(
                fields
                    .map(|(key, item)| (key.clone(), vary(item, run)))
                    .collect(),
            )
        }
        other => other.clone(),
    }
}

fn milliseconds(since: f64) -> f64 {
    now() - since
}

/// Milliseconds that this thread has run for, from any start.
#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
fn now() -> f64 {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    // Linux: nanoseconds on a processor, nanoseconds waiting for one, time slices.
    let on_processor = || {
        let statistics = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
        statistics.split(' ').next()?.parse::<f64>().ok()
    };
    let wall = || START.get_or_init(Instant::now).elapsed().as_secs_f64() * 1e9;
    on_processor().unwrap_or_else(wall) / 1e6
}
