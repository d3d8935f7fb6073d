//! What holds for every layout, whatever the document.

#![allow(
    clippy::float_cmp,
    reason = "steps of shrinking are chosen, not computed"
)]

use std::collections::BTreeMap;
use std::sync::OnceLock;

use proptest::prelude::*;

use super::*;
use crate::blocks::{Block, Document, Entry, Image, Masthead, Row, Section, Text};
use crate::fonts::Fonts;
use crate::options::Pages;
use crate::prepare::{Prepared, prepare};
use crate::theme::Theme;

fn fonts() -> &'static Fonts {
    static FONTS: OnceLock<Fonts> = OnceLock::new();
    FONTS.get_or_init(|| Fonts::embedded().unwrap())
}

fn prepared(body: Vec<Block>) -> Prepared {
    let document = Document {
        title: "Test".into(),
        language: "en".into(),
        body,
        ..Document::default()
    };
    prepare(&document, &Theme::zurich(), fonts()).unwrap()
}

fn set(body: Vec<Block>, target: Pages) -> (Prepared, fit::Fitted) {
    let prepared = prepared(body);
    let fitted = fit(&prepared, &Theme::zurich(), target).unwrap();
    (prepared, fitted)
}

fn paragraph(words: usize) -> Block {
    Block::Paragraph(vec!["word"; words].join(" ").as_str().into())
}

fn section(blocks: Vec<Block>) -> Block {
    Block::Section(Section {
        title: "Title".into(),
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
        .flat_map(|(page, items)| items.iter().map(move |item| (item.id, (page, item))))
        .collect()
}

fn nothing_leaves_the_margins(prepared: &Prepared, fitted: &fit::Fitted) {
    const ROUNDING: f32 = 0.05;
    let metrics = &fitted.metrics;
    for item in fitted.layout.pages.iter().flatten() {
        let (width, top, bottom, alone) = match &item.shape {
            Shape::Line { paragraph, line } => {
                let paragraph = &prepared.paragraphs[paragraph.0];
                let size = metrics.size(paragraph.role);
                let clusters = paragraph.slice(&line.glyphs).trim_end().chars().count();
                let below = metrics.line_height(paragraph.role) - metrics.baseline(paragraph.role);
                (
                    line.width as f32 * size,
                    item.y - size * 0.72,
                    item.y + below,
                    clusters == 1,
                )
            }
            Shape::Rule { width } => (*width, item.y, item.y, false),
            Shape::Photo { width, height, .. } => (*width, item.y, item.y + height, false),
        };
        assert!(
            item.x >= metrics.left - ROUNDING,
            "{item:?} is left of the page"
        );
        assert!(
            alone || item.x + width <= metrics.right + ROUNDING,
            "{item:?} is right of the page"
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
        let expected = usize::from(!matches!(item.shape, Shape::Rule { .. }));
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
                .find(|(_, (_, item))| !matches!(item.shape, Shape::Rule { .. }));
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
    nothing_leaves_the_margins(&prepared, &fitted);
    everything_is_in_the_tree_once(&fitted.layout);
    pages_end_in_good_places(&prepared, &fitted.layout);
    fitted.layout.pages.len()
}

#[test]
fn headings_stay_with_their_text_wherever_the_page_ends() {
    for lead in 38..56 {
        let mut body: Vec<_> = (0..lead).map(|_| Block::Paragraph("line".into())).collect();
        body.push(section(vec![entry(60), entry(5)]));
        body.push(section(vec![Block::List(vec!["one".into(), "two".into()])]));
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
        };
        let (_, fitted) = set(
            vec![Block::Masthead(masthead.clone()), paragraph(30)],
            Pages::Auto,
        );
        let items: Vec<_> = fitted.layout.pages[0].iter().collect();
        let area = items.iter().find_map(|item| match item.shape {
            Shape::Photo { width, height, .. } => Some((item.x, width, item.y + height)),
            _ => None,
        });
        let (left, width, bottom) = area.unwrap();
        assert!((left + width - fitted.metrics.right).abs() < 0.01);
        let last = items.last().unwrap();
        assert!(
            last.y - fitted.metrics.sizes.text > bottom,
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
            Block::List(vec!["".into()]),
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
            let pages = fitted.layout.pages.len() as u32;
            assert_eq!(
                fitted.warning,
                Some(crate::Warning::OverTarget { pages, target: 2 })
            );
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
        .iter()
        .filter_map(|item| match &item.shape {
            Shape::Line { paragraph, line } => {
                Some(prepared.paragraphs[paragraph.0].slice(&line.glyphs))
            }
            _ => None,
        })
        .collect();
    assert_eq!(lines, ["Position", "2020 – 2024", "word word word"]);
}

fn any_text() -> impl Strategy<Value = Text> {
    prop_oneof![
        3 => "[a-zżß .,-]{0,120}",
        1 => "\\PC{0,40}",
        1 => "[a-z]{0,200}",
    ]
    .prop_map(Text::from)
}

fn any_block() -> impl Strategy<Value = Block> {
    let leaf = prop_oneof![
        any_text().prop_map(Block::Paragraph),
        prop::collection::vec(any_text(), 0..6).prop_map(Block::List),
        prop::collection::vec((any_text(), any_text()), 0..4).prop_map(|rows| {
            Block::Rows(
                rows.into_iter()
                    .map(|(label, value)| Row { label, value })
                    .collect(),
            )
        }),
        Just(Block::Image(photo())),
    ];
    leaf.prop_recursive(3, 24, 6, |inner| {
        let blocks = || prop::collection::vec(inner.clone(), 0..6);
        prop_oneof![
            (any_text(), blocks())
                .prop_map(|(title, blocks)| Block::Section(Section { title, blocks })),
            (any_text(), any_text(), any_text(), blocks()).prop_map(
                |(title, date, subtitle, body)| {
                    Block::Entry(Entry {
                        date,
                        title,
                        subtitle,
                        body,
                    })
                }
            ),
            (any_text(), blocks(), any::<bool>()).prop_map(|(title, body, with_photo)| {
                Block::Masthead(Masthead {
                    title,
                    body,
                    photo: with_photo.then(photo),
                })
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn all_layouts_are_sound(body in prop::collection::vec(any_block(), 0..12), target in 0u8..4) {
        let target = if target == 0 { Pages::Auto } else { Pages::Fixed(target) };
        let (prepared, fitted) = set(body, target);
        nothing_leaves_the_margins(&prepared, &fitted);
        everything_is_in_the_tree_once(&fitted.layout);
    }
}
