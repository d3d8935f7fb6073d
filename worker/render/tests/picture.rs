//! Pictures of pages.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::io::Cursor;

use image::{ImageReader, RgbImage};
use render::blocks::{Block, Section};
use render::picture::{Error, picture};
use render::{Document, Engine, Options};

fn pdf() -> Vec<u8> {
    let section = |title: &str| {
        Block::Section(Section {
            title: title.into(),
            blocks: vec![Block::Paragraph("Words on a page. ".repeat(200).into())],
            ..Section::default()
        })
    };
    let document = Document {
        title: "Report".to_owned(),
        language: "en".to_owned(),
        body: vec![section("First"), section("Second")],
        ..Document::default()
    };
    let engine = Engine::new().unwrap();
    engine.render(&document, &Options::default()).unwrap().pdf
}

fn pixels(png: Vec<u8>) -> RgbImage {
    let reader = ImageReader::new(Cursor::new(png)).with_guessed_format();
    reader.unwrap().decode().unwrap().into_rgb8()
}

#[test]
fn a_page_is_drawn_at_the_width_asked_for() {
    let pdf = pdf();
    for width in [16, 333, 800, 2_480] {
        let drawn = pixels(picture(&pdf, 1, width).unwrap());
        assert_eq!(drawn.width(), width);
        // A4 is 210 by 297 mm.
        assert!(drawn.height().abs_diff(width * 297 / 210) <= 1);
    }
    let drawn = pixels(picture(&pdf, 1, 400).unwrap());
    let dark = drawn.pixels().filter(|p| p.0[0] < 128).count();
    let share = dark as f64 / f64::from(drawn.width() * drawn.height());
    assert!((0.02..0.5).contains(&share), "{share} of the page is dark");
    assert_eq!(drawn.get_pixel(2, 2).0, [255; 3], "the margin is white");
}

#[test]
fn the_same_page_gives_the_same_bytes() {
    let pdf = pdf();
    let first = picture(&pdf, 1, 300).unwrap();
    assert_eq!(first, picture(&pdf, 1, 300).unwrap());
    assert_ne!(first, picture(&pdf, 2, 300).unwrap());
}

#[test]
fn what_cannot_be_drawn_is_named() {
    let pdf = pdf();
    let check = |pdf: &[u8], page, width, want: Error| {
        assert_eq!(picture(pdf, page, width), Err(want));
    };
    check(&pdf, 1, 15, Error::Width(15));
    check(&pdf, 1, 4_001, Error::Width(4_001));
    check(&pdf, 0, 100, Error::NoSuchPage { page: 0, pages: 2 });
    check(&pdf, 3, 100, Error::NoSuchPage { page: 3, pages: 2 });
    check(b"%PDF-1.7", 1, 100, Error::NotAPdf);
}
