//! Puts the source's wording back.

use std::collections::BTreeSet;

use schemas::cv::{Cv, Language};

use crate::align::{self, Entry};
use crate::analysis::Analysed;
use crate::check::view;
use crate::evidence::Evidence;
use crate::lexicon::LEXICON;
use crate::{Finding, Report, fields, lists};

/// Puts what is unsupported or undecided back to the source's wording; a whole list where its
/// items cannot be matched one to one. What was added to a list without any source is taken out.
/// A check of the result finds nothing unsupported.
pub fn restore(source: &Cv, reply: &mut Cv, report: &Report) {
    let findings = || report.unsupported.iter().chain(&report.undecided);
    for finding in findings() {
        field(source, reply, &finding.path);
    }
    section(
        &source.work_experience,
        &mut reply.work_experience,
        "work_experience",
        findings(),
        |to, from, part| match part {
            "date_range" => to.date_range.clone_from(&from.date_range),
            "employer" => to.employer.clone_from(&from.employer),
            "location" => to.location.clone_from(&from.location),
            "title" => to.title.clone_from(&from.title),
            _ => lines(&from.bullets, &mut to.bullets, part),
        },
    );
    section(
        &source.education,
        &mut reply.education,
        "education",
        findings(),
        |to, from, part| match part {
            "date_range" => to.date_range.clone_from(&from.date_range),
            "institution" => to.institution.clone_from(&from.institution),
            "title" => to.title.clone_from(&from.title),
            _ => lines(&from.details, &mut to.details, part),
        },
    );
    section(
        &source.further_experience,
        &mut reply.further_experience,
        "further_experience",
        findings(),
        |to, from, part| match part {
            "date_range" => to.date_range.clone_from(&from.date_range),
            "organization" => to.organization.clone_from(&from.organization),
            "title" => to.title.clone_from(&from.title),
            _ => lines(&from.bullets, &mut to.bullets, part),
        },
    );
    let text = |item: &String| item.clone();
    items(
        &source.it_ai_skills,
        &mut reply.it_ai_skills,
        &wrong(findings(), "it_ai_skills"),
        text,
    );
    items(
        &source.certifications,
        &mut reply.certifications,
        &wrong(findings(), "certifications"),
        text,
    );
    items(
        &source.trainings,
        &mut reply.trainings,
        &wrong(findings(), "trainings"),
        text,
    );
    items(
        &source.publications,
        &mut reply.publications,
        &wrong(findings(), "publications"),
        text,
    );
    items(
        &source.references,
        &mut reply.references,
        &wrong(findings(), "references"),
        text,
    );
    items(
        &source.links,
        &mut reply.links,
        &wrong(findings(), "links"),
        |link| fields::link_key(&link.url),
    );
    languages(
        &source.languages,
        &mut reply.languages,
        &wrong(findings(), "languages"),
    );
}

/// A field that is one value.
fn field(source: &Cv, reply: &mut Cv, path: &str) {
    match path.split('[').next().unwrap_or_default() {
        "full_name" => reply.full_name.clone_from(&source.full_name),
        "email" => reply.email.clone_from(&source.email),
        "phone" => reply.phone.clone_from(&source.phone),
        "address_lines" => reply.address_lines.clone_from(&source.address_lines),
        "photo_url" => reply.photo_url.clone_from(&source.photo_url),
        "birth_date" => reply.birth_date.clone_from(&source.birth_date),
        "nationality" => reply.nationality.clone_from(&source.nationality),
        "profile" => reply.profile.clone_from(&source.profile),
        "interests" => reply.interests.clone_from(&source.interests),
        _ => {}
    }
}

/// The index that follows `name[`, and what follows that.
fn indexed<'p>(path: &'p str, name: &str) -> Option<(usize, &'p str)> {
    let rest = path.strip_prefix(name)?.strip_prefix('[')?;
    let (index, rest) = rest.split_once(']')?;
    Some((index.parse().ok()?, rest.trim_start_matches('.')))
}

fn wrong<'f>(findings: impl Iterator<Item = &'f Finding>, name: &str) -> BTreeSet<usize> {
    findings
        .filter_map(|finding| indexed(&finding.path, name))
        .map(|(index, _)| index)
        .collect()
}

