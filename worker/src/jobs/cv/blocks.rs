//! The canonical CV as blocks: which sections there are, in which order, and what stands in them.
//!
//! Sections carry their field's name as role, by which themes place and order them; entries and
//! bullets carry their path as id, by which the layout reports and cuts them.

use render::blocks::{
    Block, Entry, Footer, Image, Item, List, Marker, Masthead, Run, Section, Text,
};
use schemas::cv::{self, Cv};
use schemas::locale::{Locale, show_dates, show_day};

use crate::jobs::contact;
use crate::jobs::fit::bullet_path;
use crate::jobs::offline::unmarked;

/// How a CV is shown: in which words, and whether they are those of another language than the
/// CV's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wording<'a> {
    pub(crate) locale: &'a Locale,
    /// The language tag of the document.
    pub(crate) tag: &'a str,
    /// Dates are to take the forms of the document's language.
    pub(crate) translated: bool,
}

/// A CV as a document. What the CV does not have leaves no trace; a photo that cannot be read is
/// passed on without data, so that the renderer's warning tells of it.
pub(crate) fn blocks(cv: &Cv, wording: Wording<'_>) -> render::Document {
    let words = &wording.locale.cv;
    let section = |role: &str, title: &str, blocks: Vec<Block>| {
        Block::Section(Section {
            role: role.to_owned(),
            title: title.into(),
            blocks,
        })
    };
    let work = cv.work_experience.iter().enumerate();
    let education = cv.education.iter().enumerate();
    let further = cv.further_experience.iter().enumerate();
    let skills = cv
        .it_ai_skills
        .iter()
        .map(|skill| Text::from(skill.as_str()));
    let languages = cv.languages.iter().map(spoken);
    let body = vec![
        masthead(cv, wording),
        section("profile", words.profile, paragraphs(&cv.profile)),
        section(
            "work_experience",
            words.work,
            work.map(|(i, entry)| self::work(i, entry, wording))
                .collect(),
        ),
        section(
            "education",
            words.education,
            education
                .map(|(i, entry)| self::education(i, entry, wording))
                .collect(),
        ),
        section(
            "further_experience",
            words.further,
            further
                .map(|(i, entry)| self::further(i, entry, wording))
                .collect(),
        ),
        section(
            "languages",
            words.languages,
            vec![Block::Inline(languages.collect())],
        ),
        section(
            "it_ai_skills",
            words.skills,
            vec![Block::Inline(skills.collect())],
        ),
        section(
            "certifications",
            words.certifications,
            list(&cv.certifications),
        ),
        section("trainings", words.trainings, list(&cv.trainings)),
        section(
            "publications",
            words.publications,
            publications(&cv.publications),
        ),
        section("interests", words.interests, paragraphs(&cv.interests)),
        section("references", words.references, paragraphs(&cv.references)),
        Block::Paragraph(
            Run::new(cv.data_privacy.as_deref().unwrap_or_default())
                .muted()
                .into(),
        ),
    ];
    let name = cv.full_name.trim();
    let title = match name {
        "" => words.document.to_owned(),
        name => format!("{name} – {}", words.document),
    };
    render::Document {
        title,
        author: Some(name.to_owned()).filter(|name| !name.is_empty()),
        language: wording.tag.to_owned(),
        body,
        footer: Some(Footer {
            running: name.to_owned(),
            page: wording.locale.page.to_owned(),
        }),
    }
}

fn masthead(cv: &Cv, wording: Wording<'_>) -> Block {
    let words = &wording.locale.cv;
    let labelled = |label: &str, value: Option<String>| {
        let value = value.filter(|value| !value.is_empty())?;
        let label = Run::new(format!("{label} ")).muted();
        Some(Text(vec![label, Run::new(value)]))
    };
    let born = cv.birth_date.as_deref();
    let born = born.map(|date| show_day(date, wording.locale, wording.translated));
    let personal = [
        labelled(words.born, born),
        labelled(words.nationality, cv.nationality.clone()),
    ];
    let mut body = contact::lines(cv);
    body.push(Block::Inline(personal.into_iter().flatten().collect()));
    let photo = cv.photo_url.as_deref().map(|uri| Image {
        data: cv::photo::decode(uri)
            .map(|photo| photo.bytes)
            .unwrap_or_default()
            .into(),
        alt: words.photo.replace("{name}", &cv.full_name),
    });
    Block::Masthead(Masthead {
        title: cv.full_name.as_str().into(),
        body,
        photo,
        ..Masthead::default()
    })
}

fn work(index: usize, work: &cv::Work, wording: Wording<'_>) -> Block {
    let bullets = work.bullets.iter().enumerate();
    let bullets = bullets.map(|(bullet, text)| Item {
        id: Some(bullet_path(index, bullet)),
        text: unmarked(text).into(),
    });
    Block::Entry(Entry {
        id: Some(format!("work_experience[{index}]")),
        date: show_dates(&work.date_range, wording.locale, wording.translated).into(),
        title: work.title.as_str().into(),
        subtitle: place(&work.employer, work.location.as_deref(), wording),
        body: vec![Block::List(List {
            marker: Marker::Bullet,
            items: bullets.collect(),
        })],
    })
}

