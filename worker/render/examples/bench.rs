//! How long documents take, and where the time goes, warm and on one thread:
//! `cargo run --release -p render --example bench -- [RUNS] [--documents 20000]`.
//!
//! RUNS documents of each kind are measured (300 by default); as many as `--documents` says (2,000 by default)
//! are rendered to see that memory does not grow. `--json RUNS` measures the main case alone and prints one JSON
//! object: `warm_ms`, `first_ms`, `bytes`, `pages`. Times are milliseconds on the processor. The main case is the
//! sample CV with its photo on two pages, PDF/A-3a and PDF/UA-1, with the CV attached in two forms. The words
//! of each document are different, so that no cache flatters the figures.

use std::process::Command;
use std::sync::Arc;

use render::blocks::{Block, Image, Section};
use render::{Attachment, Created, Document, Engine, Options, Pages, Stage, Theme};
use rustix::time::{ClockId, clock_gettime};
use serde_json::{Map, Value, json};

#[path = "../tests/support/mod.rs"]
mod support;

const SAMPLE: &str = include_str!("../../../schemas/samples/cv.json");
const WARM_UP: u32 = 20;
/// The width of pictures that jobs get unless told otherwise.
const PICTURE: u32 = 800;
/// Fresh processes whose first documents are timed.
const PROCESSES: u32 = 11;
/// What a fresh process is asked for.
const FIRST: &str = "--first";
const STAGES: [(Stage, &str); 4] = [
    (Stage::Shaped, "shape"),
    (Stage::LaidOut, "lay out"),
    (Stage::Drawn, "draw"),
    (Stage::Written, "write"),
];

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Fallible<()> {
    let cv: Value = serde_json::from_str(SAMPLE)?;
    let (mut runs, mut documents, mut as_json) = (300, 2000, false);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            FIRST => return first(&cv),
            "--json" => as_json = true,
            "--documents" => documents = arguments.next().ok_or("--documents COUNT")?.parse()?,
            count => runs = count.parse()?,
        }
    }
    let engine = Engine::new()?;
    if as_json {
        let mut main = measure(&Case::sample(), runs, &engine, &cv)?;
        let figures = json!({
            "warm_ms": main.total.percentile(50),
            "first_ms": first_ms()?.percentile(50),
            "bytes": main.bytes,
            "pages": main.pages,
        });
        println!("{figures}");
        return Ok(());
    }
    let mut first = first_ms()?;
    println!(
        "first document of a fresh process: p50 {:.2} ms, slowest {:.2} ms, with all of its start\n",
        first.percentile(50),
        first.percentile(100)
    );
    kinds(runs, &engine, &cv)?;
    pictures(runs, &engine, &cv)?;
    memory(documents, &engine, &cv)?;
    pages(&engine, &cv)
}

/// A kind of document.
struct Case {
    name: String,
    theme: String,
    /// `None` is the sample's own.
    photo: Option<Arc<[u8]>>,
}

impl Case {
    fn sample() -> Self {
        Self {
            name: "zurich: main case".to_owned(),
            theme: "zurich".to_owned(),
            photo: None,
        }
    }

    fn photo(name: &str, jpeg: Vec<u8>) -> Self {
        Self {
            name: name.to_owned(),
            photo: Some(jpeg.into()),
            ..Self::sample()
        }
    }
}

#[derive(Default)]
struct Times(Vec<f64>);

impl Times {
    fn percentile(&mut self, percent: usize) -> f64 {
        self.0.sort_by(f64::total_cmp);
        self.0[(self.0.len() - 1) * percent / 100]
    }
}

#[derive(Default)]
struct Measured {
    total: Times,
    stages: [Times; STAGES.len()],
    /// The largest file.
    bytes: usize,
    pages: u32,
}

