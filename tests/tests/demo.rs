//! `presswork demo` and the other commands, as a user runs them.

#![allow(
    clippy::unwrap_used,
    reason = "a test may fail at once, in its helpers too"
)]

use e2e::process::{command, run, with_model};
use openai::fake::{Script, Server};

/// The text of a PDF as a machine reads it, by poppler.
fn text_of(pdf: &std::path::Path) -> String {
    let output = run(std::process::Command::new("pdftotext").arg(pdf).arg("-"));
    assert!(output.status.success(), "pdftotext: {}", output.err);
    output.out.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn demo_without_a_model_leaves_a_correct_two_page_pdf_and_says_who_edited() {
    let dir = tempfile::tempdir().unwrap();
    let output = run(command("presswork").args(["demo", "--out"]).arg(dir.path()));
    assert!(output.status.success(), "{output:?}");
    for part in ["2 pages", "offline editor", "model calls: 0", "cv.pdf"] {
        assert!(
            output.out.contains(part),
            "{part} is missing: {}",
            output.out
        );
    }
    let pdf = dir.path().join("cv.pdf");
    let checked = run(std::process::Command::new("qpdf").arg("--check").arg(&pdf));
    assert!(checked.status.success(), "{checked:?}");
    let text = text_of(&pdf);
    let cv = e2e::sample_cv();
    for field in ["full_name", "email", "phone"] {
        let value = cv[field].as_str().unwrap();
        assert!(text.contains(value), "{field} is not in the PDF's text");
    }
    for work in cv["work_experience"].as_array().unwrap() {
        let employer = work["employer"].as_str().unwrap();
        assert!(
            text.contains(employer),
            "{employer} is not in the PDF's text"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn demo_with_a_model_makes_exactly_one_accepted_request() {
    let model = Server::start(([127, 0, 0, 1], 0).into(), Script::default()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let mut demo = command("presswork");
    demo.args(["demo", "--out"]).arg(dir.path());
    with_model(&mut demo, &model.base_url());
    let output = tokio::task::spawn_blocking(move || run(&mut demo))
        .await
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(output.out.contains("model calls: 1"), "{}", output.out);
    assert_eq!(
        (model.counters().received, model.counters().accepted),
        (1, 1)
    );
}

#[test]
fn render_is_lenient_and_gives_the_same_bytes_for_the_same_input() {
    let dir = tempfile::tempdir().unwrap();
    let input = e2e::repository("tests/data/cv/render/minimal_valid.json");
    let render = |name: &str| {
        let out = dir.path().join(name);
        let mut render = command("presswork");
        render.arg("render").arg(&input).arg("--out").arg(&out);
        let output = run(render.args(["--created", "2026-01-02T03:04:05Z"]));
        assert!(output.status.success(), "{output:?}");
        assert!(
            output.err.contains("work_experience"),
            "what is missing is said: {}",
            output.err
        );
        std::fs::read(out).unwrap()
    };
    assert_eq!(render("a.pdf"), render("b.pdf"));
}

#[test]
fn wrong_arguments_and_files_say_what_to_change() {
    let check = |arguments: &[&str], code: i32, said: &str| {
        let output = run(command("presswork").args(arguments));
        assert_eq!(
            output.status.code(),
            Some(code),
            "{arguments:?}: {output:?}"
        );
        assert!(output.err.contains(said), "{arguments:?}: {}", output.err);
    };
    let bad = e2e::repository("tests/data/cv/bad/wrong_keys.json")
        .display()
        .to_string();
    check(&["rende"], 2, "render");
    check(
        &["render", "no-such-file.json", "--out", "x.pdf"],
        1,
        "cannot open no-such-file.json",
    );
    check(&["render", &bad, "--out", "x.pdf"], 1, "personal_info");
    check(
        &["render", &bad, "--out", "x.pdf", "--pages", "9"],
        2,
        "1, 2, 3, 4 or auto",
    );
    check(
        &["config", "--set", "worker.concurency=3"],
        1,
        "worker.concurrency",
    );
    check(
        &[
            "submit",
            &bad,
            "--server",
            "http://127.0.0.1:9",
            "--out",
            "x.pdf",
        ],
        1,
        "presswork serve",
    );
}

#[test]
fn config_shows_where_each_value_comes_from_and_masks_secrets() {
    let mut config = command("presswork");
    config.args(["config", "--set", "worker.concurrency=7"]);
    config
        .env("OPENAI_API_KEY", "sk-very-secret-0123")
        .env("CV_NO_SUCH_NAME", "1");
    let output = run(&mut config);
    assert!(output.status.success(), "{output:?}");
    let line = |key: &str| {
        output
            .out
            .lines()
            .find(|l| l.starts_with(key))
            .unwrap()
            .to_owned()
    };
    assert!(
        line("worker.concurrency").contains("command line"),
        "{}",
        output.out
    );
    assert!(
        line("model.api_key").contains("env OPENAI_API_KEY"),
        "{}",
        output.out
    );
    assert!(
        output.out.contains("CV_NO_SUCH_NAME"),
        "unknown names are reported"
    );
    assert!(!output.out.contains("very-secret"), "the key is shown");
}

#[test]
fn a_worker_without_a_model_refuses_to_start_unless_told() {
    let backing = e2e::backing::Backing::embedded();
    let output = run(&mut backing.part("worker", &[]));
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(output.err.contains("CV_EDITOR=offline"), "{}", output.err);
}
