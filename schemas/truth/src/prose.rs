//! Free text against its evidence: numbers, names, claims, denials.

use std::cell::LazyCell;

use crate::analysis::{Analysed, Proper};
use crate::claims;
use crate::counts;
use crate::evidence::{Evidence, is_acronym};
use crate::lexicon::LEXICON;
use crate::number::{Number, SCALE};
use crate::text::{Kind, fold};

/// So many numbers of a text are weighed against each other.
const MOST: usize = 64;

/// What is wrong with a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Claimed beyond the source.
    Unsupported(String),
    /// Cannot be told.
    Undecided(String),
}

impl Verdict {
    /// Says what is wrong, without a word of the text.
    pub(crate) fn unsupported(reason: &str) -> Self {
        Self::Unsupported(reason.to_owned())
    }
}

/// What a text may draw on.
pub(crate) struct Grounds<'e> {
    /// The lines that it was made from.
    pub(crate) near: &'e Evidence,
    /// The whole entry, or the whole CV.
    pub(crate) wide: &'e Evidence,
    /// `near` is one line, and surely the right one.
    pub(crate) sure: bool,
    /// The lines of all entries.
    pub(crate) lines: Option<&'e Evidence>,
    /// Both texts are in one language.
    pub(crate) same_language: bool,
    /// Words of the posting that the CV does not have.
    pub(crate) posting: Option<&'e Evidence>,
    /// Years of work that the dates add up to, if the CV states none itself.
    pub(crate) years: Option<i128>,
    /// Which kind of text.
    pub(crate) kind: Place,
}

/// Where a text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A line of an entry.
    Line,
    /// A text about the whole person.
    Profile,
    /// A sentence of a letter, which may say much that is no claim.
    Letter,
    /// An item of a list, a title: capitals say nothing.
    Label,
    /// An item of the list of certificates or courses.
    Certificate,
}

impl Place {
    pub(crate) fn is_label(self) -> bool {
        matches!(self, Self::Label | Self::Certificate)
    }
}

/// Checks a text; the first fault counts, and what is surely wrong comes before what is unsure.
pub(crate) fn check(reply: &Analysed<'_>, grounds: &Grounds<'_>) -> Option<Verdict> {
    let wrong = numbers(reply, grounds)
        .or_else(|| counts::check(reply, grounds))
        .or_else(|| names(reply, grounds, false))
        .or_else(|| claims::claims(reply, grounds))
        .or_else(|| denials(reply, grounds))
        .or_else(|| softened(reply, grounds))
        .or_else(|| by_others(reply, grounds))
        .or_else(|| moved(reply, grounds))
        .or_else(|| invented(reply, grounds));
    if let Some(reason) = wrong {
        return Some(Verdict::Unsupported(reason));
    }
    sums(reply, grounds).or_else(|| names(reply, grounds, true).map(Verdict::Undecided))
}

/// What a text claims above the one line that it was surely made from.
pub(crate) fn raised(reply: &Analysed<'_>, grounds: &Grounds<'_>) -> Option<String> {
    if !grounds.sure {
        return None;
    }
    let denied = || {
        grounds
            .same_language
            .then(|| denials(reply, grounds))
            .flatten()
    };
    claims::claims(reply, grounds)
        .or_else(denied)
        .or_else(|| softened(reply, grounds))
}

fn numbers(reply: &Analysed<'_>, grounds: &Grounds<'_>) -> Option<String> {
    // A number of the line's own that the reply does not use: another may have taken its place.
    let unused = LazyCell::new(|| {
        let own = grounds
            .near
            .numbers
            .iter()
            .filter(|known| !known.is_idle() && !known.year);
        own.take(MOST).any(|known| {
            !reply
                .numbers
                .iter()
                .take(MOST)
                .any(|other| other.supported_by(known))
        })
    });
    for number in &reply.numbers {
        if number.is_idle() || grounds.near.number(number) {
            continue;
        }
        // One may be no more than an article, and a share is a sum where the source has none.
        let single = number.one
            || number.value() == SCALE
                && number.units.is_empty()
                && reply.tokens[number.at].raw.len() == 1;
        if single && !replaces(number, reply, grounds.near) {
            continue;
        }
        if number.fraction && !grounds.near.numbers.iter().any(|known| known.fraction) {
            continue;
        }
        let shown = reply.raw(number.at, (number.end + 1).min(reply.tokens.len()));
        if let Some(years) = grounds.years {
            let year = LEXICON.id("unit.year");
            if number.units.contains(&year) && number.value() <= years {
                continue;
            }
        }
        if !grounds.wide.number(number) && !is_sum(number, reply, grounds.near) {
            return Some(format!("\"{shown}\" is not in the source"));
        }
        if !grounds.wide.number(number) {
            continue;
        }
        if grounds.sure && !number.year && *unused {
            return Some(format!("\"{shown}\" belongs to another line of the source"));
        }
    }
    None
}

