//! What layouts are checked for, and how documents come to their pages.

#![allow(
    clippy::float_cmp,
    reason = "steps of shrinking are chosen, not computed"
)]

mod kinds;
mod sound;
mod themes;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::*;
use crate::blocks::{Block, Document, Entry, Image, List, Masthead, Row, Section, Text};
use crate::fonts::Fonts;
use crate::options::{Options, Pages};
use crate::prepare::{Prepared, prepare};
use crate::text::paragraph::Role;
use crate::theme::Theme;

fn fonts() -> &'static Fonts {
    static FONTS: OnceLock<Fonts> = OnceLock::new();
    FONTS.get_or_init(|| Fonts::embedded().unwrap())
}

fn set_as(body: Vec<Block>, options: &Options, language: &str) -> (Prepared, fit::Fitted) {
    let document = Document {
        title: "Test".into(),
        language: language.into(),
        body,
        ..Document::default()
    };
    let prepared = prepare(&document, options, fonts()).unwrap();
    let fitted = fit(&prepared, options).unwrap();
    (prepared, fitted)
}

fn set(body: Vec<Block>, target: Pages) -> (Prepared, fit::Fitted) {
    let options = Options {
        page_target: target,
        ..Options::default()
    };
    set_as(body, &options, "en")
}

fn themed(name: &str) -> Options {
    Options {
        theme: Theme::named(name).unwrap(),
        ..Options::default()
    }
}

fn paragraph(words: usize) -> Block {
    Block::Paragraph(vec!["word"; words].join(" ").as_str().into())
}

fn section(blocks: Vec<Block>) -> Block {
    Block::Section(Section {
        title: "Title".into(),
        blocks,
        ..Section::default()
    })
}

/// A section with a role, and that as its title.
fn role(role: &str, blocks: Vec<Block>) -> Block {
    Block::Section(Section {
        role: role.into(),
        title: role.into(),
        blocks,
    })
}

fn entry(words: usize) -> Block {
    let (title, date) = ("Position".into(), "2020 – 2024".into());
    Block::Entry(Entry {
        title,
        date,
        body: vec![paragraph(words)],
        ..Entry::default()
    })
}

fn photo() -> Image {
    let mut data = Vec::new();
    let picture = image::RgbImage::from_pixel(30, 40, image::Rgb([200, 100, 50]));
    image::codecs::jpeg::JpegEncoder::new(&mut data)
        .encode_image(&picture)
        .unwrap();
    Image {
        data: data.into(),
        alt: "A test".into(),
    }
}

/// Every item with its page, in reading order.
fn by_id(layout: &Layout) -> BTreeMap<ItemId, (usize, &Item)> {
    let pages = layout.pages.iter().enumerate();
    pages
        .flat_map(|(page, content)| content.items.iter().map(move |item| (page, item)))
        .filter(|(_, item)| !item.copy)
        .map(|(page, item)| (item.id, (page, item)))
        .collect()
}

fn items(layout: &Layout) -> impl Iterator<Item = &Item> {
    layout.pages.iter().flat_map(|page| &page.items)
}

fn is_decoration(item: &Item) -> bool {
    matches!(item.shape, Shape::Rule { .. } | Shape::Area { .. })
}

fn nothing_leaves_its_column(prepared: &Prepared, fitted: &fit::Fitted) {
    const ROUNDING: f32 = 0.05;
    /// Characters of a letter with its marks: a line is no narrower than that.
    const LONGEST_CLUSTER: usize = 4;
    let metrics = &fitted.metrics;
    for item in items(&fitted.layout) {
        let (top, bottom, alone) = match &item.shape {
            Shape::Line {
                paragraph,
                line,
                size,
            } => {
                let paragraph = &prepared.paragraphs[paragraph.0];
                let clusters = paragraph.slice(&line.glyphs).trim_end().chars().count();
                let below = metrics.line_height(paragraph.role, item.zone)
                    - metrics.baseline(paragraph.role, item.zone);
                (
                    item.y - size * 0.72,
                    item.y + below,
                    clusters <= LONGEST_CLUSTER,
                )
            }
            Shape::Rule { .. } => (item.y, item.y, false),
            Shape::Photo { height, .. } | Shape::Area { height, .. } => {
                (item.y, item.y + height, false)
            }
        };
        let frame = match item.zone {
            Zone::Main => metrics.main,
            Zone::Side => metrics.side.unwrap(),
            Zone::Band => metrics.across,
        };
        let (left, right) = if prepared.rtl {
            (
                metrics.page_width - frame.end(),
                metrics.page_width - frame.x,
            )
        } else {
            (frame.x, frame.end())
        };
        // A lone character may be wider than its column.
        assert!(
            alone || item.x >= left - ROUNDING,
            "{item:?} is left of its column"
        );
        assert!(
            alone || item.x + item.width() <= right + ROUNDING,
            "{item:?} is right of its column"
        );
        assert!(top >= metrics.top - ROUNDING, "{item:?} is above the page");
        assert!(
            bottom <= metrics.bottom + ROUNDING,
            "{item:?} is below the page"
        );
    }
}

