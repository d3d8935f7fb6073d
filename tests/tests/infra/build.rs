//! What the image, the compose file and the workflows are made from.

use std::collections::BTreeSet;
use std::process::Command;

use crate::text::{files, read, root};

#[test]
fn the_image_copies_each_manifest_and_cargo_can_read_them() {
    let workspace: toml::Table = toml::from_str(&read("Cargo.toml")).unwrap();
    let members = workspace["workspace"]["members"].as_array().unwrap();
    let members: BTreeSet<&str> = members.iter().map(|m| m.as_str().unwrap()).collect();
    let docker = read("infra/docker/Dockerfile");
    let copied: BTreeSet<&str> = docker
        .lines()
        .filter_map(|line| line.strip_prefix("COPY ")?.split_once("/Cargo.toml "))
        .map(|(member, _)| member)
        .collect();
    assert_eq!(copied, members, "infra/docker/Dockerfile copies manifests");

    let place = tempfile::tempdir().unwrap();
    for file in ["Cargo.toml", "Cargo.lock"] {
        std::fs::copy(root().join(file), place.path().join(file)).unwrap();
    }
    for member in &members {
        std::fs::create_dir_all(place.path().join(member)).unwrap();
        let manifest = format!("{member}/Cargo.toml");
        std::fs::copy(root().join(&manifest), place.path().join(&manifest)).unwrap();
    }
    let done = Command::new(root().join("infra/docker/skeleton.sh"))
        .arg(place.path())
        .status();
    assert!(done.unwrap().success());
    let read = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--offline",
            "--locked",
            "--no-deps",
            "--format-version=1",
        ])
        .current_dir(place.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&read.stderr);
    assert!(read.status.success(), "{said}");
    let out = String::from_utf8_lossy(&read.stdout);
    assert!(out.contains("\"presswork\""), "the program is a target");
}

#[test]
fn the_toolchain_of_the_image_is_that_of_the_repository() {
    let chosen: toml::Table = toml::from_str(&read("rust-toolchain.toml")).unwrap();
    let channel = chosen["toolchain"]["channel"].as_str().unwrap();
    let docker = read("infra/docker/Dockerfile");
    assert!(
        docker.contains(&format!("FROM rust:{channel}-")),
        "{channel}"
    );
    assert!(
        docker.contains(&format!("RUSTUP_TOOLCHAIN={channel} ")),
        "{channel}"
    );
}

/// Every program that somebody starts by name is one of the three, with arguments that it knows.
#[test]
fn containers_start_programs_of_the_image() {
    let mut seen = 0;
    let places = [
        ("infra/bicep/modules", &[".bicep"][..], "command: "),
        (
            "infra/docker",
            &["compose.yaml", "Dockerfile"],
            "command: [",
        ),
        ("infra/docker", &["Dockerfile"], "CMD ["),
    ];
    for (folder, ends, begin) in places {
        for (file, text) in files(folder, ends) {
            for line in text.lines().filter(|line| line.contains(begin)) {
                let Some((_, rest)) = line.split_once('[') else {
                    continue;
                };
                let words: Vec<&str> = rest
                    .split(']')
                    .next()
                    .unwrap()
                    .split(',')
                    .map(|word| word.trim().trim_matches(['"', '\'']))
                    .collect();
                // Of other images.
                if ["azurite", "--config"].contains(&words[0]) {
                    continue;
                }
                seen += 1;
                let programs = ["api-shim", "worker", "presswork"];
                assert!(programs.contains(&words[0]), "{file}: {line}");
            }
        }
    }
    assert!(seen >= 7, "only {seen} commands were found");
}

/// Plain git, the engine and the clients of Azure: no step of somebody else's runs with our rights.
#[test]
fn workflows_use_no_actions_and_ask_for_no_more_than_they_need() {
    for (file, text) in files(".github/workflows", &[".yml"]) {
        for line in text.lines() {
            let uses = line.trim_start().trim_start_matches("- ");
            if let Some(what) = uses.strip_prefix("uses: ") {
                assert!(what.starts_with("./"), "{file}: {line}");
            }
        }
        assert!(text.contains("\npermissions:"), "{file} takes all rights");
        let jobs = text.matches("runs-on:").count();
        let limits = text.matches("timeout-minutes:").count();
        assert_eq!(jobs, limits, "{file}: each job has a limit of time");
    }
}
