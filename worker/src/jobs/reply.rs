//! What a model returns: the shape, its schema, and how it goes back into the CV.

use std::collections::BTreeSet;

use schemas::cv::{Cv, Education, Further, Language, Section, Warning, Work};
use schemas::job::{JobInput, Output};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// What the model returns: only texts that it may change. Dates, employers and schools are sent
/// as context and not asked back, so they cannot come back changed; the name, contact details and
/// the photo are not sent at all. What was not asked for is absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Reply {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) profile: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) work_experience: Option<Vec<Position>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) education: Option<Vec<Degree>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) further_experience: Option<Vec<Position>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) languages: Option<Vec<Spoken>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) it_ai_skills: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) certifications: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) trainings: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) interests: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cover_letter: Option<LetterText>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Position {
    pub(super) title: String,
    pub(super) bullets: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Degree {
    pub(super) title: String,
    pub(super) details: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Spoken {
    pub(super) language: String,
    pub(super) level: String,
}

impl From<&Language> for Spoken {
    fn from(language: &Language) -> Self {
        Self {
            language: language.name.clone(),
            level: language.level.clone().unwrap_or_default(),
        }
    }
}

/// The body of a cover letter, between greeting and sign-off.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct LetterText {
    pub(super) paragraphs: Vec<String>,
}

/// The fields that a model edits, each with its section and whether it is a text, a list of texts
/// or a list of entries.
const FIELDS: [(&str, Section, Shape); 9] = [
    ("profile", Section::Rest, Shape::Text),
    ("work_experience", Section::WorkExperience, Shape::Positions),
    ("education", Section::Education, Shape::Degrees),
    (
        "further_experience",
        Section::FurtherExperience,
        Shape::Positions,
    ),
    ("languages", Section::Languages, Shape::Languages),
    ("it_ai_skills", Section::ItAiSkills, Shape::Texts),
    ("certifications", Section::Rest, Shape::Texts),
    ("trainings", Section::Rest, Shape::Texts),
    ("interests", Section::Interests, Shape::Text),
];

#[derive(Clone, Copy)]
enum Shape {
    Text,
    Texts,
    Positions,
    Degrees,
    Languages,
}

/// The names of the CV's fields that a job asks the model for.
pub(super) fn asked(input: &JobInput, unchanged: &BTreeSet<Section>) -> Vec<&'static str> {
    let fields = FIELDS
        .iter()
        .filter(|(_, section, _)| input.makes(Output::Cv) && !unchanged.contains(section));
    fields.map(|(name, ..)| *name).collect()
}

/// The reply's JSON Schema, in the subset that strict structured output takes: every property
/// required, no others allowed.
pub(super) fn schema(input: &JobInput, unchanged: &BTreeSet<Section>) -> Value {
    let text = json!({"type": "string"});
    let texts = list(&text);
    let position = object(&[("title", text.clone()), ("bullets", texts.clone())]);
    let degree = object(&[("title", text.clone()), ("details", texts.clone())]);
    let spoken = object(&[("language", text.clone()), ("level", text.clone())]);
    let asked = asked(input, unchanged);
    let fields = FIELDS.iter().filter(|(name, ..)| asked.contains(name));
    let mut properties: Vec<_> = fields
        .map(|(name, _, shape)| {
            let schema = match shape {
                Shape::Text => text.clone(),
                Shape::Texts => texts.clone(),
                Shape::Positions => list(&position),
                Shape::Degrees => list(&degree),
                Shape::Languages => list(&spoken),
            };
            (*name, schema)
        })
        .collect();
    if input.makes(Output::CoverLetter) {
        properties.push(("cover_letter", object(&[("paragraphs", texts)])));
    }
    object(&properties)
}

fn list(items: &Value) -> Value {
    json!({"type": "array", "items": items})
}

