//! How many years somebody has worked, from the dates of the jobs.

use schemas::cv::{Cv, DateRange, End};
use schemas::locale::WrittenRange;

use crate::evidence::Evidence;
use crate::lexicon::LEXICON;
use crate::number::SCALE;

/// Full years from the first start to the last date that the CV names, as a scaled number; `None`
/// where the CV states years itself. Without a clock, "present" adds nothing.
pub(crate) fn worked(cv: &Cv, evidence: &Evidence) -> Option<i128> {
    let year = LEXICON.id("unit.year");
    if evidence
        .numbers
        .iter()
        .any(|number| number.units.contains(&year))
    {
        return None;
    }
    let ranges = cv
        .work_experience
        .iter()
        .filter_map(|work| read(&work.date_range));
    let (mut first, mut last) = (i128::MAX, i128::MIN);
    for range in ranges {
        let months = |point: schemas::cv::Point| {
            i128::from(point.year) * 12 + i128::from(point.month.unwrap_or(1))
        };
        first = first.min(months(range.start));
        last = last.max(months(range.start));
        if let Some(End::At(end)) = range.end {
            last = last.max(months(end));
        }
    }
    (first < last).then(|| (last - first) / 12 * SCALE)
}

fn read(text: &str) -> Option<DateRange> {
    DateRange::parse(text).or_else(|| WrittenRange::read(text).map(|range| range.range()))
}
