//! Numbers that stand in the source but not so: of something else, in another order, for another
//! period, in another rank.

use crate::analysis::Analysed;
use crate::evidence::Evidence;
use crate::lexicon::{Concept, LEXICON};
use crate::number::Number;
use crate::prose::{Grounds, Place};

/// So many numbers of a text are weighed against each other.
const MOST: usize = 64;

/// The first count that the grounds do not carry.
pub(crate) fn check(reply: &Analysed<'_>, grounds: &Grounds<'_>) -> Option<String> {
    elsewhere(reply, grounds)
        .or_else(|| swapped(reply, grounds))
        .or_else(|| reversed(reply, grounds))
        .or_else(|| period(reply, grounds))
        .or_else(|| ranked(reply, grounds))
}

fn counts(numbers: &[Number]) -> impl Iterator<Item = &Number> {
    numbers
        .iter()
        .filter(|number| !number.is_idle() && !number.year && !number.one)
        .take(MOST)
}

/// `four support workers`, where another line has four schools.
fn elsewhere(reply: &Analysed<'_>, grounds: &Grounds<'_>) -> Option<String> {
    if !grounds.same_language || grounds.kind.is_label() {
        return None;
    }
    let strange = counts(&reply.numbers).find(|number| {
        if !number.is_named() || grounds.near.number(number) && grounds.kind == Place::Line {
            return false;
        }
        // A figure as such may be named in many ways; people are people.
        if number.who.is_empty() && grounds.kind != Place::Line {
            return false;
        }
        let mut same = counts(&grounds.wide.numbers)
            .filter(|known| number.supported_by(known))
            .peekable();
        same.peek().is_some()
            && same.all(|known| known.is_named() && known.who.is_empty() && !number.agrees(known))
    })?;
    Some(format!(
        "\"{}\" counts something else in the source",
        reply.raw(strange.at, (strange.end + 1).min(reply.tokens.len()))
    ))
}

/// `140 guests in 90 rooms` for `90 guests in 140 rooms`.
fn swapped(reply: &Analysed<'_>, grounds: &Grounds<'_>) -> Option<String> {
    if !grounds.sure {
        return None;
    }
    let near = || counts(&grounds.near.numbers);
    let own = || counts(&reply.numbers);
    let agrees = |a: &Number, b: &Number| {
        a.who.iter().any(|who| b.who.contains(who))
            || a.units.iter().any(|unit| b.units.contains(unit))
            || grounds.same_language && a.agrees(b)
    };
    let swapped = own().find(|number| {
        let mut same = near()
            .filter(|known| known.value() == number.value())
            .peekable();
        same.peek().is_some()
            && same.all(|known| known.is_named() && !agrees(number, known))
            && near().any(|other| {
                other.value() != number.value()
                    && agrees(number, other)
                    && !own().any(|mine| mine.value() == other.value() && agrees(mine, other))
            })
    })?;
    Some(format!(
        "\"{}\" counts something else in the source",
        reply.raw(swapped.at, (swapped.end + 1).min(reply.tokens.len()))
    ))
}

/// `from 9 to 14` for `from 14 to 9`.
fn reversed(reply: &Analysed<'_>, grounds: &Grounds<'_>) -> Option<String> {
    let pairs = |numbers: &[Number]| -> Vec<(i128, i128)> {
        numbers
            .windows(2)
            .filter(|pair| pair[1].to)
            .take(MOST)
            .map(|pair| (pair[0].value(), pair[1].value()))
            .collect()
    };
    let known = pairs(&grounds.near.numbers);
    let (from, to) = pairs(&reply.numbers)
        .into_iter()
        .find(|(from, to)| known.contains(&(*to, *from)) && !known.contains(&(*from, *to)))?;
    (from != to).then(|| "the source has the two numbers in the other order".to_owned())
}

const PERIODS: [&str; 7] = ["year", "quarter", "month", "week", "day", "hour", "minute"];

/// Whether a period is spoken of at all, in whatever form.
fn has(evidence: &Evidence, period: &str) -> bool {
    ["freq", "unit", "within"]
        .iter()
        .any(|class| evidence.concept(LEXICON.id(&format!("{class}.{period}"))))
}

