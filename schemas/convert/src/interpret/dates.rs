//! Finds dates and ranges of dates inside of lines, as they are written.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::LazyLock;

use schemas::locale::{is_present, is_since, is_until, month};

use crate::lexicon::fold;

/// A date in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Dated {
    pub(super) at: Range<usize>,
    /// It has a begin and an end, or goes on.
    pub(super) is_range: bool,
    /// A day is named, as birth dates and letters have it.
    pub(super) has_day: bool,
}

const DASHES: &[char] = &['-', '–', '—', '‒', '−', '~', '〜', '→', '―', '/'];
const SEASONS: &[&str] = &[
    "spring",
    "summer",
    "autumn",
    "fall",
    "winter",
    "fruhjahr",
    "fruhling",
    "sommer",
    "herbst",
    "wiosna",
    "lato",
    "jesien",
    "zima",
    "verano",
    "otono",
    "invierno",
    "primavera",
    "ete",
    "automne",
    "printemps",
    "hiver",
    "estate",
    "autunno",
    "inverno",
    "літо",
    "осінь",
    "весна",
    "зима",
    "ws",
    "ss",
    "wise",
    "sose",
    "early",
    "mid",
    "late",
    "anfang",
    "mitte",
    "ende",
    "q1",
    "q2",
    "q3",
    "q4",
];
const LINKS: &[&str] = &["de", "del", "of", "di"];
const YEAR_WORDS: &[&str] = &[
    "r", "р", "roku", "року", "рік", "г", "рр", "rr", "rok", "год",
];

/// The most bytes of words before a date's first figure.
const MOST_BEFORE: usize = 60;

/// All dates of a text, from left to right.
pub(super) fn find(text: &str) -> Vec<Dated> {
    let mut found = Vec::new();
    let mut at = 0;
    let mut boundary = true;
    // Each date has a figure, and words before it are few.
    let mut figure = text.find(|c: char| c.is_ascii_digit());
    while at < text.len() {
        while figure.is_some_and(|figure| figure < at) {
            figure = text[at..]
                .find(|c: char| c.is_ascii_digit())
                .map(|next| at + next);
        }
        let Some(near) = figure else { break };
        let c = text[at..].chars().next().unwrap_or(' ');
        if boundary
            && c.is_alphanumeric()
            && near - at <= MOST_BEFORE
            && let Some(dated) = dated(text, at)
        {
            at = dated.at.end;
            found.push(dated);
            boundary = false;
            continue;
        }
        // A figure or letter before it makes it a part of something else, such as a telephone number.
        boundary = !(c.is_alphanumeric() || matches!(c, '+' | '€' | '$' | '£' | '#' | '@' | '_'));
        at += c.len_utf8();
    }
    found
}

/// A date that takes up the whole text.
pub(super) fn whole(text: &str) -> Option<Dated> {
    let trimmed = text.trim_matches(|c: char| c.is_whitespace() || "()[],;:|".contains(c));
    let dated = dated(trimmed, 0)?;
    (dated.at.end == trimmed.len()).then_some(dated)
}

fn dated(text: &str, start: usize) -> Option<Dated> {
    let mut at = start;
    let mut open = false;
    let (word, after) = word(text, at);
    if !word.is_empty() && (is_since(word) || is_until(word) || fold(word) == "von") {
        let next = spaces(text, after.max(at));
        if next > after && (point(text, next).is_some() || month_alone(text, next).is_some()) {
            open = !is_until(word) || is_since(word);
            at = next;
        }
    }
    let Some(mut first) = point(text, at) else {
        return shared_year(text, start, at);
    };
    // "WS 2019/20 – SS 2023"
    let academic = academic_year(text, first.end);
    if separator(text, academic).is_some_and(|(next, _)| point(text, next).is_some()) {
        first.end = academic;
    }
    let single = || Dated {
        at: start..first.end,
        is_range: open,
        has_day: first.has_day,
    };
    let Some((next, spaced)) = separator(text, first.end) else {
        // "2018 r. do chwili obecnej": a word of its own may follow without a dash.
        let next = spaces(text, first.end);
        if let Some(end) = present(text, next) {
            return Some(Dated {
                at: start..end,
                is_range: true,
                has_day: false,
            });
        }
        return (!first.needs_range && ends_well(text, first.end)).then(single);
    };
    if let Some(last) = point(text, next)
        && (last.needs_range == first.needs_range || !first.needs_range)
        && ends_well(text, academic_year(text, last.end))
    {
        return Some(Dated {
            at: start..academic_year(text, last.end),
            is_range: true,
            has_day: first.has_day && last.has_day,
        });
    }
    if let Some(end) = present(text, next) {
        return Some(Dated {
            at: start..end,
            is_range: true,
            has_day: false,
        });
    }
    // "2019-20", "2019/20"
    let short: String = text[next..]
        .chars()
        .take_while(char::is_ascii_digit)
        .collect();
    if short.len() == 2 && !spaced && first.is_year && ends_well(text, next + 2) {
        return Some(Dated {
            at: start..next + 2,
            is_range: true,
            has_day: false,
        });
    }
    if first.needs_range {
        return None;
    }
    // "03/2020 –": still going on.
    let rest = text[next..].trim_start_matches(' ');
    // "2022– Engineer": a dash that clings to the year belongs to it.
    let clings = !text[first.end..].starts_with(' ') && text[..next].ends_with(' ');
    if rest.is_empty()
        || rest.starts_with(['\t', '|', ')'])
        || (clings && !rest.starts_with(|c: char| c.is_ascii_digit()))
    {
        let end = first.end + text[first.end..next].trim_end().len();
        return Some(Dated {
            at: start..end,
            is_range: true,
            has_day: false,
        });
    }
    Some(single())
}

