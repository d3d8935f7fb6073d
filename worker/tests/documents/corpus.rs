//! CVs that are hard to set: long words, three pages, many scripts, next to nothing.

use schemas::job::{BUILT_IN_THEMES, Options, Pages, ThemeName};
use serde_json::Value;

use super::{data, read, reads_back, set};

pub(super) fn files() -> Vec<(String, Value)> {
    let mut files: Vec<_> = std::fs::read_dir(data("render"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
        .map(|path| {
            (
                path.file_stem().unwrap().to_string_lossy().into_owned(),
                read(&path),
            )
        })
        .filter(|(name, _)| name != "expected")
        .collect();
    files.sort_by(|(a, _), (b, _)| a.cmp(b));
    assert_eq!(files.len(), 6);
    files
}

fn options(theme: &str) -> Options {
    Options {
        theme: ThemeName::try_from(theme.to_owned()).unwrap(),
        pages: Pages::Auto,
        ..Options::default()
    }
}

#[test]
fn every_theme_shows_every_field_in_reading_order() {
    for (name, cv) in files() {
        for theme in BUILT_IN_THEMES {
            let made = set(&cv, options(theme));
            let what = format!("{name} in {theme}");
            let told: Vec<_> = made.warnings.iter().map(|w| w.message.as_str()).collect();
            assert!(told.is_empty(), "{what}: {told:?}");
            reads_back(&cv, &made, &what);
        }
    }
}

#[test]
fn documents_are_as_long_as_a_careful_person_expects() {
    let expected = read(&data("render/expected.json"));
    for (name, cv) in files() {
        let pages = set(&cv, options("zurich")).facts.pages;
        let range = &expected[format!("{name}.json")];
        let (least, most) = (
            range["pages_min"].as_u64().unwrap(),
            range["pages_max"].as_u64().unwrap(),
        );
        assert!(
            (least..=most).contains(&u64::from(pages)),
            "{name} takes {pages} pages"
        );
    }
}
