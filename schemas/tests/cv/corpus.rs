//! Whole CVs: real ones pass, bad ones are refused for the reason that their neighbour file gives.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use schemas::cv::{
    self, CheckOptions, CvError, accept, canonical_json, check, estimate, normalise,
};
use serde_json::Value;

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/cv")
}

fn read(path: &Path) -> Value {
    let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap()
}

/// Every JSON file of a folder, by name.
fn folder(name: &str) -> BTreeMap<String, Value> {
    let entries = fs::read_dir(data().join(name))
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let files = entries.map(|path| {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        (name, read(&path))
    });
    files.collect()
}

fn good() -> BTreeMap<String, Value> {
    let mut files = folder("docx");
    files.append(&mut folder("render"));
    assert_eq!(files.len(), 18);
    files.insert(
        "sample".to_owned(),
        serde_json::from_str(cv::SAMPLE).unwrap(),
    );
    files
}

#[test]
fn good_files_are_canonical_already() {
    for (name, value) in good() {
        let first = normalise(&value).unwrap_or_else(|e| panic!("{name}: {e}"));
        let odd: Vec<_> = first
            .warnings
            .iter()
            .filter(|w| w.path != "photo")
            .collect();
        assert!(odd.is_empty(), "{name}: {odd:?}");
        let json = canonical_json(&first.cv);
        let again = normalise(&serde_json::from_str(&json).unwrap()).unwrap();
        assert!(again.cv == first.cv && again.warnings.is_empty(), "{name}");
    }
}

/// Every text of the source is in the canonical form: nothing that a person wrote is lost.
#[test]
fn good_files_lose_no_text() {
    fn texts<'v>(value: &'v Value, found: &mut Vec<&'v str>) {
        match value {
            Value::String(text) => found.push(text),
            Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
            Value::Object(map) => map.values().for_each(|item| texts(item, found)),
            _ => {}
        }
    }
    let words = |text: &str| {
        text.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    for (name, value) in good() {
        let canonical = serde_json::to_value(normalise(&value).unwrap().cv).unwrap();
        let (mut before, mut after) = (Vec::new(), Vec::new());
        texts(&value, &mut before);
        texts(&canonical, &mut after);
        let after: Vec<_> = after.into_iter().map(words).collect();
        for text in before {
            assert!(
                text.is_empty() || after.contains(&words(text)),
                "{name}: {text}"
            );
        }
    }
}

#[test]
fn good_files_are_accepted_save_where_they_break_a_limit_on_purpose() {
    for (name, value) in good() {
        let result = accept(&value, &CheckOptions::default());
        let refused: Vec<_> = match &result {
            Ok(_) => Vec::new(),
            Err(error) => error
                .problems()
                .into_iter()
                .map(|p| (p.path, p.code))
                .collect(),
        };
        let refused: Vec<_> = refused
            .iter()
            .map(|(p, c)| (p.as_str(), c.as_str()))
            .collect();
        let want: &[(&str, &str)] = match name.as_str() {
            "minimal_valid.json" => &[("work_experience", "missing"), ("education", "missing")],
            "long_unbroken.json" => &[("work_experience[0].date_range", "too_long")],
            _ => &[],
        };
        assert_eq!(refused, want, "{name}");
    }
}

#[test]
fn canonical_forms_fit_the_schema() {
    let schema = read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("json/cv.schema.json"));
    let validator = jsonschema::validator_for(&schema).unwrap();
    for (name, value) in good() {
        if name == "minimal_valid.json" || name == "long_unbroken.json" {
            continue;
        }
        let canonical: Value =
            serde_json::from_str(&canonical_json(&normalise(&value).unwrap().cv)).unwrap();
        let faults: Vec<_> = validator
            .iter_errors(&canonical)
            .map(|e| e.to_string())
            .collect();
        assert_eq!(faults, Vec::<String>::new(), "{name}");
    }
    // The schema can say no.
    for name in [
        "missing_required.json",
        "over_limits.json",
        "wrong_types.json",
    ] {
        assert!(
            !validator.is_valid(&read(&data().join("bad").join(name))),
            "{name}"
        );
    }
}

