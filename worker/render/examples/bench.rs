//! How long documents take, and where the time goes, warm and on one thread:
//! `cargo run --release -p render --example bench -- [RUNS] [DOCUMENTS]`.
//!
//! RUNS documents of each kind are measured (300 by default), and DOCUMENTS rendered to see that memory does not
//! grow (2,000 by default). The words of each document are different, so that no cache flatters the figures.

use std::sync::Arc;
use std::time::Instant;

use render::blocks::{Block, Image, Section};
use render::{Attachment, Created, Document, Engine, Options, Pages, Stage, Theme};
use serde_json::Value;

#[path = "../tests/support/mod.rs"]
mod support;

const SAMPLE: &str = include_str!("../tests/data/sample_cv.json");
const WARM_UP: u32 = 20;
const STAGES: [(Stage, &str); 4] = [
    (Stage::Shaped, "shape"),
    (Stage::LaidOut, "lay out"),
    (Stage::Drawn, "draw"),
    (Stage::Written, "subset, deflate, write"),
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let runs: u32 = arguments.next().map_or(Ok(300), |runs| runs.parse())?;
    let many: u32 = arguments.next().map_or(Ok(2000), |many| many.parse())?;
    let cv: Value = serde_json::from_str(SAMPLE)?;
    let photo: Arc<[u8]> = support::portrait::jpeg(600, 800).into();
    // Small and light enough to be kept as it is.
    let small: Arc<[u8]> = support::portrait::jpeg(240, 320).into();
    let medium: Arc<[u8]> = support::portrait::jpeg(420, 525).into();

    let started = now();
    let engine = Engine::new()?;
    println!("engine           {:6.2} ms", milliseconds(started));
    let started = now();
    engine.render(
        &document(&cv, Some(&small)),
        &options(SAMPLE, Theme::zurich()),
    )?;
    println!("first document   {:6.2} ms", milliseconds(started));
    println!("resident         {:6.1} MB", resident());

    measure("zurich", runs, &engine, &cv, Some(&medium))?;
    for theme in Theme::all().skip(1) {
        measure(theme.name(), runs / 3, &engine, &cv, Some(&medium))?;
    }
    measure("zurich, small photo", runs, &engine, &cv, Some(&small))?;
    measure("zurich, large photo", runs, &engine, &cv, Some(&photo))?;
    measure("zurich, no photo", runs, &engine, &cv, None)?;
    let before = resident();
    for run in 0..many {
        let varied = vary(&cv, run);
        let document = document(&varied, Some(&small));
        engine.render(&document, &options(SAMPLE, Theme::zurich()))?;
    }
    println!(
        "resident         {before:6.1} MB, after {many} documents {:.1} MB",
        resident()
    );
    pages(&engine, &cv)
}

/// Milliseconds on the processor for one kind of document, in all and by stage.
fn measure(
    name: &str,
    runs: u32,
    engine: &Engine,
    cv: &Value,
    photo: Option<&Arc<[u8]>>,
) -> Result<(), Box<dyn std::error::Error>> {
    let theme = Theme::named(name.split(',').next().unwrap_or_default()).unwrap_or_default();
    let (mut times, mut bytes, mut pages) = (Vec::new(), 0, 0);
    let mut stages: [Vec<f64>; STAGES.len()] = Default::default();
    for run in 0..runs + WARM_UP {
        let varied = vary(cv, run);
        let document = document(&varied, photo);
        let options = options(&varied.to_string(), theme.clone());
        let started = processor_time();
        let mut marks = Vec::with_capacity(STAGES.len());
        let rendered = engine.render_observed(&document, &options, &mut |stage| {
            marks.push((stage, processor_time()));
        })?;
        if run < WARM_UP {
            continue;
        }
        let mut last = started;
        for ((stage, at), (expected, times)) in marks
            .iter()
            .zip(STAGES.iter().map(|(stage, _)| stage).zip(&mut stages))
        {
            assert_eq!(stage, expected);
            times.push(at - last);
            last = *at;
        }
        times.push(last - started);
        bytes += rendered.pdf.len();
        pages += rendered.pages;
    }
    let parts = STAGES
        .iter()
        .zip(&mut stages)
        .map(|((_, name), times)| format!("{name} {:.2}", percentile(times, 50)));
    let parts: Vec<_> = parts.collect();
    println!(
        "{name:22} p50 {:.2}, p90 {:.2}, p99 {:.2} ms on the processor ({}); {} bytes, {:.2} pages",
        percentile(&mut times, 50),
        percentile(&mut times, 90),
        percentile(&mut times, 99),
        parts.join(", "),
        bytes / times.len(),
        f64::from(pages) / f64::from(runs),
    );
    Ok(())
}

/// Milliseconds for a page of documents of more and more of them.
fn pages(engine: &Engine, cv: &Value) -> Result<(), Box<dyn std::error::Error>> {
    for copies in [1, 4, 20, 95] {
        let mut body = Vec::new();
        for copy in 0..copies {
            let part = support::cv::document(&vary(cv, copy));
            let blocks = part.body.into_iter().skip(1).collect();
            body.push(Block::Section(Section {
                title: format!("Part {copy}").into(),
                blocks,
                ..Section::default()
            }));
        }
        let document = Document {
            title: "Many pages".into(),
            language: "en".into(),
            body,
            ..Document::default()
        };
        let mut times = Vec::new();
        let mut count = 0;
        for _ in 0..5 {
            let started = processor_time();
            count = engine.render(&document, &Options::default())?.pages;
            times.push(processor_time() - started);
        }
        let time = percentile(&mut times, 50);
        println!(
            "{count:3} pages        {time:7.2} ms, {:.2} ms a page",
            time / f64::from(count)
        );
    }
    Ok(())
}

fn percentile(times: &mut [f64], percent: usize) -> f64 {
    times.sort_by(f64::total_cmp);
    times[(times.len() - 1) * percent / 100]
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

fn options(json: &str, theme: Theme) -> Options {
    Options {
        theme,
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

/// The CV with the letters within its longer words moved about.
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

/// Milliseconds that this thread has been on a processor.
fn processor_time() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 / 1e6
}

/// Megabytes of memory that this process holds; 0 where Linux does not tell.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kilobytes.unwrap_or(0.0) / 1024.0
}
