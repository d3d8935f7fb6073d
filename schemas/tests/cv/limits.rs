//! Required fields, limits at their edges, and values with a form of their own.

use schemas::cv::{CheckOptions, CvError, accept, check};
use serde_json::{Value, json};

use crate::{codes, complete, cv, faults, job, school};

#[test]
fn blank_required_fields_are_missing() {
    let check = |value: Value, options: CheckOptions, want: &[&str]| {
        let error = accept(&value, &options).unwrap_err();
        assert!(matches!(error, CvError::Missing(_)), "{value}");
        let paths: Vec<_> = error.problems().into_iter().map(|p| p.path).collect();
        assert_eq!(paths, want, "{value}");
        let body = error.legacy_body();
        assert_eq!(body["error"], "CV data validation failed");
        let message = body["validation_errors"][0].as_str().unwrap();
        assert!(
            message.starts_with(&format!("{} is required", want[0])),
            "{message}"
        );
        let body = error.legacy_action_body();
        assert_eq!(body["error"], "CV data incomplete");
        assert_eq!(body["issues"].as_array().unwrap().len(), want.len());
        assert_eq!(body.as_object().unwrap().len(), 3);
    };
    let usual = CheckOptions::default();
    check(
        complete(json!({ "full_name": " \u{a0} " })),
        usual,
        &["full_name"],
    );
    check(complete(json!({ "email": null })), usual, &["email"]);
    check(
        complete(json!({ "work_experience": [] })),
        usual,
        &["work_experience"],
    );
    check(
        job(json!({ "title": " ", "employer": "" })),
        usual,
        &["work_experience[0].employer", "work_experience[0].title"],
    );
    check(
        school(json!({ "date_range": "\u{0}" })),
        usual,
        &["education[0].date_range"],
    );
    check(
        complete(json!({ "further_experience": [{ "organization": "Club" }] })),
        usual,
        &["further_experience[0].title"],
    );
    check(
        complete(json!({ "links": [{ "label": "Code" }] })),
        usual,
        &["links[0].url"],
    );
    check(
        complete(json!({ "languages": [{ "level": "B2" }] })),
        usual,
        &["languages[0].language"],
    );
    let strict = CheckOptions {
        strict_template: true,
    };
    check(
        complete(json!({})),
        strict,
        &["address_lines", "profile", "languages", "it_ai_skills"],
    );
    assert!(accept(&complete(json!({})), &usual).is_ok());
}

