//! Reads dates as people write them, in all languages.

use std::ops::Range;

use super::dates::{DateStyle, Day, Written, WrittenEnd, WrittenRange};
use super::lexicon::{is_present, is_since, is_until, named_month};
use crate::cv::Point;

impl WrittenRange {
    /// Reads what [`DateRange::parse`](crate::cv::DateRange::parse) reads, and months by name in all languages: `Sep 2016 – Dec
    /// 2019`, `wrzesień 2013 – obecnie`, `enero de 2020 – actualidad`. `None` for anything else.
    pub fn read(text: &str) -> Option<Self> {
        let mut at = Cursor { text, at: 0 };
        at.skip_space();
        let since = at.leading_word(is_since);
        at.skip_space();
        let start = at.point()?;
        let after_start = at.at;
        at.skip_space();
        if at.rest().is_empty() {
            let end = match since {
                Some(_) => WrittenEnd::Present(after_start..after_start),
                None => WrittenEnd::None,
            };
            return Some(Self {
                since,
                start,
                between: after_start..after_start,
                end,
            });
        }
        let rest = at.at..text.trim_end().len();
        // `2018年4月至今`, `2018年以来`: the word itself says that it goes on.
        if is_present(&text[rest.clone()]) || is_since(&text[rest.clone()]) {
            return Some(Self {
                since,
                start,
                between: after_start..rest.start,
                end: WrittenEnd::Present(rest),
            });
        }
        if !at.dash() && at.leading_word(is_until).is_none() {
            return None;
        }
        at.skip_space();
        let between = after_start..at.at;
        let rest = at.at..text.trim_end().len();
        if rest.start <= rest.end && is_present(&text[rest.clone()]) {
            return Some(Self {
                since,
                start,
                between,
                end: WrittenEnd::Present(rest),
            });
        }
        let end = at.point()?;
        at.skip_space();
        at.rest().is_empty().then_some(Self {
            since,
            start,
            between,
            end: WrittenEnd::At(end),
        })
    }
}

/// A day that can be told from its text, and the month's name if it has one.
pub(super) fn read_day(text: &str) -> Option<(Day, Option<&str>)> {
    let number = |text: &str| -> Option<u16> {
        let figures =
            !text.is_empty() && text.len() <= 4 && text.bytes().all(|b| b.is_ascii_digit());
        figures.then(|| text.parse().ok()).flatten()
    };
    let sound = |day: u16, month: u16, year: u16| {
        let sound = (1900..2100).contains(&year) && (1..=12).contains(&month);
        (sound && (1..=31).contains(&day)).then_some(Day {
            year,
            month: month as u8,
            day: day as u8,
        })
    };
    let bare = text.trim_end_matches('日').replace(['年', '月'], "-");
    if let [year, month, day] = bare.split('-').map(number).collect::<Vec<_>>()[..] {
        return Some((sound(day?, month?, year.filter(|y| *y > 999)?)?, None));
    }
    if let [day, month, year] = text
        .split('.')
        .map(|part| number(part.trim()))
        .collect::<Vec<_>>()[..]
    {
        return Some((sound(day?, month?, year?)?, None));
    }
    let words = text
        .split([' ', '\u{a0}', ','])
        .map(|word| word.trim_matches('.'));
    let fillers = ["", "de", "del", "of", "the", "p", "р"];
    let words: Vec<_> = words.filter(|word| !fillers.contains(word)).collect();
    let [first, second, third] = words[..] else {
        return None;
    };
    let (day, name) = match named_month(second) {
        Some(_) => (first, second),
        None => (second, first),
    };
    let month = u16::from(named_month(name)?.month);
    let day = day.trim_end_matches(|c: char| c.is_alphabetic() || c == 'º');
    Some((sound(number(day)?, month, number(third)?)?, Some(name)))
}

