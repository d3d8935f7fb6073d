//! Whatever JSON comes in: no panic, and a canonical CV stays as it is.

use proptest::prelude::*;
use schemas::cv::{
    CheckOptions, DateRange, accept, canonical_json, check, estimate, normalise, path::FieldPath,
    photo, section_hashes,
};
use serde_json::{Value, json};

/// Keys that mean something somewhere, and some that do not.
const KEYS: &[&str] = &[
    "full_name",
    "name",
    "email",
    "phone",
    "address_lines",
    "photo_url",
    "birth_date",
    "nationality",
    "profile",
    "summary",
    "professional_summary",
    "work_experience",
    "education",
    "further_experience",
    "languages",
    "it_ai_skills",
    "skills",
    "technical_operational_skills",
    "certifications",
    "trainings",
    "publications",
    "interests",
    "references",
    "data_privacy",
    "data_privacy_consent",
    "language",
    "links",
    "cv_data",
    "contact",
    "shoe_size",
];

const ENTRY_KEYS: &[&str] = &[
    "date_range",
    "start_date",
    "end_date",
    "employer",
    "company",
    "location",
    "title",
    "position",
    "bullets",
    "description",
    "institution",
    "school",
    "degree",
    "field",
    "details",
    "organization",
    "organisation",
    "language",
    "name",
    "level",
    "label",
    "url",
    "other",
];

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[ \u{a0}\u{3000}\u{202f}\t\n\u{ad}\u{0}ab\u{301}\u{feff}\u{1100}\u{1161},;]{0,12}",
        "[a-z]{2}[_-][A-Z]{2}",
        "data:image/(jpg|jpeg|png);base64,[A-Za-z0-9+/=\n]{0,20}",
        "(since )?[0-9]{0,4}[-/.年]?[0-9]{0,4}( ?[–-] ?)[0-9]{0,4}",
    ]
}

fn entry() -> impl Strategy<Value = Value> {
    let value = prop_oneof![
        4 => text().prop_map(Value::from),
        2 => prop::collection::vec(text(), 0..4).prop_map(Value::from),
        1 => Just(Value::Null),
        1 => any::<i64>().prop_map(Value::from),
    ];
    prop::collection::vec((prop::sample::select(ENTRY_KEYS), value), 0..6).prop_map(object)
}

fn object(members: Vec<(&'static str, Value)>) -> Value {
    members
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// Mostly what a field may hold, and now and then something else.
fn field() -> impl Strategy<Value = (&'static str, Value)> {
    prop::sample::select(KEYS).prop_flat_map(|key| {
        let fitting = match key {
            "work_experience" | "education" | "further_experience" => {
                prop::collection::vec(entry(), 0..3)
                    .prop_map(Value::from)
                    .boxed()
            }
            "languages" | "links" => {
                let item = prop_oneof![text().prop_map(Value::from), entry()];
                prop::collection::vec(item, 0..4)
                    .prop_map(Value::from)
                    .boxed()
            }
            "address_lines"
            | "it_ai_skills"
            | "skills"
            | "technical_operational_skills"
            | "certifications"
            | "trainings"
            | "publications" => prop::collection::vec(text(), 0..4)
                .prop_map(Value::from)
                .boxed(),
            "interests" | "references" => prop_oneof![
                text().prop_map(Value::from),
                prop::collection::vec(text(), 0..4).prop_map(Value::from),
            ]
            .boxed(),
            _ => text().prop_map(Value::from).boxed(),
        };
        let value = prop_oneof![
            30 => fitting,
            1 => Just(Value::Null),
            1 => entry(),
            1 => any::<bool>().prop_map(Value::from),
        ];
        (Just(key), value)
    })
}

fn cv_like() -> impl Strategy<Value = Value> {
    prop::collection::vec(field(), 0..10).prop_map(object)
}

/// Any JSON at all.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 6, |inner| {
        let key = prop_oneof![
            prop::sample::select(KEYS).prop_map(str::to_owned),
            prop::sample::select(ENTRY_KEYS).prop_map(str::to_owned),
            any::<String>(),
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(key, inner, 0..6)
                .prop_map(|map| map.into_iter().collect::<serde_json::Map<_, _>>().into()),
        ]
    })
}

fn holds(value: &Value) -> Result<(), TestCaseError> {
    let normalised = match normalise(value) {
        Ok(normalised) => normalised,
        Err(error) => {
            prop_assert!(!error.problems().is_empty());
            prop_assert!(error.legacy_body()["error"].is_string());
            return Ok(());
        }
    };
    let canonical = serde_json::to_value(&normalised.cv).unwrap();
    let again = normalise(&canonical).unwrap();
    prop_assert!(again.cv == normalised.cv, "{canonical}");
    prop_assert_eq!(again.warnings, vec![]);

    let json = canonical_json(&normalised.cv);
    let read: schemas::cv::Cv = serde_json::from_str(&json).unwrap();
    prop_assert!(read == normalised.cv, "{json}");
    prop_assert_eq!(section_hashes(&read), section_hashes(&normalised.cv));

    let report = check(
        &normalised.cv,
        &CheckOptions {
            strict_template: true,
        },
    );
    let accepted = accept(
        value,
        &CheckOptions {
            strict_template: true,
        },
    );
    prop_assert_eq!(report.is_ok(), accepted.is_ok());
    prop_assert!(estimate(&normalised.cv).pages >= 1);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn normalising_twice_is_normalising_once(value in cv_like()) {
        holds(&value)?;
    }

    #[test]
    fn any_json_is_taken_or_refused(value in any_json()) {
        holds(&value)?;
    }

    #[test]
    fn any_text_is_a_path_or_is_not(text in "[a-z_.\\[\\]0-9]{0,20}|.{0,10}") {
        if let Ok(path) = text.parse::<FieldPath>() {
            let shown = path.to_string();
            prop_assert_eq!(shown.parse::<FieldPath>(), Ok(path.clone()));
            let cv = schemas::cv::Cv::default();
            let _ = path.get(&cv);
            let _ = path.set(&cv, json!("x"));
        }
    }

    #[test]
    fn any_text_is_a_photo_or_dates_or_is_not(text in text()) {
        let _ = photo::decode(&text);
        let _ = DateRange::parse(&text);
    }
}
