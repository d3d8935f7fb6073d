//! One CV in each language, and what the document adds to it.

use schemas::job::{BUILT_IN_THEMES, Language, Options, ThemeName};

use super::{compact, data, read, reads_back, set, text};

/// In lower case and without accents, which Greek capitals do not have.
fn plain(text: &str) -> String {
    compact(&deunicode::deunicode(&text.to_lowercase()))
}

#[test]
fn every_language_reads_back_in_every_theme() {
    for language in Language::ALL {
        let cv = read(&data(&format!("locales/{}.json", language.tag())));
        for theme in BUILT_IN_THEMES {
            let options = Options {
                theme: ThemeName::try_from(theme.to_owned()).unwrap(),
                ..Options::default()
            };
            let made = set(&cv, options);
            let what = format!("{} in {theme}", language.tag());
            let told: Vec<_> = made.warnings.iter().map(|w| w.message.as_str()).collect();
            assert!(told.is_empty(), "{what}: {told:?}");
            reads_back(&cv, &made, &what);
            let text = plain(&text(&cv, &made, &[]));
            let words = &language.locale().cv;
            for title in [words.work, words.education, words.languages, words.skills] {
                let title = plain(title);
                assert!(text.contains(&title), "{what}: no title {title}\n{text}");
            }
        }
    }
}

#[test]
fn titles_and_dates_follow_the_language_that_is_asked_for() {
    let cv = read(&data("locales/en.json"));
    for language in Language::ALL {
        let options = Options {
            language: Some(language),
            ..Options::default()
        };
        let text = plain(&text(&cv, &set(&cv, options), &[]));
        let locale = language.locale();
        for word in [locale.cv.work, locale.present[0]] {
            let word = plain(word);
            assert!(
                text.contains(&word),
                "{}: no {word}\n{text}",
                language.tag()
            );
        }
    }
}
