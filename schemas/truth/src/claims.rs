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
                    || (name == "deg.abitur" && !grounds.same_language)
            }
            "city" | "geo" => {
                let near = || {
                    let token = &reply.tokens[hit.first as usize];
                    LEXICON.class(concept) == "city" && grounds.wide.cognate(&token.fold)
                };
                grounds.wide.concept(concept) || (!grounds.same_language && near())
            }
            "sen"
                if matches!(grounds.kind, Place::Profile | Place::Letter)
                    || grounds.kind == Place::Line && is_called(reply, hit.first) =>
            {
                ranked(name, concept, grounds)
            }
            "role" if matches!(grounds.kind, Place::Profile | Place::Letter) => {
                let distinct = matches!(
                    name,
                    "role.architect"
                        | "role.scientist"
                        | "role.physician"
                        | "role.lawyer"
                        | "role.partner"
                        | "role.auditor"
                ) || name == "role.manager"
                    && grounds.kind == Place::Letter
                    && is_called(reply, hit.first);
                !distinct || grounds.wide.concept(concept)
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
        "claim.lead" | "claim.manage" | "claim.responsible" | "claim.founded" | "claim.approve"
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
    let low = ["sen.deputy", "part.shared", "part.standin"].map(|name| LEXICON.id(name));
    let before = (first.saturating_sub(4)..first).any(|at| {
        // "In place of the head" stands further off than "co-head".
        let close = at + 2 >= first;
        let reach = if close { &low[..] } else { &low[2..] };
        text.tokens[at].clause == text.tokens[first].clause
            && (text.tokens[at].fold == "co" && close
                || text.over(at).any(|other| reach.contains(&other.concept)))
    });
    let after = text.tokens.get(first + hit.len as usize).is_some_and(|_| {
        text.over(first + hit.len as usize)
            .any(|other| other.concept == low[0])
    });
    before || after
}

/// `as a manager`, `als Leiter`.
fn is_called(reply: &Analysed<'_>, first: u32) -> bool {
    const AS: &[&str] = &["a", "an", "as", "als", "jako", "comme", "como", "come"];
    let mut words = reply.tokens[..first as usize].iter().rev().take(2);
    words.any(|token| AS.contains(&token.fold.as_str()))
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

/// Whether a claim to lead speaks of a course or a group, and the source of teaching or running it.
fn teaches(reply: &Analysed<'_>, first: u32, near: &Evidence) -> bool {
    let kinds = [
        ("obj.course", "verb.teach"),
        ("obj.course", "verb.run"),
        ("obj.group", "verb.run"),
    ];
    kinds.into_iter().any(|(object, verb)| {
        let object = LEXICON.id(object);
        near.concept(LEXICON.id(verb))
            && (first..=first + 4).any(|at| {
                reply.tokens.get(at as usize).is_some()
                    && reply.over(at as usize).any(|hit| hit.concept == object)
            })
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
        if teaches(reply, first, near) {
            return true;
        }
        if heads_a_team(reply, first, near) == Some(false) {
            return false;
        }
    }
    match name {
        "claim.lead" => {
            // "Ran the kitchen" led it, if it stands there; to run a batch leads no team.
            let head = LEXICON.id("verb.head");
            let mut others = LEXICON
                .supports(concept)
                .iter()
                .filter(|other| **other != head);
            others.any(|other| near.states(*other))
                || grounds.kind == Place::Line
                    && near.states(head)
                    && heads_a_team(reply, first, near).is_none()
        }
        "claim.people" | "claim.sole" | "claim.supervise" => near.concept(concept),
        "claim.manage" => {
            let people: Vec<Concept> = (first + 1..=first + 4)
                .flat_map(|at| reply.over(at as usize).filter(move |hit| hit.first == at))
                .map(|hit| hit.concept)
                .filter(|concept| LEXICON.class(*concept) == "who")
                .collect();
            let led = LEXICON
                .supports(concept)
                .iter()
                .any(|other| LEXICON.class(*other) != "verb" && near.states(*other));
            // Whoever looks after somebody manages just them.
            let runs =
                near.concept(LEXICON.id("verb.run")) && people.iter().any(|who| near.concept(*who));
            people.is_empty() || led || runs
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
        // What stands in a list of certificates is one; which, its other words say.
        "claim.certified" | "claim.licensed" | "claim.authorised"
            if grounds.kind == Place::Certificate =>
        {
            true
        }
        "claim.certified" | "claim.licensed" => {
            wide.concept(concept) || wide.any_of("deg") && !grounds.sure
        }
        "claim.expert" | "claim.advanced" | "claim.excellent" | "claim.fluent" => {
            // "Advanced Life Support" is a name, and no level of a language.
            let token = &reply.tokens[first as usize];
            let name = token.raw.starts_with(char::is_uppercase)
                && !token.opens
                && !grounds.kind.is_label()
                && reply.tongues & tongue("de") & !1 == 0;
            wide.concept(concept) || wide.any_of("cef") && !name
        }
        "claim.team" => true,
        "claim.best" | "claim.largest" | "claim.first" | "claim.always" => near.concept(concept),
        _ => wide.concept(concept),
    }
}

fn improved(concept: Concept, grounds: &Grounds<'_>) -> bool {
    let near = grounds.near;
    let from_to = near.numbers.iter().any(|number| number.to)
        || near.numbers.windows(2).any(|pair| {
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
