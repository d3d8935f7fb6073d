//! Tests of photos: formats, colours, orientations, limits, damage.

use std::io::Write as _;

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, GrayImage, ImageEncoder, Luma, Rgb, Rgba, RgbaImage};

use super::*;

const RED: Rgb<u8> = Rgb([220, 20, 20]);
const BLUE: Rgb<u8> = Rgb([20, 20, 220]);
const FRAME: Frame = Frame::Cropped {
    width: 30,
    height: 40,
};

/// Red on the left, blue on the right.
fn halves(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, _| if x < width / 2 { RED } else { BLUE })
}

fn jpeg(picture: &RgbImage) -> Vec<u8> {
    let mut file = Vec::new();
    JpegEncoder::new_with_quality(&mut file, 95)
        .encode_image(picture)
        .unwrap();
    file
}

fn png(picture: &[u8], width: u32, height: u32, color: ExtendedColorType) -> Vec<u8> {
    let mut file = Vec::new();
    PngEncoder::new(&mut file)
        .write_image(picture, width, height, color)
        .unwrap();
    file
}

/// Puts an EXIF segment with an orientation (TIFF 6.0, tag 0x0112) behind the start of a JPEG.
fn with_orientation(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let tiff = [
        b"II\x2A\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0",
        &[orientation, 0, 0, 0, 0, 0, 0, 0][..],
    ]
    .concat();
    let length = (2 + 6 + tiff.len()) as u16;
    [
        &jpeg[..2],
        &[0xFF, 0xE1],
        &length.to_be_bytes(),
        b"Exif\0\0",
        &tiff,
        &jpeg[2..],
    ]
    .concat()
}

fn decoded(file: &[u8]) -> RgbImage {
    image::load_from_memory(file).unwrap().into_rgb8()
}

fn is_near(pixel: Rgb<u8>, expected: Rgb<u8>) -> bool {
    pixel
        .0
        .iter()
        .zip(expected.0)
        .all(|(a, b)| a.abs_diff(b) < 40)
}

#[test]
fn pictures_are_cropped_to_the_frame_and_never_enlarged() {
    let check = |size: (u32, u32), expect: (u32, u32)| {
        let (file, size) = develop(&jpeg(&halves(size.0, size.1)), FRAME).unwrap();
        assert_eq!((size, decoded(&file).dimensions()), (expect, expect));
        let picture = decoded(&file);
        let (first, last) = (
            *picture.get_pixel(0, 0),
            *picture.get_pixel(expect.0 - 1, expect.1 - 1),
        );
        assert!(
            is_near(first, RED) && is_near(last, BLUE),
            "the middle is kept"
        );
    };
    check((300, 400), (30, 40));
    check((900, 400), (30, 40));
    check((300, 1400), (30, 40));
    check((90, 20), (15, 20));
    check((1000, 41), (30, 40));
}

#[test]
fn whole_pictures_keep_their_form() {
    let (_, size) = develop(&jpeg(&halves(3200, 400)), Frame::Whole).unwrap();
    assert_eq!(size, (1600, 200));
    let (_, size) = develop(&jpeg(&halves(32, 4)), Frame::Whole).unwrap();
    assert_eq!(size, (32, 4));
}

#[test]
fn all_orientations_are_honoured_and_the_segment_dropped() {
    const GREEN: Rgb<u8> = Rgb([20, 200, 20]);
    const WHITE: Rgb<u8> = Rgb([250, 250, 250]);
    // As stored: red and green above blue and white.
    let check = |orientation: u8, expect: [[Rgb<u8>; 2]; 2]| {
        let turned = orientation >= 5;
        let (width, height) = if turned { (400, 300) } else { (300, 400) };
        let picture = RgbImage::from_fn(width, height, |x, y| {
            match (x < width / 2, y < height / 2) {
                (true, true) => RED,
                (false, true) => GREEN,
                (true, false) => BLUE,
                (false, false) => WHITE,
            }
        });
        let file = with_orientation(&jpeg(&picture), orientation);
        assert!(file.windows(4).any(|bytes| bytes == b"Exif"));
        let (file, size) = develop(&file, FRAME).unwrap();
        assert_eq!(size, (30, 40), "{orientation}");
        assert!(!file.windows(4).any(|bytes| bytes == b"Exif"));
        let picture = decoded(&file);
        for (y, row) in [(3, expect[0]), (36, expect[1])] {
            for (x, color) in [(3, row[0]), (26, row[1])] {
                let found = *picture.get_pixel(x, y);
                assert!(
                    is_near(found, color),
                    "{orientation}: {found:?} at {x}, {y}"
                );
            }
        }
    };
    check(1, [[RED, GREEN], [BLUE, WHITE]]);
    check(2, [[GREEN, RED], [WHITE, BLUE]]);
    check(3, [[WHITE, BLUE], [GREEN, RED]]);
    check(4, [[BLUE, WHITE], [RED, GREEN]]);
    check(5, [[RED, BLUE], [GREEN, WHITE]]);
    check(6, [[BLUE, RED], [WHITE, GREEN]]);
    check(7, [[WHITE, GREEN], [BLUE, RED]]);
    check(8, [[GREEN, WHITE], [RED, BLUE]]);
}