fn everything_is_in_the_tree_once(layout: &Layout) {
    let mut seen = vec![0; layout.items];
    for node in &layout.nodes {
        for child in &node.children {
            if let Child::Item(id) = child {
                seen[id.0] += 1;
            }
        }
    }
    let placed = by_id(layout);
    assert_eq!(
        placed.len(),
        layout.items,
        "an item is missing from the pages"
    );
    for (id, (_, item)) in placed {
        let expected = usize::from(!is_decoration(item));
        assert_eq!(seen[id.0], expected, "{item:?}");
    }
}

fn pages_end_in_good_places(prepared: &Prepared, layout: &Layout) {
    let placed = by_id(layout);
    for node in &layout.nodes {
        let items = node.children.iter().filter_map(|child| match child {
            Child::Item(id) => Some(*id),
            Child::Node(_) => None,
        });
        let pages: Vec<_> = items.clone().map(|id| placed[&id].0).collect();
        if let (NodeRole::Heading(..), Some(last)) = (&node.role, items.clone().next_back()) {
            let next = placed
                .range(last..)
                .skip(1)
                .find(|(_, (_, item))| !is_decoration(item));
            if let Some((_, (page, _))) = next {
                assert_eq!(
                    pages.last(),
                    Some(page),
                    "a heading stands alone at the foot of a page"
                );
            }
        }
        if pages.len() > 1 && pages.first() != pages.last() {
            let on = |page| pages.iter().filter(|p| **p == page).count();
            assert!(
                on(pages[0]) > 1 && on(pages[pages.len() - 1]) > 1,
                "a single line: {pages:?}"
            );
        }
    }
    assert!(!prepared.paragraphs.is_empty() || layout.items == 0);
}

fn check(body: Vec<Block>, target: Pages) -> usize {
    let (prepared, fitted) = set(body, target);
    nothing_leaves_its_column(&prepared, &fitted);
    everything_is_in_the_tree_once(&fitted.layout);
    pages_end_in_good_places(&prepared, &fitted.layout);
    fitted.layout.pages.len()
}

#[test]
fn headings_stay_with_their_text_wherever_the_page_ends() {
    for lead in 38..56 {
        let mut body: Vec<_> = (0..lead).map(|_| Block::Paragraph("line".into())).collect();
        body.push(section(vec![entry(60), entry(5)]));
        body.push(section(vec![Block::List(
            vec!["one".into(), "two".into()].into(),
        )]));
        check(body, Pages::Auto);
    }
}

#[test]
fn paragraphs_never_leave_a_single_line() {
    for lead in 30..50 {
        let mut body: Vec<_> = (0..lead).map(|_| Block::Paragraph("line".into())).collect();
        body.extend([paragraph(40), paragraph(60), paragraph(100)]);
        check(body, Pages::Auto);
    }
}

#[test]
fn what_is_higher_than_a_page_is_broken_all_the_same() {
    let long = Text::from("word ".repeat(4000));
    let pages = check(
        vec![Block::Entry(Entry {
            title: "t".into(),
            date: long,
            ..Entry::default()
        })],
        Pages::Auto,
    );
    assert!(pages > 2);
}

#[test]
fn the_photo_pushes_nothing_out_of_place() {
    for lines in [0, 1, 3, 20] {
        let masthead = Masthead {
            title: "Name".into(),
            body: (0..lines).map(|_| paragraph(3)).collect(),
            photo: Some(photo()),
            ..Masthead::default()
        };
        let (_, fitted) = set(
            vec![Block::Masthead(masthead.clone()), paragraph(30)],
            Pages::Auto,
        );
        let items: Vec<_> = fitted.layout.pages[0].items.iter().collect();
        let area = items.iter().find_map(|item| match item.shape {
            Shape::Photo { width, height, .. } => Some((item.x, width, item.y + height)),
            _ => None,
        });
        let (left, width, bottom) = area.unwrap();
        assert!((left + width - fitted.metrics.main.end()).abs() < 0.01);
        let last = items.last().unwrap();
        assert!(
            last.y - fitted.metrics.size(Role::Text, Zone::Main) > bottom,
            "text beside the photo's foot"
        );
        check(vec![Block::Masthead(masthead), paragraph(30)], Pages::Auto);
    }
}