fn education(index: usize, education: &cv::Education, wording: Wording<'_>) -> Block {
    Block::Entry(Entry {
        id: Some(format!("education[{index}]")),
        date: show_dates(&education.date_range, wording.locale, wording.translated).into(),
        title: education.title.as_str().into(),
        subtitle: education.institution.as_str().into(),
        body: list(&education.details),
    })
}

fn further(index: usize, further: &cv::Further, wording: Wording<'_>) -> Block {
    let date = further.date_range.as_deref().unwrap_or_default();
    Block::Entry(Entry {
        id: Some(format!("further_experience[{index}]")),
        date: show_dates(date, wording.locale, wording.translated).into(),
        title: further.title.as_str().into(),
        subtitle: further.organization.as_deref().unwrap_or_default().into(),
        body: list(&further.bullets),
    })
}

fn place(employer: &str, location: Option<&str>, wording: Wording<'_>) -> Text {
    let comma = match wording.locale.tag {
        "ar" => "، ",
        "ja" => "、",
        tag if tag.starts_with("zh") => "，",
        _ => ", ",
    };
    match (employer, location.unwrap_or_default()) {
        (place, "") | ("", place) => place.into(),
        (employer, location) => format!("{employer}{comma}{location}").into(),
    }
}

fn spoken(language: &cv::Language) -> Text {
    let name = Run::new(&language.name);
    match language.level.as_deref() {
        None | Some("") => name.into(),
        Some(level) => Text(vec![name, Run::new(format!(" ({level})")).muted()]),
    }
}

/// The page draws a mark before each item, so a typed one would be the second.
fn list(items: &[String]) -> Vec<Block> {
    let items = items.iter().map(|item| Text::from(unmarked(item)));
    vec![Block::List(items.collect())]
}

fn publications(items: &[String]) -> Vec<Block> {
    let items = items.iter().map(|item| Text::from(item.as_str()).into());
    vec![Block::List(List {
        marker: Marker::Hanging,
        items: items.collect(),
    })]
}

fn paragraphs<'a>(texts: impl IntoIterator<Item = &'a String>) -> Vec<Block> {
    let texts = texts.into_iter().map(|text| text.as_str().into());
    texts.map(Block::Paragraph).collect()
}

#[cfg(test)]
mod tests {
    use schemas::locale::Language;

    use super::*;

    fn sample() -> Cv {
        let json = serde_json::from_str(cv::SAMPLE).unwrap();
        cv::normalise(&json).unwrap().cv
    }

    fn plain(tag: &str) -> Wording<'_> {
        Wording {
            locale: Locale::from_tag(tag).unwrap(),
            tag,
            translated: false,
        }
    }

    #[test]
    fn the_sample_renders_without_a_warning() {
        let engine = render::Engine::new().unwrap();
        let rendered = engine
            .render(&blocks(&sample(), plain("en")), &render::Options::default())
            .unwrap();
        assert_eq!(rendered.warnings, []);
    }

    #[test]
    fn an_empty_cv_still_has_a_title() {
        let cv = Cv {
            photo_url: Some("https://example.com/a.jpg".into()),
            ..Cv::default()
        };
        let document = blocks(&cv, plain("en"));
        assert_eq!(document.title, "CV");
        let engine = render::Engine::new().unwrap();
        let rendered = engine.render(&document, &render::Options::default());
        assert_eq!(rendered.unwrap().warnings.len(), 1, "the photo");
    }

    #[test]
    fn titles_follow_the_language_and_the_tag_is_kept() {
        let check = |tag: &str, title: &str| {
            let document = blocks(&sample(), plain(tag));
            assert_eq!(document.language, tag);
            let Block::Section(section) = &document.body[2] else {
                panic!("{:?}", document.body[2]);
            };
            assert_eq!(
                (section.role.as_str(), &section.title),
                ("work_experience", &title.into())
            );
        };
        check("en", "Work experience");
        check("de-CH", "Berufserfahrung");
        check("pl", "Doświadczenie zawodowe");
        check("ja", "職歴");
        check("zh-TW", "工作經歷");
    }

    #[test]
    fn dates_are_shown_in_the_documents_language() {
        let wording = Wording {
            translated: true,
            ..plain("de")
        };
        let work = cv::Work {
            date_range: "2019-03 – Present".into(),
            ..cv::Work::default()
        };
        let Block::Entry(entry) = super::work(0, &work, wording) else {
            panic!("no entry");
        };
        assert_eq!(entry.date, "03/2019 – heute".into());
    }

    #[test]
    fn personal_details_have_labels_and_leave_no_trace_where_there_are_none() {
        let check = |birth_date: Option<&str>, nationality: Option<&str>, want: &[&str]| {
            let cv = Cv {
                birth_date: birth_date.map(str::to_owned),
                nationality: nationality.map(str::to_owned),
                ..Cv::default()
            };
            let Block::Masthead(masthead) = masthead(&cv, plain(Language::En.tag())) else {
                panic!("no masthead");
            };
            let Some(Block::Inline(items)) = masthead.body.last() else {
                panic!("{:?}", masthead.body);
            };
            let texts = items
                .iter()
                .map(|item| item.0.iter().map(|run| run.text.as_str()).collect());
            assert_eq!(texts.collect::<Vec<String>>(), want);
        };
        check(
            Some("1986"),
            Some("British"),
            &["Born 1986", "Nationality British"],
        );
        check(None, Some(""), &[]);
    }
}