#[test]
fn small_pictures_that_lie_on_their_side_are_turned_too() {
    let file = with_orientation(&jpeg(&halves(40, 30)), 6);
    let (file, size) = develop(&file, FRAME).unwrap();
    assert_eq!(size, (30, 40));
    let picture = decoded(&file);
    assert!(is_near(*picture.get_pixel(15, 2), RED) && is_near(*picture.get_pixel(15, 37), BLUE));
}

#[test]
fn cmyk_becomes_rgb() {
    let (file, _) = develop(include_bytes!("../../tests/data/cmyk.jpg"), FRAME).unwrap();
    let picture = decoded(&file);
    assert!(
        is_near(*picture.get_pixel(15, 5), Rgb([255, 0, 0])),
        "{:?}",
        picture.get_pixel(15, 5)
    );
    assert!(
        is_near(*picture.get_pixel(15, 35), Rgb([0, 255, 255])),
        "{:?}",
        picture.get_pixel(15, 35)
    );
}

#[test]
fn grey_jpegs_are_taken_in_any_size() {
    for (width, height) in [(30, 40), (300, 400)] {
        let mut file = Vec::new();
        JpegEncoder::new_with_quality(&mut file, 95)
            .encode_image(&GrayImage::from_pixel(width, height, Luma([90])))
            .unwrap();
        let (file, size) = develop(&file, FRAME).unwrap();
        assert_eq!(size, (30, 40));
        assert!(is_near(*decoded(&file).get_pixel(15, 20), Rgb([90; 3])));
    }
}

#[test]
fn a_picture_that_ends_too_early_is_broken() {
    for size in [(45, 60), (300, 400)] {
        let file = jpeg(&halves(size.0, size.1));
        let cut = &file[..file.len() * 9 / 10];
        assert_eq!(develop(cut, FRAME), Err(PhotoFault::Broken), "{size:?}");
    }
}

#[test]
fn transparency_becomes_white() {
    let clear = RgbaImage::from_pixel(30, 40, Rgba([0, 0, 0, 0]));
    let (file, _) = develop(&png(&clear, 30, 40, ExtendedColorType::Rgba8), FRAME).unwrap();
    assert!(is_near(
        *decoded(&file).get_pixel(5, 5),
        Rgb([255, 255, 255])
    ));
}

#[test]
fn grey_and_deep_pngs_are_taken() {
    for (bytes, color) in [
        (1, ExtendedColorType::L8),
        (2, ExtendedColorType::L16),
        (6, ExtendedColorType::Rgb16),
    ] {
        let file = png(&vec![200; 30 * 40 * bytes], 30, 40, color);
        assert_eq!(develop(&file, FRAME).unwrap().1, (30, 40), "{color:?}");
    }
}

#[test]
fn transparency_fades_to_white_in_deep_and_grey_pictures() {
    let check = |pixel: &[u8], color, expect: u8| {
        let file = png(&pixel.repeat(30 * 40), 30, 40, color);
        let (file, _) = develop(&file, FRAME).unwrap();
        let found = *decoded(&file).get_pixel(15, 20);
        assert!(is_near(found, Rgb([expect; 3])), "{color:?}: {found:?}");
    };
    check(&[0, 128], ExtendedColorType::La8, 127);
    check(&[0, 0, 128, 128], ExtendedColorType::La16, 127);
    check(&[0, 0, 0, 128], ExtendedColorType::Rgba8, 127);
    check(&[0, 0, 0, 0, 0, 0, 255, 255], ExtendedColorType::Rgba16, 0);
}

