//! What holds for every layout, whatever the document.

use proptest::prelude::*;

use super::*;
use crate::blocks::{Align, Column, Item as ListItem, Marker, Table};

fn any_text() -> impl Strategy<Value = Text> {
    prop_oneof![
        3 => "[a-zżß .,-]{0,120}",
        1 => "\\PC{0,40}",
        1 => "[a-z]{0,200}",
    ]
    .prop_map(Text::from)
}

fn any_marker() -> impl Strategy<Value = Marker> {
    prop_oneof![
        Just(Marker::Bullet),
        Just(Marker::Number),
        Just(Marker::Reference),
        Just(Marker::Hanging),
        Just(Marker::None),
    ]
}

fn any_table() -> impl Strategy<Value = Block> {
    let row = || prop::collection::vec(any_text(), 0..5);
    let share = prop_oneof![-1.0f32..10.0, Just(f32::NAN), Just(1e30)];
    (
        prop::collection::vec(share, 0..5),
        row(),
        prop::collection::vec(row(), 0..5),
    )
        .prop_map(|(shares, header, rows)| {
            let column = |share| Column {
                share,
                align: Align::Center,
            };
            Block::Table(Table {
                columns: shares.into_iter().map(column).collect(),
                header,
                rows,
            })
        })
}

fn any_block() -> impl Strategy<Value = Block> {
    let leaf = prop_oneof![
        any_text().prop_map(Block::Paragraph),
        (prop::collection::vec(any_text(), 0..6), any_marker()).prop_map(|(items, marker)| {
            let items = items.into_iter().map(ListItem::from).collect();
            Block::List(List { marker, items })
        }),
        prop::collection::vec(any_text(), 0..6).prop_map(Block::Inline),
        any_text().prop_map(Block::Heading),
        any_text().prop_map(|text| Block::Aligned(Align::End, text)),
        (-1.0f32..30.0).prop_map(Block::Space),
        any_table(),
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
            (any_text(), blocks()).prop_map(|(title, blocks)| Block::Section(Section {
                role: "languages".into(),
                title,
                blocks
            })),
            (any_text(), any_text(), any_text(), blocks()).prop_map(
                |(title, date, subtitle, body)| {
                    Block::Entry(Entry {
                        date,
                        title,
                        subtitle,
                        body,
                        ..Entry::default()
                    })
                }
            ),
            (any_text(), blocks(), any::<bool>()).prop_map(|(title, body, with_photo)| {
                Block::Masthead(Masthead {
                    title,
                    body,
                    photo: with_photo.then(photo),
                    ..Masthead::default()
                })
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn all_layouts_are_sound(
        body in prop::collection::vec(any_block(), 0..12),
        target in 0u8..4,
        theme in 0usize..6,
        rtl in any::<bool>(),
    ) {
        let options = Options {
            page_target: if target == 0 { Pages::Auto } else { Pages::Fixed(target) },
            theme: Theme::all().nth(theme).unwrap(),
            ..Options::default()
        };
        let (prepared, fitted) = set_as(body, &options, if rtl { "ar" } else { "en" });
        nothing_leaves_its_column(&prepared, &fitted);
        everything_is_in_the_tree_once(&fitted.layout);
    }
}
