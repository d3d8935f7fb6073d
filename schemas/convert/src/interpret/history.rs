//! Jobs, schools and engagements: entries with their roles into the CV.

use schemas::cv::{Education, Further, Work};

use super::draft::Draft;
use super::entries::{self, Raw, is_label};
use super::head_dates::head_date;
use super::headings::Section;
use super::labelled;
use super::lines::Line;
use super::places;
use super::roles::{self, Part, Parts};
use crate::lexicon::{self, Kind};

/// The most entries of a section.
const MOST_ENTRIES: usize = 200;

/// Reads all sections of entries.
pub(super) fn read(sections: &[Section], draft: &mut Draft) {
    let mut jobs = roles::Votes::new();
    let mut heads: Vec<Option<Cut>> = Vec::new();
    for section in sections {
        let cut = section
            .kind
            .filter(|kind| kind.has_entries())
            .map(|kind| cut(kind, section));
        if let Some(cut) = cut.as_ref().filter(|_| section.kind == Some(Kind::Work)) {
            cut.heads.tell(&mut jobs);
        }
        heads.push(cut);
    }
    for (section, cut) in sections.iter().zip(heads) {
        let (
            Some(kind),
            Some(Cut {
                raws,
                before,
                heads,
            }),
        ) = (section.kind, cut)
        else {
            continue;
        };
        if let Some(found) = labelled::entries(&section.lines) {
            for label in found.labels {
                draft.label(&label);
            }
            let (raws, mut parts): (Vec<Raw>, Vec<Parts>) = found.entries.into_iter().unzip();
            places::strip(kind, &mut parts);
            for (raw, parts) in raws.into_iter().zip(parts) {
                add(kind, raw, parts, section, draft);
            }
            continue;
        }
        for index in before {
            let line = &section.lines[index];
            draft.unplaced(&line.plain(), line);
        }
        let none = roles::Votes::new();
        let prior = if kind == Kind::Further { &jobs } else { &none };
        let parts = roles::assign(&heads, prior);
        for (raw, parts) in raws.into_iter().zip(parts) {
            let mixed = section.second.is_some_and(|second| {
                matches!(
                    (kind, second),
                    (Kind::Work, Kind::Education) | (Kind::Education, Kind::Work)
                )
            });
            let kind = if mixed { by_words(&raw, kind) } else { kind };
            add(kind, raw, parts, section, draft);
        }
        for line in &section.lines {
            for piece in line.text.split(['|', '•', '·', '\t']) {
                if let Some((label, _)) = piece.split_once(':')
                    && labelled::is_label(label)
                {
                    draft.label(label);
                }
            }
            if is_label(&line.text) {
                draft.label(&line.text);
            }
        }
    }
}

/// A section's entries before they have roles.
struct Cut {
    raws: Vec<Raw>,
    /// Lines before the first.
    before: Vec<usize>,
    heads: roles::Heads,
}

fn cut(kind: Kind, section: &Section) -> Cut {
    let (mut raws, before) = entries::entries(&section.lines);
    // Nobody has had so many jobs; what is beyond stays with the text without a place.
    raws.truncate(MOST_ENTRIES);
    let heads = roles::Heads::new(kind, &raws);
    Cut {
        raws,
        before,
        heads,
    }
}

/// A job or a school, where one section holds both.
fn by_words(raw: &Raw, otherwise: Kind) -> Kind {
    let mut job = 0.0;
    let mut school = 0.0;
    for atom in &raw.atoms {
        job += lexicon::job_score(&atom.text);
        school += lexicon::school_score(&atom.text) + lexicon::degree_score(&atom.text);
    }
    if school > job {
        Kind::Education
    } else if job > school {
        Kind::Work
    } else {
        otherwise
    }
}

