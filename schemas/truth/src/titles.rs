//! Titles of jobs and schools: rank, kind of post, degree, subject.

use crate::analysis::Analysed;
use crate::claims::{is_meant, is_shared};
use crate::evidence::Evidence;
use crate::fields::{Tongue, cognate, lacking};
use crate::lexicon::{Concept, LEXICON};
use crate::prose::{Grounds, Place, Verdict, is_same_text, named};

/// Compares a title with the source's; `entry` is what the rest of the entry says.
pub(crate) fn check(
    source: &Analysed<'_>,
    reply: &Analysed<'_>,
    entry: &Evidence,
    tongue: Tongue,
) -> Option<Verdict> {
    if is_same_text(source.text, reply.text) {
        return None;
    }
    let title = Evidence::of([source]);
    let wrong = |what: &str| {
        Some(Verdict::Unsupported(format!(
            "\"{what}\" is not in the source"
        )))
    };
    let ranks = [
        "sen.senior",
        "sen.lead",
        "sen.head",
        "sen.director",
        "sen.chief",
        "sen.principal",
        "sen.upper",
        "claim.lead",
    ];
    for hit in reply.claims("sen").chain(reply.claims("claim")) {
        if ranks.contains(&LEXICON.name(hit.concept))
            && !title.concept(hit.concept)
            && !(title.shared && is_shared(reply, hit))
        {
            return wrong(reply.raw(hit.first as usize, (hit.first + hit.len) as usize));
        }
    }
    if let Some(what) =
        lacking(reply, "claim", entry).or_else(|| degree(source, reply, entry, tongue))
    {
        return wrong(what);
    }
    if let Some(verdict) = raised(source, reply, tongue) {
        return Some(verdict);
    }
    if tongue.same()
        && let Some(what) = other_post(reply, &title)
    {
        return wrong(what);
    }
    if let Some(verdict) = kind(source, reply, &title, tongue) {
        return Some(verdict);
    }
    let grounds = Grounds {
        near: &title,
        wide: entry,
        sure: false,
        lines: None,
        same_language: tongue.same(),
        posting: None,
        years: None,
        kind: Place::Label,
    };
    if let Some(Verdict::Unsupported(reason)) = crate::prose::check(reply, &grounds) {
        return Some(Verdict::Unsupported(reason));
    }
    if tongue.same() {
        let other = (0..reply.tokens.len()).find(|at| {
            let token = &reply.tokens[*at];
            reply.is_content(*at) && !entry.related(&token.fold) && !named(reply, *at, entry)
        })?;
        return wrong(reply.tokens[other].raw);
    }
    translated(source, reply, &title)
}

/// A degree or a subject that the source's entry does not have.
fn degree<'r>(
    source: &Analysed<'_>,
    reply: &'r Analysed<'_>,
    entry: &Evidence,
    tongue: Tongue,
) -> Option<&'r str> {
    let hit = reply.claims("deg").find(|hit| {
        // Without a degree's word on one side there is nothing to compare a trade's diploma with.
        let soft = matches!(
            LEXICON.name(hit.concept),
            "deg.vocational" | "deg.licence" | "deg.diplom" | "deg.abitur" | "deg.meister"
        );
        !entry.concept(hit.concept)
            && is_meant(reply, hit.first, hit.len, hit.concept)
            && (tongue.same() || !soft)
    });
    let hit = hit.or_else(|| {
        source.claims("field").next()?;
        let ours: Vec<Concept> = source.claims("field").map(|hit| hit.concept).collect();
        let other = reply
            .claims("field")
            .all(|hit| !ours.contains(&hit.concept));
        reply.claims("field").next().filter(|_| other)
    })?;
    Some(reply.raw(hit.first as usize, (hit.first + hit.len) as usize))
}

/// "Deputy", "Assistant" or "Junior" was dropped.
fn raised(source: &Analysed<'_>, reply: &Analysed<'_>, tongue: Tongue) -> Option<Verdict> {
    let low = ["sen.deputy", "sen.assistant", "sen.junior"];
    let is_low = |text: &Analysed<'_>| {
        text.claims("sen")
            .any(|hit| low.contains(&LEXICON.name(hit.concept)))
    };
    // Every language has words for these two; helpers are called in many ways.
    let deputy = source
        .claims("sen")
        .any(|hit| matches!(LEXICON.name(hit.concept), "sen.deputy" | "sen.junior"));
    if !is_low(source) || is_low(reply) {
        return None;
    }
    let reason = "the source's title is lower".to_owned();
    Some(if tongue.same() || deputy {
        Verdict::Unsupported(reason)
    } else {
        Verdict::Undecided(reason)
    })
}

