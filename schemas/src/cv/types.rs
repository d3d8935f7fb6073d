//! The canonical CV as types.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::limits;

/// A curriculum vitae. Texts are NFC, trimmed, with single spaces and no line breaks; an absent
/// text is absent, never blank.
///
/// `Debug` shows sizes only: a CV must not reach a log by way of `{:?}`.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(extend("required" = ["full_name", "email", "phone", "work_experience", "education"]), transform = without_defaults)]
pub struct Cv {
    /// The person's name: 50 characters.
    #[schemars(length(min = 1, max = limits::NAME * 2))]
    pub full_name: String,
    /// One e-mail address.
    #[schemars(length(min = 1, max = limits::EMAIL * 2))]
    pub email: String,
    /// A telephone number, as the person writes it.
    #[schemars(length(min = 1, max = limits::SHORT * 2))]
    pub phone: String,
    /// The postal address: 2 lines of 60 characters.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(inner(length(max = limits::ADDRESS_LINE * 2)))]
    pub address_lines: Vec<String>,
    /// A portrait as a data URI, `data:image/jpeg;base64,...` or `image/png`: 8 MiB decoded. Web
    /// addresses are never fetched.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = "^data:image/(jpeg|png);base64,"))]
    pub photo_url: Option<String>,
    /// The date of birth, as the person writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limits::SHORT * 2))]
    pub birth_date: Option<String>,
    /// The nationality, as the person writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limits::SHORT * 2))]
    pub nationality: Option<String>,
    /// A few sentences at the top: 320 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limits::PROFILE * 2))]
    pub profile: Option<String>,
    /// Jobs, the latest first: at least 1, best at most 5.
    #[schemars(length(min = 1, max = limits::LIST))]
    pub work_experience: Vec<Work>,
    /// Schools and degrees, the latest first: at least 1, best at most 3.
    #[schemars(length(min = 1, max = limits::LIST))]
    pub education: Vec<Education>,
    /// Voluntary work, memberships, projects: best at most 4.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = limits::LIST))]
    pub further_experience: Vec<Further>,
    /// Languages with their levels: best at most 5.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = limits::LIST))]
    pub languages: Vec<Language>,
    /// Skills: best at most 8, of 70 characters each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = limits::LIST), inner(length(max = limits::SKILL * 2)))]
    pub it_ai_skills: Vec<String>,
    /// Certificates, one each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = limits::LIST), inner(length(max = limits::ITEM * 2)))]
    pub certifications: Vec<String>,
    /// Courses, one each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = limits::LIST), inner(length(max = limits::ITEM * 2)))]
    pub trainings: Vec<String>,
    /// Publications, one each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = limits::LIST), inner(length(max = limits::LONG * 2)))]
    pub publications: Vec<String>,
    /// Interests in one text: 350 characters. A list is taken too, and joined.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limits::INTERESTS * 2))]
    pub interests: Option<String>,
    /// Referees, one each. A text is taken too, one line each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = limits::LIST), inner(length(max = limits::ITEM * 2)))]
    pub references: Vec<String>,
    /// The consent clause that some countries expect at the foot of a CV.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limits::LONG * 2))]
    pub data_privacy: Option<String>,
    /// The language that the CV is written in, as a language tag (BCP 47): `en`, `de`, `pl`, `pt-BR`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Profiles and portfolios on the web.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = limits::LIST))]
    pub links: Vec<Link>,
}

impl fmt::Debug for Cv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cv")
            .field("work_experience", &self.work_experience.len())
            .field("education", &self.education.len())
            .field("has_photo", &self.photo_url.is_some())
            .finish_non_exhaustive()
    }
}

/// Sessions hold CVs that are not complete yet, so every field has a default when it is read back;
/// to a caller an empty default would say that a required field may be left out.
fn without_defaults(schema: &mut schemars::Schema) {
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    for property in properties
        .into_iter()
        .flat_map(|members| members.values_mut())
    {
        if let Some(property) = property.as_object_mut() {
            property.remove("default");
        }
    }
}

