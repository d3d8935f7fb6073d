//! Words of dates in all languages at once: which month, whether "present", whether "since".

use std::collections::BTreeMap;
use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use super::words::ZH_HANT;
use super::{Language, Locale};

/// The month, 1 to 12, that a word names in any of our languages: any case, with or without a
/// full stop or accents, full or short, inflected or not (`März`, `sept.`, `stycznia`, `Μαΐου`).
pub fn month(word: &str) -> Option<u8> {
    named_month(word).map(|named| named.month)
}

/// Whether a text says that something has not ended, in any of our languages: `Present`, `heute`,
/// `do chwili obecnej`.
pub fn is_present(text: &str) -> bool {
    LEXICON.present.contains_key(&fold(text))
}

/// Whether a word stands before the begin of something: `since`, `seit`, `od`.
pub fn is_since(word: &str) -> bool {
    LEXICON.since.contains_key(&fold(word))
}

/// Whether a word stands between two dates: `to`, `bis`, `hasta`.
pub fn is_until(word: &str) -> bool {
    LEXICON.until.contains_key(&fold(word))
}

impl Locale {
    /// As [`month`], in this language alone.
    pub fn month(&self, word: &str) -> Option<u8> {
        let named = named_month(word)?;
        named
            .languages
            .contains(&self.language)
            .then_some(named.month)
    }

    /// As [`is_present`], in this language alone.
    pub fn is_present(&self, text: &str) -> bool {
        let languages = LEXICON.present.get(&fold(text));
        languages.is_some_and(|languages| languages.contains(&self.language))
    }

    /// As [`is_since`], in this language alone.
    pub fn is_since(&self, word: &str) -> bool {
        let languages = LEXICON.since.get(&fold(word));
        languages.is_some_and(|languages| languages.contains(&self.language))
    }

    /// As [`is_until`], in this language alone.
    pub fn is_until(&self, word: &str) -> bool {
        let languages = LEXICON.until.get(&fold(word));
        languages.is_some_and(|languages| languages.contains(&self.language))
    }
}

/// A month's name.
pub(super) struct Named {
    pub(super) month: u8,
    /// Where it is a name of this month.
    languages: Vec<Language>,
    /// It is a full name somewhere.
    pub(super) is_long: bool,
    /// It is a short name somewhere.
    pub(super) is_short: bool,
}

pub(super) fn named_month(word: &str) -> Option<&'static Named> {
    LEXICON.months.get(&fold(word))
}

struct Lexicon {
    months: BTreeMap<String, Named>,
    present: Words,
    since: Words,
    until: Words,
}

type Words = BTreeMap<String, Vec<Language>>;

static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| {
    let mut lexicon = Lexicon {
        months: BTreeMap::new(),
        present: Words::new(),
        since: Words::new(),
        until: Words::new(),
    };
    let locales = Language::ALL.into_iter().map(Language::locale);
    for locale in locales.chain([&ZH_HANT]) {
        lexicon.add_months(locale);
        for (into, words) in [
            (&mut lexicon.present, locale.present),
            (&mut lexicon.since, locale.since),
            (&mut lexicon.until, locale.until),
        ] {
            for word in words {
                into.entry(fold(word)).or_default().push(locale.language);
            }
        }
    }
    lexicon
});

impl Lexicon {
    fn add_months(&mut self, locale: &Locale) {
        let months = &locale.months;
        let long = [&months.long, &months.with_day, &months.after_since];
        let long = long.into_iter().flat_map(|names| (1..).zip(names));
        let short = (1..).zip(&months.short);
        let others = months.others.iter().map(|(name, month)| (*month, name));
        let named = long
            .map(|named| (named, true))
            .chain(short.map(|named| (named, false)))
            .chain(others.map(|named| (named, false)));
        for ((month, name), long) in named {
            let entry = self.months.entry(fold(name)).or_insert(Named {
                month,
                languages: Vec::new(),
                is_long: false,
                is_short: false,
            });
            entry.is_long |= long;
            entry.is_short |= !long;
            if !entry.languages.contains(&locale.language) {
                entry.languages.push(locale.language);
            }
        }
    }
}

