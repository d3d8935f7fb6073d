//! How long the document may become, before any job has laid it out.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::types::Cv;

/// A guess from line counts in the default theme, before any fitting. The job measures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Estimate {
    /// A4 pages.
    pub pages: u32,
    /// Height of all content in millimetres, as if on one endless page.
    pub height_mm: u32,
}

/// Tenths of a millimetre, so that the sum is the same on every machine.
const PAGE: u32 = 2_610;
const LINE: u32 = 46;
const HEADING: u32 = 110;
const ENTRY_GAP: u32 = 25;
const NAME: u32 = 130;
const PHOTO: u32 = 400;

/// Characters of a full line, and of one beside the column of dates.
const WIDE: usize = 105;
const NARROW: usize = 82;

/// Estimates the length of a CV in the default theme at its natural sizes.
pub fn estimate(cv: &Cv) -> Estimate {
    let contact = [
        Some(&cv.email),
        Some(&cv.phone),
        cv.birth_date.as_ref(),
        cv.nationality.as_ref(),
    ];
    let contact: usize = contact
        .into_iter()
        .flatten()
        .map(|text| width(text) + 3)
        .sum::<usize>()
        + cv.address_lines
            .iter()
            .map(|line| width(line) + 3)
            .sum::<usize>()
        + cv.links
            .iter()
            .map(|link| width(&link.url) + 3)
            .sum::<usize>();
    let head = NAME + rows(contact, NARROW) * LINE;
    let mut height = if cv.photo_url.is_some() {
        head.max(PHOTO)
    } else {
        head
    };

    let mut section = |count: usize, body: u32| {
        if count > 0 {
            height += HEADING + body;
        }
    };
    let items = |items: &[String], columns| -> u32 {
        items.iter().map(|item| lines(item, columns) * LINE).sum()
    };
    let text = |text: &Option<String>| text.as_deref().map_or(0, |text| lines(text, WIDE) * LINE);
    let run_in =
        |items: &[String]| rows(items.iter().map(|item| width(item) + 3).sum(), WIDE) * LINE;
    section(usize::from(cv.profile.is_some()), text(&cv.profile));
    let work = cv.work_experience.iter().map(|work| {
        lines(&work.title, NARROW) * LINE + LINE + items(&work.bullets, NARROW) + ENTRY_GAP
    });
    section(cv.work_experience.len(), work.sum());
    let education = cv.education.iter().map(|education| {
        lines(&education.title, NARROW) * LINE
            + LINE
            + items(&education.details, NARROW)
            + ENTRY_GAP
    });
    section(cv.education.len(), education.sum());
    let further = cv.further_experience.iter().map(|further| {
        lines(&further.title, NARROW) * LINE + LINE + items(&further.bullets, NARROW) + ENTRY_GAP
    });
    section(cv.further_experience.len(), further.sum());
    let languages = cv
        .languages
        .iter()
        .map(|language| width(&language.name) + language.level.as_deref().map_or(0, width) + 5);
    section(cv.languages.len(), rows(languages.sum(), WIDE) * LINE);
    section(cv.it_ai_skills.len(), run_in(&cv.it_ai_skills));
    section(cv.certifications.len(), items(&cv.certifications, WIDE));
    section(cv.trainings.len(), items(&cv.trainings, WIDE));
    section(cv.publications.len(), items(&cv.publications, WIDE));
    section(usize::from(cv.interests.is_some()), text(&cv.interests));
    section(cv.references.len(), items(&cv.references, WIDE));
    section(
        usize::from(cv.data_privacy.is_some()),
        text(&cv.data_privacy),
    );

    Estimate {
        pages: height.div_ceil(PAGE),
        height_mm: height.div_ceil(10),
    }
}

fn lines(text: &str, columns: usize) -> u32 {
    rows(width(text), columns)
}

fn rows(width: usize, columns: usize) -> u32 {
    width.div_ceil(columns).max(1) as u32
}

/// The width in average Latin letters: ideographs, kana and hangul take two.
fn width(text: &str) -> usize {
    let wide = |c: char| matches!(c as u32, 0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff | 0xff00..=0xff60 | 0x20000..=0x3fffd);
    text.chars().map(|c| if wide(c) { 2 } else { 1 }).sum()
}
