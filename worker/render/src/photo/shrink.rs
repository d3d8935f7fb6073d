//! Scales pictures down: each pixel becomes the mean of the area that it covers.
//!
//! Written for this one case, because the general resampling of the `image` crate takes more time than all
//! other work on a document together.

use std::ops::Range;

use image::RgbImage;

const CHANNELS: usize = 3;

/// The pixels of a picture that are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) x: u32,
    pub(super) y: u32,
    pub(super) width: u32,
    pub(super) height: u32,
}

/// Scales a part to a size that is no larger in either direction.
pub(super) fn shrink(picture: &RgbImage, part: Part, width: u32, height: u32) -> RgbImage {
    let columns = shares(part.width, width);
    let rows = shares(part.height, height);
    let stride = picture.width() as usize * CHANNELS;
    let first = part.x as usize * CHANNELS;
    let wide = part.width as usize * CHANNELS;

    let mut out = vec![0; width as usize * height as usize * CHANNELS];
    let (pixels_out, _) = out.as_chunks_mut::<CHANNELS>();
    let mut mean = vec![0.0f32; wide];
    for (row, line) in rows.iter().zip(pixels_out.chunks_exact_mut(width as usize)) {
        mean.fill(0.0);
        for (at, share) in row.iter() {
            let start = (part.y as usize + at) * stride + first;
            let source = &picture.as_raw()[start..start + wide];
            for (mean, value) in mean.iter_mut().zip(source) {
                *mean += share * f32::from(*value);
            }
        }
        let (pixels, _) = mean.as_chunks::<CHANNELS>();
        for (column, pixel) in columns.iter().zip(line) {
            *pixel = column.mean_of(pixels);
        }
    }
    RgbImage::from_raw(width, height, out)
        .expect("there is room for one pixel for each row and column")
}

/// What one pixel is made of: neighbours along one direction, with shares that add up to 1.
struct Share {
    pixels: Range<usize>,
    first: f32,
    middle: f32,
    last: f32,
}

impl Share {
    /// The mean of the pixels along a row.
    fn mean_of(&self, row: &[[f32; CHANNELS]]) -> [u8; CHANNELS] {
        let mut mean = [0.5; CHANNELS];
        let mut add = |share: f32, pixel: &[f32; CHANNELS]| {
            for (mean, value) in mean.iter_mut().zip(pixel) {
                *mean += share * value;
            }
        };
        if let [first, rest @ ..] = &row[self.pixels.clone()] {
            add(self.first, first);
            if let [middle @ .., last] = rest {
                for pixel in middle {
                    add(self.middle, pixel);
                }
                add(self.last, last);
            }
        }
        mean.map(|channel: f32| channel as u8)
    }

    fn iter(&self) -> impl Iterator<Item = (usize, f32)> {
        let (start, end) = (self.pixels.start, self.pixels.end);
        self.pixels.clone().map(move |at| {
            let share = match at {
                _ if at == start => self.first,
                _ if at + 1 == end => self.last,
                _ => self.middle,
            };
            (at, share)
        })
    }
}

fn shares(from: u32, to: u32) -> Vec<Share> {
    let (from, to) = (u64::from(from), u64::from(to));
    // In units of 1/to of a pixel, everything is a whole number.
    let covered = |low: u64, high: u64| (high - low) as f32 / from as f32;
    (0..to)
        .map(|index| {
            let (low, high) = (index * from, (index + 1) * from);
            let pixels = low / to..high.div_ceil(to);
            Share {
                first: covered(low, high.min((pixels.start + 1) * to)),
                middle: covered(0, to),
                last: covered(low.max((pixels.end - 1) * to), high),
                pixels: pixels.start as usize..pixels.end as usize,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    fn grey(values: &[u8]) -> RgbImage {
        RgbImage::from_fn(values.len() as u32, 1, |x, _| Rgb([values[x as usize]; 3]))
    }

    #[test]
    fn pixels_are_means_of_what_they_cover() {
        let check = |values: &[u8], width: u32, expect: &[u8]| {
            let part = Part {
                x: 0,
                y: 0,
                width: values.len() as u32,
                height: 1,
            };
            let out = shrink(&grey(values), part, width, 1);
            let out: Vec<u8> = out.pixels().map(|pixel| pixel.0[0]).collect();
            assert_eq!(out, expect);
        };
        check(&[10, 20, 30, 40], 4, &[10, 20, 30, 40]);
        check(&[10, 20, 30, 40], 2, &[15, 35]);
        check(&[10, 20, 30, 40], 1, &[25]);
        // The middle pixel is shared by halves.
        check(&[0, 90, 240], 2, &[30, 190]);
        check(&[255; 7], 3, &[255; 3]);
    }

    #[test]
    fn only_the_part_counts() {
        let mut picture = RgbImage::from_pixel(10, 10, Rgb([255, 0, 0]));
        for y in 3..7 {
            for x in 2..8 {
                picture.put_pixel(x, y, Rgb([0, 0, 200]));
            }
        }
        let part = Part {
            x: 2,
            y: 3,
            width: 6,
            height: 4,
        };
        let out = shrink(&picture, part, 3, 2);
        assert!(out.pixels().all(|pixel| *pixel == Rgb([0, 0, 200])));
    }

    #[test]
    fn shares_add_up_to_one() {
        for (from, to) in [(7, 3), (1000, 354), (354, 354), (2, 1), (8000, 1)] {
            for share in shares(from, to) {
                let sum: f32 = share.iter().map(|(_, share)| share).sum();
                assert!((sum - 1.0).abs() < 1e-3, "{from} to {to}: {sum}");
            }
        }
    }
}
