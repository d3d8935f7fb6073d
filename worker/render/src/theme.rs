//! How documents look, as data: themes are TOML files. `themes/README.md` tells how to write one.

mod check;
mod color;
mod spec;

use std::sync::{Arc, OnceLock};

use toml::{Table, Value};

use crate::error::Error;
use crate::options::Paper;

pub(crate) use color::Rgb;
pub(crate) use spec::{
    BodyPlace, Caps, Colors, ContactPlace, DatePlace, Decoration, FooterAlign, PhotoPlace,
    SidebarPlace, Spec, SubtitleStyle, TitleAlign, TitleColor,
};

/// Bytes of a theme's file at most.
const MAX_FILE: usize = 64 << 10;

macro_rules! embedded {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../themes/", $name, ".toml")))),*]
    };
}

/// The themes of this crate by their names; the default first.
static FILES: [(&str, &str); 6] = embedded![
    "zurich", "classic", "modern", "compact", "academic", "harbour",
];

/// A look: valid, cheap to clone.
#[derive(Debug, Clone, PartialEq)]
pub struct Theme {
    spec: Arc<Spec>,
}

impl Theme {
    /// The default: A4, a date column, blue titles in small capitals, the photo at the top right.
    pub fn zurich() -> Self {
        Self::builtin(0)
    }

    /// One of this crate's themes.
    pub fn named(name: &str) -> Option<Self> {
        let index = FILES.iter().position(|(own, _)| *own == name)?;
        Some(Self::builtin(index))
    }

    /// All of this crate's themes, the default first.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..FILES.len()).map(Self::builtin)
    }

    /// A theme of the caller's, of at most 64 KiB. What it does not set is as in the theme that it names with
    /// `extends`, one of this crate's, or as in `zurich`.
    ///
    /// Fonts are looked for when a document is rendered: which there are, the engine knows.
    ///
    /// # Errors
    /// [`Error::ThemeSyntax`] if it is no TOML; [`Error::Theme`] names the first key whose value will not do.
    pub fn from_toml(text: &str) -> Result<Self, Error> {
        if text.len() > MAX_FILE {
            return Err(Error::ThemeSyntax(format!(
                "it is larger than {MAX_FILE} bytes"
            )));
        }
        let mut table = parse(text)?;
        for (key, default) in [("name", "custom"), ("description", "")] {
            let entry = table.entry(key);
            entry.or_insert_with(|| Value::String(default.to_owned()));
        }
        Self::build(table)
    }

    /// What callers know it by.
    pub fn name(&self) -> &str {
        &self.spec.name
    }

    /// A sentence on how it looks.
    pub fn description(&self) -> &str {
        &self.spec.description
    }

    /// Whether the theme leaves room for text on this paper too.
    pub(crate) fn check_paper(&self, paper: Paper) -> Result<(), Error> {
        check::room(&self.spec, paper.millimetres())
    }

    pub(crate) fn spec(&self) -> &Spec {
        &self.spec
    }

    fn builtin(index: usize) -> Self {
        static PARSED: [OnceLock<Theme>; FILES.len()] = [const { OnceLock::new() }; FILES.len()];
        let parse = || parse(FILES[index].1).and_then(Self::build);
        PARSED[index]
            .get_or_init(|| parse().expect("a test parses and checks every embedded theme"))
            .clone()
    }

    fn build(table: Table) -> Result<Self, Error> {
        let merged = extended(table)?;
        let spec: Spec =
            serde_path_to_error::deserialize(Value::Table(merged)).map_err(|error| {
                Error::Theme {
                    key: error.path().to_string(),
                    fault: error.inner().message().trim().to_owned(),
                }
            })?;
        check::check(&spec)?;
        Ok(Self {
            spec: Arc::new(spec),
        })
    }
}

impl Default for Theme {
    fn default() -> Self {
        Self::zurich()
    }
}

fn parse(text: &str) -> Result<Table, Error> {
    text.parse().map_err(|error: toml::de::Error| {
        let at = error.span().map_or(0, |span| span.start);
        let line = text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1;
        Error::ThemeSyntax(format!("line {line}: {}", error.message()))
    })
}

