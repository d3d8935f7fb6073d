//! From the canonical CV to JSON Resume.

use schemas::cv::Cv;
use serde_json::{Map, Value, json};

use super::dates;

/// The CV as a JSON Resume. Empty fields are left out; the photo goes along as a data URI.
pub fn write(cv: &Cv) -> Value {
    let mut resume = Map::new();
    resume.insert("basics".to_owned(), basics(cv));
    let mut list = |key: &str, items: Vec<Value>| {
        if !items.is_empty() {
            resume.insert(key.to_owned(), Value::Array(items));
        }
    };
    let work = cv.work_experience.iter().map(|job| {
        entry(
            &job.date_range,
            [
                ("name", Some(job.employer.as_str())),
                ("location", job.location.as_deref()),
                ("position", Some(&job.title)),
            ],
            ("highlights", &job.bullets),
        )
    });
    list("work", work.collect());
    let education = cv.education.iter().map(|degree| {
        entry(
            &degree.date_range,
            [
                ("institution", Some(degree.institution.as_str())),
                ("area", Some(&degree.title)),
                ("studyType", None),
            ],
            ("courses", &degree.details),
        )
    });
    list("education", education.collect());
    let volunteer = cv.further_experience.iter().map(|further| {
        entry(
            further.date_range.as_deref().unwrap_or_default(),
            [
                ("organization", further.organization.as_deref()),
                ("position", Some(&further.title)),
                ("url", None),
            ],
            ("highlights", &further.bullets),
        )
    });
    list("volunteer", volunteer.collect());
    let languages = cv.languages.iter().map(|language| {
        object([
            ("language", Some(language.name.as_str())),
            ("fluency", language.level.as_deref()),
        ])
    });
    list("languages", languages.collect());
    let named = |texts: &[String], key: &str| -> Vec<Value> {
        texts.iter().map(|text| json!({ key: text })).collect()
    };
    list("skills", named(&cv.it_ai_skills, "name"));
    list("certificates", named(&cv.certifications, "name"));
    list("publications", named(&cv.publications, "name"));
    list("references", named(&cv.references, "reference"));
    let interests: Vec<_> = cv.interests.iter().cloned().collect();
    list("interests", named(&interests, "name"));
    list(
        "trainings",
        cv.trainings.iter().map(|text| json!(text)).collect(),
    );
    let meta = object([
        ("language", cv.language.as_deref()),
        ("dataPrivacy", cv.data_privacy.as_deref()),
    ]);
    if meta != json!({}) {
        resume.insert("meta".to_owned(), meta);
    }
    Value::Object(resume)
}

fn basics(cv: &Cv) -> Value {
    let mut basics = object([
        ("name", Some(cv.full_name.as_str())),
        ("email", Some(&cv.email)),
        ("phone", Some(&cv.phone)),
        ("summary", cv.profile.as_deref()),
        ("image", cv.photo_url.as_deref()),
        ("birthDate", cv.birth_date.as_deref()),
        ("nationality", cv.nationality.as_deref()),
    ]);
    if !cv.address_lines.is_empty() {
        // The schema's own way to write several lines.
        basics["location"] = json!({ "address": cv.address_lines.join("\n") });
    }
    if !cv.links.is_empty() {
        let profiles = cv.links.iter().map(|link| {
            object([
                ("network", link.label.as_deref()),
                ("url", Some(link.url.as_str())),
            ])
        });
        basics["profiles"] = Value::Array(profiles.collect());
    }
    basics
}

fn entry<const N: usize>(
    range: &str,
    texts: [(&str, Option<&str>); N],
    (list, items): (&str, &[String]),
) -> Value {
    let mut entry = object(texts);
    let (start, end) = dates::split(range);
    for (key, date) in [("startDate", start), ("endDate", end)] {
        if let Some(date) = date {
            entry[key] = Value::String(date);
        }
    }
    if !range.is_empty() {
        entry["dateRange"] = json!(range);
    }
    if !items.is_empty() {
        entry[list] = json!(items);
    }
    entry
}

/// An object of the texts that say something.
fn object<const N: usize>(texts: [(&str, Option<&str>); N]) -> Value {
    let members = texts.into_iter().filter_map(|(key, text)| {
        let text = text.filter(|text| !text.is_empty())?;
        Some((key.to_owned(), Value::String(text.to_owned())))
    });
    Value::Object(members.collect())
}
