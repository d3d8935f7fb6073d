//! What commands make of files, stores and settings that they are given: what is wrong is said before
//! any work, nothing is overwritten by mistake, and what is kept is its owner's alone.

#![allow(
    clippy::unwrap_used,
    reason = "a test may fail at once, in its helpers too"
)]

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use e2e::backing::Backing;
use e2e::process::{Output, command, run, with_model};
use e2e::system::{System, fake};
use e2e::{eventually, repository, sample_cv};
use serde_json::json;

/// Nobody listens there.
const NOBODY: &str = "http://127.0.0.1:9";

/// A command in a directory.
fn presswork(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = command("presswork");
    command.args(arguments).current_dir(folder);
    command
}

#[track_caller]
fn refused(output: &Output, part: &str) {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(output.err.contains(part), "{part}: {output:?}");
}

#[track_caller]
fn well(output: &Output) {
    assert!(output.status.success(), "{output:?}");
}

/// A directory with the sample CV as `cv.json`.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("cv.json"), sample_cv().to_string()).unwrap();
    folder
}

/// What is in a directory, by name.
fn listed(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let name = |entry: std::fs::DirEntry| entry.file_name().into_string().unwrap();
    let mut names: Vec<_> = entries.map(|entry| name(entry.unwrap())).collect();
    names.sort();
    names
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn keys_of_nobody_and_of_no_store_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let keys = |arguments: &[&str]| run(&mut presswork(dir.path(), arguments));
    for arguments in [
        &["keys", "list", "--data", "typo"][..],
        &["keys", "revoke", "--tenant", "acme", "--data", "typo"],
        &["keys", "rotate", "--tenant", "acme", "--data", "typo"],
    ] {
        refused(&keys(arguments), "there is no store in typo");
    }
    assert!(listed(dir.path()).is_empty(), "no store is made");
    let dead = keys(&["keys", "create", "--tenant", "acme", "--expires", "0d"]);
    assert_eq!(dead.status.code(), Some(2), "{dead:?}");
    assert!(dead.err.contains("--expires"), "{dead:?}");

    well(&keys(&["keys", "create", "--tenant", "acme"]));
    let nobody = keys(&["keys", "revoke", "--tenant", "amce"]);
    refused(&nobody, "tenant amce has no keys");
    let revoked = keys(&["keys", "revoke", "--tenant", "acme"]);
    well(&revoked);
    assert!(revoked.out.starts_with("revoked "), "{revoked:?}");

    // As little to be seen as in a directory of somebody else.
    symlink("round", dir.path().join("round")).unwrap();
    let unseen = keys(&["keys", "list", "--data", "round"]);
    refused(&unseen, "may this user look into it?");
}

#[test]
fn what_is_read_is_not_overwritten() {
    let folder = folder();
    let posting = folder.path().join("posting.txt");
    std::fs::write(&posting, "A posting.").unwrap();
    let photo = sample_cv()["photo_url"].as_str().unwrap().to_owned();
    let (_, photo) = photo.split_once(',').unwrap();
    let photo = base64::Engine::decode(&base64::prelude::BASE64_STANDARD, photo).unwrap();
    std::fs::write(folder.path().join("cv-1.png"), photo).unwrap();
    let before = listed(folder.path());
    let check = |arguments: &[&str], part: &str| {
        let output = run(&mut presswork(folder.path(), arguments));
        refused(&output, part);
        assert_eq!(listed(folder.path()), before, "{arguments:?}");
    };
    let submit = |arguments: &[&str], part: &str| {
        let all = [&["submit", "cv.json", "--server", NOBODY], arguments].concat();
        check(&all, part);
    };
    check(&["render", "cv.json", "--out", "cv.json"], "is an input");
    let pictures = ["render", "cv.json", "--png", "--photo", "cv-1.png"];
    check(
        &[&pictures[..], &["--out", "cv.pdf"]].concat(),
        "is an input",
    );
    submit(&["--out", "./cv.json"], "is an input");
    submit(
        &["--out", "a.pdf", "--cover-letter", "a.pdf"],
        "two documents would go to a.pdf",
    );
    let over = ["--posting", "posting.txt", "--cover-letter", "posting.txt"];
    submit(&[&["--out", "a.pdf"], &over[..]].concat(), "is an input");
    submit(&["--out", "none/a.pdf"], "cannot write none/a.pdf");
    submit(
        &["--out", "a.pdf", "--cover-letter", "."],
        "it is a directory",
    );
    assert_eq!(std::fs::read(&posting).unwrap(), b"A posting.");

    // Before a system is started.
    std::fs::create_dir_all(folder.path().join("out/cv.pdf")).unwrap();
    let demo = run(&mut presswork(folder.path(), &["demo", "--out", "out"]));
    refused(&demo, "it is a directory");
    assert!(demo.out.is_empty(), "{demo:?}");
}

