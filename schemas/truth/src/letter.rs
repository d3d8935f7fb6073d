//! The check of a cover letter.

use schemas::cv::Cv;

use crate::align;
use crate::analysis::Analysed;
use crate::check::{country, texts};
use crate::evidence::Evidence;
use crate::fields::Tongue;
use crate::lexicon::{Concept, Hit, LEXICON, tongue};
use crate::prose::{self, Grounds, Place, Verdict};
use crate::text::{Kind, tokens};
use crate::{Finding, Languages, Report};

/// Of whom a part of a sentence speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Speaks {
    /// Of the addressee, the post or what is wished for: the posting's words are welcome.
    Aims,
    /// Of the person: only the CV counts.
    Claims,
}

/// Checks that a cover letter claims only what the CV says; paths are `paragraphs[0]`. Company and
/// position of the `posting` may be named as the addressee and the aim, never as the person's past.
pub fn check_letter(
    source: &Cv,
    paragraphs: &[String],
    languages: Languages<'_>,
    posting: Option<&str>,
) -> Report {
    let tongue = Tongue {
        from: tongue(languages.from),
        to: tongue(languages.to),
    };
    let texts = texts(source, tongue);
    let mut cv = Evidence::of(&texts);
    if let Some(country) = country(source) {
        cv.grant(country);
    }
    let wanted: Vec<Analysed<'_>> = posting
        .into_iter()
        .map(|text| Analysed::source(text, tongue.to, tongue.from))
        .collect();
    let names: Vec<&str> = wanted.iter().flat_map(firm).collect();
    let names = names.join(" ");
    let firm = Analysed::source(&names, tongue.to, tongue.from).names_only();
    let wanted = Evidence::of(&wanted);
    let lines: Vec<Analysed<'_>> = lines(source)
        .map(|line| Analysed::source(line, tongue.from, tongue.to))
        .collect();
    let letter = Letter {
        both: Evidence::of(&texts).with(&wanted),
        wanted,
        addressed: Evidence::of(&texts).with(&Evidence::of([&firm])),
        years: crate::years::worked(source, &cv),
        each: lines.iter().map(|line| Evidence::of([line])).collect(),
        lines,
        cv,
        tongue,
    };
    let mut report = Report::default();
    let mut told = 0_usize;
    for (i, paragraph) in paragraphs.iter().enumerate() {
        let mut verdicts: Vec<Verdict> = Vec::new();
        for sentence in sentences(paragraph) {
            told += 1;
            let matched = told.saturating_mul(letter.lines.len()) <= MOST_PAIRS;
            verdicts.extend(letter.sentence(sentence, matched));
        }
        // What is surely wrong comes before what is unsure.
        let wrong = verdicts
            .iter()
            .position(|verdict| matches!(verdict, Verdict::Unsupported(_)));
        let Some(verdict) = verdicts.into_iter().nth(wrong.unwrap_or_default()) else {
            continue;
        };
        let (list, reason) = match verdict {
            Verdict::Unsupported(reason) => (&mut report.unsupported, reason),
            Verdict::Undecided(reason) => (&mut report.undecided, reason),
        };
        list.push(Finding {
            path: format!("paragraphs[{i}]"),
            reply: paragraph.clone(),
            source: String::new(),
            reason,
        });
    }
    report
}

/// All lines that tell of the person's deeds.
fn lines(cv: &Cv) -> impl Iterator<Item = &str> {
    let work = cv.work_experience.iter().flat_map(|work| &work.bullets);
    let school = cv.education.iter().flat_map(|school| &school.details);
    let further = cv.further_experience.iter().flat_map(|more| &more.bullets);
    work.chain(school).chain(further).map(String::as_str)
}

/// What a letter is held against.
struct Letter<'a> {
    cv: Evidence,
    wanted: Evidence,
    /// With all that the posting says.
    both: Evidence,
    /// With the addressee's name.
    addressed: Evidence,
    lines: Vec<Analysed<'a>>,
    each: Vec<Evidence>,
    years: Option<i128>,
    tongue: Tongue,
}