/// One job.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(extend("required" = ["date_range", "employer", "title"]), transform = without_defaults)]
pub struct Work {
    /// From when to when: 25 characters, best as `2020-01 – 2025-04` or `01/2020 – Present`.
    #[schemars(length(min = 1, max = limits::WORK_DATES * 2))]
    pub date_range: String,
    /// The employer: 60 characters.
    #[schemars(length(min = 1, max = limits::WORK_EMPLOYER * 2))]
    pub employer: String,
    /// Where: 50 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limits::WORK_LOCATION * 2))]
    pub location: Option<String>,
    /// The position: 80 characters.
    #[schemars(length(min = 1, max = limits::WORK_TITLE * 2))]
    pub title: String,
    /// What was done: best 5 texts of 100 characters, at most 200 each.
    #[schemars(length(max = limits::LIST), inner(length(max = limits::WORK_BULLET * 2)))]
    pub bullets: Vec<String>,
}

/// One school or degree.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(extend("required" = ["date_range", "institution", "title"]), transform = without_defaults)]
pub struct Education {
    /// From when to when: 20 characters.
    #[schemars(length(min = 1, max = limits::EDUCATION_DATES * 2))]
    pub date_range: String,
    /// The school or university: 70 characters.
    #[schemars(length(min = 1, max = limits::EDUCATION_INSTITUTION * 2))]
    pub institution: String,
    /// The degree and its subject: 90 characters.
    #[schemars(length(min = 1, max = limits::EDUCATION_TITLE * 2))]
    pub title: String,
    /// Thesis, grade, prizes: 150 characters together.
    #[schemars(length(max = limits::LIST), inner(length(max = limits::EDUCATION_DETAILS * 2)))]
    pub details: Vec<String>,
}

/// One engagement outside of jobs and schools.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(extend("required" = ["title"]), transform = without_defaults)]
pub struct Further {
    /// From when to when: 25 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limits::FURTHER_DATES * 2))]
    pub date_range: Option<String>,
    /// The organisation: 70 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limits::FURTHER_ORGANIZATION * 2))]
    pub organization: Option<String>,
    /// The role: 90 characters.
    #[schemars(length(min = 1, max = limits::FURTHER_TITLE * 2))]
    pub title: String,
    /// What was done: best 3 texts of 80 characters.
    #[schemars(length(max = limits::LIST), inner(length(max = limits::FURTHER_BULLET * 2)))]
    pub bullets: Vec<String>,
}

