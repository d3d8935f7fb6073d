//! Jobs from input to documents, without a model.

use schemas::cv::{Section, Work};
use schemas::job::{Earlier, Language, Letter, Part};
use serde_json::json;

use super::*;

fn input() -> JobInput {
    let sample: Value = serde_json::from_str(schemas::cv::SAMPLE).unwrap();
    let cv = schemas::cv::normalise(&sample).unwrap().cv;
    JobInput::of(cv)
}

fn both() -> JobInput {
    let mut input = input();
    input.options.outputs = vec![Output::Cv, Output::CoverLetter];
    input
}

fn by_model(json: Value) -> StoredReply {
    StoredReply {
        source: Source::Model,
        json,
        usage: None,
        reply_id: None,
        warnings: Vec::new(),
    }
}

fn composed(input: &JobInput, reply: &StoredReply) -> Composed {
    let accepted = "2026-11-21T08:00:00Z".parse().unwrap();
    compose(input, reply, &Themes::built_in(), accepted)
}

fn attached(composed: &Composed) -> Value {
    serde_json::from_slice(&composed.main.options.attachments[0].data).unwrap()
}

/// All the text of a document, a block a line.
fn text_of(document: &render::Document) -> String {
    format!("{:?}", document.body)
}

#[test]
fn nothing_personal_is_sent() {
    let mut input = both();
    input.options.letter = Some(Letter {
        recipient_name: Some("Odile Brandt".to_owned()),
        position: Some("Head of Supply".to_owned()),
        ..Letter::default()
    });
    let request = request(&input, "ref".to_owned(), 1000);
    let cv = &input.cv;
    let recipient = Some("Odile Brandt".to_owned());
    let personal = [
        Some(&cv.full_name),
        Some(&cv.email),
        Some(&cv.phone),
        cv.photo_url.as_ref(),
        cv.birth_date.as_ref(),
        recipient.as_ref(),
    ];
    for value in personal.into_iter().flatten().chain(&cv.address_lines) {
        assert!(
            !request.input.contains(value.as_str()),
            "a personal detail was sent"
        );
    }
    assert!(request.input.contains("Head of Supply"));
    assert!(
        request
            .input
            .contains(&cv.work_experience[0].bullets[0][..20])
    );
}

#[test]
fn the_request_asks_for_what_the_job_makes() {
    let check = |kind: JobKind, outputs: &[Output], name: &str, first: &str, last: &str| {
        let mut input = input();
        input.kind = kind;
        input.options.outputs = outputs.to_vec();
        let request = request(&input, String::new(), 1000);
        let required = request.schema.json["required"].as_array().unwrap();
        assert_eq!(request.schema.name, name);
        assert_eq!(required.first().unwrap(), first);
        assert_eq!(required.last().unwrap(), last);
        let letter = request.instructions.contains("cover letter");
        assert_eq!(letter, input.makes(Output::CoverLetter));
    };
    check(JobKind::Cv, &[], "cv", "profile", "interests");
    let both = [Output::Cv, Output::CoverLetter];
    check(
        JobKind::Cv,
        &both,
        "cv_and_cover_letter",
        "profile",
        "cover_letter",
    );
    check(
        JobKind::CoverLetter,
        &[],
        "cover_letter",
        "cover_letter",
        "cover_letter",
    );
}

#[test]
fn wishes_go_along_as_data() {
    let mut input = input();
    assert!(!request(&input, String::new(), 1).input.contains("wishes"));
    input.options.tone = Some("warm".to_owned());
    let wish = (Part::Profile, "mention the harbour".to_owned());
    input.options.instructions.insert(wish.0, wish.1);
    let message: Value = serde_json::from_str(&request(&input, String::new(), 1).input).unwrap();
    let want = json!({"tone": "warm", "parts": {"profile": "mention the harbour"}});
    assert_eq!(message["wishes"], want);
}

