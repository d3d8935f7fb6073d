//! What is repeated on the pages: the footer.

use super::Metrics;
use crate::blocks::{Footer, Text};
use crate::fonts::Fonts;
use crate::text::breaks::break_lines;
use crate::text::paragraph::{Ink, Line, Paragraph, Role};
use crate::text::shape::{Look, Shaper};

/// A line of text in the bottom margin.
pub(crate) struct FooterLine {
    pub(crate) x: f32,
    pub(crate) y: f32,
    pub(crate) paragraph: Paragraph,
    pub(crate) line: Line,
}

/// Each page's footer. A document of one page has none.
pub(crate) fn footers(
    footer: Option<&Footer>,
    pages: usize,
    metrics: &Metrics,
    fonts: &Fonts,
) -> Vec<Vec<FooterLine>> {
    let Some(footer) = footer.filter(|_| pages > 1) else {
        return Vec::new();
    };
    let mut shaper = Shaper::new(fonts);
    let width = metrics.right - metrics.left;
    let y = f32::midpoint(metrics.bottom, metrics.page_height);
    let mut line = |text: String, share: f32| {
        let paragraph = shaper.shape(&Text::from(text), Look::plain(Role::Footer, Ink::Muted))?;
        let size = metrics.size(Role::Footer);
        // A footer is one line: what does not fit its share of it stands in the masthead anyway.
        let line = break_lines(&paragraph, f64::from(width * share / size))
            .into_iter()
            .next()?;
        let x = metrics.left;
        Some(FooterLine {
            x,
            y,
            paragraph,
            line,
        })
    };
    (1..=pages)
        .map(|page| {
            let number = footer
                .page
                .replace("{pages}", &pages.to_string())
                .replace("{page}", &page.to_string());
            let running = (page > 1)
                .then(|| line(footer.running.clone(), 0.7))
                .flatten();
            let number = line(number, 0.3).map(|mut number| {
                number.x = metrics.right - number.line.width as f32 * metrics.size(Role::Footer);
                number
            });
            running.into_iter().chain(number).collect()
        })
        .collect()
}
