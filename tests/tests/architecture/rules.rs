//! The rules, as functions of what they judge, and a test for each that it can fail.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

const TOP_LEVEL_FOLDERS: [&str; 8] = [
    ".ci", ".config", ".github", "api-shim", "infra", "schemas", "tests", "worker",
];

const TOP_LEVEL_FILES: [&str; 12] = [
    ".gitignore",
    "ARCHITECTURE.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "SECURITY.md",
    "clippy.toml",
    "deny.toml",
    "rust-toolchain.toml",
    "rustfmt.toml",
];

pub(crate) type Arrows = BTreeMap<String, BTreeSet<String>>;
pub(crate) type Versions = BTreeMap<String, BTreeSet<String>>;

/// Reads lines of `CRATE, CRATE -> CRATE CRATE`; the right side may also be `no workspace crate`,
/// `all` or `all but CRATE`.
pub(crate) fn parse_arrows(text: &str) -> Arrows {
    let rows: Vec<(Vec<String>, &str)> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| {
            let (left, right) = line
                .split_once("->")
                .unwrap_or_else(|| panic!("no `->` in `{line}`"));
            (names(left), right.trim())
        })
        .collect();
    let all: BTreeSet<String> = rows.iter().flat_map(|(left, _)| left.clone()).collect();
    let mut arrows = Arrows::new();
    for (left, right) in &rows {
        for name in left {
            let mut allowed = match *right {
                "no workspace crate" => BTreeSet::new(),
                "all" => all.clone(),
                _ => match right.strip_prefix("all but ") {
                    Some(except) => &all - &names(except).into_iter().collect(),
                    None => names(right).into_iter().collect(),
                },
            };
            let unknown: Vec<&String> = allowed.difference(&all).collect();
            assert!(
                unknown.is_empty(),
                "`{name} -> {right}` names crates without a line: {unknown:?}"
            );
            allowed.remove(name);
            let twice = arrows.insert(name.clone(), allowed);
            assert!(twice.is_none(), "two lines for {name}");
        }
    }
    arrows
}

