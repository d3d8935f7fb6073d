//! What callers send and what becomes of it: aliases, wrong keys, wrong types, what is left out.

use schemas::cv::{CheckOptions, CvError, accept, normalise, normalise_for_validation};
use serde_json::{Value, json};

use crate::{codes, complete, cv, faults, job, school};

#[test]
fn aliases_become_the_canonical_form_without_a_word() {
    let without = |key: &str, mut value: Value| {
        value.as_object_mut().unwrap().remove(key);
        value
    };
    let check = |sent: Value, canonical: Value| {
        let got = normalise(&sent).unwrap();
        assert!(got.cv == cv(&canonical), "{sent}");
        assert_eq!(got.warnings, vec![], "{sent}");
    };
    check(
        without("full_name", complete(json!({ "name": "Ida Morrow" }))),
        complete(json!({})),
    );
    for key in ["profile", "summary", "professional_summary"] {
        check(
            complete(json!({ key: "Calm." })),
            complete(json!({ "profile": "Calm." })),
        );
    }
    check(
        complete(json!({ "data_privacy_consent": "I agree." })),
        complete(json!({ "data_privacy": "I agree." })),
    );
    for key in ["skills", "technical_operational_skills"] {
        check(
            complete(json!({ key: ["Rust"] })),
            complete(json!({ "it_ai_skills": ["Rust"] })),
        );
    }
    check(
        complete(json!({
            "it_ai_skills": ["Rust", "SQL"],
            "skills": ["rust", "Git"],
            "technical_operational_skills": ["GIT", "Excel", "Excel"],
        })),
        complete(json!({ "it_ai_skills": ["Rust", "SQL", "Git", "Excel"] })),
    );
    check(
        complete(json!({ "work_experience": [{
            "company": "Norden", "position": "Clerk", "start_date": "2020-01",
            "end_date": "Present", "bullets": ["One."], "description": "Two.\r\n\n  Three.\nOne.",
        }] })),
        complete(json!({ "work_experience": [{
            "employer": "Norden", "title": "Clerk", "date_range": "2020-01 – Present",
            "bullets": ["One.", "Two.", "Three."],
        }] })),
    );
    check(
        complete(json!({ "education": [{
            "school": "Harbour", "degree": "BSc", "field": "Physics", "start_date": "2015",
            "end_date": "2018", "description": ["Grade 2:1"],
        }] })),
        complete(json!({ "education": [{
            "institution": "Harbour", "title": "BSc, Physics", "date_range": "2015 – 2018",
            "details": ["Grade 2:1"],
        }] })),
    );
    // The field is in the degree already.
    check(
        school(json!({ "title": "BSc Physics", "field": "physics" })),
        school(json!({ "title": "BSc Physics" })),
    );
    check(
        complete(json!({ "further_experience": [{ "company": "Club", "position": "Coach" }] })),
        complete(json!({ "further_experience": [{ "organization": "Club", "title": "Coach" }] })),
    );
    check(
        complete(json!({ "languages": ["English", { "name": "German", "level": "B2" }] })),
        complete(
            json!({ "languages": [{ "language": "English" }, { "language": "German", "level": "B2" }] }),
        ),
    );
    check(
        complete(
            json!({ "links": ["example.com/ida", { "url": "https://example.org", "label": "Code" }] }),
        ),
        complete(
            json!({ "links": [{ "url": "example.com/ida" }, { "label": "Code", "url": "https://example.org" }] }),
        ),
    );
    check(
        complete(json!({ "interests": ["chess", "rowing"] })),
        complete(json!({ "interests": "chess, rowing" })),
    );
    check(
        complete(json!({ "interests": ["chess, fast", "rowing"] })),
        complete(json!({ "interests": "chess, fast; rowing" })),
    );
    check(
        complete(json!({ "references": "Dr A. Bee\nProf. C. Dee\n" })),
        complete(json!({ "references": ["Dr A. Bee", "Prof. C. Dee"] })),
    );
    check(
        json!({ "cv_data": complete(json!({})) }),
        complete(json!({})),
    );
    check(
        json!({ "cv_data": { "cv_data": complete(json!({})) } }),
        complete(json!({})),
    );
    for (sent, canonical) in [("EN", "en"), ("pt_br", "pt-BR"), ("SR-latn", "sr-Latn")] {
        check(
            complete(json!({ "language": sent })),
            complete(json!({ "language": canonical })),
        );
    }
    // `null` is absent.
    check(
        complete(json!({ "profile": null, "languages": null })),
        complete(json!({})),
    );
}

