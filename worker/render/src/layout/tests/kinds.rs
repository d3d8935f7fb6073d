//! Tables and lists.

use super::*;
use crate::blocks::{Align, Column, Item as ListItem, Marker, Table};

fn table(rows: usize) -> Block {
    let columns = [(2.0, Align::Start), (1.0, Align::Center), (1.0, Align::End)];
    Block::Table(Table {
        columns: columns.map(|(share, align)| Column { share, align }).into(),
        header: ["Head", "Unit", "Sum"].map(Text::from).into(),
        rows: (0..rows)
            .map(|row| {
                vec![
                    format!("Row {row}").into(),
                    "".into(),
                    "1".into(),
                    "more".into(),
                ]
            })
            .collect(),
    })
}

#[test]
fn tables_repeat_their_header_and_keep_their_cells() {
    let (prepared, fitted) = set(vec![table(80)], Pages::Auto);
    nothing_leaves_its_column(&prepared, &fitted);
    everything_is_in_the_tree_once(&fitted.layout);
    let heads = read(&prepared, &fitted)
        .iter()
        .filter(|line| **line == "Head")
        .count();
    assert_eq!(heads, fitted.layout.pages.len());
    assert!(heads > 1);
    let count = |role: &NodeRole| {
        fitted
            .layout
            .nodes
            .iter()
            .filter(|node| node.role == *role)
            .count()
    };
    assert_eq!(count(&NodeRole::TableRow), 81);
    assert_eq!(count(&NodeRole::HeaderCell), 3);
    assert_eq!(count(&NodeRole::Cell), 240);
    // What is beyond the last column stands in it.
    assert!(read(&prepared, &fitted).contains(&"1more"));
}

#[test]
fn markers_stand_before_their_items() {
    let check = |marker: Marker, expect: &[&str]| {
        let items = vec![
            ListItem::from(Text::from("a")),
            ListItem::from(Text::from("b")),
        ];
        let (prepared, fitted) = set(vec![Block::List(List { marker, items })], Pages::Auto);
        assert_eq!(read(&prepared, &fitted), expect);
    };
    check(Marker::Bullet, &["•", "a", "•", "b"]);
    check(Marker::Number, &["1.", "a", "2.", "b"]);
    check(Marker::Reference, &["[1]", "a", "[2]", "b"]);
    check(Marker::Hanging, &["a", "b"]);
    check(Marker::None, &["a", "b"]);
}

#[test]
fn hanging_items_are_indented_after_their_first_line() {
    let text = Text::from("word ".repeat(60));
    let list = List {
        marker: Marker::Hanging,
        items: vec![text.into()],
    };
    let (_, fitted) = set(vec![Block::List(list)], Pages::Auto);
    let starts: Vec<_> = items(&fitted.layout).map(|item| item.x).collect();
    assert!(starts.len() > 2 && starts[0] < starts[1]);
    assert!(starts[1..].iter().all(|x| *x == starts[1]));
}

#[test]
fn lines_beside_each_other_share_their_baseline() {
    for theme in Theme::all() {
        let options = themed(theme.name());
        let (_, fitted) = set_as(vec![entry(3)], &options, "en");
        let lines: Vec<_> = items(&fitted.layout).collect();
        assert_eq!(lines[0].y, lines[1].y, "title and date in {}", theme.name());
    }
}
