//! Draws the pages, and keeps the marks that tie what is drawn to the structure tree.

use std::borrow::Cow;

use krilla::Document;
use krilla::action::{Action, LinkAction};
use krilla::annotation::{Annotation, LinkAnnotation, Target};
use krilla::color::rgb;
use krilla::geom::{Path, PathBuilder, Point, Rect, Size, Transform};
use krilla::image::Image;
use krilla::page::{Page, PageSettings};
use krilla::paint::{Fill, FillRule, Stroke};
use krilla::surface::Surface;
use krilla::tagging::{Artifact, ArtifactType, ContentTag, Identifier, SpanTag};
use krilla::text::{GlyphId, KrillaGlyph};

use super::Source;
use crate::error::Error;
use crate::fonts::REPLACEMENT;
use crate::layout::{FooterLine, Item, Shape};
use crate::prepare::PhotoId;
use crate::text::paragraph::{Ink, Line, Paragraph};
use crate::theme::Rgb;

/// The width of rules, in pt.
const HAIRLINE: f32 = 0.6;
/// The height of a clickable area above and below the baseline, as parts of the text size.
const LINK_ABOVE: f32 = 0.85;
const LINK_BELOW: f32 = 0.28;
/// How far the control points of a quarter circle lie from its ends, as a part of the radius.
const QUARTER_CIRCLE: f32 = 0.552_284_8;

/// For each item, what it left on its page.
pub(super) type Marks = Vec<Vec<Mark>>;

/// A piece of marked content.
#[derive(Clone, Copy)]
pub(super) struct Mark {
    pub(super) id: Identifier,
    /// The page it is on, from 0.
    pub(super) page: usize,
    /// An index into the paragraph's links.
    pub(super) link: Option<u32>,
    /// Where a picture stands.
    pub(super) area: Option<Rect>,
}

/// A link's area on a page, waiting for the page's content to be complete.
struct LinkArea {
    item: usize,
    /// The mark of the text that it covers.
    mark: usize,
    area: Rect,
    uri: String,
    label: String,
}

pub(super) fn pages(source: &Source<'_>, document: &mut Document) -> Result<Marks, Error> {
    let mut marks = vec![Vec::new(); source.layout.items];
    for (index, items) in source.layout.pages.iter().enumerate() {
        let settings = PageSettings::from_wh(source.metrics.page_width, source.metrics.page_height)
            .ok_or_else(|| Error::Pdf("empty page".to_owned()))?;
        let mut page = document.start_page_with(settings);
        let links = {
            let mut pen = Pen {
                source,
                page: index,
                surface: page.surface(),
                links: Vec::new(),
            };
            for item in items {
                pen.item(item, &mut marks[item.id.0])?;
            }
            for footer in source.footers.get(index).into_iter().flatten() {
                pen.footer(footer);
            }
            pen.surface.finish();
            pen.links
        };
        annotate(&mut page, index, links, &mut marks);
        page.finish();
    }
    Ok(marks)
}

/// Adds the links of a page, each mark right after that of the text it covers.
fn annotate(page: &mut Page<'_>, index: usize, links: Vec<LinkArea>, marks: &mut Marks) {
    // From the back, so that a mark's place does not shift before it is used.
    let mut added: Vec<_> = links
        .into_iter()
        .map(
            |LinkArea {
                 item,
                 mark,
                 area,
                 uri,
                 label,
             }| {
                let target = Target::Action(Action::Link(LinkAction::new(uri)));
                let annotation =
                    Annotation::new_link(LinkAnnotation::new(area, target), Some(label));
                (item, mark, page.add_tagged_annotation(annotation))
            },
        )
        .collect();
    added.reverse();
    for (item, mark, id) in added {
        let link = marks[item][mark].link;
        marks[item].insert(
            mark + 1,
            Mark {
                id,
                page: index,
                link,
                area: None,
            },
        );
    }
}

struct Pen<'a, 's> {
    source: &'a Source<'a>,
    page: usize,
    surface: Surface<'s>,
    links: Vec<LinkArea>,
}

impl Pen<'_, '_> {
    fn item(&mut self, item: &Item, marks: &mut Vec<Mark>) -> Result<(), Error> {
        match &item.shape {
            Shape::Line { paragraph, line } => {
                let paragraph = &self.source.prepared.paragraphs[paragraph.0];
                self.line(item, paragraph, line, marks);
            }
            Shape::Rule { width } => self.rule(item.x, item.y, *width),
            Shape::Photo {
                photo,
                width,
                height,
                radius,
            } => {
                let area = Rect::from_xywh(item.x, item.y, *width, *height);
                let area = area.ok_or_else(|| Error::Pdf("empty picture".to_owned()))?;
                marks.push(self.photo(*photo, area, *radius)?);
            }
        }
        Ok(())
    }

