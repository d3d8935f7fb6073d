//! Milliseconds for a two-page CV with attachment, with and without photo, warm, on one thread:
//! `cargo run --release -p render --example bench -- [RUNS]`.

use std::sync::Arc;
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
    let photo: Arc<[u8]> = support::portrait::jpeg(600, 800).into();
    // Small enough to be kept as it is.
    let small: Arc<[u8]> = support::portrait::jpeg(420, 525).into();

    let started = now();
    let engine = Engine::new()?;
    println!("engine         {:6.2} ms", milliseconds(started));
    let started = now();
    engine.render(&document(&cv, Some(&photo)), &options(SAMPLE))?;
    println!("first document {:6.2} ms", milliseconds(started));
    measure("small photo", runs, &engine, &cv, Some(&small))?;
    measure("large photo", runs, &engine, &cv, Some(&photo))?;
    measure("without photo", runs, &engine, &cv, None)
}

fn measure(
    name: &str,
    runs: u32,
    engine: &Engine,
    cv: &Value,
    photo: Option<&Arc<[u8]>>,
) -> Result<(), Box<dyn std::error::Error>> {
    let (mut times, mut bytes, mut pages) = (Vec::new(), 0, 0);
    let mut processor = 0.0;
    for run in 0..runs + WARM_UP {
        let varied = vary(cv, run);
        let document = document(&varied, photo);
        let options = options(&varied.to_string());
        let (on_processor, started) = (processor_time(), now());
        let rendered = engine.render(&document, &options)?;
        if run >= WARM_UP {
            times.push(milliseconds(started));
            processor += processor_time() - on_processor;
            bytes += rendered.pdf.len();
            pages += rendered.pages;
        }
    }
    times.sort_by(f64::total_cmp);
    let percentile = |percent| times[(times.len() - 1) * percent / 100];
    println!(
        "{name:14} p50 {:.2}, p90 {:.2}, p99 {:.2} ms; processor {:.2} ms in the mean; {} bytes, {:.2} pages",
        percentile(50),
        percentile(90),
        percentile(99),
        processor / f64::from(runs),
        bytes / times.len(),
        f64::from(pages) / f64::from(runs),
    );
    Ok(())
}

fn document(cv: &Value, photo: Option<&Arc<[u8]>>) -> Document {
    let mut document = support::cv::document(cv);
    if let (Some(Block::Masthead(masthead)), Some(photo)) = (document.body.first_mut(), photo) {
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

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}

#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
fn now() -> Instant {
    Instant::now()
}

/// Milliseconds that this thread has been on a processor, in steps of some; 0 where Linux does not tell.
fn processor_time() -> f64 {
    let statistics = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = statistics
        .split(' ')
        .next()
        .and_then(|first| first.parse::<f64>().ok());
    nanoseconds.unwrap_or(0.0) / 1e6
}
