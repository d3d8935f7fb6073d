//! Lists of items: skills, certificates, courses, publications, referees, languages, links, interests.

use std::collections::HashMap;

use crate::analysis::{Analysed, Proper};
use crate::check::Checker;
use crate::evidence::Evidence;
use crate::fields::{self, Tongue, cognate};
use crate::lexicon::{Concept, LEXICON};
use crate::prose::{self, Grounds, Place, Verdict, is_same_text, named};
use crate::text::Kind;

/// Checks all lists.
pub(crate) fn check(checker: &mut Checker<'_>) {
    languages(checker);
    let (source, reply) = (checker.source, checker.reply);
    items(
        checker,
        "it_ai_skills",
        &source.it_ai_skills,
        &reply.it_ai_skills,
        true,
    );
    items(
        checker,
        "certifications",
        &source.certifications,
        &reply.certifications,
        false,
    );
    items(
        checker,
        "trainings",
        &source.trainings,
        &reply.trainings,
        false,
    );
    items(
        checker,
        "publications",
        &source.publications,
        &reply.publications,
        false,
    );
    interests(checker);
    items(
        checker,
        "references",
        &source.references,
        &reply.references,
        false,
    );
    links(checker);
}

/// Which item of the source an item of the reply was made from: the likest, if any is like it.
pub(crate) fn pairs(source: &[Analysed<'_>], reply: &[Analysed<'_>]) -> Vec<Option<usize>> {
    if source.len() * reply.len() > 40_000 {
        return (0..reply.len())
            .map(|i| (i < source.len()).then_some(i))
            .collect();
    }
    let known: Vec<Evidence> = source.iter().map(|item| Evidence::of([item])).collect();
    let mut scored = Vec::new();
    for (r, item) in reply.iter().enumerate() {
        for (s, evidence) in known.iter().enumerate() {
            let same = usize::from(is_same_text(source[s].text, item.text)) * 100;
            let (shared, _) = evidence.shares(item);
            let names = (0..item.tokens.len())
                .filter(|at| {
                    item.tokens[*at].kind == Kind::Word && evidence.word(&item.tokens[*at].fold)
                })
                .count();
            let numbers = item
                .numbers
                .iter()
                .filter(|number| evidence.number(number))
                .count();
            let score = same + (shared + names) * 3 + numbers * 2;
            if score > 0 {
                scored.push((score * 4 + usize::from(r == s), r, s));
            }
        }
    }
    scored.sort_by_key(|pair| std::cmp::Reverse(pair.0));
    let mut found = vec![None; reply.len()];
    let mut taken = vec![false; source.len()];
    for (_, r, s) in scored {
        if found[r].is_none() && !taken[s] {
            found[r] = Some(s);
            taken[s] = true;
        }
    }
    found
}

fn items(checker: &mut Checker<'_>, name: &str, source: &[String], reply: &[String], whole: bool) {
    if source == reply {
        return;
    }
    let tongue = checker.tongue;
    let ours: Vec<Analysed<'_>> = source
        .iter()
        .map(|item| Analysed::source(item, tongue.from, tongue.to))
        .collect();
    let theirs: Vec<Analysed<'_>> = reply
        .iter()
        .map(|item| Analysed::reply(item, tongue.to))
        .collect();
    let list = Evidence::of(&ours);
    let pairs = pairs(&ours, &theirs);
    // Items of the source that no item of the reply names: what a free translation may stand for.
    let mut spare = ours.len().saturating_sub(pairs.iter().flatten().count());
    for (i, (item, pair)) in theirs.iter().zip(&pairs).enumerate() {
        if source.contains(&reply[i])
            || ours.iter().any(|known| is_same_text(known.text, item.text))
        {
            continue;
        }
        let near = pair.map(|at| Evidence::of([&ours[at]]));
        let verdict = {
            let wide = if whole { &checker.cv } else { &list };
            let grounds = Grounds {
                near: if whole {
                    wide
                } else {
                    near.as_ref().unwrap_or(wide)
                },
                wide,
                sure: !whole && near.is_some(),
                lines: None,
                same_language: tongue.same(),
                posting: checker.posting.as_ref(),
                years: None,
                kind: match name {
                    "certifications" | "trainings" => Place::Certificate,
                    _ => Place::Label,
                },
            };
            item_verdict(
                name,
                item,
                pair.map(|at| &ours[at]),
                &grounds,
                tongue,
                &mut spare,
            )
        };
        if let Some(verdict) = verdict {
            let from = pair.map_or("", |at| source[at].as_str());
            checker.add(format!("{name}[{i}]"), item.text, from, verdict);
        }
    }
}