#[test]
fn the_offline_editor_answers_in_the_shape_of_the_schema() {
    let input = both();
    let reply = edit_offline(&input).json;
    let request = request(&input, String::new(), 1);
    let required = request.schema.json["required"].as_array().unwrap().clone();
    let names: Vec<_> = reply.as_object().unwrap().keys().cloned().collect();
    assert!(
        names
            .iter()
            .all(|name| required.contains(&name.as_str().into())),
        "{names:?}"
    );
}

#[test]
fn a_part_that_does_not_answer_entry_for_entry_keeps_the_source() {
    let input = input();
    let mut json = edit_offline(&input).json;
    json["work_experience"].as_array_mut().unwrap().pop();
    let composed = composed(&input, &by_model(json));
    let codes: Vec<_> = composed
        .warnings
        .iter()
        .map(|w| (w.path.as_str(), w.code.as_str()))
        .collect();
    assert_eq!(codes, [("work_experience", "kept_source")]);
    let kept = &input.cv.work_experience[0].bullets[0];
    assert_eq!(
        attached(&composed)["work_experience"][0]["bullets"][0],
        kept.as_str()
    );
}

#[test]
fn unchanged_sections_are_not_sent_and_keep_the_earlier_text() {
    let mut input = input();
    let mut earlier = input.cv.clone();
    earlier.language = Some("en".to_owned());
    earlier.profile = Some("Settled profile.".to_owned());
    earlier.education[0].title = "Settled title".to_owned();
    let sources = schemas::cv::section_hashes(&input.cv);
    input.earlier = Some(Earlier {
        sources: sources.clone(),
        cv: earlier,
    });
    input.cv.interests = Some("Rowing at dawn, as of today.".to_owned());
    input.cv.phone = "+44 1632 960 999".to_owned();

    let request = request(&input, String::new(), 1000);
    assert_eq!(request.schema.json["required"], json!(["interests"]));
    let message: Value = serde_json::from_str(&request.input).unwrap();
    assert_eq!(
        message["cv"],
        json!({"interests": "Rowing at dawn, as of today."})
    );
    let summary = &message["unchanged"]["education"];
    assert_eq!(summary["status"], "unchanged");
    assert_eq!(summary["hash"], sources[&Section::Education].as_str());
    assert_eq!(summary["count"], input.cv.education.len());
    assert!(
        summary["preview"]
            .as_str()
            .unwrap()
            .starts_with("Settled title")
    );

    let reply = StoredReply {
        source: Source::Offline,
        ..by_model(json!({"interests": "Rowing."}))
    };
    let cv = attached(&composed(&input, &reply));
    assert_eq!(cv["interests"], "Rowing.");
    assert_eq!(cv["profile"], "Settled profile.");
    assert_eq!(cv["education"][0]["title"], "Settled title");
    assert_eq!(cv["phone"], "+44 1632 960 999");

    // In another language nothing is settled.
    input.options.language = Some(Language::De);
    let request = super::request(&input, String::new(), 1000);
    assert_eq!(request.schema.json["required"].as_array().unwrap().len(), 9);
}

#[test]
fn both_documents_come_from_one_reply() {
    let input = both();
    let composed = composed(&input, &edit_offline(&input));
    let names: Vec<_> = [&composed.main]
        .into_iter()
        .chain(&composed.beside)
        .map(|document| (document.name, document.file_name.as_str()))
        .collect();
    assert_eq!(names[0].0, DocumentName::Cv);
    assert_eq!(names[1].0, DocumentName::CoverLetter);
    assert!(names[1].1.starts_with("Cover_Letter_"), "{}", names[1].1);
    let letter = text_of(&composed.beside[0].document);
    assert!(letter.contains("21 November 2026") && letter.contains("Yours sincerely,"));
    let mut alone = input.clone();
    alone.kind = JobKind::CoverLetter;
    alone.options.outputs.clear();
    let composed = super::compose(
        &alone,
        &edit_offline(&alone),
        &Themes::built_in(),
        "2026-11-21T08:00:00Z".parse().unwrap(),
    );
    assert_eq!(composed.main.name, DocumentName::CoverLetter);
    assert!(composed.beside.is_empty());
}