fn names(list: &str) -> Vec<String> {
    list.split([',', ' '])
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

pub(crate) fn forbidden_edges(arrows: &Arrows, edges: &[(&str, &str)]) -> Vec<String> {
    edges
        .iter()
        .filter(|(from, to)| {
            from != to
                && !arrows
                    .get(*from)
                    .is_some_and(|allowed| allowed.contains(*to))
        })
        .map(|(from, to)| format!("{from} depends on {to}"))
        .collect()
}

#[derive(Deserialize)]
pub(crate) struct Deny {
    pub(crate) bans: Bans,
    pub(crate) licenses: Licenses,
}

#[derive(Deserialize)]
pub(crate) struct Bans {
    deny: Vec<Ban>,
}

#[derive(Deserialize)]
struct Ban {
    #[serde(rename = "crate")]
    name: String,
    /// Not banned, but allowed in one version only.
    #[serde(default, rename = "deny-multiple-versions")]
    once: bool,
}

#[derive(Deserialize)]
pub(crate) struct Licenses {
    allow: Vec<String>,
    exceptions: Vec<Exception>,
}

#[derive(Deserialize)]
struct Exception {
    #[serde(rename = "crate")]
    name: String,
    allow: Vec<String>,
}

pub(crate) fn banned(bans: &Bans, versions: &Versions) -> Vec<String> {
    let mut faults = Vec::new();
    for ban in &bans.deny {
        let found = versions.get(&ban.name).map_or(0, BTreeSet::len);
        if found > usize::from(ban.once) {
            let rule = if ban.once {
                "one version at most"
            } else {
                "banned"
            };
            faults.push(format!("{} {:?}: {rule}", ban.name, versions[&ban.name]));
        }
    }
    faults
}

/// What is wrong with a crate's licence (an SPDX expression), if anything.
pub(crate) fn licence_fault(licenses: &Licenses, name: &str, licence: &str) -> Option<String> {
    // Lax: older crates still write `MIT/Apache-2.0`.
    let Ok(expression) = spdx::Expression::parse_mode(licence, spdx::ParseMode::LAX) else {
        return Some(format!("{name}: no SPDX expression: `{licence}`"));
    };
    let exceptions = licenses
        .exceptions
        .iter()
        .filter(|exception| exception.name == name);
    let allowed: Vec<spdx::Licensee> = exceptions
        .flat_map(|exception| &exception.allow)
        .chain(&licenses.allow)
        .map(|id| {
            spdx::Licensee::parse(id).unwrap_or_else(|error| panic!("deny.toml: `{id}`: {error}"))
        })
        .collect();
    let fits =
        expression.evaluate(|required| allowed.iter().any(|licensee| licensee.satisfies(required)));
    (!fits).then(|| format!("{name}: {licence}"))
}

pub(crate) fn top_level_allows(file: &str) -> bool {
    match file.split_once('/') {
        Some((folder, _)) => TOP_LEVEL_FOLDERS.contains(&folder),
        None => TOP_LEVEL_FILES.contains(&file),
    }
}

/// An absolute path into somebody's own folders; a URL's or a relative path's tail is none.
pub(crate) fn developer_path(line: &str) -> Option<&str> {
    for folder in ["work", "home", "root", "Users"] {
        // Put together here, so that this file does not report itself.
        let needle = format!("/{folder}/");
        for (at, _) in line.match_indices(&needle) {
            let before = line[..at].chars().next_back();
            if !before.is_some_and(|c| c.is_alphanumeric() || "._-~*}>)]".contains(c)) {
                return line[at..].split([' ', '"', '\'', '`', ')']).next();
            }
        }
    }
    None
}

/// Whether Rust source names the crate: `name::...` that is no other path's tail, or `use name`.
pub(crate) fn uses_crate(source: &str, name: &str) -> bool {
    let part_of_word = |c: char| c.is_alphanumeric() || c == '_';
    source.match_indices(name).any(|(at, _)| {
        let (before, after) = (&source[..at], &source[at + name.len()..]);
        let own_path =
            after.starts_with("::") && !before.ends_with(part_of_word) && !before.ends_with("::");
        let import = before.ends_with("use ") && !after.starts_with(part_of_word);
        own_path || import
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edge_against_the_arrows_is_found() {
        let arrows =
            parse_arrows("a, b -> no workspace crate\n c -> a\n d -> all but e\n e -> all");
        let check = |edge: (&str, &str), allowed: bool| {
            assert_eq!(
                forbidden_edges(&arrows, &[edge]).is_empty(),
                allowed,
                "{edge:?}"
            );
        };
        check(("a", "b"), false);
        check(("c", "a"), true);
        check(("c", "b"), false);
        check(("d", "c"), true);
        check(("d", "e"), false);
        check(("e", "d"), true);
    }

    #[test]
    fn a_banned_crate_and_a_second_version_are_found() {
        let bans = Bans {
            deny: vec![
                Ban {
                    name: "old".into(),
                    once: false,
                },
                Ban {
                    name: "http".into(),
                    once: true,
                },
            ],
        };
        let check = |tree: &[(&'static str, &'static str)], faults: usize| {
            let mut versions = Versions::new();
            for (name, version) in tree {
                versions
                    .entry((*name).to_owned())
                    .or_default()
                    .insert((*version).to_owned());
            }
            assert_eq!(banned(&bans, &versions).len(), faults, "{tree:?}");
        };
        check(&[("http", "1.0.0"), ("older", "1.0.0")], 0);
        check(&[("old", "0.1.0")], 1);
        check(&[("http", "1.0.0"), ("http", "2.0.0")], 1);
    }

    #[test]
    fn a_licence_outside_the_list_is_found() {
        let licenses = Licenses {
            allow: vec!["MIT".into(), "Zlib".into()],
            exceptions: vec![Exception {
                name: "certificates".into(),
                allow: vec!["CDLA-Permissive-2.0".into()],
            }],
        };
        let check = |name: &str, licence: &str, allowed: bool| {
            assert_eq!(
                licence_fault(&licenses, name, licence).is_none(),
                allowed,
                "{name} {licence}"
            );
        };
        check("x", "MIT", true);
        check("x", "GPL-3.0-only OR MIT", true);
        check("x", "MIT/Apache-2.0", true);
        check("x", "(MIT OR Apache-2.0) AND Zlib", true);
        check("x", "MIT AND GPL-3.0-only", false);
        check("x", "GPL-3.0-only", false);
        check("x", "", false);
        check("x", "my own words", false);
        check("x", "CDLA-Permissive-2.0", false);
        check("certificates", "CDLA-Permissive-2.0", true);
    }

    #[test]
    fn a_developers_path_is_found() {
        let check = |line: String, found: bool| {
            assert_eq!(developer_path(&line).is_some(), found, "{line}");
        };
        for folder in ["work", "home", "root", "Users"] {
            check(format!("open(\"/{folder}/main\")"), true);
            check(format!("/{folder}/x"), true);
            check(format!("see file:///{folder}/x"), true);
            check(format!("https://example.org/{folder}/x"), false);
            check(format!("./{folder}/x and ${{DIR}}/{folder}/x"), false);
            check(format!("a /{folder}"), false);
        }
    }

    #[test]
    fn a_stranger_at_the_top_level_is_found() {
        for (file, allowed) in [
            ("Cargo.toml", true),
            ("worker/src/lib.rs", true),
            (".github/workflows/ci.yml", true),
            ("worker", false),
            ("notes.txt", false),
            ("scripts/run.sh", false),
        ] {
            assert_eq!(top_level_allows(file), allowed, "{file}");
        }
    }

    #[test]
    fn an_unused_crate_is_found() {
        for (source, used) in [
            ("use serde::Deserialize;", true),
            ("pub use serde as wire;", true),
            ("#[serde::x]", true),
            ("use serde_json::Value;", false),
            ("my_serde::x", false),
            ("crate::serde::x", false),
            ("// serde reads it", false),
        ] {
            assert_eq!(uses_crate(source, "serde"), used, "{source}");
        }
    }
}
