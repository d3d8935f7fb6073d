//! What is repeated on the pages: the footer.

use super::{Metrics, Zone};
use crate::blocks::{Align, Text};
use crate::fonts::Fonts;
use crate::prepare::Prepared;
use crate::text::breaks::break_lines;
use crate::text::paragraph::{Ink, Line, Paragraph, Role};
use crate::text::shape::{Look, Shaper};
use crate::theme::{FooterAlign, Spec};

/// A line of text in the bottom margin.
pub(crate) struct FooterLine {
    pub(crate) x: f32,
    pub(crate) y: f32,
    pub(crate) size: f32,
    pub(crate) paragraph: Paragraph,
    pub(crate) line: Line,
}

/// Each page's footer. A document of one page has none.
pub(crate) fn footers(
    prepared: &Prepared,
    theme: &Spec,
    pages: usize,
    metrics: &Metrics,
    fonts: &Fonts,
) -> Vec<Vec<FooterLine>> {
    let Some(footer) = prepared.footer.as_ref().filter(|_| pages > 1) else {
        return Vec::new();
    };
    let mut shaper = Shaper::new(fonts, &prepared.language);
    let (setting, frame) = (theme.footer, metrics.main);
    let y = f32::midpoint(metrics.bottom, metrics.page_height);
    let size = metrics.size(Role::Footer, Zone::Main);
    // A footer is one line: what does not fit its share of it stands in the masthead anyway.
    let mut line = |text: &str, share: f32, align: Align| {
        let look = Look {
            family: prepared.family,
            ..Look::plain(Role::Footer, Ink::Muted)
        };
        let paragraph = shaper.shape(&Text::from(text), look)?;
        let line = break_lines(&paragraph, f64::from(frame.width * share / size))
            .into_iter()
            .next()?;
        let width = line.width as f32 * size;
        let x = match align {
            Align::Start => frame.x,
            Align::Center => frame.x + (frame.width - width) / 2.0,
            Align::End => frame.end() - width,
        };
        Some(FooterLine {
            x: if prepared.rtl {
                metrics.page_width - x - width
            } else {
                x
            },
            y,
            size,
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
            let number = if setting.numbers { number.as_str() } else { "" };
            // The first page has its own masthead.
            let name = if setting.name && page > 1 {
                footer.running.as_str()
            } else {
                ""
            };
            match setting.align {
                FooterAlign::Apart => {
                    let name = line(name, 0.7, Align::Start);
                    name.into_iter()
                        .chain(line(number, 0.3, Align::End))
                        .collect()
                }
                FooterAlign::Center => {
                    let parts = [name, number].map(str::trim);
                    let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
                    line(&parts.join(" · "), 1.0, Align::Center)
                        .into_iter()
                        .collect()
                }
            }
        })
        .collect()
}
