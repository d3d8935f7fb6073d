//! The themes that a worker knows: those of the renderer, and those of the operator.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use render::Theme;
use schemas::job::ThemeName;

/// Themes by name.
#[derive(Clone, Debug)]
pub struct Themes {
    own: BTreeMap<String, Own>,
}

/// A theme of the operator.
#[derive(Clone, Debug)]
struct Own {
    theme: Theme,
    text: String,
}

/// Why a theme of the operator cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ThemeFault {
    /// The file cannot be read.
    #[error("cannot read the theme {}", .0.display())]
    Unreadable(PathBuf, #[source] std::io::Error),
    /// What it says makes no page.
    #[error("the theme {} cannot be used", .0.display())]
    Invalid(PathBuf, #[source] render::Error),
}

impl Themes {
    /// The renderer's themes alone.
    pub fn built_in() -> Self {
        Self {
            own: BTreeMap::new(),
        }
    }

    /// The renderer's themes, and those of files by name. A file of a built-in theme's name takes
    /// its place.
    pub fn with_files(files: &BTreeMap<String, PathBuf>) -> Result<Self, ThemeFault> {
        let own = files
            .iter()
            .map(|(name, path)| Ok((name.clone(), Own::read(path)?)));
        Ok(Self {
            own: own.collect::<Result<_, _>>()?,
        })
    }

    /// The theme of a name.
    pub fn get(&self, name: &ThemeName) -> Option<Theme> {
        let own = self.own.get(name.as_str()).map(|own| own.theme.clone());
        own.or_else(|| Theme::named(name.as_str()))
    }

    /// What a theme of the operator says: under the same name it may say something else another day.
    /// `None` for the renderer's own.
    pub(super) fn text(&self, name: &ThemeName) -> Option<&str> {
        Some(&self.own.get(name.as_str())?.text)
    }

    /// All themes by name: the renderer's in its order, then the operator's.
    pub fn all(&self) -> Vec<(String, Theme)> {
        let built_in = Theme::all().map(|theme| {
            let name = theme.name().to_owned();
            let own = self.own.get(&name).map(|own| own.theme.clone());
            let theme = own.unwrap_or(theme);
            (name, theme)
        });
        let own = self
            .own
            .iter()
            .filter(|(name, _)| Theme::named(name).is_none());
        built_in
            .chain(own.map(|(name, own)| (name.clone(), own.theme.clone())))
            .collect()
    }
}

/// Reads a theme's file.
pub fn read(path: &Path) -> Result<Theme, ThemeFault> {
    Ok(Own::read(path)?.theme)
}

impl Own {
    fn read(path: &Path) -> Result<Self, ThemeFault> {
        let text = std::fs::read_to_string(path)
            .map_err(|e| ThemeFault::Unreadable(path.to_owned(), e))?;
        let theme = Theme::from_toml(&text).map_err(|e| ThemeFault::Invalid(path.to_owned(), e))?;
        Ok(Self { theme, text })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_contracts_themes_are_those_of_the_renderer() {
        let rendered: Vec<_> = Themes::built_in()
            .all()
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        assert_eq!(rendered, schemas::job::BUILT_IN_THEMES);
    }

    #[test]
    fn a_file_brings_a_theme_and_a_fault_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plain.toml");
        std::fs::write(&path, "[sizes]\ntext = 10\n").unwrap();
        let files = BTreeMap::from([("plain".to_owned(), path.clone())]);
        let themes = Themes::with_files(&files).unwrap();
        let name = ThemeName::try_from("plain".to_owned()).unwrap();
        assert!(themes.get(&name).is_some());
        assert!(Themes::built_in().get(&name).is_none());
        assert_eq!(themes.all().last().unwrap().0, "plain");
        std::fs::write(&path, "[sizes]\ntext = 1000\n").unwrap();
        let fault = Themes::with_files(&files).unwrap_err().to_string();
        assert!(fault.contains("plain.toml"), "{fault}");
    }
}
