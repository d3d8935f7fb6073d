//! From a document's paragraphs to the canonical CV: sections, entries, details; no model.

mod contact;
mod dates;
mod details;
mod draft;
mod entries;
mod head_dates;
mod headings;
mod history;
mod labelled;
mod languages;
mod layout;
mod lines;
mod lists;
mod name;
mod places;
mod roles;

use draft::Draft;
use headings::Section;
use lines::{Line, Part};
use schemas::cv::Warning;

use crate::Error;
use crate::document::Document;
use crate::extracted::Extracted;
use crate::lexicon::{self, Kind};

/// Reads the CV out of a document.
pub(crate) fn interpret(document: &Document) -> Result<Extracted, Error> {
    let flows = layout::flows(document);
    let lines: Vec<Line> = flows.iter().flat_map(|flow| flow.lines.clone()).collect();
    let mut sections = headings::sections(flows);
    let mut draft = Draft::default();
    for section in &sections {
        if let Some(heading) = &section.heading {
            draft.label(heading);
        }
    }
    privacy(&mut sections, &mut draft);
    closing(&mut sections, &mut draft);
    let schooled =
        |s: &Section| s.kind == Some(Kind::Education) || s.second == Some(Kind::Education);
    if !sections.iter().any(schooled) {
        // "Qualifications" over years of study are no certificates.
        let found = sections.iter_mut().find(|section| {
            let schools = section.lines.iter().filter(|line| {
                lexicon::school_score(&line.text).max(lexicon::degree_score(&line.text)) >= 1.0
            });
            section.kind == Some(Kind::Certifications)
                && schools.count() > 0
                && entries::count_dated(&section.lines) > 0
        });
        if let Some(section) = found {
            section.kind = Some(Kind::Education);
        }
    }
    for section in &mut sections {
        // "Outside work" over years is what the person did there.
        if section.kind == Some(Kind::Interests) && entries::count_dated(&section.lines) > 0 {
            section.kind = Some(Kind::Further);
        }
        // "Training and education" over years of study is about schools.
        if section.kind == Some(Kind::Trainings)
            && section.second == Some(Kind::Education)
            && entries::count_dated(&section.lines) > 0
        {
            section.kind = Some(Kind::Education);
        }
    }
    unheaded(&mut sections);
    guess_kinds(&mut sections);

    let (contacts, others): (Vec<Section>, Vec<Section>) =
        sections.into_iter().partition(contact::is_contact);
    let evidence = Evidence::of(&others, &lines);
    for section in others.iter().filter(|s| s.kind == Some(Kind::Profile)) {
        for line in &section.lines {
            draft.profile(&line.plain(), line, section.confidence);
        }
    }
    contact::read(&contacts, &mut draft);
    history::read(&others, &mut draft);
    for section in &others {
        match section.kind {
            Some(
                Kind::Profile
                | Kind::Contact
                | Kind::Privacy
                | Kind::Work
                | Kind::Education
                | Kind::Further,
            ) => {}
            Some(Kind::Other) | None => {
                for line in &section.lines {
                    let text = line.plain();
                    if lexicon::is_licence(&text) && text.chars().count() <= 60 {
                        draft.certification(&text, line, 0.7);
                    } else {
                        draft.unplaced(&text, line);
                    }
                }
            }
            Some(kind) => lists::read(
                kind,
                section.second,
                &section.lines,
                section.confidence,
                &mut draft,
            ),
        }
    }
    if !evidence.is_cv(&draft) {
        return Err(Error::NoCv);
    }
    let unplaced = draft.finish(&lines);
    let text: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
    let language = lexicon::guess_language(&text.join("\n")).map(str::to_owned);
    draft.cv.language.clone_from(&language);
    let warnings = warnings(&draft);
    Ok(Extracted {
        cv: draft.cv,
        language,
        sources: draft.sources,
        unplaced,
        warnings,
        ..Extracted::default()
    })
}

/// Consent clauses go to their field, wherever they stand.
fn privacy(sections: &mut [Section], draft: &mut Draft) {
    for section in sections.iter_mut() {
        let whole = section.kind == Some(Kind::Privacy);
        let mut kept: Vec<Line> = Vec::with_capacity(section.lines.len());
        let mut i = 0;
        while i < section.lines.len() {
            let para = section.lines[i].para;
            let end = section.lines[i..]
                .iter()
                .position(|line| line.para != para)
                .map_or(section.lines.len(), |n| i + n);
            let group = &section.lines[i..end];
            let text: Vec<String> = group.iter().map(Line::plain).collect();
            let text = text.join(" ");
            let bullet = group[0].bullet && section.kind.is_some_and(Kind::has_entries);
            if whole || (!bullet && lexicon::is_privacy_clause(&text)) {
                draft.privacy(&text, &group[0], if whole { 0.95 } else { 0.9 });
            } else {
                kept.extend_from_slice(group);
            }
            i = end;
        }
        section.lines = kept;
    }
    // A heading over nothing but the clause has done its duty.
}

