//! Context packs: what an assistant needs to know of a session at one point of the work, in as few
//! characters as will do.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Session, cv_summary};
use crate::cv::{Cv, Section, section_hashes};

/// Where the work stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "PackPhase")]
pub enum Phase {
    /// Reading and mending what was read.
    Preparation,
    /// Asking the owner whether contact and education are right.
    Confirmation,
    /// Making the document.
    Execution,
}

impl Phase {
    /// The name, which is the pack's key.
    pub fn name(self) -> &'static str {
        match self {
            Self::Preparation => "preparation",
            Self::Confirmation => "confirmation",
            Self::Execution => "execution",
        }
    }
}

/// How a pack is made.
#[derive(Clone, Copy, Debug)]
pub struct PackOptions<'a> {
    /// Where the work stands.
    pub phase: Phase,
    /// A posting for this pack; by default the session's own.
    pub job_posting: Option<&'a str>,
    /// Characters of the pack as JSON. Bullets of jobs are never cut, so a pack may be longer; it
    /// says by how much.
    pub max_chars: usize,
    /// The section hashes of the last generation: sections that have not changed since are only
    /// named.
    pub earlier: Option<&'a BTreeMap<Section, String>>,
}

/// Characters of a section's preview.
const PREVIEW: usize = 120;

/// Characters of a posting that are kept whatever the limit.
const POSTING_FLOOR: usize = 400;

/// What is shortened when a pack is too long, the first first. Work experience is never.
const SHORTENED: [Section; 7] = [
    Section::Rest,
    Section::Interests,
    Section::FurtherExperience,
    Section::ItAiSkills,
    Section::Languages,
    Section::Education,
    Section::Contact,
];

/// The pack of a session: what stands under the phase's name.
pub fn pack(session: &Session, options: &PackOptions<'_>) -> Value {
    let cv = session.effective();
    let wanted: &[Section] = match options.phase {
        Phase::Confirmation => &[Section::Contact, Section::Education],
        _ => &Section::ALL,
    };
    let mut sections = sections(&cv, wanted, options.earlier);
    let posting = options.job_posting.or(session.job_posting_text.as_deref());
    let mut posting = posting
        .filter(|_| options.phase != Phase::Confirmation)
        .map(str::to_owned);
    let mut shortened: Vec<&str> = Vec::new();
    let render =
        |sections: &BTreeMap<Section, Value>, posting: &Option<String>, shortened: &[&str]| {
            assemble(session, options, sections, posting.as_deref(), shortened)
        };
    let over = |pack: &Value| chars(&pack.to_string()).saturating_sub(options.max_chars);

    let mut pack = render(&sections, &posting, &shortened);
    if let (excess @ 1.., Some(text)) = (over(&pack), &mut posting) {
        let keep = chars(text)
            .saturating_sub(excess + PREVIEW)
            .max(POSTING_FLOOR);
        if keep < chars(text) {
            *text = text.chars().take(keep).chain(['…']).collect();
            shortened.push("job_posting");
            pack = render(&sections, &posting, &shortened);
        }
    }
    for section in SHORTENED {
        if over(&pack) == 0 {
            break;
        }
        let Some(value) = sections
            .get_mut(&section)
            .filter(|value| value["content"].is_object())
        else {
            continue;
        };
        *value = named(
            &cv,
            section,
            "shortened",
            value["hash"].as_str().unwrap_or_default(),
        );
        shortened.push(name(section));
        pack = render(&sections, &posting, &shortened);
    }
    let over_by = over(&pack);
    if over_by > 0 {
        pack["over_by_chars"] = json!(over_by);
    }
    pack
}

fn assemble(
    session: &Session,
    options: &PackOptions<'_>,
    sections: &BTreeMap<Section, Value>,
    posting: Option<&str>,
    shortened: &[&str],
) -> Value {
    let named: Map<String, Value> = sections
        .iter()
        .map(|(section, value)| (name(*section).to_owned(), value.clone()))
        .collect();
    let mut pack = json!({
        "language": session.language.as_deref().or(session.cv.language.as_deref()),
        "sections": named,
    });
    let unconfirmed = session.prefill.is_some();
    match options.phase {
        Phase::Preparation => {
            let summary = cv_summary(session);
            pack["has_photo"] = json!(summary.has_photo);
            pack["fields_empty"] = json!(summary.fields_empty);
            pack["unconfirmed"] = json!(unconfirmed);
            if !session.unplaced.is_empty() {
                let texts = session.unplaced.iter().take(10);
                pack["unplaced"] = texts.map(|text| first_chars(text, PREVIEW)).collect();
            }
        }
        Phase::Confirmation => {
            pack["unconfirmed"] = json!(unconfirmed);
            pack["confirmed_flags"] = json!(session.confirmed);
        }
        Phase::Execution => {}
    }
    if let Some(posting) = posting {
        pack["job_posting"] = json!(posting);
    }
    if !shortened.is_empty() {
        pack["shortened"] = json!(shortened);
    }
    pack
}

/// Each section whole, or only named where it has not changed since `earlier`.
fn sections(
    cv: &Cv,
    wanted: &[Section],
    earlier: Option<&BTreeMap<Section, String>>,
) -> BTreeMap<Section, Value> {
    let hashes = section_hashes(cv);
    let one = |section: &Section| {
        let hash = hashes[section].as_str();
        let value = match earlier.and_then(|earlier| earlier.get(section)) {
            Some(before) if before == hash => named(cv, *section, "unchanged", hash),
            before => json!({
                "status": if before.is_some() { "changed" } else { "full" },
                "hash": hash,
                "content": section_value(cv, *section),
            }),
        };
        (*section, value)
    };
    wanted.iter().map(one).collect()
}