/// Whether a single one stands where the source has another count of that kind.
fn replaces(one: &Number, reply: &Analysed<'_>, near: &Evidence) -> bool {
    let spans = near.numbers.iter().take(MOST);
    spans
        .filter(|known| {
            known.units.iter().any(|unit| one.units.contains(unit))
                || known.who.iter().any(|who| one.who.contains(who))
        })
        .any(|known| {
            let mut others = reply.numbers.iter().take(MOST);
            !others.any(|other| other.supported_by(known))
        })
}

/// Tools, firms, people; `unsure` asks for what may be an ordinary word of a translation.
fn names(reply: &Analysed<'_>, grounds: &Grounds<'_>, unsure: bool) -> Option<String> {
    for at in 0..reply.tokens.len() {
        let token = &reply.tokens[at];
        let in_posting = grounds
            .posting
            .is_some_and(|posting| posting.word(&token.fold))
            && token.fold.len() > 2;
        let proper = match reply.proper(at) {
            Some(Proper::Capital) if grounds.kind.is_label() => None,
            other => other,
        };
        let Some(proper) = proper else {
            if token.kind == Kind::Link && !unsure && !grounds.wide.word(&token.fold) {
                return Some(format!("\"{}\" is not in the source", token.raw));
            }
            continue;
        };
        let usual = |concept| LEXICON.class(concept) == "letter";
        if grounds.kind == Place::Letter && reply.over(at).any(|hit| usual(hit.concept)) {
            continue;
        }
        if named(reply, at, grounds.wide) {
            continue;
        }
        let sure = grounds.same_language
            || in_posting
            || match proper {
                // Few letters may be anything that a language shortens.
                Proper::Strong => {
                    let line = !grounds.kind.is_label();
                    token.fold.len() > 2 && !(line && is_acronym(token.raw))
                }
                Proper::Known => true,
                Proper::Capital => joined_to_name(reply, at, grounds.wide),
            };
        if sure != unsure {
            return Some(format!("\"{}\" is not in the source", token.raw));
        }
    }
    None
}

/// `Opera and Protel`: beside a name that the source has, a capital is a name, too.
fn joined_to_name(reply: &Analysed<'_>, at: usize, evidence: &Evidence) -> bool {
    const AND: &[&str] = &["and", "i", "oraz", "et", "y", "e", "en", "ta", "a", "och"];
    let is_name = |at: usize| {
        let Some(token) = reply.tokens.get(at) else {
            return false;
        };
        matches!(
            reply.proper(at),
            Some(Proper::Capital | Proper::Known | Proper::Strong)
        ) && evidence.word(&token.fold)
            && !reply
                .over(at)
                .any(|hit| matches!(LEXICON.class(hit.concept), "geo" | "city"))
    };
    let token = &reply.tokens[at];
    let and = |at: usize| {
        reply
            .tokens
            .get(at)
            .is_some_and(|token| AND.contains(&token.fold.as_str()) || token.raw == "&")
    };
    let comma = |a: usize, b: usize| match (reply.tokens.get(a), reply.tokens.get(b)) {
        (Some(a), Some(b)) => a.clause + 1 == b.clause && a.sentence == b.sentence,
        _ => false,
    };
    let before = at >= 2 && and(at - 1) && is_name(at - 2)
        || at >= 1 && is_name(at - 1) && comma(at - 1, at);
    let after = and(at + 1) && is_name(at + 2) || is_name(at + 1) && comma(at, at + 1);
    (before || after) && !evidence.related(&token.fold)
}

/// Whether a name stands in the evidence: itself, a synonym, an abbreviation.
pub(crate) fn named(reply: &Analysed<'_>, at: usize, evidence: &Evidence) -> bool {
    let token = &reply.tokens[at];
    if evidence.word(&token.fold) {
        return true;
    }
    let next = reply
        .tokens
        .get(at + 1)
        .map(|next| format!("{}{}", token.fold, next.fold));
    let before = at
        .checked_sub(1)
        .map(|before| format!("{}{}", reply.tokens[before].fold, token.fold));
    if next
        .into_iter()
        .chain(before)
        .any(|pair| evidence.word(&pair))
    {
        return true;
    }
    if token.raw.chars().filter(|c| c.is_uppercase()).count() >= 2
        && evidence.acronym(token.fold.trim_end_matches('s'))
    {
        return true;
    }
    // A concept of ours: a language, a place, a month, a degree, which is looked at as such.
    let covered = reply.over(at).any(|hit| match LEXICON.class(hit.concept) {
        "same" => evidence.concept(hit.concept),
        "inject" | "link" | "per" | "by" | "mod" | "mult" | "part" | "letter" | "thing"
        | "quant" => false,
        _ => true,
    });
    covered
        || schemas::locale::month(token.raw).is_some()
        || initials_of_source(reply, at, evidence)
}

