//! `presswork render` with input that nobody would send on purpose: a correct page or an error that says what to
//! change, never a panic; and the same bytes from every process.

#![allow(
    clippy::unwrap_used,
    reason = "a test may fail at once, in its helpers too"
)]

use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use e2e::process::{Output, command, run};
use serde_json::{Value, json};

fn render(folder: &Path, input: &[u8], arguments: &[&str]) -> Output {
    let (source, out) = (folder.join("cv.json"), folder.join("cv.pdf"));
    std::fs::write(&source, input).unwrap();
    let _ = std::fs::remove_file(&out);
    let mut program = command("presswork");
    program.arg("render").arg(source).arg("--out").arg(&out);
    program.args(["--created", "2026-01-02T03:04:05Z"]);
    let output = run(program.args(arguments).current_dir(folder));
    assert!(!output.err.contains("panicked"), "{output:?}");
    let code = output.status.code();
    assert_eq!(out.exists(), code == Some(0), "{output:?}");
    assert!(matches!(code, Some(0 | 1)), "{output:?}");
    output
}

fn cv(change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut cv = e2e::sample_cv();
    change(&mut cv);
    cv.to_string().into_bytes()
}

/// `part` is in what is said: in the notes of a success, in the error of a failure.
#[track_caller]
fn check(input: &[u8], arguments: &[&str], succeeds: bool, part: &str) {
    let folder = tempfile::tempdir().unwrap();
    let output = render(folder.path(), input, arguments);
    assert_eq!(output.status.success(), succeeds, "{output:?}");
    assert!(output.err.contains(part), "{part:?} is not in {output:?}");
}

#[test]
fn too_much_of_anything_is_an_error() {
    let check = |input: &[u8], part| check(input, &[], false, part);
    let profile = |text: String| cv(|cv| cv["profile"] = text.into());
    check(&profile("Lorem ipsum ".repeat(420_000)), "the limit is");
    check(&profile("x".repeat(5_000_000)), "the limit is");
    let bullets = vec!["One thing of many."; 10_000];
    let many = cv(|cv| cv["work_experience"][0]["bullets"] = json!(bullets));
    check(&many, "10000 items, the limit is");
    check(&b"[".repeat(100_000), "is not JSON");
}

#[test]
fn tricks_with_text_are_undone_and_told() {
    let check = |text: &str, part| {
        check(&cv(|cv| cv["profile"] = text.into()), &[], true, part);
    };
    check("invoice\u{202E}fdp.exe", "control characters were removed");
    check("a\u{0}b\u{7}c\u{1B}[31m", "control characters");
    check(
        &format!("a{}", "\u{301}".repeat(5000)),
        "cannot be shown were removed",
    );
    check("\u{10FFFD}", "No font has");
    let sample = String::from_utf8(cv(|_| {})).unwrap();
    let broken = sample.replacen("Eleanor", r"Ele\ud800anor", 1);
    self::check(broken.as_bytes(), &[], false, "is not JSON");
    let broken = sample.replacen("Eleanor", r"Ele\udc00anor", 1);
    self::check(broken.as_bytes(), &[], false, "is not JSON");
    let mut latin = sample.into_bytes();
    let at = latin
        .windows(7)
        .position(|part| part == b"Eleanor")
        .unwrap();
    latin[at] = 0xFF;
    self::check(&latin, &[], false, "is not JSON");
}

#[test]
fn unusable_photos_are_left_out_and_told() {
    let photo = e2e::sample_cv()["photo_url"].as_str().unwrap().to_owned();
    let (_, data) = photo.split_once(',').unwrap();
    let good = BASE64_STANDARD.decode(data).unwrap();
    let check = |file: &[u8], part| {
        let uri = format!("data:image/jpeg;base64,{}", BASE64_STANDARD.encode(file));
        check(&cv(|cv| cv["photo_url"] = uri.into()), &[], true, part);
    };
    check(&good[..good.len() / 2], "its data is broken");
    check(b"GIF89a", "neither JPEG nor PNG");
    // The header says 60,000 by 60,000; nothing is decoded to find out.
    let mut huge = good;
    let frame = huge.windows(2).position(|at| at == [0xFF, 0xC0]).unwrap();
    huge[frame + 5..frame + 9].copy_from_slice(&[0xEA, 0x60, 0xEA, 0x60]);
    check(&huge, "at most 40 megapixels");
}

#[test]
fn themes_that_make_no_sense_are_errors() {
    let check = |theme: &str, part| {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("own.toml"), theme).unwrap();
        let output = render(folder.path(), &cv(|_| {}), &["--theme-file", "own.toml"]);
        assert!(!output.status.success(), "{theme:.80}");
        assert!(output.err.contains(part), "{part:?} is not in {output:?}");
    };
    let margins =
        |top| format!("[page]\nmargins = {{ top = {top}, end = 20, bottom = 20, start = 20 }}");
    check(&margins("-5"), "`page.margins.top`: -5");
    check(&margins("nan"), "`page.margins.top`: NaN");
    check("[photo]\nwidth = 1e30", "`photo.width`");
    check("[photo]\nwidth = inf", "`photo.width`");
    check("colour = 1", "unknown field `colour`");
    check("extends = \"own\"", "`extends`");
    check("[[[", "line 1");
    check(&format!("a{} = 1", ".a".repeat(20_000)), "cannot be read");
    check(&format!("a = {}", "[".repeat(30_000)), "cannot be read");
    check(&"#".repeat(3_000_000), "larger than");
}

#[test]
fn two_processes_give_the_same_bytes() {
    let made: Vec<Vec<u8>> = (0..2)
        .map(|_| {
            let folder = tempfile::tempdir().unwrap();
            let output = render(folder.path(), &cv(|_| {}), &[]);
            assert!(output.status.success(), "{output:?}");
            std::fs::read(folder.path().join("cv.pdf")).unwrap()
        })
        .collect();
    assert!(made[0] == made[1], "the files differ");
    let limit = 60_000;
    assert!(
        made[0].len() <= limit,
        "{} bytes, over {limit}",
        made[0].len()
    );
}