fn section<'f, T: Clone>(
    source: &[T],
    reply: &mut Vec<T>,
    name: &str,
    findings: impl Iterator<Item = &'f Finding>,
    put: impl Fn(&mut T, &T, &str),
) where
    for<'e> Entry<'e>: From<&'e T>,
{
    let found: Vec<(usize, &str)> = findings
        .filter_map(|finding| indexed(&finding.path, name))
        .collect();
    if found.is_empty() {
        return;
    }
    let pairs = align::entries(&view(source), &view(reply));
    let mut invented = BTreeSet::new();
    let mut by_entry: Vec<(usize, Vec<&str>)> = Vec::new();
    for (index, part) in found {
        if part.is_empty() || pairs.get(index).is_none_or(Option::is_none) {
            invented.insert(index);
        } else if let Some((_, parts)) = by_entry.iter_mut().rev().find(|(at, _)| *at == index) {
            parts.push(part);
        } else {
            by_entry.push((index, vec![part]));
        }
    }
    for (index, parts) in by_entry {
        if let (Some(to), Some(from)) = (
            reply.get_mut(index),
            pairs[index].and_then(|at| source.get(at)),
        ) {
            let fields = parts.iter().filter(|part| !part.contains('['));
            for part in fields {
                put(to, from, part);
            }
            // All faulty lines at once: the rule looks at the list as it came.
            let marks: Vec<&str> = parts
                .iter()
                .copied()
                .filter(|part| part.contains('['))
                .collect();
            if !marks.is_empty() {
                put(to, from, &marks.join(" "));
            }
        }
    }
    let mut at = 0;
    reply.retain(|_| {
        at += 1;
        !invented.contains(&(at - 1))
    });
    // What was put back may be likest to another entry now: then nothing can be told apart.
    let kept: Vec<Option<usize>> = (0..pairs.len())
        .filter(|at| !invented.contains(at))
        .map(|at| pairs[at])
        .collect();
    if (reply.is_empty() && !source.is_empty())
        || align::entries(&view(source), &view(reply)) != kept
    {
        *reply = source.to_vec();
    }
}

/// Lines go back one by one where each was made from one line of its own.
fn lines(source: &[String], reply: &mut Vec<String>, parts: &str) {
    let wrong: Vec<usize> = parts
        .split(' ')
        .filter_map(|part| part.split_once('[')?.1.strip_suffix(']')?.parse().ok())
        .collect();
    // The lists are compared without their languages: only names, figures and words of one origin count.
    let ours: Vec<Analysed<'_>> = source
        .iter()
        .map(|line| Analysed::source(line, u32::MAX, u32::MAX))
        .collect();
    let each: Vec<Evidence> = ours.iter().map(|line| Evidence::of([line])).collect();
    let copy = reply.clone();
    let theirs: Vec<Analysed<'_>> = copy
        .iter()
        .map(|line| Analysed::reply(line, u32::MAX))
        .collect();
    let origins = align::lines(&ours, &each, &theirs);
    let mut taken = BTreeSet::new();
    let single = source.len() >= reply.len()
        && origins.iter().enumerate().all(|(r, origin)| {
            let at = match origin.lines[..] {
                [at] if origin.sure => Some(at),
                _ if source.len() == reply.len() => Some(r),
                _ => None,
            };
            at.is_some_and(|at| taken.insert(at))
        });
    if !single {
        *reply = source.to_vec();
        return;
    }
    for at in wrong {
        let from = match origins.get(at).map(|origin| &origin.lines[..]) {
            Some([one]) if origins[at].sure => *one,
            _ => at,
        };
        if let (Some(to), Some(from)) = (reply.get_mut(at), source.get(from)) {
            to.clone_from(from);
        }
    }
}

/// Items without a source are taken out as long as nothing of the source is missing; else the
/// whole list goes back.
fn items<T: Clone + PartialEq>(
    source: &[T],
    reply: &mut Vec<T>,
    wrong: &BTreeSet<usize>,
    text: impl Fn(&T) -> String,
) {
    if wrong.is_empty() {
        return;
    }
    let ours: Vec<String> = source.iter().map(&text).collect();
    let theirs: Vec<String> = reply.iter().map(&text).collect();
    let known: Vec<Analysed<'_>> = ours
        .iter()
        .map(|item| Analysed::source(item, u32::MAX, u32::MAX))
        .collect();
    let read: Vec<Analysed<'_>> = theirs
        .iter()
        .map(|item| Analysed::reply(item, u32::MAX))
        .collect();
    let pairs = lists::pairs(&known, &read);
    let added = |at: &usize| pairs.get(*at).is_some_and(Option::is_none);
    let complete = pairs.iter().flatten().count() == source.len();
    if complete && wrong.iter().all(added) {
        let mut at = 0;
        reply.retain(|_| {
            at += 1;
            !wrong.contains(&(at - 1))
        });
    } else {
        *reply = source.to_vec();
    }
}

/// A level goes back alone; a language that is not the person's is taken out.
fn languages(source: &[Language], reply: &mut Vec<Language>, wrong: &BTreeSet<usize>) {
    if wrong.is_empty() {
        return;
    }
    let concept = |language: &Language| {
        fields::language_of(&Analysed::source(&language.name, u32::MAX, u32::MAX))
    };
    let mut kept = Vec::with_capacity(reply.len());
    for (i, language) in reply.iter().enumerate() {
        if !wrong.contains(&i) {
            kept.push(language.clone());
            continue;
        }
        let Some(named) = concept(language) else {
            *reply = source.to_vec();
            return;
        };
        let same = |other: &&Language| {
            concept(other).is_some_and(|other| LEXICON.supports(named).contains(&other))
        };
        if let Some(from) = source.iter().find(same) {
            kept.push(from.clone());
        }
    }
    *reply = kept;
}
