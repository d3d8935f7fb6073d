//! Claims of a text, known by their words: rank, responsibility, results, degrees, places.

use crate::analysis::Analysed;
use crate::evidence::Evidence;
use crate::lexicon::{Concept, Hit, LEXICON, tongue};
use crate::number::SCALE;
use crate::prose::{Grounds, Place};

/// The first claim of a text that its grounds do not carry.
pub(crate) fn claims(reply: &Analysed<'_>, grounds: &Grounds<'_>) -> Option<String> {
    for (hit, denied) in reply.hits.iter().zip(&reply.denied) {
        if *denied
            || !is_meant(reply, hit.first, hit.len, hit.concept)
            || is_passive(reply, hit.first, hit.len, hit.concept)
            || (is_shared(reply, hit) && grounds.near.shared)
            || crate::prose::initials_of_source(reply, hit.first as usize, grounds.wide)
        {
            continue;
        }
        let concept = hit.concept;
        // "Driving licence" is one thing, known as such.
        let whole = |other: &&Hit| {
            other.len > hit.len
                && other.first <= hit.first
                && hit.first < other.first + other.len
                && LEXICON.class(other.concept) == "same"
        };
        if reply
            .over(hit.first as usize)
            .find(whole)
            .is_some_and(|other| grounds.wide.concept(other.concept))
        {
            continue;
        }
        let name = LEXICON.name(concept);
        let supported = match LEXICON.class(concept) {
            "claim" => claim(name, concept, reply, hit.first, grounds),
            "improve" => improved(concept, grounds),
            "deg" => {
                grounds.wide.concept(concept)
                    || matches!(
                        name,
                        "deg.vocational" | "deg.licence" | "deg.diplom" | "deg.meister"
                    )
            }
            "city" | "geo" => grounds.wide.concept(concept),
            "sen" if matches!(grounds.kind, Place::Profile | Place::Letter) => {
                ranked(name, concept, grounds)
            }
            "role" if matches!(grounds.kind, Place::Profile | Place::Letter) => {
                !matches!(
                    name,
                    "role.architect"
                        | "role.scientist"
                        | "role.physician"
                        | "role.lawyer"
                        | "role.partner"
                        | "role.auditor"
                ) || grounds.wide.concept(concept)
            }
            // `daily`, where the source says nothing of days.
            "grade" => grounds.wide.concept(concept) || !grounds.wide.any_of("grade"),
            "freq" => grounds.wide.concept(concept),
            _ => true,
        };
        if !supported {
            let shown = reply.raw(hit.first as usize, (hit.first + hit.len) as usize);
            return Some(if grounds.near.only_denied(concept) {
                format!("the source denies \"{shown}\"")
            } else {
                format!("\"{shown}\" is not in the source")
            });
        }
    }
    None
}

/// Whether a hit of a short word is meant as one: `BA`, not Polish `ba`.
pub(crate) fn is_meant(reply: &Analysed<'_>, first: u32, len: u32, concept: Concept) -> bool {
    let token = &reply.tokens[first as usize];
    let class = LEXICON.class(concept);
    let upper = token.raw.contains(char::is_uppercase);
    let cased = token
        .raw
        .chars()
        .any(|c| c.is_lowercase() || c.is_uppercase());
    if !cased || len > 1 {
        return true;
    }
    match class {
        "deg" if token.fold.len() <= 3 => upper,
        "city" => upper,
        "geo" => upper || (token.fold.len() > 3 && reply.tongues & tongue("en") & !1 == 0),
        _ => true,
    }
}

/// `led by the platform team` says nothing of the person.
pub(crate) fn is_passive(text: &Analysed<'_>, first: u32, len: u32, concept: Concept) -> bool {
    if !matches!(
        LEXICON.name(concept),
        "claim.lead" | "claim.manage" | "claim.responsible" | "claim.founded"
    ) {
        return false;
    }
    let word = text.tokens[first as usize].fold.as_str();
    // German "Leitung von" leads; "geleitet von" is led.
    if text
        .tokens
        .get((first + len) as usize)
        .is_some_and(|next| next.fold == "von")
        && !word.starts_with("ge")
    {
        return false;
    }
    let by = LEXICON.id("by.agent");
    let end = first + len;
    let from = text.hits.partition_point(|hit| hit.first < end);
    text.hits[from..]
        .iter()
        .take_while(|hit| hit.first <= end)
        .any(|hit| hit.concept == by)
}

