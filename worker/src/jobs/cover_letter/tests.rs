//! Letters: what is kept of a model's text, and the plain one.

use schemas::cv::Cv;
use schemas::job::{JobInput, JobKind, Language, Options};

use super::*;

fn input(language: Language) -> JobInput {
    let sample = serde_json::from_str(schemas::cv::SAMPLE).unwrap();
    JobInput {
        kind: JobKind::CoverLetter,
        cv: schemas::cv::normalise(&sample).unwrap().cv,
        options: Options {
            language: Some(language),
            letter: Some(Letter {
                recipient_name: Some("Odile Brandt".to_owned()),
                organization: Some("Brandt & Sons".to_owned()),
                address_lines: vec!["Harbour Road 1".to_owned()],
                position: Some("Head of {title}".to_owned()),
                date: None,
            }),
            ..Options::default()
        },
        earlier: None,
    }
}

#[test]
fn a_plain_letter_says_only_what_the_cv_says() {
    for language in Language::ALL {
        let input = input(language);
        let paragraphs = plain(&input, &input.cv);
        assert_eq!(paragraphs.len(), 4, "{language:?}");
        let whole = paragraphs.join(" ");
        assert!(whole.contains("Head of {title}"), "{whole}");
        assert!(
            whole.contains(&input.cv.work_experience[0].employer),
            "{whole}"
        );
        let filled = whole.replace("{title}", "");
        assert!(!filled.contains(['{', '}']), "{whole}");
        let languages = Languages {
            from: "en",
            to: language.tag(),
        };
        let posting = known_of_the_aim(&input);
        if language == Language::En {
            // The last one speaks of the letter, not of the person.
            let told = &paragraphs[..3];
            let report = truth::check_letter(&input.cv, told, languages, posting.as_deref());
            assert!(report.unsupported.is_empty(), "{report:?}");
        }
    }
}

#[test]
fn a_cv_with_next_to_nothing_in_it_still_makes_a_letter() {
    let mut input = input(Language::En);
    input.cv = Cv::default();
    input.options.letter = None;
    let paragraphs = plain(&input, &input.cv);
    assert_eq!(paragraphs.len(), 2);
    assert!(!paragraphs.concat().contains('{'));
}

#[test]
fn an_empty_reply_becomes_the_plain_letter() {
    let input = input(Language::En);
    for paragraphs in [
        vec![],
        vec!["Hello.".to_owned()],
        vec!["word ".repeat(5_000)],
    ] {
        let kept = keep(&input, &input.cv, &LetterText { paragraphs });
        assert_eq!(kept.paragraphs, plain(&input, &input.cv));
        assert_eq!(kept.warnings.last().unwrap().code, "plain_letter");
    }
}

#[test]
fn letters_render_on_one_page_in_every_language_of_the_built_in_fonts() {
    let engine = render::Engine::new().unwrap();
    for language in Language::ALL {
        let input = input(language);
        let today = Day {
            year: 2026,
            month: 11,
            day: 21,
        };
        let parts = parts(&input, plain(&input, &input.cv), Some(today));
        assert!(parts.date.contains("2026"), "{}", parts.date);
        let document = document(&input.cv, &parts, locale(&input), language.tag());
        let options = render::Options {
            page_target: render::Pages::Fixed(1),
            ..render::Options::default()
        };
        let rendered = engine.render(&document, &options).unwrap();
        assert_eq!(rendered.pages, 1, "{language:?}");
        let has_fonts = !matches!(language, Language::Ja | Language::Zh);
        assert!(
            rendered.warnings.is_empty() || !has_fonts,
            "{language:?} {:?}",
            rendered.warnings
        );
    }
}
