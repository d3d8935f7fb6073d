//! Dates of JSON Resume: `2014-06-29`, `2014-06` or `2014`, and ranges made of two of them.

use schemas::cv::{DateRange, End, Point};

/// The members `startDate` and `endDate` of a range as a CV writes it; a range that is no figures
/// has neither, one that has not ended no end.
pub(super) fn split(range: &str) -> (Option<String>, Option<String>) {
    let Some(parsed) = DateRange::parse(range) else {
        return (None, None);
    };
    match parsed.end {
        Some(End::At(end)) => (Some(iso(parsed.start)), Some(iso(end))),
        Some(End::Present) => (Some(iso(parsed.start)), None),
        // One point: something that was finished then.
        None => (None, Some(iso(parsed.start))),
    }
}

/// A range in the canonical form. Days are left out: a CV shows months.
pub(super) fn join(start: Option<&str>, end: Option<&str>) -> String {
    match (start.map(month), end.map(month)) {
        (Some(start), Some(end)) if start == end => start,
        (Some(start), Some(end)) => format!("{start} – {end}"),
        (Some(start), None) => format!("{start} – Present"),
        (None, Some(end)) => end,
        (None, None) => String::new(),
    }
}

/// A date without its day; any other text as it is.
pub(super) fn month(date: &str) -> String {
    let date = date.trim();
    let parts: Vec<_> = date.splitn(3, '-').collect();
    match parts[..] {
        [year, month, rest]
            if digits(year) == 4
                && digits(month) == 2
                && rest.starts_with(|c: char| c.is_ascii_digit()) =>
        {
            format!("{year}-{month}")
        }
        _ => date.to_owned(),
    }
}

fn digits(text: &str) -> usize {
    if text.bytes().all(|b| b.is_ascii_digit()) {
        text.len()
    } else {
        0
    }
}

fn iso(point: Point) -> String {
    match point.month {
        Some(month) => format!("{}-{month:02}", point.year),
        None => point.year.to_string(),
    }
}
