//! The dates of an entry's head: which of a line's dates are set apart from its text.

use super::dates::{self, Dated};

/// The bytes of a line above which it is text, whatever it begins with.
pub(super) const LONG: usize = 400;

/// The date of a head: a range set apart from the rest, or a single date at an end of the line.
///
/// Of a line that is a whole paragraph of text only the beginning is looked at.
pub(super) fn head_date(text: &str) -> Option<Dated> {
    let end = if text.len() > LONG {
        text.floor_char_boundary(LONG / 2)
    } else {
        text.len()
    };
    let found = dates::find(&text[..end]);
    let apart = |d: &&Dated| is_apart(text, d);
    let range = found.iter().filter(|d| d.is_range).find(apart);
    let single = || found.iter().find(|d| is_edge(text, d) || is_alone(text, d));
    let barred = || found.iter().find(|d| is_barred(text, d));
    range.or_else(single).or_else(barred).cloned()
}

/// A single date between bars, dots or tabs.
pub(super) fn is_barred(text: &str, date: &Dated) -> bool {
    const STRONG: &[char] = &['\t', '|', '•', '·'];
    let (before, after) = before_and_after(text, date);
    before.ends_with(STRONG) && after.starts_with(STRONG)
}

fn before_and_after<'a>(text: &'a str, date: &Dated) -> (&'a str, &'a str) {
    let bracket = |c: char| "([".contains(c) || c == ' ';
    let before = text[..date.at.start].trim_end_matches(bracket);
    let after = text[date.at.end..].trim_start_matches(|c: char| ")] ".contains(c));
    (before, after)
}

/// Nothing but the date stands on the line.
pub(super) fn is_alone(text: &str, date: &Dated) -> bool {
    let noise = |part: &str| !part.chars().any(char::is_alphanumeric);
    noise(&text[..date.at.start]) && noise(&text[date.at.end..])
}

const BARS: &[char] = &['\t', '|', ',', ';', '–', '—', '-', '·', '•', ':', '/'];

/// At one end of the line or between separators.
fn is_apart(text: &str, date: &Dated) -> bool {
    let (before, after) = before_and_after(text, date);
    let bracketed = text[..date.at.start].trim_end().ends_with(['(', '[']);
    let left = before.is_empty() || before.ends_with(BARS) || bracketed || after.is_empty();
    let right = after.is_empty() || after.starts_with(BARS) || bracketed || before.is_empty();
    left && right
}

/// A single date at an end, set apart by a separator.
pub(super) fn is_edge(text: &str, date: &Dated) -> bool {
    let (before, after) = before_and_after(text, date);
    let bracketed = text[..date.at.start].trim_end().ends_with(['(', '[']);
    let first =
        before.is_empty() && (after.starts_with(BARS) || date.is_range || starts_upper(after));
    let last = after.is_empty() && (before.ends_with(BARS) || bracketed);
    first || last
}

fn starts_upper(text: &str) -> bool {
    text.chars().next().is_some_and(char::is_uppercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_date_of_a_head_is_set_apart() {
        let check = |text: &str, want: Option<&str>| {
            assert_eq!(head_date(text).map(|d| &text[d.at]), want, "{text}");
        };
        check(
            "Engineer, Acme\t03/2020 – present",
            Some("03/2020 – present"),
        );
        check("2019–2021 Research Associate", Some("2019–2021"));
        check("Acme (2015 - 2018)", Some("2015 - 2018"));
        check("Gewinnerin des Preises 2012 in Bonn", None);
        check("BSc Biology, 2012", Some("2012"));
        check("Diploma 2012", None);
        check("1998", Some("1998"));
        check(
            "Acme | London | Engineer | Jan 2018 – Present",
            Some("Jan 2018 – Present"),
        );
    }
}