/// Every limited text, at its limit, at 110 % and 200 % of it, and one character beyond each. The
/// character takes two bytes, and four: limits count characters.
#[test]
fn texts_are_limited_by_characters() {
    type Build = fn(String) -> Value;
    let table: &[(&str, usize, Build)] = &[
        ("full_name", 50, |t| complete(json!({ "full_name": t }))),
        ("address_lines[0]", 60, |t| {
            complete(json!({ "address_lines": [t] }))
        }),
        ("profile", 320, |t| complete(json!({ "profile": t }))),
        ("work_experience[0].date_range", 25, |t| {
            job(json!({ "date_range": t }))
        }),
        ("work_experience[0].employer", 60, |t| {
            job(json!({ "employer": t }))
        }),
        ("work_experience[0].location", 50, |t| {
            job(json!({ "location": t }))
        }),
        ("work_experience[0].title", 80, |t| {
            job(json!({ "title": t }))
        }),
        ("work_experience[0].bullets[0]", 200, |t| {
            job(json!({ "bullets": [t] }))
        }),
        ("education[0].date_range", 20, |t| {
            school(json!({ "date_range": t }))
        }),
        ("education[0].institution", 70, |t| {
            school(json!({ "institution": t }))
        }),
        ("education[0].title", 90, |t| school(json!({ "title": t }))),
        ("education[0].details", 150, |t| {
            let (a, b) = t.split_at(t.char_indices().nth(5).unwrap().0);
            school(json!({ "details": [a, b] }))
        }),
        ("further_experience[0].date_range", 25, |t| {
            complete(json!({ "further_experience": [{ "title": "X", "date_range": t }] }))
        }),
        ("further_experience[0].organization", 70, |t| {
            complete(json!({ "further_experience": [{ "title": "X", "organization": t }] }))
        }),
        ("further_experience[0].title", 90, |t| {
            complete(json!({ "further_experience": [{ "title": t }] }))
        }),
        ("further_experience[0].bullets[0]", 80, |t| {
            complete(json!({ "further_experience": [{ "title": "X", "bullets": [t] }] }))
        }),
        ("languages[0]", 50, |t| {
            complete(json!({ "languages": [t] }))
        }),
        ("languages[0]", 50, |t| {
            let mut name = t;
            let level = name.pop().unwrap().to_string();
            complete(json!({ "languages": [{ "language": name, "level": level }] }))
        }),
        ("it_ai_skills[0]", 70, |t| {
            complete(json!({ "it_ai_skills": [t] }))
        }),
        ("interests", 350, |t| complete(json!({ "interests": t }))),
        ("publications[0]", 1_000, |t| {
            complete(json!({ "publications": [t] }))
        }),
        ("references[0]", 300, |t| {
            complete(json!({ "references": [t] }))
        }),
        ("data_privacy", 1_000, |t| {
            complete(json!({ "data_privacy": t }))
        }),
        ("links[0].url", 2_000, |t| complete(json!({ "links": [t] }))),
        ("links[0].label", 300, |t| {
            complete(json!({ "links": [{ "url": "x.org", "label": t }] }))
        }),
        ("nationality", 60, |t| complete(json!({ "nationality": t }))),
    ];
    for &(path, limit, build) in table {
        for letter in ["ż", "𝔘"] {
            let report =
                |size: usize| check(&cv(&build(letter.repeat(size))), &CheckOptions::default());
            let told = |size: usize| {
                let report = report(size);
                let warned = report
                    .warnings
                    .iter()
                    .any(|w| w.path == path && w.code == "too_long");
                let refused = report
                    .errors
                    .iter()
                    .any(|e| e.path == path && e.code == "too_long");
                (warned, refused)
            };
            let tenth = limit * 110 / 100;
            assert_eq!(told(limit), (false, false), "{path} at its limit");
            assert_eq!(told(tenth), (false, false), "{path} at 110 %");
            assert_eq!(told(tenth + 1), (true, false), "{path} beyond 110 %");
            assert_eq!(told(limit * 2), (true, false), "{path} at 200 %");
            assert_eq!(told(limit * 2 + 1), (false, true), "{path} beyond 200 %");
            let error = report(limit * 2 + 1)
                .errors
                .into_iter()
                .find(|e| e.path == path)
                .unwrap();
            assert_eq!(error.current_value, Some(limit as u64 * 2 + 1), "{path}");
            assert_eq!(error.limit, Some(limit as u64), "{path}");
            assert_eq!(error.excess, Some(limit as u64 + 1), "{path}");
        }
    }
}