fn item_verdict(
    name: &str,
    item: &Analysed<'_>,
    pair: Option<&Analysed<'_>>,
    grounds: &Grounds<'_>,
    tongue: Tongue,
    spare: &mut usize,
) -> Option<Verdict> {
    if let Some(Verdict::Unsupported(reason)) = prose::check(item, grounds) {
        return Some(Verdict::Unsupported(reason));
    }
    let open = |text: &Analysed<'_>| text.claims("state").next().is_some();
    if pair.is_some_and(|source| open(source) && !open(item)) {
        return Some(Verdict::unsupported(
            "the source says that it is not finished",
        ));
    }
    let reordered = || pair.and_then(|source| authors(source, item));
    if let Some(verdict) = (name == "publications").then(reordered).flatten() {
        return Some(verdict);
    }
    // Words from here and there make no name: "SAP" and "HCM" of two lines are no "SAP HCM".
    if name == "it_ai_skills" {
        let mut clauses: Vec<u32> = item.tokens.iter().map(|token| token.clause).collect();
        clauses.dedup();
        let scattered = clauses.into_iter().find(|clause| {
            let of = |at: &usize| {
                item.tokens[*at].clause == *clause
                    && item
                        .proper(*at)
                        .is_some_and(|proper| proper != Proper::Capital || tongue.same())
            };
            let strong = (0..item.tokens.len())
                .any(|at| of(&at) && item.proper(at) != Some(Proper::Capital));
            let words = (0..item.tokens.len())
                .filter(|at| item.tokens[*at].clause == *clause && item.is_content(*at));
            strong
                && !grounds
                    .wide
                    .together(words.map(|at| item.tokens[at].fold.as_str()))
        });
        if scattered.is_some() {
            return Some(Verdict::Unsupported(format!(
                "\"{}\" is not in the source",
                item.text
            )));
        }
    }
    let capitals = matches!(name, "publications" | "references");
    let known = |at: &usize| {
        let token = &item.tokens[*at];
        grounds.wide.related(&token.fold)
            || (named(item, *at, grounds.wide) && concept_stands(item, *at, grounds.wide))
            || (!tongue.same()
                && pair.is_some_and(|source| {
                    source
                        .tokens
                        .iter()
                        .any(|s| s.fold.len() > 3 && cognate(&s.fold, &token.fold))
                }))
    };
    let content: Vec<usize> = (0..item.tokens.len())
        .filter(|at| item.is_content(*at) || item.proper(*at).is_some())
        .collect();
    let unknown: Vec<usize> = content.iter().copied().filter(|at| !known(at)).collect();
    let first = unknown.first().map(|at| item.tokens[*at].raw)?;
    let reason = format!("\"{first}\" is not in the source");
    if tongue.same() {
        let filler = unknown.iter().all(|at| is_filler(&item.tokens[*at].fold));
        return (!filler).then_some(Verdict::Unsupported(reason));
    }
    if unknown.len() < content.len() || pair.is_some() {
        let foreign = capitals && pair.is_none();
        return foreign.then_some(Verdict::Undecided(reason));
    }
    if *spare > 0 {
        *spare -= 1;
        return Some(Verdict::Undecided(reason));
    }
    Some(Verdict::Unsupported(reason))
}

/// Whether the concepts at a token, not only its spelling, are in the evidence.
fn concept_stands(item: &Analysed<'_>, at: usize, evidence: &Evidence) -> bool {
    let mut here = item
        .hits
        .iter()
        .filter(|hit| (hit.first..hit.first + hit.len).contains(&(at as u32)));
    evidence.word(&item.tokens[at].fold) || here.any(|hit| evidence.concept(hit.concept))
}

/// Words that say nothing beside a skill's name.
fn is_filler(word: &str) -> bool {
    const FILLERS: &[&str] = &[
        "skill",
        "knowledge",
        "experience",
        "certif",
        "zertif",
        "course",
        "kurs",
        "szkolen",
        "training",
        "kenntnis",
        "erfahrung",
        "umgang",
        "anwend",
        "znajom",
        "obslug",
        "program",
        "software",
        "tool",
        "platform",
        "system",
        "language",
        "sprache",
        "jezyk",
        "framework",
        "database",
        "datenbank",
        "working",
        "usage",
        "valid",
        "gultig",
        "wazn",
        "issued",
        "days",
        "tage",
        "hours",
        "stunden",
        "workshop",
        "seminar",
        "conocim",
        "connaiss",
        "manejo",
        "methodolog",
        "metodyk",
        "methode",
        "development",
        "entwicklung",
        "vol",
        "pages",
        "seiten",
    ];
    FILLERS.iter().any(|filler| word.starts_with(filler))
}

/// Authors stay in their order.
fn authors(source: &Analysed<'_>, reply: &Analysed<'_>) -> Option<Verdict> {
    let (ours, theirs) = (surnames(source), surnames(reply));
    let mut at = 0;
    for name in &theirs {
        let Some(place) = ours.iter().position(|known| known == name) else {
            continue;
        };
        if place < at {
            return Some(Verdict::Unsupported("another order of authors".to_owned()));
        }
        at = place;
    }
    None
}

