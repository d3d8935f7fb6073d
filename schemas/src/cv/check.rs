//! Whether a canonical CV can be made into a document: required fields, limits, values that can be used.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::dates::DateRange;
use super::error::{Told, excess, fault, missing, more_faults};
use super::estimate::{Estimate, estimate};
use super::normalise::is_tag;
use super::photo::{self, PhotoError};
use super::types::{Cv, Education, Further, Warning, Work};
use super::{code, limits};
use crate::FieldError;

/// How strict [`check`] is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CheckOptions {
    /// `address_lines`, `profile`, `languages` and `it_ai_skills` are required too
    /// (`CV_GENERATION_STRICT_TEMPLATE`).
    pub strict_template: bool,
}

/// What [`check`] found. At most 101 errors and as many warnings; the last one counts the rest.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// What a job is refused for: missing fields first.
    pub errors: Vec<FieldError>,
    /// What the caller should know.
    pub warnings: Vec<Warning>,
    /// How long the document may become.
    pub estimate: Estimate,
    /// The size of each field that has a limit, and the limit.
    pub details: BTreeMap<&'static str, Size>,
}

/// A size and its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Size {
    /// Characters of a text, entries of a list.
    pub current_value: usize,
    /// The most that the contract takes without a word.
    pub limit: usize,
}

impl Report {
    /// Whether a job may be made of the CV.
    pub fn is_ok(&self) -> bool {
        self.errors.is_empty()
    }

    /// Everything as warnings, for a caller who wants a document in any case.
    pub fn into_warnings(self) -> Vec<Warning> {
        let errors = self.errors.into_iter();
        errors
            .map(|e| Warning::new(e.path, e.code, e.message))
            .chain(self.warnings)
            .collect()
    }
}

/// Checks a CV. A text over 110 % of its limit is a warning and over 200 % an error; lengths are
/// Unicode characters.
pub fn check(cv: &Cv, options: &CheckOptions) -> Report {
    let mut checker = Checker::default();
    checker.required(cv, *options);
    checker.cv(cv);
    Report {
        errors: checker.errors.finish(more_faults),
        warnings: checker
            .warnings
            .finish(|count| Warning::new("", code::MORE, format!("and {count} more warnings"))),
        estimate: estimate(cv),
        details: sizes(cv),
    }
}

fn characters(text: &str) -> usize {
    text.chars().count()
}

fn sizes(cv: &Cv) -> BTreeMap<&'static str, Size> {
    let text = |text: &Option<String>| text.as_deref().map_or(0, characters);
    [
        ("full_name", characters(&cv.full_name), limits::NAME),
        (
            "address_lines",
            cv.address_lines.len(),
            limits::ADDRESS_LINES,
        ),
        ("profile", text(&cv.profile), limits::PROFILE),
        ("work_experience", cv.work_experience.len(), limits::WORK),
        ("education", cv.education.len(), limits::EDUCATION),
        (
            "further_experience",
            cv.further_experience.len(),
            limits::FURTHER,
        ),
        ("languages", cv.languages.len(), limits::LANGUAGES),
        ("it_ai_skills", cv.it_ai_skills.len(), limits::SKILLS),
        ("interests", text(&cv.interests), limits::INTERESTS),
    ]
    .into_iter()
    .map(|(name, current_value, limit)| {
        (
            name,
            Size {
                current_value,
                limit,
            },
        )
    })
    .collect()
}

#[derive(Default)]
struct Checker {
    errors: Told<FieldError>,
    warnings: Told<Warning>,
}

impl Checker {
    fn required(&mut self, cv: &Cv, options: CheckOptions) {
        let mut require = |path: String, present: bool| {
            if !present {
                self.errors.push(missing(path, ""));
            }
        };
        let has = |text: &str| !text.trim().is_empty();
        require("full_name".to_owned(), has(&cv.full_name));
        require("email".to_owned(), has(&cv.email));
        require("phone".to_owned(), has(&cv.phone));
        if options.strict_template {
            require("address_lines".to_owned(), !cv.address_lines.is_empty());
            require("profile".to_owned(), cv.profile.as_deref().is_some_and(has));
            require("languages".to_owned(), !cv.languages.is_empty());
            require("it_ai_skills".to_owned(), !cv.it_ai_skills.is_empty());
        }
        for (index, work) in cv.work_experience.iter().enumerate() {
            let at = |key: &str| format!("work_experience[{index}].{key}");
            require(at("date_range"), has(&work.date_range));
            require(at("employer"), has(&work.employer));
            require(at("title"), has(&work.title));
        }
        for (index, education) in cv.education.iter().enumerate() {
            let at = |key: &str| format!("education[{index}].{key}");
            require(at("date_range"), has(&education.date_range));
            require(at("institution"), has(&education.institution));
            require(at("title"), has(&education.title));
        }
        for (index, further) in cv.further_experience.iter().enumerate() {
            require(
                format!("further_experience[{index}].title"),
                has(&further.title),
            );
        }
        for (index, language) in cv.languages.iter().enumerate() {
            require(format!("languages[{index}].language"), has(&language.name));
        }
        for (index, link) in cv.links.iter().enumerate() {
            require(format!("links[{index}].url"), has(&link.url));
        }
        for (path, is_empty) in [
            ("work_experience", cv.work_experience.is_empty()),
            ("education", cv.education.is_empty()),
        ] {
            if is_empty {
                self.errors.push(missing(path, " (at least 1 entry)"));
            }
        }
    }

