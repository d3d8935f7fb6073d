//! Dates as people write them, read in all languages and shown in one.
//!
//! The rule for showing a date of a CV in the language of a document:
//! 1. What cannot be read whole stays as it stands.
//! 2. A word that the document's language knows stays as it was written; any other becomes the
//!    document's word. `March 2019 – now` in German is `März 2019 – heute`.
//! 3. Figures stay as they were written, unless the document is a translation: then months in
//!    figures take the language's own form. `2019-03` in German is `03/2019`.
//! 4. Precision never changes: a year stays a year, a month's name a name, figures figures.

use std::ops::Range;

use super::Locale;
use super::read::{is_dash, read_day};
use crate::cv::{DateRange, End, Point};

/// A range as it is written: what it says, and where each of its parts stands in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenRange {
    /// The word before it: `since`, `von`.
    pub(super) since: Option<Range<usize>>,
    /// The first date.
    pub(super) start: Written,
    /// What stands between the dates, white space included; empty in `2018年4月至今`.
    pub(super) between: Range<usize>,
    /// The second date.
    pub(super) end: WrittenEnd,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum WrittenEnd {
    None,
    At(Written),
    Present(Range<usize>),
}

/// A month or a year as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// What it says.
    pub point: Point,
    /// How.
    pub style: DateStyle,
    /// The bytes of the text that hold it.
    pub at: Range<usize>,
    /// The bytes that hold the month's name.
    pub(super) name: Range<usize>,
}

/// How a month or a year is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateStyle {
    /// `2020`
    Year,
    /// `01/2020`, `2020-01`
    Figures,
    /// `Jan. 2020`
    Short,
    /// `January 2020`
    Long,
    /// A name that is short and full at once: `May 2020`
    Either,
    /// `2020年1月`, `2020年`
    Ideographic,
}

/// A day of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day {
    /// 1900 to 2099.
    pub year: u16,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
}

/// A date range as the document shows it; see the rule above. `translated` says that the document
/// is in another language than the CV.
pub fn show_dates(text: &str, locale: &Locale, translated: bool) -> String {
    match WrittenRange::read(text) {
        Some(range) => range.show(text, locale, translated),
        None => text.to_owned(),
    }
}

/// A birth date as the document shows it, by the same rule. Figures with slashes stay in any case:
/// nobody can tell the day from the month.
pub fn show_day(text: &str, locale: &Locale, translated: bool) -> String {
    let text = text.trim();
    match read_day(text) {
        Some((day, Some(name))) if translated || locale.month(name).is_none() => locale.day(day),
        Some((day, None)) if translated => locale.day_in_figures(day),
        _ => text.to_owned(),
    }
}

impl Locale {
    /// A day with its month's name, as at the head of a letter: `21 November 2026`.
    pub fn day(&self, day: Day) -> String {
        let month = self.months.with_day[usize::from(day.month - 1)];
        fill_day(self.dates.day, day).replace("{month}", month)
    }

    /// A day in figures: `21.11.2026`.
    pub fn day_in_figures(&self, day: Day) -> String {
        fill_day(self.dates.day_figures, day)
    }

    /// A month or year, shown in a style; a month is never lost.
    pub fn point(&self, point: Point, style: DateStyle) -> String {
        self.point_after(point, style, false)
    }

    fn point_after(&self, point: Point, style: DateStyle, since: bool) -> String {
        let Some(month) = point.month else {
            return self.dates.year.replace("{year}", &point.year.to_string());
        };
        let names = match style {
            DateStyle::Year | DateStyle::Figures => return fill(self.dates.figures, point, month),
            DateStyle::Long | DateStyle::Either if since => &self.months.after_since,
            DateStyle::Long | DateStyle::Either => &self.months.long,
            DateStyle::Short | DateStyle::Ideographic => &self.months.short,
        };
        let form = match style {
            DateStyle::Short | DateStyle::Ideographic => self.dates.short,
            _ => self.dates.long,
        };
        fill(form, point, month).replace("{month}", names[usize::from(month - 1)])
    }
}