impl Letter<'_> {
    /// The first fault of a sentence; `matched` also holds it against its likest line.
    fn sentence(&self, sentence: &str, matched: bool) -> Option<Verdict> {
        let whole = Analysed::reply(sentence, self.tongue.to);
        let beyond = prose::check(&whole, &self.grounds(&self.cv)).is_some();
        let parts = parts(&whole);
        for (part, speaks) in &parts {
            let read = Analysed::reply(part, self.tongue.to);
            let wanted = || {
                (*speaks == Speaks::Claims)
                    .then(|| self.borrowed(&read))
                    .flatten()
            };
            if let Some(word) = wanted() {
                let reason = format!("\"{word}\" is not in the source");
                return Some(Verdict::Unsupported(reason));
            }
            // Most sentences say nothing beyond the CV; only the others are taken apart.
            if !beyond {
                continue;
            }
            let addresses = || {
                let aims =
                    |hit: &Hit| matches!(LEXICON.name(hit.concept), "letter.aim" | "letter.wish");
                read.hits.iter().any(aims)
            };
            let known = match speaks {
                Speaks::Aims => &self.both,
                // The addressee's name is no claim beside words that speak to him.
                Speaks::Claims if addresses() => &self.addressed,
                Speaks::Claims => &self.cv,
            };
            let verdict = prose::check(&read, &self.grounds(known));
            if verdict.is_some() {
                return verdict;
            }
        }
        (matched && !beyond).then(|| self.raised(&whole)).flatten()
    }

    /// `trained in hydrotherapy`: an ordinary word that only the posting has.
    fn borrowed<'t>(&self, part: &Analysed<'t>) -> Option<&'t str> {
        const WITH: &[&str] = &[
            "in", "with", "mit", "w", "z", "ze", "avec", "en", "con", "met",
        ];
        if !self.tongue.same() {
            return None;
        }
        let at = (1..part.tokens.len()).find(|at| {
            let token = &part.tokens[*at];
            WITH.contains(&part.tokens[at - 1].fold.as_str())
                && part.is_content(*at)
                && token.fold.len() >= 6
                && part.over(*at).next().is_none()
                && self.wanted.word(&token.fold)
                && !self.cv.related(&token.fold)
                && !self.addressed.word(&token.fold)
        })?;
        Some(part.tokens[at].raw)
    }

    fn grounds<'e>(&'e self, known: &'e Evidence) -> Grounds<'e> {
        Grounds {
            near: known,
            wide: known,
            sure: false,
            lines: None,
            same_language: true,
            posting: None,
            years: self.years,
            kind: Place::Letter,
        }
    }

    /// `I led the move` of a line that says `Supported the move`.
    fn raised(&self, sentence: &Analysed<'_>) -> Option<Verdict> {
        let one = std::slice::from_ref(sentence);
        let origin = align::lines(&self.lines, &self.each, one).pop()?;
        let [line] = origin.lines[..] else {
            return None;
        };
        let grounds = Grounds {
            near: &self.each[line],
            wide: &self.cv,
            sure: origin.sure && self.lines.len() > 1,
            same_language: self.tongue.same(),
            ..self.grounds(&self.cv)
        };
        prose::raised(sentence, &grounds).map(Verdict::Unsupported)
    }
}

fn is(concept: Concept, name: &str) -> bool {
    concept == LEXICON.id(name)
}

/// Beyond so many parts a sentence is no sentence, and counts as one claim.
const MOST_PARTS: usize = 64;

/// Beyond so many pairs of a sentence and a line nothing is matched, so that time stays linear.
const MOST_PAIRS: usize = 40_000;

/// The parts of a sentence between commas and conjunctions, each with whom it speaks of. A part
/// that says neither goes with the one before it.
fn parts<'t>(sentence: &Analysed<'t>) -> Vec<(&'t str, Speaks)> {
    let tokens = &sentence.tokens;
    let then = |at: usize| {
        sentence
            .over(at)
            .any(|hit| hit.first as usize == at && is(hit.concept, "letter.then"))
    };
    let mut starts: Vec<usize> = (0..tokens.len())
        .filter(|at| *at == 0 || tokens[*at].clause != tokens[at - 1].clause || then(*at))
        .collect();
    if starts.len() > MOST_PARTS {
        return vec![(sentence.text, Speaks::Claims)];
    }
    starts.push(tokens.len());
    let ranges: Vec<(usize, usize)> = starts.windows(2).map(|pair| (pair[0], pair[1])).collect();
    let told: Vec<Option<Speaks>> = ranges
        .iter()
        .map(|(start, end)| speaks(sentence, *start, *end))
        .collect();
    let first = told.iter().flatten().next().copied();
    let mut last = first.unwrap_or(Speaks::Claims);
    ranges
        .iter()
        .zip(told)
        .map(|((start, end), told)| {
            last = told.unwrap_or(last);
            (sentence.raw(*start, *end), last)
        })
        .collect()
}