/// Names that stand beside an initial.
fn surnames(text: &Analysed<'_>) -> Vec<String> {
    let is_initial = |at: usize| {
        let token = text.tokens.get(at);
        token.is_some_and(|token| {
            token.raw.chars().count() <= 2 && token.raw.chars().all(char::is_uppercase)
        })
    };
    let mut found: Vec<String> = Vec::new();
    for (at, token) in text.tokens.iter().enumerate() {
        let name = token.fold.len() > 2 && token.raw.starts_with(char::is_uppercase);
        if name
            && (is_initial(at + 1) || (at > 0 && is_initial(at - 1)))
            && !found.contains(&token.fold)
        {
            found.push(token.fold.clone());
        }
    }
    found
}

fn languages(checker: &mut Checker<'_>) {
    let (source, reply, tongue) = (checker.source, checker.reply, checker.tongue);
    let ours: Vec<(Analysed<'_>, Analysed<'_>)> = source
        .languages
        .iter()
        .map(|language| {
            let level = language.level.as_deref().unwrap_or(&language.name);
            (
                Analysed::source(&language.name, tongue.from, tongue.to),
                Analysed::source(level, tongue.from, tongue.to),
            )
        })
        .collect();
    let mut by_name: HashMap<Concept, usize> = HashMap::new();
    for (i, (name, _)) in ours.iter().enumerate() {
        if let Some(concept) = fields::language_of(name) {
            by_name.entry(concept).or_insert(i);
        }
    }
    for (i, language) in reply.languages.iter().enumerate() {
        if source.languages.contains(language) {
            continue;
        }
        let shown = fields::language_text(language);
        let name = Analysed::reply(&language.name, tongue.to);
        let concept = fields::language_of(&name);
        let at = match concept {
            Some(concept) => LEXICON
                .supports(concept)
                .iter()
                .find_map(|other| by_name.get(other).copied()),
            None => ours
                .iter()
                .position(|(known, _)| is_same_text(known.text, name.text)),
        };
        let Some(at) = at else {
            let reason = "the source does not name this language".to_owned();
            let open = concept.is_none()
                && !tongue.same()
                && ours
                    .iter()
                    .any(|(known, _)| fields::language_of(known).is_none());
            let verdict = if open {
                Verdict::Undecided(reason)
            } else {
                Verdict::Unsupported(reason)
            };
            checker.add(format!("languages[{i}]"), &shown, "", verdict);
            continue;
        };
        let from = fields::language_text(&source.languages[at]);
        let has_level =
            source.languages[at].level.is_some() || fields::level(&ours[at].1).is_some();
        let empty = Analysed::source("", tongue.from, tongue.to);
        let known = if has_level { &ours[at].1 } else { &empty };
        let verdict = match &language.level {
            Some(level) => fields::levels(known, &Analysed::reply(level, tongue.to), tongue),
            None if fields::level(&name).is_some() => fields::levels(known, &name, tongue),
            None => None,
        };
        if let Some(verdict) = verdict {
            checker.add(format!("languages[{i}]"), &shown, &from, verdict);
        }
    }
}

fn interests(checker: &mut Checker<'_>) {
    let Some(interests) = &checker.reply.interests else {
        return;
    };
    let source = checker.source.interests.as_deref().unwrap_or_default();
    if is_same_text(source, interests) {
        return;
    }
    let tongue = checker.tongue;
    let read = Analysed::reply(interests, tongue.to);
    let ours = Analysed::source(source, tongue.from, tongue.to);
    let evidence = Evidence::of([&ours]);
    let verdict = prose::check(
        &read,
        &Grounds {
            near: &evidence,
            wide: &checker.cv,
            sure: false,
            ..checker.whole(Place::Label)
        },
    );
    let clauses = |text: &Analysed<'_>| {
        let mut clauses: Vec<u32> = (0..text.tokens.len())
            .filter(|at| text.is_content(*at))
            .map(|at| text.tokens[at].clause)
            .collect();
        clauses.dedup();
        clauses
    };
    let verdict = verdict.or_else(|| {
        if !tongue.same() {
            let more = clauses(&read).len() > clauses(&ours).len() + 1;
            return more
                .then(|| Verdict::Undecided("more interests than in the source".to_owned()));
        }
        let new = clauses(&read).into_iter().find(|clause| {
            let mut words = (0..read.tokens.len())
                .filter(|at| read.tokens[*at].clause == *clause && read.is_content(*at));
            words.all(|at| !evidence.related(&read.tokens[at].fold))
        })?;
        let word = read
            .tokens
            .iter()
            .find(|token| token.clause == new)
            .map_or("", |token| token.raw);
        Some(Verdict::Unsupported(format!(
            "\"{word}\" is not in the source"
        )))
    });
    if let Some(verdict) = verdict {
        checker.add("interests", interests, source, verdict);
    }
}

fn links(checker: &mut Checker<'_>) {
    let (source, reply) = (checker.source, checker.reply);
    let known: Vec<String> = source
        .links
        .iter()
        .map(|link| fields::link_key(&link.url))
        .collect();
    for (i, link) in reply.links.iter().enumerate() {
        if !known.contains(&fields::link_key(&link.url)) {
            let from = source.links.get(i).map_or("", |link| link.url.as_str());
            checker.add(
                format!("links[{i}]"),
                &link.url,
                from,
                Verdict::Unsupported("the source has no such link".to_owned()),
            );
        }
    }
}
