//! Shrinks a document, within its theme's bounds, until it takes no more pages than it should.

use super::metrics::{Metrics, POINTS_PER_MM, Shrink};
use super::{Layout, flow, paginate};
use crate::error::{Error, Warning};
use crate::options::{FitStep, Options, Over, Pages, Paper, Report};
use crate::prepare::{Part, Prepared};
use crate::theme::{ContactPlace, PhotoPlace, Spec};

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
    pub(crate) report: Report,
    pub(crate) warning: Option<Warning>,
}

/// Lays a document out: as it comes if it meets the target, else shrunk by the least step that makes it fit,
/// else with as few cuts as make it fit, if cuts are allowed, else as it comes with a warning. A last page
/// with next to nothing on it is taken in if smaller gaps are enough for that, target or not.
pub(crate) fn fit(prepared: &Prepared, options: &Options) -> Result<Fitted, Error> {
    let own = options.theme.spec();
    let mut plain = None;
    let theme = if !own.has_sidebar() || fills_sidebar(prepared, own) {
        own
    } else {
        // A coloured third of the page with nothing in it: a letter, a CV of few words.
        let plain = plain.insert(own.clone());
        plain.sidebar.width = 0.0;
        plain
    };
    let mut press = Press {
        prepared,
        theme,
        paper: options.paper,
        broken: flow::Broken::default(),
    };
    let none = Shrink::none(theme);
    let natural = press.set(none, 0)?;
    let pages = natural.layout.pages.len();
    let set = match options.page_target {
        Pages::Fixed(target) if pages > usize::from(target) => {
            let target = usize::from(target);
            match press.meet(target, pages)? {
                Met::Shrunk(set) => *set,
                Met::Over(millimetres, characters) => {
                    return Ok(press.over(natural, target, millimetres, characters));
                }
            }
        }
        _ if natural.is_lonely() && (2..=MOST_TAKEN_IN).contains(&pages) => {
            press.take_in(pages - 1)?.unwrap_or(natural)
        }
        _ => natural,
    };
    Ok(press.fitted(set))
}

/// Whether anything of a document stands in the sidebar of its theme.
fn fills_sidebar(prepared: &Prepared, theme: &Spec) -> bool {
    let head = prepared.main.first();
    let beside = match head {
        Some(Part::Masthead(header)) => {
            (header.photo.is_some() && theme.header.photo == PhotoPlace::Sidebar)
                || (!header.body.is_empty() && theme.header.contact == ContactPlace::Sidebar)
        }
        _ => false,
    };
    beside || !prepared.side.is_empty()
}

/// A document set at some step.
struct Set {
    layout: Layout,
    metrics: Metrics,
    shrink: Shrink,
    cuts: usize,
}

/// What came of a page target that was missed.
enum Met {
    Shrunk(Box<Set>),
    /// By so many mm and characters at the tightest.
    Over(f32, f32),
}

impl Set {
    fn is_lonely(&self) -> bool {
        let last = |filled: &[f32]| filled.last().copied().unwrap_or(0.0);
        let filled = last(&self.layout.main.filled).max(last(&self.layout.side.filled));
        filled < self.metrics.text_height() * LONELY_PAGE
    }
}

struct Press<'a> {
    prepared: &'a Prepared,
    theme: &'a Spec,
    paper: Option<Paper>,
    broken: flow::Broken,
}