/// A section without its content.
fn named(cv: &Cv, section: Section, status: &str, hash: &str) -> Value {
    let content = section_value(cv, section);
    let mut text = String::new();
    gather(&content, &mut text);
    json!({
        "status": status,
        "hash": hash,
        "count": count(&content),
        "preview": first_chars(text.trim_end(), PREVIEW),
    })
}

/// The fields of a section that have content, without the photo.
pub fn section_value(cv: &Cv, section: Section) -> Value {
    let has_content = |value: &Value| match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => true,
    };
    let fields = match serde_json::to_value(cv) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    };
    fields
        .into_iter()
        .filter(|(key, value)| {
            key != "photo_url" && Section::of(key) == section && has_content(value)
        })
        .collect::<Map<_, _>>()
        .into()
}

/// Entries of the section's lists, and its texts.
fn count(content: &Value) -> usize {
    let fields = content
        .as_object()
        .into_iter()
        .flat_map(|fields| fields.values());
    fields
        .map(|value| value.as_array().map_or(1, Vec::len))
        .sum()
}

fn gather(value: &Value, text: &mut String) {
    match value {
        Value::String(part) if chars(text) < PREVIEW * 2 => {
            text.push_str(part);
            text.push_str("; ");
        }
        Value::Array(items) => items.iter().for_each(|item| gather(item, text)),
        Value::Object(map) => map.values().for_each(|item| gather(item, text)),
        _ => {}
    }
}

fn first_chars(text: &str, most: usize) -> String {
    if chars(text) <= most {
        return text.trim_end_matches([';', ' ']).to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}

fn chars(text: &str) -> usize {
    text.chars().count()
}

fn name(section: Section) -> &'static str {
    match section {
        Section::Contact => "contact",
        Section::WorkExperience => "work_experience",
        Section::Education => "education",
        Section::Languages => "languages",
        Section::ItAiSkills => "it_ai_skills",
        Section::Interests => "interests",
        Section::FurtherExperience => "further_experience",
        Section::Rest => "rest",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> Session {
        let sample = serde_json::from_str(crate::cv::SAMPLE).unwrap();
        let mut session = Session::new();
        session.cv = crate::cv::normalise(&sample).unwrap().cv;
        session.cv.photo_url = None;
        session
    }

    fn options(phase: Phase, max_chars: usize) -> PackOptions<'static> {
        PackOptions {
            phase,
            job_posting: None,
            max_chars,
            earlier: None,
        }
    }

    #[test]
    fn each_phase_has_what_it_needs() {
        let session = session();
        let pack_of = |phase| pack(&session, &options(phase, 12_000));
        let preparation = pack_of(Phase::Preparation);
        assert_eq!(preparation["sections"].as_object().unwrap().len(), 8);
        assert_eq!(preparation["sections"]["work_experience"]["status"], "full");
        assert!(preparation["fields_empty"].is_array());
        let confirmation = pack_of(Phase::Confirmation);
        let names: Vec<_> = confirmation["sections"]
            .as_object()
            .unwrap()
            .keys()
            .collect();
        assert_eq!(names, ["contact", "education"]);
        assert_eq!(confirmation["confirmed_flags"]["contact_confirmed"], false);
        assert!(pack_of(Phase::Execution)["sections"]["contact"]["content"]["email"].is_string());
    }

    #[test]
    fn sections_that_have_not_changed_are_only_named() {
        let mut session = session();
        let earlier = section_hashes(&session.cv);
        session.cv.work_experience[0].bullets[0] = "Something new.".to_owned();
        let delta = PackOptions {
            earlier: Some(&earlier),
            ..options(Phase::Execution, 8_000)
        };
        let delta = pack(&session, &delta);
        assert_eq!(delta["sections"]["work_experience"]["status"], "changed");
        let education = &delta["sections"]["education"];
        assert_eq!(education["status"], "unchanged");
        assert_eq!(education["count"], session.cv.education.len());
        assert!(education["preview"].as_str().unwrap().chars().count() <= PREVIEW);
        assert_eq!(education["hash"], *earlier[&Section::Education]);
        assert!(education.get("content").is_none());
        let whole = pack(&session, &options(Phase::Execution, 8_000));
        assert!(delta.to_string().len() < whole.to_string().len());
    }

    #[test]
    fn a_pack_is_cut_to_its_size_but_never_the_bullets_of_jobs() {
        let mut session = session();
        session.job_posting_text = Some("word ".repeat(4_000));
        let pack_of = |max| pack(&session, &options(Phase::Execution, max));
        let cut = pack_of(8_000);
        assert!(cut.to_string().chars().count() <= 8_000);
        assert_eq!(cut["shortened"], json!(["job_posting"]));
        let tiny = pack_of(500);
        assert!(tiny["over_by_chars"].as_u64() > Some(0));
        let work = &tiny["sections"]["work_experience"]["content"]["work_experience"];
        assert_eq!(
            *work,
            serde_json::to_value(&session.cv.work_experience).unwrap()
        );
        assert_eq!(tiny["sections"]["education"]["status"], "shortened");
    }
}
