//! The rules of the repository that no compiler checks: who may depend on whom, which crates and
//! licences may come in, what lies where. Every message says what to do.
//!
//! Bans and licences are read from `deny.toml`, so that this test and `cargo deny` cannot differ.

mod repository;
mod rules;

use std::collections::BTreeSet;
use std::path::PathBuf;

use repository::{deny, files, members, metadata, read, read_path, root, rust_files, versions};
use rules::{
    banned, developer_path, forbidden_edges, licence_fault, parse_arrows, top_level_allows,
    uses_crate,
};

/// The arrows of ARCHITECTURE.md, in its own words.
const ARROWS: &str = "
    schemas, config, render, openai, webhook -> no workspace crate
    telemetry -> config
    convert, truth -> schemas
    storage -> schemas config
    worker -> schemas config convert truth storage openai render telemetry webhook
    api-shim -> schemas config convert storage telemetry webhook
    local -> all but e2e
    e2e -> all
";

/// Named in a manifest for their features alone; no code of ours uses_crate them.
const NAMED_FOR_FEATURES: [(&str, &str); 1] = [("render", "flate2")];

/// Lines; past this a reader loses the subject. The aim is 500.
const LONGEST_FILE: usize = 600;

#[test]
fn crates_depend_only_along_the_arrows() {
    let metadata = metadata();
    let arrows = parse_arrows(ARROWS);
    let members = members(&metadata);
    let mut edges = Vec::new();
    for package in metadata.workspace_packages() {
        assert!(
            arrows.contains_key(package.name.as_str()),
            "crate {} has no arrows: add a line for it to ARCHITECTURE.md and to this test",
            package.name,
        );
        for dependency in &package.dependencies {
            if members.contains(dependency.name.as_str()) {
                edges.push((package.name.as_str(), dependency.name.as_str()));
            }
        }
    }
    assert!(
        edges.len() >= members.len(),
        "too few edges found: {edges:?}"
    );
    report(
        "Take the dependency out. If both crates need the thing, it belongs in one that both may use (ARCHITECTURE.md)",
        forbidden_edges(&arrows, &edges),
    );
}

#[test]
fn the_document_names_the_same_arrows() {
    let document = read("ARCHITECTURE.md");
    let section = document
        .split_once("## Who may depend on whom")
        .expect("ARCHITECTURE.md needs the section `## Who may depend on whom`")
        .1;
    let block = section
        .split("```")
        .nth(1)
        .expect("the section needs its arrows between two ``` lines, one arrow a line");
    assert_eq!(
        parse_arrows(block),
        parse_arrows(ARROWS),
        "ARCHITECTURE.md (left) and ARROWS in this test (right) differ: change both",
    );
}

#[test]
fn no_banned_crate_comes_in() {
    let metadata = metadata();
    let versions = versions(&metadata);
    report(
        "See the reason in deny.toml; `cargo tree --workspace --target all -i CRATE` shows who brings it",
        banned(&deny().bans, &versions),
    );
    assert_eq!(
        versions.get("reqwest").map(BTreeSet::len),
        Some(1),
        "one HTTP client, one connection pool, one TLS set-up: {versions:?}",
    );
}

#[test]
fn every_licence_is_allowed() {
    let deny = deny();
    let metadata = metadata();
    report(
        "Choose another crate, or add the licence to deny.toml with the reason",
        metadata.packages.iter().filter_map(|package| {
            let licence = package.license.as_deref().unwrap_or_default();
            licence_fault(&deny.licenses, package.name.as_str(), licence)
        }),
    );
}

#[test]
fn every_crate_states_what_it_is() {
    let mut faults = Vec::new();
    for package in metadata().workspace_packages() {
        let name = &package.name;
        if package
            .description
            .as_deref()
            .unwrap_or_default()
            .is_empty()
        {
            faults.push(format!(
                "{name}: `description` says in one line what the crate is for"
            ));
        }
        if package.license.as_deref() != Some("MIT OR Apache-2.0") {
            faults.push(format!("{name}: `license.workspace = true` is missing"));
        }
        if package.publish.as_deref() != Some(&[]) {
            faults.push(format!("{name}: `publish.workspace = true` is missing"));
        }
        let manifest: toml::Table = read_path(package.manifest_path.as_std_path())
            .parse()
            .expect("cargo has read this manifest before");
        let inherits = manifest
            .get("lints")
            .and_then(|lints| lints.get("workspace"))
            .and_then(toml::Value::as_bool);
        if inherits != Some(true) {
            faults.push(format!("{name}: `[lints] workspace = true` is missing"));
        }
    }
    report("Mend the crate's Cargo.toml", faults);
}

