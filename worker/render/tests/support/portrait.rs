//! A portrait of nobody, drawn by code.

use image::codecs::jpeg::JpegEncoder;
use image::{Rgb, RgbImage};

/// A JPEG of a figure before a wall.
pub fn jpeg(width: u32, height: u32) -> Vec<u8> {
    let mut file = Vec::new();
    JpegEncoder::new_with_quality(&mut file, 90)
        .encode_image(&picture(width, height))
        .unwrap();
    file
}

pub fn picture(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let u = (x as f32 + 0.5) / width as f32 * 2.0 - 1.0;
        let v = (y as f32 + 0.5) / height as f32 * 2.0 - 1.0;
        let within = |cx: f32, cy: f32, rx: f32, ry: f32| {
            ((u - cx) / rx).powi(2) + ((v - cy) / ry).powi(2) < 1.0
        };
        let shade =
            |base: [f32; 3], light: f32| Rgb(base.map(|c| (c * light).clamp(0.0, 255.0) as u8));
        if within(0.0, -0.22, 0.36, 0.40) && v > -0.42 + 0.1 * u {
            shade([226.0, 184.0, 156.0], 1.0 - 0.16 * u)
        } else if within(0.0, -0.30, 0.44, 0.44) {
            shade([74.0, 52.0, 40.0], 1.0 - 0.2 * u)
        } else if within(0.0, 0.26, 0.17, 0.3) {
            shade([208.0, 166.0, 140.0], 1.0 - 0.16 * u)
        } else if within(0.0, 1.15, 0.86, 0.82) {
            let collar = u.abs() < 0.28 - 0.5 * (v - 0.4);
            shade(
                if collar {
                    [240.0, 240.0, 244.0]
                } else {
                    [44.0, 62.0, 92.0]
                },
                1.0 - 0.12 * u,
            )
        } else {
            shade([196.0, 206.0, 216.0], 1.02 - 0.1 * v - 0.06 * u)
        }
    })
}