/// What a command wrote to standard output, and what it said beside it.
fn document(command: &mut Command) -> (Vec<u8>, String) {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{err}");
    (output.stdout, err)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dash_is_standard_output() {
    let folder = folder();
    let before = listed(folder.path());
    let render = ["render", "cv.json", "--out", "-"];
    let (pdf, said) = document(&mut presswork(folder.path(), &render));
    assert!(pdf.starts_with(b"%PDF-") && pdf.trim_ascii_end().ends_with(b"%%EOF"));
    assert!(said.contains("2 pages"), "{said}");

    let system = System::start(Backing::embedded(), json!({}), &[]);
    let url = system.server.url.as_str();
    let submit = ["submit", "cv.json", "--server", url, "--out", "-"];
    let (pdf, said) = document(&mut presswork(folder.path(), &submit));
    assert!(pdf.starts_with(b"%PDF-") && pdf.trim_ascii_end().ends_with(b"%%EOF"));
    assert!(said.contains("model calls: 1"), "{said}");
    assert_eq!(listed(folder.path()), before);
}

#[test]
fn wrong_settings_are_an_error_of_every_command() {
    let folder = folder();
    let commands: [&[&str]; 9] = [
        &["render", "cv.json", "--out", "cv.pdf"],
        &["extract", "cv.json"],
        &["check", "cv.json", "cv.json", "--from", "en", "--to", "en"],
        &["themes"],
        &["submit", "cv.json", "--out", "x.pdf", "--server", NOBODY],
        &["listen", "--server", NOBODY],
        &["smoke", "--endpoint", NOBODY],
        &["health", "--endpoint", NOBODY],
        &["fake-openai"],
    ];
    for arguments in commands {
        let check = |setting: &[&str], part: &str| {
            let all = [arguments, setting].concat();
            refused(&run(&mut presswork(folder.path(), &all)), part);
        };
        check(&["--set", "nonsense=1"], "nonsense");
        check(&["--config", "nofile.toml"], "nofile.toml");
    }
    assert_eq!(listed(folder.path()), ["cv.json"]);
    let mut words = presswork(folder.path(), &["config"]);
    let words = run(words.env("CV_SINGLE_CALL_EXECUTION", "maybe"));
    refused(&words, "retry_once (or 0, false, no, off)");
}

#[test]
fn render_and_themes_take_the_settings_of_the_renderer() {
    let folder = folder();
    std::fs::create_dir(folder.path().join("own")).unwrap();
    let theme = "extends = \"classic\"\ndescription = \"Ours.\"\n";
    std::fs::write(folder.path().join("own/house.toml"), theme).unwrap();
    let themes_dir = ["--set", "render.themes_dir=own"];
    let run = |arguments: &[&str], settings: &[&str]| {
        run(&mut presswork(
            folder.path(),
            &[arguments, settings].concat(),
        ))
    };
    let listed = run(&["themes"], &themes_dir);
    well(&listed);
    assert!(listed.out.contains("house"), "{listed:?}");
    let render = ["render", "cv.json", "--out", "cv.pdf"];
    let in_house = [&render[..], &["--theme", "house"]].concat();
    refused(&run(&in_house, &[]), "there is no theme house");
    well(&run(&in_house, &themes_dir));
    let fonts_dir = ["--set", "render.fonts_dir=none"];
    for arguments in [&render[..], &["themes"]] {
        refused(&run(arguments, &fonts_dir), "render.fonts_dir = none");
    }
}

/// `presswork submit` of the sample CV in a directory to a system.
fn submit(folder: &Path, system: &System, arguments: &[&str]) -> Command {
    let url = system.server.url.as_str();
    let own = ["submit", "cv.json", "--server", url];
    presswork(folder, &[&own, arguments].concat())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_word_of_submit_says_why_and_which_job() {
    let folder = folder();
    let check = async |out: &str, script, settings: &[(&str, &str)], parts: &[&str]| {
        let system = System::start(Backing::embedded(), script, settings);
        // Longer than a busy machine takes until a call is turned away.
        let mut submit = submit(folder.path(), &system, &["--out", out, "--wait", "6"]);
        let output = tokio::task::spawn_blocking(move || run(&mut submit));
        let output = output.await.unwrap();
        refused(&output, "job ");
        for part in parts {
            assert!(output.err.contains(part), "{part}: {output:?}");
        }
    };
    let turned_away = json!({"default": {
        "do": "error", "status": 429, "headers": {"retry-after": "60"},
    }});
    let advice = ["goes on: GET http://", "presswork doctor"];
    let spent = [("budget.daily_usd", "0")];
    let lost = json!({"default": {"do": "error", "status": 500}});
    tokio::join!(
        check("1.pdf", turned_away, &[], &advice),
        check("2.pdf", json!({}), &spent, &["(daily_budget)"]),
        check("3.pdf", lost, &[], &["ended outcome_unknown"]),
    );
    assert_eq!(listed(folder.path()), ["cv.json"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_cannot_be_written_in_the_end_is_still_found() {
    let folder = folder();
    let out = folder.path().join("out");
    std::fs::create_dir(&out).unwrap();
    let system = System::start(Backing::embedded(), json!({"latency": "500ms"}), &[]);
    let mut submit = submit(folder.path(), &system, &["--out", "out/cv.pdf"]);
    let ended = tokio::task::spawn_blocking(move || run(&mut submit));
    let calls = async || system.model.counters().received;
    eventually("the call is out", calls, |calls| *calls > 0).await;
    std::fs::remove_dir(&out).unwrap();
    let output = ended.await.unwrap();
    refused(&output, "job ");
    assert!(output.err.contains("/result"), "{output:?}");
    assert!(output.err.contains("cannot write out/cv.pdf"), "{output:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_demo_leaves_nothing_behind() {
    let (temporary, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let model = fake(json!({"latency": "60s"}));
    for signal in ["-INT", "-TERM"] {
        let received = model.counters().received;
        let mut demo = command("presswork");
        demo.args(["demo", "--out"]).arg(out.path());
        demo.env("TMPDIR", temporary.path());
        with_model(&mut demo, &model.base_url());
        let demo = demo.stdout(Stdio::piped()).stderr(Stdio::piped());
        let demo = demo.stdin(Stdio::null()).spawn().unwrap();
        let calls = async || model.counters().received;
        eventually("the call is out", calls, |calls| *calls > received).await;
        assert_eq!(listed(temporary.path()).len(), 1);
        let id = demo.id().to_string();
        let sent = Command::new("kill").args([signal, &id]).status().unwrap();
        assert!(sent.success());
        let ended = tokio::task::spawn_blocking(|| demo.wait_with_output());
        let ended = ended.await.unwrap().unwrap();
        let err = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(1), "{err}");
        assert!(err.contains("stopped before the PDF"), "{err}");
        assert!(listed(temporary.path()).is_empty(), "{signal}");
    }
    assert!(listed(out.path()).is_empty());
}

#[test]
fn stores_backups_and_exports_are_their_owners_alone() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let presswork = |arguments: &[&str]| {
        let mut shell = Command::new("sh");
        let program = e2e::process::program("presswork");
        // As on most machines.
        shell
            .args(["-c", "umask 022 && exec \"$0\" \"$@\""])
            .arg(program);
        run(shell.args(arguments).current_dir(dir.path()))
    };
    let create = ["keys", "create", "--tenant", "acme", "--data", "data"];
    well(&presswork(&create));
    assert_eq!(mode(&at("data")), 0o700);
    // What a program left behind that was killed.
    std::fs::write(at("export.part"), "half of an export").unwrap();
    well(&presswork(&["backup", "backup", "--data", "data"]));
    well(&presswork(&["export", "export", "--data", "data"]));
    for file in ["data/presswork.db", "backup", "export"] {
        assert_eq!(mode(&at(file)), 0o600, "{file}");
    }
    assert_eq!(listed(dir.path()), ["backup", "data", "export"]);
    let again = presswork(&["export", "export", "--data", "data"]);
    refused(&again, "export is there already");
    well(&presswork(&["import", "export", "--data", "other"]));

    let docx = repository("schemas/convert/tests/data/corpus/01_software_engineer_en.docx");
    let docx = docx.display().to_string();
    let no_export = presswork(&["import", &docx, "--data", "third"]);
    refused(&no_export, &format!("{docx} is no export"));
    let nothing = presswork(&["import", "nothing", "--data", "fourth"]);
    refused(&nothing, "cannot read nothing");
    assert!(!at("fourth").exists());
}