    fn cv(&mut self, cv: &Cv) {
        self.text("full_name", &cv.full_name, limits::NAME);
        self.text("email", &cv.email, limits::EMAIL);
        self.text("phone", &cv.phone, limits::SHORT);
        self.list(
            "address_lines",
            &cv.address_lines,
            limits::ADDRESS_LINES,
            limits::ADDRESS_LINE,
        );
        self.optional("birth_date", cv.birth_date.as_ref(), limits::SHORT);
        self.optional("nationality", cv.nationality.as_ref(), limits::SHORT);
        self.optional("profile", cv.profile.as_ref(), limits::PROFILE);
        self.count(
            "work_experience",
            cv.work_experience.len(),
            limits::WORK,
            "entries",
        );
        for (index, work) in cv.work_experience.iter().enumerate() {
            self.work(&format!("work_experience[{index}]"), work);
        }
        self.count(
            "education",
            cv.education.len(),
            limits::EDUCATION,
            "entries",
        );
        for (index, education) in cv.education.iter().enumerate() {
            self.education(&format!("education[{index}]"), education);
        }
        self.count(
            "further_experience",
            cv.further_experience.len(),
            limits::FURTHER,
            "entries",
        );
        for (index, further) in cv.further_experience.iter().enumerate() {
            self.further(&format!("further_experience[{index}]"), further);
        }
        self.count(
            "languages",
            cv.languages.len(),
            limits::LANGUAGES,
            "entries",
        );
        for (index, language) in cv.languages.iter().enumerate() {
            let size = characters(&language.name) + language.level.as_deref().map_or(0, characters);
            self.size(format!("languages[{index}]"), size, limits::LANGUAGE, "");
        }
        self.list(
            "it_ai_skills",
            &cv.it_ai_skills,
            limits::SKILLS,
            limits::SKILL,
        );
        self.list(
            "certifications",
            &cv.certifications,
            limits::LIST,
            limits::ITEM,
        );
        self.list("trainings", &cv.trainings, limits::LIST, limits::ITEM);
        self.list("publications", &cv.publications, limits::LIST, limits::LONG);
        self.optional("interests", cv.interests.as_ref(), limits::INTERESTS);
        self.list("references", &cv.references, limits::LIST, limits::ITEM);
        self.optional("data_privacy", cv.data_privacy.as_ref(), limits::LONG);
        self.links(cv);
        self.usable(cv);
    }

    fn work(&mut self, path: &str, work: &Work) {
        self.dates(
            format!("{path}.date_range"),
            &work.date_range,
            limits::WORK_DATES,
        );
        self.text(
            format!("{path}.employer"),
            &work.employer,
            limits::WORK_EMPLOYER,
        );
        self.optional(
            &format!("{path}.location"),
            work.location.as_ref(),
            limits::WORK_LOCATION,
        );
        self.text(format!("{path}.title"), &work.title, limits::WORK_TITLE);
        let path = format!("{path}.bullets");
        self.count(&path, work.bullets.len(), limits::WORK_BULLETS, "items");
        let advice = format!("; {} are recommended", limits::WORK_BULLET_RECOMMENDED);
        for (index, bullet) in work.bullets.iter().enumerate() {
            let size = characters(bullet);
            self.size(
                format!("{path}[{index}]"),
                size,
                limits::WORK_BULLET,
                &advice,
            );
        }
    }

    fn education(&mut self, path: &str, education: &Education) {
        self.dates(
            format!("{path}.date_range"),
            &education.date_range,
            limits::EDUCATION_DATES,
        );
        let limit = limits::EDUCATION_INSTITUTION;
        self.text(format!("{path}.institution"), &education.institution, limit);
        self.text(
            format!("{path}.title"),
            &education.title,
            limits::EDUCATION_TITLE,
        );
        let size = education
            .details
            .iter()
            .map(|detail| characters(detail))
            .sum();
        let path = format!("{path}.details");
        self.count(&path, education.details.len(), limits::LIST, "items");
        self.size(
            path,
            size,
            limits::EDUCATION_DETAILS,
            ", all details together",
        );
    }

    fn further(&mut self, path: &str, further: &Further) {
        if let Some(dates) = &further.date_range {
            self.dates(format!("{path}.date_range"), dates, limits::FURTHER_DATES);
        }
        let limit = limits::FURTHER_ORGANIZATION;
        self.optional(
            &format!("{path}.organization"),
            further.organization.as_ref(),
            limit,
        );
        self.text(
            format!("{path}.title"),
            &further.title,
            limits::FURTHER_TITLE,
        );
        let (items, limit) = (limits::FURTHER_BULLETS, limits::FURTHER_BULLET);
        self.list(&format!("{path}.bullets"), &further.bullets, items, limit);
    }

