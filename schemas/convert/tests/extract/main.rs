//! Extraction from documents: figures over a corpus, nothing lost, nothing invented, nothing
//! that a hostile file can do.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod hostile;
mod no_cv;
mod score;
mod words;

use std::path::{Path, PathBuf};

use convert::{Extracted, Limits, docx};
use serde_json::Value;

pub(crate) fn data(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(folder)
}

/// The `.docx` files of a folder, by name.
pub(crate) fn documents(folder: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(data(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "docx"))
        .collect();
    files.sort();
    assert!(files.len() >= 8, "the files of {folder} are there");
    files
}

pub(crate) fn read(path: &Path) -> Extracted {
    let bytes = std::fs::read(path).unwrap();
    docx::read(&bytes, &Limits::default()).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn check(folder: &str, least: f64, least_overall: f64) {
    let mut all = score::Score::default();
    for path in documents(folder) {
        let truth: Value =
            serde_json::from_slice(&std::fs::read(path.with_extension("json")).unwrap()).unwrap();
        let extracted = read(&path);
        let got = serde_json::to_value(&extracted.cv).unwrap();
        let score = score::compare(&truth, &got);
        assert!(
            score.f1() >= least,
            "{}: F1 {:.3}, missed {:#?}, made up {:#?}",
            path.display(),
            score.f1(),
            score.missed,
            score.extra
        );
        if let Some(photo) = truth["photo"].as_bool() {
            assert_eq!(extracted.photo.is_some(), photo, "{}", path.display());
        }
        if let Some(language) = truth["language"].as_str() {
            assert_eq!(
                extracted.language.as_deref(),
                Some(language),
                "{}",
                path.display()
            );
        }
        all.hits += score.hits;
        all.missed.extend(score.missed);
        all.extra.extend(score.extra);
    }
    assert!(all.f1() >= least_overall, "{folder}: F1 {:.3}", all.f1());
}

#[test]
fn the_corpus_is_read() {
    check("corpus", 0.94, 0.97);
}

#[test]
fn other_layouts_and_languages_are_read() {
    check("variants", 0.92, 0.97);
}

#[test]
fn layouts_that_no_rule_was_made_for_are_read() {
    check("layouts", 0.92, 0.98);
}

#[test]
fn every_value_has_a_source() {
    for path in documents("corpus") {
        let extracted = read(&path);
        let cv = &extracted.cv;
        let has = |wanted: &str| extracted.sources.iter().any(|source| source.path == wanted);
        for (i, work) in cv.work_experience.iter().enumerate() {
            let fields = [
                ("date_range", &work.date_range),
                ("employer", &work.employer),
                ("title", &work.title),
            ];
            for (field, value) in fields {
                let path = format!("work_experience[{i}].{field}");
                assert_eq!(has(&path), !value.is_empty(), "{path}");
            }
            for j in 0..work.bullets.len() {
                assert!(has(&format!("work_experience[{i}].bullets[{j}]")));
            }
        }
        assert!(has("full_name") && has("email") && has("phone"));
        for source in &extracted.sources {
            assert!((0.0..=1.0).contains(&source.confidence), "{source:?}");
            assert!(source.origin.contains("paragraph"), "{source:?}");
        }
    }
}

/// Texts that cost much for their length: twice the text may not cost much more than twice the time.
#[test]
#[allow(
    clippy::disallowed_methods,
    reason = "the test measures time; the crate never does"
)]
fn long_texts_take_time_in_proportion() {
    let took = |line: &str, chars: usize| {
        let lines = chars / 1_800;
        let line = line.repeat(1_800 / line.len());
        let text = format!(
            "Anna Example\nanna@example.com\n\nExperience\nWelder, Acme Ltd\n2019 – 2021\n\n{}",
            format!("{line}\n").repeat(lines)
        );
        let start = std::time::Instant::now();
        let read = convert::text::read(&text, &Limits::default());
        assert!(read.is_ok(), "{line:.20}");
        start.elapsed()
    };
    for line in [
        "alpha, ",
        "2018 – 2019 a, ",
        "Jan Feb 2001 ",
        "a – b – ",
        "Tel: ",
    ] {
        took(line, 5_000);
        // The best of some: what a busy machine adds falls on one or another.
        let best = |chars| (0..5).map(|_| took(line, chars)).min().unwrap();
        let (one, four) = (best(20_000), best(80_000));
        assert!(four < one * 16, "{line}: {one:?}, then {four:?}");
    }
}

#[test]
fn the_same_document_gives_the_same_result() {
    for path in documents("corpus") {
        assert_eq!(read(&path), read(&path));
    }
}
