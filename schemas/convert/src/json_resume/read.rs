//! From JSON Resume to the canonical CV.

use schemas::FieldError;
use schemas::cv::{self, Normalised, Warning};
use serde_json::{Map, Value, json};

use super::{Error, dates, is_json_resume};

/// Reads a JSON Resume. Limits and texts are those of [`schemas::cv::normalise`].
///
/// `projects` and `awards` become further experience, `score` and `studyType` parts of a degree,
/// `summary` and `description` of an entry its first bullets. Members that a CV has no place for
/// are named in the warnings.
pub fn read(resume: &Value) -> Result<Normalised, Error> {
    let (Value::Object(root), true) = (resume, is_json_resume(resume)) else {
        return Err(Error::NotAResume);
    };
    let mut reader = Reader::default();
    let canonical = reader.cv(root);
    if !reader.faults.is_empty() {
        return Err(Error::WrongTypes(reader.faults));
    }
    let mut normalised = cv::normalise(&canonical)?;
    normalised.warnings.splice(0..0, reader.warnings);
    Ok(normalised)
}

/// The most faults and warnings that are told.
const TOLD: usize = 100;

/// Members of the root that have a place in a CV, or say nothing about the person.
const ROOT: &[&str] = &[
    "$schema",
    "awards",
    "basics",
    "certificates",
    "education",
    "interests",
    "languages",
    "meta",
    "projects",
    "publications",
    "references",
    "skills",
    "trainings",
    "volunteer",
    "work",
];

#[derive(Default)]
struct Reader {
    faults: Vec<FieldError>,
    warnings: Vec<Warning>,
}

/// One object of the resume, and where it stands.
struct Part<'a> {
    path: String,
    members: &'a Map<String, Value>,
}

impl Reader {
    fn cv(&mut self, root: &Map<String, Value>) -> Value {
        for key in root.keys().filter(|key| !ROOT.contains(&key.as_str())) {
            if self.warnings.len() < TOLD {
                // A foreign key may be any text: only its place is told.
                let known = key.chars().all(|c| c.is_ascii_alphanumeric()) && key.len() <= 40;
                let shown = if known { key.as_str() } else { "(a key)" };
                let message = format!("{shown} has no place in a CV and was left out");
                self.warnings
                    .push(Warning::new(shown, "unknown_key", message));
            }
        }
        let root = Part {
            path: String::new(),
            members: root,
        };
        let mut cv = Map::new();
        if let Some(basics) = self.object(&root, "basics") {
            self.basics(&basics, &mut cv);
        }
        if let Some(meta) = self.object(&root, "meta") {
            self.put(&mut cv, "language", &meta, "language");
            self.put(&mut cv, "data_privacy", &meta, "dataPrivacy");
        }
        let mut set = |key: &str, items: Vec<Value>| {
            if !items.is_empty() {
                cv.insert(key.to_owned(), Value::Array(items));
            }
        };
        set("work_experience", self.each(&root, "work", Self::work));
        set("education", self.each(&root, "education", Self::education));
        let mut further = self.each(&root, "volunteer", |r, part| {
            r.further(part, "position", "organization")
        });
        further.extend(self.each(&root, "projects", |r, part| {
            r.further(part, "name", "entity")
        }));
        further.extend(self.each(&root, "awards", Self::award));
        set("further_experience", further);
        set("languages", self.each(&root, "languages", Self::language));
        set("it_ai_skills", self.each(&root, "skills", Self::skill));
        let certificates = ["name", "issuer", "date"];
        set(
            "certifications",
            self.each(&root, "certificates", |r, part| r.line(part, &certificates)),
        );
        let publications = ["name", "publisher", "releaseDate", "url", "summary"];
        set(
            "publications",
            self.each(&root, "publications", |r, part| r.line(part, &publications)),
        );
        set(
            "references",
            self.each(&root, "references", |r, part| {
                r.line_with(part, &["name", "reference"], ": ")
            }),
        );
        let trainings = self.texts(&root, "trainings");
        set(
            "trainings",
            trainings.into_iter().map(Value::from).collect(),
        );
        let interests = self.each(&root, "interests", Self::skill);
        let interests: Vec<_> = interests.iter().filter_map(Value::as_str).collect();
        if !interests.is_empty() {
            cv.insert("interests".to_owned(), interests.join(", ").into());
        }
        Value::Object(cv)
    }