    /// Draws a line in stretches of one link.
    fn line(&mut self, item: &Item, paragraph: &Paragraph, line: &Line, marks: &mut Vec<Mark>) {
        let size = self.source.metrics.size(paragraph.role);
        let x_of = |glyph: usize| {
            let offset = paragraph.offsets[glyph] - paragraph.offsets[line.glyphs.start];
            item.x + offset as f32 * size
        };
        let link_of = |glyph: usize| paragraph.spans[paragraph.glyphs[glyph].span as usize].link;
        let mut start = line.glyphs.start;
        while start < line.glyphs.end {
            let target = link_of(start);
            let end = (start + 1..line.glyphs.end)
                .find(|&at| link_of(at) != target)
                .unwrap_or(line.glyphs.end);
            let id = self
                .surface
                .start_tagged(ContentTag::Span(SpanTag::empty()));
            self.glyphs(paragraph, start..end, x_of(start), item.y, size);
            self.surface.end_tagged();
            marks.push(Mark {
                id,
                page: self.page,
                link: target,
                area: None,
            });

            let ink_end = paragraph.trimmed(start, end);
            if let Some(target) = target
                && ink_end > start
            {
                let (top, bottom) = (item.y - size * LINK_ABOVE, item.y + size * LINK_BELOW);
                let uri = paragraph.links[target as usize].clone();
                if let Some(area) = Rect::from_ltrb(x_of(start), top, x_of(ink_end), bottom) {
                    let label = format!("{} ({uri})", paragraph.slice(&(start..ink_end)));
                    self.links.push(LinkArea {
                        item: item.id.0,
                        mark: marks.len() - 1,
                        area,
                        uri,
                        label,
                    });
                }
            }
            start = end;
        }
    }

    fn footer(&mut self, footer: &FooterLine) {
        let size = self.source.metrics.size(footer.paragraph.role);
        let artifact = Artifact::with_kind(ArtifactType::Footer);
        self.surface.start_tagged(ContentTag::Artifact(artifact));
        self.glyphs(
            &footer.paragraph,
            footer.line.glyphs.clone(),
            footer.x,
            footer.y,
            size,
        );
        self.surface.end_tagged();
    }

    /// Draws glyphs from `x` on, one font and colour after the other.
    fn glyphs(
        &mut self,
        paragraph: &Paragraph,
        range: std::ops::Range<usize>,
        x: f32,
        y: f32,
        size: f32,
    ) {
        let glyphs = &paragraph.glyphs[range];
        let mut x = x;
        for run in glyphs.chunk_by(|a, b| a.span == b.span) {
            let span = paragraph.spans[run[0].span as usize];
            let face = self.source.fonts.face(span.face).pdf();
            let read_as = if span.replaced {
                self.declare_replacement(run[0].id, face);
                let text = &paragraph.text[run[0].start as usize..run[run.len() - 1].end as usize];
                let public = |c| if is_private(c) { REPLACEMENT } else { c };
                Cow::Owned(text.chars().map(public).collect::<String>())
            } else {
                Cow::Borrowed(paragraph.text.as_str())
            };
            let drawn: Vec<KrillaGlyph> = run
                .iter()
                .map(|glyph| {
                    // Replacements share the text of their run: it becomes its `ActualText`.
                    let range = if span.replaced {
                        0..read_as.len()
                    } else {
                        glyph.start as usize..glyph.end as usize
                    };
                    let id = GlyphId::new(u32::from(glyph.id));
                    KrillaGlyph::new(id, glyph.advance, glyph.dx, glyph.dy, 0.0, range, None)
                })
                .collect();
            self.surface.set_fill(Some(self.fill(span.ink)));
            self.surface.draw_glyphs(
                Point::from_xy(x, y),
                &drawn,
                face.clone(),
                &read_as,
                size,
                false,
            );
            x += run.iter().map(|glyph| glyph.advance).sum::<f32>() * size;
        }
    }

    /// Tells the PDF that the replacement's glyph reads as U+FFFD, so that its first use does not lend it the
    /// meaning of one missing character. Readers that know `ActualText` see all of them as they were written.
    fn declare_replacement(&mut self, id: u16, face: &krilla::text::Font) {
        let text = REPLACEMENT.to_string();
        let glyph = KrillaGlyph::new(
            GlyphId::new(u32::from(id)),
            1.0,
            0.0,
            0.0,
            0.0,
            0..text.len(),
            None,
        );
        // A stream that is never placed: it only leaves its entry in the font's table.
        let mut unplaced = self.surface.stream_builder();
        let mut surface = unplaced.surface();
        surface.draw_glyphs(
            Point::from_xy(0.0, 0.0),
            &[glyph],
            face.clone(),
            &text,
            1.0,
            false,
        );
        surface.finish();
        drop(unplaced.finish());
    }

