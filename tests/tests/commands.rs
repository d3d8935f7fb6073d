//! The command line as a user meets it: what commands take and refuse, what they say, and where it
//! goes.

#![allow(
    clippy::unwrap_used,
    reason = "a test may fail at once, in its helpers too"
)]

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use e2e::backing::Backing;
use e2e::process::{Output, Server, command, run};
use e2e::{repository, sample_cv};
use serde_json::{Value, json};

const OFFLINE: (&str, &str) = ("model.editor", "offline");

fn presswork(arguments: &[&str]) -> Output {
    run(command("presswork").args(arguments))
}

/// The same with something on standard input.
fn fed(arguments: &[&str], input: &str) -> Output {
    let mut command = command("presswork");
    let command = command.args(arguments).stdin(Stdio::piped());
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    Output {
        status: output.status,
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn well(output: &Output) {
    assert!(output.status.success(), "{output:?}");
}

fn path(folder: &Path, name: &str) -> String {
    folder.join(name).display().to_string()
}

fn written(folder: &Path, name: &str, text: &str) -> String {
    let path = path(folder, name);
    std::fs::write(&path, text).unwrap();
    path
}

fn word(name: &str) -> String {
    let folder = repository("schemas/convert/tests/data/corpus");
    folder.join(name).display().to_string()
}

/// The CV that a PDF of ours carries.
fn carried(pdf: &str) -> Value {
    let output = presswork(&["extract", pdf, "--no-photo"]);
    well(&output);
    serde_json::from_str::<Value>(&output.out).unwrap()["cv"].take()
}

#[test]
fn check_compares_what_was_read_and_fails_for_what_is_not_supported() {
    let dir = tempfile::tempdir().unwrap();
    let source = written(dir.path(), "source.json", &sample_cv().to_string());
    let mut more = sample_cv();
    more["work_experience"][0]["employer"] = "Copperfield Rocket Works".into();
    let check = |reply: &Value, languages: [&str; 2], code: i32, says: &str| {
        let reply = written(dir.path(), "reply.json", &reply.to_string());
        let [from, to] = languages;
        let output = presswork(&["check", &source, &reply, "--from", from, "--to", to]);
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        let said = format!("{}{}", output.out, output.err);
        assert!(said.contains(says), "{says}: {said}");
        output
    };
    let english = ["en", "en"];
    check(&sample_cv(), english, 0, "0 unsupported");
    check(&json!({"cv": sample_cv()}), english, 0, "0 unsupported");
    check(&more, english, 1, "Copperfield");
    check(&json!({ "cv": more }), ["en-GB", "EN"], 1, "Copperfield");
    // Not read is not all clear.
    let other = check(
        &json!({"person": more}),
        english,
        1,
        "full_name is required",
    );
    assert!(
        other.out.is_empty() && other.err.contains("person"),
        "{other:?}"
    );
    check(&json!([more]), english, 1, "object expected");
    check(&more, ["xx", "en"], 2, "expected one of en, de, pl");
    check(&more, ["en", "yy"], 2, "expected one of en, de, pl");
    let partly = check(
        &json!({"full_name": sample_cv()["full_name"], "shoes": 7}),
        english,
        0,
        "0 unsupported",
    );
    for note in ["email is required", "shoes"] {
        assert!(partly.err.contains(note), "{partly:?}");
    }

    // What `extract` prints, whole; and the same as JSON.
    let reply = written(dir.path(), "more.json", &more.to_string());
    let extracted = presswork(&["extract", &reply]);
    well(&extracted);
    let reply = written(dir.path(), "extracted.json", &extracted.out);
    let languages = ["--from", "en", "--to", "en"];
    let all = [&["check", &source, &reply, "--json"], &languages[..]].concat();
    let found = presswork(&all);
    assert_eq!(found.status.code(), Some(1), "{found:?}");
    let report: Value = serde_json::from_str(&found.out).unwrap();
    assert!(!report["unsupported"].as_array().unwrap().is_empty());
    assert!(presswork(&["check", "--help"]).out.contains("xit code 1"));
}

#[test]
fn render_takes_what_extract_reads() {
    let dir = tempfile::tempdir().unwrap();
    let out = path(dir.path(), "out.pdf");
    let docx = word("01_software_engineer_en.docx");
    let extract = |arguments: &[&str]| {
        let output = presswork(&[&["extract", &docx], arguments].concat());
        well(&output);
        output.out
    };
    let check = |input: &str, fed_with: Option<&str>| {
        let _ = std::fs::remove_file(&out);
        let arguments = ["render", input, "--out", &out];
        let output = match fed_with {
            Some(text) => fed(&arguments, text),
            None => presswork(&arguments),
        };
        well(&output);
        let cv = carried(&out);
        assert_eq!(cv["full_name"], "Daniel Okafor-Reid", "{input}");
        let employer = &cv["work_experience"][0]["employer"];
        assert_eq!(employer, "Tallowby Payments Ltd", "{input}");
        output
    };
    check(&docx, None);
    check("-", Some(&extract(&[])));
    check("-", Some(&extract(&["--format", "json-resume"])));
    let pdf = path(dir.path(), "first.pdf");
    std::fs::copy(&out, &pdf).unwrap();
    check(&pdf, None);

    // A German document has German titles.
    let german = word("04_financial_controller_de.docx");
    well(&presswork(&["render", &german, "--out", &out]));
    assert_eq!(carried(&out)["language"], "de");

    let nameless = fed(
        &["render", "-", "--out", "no.pdf"],
        r#"{"email": "a@example.com"}"#,
    );
    assert_eq!(nameless.status.code(), Some(1), "{nameless:?}");
    let says = "standard input holds no CV: full_name is required";
    assert!(nameless.err.contains(says), "{nameless:?}");
    assert!(!Path::new("no.pdf").exists());
}

#[test]
fn a_report_tells_of_every_value_of_data_too() {
    let dir = tempfile::tempdir().unwrap();
    let json = written(
        dir.path(),
        "cv.json",
        &json!({"cv": sample_cv()}).to_string(),
    );
    let pdf = path(dir.path(), "cv.pdf");
    well(&presswork(&["render", &json, "--out", &pdf]));
    let sample = sample_cv();
    for (input, origin) in [(json, "from the JSON"), (pdf, "from the data in the PDF")] {
        let report = presswork(&["extract", &input, "--report"]);
        well(&report);
        let line = |key: &str| {
            let line = report.out.lines().find(|line| line.starts_with(key));
            line.unwrap_or_else(|| panic!("no {key}: {}", report.out))
        };
        let name = line("full_name");
        assert!(name.contains("100 %"), "{name}");
        assert!(
            name.ends_with(sample["full_name"].as_str().unwrap()),
            "{name}"
        );
        line("work_experience[1].bullets[0]");
        line("education[0].institution");
        line("photo");
        assert!(report.out.contains(origin), "{}", report.out);
    }
}

/// Commands that print, each with what it needs.
fn printing(folder: &Path) -> Vec<Vec<String>> {
    let cv = written(folder, "cv.json", &sample_cv().to_string());
    let (pdf, data) = (path(folder, "cv.pdf"), path(folder, "data"));
    let create = ["keys", "create", "--tenant", "acme", "--data", &data];
    let commands: [&[&str]; 8] = [
        &["config"],
        &["config", "--json"],
        &["themes"],
        &create,
        &["doctor", "--data", &data],
        &["extract", &cv],
        &["render", &cv, "--out", &pdf],
        &["check", &cv, &cv, "--from", "en", "--to", "en"],
    ];
    let owned = |command: &&[&str]| command.iter().map(|part| (*part).to_owned()).collect();
    commands.iter().map(owned).collect()
}

#[test]
fn a_reader_that_goes_away_is_no_fault_and_a_full_disk_is_one() {
    let dir = tempfile::tempdir().unwrap();
    for arguments in printing(dir.path()) {
        let into = |out: Stdio| {
            let child = command("presswork")
                .args(&arguments)
                .stdin(Stdio::null())
                .stdout(out)
                .stderr(Stdio::piped())
                .spawn();
            let output = child.unwrap().wait_with_output().unwrap();
            let err = String::from_utf8(output.stderr).unwrap();
            assert!(!err.contains("panicked"), "{arguments:?}: {err}");
            (output.status.code(), err)
        };
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let (code, err) = into(writer.into());
        assert_eq!(code, Some(0), "{arguments:?}: {err}");
        assert!(!err.contains("presswork:"), "{arguments:?}: {err}");
        let full = File::options().write(true).open("/dev/full").unwrap();
        let (code, err) = into(full.into());
        assert_eq!(code, Some(1), "{arguments:?}: {err}");
        let says = "standard output cannot be written";
        assert!(err.contains(says), "{arguments:?}: {err}");
    }
    // What cannot be told beside a key does not take the key away.
    let full = File::options().write(true).open("/dev/full").unwrap();
    let create = command("presswork")
        .args(["keys", "create", "--tenant", "acme", "--data"])
        .arg(dir.path().join("data"))
        .stderr(full)
        .output()
        .unwrap();
    assert!(create.status.success() && create.stdout.starts_with(b"pw_"));
}

#[test]
fn errors_teach_what_to_write() {
    let check = |arguments: &[&str], parts: &[&str]| {
        let output = presswork(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {output:?}");
        for part in parts {
            assert!(output.err.contains(part), "{part}: {}", output.err);
        }
    };
    check(&["keys", "rotate"], &["<ID|--tenant <TENANT>>"]);
    check(&["keys", "revoke"], &["<ID|--tenant <TENANT>>"]);
    check(
        &["keys", "rotate", "0123456789ab", "--tenant", "acme"],
        &["cannot be used with"],
    );
    check(&["render", "cv.json"], &["--out <FILE.pdf>", "--png"]);
    check(&["--data", "x", "doctor"], &["write them after its name"]);
    let address = "such as http://127.0.0.1:8080";
    check(&["smoke", "--endpoint", "foo"], &["--endpoint", address]);
    check(&["health", "--endpoint", "foo"], &["--endpoint", address]);
    check(&["listen", "--server", "localhost:8080"], &[address]);
    check(&["listen", "--forward", "/hook"], &[address]);
    check(
        &[
            "submit",
            "cv.json",
            "--out",
            "x.pdf",
            "--server",
            "127.0.0.1",
        ],
        &[address],
    );
}

#[test]
fn settings_stand_before_a_command_and_after_it() {
    let before = presswork(&[
        "--set",
        "worker.concurrency=7",
        "config",
        "--set",
        "log.level=warn",
    ]);
    well(&before);
    for (key, value) in [("worker.concurrency", "7"), ("log.level", "warn")] {
        let line = before
            .out
            .lines()
            .find(|line| line.starts_with(key))
            .unwrap();
        assert!(
            line.contains(value) && line.contains("command line"),
            "{line}"
        );
    }
}

#[test]
fn what_is_to_go_is_removed_without_a_model() {
    let backing = Backing::embedded();
    well(&run(&mut backing.program(
        "worker",
        &["--retention-once"],
        &[],
    )));
}

/// A command with a key, given in one of the three ways.
fn with_key(arguments: &[&str], way: usize, key: &str, folder: &Path) -> Command {
    let mut command = command("presswork");
    command.args(arguments);
    match way {
        0 => command.args(["--key", key]),
        1 => {
            let file = written(folder, "key", &format!("{key}\n"));
            // A key of the environment is for when nothing else is said.
            command.env("PRESSWORK_API_KEY", "pw_other");
            command.args(["--key-file", &file])
        }
        _ => command.env("PRESSWORK_API_KEY", key),
    };
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_takes_a_key_in_the_same_ways() {
    let dir = tempfile::tempdir().unwrap();
    let backing = Backing::embedded();
    let server = Server::start(&mut backing.serve(&[OFFLINE, ("auth.anonymous", "off")]));
    let made = run(&mut backing.presswork(&["keys", "create", "--tenant", "acme"]));
    let key = made.out.trim();
    let docx = word("01_software_engineer_en.docx");
    let out = path(dir.path(), "out.pdf");
    let submit = ["submit", &docx, "--server", &server.url, "--out", &out];
    let smoke = ["smoke", "--endpoint", &server.url];
    let listen = ["listen", "--server", &server.url];
    let detail = "Send an API key as X-API-Key";
    for arguments in [&submit[..], &smoke, &listen] {
        let output = presswork(arguments);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let said = format!("{}{}", output.out, output.err);
        for part in ["--key,", "--key-file", "PRESSWORK_API_KEY"] {
            assert!(said.contains(part), "{part}: {said}");
        }
        assert_eq!(said.matches(detail).count(), 1, "{said}");
    }
    for way in 0..3 {
        for arguments in [&submit[..], &smoke] {
            well(&run(&mut with_key(arguments, way, key, dir.path())));
        }
        assert_eq!(carried(&out)["full_name"], "Daniel Okafor-Reid");
        std::fs::remove_file(&out).unwrap();
        // It says that it listens, and ends when it has something to say and nobody hears it.
        let mut listen = with_key(&listen, way, key, dir.path());
        let mut listen = listen.stdout(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(listen.stdout.take().unwrap()).lines();
        let first = said.next().unwrap().unwrap();
        assert!(first.contains(&server.url), "{first}");
        drop(said);
        well(&run(&mut with_key(&submit, way, key, dir.path())));
        assert!(listen.wait().unwrap().success());
    }
    let config = run(command("presswork")
        .arg("config")
        .env("PRESSWORK_API_KEY", key));
    assert!(!config.out.contains("PRESSWORK_API_KEY"), "{}", config.out);
}
