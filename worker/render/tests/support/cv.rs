//! A canonical CV (JSON) as blocks: the renderer knows no CV, so its tests bring their own mapping.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use render::Document;
use render::blocks::{
    Block, Entry, Footer, Image, Item, List, Marker, Masthead, Run, Section, Text,
};
use serde_json::Value;

struct Titles {
    contact: [&'static str; 6],
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
    photo: &'static str,
}

const ENGLISH: Titles = Titles {
    contact: ["Address", "Phone", "Email", "Web", "Born", "Nationality"],
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
    photo: "Photo of",
};

const GERMAN: Titles = Titles {
    contact: [
        "Adresse",
        "Telefon",
        "E-Mail",
        "Web",
        "Geboren",
        "Nationalität",
    ],
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
    photo: "Foto von",
};

const POLISH: Titles = Titles {
    contact: [
        "Adres",
        "Telefon",
        "E-mail",
        "WWW",
        "Data urodzenia",
        "Narodowość",
    ],
    profile: "Profil",
    work: "Doświadczenie zawodowe",
    education: "Wykształcenie",
    further: "Pozostałe doświadczenie",
    languages: "Języki",
    skills: "Umiejętności IT i AI",
    certifications: "Certyfikaty",
    trainings: "Szkolenia",
    publications: "Publikacje",
    interests: "Zainteresowania",
    references: "Referencje",
    photo: "Zdjęcie:",
};

pub fn document(cv: &Value) -> Document {
    let language = cv["language"].as_str().unwrap_or("en");
    let titles = match language {
        "de" => &GERMAN,
        "pl" => &POLISH,
        _ => &ENGLISH,
    };
    let name = text(&cv["full_name"]);
    let mut body = vec![masthead(cv, titles, &name)];
    let mut section = |role: &str, title: &str, blocks: Vec<Block>| {
        body.push(Block::Section(Section {
            role: role.into(),
            title: title.into(),
            blocks,
        }));
    };
    section("profile", titles.profile, paragraphs(&cv["profile"]));
    section(
        "work_experience",
        titles.work,
        entries(&cv["work_experience"], "work", "employer", "bullets"),
    );
    section(
        "education",
        titles.education,
        entries(&cv["education"], "education", "institution", "details"),
    );
    section(
        "further_experience",
        titles.further,
        entries(
            &cv["further_experience"],
            "further",
            "organization",
            "bullets",
        ),
    );
    section(
        "languages",
        titles.languages,
        vec![Block::Inline(
            items(&cv["languages"])
                .map(|spoken| Text(self::spoken(spoken)))
                .collect(),
        )],
    );
    section("it_ai_skills", titles.skills, inline(&cv["it_ai_skills"]));
    section(
        "certifications",
        titles.certifications,
        list(&cv["certifications"]),
    );
    section("trainings", titles.trainings, list(&cv["trainings"]));
    section(
        "publications",
        titles.publications,
        publications(&cv["publications"]),
    );
    section("interests", titles.interests, inline(&cv["interests"]));
    section(
        "references",
        titles.references,
        paragraphs(&cv["references"]),
    );
    let privacy = Run::new(text(&cv["data_privacy"])).muted();
    body.push(Block::Paragraph(privacy.into()));
    Document {
        title: format!("{name} – CV"),
        author: Some(name.clone()),
        language: language.to_owned(),
        body,
        footer: Some(Footer {
            running: name,
            page: "{page} / {pages}".to_owned(),
        }),
    }
}

fn masthead(cv: &Value, titles: &Titles, name: &str) -> Block {
    let (phone, email) = (text(&cv["phone"]), text(&cv["email"]));
    let dialled: String = phone
        .chars()
        .filter(|c| c.is_ascii_digit() || *c == '+')
        .collect();
    let address: Vec<_> = items(&cv["address_lines"]).map(text).collect();
    let labelled = |label: &str, value: &Value| match text(value) {
        value if value.is_empty() => vec![],
        value => vec![Run::new(format!("{label} ")).muted(), Run::new(value)],
    };
    let links = items(&cv["links"]).map(|link| {
        let link = text(link);
        let shown = link
            .trim_start_matches("https://")
            .trim_end_matches('/')
            .to_owned();
        vec![Run::new(shown).link(link)]
    });
    let body = [
        vec![vec![Run::new(address.join(", "))]],
        vec![
            vec![Run::new(phone).link(format!("tel:{dialled}"))],
            vec![Run::new(email.as_str()).link(format!("mailto:{email}"))],
        ],
        links.collect(),
        vec![
            labelled(titles.contact[4], &cv["birth_date"]),
            labelled(titles.contact[5], &cv["nationality"]),
        ],
    ];
    let body = body
        .into_iter()
        .map(|parts| Block::Inline(parts.into_iter().map(Text).collect()))
        .collect();
    let photo = cv["photo_url"].as_str().and_then(|uri| {
        let (_, data) = uri.split_once(";base64,")?;
        let data = BASE64_STANDARD.decode(data).ok()?.into();
        Some(Image {
            data,
            alt: format!("{} {name}", titles.photo),
        })
    });
    Block::Masthead(Masthead {
        title: name.into(),
        body,
        photo,
        ..Masthead::default()
    })
}

fn entries(entries: &Value, kind: &str, place: &str, details: &str) -> Vec<Block> {
    items(entries)
        .enumerate()
        .map(|(index, entry)| {
            let id = format!("{kind}[{index}]");
            let subtitle: Vec<_> = [&entry[place], &entry["location"]]
                .into_iter()
                .map(text)
                .filter(|part| !part.is_empty())
                .collect();
            Block::Entry(Entry {
                date: text(&entry["date_range"]).into(),
                title: text(&entry["title"]).into(),
                subtitle: subtitle.join(", ").into(),
                body: bullets(&id, &entry[details]),
                id: Some(id),
            })
        })
        .collect()
}

fn spoken(language: &Value) -> Vec<Run> {
    let Value::Object(fields) = language else {
        return vec![Run::new(text(language))];
    };
    let name = fields
        .get("language")
        .or(fields.get("name"))
        .map(text)
        .unwrap_or_default();
    match text(&language["level"]) {
        level if level.is_empty() => vec![Run::new(name)],
        level => vec![Run::new(name), Run::new(format!(" ({level})")).muted()],
    }
}

/// The bullets of an entry, each with an id by which it may be cut.
fn bullets(entry: &str, value: &Value) -> Vec<Block> {
    let items = items(value).enumerate().map(|(index, item)| Item {
        id: Some(format!("{entry}.{index}")),
        text: text(item).into(),
    });
    vec![Block::List(List {
        items: items.collect(),
        ..List::default()
    })]
}

fn publications(value: &Value) -> Vec<Block> {
    let items = items(value).map(|item| Item::from(Text::from(text(item))));
    vec![Block::List(List {
        marker: Marker::Reference,
        items: items.collect(),
    })]
}

fn list(value: &Value) -> Vec<Block> {
    vec![Block::List(
        items(value).map(|item| text(item).into()).collect(),
    )]
}

fn inline(value: &Value) -> Vec<Block> {
    vec![Block::Inline(
        items(value).map(|item| text(item).into()).collect(),
    )]
}

fn paragraphs(value: &Value) -> Vec<Block> {
    items(value)
        .map(|item| Block::Paragraph(text(item).into()))
        .collect()
}

/// The items of a list, or the one string that stands in its place.
fn items(value: &Value) -> impl Iterator<Item = &Value> {
    match value {
        Value::Array(items) => items.iter(),
        Value::Null => [].iter(),
        one => std::slice::from_ref(one).iter(),
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