fn fill(form: &str, point: Point, month: u8) -> String {
    form.replace("{year}", &point.year.to_string())
        .replace("{mm}", &format!("{month:02}"))
        .replace("{m}", &month.to_string())
}

fn fill_day(form: &str, day: Day) -> String {
    form.replace("{year}", &day.year.to_string())
        .replace("{mm}", &format!("{:02}", day.month))
        .replace("{m}", &day.month.to_string())
        .replace("{dd}", &format!("{:02}", day.day))
        .replace("{d}", &day.day.to_string())
}

impl WrittenRange {
    /// What it says.
    pub fn range(&self) -> DateRange {
        let end = match &self.end {
            WrittenEnd::None => None,
            WrittenEnd::At(written) => Some(End::At(written.point)),
            WrittenEnd::Present(_) => Some(End::Present),
        };
        DateRange {
            start: self.start.point,
            end,
        }
    }

    fn show(&self, text: &str, locale: &Locale, translated: bool) -> String {
        let style = self.style();
        let since_word = self.since.as_ref().map(|at| &text[at.clone()]);
        let since_known = since_word.is_none_or(|word| !translated && locale.is_since(word));
        let leads = since_word.is_some()
            && matches!(self.end, WrittenEnd::Present(ref at) if at.is_empty());
        let start = self
            .start
            .show(text, locale, translated, style, leads && !since_known);
        if leads && !since_known {
            return if locale.dates.since_leads {
                format!("{} {start}", locale.since[0])
            } else {
                format!("{start} – {}", locale.present[0])
            };
        }
        let head = match since_word {
            Some(word) if since_known => format!("{word} {start}"),
            _ => start,
        };
        let between = &text[self.between.clone()];
        let word = between.trim();
        let is_dash = word.chars().all(is_dash);
        let between = match between {
            // A word that leads the range needs its partner: `von ... bis`.
            _ if since_word.is_some() && !since_known => " – ",
            between if is_dash && !word.is_empty() => between,
            between if !translated && locale.is_until(word) => between,
            _ => " – ",
        };
        match &self.end {
            WrittenEnd::None => head,
            WrittenEnd::At(end) => {
                let end = end.show(text, locale, translated, style, false);
                format!("{head}{between}{end}")
            }
            WrittenEnd::Present(at) if at.is_empty() => head,
            WrittenEnd::Present(at) => {
                let word = &text[at.clone()];
                if !translated && (locale.is_present(word) || locale.is_since(word)) {
                    let between = if self.between.is_empty() { "" } else { between };
                    format!("{head}{between}{word}")
                } else {
                    format!("{head}{between}{}", locale.present[0])
                }
            }
        }
    }

    /// Short or full names: what the range itself tells for a name that is both.
    fn style(&self) -> DateStyle {
        let end = match &self.end {
            WrittenEnd::At(end) => end.style,
            _ => DateStyle::Either,
        };
        if [self.start.style, end].contains(&DateStyle::Short) {
            DateStyle::Short
        } else {
            DateStyle::Long
        }
    }
}

impl Written {
    fn show(
        &self,
        text: &str,
        locale: &Locale,
        translated: bool,
        names: DateStyle,
        since: bool,
    ) -> String {
        let written = &text[self.at.clone()];
        let known = match self.style {
            DateStyle::Year | DateStyle::Figures => !translated,
            DateStyle::Ideographic => locale.dates.year.contains('年'),
            // After our own word for "since" the month may need another form.
            _ => !translated && !since && locale.month(&text[self.name.clone()]).is_some(),
        };
        if known {
            return written.to_owned();
        }
        let style = match self.style {
            DateStyle::Either => names,
            style => style,
        };
        locale.point_after(self.point, style, since)
    }
}
