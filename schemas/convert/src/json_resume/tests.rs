//! JSON Resume there and back.

use proptest::prelude::*;
use schemas::cv::{self, Cv};
use serde_json::{Value, json};

use super::{Error, is_json_resume, read, write};

fn sample() -> Cv {
    cv::normalise(&serde_json::from_str(cv::SAMPLE).unwrap())
        .unwrap()
        .cv
}

fn cv_of(resume: &Value) -> Value {
    serde_json::to_value(read(resume).unwrap().cv).unwrap()
}

#[test]
fn what_is_written_is_valid_and_reads_back_unchanged() {
    let schema = serde_json::from_str(include_str!("../../tests/data/jsonresume.schema.json"));
    let validator = jsonschema::validator_for(&schema.unwrap()).unwrap();
    let whole = Cv {
        birth_date: Some("12 May 1986".into()),
        nationality: Some("Irish".into()),
        trainings: vec!["First aid, 2021".into()],
        publications: vec!["On presses, 2019".into()],
        references: vec!["Ida Morrow, on request".into()],
        data_privacy: Some("I agree.".into()),
        language: Some("en".into()),
        ..sample()
    };
    for cv in [whole, sample()] {
        let resume = write(&cv);
        let faults: Vec<_> = validator
            .iter_errors(&resume)
            .map(|e| e.to_string())
            .collect();
        assert_eq!(faults, Vec::<String>::new());
        assert!(is_json_resume(&resume));
        assert_eq!(read(&resume).unwrap().cv, cv);
    }
}

#[test]
fn a_resume_of_another_tool_becomes_a_cv() {
    let resume = json!({
        "basics": {
            "name": "Ida Morrow", "label": "Printer", "email": "ida@example.com", "phone": "1",
            "url": "https://ida.example.com", "image": "https://ida.example.com/me.jpg",
            "location": {"address": "1 Mill Lane", "postalCode": "X1", "city": "Leeds", "countryCode": "GB"},
            "profiles": [{"network": "GitHub", "username": "ida", "url": "https://git.example.com/ida"}],
        },
        "work": [{
            "name": "Press Ltd", "position": "Setter", "startDate": "2019-03-01", "endDate": "2021-06-30",
            "summary": "Ran the shop.", "highlights": ["Set 40 books"],
        }],
        "education": [{
            "institution": "Trade School", "area": "Printing", "studyType": "Diploma",
            "endDate": "2018", "score": "1.3", "courses": ["Type"],
        }],
        "projects": [{"name": "Fount", "description": "A font", "startDate": "2020-01"}],
        "awards": [{"title": "Best page", "awarder": "Guild", "date": "2020-11-12"}],
        "skills": [{"name": "Typesetting", "level": "Master", "keywords": ["TeX", "lead"]}],
        "languages": [{"language": "English", "fluency": "native"}],
        "certificates": [{"name": "Safety", "issuer": "HSE", "date": "2020-05"}],
        "interests": [{"name": "Chess"}, {"name": "Rowing", "keywords": ["eights"]}],
        "references": [{"name": "Jo Penn", "reference": "A fine setter."}],
    });
    let read = read(&resume).unwrap();
    assert_eq!(read.warnings[0].code, "photo_dropped");
    assert_eq!(
        cv_of(&resume),
        json!({
            "full_name": "Ida Morrow", "email": "ida@example.com", "phone": "1",
            "profile": "Printer",
            "address_lines": ["1 Mill Lane", "X1 Leeds, GB"],
            "links": ["https://ida.example.com", {"label": "GitHub", "url": "https://git.example.com/ida"}],
            "work_experience": [{
                "date_range": "2019-03 – 2021-06", "employer": "Press Ltd", "title": "Setter",
                "bullets": ["Ran the shop.", "Set 40 books"],
            }],
            "education": [{
                "date_range": "2018", "institution": "Trade School", "title": "Diploma Printing",
                "details": ["1.3", "Type"],
            }],
            "further_experience": [
                {"date_range": "2020-01 – Present", "title": "Fount", "bullets": ["A font"]},
                {"date_range": "2020-11", "organization": "Guild", "title": "Best page", "bullets": []},
            ],
            "it_ai_skills": ["Typesetting (Master): TeX, lead"],
            "languages": [{"language": "English", "level": "native"}],
            "certifications": ["Safety, HSE, 2020-05"],
            "interests": "Chess, Rowing: eights",
            "references": ["Jo Penn: A fine setter."],
        })
    );
}

#[test]
fn dates_that_were_changed_beside_the_written_range_win() {
    let check = |entry: Value, want: &str| {
        let cv = cv_of(&json!({"basics": {}, "work": [entry]}));
        assert_eq!(cv["work_experience"][0]["date_range"], want);
    };
    let written = "03/2019 – heute";
    check(
        json!({"name": "A", "dateRange": written, "startDate": "2019-03"}),
        written,
    );
    check(
        json!({"name": "A", "dateRange": written, "startDate": "2019-03", "endDate": "2022-01"}),
        "2019-03 – 2022-01",
    );
    check(
        json!({"name": "A", "dateRange": "seit dem Sommer"}),
        "seit dem Sommer",
    );
}

#[test]
fn wrong_types_are_named_with_their_paths() {
    let resume = json!({"basics": {"name": 5}, "work": [{"highlights": "x"}, 7], "skills": {}});
    let Err(Error::WrongTypes(faults)) = read(&resume) else {
        panic!("taken");
    };
    let told: Vec<_> = faults.iter().map(|fault| fault.message.as_str()).collect();
    assert_eq!(
        told,
        [
            "basics.name must be a text",
            "work[0].highlights must be a list of texts",
            "work[1] must be an object",
            "skills must be a list of objects",
        ]
    );
    assert_eq!(read(&json!({"name": "x"})), Err(Error::NotAResume));
    assert_eq!(read(&json!([])), Err(Error::NotAResume));
}

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zäé0-9:,()/. –-]{0,20}",
        Just("2019-03 – 2021-06".to_owned()),
        Just("since 01/2024".to_owned()),
        Just("2015".to_owned()),
    ]
}

proptest! {
    #[test]
    fn any_cv_goes_there_and_back(t in prop::collection::vec(texts(), 24)) {
        let value = json!({
            "full_name": t[0], "email": t[1], "phone": t[2], "address_lines": [t[3], t[4]],
            "profile": t[5], "birth_date": t[6], "interests": t[7],
            "work_experience": [{"date_range": t[8], "employer": t[9], "title": t[10], "location": t[11], "bullets": [t[12]]}],
            "education": [{"date_range": t[13], "institution": t[14], "title": t[15], "details": [t[16]]}],
            "further_experience": [{"date_range": t[17], "title": t[18], "organization": t[19]}],
            "languages": [{"language": t[20], "level": t[21]}], "it_ai_skills": [t[22]], "certifications": [t[23]],
        });
        let Ok(cv) = cv::normalise(&value) else { return Ok(()); };
        prop_assert_eq!(read(&write(&cv.cv)).unwrap().cv, cv.cv);
    }
}