/// Place, date and signature at the end are no part of the CV.
fn closing(sections: &mut [Section], draft: &mut Draft) {
    let Some(last) = sections
        .iter_mut()
        .filter(|section| {
            section.part == Part::Body && section.lines.iter().any(|l| l.form.text_box == 0)
        })
        .last()
    else {
        return;
    };
    if last.kind.is_none() && last.heading.is_none() {
        return;
    }
    let tail = last.lines.len().saturating_sub(4);
    let found = last.lines[tail..].iter().position(|line| {
        let text = &line.text;
        text.chars().count() < 60
            && !line.bullet
            && line.cell.is_none_or(|cell| cell.cells == 1)
            && dates::find(text).iter().any(|date| {
                date.has_day && !date.is_range && date.at.end + 3 >= text.len() && date.at.start > 0
            })
            && text.contains(',')
            && text.split(' ').count() <= 7
    });
    if let Some(found) = found {
        for line in last.lines.drain(tail + found..).collect::<Vec<_>>() {
            draft.unplaced(&line.plain(), &line);
        }
    }
}

/// A CV without headings: from the first dated line on it is a history.
fn unheaded(sections: &mut Vec<Section>) {
    let has_history = sections
        .iter()
        .any(|s| matches!(s.kind, Some(Kind::Work | Kind::Education)));
    if has_history {
        return;
    }
    let Some(index) = sections.iter().position(|section| {
        section.kind.is_none()
            && section.part == Part::Body
            && entries::count_dated(&section.lines) >= 2
    }) else {
        return;
    };
    let lines = std::mem::take(&mut sections[index].lines);
    // The person's details end with the last of them before the first date.
    let first = lines
        .iter()
        .position(|line| head_dates::head_date(&line.text).is_some())
        .unwrap_or(0);
    let is_detail = |line: &Line| {
        let text = &line.text;
        details::email(text).is_some()
            || details::phone(text, false).is_some()
            || details::postcode(text).is_some()
    };
    let details = lines[..first]
        .iter()
        .rposition(is_detail)
        .map_or(0, |at| at + 1);
    let (_, before) = entries::entries(&lines[details..]);
    let (head, rest) = lines.split_at(details + before.len());
    let heading = sections[index].heading.clone();
    sections[index].lines = head.to_vec();
    let history = Section {
        kind: Some(Kind::Work),
        second: Some(Kind::Education),
        heading,
        part: Part::Body,
        lines: rest.to_vec(),
        confidence: 0.5,
    };
    sections.insert(index + 1, history);
}

/// Sections whose headings say nothing known are judged by what is under them.
fn guess_kinds(sections: &mut [Section]) {
    let has = |sections: &[Section], kind: Kind| sections.iter().any(|s| s.kind == Some(kind));
    let last = sections.iter().rposition(|s| s.part == Part::Body);
    for i in 0..sections.len() {
        // "Away from work": a guess at the words that what is under them speaks against.
        if sections[i].confidence < 0.75
            && sections[i].kind.is_some_and(Kind::has_entries)
            && sections[i].heading.is_some()
            && entries::count_dated(&sections[i].lines) == 0
            && !sections[i].lines.iter().any(|line| line.look().bold)
        {
            sections[i].kind = None;
        }
        if sections[i].kind.is_some()
            || sections[i].heading.is_none()
            || sections[i].lines.is_empty()
        {
            continue;
        }
        let lines = &sections[i].lines;
        let text: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
        let count = |test: fn(&str) -> bool| text.iter().filter(|line| test(line)).count();
        let details =
            count(|line| details::email(line).is_some() || details::phone(line, false).is_some());
        let languages = count(|line| lexicon::language_at_start(line).is_some());
        let dated = entries::count_dated(lines);
        let letters: usize = text.iter().map(|line| line.chars().count()).sum();
        let dots = count(|line| line.contains(['●', '○', '★', '☆']));
        let licences = count(|line| lexicon::fuzzy_section(line) == Some(Kind::Certifications));
        let items = lines.iter().filter(|line| line.bullet).count() * 2 > lines.len()
            || text
                .iter()
                .all(|line| line.contains([',', ';', '|', '·', '•']) || line.chars().count() < 40);
        let prose = dated == 0
            && text.len() <= 3
            && !lines[0].bullet
            && text
                .iter()
                .any(|line| line.split(' ').count() >= 8 && line.ends_with('.'));
        let guess = if details > 0 && dated == 0 {
            Kind::Contact
        } else if licences * 2 >= text.len() && letters < 400 {
            Kind::Certifications
        } else if languages * 2 > text.len() {
            Kind::Languages
        } else if dated > 0 && lines.len() > 1 {
            let schools =
                count(|line| lexicon::school_score(line).max(lexicon::degree_score(line)) >= 1.0);
            let jobs = count(|line| lexicon::job_score(line) >= 1.0);
            if schools > jobs && !has(sections, Kind::Education) {
                Kind::Education
            } else if has(sections, Kind::Work) {
                Kind::Further
            } else {
                Kind::Work
            }
        } else if dots > 0 {
            Kind::Skills
        } else if prose && !has(sections, Kind::Profile) {
            Kind::Profile
        } else if dated == 0
            && items
            && letters < 600
            && !has(sections, Kind::Skills)
            && last != Some(i)
        {
            Kind::Skills
        } else if letters > 120 && text.len() <= 3 && !has(sections, Kind::Profile) && i < 4 {
            Kind::Profile
        } else if letters < 200
            && text.len() <= 2
            && !has(sections, Kind::Interests)
            && !text.concat().contains(|c: char| c.is_ascii_digit())
        {
            Kind::Interests
        } else {
            Kind::Other
        };
        sections[i].kind = Some(guess);
        sections[i].confidence = 0.4;
    }
}

