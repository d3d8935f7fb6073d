//! From whatever JSON a caller sends to the canonical CV, or a list of what stands in the way.

use serde_json::{Map, Value};

use super::error::{CvError, excess, fault, more_faults};
use super::reader::{Fields, Form, Reader, shown, type_name};
use super::types::{Cv, Education, Further, Language, Link, Warning, Work};
use super::{code, keys, limits, photo};

/// A canonical CV, and what was left out or put elsewhere on the way.
#[derive(Clone, Debug, PartialEq)]
pub struct Normalised {
    /// The CV; required fields may still be missing, see [`super::check`].
    pub cv: Cv,
    /// What the caller should know, at most 101 entries.
    pub warnings: Vec<Warning>,
}

/// Reads a CV: canonical, or with the aliases of the contract, or wrapped in `cv_data`.
///
/// Refuses wrong keys, wrong types, and more nesting or text than any CV has. Unknown keys, blank
/// items and doubled fields are left out with a warning. Normalising the result again gives the
/// same CV.
pub fn normalise(value: &Value) -> Result<Normalised, CvError> {
    read(value, &["work_experience"])
}

/// As [`normalise`], but takes `experience` and `employment` as `work_experience`: only the
/// validation route does.
pub fn normalise_for_validation(value: &Value) -> Result<Normalised, CvError> {
    read(value, &["work_experience", "experience", "employment"])
}

