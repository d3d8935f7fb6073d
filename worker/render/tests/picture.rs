//! Pictures of pages.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod support;

use std::io::{Cursor, Write as _};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use image::{ImageReader, RgbImage};
use render::blocks::{Block, Image, Section};
use render::picture::{Error, Sheets};
use render::{Document, Engine, Options, Rendered, Theme};
use support::{cv, portrait};

static ENGINE: LazyLock<Engine> = LazyLock::new(|| Engine::new().unwrap());

/// Pixels along the side of the squares whose means are compared.
const SQUARE: u32 = 12;

fn set(document: &Document, options: &Options) -> (Rendered, Sheets<'static>) {
    ENGINE.render_with_sheets(document, options).unwrap()
}

fn report() -> (Rendered, Sheets<'static>) {
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
    set(&document, &Options::default())
}

/// The first page of a PDF in so many pixels, as poppler draws it.
fn of_pdf(pdf: &[u8], (width, height): (u32, u32)) -> RgbImage {
    let (width, height) = (width.to_string(), height.to_string());
    let mut poppler = Command::new("pdftoppm")
        .args(["-png", "-singlefile", "-scale-to-x", &width])
        .args(["-scale-to-y", &height, "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("pdftoppm, of Debian's package poppler-utils");
    poppler.stdin.take().unwrap().write_all(pdf).unwrap();
    let drawn = poppler.wait_with_output().unwrap();
    assert!(drawn.status.success(), "{}", drawn.status);
    pixels(drawn.stdout)
}

fn pixels(png: Vec<u8>) -> RgbImage {
    let reader = ImageReader::new(Cursor::new(png)).with_guessed_format();
    reader.unwrap().decode().unwrap().into_rgb8()
}

#[test]
fn a_page_is_drawn_at_the_width_asked_for() {
    let (_, sheets) = report();
    let draw = |width| pixels(sheets.picture(1, width).unwrap());
    for width in [16, 333, 1_240] {
        let drawn = draw(width);
        assert_eq!(drawn.width(), width);
        // A4 is 210 by 297 mm.
        assert!(drawn.height().abs_diff(width * 297 / 210) <= 1);
    }
    let drawn = draw(400);
    let dark = drawn.pixels().filter(|p| p.0[0] < 128).count();
    let share = dark as f64 / f64::from(drawn.width() * drawn.height());
    assert!((0.02..0.5).contains(&share), "{share} of the page is dark");
    assert_eq!(drawn.get_pixel(2, 2).0, [255; 3], "the margin is white");
}

#[test]
fn the_same_page_gives_the_same_bytes() {
    let (_, sheets) = report();
    let first = sheets.picture(1, 300).unwrap();
    assert_ne!(first, sheets.picture(2, 300).unwrap());
    // Nor do the glyphs of other pictures change it.
    let (_, elsewhere) = cv_of("harbour", include_str!("data/sample_cv.json"));
    elsewhere.picture(1, 301).unwrap();
    assert_eq!(first, sheets.picture(1, 300).unwrap());
    let fresh = Engine::new().unwrap();
    let document = Document {
        title: "Report".to_owned(),
        language: "en".to_owned(),
        body: vec![Block::Paragraph("A line.".into())],
        ..Document::default()
    };
    let (_, cold) = fresh
        .render_with_sheets(&document, &Options::default())
        .unwrap();
    let (_, warm) = set(&document, &Options::default());
    assert_eq!(cold.picture(1, 300), warm.picture(1, 300));
}

#[test]
fn what_cannot_be_drawn_is_named() {
    let (_, sheets) = report();
    let check = |page, width, want: Error| {
        assert_eq!(sheets.picture(page, width), Err(want));
    };
    check(1, 15, Error::Width(15));
    check(1, 4_001, Error::Width(4_001));
    check(0, 100, Error::NoSuchPage { page: 0, pages: 2 });
    check(3, 100, Error::NoSuchPage { page: 3, pages: 2 });
}

fn cv_of(theme: &str, json: &str) -> (Rendered, Sheets<'static>) {
    let mut document = cv::document(&serde_json::from_str(json).unwrap());
    if let Some(Block::Masthead(masthead)) = document.body.first_mut() {
        masthead.photo = Some(Image {
            data: portrait::jpeg(240, 320).into(),
            alt: "A portrait of nobody".to_owned(),
        });
    }
    let options = Options {
        theme: Theme::named(theme).unwrap(),
        ..Options::default()
    };
    set(&document, &options)
}

/// The means of all squares of a picture, channel by channel.
fn means(picture: &RgbImage) -> Vec<f32> {
    let (columns, rows) = (picture.width() / SQUARE, picture.height() / SQUARE);
    let mut means = vec![0.0; (columns * rows * 3) as usize];
    for (x, y, pixel) in picture.enumerate_pixels() {
        let (column, row) = (x / SQUARE, y / SQUARE);
        if column < columns && row < rows {
            let first = ((row * columns + column) * 3) as usize;
            for (mean, value) in means[first..first + 3].iter_mut().zip(pixel.0) {
                *mean += f32::from(value) / (SQUARE * SQUARE) as f32;
            }
        }
    }
    means
}

#[test]
fn sheets_show_what_the_pdf_shows() {
    let english = include_str!("data/sample_cv.json");
    let arabic = include_str!("data/sample_cv_ar.json");
    let check = |name: &str, theme: &str, json: &str| {
        let (rendered, sheets) = cv_of(theme, json);
        let own = pixels(sheets.picture(1, 960).unwrap());
        let other = of_pdf(&rendered.pdf, own.dimensions());
        let (own, other) = (means(&own), means(&other));
        let off = own.iter().zip(&other).map(|(a, b)| (a - b).abs());
        let (all, worst) = off.fold((0.0, 0.0_f32), |(all, worst), off| {
            (all + off, worst.max(off))
        });
        let mean = all / own.len() as f32;
        // Letters and rules may stand half a pixel apart.
        let case = format!("{name} {theme}: {mean} in the mean, {worst} at most");
        println!("{case}");
        assert!(mean < 2.5 && worst < 40.0, "{case}");
    };
    for theme in Theme::all() {
        check("en", theme.name(), english);
    }
    check("ar", "zurich", arabic);
    check("ar", "harbour", arabic);
}