/// A language and how well it is known. As JSON a bare text, or `{"language", "level"}` when there
/// is a level: a caller that sent texts gets texts back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(from = "LanguageForm", into = "LanguageForm")]
#[schemars(with = "LanguageForm")]
pub struct Language {
    /// The language; with the level, 50 characters.
    pub name: String,
    /// The level, as the person writes it.
    pub level: Option<String>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
enum LanguageForm {
    /// The language alone, or a text that holds the level too.
    Text(#[schemars(length(max = limits::LANGUAGE * 2))] String),
    /// The language and its level.
    Entry {
        /// The language.
        #[serde(alias = "name")]
        #[schemars(length(max = limits::LANGUAGE * 2))]
        language: String,
        /// The level, as the person writes it.
        #[serde(default)]
        level: Option<String>,
    },
}

impl From<LanguageForm> for Language {
    fn from(form: LanguageForm) -> Self {
        match form {
            LanguageForm::Text(name) => Self { name, level: None },
            LanguageForm::Entry { language, level } => Self {
                name: language,
                level,
            },
        }
    }
}

impl From<Language> for LanguageForm {
    fn from(language: Language) -> Self {
        match language.level {
            None => Self::Text(language.name),
            level => Self::Entry {
                language: language.name,
                level,
            },
        }
    }
}

/// A web address, with or without a text to show for it. As JSON a bare text, or
/// `{"label", "url"}` when there is a label.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(from = "LinkForm", into = "LinkForm")]
#[schemars(with = "LinkForm")]
pub struct Link {
    /// What to show in place of the address.
    pub label: Option<String>,
    /// The address as the person writes it, often without a scheme.
    pub url: String,
}

impl Link {
    /// The target for a clickable link: `http`, `https`, `mailto` and `tel` as they are, an
    /// address without a scheme as `https`. `None` for any other scheme: it is shown as text only.
    pub fn href(&self) -> Option<String> {
        if self.url.is_empty() || self.url.contains(char::is_whitespace) {
            return None;
        }
        let name = self
            .url
            .split([':', '/', '?', '#'])
            .next()
            .unwrap_or_default();
        let has_scheme = self.url[name.len()..].starts_with(':') && !name.contains('.');
        if !has_scheme {
            return Some(format!("https://{}", self.url.trim_start_matches('/')));
        }
        let known = ["http", "https", "mailto", "tel"];
        known
            .iter()
            .any(|scheme| name.eq_ignore_ascii_case(scheme))
            .then(|| self.url.clone())
    }
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
enum LinkForm {
    /// The address alone.
    Text(#[schemars(length(max = limits::URL * 2))] String),
    /// The address, and what to show for it.
    Entry {
        /// What to show.
        #[serde(default)]
        label: Option<String>,
        /// The address.
        #[schemars(length(max = limits::URL * 2))]
        url: String,
    },
}

impl From<LinkForm> for Link {
    fn from(form: LinkForm) -> Self {
        match form {
            LinkForm::Text(url) => Self { label: None, url },
            LinkForm::Entry { label, url } => Self { label, url },
        }
    }
}

impl From<Link> for LinkForm {
    fn from(link: Link) -> Self {
        match link.label {
            None => Self::Text(link.url),
            label => Self::Entry {
                label,
                url: link.url,
            },
        }
    }
}

/// Something that the caller should know, and that stops nothing. Never holds text of a CV.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Warning {
    /// Where, such as `work_experience[0].bullets[2]`; empty for the whole.
    pub path: String,
    /// A stable word, such as `too_long`, `unknown_key`, `unusual_date`.
    pub code: String,
    /// What was found, and what was or can be done.
    pub message: String,
}

impl Warning {
    /// A warning.
    pub fn new(
        path: impl Into<String>,
        code: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            path: path.into(),
            code: code.into(),
            message: message.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn languages_and_links_read_back_as_they_were_sent() {
        let json = json!({
            "full_name": "", "email": "", "phone": "", "work_experience": [], "education": [],
            "languages": ["English (native)", {"language": "German", "level": "B2"}],
            "links": ["example.com", {"label": "Code", "url": "https://git.example.org"}],
        });
        let cv: Cv = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(cv.languages[1].level.as_deref(), Some("B2"));
        assert_eq!(serde_json::to_value(&cv).unwrap(), json);
    }

    #[test]
    fn debug_shows_no_text() {
        let cv = Cv {
            full_name: "Ida Morrow".into(),
            ..Cv::default()
        };
        assert!(!format!("{cv:?}").contains("Ida"));
    }

    #[test]
    fn only_harmless_schemes_become_links() {
        let check = |url: &str, want: Option<&str>| {
            let link = Link {
                label: None,
                url: url.into(),
            };
            assert_eq!(link.href().as_deref(), want, "{url}");
        };
        check("https://example.com/a", Some("https://example.com/a"));
        check("HTTP://example.com", Some("HTTP://example.com"));
        check(
            "git.example.org/dokafor",
            Some("https://git.example.org/dokafor"),
        );
        check("example.com:8080/x", Some("https://example.com:8080/x"));
        check("//example.com/x", Some("https://example.com/x"));
        check("mailto:ida@example.com", Some("mailto:ida@example.com"));
        check("javascript:alert(1)", None);
        check("JavaScript:alert(1)", None);
        check("data:text/html,x", None);
        check("file:///etc/passwd", None);
        check("see my page", None);
        check("", None);
    }
}