    fn links(&mut self, cv: &Cv) {
        self.count("links", cv.links.len(), limits::LIST, "entries");
        for (index, link) in cv.links.iter().enumerate() {
            let path = format!("links[{index}]");
            self.optional(&format!("{path}.label"), link.label.as_ref(), limits::ITEM);
            self.text(format!("{path}.url"), &link.url, limits::URL);
            if !link.url.is_empty() && link.href().is_none() {
                let message = format!(
                    "{path}.url is not an http, https, mailto or tel address: it is shown as text"
                );
                self.warn(format!("{path}.url"), code::UNUSUAL_LINK, message);
            }
        }
    }

    /// Values with a form of their own.
    fn usable(&mut self, cv: &Cv) {
        if let Some(Err(error)) = cv.photo_url.as_deref().map(photo::decode) {
            let mut refused = match error {
                PhotoError::TooLarge { bytes } => excess(
                    "photo_url",
                    code::INVALID_PHOTO,
                    bytes,
                    photo::MAX_BYTES,
                    "bytes",
                ),
                _ => fault("photo_url", code::INVALID_PHOTO, ""),
            };
            refused.message = error.to_string();
            self.errors.push(refused);
        }
        if cv.language.as_deref().is_some_and(|tag| !is_tag(tag)) {
            let message = "language is not a language tag; write en, de, pl or another one \
                of BCP 47, such as pt-BR";
            self.errors
                .push(fault("language", code::INVALID_LANGUAGE, message));
        }
        let is_email = |text: &str| {
            text.rsplit_once('@').is_some_and(|(local, domain)| {
                !local.is_empty() && domain.contains('.') && !text.contains(char::is_whitespace)
            })
        };
        if !cv.email.is_empty() && !is_email(&cv.email) {
            self.warn(
                "email",
                code::UNUSUAL_EMAIL,
                "email does not look like one e-mail address",
            );
        }
        let figures = cv.phone.chars().filter(|c| c.is_numeric()).count();
        if !cv.phone.is_empty() && figures < 5 {
            self.warn(
                "phone",
                code::UNUSUAL_PHONE,
                "phone has fewer than 5 figures",
            );
        }
    }

    fn dates(&mut self, path: String, dates: &str, limit: usize) {
        self.text(path.clone(), dates, limit);
        if dates.is_empty() {
            return;
        }
        match DateRange::parse(dates) {
            None => {
                let message = format!(
                    "{path} is shown as it stands; forms that are understood are \
                    `2020-01 – 2025-04`, `01/2020 – 04/2025`, `01/2020 – Present`, `since 01/2024`"
                );
                self.warn(path, code::UNUSUAL_DATE, message);
            }
            Some(range) if range.is_reversed() => {
                let message = format!("{path} ends before it starts");
                self.warn(path, code::REVERSED_DATES, message);
            }
            Some(_) => {}
        }
    }

    fn list(&mut self, path: &str, items: &[String], most: usize, limit: usize) {
        self.count(path, items.len(), most, "items");
        for (index, item) in items.iter().enumerate() {
            self.text(format!("{path}[{index}]"), item, limit);
        }
    }

    fn optional(&mut self, path: &str, text: Option<&String>, limit: usize) {
        if let Some(text) = text {
            self.text(path, text, limit);
        }
    }

    fn text(&mut self, path: impl Into<String>, text: &str, limit: usize) {
        self.size(path.into(), characters(text), limit, "");
    }

    /// `advice` ends the sentence that says to how many characters the text should be shortened.
    fn size(&mut self, path: String, size: usize, limit: usize, advice: &str) {
        if !limits::warns(size, limit) {
            return;
        }
        let told = excess(path, code::TOO_LONG, size, limit, "characters");
        if limits::refuses(size, limit) {
            let over = size - limit;
            let suggestion = format!("Shorten it by {over} characters to {limit}{advice}.");
            self.errors.push(FieldError {
                suggestion: Some(suggestion),
                ..told
            });
        } else {
            self.warn(told.path, code::TOO_LONG, told.message);
        }
    }

    fn count(&mut self, path: &str, size: usize, limit: usize, unit: &str) {
        if size <= limit {
            return;
        }
        let told = excess(path, code::TOO_MANY, size, limit, unit);
        if size > limits::LIST {
            let suggestion = format!("Leave out {} {unit}.", size - limits::LIST);
            self.errors.push(FieldError {
                suggestion: Some(suggestion),
                ..told
            });
        } else {
            self.warn(told.path, code::TOO_MANY, told.message);
        }
    }

    fn warn(&mut self, path: impl Into<String>, code: &str, message: impl Into<String>) {
        self.warnings.push(Warning::new(path, code, message));
    }
}
