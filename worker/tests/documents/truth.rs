//! A model that makes things up, through a whole job: nothing of it is in the documents, and the
//! report names all of it.

use schemas::job::{DocumentName, JobKind, Letter, Options, Output};
use serde_json::{Value, json};
use worker::jobs::{Source, StoredReply};

use super::{beside, compact, poppler, report, sample, set_as};

/// A faithful reply: the source's own words.
fn faithful(cv: &Value) -> Value {
    let texts = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let entries = |key: &str, texts_key: &str| -> Vec<Value> {
        let of =
            |entry: &Value| json!({"title": entry["title"], texts_key: texts(&entry[texts_key])});
        texts(&cv[key]).iter().map(of).collect()
    };
    json!({
        "profile": cv["profile"],
        "work_experience": entries("work_experience", "bullets"),
        "education": entries("education", "details"),
        "further_experience": entries("further_experience", "bullets"),
        "languages": cv["languages"],
        "it_ai_skills": cv["it_ai_skills"],
        "certifications": cv["certifications"],
        "trainings": cv["trainings"],
        "interests": cv["interests"],
        "cover_letter": {"paragraphs": [
            "As Head of Network Operations at Severn Gate Logistics Ltd I lead 46 planners and shift \
             managers who move 1,900 containers a week between four terminals.",
            "At Harrow & Pike Rail Freight I rebuilt the weekly train plan on live wagon data and cut \
             empty running by 17 %.",
        ]},
    })
}

fn by_model(json: Value) -> StoredReply {
    StoredReply {
        source: Source::Model,
        json,
        usage: None,
        reply_id: None,
        warnings: Vec::new(),
    }
}

#[test]
fn nothing_that_the_model_made_up_reaches_a_document() {
    let cv = sample();
    let mut reply = faithful(&cv);
    // Each: where, what is made up, a mark of it that no document may hold.
    let planted = [
        (
            "work_experience[0].bullets[2]",
            "Brought in a shared control-room dashboard at Maersk; the morning call went from 50 \
             minutes to 15.",
            "Maersk",
        ),
        (
            "work_experience[1].bullets[0]",
            "Rebuilt the weekly train plan on live wagon data and cut empty running by 71 %.",
            "71 %",
        ),
        (
            "certifications[1]",
            "Certified Kubernetes Administrator, 2018",
            "Kubernetes",
        ),
        (
            "work_experience[2].title",
            "Vice President, Sorting Hubs",
            "Vice President",
        ),
    ];
    for (path, text, _) in planted {
        let pointer = format!("/{}", path.replace(['[', '.'], "/").replace(']', ""));
        *reply.pointer_mut(&pointer.replace("//", "/")).unwrap() = text.into();
    }
    let claim = "I also hold a doctorate in astrophysics from Harvard.";
    let paragraphs = reply["cover_letter"]["paragraphs"].as_array_mut().unwrap();
    paragraphs[1] = format!("{} {claim}", paragraphs[1].as_str().unwrap()).into();

    let options = Options {
        outputs: vec![Output::Cv, Output::CoverLetter],
        letter: Some(Letter {
            position: Some("Director of Freight".to_owned()),
            ..Letter::default()
        }),
        ..Options::default()
    };
    let made = set_as(JobKind::Cv, &cv, options, &by_model(reply));
    let letter = &beside(&made, DocumentName::CoverLetter).unwrap().data;
    let pages = compact(&poppler(&made.pdf, &[])) + &compact(&poppler(letter, &[]));
    let data = &beside(&made, DocumentName::CvJson).unwrap().data;
    let data = String::from_utf8(data.to_vec()).unwrap();
    let report = report(&made);
    let restored = report["restored"]["unsupported"].as_array().unwrap();
    let undecided = report["restored"]["undecided"].as_array().unwrap();
    for (path, text, mark) in planted {
        assert!(!pages.contains(&compact(mark)), "{mark} is on a page");
        assert!(!data.contains(mark), "{mark} is in the data");
        let mut findings = restored.iter().chain(undecided);
        let Some(finding) = findings.find(|finding| finding["path"] == path) else {
            panic!("{path} is not in the report: {report:#}");
        };
        assert_eq!(finding["reply"], text);
        let source = finding["source"].as_str().unwrap();
        let pointer = format!("/{}", path.replace(['[', '.'], "/").replace(']', ""));
        let own = cv.pointer(&pointer.replace("//", "/")).unwrap();
        assert_eq!(compact(own.as_str().unwrap()), compact(source));
        assert!(pages.contains(&compact(source)), "{source}");
    }
    assert!(!pages.contains("astrophysics"), "{pages}");
    assert!(pages.contains("cutemptyrunningby17%"));
    let dropped = report["letter_dropped"].as_array().unwrap();
    assert!(
        dropped.iter().any(|finding| finding["reply"] == claim),
        "{dropped:?}"
    );

    // The job's status is seen by more people than the documents: paths and reasons alone.
    for warning in &made.warnings {
        let texts = planted.iter().map(|(_, text, _)| *text).chain([claim]);
        for text in texts {
            assert!(!warning.message.contains(text), "{}", warning.message);
        }
        let source = restored.iter().chain(undecided);
        for finding in source {
            let source = finding["source"].as_str().unwrap();
            assert!(!warning.message.contains(source), "{}", warning.message);
        }
        assert!(warning.message.chars().count() < 160, "{}", warning.message);
    }
    let warned = |path: &str| made.warnings.iter().any(|warning| warning.path == path);
    assert!(planted.iter().all(|(path, ..)| warned(path)));
    assert!(warned("cover_letter.paragraphs[1]"), "{:?}", made.warnings);
}

#[test]
fn a_faithful_reply_is_taken_as_it_is() {
    let cv = sample();
    let options = Options {
        outputs: vec![Output::Cv, Output::CoverLetter],
        ..Options::default()
    };
    let made = set_as(JobKind::Cv, &cv, options, &by_model(faithful(&cv)));
    let report = report(&made);
    assert_eq!(report["restored"]["unsupported"], json!([]));
    assert_eq!(report["letter_dropped"], json!([]));
    assert!(made.warnings.is_empty(), "{:?}", made.warnings);
}