/// A table of the kinds.
fn kinds(runs: u32, engine: &Engine, cv: &Value) -> Fallible<()> {
    let names = STAGES.map(|(_, name)| format!("{name:>8}")).join(" ");
    println!(
        "{:22} {:>6} {:>6} {names} {:>7} pages",
        "ms on the processor", "p50", "p90", "bytes"
    );
    let themes = Theme::all().map(|theme| Case {
        name: theme.name().to_owned(),
        theme: theme.name().to_owned(),
        photo: None,
    });
    let portrait = support::portrait::jpeg;
    let photos = [
        Case::photo("no photo", Vec::new()),
        Case::photo("photo of 240 x 320", portrait(240, 320)),
        Case::photo("photo of 600 x 800", portrait(600, 800)),
        Case::photo("photo of 3000 x 4000", portrait(3000, 4000)),
    ];
    for case in [Case::sample()]
        .into_iter()
        .chain(themes.skip(1))
        .chain(photos)
    {
        let mut found = measure(&case, runs, engine, cv)?;
        let stages = found.stages.iter_mut();
        let stages: Vec<_> = stages
            .map(|times| format!("{:8.2}", times.percentile(50)))
            .collect();
        println!(
            "{:22} {:6.2} {:6.2} {} {:7} {:5}",
            case.name,
            found.total.percentile(50),
            found.total.percentile(90),
            stages.join(" "),
            found.bytes,
            found.pages
        );
    }
    Ok(())
}

fn measure(case: &Case, runs: u32, engine: &Engine, cv: &Value) -> Fallible<Measured> {
    let theme = Theme::named(&case.theme).ok_or("an unknown theme")?;
    let mut found = Measured::default();
    for run in 0..runs + WARM_UP {
        let varied = vary(cv, run);
        let document = document(&varied, case.photo.as_ref());
        let options = options(&varied, theme.clone());
        let mut marks = Vec::with_capacity(STAGES.len());
        let started = processor_time(ClockId::ThreadCPUTime);
        let (rendered, _) = engine.render_observed(&document, &options, &mut |stage| {
            marks.push((stage, processor_time(ClockId::ThreadCPUTime)));
        })?;
        if run < WARM_UP {
            continue;
        }
        let mut last = started;
        for (((stage, at), (expected, _)), times) in
            marks.into_iter().zip(STAGES).zip(&mut found.stages)
        {
            assert_eq!(stage, expected);
            times.0.push(at - last);
            last = at;
        }
        found.total.0.push(last - started);
        found.bytes = found.bytes.max(rendered.pdf.len());
        found.pages = found.pages.max(rendered.pages);
    }
    Ok(found)
}

/// The first page as a picture.
fn pictures(runs: u32, engine: &Engine, cv: &Value) -> Fallible<()> {
    let (mut times, mut bytes) = (Times::default(), 0);
    for run in 0..runs + WARM_UP {
        let varied = vary(cv, run);
        let options = options(&varied, Theme::zurich());
        let (_, sheets) = engine.render_with_sheets(&document(&varied, None), &options)?;
        let started = processor_time(ClockId::ThreadCPUTime);
        bytes = bytes.max(sheets.picture(1, PICTURE)?.len());
        if run >= WARM_UP {
            times
                .0
                .push(processor_time(ClockId::ThreadCPUTime) - started);
        }
    }
    println!(
        "\npicture of the first page, {PICTURE} pixels wide, {bytes} bytes: p50 {:.2} ms",
        times.percentile(50)
    );
    Ok(())
}

/// What a fresh process does: all that its first document takes.
fn first(cv: &Value) -> Fallible<()> {
    let (document, options) = (document(cv, None), options(cv, Theme::zurich()));
    Engine::new()?.render(&document, &options)?;
    println!("{}", processor_time(ClockId::ProcessCPUTime));
    Ok(())
}

fn first_ms() -> Fallible<Times> {
    let program = std::env::current_exe()?;
    let run = |_| -> Fallible<f64> {
        let printed = Command::new(&program).arg(FIRST).output()?.stdout;
        Ok(str::from_utf8(&printed)?.trim().parse()?)
    };
    (0..PROCESSES).map(run).collect::<Result<_, _>>().map(Times)
}

