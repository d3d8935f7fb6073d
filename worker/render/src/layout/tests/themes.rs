//! What themes, targets and cuts do to a layout.

use super::*;
use crate::blocks::Item as ListItem;
use crate::options::FitStep;

fn sections() -> Vec<Block> {
    ["work_experience", "languages", "education"]
        .map(|name| role(name, vec![paragraph(1)]))
        .into()
}

#[test]
fn themes_order_sections_and_put_them_beside() {
    let check = |theme: &str, expect: &[&str]| {
        let options = Options {
            theme: Theme::from_toml(theme).unwrap(),
            ..Options::default()
        };
        let mut body = sections();
        body.push(Block::Paragraph("privacy".into()));
        let (prepared, fitted) = set_as(body, &options, "de");
        let lines: Vec<_> = read(&prepared, &fitted)
            .into_iter()
            .filter(|line| *line != "word")
            .collect();
        assert_eq!(lines, expect, "{theme}");
    };
    check(
        "",
        &["work_experience", "languages", "education", "privacy"],
    );
    check(
        "sections.order = [\"education\", \"absent\", \"work_experience\"]",
        &["education", "languages", "work_experience", "privacy"],
    );
    check(
        "[sidebar]\nwidth = 50\nsections = [\"education\", \"work_experience\"]",
        &["languages", "privacy", "education", "work_experience"],
    );
    check(
        "[titles.de]\neducation = \"Bildung\"\n[titles.en]\nlanguages = \"no\"",
        &["work_experience", "languages", "Bildung", "privacy"],
    );
}

#[test]
fn columns_go_on_where_they_were() {
    let options = themed("modern");
    let body = vec![
        role("work_experience", (0..8).map(|_| entry(120)).collect()),
        role("languages", (0..60).map(|_| paragraph(4)).collect()),
    ];
    let (prepared, fitted) = set_as(body, &options, "en");
    nothing_leaves_its_column(&prepared, &fitted);
    everything_is_in_the_tree_once(&fitted.layout);
    let layout = &fitted.layout;
    assert!(layout.pages.len() > 1);
    for page in &layout.pages {
        assert_eq!(page.backgrounds.len(), 1);
        // All of the main column comes before all of the sidebar.
        let zones: Vec<_> = page
            .items
            .iter()
            .map(|item| item.zone == Zone::Side)
            .collect();
        assert!(zones.is_sorted());
    }
    let breaks = &layout.breaks;
    assert!(
        breaks
            .iter()
            .any(|found| found.sidebar && found.role == "languages" && found.within)
    );
    assert!(
        breaks
            .iter()
            .any(|found| !found.sidebar && found.role == "work_experience")
    );
}

#[test]
fn documents_from_right_to_left_are_mirror_images() {
    for theme in Theme::all() {
        let options = themed(theme.name());
        let head = Block::Masthead(Masthead {
            title: "Name".into(),
            body: vec![paragraph(3)],
            photo: Some(photo()),
            ..Masthead::default()
        });
        let body = [
            vec![head],
            sections(),
            vec![entry(40), Block::List(vec!["a".into()].into())],
        ];
        let body = body.concat();
        let (_, english) = set_as(body.clone(), &options, "en");
        let (prepared, hebrew) = set_as(body, &options, "he");
        nothing_leaves_its_column(&prepared, &hebrew);
        let width = english.metrics.page_width;
        for (left, right) in items(&english.layout).zip(items(&hebrew.layout)) {
            assert!(
                (left.x + left.width() + right.x - width).abs() < 0.01,
                "{}",
                theme.name()
            );
            assert_eq!(left.y, right.y);
        }
    }
}

#[test]
fn what_the_caller_lets_go_is_cut_last_and_least() {
    let item = |entry: usize, at: usize| ListItem {
        id: Some(format!("{entry}.{at}")),
        text: "word ".repeat(30).into(),
    };
    let body: Vec<_> = (0..6)
        .map(|index| {
            let items = (0..5).map(|at| item(index, at)).collect();
            Block::Entry(Entry {
                title: "Position".into(),
                body: vec![Block::List(List {
                    items,
                    ..List::default()
                })],
                ..Entry::default()
            })
        })
        .collect();
    let cut_order = |first: usize| -> Vec<String> {
        let ids = (first..6)
            .rev()
            .flat_map(|entry| (0..5).rev().map(move |at| (entry, at)));
        ids.map(|(entry, at)| format!("{entry}.{at}")).collect()
    };
    let check = |order: Vec<String>| {
        let options = Options {
            page_target: Pages::Fixed(1),
            cut_order: [vec!["absent".into()], order.clone(), order].concat(),
            ..Options::default()
        };
        set_as(body.clone(), &options, "en")
    };
    let (prepared, fitted) = check(cut_order(0));
    assert_eq!((fitted.layout.pages.len(), &fitted.warning), (1, &None));
    let cuts: Vec<_> = fitted
        .report
        .steps
        .iter()
        .filter_map(|step| match step {
            FitStep::Cut(id) => Some(id.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(cuts, cut_order(0)[..cuts.len()]);
    let left = read(&prepared, &fitted)
        .iter()
        .filter(|line| **line == "•")
        .count();
    assert_eq!(left, 30 - cuts.len());
    assert!((1..29).contains(&cuts.len()), "{}", cuts.len());
    // What is not enough is not done at all.
    let (_, fitted) = check(cut_order(5));
    assert!(fitted.warning.is_some() && fitted.report.steps.is_empty());
    assert!(fitted.report.over.unwrap().millimetres > 100.0);
}

#[test]
fn sections_whose_content_is_cut_go_with_it() {
    let long = |id: &str| Entry {
        id: Some(id.into()),
        title: "word ".repeat(200).into(),
        ..Entry::default()
    };
    let body = vec![
        role("kept", (0..3).map(|_| Block::Entry(long("kept"))).collect()),
        role("gone", (0..3).map(|_| Block::Entry(long("gone"))).collect()),
    ];
    let options = Options {
        page_target: Pages::Fixed(1),
        cut_order: vec!["gone".into()],
        ..Options::default()
    };
    let (prepared, fitted) = set_as(body, &options, "en");
    assert_eq!(fitted.warning, None);
    let lines = read(&prepared, &fitted);
    assert!(lines.contains(&"kept") && !lines.contains(&"gone"));
}

#[test]
fn reports_tell_what_is_free_and_where_pages_end() {
    let (_, fitted) = set(vec![paragraph(1)], Pages::Auto);
    // A4 without its margins and one line of 15 pt.
    assert!((fitted.report.free_mm - (257.0 - 15.0 / 72.0 * 25.4)).abs() < 0.2);
    assert!(fitted.report.breaks.is_empty() && fitted.report.steps.is_empty());
    let named = |index: usize| {
        Block::Entry(Entry {
            id: Some(format!("e{index}")),
            title: "Position".into(),
            body: vec![paragraph(60)],
            ..Entry::default()
        })
    };
    let (_, fitted) = set(
        vec![role("work", (0..12).map(named).collect())],
        Pages::Auto,
    );
    let found = &fitted.report.breaks[0];
    assert_eq!(
        (found.page, found.role.as_str(), found.within),
        (2, "work", true)
    );
    assert!(found.id.as_deref().unwrap().starts_with('e'));
}