fn object(properties: &[(&str, Value)]) -> Value {
    let names: Vec<_> = properties.iter().map(|(name, _)| *name).collect();
    let map: Map<_, _> = properties
        .iter()
        .map(|(name, schema)| ((*name).to_owned(), schema.clone()))
        .collect();
    json!({
        "type": "object",
        "properties": map,
        "required": names,
        "additionalProperties": false,
    })
}

/// Takes over what was edited. A part that does not answer its source entry for entry is left in
/// the source's words, with a warning: it could not be told which text belongs where.
pub(super) fn merge(cv: &mut Cv, reply: Reply, warnings: &mut Vec<Warning>) {
    text(&mut cv.profile, reply.profile);
    text(&mut cv.interests, reply.interests);
    let (work, path) = (reply.work_experience, "work_experience");
    entries(
        &mut cv.work_experience,
        work,
        path,
        warnings,
        |own: &mut Work, edited, path, warnings| {
            title(&mut own.title, edited.title);
            texts(
                &mut own.bullets,
                Some(edited.bullets),
                &format!("{path}.bullets"),
                warnings,
            );
        },
    );
    let (education, path) = (reply.education, "education");
    entries(
        &mut cv.education,
        education,
        path,
        warnings,
        |own: &mut Education, edited, path, warnings| {
            title(&mut own.title, edited.title);
            texts(
                &mut own.details,
                Some(edited.details),
                &format!("{path}.details"),
                warnings,
            );
        },
    );
    let (further, path) = (reply.further_experience, "further_experience");
    entries(
        &mut cv.further_experience,
        further,
        path,
        warnings,
        |own: &mut Further, edited, path, warnings| {
            title(&mut own.title, edited.title);
            texts(
                &mut own.bullets,
                Some(edited.bullets),
                &format!("{path}.bullets"),
                warnings,
            );
        },
    );
    let languages = reply.languages;
    entries(
        &mut cv.languages,
        languages,
        "languages",
        warnings,
        |own: &mut Language, edited, _, _| {
            title(&mut own.name, edited.language);
            text(&mut own.level, Some(edited.level));
        },
    );
    texts(
        &mut cv.it_ai_skills,
        reply.it_ai_skills,
        "it_ai_skills",
        warnings,
    );
    texts(
        &mut cv.certifications,
        reply.certifications,
        "certifications",
        warnings,
    );
    texts(&mut cv.trainings, reply.trainings, "trainings", warnings);
}

fn title(own: &mut String, edited: String) {
    if !edited.trim().is_empty() {
        *own = edited;
    }
}

fn text(own: &mut Option<String>, edited: Option<String>) {
    let edited = edited.filter(|edited| !edited.trim().is_empty());
    if own.is_some() && edited.is_some() {
        *own = edited;
    }
}

fn texts(
    own: &mut Vec<String>,
    edited: Option<Vec<String>>,
    path: &str,
    warnings: &mut Vec<Warning>,
) {
    let Some(edited) = edited else { return };
    let edited: Vec<_> = edited
        .into_iter()
        .filter(|text| !text.trim().is_empty())
        .collect();
    if edited.len() == own.len() {
        *own = edited;
    } else {
        let counts = format!("{} texts came back for {}", edited.len(), own.len());
        warnings.push(kept(path, &counts));
    }
}

fn entries<T, E>(
    own: &mut [T],
    edited: Option<Vec<E>>,
    path: &str,
    warnings: &mut Vec<Warning>,
    take: impl Fn(&mut T, E, &str, &mut Vec<Warning>),
) {
    let Some(edited) = edited else { return };
    if own.len() != edited.len() {
        let counts = format!("{} entries came back for {}", edited.len(), own.len());
        warnings.push(kept(path, &counts));
        return;
    }
    for (i, (own, edited)) in own.iter_mut().zip(edited).enumerate() {
        take(own, edited, &format!("{path}[{i}]"), warnings);
    }
}

pub(super) fn kept(path: &str, why: &str) -> Warning {
    let message = format!("The source's wording was kept: {why}.");
    Warning::new(path, "kept_source", message)
}
