//! Input made to break a reader: depth, size, lone surrogates; and answers that must not tell too much.

use schemas::cv::{CheckOptions, CvError, accept, check, normalise};
use serde_json::{Value, json};

use crate::{complete, cv, faults, job};

/// The reason may be shown to anybody who holds the answer: it must not repeat the CV.
#[test]
fn faults_and_warnings_hold_no_text_of_the_cv() {
    let secret = "Zanzibar".repeat(100);
    let value = complete(json!({
        "full_name": secret, "profile": secret, "photo_url": secret, "language": secret,
        "email": secret, "links": [format!("javascript:{secret}")], "name": format!("{secret}2"),
    }));
    let normalised = normalise(&value).unwrap();
    let error = accept(&value, &CheckOptions::default()).unwrap_err();
    let report = check(&normalised.cv, &CheckOptions::default());
    for shown in [
        format!("{error} {error:?} {:?}", error.problems()),
        error.legacy_body().to_string(),
        format!("{normalised:?} {report:?}"),
    ] {
        assert!(!shown.contains("Zanzibar"), "{shown}");
    }
}

#[test]
fn a_lone_surrogate_is_refused_by_the_parser() {
    for text in [
        r#"{"full_name":"\ud800"}"#,
        r#"{"full_name":"\udc00x"}"#,
        r#"{"\ud83d":1}"#,
    ] {
        assert!(serde_json::from_str::<Value>(text).is_err(), "{text}");
    }
    let pair: Value = serde_json::from_str(r#"{"full_name":"\ud83d\ude00"}"#).unwrap();
    assert_eq!(cv(&pair).full_name, "😀");
}

#[test]
fn deep_nesting_is_refused_before_anything_is_built() {
    let text = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    assert!(serde_json::from_str::<Value>(&text).is_err());

    // What no parser gives may still come from other code; dropping it takes a deep stack.
    let run = || {
        let mut deep = json!("x");
        for level in 0..10_000 {
            deep = if level % 2 == 0 {
                Value::Array(vec![deep])
            } else {
                Value::Object([("a".to_owned(), deep)].into_iter().collect())
            };
        }
        for key in ["profile", "work_experience", "unknown"] {
            let mut map = serde_json::Map::new();
            map.insert(key.to_owned(), deep);
            let value = Value::Object(map);
            let error = normalise(&value).unwrap_err();
            assert_eq!(
                faults(&error),
                [(String::new(), "too_large".to_owned())],
                "{key}"
            );
            assert!(error.problems()[0].message.contains("levels of nesting"));
            let Value::Object(mut map) = value else {
                unreachable!()
            };
            deep = map.remove(key).unwrap();
        }
    };
    std::thread::Builder::new()
        .stack_size(64 << 20)
        .spawn(run)
        .unwrap()
        .join()
        .unwrap();
    // Sixteen levels are read, and their unknown keys told.
    let text = format!("{{\"a\":{}{}}}", "[".repeat(15), "]".repeat(15));
    assert!(normalise(&serde_json::from_str(&text).unwrap()).is_ok());
}

#[test]
fn huge_input_is_refused_with_its_size() {
    let check = |value: Value, path: &str, unit: &str| {
        let error = normalise(&value).unwrap_err();
        assert!(matches!(error, CvError::TooLarge(_)));
        let fault = &error.problems()[0];
        assert_eq!(fault.path, path);
        assert!(fault.message.contains(unit), "{}", fault.message);
        assert!(fault.excess.unwrap() > 0);
        assert_eq!(error.legacy_body()["error"], "Validation failed");
    };
    check(
        complete(json!({ "it_ai_skills": vec!["x"; 100_000] })),
        "",
        "values",
    );
    check(
        complete(json!({ "unknown": vec![Value::Null; 100_000] })),
        "",
        "values",
    );
    check(
        complete(json!({ "publications": vec!["x".repeat(10_000); 150] })),
        "",
        "bytes of text",
    );
    check(
        complete(json!({ "k".repeat(2 << 20): 1 })),
        "",
        "bytes of text",
    );
    check(
        complete(json!({ "trainings": vec!["x"; 201] })),
        "trainings",
        "items",
    );
    check(
        complete(json!({ "references": "x\n".repeat(201) })),
        "references",
        "lines",
    );
    check(
        complete(json!({ "photo_url": "x".repeat(17 << 20) })),
        "photo_url",
        "bytes",
    );
    let skills = |from: usize| {
        (from..from + 150)
            .map(|n| n.to_string())
            .collect::<Vec<_>>()
    };
    check(
        complete(json!({ "it_ai_skills": skills(0), "skills": skills(150) })),
        "it_ai_skills",
        "items",
    );
    check(
        job(json!({ "bullets": skills(0), "description": skills(150) })),
        "work_experience[0].bullets",
        "items",
    );
}

#[test]
fn answers_stay_short_whatever_was_sent() {
    let unknown: serde_json::Map<String, Value> =
        (0..5_000).map(|n| (format!("k{n}"), json!(1))).collect();
    let normalised = normalise(&complete(Value::Object(unknown))).unwrap();
    assert_eq!(normalised.warnings.len(), 101);
    assert_eq!(normalised.warnings[100].message, "and 4900 more warnings");

    let error = normalise(&complete(json!({ "languages": vec![7; 150] }))).unwrap_err();
    assert_eq!(error.problems().len(), 101);
    assert_eq!(error.problems()[100].message, "and 50 more");

    let entries = vec![json!({}); 200];
    let error = accept(
        &complete(json!({ "work_experience": entries })),
        &CheckOptions::default(),
    );
    assert_eq!(error.unwrap_err().problems().len(), 101);
}
