//! Shrinks a document, within its theme's bounds, until it takes no more pages than it should.

use super::metrics::Shrink;
use super::{Layout, Metrics, flow, paginate};
use crate::error::{Error, Warning};
use crate::options::Pages;
use crate::prepare::Prepared;
use crate::theme::Theme;

/// The steps from the natural gaps to the smallest ones.
const SPACING_STEPS: u8 = 5;
/// The most that text shrinks in one step, in pt.
const TEXT_STEP: f32 = 0.25;
/// A last page that is filled less than this looks like a mistake.
const LONELY_PAGE: f32 = 0.15;
/// In longer documents nobody minds one.
const MOST_TAKEN_IN: usize = 12;
/// So many times the pages that a document should take cannot be shrunk away.
const HOPELESS: usize = 4;

/// A document laid out, and how.
pub(crate) struct Fitted {
    pub(crate) layout: Layout,
    pub(crate) metrics: Metrics,
    pub(crate) shrink: Shrink,
    pub(crate) warning: Option<Warning>,
}

/// Lays a document out: as it comes if it meets the target, else shrunk by the least step that makes it fit,
/// else as it comes with a warning. A last page with next to nothing on it is taken in if smaller gaps are
/// enough for that, target or not.
pub(crate) fn fit(prepared: &Prepared, theme: &Theme, target: Pages) -> Result<Fitted, Error> {
    let natural = set(prepared, theme, Shrink::none(theme))?;
    let pages = natural.layout.pages.len();
    if let Pages::Fixed(target) = target
        && pages > usize::from(target)
    {
        let target = usize::from(target);
        // What misses by this much no step can help, and large documents take long to try.
        let hopeless = pages > target * HOPELESS;
        let fitted = if hopeless {
            None
        } else {
            shrink(prepared, theme, target, &steps(theme))?
        };
        let warning = Warning::OverTarget {
            pages: pages as u32,
            target: target as u32,
        };
        return Ok(fitted.unwrap_or(Fitted {
            warning: Some(warning),
            ..natural
        }));
    }
    let lonely = natural.layout.last_page < natural.metrics.text_height() * LONELY_PAGE;
    if lonely && (2..=MOST_TAKEN_IN).contains(&pages) {
        let gaps = &steps(theme)[..usize::from(SPACING_STEPS)];
        return Ok(shrink(prepared, theme, pages - 1, gaps)?.unwrap_or(natural));
    }
    Ok(natural)
}

/// The least of the steps that fits a number of pages. Almost always each step takes no more room than the one
/// before it, so halving finds it; the smallest goes first, because most documents that miss miss by far.
fn shrink(
    prepared: &Prepared,
    theme: &Theme,
    pages: usize,
    steps: &[Shrink],
) -> Result<Option<Fitted>, Error> {
    let mut best = None;
    let (mut low, mut high) = (0, steps.len());
    let mut at = steps.len().checked_sub(1);
    while let Some(step) = at {
        let tried = set(prepared, theme, steps[step])?;
        if tried.layout.pages.len() <= pages {
            best = Some(tried);
            high = step;
        } else {
            low = step + 1;
        }
        at = (low < high).then(|| usize::midpoint(low, high));
    }
    Ok(best)
}

fn set(prepared: &Prepared, theme: &Theme, shrink: Shrink) -> Result<Fitted, Error> {
    let metrics = Metrics::new(theme, shrink);
    let layout = paginate::paginate(flow::flow(prepared, &metrics), &metrics)?;
    Ok(Fitted {
        layout,
        metrics,
        shrink,
        warning: None,
    })
}

/// All steps from the first that shrinks anything: gaps and leading, then the text.
fn steps(theme: &Theme) -> Vec<Shrink> {
    let natural = Shrink::none(theme);
    let (bounds, between) = (theme.fit, |from: f32, to: f32, part: f32| {
        from + (to - from).min(0.0) * part
    });
    let mut steps: Vec<_> = (1..=SPACING_STEPS)
        .map(|step| {
            let part = f32::from(step) / f32::from(SPACING_STEPS);
            Shrink {
                spacing: between(1.0, bounds.spacing, part),
                leading: between(natural.leading, bounds.leading, part),
                ..natural
            }
        })
        .collect();
    let tight = steps.last().copied().unwrap_or(natural);
    let text_steps = ((natural.text - bounds.text) / TEXT_STEP).ceil().max(0.0) as u16;
    steps.extend((1..=text_steps).map(|step| {
        let part = f32::from(step) / f32::from(text_steps);
        Shrink {
            text: between(natural.text, bounds.text, part),
            ..tight
        }
    }));
    steps
}