#[test]
fn every_dependency_is_used() {
    let metadata = metadata();
    let folders: Vec<PathBuf> = metadata
        .workspace_packages()
        .iter()
        .filter_map(|package| package.manifest_path.parent().map(PathBuf::from))
        .collect();
    let sources: Vec<PathBuf> = rust_files()
        .into_iter()
        .map(|file| root().join(file))
        .collect();
    let nodes = &metadata
        .resolve
        .as_ref()
        .expect("asked for with dependencies")
        .nodes;
    let mut faults = Vec::new();
    for (package, folder) in metadata.workspace_packages().into_iter().zip(&folders) {
        let text: String = sources
            .iter()
            // A file belongs to the crate in the deepest folder: crates nest.
            .filter(|file| {
                let owner = folders.iter().filter(|f| file.starts_with(f));
                owner.max_by_key(|f| f.as_os_str().len()) == Some(folder)
            })
            .map(|file| read_path(file))
            .collect();
        let node = nodes
            .iter()
            .find(|node| node.id == package.id)
            .expect("a member is resolved");
        for dependency in &node.deps {
            // A crate may name itself, to turn on a feature of its own for its tests.
            let named = dependency.pkg == package.id
                || NAMED_FOR_FEATURES.contains(&(package.name.as_str(), &dependency.name));
            if !named && !uses_crate(&text, &dependency.name) {
                faults.push(format!("{} does not use {}", package.name, dependency.name));
            }
        }
    }
    report(
        "Take the line out of the crate's Cargo.toml; one that is named for its features goes into NAMED_FOR_FEATURES",
        faults,
    );
}

#[test]
fn the_top_level_is_the_agreed_list() {
    let faults: BTreeSet<String> = files()
        .iter()
        .filter(|file| !top_level_allows(file))
        .map(|file| file.split('/').next().unwrap_or(file).to_owned())
        .collect();
    report(
        "Move it under schemas, worker, api-shim, tests or infra, or ignore it in .gitignore if a program wrote it",
        faults,
    );
}

#[test]
fn no_file_names_a_developers_machine() {
    let mut faults = Vec::new();
    for file in files() {
        // Fonts, pictures and documents are not text, and hold no path of ours.
        let Ok(text) = std::fs::read_to_string(root().join(&file)) else {
            continue;
        };
        for (number, line) in text.lines().enumerate() {
            if let Some(path) = developer_path(line) {
                faults.push(format!("{file}:{}: {path}", number + 1));
            }
        }
    }
    report(
        "Use a path relative to the repository, or a temporary folder",
        faults,
    );
}

#[test]
fn no_source_file_is_too_long() {
    report(
        "Split it at the subject that has a name of its own",
        rust_files()
            .into_iter()
            .map(|file| (read(&file).lines().count(), file))
            .filter(|(lines, _)| *lines > LONGEST_FILE)
            .map(|(lines, file)| format!("{file}: {lines} lines, {LONGEST_FILE} at most")),
    );
}

/// No compiler misses a file that no `mod` line names: its tests would never run.
#[test]
fn no_test_of_the_whole_system_is_forgotten() {
    let programs = read("tests/Cargo.toml");
    let modules = read("tests/tests/main.rs");
    let listed = |first: &str| {
        let module = format!("mod {};", first.trim_end_matches(".rs"));
        modules.lines().any(|line| line == module)
            || programs.contains(&format!("path = \"tests/{first}"))
    };
    let names: BTreeSet<String> = rust_files()
        .iter()
        .filter_map(|file| file.strip_prefix("tests/tests/")?.split('/').next())
        .filter(|first| !listed(first))
        .map(str::to_owned)
        .collect();
    report("Add its `mod` line to tests/tests/main.rs", names);
}

fn report(what_to_do: &str, faults: impl IntoIterator<Item = String>) {
    let faults: Vec<String> = faults.into_iter().collect();
    assert!(
        faults.is_empty(),
        "{} found. {what_to_do}:\n  {}",
        faults.len(),
        faults.join("\n  "),
    );
}
