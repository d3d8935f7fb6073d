//! How much of each pixel a glyph covers, kept between pages: most glyphs of a page were on an earlier one.
//!
//! A mask follows from its key alone, so the cache changes how long a picture takes and nothing else.
//! Bounded: a few megabytes, whatever it is fed.

use std::collections::HashMap;

use ab_glyph_rasterizer::{Point, Rasterizer, point};
use harfrust::GlyphId;
use read_fonts::model::glyph::outline::{DrawMemory, DrawOptions, PathSink};

use crate::fonts::{Face, FaceId};

/// Bytes of all masks that are kept.
const MAX_BYTES: usize = 1 << 20;
/// Masks that are kept.
const MAX_KEPT: usize = 8_192;
/// The widest and highest mask, in pixels; six times the em of a name in the widest picture of an A4 page.
const MAX_SIDE: f32 = 1_024.0;
/// The places within a pixel that a glyph can start at.
const STEPS: f32 = 4.0;

/// Masks of glyphs.
pub(crate) struct Masks {
    rasterizer: Rasterizer,
    outline: Outline,
    kept: HashMap<Key, Kept>,
    /// The coverage of all that are kept, one after the other.
    shares: Vec<u8>,
}

/// What is covered, from where the glyph stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mask<'m> {
    /// From the pixel that the glyph starts in to the first column.
    pub(super) left: i32,
    /// From the baseline to the first row; negative is above it.
    pub(super) top: i32,
    /// Its columns.
    pub(super) width: u32,
    /// Row by row, in parts of 255.
    pub(super) shares: &'m [u8],
}

impl Mask<'_> {
    /// Its rows from the top.
    pub(super) fn rows(&self) -> std::slice::ChunksExact<'_, u8> {
        // No row at all has no width.
        self.shares.chunks_exact(self.width.max(1) as usize)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    face: FaceId,
    glyph: u32,
    /// The bits of the size.
    size: u32,
    /// Where within its first pixel it starts.
    step: u8,
}

#[derive(Debug, Clone, Copy)]
struct Kept {
    left: i32,
    top: i32,
    width: u32,
    start: usize,
    end: usize,
}

impl Default for Masks {
    fn default() -> Self {
        Self {
            rasterizer: Rasterizer::new(0, 0),
            outline: Outline::default(),
            kept: HashMap::new(),
            shares: Vec::new(),
        }
    }
}

impl Masks {
    /// The mask of a glyph of `size` pixels per em that starts at `x`, and the pixel that it is placed from.
    pub(super) fn glyph(
        &mut self,
        face: &Face,
        (id, glyph): (FaceId, GlyphId),
        size: f32,
        x: f32,
    ) -> (Mask<'_>, i32) {
        let pixel = (x * STEPS).round() / STEPS;
        let first = pixel.floor();
        let part = pixel - first;
        let key = Key {
            face: id,
            glyph: glyph.to_u32(),
            size: size.to_bits(),
            step: (part * STEPS) as u8,
        };
        let kept = match self.kept.get(&key) {
            Some(kept) => *kept,
            None => self.draw(key, face, glyph, size, part),
        };
        let mask = Mask {
            left: kept.left,
            top: kept.top,
            width: kept.width,
            shares: &self.shares[kept.start..kept.end],
        };
        (mask, first as i32)
    }

    fn draw(&mut self, key: Key, face: &Face, glyph: GlyphId, size: f32, part: f32) -> Kept {
        self.outline.start(size / face.units_per_em(), part);
        let drawn = face.font().outline_glyphs().get(glyph).map(|outline| {
            let memory = DrawMemory::default();
            outline.draw(&DrawOptions::new(), memory, &mut self.outline)
        });
        // What a font cannot draw is left out, as viewers of the PDF leave it out.
        if !matches!(drawn, Some(Ok(_))) {
            self.outline.start(0.0, 0.0);
        }
        self.outline.close();
        if self.kept.len() >= MAX_KEPT || self.shares.len() >= MAX_BYTES {
            self.kept.clear();
            self.shares = Vec::new();
        }
        let kept = self.rasterize();
        self.kept.insert(key, kept);
        kept
    }

    /// Turns the outline into the newest mask.
    fn rasterize(&mut self) -> Kept {
        let start = self.shares.len();
        let Outline { low, high, .. } = self.outline;
        let (left, top) = (low.x.floor(), low.y.floor());
        let (wide, high) = (high.x.ceil() - left, high.y.ceil() - top);
        // Nothing was drawn if the lowest point lies above the highest; a NaN is drawn neither.
        let drawable = |side: f32| (1.0..=MAX_SIDE).contains(&side);
        if !drawable(wide) || !drawable(high) {
            return Kept {
                left: 0,
                top: 0,
                width: 0,
                start,
                end: start,
            };
        }
        self.rasterizer.reset(wide as usize, high as usize);
        let place = |p: Point| point(p.x - left, p.y - top);
        for segment in &self.outline.segments {
            match *segment {
                Segment::Line(a, b) => self.rasterizer.draw_line(place(a), place(b)),
                Segment::Quad(a, b, c) => {
                    self.rasterizer.draw_quad(place(a), place(b), place(c));
                }
                Segment::Cubic(a, b, c, d) => {
                    let (a, b, c, d) = (place(a), place(b), place(c), place(d));
                    self.rasterizer.draw_cubic(a, b, c, d);
                }
            }
        }
        let shares = &mut self.shares;
        self.rasterizer
            .for_each_pixel(|_, share| shares.push((share.min(1.0) * 255.0 + 0.5) as u8));
        Kept {
            left: left as i32,
            top: top as i32,
            width: wide as u32,
            start,
            end: self.shares.len(),
        }
    }
}

