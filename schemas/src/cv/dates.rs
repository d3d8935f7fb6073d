//! Date ranges as CVs write them in figures; whatever else stands there is kept as text, with a warning.

/// From when to when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DateRange {
    /// The first month or year.
    pub start: Point,
    /// Until when; `None` where the text names one point only.
    pub end: Option<End>,
}

/// A month of a year, or a year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Point {
    /// 1900 to 2099.
    pub year: u16,
    /// 1 to 12.
    pub month: Option<u8>,
}

/// The end of a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// A month or a year.
    At(Point),
    /// Not ended: `Present`, `heute`, `obecnie`, ..., or a range written as `since 01/2024`.
    Present,
}

const PRESENT: &[&str] = &[
    "present",
    "now",
    "today",
    "current",
    "to date",
    "ongoing", // en
    "heute",
    "jetzt",
    "aktuell",
    "laufend",
    "dato", // de
    "obecnie",
    "nadal",
    "teraz",
    "do chwili obecnej", // pl
    "actualidad",
    "actual",
    "presente",
    "hoy", // es, it, pt
    "atual",
    "oggi",
    "in corso", // pt, it
    "aujourd'hui",
    "aujourd’hui",
    "présent",
    "à ce jour", // fr
    "heden",
    "současnost",
    "dnes",
    "nutid",
    "nu", // nl, cs, da, sv
    "дотепер",
    "зараз",
    "настоящее время",
    "по теперішній час", // uk, ru
    "現在",
    "至今",
    "现在",
    "현재", // ja, zh, ko
];

const SINCE: &[&str] = &[
    "since", "from", "seit", "ab", "od", "desde", "depuis", "dal", "sinds", "з", "с", "від",
];

const TO: &[&str] = &[
    "to", "until", "bis", "do", "hasta", "a", "à", "al", "até", "tot", "до",
];

const DASHES: &[char] = &['-', '–', '—', '‒', '−', '~', '〜', '～'];

impl DateRange {
    /// Reads `2020-01 – 2025-04`, `01/2020 – 04/2025`, `03.2019 – obecnie`, `2015 – Present`,
    /// `since 01/2024`, `2013年4月~現在`, `2015`. `None` for anything else, month names included.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_lowercase();
        if let Some(start) = SINCE.iter().find_map(|word| after_word(&text, word)) {
            let (start, rest) = Point::prefix(start)?;
            return rest.is_empty().then_some(Self {
                start,
                end: Some(End::Present),
            });
        }
        let (start, rest) = Point::prefix(&text)?;
        let rest = rest.trim_start();
        if rest.is_empty() {
            return Some(Self { start, end: None });
        }
        let end = rest
            .strip_prefix(DASHES)
            .or_else(|| TO.iter().find_map(|word| after_word(rest, word)))?
            .trim_start();
        if PRESENT.contains(&end) {
            return Some(Self {
                start,
                end: Some(End::Present),
            });
        }
        let (end, rest) = Point::prefix(end)?;
        rest.is_empty().then_some(Self {
            start,
            end: Some(End::At(end)),
        })
    }

    /// Whether the range ends before it starts.
    pub fn is_reversed(&self) -> bool {
        let Some(End::At(end)) = self.end else {
            return false;
        };
        match (self.start.month, end.month) {
            (Some(_), Some(_)) => end < self.start,
            _ => end.year < self.start.year,
        }
    }
}

fn after_word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let rest = text.strip_prefix(word)?;
    rest.starts_with(char::is_whitespace)
        .then(|| rest.trim_start())
}

impl Point {
    fn prefix(text: &str) -> Option<(Self, &str)> {
        let (first, width, rest) = digits(text)?;
        if width <= 2 {
            let (year, 4, rest) = digits(rest.strip_prefix(['/', '.'])?)? else {
                return None;
            };
            return Self::checked(year, Some(first), rest);
        }
        if width != 4 {
            return None;
        }
        if let Some(rest) = rest.strip_prefix('年') {
            return match digits(rest) {
                Some((month, 1..=2, rest)) => {
                    Self::checked(first, Some(month), rest.strip_prefix('月')?)
                }
                _ => Self::checked(first, None, rest),
            };
        }
        let month = rest.strip_prefix(['-', '/', '.']).and_then(digits);
        match month {
            Some((month, 2, rest)) => Self::checked(first, Some(month), rest),
            _ => Self::checked(first, None, rest),
        }
    }

    fn checked(year: u16, month: Option<u16>, rest: &str) -> Option<(Self, &str)> {
        let sound = (1900..2100).contains(&year) && month.is_none_or(|m| (1..=12).contains(&m));
        sound.then_some((
            Self {
                year,
                month: month.map(|m| m as u8),
            },
            rest,
        ))
    }
}

/// A number of at most four figures, how many there were, and what follows.
fn digits(text: &str) -> Option<(u16, usize, &str)> {
    let width = text.bytes().take_while(u8::is_ascii_digit).count();
    let number = text[..width].parse().ok().filter(|_| width <= 4)?;
    Some((number, width, &text[width..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let point = |p: Point| match p.month {
            Some(month) => format!("{}-{month}", p.year),
            None => p.year.to_string(),
        };
        match DateRange::parse(text) {
            None => "?".to_owned(),
            Some(DateRange { start, end: None }) => point(start),
            Some(DateRange {
                start,
                end: Some(End::Present),
            }) => format!("{} ..", point(start)),
            Some(DateRange {
                start,
                end: Some(End::At(end)),
            }) => {
                format!("{} .. {}", point(start), point(end))
            }
        }
    }

    #[test]
    fn forms_in_figures_are_read_and_others_are_not() {
        let table = [
            ("2020-01 – 2025-04", "2020-1 .. 2025-4"),
            ("2020-01-2025-04", "2020-1 .. 2025-4"),
            ("01/2020 – 04/2025", "2020-1 .. 2025-4"),
            ("3/2020-4/2025", "2020-3 .. 2025-4"),
            ("01/2020 – Present", "2020-1 .."),
            ("2017 - PRESENT", "2017 .."),
            ("02/2021 bis heute", "2021-2 .."),
            ("2018 – do chwili obecnej", "2018 .."),
            ("since 01/2024", "2024-1 .."),
            ("seit 2016", "2016 .."),
            ("2001–2007", "2001 .. 2007"),
            ("2015", "2015"),
            ("2013年4月~2018年3月", "2013-4 .. 2018-3"),
            ("2018年4月~現在", "2018-4 .."),
            ("2011年", "2011"),
            ("", "?"),
            ("Jan 2018 – Present", "?"),
            ("07/2019 (2 Wochen)", "?"),
            ("13/2019 – 01/2020", "?"),
            ("01.01.2015 – 2016", "?"),
            ("2019-20", "?"),
            ("12345 – 2016", "?"),
            ("2016 – 99999", "?"),
            ("2016 – then", "?"),
            ("since", "?"),
            ("since 2019 or so", "?"),
            ("1066 – 2016", "?"),
        ];
        for (text, want) in table {
            assert_eq!(shown(text), want, "{text}");
        }
    }

    #[test]
    fn a_reversed_range_is_told_apart() {
        let check = |text: &str, want: bool| {
            assert_eq!(
                DateRange::parse(text).unwrap().is_reversed(),
                want,
                "{text}"
            );
        };
        check("2020 – 2019", true);
        check("05/2020 – 04/2020", true);
        check("05/2020 – 2020", false);
        check("2020 – 2020", false);
        check("2020 – Present", false);
        check("2020", false);
    }
}