/// `Key Performance Indicators` for the source's `KPI`.
pub(crate) fn initials_of_source(reply: &Analysed<'_>, at: usize, evidence: &Evidence) -> bool {
    (2..=5).any(|len| {
        (at.saturating_sub(len - 1)..=at).any(|first| {
            let Some(words) = reply.tokens.get(first..first + len) else {
                return false;
            };
            let letters: String = words
                .iter()
                .filter_map(|word| word.fold.chars().next())
                .collect();
            letters.len() == len
                && len >= 3
                && evidence.word(&letters)
                && words.iter().all(|w| w.raw.starts_with(char::is_uppercase))
        })
    })
}

/// The reply asserts what the source denies.
fn denials(reply: &Analysed<'_>, grounds: &Grounds<'_>) -> Option<String> {
    if !grounds.near.has_negation || !grounds.sure || !reply.negations.is_empty() {
        return None;
    }
    grounds.near.denial(reply, grounds.same_language)
}

/// `Supported the move` became `Made the move`.
fn softened(reply: &Analysed<'_>, grounds: &Grounds<'_>) -> Option<String> {
    if !grounds.sure || !grounds.near.helps {
        return None;
    }
    let soft = reply
        .hits
        .iter()
        .any(|hit| matches!(LEXICON.class(hit.concept), "part"));
    (!soft && !grounds.near.beside_help(reply, grounds.same_language))
        .then(|| "the source says only that the person took part".to_owned())
}

/// `The accounts are prepared by auditors` became `Prepared the accounts`.
fn by_others(reply: &Analysed<'_>, grounds: &Grounds<'_>) -> Option<String> {
    if !grounds.sure || !grounds.same_language {
        return None;
    }
    let has = |class: &str| {
        reply
            .hits
            .iter()
            .any(|hit| LEXICON.class(hit.concept) == class)
    };
    if has("part") || has("by") {
        return None;
    }
    grounds.near.done_by_others(reply)
}

/// Two words that this entry lacks, and that stand together in a line of another one.
fn moved(reply: &Analysed<'_>, grounds: &Grounds<'_>) -> Option<String> {
    let lines = grounds.lines.filter(|_| grounds.same_language)?;
    let foreign: Vec<&str> = (0..reply.tokens.len())
        .filter(|at| reply.is_content(*at) && !grounds.wide.related(&reply.tokens[*at].fold))
        .filter(|at| {
            !reply
                .over(*at)
                .any(|hit| grounds.wide.concept(hit.concept) || is_common(hit.concept))
        })
        .map(|at| reply.tokens[at].fold.as_str())
        .filter(|word| word.len() >= 5)
        .take(MOST)
        .collect();
    let pair = foreign
        .windows(2)
        .find(|pair| pair[0] != pair[1] && lines.share_a_text(pair[0], pair[1]))?;
    Some(format!(
        "\"{} {}\" belongs to another entry of the source",
        pair[0], pair[1]
    ))
}

/// Verbs and small words, which any line may have.
fn is_common(concept: crate::lexicon::Concept) -> bool {
    matches!(
        LEXICON.class(concept),
        "verb" | "part" | "mod" | "per" | "link" | "neg" | "unit" | "freq" | "improve" | "who"
    )
}

/// A part of a line that shares nothing with the source.
fn invented(reply: &Analysed<'_>, grounds: &Grounds<'_>) -> Option<String> {
    if !grounds.same_language
        || (grounds.kind.is_label() || grounds.kind == Place::Letter)
        || grounds.wide.is_empty
    {
        return None;
    }
    let mut start = 0;
    while start < reply.tokens.len() {
        let clause = reply.tokens[start].clause;
        let end = reply.tokens[start..]
            .iter()
            .position(|token| token.clause != clause)
            .map_or(reply.tokens.len(), |n| start + n);
        let content: Vec<usize> = (start..end).filter(|at| reply.is_content(*at)).collect();
        let known = |at: &usize| {
            let token = &reply.tokens[*at];
            let by_concept = || {
                reply.over(*at).any(|hit| {
                    grounds.wide.concept(hit.concept)
                        && !matches!(
                            LEXICON.class(hit.concept),
                            "unit" | "mod" | "per" | "link" | "neg"
                        )
                })
            };
            grounds.wide.related(&token.fold) || by_concept()
        };
        let from = reply.numbers.partition_point(|number| number.at < start);
        let counted = reply
            .numbers
            .get(from)
            .is_some_and(|number| number.at < end);
        if content.len() >= 3 && !counted && !content.iter().any(known) {
            return Some(format!(
                "\"{}\" is not in the source",
                reply.raw(start, end)
            ));
        }
        start = end;
    }
    None
}