/// A head of something else than the source's.
fn other_post<'r>(reply: &'r Analysed<'_>, title: &Evidence) -> Option<&'r str> {
    let ranks = ["sen.lead", "sen.head", "sen.director", "sen.chief"];
    let ranked = reply
        .claims("sen")
        .any(|hit| ranks.contains(&LEXICON.name(hit.concept)));
    let other = (0..reply.tokens.len()).find(|at| {
        reply.is_content(*at)
            && !title.related(&reply.tokens[*at].fold)
            && !reply.over(*at).any(|hit| title.concept(hit.concept))
            && !named(reply, *at, title)
    })?;
    ranked.then_some(reply.tokens[other].raw)
}

/// A manager where the source names no kind of post at all.
fn managing(reply: &Analysed<'_>, title: &Evidence, tongue: Tongue) -> Option<Verdict> {
    let manager = LEXICON.id("role.manager");
    let hit = reply.claims("role").find(|hit| hit.concept == manager)?;
    if title.concept(manager) || title.concept(LEXICON.id("claim.responsible")) {
        return None;
    }
    // Those manage no people, and other languages call them otherwise.
    let kinds = [
        "account",
        "project",
        "product",
        "case",
        "community",
        "key",
        "content",
    ];
    let before = reply.tokens[..=hit.first as usize].iter().rev().take(2);
    let soft = before
        .clone()
        .any(|token| kinds.iter().any(|kind| token.fold.starts_with(kind)));
    let shown = reply.raw(hit.first as usize, (hit.first + hit.len) as usize);
    Some(if soft && !tongue.same() {
        Verdict::Undecided(format!("\"{shown}\" may be a translation"))
    } else {
        Verdict::Unsupported(format!("\"{shown}\" is not in the source"))
    })
}

/// Another kind of post.
fn kind(
    source: &Analysed<'_>,
    reply: &Analysed<'_>,
    title: &Evidence,
    tongue: Tongue,
) -> Option<Verdict> {
    if source.claims("role").next().is_none() {
        return managing(reply, title, tongue);
    }
    let hit = reply
        .claims("role")
        .find(|hit| !title.concept(hit.concept))?;
    let shown = reply.raw(hit.first as usize, (hit.first + hit.len) as usize);
    let distinct = [
        "role.architect",
        "role.scientist",
        "role.physician",
        "role.lawyer",
        "role.partner",
        "role.consultant",
        "role.manager",
        "role.auditor",
        "role.engineer",
        "role.analyst",
        "role.teacher",
        "role.nurse",
    ];
    let both = reply.claims("role").any(|hit| title.concept(hit.concept));
    if both && !tongue.same() {
        return None;
    }
    if !distinct.contains(&LEXICON.name(hit.concept)) {
        return (!tongue.same())
            .then(|| Verdict::Undecided(format!("\"{shown}\" may be a translation")));
    }
    Some(Verdict::Unsupported(format!(
        "\"{shown}\" is not in the source"
    )))
}

/// Whether a translated title has a known match.
fn translated(source: &Analysed<'_>, reply: &Analysed<'_>, title: &Evidence) -> Option<Verdict> {
    let same = |class: &str| reply.claims(class).any(|hit| title.concept(hit.concept));
    let content = || (0..reply.tokens.len()).filter(|at| reply.is_content(*at));
    let known = |at: usize| {
        source
            .tokens
            .iter()
            .any(|token| token.fold.len() > 3 && cognate(&token.fold, &reply.tokens[at].fold))
            || named(reply, at, title)
    };
    if same("role") || same("deg") || content().all(known) {
        return None;
    }
    let other = content().find(|at| !known(*at))?;
    Some(Verdict::Undecided(format!(
        "\"{}\" may be a translation",
        reply.tokens[other].raw
    )))
}