#[test]
fn text_that_nobody_translated_is_named() {
    let mut input = input();
    input.options.language = Some(Language::De);
    let own = composed(&input, &StoredReply::own_text("x"));
    let codes: Vec<_> = own
        .warnings
        .iter()
        .map(|warning| warning.code.as_str())
        .collect();
    assert_eq!(codes, ["unpolished", "not_translated"]);
    assert!(text_of(&own.main.document).contains("Berufserfahrung"));
    assert!(text_of(&own.main.document).contains("heute"));
}

#[test]
fn cuts_are_offered_only_where_they_are_allowed() {
    let mut input = input();
    let reply = edit_offline(&input);
    assert_eq!(
        composed(&input, &reply).main.options.cut_order,
        Vec::<String>::new()
    );
    input.options.allow_cuts = true;
    assert!(!composed(&input, &reply).main.options.cut_order.is_empty());
}

#[test]
fn what_decides_the_documents_decides_the_hash() {
    let themes = Themes::built_in();
    let plain = content_hash(&input(), "x", &themes);
    let check = |change: fn(&mut JobInput)| {
        let mut input = input();
        change(&mut input);
        assert_ne!(content_hash(&input, "x", &themes), plain);
    };
    assert_eq!(content_hash(&input(), "x", &themes), plain);
    assert_ne!(content_hash(&input(), "y", &themes), plain);
    check(|input| input.kind = JobKind::CoverLetter);
    check(|input| input.options.outputs = vec![Output::Cv, Output::CoverLetter]);
    check(|input| input.options.tone = Some("warm".to_owned()));
    check(|input| input.options.language = Some(Language::Ja));
    check(|input| input.options.page_size = Some(PageSize::Letter));
    check(|input| input.options.allow_cuts = true);
    check(|input| input.options.job_posting = Some("x".to_owned()));
    check(|input| input.options.letter = Some(Letter::default()));
    check(|input| input.options.instructions = [(Part::General, "x".to_owned())].into());
    check(|input| input.cv.phone.push('1'));
    let unchanged = |input: &mut JobInput| input.options.force = true;
    let mut forced = input();
    unchanged(&mut forced);
    assert_eq!(content_hash(&forced, "x", &themes), plain);

    // A theme of the operator counts by what it says.
    let folder = tempfile::tempdir().unwrap();
    let of_theme = |name: &str, text: &str| {
        let path = folder.path().join("theme.toml");
        std::fs::write(&path, text).unwrap();
        let files = [(name.to_owned(), path)].into();
        let themes = Themes::with_files(&files).unwrap();
        content_hash(&input(), "x", &themes)
    };
    let (ten, eleven) = ("[sizes]\ntext = 10\n", "[sizes]\ntext = 11\n");
    let name = input().options.theme.as_str().to_owned();
    assert_eq!(of_theme("another", ten), plain);
    assert_ne!(of_theme(&name, ten), plain);
    assert_eq!(of_theme(&name, ten), of_theme(&name, ten));
    assert_ne!(of_theme(&name, ten), of_theme(&name, eleven));
}

#[test]
fn file_names_are_ascii_in_every_alphabet() {
    let check = |name: &str, title: &str, want: &str| {
        let work = Work {
            title: title.to_owned(),
            ..Work::default()
        };
        let cv = Cv {
            full_name: name.to_owned(),
            work_experience: vec![work],
            ..Cv::default()
        };
        assert_eq!(cv::file_name(&cv), want);
    };
    check(
        "Łucja Żółć-Groß",
        "Head of R&D",
        "CV_Lucja_Zolc_Gross_Head_of_R_D.pdf",
    );
    check("../../etc", "a\"b\r\n", "CV_etc_a_b.pdf");
    check("", "", "CV.pdf");
}