#[test]
fn the_photo_stays_on_its_page_even_beside_more_than_a_page_of_text() {
    for lead in 30..50 {
        let mut body: Vec<_> = (0..lead).map(|_| Block::Paragraph("line".into())).collect();
        body.push(Block::Masthead(Masthead {
            title: "Name".into(),
            body: vec![paragraph(2000)],
            photo: Some(photo()),
            ..Masthead::default()
        }));
        check(body, Pages::Auto);
    }
}

#[test]
fn sections_without_content_show_nothing() {
    let empty = [
        section(vec![]),
        section(vec![
            Block::Paragraph(" \u{200B}".into()),
            Block::List(vec!["".into()].into()),
        ]),
        section(vec![section(vec![Block::Rows(vec![Row::default()])])]),
        Block::Entry(Entry::default()),
        Block::Masthead(Masthead::default()),
    ];
    let (_, fitted) = set(empty.to_vec(), Pages::Auto);
    assert_eq!((fitted.layout.items, fitted.layout.outline.len()), (0, 0));
}

#[test]
fn targets_are_met_by_the_least_that_is_needed() {
    let body = |entries| vec![section((0..entries).map(|_| entry(30)).collect())];
    let natural = |entries| set(body(entries), Pages::Auto).1.layout.pages.len();
    // The most entries that fit two pages as they come, and then more and more.
    let full = (1..100).take_while(|n| natural(*n) <= 2).last().unwrap();
    let mut last = (1.0, 11.0);
    let mut met = 0;
    for entries in full..full + 20 {
        let fitted = set(body(entries), Pages::Fixed(2)).1;
        let shrink = (fitted.shrink.spacing, fitted.shrink.text);
        if fitted.warning.is_none() {
            assert!(
                fitted.layout.pages.len() <= 2 && shrink <= last,
                "{entries}: {shrink:?}"
            );
            assert!(
                shrink.1 == 11.0 || shrink.0 == 0.5,
                "text shrinks only after the gaps"
            );
            (last, met) = (shrink, met + 1);
        } else {
            assert!(matches!(
                fitted.warning,
                Some(crate::Warning::OverTarget {
                    target: 2,
                    excess_mm: 1..,
                    excess_characters: 1..,
                    ..
                })
            ));
            assert_eq!(
                shrink,
                (1.0, 11.0),
                "what does not fit stands at its natural size"
            );
        }
    }
    assert!(
        met > 3 && last.1 < 11.0 && met < 20,
        "{met} documents were shrunk, the last to {last:?}"
    );
}

#[test]
fn a_lonely_last_page_is_taken_in() {
    let lines = |count| {
        (0..count)
            .map(|_| Block::Paragraph("line".into()))
            .collect::<Vec<_>>()
    };
    let full = (1..100)
        .take_while(|n| set(lines(*n), Pages::Auto).1.shrink.spacing == 1.0)
        .last()
        .unwrap();
    let (_, fitted) = set(lines(full + 1), Pages::Auto);
    assert_eq!((fitted.layout.pages.len(), fitted.shrink.text), (1, 11.0));
    assert_eq!(set(lines(full + 20), Pages::Auto).1.layout.pages.len(), 2);
}

#[test]
fn titles_come_before_dates() {
    let (prepared, fitted) = set(vec![entry(3)], Pages::Auto);
    let lines: Vec<_> = fitted.layout.pages[0]
        .items
        .iter()
        .filter_map(|item| match &item.shape {
            Shape::Line {
                paragraph, line, ..
            } => Some(prepared.paragraphs[paragraph.0].slice(&line.glyphs)),
            _ => None,
        })
        .collect();
    assert_eq!(lines, ["Position", "2020 – 2024", "word word word"]);
}

/// The lines of a layout in reading order, page by page.
fn read<'a>(prepared: &'a Prepared, fitted: &'a fit::Fitted) -> Vec<&'a str> {
    items(&fitted.layout)
        .filter_map(|item| match &item.shape {
            Shape::Line {
                paragraph, line, ..
            } => Some(prepared.paragraphs[paragraph.0].slice(&line.glyphs)),
            _ => None,
        })
        .collect()
}
