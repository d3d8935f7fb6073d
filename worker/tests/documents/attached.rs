//! What a PDF carries beside its pages, and what stands beside the PDF.

use schemas::job::{BUILT_IN_THEMES, DocumentName, JobKind, Language, Options, Output, ThemeName};
use serde_json::Value;
use worker::jobs::{StoredReply, Themes};
use worker::{Press, RenderedJob};

use super::{beside, corpus, data, read, sample, set, set_as};

/// The CV as it reads back, and as it was set: both without photo.
fn back(cv: &Value, made: &RenderedJob) -> (schemas::cv::Cv, schemas::cv::Cv) {
    let mut read = convert::pdf::read(&made.pdf).unwrap().cv;
    read.photo_url = None;
    let mut own = schemas::cv::normalise(cv).unwrap().cv;
    own.photo_url = None;
    (read, own)
}

#[test]
fn every_cv_reads_back_from_its_pdf_without_loss() {
    let locales = Language::ALL.map(|language| {
        let tag = language.tag();
        let cv = read(&data(&format!("locales/{tag}.json")));
        (tag.to_owned(), cv)
    });
    let samples = [("sample".to_owned(), sample())];
    let all = samples.into_iter().chain(locales).chain(corpus::files());
    for (name, cv) in all {
        let made = set(&cv, Options::default());
        let (read, mut own) = back(&cv, &made);
        // The document says in which language it is, where the caller left that to us.
        own.language = own.language.or_else(|| Some("en".to_owned()));
        assert_eq!(read, own, "{name}");
    }
}

#[test]
fn both_forms_are_attached_and_stand_beside_the_pdf() {
    let cv = sample();
    let made = set(&cv, Options::default());
    for (name, file) in [
        (DocumentName::CvJson, "cv.json"),
        (DocumentName::ResumeJson, "resume.json"),
    ] {
        let document = beside(&made, name).unwrap();
        let json: Value = serde_json::from_slice(&document.data).unwrap();
        assert!(!json.to_string().contains("data:image"), "{file}");
        let sorted = serde_json::to_vec(&json).unwrap();
        assert_eq!(sorted, document.data, "{file}: keys are not sorted");
        let named = made
            .pdf
            .windows(file.len())
            .any(|part| part == file.as_bytes());
        assert!(named, "{file} is not attached");
    }
    let resume = beside(&made, DocumentName::ResumeJson).unwrap();
    let resume: Value = serde_json::from_slice(&resume.data).unwrap();
    let read = convert::json_resume::read(&resume).unwrap().cv;
    assert_eq!(read.full_name, cv["full_name"]);
    assert_eq!(read.work_experience.len(), 5);
}

#[test]
fn a_letter_carries_nothing_but_its_pages() {
    let cv = sample();
    let made = set_as(
        JobKind::CoverLetter,
        &cv,
        Options::default(),
        &StoredReply::own_text(""),
    );
    let fault = convert::pdf::read(&made.pdf).unwrap_err();
    assert!(matches!(fault, convert::pdf::Error::NoCv), "{fault}");
    let both = Options {
        outputs: vec![Output::Cv, Output::CoverLetter],
        ..Options::default()
    };
    let made = set(&cv, both);
    let letter = beside(&made, DocumentName::CoverLetter).unwrap();
    assert!(convert::pdf::read(&letter.data).is_err());
    assert!(convert::pdf::read(&made.pdf).is_ok());
}

#[test]
fn the_first_page_is_drawn_as_wide_as_the_press_says() {
    let cv = sample();
    assert!(beside(&set(&cv, Options::default()), DocumentName::FirstPage).is_none());
    let press = Press {
        engine: render::Engine::new().unwrap(),
        themes: Themes::built_in(),
        picture_width: 200,
    };
    for theme in BUILT_IN_THEMES {
        let input = schemas::job::JobInput {
            options: Options {
                theme: ThemeName::try_from(theme.to_owned()).unwrap(),
                ..Options::default()
            },
            ..schemas::job::JobInput::of(schemas::cv::normalise(&cv).unwrap().cv)
        };
        let accepted = "2026-11-21T08:00:00Z".parse().unwrap();
        let own_text = StoredReply::own_text("");
        let made = worker::render_job(&press, &input, &own_text, accepted).unwrap();
        let picture = beside(&made, DocumentName::FirstPage).unwrap();
        assert_eq!(&picture.data[1..4], b"PNG", "{theme}");
        // The header of a PNG: width and height (ISO/IEC 15948, 11.2.2).
        let size = |at: usize| u32::from_be_bytes(picture.data[at..at + 4].try_into().unwrap());
        assert_eq!((size(16), size(20)), (200, 282), "{theme}");
        assert_eq!(picture.facts.size_bytes, picture.data.len() as u64);
    }
}