/// `more than halved`: true or not is a sum that is not done here.
fn sums(reply: &Analysed<'_>, grounds: &Grounds<'_>) -> Option<Verdict> {
    let sum = reply.numbers.iter().find(|number| {
        !number.is_idle()
            && !number.fraction
            && !is_shown(number, reply)
            && !grounds.wide.number(number)
            && is_sum(number, reply, grounds.near)
    });
    if let Some(number) = sum {
        let shown = reply.raw(number.at, (number.end + 1).min(reply.tokens.len()));
        return Some(Verdict::Undecided(format!(
            "\"{shown}\" may follow from the source's numbers"
        )));
    }
    let hit = reply
        .hits
        .iter()
        .find(|hit| LEXICON.class(hit.concept) == "calc" && !grounds.wide.concept(hit.concept))?;
    let twice = LEXICON.id("calc.double");
    let numbers = &grounds.near.numbers;
    // "Twice a week" is a count.
    if hit.concept == twice && numbers.iter().any(|known| known.value() == 2 * SCALE) {
        return None;
    }
    let shown = reply.raw(hit.first as usize, (hit.first + hit.len) as usize);
    let reason = format!("\"{shown}\" is not in the source");
    let half = [twice, LEXICON.id("calc.half")].contains(&hit.concept);
    let apart = |pair: &[Number]| {
        let (a, b) = (pair[0].value(), pair[1].value());
        let told = pair[1].to || grounds.kind == Place::Line;
        !half || told && a.max(b).saturating_mul(10) >= a.min(b).saturating_mul(18)
    };
    let possible = numbers.windows(2).any(apart);
    Some(if possible {
        Verdict::Undecided(reason)
    } else {
        Verdict::Unsupported(reason)
    })
}

/// Whether a difference stands beside the two numbers that it lies between.
fn is_shown(number: &Number, reply: &Analysed<'_>) -> bool {
    reply.numbers.windows(2).take(MOST).any(|pair| {
        let (last, value) = (pair[1].value(), number.value());
        let apart = |first: &i128| (first - last).abs() == value;
        pair[0].values.iter().any(apart) && pair[0].same_kind(&pair[1])
    })
}

/// Whether a number is the difference, the ratio or the change in percent of two that stand side by
/// side in the source.
fn is_sum(number: &Number, reply: &Analysed<'_>, near: &Evidence) -> bool {
    let percent = number.units.contains(&LEXICON.id("unit.percent"));
    near.numbers.windows(2).take(MOST).any(|pair| {
        let (a, b) = (
            pair[0].value().max(pair[1].value()),
            pair[0].value().min(pair[1].value()),
        );
        if b <= 0 || pair[0].year || pair[1].year || pair[1].at < pair[0].end {
            return false;
        }
        let whole = |value: i128| value / SCALE * SCALE;
        let found = number.value();
        // 7 percentage points lie between 31 % and 24 %.
        let both = pair
            .iter()
            .all(|n| n.units.contains(&LEXICON.id("unit.percent")));
        if number.units.contains(&LEXICON.id("unit.pp")) {
            return both && found == a - b;
        }
        if percent {
            let cut = (a - b).saturating_mul(100 * SCALE) / a;
            let more = (a - b).saturating_mul(100 * SCALE) / b;
            return [cut, more].iter().any(|value| {
                (found - value).abs() <= SCALE / 2
                    || (number.over && whole(*value) >= found && whole(*value) < found + 5 * SCALE)
            });
        }
        let ratio = a.saturating_mul(SCALE) / b;
        // Beside one of the two it is no difference, but stands in the other's place.
        let stands = |value: i128| {
            reply
                .numbers
                .iter()
                .any(|other| other.values.contains(&value))
        };
        let replaced = stands(a) != stands(b);
        (found == a - b && !replaced && number.same_kind(&pair[0]))
            || (number.units.is_empty()
                && number.who.is_empty()
                && (found == ratio || (number.over && found == whole(ratio))))
    })
}

/// Texts that say the same but for case, marks and spaces.
pub(crate) fn is_same_text(a: &str, b: &str) -> bool {
    let plain = |text: &str| -> String {
        fold(text)
            .chars()
            .filter(|c| c.is_alphanumeric() || matches!(c, '+' | '#' | '%'))
            .collect()
    };
    a == b || plain(a) == plain(b) && digits(a) == digits(b)
}

/// The runs of figures, so that `1.5` and `15` differ.
fn digits(text: &str) -> Vec<&str> {
    text.split(|c: char| !c.is_ascii_digit())
        .filter(|run| !run.is_empty())
        .collect()
}
