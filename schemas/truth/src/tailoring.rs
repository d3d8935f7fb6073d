//! Which terms of a job posting a CV supports.

use std::collections::BTreeSet;

use schemas::cv::Cv;
use serde::Serialize;

use crate::analysis::{Analysed, Proper};
use crate::claims::is_meant;
use crate::evidence::Evidence;
use crate::fields::{Tongue, level};
use crate::lexicon::{LEXICON, Tongues, tongue};
use crate::text::{Kind, fold, tokens};

/// A posting's terms against a CV.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tailoring {
    /// Terms that the CV supports, in the posting's order.
    pub supported: Vec<Term>,
    /// Terms that it does not; never to be added to it.
    pub missing: Vec<String>,
}

/// A term and where the CV supports it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Term {
    /// As the posting writes it.
    pub term: String,
    /// Paths within the CV, such as `it_ai_skills[2]`; at least one.
    pub paths: Vec<String>,
}

/// The most of a posting that is read, in bytes, and the most terms that are told.
const MAX_POSTING: usize = 64 * 1024;
const MAX_TERMS: usize = 80;
const MAX_PATHS: usize = 8;

/// Which of the posting's terms (skills, tools, qualifications, languages, requirements) the CV
/// supports, and where. `language` is the CV's; the posting may be in another. Terms are looked for
/// in what the posting asks for, not in what it offers.
pub fn tailoring(cv: &Cv, posting: &str, language: &str) -> Tailoring {
    let mut end = posting.len().min(MAX_POSTING);
    while !posting.is_char_boundary(end) {
        end -= 1;
    }
    let posting = &posting[..end];
    let own = tongue(language);
    let of_posting = spoken(posting, own);
    let tongue = Tongue {
        from: own,
        to: of_posting,
    };
    let values = values(cv, tongue);
    let mut told = Tailoring::default();
    let mut seen = BTreeSet::new();
    for line in asked(posting) {
        let read = Analysed::reply(line, of_posting);
        for term in terms(&read) {
            let key = fold(term.text);
            if !seen.insert(key) || seen.len() > MAX_TERMS {
                continue;
            }
            let paths: Vec<String> = values
                .iter()
                .filter(|value| value.supports(&read, &term, tongue))
                .map(|value| value.path.clone())
                .take(MAX_PATHS)
                .collect();
            if paths.is_empty() {
                told.missing.push(term.text.to_owned());
            } else {
                told.supported.push(Term {
                    term: term.text.to_owned(),
                    paths,
                });
            }
        }
    }
    told
}

/// Some tokens of a line.
struct Span<'p> {
    text: &'p str,
    first: usize,
    end: usize,
    /// The level that is asked for, of a language.
    level: Option<(u8, u8)>,
}

/// A value of the CV.
struct Held<'a> {
    path: String,
    read: Analysed<'a>,
    evidence: Evidence,
    level: Option<(u8, u8)>,
}

impl Held<'_> {
    fn supports(&self, read: &Analysed<'_>, term: &Span<'_>, tongue: Tongue) -> bool {
        let concepts = || {
            read.claims_between(term.first, term.end).filter(|hit| {
                matches!(
                    LEXICON.class(hit.concept),
                    "same" | "geo" | "deg" | "field" | "role"
                )
            })
        };
        if let Some((least, _)) = term.level {
            // A language with a level: the CV's own must reach it.
            let named = concepts().any(|hit| {
                LEXICON.class(hit.concept) == "geo" && self.evidence.concept(hit.concept)
            });
            return named && self.level.is_none_or(|(_, high)| high >= least);
        }
        let mut content = (term.first..term.end)
            .filter(|at| read.is_content(*at) || read.proper(*at).is_some())
            .peekable();
        if content.peek().is_none() {
            return false;
        }
        content.all(|at| {
            let token = &read.tokens[at];
            let by_concept = concepts().any(|hit| {
                (hit.first as usize..(hit.first + hit.len) as usize).contains(&at)
                    && self.evidence.concept(hit.concept)
            });
            let strict = read.proper(at).is_some();
            by_concept
                || self.evidence.word(&token.fold)
                || (!strict && self.evidence.related(&token.fold))
                || (!tongue.same()
                    && !strict
                    && self
                        .read
                        .tokens
                        .iter()
                        .any(|t| t.fold.len() > 4 && crate::fields::cognate(&t.fold, &token.fold)))
                || (strict && self.evidence.acronym(&token.fold))
        })
    }
}

