//! What stands in the directories that settings name.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::settings::Render;

/// A directory that a setting names cannot be listed.
#[derive(Debug, thiserror::Error)]
#[error("{key} = {}: the directory cannot be read", .path.display())]
pub struct FolderFault {
    key: &'static str,
    path: PathBuf,
    #[source]
    source: std::io::Error,
}

/// How the names of fonts end.
pub const FONT_ENDINGS: [&str; 4] = ["ttf", "otf", "ttc", "otc"];

/// Files of a directory that are looked at; more is taken for a mistake in its name.
const MOST: usize = 1000;

impl Render {
    /// The themes of `themes_dir`: their files by the names that jobs use, those without `.toml`.
    pub fn theme_files(&self) -> Result<BTreeMap<String, PathBuf>, FolderFault> {
        let files = listed(self.themes_dir.as_deref(), "render.themes_dir", &["toml"])?;
        let named = files.into_iter().filter_map(|path| {
            let name = path.file_stem()?.to_str()?.to_owned();
            Some((name, path))
        });
        Ok(named.collect())
    }

    /// The fonts of `fonts_dir`, in the order of their names.
    pub fn font_files(&self) -> Result<Vec<PathBuf>, FolderFault> {
        listed(self.fonts_dir.as_deref(), "render.fonts_dir", &FONT_ENDINGS)
    }
}

fn listed(
    path: Option<&Path>,
    key: &'static str,
    endings: &[&str],
) -> Result<Vec<PathBuf>, FolderFault> {
    let Some(path) = path else {
        return Ok(Vec::new());
    };
    files_of(path, endings).map_err(|source| FolderFault {
        key,
        path: path.to_owned(),
        source,
    })
}

/// The files of a directory whose names end so, in any case; sorted, subdirectories left out.
pub fn files_of(path: &Path, endings: &[&str]) -> std::io::Result<Vec<PathBuf>> {
    let fits = |path: &Path| {
        let ending = path.extension().and_then(|ending| ending.to_str());
        ending.is_some_and(|ending| endings.iter().any(|own| own.eq_ignore_ascii_case(ending)))
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path)?.take(MOST) {
        let path = entry?.path();
        if fits(&path) && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn themes_and_fonts_are_found_by_their_endings() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.toml", "a.toml", "read.me", "X.OTF", "y.ttf"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let here = Some(folder.path().to_owned());
        let render = Render {
            fonts_dir: here.clone(),
            themes_dir: here,
            ..Render::default()
        };
        let names: Vec<_> = render.theme_files().unwrap().into_keys().collect();
        assert_eq!(names, ["a", "b"]);
        assert_eq!(render.font_files().unwrap().len(), 2);
        let none = Render::default();
        assert!(none.theme_files().unwrap().is_empty() && none.font_files().unwrap().is_empty());
    }

    #[test]
    fn a_directory_that_is_not_there_is_named_with_its_key() {
        let render = Render {
            fonts_dir: Some("no-such-place".into()),
            ..Render::default()
        };
        let fault = render.font_files().unwrap_err().to_string();
        assert!(
            fault.contains("render.fonts_dir = no-such-place"),
            "{fault}"
        );
    }
}