/// The table over that of the theme which it extends.
fn extended(mut table: Table) -> Result<Table, Error> {
    let base = match table.remove("extends") {
        None if table.get("name").and_then(Value::as_str) == Some(FILES[0].0) => return Ok(table),
        None => FILES[0].1,
        Some(name) => {
            let known = FILES.iter().find(|(own, _)| name.as_str() == Some(own));
            let names: Vec<_> = FILES.iter().map(|(own, _)| *own).collect();
            known.map(|(_, text)| *text).ok_or_else(|| Error::Theme {
                key: "extends".to_owned(),
                fault: format!("it must be one of {}", names.join(", ")),
            })?
        }
    };
    let mut base = extended(parse(base)?)?;
    merge(&mut base, table);
    Ok(base)
}

fn merge(base: &mut Table, over: Table) {
    for (key, value) in over {
        match (base.get_mut(&key), value) {
            (Some(Value::Table(base)), Value::Table(over)) => merge(base, over),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_theme_of_ours_is_sound_and_named_as_its_file() {
        for (theme, (name, _)) in Theme::all().zip(FILES) {
            assert_eq!(theme.name(), name);
            assert!(theme.description().len() > 20);
            assert_eq!(Theme::named(name), Some(theme));
        }
        assert_eq!(Theme::named("no such"), None);
    }

    #[test]
    fn themes_change_what_they_say_and_nothing_else() {
        let theme =
            Theme::from_toml("[sizes]\ntext = 10\n[titles.de]\nprofile = \"Kurz\"").unwrap();
        let zurich = Theme::zurich();
        let mut expect = zurich.spec().clone();
        expect.name = "custom".into();
        expect.description = String::new();
        expect.sizes.text = 10.0;
        let titles = [("profile".to_owned(), "Kurz".to_owned())];
        expect.titles.insert("de".into(), titles.into());
        assert_eq!(theme.spec(), &expect);
    }

    #[test]
    fn faults_name_the_key_and_what_would_do() {
        let check = |text: &str, expect: &str| {
            assert_eq!(
                Theme::from_toml(text).unwrap_err().to_string(),
                expect,
                "{text}"
            );
        };
        let of = |key: &str, fault: &str| format!("the theme's `{key}`: {fault}");
        let size = |value: &str| of("sizes.text", &format!("{value} is not from 4 to 72 pt"));
        check("[sizes]\ntext = 1000", &size("1000"));
        check("[sizes]\ntext = -1", &size("-1"));
        check("[sizes]\ntext = nan", &size("NaN"));
        check("[sizes]\ntext = inf", &size("inf"));
        check(
            "[spacing]\nitem = -0.5",
            &of("spacing.item", "-0.5 is not from 0 to 144 pt"),
        );
        check(
            "[sizes]\ntext = \"big\"",
            &of("sizes.text", "invalid type: string \"big\", expected f32"),
        );
        check(
            "[colors]\ntext = \"red\"",
            &of("colors.text", "`red` is no colour such as \"#1b4f8a\""),
        );
        check(
            "[colors]\nmuted = \"#aaaaaa\"",
            &of(
                "colors.muted",
                "its contrast to white is 2.3 to 1; it must be at least 4.5 to 1",
            ),
        );
        check(
            "page.size = \"a9\"",
            &of(
                "page.size",
                "\"a4\", \"letter\", or a width and a height in mm such as [200, 280]",
            ),
        );
        check(
            "page.size = [10, 280]",
            &of("page.size", "10 is not from 100 to 1000 mm"),
        );
        check(
            "page.margins.start = 180",
            &of(
                "page.margins",
                "7.6 mm are left of width for text; it must be at least 60.0 mm",
            ),
        );
        check(
            "[header]\nband = \"#445566\"\nband_text = \"#000000\"",
            &of(
                "header.band_text",
                "its contrast to the band is 2.7 to 1; it must be at least 4.5 to 1",
            ),
        );
        check(
            "header.photo = \"sidebar\"",
            &of("header.photo", "there is no sidebar to put it in"),
        );
        assert!(
            Theme::from_toml("sizes.txt = 3")
                .unwrap_err()
                .to_string()
                .contains("`txt`")
        );
        assert!(
            Theme::from_toml("extends = \"bern\"")
                .unwrap_err()
                .to_string()
                .contains("zurich")
        );
        assert!(
            Theme::from_toml("name = ")
                .unwrap_err()
                .to_string()
                .contains("line 1")
        );
        assert!(Theme::from_toml(&"#".repeat(70_000)).is_err());
    }
}
