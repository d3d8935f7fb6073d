//! `presswork extract`, as a user runs it: every kind of input, every form of output, and what
//! files say that are made to break a reader.

#![allow(
    clippy::unwrap_used,
    reason = "a test may fail at once, in its helpers too"
)]

use std::path::{Path, PathBuf};

use e2e::process::{Output, command, run};
use e2e::{repository, sample_cv};
use serde_json::Value;

fn extract(input: &Path, arguments: &[&str]) -> Output {
    run(command("presswork")
        .arg("extract")
        .arg(input)
        .args(arguments))
}

fn parsed(output: &Output) -> Value {
    assert!(output.status.success(), "{}", output.err);
    serde_json::from_str(&output.out).unwrap()
}

fn hostile(name: &str) -> PathBuf {
    repository("schemas/convert/tests/data/hostile").join(name)
}

/// The sample as any reader should give it back, without what pages change: the photo.
fn expected() -> Value {
    let cv = schemas::cv::normalise(&sample_cv()).unwrap().cv;
    without_photo(serde_json::to_value(cv).unwrap())
}

fn without_photo(mut cv: Value) -> Value {
    cv.as_object_mut().unwrap().remove("photo_url");
    cv
}

#[test]
fn our_own_pdf_and_json_come_back_without_loss() {
    let dir = tempfile::tempdir().unwrap();
    let (json, pdf) = (dir.path().join("cv.json"), dir.path().join("cv.pdf"));
    std::fs::write(&json, sample_cv().to_string()).unwrap();
    let made = run(command("presswork")
        .arg("render")
        .arg(&json)
        .arg("--out")
        .arg(&pdf));
    assert!(made.status.success(), "{}", made.err);
    for input in [&pdf, &json] {
        let cv = parsed(&extract(input, &["--json"]))["cv"].clone();
        assert_eq!(without_photo(cv), expected(), "{}", input.display());
    }
    // The photo of the page is a JPEG.
    let photo = parsed(&extract(&pdf, &["--json"]))["cv"]["photo_url"].clone();
    if !sample_cv()["photo_url"].is_null() {
        let photo = photo.as_str().unwrap();
        assert!(photo.starts_with("data:image/jpeg;base64,"));
    }
    let bare = parsed(&extract(&pdf, &["--no-photo"]));
    assert!(bare["cv"].get("photo_url").is_none_or(Value::is_null));
}

#[test]
fn json_resume_goes_out_and_comes_in() {
    let dir = tempfile::tempdir().unwrap();
    let (json, resume) = (dir.path().join("cv.json"), dir.path().join("resume.json"));
    std::fs::write(&json, sample_cv().to_string()).unwrap();
    let out = extract(&json, &["--format", "json-resume", "--no-photo"]);
    let value = parsed(&out);
    let name = sample_cv()["full_name"].clone();
    assert_eq!(value["basics"]["name"], name);
    std::fs::write(&resume, out.out).unwrap();
    let back = parsed(&extract(&resume, &[]));
    assert_eq!(back["cv"]["full_name"], name);
    let employers = |cv: &Value| -> Vec<Value> {
        let work = cv["work_experience"].as_array().unwrap();
        work.iter().map(|entry| entry["employer"].clone()).collect()
    };
    assert_eq!(employers(&back["cv"]), employers(&sample_cv()));
}

#[test]
fn every_format_shows_the_person_of_a_word_document() {
    let input = repository("schemas/convert/tests/data/corpus/01_software_engineer_en.docx");
    for (arguments, sign) in [
        (&["--format", "json"][..], "\"full_name\""),
        (&["--format", "report"], "full_name"),
        (&["--report"], "from body, paragraph"),
        (&["--format", "html"], "<!DOCTYPE html>"),
        (&["--format", "markdown"], "# Daniel Okafor-Reid"),
        (&["--format", "json-resume"], "\"basics\""),
    ] {
        let output = extract(&input, arguments);
        assert!(output.status.success(), "{arguments:?}: {}", output.err);
        let lower = output.out.to_lowercase();
        assert!(lower.contains(&sign.to_lowercase()), "{arguments:?}");
        assert!(lower.contains("okafor-reid"), "{arguments:?}");
    }
}

#[test]
fn plain_text_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let input = dir.path().join("cv.txt");
    std::fs::write(
        &input,
        "Ada Whitcombe\nada.whitcombe@example.com\n+44 1632 960 001\n\nWork experience\n\n\
         Welder, Harbour Steel Ltd, Hull\n2018 - present\n- Keeps cranes running.\n\n\
         Education\n\n2014 - 2016  Humber College, Certificate in Welding\n",
    )
    .unwrap();
    let cv = parsed(&extract(&input, &[]))["cv"].clone();
    assert_eq!(cv["full_name"], "Ada Whitcombe");
    assert_eq!(cv["work_experience"][0]["employer"], "Harbour Steel Ltd");
}

#[test]
fn what_is_not_read_ends_with_code_1_and_says_why() {
    let dir = tempfile::tempdir().unwrap();
    let own = |name: &str, bytes: &[u8]| {
        let path = dir.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let check = |input: PathBuf, says: &str| {
        let output = extract(&input, &["--json"]);
        let shown = input.display();
        assert_eq!(output.status.code(), Some(1), "{shown}: {output:?}");
        assert!(output.out.is_empty(), "{shown}");
        assert!(output.err.contains(says), "{shown}: {}", output.err);
    };
    for (name, says) in [
        ("zip_bomb_overlap.docx", "not safe to unpack"),
        ("xml_entity_expansion.docx", "DTD"),
        ("path_traversal.docx", "leads out of the package"),
        ("truncated.docx", "the document is damaged"),
        ("encrypted_office.docx", "password"),
        ("huge_paragraph.docx", "too much text"),
    ] {
        check(hostile(name), says);
    }
    check(own("a.pdf", b"%PDF-1.7 nothing"), "PDF");
    check(
        own("b.docx", &[0xff, 0xfe, 0x00]),
        "neither a Word document",
    );
    check(own("c.json", b"{\"full_name\": "), "is not JSON");
    check(own("d.json", b"{\"full_name\": 3}"), "full_name");
    check(
        own("e.txt", b"Preheat the oven. Mix flour and milk."),
        "no CV",
    );
    check(own("f.txt", &b"word ".repeat(1_000_000)), "too much text");
    check(dir.path().join("absent.docx"), "cannot open");
}

#[test]
fn pictures_that_cannot_be_taken_leave_the_text() {
    for name in ["image_60000x60000.docx", "external_image.docx"] {
        let value = parsed(&extract(&hostile(name), &[]));
        assert_eq!(value["cv"]["full_name"], "Hannelore Probst", "{name}");
        assert!(value["cv"].get("photo_url").is_none_or(Value::is_null));
        assert!(value["photo_omitted"].is_string(), "{name}");
    }
}