#[test]
fn too_many_entries_are_a_warning() {
    type Build<'a> = &'a dyn Fn(usize) -> Value;
    let texts = |n: usize| (0..n).map(|i| format!("Item {i}")).collect::<Vec<_>>();
    let jobs = |n: usize| vec![complete(json!({}))["work_experience"][0].clone(); n];
    let schools = |n: usize| vec![complete(json!({}))["education"][0].clone(); n];
    let table: &[(&str, usize, Build<'_>)] = &[
        ("address_lines", 2, &|n| {
            complete(json!({ "address_lines": texts(n) }))
        }),
        ("work_experience", 5, &|n| {
            complete(json!({ "work_experience": jobs(n) }))
        }),
        ("work_experience[0].bullets", 5, &|n| {
            job(json!({ "bullets": texts(n) }))
        }),
        ("education", 3, &|n| {
            complete(json!({ "education": schools(n) }))
        }),
        ("further_experience", 4, &|n| {
            complete(json!({ "further_experience": vec![json!({ "title": "X" }); n] }))
        }),
        ("further_experience[0].bullets", 3, &|n| {
            complete(json!({ "further_experience": [{ "title": "X", "bullets": texts(n) }] }))
        }),
        ("languages", 5, &|n| {
            complete(json!({ "languages": texts(n) }))
        }),
        ("it_ai_skills", 8, &|n| {
            complete(json!({ "it_ai_skills": texts(n) }))
        }),
    ];
    for &(path, limit, build) in table {
        let told = |n: usize| {
            codes(&accept(&build(n), &CheckOptions::default()).unwrap())
                .contains(&(path, "too_many"))
        };
        assert!(!told(limit), "{path} at {limit}");
        assert!(told(limit + 1), "{path} beyond {limit}");
        assert!(told(200), "{path} at 200");
        let error = accept(&build(201), &CheckOptions::default()).unwrap_err();
        assert_eq!(faults(&error), [(path.to_owned(), "too_large".to_owned())]);
    }
}

#[test]
fn limits_answer_in_the_shape_that_clients_read() {
    let value = complete(json!({
        "profile": "x".repeat(641),
        "full_name": "y".repeat(60),
        "publications": vec!["z".repeat(1_000); 40],
    }));
    let error = accept(&value, &CheckOptions::default()).unwrap_err();
    let body = error.legacy_body();
    assert_eq!(body["error"], "Validation failed");
    let validation = &body["validation"];
    assert_eq!(validation["is_valid"], false);
    assert_eq!(
        validation["errors"],
        json!([{
            "field": "profile", "current_value": 641, "limit": 320, "excess": 321,
            "message": "profile has 641 characters, the limit is 320",
            "suggestion": "Shorten it by 321 characters to 320.",
        }])
    );
    assert_eq!(validation["warnings"][0]["field"], "full_name");
    let layout = validation["warnings"].as_array().unwrap().last().unwrap();
    assert_eq!(layout["field"], "_total_pages");
    assert!(validation["estimated_pages"].as_u64().unwrap() > 2);
    assert!(validation["estimated_height_mm"].as_u64().unwrap() > 600);
    assert_eq!(
        validation["details"]["profile"],
        json!({ "current_value": 641, "limit": 320 })
    );
    assert_eq!(validation.as_object().unwrap().len(), 6);
}

#[test]
fn values_that_cannot_be_used_are_refused_and_odd_ones_told() {
    let check = |patch: Value, refused: &[(&str, &str)], warned: &[(&str, &str)]| {
        let report = check(&cv(&complete(patch.clone())), &CheckOptions::default());
        let errors: Vec<_> = report
            .errors
            .iter()
            .map(|e| (e.path.as_str(), e.code.as_str()))
            .collect();
        let warnings: Vec<_> = report
            .warnings
            .iter()
            .map(|w| (w.path.as_str(), w.code.as_str()))
            .collect();
        assert_eq!(errors, refused, "{patch}");
        assert_eq!(warnings, warned, "{patch}");
    };
    check(
        json!({ "photo_url": "https://example.com/me.jpg" }),
        &[("photo_url", "invalid_photo")],
        &[],
    );
    check(
        json!({ "photo_url": "data:image/jpeg;base64,!!!" }),
        &[("photo_url", "invalid_photo")],
        &[],
    );
    check(
        json!({ "photo_url": "data:image/jpg;base64,/9j/4AAQSkZJRg==" }),
        &[],
        &[],
    );
    check(json!({ "photo_url": "  " }), &[], &[]);
    check(
        json!({ "language": "English" }),
        &[("language", "invalid_language")],
        &[],
    );
    check(
        json!({ "language": "en-" }),
        &[("language", "invalid_language")],
        &[],
    );
    check(json!({ "language": "uk" }), &[], &[]);
    check(
        json!({ "email": "ida at example.com" }),
        &[],
        &[("email", "unusual_email")],
    );
    check(
        json!({ "email": "ida@localhost" }),
        &[],
        &[("email", "unusual_email")],
    );
    check(
        json!({ "phone": "call me" }),
        &[],
        &[("phone", "unusual_phone")],
    );
    check(
        json!({ "links": ["javascript:alert(1)"] }),
        &[],
        &[("links[0].url", "unusual_link")],
    );
    let range = |dates: &str| json!({ "education": [{ "date_range": dates, "institution": "H", "title": "D" }] });
    check(
        range("Spring 2020"),
        &[],
        &[("education[0].date_range", "unusual_date")],
    );
    check(
        range("2020 – 2018"),
        &[],
        &[("education[0].date_range", "reversed_dates")],
    );
    check(range("since 01/2024"), &[], &[]);
}