/// `Co-led`, `deputy head`: no claim to the whole.
pub(crate) fn is_shared(text: &Analysed<'_>, hit: &Hit) -> bool {
    if !matches!(
        LEXICON.name(hit.concept),
        "claim.lead"
            | "claim.manage"
            | "claim.supervise"
            | "claim.responsible"
            | "claim.founded"
            | "claim.people"
            | "sen.lead"
            | "sen.head"
            | "sen.director"
            | "role.manager"
    ) {
        return false;
    }
    let first = hit.first as usize;
    let word = text.tokens[first].fold.as_str();
    if hit.inner
        && ["mit", "wspol", "spolu", "spiv", "mede", "vize"]
            .iter()
            .any(|head| word.starts_with(head))
    {
        return true;
    }
    let low = [LEXICON.id("sen.deputy"), LEXICON.id("part.shared")];
    let before = (first.saturating_sub(2)..first).any(|at| {
        text.tokens[at].clause == text.tokens[first].clause
            && (text.tokens[at].fold == "co"
                || text.over(at).any(|other| low.contains(&other.concept)))
    });
    let after = text.tokens.get(first + hit.len as usize).is_some_and(|_| {
        text.over(first + hit.len as usize)
            .any(|other| other.concept == low[0])
    });
    before || after
}

/// Whether a claim to lead is about a team, and whether the source has one.
fn heads_a_team(reply: &Analysed<'_>, first: u32, near: &Evidence) -> Option<bool> {
    let team = LEXICON.id("team.team");
    let clause = reply.tokens[first as usize].clause;
    let about = (first + 1..=first + 4).any(|at| {
        reply
            .tokens
            .get(at as usize)
            .is_some_and(|t| t.clause == clause)
            && reply.over(at as usize).any(|hit| hit.concept == team)
    });
    let people = ["who.staff", "who.people", "who.apprentice"].map(|name| LEXICON.id(name));
    about.then(|| {
        near.concept(team)
            || near.concept(LEXICON.id("claim.people"))
            || near
                .numbers
                .iter()
                .any(|n| n.who.iter().any(|who| people.contains(who)) && n.value() > SCALE)
    })
}

/// Whether a claim to lead speaks of a course, and the source of teaching.
fn teaches(reply: &Analysed<'_>, first: u32, near: &Evidence) -> bool {
    let course = LEXICON.id("obj.course");
    near.concept(LEXICON.id("verb.teach"))
        && (first..=first + 4).any(|at| {
            reply.tokens.get(at as usize).is_some()
                && reply.over(at as usize).any(|hit| hit.concept == course)
        })
}

fn ranked(name: &str, concept: Concept, grounds: &Grounds<'_>) -> bool {
    !matches!(
        name,
        "sen.senior" | "sen.lead" | "sen.head" | "sen.director" | "sen.chief" | "sen.principal"
    ) || grounds.wide.concept(concept)
}

fn claim(
    name: &str,
    concept: Concept,
    reply: &Analysed<'_>,
    first: u32,
    grounds: &Grounds<'_>,
) -> bool {
    let Grounds { near, wide, .. } = grounds;
    if matches!(name, "claim.lead" | "claim.manage" | "claim.supervise") {
        if heads_a_team(reply, first, near) == Some(false) {
            return false;
        }
        if teaches(reply, first, near) {
            return true;
        }
    }
    match name {
        "claim.lead" | "claim.people" | "claim.sole" | "claim.supervise" => near.concept(concept),
        "claim.manage" => {
            let people = (first + 1..=first + 4).any(|at| {
                let mut here = reply.over(at as usize);
                here.any(|hit| hit.first == at && LEXICON.class(hit.concept) == "who")
            });
            !people || near.concept(concept) || near.concept(LEXICON.id("verb.run"))
        }
        // What somebody does he answers for, unless he only helps or it is denied.
        "claim.responsible" => {
            let helps = near.concept(LEXICON.id("part.support"));
            near.concept(concept) || !(helps || near.only_denied(concept))
        }
        "claim.all" => {
            let from = reply
                .numbers
                .partition_point(|number| number.at as u32 <= first);
            let counted = reply
                .numbers
                .get(from)
                .is_some_and(|number| number.at as u32 <= first + 2);
            counted || near.concept(concept) || !grounds.same_language
        }
        "claim.international" => wide.concept(concept) || wide.count_of("geo") >= 2,
        "claim.certified" | "claim.licensed" => {
            wide.concept(concept) || wide.any_of("deg") && !grounds.sure
        }
        "claim.expert" | "claim.advanced" | "claim.excellent" | "claim.fluent" => {
            wide.concept(concept) || wide.any_of("cef")
        }
        "claim.team" => true,
        "claim.best" | "claim.largest" | "claim.first" | "claim.always" => near.concept(concept),
        _ => wide.concept(concept),
    }
}

fn improved(concept: Concept, grounds: &Grounds<'_>) -> bool {
    let near = grounds.near;
    let from_to = near.numbers.windows(2).any(|pair| {
        pair[1].at > pair[0].end
            && pair[1].at <= pair[0].end + 2
            && !pair[0].units.is_empty()
            && pair[0].units == pair[1].units
    });
    if from_to || near.is_empty {
        return true;
    }
    let (up, down) = (LEXICON.id("improve.up"), LEXICON.id("improve.down"));
    if grounds.sure && concept == up && near.concept(down) && !near.any_of_but("improve", down) {
        return false;
    }
    near.any_of("improve") || near.any_of("calc")
}