fn add(kind: Kind, raw: Raw, mut parts: Parts, section: &Section, draft: &mut Draft) {
    let lines = &section.lines;
    if parts.title.is_none()
        && parts.organisation.is_none()
        && raw.text.is_empty()
        && raw.dates.is_none()
    {
        return;
    }
    let sure = (parts.confidence * if section.confidence < 0.6 { 0.8 } else { 1.0 }).max(0.3);
    let mut text = raw.text;
    // An entry that is one line of text has that line as its title.
    if parts.title.is_none()
        && parts.organisation.is_none()
        && !text.is_empty()
        && raw.atoms.is_empty()
    {
        let (first, line) = text.remove(0);
        parts.title = Some(Part {
            text: without_date(&first),
            line,
        });
    }
    // A school without a degree is a school; an engagement's name is what it was.
    let school = |part: &Part| {
        lexicon::school_score(&part.text) >= 1.0 && lexicon::degree_score(&part.text) < 1.0
    };
    let keeps = kind == Kind::Education && parts.organisation.as_ref().is_some_and(school);
    if kind != Kind::Work && parts.title.is_none() && !keeps {
        parts.title = parts.organisation.take();
    }
    let list = match kind {
        Kind::Education => draft.cv.education.len(),
        Kind::Further => draft.cv.further_experience.len(),
        _ => draft.cv.work_experience.len(),
    };
    let field = match kind {
        Kind::Education => "education",
        Kind::Further => "further_experience",
        _ => "work_experience",
    };
    let mut note = |name: &str, line: usize, sure: f32| {
        draft.source(format!("{field}[{list}].{name}"), &lines[line], sure);
    };
    let dates = raw.dates.map(|(text, line)| {
        note("date_range", line, 0.95);
        text
    });
    let mut take = |part: Option<Part>, name: &str, sure: f32| {
        part.map(|part| {
            note(name, part.line, sure);
            part.text
        })
    };
    let title = take(parts.title, "title", sure);
    let named = match kind {
        Kind::Education => "institution",
        Kind::Further => "organization",
        _ => "employer",
    };
    let organisation = take(
        parts.organisation,
        named,
        if parts.inherited { 0.5 } else { sure },
    );
    let place = parts.place;
    let mut items: Vec<String> = Vec::new();
    match kind {
        Kind::Education => {
            // What is left of a school's head tells of the school.
            for part in parts.rest {
                note(&format!("details[{}]", items.len()), part.line, 0.6);
                items.push(part.text);
            }
            for (detail, line) in text {
                note(&format!("details[{}]", items.len()), line, 0.85);
                items.push(detail);
            }
            // There is no field for the place: behind a comma it stays with the school's name.
            let mut organisation = organisation.unwrap_or_default();
            if let Some(place) = place {
                let both = format!("{organisation}, {}", place.text);
                if !organisation.is_empty() && lines[place.line].plain().contains(&both) {
                    organisation = both;
                } else {
                    draft.unplaced(&place.text, &lines[place.line]);
                }
            }
            draft.cv.education.push(Education {
                date_range: dates.unwrap_or_default(),
                institution: organisation,
                title: title.unwrap_or_default(),
                details: items,
            });
        }
        Kind::Further => {
            for (bullet, line) in text {
                note(&format!("bullets[{}]", items.len()), line, 0.85);
                items.push(bullet);
            }
            draft.cv.further_experience.push(Further {
                date_range: dates,
                organization: organisation,
                title: title.unwrap_or_default(),
                bullets: items,
            });
            leftovers(parts.rest, place, lines, draft);
        }
        _ => {
            let location = place.map(|part| {
                note("location", part.line, sure);
                part.text
            });
            for (bullet, line) in text {
                note(&format!("bullets[{}]", items.len()), line, 0.85);
                items.push(bullet);
            }
            draft.cv.work_experience.push(Work {
                date_range: dates.unwrap_or_default(),
                employer: organisation.unwrap_or_default(),
                location,
                title: title.unwrap_or_default(),
                bullets: items,
            });
            leftovers(parts.rest, None, lines, draft);
        }
    }
}

fn leftovers(rest: Vec<Part>, place: Option<Part>, lines: &[Line], draft: &mut Draft) {
    for part in rest.into_iter().chain(place) {
        draft.unplaced(&part.text, &lines[part.line]);
    }
}

fn without_date(text: &str) -> String {
    match head_date(text) {
        Some(date) => {
            let rest = format!("{} {}", &text[..date.at.start], &text[date.at.end..]);
            let rest = entries::trim(&rest);
            if rest.is_empty() {
                text.to_owned()
            } else {
                rest
            }
        }
        None => text.to_owned(),
    }
}
