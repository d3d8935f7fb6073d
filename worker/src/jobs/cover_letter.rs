//! The cover letter: what it says, and what of a model's text is kept.
//!
//! A sentence that claims what the CV does not support is dropped, and so is one that code cannot
//! decide: a letter has no source's wording to go back to. If too little is left, the plain letter
//! takes its place: sentences of ours around the CV's own words. So every job has a letter, and no
//! letter claims what the CV does not say.

mod blocks;
mod plain;
mod sentences;

use schemas::cv::{Cv, Warning};
use schemas::job::{JobInput, Letter};
use schemas::locale::{Day, Locale};
use truth::{Finding, Languages};

use super::reply::LetterText;

pub(super) use blocks::document;
pub(super) use plain::plain;

/// A letter ready to be set, without sender.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct LetterParts {
    pub(super) letter: Letter,
    pub(super) date: String,
    pub(super) paragraphs: Vec<String>,
}

/// What became of a letter's text.
pub(super) struct Kept {
    pub(super) paragraphs: Vec<String>,
    /// The sentences that were dropped, with their paths within the reply.
    pub(super) dropped: Vec<Finding>,
    pub(super) warnings: Vec<Warning>,
}

/// Characters under which a letter says too little to be sent.
const TOO_LITTLE: usize = 200;
/// The same in scripts that write a word with a character or two.
const TOO_LITTLE_IDEOGRAPHIC: usize = 80;
/// Paragraphs that are kept.
const PARAGRAPHS: usize = 8;
/// Characters of a letter, about twice a page: a model that ran on.
const LONGEST: usize = 8_000;

/// What of a model's letter is kept: see the head of this file.
pub(super) fn keep(input: &JobInput, cv: &Cv, text: &LetterText) -> Kept {
    let posting = known_of_the_aim(input);
    let languages = Languages {
        from: cv.language.as_deref().unwrap_or(input.language_tag()),
        to: input.language_tag(),
    };
    let paragraphs: Vec<_> = text
        .paragraphs
        .iter()
        .map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "))
        .filter(|text| !text.is_empty())
        .collect();
    let mut warnings = Vec::new();
    let too_long = paragraphs
        .iter()
        .map(|text| text.chars().count())
        .sum::<usize>()
        > LONGEST;
    let mut dropped = Vec::new();
    let mut kept = Vec::new();
    if !too_long {
        for (index, paragraph) in paragraphs.iter().take(PARAGRAPHS).enumerate() {
            let sentences = sentences::split(paragraph);
            let report = truth::check_letter(cv, &sentences, languages, posting.as_deref());
            let mut fit = Vec::new();
            for (place, sentence) in sentences.into_iter().enumerate() {
                let at = format!("paragraphs[{place}]");
                let findings = report.unsupported.iter().chain(&report.undecided);
                match findings.into_iter().find(|finding| finding.path == at) {
                    None => fit.push(sentence),
                    Some(finding) => dropped.push(Finding {
                        path: format!("cover_letter.paragraphs[{index}]"),
                        reply: sentence,
                        ..finding.clone()
                    }),
                }
            }
            kept.push(fit.join(" "));
        }
        // What spans sentences is seen in the whole only.
        let whole = truth::check_letter(cv, &kept, languages, posting.as_deref());
        for finding in whole.unsupported.into_iter().chain(whole.undecided) {
            let at = (0..kept.len()).find(|at| finding.path == format!("paragraphs[{at}]"));
            if let Some(paragraph) = at.map(|at| std::mem::take(&mut kept[at]))
                && !paragraph.is_empty()
            {
                dropped.push(Finding {
                    path: format!("cover_letter.{}", finding.path),
                    reply: paragraph,
                    ..finding
                });
            }
        }
    }
    kept.retain(|paragraph| !paragraph.is_empty());
    for finding in &dropped {
        warnings.push(Warning::new(
            &finding.path,
            "sentence_dropped",
            format!("A sentence of the letter was left out: {}.", finding.reason),
        ));
    }
    let least = if input.language().locale().dates.year.contains('年') {
        TOO_LITTLE_IDEOGRAPHIC
    } else {
        TOO_LITTLE
    };
    let left: usize = kept.iter().map(|text| text.chars().count()).sum();
    if kept.len() < 2 || left < least {
        kept = plain(input, cv);
        warnings.push(Warning::new(
            "cover_letter",
            "plain_letter",
            "Too little of the model's letter is supported by the CV, or it gave none; the letter is \
             a plain one, in the CV's own words.",
        ));
    }
    Kept {
        paragraphs: kept,
        dropped,
        warnings,
    }
}

/// What a letter may name as its aim: the posting, and what the caller says of the position.
fn known_of_the_aim(input: &JobInput) -> Option<String> {
    let letter = input.options.letter.as_ref();
    let parts = [
        letter.and_then(|letter| letter.position.as_deref()),
        letter.and_then(|letter| letter.organization.as_deref()),
        input.options.job_posting.as_deref(),
    ];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join("\n"))
}

/// The letter's frame: to whom, for what, of which day. `today` is taken if the caller gave no
/// date.
pub(super) fn parts(input: &JobInput, paragraphs: Vec<String>, today: Option<Day>) -> LetterParts {
    let letter = input.options.letter.clone().unwrap_or_default();
    let date = letter.date.clone().filter(|date| !date.trim().is_empty());
    let locale = locale(input);
    LetterParts {
        date: date
            .or_else(|| today.map(|day| locale.day(day)))
            .unwrap_or_default(),
        letter,
        paragraphs,
    }
}

/// The words of a job's documents.
pub(super) fn locale(input: &JobInput) -> &'static Locale {
    Locale::from_tag(input.language_tag()).unwrap_or(input.language().locale())
}

#[cfg(test)]
mod tests;