/// A glyph's outline in pixels, y downwards.
#[derive(Default)]
struct Outline {
    scale: f32,
    shift: f32,
    segments: Vec<Segment>,
    /// Where the contour began, and where the pen stands.
    first: Point,
    pen: Point,
    /// The corners of a box around all points.
    low: Point,
    high: Point,
}

enum Segment {
    Line(Point, Point),
    Quad(Point, Point, Point),
    Cubic(Point, Point, Point, Point),
}

impl Outline {
    /// Empties it for a glyph of some scale, shifted to the right.
    fn start(&mut self, scale: f32, shift: f32) {
        self.segments.clear();
        *self = Self {
            scale,
            shift,
            segments: std::mem::take(&mut self.segments),
            low: point(f32::INFINITY, f32::INFINITY),
            high: point(f32::NEG_INFINITY, f32::NEG_INFINITY),
            ..Self::default()
        };
    }

    fn place(&mut self, x: f32, y: f32) -> Point {
        let placed = point(x * self.scale + self.shift, -y * self.scale);
        self.low = point(self.low.x.min(placed.x), self.low.y.min(placed.y));
        self.high = point(self.high.x.max(placed.x), self.high.y.max(placed.y));
        placed
    }

    fn line(&mut self, to: Point) {
        self.segments.push(Segment::Line(self.pen, to));
        self.pen = to;
    }
}

impl PathSink for Outline {
    fn move_to(&mut self, x: f32, y: f32) {
        self.close();
        self.first = self.place(x, y);
        self.pen = self.first;
    }

    fn line_to(&mut self, x: f32, y: f32) {
        let to = self.place(x, y);
        self.line(to);
    }

    fn quad_to(&mut self, cx0: f32, cy0: f32, x: f32, y: f32) {
        let (control, to) = (self.place(cx0, cy0), self.place(x, y));
        self.segments.push(Segment::Quad(self.pen, control, to));
        self.pen = to;
    }

    fn curve_to(&mut self, cx0: f32, cy0: f32, cx1: f32, cy1: f32, x: f32, y: f32) {
        let (near, far, to) = (self.place(cx0, cy0), self.place(cx1, cy1), self.place(x, y));
        self.segments.push(Segment::Cubic(self.pen, near, far, to));
        self.pen = to;
    }

    fn close(&mut self) {
        if self.pen != self.first {
            self.line(self.first);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fonts::Fonts;

    /// How many pixels a letter darkens, all in all.
    fn ink(masks: &mut Masks, fonts: &Fonts, c: char, size: f32, x: f32) -> (f32, i32) {
        let id = FaceId::default();
        let face = fonts.face(id);
        let glyph = face.font().charmap().map_unicode(c).unwrap();
        let (mask, first) = masks.glyph(face, (id, glyph), size, x);
        let ink = mask
            .shares
            .iter()
            .map(|&share| f32::from(share))
            .sum::<f32>();
        (ink / 255.0, first)
    }

    #[test]
    fn ink_grows_with_the_size_and_not_with_the_place() {
        let fonts = Fonts::embedded().unwrap();
        let mut masks = Masks::default();
        for c in ['H', 'o', '.', 'Ж', '@'] {
            let (small, _) = ink(&mut masks, &fonts, c, 20.0, 0.0);
            let (large, _) = ink(&mut masks, &fonts, c, 40.0, 0.0);
            // Small curves are drawn with few lines.
            let growth = large / small / 4.0;
            assert!((growth - 1.0).abs() < 0.1, "{c}: {small} {large}");
            for (x, first) in [(7.26, 7), (7.49, 7), (7.9, 8), (-0.3, -1)] {
                let (moved, placed) = ink(&mut masks, &fonts, c, 20.0, x);
                assert!((moved / small - 1.0).abs() < 0.05, "{c}: {small} {moved}");
                assert_eq!(placed, first, "{c} at {x}");
            }
        }
        assert!(ink(&mut masks, &fonts, ' ', 20.0, 0.0).0 < 0.1);
    }

    #[test]
    fn an_upright_stem_covers_what_it_should() {
        let fonts = Fonts::embedded().unwrap();
        let id = FaceId::default();
        let face = fonts.face(id);
        let glyph = face.font().charmap().map_unicode('|').unwrap();
        let mut masks = Masks::default();
        let (mask, _) = masks.glyph(face, (id, glyph), 200.0, 0.0);
        let rows: Vec<_> = mask.rows().map(<[u8]>::to_vec).collect();
        assert!(rows.len() > 150 && mask.top < -100 && mask.left > 0);
        let middle = &rows[rows.len() / 2];
        assert!(
            middle[1..middle.len() - 1]
                .iter()
                .all(|&share| share == 255)
        );
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let fonts = Fonts::embedded().unwrap();
        let (mut masks, mut fresh) = (Masks::default(), 0);
        for size in 1..900_u16 {
            for c in ['M', 'W', 'g'] {
                let size = 10.0 + f32::from(size) / 8.0;
                let before = masks.kept.len();
                ink(&mut masks, &fonts, c, size, 0.0);
                fresh += usize::from(masks.kept.len() <= before);
                assert!(masks.shares.len() < MAX_BYTES + 40_000 && masks.kept.len() <= MAX_KEPT);
            }
        }
        assert!(fresh > 0, "it was never full");
        // Too large to be drawn at all.
        assert!(ink(&mut masks, &fonts, 'M', 1e7, 0.0).0 < 0.1);
        assert!(ink(&mut masks, &fonts, 'M', f32::NAN, 0.0).0 < 0.1);
    }
}