#[test]
fn bad_files_are_refused_for_their_reasons() {
    let expected = read(&data().join("bad/expected.json"));
    let mut files = folder("bad");
    files.remove("expected.json");
    assert_eq!(files.len(), expected.as_object().unwrap().len());
    for (name, value) in files {
        let error = accept(&value, &CheckOptions::default()).expect_err(&name);
        let named: Vec<_> = error.problems().into_iter().map(|p| p.path).collect();
        let body = error.legacy_body();
        let (title, paths): (&str, &[&str]) = match name.as_str() {
            "wrong_keys.json" => {
                assert_eq!(
                    body["wrong_keys_detected"],
                    serde_json::json!(["personal_info", "employment_history"])
                );
                (
                    "Schema validation failed",
                    &["personal_info", "employment_history"],
                )
            }
            "missing_required.json" => ("CV data validation failed", &["phone", "education"]),
            "wrong_types.json" => {
                let message = body["validation_errors"][1].as_str().unwrap();
                assert!(message.contains("array expected"), "{message}");
                (
                    "CV data validation failed",
                    &["address_lines", "work_experience", "languages[0]"],
                )
            }
            "over_limits.json" => {
                for error in body["validation"]["errors"].as_array().unwrap() {
                    let number = |key: &str| error[key].as_u64().unwrap();
                    assert_eq!(number("current_value") - number("limit"), number("excess"));
                    assert!(error["suggestion"].is_string());
                }
                (
                    "Validation failed",
                    &[
                        "work_experience[0].date_range",
                        "work_experience[0].bullets[0]",
                        "work_experience[0].bullets[1]",
                        "work_experience[0].bullets[2]",
                    ],
                )
            }
            "entry_missing_fields.json" => (
                "CV data validation failed",
                &[
                    "work_experience[0].date_range",
                    "work_experience[0].title",
                    "education[0].institution",
                    "education[0].title",
                ],
            ),
            other => panic!("{other} has no case here"),
        };
        assert_eq!(body["error"], title, "{name}");
        assert_eq!(named, paths, "{name}");
    }
}

/// A document may be refused for a job and still be rendered leniently.
#[test]
fn a_lenient_caller_gets_warnings_in_place_of_errors() {
    for name in [
        "missing_required.json",
        "over_limits.json",
        "entry_missing_fields.json",
    ] {
        let normalised = normalise(&read(&data().join("bad").join(name))).unwrap();
        let report = check(&normalised.cv, &CheckOptions::default());
        assert!(!report.is_ok());
        let errors = report.errors.len();
        assert!(report.into_warnings().len() >= errors, "{name}");
    }
    for name in ["wrong_keys.json", "wrong_types.json"] {
        let error = normalise(&read(&data().join("bad").join(name))).unwrap_err();
        assert!(
            matches!(error, CvError::WrongKeys { .. } | CvError::WrongTypes(_)),
            "{name}"
        );
    }
}

#[test]
fn page_estimates_are_within_what_is_expected() {
    let expected = read(&data().join("expected_pages.json"));
    for (name, value) in folder("render") {
        let got = estimate(&normalise(&value).unwrap().cv);
        let bound = |key: &str| u32::try_from(expected[&name][key].as_u64().unwrap()).unwrap();
        let range = bound("pages_min")..=bound("pages_max");
        assert!(
            range.contains(&got.pages),
            "{name}: {got:?} is not in {range:?}"
        );
    }
}

/// The sample must show what editing does, and must not itself be at fault.
#[test]
fn the_sample_is_rich_untidy_and_within_its_limits() {
    assert!(cv::SAMPLE.len() <= 60 * 1024);
    let value: Value = serde_json::from_str(cv::SAMPLE).unwrap();
    let sample = accept(
        &value,
        &CheckOptions {
            strict_template: true,
        },
    )
    .unwrap();
    assert_eq!(sample.warnings, vec![]);
    let sample = sample.cv;
    assert_eq!(estimate(&sample).pages, 2);
    assert_eq!(sample.work_experience.len(), 5);
    let marked = |bullet: &&String| bullet.starts_with(['*', '-', '•']);
    let bullets = sample.work_experience.iter().flat_map(|work| &work.bullets);
    assert!(bullets.filter(marked).count() >= 3);
    assert!(cv::SAMPLE.contains("logistics.  I turn"));
    let mut sorted = sample.it_ai_skills.clone();
    sorted.sort_unstable();
    assert_ne!(sorted, sample.it_ai_skills);
    let photo = cv::photo::decode(sample.photo_url.as_deref().unwrap()).unwrap();
    assert_eq!(photo.format, cv::photo::PhotoFormat::Jpeg);
}
