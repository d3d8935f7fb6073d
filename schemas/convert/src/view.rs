//! A CV as titled sections in reading order: what the HTML and Markdown views have in common.

use schemas::cv::{Cv, Education, Further, Language, Link, Work};
use schemas::locale::{Language as Tongue, Locale, show_dates};

/// The CV, sorted for reading.
pub(crate) struct View<'a> {
    /// The words of its language.
    pub(crate) locale: &'static Locale,
    /// The person's name, or what the document is.
    pub(crate) title: &'a str,
    /// Contact details, one a line.
    pub(crate) contact: Vec<Contact<'a>>,
    /// Sections that hold something.
    pub(crate) sections: Vec<(&'static str, Content<'a>)>,
    /// The consent clause at the foot.
    pub(crate) clause: Option<&'a str>,
}

pub(crate) enum Contact<'a> {
    Text(String),
    /// What is shown, and where it leads if anywhere.
    Link(&'a str, Option<String>),
}

pub(crate) enum Content<'a> {
    Paragraph(&'a str),
    Items(Vec<String>),
    Entries(Vec<Entry<'a>>),
}

pub(crate) struct Entry<'a> {
    pub(crate) title: &'a str,
    /// The organisation and the place.
    pub(crate) place: String,
    pub(crate) dates: String,
    pub(crate) items: &'a [String],
}

impl<'a> View<'a> {
    pub(crate) fn of(cv: &'a Cv) -> Self {
        let locale = cv
            .language
            .as_deref()
            .and_then(Locale::from_tag)
            .unwrap_or(Tongue::En.locale());
        let words = &locale.cv;
        let entries = |list: Vec<Entry<'a>>| Content::Entries(list);
        let items = |list: &[String]| Content::Items(list.to_vec());
        let all = [
            (words.profile, paragraph(cv.profile.as_deref())),
            (
                words.work,
                entries(cv.work_experience.iter().map(|w| work(w, locale)).collect()),
            ),
            (
                words.education,
                entries(cv.education.iter().map(|e| education(e, locale)).collect()),
            ),
            (
                words.further,
                entries(
                    cv.further_experience
                        .iter()
                        .map(|f| further(f, locale))
                        .collect(),
                ),
            ),
            (
                words.languages,
                Content::Items(cv.languages.iter().map(spoken).collect()),
            ),
            (words.skills, items(&cv.it_ai_skills)),
            (words.certifications, items(&cv.certifications)),
            (words.trainings, items(&cv.trainings)),
            (words.publications, items(&cv.publications)),
            (words.interests, paragraph(cv.interests.as_deref())),
            (words.references, items(&cv.references)),
        ];
        Self {
            locale,
            title: Some(cv.full_name.as_str())
                .filter(|name| !name.is_empty())
                .unwrap_or(words.document),
            contact: contact(cv, locale),
            sections: all
                .into_iter()
                .filter(|(_, content)| !content.is_empty())
                .collect(),
            clause: cv.data_privacy.as_deref().filter(|text| !text.is_empty()),
        }
    }
}

impl Content<'_> {
    fn is_empty(&self) -> bool {
        match self {
            Self::Paragraph(text) => text.is_empty(),
            Self::Items(items) => items.is_empty(),
            Self::Entries(entries) => entries.is_empty(),
        }
    }
}

fn paragraph(text: Option<&str>) -> Content<'_> {
    Content::Paragraph(text.unwrap_or_default())
}

fn contact<'a>(cv: &'a Cv, locale: &Locale) -> Vec<Contact<'a>> {
    let mut lines = Vec::new();
    if !cv.address_lines.is_empty() {
        lines.push(Contact::Text(cv.address_lines.join(", ")));
    }
    if !cv.phone.is_empty() {
        lines.push(Contact::Text(cv.phone.clone()));
    }
    if !cv.email.is_empty() {
        // Characters that would add a subject or a second address (RFC 6068) make it plain text.
        let plain = cv.email.contains('@') && !cv.email.contains(['?', '&', ',', '%', ' ']);
        let target = plain.then(|| format!("mailto:{}", cv.email));
        lines.push(Contact::Link(&cv.email, target));
    }
    let label = |link: &'a Link| link.label.as_deref().filter(|label| !label.is_empty());
    let web = cv
        .links
        .iter()
        .map(|link| Contact::Link(label(link).unwrap_or(&link.url), link.href()));
    lines.extend(web);
    for (label, value) in [
        (locale.cv.born, &cv.birth_date),
        (locale.cv.nationality, &cv.nationality),
    ] {
        if let Some(value) = value.as_deref().filter(|value| !value.is_empty()) {
            lines.push(Contact::Text(format!("{label} {value}")));
        }
    }
    lines
}

fn work<'a>(work: &'a Work, locale: &Locale) -> Entry<'a> {
    let place = [
        work.employer.as_str(),
        work.location.as_deref().unwrap_or_default(),
    ];
    let place: Vec<_> = place.into_iter().filter(|part| !part.is_empty()).collect();
    Entry {
        title: &work.title,
        place: place.join(", "),
        dates: show_dates(&work.date_range, locale, false),
        items: &work.bullets,
    }
}

fn education<'a>(education: &'a Education, locale: &Locale) -> Entry<'a> {
    Entry {
        title: &education.title,
        place: education.institution.clone(),
        dates: show_dates(&education.date_range, locale, false),
        items: &education.details,
    }
}

fn further<'a>(further: &'a Further, locale: &Locale) -> Entry<'a> {
    Entry {
        title: &further.title,
        place: further.organization.clone().unwrap_or_default(),
        dates: show_dates(
            further.date_range.as_deref().unwrap_or_default(),
            locale,
            false,
        ),
        items: &further.bullets,
    }
}

fn spoken(language: &Language) -> String {
    match language.level.as_deref().filter(|level| !level.is_empty()) {
        Some(level) => format!("{} ({level})", language.name),
        None => language.name.clone(),
    }
}
