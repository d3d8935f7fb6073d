//! Colours, rules, areas and pictures.

use krilla::color::rgb;
use krilla::geom::{Path, PathBuilder, Point, Rect, Size, Transform};
use krilla::image::Image;
use krilla::paint::{Fill, FillRule, Stroke};
use krilla::tagging::{Artifact, ArtifactType, ContentTag};
use krilla::text::{GlyphId, KrillaGlyph};

use super::draw::{Mark, Pen};
use crate::error::Error;
use crate::fonts::FaceId;
use crate::layout::{Paint, colors};
use crate::prepare::PhotoId;
use crate::text::paragraph::Ink;
use crate::theme::Rgb;

/// Stands between columns for readers of the text: the invisible separator.
const COLUMN_SEPARATOR: char = '\u{2063}';
/// How far the control points of a quarter circle lie from its ends, as a part of the radius.
const QUARTER_CIRCLE: f32 = 0.552_284_8;

impl Pen<'_, '_> {
    pub(super) fn rule(&mut self, x: f32, y: f32, width: f32, weight: f32) {
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
        let rule = colors::rule(self.source.options.theme.spec(), self.zone);
        self.surface.set_fill(None);
        self.surface.set_stroke(Some(Stroke {
            paint: color(rule).into(),
            width: weight,
            ..Stroke::default()
        }));
        self.surface.draw_path(&path);
        self.surface.set_stroke(None);
        self.surface.end_tagged();
    }

    pub(super) fn area(&mut self, x: f32, y: f32, width: f32, height: f32, paint: Paint) {
        let rgb = colors::area(self.source.options.theme.spec(), self.zone, paint);
        let mut path = PathBuilder::new();
        if let Some(area) = Rect::from_xywh(x, y, width, height) {
            path.push_rect(area);
        }
        let Some(path) = path.finish() else {
            return;
        };
        let kind = match paint {
            Paint::Band | Paint::Sidebar => ArtifactType::Page,
            Paint::Accent | Paint::TitleFill => ArtifactType::Layout,
        };
        self.surface
            .start_tagged(ContentTag::Artifact(Artifact::with_kind(kind)));
        self.surface.set_fill(Some(solid(rgb)));
        self.surface.draw_path(&path);
        self.surface.end_tagged();
    }

    pub(super) fn photo(&mut self, photo: PhotoId, area: Rect, radius: f32) -> Result<Mark, Error> {
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

    pub(super) fn fill(&self, ink: Ink) -> Fill {
        let theme = self.source.options.theme.spec();
        solid(colors::ink(theme, self.zone, ink))
    }

    /// Puts a sign without ink, as high as the page, between the columns. Readers that tell the order of the
    /// text from where it stands then find two columns, and not lines that run across both.
    pub(super) fn part_columns(&mut self) {
        let metrics = self.source.metrics;
        let (Some(_), face) = (metrics.side, self.source.fonts.face(FaceId::default())) else {
            return;
        };
        let Some(glyph) = face.no_ink() else {
            return;
        };
        let (left, right) = metrics.side_edges;
        let x = if left > metrics.main.x {
            f32::midpoint(metrics.main.end(), left)
        } else {
            f32::midpoint(right, metrics.main.x)
        };
        let x = if self.source.prepared.rtl {
            metrics.page_width - x
        } else {
            x
        };
        let text = COLUMN_SEPARATOR.to_string();
        let id = GlyphId::new(u32::from(glyph.id));
        let glyph = KrillaGlyph::new(id, 0.0, 0.0, 0.0, 0.0, 0..text.len(), None);
        // About as much of a letter is above its baseline as this.
        let (size, y) = (metrics.page_height * 0.75, metrics.page_height * 0.8);
        let artifact = Artifact::with_kind(ArtifactType::Layout);
        self.surface.start_tagged(ContentTag::Artifact(artifact));
        self.surface.set_fill(Some(solid(Rgb::WHITE)));
        self.surface.draw_glyphs(
            Point::from_xy(x, y),
            &[glyph],
            face.pdf().clone(),
            &text,
            size,
            false,
        );
        self.surface.end_tagged();
    }
}

fn solid(rgb: Rgb) -> Fill {
    Fill {
        paint: color(rgb).into(),
        ..Fill::default()
    }
}

fn color(Rgb(red, green, blue): Rgb) -> rgb::Color {
    rgb::Color::new(red, green, blue)
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