fn speaks(sentence: &Analysed<'_>, start: usize, end: usize) -> Option<Speaks> {
    let has = |name: &str| {
        sentence
            .hits
            .iter()
            .any(|hit| is(hit.concept, name) && (start..end).contains(&(hit.first as usize)))
    };
    // "My application" speaks of the letter; "my six years" of the writer.
    let mine = sentence.hits.iter().any(|hit| {
        let next = hit.first as usize + 1;
        is(hit.concept, "letter.mine")
            && (start..end).contains(&(next - 1))
            && !(next..(next + 2).min(end)).any(|at| {
                let mut here = sentence.over(at);
                here.any(|hit| is(hit.concept, "letter.aim"))
            })
    });
    if mine {
        return Some(Speaks::Claims);
    }
    let (wish, own) = (
        has("letter.wish"),
        has("letter.self") || told(sentence, start, end),
    );
    if has("letter.seen") {
        // "I have read your advertisement" tells of no deed.
        Some(Speaks::Aims)
    } else if has("letter.assert") || own && !wish {
        Some(Speaks::Claims)
    } else {
        (wish || has("letter.aim")).then_some(Speaks::Aims)
    }
}

/// Polish and Ukrainian verbs say who speaks by their ending.
fn told(sentence: &Analysed<'_>, start: usize, end: usize) -> bool {
    let ends = |tag: &str, tails: &[&str]| {
        sentence.tongues & tongue(tag) & !1 != 0
            && sentence.tokens[start..end].iter().any(|token| {
                let word = token.raw.to_lowercase();
                tails.iter().any(|tail| word.ends_with(tail))
            })
    };
    ends("pl", &["łem", "łam", "uję", "am"]) || ends("uk", &["юю", "ію", "аю"])
}

/// So far from the start of its first lines a posting names its firm.
const HEAD: usize = 10;

/// Legal forms that follow a firm's name.
const FORMS: &[&str] = &[
    "gmbh", "ag", "kg", "se", "ltd", "limited", "inc", "llc", "plc", "llp", "sa", "s.a", "sas",
    "sarl", "srl", "s.r.l", "spa", "s.p.a", "sl", "s.l", "bv", "b.v", "nv", "ab", "oy", "sp",
];

/// The names in the head of a posting, and before a legal form: the firm's, its town's, the post's.
/// No tool that everybody knows, no rank, no language.
fn firm<'p>(posting: &Analysed<'p>) -> Vec<&'p str> {
    let tokens = &posting.tokens;
    let idle = |at: usize| {
        posting.over(at).all(|hit| {
            matches!(
                LEXICON.class(hit.concept),
                "city" | "letter" | "org" | "thing" | "who" | "team" | "link" | "per" | "field"
            )
        })
    };
    let named = |at: &usize| {
        tokens[*at].kind == Kind::Word
            && tokens[*at].raw.starts_with(char::is_uppercase)
            && !LEXICON.is_known_name(&tokens[*at].fold)
            && idle(*at)
    };
    let formed = |at: &usize| {
        (at + 1..at + 4).any(|next| {
            tokens
                .get(next)
                .is_some_and(|token| FORMS.contains(&token.fold.as_str()))
        })
    };
    // The second line, too: many postings start with the post alone.
    let second = posting
        .text
        .match_indices('\n')
        .nth(1)
        .map_or(posting.text.len(), |(at, _)| at);
    let start = |at: usize| tokens[at].raw.as_ptr() as usize - posting.text.as_ptr() as usize;
    let broken = posting.text.contains('\n');
    (0..tokens.len())
        .filter(named)
        .filter(|at| *at < HEAD || broken && start(*at) < second && *at < HEAD * 3 || formed(at))
        .map(|at| tokens[at].raw)
        .collect()
}

/// The sentences of a paragraph.
fn sentences(text: &str) -> impl Iterator<Item = &str> {
    let split = tokens(text);
    let base = text.as_ptr() as usize;
    let mut starts: Vec<usize> = Vec::new();
    let mut last = None;
    for token in &split {
        if last != Some(token.sentence) {
            starts.push(token.raw.as_ptr() as usize - base);
            last = Some(token.sentence);
        }
    }
    let ends: Vec<usize> = starts.iter().skip(1).copied().chain([text.len()]).collect();
    starts
        .into_iter()
        .zip(ends)
        .filter_map(move |(start, end)| text.get(start..end))
}