/// What two spellings of one word have in common: lower case, no accents, no full stop at the end,
/// one kind of apostrophe.
fn fold(word: &str) -> String {
    let word = word.trim();
    let word = word.strip_suffix(['.', '׳', '\'']).unwrap_or(word);
    let marks = |c: &char| !is_combining_mark(*c);
    let letters = word
        .chars()
        .flat_map(char::to_lowercase)
        .nfd()
        .filter(marks);
    letters
        .map(|c| match c {
            '’' => '\'',
            'ς' => 'σ',
            c => c,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_known_in_every_form_and_language() {
        let check = |month_number: u8, words: &[&str]| {
            for word in words {
                assert_eq!(month(word), Some(month_number), "{word}");
            }
        };
        check(
            1,
            &[
                "January", "jan", "JAN.", "Jänner", "styczeń", "stycznia", "janv.", "enero",
            ],
        );
        check(
            1,
            &[
                "gen.",
                "ledna",
                "січень",
                "січ.",
                "Ιανουαρίου",
                "يناير",
                "كانون الثاني",
                "ינו׳",
                "1月",
            ],
        );
        check(
            3,
            &[
                "März",
                "Mrz.",
                "MÄRZ",
                "marca",
                "березня",
                "marec".get(..3).unwrap(),
                "מרס",
            ],
        );
        check(
            5,
            &[
                "May",
                "Mai",
                "maja",
                "Μάιος",
                "Μαΐου",
                "ΜΑΪΟΣ",
                "maggio",
                "五月",
            ],
        );
        check(
            8,
            &[
                "août",
                "aout",
                "sierpnia",
                "srpen",
                "Αύγ.",
                "أغسطس",
                "اغسطس",
            ],
        );
        check(
            9,
            &["Sept.", "sep", "wrzesnia", "września", "září", "setembro"],
        );
        check(11, &["listopad", "листопада", "nov"]);
        check(12, &["grudzień", "十二月", "Dez.", "diciembre"]);
        for none in ["", ".", "Janvember", "13", "present", "ma"] {
            assert_eq!(month(none), None, "{none}");
        }
    }

    #[test]
    fn no_word_is_two_months() {
        let mut seen = BTreeMap::new();
        for language in Language::ALL {
            let months = &language.locale().months;
            for names in [
                &months.long,
                &months.short,
                &months.with_day,
                &months.after_since,
            ] {
                for (number, name) in (1u8..).zip(names) {
                    assert_eq!(*seen.entry(fold(name)).or_insert(number), number, "{name}");
                }
            }
            for (name, number) in months.others {
                assert_eq!(
                    *seen.entry(fold(name)).or_insert(*number),
                    *number,
                    "{name}"
                );
            }
        }
    }

    #[test]
    fn present_is_known_everywhere_and_told_apart() {
        for word in [
            "Present",
            "heute",
            "do chwili obecnej",
            "aujourd'hui",
            "aujourd’hui",
            "à ce jour",
        ] {
            assert!(is_present(word), "{word}");
        }
        for word in [
            "actualidad",
            "oggi",
            "hoje",
            "heden",
            "současnost",
            "дотепер",
            "σήμερα",
            "nu",
        ] {
            assert!(is_present(word), "{word}");
        }
        for word in ["حتى الآن", "היום", "現在", "至今", "NOW"] {
            assert!(is_present(word), "{word}");
        }
        assert!(!is_present("then") && !is_present(""));
        let german = Language::De.locale();
        assert!(german.is_present("Heute") && !german.is_present("present"));
        assert_eq!(
            (german.month("März"), german.month("March")),
            (Some(3), None)
        );
        assert!(is_since("seit") && is_until("bis") && !is_since("bis"));
    }

    #[test]
    fn each_locale_shows_words_that_it_knows() {
        for language in Language::ALL {
            let locale = language.locale();
            assert!(locale.is_present(locale.present[0]), "{language:?}");
            assert!(locale.is_since(locale.since[0]), "{language:?}");
        }
    }
}