fn values(cv: &Cv, tongue: Tongue) -> Vec<Held<'_>> {
    let mut values = Vec::new();
    let mut hold = |path: String, text| {
        let read = Analysed::source(text, tongue.from, tongue.to);
        let evidence = Evidence::of([&read]);
        let level = level(&read);
        values.push(Held {
            path,
            read,
            evidence,
            level,
        });
    };
    if let Some(profile) = &cv.profile {
        hold("profile".to_owned(), profile.as_str());
    }
    for (i, work) in cv.work_experience.iter().enumerate() {
        hold(format!("work_experience[{i}].title"), &work.title);
        for (j, line) in work.bullets.iter().enumerate() {
            hold(format!("work_experience[{i}].bullets[{j}]"), line);
        }
    }
    for (i, school) in cv.education.iter().enumerate() {
        hold(format!("education[{i}].title"), &school.title);
        for (j, line) in school.details.iter().enumerate() {
            hold(format!("education[{i}].details[{j}]"), line);
        }
    }
    for (i, further) in cv.further_experience.iter().enumerate() {
        hold(format!("further_experience[{i}].title"), &further.title);
        for (j, line) in further.bullets.iter().enumerate() {
            hold(format!("further_experience[{i}].bullets[{j}]"), line);
        }
    }
    for (name, list) in [
        ("it_ai_skills", &cv.it_ai_skills),
        ("certifications", &cv.certifications),
        ("trainings", &cv.trainings),
    ] {
        for (i, item) in list.iter().enumerate() {
            hold(format!("{name}[{i}]"), item);
        }
    }
    for (i, language) in cv.languages.iter().enumerate() {
        hold(format!("languages[{i}]"), &language.name);
    }
    for (i, language) in cv.languages.iter().enumerate() {
        let Some(text) = &language.level else {
            continue;
        };
        let stated = level(&Analysed::source(text, tongue.from, tongue.to));
        if let Some(held) = values
            .iter_mut()
            .find(|held| held.path == format!("languages[{i}]"))
        {
            held.level = stated;
        }
    }
    values
}

/// The language of a text, by its small words; `else_` where they do not tell.
fn spoken(text: &str, else_: Tongues) -> Tongues {
    let split = tokens(text);
    let tags = [
        "en", "de", "pl", "fr", "es", "it", "pt", "nl", "cs", "uk", "el", "sv", "ar", "he", "ja",
        "zh",
    ];
    let count = |of: Tongues| {
        split
            .iter()
            .filter(|token| LEXICON.is_stop(&token.fold, of & !1))
            .count()
    };
    let best = tags
        .iter()
        .map(|tag| tongue(tag))
        .max_by_key(|of| (count(*of), *of == else_));
    best.filter(|of| count(*of) > 2).unwrap_or(else_)
}

/// Headings of what a firm offers, and of what it asks for.
const OFFERS: &[&str] = &[
    "we offer",
    "what we offer",
    "our offer",
    "benefits",
    "wir bieten",
    "unser angebot",
    "das bieten wir",
    "oferujemy",
    "nous offrons",
    "ofrecemos",
    "offriamo",
    "oferecemos",
    "wij bieden",
    "nabizime",
    "my proponuyemo",
    "vi erbjuder",
    "apply with",
    "ihre bewerbung",
    "bewerben sie",
];
const ASKS: &[&str] = &[
    "look for",
    "looking for",
    "require",
    "you need",
    "you have",
    "you bring",
    "must have",
    "nice to have",
    "your profile",
    "qualifications",
    "ihr profil",
    "dein profil",
    "anforderungen",
    "sie bringen",
    "voraussetzungen",
    "wymaga",
    "oczekujemy",
    "mile widziane",
    "profil",
    "requisitos",
    "se requiere",
    "requisiti",
    "vimog",
    "krav",
    "wij vragen",
    "pozadujeme",
    "what you will do",
    "your tasks",
    "aufgaben",
    "obowiazki",
    "zakres",
];