/// The end of "2019/20", given that of its first year; the same where there is no second.
fn academic_year(text: &str, end: usize) -> usize {
    let year: Option<u32> = text[..end]
        .get(end.saturating_sub(4)..)
        .and_then(|y| y.parse().ok());
    let next = year.map(|year| format!("/{:02}", (year + 1) % 100));
    match next {
        Some(next) if text[end..].starts_with(&next) && ends_well(text, end + 3) => end + 3,
        _ => end,
    }
}

/// "Jan – Mar 2018", "03–09/2018": the year stands once.
fn shared_year(text: &str, start: usize, at: usize) -> Option<Dated> {
    let (next, _) = separator(text, month_alone(text, at)?)?;
    let last = point(text, next).filter(|last| last.has_month)?;
    Some(Dated {
        at: start..last.end,
        is_range: true,
        has_day: false,
    })
}

struct Point {
    end: usize,
    has_month: bool,
    has_day: bool,
    is_year: bool,
    /// `03/18`: a date only beside another of its kind.
    needs_range: bool,
}

/// A year, a month of a year, or a day, at a byte of the text.
fn point(text: &str, at: usize) -> Option<Point> {
    let rest = &text[at..];
    let made = |end: usize, has_month, has_day| {
        Some(Point {
            end: year_word(text, end),
            has_month,
            has_day,
            is_year: !has_month,
            needs_range: false,
        })
    };
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let number: u32 = rest[..digits].parse().unwrap_or(0);
    let after = at + digits;
    match digits {
        4 if (1940..2060).contains(&number) => {
            if text[after..].starts_with('年') {
                let end = after + '年'.len_utf8();
                let month = text[end..].bytes().take_while(u8::is_ascii_digit).count();
                if month > 0 && text[end + month..].starts_with('月') {
                    return made(end + month + '月'.len_utf8(), true, false);
                }
                return made(end, false, false);
            }
            for sep in ['-', '/', '.'] {
                if let Some(tail) = text[after..].strip_prefix(sep)
                    && let Some((m, width)) = figures(tail)
                    && width == 2
                    && (1..=12).contains(&m)
                {
                    let end = after + 1 + width;
                    if let Some(tail) = text[end..].strip_prefix(sep)
                        && let Some((day, 2)) = figures(tail)
                        && (1..=31).contains(&day)
                    {
                        return made(end + 3, true, true);
                    }
                    if ends_well(text, end) {
                        return made(end, true, false);
                    }
                }
            }
            ends_year(text, after)
                .then(|| made(after, false, false))
                .flatten()
        }
        1 | 2 => {
            let sep = text[after..]
                .chars()
                .next()
                .filter(|c| matches!(c, '/' | '.' | '-'));
            if let Some(sep) = sep {
                let next = spaces(text, after + 1);
                if let Some((second, width)) = figures(&text[next..]) {
                    let end = next + width;
                    if width == 4 && (1940..2060).contains(&second) && (1..=12).contains(&number) {
                        return made(end, true, false);
                    }
                    if width <= 2
                        && let Some(tail) = text[end..].strip_prefix(sep)
                    {
                        let pad = tail.len() - tail.trim_start_matches(' ').len();
                        if let Some((year, 4)) = figures(&tail[pad..])
                            && (1900..2060).contains(&year)
                            && (1..=31).contains(&number)
                        {
                            return made(end + 1 + pad + 4, true, true);
                        }
                    }
                    if width == 2 && sep == '/' && (1..=12).contains(&number) {
                        return Some(Point {
                            end,
                            has_month: true,
                            has_day: false,
                            is_year: false,
                            needs_range: true,
                        });
                    }
                }
            }
            // "8 de junio de 1986", "21. Mai 1988", "1st May 2020"
            let mut next = after;
            for ordinal in [".", "st", "nd", "rd", "th", "º", "er"] {
                if let Some(tail) = text[next..].strip_prefix(ordinal) {
                    next = text.len() - tail.len();
                    break;
                }
            }
            let next = link(text, spaces(text, next));
            let found = named(text, next)?;
            (number <= 31).then(|| made(found, true, true)).flatten()
        }
        0 => {
            let end = named(text, at)?;
            made(end, true, false)
        }
        _ => None,
    }
}