    fn rule(&mut self, x: f32, y: f32, width: f32) {
        let mut path = PathBuilder::new();
        path.move_to(x, y);
        path.line_to(x + width, y);
        let Some(path) = path.finish() else {
            return;
        };
        self.surface
            .start_tagged(ContentTag::Artifact(Artifact::with_kind(
                ArtifactType::Layout,
            )));
        self.surface.set_fill(None);
        self.surface.set_stroke(Some(Stroke {
            paint: color(self.source.options.theme.colors.rule).into(),
            width: HAIRLINE,
            ..Stroke::default()
        }));
        self.surface.draw_path(&path);
        self.surface.set_stroke(None);
        self.surface.end_tagged();
    }

    fn photo(&mut self, photo: PhotoId, area: Rect, radius: f32) -> Result<Mark, Error> {
        let unusable = || Error::Pdf("a picture of ours cannot be read".to_owned());
        let photo = &self.source.prepared.photos[photo.0];
        let image = Image::from_jpeg(photo.jpeg.clone().into(), false).map_err(|_| unusable())?;
        let placed = covering(area, photo.size).ok_or_else(unusable)?;
        let size = Size::from_wh(placed.width(), placed.height()).ok_or_else(unusable)?;
        let frame = rounded(area, radius).ok_or_else(unusable)?;
        let id = self.surface.start_tagged(ContentTag::Other);
        self.surface.push_clip_path(&frame, &FillRule::NonZero);
        self.surface
            .push_transform(&Transform::from_translate(placed.left(), placed.top()));
        self.surface.draw_image(image, size);
        self.surface.pop();
        self.surface.pop();
        self.surface.end_tagged();
        Ok(Mark {
            id,
            page: self.page,
            link: None,
            area: Some(area),
        })
    }

    fn fill(&self, ink: Ink) -> Fill {
        let colors = &self.source.options.theme.colors;
        let rgb = match ink {
            Ink::Text => colors.text,
            Ink::Accent => colors.accent,
            Ink::Muted => colors.muted,
        };
        Fill {
            paint: color(rgb).into(),
            ..Fill::default()
        }
    }
}

fn color(Rgb(red, green, blue): Rgb) -> rgb::Color {
    rgb::Color::new(red, green, blue)
}

/// PDF/A does not let the text of a document be private characters.
fn is_private(c: char) -> bool {
    matches!(u32::from(c), 0xE000..=0xF8FF | 0xF_0000..=0x10_FFFF)
}

/// The smallest place of a picture's form around the middle of an area that leaves none of it bare.
fn covering(area: Rect, (width, height): (u32, u32)) -> Option<Rect> {
    let (width, height) = (width as f32, height as f32);
    let scale = (area.width() / width).max(area.height() / height);
    let (width, height) = (width * scale, height * scale);
    let (left, top) = (
        area.left() + (area.width() - width) / 2.0,
        area.top() + (area.height() - height) / 2.0,
    );
    Rect::from_xywh(left, top, width, height)
}

fn rounded(area: Rect, radius: f32) -> Option<Path> {
    let (left, top, right, bottom) = (area.left(), area.top(), area.right(), area.bottom());
    let mut path = PathBuilder::new();
    if radius <= 0.0 {
        path.push_rect(area);
        return path.finish();
    }
    let bend = radius * (1.0 - QUARTER_CIRCLE);
    path.move_to(left + radius, top);
    path.line_to(right - radius, top);
    path.cubic_to(right - bend, top, right, top + bend, right, top + radius);
    path.line_to(right, bottom - radius);
    path.cubic_to(
        right,
        bottom - bend,
        right - bend,
        bottom,
        right - radius,
        bottom,
    );
    path.line_to(left + radius, bottom);
    path.cubic_to(
        left + bend,
        bottom,
        left,
        bottom - bend,
        left,
        bottom - radius,
    );
    path.line_to(left, top + radius);
    path.cubic_to(left, top + bend, left + bend, top, left + radius, top);
    path.close();
    path.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_cover_their_area_around_its_middle() {
        let area = Rect::from_xywh(10.0, 20.0, 30.0, 40.0).unwrap();
        let check = |size, x, y, width, height| {
            let expect = Rect::from_xywh(x, y, width, height).unwrap();
            assert_eq!(covering(area, size), Some(expect), "{size:?}");
        };
        check((30, 40), 10.0, 20.0, 30.0, 40.0);
        check((300, 400), 10.0, 20.0, 30.0, 40.0);
        check((40, 40), 5.0, 20.0, 40.0, 40.0);
        check((15, 40), 10.0, 0.0, 30.0, 80.0);
        check((1, 1), 5.0, 20.0, 40.0, 40.0);
    }
}
