//! The canonical CV as blocks: which sections there are, in which order, and what stands in them.

use render::blocks::{Block, Entry, Footer, Image, Masthead, Run, Section, Text};
use schemas::cv::{self, Cv};
use schemas::job::Language;

/// The words that a CV does not bring along, in one language.
struct Words {
    born: &'static str,
    nationality: &'static str,
    profile: &'static str,
    work: &'static str,
    education: &'static str,
    further: &'static str,
    languages: &'static str,
    skills: &'static str,
    certifications: &'static str,
    trainings: &'static str,
    publications: &'static str,
    interests: &'static str,
    references: &'static str,
    /// The alternative text of the photo, before the name.
    photo_of: &'static str,
    /// What the document is, in its title and for a document without a name.
    cv: &'static str,
    /// The footer's page number.
    page: &'static str,
}

const ENGLISH: Words = Words {
    born: "Born",
    nationality: "Nationality",
    profile: "Profile",
    work: "Work experience",
    education: "Education",
    further: "Further experience",
    languages: "Languages",
    skills: "IT and AI skills",
    certifications: "Certifications",
    trainings: "Training",
    publications: "Publications",
    interests: "Interests",
    references: "References",
    photo_of: "Photo of",
    cv: "CV",
    page: "{page} / {pages}",
};

const GERMAN: Words = Words {
    born: "Geboren",
    nationality: "Nationalität",
    profile: "Profil",
    work: "Berufserfahrung",
    education: "Ausbildung",
    further: "Weitere Erfahrung",
    languages: "Sprachen",
    skills: "IT- und KI-Kenntnisse",
    certifications: "Zertifikate",
    trainings: "Weiterbildung",
    publications: "Publikationen",
    interests: "Interessen",
    references: "Referenzen",
    photo_of: "Foto von",
    cv: "Lebenslauf",
    page: "{page} / {pages}",
};

const POLISH: Words = Words {
    born: "Data urodzenia",
    nationality: "Obywatelstwo",
    profile: "Profil",
    work: "Doświadczenie zawodowe",
    education: "Wykształcenie",
    further: "Dodatkowe doświadczenie",
    languages: "Języki",
    skills: "Umiejętności IT i AI",
    certifications: "Certyfikaty",
    trainings: "Szkolenia",
    publications: "Publikacje",
    interests: "Zainteresowania",
    references: "Referencje",
    photo_of: "Zdjęcie:",
    cv: "CV",
    page: "{page} / {pages}",
};

/// A CV as a document. What the CV does not have leaves no trace; a photo that cannot be read is
/// passed on without data, so that the renderer's warning tells of it.
pub(crate) fn blocks(cv: &Cv) -> render::Document {
    let tag = cv.language.as_deref().unwrap_or_default();
    let words = match Language::from_tag(tag).unwrap_or(Language::En) {
        Language::En => &ENGLISH,
        Language::De => &GERMAN,
        Language::Pl => &POLISH,
    };
    let section = |title: &str, blocks: Vec<Block>| {
        Block::Section(Section {
            title: title.into(),
            blocks,
        })
    };
    let skills = cv.it_ai_skills.iter().map(|skill| vec![Run::new(skill)]);
    let languages = cv.languages.iter().map(spoken);
    let body = vec![
        masthead(cv, words),
        section(words.profile, paragraphs(&cv.profile)),
        section(words.work, cv.work_experience.iter().map(work).collect()),
        section(
            words.education,
            cv.education.iter().map(education).collect(),
        ),
        section(
            words.further,
            cv.further_experience.iter().map(further).collect(),
        ),
        section(words.languages, vec![Block::Paragraph(one_line(languages))]),
        section(words.skills, vec![Block::Paragraph(one_line(skills))]),
        section(words.certifications, list(&cv.certifications)),
        section(words.trainings, list(&cv.trainings)),
        section(words.publications, list(&cv.publications)),
        section(words.interests, paragraphs(&cv.interests)),
        section(words.references, paragraphs(&cv.references)),
        Block::Paragraph(muted(cv.data_privacy.as_deref().unwrap_or_default())),
    ];
    let name = cv.full_name.trim();
    let title = match name {
        "" => words.cv.to_owned(),
        name => format!("{name} – {}", words.cv),
    };
    let tag = Some(tag).filter(|tag| render::is_language_tag(tag));
    render::Document {
        title,
        author: Some(name.to_owned()).filter(|name| !name.is_empty()),
        language: tag.unwrap_or(Language::En.tag()).to_owned(),
        body,
        footer: Some(Footer {
            running: name.to_owned(),
            page: words.page.to_owned(),
        }),
    }
}

