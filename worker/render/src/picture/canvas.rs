//! The pixels of a page: colours laid over each other, on white.

use std::ops::Range;

use image::RgbImage;

use super::masks::Mask;
use crate::theme::Rgb;

/// Red, green and blue.
type Pixel = [u8; 3];

/// A page in the making.
pub(super) struct Canvas {
    width: usize,
    height: usize,
    pixels: Vec<Pixel>,
}

/// A rectangle in pixels and parts of such, from the top left of the page.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Area {
    pub(super) left: f32,
    pub(super) top: f32,
    pub(super) width: f32,
    pub(super) height: f32,
}

impl Canvas {
    /// White paper.
    pub(super) fn new(width: u32, height: u32) -> Self {
        let (width, height) = (width as usize, height as usize);
        Self {
            width,
            height,
            pixels: vec![[255; 3]; width * height],
        }
    }

    /// The bytes of its pixels, row by row.
    pub(super) fn bytes(&self) -> &[u8] {
        self.pixels.as_flattened()
    }

    /// Lays a colour over what a mask covers; `x` and `y` are where the mask's own place is counted from.
    pub(super) fn ink(&mut self, mask: Mask<'_>, (x, y): (i32, i32), Rgb(red, green, blue): Rgb) {
        let color = [red, green, blue];
        let (left, top) = (
            i64::from(x) + i64::from(mask.left),
            i64::from(y) + i64::from(mask.top),
        );
        let columns = within(left, left + i64::from(mask.width), self.width);
        if columns.is_empty() {
            return;
        }
        // How many of the mask's columns lie left of the page.
        let cut = usize::try_from(-left).unwrap_or(0);
        for (row, shares) in (top..).zip(mask.rows()) {
            let row = usize::try_from(row).ok().filter(|&row| row < self.height);
            let Some(row) = row else {
                continue;
            };
            let start = row * self.width;
            let pixels = &mut self.pixels[start + columns.start..start + columns.end];
            for (pixel, &share) in pixels.iter_mut().zip(&shares[cut..]) {
                lay(pixel, color, share);
            }
        }
    }

    /// Fills a rectangle with a colour.
    pub(super) fn fill(&mut self, area: Area, Rgb(red, green, blue): Rgb) {
        let color = [red, green, blue];
        let (right, bottom) = (area.left + area.width, area.top + area.height);
        let columns = cells(area.left, right, self.width);
        // Most pixels of an area are covered whole.
        let whole = within(area.left.ceil() as i64, right.floor() as i64, self.width);
        for row in cells(area.top, bottom, self.height) {
            let high = covered(row, area.top, bottom);
            let start = row * self.width;
            let pixels = &mut self.pixels[start..start + self.width];
            let whole = if high < 1.0 { 0..0 } else { whole.clone() };
            pixels[whole.clone()].fill(color);
            for column in columns.clone().filter(|column| !whole.contains(column)) {
                let share = high * covered(column, area.left, right);
                lay(&mut pixels[column], color, rounded(share));
            }
        }
    }

    /// Stretches a picture over a rectangle with rounded corners.
    pub(super) fn paste(&mut self, picture: &RgbImage, area: Area, radius: f32) {
        let (half_width, half_height) = (area.width / 2.0, area.height / 2.0);
        let (middle, center) = (area.left + half_width, area.top + half_height);
        let radius = radius.min(half_width).min(half_height).max(0.0);
        let source = |at: f32, pixels: u32| ((at * pixels as f32) as u32).min(pixels - 1);
        for row in cells(area.top, area.top + area.height, self.height) {
            let y = row as f32 + 0.5;
            let from_y = source((y - area.top) / area.height, picture.height());
            for column in cells(area.left, area.left + area.width, self.width) {
                let x = column as f32 + 0.5;
                let from_x = source((x - area.left) / area.width, picture.width());
                // How far the middle of the pixel lies outside of the rounded rectangle.
                let across = (x - middle).abs() - half_width + radius;
                let down = (y - center).abs() - half_height + radius;
                let corner = across.max(0.0).powi(2) + down.max(0.0).powi(2);
                let outside = corner.sqrt() + across.max(down).min(0.0) - radius;
                let share = (0.5 - outside).clamp(0.0, 1.0);
                let color = picture.get_pixel(from_x, from_y).0;
                let pixel = &mut self.pixels[row * self.width + column];
                lay(pixel, color, rounded(share));
            }
        }
    }
}