#[test]
fn each_wrong_key_is_named_with_what_to_do() {
    let wrong = [
        "personal_info",
        "employment_history",
        "personal",
        "cv_source",
        "experience",
        "contact",
        "profiles",
        "metadata",
        "employment",
        "headline",
    ];
    for key in wrong {
        let error = normalise(&complete(json!({ key: {} }))).unwrap_err();
        assert_eq!(faults(&error), [(key.to_owned(), "wrong_key".to_owned())]);
        assert!(error.problems()[0].suggestion.is_some(), "{key}");
        let body = error.legacy_body();
        assert_eq!(body["error"], "Schema validation failed");
        assert_eq!(body["wrong_keys_detected"], json!([key]));
        assert!(body["guidance"].as_str().unwrap().starts_with(key));
        assert!(
            body["your_data_keys"]
                .as_array()
                .unwrap()
                .contains(&json!(key))
        );
        assert_eq!(body["canonical_schema"]["full_name"], "text, required");
        assert!(accept(&body["example"], &CheckOptions::default()).is_ok());
        assert!(body["action_required"].is_string());
        assert_eq!(body.as_object().unwrap().len(), 7);
    }
}

#[test]
fn only_validation_takes_experience_and_employment() {
    for key in ["experience", "employment"] {
        let mut value = complete(json!({}));
        let jobs = value
            .as_object_mut()
            .unwrap()
            .remove("work_experience")
            .unwrap();
        value[key] = jobs;
        assert!(
            matches!(normalise(&value), Err(CvError::WrongKeys { .. })),
            "{key}"
        );
        let taken = normalise_for_validation(&value).unwrap();
        assert!(taken.cv == cv(&complete(json!({}))), "{key}");
    }
    let other = normalise_for_validation(&complete(json!({ "contact": {} })));
    assert!(matches!(other, Err(CvError::WrongKeys { .. })));
}

#[test]
fn each_wrong_type_is_named_with_what_was_expected() {
    let check = |value: Value, path: &str, message: &str| {
        let error = normalise(&value).unwrap_err();
        assert!(matches!(error, CvError::WrongTypes(_)), "{value}");
        assert_eq!(
            faults(&error),
            [(path.to_owned(), "wrong_type".to_owned())],
            "{value}"
        );
        assert!(
            error.problems()[0].message.ends_with(message),
            "{:?}",
            error.problems()
        );
        let body = error.legacy_body();
        assert_eq!(body["error"], "CV data validation failed");
        assert_eq!(
            body["validation_errors"][0],
            error.problems()[0].message.as_str()
        );
        assert!(body["guidance"].is_string());
    };
    check(json!("text"), "", "object expected, string given");
    check(json!([1]), "", "object expected, array given");
    check(json!({ "cv_data": 7 }), "", "object expected, number given");
    check(
        complete(json!({ "full_name": 7 })),
        "full_name",
        "string expected, number given",
    );
    check(
        complete(json!({ "name": true })),
        "name",
        "string expected, boolean given",
    );
    check(
        complete(json!({ "photo_url": {} })),
        "photo_url",
        "string expected, object given",
    );
    check(
        complete(json!({ "address_lines": "1 Quay" })),
        "address_lines",
        "array expected, string given",
    );
    check(
        complete(json!({ "work_experience": {} })),
        "work_experience",
        "array expected, object given",
    );
    check(
        complete(json!({ "work_experience": ["x"] })),
        "work_experience[0]",
        "object expected, string given",
    );
    check(
        job(json!({ "bullets": "One." })),
        "work_experience[0].bullets",
        "array expected, string given",
    );
    check(
        job(json!({ "bullets": [["One."]] })),
        "work_experience[0].bullets[0]",
        "string expected, array given",
    );
    check(
        job(json!({ "description": 1 })),
        "work_experience[0].description",
        "array expected, number given",
    );
    check(
        complete(json!({ "languages": [7] })),
        "languages[0]",
        "string or object expected, number given",
    );
    check(
        complete(json!({ "languages": [{ "language": 7 }] })),
        "languages[0].language",
        "string expected, number given",
    );
    check(
        complete(json!({ "links": [false] })),
        "links[0]",
        "string or object expected, boolean given",
    );
    check(
        complete(json!({ "interests": 1 })),
        "interests",
        "array expected, number given",
    );
}