fn masthead(cv: &Cv, words: &Words) -> Block {
    let labelled = |label: &str, value: &Option<String>| match value.as_deref() {
        None | Some("") => Vec::new(),
        Some(value) => vec![Run::new(format!("{label} ")).muted(), Run::new(value)],
    };
    let lines = [
        one_line([vec![Run::new(cv.address_lines.join(", "))]]),
        one_line([vec![phone(&cv.phone)], vec![email(&cv.email)]]),
        one_line(cv.links.iter().map(|link| vec![web(link)])),
        one_line([
            labelled(words.born, &cv.birth_date),
            labelled(words.nationality, &cv.nationality),
        ]),
    ];
    let photo = cv.photo_url.as_deref().map(|uri| Image {
        data: cv::photo::decode(uri)
            .map(|photo| photo.bytes)
            .unwrap_or_default()
            .into(),
        alt: format!("{} {}", words.photo_of, cv.full_name),
    });
    Block::Masthead(Masthead {
        title: cv.full_name.as_str().into(),
        body: lines.into_iter().map(Block::Paragraph).collect(),
        photo,
    })
}

fn work(work: &cv::Work) -> Block {
    Block::Entry(Entry {
        date: work.date_range.as_str().into(),
        title: work.title.as_str().into(),
        subtitle: place(&work.employer, work.location.as_deref()),
        body: list(&work.bullets),
    })
}

fn education(education: &cv::Education) -> Block {
    Block::Entry(Entry {
        date: education.date_range.as_str().into(),
        title: education.title.as_str().into(),
        subtitle: education.institution.as_str().into(),
        body: list(&education.details),
    })
}

fn further(further: &cv::Further) -> Block {
    Block::Entry(Entry {
        date: further.date_range.as_deref().unwrap_or_default().into(),
        title: further.title.as_str().into(),
        subtitle: further.organization.as_deref().unwrap_or_default().into(),
        body: list(&further.bullets),
    })
}

fn place(employer: &str, location: Option<&str>) -> Text {
    match (employer, location.unwrap_or_default()) {
        (place, "") | ("", place) => place.into(),
        (employer, location) => format!("{employer}, {location}").into(),
    }
}

fn spoken(language: &cv::Language) -> Vec<Run> {
    let name = Run::new(&language.name);
    match language.level.as_deref() {
        None | Some("") => vec![name],
        Some(level) => vec![name, Run::new(format!(" ({level})")).muted()],
    }
}

/// A number that can be dialled (RFC 3966): the `(0)` that people write after a country's code is
/// not part of it.
fn phone(shown: &str) -> Run {
    let bare = if shown.trim_start().starts_with('+') {
        shown.replacen("(0)", "", 1)
    } else {
        shown.to_owned()
    };
    let number: String = bare
        .char_indices()
        .filter(|&(at, c)| c.is_ascii_digit() || c == '+' && at == 0)
        .map(|(_, c)| c)
        .collect();
    // An extension or a second number would be dialled along.
    let one_number = bare
        .chars()
        .all(|c| !c.is_alphabetic() && !";,/".contains(c));
    let run = Run::new(shown);
    if one_number && (4..=16).contains(&number.len()) {
        run.link(format!("tel:{number}"))
    } else {
        run
    }
}

fn email(shown: &str) -> Run {
    let run = Run::new(shown);
    // In a `mailto:` these would start a subject or a second address (RFC 6068).
    if shown.contains('@') && !shown.contains(['?', '&', ',', '%', ' ']) {
        run.link(format!("mailto:{shown}"))
    } else {
        run
    }
}

/// A web address without what every reader's eye skips.
fn web(link: &cv::Link) -> Run {
    let bare = link.url.trim_end_matches('/');
    let bare = bare
        .strip_prefix("https://")
        .or_else(|| bare.strip_prefix("http://"))
        .unwrap_or(bare);
    let label = link.label.as_deref().filter(|label| !label.is_empty());
    let run = Run::new(label.unwrap_or(bare));
    match link.href() {
        Some(href) => run.link(href),
        None => run,
    }
}

/// Parts on one line, with a dot between those that hold something.
fn one_line(parts: impl IntoIterator<Item = Vec<Run>>) -> Text {
    let mut line = Text::default();
    for part in parts {
        if part.iter().all(|run| run.text.is_empty()) {
            continue;
        }
        if !line.0.is_empty() {
            // A line may end after the dot, never before it.
            line.0.push(Run::new("\u{A0}· ").muted());
        }
        line.0.extend(part);
    }
    line
}

