//! Where the facts come from: cargo, git and the files themselves.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use cargo_metadata::{CargoOpt, Metadata, MetadataCommand};

use crate::rules::{Deny, Versions};

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("this crate lies one folder below the root")
}

pub(crate) fn read(file: &str) -> String {
    read_path(&root().join(file))
}

pub(crate) fn read_path(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All crates for all platforms, as Cargo.lock has them.
pub(crate) fn metadata() -> Metadata {
    MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .features(CargoOpt::AllFeatures)
        .other_options(["--locked".to_owned()])
        .exec()
        .expect("cargo metadata: if Cargo.lock is out of date, run cargo check and commit it")
}

pub(crate) fn members(metadata: &Metadata) -> BTreeSet<&str> {
    metadata
        .workspace_packages()
        .iter()
        .map(|package| package.name.as_str())
        .collect()
}

pub(crate) fn versions(metadata: &Metadata) -> Versions {
    let mut versions = Versions::new();
    for package in &metadata.packages {
        versions
            .entry(package.name.to_string())
            .or_default()
            .insert(package.version.to_string());
    }
    versions
}

pub(crate) fn deny() -> Deny {
    toml::from_str(&read("deny.toml")).unwrap_or_else(|error| panic!("deny.toml: {error}"))
}

/// The repository's files as git sees them, new ones included, ignored ones not.
pub(crate) fn files() -> Vec<String> {
    let output = Command::new("git")
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .current_dir(root())
        .output()
        .expect("git is needed: infra/test.sh installs it");
    assert!(
        output.status.success(),
        "git ls-files: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let list = String::from_utf8(output.stdout).expect("file names are UTF-8");
    let files: Vec<String> = list
        .split('\0')
        // A deleted file stays in the index until the commit.
        .filter(|file| !file.is_empty() && root().join(file).is_file())
        .map(str::to_owned)
        .collect();
    assert!(files.len() > 10, "git knows too few files: {files:?}");
    files
}

pub(crate) fn rust_files() -> Vec<String> {
    files()
        .into_iter()
        .filter(|file| Path::new(file).extension().is_some_and(|end| end == "rs"))
        .collect()
}