/// Mixes a colour into a pixel, of which it covers so many 255ths.
fn lay(pixel: &mut Pixel, color: Pixel, share: u8) {
    match share {
        0 => {}
        255 => *pixel = color,
        _ => {
            let share = u32::from(share);
            for (old, new) in pixel.iter_mut().zip(color) {
                let mixed = u32::from(*old) * (255 - share) + u32::from(new) * share;
                *old = ((mixed + 127) / 255) as u8;
            }
        }
    }
}

/// The pixels of a canvas of `size` from one place up to another; none if that comes first.
fn within(from: i64, to: i64, size: usize) -> Range<usize> {
    let place = |at: i64| usize::try_from(at).unwrap_or(0).min(size);
    place(from)..place(to.max(from))
}

/// The pixels of a canvas of `size` that a length touches.
fn cells(low: f32, high: f32, size: usize) -> Range<usize> {
    // A cast of what is no number gives 0.
    within(low.floor() as i64, high.ceil() as i64, size)
}

/// A share from 0 to 1 in 255ths.
fn rounded(share: f32) -> u8 {
    (share * 255.0 + 0.5) as u8
}

/// How much of a pixel a length covers.
fn covered(cell: usize, low: f32, high: f32) -> f32 {
    let cell = cell as f32;
    (high.min(cell + 1.0) - low.max(cell)).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLACK: Rgb = Rgb(0, 0, 0);

    fn reds(canvas: &Canvas) -> Vec<u8> {
        canvas.pixels.iter().map(|pixel| pixel[0]).collect()
    }

    #[test]
    fn areas_cover_parts_of_pixels() {
        let check = |left, width, expect: [u8; 4]| {
            let mut canvas = Canvas::new(4, 1);
            let area = Area {
                left,
                top: 0.0,
                width,
                height: 1.0,
            };
            canvas.fill(area, BLACK);
            assert_eq!(reds(&canvas), expect, "{left} {width}");
        };
        check(1.0, 2.0, [255, 0, 0, 255]);
        check(0.5, 1.0, [127, 127, 255, 255]);
        check(1.25, 0.5, [255, 127, 255, 255]);
        check(-3.0, 4.0, [0, 255, 255, 255]);
        check(3.0, 90.0, [255, 255, 255, 0]);
        check(9.0, 1.0, [255; 4]);
        check(f32::NAN, 1.0, [255; 4]);
    }

    #[test]
    fn masks_beyond_the_edges_are_cut() {
        let shares = [255; 6];
        let mask = Mask {
            left: -1,
            top: -1,
            width: 3,
            shares: &shares,
        };
        let check = |x, y, expect: [u8; 4]| {
            let mut canvas = Canvas::new(2, 2);
            canvas.ink(mask, (x, y), BLACK);
            assert_eq!(reds(&canvas), expect, "{x} {y}");
        };
        check(0, 0, [0, 0, 255, 255]);
        check(1, 1, [0, 0, 0, 0]);
        check(2, 2, [255, 255, 255, 0]);
        check(3, 0, [255; 4]);
        check(0, i32::MIN, [255; 4]);
        check(i32::MAX, i32::MAX, [255; 4]);
    }

    #[test]
    fn pictures_fill_their_frame_but_for_round_corners() {
        let black = RgbImage::new(3, 3);
        let area = Area {
            left: 1.0,
            top: 1.0,
            width: 8.0,
            height: 8.0,
        };
        let share = |radius| {
            let mut canvas = Canvas::new(10, 10);
            canvas.paste(&black, area, radius);
            let dark: f32 = reds(&canvas).iter().map(|&red| f32::from(255 - red)).sum();
            dark / 255.0
        };
        assert!((share(0.0) - 64.0).abs() < 0.1);
        let circle = std::f32::consts::PI * 16.0;
        assert!((share(4.0) - circle).abs() < 1.0, "{}", share(4.0));
        assert!((share(99.0) - circle).abs() < 1.0);
    }
}
