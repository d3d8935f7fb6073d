//! Pages as they were laid out, drawn without the way through a PDF.

use harfrust::GlyphId;
use krilla::text::Glyph as _;

use super::canvas::{Area, Canvas};
use super::masks::Masks;
use super::{Error, MAX_WIDTH, MIN_WIDTH, encode, pixels_high};
use crate::fonts::{FaceId, Fonts};
use crate::layout::{self, FooterLine, Item, Layout, Metrics, Shape, Zone, colors};
use crate::pdf::drawn;
use crate::photo;
use crate::prepare::Prepared;
use crate::text::paragraph::{Line, Paragraph};
use crate::theme::{Rgb, Theme};

/// The pages of a document as they were laid out, of which [`Sheets::picture`] makes pictures.
pub struct Sheets<'e> {
    pub(crate) fonts: &'e Fonts,
    pub(crate) prepared: Prepared,
    pub(crate) layout: Layout,
    pub(crate) footers: Vec<Vec<FooterLine>>,
    pub(crate) metrics: Metrics,
    pub(crate) theme: Theme,
}

impl Sheets<'_> {
    /// Draws one page, `width` pixels wide, on white, as PNG. Pages count from 1.
    ///
    /// It shows what the page of the PDF shows, but for the colours of glyphs in fonts that have such. The
    /// same page gives the same bytes.
    pub fn picture(&self, page: u32, width: u32) -> Result<Vec<u8>, Error> {
        if !(MIN_WIDTH..=MAX_WIDTH).contains(&width) {
            return Err(Error::Width(width));
        }
        let missing = || Error::NoSuchPage {
            page,
            pages: self.layout.pages.len() as u32,
        };
        let index = page.checked_sub(1).ok_or_else(missing)? as usize;
        let content = self.layout.pages.get(index).ok_or_else(missing)?;
        let (scale, height) =
            pixels_high(width, self.metrics.page_width, self.metrics.page_height)?;
        let mut brush = Brush {
            sheets: self,
            scale,
            canvas: Canvas::new(width, height),
            masks: self.fonts.masks.take(),
        };
        brush.page(content, self.footers.get(index).map_or(&[], Vec::as_slice));
        let Brush { canvas, masks, .. } = brush;
        self.fonts.masks.give_back(masks);
        encode(canvas.bytes(), width, height)
    }
}

/// Draws one page.
struct Brush<'a> {
    sheets: &'a Sheets<'a>,
    /// Pixels in a point.
    scale: f32,
    canvas: Canvas,
    masks: Masks,
}

impl Brush<'_> {
    fn page(&mut self, content: &layout::Page, footers: &[FooterLine]) {
        let theme = self.sheets.theme.spec();
        for back in &content.backgrounds {
            let area = self.area(back.x, back.y, back.width, back.height);
            let color = colors::area(theme, Zone::Main, back.paint);
            self.canvas.fill(area, color);
        }
        for item in &content.items {
            self.item(item);
        }
        for footer in footers {
            let place = (footer.x, footer.y);
            self.line(
                &footer.paragraph,
                &footer.line,
                place,
                footer.size,
                Zone::Main,
            );
        }
    }

    fn item(&mut self, item: &Item) {
        let theme = self.sheets.theme.spec();
        match &item.shape {
            Shape::Line {
                paragraph,
                line,
                size,
            } => {
                let paragraph = &self.sheets.prepared.paragraphs[paragraph.0];
                self.line(paragraph, line, (item.x, item.y), *size, item.zone);
            }
            Shape::Rule { width, weight } => {
                let mut area = self.area(item.x, item.y, *width, *weight);
                // Whole rows, as viewers draw thin lines: parts of two would look blurred.
                area.height = area.height.round().max(1.0);
                area.top = (area.top - area.height / 2.0).round();
                self.canvas.fill(area, colors::rule(theme, item.zone));
            }
            Shape::Area {
                width,
                height,
                paint,
            } => {
                let area = self.area(item.x, item.y, *width, *height);
                self.canvas
                    .fill(area, colors::area(theme, item.zone, *paint));
            }
            Shape::Photo {
                photo,
                width,
                height,
                radius,
            } => {
                let area = self.area(item.x, item.y, *width, *height);
                let size = (area.width.ceil() as u32, area.height.ceil() as u32);
                let jpeg = &self.sheets.prepared.photos[photo.0].jpeg;
                if let Some(picture) = photo::middle(jpeg, size) {
                    self.canvas.paste(&picture, area, radius * self.scale);
                }
            }
        }
    }

    /// Draws a line of text whose baseline starts at a place, in points.
    fn line(
        &mut self,
        paragraph: &Paragraph,
        line: &Line,
        (x, y): (f32, f32),
        size: f32,
        zone: Zone,
    ) {
        let theme = self.sheets.theme.spec();
        for run in paragraph.runs(line) {
            let span = paragraph.spans[run.span as usize];
            let color = colors::ink(theme, zone, span.ink);
            let no_ink = self.sheets.fonts.face(span.face).no_ink();
            let mut x = x + run.x as f32 * size;
            for glyph in &drawn(paragraph, line, &run, no_ink).glyphs {
                let place = (x + glyph.x_offset(size), y - glyph.y_offset(size));
                let id = GlyphId::new(glyph.glyph_id().to_u32());
                self.glyph((span.face, id), place, size, color);
                x += glyph.x_advance(size);
            }
        }
        let last = line.glyphs.end;
        if line.hyphen > 0.0
            && let Some(hyphen) = paragraph.hyphen_before(last)
        {
            let span = paragraph.spans[paragraph.glyphs[last - 1].span as usize];
            let x = x + (line.width - line.hyphen) as f32 * size;
            let color = colors::ink(theme, zone, span.ink);
            let id = GlyphId::new(u32::from(hyphen.id));
            self.glyph((span.face, id), (x, y), size, color);
        }
    }

    fn glyph(&mut self, id: (FaceId, GlyphId), (x, y): (f32, f32), size: f32, color: Rgb) {
        let face = self.sheets.fonts.face(id.0);
        let (mask, left) = self
            .masks
            .glyph(face, id, size * self.scale, x * self.scale);
        // Baselines on whole rows: letters then look alike wherever they stand.
        let row = (y * self.scale).round() as i32;
        self.canvas.ink(mask, (left, row), color);
    }

    /// A rectangle of points in pixels.
    fn area(&self, x: f32, y: f32, width: f32, height: f32) -> Area {
        Area {
            left: x * self.scale,
            top: y * self.scale,
            width: width * self.scale,
            height: height * self.scale,
        }
    }
}