impl Press<'_> {
    fn set(&mut self, shrink: Shrink, cuts: usize) -> Result<Set, Error> {
        let metrics = Metrics::new(self.theme, self.paper, shrink);
        let columns = flow::flow(self.prepared, self.theme, &metrics, cuts, &mut self.broken);
        let layout = paginate::paginate(columns, self.theme, &metrics, self.prepared.rtl)?;
        Ok(Set {
            layout,
            metrics,
            shrink,
            cuts,
        })
    }

    fn meet(&mut self, target: usize, pages: usize) -> Result<Met, Error> {
        let steps = steps(self.theme);
        let all = self.prepared.cuts.len();
        // What misses by this much no step can help, and large documents take long to try.
        let hopeless = pages > target * HOPELESS;
        let mut excess = None;
        if !hopeless {
            let (met, least) = self.shrink(target, &steps, 0)?;
            if let Some(set) = met {
                return Ok(Met::Shrunk(Box::new(set)));
            }
            excess = Some(least);
        }
        let tightest = steps.last().copied().unwrap_or(Shrink::none(self.theme));
        if all > 0 {
            // Each cut takes room away, almost always, so halving finds the fewest.
            let (mut low, mut high) = (1, all + 1);
            let mut at = all;
            while low < high {
                let fits = self.set(tightest, at)?.layout.pages.len() <= target;
                if fits {
                    high = at;
                } else {
                    low = at + 1;
                }
                at = usize::midpoint(low, high);
            }
            if high <= all
                && let Some(set) = self.shrink(target, &steps, high)?.0
            {
                return Ok(Met::Shrunk(Box::new(set)));
            }
        }
        let (height, glyphs) = match excess {
            Some(excess) => excess,
            None => self.set(tightest, 0)?.layout.excess(target),
        };
        Ok(Met::Over(height / POINTS_PER_MM, glyphs))
    }

    /// The least shrinking of gaps that fits a number of pages. From the least on: most often little is enough.
    fn take_in(&mut self, pages: usize) -> Result<Option<Set>, Error> {
        for step in steps(self.theme)
            .into_iter()
            .take(usize::from(SPACING_STEPS))
        {
            let tried = self.set(step, 0)?;
            if tried.layout.pages.len() <= pages {
                return Ok(Some(tried));
            }
        }
        Ok(None)
    }

    /// The least of the steps that fits a number of pages, and by how much the last one misses them. Almost
    /// always each step takes no more room than the one before it, so halving finds it; the smallest goes
    /// first, because most documents that miss miss by far.
    fn shrink(
        &mut self,
        pages: usize,
        steps: &[Shrink],
        cuts: usize,
    ) -> Result<(Option<Set>, (f32, f32)), Error> {
        let mut best = None;
        let mut excess = (0.0, 0.0);
        let (mut low, mut high) = (0, steps.len());
        let mut at = steps.len().checked_sub(1);
        while let Some(step) = at {
            let tried = self.set(steps[step], cuts)?;
            if tried.layout.pages.len() <= pages {
                best = Some(tried);
                high = step;
            } else {
                if step + 1 == steps.len() {
                    excess = tried.layout.excess(pages);
                }
                low = step + 1;
            }
            at = (low < high).then(|| usize::midpoint(low, high));
        }
        Ok((best, excess))
    }

    fn over(&self, natural: Set, target: usize, millimetres: f32, characters: f32) -> Fitted {
        let pages = natural.layout.pages.len() as u32;
        let mut fitted = self.fitted(natural);
        let over = Over {
            millimetres,
            characters: characters.ceil() as u32,
        };
        fitted.report.over = Some(over);
        fitted.warning = Some(Warning::OverTarget {
            pages,
            target: target as u32,
            excess_mm: millimetres.ceil() as u32,
            excess_characters: over.characters,
        });
        fitted
    }

    fn fitted(&self, set: Set) -> Fitted {
        let (natural, own) = (Shrink::none(self.theme), set.shrink);
        let differs = |a: f32, b: f32| (a - b).abs() > f32::EPSILON;
        let mut steps = Vec::new();
        if differs(own.spacing, natural.spacing) {
            steps.push(FitStep::Spacing(own.spacing));
        }
        if differs(own.leading, natural.leading) {
            steps.push(FitStep::LineHeight(own.leading));
        }
        if differs(own.text, natural.text) {
            steps.push(FitStep::Text(own.text));
        }
        let cuts = self.prepared.cuts.iter().take(set.cuts);
        steps.extend(cuts.map(|id| FitStep::Cut(id.clone())));
        Fitted {
            report: Report {
                free_mm: set.layout.free(&set.metrics),
                breaks: set.layout.breaks.clone(),
                steps,
                over: None,
            },
            layout: set.layout,
            metrics: set.metrics,
            shrink: set.shrink,
            warning: None,
        }
    }
}

/// All steps from the first that shrinks anything: gaps and leading, then the text.
fn steps(theme: &Spec) -> Vec<Shrink> {
    let natural = Shrink::none(theme);
    let (bounds, between) = (theme.fit, |from: f32, to: f32, part: f32| {
        from + (to - from).min(0.0) * part
    });
    let mut steps: Vec<_> = (1..=SPACING_STEPS)
        .map(|step| {
            let part = f32::from(step) / f32::from(SPACING_STEPS);
            Shrink {
                spacing: between(1.0, bounds.spacing, part),
                leading: between(natural.leading, bounds.line_height, part),
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