/// A month's name or a season, and a year after it; the byte where the year ends.
fn named(text: &str, at: usize) -> Option<usize> {
    let (name, after) = word(text, at);
    let known =
        is_roman_month(name) || month(name).is_some() || SEASONS.contains(&fold(name).as_str());
    if name.is_empty() || !known {
        return None;
    }
    let next = after
        + text[after..]
            .bytes()
            .take_while(|b| matches!(b, b'.' | b','))
            .count();
    let mut next = link(text, spaces(text, next));
    if let Some(tail) = text[next..].strip_prefix(['/', '-', '\'', '’', '.']) {
        next = text.len() - tail.len();
    }
    // "May 3, 2020"
    if let Some((day, width)) = figures(&text[next..])
        && width <= 2
        && (1..=31).contains(&day)
        && let Some(tail) = text[next + width..].strip_prefix(", ")
        && let Some((year, 4)) = figures(tail)
        && (1940..2060).contains(&year)
    {
        return Some(next + width + 6);
    }
    let (year, width) = figures(&text[next..])?;
    let sound = match width {
        4 => (1940..2060).contains(&year),
        // "Mar 18", "Mar '18"
        2 if is_roman_month(name) => false,
        2 => next > after || text[..next].ends_with(['\'', '’']),
        _ => false,
    };
    (sound && ends_year(text, next + width)).then_some(next + width)
}

/// Months in Roman figures, as Poland and Hungary write them.
fn is_roman_month(name: &str) -> bool {
    matches!(
        name,
        "I" | "II" | "III" | "IV" | "V" | "VI" | "VII" | "VIII" | "IX" | "X" | "XI" | "XII"
    )
}

/// A month without its year.
fn month_alone(text: &str, at: usize) -> Option<usize> {
    let (name, after) = word(text, at);
    if !name.is_empty() {
        month(name)?;
        let dot = usize::from(text[after..].starts_with('.'));
        return Some(after + dot);
    }
    let (number, width) = figures(&text[at..])?;
    let next = text[at + width..].chars().next()?;
    (width <= 2 && (1..=12).contains(&number) && matches!(next, '-' | '–' | '—'))
        .then_some(at + width)
}

/// What stands between two dates; where the second begins, and whether there was white space.
fn separator(text: &str, at: usize) -> Option<(usize, bool)> {
    let next = spaces(text, at);
    let rest = &text[next..];
    if let Some(c) = rest.chars().next().filter(|c| DASHES.contains(c)) {
        let end = spaces(text, next + c.len_utf8());
        return Some((end, next > at));
    }
    let (name, after) = word(text, next);
    (!name.is_empty() && is_until(name)).then(|| (spaces(text, after), true))
}

/// "present" in up to four words.
fn present(text: &str, at: usize) -> Option<usize> {
    let mut end = at;
    let mut best = None;
    for _ in 0..4 {
        let start = spaces(text, end);
        let length = text[start..]
            .find(|c: char| !(c.is_alphanumeric() || matches!(c, '\'' | '’' | '-')))
            .unwrap_or(text.len() - start);
        if length == 0 {
            break;
        }
        end = start + length;
        if is_present(&text[at..end]) || EXTRA.contains(&fold(&text[at..end])) {
            best = Some(end);
        }
    }
    best
}

static EXTRA: LazyLock<HashSet<String>> =
    LazyLock::new(|| EXTRA_PRESENT.iter().map(|words| fold(words)).collect());

const EXTRA_PRESENT: &[&str] = &[
    "present day",
    "till now",
    "until now",
    "the present",
    "currently",
    "date",
    "actually",
    "dzis",
    "dzisiaj",
    "do dzis",
    "do teraz",
    "chwili obecnej",
    "la actualidad",
    "la fecha",
    "hasta la fecha",
    "ce jour",
    "maintenant",
    "en cours",
    "actuellement",
    "ad oggi",
    "alla data attuale",
    "data attuale",
    "по теперішній час",
    "до теперішнього часу",
    "по цей час",
    "по сьогодні",
    "до сьогодні",
    "по даний час",
    "и дотепер",
    "і дотепер",
    "дотепер",
    "attualmente",
    "attuale",
    "in corso",
    "сьогодні",
    "тепер",
    "даний час",
    "теперішній час",
    "цей час",
    "наш час",
    "now",
    "current",
];

