//! Reads names out of Bicep, YAML and KQL. These are no parsers: each function says what it looks
//! for, and the tests fail where it finds nothing.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("this crate lies one folder below the root")
}

pub(crate) fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// All files below a folder whose name has one of these ends, sorted, with their text.
pub(crate) fn files(folder: &str, ends: &[&str]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in
            std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()))
        {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if path.is_dir() {
                if name != "node_modules" {
                    folders.push(path);
                }
            } else if ends.iter().any(|end| name.ends_with(end)) {
                let shown = path.strip_prefix(root()).unwrap().display().to_string();
                found.push((shown, std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(!found.is_empty(), "{folder} has no {ends:?}");
    found.sort();
    found
}

/// All that stands between `quote` and `quote`, line by line, but for comments that begin with `//`.
pub(crate) fn quoted(text: &str, quote: char) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for line in text.lines() {
        if line.trim_start().starts_with("//") {
            continue;
        }
        for inside in line.split(quote).skip(1).step_by(2) {
            found.insert(inside.to_owned());
        }
    }
    found
}

/// The items of `var NAME = [ 'a' 'b' ]` in Bicep.
pub(crate) fn list(bicep: &str, name: &str) -> BTreeSet<String> {
    let begin = format!("var {name} = [\n");
    let (_, rest) = bicep
        .split_once(&begin)
        .unwrap_or_else(|| panic!("no variable {name}"));
    let (items, _) = rest.split_once("\n]").expect("the list ends");
    quoted(items, '\'')
}

/// Whether a word is written as the names of environment variables are: `A_B`, with an underscore.
pub(crate) fn is_variable(word: &str) -> bool {
    let plain = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    word.contains('_')
        && word.starts_with(|c: char| c.is_ascii_uppercase())
        && word.chars().all(plain)
}

/// All words that are written as names of environment variables, but for comments.
pub(crate) fn variables(text: &str) -> BTreeSet<String> {
    let code = text.lines().filter(|line| {
        let line = line.trim_start();
        !line.starts_with("//") && !line.starts_with('#')
    });
    let code = code.map(|line| line.split(" // ").next().unwrap_or_default());
    code.flat_map(|line| line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_'))
        .filter(|word| is_variable(word))
        .map(str::to_owned)
        .collect()
}

#[test]
fn names_are_found() {
    assert_eq!(
        variables("LOG_LEVEL: x # A_B\n  # C_D\n'E_F' ${G_1}X y_Z AB _H"),
        ["A_B", "E_F", "G_1", "LOG_LEVEL"].map(str::to_owned).into()
    );
    assert_eq!(
        list(
            "var b = [\n  'x'\n]\nvar a = [\n  'jobs'\n  // 'no'\n  'p-q'\n]\n",
            "a"
        ),
        ["jobs", "p-q"].map(str::to_owned).into()
    );
}