/// `monthly budget` for `yearly budget`: one period in the place of another.
fn period(reply: &Analysed<'_>, grounds: &Grounds<'_>) -> Option<String> {
    let class_of = |hit: &Concept| matches!(LEXICON.class(*hit), "freq" | "within");
    let own: Vec<&str> = reply
        .hits
        .iter()
        .map(|hit| hit.concept)
        .filter(class_of)
        .filter_map(|concept| LEXICON.name(concept).split('.').nth(1))
        .collect();
    let every_hit = LEXICON.id("quant.every");
    if own.is_empty() && !reply.hits.iter().any(|hit| hit.concept == every_hit) {
        return None;
    }
    let mine = Evidence::of([reply]);
    let Some(strange) = own.iter().find(|period| !has(grounds.near, period)) else {
        return every(reply, grounds, &mine);
    };
    let replaced = PERIODS.iter().find(|period| {
        let stated = ["freq", "within"].iter().any(|class| {
            grounds
                .near
                .states(LEXICON.id(&format!("{class}.{period}")))
        });
        let counted = grounds.near.numbers.iter().take(MOST).any(|number| {
            number
                .per
                .is_some_and(|per| per == LEXICON.id(&format!("unit.{period}")))
        });
        (stated || counted) && !has(&mine, period)
    });
    replaced.map(|period| format!("the source says per {period}, not per {strange}"))
}

/// `every weekend` for `one weekend a month`.
fn every(reply: &Analysed<'_>, grounds: &Grounds<'_>, mine: &Evidence) -> Option<String> {
    let every = LEXICON.id("quant.every");
    let spans =
        ["unit.day", "unit.week", "unit.weekend", "unit.month"].map(|name| LEXICON.id(name));
    // "Every week" is "weekly".
    let known = |span: &Concept| {
        let period = LEXICON.name(*span).trim_start_matches("unit.");
        grounds.near.states(LEXICON.id(&format!("freq.{period}")))
    };
    let claimed = reply.hits.iter().any(|hit| {
        hit.concept == every
            && reply
                .over(hit.first as usize + 1)
                .any(|next| spans.contains(&next.concept) && !known(&next.concept))
    });
    if !claimed || !grounds.sure || grounds.near.states(every) {
        return None;
    }
    let dropped = PERIODS.iter().find(|period| {
        let unit = LEXICON.id(&format!("unit.{period}"));
        grounds.near.states(unit) && !has(mine, period)
    })?;
    Some(format!("the source counts per {dropped}"))
}

const RANKS: [&str; 5] = ["ord.1", "ord.2", "ord.3", "ord.4", "ord.5"];
const TIERS: [&str; 7] = [
    "tier.foundation",
    "tier.associate",
    "tier.practitioner",
    "tier.professional",
    "tier.intermediate",
    "tier.advanced",
    "tier.expert",
];

/// `first prize` for `second prize`, `advanced level` for `foundation level`.
fn ranked(reply: &Analysed<'_>, grounds: &Grounds<'_>) -> Option<String> {
    let has = |name: &str| {
        let concept = LEXICON.id(name);
        reply
            .hits
            .iter()
            .zip(&reply.denied)
            .find(|(hit, denied)| hit.concept == concept && !**denied)
            .map(|(hit, _)| hit)
    };
    let shown = |first: u32, len: u32| {
        let text = reply.raw(first as usize, (first + len) as usize);
        format!("\"{text}\" is not in the source")
    };
    for ranks in [&RANKS[..], &TIERS[..]] {
        let knows = |name: &str| grounds.near.concept(LEXICON.id(name));
        if ranks.len() == TIERS.len() && !grounds.kind.is_label() {
            continue;
        }
        let replaced = ranks.iter().any(|name| knows(name) && has(name).is_none());
        let new = ranks
            .iter()
            .find_map(|name| has(name).filter(|_| !knows(name)));
        if let Some(hit) = new.filter(|_| replaced) {
            return Some(shown(hit.first, hit.len));
        }
    }
    let first = has("ord.1").filter(|_| {
        grounds.same_language
            && grounds.kind == Place::Line
            && !grounds.wide.concept(LEXICON.id("ord.1"))
            && !grounds.wide.concept(LEXICON.id("claim.first"))
    })?;
    let phrase = LEXICON.id("skip.phrase");
    let idle = reply
        .over(first.first as usize)
        .any(|hit| hit.concept == phrase);
    (!idle).then(|| shown(first.first, first.len))
}