/// What speaks for the document being a CV at all.
struct Evidence {
    kinds: usize,
    history: bool,
    dated: usize,
    says_so: bool,
}

impl Evidence {
    fn of(sections: &[Section], lines: &[Line]) -> Self {
        let mut kinds: Vec<Kind> = sections
            .iter()
            .filter(|s| s.confidence > 0.6)
            .filter_map(|s| s.kind)
            .filter(|kind| !matches!(kind, Kind::Other | Kind::Contact | Kind::Privacy))
            .collect();
        kinds.sort_unstable();
        kinds.dedup();
        let history = |s: &&Section| matches!(s.kind, Some(Kind::Work | Kind::Education));
        Self {
            kinds: kinds.len(),
            history: kinds
                .iter()
                .any(|kind| matches!(kind, Kind::Work | Kind::Education)),
            dated: sections
                .iter()
                .filter(history)
                .map(|s| entries::count_dated(&s.lines))
                .sum(),
            says_so: lines
                .iter()
                .take(12)
                .any(|line| lexicon::is_document_title(&line.text)),
        }
    }

    fn is_cv(&self, draft: &Draft) -> bool {
        let cv = &draft.cv;
        let has_history = !cv.work_experience.is_empty() || !cv.education.is_empty();
        let person = !cv.full_name.is_empty();
        let reachable = !cv.email.is_empty() || !cv.phone.is_empty();
        // Entries whose titles are jobs and degrees indeed.
        let jobs = cv
            .work_experience
            .iter()
            .filter(|w| lexicon::job_score(&w.title) >= 1.0);
        let degrees = cv
            .education
            .iter()
            .filter(|e| lexicon::degree_score(&e.title) >= 1.0);
        let known = jobs.count() + degrees.count();
        let points = self.kinds.min(4)
            + usize::from(self.history)
            + usize::from(self.dated > 0)
            + usize::from(self.dated > 1)
            + usize::from(self.dated > 2 && known > 1)
            + usize::from(reachable)
            + usize::from(person)
            + usize::from(self.says_so) * 2;
        // Advertisements have the headings of a CV too, but nobody's years.
        let lived =
            self.dated > usize::from(!person) || self.says_so || (person && self.kinds >= 5);
        has_history && (person || reachable) && lived && points >= 5
    }
}

fn warnings(draft: &Draft) -> Vec<Warning> {
    let cv = &draft.cv;
    let missing = [
        ("full_name", cv.full_name.is_empty()),
        ("email", cv.email.is_empty()),
        ("phone", cv.phone.is_empty()),
        ("work_experience", cv.work_experience.is_empty()),
        ("education", cv.education.is_empty()),
    ];
    let mut all: Vec<Warning> = missing
        .into_iter()
        .filter(|(_, is_missing)| *is_missing)
        .map(|(field, _)| {
            Warning::new(
                field,
                "not_found",
                "the document does not say it, or not where it was looked for",
            )
        })
        .collect();
    let unsure = draft.sources.iter().filter(|s| s.confidence < 0.6);
    all.extend(unsure.map(|s| {
        Warning::new(
            s.path.clone(),
            "unsure",
            "this is a guess: compare it with the document",
        )
    }));
    all
}