/// The lines that tell the work and what is asked for.
fn asked(posting: &str) -> Vec<&str> {
    let mut offering = false;
    // The first line of a whole posting is its title and the firm's name.
    let long = posting.lines().nth(3).is_some();
    let mut head = true;
    let mut lines = Vec::new();
    for line in posting.lines().flat_map(|line| line.split_inclusive(". ")) {
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        let plain = fold(line);
        if ASKS.iter().any(|ask| plain.contains(ask)) {
            offering = false;
        }
        if OFFERS.iter().any(|offer| plain.starts_with(offer)) {
            offering = true;
        }
        if !(offering || head && long) {
            lines.push(line);
        }
        head = false;
    }
    lines
}

/// Names, languages with levels, degrees, and known skills of a line, in order.
fn terms<'p>(read: &Analysed<'p>) -> Vec<Span<'p>> {
    let mut spans: Vec<(usize, usize)> = Vec::new();
    let count = read.tokens.len();
    let mut at = 0;
    while at < count {
        let taken = read
            .claims_between(at, at + 1)
            .filter(|hit| {
                matches!(LEXICON.class(hit.concept), "same" | "geo" | "deg" | "field") && !hit.inner
            })
            .filter(|hit| {
                hit.first as usize == at
                    && is_meant(read, hit.first, hit.len, hit.concept)
                    && is_term(read, hit.first, hit.len, hit.concept)
            })
            .map(|hit| hit.len as usize)
            .max();
        let proper = read.proper(at).filter(|_| read.tokens[at].fold.len() > 1);
        let len = match (taken, proper) {
            (Some(len), _) => len,
            (None, Some(Proper::Strong | Proper::Known)) => 1,
            (None, Some(Proper::Capital)) if !is_place_or_firm(read, at) => 1,
            _ => 0,
        };
        if len == 0 {
            at += 1;
            continue;
        }
        let end = at + len;
        match spans.last_mut() {
            // "Power BI" and "SAP S/4HANA" are one.
            Some((first, last))
                if *last == at
                    && read.tokens[at].kind == Kind::Word
                    && read.tokens[*first].clause == read.tokens[at].clause
                    && joins(read, *first, at)
                    && taken.is_none() =>
            {
                *last = end;
            }
            _ => spans.push((at, end)),
        }
        at = end;
    }
    let stated = level(read);
    spans
        .into_iter()
        .map(|(first, end)| {
            let geo = read
                .claims_between(first, end)
                .any(|hit| LEXICON.class(hit.concept) == "geo");
            Span {
                text: read.raw(first, end),
                first,
                end,
                level: stated.filter(|_| geo),
            }
        })
        .collect()
}

fn joins(read: &Analysed<'_>, first: usize, at: usize) -> bool {
    let between = read.raw(first, at + 1);
    !between.contains([',', '/', ';', '(']) || read.tokens[at].glued
}

/// Short sets such as "it" are words of their own in a sentence.
fn is_term(read: &Analysed<'_>, first: u32, len: u32, concept: u16) -> bool {
    let token = &read.tokens[first as usize];
    LEXICON.class(concept) != "same"
        || len > 1
        || token.fold.len() > 3
        || token
            .raw
            .chars()
            .all(|c| c.is_uppercase() || c.is_ascii_digit())
}

/// Capitals that name the firm or its town, not a skill: they stand beside a legal form or a preposition of place.
fn is_place_or_firm(read: &Analysed<'_>, at: usize) -> bool {
    let place = read
        .claims_between(at, at + 1)
        .any(|hit| matches!(LEXICON.class(hit.concept), "city" | "unit" | "org"));
    place || schemas::locale::month(read.tokens[at].raw).is_some()
}