    fn basics(&mut self, basics: &Part<'_>, cv: &mut Map<String, Value>) {
        for (to, from) in [
            ("full_name", "name"),
            ("email", "email"),
            ("phone", "phone"),
            ("birth_date", "birthDate"),
            ("nationality", "nationality"),
        ] {
            self.put(cv, to, basics, from);
        }
        let profile = self
            .line(basics, &["summary"])
            .or_else(|| self.line(basics, &["label"]));
        if let Some(profile) = profile {
            cv.insert("profile".to_owned(), profile);
        }
        // Web addresses are never fetched, so a picture that is one is only shown as a link.
        let image = self.text(basics, "image");
        let mut links = Vec::new();
        match image {
            Some(image) if image.starts_with("data:") => {
                cv.insert("photo_url".to_owned(), image.into());
            }
            Some(_) => self.warnings.push(Warning::new(
                "basics.image",
                "photo_dropped",
                "a picture is taken as a data URI only; web addresses are not fetched",
            )),
            None => {}
        }
        if let Some(url) = self.text(basics, "url") {
            links.push(url.into());
        }
        links.extend(self.each(basics, "profiles", Self::profile));
        if !links.is_empty() {
            cv.insert("links".to_owned(), Value::Array(links));
        }
        if let Some(location) = self.object(basics, "location") {
            let mut address: Vec<String> = self
                .text(&location, "address")
                .map(|text| text.lines().map(str::to_owned).collect())
                .unwrap_or_default();
            let city = self.joined(&location, &["postalCode", "city"], " ");
            let wide = self.joined(&location, &["region", "countryCode"], ", ");
            let rest: Vec<_> = [city, wide].into_iter().flatten().collect();
            if !rest.is_empty() {
                address.push(rest.join(", "));
            }
            if !address.is_empty() {
                cv.insert("address_lines".to_owned(), json!(address));
            }
        }
    }

    fn work(&mut self, job: &Part<'_>) -> Value {
        let mut entry = Map::new();
        self.put(&mut entry, "employer", job, "name");
        self.put(&mut entry, "location", job, "location");
        self.put(&mut entry, "title", job, "position");
        self.range(&mut entry, job);
        self.bullets(&mut entry, job);
        Value::Object(entry)
    }

    fn education(&mut self, degree: &Part<'_>) -> Value {
        let mut entry = Map::new();
        self.put(&mut entry, "institution", degree, "institution");
        if let Some(title) = self.joined(degree, &["studyType", "area"], " ") {
            entry.insert("title".to_owned(), title.into());
        }
        self.range(&mut entry, degree);
        let mut details: Vec<String> = self
            .text(degree, "score")
            .map(str::to_owned)
            .into_iter()
            .collect();
        details.extend(self.texts(degree, "courses"));
        if !details.is_empty() {
            entry.insert("details".to_owned(), json!(details));
        }
        Value::Object(entry)
    }

    fn further(&mut self, part: &Part<'_>, title: &str, organization: &str) -> Value {
        let mut entry = Map::new();
        self.put(&mut entry, "title", part, title);
        self.put(&mut entry, "organization", part, organization);
        self.range(&mut entry, part);
        self.bullets(&mut entry, part);
        Value::Object(entry)
    }

    fn award(&mut self, award: &Part<'_>) -> Value {
        let mut entry = Map::new();
        self.put(&mut entry, "title", award, "title");
        self.put(&mut entry, "organization", award, "awarder");
        if let Some(date) = self.text(award, "date") {
            entry.insert("date_range".to_owned(), dates::month(date).into());
        }
        self.bullets(&mut entry, award);
        Value::Object(entry)
    }

    fn language(&mut self, language: &Part<'_>) -> Option<Value> {
        match (
            self.text(language, "language"),
            self.text(language, "fluency"),
        ) {
            (name, Some(level)) => {
                Some(json!({ "language": name.unwrap_or_default(), "level": level }))
            }
            (name, None) => name.map(Value::from),
        }
    }

    fn profile(&mut self, profile: &Part<'_>) -> Option<Value> {
        let label = self.text(profile, "network");
        let url = self
            .text(profile, "url")
            .or_else(|| self.text(profile, "username"))?;
        Some(match label {
            Some(label) => json!({ "label": label, "url": url }),
            None => json!(url),
        })
    }