fn word(text: &str, at: usize) -> (&str, usize) {
    let rest = &text[at..];
    let end = rest
        .find(|c: char| !(c.is_alphabetic() || c == '\u{301}'))
        .unwrap_or(rest.len());
    // "Q3"
    let end = if end == 1
        && rest.starts_with(['Q', 'q'])
        && rest[1..].starts_with(|c: char| c.is_ascii_digit())
    {
        2
    } else {
        end
    };
    (&rest[..end], at + end)
}

fn spaces(text: &str, at: usize) -> usize {
    at + text[at..].bytes().take_while(|b| *b == b' ').count()
}

fn link(text: &str, at: usize) -> usize {
    let (name, after) = word(text, at);
    if LINKS.contains(&fold(name).as_str()) {
        spaces(text, after)
    } else {
        at
    }
}

fn year_word(text: &str, at: usize) -> usize {
    let next = spaces(text, at);
    let (name, after) = word(text, next);
    if name.is_empty() || !YEAR_WORDS.contains(&fold(name).as_str()) {
        return at;
    }
    after + usize::from(text[after..].starts_with('.'))
}

fn figures(text: &str) -> Option<(u32, usize)> {
    let width = text.bytes().take_while(u8::is_ascii_digit).count();
    Some((text.get(..width)?.parse().ok()?, width)).filter(|_| width > 0 && width <= 4)
}

/// Nothing that would make the figures a part of something longer.
fn ends_well(text: &str, at: usize) -> bool {
    let mut next = text[at..].chars();
    match next.next() {
        None => true,
        Some(c) if c.is_alphanumeric() || matches!(c, '%' | '€' | '$' | '£') => false,
        Some('.' | ',' | '/' | ':') => !next.next().is_some_and(|c| c.is_ascii_digit()),
        Some(_) => true,
    }
}

fn ends_year(text: &str, at: usize) -> bool {
    let slash = text[at..].starts_with('/');
    slash || ends_well(text, at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_found_in_their_usual_forms() {
        let check = |text: &str, want: &[&str]| {
            let found: Vec<String> = find(text)
                .into_iter()
                .map(|d| format!("{}{}", if d.is_range { "R:" } else { "" }, &text[d.at]))
                .collect();
            assert_eq!(found, want, "{text}");
        };
        check(
            "Engineer, Acme\t03/2020 – present",
            &["R:03/2020 – present"],
        );
        check("Oct 2019 – to date", &["R:Oct 2019 – to date"]);
        check("seit 04/2017", &["R:seit 04/2017"]);
        check("02/2021 bis heute", &["R:02/2021 bis heute"]);
        check(
            "wrzesień 2008 – sierpień 2013",
            &["R:wrzesień 2008 – sierpień 2013"],
        );
        check("2018 – do chwili obecnej", &["R:2018 – do chwili obecnej"]);
        check("2019–2021\tResearch Associate", &["R:2019–2021"]);
        check("2023 — now", &["R:2023 — now"]);
        check("8 de junio de 1986", &["8 de junio de 1986"]);
        check("03.09.1979", &["03.09.1979"]);
        check("Power BI für Controller, 2022", &["2022"]);
        check("01.03.2015 - 31.12.2018", &["R:01.03.2015 - 31.12.2018"]);
        check("2019-03 – 2021-07", &["R:2019-03 – 2021-07"]);
        check("Mar '18 – Jun '20", &["R:Mar '18 – Jun '20"]);
        check("03/18 - 06/20", &["R:03/18 - 06/20"]);
        check("2019/20", &["R:2019/20"]);
        check("Jan – Mar 2018", &["R:Jan – Mar 2018"]);
        check("from 2015 to 2018", &["R:from 2015 to 2018"]);
        check("з 2015 року по 2018 рік", &["R:з 2015 року по 2018 рік"]);
        check("od 2018 r. do 2020 r.", &["R:od 2018 r. do 2020 r."]);
        check(
            "janvier 2018 – aujourd’hui",
            &["R:janvier 2018 – aujourd’hui"],
        );
        check("da marzo 2017 a oggi", &["R:da marzo 2017 a oggi"]);
        check("січень 2020 – дотепер", &["R:січень 2020 – дотепер"]);
        check("WS 2019/20 – SS 2023", &["R:WS 2019/20 – SS 2023"]);
        check("2019/20 – 2021/22", &["R:2019/20 – 2021/22"]);
        check("2015 -", &["R:2015 -"]);
        check("2022–\tLecturer", &["R:2022–"]);
        check("2022– Lecturer", &["R:2022–"]);
        check("2022 – Lecturer", &["2022"]);
        check("+44 1632 960 417", &[]);
        check("+48 555 018 274", &[]);
        check("ISO 9001, 2000 units", &["2000"]);
        check("240 Mio. €", &[]);
        check("2013年4月", &["2013年4月"]);
    }
}
