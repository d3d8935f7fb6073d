//! Languages that documents are set in: their words, months, dates and letters.
//!
//! [`Language`] is the wire type, [`Locale`] its data. What other programs wrote is read in all
//! languages at once: [`month`], [`is_present`], [`is_since`], [`WrittenRange::read`].

mod dates;
#[cfg(test)]
mod dates_tests;
mod lexicon;
mod read;
mod words;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use dates::{DateStyle, Day, Written, WrittenRange, show_dates, show_day};
pub use lexicon::{is_present, is_since, is_until, month};
pub use words::{CvWords, DateForms, LetterWords, Locale, Months};

/// Languages that documents can be set in.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// English.
    En,
    /// German.
    De,
    /// Polish.
    Pl,
    /// French.
    Fr,
    /// Spanish.
    Es,
    /// Italian.
    It,
    /// Portuguese.
    Pt,
    /// Dutch.
    Nl,
    /// Czech.
    Cs,
    /// Ukrainian.
    Uk,
    /// Greek.
    El,
    /// Swedish.
    Sv,
    /// Arabic.
    Ar,
    /// Hebrew.
    He,
    /// Japanese.
    Ja,
    /// Chinese: simplified, unless a tag asks for the traditional script.
    Zh,
}

impl Language {
    /// All languages.
    pub const ALL: [Self; 16] = [
        Self::En,
        Self::De,
        Self::Pl,
        Self::Fr,
        Self::Es,
        Self::It,
        Self::Pt,
        Self::Nl,
        Self::Cs,
        Self::Uk,
        Self::El,
        Self::Sv,
        Self::Ar,
        Self::He,
        Self::Ja,
        Self::Zh,
    ];

    /// The BCP 47 tag.
    pub fn tag(self) -> &'static str {
        self.locale().tag
    }

    /// The language of a tag such as `de` or `de-CH`; `None` where it is not set here.
    pub fn from_tag(tag: &str) -> Option<Self> {
        let primary = tag.trim().split(['-', '_']).next()?;
        // ISO 639 knew Hebrew as `iw` until 1989, and some programs still do.
        if primary.eq_ignore_ascii_case("iw") {
            return Some(Self::He);
        }
        Self::ALL
            .into_iter()
            .find(|language| primary.eq_ignore_ascii_case(language.tag()))
    }

    /// Whether lines run from right to left.
    pub fn is_rtl(self) -> bool {
        matches!(self, Self::Ar | Self::He)
    }

    /// Its words and forms.
    pub fn locale(self) -> &'static Locale {
        words::of(self)
    }
}

impl Locale {
    /// The words of a tag: those of its language, in its script. `zh-Hant`, `zh-TW`, `zh-HK` and
    /// `zh-MO` are written in traditional characters.
    pub fn from_tag(tag: &str) -> Option<&'static Self> {
        let language = Language::from_tag(tag)?;
        let traditional = |part: &str| {
            ["hant", "tw", "hk", "mo"]
                .iter()
                .any(|t| part.eq_ignore_ascii_case(t))
        };
        Some(
            if language == Language::Zh && tag.split(['-', '_']).skip(1).any(traditional) {
                &words::ZH_HANT
            } else {
                language.locale()
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_are_found_by_their_primary_tag() {
        assert_eq!(Language::from_tag("de-CH"), Some(Language::De));
        assert_eq!(Language::from_tag("PL"), Some(Language::Pl));
        assert_eq!(Language::from_tag("pt_BR"), Some(Language::Pt));
        assert_eq!(Language::from_tag("iw"), Some(Language::He));
        assert_eq!(Language::from_tag("xx"), None);
        assert_eq!(Language::from_tag(""), None);
        for language in Language::ALL {
            assert_eq!(Language::from_tag(language.tag()), Some(language));
            assert_eq!(language.locale().language, language);
        }
    }

    #[test]
    fn a_tag_of_traditional_chinese_gets_its_characters() {
        let check = |tag: &str, want: &str| {
            assert_eq!(Locale::from_tag(tag).unwrap().cv.work, want, "{tag}");
        };
        check("zh", "工作经历");
        check("zh-CN", "工作经历");
        check("zh-Hant", "工作經歷");
        check("zh-TW", "工作經歷");
        check("zh-Hant-HK", "工作經歷");
    }
}
