//! Dates of entries and of birth.

use schemas::cv::{DateRange, End, Point};
use schemas::locale::{WrittenRange, is_present, month};

use crate::prose::{Verdict, is_same_text};
use crate::text::is_ideograph;

/// From when to when: coarser is honest, finer or other is not.
pub(crate) fn dates(source: &str, reply: &str) -> Option<Verdict> {
    if is_same_text(source, reply) {
        return None;
    }
    let (Some(ours), Some(theirs)) = (range(source), range(reply)) else {
        return if years_and_months(source) == years_and_months(reply) {
            None
        } else {
            Some(Verdict::unsupported("other dates than in the source"))
        };
    };
    let coarser = |ours: Point, theirs: Point| {
        ours.year == theirs.year && (theirs.month.is_none() || theirs.month == ours.month)
    };
    let start = coarser(ours.start, theirs.start);
    let end = match (ours.end, theirs.end) {
        (None, None) | (Some(End::Present), Some(End::Present)) => true,
        (Some(End::At(ours)), Some(End::At(theirs))) => coarser(ours, theirs),
        // `2015 – 2015` and `2015` say the same, and so do a range within one year and that year.
        (Some(End::At(end)), None) => theirs.start.month.is_none() && end.year == ours.start.year,
        (None, Some(End::At(end))) => coarser(ours.start, end),
        _ => false,
    };
    if start && end {
        None
    } else {
        Some(Verdict::unsupported("other dates than in the source"))
    }
}

/// A day of birth, in any order that its figures allow.
pub(crate) fn birth(source: &str, reply: &str) -> Option<Verdict> {
    let (ours, theirs) = (days(source), days(reply));
    let same = is_same_text(source, reply) || ours.iter().any(|day| theirs.contains(day));
    let year_only = points(reply)
        .first()
        .filter(|_| theirs.is_empty())
        .is_some_and(|(p, _)| ours.iter().any(|d| d.0 == u32::from(p.year)));
    if same || year_only {
        None
    } else {
        Some(Verdict::unsupported("another date of birth"))
    }
}

fn range(text: &str) -> Option<DateRange> {
    let text = text.trim();
    DateRange::parse(text)
        .or_else(|| WrittenRange::read(text).map(|range| range.range()))
        .or_else(|| loose(text))
}

/// Any two points in time of a text, and whether it ends with "present".
fn loose(text: &str) -> Option<DateRange> {
    let points = points(text);
    let (start, _) = *points.first()?;
    let tail = &text[points.last()?.1..];
    let tail = tail
        .trim_start_matches(|c: char| !c.is_alphanumeric())
        .trim_end_matches(|c: char| !c.is_alphanumeric());
    let end = match points.as_slice() {
        [_] if is_present(tail) => Some(End::Present),
        [_] if tail.is_empty() => None,
        [_, (end, _)] => Some(End::At(*end)),
        _ => return None,
    };
    Some(DateRange { start, end })
}

/// Months with years, and years, with the byte after each.
fn points(text: &str) -> Vec<(Point, usize)> {
    let mut found = Vec::new();
    let mut named: Option<u8> = None;
    let mut last: Option<u32> = None;
    let mut at = 0;
    let runs = text.split_inclusive(|c: char| !c.is_alphanumeric());
    for run in runs {
        at += run.len();
        let word = run.trim_end_matches(|c: char| !c.is_alphanumeric());
        let end = at - (run.len() - word.len());
        if let Some(number) = month(word) {
            named = Some(number);
        } else if let Ok(number) = word.parse::<u32>() {
            if (1900..2100).contains(&number) && word.len() == 4 {
                let month =
                    named.or_else(|| last.filter(|m| (1..=12).contains(m)).map(|m| m as u8));
                found.push((
                    Point {
                        year: number as u16,
                        month,
                    },
                    end,
                ));
                (named, last) = (None, None);
            } else {
                last = Some(number);
            }
        }
    }
    found
}

fn years_and_months(text: &str) -> (Vec<Point>, bool) {
    let present = text
        .split(|c: char| c.is_ascii_digit() || matches!(c, '-' | '–' | '—'))
        .any(|part| is_present(part.trim()));
    (
        points(text).into_iter().map(|(point, _)| point).collect(),
        present,
    )
}

/// The readings of a day as year, month and day.
fn days(text: &str) -> Vec<(u32, u32, u32)> {
    let mut figures = Vec::new();
    let mut named = None;
    for word in text
        .split(|c: char| !c.is_alphanumeric())
        .flat_map(split_ideographs)
    {
        let figure = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        match (month(word), figure.parse::<u32>()) {
            (Some(number), Err(_)) => named = Some(u32::from(number)),
            (_, Ok(number)) => figures.push(number),
            _ => {}
        }
    }
    let sound = |(y, m, d): (u32, u32, u32)| {
        ((1900..2100).contains(&y) && (1..=12).contains(&m) && (1..=31).contains(&d))
            .then_some((y, m, d))
    };
    let readings = match (named, figures.as_slice()) {
        (Some(m), [a, b]) => vec![(*b, m, *a), (*a, m, *b)],
        (None, [a, b, c]) => vec![(*a, *b, *c), (*c, *b, *a), (*c, *a, *b)],
        _ => Vec::new(),
    };
    readings.into_iter().filter_map(sound).collect()
}

fn split_ideographs(word: &str) -> impl Iterator<Item = &str> {
    word.split(is_ideograph).filter(|part| !part.is_empty())
}