#[test]
fn what_is_left_out_is_told() {
    let check = |value: Value, want: &[(&str, &str)]| {
        assert_eq!(codes(&normalise(&value).unwrap()), want, "{value}");
    };
    check(
        complete(json!({ "shoe_size": 43 })),
        &[("shoe_size", "unknown_key")],
    );
    check(
        job(json!({ "salary": 1 })),
        &[("work_experience[0].salary", "unknown_key")],
    );
    check(
        complete(json!({ "languages": [{ "language": "X", "since": 1 }] })),
        &[("languages[0].since", "unknown_key")],
    );
    check(
        complete(json!({ "name": "Ada Other" })),
        &[("name", "ignored_key")],
    );
    check(complete(json!({ "name": "  Ida  Morrow " })), &[]);
    check(
        complete(json!({ "summary": "A.", "professional_summary": "B." })),
        &[("professional_summary", "ignored_key")],
    );
    check(
        job(json!({ "start_date": "2020" })),
        &[("work_experience[0].start_date", "ignored_key")],
    );
    check(
        job(json!({ "bullets": ["", "One.", " \t", null] })),
        &[
            ("work_experience[0].bullets[0]", "blank_item_dropped"),
            ("work_experience[0].bullets[2]", "blank_item_dropped"),
            ("work_experience[0].bullets[3]", "blank_item_dropped"),
        ],
    );
    check(
        complete(json!({ "links": [{}], "languages": [" "] })),
        &[
            ("languages[0]", "blank_item_dropped"),
            ("links[0]", "blank_item_dropped"),
        ],
    );
    check(
        complete(json!({ "profile": "a\u{0}b" })),
        &[("profile", "characters_removed")],
    );
    check(
        job(json!({ "date_range": null, "start_date": "2020-01" })),
        &[("work_experience[0].date_range", "half_date_range")],
    );
    check(
        json!({ "cv_data": complete(json!({})), "note": 1 }),
        &[("note", "unknown_key")],
    );

    let spelled = normalise(&complete(json!({ "addressLines": [] }))).unwrap();
    assert!(
        spelled.warnings[0]
            .message
            .ends_with("is it address_lines?")
    );
    let long = normalise(&complete(json!({ "k".repeat(5_000): 1 }))).unwrap();
    assert!(long.warnings[0].path.chars().count() <= 41);
}

#[test]
fn nothing_at_all_has_its_own_answer() {
    for nothing in [
        json!(null),
        json!({}),
        json!({ "cv_data": {} }),
        json!({ "cv_data": null }),
    ] {
        let error = accept(&nothing, &CheckOptions::default()).unwrap_err();
        assert_eq!(error, CvError::Empty, "{nothing}");
        let body = error.legacy_body();
        assert_eq!(body["error"], "cv_data is required");
        assert_eq!(
            body["required_fields"],
            json!([
                "full_name",
                "email",
                "phone",
                "work_experience",
                "education"
            ])
        );
        assert!(accept(&body["example_structure"], &CheckOptions::default()).is_ok());
        assert_eq!(error.problems().len(), 5);
    }
}