fn read(value: &Value, work_keys: &[&'static str]) -> Result<Normalised, CvError> {
    let mut reader = Reader::default();
    let map = reader.unwrap(value)?;
    bounds(map)?;
    let found: Vec<&'static str> = keys::WRONG
        .iter()
        .map(|(key, _)| *key)
        .filter(|key| map.contains_key(*key) && !work_keys.contains(key))
        .collect();
    if !found.is_empty() {
        let mut present: Vec<String> = map.keys().map(|key| shown(key)).collect();
        present.sort_unstable();
        present.truncate(limits::TOLD);
        return Err(CvError::WrongKeys { found, present });
    }
    let cv = reader.cv(map, work_keys);
    if !reader.types.is_empty() {
        return Err(CvError::WrongTypes(reader.types.finish(more_faults)));
    }
    if !reader.large.is_empty() {
        return Err(CvError::TooLarge(reader.large.finish(more_faults)));
    }
    let warnings = reader
        .warnings
        .finish(|count| Warning::new("", code::MORE, format!("and {count} more warnings")));
    Ok(Normalised { cv, warnings })
}

/// Stops before anything is built from a value that no CV can be. A stack of our own, because the
/// value may be nested deeper than the thread's stack allows.
fn bounds(map: &Map<String, Value>) -> Result<(), CvError> {
    let too_large = |size, limit, unit| {
        Err(CvError::TooLarge(vec![excess(
            "",
            code::TOO_LARGE,
            size,
            limit,
            unit,
        )]))
    };
    let mut nodes = 0;
    let mut bytes = 0;
    let mut stack = Vec::new();
    for (key, value) in map {
        bytes += key.len();
        if key != "photo_url" || !value.is_string() {
            stack.push((value, 1));
        }
    }
    while let Some((value, depth)) = stack.pop() {
        nodes += 1;
        match value {
            Value::String(text) => bytes += text.len(),
            Value::Array(items) => stack.extend(items.iter().map(|item| (item, depth + 1))),
            Value::Object(map) => {
                bytes += map.keys().map(String::len).sum::<usize>();
                stack.extend(map.values().map(|item| (item, depth + 1)));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
        if depth > limits::DEPTH {
            return too_large(depth, limits::DEPTH, "levels of nesting");
        }
        if nodes + stack.len() > limits::NODES {
            return too_large(nodes + stack.len(), limits::NODES, "values");
        }
        if bytes > limits::TEXT_BYTES {
            return too_large(bytes, limits::TEXT_BYTES, "bytes of text");
        }
    }
    Ok(())
}

impl Reader {
    /// The CV's own object: callers wrap it in `cv_data`, some of them twice.
    fn unwrap<'v>(&mut self, value: &'v Value) -> Result<&'v Map<String, Value>, CvError> {
        let mut value = value;
        for _ in 0..3 {
            let Some((inner, siblings)) = value.as_object().and_then(|map| {
                let inner = map.get("cv_data")?;
                (inner.is_object() || map.len() == 1).then_some((inner, map))
            }) else {
                break;
            };
            for key in siblings.keys().filter(|key| *key != "cv_data") {
                let path = shown(key);
                let message = format!("{path} stands beside cv_data and was left out");
                self.warn(path, code::UNKNOWN_KEY, message);
            }
            value = inner;
        }
        match value {
            Value::Object(map) if !map.is_empty() => Ok(map),
            Value::Object(_) | Value::Null => Err(CvError::Empty),
            other => {
                let message = format!("the CV: object expected, {} given", type_name(other));
                Err(CvError::WrongTypes(vec![fault(
                    "",
                    code::WRONG_TYPE,
                    message,
                )]))
            }
        }
    }

    fn cv(&mut self, map: &Map<String, Value>, work_keys: &[&'static str]) -> Cv {
        let fields = &mut Fields::new(map, String::new());
        let cv = Cv {
            full_name: self
                .text(fields, &["full_name", "name"])
                .unwrap_or_default(),
            email: self.text(fields, &["email"]).unwrap_or_default(),
            phone: self.text(fields, &["phone"]).unwrap_or_default(),
            address_lines: self.texts(fields, "address_lines"),
            photo_url: self.photo(fields),
            birth_date: self.text(fields, &["birth_date"]),
            nationality: self.text(fields, &["nationality"]),
            profile: self.text(fields, &["profile", "summary", "professional_summary"]),
            work_experience: self.entries(fields, work_keys, Self::work),
            education: self.entries(fields, &["education"], Self::education),
            further_experience: self.entries(fields, &["further_experience"], Self::further),
            languages: self.languages(fields),
            it_ai_skills: self.skills(fields),
            certifications: self.texts(fields, "certifications"),
            trainings: self.texts(fields, "trainings"),
            publications: self.texts(fields, "publications"),
            interests: self.interests(fields),
            references: self.lines(fields, "references"),
            data_privacy: self.text(fields, &["data_privacy", "data_privacy_consent"]),
            language: self
                .text(fields, &["language"])
                .map(|tag| canonical_tag(&tag)),
            links: self.links(fields),
        };
        self.rest(fields, keys::CV);
        cv
    }

    fn work(&mut self, fields: &mut Fields<'_>) -> Work {
        let entry = Work {
            date_range: self.dates(fields).unwrap_or_default(),
            employer: self
                .text(fields, &["employer", "company"])
                .unwrap_or_default(),
            location: self.text(fields, &["location"]),
            title: self
                .text(fields, &["title", "position"])
                .unwrap_or_default(),
            bullets: self.texts_and_description(fields, "bullets"),
        };
        self.rest(fields, keys::WORK);
        entry
    }

    fn education(&mut self, fields: &mut Fields<'_>) -> Education {
        let title = self.text(fields, &["title", "degree"]);
        let title = match (title, self.text(fields, &["field"])) {
            (Some(title), Some(field)) if !contains(&title, &field) => format!("{title}, {field}"),
            (title, field) => title.or(field).unwrap_or_default(),
        };
        let entry = Education {
            date_range: self.dates(fields).unwrap_or_default(),
            institution: self
                .text(fields, &["institution", "school"])
                .unwrap_or_default(),
            title,
            details: self.texts_and_description(fields, "details"),
        };
        self.rest(fields, keys::EDUCATION);
        entry
    }

    fn further(&mut self, fields: &mut Fields<'_>) -> Further {
        let entry = Further {
            date_range: self.dates(fields),
            organization: self.text(fields, &["organization", "organisation", "company"]),
            title: self
                .text(fields, &["title", "position"])
                .unwrap_or_default(),
            bullets: self.texts_and_description(fields, "bullets"),
        };
        self.rest(fields, keys::FURTHER);
        entry
    }

    fn dates(&mut self, fields: &mut Fields<'_>) -> Option<String> {
        let range = self.text(fields, &["date_range"]);
        let start = self.text(fields, &["start_date"]);
        let end = self.text(fields, &["end_date"]);
        if range.is_some() {
            for (key, value) in [("start_date", start), ("end_date", end)] {
                if value.is_some() {
                    self.ignored(fields, key, "date_range");
                }
            }
            return range;
        }
        match (start, end) {
            (Some(start), Some(end)) if start == end => Some(start),
            (Some(start), Some(end)) => Some(format!("{start} – {end}")),
            // An open end may mean "still there" or "forgotten": that is not ours to say.
            (Some(half), None) | (None, Some(half)) => {
                let message = "only one of start_date and end_date is given; \
                    it is shown alone (write `Present` for an open end)";
                self.warn(fields.path_of("date_range"), code::OPEN_DATES, message);
                Some(half)
            }
            (None, None) => None,
        }
    }

    fn languages(&mut self, fields: &mut Fields<'_>) -> Vec<Language> {
        self.forms(fields, "languages", |reader, form| match form {
            Form::Text(name) => Language { name, level: None },
            Form::Object(fields) => {
                let entry = Language {
                    name: reader
                        .text(fields, &["language", "name"])
                        .unwrap_or_default(),
                    level: reader.text(fields, &["level"]),
                };
                reader.rest(fields, keys::LANGUAGE);
                entry
            }
        })
    }

    fn links(&mut self, fields: &mut Fields<'_>) -> Vec<Link> {
        self.forms(fields, "links", |reader, form| match form {
            Form::Text(url) => Link { label: None, url },
            Form::Object(fields) => {
                let entry = Link {
                    label: reader.text(fields, &["label"]),
                    url: reader.text(fields, &["url"]).unwrap_or_default(),
                };
                reader.rest(fields, keys::LINK);
                entry
            }
        })
    }

    /// Three keys in one list; a skill that differs in case only is not repeated.
    fn skills(&mut self, fields: &mut Fields<'_>) -> Vec<String> {
        let mut skills: Vec<String> = Vec::new();
        let mut seen = std::collections::BTreeSet::new();
        for key in ["it_ai_skills", "skills", "technical_operational_skills"] {
            for skill in self.texts(fields, key) {
                if seen.insert(skill.to_lowercase()) {
                    skills.push(skill);
                }
            }
        }
        if skills.len() > limits::LIST {
            let size = skills.len();
            self.large.push(excess(
                "it_ai_skills",
                code::TOO_LARGE,
                size,
                limits::LIST,
                "items",
            ));
        }
        skills
    }

    fn interests(&mut self, fields: &mut Fields<'_>) -> Option<String> {
        let items = self.lines(fields, "interests");
        // A comma within an item would make two of it.
        let separator = if items.iter().any(|item| item.contains(',')) {
            "; "
        } else {
            ", "
        };
        // A text in several lines is one text.
        let is_text = fields.map.get("interests").is_some_and(Value::is_string);
        let joined = items.join(if is_text { " " } else { separator });
        Some(joined).filter(|text| !text.is_empty())
    }

    fn photo(&mut self, fields: &mut Fields<'_>) -> Option<String> {
        let (path, value) = fields.take("photo_url")?;
        let Value::String(uri) = value else {
            self.wrong_type(&path, "string", value);
            return None;
        };
        // The check refuses it by its size; there is no need to copy it before.
        if uri.len() > 2 * limits::PHOTO_BYTES {
            let (size, limit) = (uri.len(), 2 * limits::PHOTO_BYTES);
            self.large
                .push(excess(path, code::TOO_LARGE, size, limit, "bytes"));
            return None;
        }
        Some(photo::tidy(uri)).filter(|uri| !uri.is_empty())
    }

    /// The entry's list, and the lines of its `description` that the list does not hold yet.
    fn texts_and_description(&mut self, fields: &mut Fields<'_>, key: &'static str) -> Vec<String> {
        let mut texts = self.texts(fields, key);
        for line in self.lines(fields, "description") {
            if !texts.contains(&line) {
                texts.push(line);
            }
        }
        if texts.len() > limits::LIST {
            let path = fields.path_of(key);
            self.large.push(excess(
                path,
                code::TOO_LARGE,
                texts.len(),
                limits::LIST,
                "items",
            ));
        }
        texts
    }
}

fn contains(title: &str, field: &str) -> bool {
    title.to_lowercase().contains(&field.to_lowercase())
}

/// `EN` as `en`, `pt_br` as `pt-BR` (BCP 47, section 2.1.1); anything else as it is, for the check
/// to refuse.
fn canonical_tag(text: &str) -> String {
    if !is_tag(&text.replace('_', "-")) {
        return text.to_owned();
    }
    let mut tag = String::with_capacity(text.len());
    for (index, part) in text.split(['-', '_']).enumerate() {
        if index > 0 {
            tag.push('-');
        }
        let lower = part.to_ascii_lowercase();
        match (index, part.len()) {
            (1.., 2) => tag.push_str(&part.to_ascii_uppercase()),
            (1.., 4) => {
                tag.push_str(&lower[..1].to_ascii_uppercase());
                tag.push_str(&lower[1..]);
            }
            _ => tag.push_str(&lower),
        }
    }
    tag
}

/// Whether the text has the form of a language tag: `en`, `pt-BR`, `sr-Latn`.
pub(super) fn is_tag(text: &str) -> bool {
    let mut parts = text.split('-');
    let primary = parts.next().unwrap_or_default();
    text.len() <= 35
        && (2..=3).contains(&primary.len())
        && primary.bytes().all(|b| b.is_ascii_alphabetic())
        && parts.all(|part| {
            (2..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
        })
}