/// A place in a text.
struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn skip_space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    fn dash(&mut self) -> bool {
        let dash = self.rest().chars().next().filter(|c| is_dash(*c));
        self.at += dash.map_or(0, char::len_utf8);
        dash.is_some()
    }

    /// A word, or a phrase of up to three, that `is` knows and white space or a figure follows.
    fn leading_word(&mut self, is: impl Fn(&str) -> bool) -> Option<Range<usize>> {
        let rest = self.rest();
        let ends = rest
            .char_indices()
            .filter(|(_, c)| c.is_whitespace() || c.is_ascii_digit());
        let ends: Vec<_> = ends
            .map(|(end, _)| end)
            .filter(|end| *end > 0)
            .take(3)
            .collect();
        let end = ends.into_iter().rev().find(|end| is(&rest[..*end]))?;
        let at = self.at..self.at + rest[..end].trim_end().len();
        self.at += end;
        Some(at)
    }

    /// Exactly `1..=most` figures, and how many they were.
    fn number(&mut self, most: usize) -> Option<(u16, usize)> {
        let width = self.rest().bytes().take_while(u8::is_ascii_digit).count();
        let number = self.rest()[..width].parse().ok();
        let number = number.filter(|_| (1..=most).contains(&width))?;
        self.at += width;
        Some((number, width))
    }

    fn take(&mut self, chars: &[char]) -> bool {
        let found = self.rest().chars().next().filter(|c| chars.contains(c));
        self.at += found.map_or(0, char::len_utf8);
        found.is_some()
    }

    fn point(&mut self) -> Option<Written> {
        let begin = self.at;
        let (point, style, name) = if self.rest().starts_with(|c: char| c.is_ascii_digit()) {
            let (point, style) = self.figures()?;
            (point, style, begin..begin)
        } else {
            self.named()?
        };
        let sound = (1900..2100).contains(&point.year)
            && point.month.is_none_or(|month| (1..=12).contains(&month));
        sound.then_some(Written {
            point,
            style,
            at: begin..self.at,
            name,
        })
    }

    /// `2020`, `2020-01`, `01/2020`, `2020年1月`.
    fn figures(&mut self) -> Option<(Point, DateStyle)> {
        let (first, width) = self.number(4)?;
        if width <= 2 {
            if !self.take(&['/', '.', '-']) {
                return None;
            }
            let (year, width) = self.number(4)?;
            let month = Some(first as u8);
            return (width == 4).then_some((Point { year, month }, DateStyle::Figures));
        }
        if width != 4 {
            return None;
        }
        let year = first;
        if self.take(&['年']) {
            let after_year = self.at;
            let month = self.number(2).filter(|_| self.take(&['月']));
            if month.is_none() {
                self.at = after_year;
            }
            let month = month.map(|(month, _)| month as u8);
            return Some((Point { year, month }, DateStyle::Ideographic));
        }
        let after_year = self.at;
        if self.take(&['-', '/', '.'])
            && let Some((month, 2)) = self.number(4)
        {
            let month = Some(month as u8);
            return Some((Point { year, month }, DateStyle::Figures));
        }
        self.at = after_year;
        Some((Point { year, month: None }, DateStyle::Year))
    }

    /// `Jan. 2020`, `January, 2020`, `enero de 2020`, `كانون الثاني 2020`.
    fn named(&mut self) -> Option<(Point, DateStyle, Range<usize>)> {
        let rest = self.rest();
        let figures = rest.find(|c: char| c.is_ascii_digit())?;
        let head = rest[..figures].trim_end();
        let name = head
            .strip_suffix(" de")
            .or_else(|| head.strip_suffix(" del"))
            .or_else(|| head.strip_suffix(" of"))
            .or_else(|| head.strip_suffix(','))
            .or_else(|| head.strip_suffix(['/', '-']))
            .unwrap_or(head);
        let named = named_month(name)?;
        let at = self.at..self.at + name.len();
        self.at += figures;
        let (year, width) = self.number(4)?;
        let style = match (named.is_long, named.is_short) {
            (true, true) => DateStyle::Either,
            (true, false) => DateStyle::Long,
            _ => DateStyle::Short,
        };
        let month = Some(named.month);
        (width == 4).then_some((Point { year, month }, style, at))
    }
}

pub(super) fn is_dash(c: char) -> bool {
    matches!(c, '-' | '–' | '—' | '‒' | '−' | '~' | '〜' | '～')
}
