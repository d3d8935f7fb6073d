//! Shrinks a document, within its theme's bounds, until it takes no more pages than it may.

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

/// A document laid out, and how.
pub(crate) struct Fitted {
    pub(crate) layout: Layout,
    pub(crate) metrics: Metrics,
    pub(crate) shrink: Shrink,
    pub(crate) warning: Option<Warning>,
}

/// Lays a document out: as it comes if it meets the target or has none, else shrunk by the least step that
/// makes it fit, else as it comes with a warning.
pub(crate) fn fit(prepared: &Prepared, theme: &Theme, target: Pages) -> Result<Fitted, Error> {
    let natural = set(prepared, theme, Shrink::none(theme))?;
    let Pages::Fixed(target) = target else {
        return Ok(natural);
    };
    let target = usize::from(target);
    if natural.layout.pages.len() <= target {
        return Ok(natural);
    }

    let steps = steps(theme);
    let mut best = None;
    // Almost always each step takes no more room than the one before it: halving finds the least that fits.
    // The smallest goes first, because most documents that miss the target miss it by far.
    let (mut low, mut high) = (0, steps.len());
    let mut at = steps.len().checked_sub(1);
    while let Some(step) = at {
        let tried = set(prepared, theme, steps[step])?;
        if tried.layout.pages.len() <= target {
            best = Some(tried);
            high = step;
        } else {
            low = step + 1;
        }
        at = (low < high).then(|| usize::midpoint(low, high));
    }
    let pages = natural.layout.pages.len() as u32;
    let warning = Warning::OverTarget { pages, target: target as u32 };
    Ok(best.unwrap_or(Fitted { warning: Some(warning), ..natural }))
}

fn set(prepared: &Prepared, theme: &Theme, shrink: Shrink) -> Result<Fitted, Error> {
    let metrics = Metrics::new(theme, shrink);
    let layout = paginate::paginate(flow::flow(prepared, &metrics), &metrics)?;
    Ok(Fitted { layout, metrics, shrink, warning: None })
}

/// All steps from the first that shrinks anything: gaps and leading, then the text.
fn steps(theme: &Theme) -> Vec<Shrink> {
    let natural = Shrink::none(theme);
    let (bounds, between) = (theme.fit, |from: f32, to: f32, part: f32| from + (to - from).min(0.0) * part);
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
        Shrink { text: between(natural.text, bounds.text, part), ..tight }
    }));
    steps
}