fn list(items: &[String]) -> Vec<Block> {
    let items = items.iter().map(|item| item.as_str().into());
    vec![Block::List(items.collect())]
}

fn paragraphs<'a>(texts: impl IntoIterator<Item = &'a String>) -> Vec<Block> {
    let texts = texts.into_iter().map(|text| text.as_str().into());
    texts.map(Block::Paragraph).collect()
}

fn muted(text: &str) -> Text {
    Run::new(text).muted().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Cv {
        let json = serde_json::from_str(cv::SAMPLE).unwrap();
        cv::normalise(&json).unwrap().cv
    }

    /// The text of each line of the masthead.
    fn masthead_lines(cv: &Cv) -> Vec<String> {
        let Some(Block::Masthead(masthead)) = blocks(cv).body.into_iter().next() else {
            panic!("no masthead");
        };
        let lines = masthead.body.into_iter().map(|block| match block {
            Block::Paragraph(text) => text.0.into_iter().map(|run| run.text).collect(),
            other => panic!("{other:?}"),
        });
        lines.collect()
    }

    #[test]
    fn the_sample_renders_without_a_warning() {
        let engine = render::Engine::new().unwrap();
        let rendered = engine
            .render(&blocks(&sample()), &render::Options::default())
            .unwrap();
        assert_eq!(rendered.warnings, []);
    }

    #[test]
    fn an_empty_cv_still_has_a_title_and_a_language() {
        let cv = Cv {
            language: Some("no tag".into()),
            photo_url: Some("https://example.com/a.jpg".into()),
            ..Cv::default()
        };
        let document = blocks(&cv);
        assert_eq!(
            (document.title.as_str(), document.language.as_str()),
            ("CV", "en")
        );
        let engine = render::Engine::new().unwrap();
        let rendered = engine.render(&document, &render::Options::default());
        assert_eq!(rendered.unwrap().warnings.len(), 1, "the photo");
    }

    #[test]
    fn titles_follow_the_language_and_the_tag_is_kept() {
        let check = |tag: &str, title: &str| {
            let document = blocks(&Cv {
                full_name: "Ida Morrow".into(),
                language: Some(tag.into()),
                ..Cv::default()
            });
            assert_eq!(document.language, tag);
            let Block::Section(section) = &document.body[2] else {
                panic!("{:?}", document.body[2]);
            };
            assert_eq!(section.title, Text::from(title));
        };
        check("en", "Work experience");
        check("de-CH", "Berufserfahrung");
        check("pl", "Doświadczenie zawodowe");
        check("ja", "Work experience");
    }

    #[test]
    fn contact_lines_hold_what_there_is() {
        let cv = Cv {
            phone: "+44 1632 960 001".into(),
            nationality: Some("British".into()),
            birth_date: Some("1986".into()),
            ..Cv::default()
        };
        let lines = masthead_lines(&cv);
        assert_eq!(
            lines,
            [
                "",
                "+44 1632 960 001",
                "",
                "Born 1986\u{A0}· Nationality British"
            ]
        );
    }

    #[test]
    fn only_numbers_that_can_be_dialled_are_links() {
        let check = |shown: &str, link: Option<&str>| {
            let run = phone(shown);
            assert_eq!((run.text.as_str(), run.link.as_deref()), (shown, link));
        };
        check("+49 (0)30 23125 118", Some("tel:+493023125118"));
        check("044 555 01 42", Some("tel:0445550142"));
        check("+44 1632 960 001 ext. 5", None);
        check("01632 960001 / 960002", None);
        check("+", None);
        check("", None);
    }

    #[test]
    fn only_plain_addresses_are_links() {
        let check =
            |shown: &str, link: Option<&str>| assert_eq!(email(shown).link.as_deref(), link);
        check("ida@example.com", Some("mailto:ida@example.com"));
        check("ida@example.com?bcc=x@example.com", None);
        check("on request", None);
    }

    #[test]
    fn web_addresses_are_shown_short_and_lead_to_the_whole() {
        let link = cv::Link {
            label: None,
            url: "https://git.example.com/ida/".into(),
        };
        let run = web(&link);
        assert_eq!(run.text, "git.example.com/ida");
        assert_eq!(run.link.as_deref(), Some("https://git.example.com/ida/"));
        let labelled = cv::Link {
            label: Some("Code".into()),
            ..link
        };
        assert_eq!(web(&labelled).text, "Code");
    }
}