fn memory(documents: u32, engine: &Engine, cv: &Value) -> Fallible<()> {
    let before = resident();
    for run in 0..documents {
        let varied = vary(cv, run);
        engine.render(&document(&varied, None), &options(&varied, Theme::zurich()))?;
    }
    println!(
        "\nresident {before:.1} MB before, {:.1} MB after {documents} documents",
        resident()
    );
    Ok(())
}

/// Milliseconds for a page of documents of more and more of them.
fn pages(engine: &Engine, cv: &Value) -> Fallible<()> {
    println!();
    for copies in [0, 1, 2, 10, 40, 75] {
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
        if copies == 0 {
            body = support::cv::document(cv).body;
            // Without its entries of work and education it takes one page.
            body.drain(2..4);
        }
        let document = Document {
            title: "Many pages".into(),
            language: "en".into(),
            body,
            ..Document::default()
        };
        let (mut times, mut count) = (Times::default(), 0);
        for _ in 0..7 {
            let started = processor_time(ClockId::ThreadCPUTime);
            count = engine.render(&document, &Options::default())?.pages;
            times
                .0
                .push(processor_time(ClockId::ThreadCPUTime) - started);
        }
        let time = times.percentile(50);
        println!(
            "{count:3} pages {time:7.2} ms, {:.2} ms a page",
            time / f64::from(count)
        );
    }
    Ok(())
}

/// The blocks of a CV, with a photo of its own or another; none where that is empty.
fn document(cv: &Value, photo: Option<&Arc<[u8]>>) -> Document {
    let mut document = support::cv::document(cv);
    if let (Some(Block::Masthead(masthead)), Some(photo)) = (document.body.first_mut(), photo) {
        masthead.photo = (!photo.is_empty()).then(|| Image {
            data: photo.clone(),
            alt: "A portrait of nobody".to_owned(),
        });
    }
    document
}

fn options(cv: &Value, theme: Theme) -> Options {
    let mut plain = cv.clone();
    if let Some(fields) = plain.as_object_mut() {
        fields.remove("photo_url");
    }
    let attached = |name: &str, data: &Value| Attachment {
        name: name.to_owned(),
        mime: "application/json".to_owned(),
        description: "The CV as data".to_owned(),
        data: data.to_string().into_bytes(),
    };
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
        attachments: vec![
            attached("cv.json", &plain),
            attached("resume.json", &renamed(&plain)),
        ],
        page_target: Pages::Fixed(2),
        ..Options::default()
    }
}

/// The CV in about the form and size that JSON Resume gives it.
fn renamed(value: &Value) -> Value {
    let name = |key: &str| match key {
        "full_name" | "employer" | "institution" => "name".to_owned(),
        "title" => "position".to_owned(),
        "bullets" | "details" => "highlights".to_owned(),
        "work_experience" => "work".to_owned(),
        "it_ai_skills" => "skills".to_owned(),
        other => other.to_owned(),
    };
    match value {
        Value::Array(items) => items.iter().map(renamed).collect(),
        Value::Object(fields) => {
            let fields = fields.iter();
            let fields = fields.map(|(key, item)| (name(key), renamed(item)));
            Value::Object(fields.collect::<Map<_, _>>())
        }
        other => other.clone(),
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
            let fields = fields.map(|(key, item)| (key.clone(), vary(item, run)));
            Value::Object(fields.collect::<Map<_, _>>())
        }
        other => other.clone(),
    }
}

/// Milliseconds that this thread or process has been on a processor.
fn processor_time(clock: ClockId) -> f64 {
    let time = clock_gettime(clock);
    time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 / 1e6
}

/// Megabytes of memory that this process holds; 0 where Linux does not tell.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kilobytes.unwrap_or(0.0) / 1024.0
}