#[test]
fn interlaced_pngs_are_taken() {
    const SIZE: (u32, u32) = (60, 80);
    // First column, first row, steps (PNG, 8.2).
    const PASSES: [[u32; 4]; 7] = [
        [0, 0, 8, 8],
        [4, 0, 8, 8],
        [0, 4, 4, 8],
        [2, 0, 4, 4],
        [0, 2, 2, 4],
        [1, 0, 2, 2],
        [0, 1, 1, 2],
    ];
    let mut rows = Vec::new();
    for [x, y, dx, dy] in PASSES {
        for _ in (y..SIZE.1).step_by(dy as usize) {
            rows.push(0);
            let columns = (x..SIZE.0).step_by(dx as usize);
            rows.extend(columns.map(|x| if x < SIZE.0 / 2 { 30 } else { 220 }));
        }
    }
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(&rows).unwrap();
    let header = [&[0, 0, 0, 60, 0, 0, 0, 80][..], &[8, 0, 0, 0, 1]].concat();
    let mut file = b"\x89PNG\r\n\x1A\n".to_vec();
    for (name, data) in [
        (b"IHDR", header),
        (b"IDAT", packed.finish().unwrap()),
        (b"IEND", Vec::new()),
    ] {
        let chunk = [name.as_slice(), &data].concat();
        file.extend((data.len() as u32).to_be_bytes());
        file.extend(&chunk);
        file.extend(crc(&chunk).to_be_bytes());
    }
    let (file, size) = develop(&file, FRAME).unwrap();
    let picture = decoded(&file);
    assert_eq!(size, (30, 40));
    assert!(is_near(*picture.get_pixel(3, 20), Rgb([30; 3])));
    assert!(is_near(*picture.get_pixel(26, 20), Rgb([220; 3])));
}

#[test]
fn progressive_jpegs_are_scaled() {
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, 90);
    encoder.set_progressive(true);
    let pixels = halves(300, 400).into_raw();
    let color = jpeg_encoder::ColorType::Rgb;
    encoder.encode(&pixels, 300, 400, color).unwrap();
    let (file, size) = develop(&file, FRAME).unwrap();
    assert_eq!(size, (30, 40));
    assert!(is_near(*decoded(&file).get_pixel(3, 20), RED));
}

#[test]
fn noise_does_not_make_a_heavy_file() {
    let frame = Frame::of(28.5, 38.0);
    let mut state = 1_u32;
    let noise = RgbImage::from_fn(400, 500, |_, _| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        Rgb([(state >> 24) as u8; 3])
    });
    let (smooth, _) = develop(&jpeg(&halves(900, 1200)), frame).unwrap();
    let (rough, _) = develop(&jpeg(&noise), frame).unwrap();
    let scaled = crop_and_scale(&noise, frame, Orientation::NoTransforms);
    let best = encode(&scaled, JPEG_QUALITIES[0]).unwrap();
    assert!(smooth.len() <= frame.weight());
    assert!(
        rough.len() < best.len(),
        "{} of {}",
        rough.len(),
        best.len()
    );
}

#[test]
fn sizes_are_checked_before_anything_is_decoded() {
    let check = |width, height, bytes, expect| {
        let found = check_size(width, height, bytes).err();
        assert_eq!(found, expect, "{width} by {height}, {bytes} bytes a pixel");
    };
    check(7300, 5400, 3, None);
    check(7300, 5400, 4, None);
    check(8000, 5001, 3, Some(PhotoFault::TooLarge));
    check(7300, 5400, 9, Some(PhotoFault::TooLarge));
    check(u32::MAX, u32::MAX, 3, Some(PhotoFault::TooLarge));
    check(0, 5400, 3, Some(PhotoFault::Broken));

    let mut huge = jpeg(&halves(60, 80));
    let frame = huge.windows(2).position(|at| at == [0xFF, 0xC0]).unwrap();
    huge[frame + 5..frame + 9].copy_from_slice(&[0xEA, 0x60, 0xEA, 0x60]);
    assert_eq!(develop(&huge, FRAME), Err(PhotoFault::TooLarge));
}

#[test]
fn what_cannot_be_used_says_why() {
    let check = |file: &[u8], expect| assert_eq!(develop(file, FRAME), Err(expect));
    let good = jpeg(&halves(300, 400));
    check(b"", PhotoFault::Unsupported);
    check(b"GIF89a", PhotoFault::Unsupported);
    check(&good[..20], PhotoFault::Broken);
    check(&[0xFF, 0xD8, 0xFF, 0xE0], PhotoFault::Broken);
    let mut huge = png(&[0; 3], 1, 1, ExtendedColorType::Rgb8);
    // The header says 60,000 by 60,000; nothing is decoded to find out.
    huge[16..24].copy_from_slice(&[0, 0, 0xEA, 0x60, 0, 0, 0xEA, 0x60]);
    let crc = crc(&huge[12..29]).to_be_bytes();
    huge[29..33].copy_from_slice(&crc);
    check(&huge, PhotoFault::TooLarge);
    check(
        &[good.as_slice(), &vec![0; MAX_FILE]].concat(),
        PhotoFault::TooLarge,
    );
}

#[test]
fn damaged_pictures_never_panic() {
    let good = jpeg(&halves(60, 80));
    for at in (2..good.len()).step_by(7) {
        let mut bad = good.clone();
        bad[at] ^= 0x55;
        let _ = develop(&bad, FRAME);
        let _ = develop(&good[..at], FRAME);
    }
}

/// The checksum of a PNG chunk (PNG, annex D).
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg())
        })
    })
}