    /// `Name (level): keyword, keyword`.
    fn skill(&mut self, skill: &Part<'_>) -> Option<Value> {
        let mut text = self.text(skill, "name").unwrap_or_default().to_owned();
        if let Some(level) = self.text(skill, "level") {
            text.extend([" (", level, ")"]);
        }
        let keywords = self.texts(skill, "keywords").join(", ");
        if !keywords.is_empty() {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&keywords);
        }
        (!text.is_empty()).then(|| text.into())
    }

    /// The texts of some members on one line.
    fn line(&mut self, part: &Part<'_>, keys: &[&str]) -> Option<Value> {
        self.line_with(part, keys, ", ")
    }

    fn line_with(&mut self, part: &Part<'_>, keys: &[&str], between: &str) -> Option<Value> {
        self.joined(part, keys, between).map(Value::from)
    }

    fn joined(&mut self, part: &Part<'_>, keys: &[&str], between: &str) -> Option<String> {
        let texts: Vec<_> = keys.iter().filter_map(|key| self.text(part, key)).collect();
        (!texts.is_empty()).then(|| texts.join(between))
    }

    /// The range as the person wrote it, unless the dates beside it say something else by now.
    fn range(&mut self, entry: &mut Map<String, Value>, part: &Part<'_>) {
        let written = self.text(part, "dateRange");
        let start = self.text(part, "startDate");
        let end = self.text(part, "endDate");
        let is_current = |written: &&str| {
            let (s, e) = dates::split(written);
            (s.as_deref(), e.as_deref()) == (start, end)
        };
        let range = match written.filter(is_current) {
            Some(written) => written.to_owned(),
            None => dates::join(start, end),
        };
        if !range.is_empty() {
            entry.insert("date_range".to_owned(), range.into());
        }
    }

    fn bullets(&mut self, entry: &mut Map<String, Value>, part: &Part<'_>) {
        let mut bullets: Vec<String> = ["summary", "description"]
            .iter()
            .filter_map(|key| self.text(part, key))
            .flat_map(str::lines)
            .map(str::to_owned)
            .collect();
        bullets.extend(self.texts(part, "highlights"));
        if !bullets.is_empty() {
            entry.insert("bullets".to_owned(), json!(bullets));
        }
    }

    fn put(&mut self, to: &mut Map<String, Value>, key: &str, part: &Part<'_>, member: &str) {
        if let Some(text) = self.text(part, member) {
            to.insert(key.to_owned(), text.into());
        }
    }

    /// A member that is a text; one that is absent, null or blank is `None`.
    fn text<'a>(&mut self, part: &Part<'a>, key: &str) -> Option<&'a str> {
        match part.members.get(key)? {
            Value::String(text) if !text.trim().is_empty() => Some(text),
            Value::String(_) | Value::Null => None,
            _ => {
                self.fault(&part.path, key, "a text");
                None
            }
        }
    }

    fn texts(&mut self, part: &Part<'_>, key: &str) -> Vec<String> {
        match part.members.get(key) {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(items)) if items.iter().all(Value::is_string) => {
                let texts = items.iter().filter_map(Value::as_str);
                texts.map(str::to_owned).collect()
            }
            Some(_) => {
                self.fault(&part.path, key, "a list of texts");
                Vec::new()
            }
        }
    }

    fn object<'a>(&mut self, part: &Part<'a>, key: &str) -> Option<Part<'a>> {
        match part.members.get(key)? {
            Value::Object(members) => Some(Part {
                path: join(&part.path, key),
                members,
            }),
            Value::Null => None,
            _ => {
                self.fault(&part.path, key, "an object");
                None
            }
        }
    }

    /// What `make` makes of each object of a list.
    fn each<V: Into<Option<Value>>>(
        &mut self,
        part: &Part<'_>,
        key: &str,
        mut make: impl FnMut(&mut Self, &Part<'_>) -> V,
    ) -> Vec<Value> {
        let items = match part.members.get(key) {
            None | Some(Value::Null) => return Vec::new(),
            Some(Value::Array(items)) => items,
            Some(_) => {
                self.fault(&part.path, key, "a list of objects");
                return Vec::new();
            }
        };
        let mut values = Vec::new();
        for (i, item) in items.iter().enumerate() {
            let path = join(&part.path, &format!("{key}[{i}]"));
            match item {
                Value::Object(members) => values.extend(make(self, &Part { path, members }).into()),
                _ => self.fault(&part.path, &format!("{key}[{i}]"), "an object"),
            }
        }
        values
    }

    fn fault(&mut self, path: &str, key: &str, wanted: &str) {
        if self.faults.len() < TOLD {
            let path = join(path, key);
            self.faults.push(FieldError {
                message: format!("{path} must be {wanted}"),
                path,
                code: "wrong_type".to_owned(),
                ..FieldError::default()
            });
        }
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}
